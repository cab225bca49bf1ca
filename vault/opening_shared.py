"""One shared paper is opened: the rules say yes, the key is there, the trace is written, and only then a byte leaves.

Everything is prepared first: decided, unwrapped, verified, rendered, which takes from a moment to many seconds. The last transaction asks
both again, the rules and the key, and writes the opening; what was taken back, hidden or thrown away a moment earlier is not shown.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from consent.ids import GrantId, PaperId, PersonId, ShelfId
from consent.policy import Allowed, Reason, Refused, decide
from consent.policy import covering as covering_grants
from consent.purposes import purpose
from consent.scope import Act, Paper, ShelfScope
from crypto.kem import KemPrivate
from crypto.keys import FileSecret
from storage.tables import grants, papers, versions, workers
from vault import accounts, audit, looking, page_rate, rendering, shares, who
from vault.colleagues import LIVING, name_of
from vault.contents import Content, content_of, verified_bytes
from vault.context import Context
from vault.errors import NotThere
from vault.events import Event
from vault.keyring import Keyring
from vault.sessions import Session
from vault.shares import Share
from vault.versions import Opened, VersionRow, Witnesses, joined, one_refusal, open_version

SHOWN = ("kept", "to-read")  # what lies in the bin, waits for a yes or was refused is shown to nobody
PARIS = ZoneInfo("Europe/Paris")
TAGS = {Act.SEE: "paper.seen", Act.TAKE: "paper.taken"}


@dataclass(frozen=True)
class Granted:
    """A version that may be opened by this share, for this act; not traced yet."""

    share: Share
    act: Act
    opened: Opened


def paper_of(share: Share, row: VersionRow) -> Paper:
    """A paper as the rules see it from the desk: the kind of its drawer is sealed, unless the share is of that drawer."""
    scope = share.body.terms.scope
    kind = scope.kind if isinstance(scope, ShelfScope) and row.lies_in == scope.shelf else None
    return Paper(PersonId(row.person), PaperId(row.paper), ShelfId(row.lies_in), kind)


def open_shared(context: Context, session: Session, grant: GrantId, paper: PaperId, act: Act) -> Granted:
    """Decide, then unwrap and verify. A refusal is traced for the person and is, for the worker, a paper that is not there."""
    private = KemPrivate(who.worker(session).kem)
    refused: Reason | None = None
    with context.database.transaction(read_only=True) as connection:
        share = share_or_none(context, connection, session, grant)
        row = _row(connection, share.person if share else None, paper)
        if share is not None and row is not None:
            decision = (
                decide(act, paper_of(share, row), share.recipient, [share.verified], context.clock())
                if share.recipient
                else Refused(Reason.NOT_CERTIFIED)
            )
            if isinstance(decision, Allowed):
                secret = _secret(Keyring(context, connection, share, private), row)
                if secret is not None:
                    signed_by = accounts.public_keys(context, connection, share.person).ring
                    witnesses = Witnesses(context, connection, share.person, signed_by)
                    return Granted(share, act, open_version(context, connection, row, secret, witnesses))
            refused = decision.reason if isinstance(decision, Refused) else Reason.NOT_COVERED
    _trace_refusal(context, session, grant, paper, act, share, refused)
    raise NotThere


def _secret(keyring: Keyring, row: VersionRow) -> FileSecret | None:
    """None when the rules say yes and the key was taken away: a paper that was hidden since."""
    try:
        with one_refusal():
            return keyring.secret(row)
    except NotThere:
        return None


def share_or_none(context: Context, connection: Connection, session: Session, grant: str) -> Share | None:
    try:
        return shares.one_of_worker(context, connection, session, grant)
    except NotThere:
        return None


def _row(connection: Connection, person: str | None, paper: str) -> VersionRow | None:
    query = joined().where(
        papers.c.id == paper, papers.c.person == person, versions.c.person == person, versions.c.id == papers.c.version,
        papers.c.state.in_(SHOWN),
    )  # fmt: skip
    return connection.execute(query).one_or_none()


def _trace_refusal(
    context: Context, session: Session, grant: str, paper: str, act: Act, share: Share | None, reason: Reason | None
) -> None:  # fmt: skip
    """An attempt on a share that is or was this worker's is told to the person; an address made up concerns nobody."""
    with context.database.transaction() as connection:
        query = select(grants.c.person).where(grants.c.id == grant, grants.c.worker == session.account)
        person = connection.execute(query).scalar_one_or_none()
        theirs = select(papers.c.id).where(papers.c.id == paper, papers.c.person == person)
        if person is None or connection.execute(theirs).first() is None:
            return
        event = Event(
            "paper.refused-to-worker", by=session.account, by_name=share.worker_name if share else name_of(connection, session.account),
            paper=paper, grant=grant,
            purpose=share.body.terms.purpose if share else "", act=act, detail=(reason or Reason.NOT_LIVE).value,
        )  # fmt: skip
        audit.record(context, connection, session, event, person=person, worker=session.account)


def trace_refused_list(context: Context, session: Session, grant: str) -> None:
    """The same for the list of a share that is over: once in a session, for a worker who comes back to an old address."""
    with context.database.transaction(read_only=True) as connection:
        query = select(grants.c.person).where(grants.c.id == grant, grants.c.worker == session.account)
        person = connection.execute(query).scalar_one_or_none()
        looks = looking.new(connection, session, "paper.refused-to-worker", [grant]) if person else []
        by_name = name_of(connection, session.account)
    for look in looks:
        event = Event(look.tag, by=session.account, by_name=by_name, grant=grant, detail=Reason.NOT_LIVE.value)
        looking.say_shared(context, session, look, event, str(person))


def _trace_opening(context: Context, session: Session, granted: Granted, detail: str) -> None:
    """The last look and the entry, in one commit."""
    with context.database.transaction() as connection:
        trace_in(context, connection, session, granted, detail)


def trace_in(context: Context, connection: Connection, session: Session, granted: Granted, detail: str) -> None:
    """The same in the caller's transaction; NotThere for what may no longer be opened: the share or the paper has changed since."""
    share, terms = granted.share, granted.share.body.terms
    connection.execute(select(papers.c.id).where(papers.c.id == granted.opened.paper).with_for_update())
    held = select(grants.c.state).where(grants.c.id == share.grant, grants.c.state.in_(LIVING)).with_for_update()
    if connection.execute(held).first() is None or not _still_opens(context, connection, session, granted):
        raise NotThere
    event = Event(
        TAGS[granted.act], by=session.account, by_name=share.worker_name, paper=granted.opened.paper,
        title=granted.opened.card.title, grant=share.grant, purpose=terms.purpose, act=granted.act, detail=detail,
    )  # fmt: skip
    audit.record(context, connection, session, event, person=share.person, worker=session.account)


def _still_opens(context: Context, connection: Connection, session: Session, granted: Granted) -> bool:
    """Whether the rules still say yes, with the worker as they stand now, and the key is still there."""
    share = share_or_none(context, connection, session, granted.share.grant)
    row = _row(connection, granted.share.person, granted.opened.paper)
    if share is None or share.recipient is None or row is None:
        return False
    decision = decide(granted.act, paper_of(share, row), share.recipient, [share.verified], context.clock())
    private = KemPrivate(who.worker(session).kem)
    return isinstance(decision, Allowed) and _secret(Keyring(context, connection, share, private), row) is not None


def page_image_shared(context: Context, session: Session, grant: GrantId, paper: PaperId, page: int) -> rendering.PageImage:
    """One page to look at, from 1, with who, what for and when burnt into its pixels. Each page is one entry of the trace.

    Raises NotThere, TooFast over 60 pages a minute, NoSuchPage.
    """
    who.worker(session)
    with context.database.transaction() as connection:
        page_rate.count(context, connection, session.account)
        code = connection.execute(select(workers.c.code).where(workers.c.account == session.account)).scalar_one()
    granted = open_shared(context, session, grant, paper, Act.SEE)
    mark = watermark(code, granted.share, context.clock())
    image = rendering.page_image(context.confinement, verified_bytes(context, granted.opened, "view"), page, watermark=mark)
    _trace_opening(context, session, granted, str(page))
    return image


def watermark(code: str, share: Share, at: datetime) -> rendering.Watermark:
    """The worker's code, the purpose, the date and the minute in Paris. Words that cannot be drawn: the share, by its number."""
    terms = share.body.terms
    words = purpose(terms.purpose).words
    lines = (
        code,
        rendering.legible(terms.own_words, f"{words} {share.grant[:8]}") or words,
        f"{at.astimezone(PARIS):%d/%m/%Y %H:%M}",
    )
    return rendering.Watermark(lines, rendering.marks_font())


def take(context: Context, session: Session, grant: GrantId, paper: PaperId) -> Content:
    """A copy: the bytes as they were received, where the share grants it. It cannot be undone, and the person reads it."""
    granted = open_shared(context, session, grant, paper, Act.TAKE)
    content = content_of(context, granted.opened, "received")
    try:
        _trace_opening(context, session, granted, "")
    except BaseException:
        content.close()
        raise
    return content


def covering_shares(context: Context, session: Session, paper: PaperId, act: Act) -> list[Share]:
    """The living shares of this worker that let them do this with a paper, oldest first."""
    now = context.clock()
    with context.database.transaction(read_only=True) as connection:
        found = {}
        for share in shares.of_worker(context, connection, session):
            row = _row(connection, share.person, paper)
            if row is None or share.recipient is None:
                continue
            for grant in covering_grants(act, paper_of(share, row), share.recipient, [share.verified], now):
                found[grant.row.grant] = share
    return list(found.values())
