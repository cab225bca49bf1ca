"""Opening a safe for the first time. Until the last step nothing is written but a session: "not today" leaves nothing.

Choices wait in the session's sealed state, half an hour at most. Then, in one transaction: the account, its ways in, ten drawers,
the proof that the five things were told, the first entry of the person's history.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, insert

from consent.ids import PersonId
from crypto import contexts
from crypto.canonical import Value
from crypto.choices import weak_code, weak_pictures
from crypto.errors import Malformed
from crypto.keys import AccountKeys, AccountSecret, CardSecret
from crypto.sealing import seal_text, seal_value
from crypto.unlock import PERSON_WORDS, Kind, words_password
from storage.database import serialise
from storage.tables import persons
from vault import (
    account_numbers,
    accounts,
    audit,
    cards,
    closing,
    counting,
    labels,
    preferences,
    sessions,
    shelves,
    slots,
    wordlist,
)
from vault.accounts import NewAccount
from vault.context import Context
from vault.errors import AlreadyKnown, BadInput, NoSession, NotAllowed, WeakSecret
from vault.events import Event
from vault.pictograms import DRAWINGS
from vault.places import place_of
from vault.preferences import Preferences
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.shown_cards import CARD
from vault.slots import Slot
from vault.unlocking import Chosen, card_password

NAME_LETTERS = 60
CHOICES = "choices"


@dataclass(frozen=True)
class Accepted:
    """The proof that the five things were told: the text's version and SHA-256 (hexadecimal), and how it was told."""

    version: str
    sha256: str
    language: str
    heard: bool
    interpreter: bool


@dataclass(frozen=True)
class Choices:
    """What has been chosen so far. `drawing` is one of `pictograms.DRAWINGS`, `card` the text of a blank card's QR code."""

    language: str
    name: str | None = field(default=None, repr=False)
    drawing: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    pictures: tuple[int, ...] | None = field(default=None, repr=False)
    card: str | None = field(default=None, repr=False)
    accepted: Accepted | None = None
    guardian: str | None = None
    wants_sheet: bool = False
    wants_words: bool = False


@dataclass(frozen=True)
class Opened:
    """A safe that has just been opened. `number` and `words` go on a slip; `secret` forms the circle in the same request."""

    cookie: str = field(repr=False)
    person: PersonId
    number: str = field(repr=False)
    words: tuple[str, ...] | None = field(repr=False)
    secret: AccountSecret = field(repr=False)
    guardian: str | None
    wants_sheet: bool


@dataclass(frozen=True)
class _Ready:
    """Choices that are complete, and what is drawn beside them."""

    chosen: Choices
    drawing: str
    secret: Chosen = field(repr=False)
    card: CardSecret = field(repr=False)
    accepted: Accepted
    number: str = field(repr=False)
    words: tuple[str, ...] | None = field(repr=False)


def start(context: Context, kiosk: str | None, language: str) -> str:
    """Begin. Gives the cookie of a session that ends in half an hour and leaves nothing. Closing: nothing new begins any more."""
    closing.refuse_new(context)
    with context.database.transaction() as connection:
        state: dict[str, Value] = {CHOICES: _written(Choices(language))}
        counting.count(context, connection, kiosk, "offered")  # moves for whoever begins, and never for a refusal (ADR 0051)
        return sessions.open_for(context, connection, kind="opening", kiosk=kiosk, state=state)


def choices(context: Context, session: Session) -> Choices:
    """What has been chosen so far."""
    with context.database.transaction(read_only=True) as connection:
        return _read(sessions.read_state(connection, session, hold=False))


def keep(context: Context, session: Session, chosen: Choices) -> None:
    """Keep what has been chosen so far, once each choice holds: WeakSecret, AlreadyKnown, WrongSecret, BadInput(field)."""
    _check(chosen)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        _read(state)
        if chosen.card is not None and slots.known(connection, cards.digest(cards.read(chosen.card))):
            raise AlreadyKnown
        sessions.write_state(connection, session, state | {CHOICES: _written(chosen)})


def not_today(context: Context, session: Session) -> None:
    """A normal end: nothing was written, nothing is left."""
    if session.kind != "opening":
        raise NotAllowed
    sessions.end(context, session)


def finish(context: Context, session: Session) -> Opened:
    """Open the safe with what was chosen. BadInput(field) when a choice is missing, AlreadyKnown, Busy."""
    if session.kind != "opening":
        raise NotAllowed
    ready = _complete(choices(context, session))
    new = accounts.draw(context, "person")
    with accounts.forgotten_unless_kept(context, new.id):
        ways = _ways(context, session, new, ready)
        with context.database.transaction() as connection:
            cookie = _write(context, connection, session, new, ready, ways)
    chosen = ready.chosen
    return Opened(cookie, PersonId(new.id), ready.number, ready.words, new.secret, chosen.guardian, chosen.wants_sheet)


def check_name(name: str | None) -> None:
    """A first name or a nickname, or none at all."""
    if name is not None and not 0 < len(name) <= NAME_LETTERS:
        raise BadInput("name")


def check_drawing(drawing: str) -> None:
    """One of the named drawings."""
    if drawing not in DRAWINGS:
        raise BadInput("drawing")


def check_chosen(chosen: Chosen) -> None:
    """A code or pictures that a stranger would not try first: WeakSecret, BadInput."""
    try:
        weak = weak_code(chosen) if isinstance(chosen, str) else weak_pictures(chosen)
    except Malformed as error:
        raise BadInput("code" if isinstance(chosen, str) else "pictures") from error
    if weak is not None:
        raise WeakSecret


def seal_number(keys: AccountKeys, person: str, number: str) -> bytes:
    """Keep the account number for its owner, who may ask for it again."""
    return seal_text(keys.values, labels.preference(person=person, name="number"), number)


def seal_face(keys: AccountKeys, person: str, name: str | None, drawing: str) -> dict[str, bytes | None]:
    """The columns of the name and the drawing, sealed for the person alone."""
    return {
        "sealed_name": seal_text(keys.values, contexts.name(person=person, id=person), name) if name else None,
        "sealed_drawing": seal_text(keys.values, contexts.drawing(person=person, id=person), drawing),
    }


def _check(chosen: Choices) -> None:
    check_name(chosen.name)
    if chosen.drawing is not None:
        check_drawing(chosen.drawing)
    if chosen.code is not None and chosen.pictures is not None:
        raise BadInput("code")
    for secret in (chosen.code, chosen.pictures):
        if secret is not None:
            check_chosen(secret)


def _complete(chosen: Choices) -> _Ready:
    secret: Chosen | None = chosen.pictures or chosen.code
    if chosen.drawing is None:
        raise BadInput("drawing", "error.missing")
    if secret is None:
        raise BadInput("code", "error.missing")
    if chosen.card is None:
        raise BadInput("card", "error.missing")
    if chosen.accepted is None:
        raise BadInput("accepted", "error.missing")
    words = wordlist.draw(PERSON_WORDS) if chosen.wants_words else None
    return _Ready(chosen, chosen.drawing, secret, cards.read(chosen.card), chosen.accepted, account_numbers.draw(), words)


def _ways(context: Context, session: Session, new: NewAccount, ready: _Ready) -> list[Slot]:
    kind, password = card_password(ready.card, ready.secret)
    kiosk, shown = session.kiosk, cards.digest(ready.card)
    ways = [slots.make(context, new.id, kind, new.secret, password, shown=shown, kiosk=kiosk)]
    if ready.words is not None:
        told, spoken = account_numbers.digest(context, ready.number), words_password(ready.words)
        ways.append(slots.make(context, new.id, Kind.WORDS, new.secret, spoken, shown=told, kiosk=kiosk))
    return ways


def _write(context: Context, connection: Connection, session: Session, new: NewAccount, ready: _Ready, ways: list[Slot]) -> str:
    shown, person, values = cards.digest(ready.card), new.id, new.keys.values
    serialise(connection, f"card {shown}")  # two people never leave with one card
    if _read(sessions.read_state(connection, session)) != ready.chosen:  # finished in the same instant, in another window
        raise NoSession
    if slots.known(connection, shown):
        raise AlreadyKnown
    accounts.keep(context, connection, new)
    proof: dict[str, Value] = {"v": 1, **asdict(ready.accepted)}
    connection.execute(
        insert(persons).values(
            account=person, number_digest=account_numbers.digest(context, ready.number),
            sealed_number=seal_number(new.keys, person, ready.number),
            sealed_conditions=seal_value(values, labels.preference(person=person, name="conditions"), proof),
            stage="today", bytes_kept=0, pages_kept=0, last_month=today_in_paris(context.clock()).replace(day=1), silence_told=0,
            returned=False, **seal_face(new.keys, person, ready.chosen.name, ready.drawing),
        )
    )  # fmt: skip
    closing.tell_one(context, connection, person)  # an announcement made before reaches whoever comes after it
    for way in ways:
        slots.keep(context, connection, way)
    shelves.create_all(context, connection, person, new.keys)
    preferences.write(connection, person, new.keys, Preferences(last=context.clock()))
    place = place_of(connection, session.kiosk)
    audit.record(context, connection, None, Event("safe.opened-first", by=person, place=place), person=person)
    counting.count(context, connection, session.kiosk, "opened")
    sessions.end_one(context, connection, session)
    state: dict[str, Value] = {CARD: ready.chosen.card}
    return sessions.open_for(
        context, connection, kind="person", account=person, slot=ways[0].id, kiosk=session.kiosk, keys=new.keys, state=state
    )


def _written(chosen: Choices) -> dict[str, Value]:
    fields: dict[str, Value] = asdict(chosen)
    return fields | {"pictures": list(chosen.pictures) if chosen.pictures else None}


def _read(state: Mapping[str, Value]) -> Choices:
    fields = state.get(CHOICES)
    if not isinstance(fields, dict):
        raise NoSession
    accepted, pictures = fields["accepted"], fields["pictures"]
    known = dict(fields) | {
        "accepted": Accepted(**accepted) if isinstance(accepted, dict) else None,
        "pictures": tuple(pictures) if isinstance(pictures, list) else None,
    }
    return Choices(**known)
