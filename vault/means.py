"""Changing a way in: another code, another card, five words. The secret is asked again; the new way opens, then the old one dies."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from crypto.errors import Undecryptable
from crypto.keys import AccountKeys, AccountSecret, CardSecret
from crypto.printed import card_text
from crypto.sealing import unseal_text
from crypto.unlock import PERSON_WORDS, Kind, words_password
from storage.database import serialise
from storage.tables import persons
from vault import account_numbers, audit, cards, labels, notices, sessions, slots, who, wordlist
from vault.context import Context
from vault.errors import AlreadyKnown, BadInput, NoSession, Tampered
from vault.events import Event
from vault.notices import Notice
from vault.opening import check_chosen
from vault.sessions import Session
from vault.shown_cards import CARD
from vault.slots import Slot
from vault.unlocking import Chosen, card_of, card_password, confirm


@dataclass(frozen=True)
class Slip:
    """What is printed apart from the card. `cookie` is a new session's when the old words had opened this one."""

    number: str = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    cookie: str | None = field(default=None, repr=False)


def change_code(context: Context, session: Session, old: Chosen, new: Chosen) -> str:
    """Another code, or pictures, for the same card. Gives the cookie of a new session. WeakSecret, WrongSecret, BadInput."""
    check_chosen(new)
    secret, card = confirm(context, session, old), card_of(context, session)
    way = prepare_card_slot(context, session.kiosk, session.account, secret, card, new)
    return _replace(context, session, way, card, "means.code-changed")


def replace_card(context: Context, session: Session, chosen: Chosen, text: str, new: Chosen | None = None) -> str:
    """Another card; the old one is dead at once. Gives the cookie of a new session. AlreadyKnown, WeakSecret, WrongSecret.

    The code stays what it was, unless `new` is given; it must be when five words opened the session.
    """
    if new is not None:
        check_chosen(new)
    secret, card = confirm(context, session, chosen), cards.read(text)
    if new is None and (isinstance(chosen, str) and " " in chosen.strip()):
        raise BadInput("code", "error.missing")
    way = prepare_card_slot(context, session.kiosk, session.account, secret, card, chosen if new is None else new)
    return _replace(context, session, way, card, "means.card-replaced")


def give_words(context: Context, session: Session, chosen: Chosen) -> Slip:
    """Five new words on a slip with the number; words given before open nothing any more."""
    secret, words, number = confirm(context, session, chosen), wordlist.draw(PERSON_WORDS), number_of(context, session)
    told, spoken = account_numbers.digest(context, number), words_password(words)
    way = slots.make(context, session.account, Kind.WORDS, secret, spoken, shown=told, kiosk=session.kiosk)
    cookie = None
    with slots.given_up(context, way), sessions.acting(context, session) as connection:
        ended = slots.living(connection, session.account, [Kind.WORDS])
        slots.keep(context, connection, way)
        if session.slot in {slot.id for slot in ended}:
            cookie = reopen(context, connection, session, way)
        slots.end(context, connection, ended)
        event = Event("means.words-given", by=session.account)
        audit.record(context, connection, None if cookie else session, event, person=session.account)
    return Slip(number, words, cookie)


def number_of(context: Context, session: Session) -> str:
    """The account number, for its owner."""
    keys = who.person(session)
    query = select(persons.c.sealed_number).where(persons.c.account == session.account)
    with context.database.transaction(read_only=True) as connection:
        sealed = connection.execute(query).scalar_one()
    try:
        return unseal_text(keys.values, labels.preference(person=session.account, name="number"), sealed or b"")
    except Undecryptable as error:
        raise Tampered from error


def prepare_card_slot(
    context: Context, kiosk: str | None, account: str, secret: AccountSecret, card: CardSecret, chosen: Chosen
) -> Slot:
    """A way in by a card, derived before the transaction that keeps it (`slots.keep`) or gives it up (`slots.discard`)."""
    kind, password = card_password(card, chosen)
    return slots.make(context, account, kind, secret, password, shown=cards.digest(card), kiosk=kiosk)


def take_card(connection: Connection, way: Slot) -> None:
    """Refuse a card that was ever somebody's, except the one that is this account's now; held until the transaction ends."""
    shown = way.shown or ""
    serialise(connection, f"card {shown}")
    own = slots.find(connection, shown, slots.CARD_KINDS)
    if slots.known(connection, shown) and (own is None or own.account != way.account):
        raise AlreadyKnown


def reopen(
    context: Context, connection: Connection, session: Session, way: Slot, card: CardSecret | None = None, *,
    keys: AccountKeys | None = None,
) -> str:  # fmt: skip
    """The same person goes on through a new way: what their session kept goes with them, the old one ends. `keys`: if they turned.

    NoSession when theirs was ended meanwhile: after a block nobody goes on.
    """
    sessions.hold(connection, session)
    state = sessions.read_state(connection, session)
    if card is not None:
        state[CARD] = card_text(card)
    return sessions.open_for(
        context, connection, kind="person", account=session.account, slot=way.id, kiosk=session.kiosk,
        keys=keys or session.opened(), state=state,
    )  # fmt: skip


def _replace(context: Context, session: Session, way: Slot, card: CardSecret, tag: str) -> str:
    with slots.given_up(context, way), sessions.acting(context, session) as connection:
        take_card(connection, way)
        if session.slot not in {slot.id for slot in slots.living(connection, session.account)}:
            raise NoSession  # the way that opened this session ended in between: somebody else decides now
        slots.keep(context, connection, way)
        cookie = reopen(context, connection, session, way, card)
        # An opening with help is bound to the card: with another card it is chosen again.
        bound = slots.CARD_KINDS if tag == "means.code-changed" else (*slots.CARD_KINDS, Kind.ASSIST)
        old = [slot for slot in slots.living(connection, session.account, bound) if slot.id != way.id]
        slots.end(context, connection, old)
        audit.record(context, connection, None, Event(tag, by=session.account), person=session.account)
        if tag == "means.card-replaced":
            notices.tell(context, connection, session.account, Notice("card-replaced"))
    return cookie
