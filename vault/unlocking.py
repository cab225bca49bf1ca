"""Opening a safe: a card is shown, then a code or pictures; or a number and five words.

Showing a card opens a session of its own, the same for a card that nobody knows: it leads to the code, and alone it narrows
(withdraws, refuses, freezes). It ends nobody's session and its row ties it to no account.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, select

from crypto.canonical import Value
from crypto.errors import Malformed
from crypto.keys import AccountSecret, CardSecret, Password
from crypto.printed import card_text
from crypto.unlock import PERSON_WORDS, Kind, code_password, pictures_password, words_password
from storage.tables import sessions as session_rows
from storage.tables import slots as slot_rows
from vault import (
    account_numbers,
    accounts,
    aftermath,
    attempts,
    audit,
    cards,
    counting,
    freezing,
    mourning,
    old_algorithms,
    preferences,
    rekeying,
    resealing,
    sessions,
    slots,
    who,
    wordlist,
    workers,
)
from vault.context import Context
from vault.errors import BadInput, NoSession, NotAllowed, WrongSecret
from vault.events import Event
from vault.places import place_of
from vault.sessions import Session
from vault.shown_cards import CARD, card_in
from vault.slots import Slot
from vault.trying import Tried, attempt, prove, refuse, settle, tried_of

Chosen = str | Sequence[int]
"""What people remember: a code of six digits, five words with a blank between them, or five pictures."""


def present_card(context: Context, kiosk: str | None, text: str) -> str:
    """A card is shown. Gives the cookie of its session; WrongSecret for a QR code that is no card of ours."""
    card = cards.read(text)
    with context.database.transaction() as connection:
        return sessions.open_for(context, connection, kind="card", kiosk=kiosk, state={CARD: card_text(card)})


def card_of(context: Context, session: Session) -> CardSecret:
    """The card that a session was opened with; NoSession when there is none."""
    with context.database.transaction(read_only=True) as connection:
        return card_in(sessions.read_state(connection, session, hold=False))


def unlock(context: Context, shown: Session, code: str) -> str:
    """Open with the card that was shown and a code. Gives the cookie; WrongSecret, MustWait, Busy, BadInput("code")."""
    return _with_card(context, shown, code)


def unlock_with_pictures(context: Context, shown: Session, pictures: Sequence[int]) -> str:
    """Open with the card that was shown and five pictures. WrongSecret, MustWait, Busy, BadInput("pictures")."""
    return _with_card(context, shown, tuple(pictures))


def unlock_with_words(context: Context, kiosk: str | None, number: str, words: Sequence[str] | str) -> str:
    """Open with the account number and five words. WrongSecret, MustWait, Busy, BadInput("number") or ("words")."""
    tried = try_words(context, kiosk, number, words)
    fresh = _renewed(context, kiosk, tried, words_typed(words))
    with slots.given_up(context, fresh):
        with context.database.transaction() as connection:
            cookie = enter(context, connection, kiosk, tried, fresh=fresh)
        return entered(cookie)


def _number_shown(context: Context, number: str) -> str:
    """What a typed number is looked up by, and what attempts with it are counted by."""
    read = account_numbers.read(number)
    with context.database.transaction(read_only=True) as connection:
        return account_numbers.looked_up(context, connection, read)


def _with_card(context: Context, shown: Session, chosen: Chosen) -> str:
    if shown.kind != "card":
        raise NotAllowed
    card = card_of(context, shown)
    kind, password = card_password(card, chosen)
    tried = prove(context, shown.kiosk, cards.digest(card), kind, password)
    fresh = _renewed(context, shown.kiosk, tried, password)
    with slots.given_up(context, fresh):
        with context.database.transaction() as connection:
            cookie = enter(context, connection, shown.kiosk, tried, card=card, fresh=fresh)
            if cookie is not None:
                sessions.end_one(context, connection, shown)
        return entered(cookie)


def _renewed(context: Context, kiosk: str | None, tried: Tried, password: Password) -> Slot | None:
    """The way at today's cost and algorithm, if it was of before or if the keys are to turn."""
    if tried.secret is None or tried.slot.state != "live":
        return None
    with context.database.transaction(read_only=True) as connection:
        due = rekeying.due(connection, tried.slot.account)
    return resealing.fresh_way(context, kiosk, tried.slot, tried.secret, password, due=due)


def enter(
    context: Context, connection: Connection, kiosk: str | None, tried: Tried, *, card: CardSecret | None = None,
    fresh: Slot | None = None,
) -> str | None:  # fmt: skip
    """Open the session of a person whose secret was right, in the caller's transaction; another screen of theirs closes.

    None when the safe was blocked meanwhile: the right secret is settled and the attempt written, the caller commits and asks `entered`.
    `fresh`: the same way at today's cost, which takes its place.
    """
    if tried.secret is None:
        raise WrongSecret
    settle(connection, tried)
    person, place = tried.slot.account, place_of(connection, kiosk)
    if freezing.frozen_since(connection, person, tried.frozen):
        audit.record(context, connection, None, Event("safe.attempt-failed", place=place), person=person)
        return None
    mourning.came_back(context, connection, person)
    freezing.thaw(context, connection, person)
    resealing.account_keys(connection, person, tried.secret)
    keys = accounts.open_keys(connection, person, tried.secret)
    old_algorithms.seal_anew(context, connection, person, keys)
    keys = rekeying.at_unlock(context, connection, person, tried.secret, keys)
    way = tried.slot
    if fresh is not None:
        slots.keep(context, connection, fresh)
        way = fresh
    other = connection.execute(select(session_rows.c.id).where(session_rows.c.account == person).limit(1)).first()
    state: dict[str, Value] = {CARD: card_text(card)} if card else {}
    cookie = sessions.open_for(
        context, connection, kind="person", account=person, slot=way.id, kiosk=kiosk, keys=keys, state=state
    )
    if other is not None:
        audit.record(context, connection, None, Event("safe.session-replaced", place=place), person=person)
    audit.record(context, connection, None, Event("safe.unlocked", by=person, place=place), person=person)
    counting.count_return(context, connection, person, kiosk)
    kept = preferences.read(connection, person, keys)
    wrong = dict(connection.execute(select(slot_rows.c.id, slot_rows.c.wrong_in_a_row).where(*_living(person))).all())
    # The way that has just opened counts from nothing again; what it had counted before is in the attempt.
    failed = {slot: tried.slot.wrong if slot == tried.slot.id else count for slot, count in wrong.items()}
    since = sum(max(0, count - kept.wrong.get(slot, 0)) for slot, count in failed.items())
    untold = 0 if kept.told else kept.failed  # somebody came in and left before the first page stood there
    opened = replace(kept, last=context.clock(), before=kept.last, failed=untold + since, told=False, wrong=wrong)
    preferences.write(connection, person, keys, opened)
    if fresh is not None:
        slots.end(context, connection, [tried.slot])
    resealing.number(context, connection, person, keys)
    return cookie


def entered(cookie: str | None) -> str:
    """What `enter` gave, after its commit: WrongSecret when the safe was blocked meanwhile."""
    if cookie is None:
        raise WrongSecret
    return cookie


def confirm(context: Context, session: Session, chosen: Chosen) -> AccountSecret:
    """Ask the secret again before what cannot be undone. The session remembers its card: the code is enough.

    What follows is done in `sessions.acting`: the safe may be blocked while this derives.

    Counted like an unlock. WrongSecret, MustWait, Busy, BadInput.
    """
    who.person(session)
    with context.database.transaction() as connection:
        slot = next((one for one in slots.living(connection, session.account) if one.id == session.slot), None)
        state = sessions.read_state(connection, session)
    if slot is None or slot.shown is None:
        raise NoSession
    kind, password = (Kind.WORDS, words_typed(chosen)) if slot.kind == Kind.WORDS else card_password(card_in(state), chosen)
    tried = prove(context, session.kiosk, slot.shown, kind, password, only=[slot.id])
    with context.database.transaction() as connection:
        settle(connection, tried)
    if tried.secret is None:
        raise WrongSecret
    return tried.secret


def stay(context: Context, session: Session, chosen: Chosen) -> None:
    """More time on this screen, the secret asked again (`sessions.extend`). WrongSecret, MustWait, Busy, BadInput, NoSession."""
    confirm(context, session, chosen)
    sessions.extend(context, session)


def way_in(context: Context, session: Session) -> Kind:
    """By what this session was opened, which is what can be asked again: a code, pictures or words. NoSession when that way ended."""
    who.person(session)
    mine = (slot_rows.c.id == session.slot, slot_rows.c.account == session.account, slot_rows.c.state == "live")
    with context.database.transaction(read_only=True) as connection:
        kind = connection.execute(select(slot_rows.c.kind).where(*mine)).scalar_one_or_none()
    if kind is None:
        raise NoSession
    return Kind(kind)


def try_card(
    context: Context, kiosk: str | None, card: CardSecret, chosen: Chosen, *, states: Sequence[str] = slots.LIVE
) -> Tried:
    """Try a card whose way is in one of these states (`vetoing`, `leaving`, `pending`...); `settle` what was right."""
    kind, password = card_password(card, chosen)
    return prove(context, kiosk, cards.digest(card), kind, password, states=states)


def try_words(
    context: Context, kiosk: str | None, number: str, words: Sequence[str] | str, *, states: Sequence[str] = slots.LIVE
) -> Tried:
    """The same with the account number and the five words, of a way in one of these states."""
    shown = _number_shown(context, number)
    return prove(context, kiosk, shown, Kind.WORDS, words_typed(words), states=states)


def lift_freeze(context: Context, shown: Session, chosen: Chosen, number: str, words: Sequence[str] | str) -> str:
    """Open a frozen safe with two of the person's means: card and code, number and words. Gives the cookie.

    Both are always tried, and a wrong one is not told from the other. Refused while an old card has said stop to a recovery.
    """
    if shown.kind != "card":
        raise NotAllowed
    card, told = card_of(context, shown), _number_shown(context, number)
    (kind, password), spoken = card_password(card, chosen), words_typed(words)
    first = attempt(context, shown.kiosk, cards.digest(card), kind, password, frozen=True)
    second = attempt(context, shown.kiosk, told, Kind.WORDS, spoken, frozen=True)
    same = first.slot is not None and second.slot is not None and first.slot.account == second.slot.account
    if not (first.right and second.right and same) or first.slot is None:
        refuse(context, first if not first.right else second, shown.kiosk)
    cookie = None
    with context.database.transaction() as connection:
        settle(connection, second)
        if aftermath.stopped(connection, first.slot.account):
            settle(connection, first)
        else:
            cookie = enter(context, connection, shown.kiosk, tried_of(first), card=card)
        if cookie is not None:
            sessions.end_one(context, connection, shown)
    return entered(cookie)  # outside: right secrets stay counted as right ones


def lift_wait(context: Context, session: Session, text: str) -> None:
    """A certified worker sees the person and their card: the wait ends, with a code, with pictures and with help.

    The same answer for a card that nobody knows.
    """
    who.worker(session)
    card = cards.read(text)
    with context.database.transaction() as connection:
        _lift(context, connection, session, cards.digest(card), slots.CARD_KINDS)
        attempts.forget(connection, cards.helped_digest(card))


def lift_wait_of_words(context: Context, session: Session, number: str) -> None:
    """A certified worker sees the person and their slip: five words may be tried again. The same answer for a number of nobody's.

    BadInput("number") for a number that cannot be one.
    """
    who.worker(session)
    read = account_numbers.read(number)
    with context.database.transaction() as connection:
        _lift(context, connection, session, account_numbers.looked_up(context, connection, read), [Kind.WORDS])


def _lift(context: Context, connection: Connection, session: Session, shown: str, kinds: Sequence[Kind]) -> None:
    sessions.still(connection, session)
    name = workers.verified_certificate(context, connection, session.account).name
    slot = slots.find(connection, shown, kinds)
    attempts.forget(connection, shown)
    event = Event("safe.wait-lifted", by=session.account, by_name=name, place=place_of(connection, session.kiosk))
    if slot is None:
        audit.rehearse(context, connection, event)  # as much work: time does not tell that nobody has it
    audit.record(context, connection, session, event, person=slot.account if slot else None, worker=session.account)


def card_password(card: CardSecret, chosen: Chosen) -> tuple[Kind, Password]:
    """What a card and a code, or a card and pictures, are tried with. BadInput when it is neither."""
    try:
        if isinstance(chosen, str):
            return Kind.CARD_PIN, code_password(card, chosen)
        return Kind.CARD_PICTURES, pictures_password(card, chosen)
    except Malformed as error:
        raise BadInput("code" if isinstance(chosen, str) else "pictures") from error


def words_typed(typed: Chosen | Sequence[str]) -> Password:
    """What five words, as somebody typed them, are tried with. BadInput("words") when they are not five."""
    words = wordlist.recognise_all(typed if isinstance(typed, str) else [str(word) for word in typed])
    if len(words) != PERSON_WORDS:
        raise BadInput("words")
    try:
        return words_password(words)
    except Malformed as error:
        raise BadInput("words") from error


def _living(person: str) -> tuple[ColumnElement[bool], ...]:
    return slot_rows.c.account == person, slot_rows.c.state == "live"
