"""A person shows papers to a named worker, for one purpose, until a day; renews it, narrows it, reads what became of it."""

import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Column, Connection, insert, select, update

from consent import grant as rules
from consent.days import PARIS
from consent.errors import TermsReason, TermsRefused
from consent.grant import GrantBody, Parties, PublicKeys
from consent.ids import GrantId, KindId, PaperId, PersonId
from consent.purposes import PRIVATE, PurposeId, ShelfKind
from consent.recipients import role
from consent.scope import OPENING, Act, PapersScope, Scope, ShelfScope
from consent.terms import Terms, default_until, is_first_day, latest_until
from consent.verified import Signatures, sign_grant
from crypto import contexts
from crypto.errors import Malformed
from crypto.kem import public_key
from crypto.keys import AccountKeys, FileSecret
from crypto.sealing import unseal_text
from crypto.signing import Signer
from storage.tables import accounts, grants, papers, persons
from storage.tables import wraps as wrap_rows
from vault import aftermath, audit, receipts, reencryption, restricting, sessions, shares, shelves, who, wraps
from vault.colleagues import Colleague, colleague
from vault.context import Context
from vault.errors import BadInput, Conflict, NotThere
from vault.events import Event
from vault.listing import cards_of
from vault.receipts import Change, Said
from vault.sessions import Session
from vault.shares import Face, Share
from vault.shelves import Shelves
from vault.unwritten import vault_row
from vault.versions import LISTED, Witnesses, current_of, joined, meet, one_refusal, open_version, secret_of

__all__ = [
    "Limits", "Offer", "Said", "drawers_wait", "grant", "grant_in", "narrow", "offer_limits", "on_first_day", "renew",
]  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """What the person chose, and how they said it. Either chosen papers or one drawer; `words` is the purpose as it was shown."""

    purpose: PurposeId
    acts: frozenset[Act]
    until: date
    said: Said
    papers: tuple[PaperId, ...] = ()
    shelf: ShelfKind | None = None
    own_words: str = ""
    words: str = ""


@dataclass(frozen=True)
class Limits:
    """What the page may offer for a worker today."""

    acts: frozenset[Act]
    first_day: bool
    drawers_wait: bool
    default_until: date
    latest_until: date


def safe_opened(connection: Connection, person: str) -> datetime:
    """When the safe was opened: rows keep the day alone, in Paris."""
    day = connection.execute(select(accounts.c.created).where(accounts.c.id == person)).scalar_one()
    return datetime.combine(day, time(12), PARIS)


def on_first_day(context: Context, session: Session) -> bool:
    """Whether the safe was opened today: nothing irreversible is offered."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        return is_first_day(safe_opened(connection, session.account), context.clock())


def drawers_wait(context: Context, session: Session) -> bool:
    """Whether no drawer may be shown today: the safe was opened today, or somebody came back to it less than a day ago (ADR 0073)."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        held = aftermath.holds(context, connection, session.account) is not None
        return held or is_first_day(safe_opened(connection, session.account), context.clock())


def offer_limits(context: Context, session: Session, worker: str) -> Limits:
    """Acts that the worker's role allows, and the days that may be chosen. NotThere for whom nothing can be shared with."""
    who.person(session)
    now = context.clock()
    with context.database.transaction(read_only=True) as connection:
        to = colleague(context, connection, worker).recipient
        first = is_first_day(safe_opened(connection, session.account), now)
        wait = first or aftermath.holds(context, connection, session.account) is not None
    last = min(day for day in (latest_until(now), to.ends) if day)
    acts = role(to.role).acts - ({Act.TAKE} if first else frozenset())
    return Limits(acts, first, wait, min(default_until(now), last), last)


# --- Giving ---------------------------------------------------------------------------------------------------------------


@contextmanager
def new_row(
    context: Context, person: str, grant_id: GrantId | None = None, *, kept_in: Column[Any] = grants.c.id
) -> Iterator[GrantId]:  # fmt: skip
    """A row of the key vault for a share, made before its transaction; it dies when the transaction does not write `kept_in`."""
    grant_id = grant_id or GrantId(context.new_id())
    with vault_row(context, person, grant_id, kept_in):
        yield grant_id


def grant(context: Context, session: Session, worker: str, offer: Offer) -> GrantId:
    """Share. Raises TermsRefused (what may not be given), NotThere (no such paper, or nobody to share with), BadInput, AfterRecovery."""
    who.person(session)
    with new_row(context, session.account) as grant_id, context.database.transaction() as connection:
        grant_in(context, connection, session, grant_id, worker, offer)
    return grant_id


def grant_in(
    context: Context, connection: Connection, session: Session, grant_id: GrantId, worker: str, offer: Offer
) -> GrantBody:  # fmt: skip
    """The same inside a transaction; `new_row` has made the share's row of the key vault."""
    keys = who.person(session)
    restricting.refuse(connection, session.account)
    if offer.shelf is not None and offer.acts & OPENING:  # a whole drawer is in bulk; chosen papers are not
        aftermath.refuse_while_held(context, connection, session.account)
    signer = Signer(keys.sign)
    to = colleague(context, connection, worker)
    shelves.hold_all(connection, session.account)
    sessions.still(connection, session)
    opened = shelves.open_all(connection, session.account, keys.values)
    terms = _terms(connection, session.account, opened, offer)
    how = offer.said.how(session)
    person_keys = PublicKeys(public_key(keys.kem), signer.public)
    parties = Parties(grant_id, PersonId(session.account), person_keys, to.recipient, to.name)
    since = safe_opened(connection, session.account)
    body = rules.give(parties, terms, how, at=context.clock(), safe_opened=since, salt=secrets.token_bytes(32))
    face = own_face(connection, session.account, keys)
    signatures = sign_grant(body, service=context.service, person=signer)
    connection.execute(
        insert(grants).values(
            id=grant_id, person=session.account, worker=worker, state=body.state.value, until=terms.until, to_reencrypt=False,
            body_for_worker=shares.sealed_for_worker(context, to.kem, body, face),
            body_for_person=shares.sealed_for_person(keys.values, body, face), signatures=signatures.to_bytes(),
        )
    )  # fmt: skip
    if terms.acts & OPENING:
        _hand_over(context, connection, session, keys, opened, body, to)
    _said(context, connection, session, body, signatures, offer.said, "share.given", opened, offer.words)
    return body


def _terms(connection: Connection, person: str, opened: Shelves, offer: Offer) -> Terms:
    if bool(offer.papers) == (offer.shelf is not None):
        raise BadInput("papers")
    try:
        scope = _scope(connection, person, opened, offer.papers, offer.shelf)
        return Terms(offer.purpose, offer.own_words, scope, offer.acts, offer.until)
    except Malformed:
        raise BadInput("purpose") from None


def _scope(
    connection: Connection, person: str, opened: Shelves, chosen: Collection[PaperId], shelf: ShelfKind | None
) -> Scope:  # fmt: skip
    if shelf is not None:
        if shelves.checked_kind(shelf) == PRIVATE:
            raise TermsRefused(TermsReason.PRIVATE_SHELF)
        return ShelfScope(opened.current(shelf).id, shelf)
    for paper in chosen:
        row = current_of(connection, person, paper)
        if row.state in ("bin", "refused", "to-confirm"):
            raise NotThere
        if opened.kind_of(row.lies_in) == PRIVATE:
            raise TermsRefused(TermsReason.PRIVATE_SHELF)
    meet(connection, person, chosen)
    return PapersScope.of(chosen)


def _hand_over(
    context: Context, connection: Connection, session: Session, keys: AccountKeys, opened: Shelves, body: GrantBody, to: Colleague
) -> None:  # fmt: skip
    scope = body.terms.scope
    if isinstance(scope, ShelfScope):
        wraps.lend(context, connection, opened.current(scope.kind), body.grant, body.worker, to.kem)
        return
    witnesses = Witnesses.own(context, connection, session.account, keys)
    for paper in scope.papers:
        row = current_of(connection, session.account, paper)
        with one_refusal():
            secret: FileSecret = secret_of(context, opened, row)
        open_version(context, connection, row, secret, witnesses)  # what is not whole is not handed over
        wraps.hand(
            context, connection, person=session.account, grant=body.grant, worker=body.worker, public=to.kem, paper=paper,
            version=row.id, secret=secret,
        )  # fmt: skip


def own_face(connection: Connection, person: str, keys: AccountKeys) -> Face:
    """The name and the drawing under which the person is shown."""
    query = select(persons.c.sealed_name, persons.c.sealed_drawing).where(persons.c.account == person)
    name, drawing = connection.execute(query).one()
    with one_refusal():
        return Face(
            unseal_text(keys.values, contexts.name(person=person, id=person), name) if name else "",
            unseal_text(keys.values, contexts.drawing(person=person, id=person), drawing),
        )


def _said(
    context: Context, connection: Connection, session: Session, body: GrantBody, signatures: Signatures, said: Said, tag: str,
    opened: Shelves, words: str,
) -> None:  # fmt: skip
    """The trace of a change, then its receipt."""
    terms = body.terms
    event = Event(
        tag, by=session.account, by_name=body.name_shown, grant=body.grant, purpose=terms.purpose,
        act=" ".join(sorted(terms.acts)), detail=terms.until.isoformat(), place=session.kiosk or "",
    )  # fmt: skip
    entry = audit.record(context, connection, session, event, person=body.person, worker=body.worker)
    change = Change(entry, said.how(session), Signer(who.person(session).sign))
    data = kinds_by_drawer(context, connection, opened, body)
    if not data:
        raise TermsRefused(TermsReason.NOTHING_LEFT)
    receipts.of_given(context, connection, body, signatures, change, data, words)


def kinds_by_drawer(
    context: Context, connection: Connection, opened: Shelves, body: GrantBody
) -> Mapping[ShelfKind, list[KindId]]:
    """Which kinds of papers, by drawer: what a receipt may say."""
    scope = body.terms.scope
    covered = papers.c.id.in_(scope.papers) if isinstance(scope, PapersScope) else papers.c.shelf == scope.shelf
    query = joined(*LISTED).where(papers.c.person == body.person, papers.c.state != "bin", covered)
    rows = [row for row in connection.execute(query).all() if row.id == row.current]
    data: dict[ShelfKind, list[KindId]] = {} if isinstance(scope, PapersScope) else {scope.kind: []}
    for card in cards_of(context, opened, rows):
        if card.shelf is not None and card.shelf != PRIVATE:
            data.setdefault(card.shelf, []).extend([KindId(card.sort)] if card.sort else [])
    return data


# --- Changing -------------------------------------------------------------------------------------------------------------


def renew(context: Context, session: Session, grant_id: GrantId, until: date, said: Said, words: str = "") -> None:
    """The same until a later day: one tap and a new receipt. `words` is the purpose as it was shown.

    Raises TermsRefused (also when nothing is left to show, or the day is no later), NotThere.
    """
    who.person(session)
    with context.database.transaction() as connection:
        restricting.refuse(connection, session.account)
        share = shares.one_of_person(context, connection, session, grant_id)
        sessions.still(connection, session)
        to = _still_certified(share)
        body = rules.renew(
            share.row, share.body, until, to.recipient, said.how(session), at=context.clock(),
            safe_opened=safe_opened(connection, session.account), salt=secrets.token_bytes(32),
        )  # fmt: skip
        _keep_changed(context, connection, session, share, body, said, "share.renewed", to, words)


def narrow(
    context: Context, session: Session, grant_id: GrantId, said: Said, *, papers: Collection[PaperId] | None = None,
    acts: frozenset[Act] | None = None, until: date | None = None, words: str = "",
) -> None:  # fmt: skip
    """The same with less: fewer papers, fewer acts, an earlier day. What is no longer shown is sealed anew. `words` as in `renew`.

    Raises TermsRefused, also for a share whose papers have all been thrown away, erased or hidden: that one is taken back.
    """
    who.person(session)
    with context.database.transaction() as connection:
        share = shares.one_of_person(context, connection, session, grant_id)
        to, old = _still_certified(share), share.body.terms
        terms = replace(
            old, scope=PapersScope.of(papers) if papers else old.scope, acts=old.acts if acts is None else acts,
            until=until or old.until,
        )  # fmt: skip
        body = rules.narrow(share.row, share.body, terms, at=context.clock(), salt=secrets.token_bytes(32))
        _take_less(context, connection, share, terms)
        _keep_changed(context, connection, session, share, body, said, "share.narrowed", to, words)
        reencryption.renew_drawers(context, connection, session)  # what is put in from now on must not open for the old key


def _still_certified(share: Share) -> Colleague:
    if share.colleague is None:
        raise Conflict
    return share.colleague


def _take_less(context: Context, connection: Connection, share: Share, terms: Terms) -> None:
    """Delete the wraps of what is no longer shown. A drawer without sight waits for its new epoch."""
    had = connection.execute(select(wrap_rows.c.paper).where(wrap_rows.c.grant == share.grant)).scalars().all()
    kept = set(terms.scope.papers) if isinstance(terms.scope, PapersScope) and terms.acts & OPENING else set()
    wraps.take_back(context, connection, [paper for paper in had if paper not in kept], share.grant)
    if isinstance(terms.scope, ShelfScope) and not terms.acts & OPENING:
        wraps.take_drawer_back(context, connection, share.grant)


def _keep_changed(
    context: Context, connection: Connection, session: Session, share: Share, body: GrantBody, said: Said, tag: str, to: Colleague,
    words: str,
) -> None:  # fmt: skip
    keys = who.person(session)
    face = own_face(connection, session.account, keys)
    signatures = sign_grant(body, service=context.service, person=Signer(keys.sign))
    connection.execute(
        update(grants)
        .where(grants.c.id == share.grant)
        .values(
            state=body.state.value, until=body.terms.until, signatures=signatures.to_bytes(), posted_for_person=None,
            body_for_worker=shares.sealed_for_worker(context, to.kem, body, face),
            body_for_person=shares.sealed_for_person(keys.values, body, face),
        )
    )  # fmt: skip
    opened = shelves.open_all(connection, session.account, keys.values)
    _said(context, connection, session, body, signatures, said, tag, opened, words)
