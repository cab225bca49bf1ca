"""Every label of the formats, on one page: no other room writes one by hand.

A context names one use of one key: who, what, which version. It is the `info` of each derivation and of each seal, and
it is what the key vault is asked with. Each label has a type of its own, so that a wrap cannot be opened where a card
was meant. Ids are lower-case UUIDs; numbers are written in decimal; both travel as texts.
"""

import re
from functools import lru_cache
from typing import Literal, NewType

from crypto.canonical import context

INCIDENT = "incident"
"""The third party of a trace entry, beside a person and a worker: the key of a breach inquiry."""

SeedContext = NewType("SeedContext", bytes)
ShelfContext = NewType("ShelfContext", bytes)
ShelfKeyContext = NewType("ShelfKeyContext", bytes)
NameContext = NewType("NameContext", bytes)
NoteContext = NewType("NoteContext", bytes)
ContactContext = NewType("ContactContext", bytes)
DrawingContext = NewType("DrawingContext", bytes)
ShelfNameContext = NewType("ShelfNameContext", bytes)
SlotContext = NewType("SlotContext", bytes)
CardIdContext = NewType("CardIdContext", bytes)
VetoContext = NewType("VetoContext", bytes)
AssistContext = NewType("AssistContext", bytes)
FileContext = NewType("FileContext", bytes)
CardContext = NewType("CardContext", bytes)
WrapContext = NewType("WrapContext", bytes)
WrapPaperContext = NewType("WrapPaperContext", bytes)
WrapShelfContext = NewType("WrapShelfContext", bytes)
AssistShelfContext = NewType("AssistShelfContext", bytes)
GrantContext = NewType("GrantContext", bytes)
SheetContext = NewType("SheetContext", bytes)
ShareContext = NewType("ShareContext", bytes)
ShareMoveContext = NewType("ShareMoveContext", bytes)
SessionIdContext = NewType("SessionIdContext", bytes)
SessionContext = NewType("SessionContext", bytes)
TraceContext = NewType("TraceContext", bytes)
TraceKeyContext = NewType("TraceKeyContext", bytes)
TraceTagContext = NewType("TraceTagContext", bytes)
SignSeedsContext = NewType("SignSeedsContext", bytes)
CheckpointSeedsContext = NewType("CheckpointSeedsContext", bytes)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


_remembered = lru_cache(maxsize=8192)
"""For what a list of papers asks for by the hundred at each look. These are ids and no secrets: rows hold them in clear."""


def uuid(text: str) -> str:
    """Check an id: the same one in capitals would silently be another key."""
    if not _UUID.fullmatch(text):
        raise ValueError("an id is a lower-case UUID")
    return text


def decimal(number: int) -> str:
    """Write a count: never negative, never a leading zero."""
    if isinstance(number, bool) or number < 0:
        raise ValueError("a number in a context counts from 0")
    return str(number)


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError("a kind is lower-case words")
    return text


# Account and values


def seed(*, account: str, name: Literal["kem", "sign", "values"]) -> SeedContext:
    """One of the three keys of an account, under the account secret."""
    return SeedContext(context("seed", {"account": uuid(account), "name": _word(name)}))


def sign_seeds() -> SignSeedsContext:
    """The two signature seeds, out of one."""
    return SignSeedsContext(context("sign-seeds", {}))


def checkpoint_seeds() -> CheckpointSeedsContext:
    """The two seeds that sign tree heads, out of the service's or a witness's."""
    return CheckpointSeedsContext(context("checkpoint-seeds", {}))


def name(*, person: str, id: str) -> NameContext:  # noqa: A002 - the field is called so in the signed format
    """A name to use, under V."""
    return NameContext(context("name", {"person": uuid(person), "id": uuid(id)}))


def note(*, person: str, id: str) -> NoteContext:  # noqa: A002 - the field is called so in the signed format
    """A note, under V."""
    return NoteContext(context("note", {"person": uuid(person), "id": uuid(id)}))


def contact(*, person: str, id: str) -> ContactContext:  # noqa: A002 - the field is called so in the signed format
    """A contact, under V."""
    return ContactContext(context("contact", {"person": uuid(person), "id": uuid(id)}))


def drawing(*, person: str, id: str) -> DrawingContext:  # noqa: A002 - the field is called so in the signed format
    """The drawing a person chose, under V."""
    return DrawingContext(context("drawing", {"person": uuid(person), "id": uuid(id)}))


def shelf_name(*, person: str, id: str) -> ShelfNameContext:  # noqa: A002 - the field is called so in the signed format
    """The name a person gave to a shelf, under V."""
    return ShelfNameContext(context("shelf-name", {"person": uuid(person), "id": uuid(id)}))


# Ways to unlock


def slot(*, account: str, slot: str, kind: str, m: int, t: int) -> SlotContext:
    """One way to unlock one account, with its cost: lowering the cost in the row opens nothing."""
    fields = {"account": uuid(account), "slot": uuid(slot), "kind": _word(kind), "m": decimal(m), "t": decimal(t)}
    return SlotContext(context("slot", fields))


def card_id() -> CardIdContext:
    """What a card is known by."""
    return CardIdContext(context("card-id", {}))


def veto(*, slot: str) -> VetoContext:
    """What an ended slot may still say for a day: stop."""
    return VetoContext(context("veto", {"slot": uuid(slot)}))


def assist(*, account: str, slot: str) -> AssistContext:
    """An opening with the help of a trusted worker."""
    return AssistContext(context("assist", {"account": uuid(account), "slot": uuid(slot)}))


def assist_shelf(*, person: str, slot: str, shelf: str, epoch: int) -> AssistShelfContext:
    """A shelf lent to assisted openings."""
    fields = {"person": uuid(person), "slot": uuid(slot), "shelf": uuid(shelf), "epoch": decimal(epoch)}
    return AssistShelfContext(context("assist-shelf", fields))


# Shelves and papers


def _shelf(person: str, shelf: str, epoch: int) -> dict[str, str]:
    return {"person": uuid(person), "shelf": uuid(shelf), "epoch": decimal(epoch)}


def shelf(*, person: str, shelf: str, epoch: int) -> ShelfContext:
    """A shelf's seed, under V."""
    return ShelfContext(context("shelf", _shelf(person, shelf, epoch)))


def shelf_key(*, person: str, shelf: str, epoch: int) -> ShelfKeyContext:
    """A shelf's key, out of its seed."""
    return ShelfKeyContext(context("shelf-key", _shelf(person, shelf, epoch)))


def _version(person: str, paper: str, version: str) -> dict[str, str]:
    return {"person": uuid(person), "paper": uuid(paper), "version": uuid(version)}


@_remembered
def file(*, person: str, paper: str, version: str) -> FileContext:
    """The keys of one version of one paper, out of its file secret."""
    return FileContext(context("file", _version(person, paper, version)))


@_remembered
def card(*, person: str, paper: str, version: str) -> CardContext:
    """Title, file name, kind, dates: what a list shows of a paper."""
    return CardContext(context("card", _version(person, paper, version)))


@_remembered
def wrap(*, person: str, shelf: str, epoch: int, paper: str, version: str) -> WrapContext:
    """A file secret laid in a shelf, by who holds the shelf or by a depositor."""
    return WrapContext(context("wrap", _shelf(person, shelf, epoch) | _version(person, paper, version)))


# Grants


def wrap_paper(*, person: str, grant: str, worker: str, paper: str, version: str) -> WrapPaperContext:
    """A file secret granted to a worker."""
    fields = _version(person, paper, version) | {"grant": uuid(grant), "worker": uuid(worker)}
    return WrapPaperContext(context("wrap-paper", fields))


def wrap_shelf(*, person: str, grant: str, worker: str, shelf: str, epoch: int) -> WrapShelfContext:
    """A whole shelf granted to a worker."""
    fields = _shelf(person, shelf, epoch) | {"grant": uuid(grant), "worker": uuid(worker)}
    return WrapShelfContext(context("wrap-shelf", fields))


def grant(*, grant: str, person: str, worker: str) -> GrantContext:
    """What a grant says: purpose, acts, papers, the name shown, the person's public keys."""
    return GrantContext(context("grant", {"grant": uuid(grant), "person": uuid(person), "worker": uuid(worker)}))


# Guardians


def sheet() -> SheetContext:
    """The key pair of a printed rescue sheet."""
    return SheetContext(context("sheet", {}))


def share(*, person: str, circle: str, set: int, member: str) -> ShareContext:  # noqa: A002 - the format's word
    """A guardian's part of the recovery secret, for one allowed set (its place in the signed list)."""
    fields = {"person": uuid(person), "circle": uuid(circle), "set": decimal(set), "member": uuid(member)}
    return ShareContext(context("share", fields))


def share_move(*, recovery: str, person: str, circle: str, set: int, member: str) -> ShareMoveContext:  # noqa: A002 - idem
    """The same part on its way to the kiosk where the person stands."""
    fields = {"recovery": uuid(recovery), "person": uuid(person), "circle": uuid(circle)}
    return ShareMoveContext(context("share-move", fields | {"set": decimal(set), "member": uuid(member)}))


# Sessions


def session_id() -> SessionIdContext:
    """What a session's row is found by."""
    return SessionIdContext(context("session-id", {}))


def session(*, session: str, account: str, slot: str) -> SessionContext:
    """The seeds an open session holds."""
    return SessionContext(context("session", {"session": uuid(session), "account": uuid(account), "slot": uuid(slot)}))


# Trace


def _party(party: str) -> str:
    return party if party == INCIDENT else uuid(party)


def trace(*, entry: str, party: str) -> TraceContext:
    """One event, sealed for one party: a person's or worker's id, or `INCIDENT`."""
    return TraceContext(context("trace", {"entry": uuid(entry), "party": _party(party)}))


def trace_key(*, session: str, party: str) -> TraceKeyContext:
    """The key a session seals its events under, posted to one party."""
    return TraceKeyContext(context("trace-key", {"session": uuid(session), "party": _party(party)}))


def trace_tag(*, month: int) -> TraceTagContext:
    """What a party finds its entries of one month by. The month is written 202611."""
    if not (100001 <= month <= 999912 and 1 <= month % 100 <= 12):
        raise ValueError("a month is written YYYYMM")
    return TraceTagContext(context("trace-tag", {"month": decimal(month)}))
