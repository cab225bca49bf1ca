"""A worker puts something in somebody's safe: a letter without seeing any paper, or a newer version of one, where it was granted.

The depositor signs the origin and cannot read back what was laid through the drawer's slit. For 24 hours they can undo it, as long as
they still may put something there and the person has not met it, at an unlock or by anything they do with it, also taking everything
away (`versions.meet`): from then on it is a paper of theirs like any other.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from consent.ids import GrantId, PaperId, PersonId, ShelfId
from consent.policy import Allowed, decide
from consent.purposes import ShelfKind
from consent.scope import Act, Paper, ShelfScope
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from crypto.keys import AccountKeys
from crypto.signing import Signer
from crypto.statements import Origin
from storage.tables import papers, versions
from vault import accounts, audit, shares, shelves, space, who, wraps
from vault.context import Context
from vault.deposits import Fresh, From, Words, durable, lay_through, write_rows
from vault.errors import BadInput, NotThere
from vault.events import Event
from vault.keyring import Keyring
from vault.opening_shared import SHOWN, paper_of
from vault.paper_cards import checked_sort, checked_title, tame_file_name
from vault.preparing import PreparedPaper, prepare
from vault.removing import erase_rows
from vault.sessions import Session
from vault.shares import Share
from vault.versions import VersionRow, all_of, current_of, one_refusal

UNDO = timedelta(hours=24)


@dataclass(frozen=True)
class Deposited:
    """Something this worker put in and may still undo: for whom and in which drawer. Nothing of it can be shown: they cannot open it."""

    paper: PaperId
    name: str = field(repr=False)
    drawing: str
    shelf: ShelfKind
    at: datetime
    until: datetime


def deposit_for(
    context: Context, session: Session, grant: GrantId, originals: Sequence[bytes], *, opened_by_person: bool, title: str = "",
    sort: str = "", untrusted_name: str = "",
) -> PaperId:  # fmt: skip
    """Put a paper in a drawer without sight. `opened_by_person`: the worker states that the person opened the letter, or asked
    for it to be opened (penal code 226-15); without it nothing is taken. Raises BadInput, NotThere, PaperRefused, TooMuch."""
    words = Words(checked_title(title), checked_sort(sort), tame_file_name(untrusted_name))
    share = _checked(context, session, grant, opened_by_person)
    return deposit_prepared(context, session, share, prepare(context.confinement, originals), words)


def deposit_prepared(context: Context, session: Session, share: Share, prepared: PreparedPaper, words: Words) -> PaperId:
    """The same with a paper already prepared."""
    keys = who.worker(session)
    with durable(context, share.person, prepared, words) as fresh, context.database.transaction() as connection:
        share = shares.one_of_worker(context, connection, session, share.grant)
        scope = share.body.terms.scope
        if not isinstance(scope, ShelfScope):
            raise NotThere
        _decided(context, share, Act.DEPOSIT, Paper(PersonId(share.person), fresh.paper, scope.shelf, scope.kind))
        _lay(context, connection, session, keys, share, fresh, scope.shelf, None)
    return fresh.paper


def _checked(context: Context, session: Session, grant: GrantId, opened_by_person: bool) -> Share:
    who.worker(session)
    if not opened_by_person:
        raise BadInput("opened_by_person")
    with context.database.transaction(read_only=True) as connection:
        return shares.one_of_worker(context, connection, session, grant)


def _decided(context: Context, share: Share, act: Act, paper: Paper) -> None:
    if share.recipient is None:
        raise NotThere
    if not isinstance(decide(act, paper, share.recipient, [share.verified], context.clock()), Allowed):
        raise NotThere


def _lay(
    context: Context, connection: Connection, session: Session, keys: AccountKeys, share: Share, fresh: Fresh, shelf: ShelfId,
    replaced: VersionRow | None,
) -> None:  # fmt: skip
    slit = shelves.slit(connection, share.person, shelf, accounts.public_keys(context, connection, share.person).sign)
    origin = From(session.account, Signer(keys.sign), session.kiosk)
    laid = lay_through(context, slit, fresh)
    previous = replaced.id if replaced else ""
    write_rows(context, connection, fresh, laid, origin, state=replaced.state if replaced else "to-read", previous=previous)
    if replaced:
        wraps.hand_to_those_who_have(
            context, connection, person=share.person, paper=fresh.paper, version=fresh.version, secret=fresh.secret
        )
    event = Event(
        "paper.replaced-by-worker" if replaced else "paper.deposited-by-worker", by=session.account, by_name=share.worker_name,
        paper=fresh.paper, version=fresh.version, title=fresh.card.title, grant=share.grant, purpose=share.body.terms.purpose,
        act=Act.REPLACE if replaced else Act.DEPOSIT, detail="opened-by-person",
    )  # fmt: skip
    audit.record(context, connection, session, event, person=share.person, worker=session.account)


def replace_for(
    context: Context, session: Session, grant: GrantId, paper: PaperId, originals: Sequence[bytes], *, opened_by_person: bool,
    untrusted_name: str = "",
) -> None:  # fmt: skip
    """Put a newer version in the place of a paper that a share names. Its title stays: the person's next unlock sees to it."""
    share = _checked(context, session, grant, opened_by_person)
    prepared = prepare(context.confinement, originals)
    replace_prepared(context, session, share, paper, prepared, Words(untrusted_file_name=tame_file_name(untrusted_name)))


def replace_prepared(
    context: Context, session: Session, share: Share, paper: PaperId, prepared: PreparedPaper, words: Words
) -> None:  # fmt: skip
    """The same with a paper already prepared."""
    keys = who.worker(session)
    with durable(context, share.person, prepared, words, paper=paper) as fresh, context.database.transaction() as connection:
        share = shares.one_of_worker(context, connection, session, share.grant)
        row = current_of(connection, share.person, paper, hold=True)
        if row.state not in SHOWN:
            raise NotThere
        _decided(context, share, Act.REPLACE, paper_of(share, row))
        with one_refusal():  # the second lock: what was hidden since has no key here, whatever the rules can know
            Keyring(context, connection, share, KemPrivate(keys.kem)).secret(row)
        _lay(context, connection, session, keys, share, fresh, ShelfId(row.lies_in), row)


def deposited(context: Context, session: Session) -> list[Deposited]:
    """What this worker put in during the last 24 hours and may still undo, newest first."""
    who.worker(session)
    with context.database.transaction(read_only=True) as connection:
        rows = _mine(context, connection, session)
        living = shares.of_worker(context, connection, session) if rows else []
    found = []
    for row in rows:
        share, scope = _still_let(context, living, row)
        if share is not None and scope is not None:
            face, at = share.face, row.deposited
            found.append(Deposited(PaperId(row.paper), face.name, face.drawing, scope.kind, at, at + UNDO))
    return sorted(found, key=lambda one: one.at, reverse=True)


def _mine(
    context: Context, connection: Connection, session: Session, paper: str | None = None
) -> list[Row[Any, Any, Any, Any, Any]]:
    """What this worker put in during the last 24 hours that its person has not met: nobody takes back what is theirs."""
    # A newer version is not undone: the one before it would come back without its owner's knowledge.
    query = select(versions.c.paper, versions.c.person, versions.c.deposited, versions.c.origin, papers.c.shelf).join(
        papers, papers.c.id == versions.c.paper
    )
    query = query.where(
        versions.c.depositor == session.account, papers.c.version == versions.c.id, papers.c.state == "to-read",
        versions.c.confirmation.is_(None), versions.c.deposited > context.clock() - UNDO,
    )  # fmt: skip
    if paper is not None:
        query = query.where(papers.c.id == paper).with_for_update()
    return [row for row in connection.execute(query) if _first(row.origin)]


def _still_let(
    context: Context, living: Sequence[Share], row: Row[Any, Any, Any, Any, Any]
) -> tuple[Share, ShelfScope] | tuple[None, None]:
    """The living share that lets the worker put something where this lies. None when it was taken back, or the paper moved; and for a
    safe that answers nobody (restricted, being erased), whose shares are not there."""
    for share in living:
        scope = share.body.terms.scope
        if share.person == row.person and isinstance(scope, ShelfScope) and scope.shelf == row.shelf:
            lies = Paper(PersonId(row.person), PaperId(row.paper), scope.shelf, scope.kind)
            with suppress(NotThere):
                _decided(context, share, Act.DEPOSIT, lies)
                return share, scope
    return None, None


def _first(origin: bytes) -> bool:
    try:
        return not Origin.parse(origin).previous
    except CryptoError:
        return False


def undo_deposit(context: Context, session: Session, paper: PaperId) -> None:
    """Take back what was put in by mistake, within 24 hours. The person reads that it was.

    NotThere once the person has met it or moved it, once they took the share back, and while their safe answers nobody.
    """
    who.worker(session)
    with context.database.transaction() as connection:
        rows = _mine(context, connection, session, paper)
        share, _ = _still_let(context, shares.of_worker(context, connection, session), rows[0]) if rows else (None, None)
        if share is None:
            raise NotThere
        person = share.person
        event = Event("paper.deposit-undone", by=session.account, by_name=share.worker_name, paper=paper, grant=share.grant)
        audit.record(context, connection, session, event, person=person, worker=session.account)
        erase_rows(context, connection, all_of(connection, person, paper))
        connection.execute(delete(papers).where(papers.c.id == paper))
        space.recount(connection, person)
