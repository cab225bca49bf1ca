"""What has a term and no other owner: old entries of the trace, closed registers, tombstones, turns. Figures: `settings.Retention`."""

import datetime as dt

from sqlalchemy import delete, select

from consent.days import add_months
from crypto import contexts
from crypto import trace as sealed_trace
from storage import schedules
from storage.errors import RowGone
from storage.tables import accounts, article19, erasures, inquiries, receipts, rights_requests
from vault import audit, removals
from vault.context import Context
from vault.settings import today_in_paris

TURNS_KEPT = dt.timedelta(days=60)
MARGIN = dt.timedelta(days=2)
TAGS_AT_ONCE = 4000  # of the trace, in one transaction and one signed record


def prune_trace(context: Context) -> int:
    """Remove the copies of entries older than the conditions say, whole months only; leaves stay, so that the tree verifies."""
    oldest_kept = today_in_paris(context.clock()) - dt.timedelta(days=context.settings.retention.trace)
    last = oldest_kept.replace(day=1) - dt.timedelta(days=1)
    with context.database.transaction(read_only=True) as connection:
        old = connection.execute(select(accounts.c.id, accounts.c.created).where(accounts.c.created <= last)).all()
    found: list[bytes] = []
    for account in old:
        # From the first day on: a term that was shortened, or a service that stood still for years, leaves nothing behind.
        months = audit.months(account.created - dt.timedelta(days=1), last)
        try:
            answers = context.keyvault.derive_many([("person", account.id, contexts.trace_tag(month=month)) for month in months])
        except RowGone:
            continue  # erased in between
        found += [sealed_trace.tag(answer) for answer in answers]
    # Sorted, so by nothing: what goes together in one record must not tell which entries were of one safe.
    found.sort()
    removed = 0
    for start in range(0, len(found), TAGS_AT_ONCE):
        with context.database.transaction() as connection:
            removed += removals.remove(context, connection, found[start : start + TAGS_AT_ONCE], "term")
    return removed


def close_registers(context: Context) -> int:
    """Remove requests, certificates of erasure, inquiries and what stays of receipts, five years after they were closed."""
    retention, today = context.settings.retention, today_in_paris(context.clock())
    before = add_months(today, -12 * retention.registers_years)
    moment = dt.datetime.combine(before, dt.time(), dt.UTC)
    with context.database.transaction() as connection:
        # Receipts live as long as the safe; what stays of one is counted from the day on which the safe was erased.
        untied = receipts.c.untied < add_months(today, -12 * retention.receipts_years)
        gone = select(erasures.c.id).where(erasures.c.done < moment)
        closed = (
            delete(article19).where(article19.c.erasure.in_(gone)),
            delete(rights_requests).where(rights_requests.c.closed < before),
            delete(erasures).where(erasures.c.done < moment),
            delete(receipts).where(untied),
            delete(inquiries).where(inquiries.c.made < moment),
        )
        return sum(connection.execute(one).rowcount for one in closed)


def forget_tombstones(context: Context) -> int:
    """Remove the tombstones of rows that no backup can hold any more."""
    return context.keyvault.forget_tombstones(context.clock() - dt.timedelta(days=context.settings.retention.backups) - MARGIN)


def forget_turns(context: Context) -> int:
    """Remove the rows that say which scheduled runs were taken long ago."""
    with context.database.transaction() as connection:
        return schedules.forget_turns(connection, context.clock() - TURNS_KEPT)


def forget_vault_log(context: Context) -> int:
    """PostgreSQL's log repeats what was written in the key vault, destroyed keys too: it forgets, once a day."""
    context.keyvault.forget_log()
    return 1
