"""The person gives papers once to somebody outside, by a link and a code; reads what became of it; takes it back with the card alone.

Nothing here renders: what the holder of a link does is in `outside_opening`. A dossier that a worker made stands in the same list,
as something that has left and cannot be taken back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, insert, select, update

from consent.days import whole_second
from consent.grant import GrantState
from consent.ids import EntryId, GrantId, KindId, PaperId, PersonId, RecordId
from consent.outside import DAYS, OPENINGS, OutsideBody, check_may_give, ended_receipt, given_receipt
from consent.purposes import PRIVATE, PurposeId, ShelfKind
from consent.receipt import Frame, SignedReceipt, digest, sign_receipt
from consent.record import Entity, Receipt
from consent.terms import GivenHow, Method
from crypto.errors import CryptoError, Malformed
from crypto.kem import KemPrivate, KemPublic, kem_public
from crypto.sealing import open_posted_text, open_posted_value, post_text, post_value
from crypto.signing import Signer
from storage.errors import RowGone
from storage.tables import accounts, kiosks, operators, outside_changes, outside_shares, outside_wraps, receipts, structures
from vault import aftermath, audit, endings, labels, outside_links, restricting, sessions, sharing, shelves, who
from vault import outside_wraps as wraps
from vault.context import NOBODY, Context
from vault.errors import BadInput, NotThere, Tampered
from vault.events import Event
from vault.one_by_one import each
from vault.outside_links import Secrets
from vault.receipts import CHANGE_AT, Said
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.versions import Witnesses, current_of, meet, one_refusal, open_version, secret_of
from vault.withdrawing import BY_SERVICE

GIVEN, HANDED = GrantState.GIVEN.value, "handed"
ROLE = "outsider"
UNNAMED = "Une personne extérieure"  # in a record made without the person's keys, which alone read the name
TAGS = {GrantState.WITHDRAWN: "outside.withdrawn", GrantState.EXPIRED: "outside.expired"}


@dataclass(frozen=True)
class OutsideOffer:
    """What the person chose, in the order of the pages; `words` is the purpose as it was shown."""

    papers: Sequence[PaperId]
    recipient: str
    purpose: PurposeId
    said: Said
    own_words: str = ""
    words: str = ""
    marked: bool = True


def refuse_too_early(context: Context, session: Session) -> None:
    """Before the first question of a link: AfterRecovery less than a day after somebody came back (ADR 0073)."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        aftermath.refuse_while_held(context, connection, session.account)


@dataclass(frozen=True)
class Given:
    """What is shown once: the link, the code, and until when."""

    share: GrantId
    secrets: Secrets = field(repr=False)
    until: datetime


@dataclass(frozen=True)
class OutsideCard:
    """A line of "Qui peut voir ?". Without the person's keys only the first four are known."""

    share: GrantId
    state: str
    until: datetime
    openings_left: int
    recipient: str = field(default="", repr=False)
    purpose: PurposeId | None = None
    own_words: str = field(default="", repr=False)
    papers: int = 0
    by: str = ""
    opened: tuple[datetime, ...] = ()


# --- What is kept ---------------------------------------------------------------------------------------------------------


def _vaulted(context: Context, person: str, share: str, party: str, place: bytes) -> bytes:
    """What the link reads dies with the share; what the person reads stays theirs."""
    return (
        context.keyvault.derive("person", person, place) if party == "person" else context.keyvault.derive("grant", share, place)
    )


def post_body(context: Context, public: KemPublic, person: str, share: str, party: str, body: Mapping[str, str]) -> bytes:
    """What was given, for the person or for the link."""
    place = labels.outside_body(person=person, share=share, party=party)
    return post_value(public, _vaulted(context, person, share, party, place), place, body)


def open_body(context: Context, private: KemPrivate, person: str, share: str, party: str, posted: bytes) -> dict[str, str]:
    """Read it; CryptoError, RowGone."""
    place = labels.outside_body(person=person, share=share, party=party)
    value = open_posted_value(private, _vaulted(context, person, share, party, place), place, posted)
    return {name: one for name, one in value.items() if isinstance(one, str)}


def _controller(connection: Connection, kiosk: str | None) -> Entity:
    """The association whose kiosk it is; the first one, when it is nobody's kiosk."""
    query = select(operators).order_by(operators.c.id)
    if kiosk:
        places = select(structures.c.operator).join(kiosks, kiosks.c.structure == structures.c.id).where(kiosks.c.id == kiosk)
        query = query.where(operators.c.id.in_(places))
    row = connection.execute(query.limit(1)).one_or_none()
    return Entity(row.name, row.id, "", row.contact or row.name) if row else Entity("Abri", NOBODY, "", CHANGE_AT)


def _frame(
    context: Context, connection: Connection, session: Session | None, person: str, share: str, entry: str, to: str
) -> Frame:
    before = select(outside_changes.c.id).where(outside_changes.c.share == share).order_by(outside_changes.c.at.desc()).limit(1)
    last = connection.execute(before).scalar_one_or_none()
    return Frame(
        record=RecordId(context.new_id()), subject=person, controller=_controller(connection, session.kiosk if session else None),
        recipient=Entity(to or UNNAMED, share, ROLE, to or UNNAMED), change_at=CHANGE_AT, at=context.clock(), entry=EntryId(entry),
        replaces=RecordId(last) if last else None,
    )  # fmt: skip


def _keep_receipt(
    context: Context, connection: Connection, receipt: Receipt, person: str, signer: Signer | None
) -> SignedReceipt:
    signed = sign_receipt(receipt, PersonId(person), service=context.service, person=signer)
    place = labels.receipt(person=person, grant=receipt.grant, receipt=receipt.record)
    public = kem_public(connection.execute(select(accounts.c.kem_public).where(accounts.c.id == person)).scalar_one())
    vaulted = context.keyvault.derive("person", person, place)
    connection.execute(
        insert(receipts).values(
            id=receipt.record, grant=None, for_person=post_text(public, vaulted, place, signed.to_bytes().decode()),
            digest=digest(receipt).hex(), created=today_in_paris(context.clock()),
        )
    )  # fmt: skip
    connection.execute(
        insert(outside_changes).values(
            id=receipt.record, share=receipt.grant, state=receipt.change.state.value, at=context.clock()
        )
    )  # fmt: skip
    return signed


# --- Giving ---------------------------------------------------------------------------------------------------------------


def give(
    context: Context, session: Session, offer: OutsideOffer, with_it: Callable[[Connection, Given], None] | None = None
) -> Given:  # fmt: skip
    """Give papers to one named person outside. TermsRefused on the first day, NotThere, BadInput, AfterRecovery.

    `with_it` is written in the same commit; what it raises leaves nothing behind.
    """
    keys = who.person(session)
    shown, salt, cost, now = outside_links.draw(), outside_links.new_salt(), context.settings.cost, whole_second(context.clock())
    with sharing.new_row(context, session.account, kept_in=outside_shares.c.id) as share:
        place = labels.outside_key(person=session.account, share=share)
        with context.derivations.turn(session.kiosk):
            seed = outside_links.key_seed(shown, salt, cost, place, outside_links.vaulted(context, session.account, share))
        public = KemPrivate(seed).public
        body = _body(session.account, share, offer, now)
        given = Given(share, shown, body.until)
        with sessions.acting(context, session) as connection:
            if with_it is not None:
                with_it(connection, given)
            restricting.refuse(connection, session.account)
            aftermath.refuse_while_held(context, connection, session.account)
            check_may_give(sharing.safe_opened(connection, session.account), now)
            shelves.hold_all(connection, session.account)
            row = {
                "id": share, "person": session.account, "state": GIVEN, "link_digest": outside_links.digest(shown.link), "salt": salt,
                "public_key": bytes(public), "memory_cost": cost.m, "time_cost": cost.t, "openings_left": body.openings,
                "until": body.until, "created": today_in_paris(now), "body_for_person": b"", "body_for_link": b"",
            }  # fmt: skip
            connection.execute(insert(outside_shares).values(row))
            data = _hand_over(context, connection, session, body, public)
            event = Event(
                "outside.given", by=session.account, grant=share, purpose=body.purpose, title=body.recipient,
                place=session.kiosk or "",
            )  # fmt: skip
            entry = audit.record(context, connection, session, event, person=session.account)
            frame = _frame(context, connection, session, session.account, share, entry, body.recipient)
            receipt = given_receipt(frame, body, offer.said.how(session), data, offer.words)
            signed = _keep_receipt(context, connection, receipt, session.account, Signer(keys.sign))
            text = {"body": body.to_bytes().decode()}
            proof = {**text, "receipt": signed.to_bytes().decode()}
            connection.execute(
                update(outside_shares)
                .where(outside_shares.c.id == share)
                .values(
                    body_for_person=post_body(context, KemPrivate(keys.kem).public, session.account, share, "person", text),
                    body_for_link=post_body(context, public, session.account, share, "link", proof),
                )
            )  # fmt: skip
    return given


def _body(person: str, share: GrantId, offer: OutsideOffer, now: datetime) -> OutsideBody:
    try:
        return OutsideBody(
            share, PersonId(person), offer.recipient, offer.purpose, offer.own_words, tuple(offer.papers), now + timedelta(days=DAYS),
            OPENINGS, offer.marked, now,
        )  # fmt: skip
    except Malformed:
        raise BadInput("recipient") from None


def _hand_over(
    context: Context, connection: Connection, session: Session, body: OutsideBody, public: KemPublic
) -> dict[ShelfKind, list[KindId]]:  # fmt: skip
    """A wrap for each paper; gives which kinds lie in which drawers, as the receipt says it."""
    keys = who.person(session)
    opened = shelves.open_all(connection, session.account, keys.values)
    witnesses = Witnesses.own(context, connection, session.account, keys)
    data: dict[ShelfKind, list[KindId]] = {}
    for paper in body.papers:
        row = current_of(connection, session.account, paper)
        kind = opened.kind_of(row.lies_in)
        if row.state not in ("kept", "to-read") or kind is None or kind == PRIVATE:
            raise NotThere
        with one_refusal():
            secret = secret_of(context, opened, row)
        found = open_version(context, connection, row, secret, witnesses)  # what is not whole is not handed over
        wraps.hand(
            context, connection, person=session.account, share=body.share, public=public, paper=paper, version=row.id, secret=secret
        )  # fmt: skip
        data.setdefault(kind, []).extend([KindId(found.card.sort)] if found.card.sort else [])
    meet(connection, session.account, body.papers)
    return data


# --- What became of it ----------------------------------------------------------------------------------------------------


def mine(context: Context, session: Session, *, ended: bool = False, openings: bool = True) -> list[OutsideCard]:
    """What the person gave to people outside and that still opens, or all that is over; oldest first.

    Without `openings` nothing of the trace is opened; with them, nothing that is older than the links.
    """
    with context.database.transaction(read_only=True) as connection:
        try:
            person = who.narrowing(connection, session)
        except NotThere:
            return []  # a card that nobody knows reads what a person reads who gave nothing
        state = outside_shares.c.state != GIVEN if ended else outside_shares.c.state == GIVEN
        query = select(outside_shares).where(outside_shares.c.person == person, state)
        rows = connection.execute(query.order_by(outside_shares.c.until, outside_shares.c.id)).all()
    if session.kind != "person":
        return [OutsideCard(GrantId(row.id), row.state, row.until, row.openings_left) for row in rows]
    private = KemPrivate(who.person(session).kem)
    opened: dict[str, list[datetime]] = {}
    if openings and rows:
        for entry in audit.history(context, session, since=min(row.created for row in rows)):
            if entry.event.tag == "outside.opened":
                opened.setdefault(entry.event.grant, []).append(entry.at)
    found = []
    for row in rows:
        try:
            told = open_body(context, private, person, row.id, "person", row.body_for_person)
            body = OutsideBody.from_bytes(told["body"].encode())
        except (CryptoError, KeyError, RowGone):
            continue
        found.append(
            OutsideCard(
                GrantId(row.id), row.state, row.until, row.openings_left, body.recipient, body.purpose, body.own_words,
                len(body.papers), told.get("by", ""), tuple(opened.get(row.id, ())),
            )
        )  # fmt: skip
    return found


def read_receipts(context: Context, connection: Connection, session: Session, share: GrantId) -> list[SignedReceipt]:
    """The receipts of what was given, oldest first, in the caller's transaction. NotThere, Tampered."""
    private = KemPrivate(who.person(session).kem)
    owner = connection.execute(select(outside_shares.c.person).where(outside_shares.c.id == share)).scalar_one_or_none()
    if owner != session.account:
        raise NotThere
    query = (
        select(receipts.c.id, receipts.c.for_person, receipts.c.digest)
        .join(outside_changes, outside_changes.c.id == receipts.c.id)
        .where(outside_changes.c.share == share)
        .order_by(outside_changes.c.at)
    )
    found = []
    for row in connection.execute(query):
        place = labels.receipt(person=session.account, grant=share, receipt=row.id)
        with one_refusal():
            vaulted = context.keyvault.derive("person", session.account, place)
            signed = SignedReceipt.from_bytes(open_posted_text(private, vaulted, place, row.for_person).encode())
        if digest(signed.receipt).hex() != row.digest:
            raise Tampered
        found.append(signed)
    return found


# --- Ending ---------------------------------------------------------------------------------------------------------------


def withdraw(context: Context, session: Session, share: GrantId, said: Said) -> None:
    """Take it back: the link opens nothing at the next request. The card alone is enough. Safe to repeat; NotThere."""
    with context.database.transaction() as connection:
        person = who.narrowing(connection, session)
        query = select(outside_shares).where(outside_shares.c.id == share, outside_shares.c.person == person)
        row = connection.execute(query.with_for_update()).one_or_none()
        if row is None:
            raise NotThere
        if row.state != GIVEN:
            endings.end_row(context, connection, "grant", share)
            return
        signer = Signer(session.opened().sign) if session.kind == "person" else None
        before = _receipt_before(context, connection, session, share) if signer else None
        _close(context, connection, share, person, GrantState.WITHDRAWN, session, said.how(session), signer, before)


def _receipt_before(context: Context, connection: Connection, session: Session, share: GrantId) -> Receipt | None:
    try:
        return read_receipts(context, connection, session, share)[-1].receipt
    except (Tampered, IndexError):
        return None  # an ending is recorded even when the record before it does not open


def _close(
    context: Context, connection: Connection, share: GrantId, person: str, state: GrantState, session: Session | None,
    how: GivenHow, signer: Signer | None, before: Receipt | None,
) -> None:  # fmt: skip
    closed = {"state": state.value, "body_for_link": b"", "link_digest": None, "openings_left": 0}
    connection.execute(update(outside_shares).where(outside_shares.c.id == share).values(closed))
    had = connection.execute(select(outside_wraps.c.paper).where(outside_wraps.c.share == share)).scalars().all()
    wraps.take_back(context, connection, had, share)
    to = before.recipient.name if before else ""
    event = Event(
        TAGS[state], by=person if session else "", grant=share, title=to, place=(session.kiosk or "") if session else ""
    )  # fmt: skip
    entry = audit.record(context, connection, session, event, person=person)
    receipt = ended_receipt(_frame(context, connection, session, person, share, entry, to), share, state, how, before)
    _keep_receipt(context, connection, receipt, person, signer)
    endings.end_row(context, connection, "grant", share)


def expire(context: Context) -> int:
    """End the links whose time is over; a scheduled task, one commit each. Tells how many."""
    with context.database.transaction(read_only=True) as connection:
        over = (outside_shares.c.state == GIVEN, outside_shares.c.until <= context.clock())
        due = connection.execute(select(outside_shares.c.id).where(*over)).scalars().all()
    return each("link expired", due, partial(_expire_one, context))


def _expire_one(context: Context, share: str) -> bool:
    with context.database.transaction() as connection:
        over = (outside_shares.c.id == share, outside_shares.c.state == GIVEN, outside_shares.c.until <= context.clock())
        person = connection.execute(select(outside_shares.c.person).where(*over).with_for_update()).scalar_one_or_none()
        if person is None:
            return False  # taken back since we looked
        how = BY_SERVICE.by(Method.SERVICE, None)
        _close(context, connection, GrantId(share), person, GrantState.EXPIRED, None, how, None, None)
    return True
