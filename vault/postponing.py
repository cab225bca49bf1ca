"""What an erasure still waits for when its 72 hours are over: guardians who are bringing the person back, an order to keep everything.

It waits as it is: it looks done, the card and the code still cancel it, and it goes on by itself as soon as nothing holds it.
"""

from sqlalchemy import Connection, RowMapping, select

from storage.tables import recoveries, recovery_confirmations, rights_requests
from vault import restricting
from vault.context import Context


def waits(context: Context, connection: Connection, erasure: RowMapping) -> bool:
    """Whether this erasure (its row) must not begin now. What a judge orders waits for nothing, nor does what opens nothing any more."""
    person = erasure["person"]
    if person is None or _ordered(connection, erasure["register"]) or not context.keyvault.exists("person", person):
        return False
    if restricting.is_restricted(connection, person):
        return True
    return erasure["witness"] is None and _coming_back(context, connection, erasure)


def _ordered(connection: Connection, register: str | None) -> bool:
    order = (rights_requests.c.id == register, rights_requests.c.kind == "court-order")
    return connection.execute(select(rights_requests.c.id).where(*order)).first() is not None


def _coming_back(context: Context, connection: Connection, erasure: RowMapping) -> bool:
    """Whether a guardian has recognised the person, in a recovery begun within the 72 hours; until its own term at the latest."""
    confirmed = select(recovery_confirmations.c.recovery)
    theirs = (
        recoveries.c.person == erasure["person"], recoveries.c.state == "asking", recoveries.c.term > context.clock(),
        recoveries.c.created <= erasure["due"], recoveries.c.id.in_(confirmed),
    )  # fmt: skip
    return connection.execute(select(recoveries.c.id).where(*theirs).limit(1)).first() is not None
