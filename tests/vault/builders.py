"""People, workers and offices made through the real use cases: nothing here writes a row by itself.

What a builder gives carries its secrets, so that a test can come back: `unlock(house, awa)`, `sign_in(house, fatou)`. Offices,
workers and people of a fresh house are put back rather than made anew (`tests.vault.remembered`).
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from consent.ids import KioskId, PersonId, WorkerId
from crypto.keys import AccountSecret
from crypto.signing import SignPublic
from tests.vault.clock import Clock
from tests.vault.remembered import remembered
from vault import administrators, cards, conditions, kiosks, one_time, opening, sessions, unlocking, workers
from vault.confirming import Typed
from vault.context import AccountId, Context, OperatorId, StructureId
from vault.kiosks import Equipment
from vault.languages import Sentences, read_catalogues
from vault.opening import Accepted
from vault.sessions import Session

CODE = "482915"
OTHER_CODE = "739164"
PICTURES = (3, 14, 7, 0, 9)
ACCEPTED = Accepted(version="2026-11", sha256=bytes(32).hex(), language="fr", heard=True, interpreter=False)


@dataclass
class MadePerson:
    """A person after their opening. `session` is open (a person's); later ones come from `unlock`."""

    id: PersonId
    name: str | None
    session: Session = field(repr=False)
    card: str = field(repr=False)
    code: str = field(repr=False)
    pictures: tuple[int, ...] | None = field(repr=False)
    number: str = field(repr=False)
    words: tuple[str, ...] | None = field(repr=False)
    secret: AccountSecret = field(repr=False)
    kiosk: KioskId | None = None


@dataclass
class MadeWorker:
    """A worker, certified unless the test asked otherwise. `session` is open (a worker's)."""

    id: WorkerId
    first_name: str
    role: str
    code: str
    words: tuple[str, ...] = field(repr=False)
    totp: bytes = field(repr=False)
    office: "Office" = field(repr=False)
    session: Session = field(repr=False)


@dataclass
class MadeAdministrator:
    """An administrator of one operator. `session` is open."""

    id: AccountId
    code: str
    words: tuple[str, ...] = field(repr=False)
    totp: bytes = field(repr=False)
    session: Session = field(repr=False)

    @property
    def proof(self) -> Typed:
        """What they answer when an act asks again who is there."""
        return Typed(" ".join(self.words))


@dataclass
class Office:
    """One operator with one structure, two administrators and a kiosk that has everything."""

    operator: OperatorId
    structure: StructureId
    name: str
    administrators: tuple[MadeAdministrator, MadeAdministrator]
    kiosk: KioskId

    @property
    def admin(self) -> Session:
        """The first administrator's session."""
        return self.administrators[0].session

    @property
    def proof(self) -> Typed:
        """The first administrator's answer when an act asks again who is there."""
        return self.administrators[0].proof


def one_time_password(house: Context, secret: bytes) -> str:
    """What the worker's telephone shows now. The clock moves 30 seconds first: a code opens one door once."""
    return one_time.password(secret, cast("Clock", house.clock).forward(seconds=30))


def make_administrator(house: Context, operator: OperatorId, first_name: str = "Nadia") -> MadeAdministrator:
    """An administrator whose root key the settings know, signed in."""
    made = administrators.create(house, operator, first_name)
    roots = cast("dict[str, SignPublic]", house.settings.root_keys)
    roots[made.id] = made.sign_public
    code = one_time_password(house, made.totp)
    session = sessions.find(house, administrators.sign_in(house, made.code, made.words, code))
    return MadeAdministrator(made.id, made.code, made.words, made.totp, session)


def make_office(house: Context, name: str = "ESI Les Tilleuls", operator: OperatorId | None = None) -> Office:
    """A structure of a new operator (or of the one given), with two administrators and a kiosk."""
    made = remembered(house, ("office", name, operator), lambda: _make_office(house, name, operator))
    first, second = made.administrators
    return dataclasses.replace(made, administrators=(dataclasses.replace(first), dataclasses.replace(second)))


def _make_office(house: Context, name: str, operator: OperatorId | None) -> Office:
    operator = operator or administrators.create_operator(house, f"Association {name}", "contact : 01 00 00 00 00")
    first, second = make_administrator(house, operator, "Nadia"), make_administrator(house, operator, "Hugo")
    structure = workers.create_structure(house, first.session, name, "1 rue des Tilleuls")
    everything = Equipment(camera=True, scanner=True, printer=True, sound=True)
    token = kiosks.enrol(house, first.session, structure, "poste 1", everything)
    return Office(operator, structure, name, (first, second), kiosks.by_token(house, token).id)


def make_worker(
    house: Context,
    office: Office,
    first_name: str = "Fatou",
    role: str = "salaried",
    *,
    ends: dt.date | None = None,
    certified: bool = True,
) -> MadeWorker:
    """A worker who accepted an invitation, was certified by both administrators, and has signed in."""
    sessions_used = tuple(one.session.id for one in office.administrators)
    step = ("worker", office.structure, sessions_used, first_name, role, ends, certified)
    made = remembered(house, step, lambda: _make_worker(house, office, first_name, role, ends, certified))
    return dataclasses.replace(made, office=office)


def _make_worker(house: Context, office: Office, first_name: str, role: str, ends: dt.date | None, certified: bool) -> MadeWorker:
    invitation = workers.invite(house, office.admin, office.structure, first_name, role, ends)
    accepting = sessions.find(house, workers.start_accepting(house, invitation))
    shown = workers.acceptance(house, accepting)
    worker = workers.accept(house, accepting, shown.words, one_time_password(house, shown.totp), charter="2026-11")
    if certified:
        for administrator in office.administrators:
            workers.certify(house, administrator.session, worker, administrator.proof)
    made = MadeWorker(worker, first_name, role, shown.code, shown.words, shown.totp, office, accepting)
    sign_in(house, made)
    return made


def sign_in(house: Context, worker: MadeWorker) -> Session:
    """A new session of this worker; kept in `worker.session` too."""
    code = one_time_password(house, worker.totp)
    worker.session = sessions.find(house, workers.sign_in(house, worker.code, worker.words, code))
    return worker.session


def sign_in_administrator(house: Context, administrator: MadeAdministrator) -> Session:
    """A new session of this administrator; kept in `administrator.session` too."""
    code = one_time_password(house, administrator.totp)
    cookie = administrators.sign_in(house, administrator.code, administrator.words, code)
    administrator.session = sessions.find(house, cookie)
    return administrator.session


def make_person(
    house: Context,
    name: str | None = "Awa",
    *,
    drawing: str = "turtle",
    code: str = CODE,
    pictures: Sequence[int] | None = None,
    words: bool = False,
    kiosk: KioskId | None = None,
    language: str = "fr",
) -> MadePerson:
    """A person who has just opened a safe, with a card and a code (or pictures), and their session."""
    touched = tuple(pictures) if pictures else None
    step = ("person", name, drawing, code, touched, words, kiosk, language)
    return dataclasses.replace(
        remembered(house, step, lambda: _make_person(house, name, drawing, code, touched, words, kiosk, language))
    )


def _make_person(
    house: Context, name: str | None, drawing: str, code: str, pictures: tuple[int, ...] | None, words: bool,
    kiosk: KioskId | None, language: str,
) -> MadePerson:  # fmt: skip
    (card,) = cards.new_cards(1)
    started = sessions.find(house, opening.start(house, kiosk, language))
    choices = dataclasses.replace(
        opening.choices(house, started),
        name=name,
        drawing=drawing,
        code=None if pictures else code,
        pictures=pictures,
        card=card.text,
        accepted=dataclasses.replace(ACCEPTED, language=language, version=todays_conditions(house)),
        wants_words=words,
    )
    opening.keep(house, started, choices)
    opened = opening.finish(house, started)
    session = sessions.find(house, opened.cookie)
    return MadePerson(
        opened.person,
        name,
        session,
        card.text,
        code,
        pictures,
        opened.number,
        opened.words,
        opened.secret,
        kiosk,
    )


def unlock(house: Context, person: MadePerson, *, code: str | None = None, kiosk: KioskId | None = None) -> Session:
    """Show the card and give the code or the pictures: a new session, kept in `person.session` too."""
    shown = show_card(house, person.card, kiosk or person.kiosk)
    if person.pictures and code is None:
        cookie = unlocking.unlock_with_pictures(house, shown, person.pictures)
    else:
        cookie = unlocking.unlock(house, shown, code or person.code)
    person.session = sessions.find(house, cookie)
    return person.session


def todays_conditions(house: Context) -> str:
    """The version of the text that a person agrees to today."""
    return conditions.current(house.settings, _french()).version


@lru_cache(maxsize=1)
def _french() -> Sentences:
    return read_catalogues()["fr"]


def show_card(house: Context, card: str, kiosk: KioskId | None = None) -> Session:
    """The session of a card that was shown, before any code: narrowing acts only."""
    return sessions.find(house, unlocking.present_card(house, kiosk, card))
