"""How the people of the demonstration act: a clock moved by hand, and the real use cases in their hands."""

import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from consent.ids import PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.purposes import purpose as named
from consent.scope import Act
from crypto.choices import draw_code, draw_pictures
from crypto.printed import sheet_text
from vault import administrators, cards, charter, circles, conditions, documents, one_time, people, sessions, sharing, workers
from vault.context import Context
from vault.false_papers import FalsePaper
from vault.intake import PreparedPaper, prepare
from vault.languages import catalogues
from vault.sessions import Session
from vault.settings import today_in_paris

Drawn: TypeAlias = tuple[FalsePaper, PreparedPaper]
EVERY = slice(None)


class Clock:
    """The time of the demonstration, moved by hand while its past is being made."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def to(self, moment: dt.datetime) -> None:
        """Go on to a later moment; never back."""
        self.now = max(self.now, moment)


@dataclass
class Staff:
    """A worker or an administrator of the demonstration, and how to sign in as them."""

    name: str
    role: str
    id: str
    code: str
    words: tuple[str, ...] = field(repr=False)
    totp: bytes = field(repr=False)


@dataclass
class Person:
    """A person of the demonstration, with the secrets that are printed for whoever tries."""

    name: str
    language: str
    card: str = field(repr=False)
    secret: str | tuple[int, ...] = field(repr=False)
    session: Session = field(repr=False)
    drawing: str = "turtle"
    sheets: tuple[str, ...] = ()


@dataclass
class Town:
    """Everything that has been made, to print how to enter."""

    staff: dict[str, Staff] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    kiosk: str = ""
    kiosk_token: str = ""


class Story:
    """How the demonstration came to be, day by day."""

    def __init__(self, context: Context, clock: Clock, now: dt.datetime, roots: dict[str, object], hands: Executor) -> None:
        self.context, self.clock, self.now, self.roots, self.town = context, clock, now, roots, Town()
        self._hands, self._drawn = hands, dict[str, Future[list[Drawn]]]()
        self.today = today_in_paris(now)
        read = catalogues()
        self.charter = charter.version(read["fr"])
        self.text = conditions.in_language(context.settings, read, "fr")
        self.said = sharing.Said(language="fr", text_version=self.text.version, text_sha256=self.text.sha256)

    def days_ago(self, days: float) -> None:
        """Go on to so many days before now."""
        self.clock.to(self.now - dt.timedelta(days=days))

    # Offices

    def administrator(self, operator: str, first_name: str, key: str) -> Session:
        """An administrator with a root key, signed in."""
        made = administrators.create(self.context, operator, first_name)
        self.roots[made.id] = made.sign_public
        self.town.staff[key] = Staff(first_name, "administrator", made.id, made.code, tuple(made.words), made.totp)
        return self.sign_in_administrator(key)

    def sign_in_administrator(self, key: str) -> Session:
        """A new session of an administrator."""
        self.clock.to(self.clock.now + dt.timedelta(seconds=31))
        one = self.town.staff[key]
        shown = one_time.password(one.totp, self.clock.now)
        return sessions.find(self.context, administrators.sign_in(self.context, one.code, one.words, shown))

    def worker(
        self, admins: Sequence[Session], structure: str, name: str, role: str, key: str, ends: dt.date | None = None
    ) -> None:
        """Invited, accepted, certified by two."""
        invitation = workers.invite(self.context, admins[0], structure, name, role, ends)
        accepting = sessions.find(self.context, workers.start_accepting(self.context, invitation))
        shown = workers.acceptance(self.context, accepting)
        self.clock.to(self.clock.now + dt.timedelta(seconds=31))
        totp = one_time.password(shown.totp, self.clock.now)
        made = workers.accept(self.context, accepting, shown.words, totp, charter=self.charter)
        for admin in admins:
            workers.certify(self.context, admin, made)
        self.town.staff[key] = Staff(name, role, made, shown.code, tuple(shown.words), shown.totp)

    def sign_in(self, key: str) -> Session:
        """A new session of a worker."""
        self.clock.to(self.clock.now + dt.timedelta(seconds=31))
        one = self.town.staff[key]
        shown = one_time.password(one.totp, self.clock.now)
        return sessions.find(self.context, workers.sign_in(self.context, one.code, one.words, shown))

    # People

    def open_safe(
        self, key: str, name: str, drawing: str, language: str, members: Sequence[circles.Chosen], *, pictures: bool = False
    ) -> Person:
        """A person with a card, a code (or pictures) and the guardians of their first day."""
        secret: str | tuple[int, ...] = draw_code()
        if pictures:
            secret = draw_pictures()
        (card,) = cards.new_cards(1)
        started = sessions.find(self.context, people.start_opening(self.context, self.town.kiosk, language))
        accepted = people.Accepted(self.text.version, self.text.sha256.hex(), language, heard=True, interpreter=False)
        chosen = replace(
            people.opening_choices(self.context, started), name=name, drawing=drawing, card=card.text, accepted=accepted,
            code=None if pictures else str(secret), pictures=secret if isinstance(secret, tuple) else None,
        )  # fmt: skip
        people.keep_choices(self.context, started, chosen)
        opened = people.open_safe(self.context, started)
        person = Person(name, language, card.text, secret, sessions.find(self.context, opened.cookie), drawing)
        self.town.people[key] = person
        if members:
            self.trust(person, members)
        return person

    def trust(self, person: Person, members: Sequence[circles.Chosen]) -> None:
        """Choose guardians."""
        formed = circles.set_circle(self.context, person.session, person.secret, members, needed=2)
        person.sheets = tuple(sheet_text(sheet.secret) for sheet in formed.sheets)

    def guardian(self, person: Person | None, key: str, name: str, drawing: str) -> circles.GuardianWorker:
        """A worker as a guardian, who is given the name and the drawing."""
        return circles.GuardianWorker(self.town.staff[key].id, person.name if person else name, drawing)

    def unlock(self, key: str) -> Session:
        """Open again, as anybody would."""
        person = self.town.people[key]
        shown = sessions.find(self.context, people.present_card(self.context, self.town.kiosk, person.card))
        if isinstance(person.secret, tuple):
            cookie = people.unlock_with_pictures(self.context, shown, person.secret)
        else:
            cookie = people.unlock(self.context, shown, person.secret)
        person.session = sessions.find(self.context, cookie)
        return person.session

    def draw(self, key: str, papers: Callable[[], list[FalsePaper]]) -> None:
        """Have somebody's papers drawn and prepared aside, while others live: what parses them is another process anyway."""

        def drawn() -> list[Drawn]:
            return [(paper, prepare(self.context.confinement, [paper.content])) for paper in papers()]

        self._drawn[key] = self._hands.submit(drawn)

    def deposit(self, key: str, papers: slice = EVERY) -> list[str]:
        """Put in some of the papers that were drawn for somebody, or all; gives their ids."""
        session = self.town.people[key].session
        kept = []
        for paper, prepared in self._drawn[key].result()[papers]:
            kept.append(
                documents.deposit(self.context, session, prepared, ShelfKind(paper.shelf), title=paper.title, sort=paper.sort)
            )
        return [str(one) for one in kept]

    def offer(self, purpose: str, papers: Sequence[str], days: int, *acts: Act) -> sharing.Offer:
        """A share of chosen papers until so many days after today."""
        return sharing.Offer(
            purpose=PurposeId(purpose), acts=frozenset(acts), until=self.today + dt.timedelta(days=days), said=self.said,
            papers=tuple(PaperId(one) for one in papers), words=named(PurposeId(purpose)).words,
        )  # fmt: skip
