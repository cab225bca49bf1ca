"""Persons, workers and grants for the tests of the rules, with real keys where signatures matter."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from consent import verified
from consent.grant import Closing, GrantBody, GrantRow, GrantState, Parties, PublicKeys, end, expire, give, withdraw
from consent.ids import EntryId, GrantId, KindId, KioskId, PaperId, PersonId, RecordId, ShelfId, WorkerId
from consent.purposes import PurposeId, ShelfKind
from consent.receipt import Frame
from consent.recipients import Recipient, RecipientState, RoleId
from consent.record import Entity
from consent.scope import Act, Paper, PapersScope, Scope, ShelfScope
from consent.terms import GivenHow, Method, Terms
from consent.verified import VerifiedGrant
from crypto.keys import SignSeed
from crypto.signing import Signer

OPENED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SALT = bytes(range(32))
KEM = bytes(1216)


def number(kind: int, n: int) -> str:
    """A UUID that a reader can recognise: the kind, then the number."""
    return str(UUID(int=(kind << 96) + (4 << 76) + (8 << 60) + n))


AWA, YONAS = PersonId(number(1, 1)), PersonId(number(1, 2))
FATOU, MARC, INES = WorkerId(number(2, 1)), WorkerId(number(2, 2)), WorkerId(number(2, 3))
HOUSING, HEALTH, HIDDEN = ShelfId(number(3, 1)), ShelfId(number(3, 2)), ShelfId(number(3, 3))
KIOSK = KioskId(number(5, 1))


def paper_id(n: int) -> PaperId:
    """The n-th paper."""
    return PaperId(number(4, n))


def grant_id(n: int) -> GrantId:
    """The n-th grant."""
    return GrantId(number(6, n))


@functools.cache
def signer(name: str) -> Signer:
    """The signing key of the person, the service, or a witness; the same in each test."""
    return Signer(SignSeed(name.encode().ljust(32, b".")))


@functools.cache
def person_keys(name: str = "awa") -> PublicKeys:
    """The public keys that are pinned in bodies."""
    return PublicKeys(KEM, signer(name).public)


def recipient(
    worker: WorkerId = FATOU, role: str = "salaried", state: RecipientState = RecipientState.CERTIFIED, ends: date | None = None
) -> Recipient:
    """A certified salaried worker unless said; passing roles get a far end."""
    if ends is None and role in ("volunteer", "intern", "civic-service", "interpreter"):
        ends = date(2028, 12, 31)
    return Recipient(worker, RoleId(role), state, ends)


def how(method: Method = Method.SESSION, **changes: object) -> GivenHow:
    """An unlocked session at a kiosk, in French, read aloud."""
    given = GivenHow(method, KIOSK, "fr", "K15/2026-11-01", bytes(32), heard=True, interpreter=False)
    return replace(given, **changes)  # type: ignore[arg-type]  # names are checked by replace itself


def terms(
    scope: Scope | None = None, acts: Iterable[Act] = (Act.SEE,), until: date = date(2027, 2, 23), purpose: str = "home",
    own_words: str = "",
) -> Terms:  # fmt: skip
    """To see the first paper, for a home, three months."""
    return Terms(PurposeId(purpose), own_words, scope or PapersScope((paper_id(1),)), frozenset(acts), until)


def shelf_scope(shelf: ShelfId = HOUSING, kind: str = "housing") -> ShelfScope:
    """The whole drawer of housing."""
    return ShelfScope(shelf, ShelfKind(kind))


def paper(n: int = 1, shelf: ShelfId = HOUSING, kind: str | None = "housing", person: PersonId = AWA) -> Paper:
    """The n-th paper of Awa, in the drawer of housing."""
    return Paper(person, paper_id(n), shelf, ShelfKind(kind) if kind else None)


def body(
    n: int = 1, chosen: Terms | None = None, at: datetime = NOW, worker: WorkerId = FATOU, person: PersonId = AWA
) -> GrantBody:
    """The body of the n-th grant, as `give` makes it."""
    parties = Parties(grant_id(n), person, person_keys(), recipient(worker), "Fatou, assistante sociale, Les Tilleuls")
    return give(parties, chosen or terms(), how(), at=at, safe_opened=OPENED, salt=SALT)


def proven(agreed: GrantBody, state: GrantState | None = None) -> VerifiedGrant:
    """A verified grant without the cost of signatures: for tests of the rules alone."""
    row = agreed.row() if state is None else replace(agreed.row(), state=state)
    return VerifiedGrant(row, agreed, verified._PROOF)


def row(state: GrantState, until: date | None = date(2027, 2, 23), n: int = 1) -> GrantRow:
    """A clear row in that state."""
    return GrantRow(grant_id(n), AWA, FATOU, state, until)


@dataclass(frozen=True)
class Signed:
    """A body with its row and its signatures."""

    row: GrantRow
    body: GrantBody
    signatures: verified.Signatures


@functools.cache
def signed() -> Signed:
    """The first grant, signed by Awa and the service."""
    agreed = body()
    return Signed(agreed.row(), agreed, verified.sign_grant(agreed, service=signer("service"), person=signer("awa")))


CONTROLLER = Entity("Opérateur A", number(7, 1), "", "1 rue des Tilleuls, 75000 Paris, dpo@example.org")
RECIPIENT = Entity("Fatou, assistante sociale, Les Tilleuls", FATOU, "salaried", "Les Tilleuls, 1 rue des Tilleuls, 75000 Paris")


def frame(n: int = 1, at: datetime = NOW, replaces: RecordId | None = None) -> Frame:
    """The frame of the n-th record."""
    return Frame(
        record=record_id(n), subject=number(8, 1), controller=CONTROLLER, recipient=RECIPIENT,
        change_at="à toutes les bornes, avec la carte", at=at, entry=EntryId(number(9, n)), replaces=replaces,
    )  # fmt: skip


def record_id(n: int) -> RecordId:
    """The n-th record."""
    return RecordId(number(10, n))


# What records are made from

LATER = NOW + timedelta(days=2)
AFTER = datetime(2027, 2, 24, 12, 0, tzinfo=UTC)
DATA = {ShelfKind("housing"): [KindId("tax-notice"), KindId("rent-receipt"), KindId("tax-notice")]}
WORDS = "un logement"


def endings() -> dict[str, Closing]:
    """How a grant can end: what closes it, by the state it leaves."""
    live = body().row()
    return {"withdrawn": withdraw(live, LATER), "expired": expire(live, AFTER), "ended": end(live, LATER)}
