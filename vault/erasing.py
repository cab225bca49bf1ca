"""Carrying out an erasure, step by step. Every step may run twice; an intention says where to take it up after a crash.

First the key vault's rows of the person die: from then on no wrap opens any copy, whoever holds what. Then rows, envelopes of the
trace, blobs with all their versions. Recipients are told (GDPR article 19). What stays: hashes of the trace, and a certificate
without a name.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, delete, func, insert, not_, or_, select, update

from crypto import contexts
from crypto import trace as sealed_trace
from storage import intentions
from storage.errors import RowGone
from storage.keyvault import Kind
from storage.tables import (
    accounts,
    assist_shelves,
    assists,
    attempts,
    brought,
    circle_members,
    circle_shares,
    circles,
    death_reports,
    directive_copies,
    directives,
    earlier_keys,
    entry_copies,
    erasures,
    grant_changes,
    grants,
    kept_cards,
    notices,
    objects,
    outside_changes,
    outside_shares,
    outside_wraps,
    papers,
    persons,
    receipts,
    recoveries,
    recovery_confirmations,
    requests,
    rights_requests,
    shelf_wraps,
    shelves,
    slots,
    tickets,
    versions,
    witnessings,
    workers,
    wraps,
)  # fmt: skip
from vault import article19, audit, certificates, endings, exposed, postponing, removals, sessions
from vault.context import Context
from vault.errors import Conflict
from vault.settings import today_in_paris

log = structlog.get_logger()
INTENTION = "erasure"
ASKED, CARRYING_OUT, DONE, CANCELLED = "asked", "carrying-out", "done", "cancelled"
CERTIFIED = "certified"  # the last step
ERASED = "erased"  # why a line of the register is over: its person was faster
OF_A_PERSON: tuple[Table, ...] = (
    outside_wraps, outside_changes, outside_shares,
    wraps, shelf_wraps, receipts, grant_changes, grants, requests, notices, tickets, brought, objects, versions, papers, shelves,
    circle_shares, circle_members, circles, directive_copies, directives, death_reports,
    recovery_confirmations, recoveries, assist_shelves, assists, kept_cards, slots,
    witnessings, persons, earlier_keys, accounts, entry_copies, attempts, erasures, rights_requests,
)  # fmt: skip


OUTLIVES = and_(rights_requests.c.closed.is_(None), rights_requests.c.kind.in_(("requisition", "complaint")))
"""Lines of the register that an erasure leaves open: what an authority or a complaint asks is still answered."""


@dataclass(frozen=True)
class _Begun:
    """An erasure under way: its intention, whose safe it is, and how far it came."""

    erasure: str
    intention: str
    person: str | None
    step: str


def carry_out(context: Context, erasure: str) -> None:
    """Erase, or go on erasing. Does nothing when it is done or was cancelled; Conflict before its time, or while it must wait.

    Two processes may be at it: each step is taken by one of them, and the other goes on from there.
    """
    begun = _begin(context, erasure)
    while begun is not None and begun.step != CERTIFIED:
        begun = _next(context, begun)
    if begun is None:
        return
    # Only now: what was deleted must not stand in the files of the database either.
    context.database.secure(*OF_A_PERSON)
    with context.database.transaction() as connection:
        if _now(connection, begun) is not None:
            intentions.finish(connection, begun.intention)


def _next(context: Context, begun: _Begun) -> _Begun | None:
    """Take the next step; gives where the erasure is now, None when another process has finished it."""
    if begun.step == "":
        _destroy_keys(context, begun)
        return _advance(context, begun, "keys")
    if begun.step == "keys":
        return _erase_rows(context, begun)
    endings.finish(context, erasure=begun.erasure)  # the blobs that the rows named
    return _certify(context, begun)


def _now(connection: Connection, begun: _Begun) -> _Begun | None:
    """Where the erasure is, held there until the commit: another process may have gone on with it. None when it is finished."""
    held = select(erasures.c.person).where(erasures.c.id == begun.erasure).with_for_update()
    person = connection.execute(held).scalar_one_or_none()
    found = intentions.find(connection, INTENTION, begun.erasure)
    return None if found is None else _Begun(begun.erasure, found.id, person, found.step)


def again(context: Context, connection: Connection, person: str, tags: Sequence[bytes]) -> str:
    """After a restore: a person who was erased since that backup is to be erased again, now; gives the erasure to carry out.

    `tags`: under which copies of their history lie, computed before their row of the key vault died again.
    """
    query = select(erasures.c.id).where(erasures.c.person == person, erasures.c.state.in_((ASKED, CARRYING_OUT)))
    erasure, now = connection.scalars(query).first(), context.clock()
    if erasure is None:
        erasure = context.new_id()
        values = {"id": erasure, "person": person, "state": ASKED, "asked": now, "due": now, "done": None}
        connection.execute(insert(erasures).values(**values, witness=None, register=None))
    connection.execute(update(erasures).where(erasures.c.id == erasure, erasures.c.due > now).values(due=now))
    removals.mark(context, connection, erasure, tags)
    return str(erasure)


def due(context: Context) -> list[str]:
    """Erasures whose time has come and that wait for nothing, and those that a process left half-way.

    What was begun a moment ago, or is to be done at once before a witness, is left to the process that began it.
    """
    now = context.clock()
    with context.database.transaction(read_only=True) as connection:
        left = now - endings.SOON
        theirs = or_(erasures.c.witness.is_(None), erasures.c.due <= left)
        waiting = select(erasures).where(erasures.c.state == ASKED, erasures.c.due <= now, theirs).order_by(erasures.c.due)
        rows = connection.execute(waiting).mappings().all()
        found = [row["id"] for row in rows if not postponing.waits(context, connection, row)]
        begun = [one.subject for one in intentions.pending(connection, INTENTION) if one.created <= left]
    return [*begun, *(one for one in found if one not in begun)]


def _begin(context: Context, erasure: str) -> _Begun | None:
    """From this commit on nothing can cancel: the safe answers to nobody, its copies of the trace are marked."""
    with context.database.transaction() as connection:
        row = connection.execute(select(erasures).where(erasures.c.id == erasure).with_for_update()).mappings().one_or_none()
        if row is None or row["state"] == CANCELLED:
            return None
        found = intentions.find(connection, INTENTION, erasure)
        if found is None and row["state"] == DONE:
            return None
        if row["state"] == ASKED and (row["due"] > context.clock() or postponing.waits(context, connection, row)):
            raise Conflict
        if found is None and row["person"] is None:
            log.error("an erasure that was never begun is of nobody: somebody wrote it into the rows", erasure=erasure)
            raise Conflict
        if found is None:
            at = context.clock()
            found = intentions.declare(connection, intention=context.new_id(), kind=INTENTION, subject=erasure, at=at)
        begun = _Begun(erasure, found.id, row["person"], found.step)
        if row["state"] == ASKED:
            connection.execute(update(erasures).where(erasures.c.id == erasure).values(state=CARRYING_OUT))
            connection.execute(update(accounts).where(accounts.c.id == begun.person).values(state="erasing"))
            connection.execute(update(slots).where(slots.c.account == begun.person).values(state="ended"))
            sessions.end_all(context, connection, account=begun.person)
        _mark_copies(context, connection, begun)
    return begun


def _advance(context: Context, begun: _Begun, step: str) -> _Begun | None:
    with context.database.transaction() as connection:
        now = _now(connection, begun)
        if now is None or now.step != begun.step:
            return now
        intentions.advance(connection, begun.intention, step)
    return replace(now, step=step)


def _mark_copies(context: Context, connection: Connection, begun: _Begun) -> None:
    if begun.person is None:
        return
    created = connection.execute(select(accounts.c.created).where(accounts.c.id == begun.person)).scalar_one_or_none()
    if created is None:
        return
    today, day = today_in_paris(context.clock()), dt.timedelta(days=1)
    wanted: list[tuple[Kind, str, bytes]] = [
        ("person", begun.person, contexts.trace_tag(month=month)) for month in audit.months(created - day, today + day)
    ]
    try:
        tags = [sealed_trace.tag(one) for one in context.keyvault.derive_many(wanted)]
    except RowGone:
        return  # the row died in an earlier run, after the copies had been marked
    removals.mark(context, connection, begun.erasure, tags)


def _destroy_keys(context: Context, begun: _Begun) -> None:
    """The person's row, and every row made in their name or named by one of theirs."""
    person = begun.person or ""
    sources: tuple[tuple[Kind, Select[Any]], ...] = (
        ("slot", select(slots.c.id).where(slots.c.account == person)),
        ("grant", select(grants.c.id).where(grants.c.person == person)),
        ("grant", select(circles.c.id).where(circles.c.person == person)),
        ("grant", select(requests.c.id).where(requests.c.person == person)),
        ("grant", select(outside_shares.c.id).where(outside_shares.c.person == person)),
    )
    with context.database.transaction(read_only=True) as connection:
        named: list[tuple[Kind, str]] = [(kind, one) for kind, query in sources for one in connection.scalars(query)]
    with context.database.transaction() as connection:
        _mark_copies(context, connection, begun)  # what was written since the beginning, by somebody who had a paper open
    at = context.clock()
    context.keyvault.destroy([("person", person), *named], at)
    context.keyvault.destroy_owned(person, at)


def _erase_rows(context: Context, begun: _Begun) -> _Begun | None:
    """One transaction: recipients are told, the person's rows go, the names of their blobs are listed for deletion."""
    person = begun.person or ""
    with context.database.transaction() as connection:
        now = _now(connection, begun)
        if now is None or now.step != begun.step:
            return now
        went = count(connection, person)
        told = _tell_recipients(context, connection, begun.erasure, person)
        theirs = select(versions.c.id).where(versions.c.person == person)
        blobs = select(objects.c.blob).where(objects.c.version.in_(theirs))
        endings.doom_of_erasure(context, connection, blobs, begun.erasure)
        _delete_rows(context, connection, begun)
        entry = removals.remove_erased(context, connection, begun.erasure)
        connection.execute(update(erasures).where(erasures.c.id == begun.erasure).values(entry=entry))
        step = f"rows {went.papers} {went.shares} {went.receipts} {told}"
        intentions.advance(connection, begun.intention, step)
    return replace(now, person=None, step=step)


@dataclass(frozen=True)
class Count:
    """What a safe holds, as it is told before and certified after: shares with somebody outside, by a link, are shares too."""

    papers: int
    shares: int
    receipts: int


def count(connection: Connection, person: str) -> Count:
    """Count what goes with a safe, in the caller's transaction."""
    given, sent = select(grants.c.id).where(grants.c.person == person), _sent(person)
    of_links = receipts.c.id.in_(select(outside_changes.c.id).where(outside_changes.c.share.in_(sent)))

    def number(wanted: ColumnElement[bool]) -> int:
        return int(connection.execute(select(func.count()).where(wanted)).scalar_one())

    return Count(
        number(papers.c.person == person),
        number(grants.c.person == person) + number(outside_shares.c.person == person),
        number(or_(receipts.c.grant.in_(given), of_links)),
    )


def _sent(person: str) -> Select[Any]:
    return select(outside_shares.c.id).where(outside_shares.c.person == person)


def _tell_recipients(context: Context, connection: Connection, erasure: str, person: str) -> int:
    """Article 19: whoever received something is told that it is erased, by the grants' ids alone, once each."""
    query = select(grants.c.worker, grants.c.id).join(workers, workers.c.account == grants.c.worker)
    received: dict[str, list[str]] = {}
    for row in connection.execute(query.where(grants.c.person == person).order_by(grants.c.id)):
        received.setdefault(row.worker, []).append(row.id)
    return article19.tell(context, connection, erasure, received)


def _delete_rows(context: Context, connection: Connection, begun: _Begun) -> None:
    person = begun.person or ""
    given = select(grants.c.id).where(grants.c.person == person)
    formed = select(circles.c.id).where(circles.c.person == person)
    shown = select(slots.c.shown_digest).where(slots.c.account == person, slots.c.shown_digest.is_not(None))
    connection.execute(delete(attempts).where(attempts.c.shown_digest.in_(shown)))
    untied = {"grant": None, "for_person": None, "untied": today_in_paris(context.clock())}
    connection.execute(update(receipts).where(receipts.c.grant.in_(given)).values(**untied))
    sent = _sent(person)
    told = select(outside_changes.c.id).where(outside_changes.c.share.in_(sent))
    connection.execute(update(receipts).where(receipts.c.id.in_(told)).values(**untied))
    for table in (outside_wraps, outside_changes):
        connection.execute(delete(table).where(table.c.share.in_(sent)))
    for table in (wraps, shelf_wraps, grant_changes):
        connection.execute(delete(table).where(table.c.grant.in_(given)))
    exposed.forget(connection, person)
    connection.execute(delete(objects).where(objects.c.version.in_(select(versions.c.id).where(versions.c.person == person))))
    wanted = select(directives.c.id).where(directives.c.person == person)
    connection.execute(delete(directive_copies).where(directive_copies.c.directive.in_(wanted)))
    asked = select(rights_requests.c.id).where(rights_requests.c.person == person)
    connection.execute(delete(death_reports).where(death_reports.c.request.in_(asked)))
    connection.execute(delete(circle_shares).where(circle_shares.c.circle.in_(formed)))
    connection.execute(delete(circle_members).where(circle_members.c.circle.in_(formed)))
    started = select(recoveries.c.id).where(recoveries.c.person == person)
    connection.execute(delete(recovery_confirmations).where(recovery_confirmations.c.recovery.in_(started)))
    helped = select(assists.c.slot).where(assists.c.person == person)
    connection.execute(delete(assist_shelves).where(assist_shelves.c.slot.in_(helped)))
    owned = (
        outside_shares,
        grants,
        requests,
        tickets,
        brought,
        versions,
        papers,
        shelves,
        circles,
        directives,
        recoveries,
        assists,
        kept_cards,
        witnessings,
    )
    for table in owned:
        connection.execute(delete(table).where(table.c.person == person))
    for table in (notices, slots, persons, earlier_keys):
        connection.execute(delete(table).where(table.c.account == person))
    _close_lines(context, connection, begun.erasure, person)
    links = {"person": None, "witness": None}
    connection.execute(update(erasures).where(or_(erasures.c.person == person)).values(**links))
    connection.execute(update(rights_requests).where(rights_requests.c.person == person).values(person=None))
    connection.execute(delete(accounts).where(accounts.c.id == person))


def _close_lines(context: Context, connection: Connection, erasure: str, person: str) -> None:
    """What else was asked about this safe cannot be done any more, and nobody refused it. What an authority asks is still answered."""
    own = select(erasures.c.register).where(erasures.c.id == erasure, erasures.c.register.is_not(None))
    of = rights_requests.c
    others = (of.person == person, of.closed.is_(None), not_(OUTLIVES), of.id.not_in(own))
    over = {"state": "closed", "closed": today_in_paris(context.clock()), "reason": ERASED}
    connection.execute(update(rights_requests).where(*others).values(**over))


def _certify(context: Context, begun: _Begun) -> _Begun | None:
    counts = certificates.Went(*(int(one) for one in begun.step.split(" ")[1:]))
    with context.database.transaction(read_only=True) as connection:
        entry = connection.execute(select(erasures.c.entry).where(erasures.c.id == begun.erasure)).scalar_one()
    made = certificates.certify(context, begun.erasure, counts, entry)
    with context.database.transaction() as connection:
        now = _now(connection, begun)
        if now is None or now.step != begun.step:
            return now
        values = {
            "state": DONE,
            "done": context.clock(),
            "certificate": made.said.encode(),
            "certificate_signature": made.signature,
        }
        connection.execute(update(erasures).where(erasures.c.id == begun.erasure).values(**values))
        register = select(erasures.c.register).where(erasures.c.id == begun.erasure).scalar_subquery()
        closing = update(rights_requests).where(rights_requests.c.id == register, rights_requests.c.state == "carrying-out")
        connection.execute(closing.values(state="closed", closed=bindparam("today")), {"today": today_in_paris(context.clock())})
        intentions.advance(connection, begun.intention, CERTIFIED)
    return replace(now, step=CERTIFIED)
