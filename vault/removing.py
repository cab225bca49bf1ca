"""A paper goes: to the bin for some days, where no share reaches it, then for good; or for good at once.

In the bin its key is wrapped in the private drawer, which is never shared: what the rules say, the cryptography says too.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from consent.ids import PaperId
from consent.purposes import PRIVATE, ShelfKind
from storage.tables import objects, outside_wraps, papers, persons, versions
from storage.tables import wraps as wrap_rows
from vault import audit, endings, exposed, restricting, sessions, shelves, space, who, widening, wraps
from vault.arranging import lay_again, leave_drawer
from vault.context import Context
from vault.errors import Conflict, NotThere, Tampered
from vault.events import Event
from vault.listing import cards_of, pages_of
from vault.one_by_one import each
from vault.sessions import Session
from vault.shelves import Shelves
from vault.versions import SERVICE, VersionId, VersionRow, all_of, current_of, one_of


def remove(context: Context, session: Session, paper: PaperId, *, brought: bool = False) -> None:
    """Put a paper in the bin; every share of it stops at once. Restricted while everything is kept as it is.

    `brought`: it has just come, from a bin elsewhere. Then it lies in the bin here too, which is not emptied while nothing moves.
    """
    keys = who.person(session)
    with context.database.transaction() as connection:
        if not brought:
            restricting.refuse(connection, session.account)
        shelves.hold_all(connection, session.account)
        opened = shelves.open_all(connection, session.account, keys.values)
        row = current_of(connection, session.account, paper, hold=True)
        sessions.still(connection, session)
        if row.state in ("bin", "refused"):
            raise NotThere  # what is refused can be erased; the bin would give it back as if nothing had happened
        rows = all_of(connection, session.account, paper)
        wraps.take_back(context, connection, [paper])
        leave_drawer(context, connection, session.account, rows)
        _lay_all(context, connection, opened, rows, opened.current(PRIVATE))
        until = context.clock() + timedelta(days=context.settings.retention.bin)
        connection.execute(update(papers).where(papers.c.id == paper).values(state="bin", bin_until=until))
        _trace(context, connection, session, "paper.removed", opened, row)


def restore(
    context: Context, session: Session, paper: PaperId, *, shelf: ShelfKind | None = None, agreed: Collection[str] = ()
) -> None:  # fmt: skip
    """Take a paper out of the bin, back to its drawer or to another. Shares of the paper itself do not come back.

    The drawer may be shown to somebody since: raises WouldShow until all who would see it again are in `agreed`.
    """
    keys = who.person(session)
    with context.database.transaction() as connection:
        shelves.hold_all(connection, session.account)
        opened = shelves.open_all(connection, session.account, keys.values)
        row = current_of(connection, session.account, paper, hold=True)
        sessions.still(connection, session)
        kind = shelves.checked_kind(shelf) if shelf else opened.kind_of(row.lies_in)
        if row.state != "bin" or row.bin_until is None or row.bin_until <= context.clock():
            raise NotThere
        if kind is None:
            raise Tampered
        to = opened.current(kind)
        widening.ask(widening.by_laying(context, connection, session, to), agreed)
        _lay_all(context, connection, opened, all_of(connection, session.account, paper), to)
        state = "to-confirm" if row.depositor == SERVICE and row.confirmation is None else "kept"
        connection.execute(update(papers).where(papers.c.id == paper).values(state=state, bin_until=None, shelf=to.id))
        _trace(context, connection, session, "paper.restored", opened, row)


def _lay_all(
    context: Context, connection: Connection, opened: Shelves, rows: Sequence[VersionRow], one: shelves.OpenShelf
) -> None:  # fmt: skip
    for row in rows:
        try:
            lay_again(context, connection, opened, row, one)
        except Tampered:
            continue  # what does not open stays where it lies, and goes with its paper


def _trace(context: Context, connection: Connection, session: Session, tag: str, opened: Shelves, row: VersionRow) -> None:
    title = cards_of(context, opened, [row])[0].title
    event = Event(tag, by=session.account, paper=row.paper, title=title)
    audit.record(context, connection, session, event, person=session.account)


def erase_now(context: Context, session: Session, paper: PaperId) -> None:
    """Erase a paper with all its versions, from the bin or not: its rows in this commit, its bytes right after."""
    keys = who.person(session)
    with context.database.transaction() as connection:
        restricting.refuse(connection, session.account)
        opened = shelves.open_all(connection, session.account, keys.values)
        row = current_of(connection, session.account, paper, hold=True)
        sessions.still(connection, session)
        _trace(context, connection, session, "paper.erased", opened, row)
        erase_rows(context, connection, all_of(connection, session.account, paper))
        connection.execute(delete(papers).where(papers.c.id == paper))
        space.recount(connection, session.account, pages_of(context, connection, opened, session.account))


def erase_version(context: Context, session: Session, paper: PaperId, version: VersionId) -> None:
    """Erase an old version of a paper; Conflict for the current one."""
    keys = who.person(session)
    with context.database.transaction() as connection:
        restricting.refuse(connection, session.account)
        opened = shelves.open_all(connection, session.account, keys.values)
        current = current_of(connection, session.account, paper, hold=True)
        sessions.still(connection, session)
        if current.id == version:
            raise Conflict
        row = one_of(connection, session.account, paper, version)
        _trace(context, connection, session, "paper.version-erased", opened, row)
        erase_rows(context, connection, [row])
        space.recount(connection, session.account, pages_of(context, connection, opened, session.account))


def erase_rows(context: Context, connection: Connection, rows: Sequence[VersionRow]) -> None:
    """Delete versions with their wraps; their blobs go right after the commit, or when the background work passes."""
    ids = [row.id for row in rows]
    blobs = connection.execute(select(objects.c.blob).where(objects.c.version.in_(ids))).scalars().all()
    endings.doom(context, connection, blobs)
    connection.execute(delete(wrap_rows).where(wrap_rows.c.version.in_(ids)))
    connection.execute(delete(outside_wraps).where(outside_wraps.c.version.in_(ids)))
    connection.execute(delete(objects).where(objects.c.version.in_(ids)))
    exposed.unmark(connection, ids)
    connection.execute(delete(versions).where(versions.c.id.in_(ids)))


def purge_bin(context: Context) -> int:
    """Erase what has been in the bin long enough; a scheduled task. Each paper goes in a commit of its own."""
    with context.database.transaction(read_only=True) as connection:
        query = select(papers.c.id, papers.c.person).where(papers.c.state == "bin", papers.c.bin_until <= context.clock())
        kept = select(persons.c.account).where(persons.c.restricted.is_not(None))
        query = query.where(papers.c.person.not_in(kept))
        due = {row.id: row.person for row in connection.execute(query)}

    def erase_one(paper: str) -> bool:
        person = due[paper]
        with context.database.transaction() as connection:
            held = select(papers.c.state).where(papers.c.id == paper).with_for_update()
            if connection.execute(held).scalar_one_or_none() != "bin":
                return False  # it was taken out, or erased, since we looked
            audit.record(context, connection, None, Event("paper.erased", paper=paper), person=person)
            erase_rows(context, connection, all_of(connection, person, paper))
            connection.execute(delete(papers).where(papers.c.id == paper))
            space.recount(connection, person)
        return True

    return each("bin", due, erase_one)
