"""Ids, rows and secrets the tests share, and one sealed value of each format with every way to open it wrongly."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crypto import circle, contexts, envelope, kem, keys, sealing, session, stream, trace, unlock
from crypto.canonical import Value


def an_id(number: int) -> str:
    """The same id each time."""
    return str(UUID(int=number, version=4))


PERSON, ACCOUNT, SLOT, SHELF, PAPER, VERSION, GRANT, WORKER, CIRCLE, MEMBER, RECOVERY, SESSION, ENTRY, OTHER = (
    an_id(number) for number in range(1, 15)
)
ROW, OTHER_ROW = bytes([1]) * 32, bytes([2]) * 32


def vault(row: bytes, context: bytes) -> bytes:
    """What the key vault would answer."""
    return hmac.digest(row, context, hashlib.sha256)


SHELF_PLACE = {"person": PERSON, "shelf": SHELF, "epoch": 1}
VERSION_PLACE = {"person": PERSON, "paper": PAPER, "version": VERSION}


@dataclass(frozen=True)
class Sealed:
    """Something sealed: how it opens, and how it must not: another key, another row, another place."""

    name: str
    data: bytes
    content: object
    open: Callable[[bytes], object]
    wrongly: dict[str, Callable[[bytes], object]]


def _sealed(
    name: str,
    kind: type[keys.SecretBytes],
    content: Any,
    place: Callable[..., Any],
    fields: dict[str, Any],
    seal: Callable[[Any, Any, Any], bytes],
    open_: Callable[[Any, Any, bytes], object],
) -> Sealed:
    """A format `seal(key, place, content)`; each field of the place is changed in turn."""
    key, here = kind.random(), place(**fields)
    wrongly: dict[str, Callable[[bytes], object]] = {"another key": lambda data: open_(kind.random(), here, data)}
    for field, elsewhere in _elsewhere(place, fields):
        wrongly[f"another {field}"] = lambda data, there=elsewhere: open_(key, there, data)  # type: ignore[misc]
    return Sealed(name, seal(key, here, content), content, lambda data: open_(key, here, data), wrongly)


def _posted(
    name: str,
    seed_kind: type[keys.KemSeed],
    content: Any,
    place: Callable[..., Any],
    fields: dict[str, Any],
    post: Callable[[Any, bytes, Any, Any], bytes],
    open_: Callable[[Any, bytes, Any, bytes], object],
) -> Sealed:
    """A format `post(public, vault(row, place), place, content)`."""
    seed, here = seed_kind.random(), place(**fields)
    vaulted = vault(ROW, here)
    wrongly: dict[str, Callable[[bytes], object]] = {
        "another key": lambda data: open_(seed_kind.random(), vaulted, here, data),
        "another row": lambda data: open_(seed, vault(OTHER_ROW, here), here, data),
    }
    for field, elsewhere in _elsewhere(place, fields):
        wrongly[f"another {field}"] = lambda data, there=elsewhere: open_(seed, vault(ROW, there), there, data)  # type: ignore[misc]
        wrongly[f"another {field}, vault asked for the right one"] = (
            lambda data, there=elsewhere: open_(seed, vaulted, there, data)  # type: ignore[misc]
        )
    data = post(kem.public_key(seed), vaulted, here, content)
    return Sealed(name, data, content, lambda data: open_(seed, vaulted, here, data), wrongly)


def _elsewhere(place: Callable[..., Any], fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, value in fields.items():
        other: Any = OTHER if isinstance(value, str) else value + 1
        yield field, place(**{**fields, field: other})


def sealed_formats() -> list[Sealed]:
    """One of each."""
    card: dict[str, Value] = {"title": "Récépissé", "pages": 2, "kind": "pdf"}
    shelf_secret, file_secret = keys.ShelfSeed.random(), keys.FileSecret.random()
    granted = {"grant": GRANT, "worker": WORKER}
    share = {"person": PERSON, "circle": CIRCLE, "set": 0, "member": MEMBER}
    grant = {"grant": GRANT, "person": PERSON, "worker": WORKER}
    here = {"session": SESSION, "account": ACCOUNT, "slot": SLOT}
    wrap, part = SHELF_PLACE | VERSION_PLACE, keys.Share.random()

    def slot(*, account: str, slot: str, m: int, t: int) -> contexts.SlotContext:
        return unlock.slot_context(account, slot, unlock.Kind.CARD_PIN, unlock.Cost(m, t))

    way = {"account": ACCOUNT, "slot": SLOT, "m": 64, "t": 1}
    texts = ("name", "note", "contact", "drawing", "shelf_name")
    of_person = {"person": PERSON, "id": OTHER[:-1] + "f"}
    return [
        *(
            _sealed(label, keys.ValuesKey, "Awa", getattr(contexts, label), of_person, sealing.seal_text, sealing.unseal_text)
            for label in texts
        ),
        _sealed("shelf", keys.ValuesKey, shelf_secret, contexts.shelf, SHELF_PLACE, keys.seal_shelf_seed, keys.open_shelf_seed),
        _sealed("wrap", keys.ShelfKey, file_secret, contexts.wrap, wrap, envelope.wrap, envelope.unwrap),
        _sealed("card", keys.CardKey, card, contexts.card, VERSION_PLACE, envelope.seal_card, envelope.open_card),
        _sealed("grant body", keys.ValuesKey, card, contexts.grant, grant, envelope.seal_grant_body, envelope.open_grant_body),
        _sealed("slot", keys.Kek, keys.AccountSecret.random(), slot, way, unlock.seal_slot, unlock.open_slot),
        _sealed("assist slot", keys.Kek, keys.KemSeed.random(), slot, way, unlock.seal_assist_slot, unlock.open_assist_slot),
        _sealed(
            "session",
            keys.SessionKey,
            keys.AccountKeys.random(),
            contexts.session,
            here,
            session.seal_session,
            session.open_session,
        ),
        _sealed(
            "assisted session",
            keys.SessionKey,
            keys.KemSeed.random(),
            contexts.session,
            here,
            session.seal_assisted_session,
            session.open_assisted_session,
        ),
        _sealed(
            "event",
            keys.TraceKey,
            card,
            contexts.trace,
            {"entry": ENTRY, "party": PERSON},
            trace.seal_event,
            trace.open_event,
        ),
        _posted("deposit", keys.ShelfSeed, file_secret, contexts.wrap, wrap, envelope.deposit, envelope.open_deposit),
        _posted(
            "granted paper",
            keys.KemSeed,
            file_secret,
            contexts.wrap_paper,
            VERSION_PLACE | granted,
            envelope.grant_paper,
            envelope.open_granted_paper,
        ),
        _posted(
            "granted shelf",
            keys.KemSeed,
            shelf_secret,
            contexts.wrap_shelf,
            SHELF_PLACE | granted,
            envelope.grant_shelf,
            envelope.open_granted_shelf,
        ),
        _posted(
            "lent shelf",
            keys.KemSeed,
            shelf_secret,
            contexts.assist_shelf,
            SHELF_PLACE | {"slot": SLOT},
            envelope.assist_shelf,
            envelope.open_assist_shelf,
        ),
        _posted(
            "posted grant body",
            keys.KemSeed,
            card,
            contexts.grant,
            grant,
            envelope.post_grant_body,
            envelope.open_posted_grant_body,
        ),
        _posted("share", keys.KemSeed, part, contexts.share, share, circle.post_share, circle.open_share),
        _posted(
            "moved share",
            keys.KemSeed,
            part,
            contexts.share_move,
            share | {"recovery": RECOVERY},
            circle.move_share,
            circle.open_moved_share,
        ),
        _posted(
            "trace key",
            keys.KemSeed,
            keys.TraceKey.random(),
            contexts.trace_key,
            {"session": SESSION, "party": PERSON},
            trace.post_trace_key,
            trace.open_trace_key,
        ),
        _account_keys(),
        _payload(),
    ]


def _account_keys() -> Sealed:
    secret, content = keys.AccountSecret.random(), keys.AccountKeys.random()
    sealed = keys.seal_account_keys(secret, ACCOUNT, content)

    def open_(data: bytes, key: keys.AccountSecret = secret, account: str = ACCOUNT) -> keys.AccountKeys:
        return keys.open_account_keys(key, account, keys.SealedAccountKeys(sealed.kem, sealed.sign, data))

    wrongly: dict[str, Callable[[bytes], object]] = {
        "another key": lambda data: open_(data, keys.AccountSecret.random()),
        "another account": lambda data: open_(data, secret, OTHER),
        "another name": lambda _: open_(sealed.sign),
    }
    return Sealed("account keys", sealed.values, content, open_, wrongly)


def _payload() -> Sealed:
    key, content = keys.AgeFileKey.random(), b"Bonjour" * 30
    wrongly: dict[str, Callable[[bytes], object]] = {"another key": lambda data: stream.decrypt(keys.AgeFileKey.random(), data)}
    return Sealed("payload", stream.encrypt(key, content), content, lambda data: stream.decrypt(key, data), wrongly)
