"""Receipts of shares: one signed record for each change, sealed for the person, and for nobody else (ADR 0093).

Each change has the same id as its receipt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select

from consent.grant import Closing, GrantBody
from consent.ids import EntryId, GrantId, KindId, KioskId, PersonId, RecordId, WorkerId
from consent.purposes import ShelfKind, purpose
from consent.receipt import Frame, SignedReceipt, closed, digest, opened, sign_receipt
from consent.record import Entity, Receipt
from consent.terms import GivenHow, Method
from consent.verified import Signatures, closing_statement, statement
from crypto.errors import CryptoError, Malformed
from crypto.kem import KemPrivate, kem_public
from crypto.sealing import open_posted_text, post_text
from crypto.signing import Signer
from storage.tables import accounts, grant_changes, receipts, workers
from vault import labels
from vault.colleagues import name_of, place_of
from vault.context import Context
from vault.errors import BadInput, Tampered
from vault.sessions import Session
from vault.settings import today_in_paris

CHANGE_AT = "À toute borne Abri, avec la carte"


@dataclass(frozen=True)
class Said:
    """How the person said it: language, the exact text that was shown and its SHA-256, read aloud, with an interpreter."""

    language: str
    text_version: str
    text_sha256: bytes
    heard: bool = False
    interpreter: bool = False
    shown: int = 1

    def how(self, session: Session, witness: WorkerId | None = None) -> GivenHow:
        """As the rules want to know it; `witness`: the second worker, in an assisted opening that gives."""
        method = {"person": Method.SESSION, "card": Method.CARD, "assisted": Method.ASSISTED}[session.kind]
        return self.by(method, session.kiosk, witness)

    def by(self, method: Method, kiosk: str | None, witness: WorkerId | None = None) -> GivenHow:
        """The same, with its means."""
        try:
            return GivenHow(
                method, KioskId(kiosk) if kiosk else None, self.language, self.text_version, self.text_sha256, self.heard,
                self.interpreter, witness, self.shown,
            )  # fmt: skip
        except Malformed:
            raise BadInput("said") from None


@dataclass(frozen=True)
class Change:
    """A change about to be recorded: its trace entry, how it came, the signer of the person's session when there is one."""

    entry: str
    how: GivenHow
    signer: Signer | None


def last_record(connection: Connection, grant: str) -> RecordId | None:
    """The record before: every change of a share has one."""
    query = select(grant_changes.c.id).where(grant_changes.c.grant == grant).order_by(grant_changes.c.at.desc()).limit(1)
    found = connection.execute(query).scalar_one_or_none()
    return RecordId(found) if found else None


def _moment(context: Context, connection: Connection, grant: str) -> datetime:
    """When a change is written down: after the one before, even if the clock stood still or was put back. Their order is their chain."""
    before = connection.execute(select(func.max(grant_changes.c.at)).where(grant_changes.c.grant == grant)).scalar_one()
    now = context.clock()
    return now if before is None else max(now, before + timedelta(milliseconds=1))  # the rows keep no less


def _frame(context: Context, connection: Connection, worker: str, person: str, grant: str, entry: str, name: str) -> Frame:
    place = place_of(connection, worker)
    role = connection.execute(select(workers.c.role).where(workers.c.account == worker)).scalar_one()
    contact = place.operator_contact or place.operator_name
    return Frame(
        record=RecordId(context.new_id()), subject=person,
        controller=Entity(place.operator_name, place.operator, "", contact),
        recipient=Entity(name, worker, role, place.contact or contact),
        change_at=CHANGE_AT, at=context.clock(), entry=EntryId(entry), replaces=last_record(connection, grant),
    )  # fmt: skip


def of_given(
    context: Context, connection: Connection, body: GrantBody, signatures: Signatures, change: Change,
    data: Mapping[ShelfKind, Iterable[KindId]], words: str,
) -> None:  # fmt: skip
    """Keep the record of a share given, renewed or narrowed."""
    receipt = prepared(context, connection, body, change, data, words)
    signed = sign_receipt(receipt, body.person, service=context.service, person=change.signer)
    keep_given(context, connection, body, signed, signatures)


def prepared(
    context: Context, connection: Connection, body: GrantBody, change: Change, data: Mapping[ShelfKind, Iterable[KindId]], words: str
) -> Receipt:  # fmt: skip
    """The record of what is given, not signed by anybody yet."""
    frame = _frame(context, connection, body.worker, body.person, body.grant, change.entry, body.name_shown)
    return opened(frame, body, change.how, data, words or purpose(body.terms.purpose).words)


def keep_given(
    context: Context, connection: Connection, body: GrantBody, signed: SignedReceipt, signatures: Signatures
) -> None:  # fmt: skip
    """Keep a signed record of what was given."""
    _keep(context, connection, signed, statement(body).encode(), signatures)


def of_closing(
    context: Context, connection: Connection, closing: Closing, signatures: Signatures, change: Change, before: Receipt | None
) -> None:  # fmt: skip
    """Keep the record of an ending."""
    row = closing.row
    name = name_of(connection, row.worker)
    frame = _frame(context, connection, row.worker, row.person, row.grant, change.entry, name)
    receipt = closed(frame, closing, change.how, before if before and before.record == frame.replaces else None)
    signed = sign_receipt(receipt, row.person, service=context.service, person=change.signer)
    _keep(context, connection, signed, closing_statement(closing).encode(), signatures)


def _keep(context: Context, connection: Connection, signed: SignedReceipt, said: bytes, signatures: Signatures) -> None:
    receipt, person = signed.receipt, signed.person
    text = signed.to_bytes().decode()
    place = labels.receipt(person=person, grant=receipt.grant, receipt=receipt.record)
    public = kem_public(connection.execute(select(accounts.c.kem_public).where(accounts.c.id == person)).scalar_one())
    connection.execute(
        insert(grant_changes).values(
            id=receipt.record, grant=receipt.grant, state=receipt.change.state.value, at=_moment(context, connection, receipt.grant),
            statement=said,
            signatures=signatures.to_bytes(),
        )
    )  # fmt: skip
    connection.execute(
        insert(receipts).values(
            id=receipt.record, grant=receipt.grant,
            for_person=post_text(public, context.keyvault.derive("person", person, place), place, text),
            digest=digest(receipt).hex(), created=today_in_paris(context.clock()),
        )
    )  # fmt: skip


def read_all(context: Context, connection: Connection, session: Session, grant: GrantId) -> list[SignedReceipt]:
    """The records of one share, oldest first, as the person reads them. Raises Tampered."""
    person, private = PersonId(session.account), KemPrivate(session.opened().kem)
    query = (
        select(receipts.c.id, receipts.c.for_person, receipts.c.digest)
        .join(grant_changes, grant_changes.c.id == receipts.c.id)
        .where(receipts.c.grant == grant)
        .order_by(grant_changes.c.at)
    )
    found = []
    for row in connection.execute(query):
        place = labels.receipt(person=person, grant=grant, receipt=row.id)
        try:
            vaulted = context.keyvault.derive("person", person, place)
            signed = SignedReceipt.from_bytes(open_posted_text(private, vaulted, place, row.for_person).encode())
        except CryptoError:
            raise Tampered from None
        if digest(signed.receipt).hex() != row.digest or signed.receipt.grant != grant:
            raise Tampered
        found.append(signed)
    return found
