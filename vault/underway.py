"""What counts in a recovery that is under way: confirmations of the present circle, and whether a whole set has come."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, or_, select

from crypto.statements import CircleFormed
from storage.tables import circle_members, recoveries, recovery_confirmations, workers
from vault import accounts, aftermath
from vault import circles as forming
from vault.context import Context
from vault.errors import Conflict, GuardianAway, NoSession


@dataclass(frozen=True)
class Underway:
    """A recovery with the confirmations that count, and the set of guardians that is whole, if one is."""

    row: RowMapping
    said: CircleFormed | None
    confirmed: tuple[RowMapping, ...]
    whole: int | None
    at_once: bool

    @property
    def theft(self) -> bool:
        """Whether a guardian confirmed theft or pressure."""
        return any(one["theft"] for one in self.confirmed)


def may_open(found: Underway, now: dt.datetime) -> bool:
    """Whether the set that is whole may open now."""
    opens = found.row["opens"]
    return found.at_once or (opens is not None and opens <= now)


def underway(context: Context, connection: Connection, recovery: str) -> Underway:
    """Read a recovery and what counts in it: confirmations of the present circle, of sheets and of workers who still are certified.

    NoSession once it is over."""
    row = connection.execute(select(recoveries).where(recoveries.c.id == recovery).with_for_update()).mappings().one_or_none()
    if row is None or row["state"] != "asking" or row["term"] <= context.clock():
        raise NoSession
    if row["person"] is None:
        return Underway(row, None, (), None, False)
    said = circle_of(context, connection, row["person"])
    if said is None:
        return Underway(row, None, (), None, False)
    query = select(recovery_confirmations, circle_members.c.kind).join(
        circle_members, circle_members.c.id == recovery_confirmations.c.member
    )
    # Whoever was suspended or ended since they confirmed may be somebody else: ending the account is how an office says no.
    query = query.outerjoin(workers, workers.c.account == circle_members.c.worker)
    counts = or_(circle_members.c.kind == "sheet", workers.c.state == "certified")
    ours = (recovery_confirmations.c.recovery == recovery, circle_members.c.circle == said.circle, counts)
    confirmed = tuple(connection.execute(query.where(*ours)).mappings())
    sheets = {one["member"] for one in confirmed if one["kind"] == "sheet"}
    beside = {one["member"] for one in confirmed if one["beside"]}
    have = {(int(one["set"]), one["member"]) for one in confirmed}
    whole = [number for number, members in enumerate(said.sets) if all((number, member) in have for member in members)]
    somebody_left = False
    if aftermath.stopped(connection, row["person"]):
        working = _workers_of(connection, said.circle)
        everybody = {member for member, state in working.items() if state == "certified"}
        whole = whole if everybody <= {one["member"] for one in confirmed} else []
        somebody_left = len(everybody) < len(working)
    # A set of people with one of them beside the person opens at once; it is taken before one that would wait. After a stop it
    # waits too when a guardian is no longer there to say no (ADR 0071).
    beside = set() if somebody_left else beside
    at_once = [
        number for number in whole if beside.intersection(said.sets[number]) and not sheets.intersection(said.sets[number])
    ]
    chosen = next(iter(at_once or whole), None)
    return Underway(row, said, confirmed, chosen, bool(at_once))


def circle_of(context: Context, connection: Connection, person: str) -> CircleFormed | None:
    """A person's circle as they signed it, or None."""
    found = forming.living(context, connection, person, accounts.public_keys(context, connection, person).ring)
    return None if found is None else found[1]


def _workers_of(connection: Connection, circle: str) -> dict[str, str]:
    """The workers of a circle, by member, and whether each still is one."""
    query = select(circle_members.c.id, workers.c.state).join(workers, workers.c.account == circle_members.c.worker)
    return {row.id: row.state for row in connection.execute(query.where(circle_members.c.circle == circle))}


def refuse_finished(found: Underway, now: dt.datetime) -> int:
    """The whole set of a recovery that may open now; Conflict otherwise, GuardianAway when somebody of the set went away meanwhile."""
    if found.whole is None and found.row["opens"] is not None:
        raise GuardianAway
    if found.whole is None or not may_open(found, now):
        raise Conflict
    return found.whole
