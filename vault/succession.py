"""Somebody goes on from somebody else: a worker left, is away, or proposes a colleague. The person alone gives, by a new consent.

When a worker leaves, or is suspended, a sentence waits for each share that ended with them, or that waits for them. A proposal is posted
to the person like a request, under a row of its own in the key vault. In each case one question is asked, once; nobody inherits
anything by being proposed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from sqlalchemy import Connection, RowMapping, insert, select, update

from consent.ids import GrantId, PaperId, WorkerId
from consent.purposes import PRIVATE, PurposeId, ShelfKind
from consent.recipients import RecipientState, role
from consent.scope import Act, ShelfScope
from crypto.canonical import Value
from crypto.errors import CryptoError
from crypto.kem import KemPrivate, KemPublic
from crypto.sealing import open_posted_value, post_value
from storage.database import serialise
from storage.errors import RowGone
from storage.tables import accounts, grants, requests
from vault import audit, documents, labels, notices, shares, sharing, who, workers
from vault.accounts import public_keys
from vault.colleagues import LIVING, colleague
from vault.context import Context
from vault.errors import Conflict, NotThere
from vault.events import Event
from vault.notices import QUESTIONS, WORKER_AWAY, WORKER_LEFT, Notice
from vault.receipts import Said
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.shares import REACHED, Share
from vault.sharing import Offer
from vault.unwritten import vault_row
from vault.workers import KnownWorker

Cause = Literal["away", "left", "proposed"]
KIND = "handover"
PROPOSED, FOLLOWED, DECLINED = "proposed", "followed", "declined"
OPEN_DAYS = 30  # a question that nobody answered for a month is not asked any more, and may be asked anew
OFFERED = 2  # named at once; the others are one tap away
KEPT = ("kept", "to-read")


@dataclass(frozen=True)
class Succession:
    """One question for the person. `source` names the sentence or the proposal; `lives`: the first share goes on meanwhile."""

    source: str
    cause: Cause
    grant: GrantId
    worker: str
    first: str
    lives: bool
    offered: tuple[KnownWorker, ...]
    purpose: PurposeId
    own_words: str = field(repr=False)
    acts: frozenset[Act]
    papers: tuple[PaperId, ...]
    shelf: ShelfKind | None
    until: date


@dataclass(frozen=True)
class Proposal:
    """What a worker proposed: to whom, when, and whether the person followed."""

    grant: GrantId
    to_name: str
    asked: date
    state: str


# --- The worker -----------------------------------------------------------------------------------------------------------


def propose(context: Context, session: Session, grant: GrantId, successor: str) -> None:
    """Propose that a colleague go on with a living share. Conflict when it was proposed less than a month ago; NotThere."""
    who.worker(session)
    proposal = context.new_id()
    with context.database.transaction(read_only=True) as connection:
        person = _mine(context, connection, session, grant).person
    with vault_row(context, person, proposal, requests.c.id), context.database.transaction() as connection:
        serialise(connection, f"propose {grant}")
        share = _mine(context, connection, session, grant)
        to = colleague(context, connection, successor)
        able = role(to.recipient.role).acts >= share.body.terms.acts
        if successor == session.account or to.recipient.state != RecipientState.CERTIFIED or not able:
            raise NotThere
        today = today_in_paris(context.clock())
        if any(
            one.grant == grant and one.asked > today - timedelta(days=OPEN_DAYS)
            for one in _proposals(context, connection, session)
        ):
            raise Conflict
        told: dict[str, Value] = {"v": 1, "grant": grant, "successor": successor, "name": to.name}
        me = share.colleague
        if me is None:
            raise NotThere
        row = {"id": proposal, "person": share.person, "worker": session.account}
        person_key = public_keys(context, connection, share.person).kem
        connection.execute(
            insert(requests).values(
                **row, state=PROPOSED, kind=KIND, asked=today, for_person=_post(context, row, person_key, told),
                for_worker=_post(context, row, me.kem, told),
            )
        )  # fmt: skip
        _trace(context, connection, session, "share.handover-proposed", share, session.account)


def _mine(context: Context, connection: Connection, session: Session, grant: GrantId) -> Share:
    """A share of this worker that lives; NotThere."""
    share = shares.one_of_worker(context, connection, session, grant)
    if share.row.state.value not in LIVING:
        raise NotThere
    return share


def proposals(context: Context, session: Session) -> list[Proposal]:
    """What this worker proposed, the latest first."""
    with context.database.transaction(read_only=True) as connection:
        return _proposals(context, connection, session)


def _proposals(context: Context, connection: Connection, session: Session) -> list[Proposal]:
    private = KemPrivate(who.worker(session).kem)
    query = select(requests).where(requests.c.worker == session.account, requests.c.kind == KIND)
    found = []
    for row in connection.execute(query.order_by(requests.c.asked.desc(), requests.c.id)).mappings():
        with suppress(CryptoError, RowGone):
            match _open(context, row, private, row["for_worker"]):
                case {"grant": str(grant), "name": str(name)}:
                    found.append(Proposal(GrantId(grant), name, row["asked"], row["state"]))
    return found


def colleagues_of(context: Context, session: Session, acts: frozenset[Act]) -> list[KnownWorker]:
    """Whom a worker may propose for a share with these acts: those of their own structure first."""
    mine = workers.me(context, session)
    found = [one for one in workers.recipients(context, session) if one.id != session.account and role(one.role).acts >= acts]
    return sorted(found, key=lambda one: (one.structure != mine.structure, one.structure_name, one.first_name))


# --- What is written ------------------------------------------------------------------------------------------------------


def _post(context: Context, row: Mapping[str, str], public: KemPublic, value: Mapping[str, Value]) -> bytes:
    place = labels.handover(person=row["person"], worker=row["worker"], proposal=row["id"])
    return post_value(public, context.keyvault.derive("grant", row["id"], place), place, value)


def _open(context: Context, row: RowMapping, private: KemPrivate, posted: bytes) -> dict[str, Value]:
    place = labels.handover(person=row["person"], worker=row["worker"], proposal=row["id"])
    return open_posted_value(private, context.keyvault.derive("grant", row["id"], place), place, posted)


def _trace(context: Context, connection: Connection, session: Session, tag: str, share: Share, worker: str) -> None:
    event = Event(tag, by=session.account, by_name=share.worker_name, grant=share.grant, purpose=share.body.terms.purpose)
    audit.record(context, connection, session, event, person=share.person, worker=worker)


def tell_of_leaving(context: Context, connection: Connection, person: str, grant: str) -> None:
    """A share ended because its worker left: the question waits for the person's next unlock."""
    reached = select(accounts.c.id).where(accounts.c.id == person, accounts.c.state.in_(REACHED))
    if connection.execute(reached).first() is not None:
        notices.tell_if_told(context, connection, person, Notice(WORKER_LEFT, {"grant": grant}))


def tell_of_absence(context: Context, connection: Connection, worker: str) -> None:
    """A worker is suspended, in the caller's transaction: whoever shows them something is asked who else should see it meanwhile."""
    shown = (
        select(grants.c.id, grants.c.person)
        .join(accounts, accounts.c.id == grants.c.person)
        .where(grants.c.worker == worker, grants.c.state.in_(LIVING), accounts.c.state.in_(REACHED))
    )
    for row in connection.execute(shown).all():
        notices.tell_if_told(context, connection, row.person, Notice(WORKER_AWAY, {"grant": row.id}))


# --- The person -----------------------------------------------------------------------------------------------------------


def waiting(context: Context, session: Session) -> list[Succession]:
    """The questions that wait, the oldest share first."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        told = [one for one in notices.waiting_for(context, connection, session) if one.key in QUESTIONS]
        left = [one for one in told if one.key == WORKER_LEFT]
        away = {one.values.get("grant", ""): one for one in told if one.key == WORKER_AWAY}  # away twice is asked once
        asked = _asked(context, connection, session, KemPrivate(keys.kem))
        if not told and not asked:
            return []
        ended = {one.grant: one for one in shares.of_person(context, connection, session, ended=True)} if left else {}
        living = {one.grant: one for one in shares.of_person(context, connection, session)}
    people = workers.recipients(context, session)
    kept = {one.paper for one in documents.list_papers(context, session) if one.state in KEPT and one.shelf != PRIVATE}
    found = [
        _question(context, notice.id, "left", share, people, kept)
        for notice in left
        if (share := ended.get(GrantId(notice.values.get("grant", ""))))
    ]
    for name, notice in away.items():
        # Whoever is back meanwhile sees everything again: nothing is asked any more.
        if (share := living.get(GrantId(name))) and share.recipient and share.recipient.state is RecipientState.SUSPENDED:
            found.append(_question(context, notice.id, "away", share, people, kept))
    for source, grant, successor in asked:
        # Whoever went meanwhile is not offered, and a share that ended is not handed over.
        if (share := living.get(grant)) and (to := [one for one in people if one.id == successor]):
            found.append(_question(context, source, "proposed", share, to, kept))
    asked_for = (one for one in found if (one.papers or one.shelf) and (one.offered or one.cause == "left"))
    return sorted(asked_for, key=lambda one: (one.cause, one.grant))


def _asked(context: Context, connection: Connection, session: Session, private: KemPrivate) -> list[tuple[str, GrantId, str]]:
    since = today_in_paris(context.clock()) - timedelta(days=OPEN_DAYS)
    query = select(requests).where(
        requests.c.person == session.account, requests.c.kind == KIND, requests.c.state == PROPOSED, requests.c.asked > since
    )
    found = []
    for row in connection.execute(query).mappings():
        with suppress(CryptoError, RowGone):
            match _open(context, row, private, row["for_person"]):
                case {"grant": str(grant), "successor": str(successor)}:
                    found.append((row["id"], GrantId(grant), successor))
    return found


def _question(
    context: Context, source: str, cause: Cause, share: Share, people: Sequence[KnownWorker],
    kept: set[PaperId],
) -> Succession:  # fmt: skip
    terms = share.body.terms
    scope = terms.scope
    with context.database.transaction(read_only=True) as connection:
        try:
            place = workers.shown(connection, share.worker).structure
        except NotThere:
            place = None
    able = [one for one in people if one.id != share.worker and role(one.role).acts >= terms.acts]
    able.sort(key=lambda one: one.structure != place)  # stable: those of this kiosk stay before the others
    shelf = scope.kind if isinstance(scope, ShelfScope) else None
    papers = () if isinstance(scope, ShelfScope) else tuple(one for one in scope.papers if one in kept)
    return Succession(
        source, cause, share.grant, share.worker, share.worker_name.split(",")[0], share.row.state.value in LIVING,
        tuple(able[:OFFERED]), terms.purpose, terms.own_words, terms.acts, papers, shelf, terms.until,
    )  # fmt: skip


def one_waiting(context: Context, session: Session, source: str) -> Succession:
    """One question; NotThere once it was answered."""
    found = next((one for one in waiting(context, session) if one.source == source), None)
    if found is None:
        raise NotThere
    return found


def successors(context: Context, session: Session, one: Succession) -> list[KnownWorker]:
    """Everybody who can be given the same: those of this kiosk first."""
    return [each for each in workers.recipients(context, session) if each.id != one.worker and role(each.role).acts >= one.acts]


def last_day(context: Context, session: Session, one: Succession, worker: WorkerId) -> date:
    """Until when the new share would last: as long as the first one, or three months when that is over."""
    limits = sharing.offer_limits(context, session, worker)
    wanted = one.until if one.until >= today_in_paris(context.clock()) else limits.default_until
    return min(wanted, limits.latest_until)


def follow(
    context: Context, session: Session, source: str, worker: WorkerId, said: Said, words: str = "", *, shown: date | None = None
) -> GrantId:  # fmt: skip
    """Yes: the same is given to this worker, by a new consent. The first share is not touched. `words` is the purpose as it was shown,
    `shown` the day that stood there: nothing lasts longer. NotThere, also for the second of two taps; TermsRefused.
    """
    one = one_waiting(context, session, source)
    if worker not in [each.id for each in successors(context, session, one)]:
        raise NotThere
    until = min(last_day(context, session, one, worker), shown or date.max)
    offer = Offer(one.purpose, one.acts, until, said, one.papers, one.shelf, one.own_words, words)
    with sharing.new_row(context, session.account) as grant, context.database.transaction() as connection:
        sharing.grant_in(context, connection, session, grant, worker, offer)
        proposed = [each.id for each in one.offered]
        _answered(context, connection, session, one, FOLLOWED if worker in proposed else DECLINED)
    return grant


def decline(context: Context, session: Session, source: str) -> None:
    """No: nothing changes, and it is not asked again."""
    one = one_waiting(context, session, source)
    with context.database.transaction() as connection:
        _answered(context, connection, session, one, DECLINED)


def _answered(context: Context, connection: Connection, session: Session, one: Succession, state: str) -> None:
    if one.cause != "proposed":
        told = notices.waiting_for(context, connection, session)
        same = [each.id for each in told if each.key in QUESTIONS and each.values.get("grant") == one.grant]
        if not notices.seen_in(context, connection, session, same):
            raise NotThere  # answered by another tap, or on another screen, since it was asked
        return
    today = today_in_paris(context.clock())
    held = (requests.c.id == one.source, requests.c.person == session.account, requests.c.state == PROPOSED)
    if connection.execute(update(requests).where(*held).values(state=state, answered=today)).rowcount != 1:
        raise NotThere
    share = shares.one_of_person(context, connection, session, one.grant)
    tag = "share.handover-followed" if state == FOLLOWED else "share.handover-refused"
    _trace(context, connection, session, tag, share, one.worker)
