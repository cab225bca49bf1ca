"""Twelve months after a worker or an administrator has left a pseudonym stands in their place: their name stays in persons' own
history, sealed.

It goes with everything that was theirs: certificate and its signatures, ways in, sentences that waited, their own copies of the trace and
the row of the key vault that opened them. One thing delays it: a paper that they put in and that its person has not met yet is vouched
for by their certificate alone. It waits for that unlock, or for the end of that safe.
"""

import datetime as dt
import secrets

from sqlalchemy import Connection, delete, select, update

from consent.days import add_months
from crypto import contexts
from crypto import trace as sealed_trace
from storage.errors import RowGone
from storage.keyvault import Kind
from storage.tables import accounts, administrators, certificate_signatures, notices, slots, versions, workers
from vault import audit, endings, removals
from vault.context import Context
from vault.settings import today_in_paris

MARK = "parti-"  # every pseudonym begins so


def is_pseudonym(code: str) -> bool:
    """Whether the worker with this code has left so long ago that their name is gone."""
    return code.startswith(MARK)


def forget_workers(context: Context) -> int:
    """Put a pseudonym in the place of those who left long ago; a scheduled task, one commit each. Gives how many."""
    before = add_months(today_in_paris(context.clock()), -context.settings.retention.worker_months)
    unmet = select(versions.c.depositor).where(versions.c.confirmation.is_(None))
    due = (workers.c.state == "ended", workers.c.left_on < before, workers.c.code.not_like(f"{MARK}%"))
    query = select(workers.c.account).where(*due, workers.c.account.not_in(unmet)).order_by(workers.c.account)
    with context.database.transaction(read_only=True) as connection:
        waiting = list(connection.scalars(query))
    for worker in waiting:
        with context.database.transaction() as connection:
            if connection.scalars(query.where(workers.c.account == worker)).first():
                _forget(context, connection, worker)
    if waiting:
        context.database.secure(workers, accounts, slots, certificate_signatures, notices)
    return len(waiting)


def forget_administrators(context: Context) -> int:
    """The same for those who were taken out of the office; what they signed goes on holding, by their key and the id of their account."""
    before = add_months(today_in_paris(context.clock()), -context.settings.retention.worker_months)
    due = (administrators.c.left_on < before, administrators.c.code.not_like(f"{MARK}%"))
    query = select(administrators.c.account).where(*due).order_by(administrators.c.account)
    with context.database.transaction(read_only=True) as connection:
        waiting = list(connection.scalars(query))
    for gone in waiting:
        with context.database.transaction() as connection:
            if connection.scalars(query.where(administrators.c.account == gone)).first():
                name = _pseudonym()
                blank = update(administrators).where(administrators.c.account == gone)
                connection.execute(blank.values(first_name=name, code=name, sealed_totp=b""))
                _forget_account(context, connection, gone)
    if waiting:
        context.database.secure(administrators, accounts, slots, notices)
    return len(waiting)


def _pseudonym() -> str:
    return MARK + secrets.token_hex(6)


def _forget(context: Context, connection: Connection, worker: str) -> None:
    name = _pseudonym()
    blank: dict[str, object] = {
        "first_name": name,
        "code": name,
        "certificate": None,
        "sealed_totp": b"",
        "charter_version": None,
    }
    connection.execute(update(workers).where(workers.c.account == worker).values(**blank))
    connection.execute(delete(certificate_signatures).where(certificate_signatures.c.worker == worker))
    _forget_account(context, connection, worker)


def _forget_account(context: Context, connection: Connection, account: str) -> None:
    created = connection.execute(select(accounts.c.created).where(accounts.c.id == account)).scalar_one()
    today, day = today_in_paris(context.clock()), dt.timedelta(days=1)
    wanted: list[tuple[Kind, str, bytes]] = [
        ("person", account, contexts.trace_tag(month=month)) for month in audit.months(created - day, today + day)
    ]
    try:
        tags = [sealed_trace.tag(one) for one in context.keyvault.derive_many(wanted)]
    except RowGone:
        tags = []  # a restore that found it dead
    removals.remove(context, connection, tags, "erased")
    connection.execute(
        update(accounts).where(accounts.c.id == account).values(sealed_kem=b"", sealed_sign=b"", sealed_values=b"")
    )
    for table in (notices, slots):
        connection.execute(delete(table).where(table.c.account == account))
    endings.end_row(context, connection, "person", account)
