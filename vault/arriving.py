"""What happens once, when the person comes back: drawers are recomputed, what others deposited is met, origins are compared.

Nothing here trusts a row: a public key is recomputed from its seed, a deposit is opened and its signature verified before the
person's session answers for it, and the current version of each paper must be the last one that the person's trace names.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, or_, select, update

from consent.ids import PaperId
from consent.purposes import ShelfKind
from crypto.canonical import instant
from crypto.keys import AccountKeys
from crypto.signing import Signer
from storage.tables import accounts, papers, versions
from vault import audit, exposed, lineage, notices, reencryption, shelves, space, who
from vault.arranging import lay_again, reseal
from vault.colleagues import name_of
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.events import Event
from vault.listing import cards_of, pages_of
from vault.notices import Notice
from vault.sessions import Session
from vault.shelves import Shelves
from vault.showing import ShareCard, ending
from vault.versions import (
    SERVICE,
    Opened,
    VersionRow,
    Witnesses,
    joined,
    one_of,
    one_refusal,
    open_version,
    secret_of,
)  # fmt: skip


@dataclass(frozen=True)
class Arrival:
    """What the first page says. `refused_drawers`: None stands for one whose kind does not open."""

    new_papers: tuple[PaperId, ...]
    to_confirm: tuple[PaperId, ...]
    refused: tuple[PaperId, ...]
    refused_drawers: tuple[ShelfKind | None, ...]
    ending: tuple[ShareCard, ...]
    to_reencrypt: int


def at_unlock(context: Context, session: Session) -> Arrival:
    """Do the work of an unlock; a few milliseconds when nothing happened since the last one."""
    keys = who.person(session)
    person, signer = session.account, Signer(keys.sign)
    with context.database.transaction() as connection:
        shelves.hold_all(connection, person)  # nobody deposits between the history that is read and the rows that are compared
        said = lineage.judge(context, connection, session)
        opened = shelves.open_all(connection, person, keys.values)
        refused_drawers = shelves.check_all(connection, person, opened, signer)
        for kind in refused_drawers:
            _trace(context, connection, session, Event("shelf.refused", detail=kind or ""))
        if reencryption.renew_drawers(context, connection, session):
            opened = shelves.open_all(connection, person, keys.values)
        met, unreadable = _meet(context, connection, session, keys, opened)
        refused = {*unreadable, *(PaperId(paper) for paper in said.rolled_back)}
        _refuse(context, connection, session, refused)
        for paper in said.missing:
            _trace(context, connection, session, Event("paper.missing", paper=paper))
            notices.tell(context, connection, person, Notice("paper-missing"))
        to_confirm = connection.execute(
            select(papers.c.id).where(papers.c.person == person, papers.c.state == "to-confirm")
        ).scalars().all()  # fmt: skip
        space.recount(connection, person, pages_of(context, connection, opened, person))
        left = exposed.count(connection, person)
    return Arrival(
        tuple(paper for paper in met if paper not in refused and paper not in to_confirm),
        tuple(PaperId(paper) for paper in to_confirm), tuple(sorted(refused)), refused_drawers,
        tuple(ending(context, session)), left,
    )  # fmt: skip


def _trace(context: Context, connection: Connection, session: Session, event: Event) -> None:
    audit.record(context, connection, session, event, person=session.account)


# --- What others deposited ------------------------------------------------------------------------------------------------


def _meet(
    context: Context, connection: Connection, session: Session, keys: AccountKeys, opened: Shelves
) -> tuple[list[PaperId], list[PaperId]]:  # fmt: skip
    """Verify each version that nobody met yet, wrap its key in the drawer, answer for it; gives those met and those refused."""
    unmet = and_(versions.c.confirmation.is_(None), versions.c.depositor.not_in((SERVICE, session.account)))
    query = joined().where(
        versions.c.person == session.account, papers.c.state != "refused", or_(versions.c.wrap_kind == "posted", unmet)
    )  # fmt: skip
    witnesses = Witnesses.own(context, connection, session.account, keys)
    met: list[PaperId] = []
    refused: list[PaperId] = []
    for row in connection.execute(query).all():
        try:
            with one_refusal():
                secret = secret_of(context, opened, row)
            one = open_version(context, connection, row, secret, witnesses)
            lay_again(context, connection, opened, row, opened.at(row.shelf, row.epoch))
        except (Tampered, NotThere):
            refused.append(PaperId(row.paper))
            continue
        _answer_for(context, connection, session, opened, row, one)
        met.append(one.paper)
    return met, refused


def _answer_for(
    context: Context, connection: Connection, session: Session, opened: Shelves, row: VersionRow, one: Opened
) -> None:  # fmt: skip
    """What a worker deposited stands from now on under the person's signature. What came by phone waits for the person's yes."""
    if one.origin.previous and not (one.card.title and one.card.sort):
        _keep_title(context, connection, opened, one)
    if row.depositor in (SERVICE, row.person):
        return
    connection.execute(
        update(versions).where(versions.c.id == one.version).values(confirmation=Signer(session.opened().sign).sign(one.origin))
    )
    connection.execute(update(papers).where(papers.c.id == one.paper, papers.c.state == "to-read").values(state="kept"))
    # Whoever deposited learns that it arrived, and nothing else: not when the safe is opened again.
    event = Event("paper.received", by=row.person, by_name=name_of(connection, row.depositor), paper=one.paper)
    living = select(accounts.c.id).where(accounts.c.id == row.depositor, accounts.c.state == "open")
    depositor = connection.execute(living).scalar_one_or_none()
    audit.record(context, connection, session, event, person=row.person, worker=depositor)


def _keep_title(context: Context, connection: Connection, opened: Shelves, one: Opened) -> None:
    """Whoever replaces a paper without seeing it cannot know its title: the one before is kept."""
    try:
        before = cards_of(context, opened, [one_of(connection, one.person, one.paper, one.origin.previous)])[0]
    except NotThere:
        return
    reseal(connection, one, replace(one.card, title=one.card.title or before.title, sort=one.card.sort or before.sort))


# --- What the trace says --------------------------------------------------------------------------------------------------


def _refuse(context: Context, connection: Connection, session: Session, refused: Iterable[PaperId]) -> None:
    for paper in sorted(refused):
        connection.execute(update(papers).where(papers.c.id == paper).values(state="refused"))
        _trace(context, connection, session, Event("paper.refused", paper=paper, detail=instant(context.clock())))
