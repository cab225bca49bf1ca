"""A worker asks for kinds of papers; the person gives, has not, or refuses. A refusal needs no reason and touches nothing else.

A request has a row of its own in the key vault, so that what it says dies with it. A worker can ask whom they know by a share,
living or past, or whoever shows their card: then nothing tells them whether that card opens a safe, until the person answers.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from consent.days import lasts
from consent.errors import RequestRefused
from consent.ids import GrantId, KindId, PersonId, RequestId, WorkerId
from consent.purposes import PurposeId
from consent.recipients import RecipientState
from consent.request import MEMORY_DAYS, OPEN_DAYS, Answer, Asked, Request, answer, may_ask
from crypto.canonical import Value
from crypto.errors import CryptoError, Malformed
from crypto.kem import KemPrivate, kem_public
from crypto.sealing import post_value
from storage.database import serialise
from storage.errors import RowGone
from storage.tables import accounts, grants, requests
from vault import answers, asking_sealed, audit, cards, endings, labels, sharing, slots, who
from vault.accounts import public_keys
from vault.asking_sealed import REFUSED
from vault.colleagues import colleague
from vault.context import NOBODY, Context
from vault.errors import BadInput, NotThere, Tampered
from vault.events import Event
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.shares import REACHED
from vault.sharing import Offer
from vault.unwritten import vault_row

WAITING = "requested"
TAGS = {Answer.GIVE: "share.request-given", Answer.HAVE_NOT: "share.request-have-not", Answer.REFUSE: "share.request-refused"}


@dataclass(frozen=True)
class Waiting:
    """A request that waits for the person; `kinds` are those still open."""

    request: RequestId
    worker: str
    worker_name: str
    kinds: tuple[KindId, ...]
    purpose: PurposeId
    own_words: str = field(repr=False)
    procedure: str
    asked: datetime
    last_day: date


# --- The worker -----------------------------------------------------------------------------------------------------------


def ask(
    context: Context, session: Session, through: GrantId, kinds: Sequence[str], purpose: PurposeId, *, own_words: str = "",
    procedure: str = "",
) -> RequestId:  # fmt: skip
    """Ask somebody whom one knows by a share, living or past. Raises RequestRefused, with the day when it may be asked."""
    who.worker(session)
    with context.database.transaction(read_only=True) as connection:
        query = (
            select(grants.c.person)
            .join(accounts, accounts.c.id == grants.c.person)
            .where(grants.c.id == through, grants.c.worker == session.account, accounts.c.state.in_(REACHED))
        )
        person = connection.execute(query).scalar_one_or_none()
    if person is None:
        raise NotThere
    return _ask(context, session, person, kinds, purpose, own_words, procedure, by_card=False)


def ask_with_card(
    context: Context, session: Session, card: str, kinds: Sequence[str], purpose: PurposeId, *, own_words: str = "",
    procedure: str = "",
) -> None:  # fmt: skip
    """Ask whoever shows their card. Nothing comes back: no desk can learn from it that somebody has a safe."""
    who.worker(session)
    shown = cards.read(card)
    # What is badly asked is said before anything is looked for.
    _request(context.new_id(), session.account, session.account, kinds, purpose, own_words, procedure, context.clock())
    with context.database.transaction(read_only=True) as connection:
        slot = slots.find(connection, cards.digest(shown), slots.CARD_KINDS, hold=False)
        living = (
            slot is not None
            and connection.execute(select(accounts.c.id).where(accounts.c.id == slot.account, accounts.c.state == "open")).first()
        )
    if slot is None or not living:
        _rehearse(context, session, kinds, purpose, own_words, procedure)
        return
    with suppress(RequestRefused):
        _ask(context, session, slot.account, kinds, purpose, own_words, procedure, by_card=True)


def _rehearse(
    context: Context, session: Session, kinds: Sequence[str], purpose: PurposeId, own_words: str, procedure: str
) -> None:
    """Do for nobody the work of a request: a card that opens nothing must not be answered sooner than another."""
    now = context.clock()
    request = _request(context.new_id(), session.account, session.account, kinds, purpose, own_words, procedure, now)
    text = request.to_bytes().decode()
    with context.database.transaction() as connection:
        serialise(connection, f"ask {session.account} {NOBODY}")
        to = colleague(context, connection, session.account)
        with suppress(RequestRefused):
            may_ask(request, answers.earlier(context, connection, session, NOBODY), to.recipient, now)
        place = labels.asking(person=NOBODY, worker=session.account, request=request.request)
        for _ in ("person", "worker"):
            post_value(to.kem, secrets.token_bytes(32), place, {"request": text, "answers": []})
        event = Event("share.requested", by=session.account, by_name=to.name, purpose=purpose, detail=" ".join(request.kinds))
        audit.rehearse(context, connection, event)


def _request(
    request: str, person: str, worker: str, kinds: Sequence[str], purpose: PurposeId, own_words: str, procedure: str, at: datetime
) -> Request:  # fmt: skip
    try:
        return Request(
            RequestId(request), PersonId(person), WorkerId(worker), tuple(sorted({KindId(kind) for kind in kinds})), purpose,
            own_words, procedure, at.replace(microsecond=0),
        )  # fmt: skip
    except Malformed:
        raise BadInput("kinds") from None


def _ask(
    context: Context, session: Session, person: str, kinds: Sequence[str], purpose: PurposeId, own_words: str, procedure: str, *,
    by_card: bool,
) -> RequestId:  # fmt: skip
    now = context.clock()
    request = _request(context.new_id(), person, session.account, kinds, purpose, own_words, procedure, now)
    with vault_row(context, person, request.request, requests.c.id), context.database.transaction() as connection:
        serialise(connection, f"ask {session.account} {person}")
        to = colleague(context, connection, session.account)
        may_ask(request, answers.earlier(context, connection, session, person), to.recipient, now)
        row = {"id": request.request, "person": person, "worker": session.account}
        text = request.to_bytes().decode()
        for_worker: dict[str, Value] = {"request": text, "by_card": by_card}
        public = public_keys(context, connection, person).kem
        connection.execute(
            insert(requests).values(
                **row, state=WAITING, kind="procedure" if procedure else "papers", asked=today_in_paris(now),
                for_person=asking_sealed.seal(context, row, public, {"request": text, "answers": []}),
                for_worker=asking_sealed.seal(context, row, to.kem, for_worker),
            )
        )  # fmt: skip
        event = Event(
            "share.requested", by=session.account, by_name=to.name, purpose=purpose, detail=" ".join(request.kinds)
        )  # fmt: skip
        audit.record(context, connection, session, event, person=person, worker=session.account)
    return request.request


# --- The person -----------------------------------------------------------------------------------------------------------


def waiting_for_me(context: Context, session: Session, *, away: bool = False) -> list[Waiting]:
    """What waits for the person's answer, oldest first; with `away` also from those to whom nothing can be given today."""
    private, now = KemPrivate(who.person(session).kem), context.clock()
    query = select(requests).where(requests.c.person == session.account, requests.c.state == WAITING)
    found = []
    with context.database.transaction(read_only=True) as connection:
        for row in connection.execute(query).mappings().all():
            try:
                one = _read(context, row, private)
                to = colleague(context, connection, row["worker"])
            except (Tampered, NotThere):
                continue
            here = to.recipient.state is RecipientState.CERTIFIED and (to.recipient.ends is None or lasts(to.recipient.ends, now))
            if (kinds := one.open_kinds(now)) and (here or away):
                request = one.request
                found.append(
                    Waiting(
                        request.request, request.worker, to.name, kinds, request.purpose, request.own_words, request.procedure,
                        request.asked, one.last_day(),
                    )
                )  # fmt: skip
    return sorted(found, key=lambda one: (one.asked, one.request))


def _read(context: Context, row: RowMapping, private: KemPrivate) -> Asked:
    try:
        value = asking_sealed.opened(context, row, private, row["for_person"])
        return asking_sealed.read(row, value.get("request"), value.get("answers"))
    except (CryptoError, ValueError):
        raise Tampered from None
    except RowGone:
        raise NotThere from None


def _held(connection: Connection, person: str, request: str) -> RowMapping:
    query = select(requests).where(requests.c.id == request, requests.c.person == person).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotThere
    return row


def give(
    context: Context, session: Session, request: RequestId, worker: WorkerId, kinds: Sequence[KindId], offer: Offer
) -> GrantId:  # fmt: skip
    """Yes to the worker who asked: one share for all that is answered, and the answers, in one commit. NotThere when somebody else
    asked (ADR 0136); RequestRefused, TermsRefused, BadInput."""
    with sharing.new_row(context, session.account) as grant_id, context.database.transaction() as connection:
        give_in(context, connection, session, grant_id, request, worker, kinds, offer)
    return grant_id


def give_in(
    context: Context, connection: Connection, session: Session, grant_id: GrantId, request: RequestId, worker: WorkerId,
    kinds: Sequence[KindId], offer: Offer,
) -> None:  # fmt: skip
    """The same within a commit that does more; the row of the new share is `sharing.new_row`'s."""
    row = _held(connection, session.account, request)
    if row["worker"] != worker:
        raise NotThere  # a yes for one worker is none for another
    one = _read(context, row, KemPrivate(who.person(session).kem))
    if (offer.purpose, offer.own_words) != (one.request.purpose, one.request.own_words):
        raise BadInput("purpose")  # another purpose is another share, not an answer
    body = sharing.grant_in(context, connection, session, grant_id, worker, offer)
    _say(context, connection, session, row, one, kinds, Answer.GIVE, body.name_shown, grant_id)


def have_not(context: Context, session: Session, request: RequestId, kind: KindId) -> None:
    """The person has no such paper."""
    _answer(context, session, request, kind, Answer.HAVE_NOT)


def refuse(context: Context, session: Session, request: RequestId, kind: KindId | None = None) -> None:
    """No, to one kind or to all that waits. With the card alone: to all, unread."""
    if session.kind == "person":
        _answer(context, session, request, kind, Answer.REFUSE)
        return
    with context.database.transaction() as connection:
        person = who.narrowing(connection, session)
        row = _held(connection, person, request)
        if row["state"] != WAITING:
            return
        today = today_in_paris(context.clock())
        connection.execute(update(requests).where(requests.c.id == request).values(state=REFUSED, answered=today))
        event = Event(TAGS[Answer.REFUSE], by=person)
        audit.record(context, connection, session, event, person=person, worker=row["worker"])


def refuse_all(context: Context, session: Session) -> None:
    """No to everything that waits, unread. With the card alone, or in an assisted opening. An unknown card has nothing to refuse."""
    with context.database.transaction(read_only=True) as connection:
        try:
            person = who.narrowing(connection, session)
        except NotThere:
            return
        query = select(requests.c.id).where(requests.c.person == person, requests.c.state == WAITING)
        waiting = connection.scalars(query.where(requests.c.kind != "handover")).all()
    for request in waiting:
        refuse(context, session, RequestId(request))


def _answer(context: Context, session: Session, request: RequestId, kind: KindId | None, what: Answer) -> None:
    private = KemPrivate(who.person(session).kem)
    with context.database.transaction() as connection:
        row = _held(connection, session.account, request)
        one = _read(context, row, private)
        kinds = [kind] if kind is not None else list(one.open_kinds(context.clock()))
        name = colleague(context, connection, row["worker"]).name
        _say(context, connection, session, row, one, kinds, what, name, "")


def _say(
    context: Context, connection: Connection, session: Session, row: RowMapping, one: Asked, kinds: Sequence[KindId], what: Answer,
    worker_name: str, grant: str,
) -> None:  # fmt: skip
    """Keep answers for both sides, and trace them."""
    now = context.clock()
    for kind in kinds:
        one = answer(one, kind, what, now)
        event = Event(
            TAGS[what], by=session.account, by_name=worker_name, grant=grant, purpose=one.request.purpose, detail=kind
        )  # fmt: skip
        audit.record(context, connection, session, event, person=session.account, worker=row["worker"])
    text = one.request.to_bytes().decode()
    keys = connection.execute(
        select(accounts.c.id, accounts.c.kem_public).where(accounts.c.id.in_([row["person"], row["worker"]]))
    )
    publics = {account: kem_public(public) for account, public in keys}
    connection.execute(
        update(requests)
        .where(requests.c.id == row["id"])
        .values(
            state=_state(one, now), answered=today_in_paris(now),
            for_person=asking_sealed.seal(context, row, publics[row["person"]], {"request": text, "answers": asking_sealed.told(one)}),
            answer_for_worker=asking_sealed.seal(context, row, publics[row["worker"]], {"answers": asking_sealed.told(one)}),
        )
    )  # fmt: skip


def _state(one: Asked, at: datetime) -> str:
    if one.open_kinds(at):
        return WAITING
    said = {answered.answer for answered in one.answers}
    return "given" if Answer.GIVE in said else REFUSED if Answer.REFUSE in said else "have-not"


def expire(context: Context) -> int:
    """Forget requests that no rule remembers any more; a scheduled task. Tells how many."""
    before = today_in_paris(context.clock()) - timedelta(days=MEMORY_DAYS + OPEN_DAYS)
    with context.database.transaction() as connection:
        old = connection.execute(select(requests.c.id).where(requests.c.asked < before)).scalars().all()
        endings.end_rows(context, connection, [("grant", one) for one in old])
        connection.execute(delete(requests).where(requests.c.id.in_(old)))
    return len(old)
