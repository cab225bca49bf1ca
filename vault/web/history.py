"""K18: who looked, what was done, newest first; in the language of the page, grouped by day, and on paper."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from consent.ids import GrantId
from vault import audit, showing
from vault.audit import Entry
from vault.events import WORDS
from vault.pictograms import REASONS
from vault.settings import today_in_paris
from vault.web.guards import context_of, signed_in, who
from vault.web.paging import address, asked, leaf
from vault.web.shell import Req, page

ENTRIES_A_PAGE = 10


@dataclass(frozen=True)
class Shown:
    """One line: its pictogram, its sentence's key, its values; `stop` is a share of that worker that still lives."""

    entry: Entry
    icon: str
    alarming: bool
    key: str
    reason: str
    stop: str = ""


@dataclass(frozen=True)
class Day:
    """What happened on one day in Paris."""

    day: date
    entries: tuple[Shown, ...]


def _shown(entry: Entry, living: Mapping[GrantId, str]) -> Shown:
    event, word = entry.event, WORDS[entry.event.tag]
    stop = event.grant if event.grant in living else ""
    return Shown(
        entry, word.icon, word.alarming, f"event.{event.tag}", event.purpose if event.purpose in REASONS else "other", stop
    )  # fmt: skip


def _days(entries: Iterable[Entry], living: Mapping[GrantId, str]) -> list[Day]:
    shown = [_shown(entry, living) for entry in entries]
    return [Day(day, tuple(lines)) for day, lines in groupby(shown, key=lambda one: today_in_paris(one.entry.at))]


@get("/{language:str}/regards", opt=who("person"), sync_to_thread=True)
def history(request: Req) -> Response[str]:
    """K18, ten lines a page."""
    context, session = context_of(request), signed_in(request)
    shown = leaf(audit.history(context, session), asked(request), ENTRIES_A_PAGE)
    living = {one.grant: one.worker_name for one in showing.grants_of(context, session)}
    return page(
        request, "kiosk/history.html", back="maison", days=_days(shown.items, living), living=living,
        newer=address(request, "regards", suite=shown.before) if shown.before else None,
        older=address(request, "regards", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@get("/{language:str}/regards/imprimer", opt=who("person"), sync_to_thread=True)
def on_paper(request: Req) -> Response[Any]:
    """All of it, for paper: no place, no number of a share."""
    entries = audit.history(context_of(request), signed_in(request))
    today = today_in_paris(context_of(request).clock())
    return page(request, "printed/history.html", days=_days(entries, {}), today=today)


ROUTES: list[ControllerRouterHandler] = [history, on_paper]
