"""Coming back after losing everything: guardians recognise the person, each sends a part of the recovery secret to the kiosk.

The kiosk's session holds a key pair made for this recovery; six random digits, shown to the person alone, tie what a guardian
types at their own desk to this kiosk. Parts are joined nowhere but in the session where the person stands (`vault.coming_back`).
Nothing here lets anybody search for a person: a safe is designated by its card, its number, or a guardian's own list.
"""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from crypto import circle as cutting
from crypto import contexts
from crypto.errors import Malformed, Undecryptable
from crypto.kem import kem_public, public_key
from crypto.keys import KemSeed, SheetSecret, TraceKey, kdf
from crypto.printed import parse_sheet_digits, parse_sheet_text
from crypto.signing import Signer
from crypto.statements import CircleFormed, Confirmation, TheftConfirmed
from crypto.trace import post_trace_key
from storage.errors import RowGone
from storage.tables import attempts as tried
from storage.tables import (
    circle_members,
    circle_shares,
    circles,
    kiosks,
    persons,
    recoveries,
    recovery_confirmations,
    slots,
    workers,
)
from vault import account_numbers, aftermath, attempts, audit, cards, erasure, labels, sessions, who
from vault.context import Context
from vault.errors import BadInput, NoSession, NotAllowed, NotThere, Tampered, WrongSecret
from vault.events import Event
from vault.places import place_of
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.underway import circle_of, may_open, underway

Reason = Literal["lost", "forgotten", "stolen", "named"]
REASONS: tuple[Reason, ...] = ("lost", "forgotten", "stolen")
CODE_LASTS = dt.timedelta(minutes=10)
CODE_TRIES = 3
SESSION_LASTS = dt.timedelta(minutes=30)
FAR_WAITS = dt.timedelta(hours=24)  # with a sheet, or when every guardian is far away
FAR_LASTS = dt.timedelta(days=7)
THEFT_BARS = dt.timedelta(hours=72)  # how long an old card stays barred if the person does not come back meanwhile
BARS_AGAIN = dt.timedelta(days=30)  # one guardian's word alone does it no more often
CARD_KINDS = ("card-pin", "card-pictures")


@dataclass(frozen=True)
class Started:
    """A recovery that begins: the cookie of its session, and the code that the person says to their guardians."""

    cookie: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True)
class Progress:
    """Where a recovery stands, as the kiosk shows it. `total` is None until somebody has recognised the person: a card that was
    shown, or a number, must not tell by itself that it belongs to a safe."""

    code: str | None = field(repr=False)
    code_until: dt.datetime
    answers: int
    total: int | None
    theft: bool
    ready: bool
    must_wait: bool
    reason: str


def start(context: Context, kiosk: str, reason: Reason, *, card: str | None = None, number: str | None = None) -> Started:
    """Begin at an enrolled kiosk, which guardians' signatures name. An unknown card or number looks like none at all."""
    if reason not in REASONS:
        raise BadInput("reason")
    with context.database.transaction() as connection:
        person = _designated(context, connection, card, number)
        started_here = begin(context, connection, kiosk, reason, person)
        if person:
            started = Event("recovery.started", place=place_of(connection, kiosk), detail=reason)
            audit.record(context, connection, None, started, person=person)
        else:
            _as_much_work(context)
    return started_here


def begin(context: Context, connection: Connection, kiosk: str, reason: Reason, person: str | None) -> Started:
    """The recovery's row, its key pair and its session, in the caller's transaction. BadInput("kiosk") elsewhere."""
    seed, name, now = KemSeed.random(), context.new_id(), context.clock()
    if connection.execute(select(kiosks.c.id).where(kiosks.c.id == kiosk, kiosks.c.state == "in-use")).first() is None:
        raise BadInput("kiosk")
    code = _free_code(context, connection)
    connection.execute(
        insert(recoveries).values(
            id=name, person=person, kiosk=kiosk, reason=reason, state="asking", public_key=bytes(public_key(seed)),
            code_digest=_code_digest(context, code), tries_left=CODE_TRIES, code_term=now + CODE_LASTS,
            created=now, opens=None, term=now + SESSION_LASTS,
        )
    )  # fmt: skip
    kept = {"recovery": name, "seed": bytes(seed).hex(), "code": code}
    return Started(sessions.open_for(context, connection, kind="recovering", kiosk=kiosk, state=kept), code)


def _as_much_work(context: Context) -> None:
    """What an entry in somebody's history costs, for nobody: time must not tell a known card from an unknown one."""
    for _ in ("person", "incident"):
        place = contexts.trace_key(session=context.new_id(), party=contexts.INCIDENT)
        post_trace_key(context.settings.incident_key, secrets.token_bytes(32), place, TraceKey.random())


def _designated(context: Context, connection: Connection, card: str | None, number: str | None) -> str | None:
    if card is not None:
        try:
            shown = cards.digest(cards.read(card))
        except WrongSecret:
            return None
        query = select(slots.c.account).where(
            slots.c.shown_digest == shown, slots.c.kind.in_(CARD_KINDS), slots.c.state != "pending"
        )
        return connection.execute(query.limit(1)).scalar_one_or_none()
    if number is not None:
        digest = account_numbers.looked_up(context, connection, account_numbers.read(number))
        return connection.execute(select(persons.c.account).where(persons.c.number_digest == digest)).scalar_one_or_none()
    return None


def _code_digest(context: Context, code: str) -> str:
    """A code is looked up by this; keyed by the service, because six digits are soon tried."""
    return kdf(context.settings.service_seal, labels.recovery_code(code=code), 32).hex()


def _free_code(context: Context, connection: Connection) -> str:
    """Six random digits that designate no other recovery of the last ten minutes."""
    taken = set(connection.scalars(select(recoveries.c.code_digest).where(recoveries.c.code_term > context.clock())))
    while True:
        code = f"{secrets.randbelow(10**6):06}"
        if _code_digest(context, code) not in taken:
            return code


def new_code(context: Context, session: Session) -> str:
    """Another code for the same recovery, when the first one is over."""
    with context.database.transaction() as connection:
        state = _state(connection, session)
        code = _free_code(context, connection)
        fresh = {"code_digest": _code_digest(context, code), "tries_left": CODE_TRIES, "code_term": context.clock() + CODE_LASTS}
        ours = (recoveries.c.id == state["recovery"], recoveries.c.state == "asking")
        if not connection.execute(update(recoveries).where(*ours).values(**fresh)).rowcount:
            raise NoSession
        sessions.write_state(connection, session, {**state, "code": code})
    return code


def _state(connection: Connection, session: Session) -> dict[str, Any]:
    if session.kind != "recovering":
        raise NotAllowed
    state = sessions.read_state(connection, session)
    if not state.get("recovery"):
        raise NoSession
    return dict(state)


def seed_of(connection: Connection, session: Session) -> tuple[str, KemSeed]:
    """The recovery of a session, and its private key."""
    state = _state(connection, session)
    return str(state["recovery"]), KemSeed(bytes.fromhex(str(state["seed"])))


def state(context: Context, session: Session) -> Progress:
    """Where this recovery stands."""
    with context.database.transaction() as connection:  # the session's row is held while its state is read
        kept = _state(connection, session)
        now = context.clock()
        found = underway(context, connection, str(kept["recovery"]))
    code_lives = found.row["code_term"] > now and found.row["tries_left"] > 0
    answered = len({one["member"] for one in found.confirmed})
    ready = found.whole is not None and may_open(found, now)
    return Progress(
        code=str(kept["code"]) if code_lives and "code" in kept else None,
        code_until=found.row["code_term"],
        answers=answered,
        total=found.said.k if found.said and found.confirmed else None,
        theft=found.theft,
        ready=ready,
        must_wait=found.whole is not None and not ready,
        reason=found.row["reason"],
    )


def confirm(
    context: Context, session: Session, member: str, code: str, *, theft: bool, beside: bool, named: bool = False
) -> None:  # fmt: skip
    """A guardian recognises somebody of their own list and sends their parts to the kiosk whose code they typed.

    `named`: for whom the person named, after their death (`vault.handing`); such a kiosk is answered in no other way.

    Raises NotThere (nobody of their list), WrongSecret (no such code now), MustWait (three wrong codes: ten minutes).
    """
    keys = who.worker(session)
    person, circle = ward(context, session, member)
    recovery = _typed(context, session, person, code)
    with context.database.transaction() as connection:
        row = connection.execute(select(recoveries).where(recoveries.c.id == recovery).with_for_update()).mappings().one()
        if row["state"] != "asking" or row["person"] not in (None, person) or row["term"] <= context.clock():
            raise WrongSecret
        if (row["reason"] == "named") != named:
            raise WrongSecret
        said = circle_of(context, connection, person)
        if said is None or said.circle != circle:
            raise NotThere
        if row["person"] is None:
            connection.execute(update(recoveries).where(recoveries.c.id == recovery).values(person=person))
            started = Event("recovery.started", place=place_of(connection, row["kiosk"]), detail=row["reason"])
            audit.record(context, connection, None, started, person=person)
        _send_parts(context, connection, row, said, member, keys.kem, signer=Signer(keys.sign), theft=theft, beside=beside)
        if _may_bar(context, connection, recovery):
            _bar_cards(context, connection, person, recovery)
        name = connection.execute(select(workers.c.first_name).where(workers.c.account == session.account)).scalar_one()
        confirmed = Event("recovery.confirmed", by=session.account, by_name=name, detail="theft" if theft else "")
        audit.record(context, connection, session, confirmed, person=person, worker=session.account)


def ward(context: Context, session: Session, member: str) -> tuple[str, str]:
    """Whom this member's row is about. The worker must still be one who may be a guardian."""
    with context.database.transaction(read_only=True) as connection:
        query = select(circles.c.person, circles.c.id).join(circle_members, circle_members.c.circle == circles.c.id)
        ours = (circle_members.c.id == member, circle_members.c.worker == session.account, circles.c.state == "living")
        row = connection.execute(query.where(*ours)).one_or_none()
        working = connection.execute(select(workers.c.state).where(workers.c.account == session.account)).scalar_one_or_none()
    if row is None or working != "certified":
        raise NotThere
    return row.person, row.id


def _typed(context: Context, session: Session, person: str, code: str) -> str:
    """The recovery that a typed code designates. A wrong one counts against the guardian and this person's recoveries."""
    now, digest = context.clock(), _code_digest(context, code)
    typist = kdf(context.settings.service_seal, labels.code_typist(worker=session.account), 32).hex()
    with context.database.transaction() as connection:
        living = (recoveries.c.state == "asking", recoveries.c.code_term > now, recoveries.c.tries_left > 0)
        _count(context, connection, typist)
        row = connection.execute(
            select(recoveries.c.id, recoveries.c.code_digest).where(*living, recoveries.c.code_digest == digest)
        )
        for found in row:
            if hmac.compare_digest(found.code_digest, digest):
                attempts.forget(connection, typist)
                return str(found.id)
        fewer = update(recoveries).where(*living, recoveries.c.person == person)
        connection.execute(fewer.values(tries_left=recoveries.c.tries_left - 1))
    raise WrongSecret


def _count(context: Context, connection: Connection, typist: str) -> None:
    """One more code of this guardian, wrong until it is looked at: many at once are three. MustWait.

    After three they wait ten minutes: a longer wait would harm who is waiting.
    """
    now, row = context.clock(), attempts.hold(context, connection, typist)
    wrong = 1 if now - row.last > CODE_LASTS else row.wrong + 1
    wait = now + CODE_LASTS if wrong >= CODE_TRIES else None
    counted = {"wrong": wrong % CODE_TRIES, "wait_until": wait, "last": now}
    connection.execute(update(tried).where(tried.c.shown_digest == typist).values(**counted))


def _send_parts(
    context: Context,
    connection: Connection,
    row: RowMapping,
    said: CircleFormed,
    member: str,
    seed: KemSeed,
    *,
    signer: Signer | None,
    theft: bool = False,
    beside: bool = False,
) -> None:
    """Open a guardian's part in each of their sets, post it to the kiosk's key, signed by them. A sheet signs nothing."""
    kiosk = kem_public(row["public_key"])
    for number, members in enumerate(said.sets):
        if member not in members:
            continue
        kept = (circle_shares.c.circle == said.circle, circle_shares.c.set == str(number), circle_shares.c.member == member)
        sealed = connection.execute(select(circle_shares.c.share).where(*kept)).scalar_one_or_none()
        share_place = contexts.share(person=said.person, circle=said.circle, set=number, member=member)
        move_place = contexts.share_move(recovery=row["id"], person=said.person, circle=said.circle, set=number, member=member)
        try:
            if sealed is None:
                raise Undecryptable
            part = cutting.open_share(seed, context.keyvault.derive("grant", said.circle, share_place), share_place, sealed)
            moved = cutting.move_share(kiosk, context.keyvault.derive("grant", said.circle, move_place), move_place, part)
        except (Undecryptable, RowGone) as error:
            raise Tampered from error
        statement = Confirmation(row["id"], said.person, said.circle, number, row["kiosk"], bytes(kiosk))
        signature = signer.sign(statement) if signer else None
        if signer and signature and theft:
            signature += signer.sign(TheftConfirmed(row["id"], said.person, said.circle, number))
        again = (
            recovery_confirmations.c.recovery == row["id"],
            recovery_confirmations.c.member == member,
            recovery_confirmations.c.set == str(number),
        )
        connection.execute(delete(recovery_confirmations).where(*again))
        connection.execute(
            insert(recovery_confirmations).values(
                recovery=row["id"], member=member, set=str(number), moved_share=moved, statement=statement.encode(),
                signature=signature, theft=theft, beside=beside, at=context.clock(),
            )
        )  # fmt: skip


def _may_bar(context: Context, connection: Connection, recovery: str) -> bool:
    """Whether a theft or pressure confirmed here bars the old ways: one guardian's word does once in thirty days, with another
    guardian or a sheet it always does.

    Else one of them alone would keep its owner out for ever, an hour before each end (ADR 0103).
    """
    query = select(recovery_confirmations.c.theft, circle_members.c.id, circle_members.c.barred)
    query = query.join(circle_members, circle_members.c.id == recovery_confirmations.c.member)
    sent = connection.execute(query.where(recovery_confirmations.c.recovery == recovery)).all()
    since = today_in_paris(context.clock()) - BARS_AGAIN
    first = any(one.theft and (one.barred is None or one.barred <= since) for one in sent)
    return first or (any(one.theft for one in sent) and len({one.id for one in sent}) > 1)


def _bar_cards(context: Context, connection: Connection, person: str, recovery: str) -> None:
    """From the first confirmed theft on, every old way in meets the page of an unknown card, and its sessions end.

    An erasure that was asked ends first: whoever has the card and the code may have asked it, and would cancel it to open again.
    A card of before an earlier recovery says stop no more: it may be the stolen one.
    """
    erasure.cancel_all(context, connection, person)
    saying = (slots.c.account == person, slots.c.state == "vetoing")
    aftermath.end_ways(context, connection, connection.scalars(select(slots.c.id).where(*saying).with_for_update()).all())
    here = (recovery_confirmations.c.recovery == recovery, recovery_confirmations.c.theft)
    said = circle_members.c.id.in_(select(recovery_confirmations.c.member).where(*here))
    connection.execute(update(circle_members).where(said).values(barred=today_in_paris(context.clock())))
    until = context.clock() + THEFT_BARS
    ways = (slots.c.account == person, slots.c.kind != "recovery")
    connection.execute(update(slots).where(*ways, slots.c.state == "live").values(state="barred", veto_until=until))
    connection.execute(
        update(slots).where(*ways, slots.c.state == "barred", slots.c.veto_until.is_not(None)).values(veto_until=until)
    )
    sessions.end_all(context, connection, account=person)


def with_sheet(context: Context, session: Session, sheet: str) -> None:
    """A rescue sheet is shown at the kiosk (its QR code, or its 40 digits). The safe must have been designated before."""
    secret = read_sheet(sheet)
    seed = cutting.sheet_seed(secret)
    with context.database.transaction() as connection:
        found = underway(context, connection, str(_state(connection, session)["recovery"]))
        if found.said is None:
            raise WrongSecret
        public = bytes(public_key(seed))
        theirs = (
            circle_members.c.circle == found.said.circle,
            circle_members.c.kind == "sheet",
            circle_members.c.public_key == public,
        )
        member = connection.execute(select(circle_members.c.id).where(*theirs)).scalar_one_or_none()
        if member is None:
            raise WrongSecret
        _send_parts(context, connection, found.row, found.said, member, seed, signer=None)
        if _may_bar(context, connection, found.row["id"]):
            _bar_cards(context, connection, found.said.person, found.row["id"])
        audit.record(context, connection, None, Event("recovery.confirmed", detail="sheet"), person=found.said.person)


def read_sheet(shown: str) -> SheetSecret:
    """The secret of a sheet from its QR code or its digits, spaces left out. Anything else opens nothing: WrongSecret."""
    text = "".join(sign for sign in shown if sign not in " -\u00a0\u202f\r\n\t")
    try:
        return parse_sheet_digits(text) if text.isdigit() else parse_sheet_text(shown.strip())
    except Malformed as error:
        raise WrongSecret from error
