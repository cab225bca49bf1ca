"""The lines of the register of requests: writing one, holding one, telling what was done to it. What may be done is `vault.rights`."""

import datetime as dt

from sqlalchemy import Connection, RowMapping, insert, select

from consent.days import add_months
from storage.tables import rights_requests
from vault import administrators as office
from vault import aftermath, audit, notices, typed
from vault.context import Context
from vault.errors import NotThere
from vault.events import Event
from vault.notices import Notice
from vault.sessions import Session
from vault.settings import today_in_paris

REASON_LETTERS = 500


def write(
    context: Context,
    connection: Connection,
    operator: str,
    kind: str,
    origin: str,
    *,
    person: str | None = None,
    identity: str | None = None,
    numbered: bool = False,
    decided: str | None = None,
    opens: dt.date | None = None,
) -> str:
    """A new line, due in one calendar month; gives its id."""
    today, name = today_in_paris(context.clock()), context.new_id()
    connection.execute(
        insert(rights_requests).values(
            id=name, operator=operator, kind=kind, origin=origin, person=person, identity=identity,
            state="identified" if identity else "received", received=today, due=add_months(today, 1), numbered=numbered,
            decided=decided, opens=opens,
        )
    )  # fmt: skip
    return name


def recognised_by(context: Context, connection: Connection, person: str) -> str:
    """Guardians vouch for a day after they have brought somebody back; after that, the card and the code do."""
    return "guardians" if aftermath.holds(context, connection, person) else "card-and-code"


NO_REASON = "office.request.reason_missing"


def reasoned(reason: str) -> str:
    """A reason that somebody can read: never empty, never long. BadInput."""
    return typed.lines(reason, "reason", REASON_LETTERS, empty=NO_REASON, long=NO_REASON)


def mine(connection: Connection, session: Session, request: str, *, hold: bool = True) -> RowMapping:
    """A request of the administrator's own operator, held until the commit. Another's does not exist."""
    operator = office.operator_of(connection, session)
    ours = (rights_requests.c.id == request, rights_requests.c.operator == operator)
    query = select(rights_requests).where(*ours)
    row = connection.execute(query.with_for_update() if hold else query).mappings().one_or_none()
    if row is None:
        raise NotThere
    return row


def tell(context: Context, connection: Connection, session: Session, row: RowMapping, tag: str, notice: Notice | None) -> None:
    """What was done stands in the trace of both; the person reads the notice at their next unlock."""
    name = office.first_name(connection, session.account)
    event = Event(tag, by=session.account, by_name=name, detail=row["kind"])
    # What an authority asks is told when it may be, and only then (`vault.requisitions`).
    person = None if row["kind"] == "requisition" else row["person"]
    audit.record(context, connection, session, event, person=person, worker=session.account)
    if notice is not None and person is not None:
        notices.tell(context, connection, row["person"], notice)
