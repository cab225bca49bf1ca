"""A share ends: the person takes it back, its day passes, its worker leaves. Always possible, never with a key.

In one commit: wraps deleted, the row ended, the ending signed, traced and receipted, what could be read marked to be sealed anew.
Then the share's row of the key vault is destroyed, before the answer: after a crash the background work does it.
"""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping, select, update

from consent import grant as rules
from consent.errors import TransitionRefused
from consent.grant import OPEN_STATES, Closing, GrantState
from consent.ids import GrantId
from consent.record import Receipt
from consent.terms import GivenHow, Method
from consent.verified import sign_closing
from crypto.signing import Signer
from storage.tables import grants
from storage.tables import wraps as wrap_rows
from vault import audit, endings, receipts, reencryption, shares, who, wraps
from vault.colleagues import LIVING, name_of
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.events import Event
from vault.one_by_one import each
from vault.receipts import Change, Said
from vault.sessions import Session
from vault.settings import today_in_paris

log = structlog.get_logger()
_SERVICE_TEXT = "Le partage est fini."
BY_SERVICE = Said("fr", "fin/1", hashlib.sha256(_SERVICE_TEXT.encode()).digest())
TAGS = {GrantState.WITHDRAWN: "share.withdrawn", GrantState.EXPIRED: "share.expired", GrantState.ENDED: "share.ended"}


def withdraw(context: Context, session: Session, grant: GrantId, said: Said) -> None:
    """Take one share back. The card alone is enough; with the person's keys there, a shared drawer gets its new epoch at once.

    Safe to repeat: what has already ended stays ended, and what was left unfinished is finished. Raises NotThere.
    """
    with context.database.transaction() as connection:
        person = who.narrowing(connection, session)
        _take_back(context, connection, session, [_named(connection, person, grant)], said)


def withdraw_all(context: Context, session: Session, grant: GrantId, said: Said) -> None:
    """K17: every open share with the worker of this one, each with its own entry and receipt, in one commit (ADR 0082).

    The card alone is enough, as for one share. Safe to repeat, also from a page that named a share which ended since. Raises NotThere.
    """
    with context.database.transaction() as connection:
        person = who.narrowing(connection, session)
        named = _named(connection, person, grant)
        same = grants.c.person == person, grants.c.worker == named["worker"], grants.c.state.in_(LIVING), grants.c.id != grant
        others = connection.execute(select(grants).where(*same).order_by(grants.c.id).with_for_update()).mappings().all()
        _take_back(context, connection, session, [named, *others], said)


def _named(connection: Connection, person: str, grant: GrantId) -> RowMapping:
    query = select(grants).where(grants.c.id == grant, grants.c.person == person).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotThere
    return row


def _take_back(context: Context, connection: Connection, session: Session, rows: Sequence[RowMapping], said: Said) -> None:
    signer = Signer(session.opened().sign) if session.kind == "person" else None
    for row in rows:
        grant = GrantId(row["id"])
        if GrantState(row["state"]) not in OPEN_STATES:
            endings.end_row(context, connection, "grant", grant)
            continue
        closing = rules.withdraw(shares.clear_row(row), context.clock())
        before = _receipt_before(context, connection, session, grant) if signer else None
        close(context, connection, closing, session=session, how=said.how(session), signer=signer, before=before)
    if signer:
        reencryption.renew_drawers(context, connection, session)


def _receipt_before(context: Context, connection: Connection, session: Session, grant: GrantId) -> Receipt | None:
    try:
        return receipts.read_all(context, connection, session, grant)[-1].receipt
    except (Tampered, IndexError):
        return None  # an ending is recorded even when the record before it does not open


def close(
    context: Context, connection: Connection, closing: Closing, *, session: Session | None, how: GivenHow,
    signer: Signer | None = None, before: Receipt | None = None,
) -> None:  # fmt: skip
    """End a share in the caller's transaction, whatever the means; its row of the key vault dies right after the commit."""
    row = closing.row
    _end_rows(context, connection, closing)
    event = Event(
        TAGS[row.state], by=row.person if session else "", by_name=name_of(connection, row.worker), grant=row.grant,
        place=(session.kiosk or "") if session else "",
    )  # fmt: skip
    entry = audit.record(context, connection, session, event, person=row.person, worker=row.worker)
    signatures = sign_closing(closing, service=context.service, person=signer)
    receipts.of_closing(context, connection, closing, signatures, Change(entry, how, signer), before)
    endings.end_row(context, connection, "grant", row.grant)


def expire(context: Context) -> int:
    """End the shares whose last day is over; a scheduled task, one commit each. Tells how many."""
    today = today_in_paris(context.clock())
    with context.database.transaction(read_only=True) as connection:
        query = select(grants.c.id).where(grants.c.state.in_(LIVING), grants.c.until < today)
        due: Sequence[Any] = connection.execute(query).scalars().all()
    return each("share expired", due, partial(_expire_one, context))


def _expire_one(context: Context, grant: str) -> bool:
    with context.database.transaction() as connection:
        row = connection.execute(select(grants).where(grants.c.id == grant).with_for_update()).mappings().one_or_none()
        if row is None:
            return False
        try:
            closing = rules.expire(shares.clear_row(row), context.clock())
        except TransitionRefused:
            return False  # renewed or ended since we looked
        by_service(context, connection, closing)
    return True


def end_grants_of(context: Context, connection: Connection, worker: str) -> int:
    """End every share of a worker who leaves, in the transaction that ends their account. Tells how many.

    Each person finds one question at their next unlock: give the same to somebody else, or not.
    """
    from vault import succession  # it knows shares from their beginning to here

    query = select(grants).where(grants.c.worker == worker, grants.c.state.in_(LIVING)).with_for_update()
    rows: Sequence[RowMapping] = connection.execute(query).mappings().all()
    for row in rows:
        by_service(context, connection, rules.end(shares.clear_row(row), context.clock()))
        succession.tell_of_leaving(context, connection, row["person"], row["id"])
    return len(rows)


def by_service(context: Context, connection: Connection, closing: Closing) -> None:
    """End a share without anybody there: its day, its worker's leaving, a restore that finds its key dead.

    It ends all the same when the keys of one of the two are gone or do not hold: by its rows, without a line or a receipt.
    """
    try:
        with connection.begin_nested():
            close(context, connection, closing, session=None, how=BY_SERVICE.by(Method.SERVICE, None))
    except audit.UNSEALED as error:
        log.error("a share ended without a record: the keys of an account do not hold", error=type(error).__name__)
        _end_rows(context, connection, closing)
        endings.end_row(context, connection, "grant", closing.row.grant)


def _end_rows(context: Context, connection: Connection, closing: Closing) -> None:
    """It opens nothing any more: its state, and every wrap of it."""
    row = closing.row
    connection.execute(update(grants).where(grants.c.id == row.grant).values(state=row.state.value, body_for_worker=b""))
    had = connection.execute(select(wrap_rows.c.paper).where(wrap_rows.c.grant == row.grant)).scalars().all()
    wraps.take_back(context, connection, had, row.grant)
    wraps.take_drawer_back(context, connection, row.grant)
