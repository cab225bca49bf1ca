"""Vectors of what keys come from: contexts, primitives, accounts and shelves, the ways to unlock."""

import hashlib
from typing import Any

from crypto import canonical, contexts, kem, keys, printed, sealing, unlock
from tests.vectors.ingredients import (
    ACCOUNT,
    ACCOUNT_KEYS,
    ACCOUNT_SECRET,
    CARD,
    CIRCLE,
    COST,
    ENTRY,
    EPOCH,
    GRANT,
    GRANT_ROW,
    ID,
    MEMBER,
    PAPER,
    PERSON,
    PERSON_ROW,
    RECOVERY,
    SALT,
    SESSION,
    SHELF,
    SHELF_SEED,
    SLOT,
    SLOT_ROW,
    VERSION,
    WORKER,
    WORKER_SEED,
    Kept,
    Vector,
    expect,
    fixed,
    show,
    vault,
)


def all_contexts() -> dict[str, Vector]:
    """Every label, with every field it takes."""
    shelf = {"person": PERSON, "shelf": SHELF, "epoch": EPOCH}
    version = {"person": PERSON, "paper": PAPER, "version": VERSION}
    granted = {"grant": GRANT, "worker": WORKER}
    fields: dict[str, dict[str, Any]] = {
        "seed": {"account": ACCOUNT, "name": "values"},
        "sign-seeds": {},
        "checkpoint-seeds": {},
        **{label: {"person": PERSON, "id": ID} for label in ("name", "note", "contact", "drawing", "shelf-name")},
        "slot": {"account": ACCOUNT, "slot": SLOT, "kind": "card-pin", "m": 65536, "t": 3},
        "card-id": {},
        "veto": {"slot": SLOT},
        "assist": {"account": ACCOUNT, "slot": SLOT},
        "assist-shelf": {**shelf, "slot": SLOT},
        "shelf": shelf,
        "shelf-key": shelf,
        "file": version,
        "card": version,
        "wrap": shelf | version,
        "wrap-paper": version | granted,
        "wrap-shelf": shelf | granted,
        "grant": {"grant": GRANT, "person": PERSON, "worker": WORKER},
        "sheet": {},
        "share": {"person": PERSON, "circle": CIRCLE, "set": 0, "member": MEMBER},
        "share-move": {"recovery": RECOVERY, "person": PERSON, "circle": CIRCLE, "set": 0, "member": MEMBER},
        "session-id": {},
        "session": {"session": SESSION, "account": ACCOUNT, "slot": SLOT},
        "trace": {"entry": ENTRY, "party": PERSON},
        "trace-key": {"session": SESSION, "party": contexts.INCIDENT},
        "trace-tag": {"month": 202611},
    }
    vectors = {}
    for label, values in fields.items():
        info = getattr(contexts, label.replace("-", "_"))(**values)
        written = {name: str(value) for name, value in values.items()}
        vectors[f"context {label}"] = {"label": label, "fields": written, "info": info.hex()}
    return vectors


def primitives(kept: Kept) -> dict[str, Vector]:
    """kdf, seal, vault, post, padding, the pair of a seed."""
    info = contexts.shelf_key(person=PERSON, shelf=SHELF, epoch=EPOCH)
    key, text = bytes(range(32)), b"Bonjour"
    vaulted = vault(PERSON_ROW, info)
    public = kem.public_key(WORKER_SEED)
    samples = ["", "é", "a" * 60, "a" * 61, "a" * 1021]
    return {
        "kdf": {"key": key.hex(), "info": info.hex(), "length": 48, "output": keys.kdf(key, info, 48).hex()},
        "vault": {"row": PERSON_ROW.hex(), "info": info.hex(), "output": vaulted.hex()},
        "seal": {
            "key": key.hex(),
            "info": info.hex(),
            "plaintext": text.hex(),
            "sealed": kept(
                "seal",
                "sealed",
                lambda: sealing.seal(key, info, text),
                lambda sealed: expect(sealing.unseal(key, info, sealed), text),
            ),
        },
        "pair": {"seed": show(WORKER_SEED), "public": public.hex()},
        "post": {
            "seed": show(WORKER_SEED),
            "row": GRANT_ROW.hex(),
            "info": info.hex(),
            "plaintext": text.hex(),
            "posted": kept(
                "post",
                "posted",
                lambda: sealing.post(public, vault(GRANT_ROW, info), info, text),
                lambda posted: expect(sealing.open_post(WORKER_SEED, vault(GRANT_ROW, info), info, posted), text),
            ),
        },
        "padding": {
            "texts": samples,
            "sizes": [len(canonical.pad(sample.encode())) for sample in samples],
            "padded": canonical.pad(samples[1].encode()).hex(),
        },
    }


def accounts(kept: Kept) -> dict[str, Vector]:
    """What hangs on the account secret, and the shelves."""
    shelf = contexts.shelf(person=PERSON, shelf=SHELF, epoch=EPOCH)
    shelf_key = keys.shelf_key(SHELF_SEED, contexts.shelf_key(person=PERSON, shelf=SHELF, epoch=EPOCH))
    name = contexts.name(person=PERSON, id=ID)
    sealed = {}
    for part in ("kem", "sign", "values"):

        def opens(old: bytes, part: str = part) -> None:
            info = contexts.seed(account=ACCOUNT, name=part)  # type: ignore[arg-type]  # the three names, in a loop
            expect(sealing.unseal(ACCOUNT_SECRET, info, old), getattr(ACCOUNT_KEYS, part))

        def make(part: str = part) -> bytes:
            made: bytes = getattr(keys.seal_account_keys(ACCOUNT_SECRET, ACCOUNT, ACCOUNT_KEYS), part)
            return made

        sealed[f"{part}_sealed"] = kept("account keys", f"{part}_sealed", make, opens)
    return {
        "account keys": {
            "account": ACCOUNT,
            "secret": show(ACCOUNT_SECRET),
            "kem": show(ACCOUNT_KEYS.kem),
            "sign": show(ACCOUNT_KEYS.sign),
            "values": show(ACCOUNT_KEYS.values),
            **sealed,
        },
        "shelf": {
            "values": show(ACCOUNT_KEYS.values),
            "fields": {"person": PERSON, "shelf": SHELF, "epoch": str(EPOCH)},
            "seed": show(SHELF_SEED),
            "key": show(shelf_key),
            "public_sha256": hashlib.sha256(kem.public_key(SHELF_SEED)).hexdigest(),
            "sealed": kept(
                "shelf",
                "sealed",
                lambda: keys.seal_shelf_seed(ACCOUNT_KEYS.values, shelf, SHELF_SEED),
                lambda old: expect(keys.open_shelf_seed(ACCOUNT_KEYS.values, shelf, old), SHELF_SEED),
            ),
        },
        "name": {
            "values": show(ACCOUNT_KEYS.values),
            "fields": {"person": PERSON, "id": ID},
            "text": "Awa (démo)",
            "sealed": kept(
                "name",
                "sealed",
                lambda: sealing.seal_text(ACCOUNT_KEYS.values, name, "Awa (démo)"),
                lambda old: expect(sealing.unseal_text(ACCOUNT_KEYS.values, name, old), "Awa (démo)"),
            ),
        },
    }


def slots(kept: Kept) -> dict[str, Vector]:
    """One slot of each kind, then what stands around them."""
    words, six = ("lune", "pain", "été", "vélo", "sac"), ("un", "deux", "trois", "quatre", "cinq", "six")
    pictures = (3, 15, 0, 7, 7)
    assist_secret = fixed(keys.AssistSecret, 0x31)
    assist_place = contexts.assist(account=ACCOUNT, slot=SLOT)
    ways: list[tuple[unlock.Kind, str, keys.Stretched | keys.Password]] = [
        (unlock.Kind.CARD_PIN, "271828", unlock.code_password(CARD, "271828")),
        (unlock.Kind.CARD_PICTURES, "3 15 0 7 7", unlock.pictures_password(CARD, pictures)),
        (unlock.Kind.WORDS, " ".join(words), unlock.words_password(words)),
        (unlock.Kind.PASSPHRASE, " ".join(six), unlock.words_password(six)),
        (unlock.Kind.RECOVERY, "32" * 32, unlock.recovery_stretched(fixed(keys.RecoverySecret, 0x32))),
        (unlock.Kind.PRF, "33" * 32, unlock.prf_stretched(bytes([0x33]) * 32)),
        (unlock.Kind.ASSIST, "", unlock.assist_stretched(CARD, None, assist_secret, assist_place)),
        (unlock.Kind.ASSIST, "3 15 0 7 7", unlock.assist_stretched(CARD, pictures, assist_secret, assist_place)),
    ]
    vectors: dict[str, Vector] = {}
    for kind, said, secret in ways:
        cost = COST if kind.guessable else unlock.Cost.none()
        place = unlock.slot_context(ACCOUNT, SLOT, kind, cost)
        h = unlock.stretch(secret, SALT, cost) if isinstance(secret, keys.Password) else secret
        kek = unlock.kek(h, vault(PERSON_ROW, place), vault(SLOT_ROW, place), SALT, place)
        name = f"slot {kind.value}" + (" with pictures" if kind is unlock.Kind.ASSIST and said else "")

        def make(key: keys.Kek = kek, info: contexts.SlotContext = place) -> bytes:
            return unlock.seal_slot(key, info, ACCOUNT_SECRET)

        def opens(old: bytes, key: keys.Kek = kek, info: contexts.SlotContext = place) -> None:
            expect(unlock.open_slot(key, info, old), ACCOUNT_SECRET)

        vectors[name] = {
            "fields": {"account": ACCOUNT, "slot": SLOT, "kind": kind.value, "m": str(cost.m), "t": str(cost.t)},
            "card": show(CARD),
            "said": said,
            "assist_secret": show(assist_secret),
            "salt": SALT.hex(),
            "person_row": PERSON_ROW.hex(),
            "slot_row": SLOT_ROW.hex(),
            "h": show(h),
            "kek": show(kek),
            "content": show(ACCOUNT_SECRET),
            "sealed": kept(name, "sealed", make, opens),
        }
    kek = keys.Kek(bytes.fromhex(vectors["slot card-pin"]["kek"]))
    vectors["veto"] = {"kek": show(kek), "slot": SLOT, "kept": unlock.veto_hash(kek, contexts.veto(slot=SLOT)).hex()}
    vectors["card"] = {"card": show(CARD), "id": unlock.card_id(CARD).hex(), "text": printed.card_text(CARD)}
    return vectors
