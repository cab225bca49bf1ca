"""The register of requests, as an administrator reads it: each line with its days, its colour, and what may be done to it now.

What is done to it is `vault.rights`.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import RowMapping, select

from storage.tables import administrators, death_reports, rights_requests, workers
from vault import administrators as office
from vault import certificates, standing
from vault.context import Context
from vault.register import OPEN_STATES, RULES, Origin, RightKind
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.standing import Standing

Colour = Literal["calm", "amber", "red"]
AMBER_DAYS, RED_DAYS = 7, 2


@dataclass(frozen=True)
class Request:
    """One line of the register, as an administrator reads it. `approvals`: first names.

    `days_left` may be negative; it is None for what was carried out and is in force, or waits its 72 hours: that is answered.

    `unsaid`: somebody who had seen a certificate of death has left since, and their word counts no more.

    `undoing`: who wants what two decided to be undone; `may_undo`: it is not the one who reads.
    """

    id: str
    number: str
    kind: RightKind
    origin: Origin
    state: str
    received: dt.date
    due: dt.date
    days_left: int | None
    colour: Colour
    identity: str
    approvals: tuple[str, ...]
    reason: str
    extended: bool
    extension: str
    may_extend: bool
    may_approve: bool
    closed: dt.date | None
    numbered: bool
    decided: str
    opens: dt.date | None
    term: dt.date | None
    told: dt.date | None
    may_carry_out: bool
    may_extract: bool
    undoing: str
    undoing_reason: str
    may_undo: bool
    erasure: Standing | None
    unsaid: bool

    @property
    def late(self) -> bool:
        """Whether it should have been answered before today."""
        return self.days_left is not None and self.days_left < 0

    @property
    def letter(self) -> bool:
        """Whether the answer leaves by letter: refused or prolonged, and whoever asked was never recognised, so reads no notice."""
        return not self.identity and (self.state == "refused" or (self.state == "received" and self.extended))


def requests(context: Context, session: Session, *, closed: bool = False) -> list[Request]:
    """The register of the administrator's operator, oldest first; those that are over with `closed`."""
    with context.database.transaction(read_only=True) as connection:
        operator = office.operator_of(connection, session)
        query = select(rights_requests).where(rights_requests.c.operator == operator)
        over = rights_requests.c.state.not_in(OPEN_STATES)
        rows = connection.execute(query.where(over if closed else ~over)).mappings().all()
        known = connection.execute(select(administrators.c.account, administrators.c.first_name)).all()
        names = {row.account: row.first_name for row in known}
        erased = standing.of_register(context, connection, operator)
        left = select(death_reports.c.request).join(workers, workers.c.account == death_reports.c.worker)
        unsaid = set(connection.scalars(left.where(workers.c.state == "ended")))
    today = today_in_paris(context.clock())
    found = [_shown(row, session, names, today, erased.get(row["id"]), row["id"] in unsaid) for row in rows]
    return sorted(found, key=lambda one: (one.received, one.due, one.id))


def overdue(context: Context) -> int:
    """How many requests of all operators should have been answered before today."""
    of, today = rights_requests.c, today_in_paris(context.clock())
    with context.database.transaction(read_only=True) as connection:
        rows = connection.execute(select(rights_requests).where(of.state.in_(OPEN_STATES))).mappings()
        days = [answered_by(row) for row in rows]
    return sum(day is not None and day < today for day in days)


def answered_by(row: RowMapping) -> dt.date | None:
    """The day by which an open request must be answered; None for what was: it is in force until it is lifted, or waits its 72 hours.

    An erasure that does not come to its end is told by itself (`vault.standing`). A death waits for those the person counted on, and
    once approved for its year: what closes by itself at its term is late after that alone. What the office wrote down without a number
    has nobody to wait for, however it came, and is answered within its month like any other.
    """
    rule = RULES[row["kind"]]
    if row["state"] == "carrying-out" and (rule.lifts or rule.erases or row["kind"] == "death"):
        return None
    guardians_may = row["state"] == "received" and (row["numbered"] or row["person"] is not None)
    waits = row["kind"] == "death" and (row["state"] == "approved" or guardians_may)
    day: dt.date = row["term"] if waits else row["extended"] or row["due"]
    return day


def _shown(
    row: RowMapping, session: Session, names: dict[str, str], today: dt.date, erased: Standing | None, unsaid: bool
) -> Request:
    day = answered_by(row)
    left = None if day is None else (day - today).days
    said = [row[name] for name in ("first_approval", "second_approval") if row[name]]
    return Request(
        id=row["id"], number=certificates.number_of(row["id"]), kind=row["kind"], origin=row["origin"], state=row["state"],
        received=row["received"], due=day or row["extended"] or row["due"], days_left=left, colour=_colour(row, left),
        identity=row["identity"] or "", approvals=tuple(names.get(one, "") for one in said), reason=row["reason"] or "",
        extended=row["extended"] is not None, extension=row["extension"] or "", may_extend=may_extend_now(row, today),
        may_approve=may_approve_now(row) and session.account not in said, closed=row["closed"], numbered=row["numbered"],
        decided=row["decided"] or "", opens=row["opens"], term=row["term"], told=row["told"], may_carry_out=may_carry_out_now(row),
        may_extract=row["kind"] == "requisition" and row["state"] == "carrying-out" and row["numbered"],
        undoing=names.get(row["undoing"], "?") if row["undoing"] and not row["closed"] else "",
        undoing_reason=row["undoing_reason"] or "", may_undo=row["undoing"] != session.account, erasure=erased,
        unsaid=unsaid and row["state"] == "received",
    )  # fmt: skip


def _colour(row: RowMapping, left: int | None) -> Colour:
    if left is None:
        return "calm"
    return "red" if left <= RED_DAYS else "amber" if left <= AMBER_DAYS or row["kind"] == "minor" else "calm"


def may_extend_now(row: RowMapping, today: dt.date) -> bool:
    allowed: bool = RULES[row["kind"]].extends
    return allowed and row["extended"] is None and today <= row["due"] and row["state"] in ("received", "identified", "approved")


def may_approve_now(row: RowMapping) -> bool:
    """What an authority asks has no person to identify; everything else waits until the person has been."""
    return bool(row["state"] == "identified" or (row["state"] == "received" and not RULES[row["kind"]].identity))


def may_carry_out_now(row: RowMapping) -> bool:
    """What two have approved; an erasure and an order need somebody whom they are about; a death waits for its year by itself."""
    rule = RULES[row["kind"]]
    somebody = row["person"] is not None or not (rule.erases or rule.lifts)
    return bool(row["state"] == "approved" and rule.by_hand and somebody)
