"""Whoever holds a link and its code looks at what they were given: page images, marked with their name, what for, when.

An attempt is counted and committed before anything is derived, by what was shown, known or not: an unknown link, a wrong code, a
link that is over get one answer, after the same work. The share's row of the key vault is asked at each page: what is taken back
shows nothing more, whatever was opened before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from consent.ids import GrantId
from consent.outside import OutsideBody, why_not
from consent.purposes import PurposeId, purpose
from consent.receipt import SignedReceipt, verify_receipt
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from crypto.keys import FileSecret, KemSeed
from crypto.unlock import SALT_BYTES, Cost
from storage.errors import RowGone
from storage.tables import accounts, outside_shares
from storage.tables import papers as paper_rows
from vault import accounts as account_rows
from vault import attempts, audit, dossiers, labels, outside, outside_links, page_rate, rendering, sessions
from vault import outside_wraps as wraps
from vault.contents import verified_bytes
from vault.context import NOBODY, Context
from vault.errors import NotAllowed, NotThere, Tampered, WrongSecret
from vault.events import Event
from vault.opening_shared import PARIS, SHOWN
from vault.outside_links import Secrets
from vault.sessions import Session
from vault.shares import reached
from vault.versions import Opened, VersionRow, Witnesses, current_of, one_refusal, open_version

KIND: sessions.Kind = "outside"
LAST_LOOK = timedelta(minutes=30)  # after the last opening has begun
QUEUE = "outside"  # everybody outside waits in one line, so that they never fill the one before a kiosk


@dataclass(frozen=True)
class Sheet:
    """A paper that can be looked at: never its title."""

    number: int
    kind: str
    pages: int


@dataclass(frozen=True)
class Look:
    """What the page for somebody outside shows."""

    recipient: str
    purpose: PurposeId
    own_words: str = field(repr=False)
    until: datetime
    openings_left: int
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True)
class _Open:
    row: Row[Any]
    body: OutsideBody
    private: KemPrivate = field(repr=False)
    witnesses: Witnesses


# --- Coming in ------------------------------------------------------------------------------------------------------------


def enter(context: Context, untrusted_link: str, untrusted_code: str) -> str:
    """One of the openings: gives the cookie. WrongSecret, MustWait and Busy are all that anybody is told."""
    shown = outside_links.read(untrusted_link, untrusted_code)
    if shown is None:
        raise WrongSecret
    found = outside_links.digest(shown.link)
    attempts.refuse_if_waiting(context, found)
    with context.derivations.turn(QUEUE):
        with context.database.transaction() as connection:
            attempts.count(context, connection, found)
            row = _living(connection, outside_shares.c.link_digest == found)
        seed = _derive(context, shown, row)
    if row is None or outside_links.opens(seed, row.public_key) is None:
        raise _refusal(context, row)
    return _open(context, found, row, seed)


def _living(connection: Connection, which: Any, *, hold: bool = False) -> Row[Any] | None:
    """The row, of a safe that can be reached; whether it opens now is for the rules to say."""
    query = select(outside_shares).join(accounts, accounts.c.id == outside_shares.c.person)
    query = query.where(which, reached())
    return connection.execute(query.with_for_update(of=outside_shares) if hold else query).one_or_none()


def _derive(context: Context, shown: Secrets, row: Row[Any] | None) -> KemSeed:
    """The same work for a link that is not there."""
    share, person = (row.id, row.person) if row else (NOBODY, NOBODY)
    place = labels.outside_key(person=person, share=share)
    try:
        vaulted = outside_links.vaulted(context, person, share)
    except RowGone:
        vaulted = bytes(32)
    cost = Cost(row.memory_cost, row.time_cost) if row else context.settings.cost
    return outside_links.key_seed(shown, row.salt if row else bytes(SALT_BYTES), cost, place, vaulted)


def _refusal(context: Context, row: Row[Any] | None) -> WrongSecret:
    """The person reads that somebody tried; for nobody, as much work is done and undone."""
    with context.database.transaction() as connection:
        event = Event("outside.wrong-code", grant=row.id if row else "")
        if row is None:
            audit.rehearse(context, connection, event)
        else:
            audit.record(context, connection, None, event, person=row.person)
    return WrongSecret()


def _open(context: Context, found: str, seen: Row[Any], seed: KemSeed) -> str:
    """Count the opening, trace it, open a session that holds the link's key. The last look lasts half an hour."""
    now = context.clock()
    with context.database.transaction() as connection:
        row = _living(connection, outside_shares.c.id == seen.id, hold=True)
        if row is None or why_not(row.state, row.until, row.openings_left, now) is not None:
            raise WrongSecret
        body = _verified(context, connection, row, KemPrivate(seed))
        attempts.forget(connection, found)
        left = row.openings_left - 1
        until = row.until if left else min(row.until, now + LAST_LOOK)
        connection.execute(update(outside_shares).where(outside_shares.c.id == row.id).values(openings_left=left, until=until))
        event = Event("outside.opened", by_name=body.recipient, grant=row.id, purpose=body.purpose)
        audit.record(context, connection, None, event, person=row.person)
        state = {"share": str(row.id), "seed": bytes(seed).hex()}
        return sessions.open_for(context, connection, kind=KIND, state=state)


def _verified(context: Context, connection: Connection, row: Row[Any], private: KemPrivate) -> OutsideBody:
    """What was agreed: the receipt that the person's session and the service signed names exactly this body."""
    try:
        told = outside.open_body(context, private, row.person, row.id, "link", row.body_for_link)
        body = OutsideBody.from_bytes(told["body"].encode())
        signed = SignedReceipt.from_bytes(told["receipt"].encode())
        signer = account_rows.public_keys(context, connection, row.person).ring
        receipt = verify_receipt(signed, service=context.service.ring, person=signer)
    except (CryptoError, KeyError):
        raise Tampered from None
    except RowGone:
        raise NotThere from None
    if (body.share, body.person) != (row.id, row.person) or (receipt.grant, receipt.agreed) != (row.id, body.digest()):
        raise Tampered
    return body


# --- Looking --------------------------------------------------------------------------------------------------------------


def _inside(context: Context, connection: Connection, session: Session) -> _Open:
    if session.kind != KIND:
        raise NotAllowed
    match sessions.read_state(connection, session, hold=False):
        case {"share": str(share), "seed": str(seed)}:
            pass
        case _:
            raise NotThere
    row = _living(connection, outside_shares.c.id == share)
    if row is None or why_not(row.state, row.until, row.openings_left, context.clock(), inside=True) is not None:
        raise NotThere
    private = KemPrivate(KemSeed(bytes.fromhex(seed)))
    body = _verified(context, connection, row, private)
    signer = account_rows.public_keys(context, connection, row.person).ring
    return _Open(row, body, private, Witnesses(context, connection, row.person, signer))


def _papers(context: Context, connection: Connection, one: _Open) -> Sequence[Opened]:
    """The papers that still open, in the order in which they were given."""
    found = []
    for paper in one.body.papers:
        try:
            row = current_of(connection, one.row.person, paper)
            secret = _secret(context, connection, one, row)
            found.append(open_version(context, connection, row, secret, one.witnesses))
        except (NotThere, Tampered):
            continue  # thrown away, hidden or erased since
    return found


def _secret(context: Context, connection: Connection, one: _Open, row: VersionRow) -> FileSecret:
    """F of a version that is shown, and whose key the link holds. NotThere, Tampered."""
    if row.state not in SHOWN:
        raise NotThere
    with one_refusal():
        return wraps.secret(context, connection, one.row.id, one.private, row)


def look(context: Context, session: Session) -> Look:
    """What there is to see; NotThere once it is over."""
    with context.database.transaction(read_only=True) as connection:
        one = _inside(context, connection, session)
        papers = _papers(context, connection, one)
    sheets = tuple(Sheet(number, paper.card.sort, paper.card.pages) for number, paper in enumerate(papers, 1))
    body = one.body
    return Look(body.recipient, body.purpose, body.own_words, one.row.until, one.row.openings_left, sheets)


def _one(papers: Sequence[Opened], number: int) -> Opened:
    if not 1 <= number <= len(papers):
        raise NotThere
    return papers[number - 1]


def page_image(context: Context, session: Session, sheet: int, page: int) -> rendering.PageImage:
    """One page of one paper, both from 1. Traced before it leaves. NotThere, TooFast, NoSuchPage."""
    with context.database.transaction() as connection:
        one = _inside(context, connection, session)
        page_rate.count(context, connection, one.row.id)
        opened = _one(_papers(context, connection, one), sheet)
    marks = _marks(one.body, context.clock())
    image = rendering.page_image(context.confinement, verified_bytes(context, opened, "view"), page, watermark=marks)
    _trace(context, session, one, "outside.seen", [opened], str(page))
    return image


def as_dossier(context: Context, session: Session) -> bytes:
    """All of it as one file of page images, with its cover. Traced before it leaves. NotThere, TooFast, DossierTooHeavy."""
    with context.database.transaction() as connection:
        one = _inside(context, connection, session)
        page_rate.count(context, connection, one.row.id)
        papers = _papers(context, connection, one)
    if not papers:
        raise NotThere
    body = one.body
    cover = dossiers.Cover(*_named(body), context.clock(), tuple((paper.card.sort, paper.card.pages) for paper in papers))
    made = dossiers.bound(context, cover, papers, marked=body.marked)
    _trace(context, session, one, "outside.taken", papers, "")
    return made


def _named(body: OutsideBody) -> tuple[str, str]:
    """To whom and what for, as pixels can say it: a name in letters that our face lacks is the share's number, which the receipt has."""
    words = purpose(body.purpose).words
    to = rendering.legible(body.recipient, f"{outside.UNNAMED} {body.share[:8]}")
    return to, rendering.legible(body.own_words, words) or words


def _marks(body: OutsideBody, at: datetime) -> rendering.Watermark | None:
    if not body.marked:
        return None
    return rendering.Watermark((*_named(body), f"{at.astimezone(PARIS):%d/%m/%Y %H:%M}"), rendering.marks_font())


def _trace(context: Context, session: Session, one: _Open, tag: str, papers: Sequence[Opened], detail: str) -> None:
    """The last look and the entries, in one commit: what was taken back, hidden or thrown away while it was drawn is not shown.

    NotThere for all of it, as soon as one of the papers no longer opens. The papers are held before the share, in one order for all.
    """
    with context.database.transaction() as connection:
        mine = paper_rows.c.id.in_([paper.paper for paper in papers])
        connection.execute(select(paper_rows.c.id).where(mine).order_by(paper_rows.c.id).with_for_update()).all()
        row = _living(connection, outside_shares.c.id == one.row.id, hold=True)
        if row is None or why_not(row.state, row.until, row.openings_left, context.clock(), inside=True) is not None:
            raise NotThere
        for paper in papers:
            _secret(context, connection, one, current_of(connection, row.person, paper.paper))
            event = Event(
                tag, paper=paper.paper, title=paper.card.title, grant=GrantId(row.id), purpose=one.body.purpose,
                by_name=one.body.recipient, detail=detail,
            )  # fmt: skip
            audit.record(context, connection, session, event, person=row.person)
