"""What ends soon among what is shared with a worker: the shares themselves, and what a certificate of address is good for.

A card holds no end date of a paper. Of a certificate of address the law says two things that its kind alone allows to tell: it lasts
one year, and that whoever gave no sign of life for three months may be struck off (Social action code D264-1 and D264-3). Both are
counted from the day when the paper was put in, which is never before the day when it was made: the true ends may be earlier.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from consent.days import add_months
from consent.ids import GrantId
from vault import shared_papers
from vault.context import Context
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.shared_papers import PersonSharing, SharedPaper

DOMICILIATION = "domiciliation"
PAPER_DAYS = 62  # two months
What = Literal["share", "domiciliation", "visit", "visit-unknown"]


@dataclass(frozen=True)
class Ending:
    """One end. `on` is the last day, at the latest; None when only the person knows it."""

    what: What
    on: date | None
    grant: GrantId
    name: str = field(repr=False)
    drawing: str


def last_day(sort: str, added: datetime) -> date | None:
    """The last day that a paper of this kind can be good for, whenever it was made; None for a kind of which nobody can tell."""
    return add_months(today_in_paris(added), 12) - timedelta(days=1) if sort == DOMICILIATION else None


def ending_soon(context: Context, session: Session) -> list[Ending]:
    """What ends soon, the first end first; what only the person knows at the foot."""
    today = today_in_paris(context.clock())
    found: list[Ending] = []
    for share, papers in shared_papers.everything_shared(context, session):
        if share.ending_soon:
            found.append(_of(share, "share", share.until))
        for paper in papers:
            if paper.sort == DOMICILIATION:
                found += _of_an_address(share, paper, today)
    return sorted(found, key=lambda one: (one.on is None, one.on or today, one.name, one.what))


def _of(share: PersonSharing, what: What, on: date | None) -> Ending:
    return Ending(what, on, share.grant, share.name, share.drawing)


def _of_an_address(share: PersonSharing, paper: SharedPaper, today: date) -> list[Ending]:
    added = today_in_paris(paper.added)
    last, visit = last_day(paper.sort, paper.added), add_months(added, 3)
    found = [_of(share, "visit", visit) if visit >= today else _of(share, "visit-unknown", None)]
    if last is not None and last <= today + timedelta(days=PAPER_DAYS):
        found.append(_of(share, "domiciliation", last))
    return found
