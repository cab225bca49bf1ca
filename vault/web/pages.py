"""How a page is made: one Jinja environment, the sentences of a language, icons, voices, and the frame around it all."""

import dataclasses
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from vault import accessibility
from vault.assets.icons import DIRECTIONAL
from vault.assets.manifest import Assets
from vault.events import WORDS
from vault.kiosks import Equipment
from vault.languages import FRENCH, SHOWN_ZONE, Catalogues, Sentences, fill
from vault.offers import Line
from vault.pictograms import DRAWERS, DRAWINGS, KINDS, PICTURES, REASONS
from vault.web.said_lines import share_rows

TEMPLATES = Path(__file__).parent / "templates"
TOKEN_FIELD = "token"  # noqa: S105 - the name of a form field


@dataclass(frozen=True)
class Idle:
    """After how many seconds without touch, sound or upload a session ends, and where the browser then goes."""

    seconds: int
    end: str
    alive: str | None = None
    warn_before: int = 60


EVERY_WAY = Equipment(camera=True, scanner=True, printer=True, sound=True)
"""What a browser that is no enrolled kiosk is offered."""


@dataclass(frozen=True)
class Frame:
    """What stands around every kiosk page: language, addresses of the five controls, token of the session's forms.

    `leave` is where Sortir vite goes, in place of the page in the browser's history. `equipment`: what stands beside the screen;
    without sound the page says nothing aloud, and offers to say nothing.
    """

    language: str
    help: str
    languages: str
    finish: str
    leave: str
    token: str = ""
    back: str | None = None
    idle: Idle | None = None
    equipment: Equipment = EVERY_WAY
    sent_to: str = ""  # of the answer to a form: where its page can be read


@dataclass(frozen=True)
class Place:
    """One entry of the menu at the desk or in the office."""

    key: str
    url: str
    icon: str
    current: bool = False
    key_to_press: str = ""


@dataclass(frozen=True)
class WorkFrame:
    """What stands around every page of the desk and the office: who is there, where they can go, how to close."""

    language: str
    languages: str
    token: str = ""
    who: str = ""
    places: tuple[Place, ...] = ()
    sign_out: str | None = None
    hand_over: str | None = None
    keys: str | None = None  # what whoever is signed in enters with
    idle: Idle | None = None
    sent_to: str = ""


@dataclass(frozen=True)
class Fault:
    """One thing to put right: its sentence, the field it is about, the values in the sentence."""

    key: str
    field: str | None = None
    values: dict[str, object] = dataclasses.field(default_factory=dict)


class Speaker:
    """The sentences of one rendering as HTML; what this page can say aloud; whether it holds words that two people must read."""

    def __init__(
        self,
        sentences: Sentences,
        french: Sentences,
        assets: Assets,
        *,
        unread: bool,
        ready: dict[str, list[Markup]],
        mute: bool = False,
    ) -> None:
        self.sentences = sentences
        self._ready = ready
        self.unread = unread
        self.language = sentences.language
        self.heard: list[str] = []
        self.grave = False
        self._mute = mute
        self._french = french
        self._assets = assets

    def html(self, key: str, n: int | None = None, **values: object) -> Markup:
        """One sentence, escaped; its values stand in `<bdi>`, and French among others says that it is French."""
        lines = self.lines(key, n, **values)
        return lines[0] if len(lines) == 1 else _SPACE.join(lines)

    def lines(self, key: str, n: int | None = None, **values: object) -> list[Markup]:
        """The same, one piece for each line of the catalogue: a sentence a line."""
        self.grave |= self.sentences.find(key)[0].needs_two_readers
        if n is None and not values:
            if key not in self._ready:
                self._ready[key] = self._lines(key, None, {})
            return self._ready[key]
        return self._lines(key, n, values)

    def _lines(self, key: str, n: int | None, values: dict[str, object]) -> list[Markup]:
        wording = self.sentences.wording(key, n)
        if n is not None:
            values = {"n": n, **values}
        isolated = {name: isolated_html(value) for name, value in values.items()}
        found = []
        for line in wording.text.split("\n"):
            html = Markup(fill(self._glossed(str(escape(line))), isolated))  # noqa: S704 - both sides are escaped above
            if wording.language != self.language and not self.language.for_tests:
                html = Markup('<span lang="{}" dir="{}">{}</span>').format(
                    wording.language.code, wording.language.direction, html
                )
            found.append(html)
        return found

    def audio(self, *keys: str) -> str | None:
        """Addresses of the recordings that say these sentences, separated by spaces; None unless all are there."""
        addresses: list[str] = []
        if self._mute:
            return None
        for key in keys:
            address = self._recording(key)
            if address is None:
                return None
            addresses.append(address)
        self.heard += [key for key in keys if key not in self.heard]
        return " ".join(addresses)

    def french_audio(self, *keys: str) -> str | None:
        """The same in French, for a language that two people have not read: None where it adds nothing."""
        if self._mute or not self.unread or self.language == FRENCH:
            return None
        addresses = [self._address(self._french, key) for key in keys]
        return None if None in addresses else " ".join(address for address in addresses if address)

    def _recording(self, key: str) -> str | None:
        spoken = self.sentences.spoken_key(key)
        if spoken is None:
            return None
        _, language = self.sentences.find(spoken)
        code = FRENCH.code if language.for_tests else language.code
        return self._assets.recording(code, spoken)

    def _address(self, sentences: Sentences, key: str) -> str | None:
        spoken = sentences.spoken_key(key)
        return None if spoken is None else self._assets.recording(sentences.language.code, spoken)

    def _glossed(self, line: str) -> str:
        return _SHORT.sub(self._gloss, line)

    def _gloss(self, found: re.Match[str]) -> str:
        short = found.group(0)
        return str(Markup('<abbr title="{}">{}</abbr>').format(self.sentences.plain(f"gloss.{short}"), short))


_SPACE = Markup(" ")
_SHORT = re.compile(r"\b(?:RSA|AME|C2S|CAF|RIB|MDPH)\b")


def isolated_html(value: object) -> str:
    """A value inside a sentence: text is escaped and isolated; another sentence, already HTML, stays as it is."""
    if isinstance(value, Markup):
        return str(value)
    return f"<bdi>{escape(str(value))}</bdi>"


def bdi(value: object) -> Markup:
    """A name or a number that belongs to the person, whatever its direction."""
    return Markup(isolated_html(str(value)))  # noqa: S704 - escaped there


class Pages:
    """Everything needed to make a page, built once when the service starts."""

    def __init__(self, assets: Assets, catalogues: Catalogues, *, demo: bool = False, ribbon: str = "demo.ribbon") -> None:
        self.assets = assets
        self.catalogues = catalogues
        self.demo = demo
        self._ready: dict[str, dict[str, list[Markup]]] = {sentences.language.code: {} for sentences in catalogues}
        self._unread = {sentences.language.code: bool(sentences.unread()) for sentences in catalogues}
        self._environment = environment(assets, catalogues, demo=demo, ribbon=ribbon)

    def render(self, template: str, frame: Frame | WorkFrame, **values: object) -> str:
        """The whole page; an unknown language is an error of the route, not of the person."""
        code = frame.language
        french, assets, ready = self.catalogues[FRENCH.code], self.assets, self._ready[code]
        mute = isinstance(frame, Frame) and not frame.equipment.sound
        speaker = Speaker(self.catalogues[code], french, assets, unread=self._unread[code], ready=ready, mute=mute)
        return self._environment.get_template(template).render(frame=frame, speaker=speaker, **values)

    def bare(self, template: str, **values: object) -> str:
        """A page without frame or sentences: what the quick exit shows."""
        return self._environment.get_template(template).render(**values)

    def sentence(self, language: str, key: str) -> str:
        """One sentence as plain text, a line after the other: for answers that are not pages."""
        return self.catalogues[language].plain(key).replace("\n", " ")


def environment(
    assets: Assets, catalogues: Catalogues, *, demo: bool = False, ribbon: str = "demo.ribbon"
) -> Environment:  # fmt: skip
    """Jinja with everything escaped and nothing undefined; templates get `_`, `_n`, `plain`, `icon`, `asset`, `audio`."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.globals.update(
        _=in_context(lambda speaker, key, **values: speaker.html(key, **values)),
        _n=in_context(lambda speaker, key, n, **values: speaker.html(key, n, **values)),
        lines=in_context(lambda speaker, key, n=None, **values: speaker.lines(key, n, **values)),
        plain=in_context(lambda speaker, key, n=None, **values: speaker.sentences.plain(key, n, **values)),
        titled=in_context(page_title),
        filled=in_context(filled),
        share_rows=in_context(lambda speaker, share: share_rows(speaker.sentences, share)),
        comma=in_context(lambda speaker: speaker.language.comma),
        colon=in_context(lambda speaker: speaker.language.colon),
        audio=in_context(lambda speaker, *keys: speaker.audio(*keys)),
        french_audio=in_context(lambda speaker, *keys: speaker.french_audio(*keys)),
        icon=lru_cache(maxsize=None)(lambda name: icon(assets, name)),
        asset=assets.url,
        demo=demo,
        ribbon=ribbon,
        token_field=TOKEN_FIELD,
        offered=catalogues.offered(),
        drawers=DRAWERS,
        reasons=REASONS,
        kinds=KINDS,
        events=WORDS,
        drawings=DRAWINGS,
        pictures=PICTURES,
        conformity=accessibility.statement().conformity.value,
    )
    made.filters.update(
        bdi=bdi,
        day=in_context(lambda speaker, day: speaker.sentences.day(as_date(day))),
        month=in_context(lambda speaker, day: speaker.sentences.month(as_date(day))),
        hour=in_context(lambda speaker, at: speaker.sentences.hour(at)),
        moment=in_context(lambda speaker, at: speaker.sentences.moment(at)),
        keyed=keyed,
        listed=in_context(listed),
        listed_plain=in_context(lambda speaker, parts: speaker.sentences.listed(parts)),
    )
    return made


def in_context(function: Callable[..., Any]) -> Callable[..., Any]:
    """A template function that speaks the language of the page being made."""

    @pass_context
    def bound(context: Context, *arguments: Any, **named: Any) -> Any:
        return function(context["speaker"], *arguments, **named)

    return bound


def icon(assets: Assets, name: str) -> Markup:
    """A drawing without meaning of its own: words always stand beside it."""
    turns = " icon-turns" if name in DIRECTIONAL else ""
    return Markup(
        '<svg class="icon{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>'
    ).format(turns, Markup(assets.icon(name)))  # noqa: S704 - made by our own build


def filled(speaker: Speaker, line: Line) -> dict[str, object]:
    """The values of a line, those that are sentences as a page shows them: marked as French where they are."""
    return {**line.values, **{name: speaker.html(key) for name, key in line.named.items()}}


def page_title(speaker: Speaker, key: str) -> str:
    """The title of the window: the heading without any value in it, for a shared screen and its history."""
    spoken = speaker.sentences.spoken_key(key)
    sentence, _ = speaker.sentences.find(spoken or key)
    if not sentence.static:
        return "Abri"
    return f"{sentence.forms[0]} · Abri"


def listed(speaker: Speaker, parts: Iterable[object]) -> Markup:
    """Values and sentences one after the other, each isolated, with the comma of the page's language between them."""
    return Markup(speaker.sentences.listed(isolated_html(part) for part in parts))  # noqa: S704 - each is escaped there


def as_date(day: date | datetime | str) -> date:
    """The day in Paris of a moment, or the day itself, also as a notice keeps it (2026-11-23)."""
    if isinstance(day, str):
        return date.fromisoformat(day)
    if isinstance(day, datetime):
        with suppress(OverflowError):  # the last day that a calendar has is shown, rather than no page at all
            return day.astimezone(SHOWN_ZONE).date()
        return day.date()
    return day


def keyed(names: Iterable[str], prefix: str) -> list[str]:
    """`['home', 'work'] | keyed('reason')` gives the keys of their sentences."""
    return [f"{prefix}.{name}" for name in names]
