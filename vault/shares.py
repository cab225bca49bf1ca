"""Shares as both sides read them: the row, the body that the person or the worker can open, and the signatures that make it one.

What is posted is the body (`consent.grant`) and the face: the name and drawing under which the person is shown to this worker.
The face is nobody else's business, so it travels under the same seal; it is not part of what is agreed, so it is not signed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from consent.grant import GrantBody, GrantRow, GrantState
from consent.ids import GrantId, PersonId, WorkerId
from consent.recipients import Recipient
from consent.terms import Terms
from consent.verified import Signatures, VerifiedGrant, verify_grant
from crypto import contexts, envelope
from crypto.canonical import Value, canonical
from crypto.errors import BadSignature, CryptoError, Malformed, Undecryptable
from crypto.kem import KemPrivate, KemPublic
from crypto.keys import AccountKeys, ValuesKey
from crypto.signing import SignRing, sign_public
from storage.errors import RowGone
from storage.tables import accounts, grants, persons
from vault import accounts as account_rows
from vault import who
from vault.colleagues import LIVING, Colleague, colleague
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.sessions import Session

REACHED = ("open", "frozen")  # a safe that is frozen keeps its shares; one that is being erased answers nothing


def reached() -> ColumnElement[bool]:
    """The safes that answer somebody else now: in one of those states, and not restricted (GDPR 18)."""
    restricted = select(persons.c.account).where(persons.c.restricted.is_not(None))
    return accounts.c.state.in_(REACHED) & accounts.c.id.not_in(restricted)


@dataclass(frozen=True)
class Face:
    """How the person is shown to a worker: a name, which may be empty, and a drawing."""

    name: str = field(repr=False)
    drawing: str = field(repr=False)


@dataclass(frozen=True)
class Share:
    """A share whose signatures hold. `colleague` is None when nothing certifies the worker any more."""

    grant: GrantId
    person: str
    worker: str
    row: GrantRow
    body: GrantBody
    face: Face
    verified: VerifiedGrant
    colleague: Colleague | None
    witness: Colleague | None = None  # who stood for it, when it was given in an assisted opening
    unconfirmed: bool = False  # given in an assisted opening, and not looked at since in a session of the person's own

    @property
    def recipient(self) -> Recipient | None:
        """The worker as the rules see them today."""
        return self.colleague.recipient if self.colleague else None

    @property
    def worker_name(self) -> str:
        """The name that the person agreed to."""
        return self.body.name_shown


def place_of(row: Mapping[str, Any] | RowMapping) -> contexts.GrantContext:
    """What the body of a share is bound to."""
    return contexts.grant(grant=row["id"], person=row["person"], worker=row["worker"])


def pack(body: GrantBody, face: Face) -> dict[str, Value]:
    """What is posted to the worker, and sealed for the person."""
    return {"body": body.to_value(), "face": {"name": face.name, "drawing": face.drawing}}


def sealed_for_worker(context: Context, public: KemPublic, body: GrantBody, face: Face) -> bytes:
    """The body posted to the worker, through the share's own row of the key vault."""
    place = contexts.grant(grant=body.grant, person=body.person, worker=body.worker)
    vaulted = context.keyvault.derive("grant", body.grant, place)
    return envelope.post_grant_body(public, vaulted, place, pack(body, face))


def sealed_for_person(values: ValuesKey, body: GrantBody, face: Face) -> bytes:
    """The body sealed for whoever gave it."""
    place = contexts.grant(grant=body.grant, person=body.person, worker=body.worker)
    return envelope.seal_grant_body(values, place, pack(body, face))


def _unpack(value: Mapping[str, Value]) -> tuple[bytes, Face]:
    match value:
        case {"body": dict(body), "face": {"name": str(name), "drawing": str(drawing)}} if len(value) == 2:
            return canonical(body), Face(name, drawing)
    raise Undecryptable


def posted_to_person(context: Context, public: KemPublic, body: GrantBody, face: Face) -> bytes:
    """The body posted to the person, by an assisted session that does not hold their keys: it waits for their own session."""
    place = contexts.grant(grant=body.grant, person=body.person, worker=body.worker)
    return envelope.post_grant_body(public, context.keyvault.derive("person", body.person, place), place, pack(body, face))


def _own_copy(context: Context, row: Mapping[str, Any] | RowMapping, keys: AccountKeys) -> tuple[bytes, Face]:
    """The person's copy, sealed by their own session or posted by an assisted one. Raises CryptoError."""
    place, posted = place_of(row), row["posted_for_person"]
    if posted is None:
        return _unpack(envelope.open_grant_body(keys.values, place, row["body_for_person"]))
    vaulted = context.keyvault.derive("person", row["person"], place)
    return _unpack(envelope.open_posted_grant_body(KemPrivate(keys.kem), vaulted, place, posted))


def terms_of(context: Context, row: Mapping[str, Any] | RowMapping, keys: AccountKeys) -> Terms:
    """What a share was about, as the person's copy says, ended or not. Raises CryptoError. Narrowing alone may rely on it."""
    return own_body(context, row, keys).terms


def own_body(context: Context, row: Mapping[str, Any] | RowMapping, keys: AccountKeys) -> GrantBody:
    """What the person agreed to, as their own copy says, ended or not, signatures unread. Raises CryptoError: to be shown, no more."""
    untrusted, _ = _own_copy(context, row, keys)
    return GrantBody.from_bytes(untrusted)


def clear_row(row: Mapping[str, Any] | RowMapping) -> GrantRow:
    """What the table says of a share in clear."""
    return GrantRow(GrantId(row["id"]), PersonId(row["person"]), WorkerId(row["worker"]), GrantState(row["state"]), row["until"])


class Reader:
    """Opens and verifies shares of one side, remembering the keys of the people it has met."""

    def __init__(self, context: Context, connection: Connection) -> None:
        self._context, self._connection = context, connection
        self._signers: dict[str, SignRing] = {}
        self._colleagues: dict[str, Colleague | None] = {}

    def colleague(self, worker: str) -> Colleague | None:
        """The worker of a share; None when nothing certifies them."""
        if worker not in self._colleagues:
            try:
                self._colleagues[worker] = colleague(self._context, self._connection, worker)
            except NotThere:
                self._colleagues[worker] = None
        return self._colleagues[worker]

    def _signer_of(self, person: str) -> SignRing:
        if person not in self._signers:
            self._signers[person] = account_rows.public_keys(self._context, self._connection, person).ring
        return self._signers[person]

    def as_person(self, row: RowMapping, keys: AccountKeys, own: SignRing) -> Share:
        """A share as whoever gave it reads it. Raises CryptoError."""
        body, face = _own_copy(self._context, row, keys)
        return self._verified(row, body, face, own)

    def as_worker(self, row: RowMapping, private: KemPrivate) -> Share:
        """A share as its worker reads it. Raises CryptoError, RowGone, Tampered."""
        place = place_of(row)
        vaulted = self._context.keyvault.derive("grant", row["id"], place)
        posted = envelope.open_posted_grant_body(private, vaulted, place, row["body_for_worker"])
        body, face = _unpack(posted)
        return self._verified(row, body, face, self._signer_of(row["person"]))

    def _verified(self, row: RowMapping, untrusted: bytes, face: Face, person: SignRing) -> Share:
        clear = clear_row(row)
        body = GrantBody.from_bytes(untrusted)
        witness = self.colleague(body.witness) if body.witness else None
        verified = verify_grant(
            clear, untrusted, Signatures.from_bytes(row["signatures"]), service=self._context.service.ring, person=person,
            witness=witness.sign if witness else None,
        )  # fmt: skip
        return Share(
            clear.grant, row["person"], row["worker"], clear, body, face, verified, self.colleague(row["worker"]), witness,
            unconfirmed=row["posted_for_person"] is not None,
        )  # fmt: skip


def of_person(context: Context, connection: Connection, session: Session, *, ended: bool = False) -> list[Share]:
    """The shares that a person gave and that still live (or have ended), oldest first. One that does not verify is not one."""
    keys = who.person(session)
    own = account_rows.own_ring(context, connection, session.account, sign_public(keys.sign))
    state = grants.c.state.not_in(LIVING) if ended else grants.c.state.in_(LIVING)
    rows = connection.execute(select(grants).where(grants.c.person == session.account, state)).mappings().all()
    reader, found = Reader(context, connection), []
    for row in rows:
        try:
            found.append(reader.as_person(row, keys, own))
        except CryptoError:
            continue
    return oldest_first(found)


def of_worker(context: Context, connection: Connection, session: Session) -> list[Share]:
    """The living shares that this worker can open and that verify, oldest first."""
    private = KemPrivate(who.worker(session).kem)
    query = (
        select(grants)
        .join(accounts, accounts.c.id == grants.c.person)
        .where(grants.c.worker == session.account, grants.c.state.in_(LIVING), reached())
    )
    reader, found = Reader(context, connection), []
    for row in connection.execute(query).mappings().all():
        try:
            found.append(reader.as_worker(row, private))
        except (CryptoError, RowGone, Tampered, NotThere):
            continue
    return oldest_first(found)


def one_of_worker(context: Context, connection: Connection, session: Session, grant: str) -> Share:
    """One share of this worker, living or not; NotThere when it is not theirs, does not open or does not verify."""
    private = KemPrivate(who.worker(session).kem)
    query = (
        select(grants)
        .join(accounts, accounts.c.id == grants.c.person)
        .where(grants.c.id == grant, grants.c.worker == session.account, reached())
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotThere
    try:
        return Reader(context, connection).as_worker(row, private)
    except (CryptoError, RowGone, Tampered):
        raise NotThere from None


def one_of_person(context: Context, connection: Connection, session: Session, grant: str) -> Share:
    """One share that the person gave, held until the end of the transaction; NotThere, Tampered."""
    keys = who.person(session)
    query = select(grants).where(grants.c.id == grant, grants.c.person == session.account).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotThere
    try:
        own = account_rows.own_ring(context, connection, session.account, sign_public(keys.sign))
        return Reader(context, connection).as_person(row, keys, own)
    except (BadSignature, Malformed, Undecryptable):
        raise Tampered from None


def oldest_first(found: Iterable[Share]) -> list[Share]:
    """In the order in which they were first given."""
    return sorted(found, key=lambda one: (one.body.since, one.grant))
