"""The end of a recovery: parts are joined where the person stands, everything is verified, then one transaction changes it all.

New card, new code, new recovery secret, new circle; old ways, old circle, old sessions end. Before that commit the old way opens,
after it the new one does: never neither. For a day the old card and code may say stop, unless a guardian confirmed theft.

With a rescue sheet, or when every guardian is far away, a day passes first. No session lives that long: the recovery's private
key waits sealed under the new card and the new code, chosen before going, exactly as a way in would be (ADR 0010).
"""

import datetime as dt
import math
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, RowMapping, delete, select, update

from crypto import circle as cutting
from crypto import contexts, unlock
from crypto.errors import BadSignature, Malformed, Undecryptable
from crypto.kem import public_key
from crypto.keys import AccountKeys, AccountSecret, KemSeed, Password
from crypto.signing import SIGNATURE_BYTES, sign_public_from, verify
from crypto.statements import CircleFormed, Confirmation, TheftConfirmed
from crypto.unlock import Kind
from storage.errors import RowGone
from storage.tables import circle_members, recoveries, workers
from storage.tables import slots as ways
from vault import (
    accounts,
    aftermath,
    audit,
    cards,
    circles,
    counting,
    directives,
    erasure,
    freezing,
    mourning,
    notices,
    recovery,
    sessions,
    slots,
    trying,
    waiting,
)
from vault.certifying import verified_certificate
from vault.context import Context
from vault.errors import AlreadyKnown, Conflict, GuardianLeft, MustWait, NoSession, Tampered, WrongSecret
from vault.events import Event
from vault.notices import Notice
from vault.opening import check_chosen
from vault.sessions import Session
from vault.shown_cards import CARD
from vault.slots import Slot
from vault.underway import Underway, refuse_finished, underway
from vault.unlocking import Chosen, card_password, try_card


@dataclass(frozen=True)
class Opened:
    """What the joined parts opened, verified, before anything changes."""

    recovery: str
    said: CircleFormed
    reason: str
    theft: bool
    guardians: tuple[str, ...]
    secret: AccountSecret = field(repr=False)
    keys: AccountKeys = field(repr=False)

    @property
    def person(self) -> str:
        """Who comes back."""
        return self.said.person


def finish(context: Context, session: Session, card: str, chosen: Chosen) -> str:
    """Come back with a new card and a new code: gives the cookie of the person's session. Conflict when it is not time yet."""
    with context.database.transaction() as connection:
        name, seed = recovery.seed_of(connection, session)
    cookie = _finish(context, name, seed, session.kiosk, card, chosen)
    sessions.end(context, session)
    return cookie


def _finish(context: Context, name: str, seed: KemSeed, kiosk: str | None, card: str, chosen: Chosen) -> str:
    check_chosen(chosen)
    new_card = cards.read(card)
    (kind, password), shown = card_password(new_card, chosen), cards.digest(new_card)
    with context.database.transaction() as connection:
        opened = _open(context, connection, _of_the_person(underway(context, connection, name)), seed)
        _refuse_taken(connection, shown, opened.person)
    new = slots.make(context, opened.person, kind, opened.secret, password, shown=shown, kiosk=kiosk)
    with slots.given_up(context, new), context.database.transaction() as connection:
        found = underway(context, connection, name)  # held until the commit: two clicks finish once
        refuse_finished(found, context.clock())
        if found.said != opened.said:
            raise Conflict
        _refuse_taken(connection, shown, opened.person)
        return _change_everything(context, connection, opened, new, kiosk, card)


def _change_everything(context: Context, connection: Connection, opened: Opened, new: Slot, kiosk: str | None, card: str) -> str:
    person, guardians = opened.person, ", ".join(opened.guardians)
    sessions.end_all(context, connection, account=person)
    _end_old_ways(context, connection, opened)
    slots.keep(context, connection, new)
    _form_again(context, connection, opened)
    _live_again(context, connection, opened)
    done = Event("recovery.finished", by=person, by_name=guardians, detail=opened.reason)
    audit.record(context, connection, None, done, person=person)
    counting.count(context, connection, kiosk, "recoveries")
    notices.tell(context, connection, person, Notice("recovered", {"guardians": guardians}))
    return sessions.open_for(
        context,
        connection,
        kind="person",
        account=person,
        slot=new.id,
        kiosk=kiosk,
        keys=opened.keys,
        state={CARD: card},
    )


def _of_the_person(found: Underway) -> Underway:
    """What was begun for somebody named after a death gives no card and no code; Conflict."""
    if found.row["reason"] == "named":
        raise Conflict
    return found


def opened_for_named(context: Context, connection: Connection, name: str, seed: KemSeed) -> Opened:
    """What the guardians' parts open for whom the person named, in the caller's transaction: nothing is changed. Raises Conflict."""
    found = underway(context, connection, name)
    if found.row["reason"] != "named" or found.whole is None:
        raise Conflict
    return _open(context, connection, replace(found, at_once=True), seed)


def _refuse_taken(connection: Connection, shown: str, person: str) -> None:
    """A card opens one safe, for ever; the card of this very recovery, kept while it waited, is the exception."""
    others = (ways.c.shown_digest == shown, (ways.c.state != "pending") | (ways.c.account != person))
    if connection.execute(select(ways.c.id).where(*others).limit(1)).first() is not None:
        raise AlreadyKnown


def _open(context: Context, connection: Connection, found: Underway, seed: KemSeed) -> Opened:
    """Join the parts and open the account, without changing anything. Raises Conflict, Tampered."""
    number = refuse_finished(found, context.clock())
    said, row = found.said, found.row
    if said is None or bytes(public_key(seed)) != row["public_key"]:
        raise Tampered
    counted = {one["member"]: one for one in found.confirmed if int(one["set"]) == number}
    names = [_verified(context, connection, said, row, counted[member], number) for member in said.sets[number]]
    try:
        parts = []
        for member in said.sets[number]:
            place = contexts.share_move(recovery=row["id"], person=said.person, circle=said.circle, set=number, member=member)
            vaulted = context.keyvault.derive("grant", said.circle, place)
            parts.append(cutting.open_moved_share(seed, vaulted, place, counted[member]["moved_share"]))
        (slot,) = slots.living(connection, said.person, [Kind.RECOVERY])
        secret = slots.open_with(slot, slots.key_of(context, slot, unlock.recovery_stretched(cutting.join(parts))))
        keys = accounts.open_keys(connection, said.person, secret)
    except (Undecryptable, RowGone, ValueError) as error:
        raise Tampered from error
    return Opened(row["id"], said, row["reason"], found.theft, tuple(name for name in names if name), secret, keys)


def _verified(
    context: Context, connection: Connection, said: CircleFormed, recovering: RowMapping, one: RowMapping, number: int
) -> str:
    """A part counts when its guardian signed for this recovery, person, kiosk and key; gives their name. A sheet cannot sign."""
    expected = Confirmation(recovering["id"], said.person, said.circle, number, recovering["kiosk"], recovering["public_key"])
    query = select(circle_members.c.kind, circle_members.c.worker, workers.c.first_name).outerjoin(
        workers, workers.c.account == circle_members.c.worker
    )
    member = connection.execute(query.where(circle_members.c.id == one["member"])).one()
    if one["statement"] != expected.encode():
        raise Tampered
    if member.kind == "sheet":
        return ""
    try:
        public = sign_public_from(verified_certificate(context, connection, member.worker).sign)
        signature = one["signature"] or b""
        verify(public, expected, signature[:SIGNATURE_BYTES])
        if one["theft"]:
            verify(public, TheftConfirmed(recovering["id"], said.person, said.circle, number), signature[SIGNATURE_BYTES:])
    except (BadSignature, Malformed) as error:
        raise Tampered from error
    return str(member.first_name)


def _end_old_ways(context: Context, connection: Connection, opened: Opened) -> None:
    """Every way in ends; a card may still say stop for a day, unless theft was confirmed or all the guardians have come."""
    all_came = aftermath.stopped(connection, opened.person)
    states = ["live", "barred", "leaving", "pending"] + (["vetoing"] if all_came or opened.theft else [])
    query = select(ways.c.id, ways.c.kind, ways.c.state, ways.c.veto_digest)
    theirs = (ways.c.account == opened.person, ways.c.kind != Kind.RECOVERY.value, ways.c.state.in_(states))
    silent: list[str] = []
    for way in connection.execute(query.where(*theirs).with_for_update()).all():
        may_stop = way.kind in slots.CARD_KINDS and way.state in ("live", "leaving") and way.veto_digest
        if may_stop and not opened.theft and not all_came:
            until = context.clock() + aftermath.HOLD
            still = {"state": "vetoing", "sealed_secret": None, "veto_until": until, "wrong_in_a_row": 0}
            connection.execute(update(ways).where(ways.c.id == way.id).values(**still))
        else:
            silent.append(way.id)
    aftermath.end_ways(context, connection, silent)


def _form_again(context: Context, connection: Connection, opened: Opened) -> None:
    """A new secret for the same guardians. After a theft no printed sheet stays good: it may have been in the bag."""
    owner = circles.Owner(opened.person, opened.keys, opened.secret)
    again = circles.chosen_again(context, connection, owner, sheets=not opened.theft)
    if again:
        circles.form(context, connection, owner, again, opened.said.k)
    else:
        circles.dissolve(context, connection, opened.person)
        directives.follow(context, connection, opened.keys, opened.person)


def _live_again(context: Context, connection: Connection, opened: Opened) -> None:
    """The safe opens: a freeze and an erasure that was asked end, and so does every other recovery of this person."""
    erasure.cancel_all(context, connection, opened.person)
    mourning.came_back(context, connection, opened.person)
    freezing.thaw(context, connection, opened.person)
    theirs = recoveries.c.person == opened.person
    connection.execute(delete(recoveries).where(theirs, recoveries.c.state == "vetoed"))
    for other in connection.scalars(select(recoveries.c.id).where(theirs, recoveries.c.state == "asking")).all():
        aftermath.forget(connection, other)
    done = {"state": "done", "term": context.clock() + aftermath.HOLD}
    connection.execute(update(recoveries).where(recoveries.c.id == opened.recovery).values(**done))


def wait(context: Context, session: Session, card: str, chosen: Chosen) -> dt.datetime:
    """A day must pass: the person leaves with a new card, and the recovery's key waits under it. Tells when it opens."""
    check_chosen(chosen)
    new_card = cards.read(card)
    (kind, password), shown = card_password(new_card, chosen), cards.digest(new_card)
    with context.database.transaction() as connection:
        name, seed = recovery.seed_of(connection, session)
        found = _of_the_person(underway(context, connection, name))
        if found.whole is None or found.at_once or found.said is None:
            raise Conflict
        _open_later(context, connection, found, seed)
        if slots.known(connection, shown):
            raise AlreadyKnown
    pending = _pending(context, found.said.person, kind, password, shown, session.kiosk, seed)
    opens = context.clock() + recovery.FAR_WAITS
    with slots.given_up(context, pending), context.database.transaction() as connection:
        if underway(context, connection, name).whole is None:
            raise Conflict
        if slots.known(connection, shown):
            raise AlreadyKnown
        slots.keep(context, connection, pending)
        silent_at = opens + recovery.FAR_LASTS
        connection.execute(update(ways).where(ways.c.id == pending.id).values(state="pending", veto_until=silent_at))
        connection.execute(update(recoveries).where(recoveries.c.id == name).values(opens=opens, term=silent_at))
    sessions.end(context, session)
    return opens


def _open_later(context: Context, connection: Connection, found: Underway, seed: KemSeed) -> None:
    """What will not open tomorrow is refused today: the same verification as at the end, its result thrown away."""
    _open(context, connection, replace(found, at_once=True), seed)


def _pending(context: Context, person: str, kind: Kind, password: Password, shown: str, kiosk: str | None, seed: KemSeed) -> Slot:
    """A way in that seals the recovery's private key instead of the account's secret: it opens nothing by itself."""
    salt, name = unlock.new_salt(), context.new_id()
    context.keyvault.create("slot", name, person)
    slot = Slot(name, person, kind, shown, salt, context.settings.cost, None)
    with context.derivations.turn(kiosk):
        stretched = unlock.stretch(password, salt, slot.cost)
    key = slots.key_of(context, slot, stretched)
    veto = unlock.veto_hash(key, contexts.veto(slot=name)).hex()
    return replace(slot, sealed=unlock.seal_assist_slot(key, slots.place_of(slot), seed), veto=veto)


def come_back(context: Context, kiosk: str | None, card: str, chosen: Chosen) -> str:
    """The day has passed: the card and code chosen then open the safe. WrongSecret; MustWait when it is too early; GuardianLeft when
    a guardian's departure ended what waited."""
    tried = try_card(context, kiosk, cards.read(card), chosen, states=("pending",))
    if tried.slot.sealed is None:
        with context.database.transaction() as connection:
            trying.settle(connection, tried)
        raise GuardianLeft
    try:
        seed = unlock.open_assist_slot(tried.kek, slots.place_of(tried.slot), tried.slot.sealed)
    except Undecryptable as error:
        raise WrongSecret from error
    with context.database.transaction() as connection:
        trying.settle(connection, tried)
        mine = (recoveries.c.person == tried.slot.account, recoveries.c.public_key == bytes(public_key(seed)))
        row = connection.execute(select(recoveries).where(*mine, recoveries.c.state == "asking")).mappings().one_or_none()
    if row is None or row["opens"] is None:  # outside: a right secret stays counted as a right one
        raise NoSession
    left = (row["opens"] - context.clock()).total_seconds()
    if left > 0:
        raise MustWait(math.ceil(left))
    return _finish(context, row["id"], seed, kiosk, card, chosen)


def stop(context: Context, kiosk: str | None, card: str, chosen: Chosen) -> bool:
    """The old card and code say stop. To a recovery that still waits its day: it ends, and nothing else does. Within a day after
    one: the safe freezes until every worker guardian confirms another. Tells whether it froze. WrongSecret when there is none."""
    tried = try_card(context, kiosk, cards.read(card), chosen, states=("vetoing", "live"))
    person = tried.slot.account
    still_live = tried.slot.state == "live"
    with context.database.transaction() as connection:
        trying.settle(connection, tried)  # committed whatever comes of it: a right secret is not counted as a wrong one
        if still_live:
            stopped = waiting.end(context, connection, person, None)
            if not stopped:
                audit.rehearse(context, connection, Event("recovery.stopped"))
        else:
            stopped = not _is_over(context, connection, tried.slot.id) and _stop_what_was_done(context, connection, person)
    if not stopped:
        raise WrongSecret
    return not still_live


def _stop_what_was_done(context: Context, connection: Connection, person: str) -> bool:
    """Freeze until all guardians come, in the caller's transaction; False when nobody came back within a day."""
    done = (recoveries.c.person == person, recoveries.c.state == "done")
    if not connection.execute(update(recoveries).where(*done).values(state="vetoed")).rowcount:
        return False
    freezing.freeze_person(context, connection, person, session=None, by=person)
    sessions.end_all(context, connection, account=person)
    newer = (ways.c.account == person, ways.c.state == "live", ways.c.kind != Kind.RECOVERY.value)
    connection.execute(update(ways).where(*newer).values(state="barred", veto_until=None))
    audit.record(context, connection, None, Event("recovery.stopped", by=person), person=person)
    notices.tell(context, connection, person, Notice("recovery-stopped"))
    return True


def _is_over(context: Context, connection: Connection, way: str) -> bool:
    """Whether the day of an old card has passed, though the task that ends its say has not run yet."""
    until: dt.datetime | None = connection.execute(select(ways.c.veto_until).where(ways.c.id == way)).scalar_one()
    return until is None or until <= context.clock()
