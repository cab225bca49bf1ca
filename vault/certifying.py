"""A worker's certificate: these keys are theirs, under this name, in this structure, until this day. Two administrators sign it.

It is verified at each use against the root keys of the settings, never believed because a row says so.
"""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from consent.ids import WorkerId
from consent.recipients import Recipient, RecipientEvent, RecipientState, RoleId, next_state
from crypto.errors import BadSignature
from crypto.keys import AccountKeys
from crypto.signing import Signer, verify
from crypto.statements import Certificate
from storage.tables import accounts, administrators, certificate_signatures, structures, workers
from vault import accounts as public
from vault import administrators as office
from vault import audit, confirming
from vault.confirming import Act, Proof
from vault.context import Context
from vault.errors import Conflict, NotAllowed, NotThere
from vault.events import Event
from vault.sessions import Session

SIGNATURES = 2
FIRST_SERIAL = 1


def approval(context: Context, session: Session, worker: str) -> Act:
    """What is confirmed before a certificate is signed: the very bytes of it. NotThere for a worker of another operator."""
    with context.database.transaction(read_only=True) as connection:
        row = _row(connection, worker)
        office.check_structure(connection, session, row.structure)
        return Act.on("worker.certify", _statement(row, FIRST_SERIAL).encode())


def certify(context: Context, session: Session, worker: str, proof: Proof | None = None) -> bool:
    """Sign an invited worker's certificate, with the administrator's own key. True once two have; then the worker is certified.

    NotThere for a worker of another operator; NotAllowed when this administrator's key is not a root key; Conflict when they have
    signed already, or when the worker is past this step or has not accepted the charter. `proof`: see `confirming.require`.
    """
    keys = office.check(session)
    act = approval(context, session, worker)
    confirming.require(context, session, act, proof)
    with context.database.transaction() as connection:
        row = _row(connection, worker, hold=True)
        office.check_structure(connection, session, row.structure)
        after = _after(row)
        _check_root(context, session, keys)
        public.public_keys(context, connection, worker)  # nobody has put other keys in the row since they were drawn
        statement = _statement(row, FIRST_SERIAL)
        if Act.on("worker.certify", statement.encode()) != act:
            raise Conflict  # what would be signed is no longer what was shown
        by = _valid(context, connection, row, statement)
        if session.account in by:
            raise Conflict
        connection.execute(
            insert(certificate_signatures).values(
                worker=worker, administrator=session.account, serial=statement.serial, signature=Signer(keys.sign).sign(statement)
            )
        )
        complete = len(by) + 1 >= SIGNATURES
        if complete:
            certified = {"certificate": statement.encode(), "state": after}
            connection.execute(update(workers).where(workers.c.account == worker).values(**certified))
        event = Event("worker.certified", by=session.account, by_name=office.first_name(connection, session.account))
        audit.record(context, connection, session, event, worker=worker)
    return complete


def verified_certificate(context: Context, connection: Connection, worker: str) -> Certificate:
    """A worker's certificate, once both signatures hold and it says what the rows say.

    NotThere when there is none (or no such worker), Malformed, BadSignature.
    """
    row = _row(connection, worker)
    if row.certificate is None:
        raise NotThere
    statement = Certificate.parse(row.certificate)
    if statement != _statement(row, statement.serial):
        raise BadSignature
    if len(_valid(context, connection, row, statement)) < SIGNATURES:
        raise BadSignature
    return statement


def signed_certificate(context: Context, connection: Connection, worker: str) -> tuple[Certificate, list[tuple[str, bytes]]]:
    """A verified certificate with the signatures under it, by administrator: for whoever verifies elsewhere. As `verified_certificate`."""
    statement = verified_certificate(context, connection, worker)
    query = select(certificate_signatures.c.administrator, certificate_signatures.c.signature).where(
        certificate_signatures.c.worker == worker, certificate_signatures.c.serial == statement.serial
    )
    found = sorted((row.administrator, row.signature) for row in connection.execute(query))
    return statement, [(name, signature) for name, signature in found if _holds(context, name, statement, signature)]


def recipient(context: Context, connection: Connection, worker: str) -> Recipient:
    """A worker as the rules of consent see them: role and end from the verified certificate, state from the row."""
    certificate = verified_certificate(context, connection, worker)
    state = connection.execute(select(workers.c.state).where(workers.c.account == worker)).scalar_one()
    ends = _day(certificate.end)
    return Recipient(WorkerId(worker), RoleId(certificate.role), RecipientState(state), ends)


def signed_by(context: Context, connection: Connection, worker: str) -> frozenset[str]:
    """The administrators who have signed so far, their signatures verified: for the office."""
    row = _row(connection, worker)
    serial = Certificate.parse(row.certificate).serial if row.certificate else FIRST_SERIAL
    return _valid(context, connection, row, _statement(row, serial))


def _row(connection: Connection, worker: str, *, hold: bool = False) -> Row[Any]:
    query = (
        select(workers, accounts.c.kem_public, accounts.c.sign_public, structures.c.operator)
        .join(accounts, accounts.c.id == workers.c.account)
        .join(structures, structures.c.id == workers.c.structure)
        .where(workers.c.account == worker)
    )
    row = connection.execute(query.with_for_update(of=workers) if hold else query).one_or_none()
    if row is None:
        raise NotThere
    return row


def _statement(row: Row[Any], serial: int) -> Certificate:
    return Certificate(
        worker=row.account, name=row.first_name, role=row.role, structure=row.structure, kem=row.kem_public, sign=row.sign_public,
        serial=serial, end=row.ends.isoformat() if row.ends else "",
    )  # fmt: skip


def _valid(context: Context, connection: Connection, row: Row[Any], statement: Certificate) -> frozenset[str]:
    """The administrators of the worker's own operator whose signature holds under a root key of the settings, or one of before."""
    query = (
        select(certificate_signatures.c.administrator, certificate_signatures.c.signature)
        .join(administrators, administrators.c.account == certificate_signatures.c.administrator)
        .where(
            certificate_signatures.c.worker == statement.worker,
            certificate_signatures.c.serial == statement.serial,
            administrators.c.operator == row.operator,
        )
    )
    found = connection.execute(query)
    return frozenset(name for name, signature in found if _holds(context, name, statement, signature))


def _holds(context: Context, administrator: str, statement: Certificate, signature: bytes) -> bool:
    root = context.settings.root_keys.get(administrator) or context.settings.former_roots.get(administrator)
    if root is None:
        return False
    try:
        verify(root, statement, signature)
    except BadSignature:
        return False
    return True


def _after(row: Row[Any]) -> str:
    if row.charter_version is None or row.state != RecipientState.INVITED:
        raise Conflict
    return next_state(RecipientState.INVITED, RecipientEvent.CERTIFY).value


def _check_root(context: Context, session: Session, keys: AccountKeys) -> None:
    if context.settings.root_keys.get(session.account) != Signer(keys.sign).public:
        raise NotAllowed


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
