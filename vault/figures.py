"""Six counts for each operator and each year, tied to nobody: what a funder may ask, and nothing that follows a person (ADR 0051).

Four are counters that move where something happens (an opening begun, a safe opened, used again, brought back); two are counted each night
(papers kept, shares that live), so that the last night of a year says what it was. They are published once the year is over, in one form:
less than eleven is not said, nor a count from which less than eleven could be reckoned; a total adds only what is said.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from sqlalchemy import func, select

from crypto.statements import Origin
from storage.tables import figures, grants, kiosks, operators, papers, structures, versions, workers
from vault import administrators, counting
from vault.colleagues import LIVING
from vault.context import Context
from vault.counting import What
from vault.sessions import Session
from vault.settings import today_in_paris

ALL: tuple[What, ...] = get_args(What)
LEAST = 11  # below, a count could be a few people whom somebody knows
SUBSETS: tuple[tuple[What, What], ...] = (
    ("offered", "opened"),
)  # the first contains the second: their difference is a count too
PAGE = 1000

Counts = Mapping[What, int]
Said = Mapping[What, int | None]


@dataclass(frozen=True)
class Year:
    """A year that is over: what is said of one operator, and of all together. None: not said."""

    year: int
    ours: Said
    total: Said


# --- Counting -------------------------------------------------------------------------------------------------------------------


def tonight(context: Context) -> int:
    """What is counted and not followed: papers kept, by the operator at whose kiosk or desk they came in, and shares that live."""
    year = today_in_paris(context.clock()).year
    with context.database.transaction(read_only=True) as connection:
        at_kiosk = dict(connection.execute(select(kiosks.c.id, structures.c.operator).join(structures)).all())
        at_desk = dict(connection.execute(select(workers.c.account, structures.c.operator).join(structures)).all())
        known = list(connection.scalars(select(operators.c.id)))
        living = select(grants.c.worker, func.count()).where(grants.c.state.in_(LIVING)).group_by(grants.c.worker)
        shares = [(at_desk.get(worker, ""), int(living_ones)) for worker, living_ones in connection.execute(living)]
        kept = dict.fromkeys(known, 0)
        query = select(versions.c.origin).join(papers, papers.c.version == versions.c.id).where(papers.c.state == "kept")
        for origin in connection.execution_options(yield_per=PAGE).execute(query).scalars():
            said = Origin.parse(origin)
            operator = at_kiosk.get(said.kiosk) or at_desk.get(said.depositor)
            if operator:
                kept[operator] += 1
    with context.database.transaction() as connection:
        for operator in known:
            ours = sum(number for one, number in shares if one == operator)
            for what, number in (("papers", kept[operator]), ("shares", ours)):
                put = counting.put(connection).values(operator=operator, year=year, what=what, count=number)
                connection.execute(put.on_conflict_do_update(index_elements=["operator", "year", "what"], set_={"count": number}))
    return len(known)


# --- Saying ---------------------------------------------------------------------------------------------------------------------


def said(counts: Counts) -> Said:
    """One operator, one year, as it may be published: the same whatever the counts that are not said really are."""
    shown: dict[What, int | None] = {what: number if (number := counts.get(what, 0)) >= LEAST else None for what in ALL}
    for whole, part in SUBSETS:
        all_of_them, some = shown[whole], shown[part]
        if all_of_them is not None and some is not None and all_of_them - some < LEAST:
            shown[whole] = None  # how many said no is a count of people too
    return shown


def total(every: Mapping[str, Counts]) -> Said:
    """All operators of a year together: the sum of what is said of each, so that taking it apart gives nothing more."""
    each = [said(counts) for counts in every.values()]
    sums: dict[What, int | None] = {}
    for what in ALL:
        told = [number for one in each if (number := one[what]) is not None]
        sums[what] = sum(told) if told else None
    return sums


def years(context: Context, session: Session) -> list[Year]:
    """The years that are over, newest first, for the administrator's operator. The present one would say who came today."""
    today = today_in_paris(context.clock())
    with context.database.transaction(read_only=True) as connection:
        operator = administrators.operator_of(connection, session)
        rows = connection.execute(select(figures).where(figures.c.year < today.year)).mappings().all()
    found: dict[int, dict[str, dict[What, int]]] = {}
    for row in rows:
        found.setdefault(row["year"], {}).setdefault(row["operator"], {})[row["what"]] = row["count"]
    return [Year(year, said(every.get(operator, {})), total(every)) for year, every in sorted(found.items(), reverse=True)]


def to_csv(found: list[Year]) -> str:
    """A line for each year and figure: `year,figure,operator,all`; what is not said is empty (RFC 4180)."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(["year", "figure", "operator", "all"])
    for one in found:
        for what in ALL:
            lines.writerow([one.year, what, *("" if number is None else number for number in (one.ours[what], one.total[what]))])
    return written.getvalue()
