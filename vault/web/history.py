"""K18: who looked, what was done, newest first; grouped by day, by person and by paper; in the language of the page, and on paper."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Literal

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.ids import GrantId
from vault import looking_back, people, showing
from vault.audit import Entry
from vault.events import WORDS, Event, sentence
from vault.looking_back import Cursor
from vault.pictograms import REASONS
from vault.settings import today_in_paris
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.paging import address
from vault.web.shell import Req, go, page

ENTRIES_A_PAGE = 16  # of which some are folded
ENTRIES_ON_PAPER = 400
BEFORE, AFTER = "avant", "apres"
OF_ABRI = (
    "share.expired",
    "share.ended",
    "share.reencrypted",
    "safe.session-replaced",
    "paper.refused",
    "shelf.refused",
    "paper.erased",
)

BY_ITSELF = (
    "death.denied",
    "erasure.asked",
    "erasure.cancelled",
    "outside.expired",
    "paper.missing",
    "recovery.expired",
    "safe.silence-told",
)
"""What Abri does unless the entry names somebody: a day came, a year of silence, a row that is gone. Nobody unknown did it."""

OWN_LOOKS = ("safe.listed", "safe.counted", "safe.history-read")
"""What the person looked at without opening a paper: one line for a day, which opens."""

Who = Literal["you", "named", "abri", "someone"]


@dataclass(frozen=True)
class Line:
    """One sentence and its values. `times`: how often the same was done that day; `stop`: the share it used, which still lives."""

    entry: Entry
    icon: str
    alarming: bool
    key: str
    reason: str
    times: int = 1
    stop: str = ""


@dataclass(frozen=True)
class Actor:
    """What one person did on one day: the person, somebody with a name, Abri itself, or somebody unknown. `folded`: own looks."""

    who: Who
    name: str
    lines: tuple[Line, ...]
    folded: tuple[Line, ...]


@dataclass(frozen=True)
class Day:
    """What happened on one day in Paris."""

    day: date
    actors: tuple[Actor, ...]


def _who(event: Event, person: str) -> tuple[Who, str]:
    if event.by == person:
        return "you", ""
    if event.tag in OF_ABRI or WORDS[event.tag].group in ("maintenance", "structure"):
        return "abri", ""
    if event.tag in BY_ITSELF and not event.by_name:
        return "abri", ""
    return ("named", event.by_name.split(",")[0]) if event.by_name else ("someone", "")


def _line(entries: Sequence[Entry], living: Mapping[GrantId, str]) -> Line:
    """The same thing done several times in a day is one line, at its last moment."""
    entry, word = entries[0], WORDS[entries[0].event.tag]
    reason = entry.event.purpose if entry.event.purpose in REASONS else "other"
    stop = entry.event.grant if entry.event.grant in living else ""
    return Line(entry, word.icon, word.alarming, sentence(entry.event.tag, entry.event.by), reason, len(entries), stop)


def line_of(entry: Entry) -> Line:
    """One entry alone."""
    return _line([entry], {})


def _grouped(entries: Iterable[Entry], *same: str) -> list[list[Entry]]:
    """Entries with the same values of these fields together; groups and entries keep their order."""
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(getattr(entry.event, name) for name in same), []).append(entry)
    return list(groups.values())


def _lines(entries: Iterable[Entry], living: Mapping[GrantId, str]) -> tuple[Line, ...]:
    """Paper by paper; a share is stopped from the first line that used it."""
    shown: list[Line] = []
    for about in _grouped(entries, "paper"):
        for same in _grouped(about, "tag", "by", "grant", "purpose", "title", "place"):
            line = _line(same, {grant: name for grant, name in living.items() if grant not in {one.stop for one in shown}})
            shown.append(line)
    return tuple(shown)


def _days(entries: Iterable[Entry], person: str, living: Mapping[GrantId, str]) -> list[Day]:
    days = []
    for day, of_day in groupby(entries, key=lambda one: today_in_paris(one.at)):
        actors: dict[tuple[Who, str], list[Entry]] = {}
        for entry in of_day:
            actors.setdefault(_who(entry.event, person), []).append(entry)
        days.append(Day(day, tuple(_actor(who, name, found, living) for (who, name), found in actors.items())))
    return days


def _actor(who: Who, name: str, found: Sequence[Entry], living: Mapping[GrantId, str]) -> Actor:
    looks = [one for one in found if one.event.tag in OWN_LOOKS]
    return Actor(who, name, _lines((one for one in found if one not in looks), living), _lines(looks, {}))


def _asked(request: Req) -> dict[str, Cursor | None]:
    """The place in the history that the address names."""
    return {
        name: looking_back.cursor(request.query_params.get(word, "")) for name, word in (("before", BEFORE), ("after", AFTER))
    }


@get("/{language:str}/regards", opt=who("person"), sync_to_thread=True)
def history(request: Req) -> Response[str]:
    """K18, a few lines a page."""
    context, session = context_of(request), signed_in(request)
    sheet = looking_back.sheet(context, session, ENTRIES_A_PAGE, **_asked(request))
    living, proving = showing.living(context, session), request.query_params.get("preuve") == "1"
    return page(
        request, "kiosk/history.html", back="regards" if proving else "maison", proving=proving,
        days=_days(sheet.entries, session.account, living), living=living,
        places=people.places_shown(context, session),
        newer=address(request, "regards", preuve=int(proving), **{AFTER: str(sheet.newer)}) if sheet.newer else None,
        older=address(request, "regards", preuve=int(proving), **{BEFORE: str(sheet.older)}) if sheet.older else None,
    )  # fmt: skip


@post("/{language:str}/regards/lieux", opt=who("person"), sync_to_thread=True)
def places(request: Req, form: Sent) -> Response[Any]:
    """Show where things happened, or hide it again: hidden by default, because somebody else may be reading."""
    people.show_places(context_of(request), signed_in(request), form.get("shown") == "yes")
    return go(request, "regards")


@get("/{language:str}/regards/imprimer", opt=who("person"), sync_to_thread=True)
def on_paper(request: Req) -> Response[Any]:
    """For paper: no place, no number of a share; what is older than a few hundred lines is on a second print."""
    context, session = context_of(request), signed_in(request)
    sheet = looking_back.sheet(context, session, ENTRIES_ON_PAPER, **_asked(request))
    return page(
        request, "printed/history.html", days=_days(sheet.entries, session.account, {}), today=today_in_paris(context.clock()),
        older=address(request, "regards/imprimer", **{BEFORE: str(sheet.older)}) if sheet.older else None,
    )  # fmt: skip


ROUTES: list[ControllerRouterHandler] = [history, places, on_paper]
