"""How long things are kept, as people read it: the rows of the conditions, of "what Abri knows of me" and of `docs/retention.md`.

The figures are those that the purge obeys (`settings.Retention`, `settings.Limits`; of requests and of messages, what the rules of
asking and `vault.notices` say): there is no other place to change them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from consent.request import MEMORY_DAYS, OPEN_DAYS
from vault.languages import Sentences
from vault.notices import KEPT_AFTER_SEEN
from vault.settings import Limits, Retention, Settings

Unit = Literal["minutes", "hours", "days", "months", "years"]


@dataclass(frozen=True)
class Term:
    """One row: what is kept (sentence `keeps.<what>`), and how long; `count` 0 is until the person erases it."""

    what: str
    count: int
    unit: Unit

    def said(self, sentences: Sentences) -> str:
        """The time in words."""
        if not self.count:
            return sentences.plain("duration.until-erased")
        said = sentences.plain(f"duration.{self.unit}", self.count)
        return said.replace("\u2068", "").replace("\u2069", "")  # the page isolates the whole


_Figure = Callable[[Retention, Limits], int]
ROWS: tuple[tuple[str, Unit, _Figure], ...] = (
    ("papers", "days", lambda _kept, _limits: 0),
    ("bin", "days", lambda kept, _limits: kept.bin),
    ("erasing", "hours", lambda kept, _limits: kept.cooling_off_hours),
    ("backups", "days", lambda kept, _limits: kept.backups),
    ("trace", "years", lambda kept, _limits: kept.trace // 365),
    ("attempts", "months", lambda kept, _limits: kept.attempts // 30),
    ("receipts", "years", lambda kept, _limits: kept.receipts_years),
    ("registers", "years", lambda kept, _limits: kept.registers_years),
    ("asked", "days", lambda _kept, _limits: MEMORY_DAYS + OPEN_DAYS),
    ("messages", "days", lambda _kept, _limits: KEPT_AFTER_SEEN.days),
    ("half-made", "minutes", lambda _kept, limits: limits.opening_seconds // 60),
    ("workers", "months", lambda kept, _limits: kept.worker_months),
    ("silent-first", "months", lambda kept, _limits: kept.silent_told_months[0]),
    ("silent-second", "months", lambda kept, _limits: kept.silent_told_months[1]),
    ("silent", "months", lambda kept, _limits: kept.silent_months),
    ("closing", "months", lambda kept, _limits: kept.retrieval_months),
)


def terms(retention: Retention, limits: Limits) -> tuple[Term, ...]:
    """Every row with its figure, in the order in which they are read."""
    return tuple(Term(what, figure(retention, limits), unit) for what, unit, figure in ROWS)


def said_of(what: str, settings: Settings, sentences: Sentences) -> str:
    """The time of one row, in words."""
    (one,) = [one for one in terms(settings.retention, settings.limits) if one.what == what]
    return one.said(sentences)
