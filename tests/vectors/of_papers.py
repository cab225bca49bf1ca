"""Vectors of what keys are for: papers, guardians, sessions, the trace, statements."""

import json
from collections.abc import Callable

from crypto import checkpoint, circle, contexts, envelope, kem, keys, merkle, printed, session, signing, statements, stream, trace
from crypto.canonical import Value
from tests.vectors.ingredients import (
    ACCOUNT,
    ACCOUNT_KEYS,
    CIRCLE,
    ENTRY,
    EPOCH,
    FILE_SECRET,
    GRANT,
    GRANT_ROW,
    ID,
    KIOSK,
    MEMBER,
    PAPER,
    PERSON,
    PERSON_ROW,
    RECOVERY,
    SESSION,
    SESSION_ROW,
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


def papers(kept: Kept) -> dict[str, Vector]:
    """File keys, the three wraps, the card, the bytes."""
    version = {"person": PERSON, "paper": PAPER, "version": VERSION}
    place = contexts.file(**version)
    derived = keys.file_keys(FILE_SECRET, vault(PERSON_ROW, place), place)
    shelf_key = keys.shelf_key(SHELF_SEED, contexts.shelf_key(person=PERSON, shelf=SHELF, epoch=EPOCH))
    wrap = contexts.wrap(shelf=SHELF, epoch=EPOCH, **version)
    paper = contexts.wrap_paper(grant=GRANT, worker=WORKER, **version)
    shelf = contexts.wrap_shelf(person=PERSON, grant=GRANT, worker=WORKER, shelf=SHELF, epoch=EPOCH)
    lent = contexts.assist_shelf(person=PERSON, slot=SLOT, shelf=SHELF, epoch=EPOCH)
    shown = contexts.card(**version)
    card: dict[str, Value] = {"title": "Récépissé", "pages": 2}
    worker, shelf_public = kem.public_key(WORKER_SEED), kem.public_key(SHELF_SEED)

    def posted(
        name: str,
        info: bytes,
        row: bytes,
        content: keys.SecretBytes,
        make: Callable[[bytes], bytes],
        open_: Callable[[bytes, bytes], object],
    ) -> Vector:
        vaulted = vault(row, info)
        seed = SHELF_SEED if name == "deposit" else WORKER_SEED
        return {
            "info": info.hex(),
            "row": row.hex(),
            "seed": show(seed),
            "content": show(content),
            "posted": kept(name, "posted", lambda: make(vaulted), lambda old: expect(open_(vaulted, old), content)),
        }

    return {
        "file": {
            "fields": version,
            "secret": show(FILE_SECRET),
            "person_row": PERSON_ROW.hex(),
            "age_file_key": show(derived.age_file_key),
            "card_key": show(derived.card_key),
            "commitment": derived.commitment.hex(),
        },
        "wrap": {
            "key": show(shelf_key),
            "info": wrap.hex(),
            "content": show(FILE_SECRET),
            "sealed": kept(
                "wrap",
                "sealed",
                lambda: envelope.wrap(shelf_key, wrap, FILE_SECRET),
                lambda old: expect(envelope.unwrap(shelf_key, wrap, old), FILE_SECRET),
            ),
        },
        "deposit": posted(
            "deposit",
            wrap,
            PERSON_ROW,
            FILE_SECRET,
            lambda vaulted: envelope.deposit(shelf_public, vaulted, wrap, FILE_SECRET),
            lambda vaulted, old: envelope.open_deposit(SHELF_SEED, vaulted, wrap, old),
        ),
        "wrap-paper": posted(
            "wrap-paper",
            paper,
            GRANT_ROW,
            FILE_SECRET,
            lambda vaulted: envelope.grant_paper(worker, vaulted, paper, FILE_SECRET),
            lambda vaulted, old: envelope.open_granted_paper(WORKER_SEED, vaulted, paper, old),
        ),
        "wrap-shelf": posted(
            "wrap-shelf",
            shelf,
            GRANT_ROW,
            SHELF_SEED,
            lambda vaulted: envelope.grant_shelf(worker, vaulted, shelf, SHELF_SEED),
            lambda vaulted, old: envelope.open_granted_shelf(WORKER_SEED, vaulted, shelf, old),
        ),
        "assist-shelf": posted(
            "assist-shelf",
            lent,
            SLOT_ROW,
            SHELF_SEED,
            lambda vaulted: envelope.assist_shelf(worker, vaulted, lent, SHELF_SEED),
            lambda vaulted, old: envelope.open_assist_shelf(WORKER_SEED, vaulted, lent, old),
        ),
        "paper card": {
            "key": show(derived.card_key),
            "info": shown.hex(),
            "card": card,
            "sealed": kept(
                "paper card",
                "sealed",
                lambda: envelope.seal_card(derived.card_key, shown, card),
                lambda old: expect(envelope.open_card(derived.card_key, shown, old), card),
            ),
        },
        "payload": {
            "key": show(derived.age_file_key),
            "plaintext": b"Bonjour".hex(),
            "payload": kept(
                "payload",
                "payload",
                lambda: stream.encrypt(derived.age_file_key, b"Bonjour"),
                lambda old: expect(stream.decrypt(derived.age_file_key, old), b"Bonjour"),
            ),
            "lengths": {str(size): stream.payload_length(size) for size in (0, 1, 65536, 65537, 131072, 15_000_000)},
        },
    }


def guardians(kept: Kept) -> dict[str, Vector]:
    """Sheets, allowed sets, the cut, and a part on its way."""
    sheet = keys.SheetSecret(bytes(range(240, 256)))
    parts = [fixed(keys.Share, 0x41), fixed(keys.Share, 0x42), fixed(keys.Share, 0x44)]
    members = [("a", "un"), ("b", "un"), ("c", "deux"), ("d", None), ("e", None)]
    moved = contexts.share_move(recovery=RECOVERY, person=PERSON, circle=CIRCLE, set=0, member=MEMBER)
    given = contexts.share(person=PERSON, circle=CIRCLE, set=0, member=MEMBER)
    seed, vaulted = circle.sheet_seed(sheet), vault(GRANT_ROW, given)
    public = kem.public_key(seed)
    circle_of = [circle.Member(name, structure) for name, structure in members]
    return {
        "sheet": {
            "sheet": show(sheet),
            "seed": show(seed),
            "text": printed.sheet_text(sheet),
            "digits": printed.sheet_digits(sheet),
        },
        "allowed sets": {
            "members": [[name, structure or ""] for name, structure in members],
            "of two": [list(chosen) for chosen in circle.allowed_sets(circle_of, 2)],
            "of three": [list(chosen) for chosen in circle.allowed_sets(circle_of, 3)],
        },
        "cut": {"parts": [show(part) for part in parts], "secret": show(circle.join(parts))},
        "share": {
            "info": given.hex(),
            "row": GRANT_ROW.hex(),
            "seed": show(seed),
            "content": show(parts[0]),
            "posted": kept(
                "share",
                "posted",
                lambda: circle.post_share(public, vaulted, given, parts[0]),
                lambda old: expect(circle.open_share(seed, vaulted, given, old), parts[0]),
            ),
        },
        "share-move": {
            "info": moved.hex(),
            "row": GRANT_ROW.hex(),
            "seed": show(WORKER_SEED),
            "content": show(parts[0]),
            "posted": kept(
                "share-move",
                "posted",
                lambda: circle.move_share(kem.public_key(WORKER_SEED), vault(GRANT_ROW, moved), moved, parts[0]),
                lambda old: expect(circle.open_moved_share(WORKER_SEED, vault(GRANT_ROW, moved), moved, old), parts[0]),
            ),
        },
    }


def sessions_and_trace(kept: Kept) -> dict[str, Vector]:
    """A cookie's session, a session's entries."""
    token = fixed(keys.SessionToken, 0x51)
    place = contexts.session(session=SESSION, account=ACCOUNT, slot=SLOT)
    key = session.session_key(token, vault(SESSION_ROW, place), place)
    trace_key = fixed(keys.TraceKey, 0x52)
    event: dict[str, Value] = {"type": "opened", "at": "2026-11-23T10:00:00Z"}
    entry, tag = contexts.trace(entry=ENTRY, party=PERSON), contexts.trace_tag(month=202611)
    given = contexts.trace_key(session=SESSION, party=PERSON)
    vaulted, public = vault(PERSON_ROW, given), kem.public_key(ACCOUNT_KEYS.kem)
    return {
        "session": {
            "token": show(token),
            "row": SESSION_ROW.hex(),
            "fields": {"session": SESSION, "account": ACCOUNT, "slot": SLOT},
            "lookup": session.session_lookup(token).hex(),
            "key": show(key),
            "seeds": [show(ACCOUNT_KEYS.kem), show(ACCOUNT_KEYS.sign), show(ACCOUNT_KEYS.values)],
            "sealed": kept(
                "session",
                "sealed",
                lambda: session.seal_session(key, place, ACCOUNT_KEYS),
                lambda old: expect(session.open_session(key, place, old), ACCOUNT_KEYS),
            ),
        },
        "trace-key": {
            "info": given.hex(),
            "row": PERSON_ROW.hex(),
            "seed": show(ACCOUNT_KEYS.kem),
            "content": show(trace_key),
            "posted": kept(
                "trace-key",
                "posted",
                lambda: trace.post_trace_key(public, vaulted, given, trace_key),
                lambda old: expect(trace.open_trace_key(ACCOUNT_KEYS.kem, vaulted, given, old), trace_key),
            ),
        },
        "trace": {
            "key": show(trace_key),
            "info": entry.hex(),
            "card": event,
            "sealed": kept(
                "trace",
                "sealed",
                lambda: trace.seal_event(trace_key, entry, event),
                lambda old: expect(trace.open_event(trace_key, entry, old), event),
            ),
        },
        "trace-tag": {"row": PERSON_ROW.hex(), "info": tag.hex(), "tag": trace.tag(vault(PERSON_ROW, tag)).hex()},
        "leaf": {
            "entry": ENTRY,
            "person": b"for the person".hex(),
            "worker": "",
            "incident": b"for an inquiry".hex(),
            "leaf": trace.leaf(ENTRY, b"for the person", None, b"for an inquiry").hex(),
        },
    }


def tree(kept: Kept) -> dict[str, Vector]:
    """A tree of three entries, its proofs, and its signed head."""
    entries = [bytes([number]) * 113 for number in range(3)]
    hashes = [merkle.leaf_hash(entry) for entry in entries]

    def node(level: int, place: int) -> bytes:
        return hashes[place] if level == 0 else merkle.node_hash(node(level - 1, 2 * place), node(level - 1, 2 * place + 1))

    signer = checkpoint.CheckpointSigner(ACCOUNT_KEYS.sign, "abri.example/trace")
    head, at = checkpoint.TreeHead("abri.example/trace", 3, merkle.root(hashes)), 1_795_428_000
    return {
        "tree": {
            "leaves": [entry.hex() for entry in entries],
            "root": merkle.root(hashes).hex(),
            "inclusion of 0": [one.hex() for one in merkle.inclusion_proof(node, 0, 3)],
            "consistency of 2": [one.hex() for one in merkle.consistency_proof(node, 2, 3)],
        },
        "checkpoint": {
            "seed": show(ACCOUNT_KEYS.sign),
            "at": at,
            "keys": signer.public.lines(),
            "note": kept(
                "checkpoint",
                "note",
                lambda: signer.sign(head, at).encode().encode(),
                lambda old: expect(checkpoint.verify(old.decode(), signer.public), checkpoint.Checkpoint(head, at)),
            ),
        },
    }


def all_statements() -> list[statements.Statement]:
    """One statement of each kind."""
    kem_key, sign_key = kem.public_key(WORKER_SEED), signing.sign_public(ACCOUNT_KEYS.sign)
    digest = bytes([0x61]) * 32
    return [
        statements.Certificate(WORKER, "Fatou (démo)", "salaried", SHELF, kem_key, sign_key, 1, ""),
        statements.PersonKeys(PERSON, kem_key, sign_key, 1, b""),
        statements.ServiceKey(sign_key, sign_key, "2026-11-23"),
        statements.RootKey(WORKER, "added", sign_key, "2026-11-23", digest),
        statements.ShelfEpoch(PERSON, SHELF, EPOCH, kem_key),
        statements.Origin(PAPER, VERSION, "", PERSON, KIOSK, "2026-11-23T10:00:00Z", digest, digest, b""),
        statements.GrantGiven(GRANT, PERSON, WORKER, 1, "2027-02-23", digest),
        statements.Withdrawal(GRANT, PERSON, WORKER, "withdrawn", "2026-11-23T10:00:00Z"),
        statements.CircleFormed(CIRCLE, PERSON, 2, (WORKER, MEMBER), ((MEMBER, WORKER),), "2026-11-23T10:00:00Z"),
        statements.Confirmation(RECOVERY, PERSON, CIRCLE, 0, KIOSK, kem_key),
        statements.TheftConfirmed(RECOVERY, PERSON, CIRCLE, 0),
        statements.ReceiptSealed(ID, GRANT, PERSON, digest),
        statements.DirectiveGiven(ID, PERSON, digest, "2026-11-23T10:00:00Z"),
        statements.DeathReported(ID, PERSON, CIRCLE, WORKER, "2026-11-23T10:00:00Z"),
        statements.ErasureCertified(ID, "2026-11-23", "2026-12-23", 9, 2, 5, 1, VERSION),
        statements.CopiesRemoved(ENTRY, "2026-11-23", "term", 1095, 2, digest),
        statements.BackupMade("2026-11-23T10:00:00Z", digest),
    ]


def signatures(kept: Kept) -> dict[str, Vector]:
    """What is signed, byte for byte, and one signature."""
    seed = ACCOUNT_KEYS.sign
    public = signing.sign_public(seed)
    said = statements.TheftConfirmed(RECOVERY, PERSON, CIRCLE, 0)
    vectors: dict[str, Vector] = {
        "signature": {
            "seed": show(seed),
            "public": public.hex(),
            "said": said.encode().hex(),
            "signature": kept(
                "signature",
                "signature",
                lambda: signing.sign(seed, said),
                lambda old: signing.verify(public, said, old),
            ),
        }
    }
    for statement in all_statements():
        written = statement.encode()
        prefix, _, fields = written.partition(b"\x00")
        label = prefix.decode().removeprefix("abri/v1/")
        short = len(written) < 1024
        vectors[f"statement {label.removeprefix('sign/')}"] = {
            "label": label,
            "fields": json.loads(fields),
            "said" if short else "said_sha256": written.hex() if short else statement.digest().hex(),
        }
    return vectors
