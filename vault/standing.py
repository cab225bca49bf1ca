"""Where an erasure is, for those who must know that it moves: the register says it of its own lines, the look at the service of all."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from storage import intentions
from storage.tables import erasures, rights_requests
from vault import erasing, postponing
from vault.context import Context

LATE = dt.timedelta(hours=1)
Where = Literal["asked", "waits", "begun", "stuck"]


@dataclass(frozen=True)
class Standing:
    """`asked`: until `due` the card cancels it; `waits`: it is put off (`vault.postponing`); `begun`; `stuck`: an hour late or more."""

    where: Where
    due: dt.datetime


def of_register(context: Context, connection: Connection, operator: str) -> Mapping[str, Standing]:
    """The erasures that lines of this operator's register asked for and that are not over, by line."""
    now = context.clock()
    begun = {one.subject: one.created for one in intentions.pending(connection, erasing.INTENTION)}
    query = select(erasures).join(rights_requests, rights_requests.c.id == erasures.c.register)
    going = erasures.c.state.in_((erasing.ASKED, erasing.CARRYING_OUT))
    rows = connection.execute(query.where(rights_requests.c.operator == operator, going)).mappings().all()
    found: dict[str, Standing] = {}
    for row in rows:
        late = now - begun.get(row["id"], row["due"]) >= LATE
        where: Where = "asked"
        if row["state"] == erasing.CARRYING_OUT:
            where = "stuck" if late else "begun"
        elif row["due"] <= now:
            where = "waits" if postponing.waits(context, connection, row) else "stuck" if late else "begun"
        found[row["register"]] = Standing(where, row["due"])
    return found


def stuck(context: Context) -> int:
    """How many erasures should have been done an hour ago: begun and not finished, or due and not begun though they wait for nothing."""
    before = context.clock() - LATE
    with context.database.transaction(read_only=True) as connection:
        begun = [one.subject for one in intentions.pending(connection, erasing.INTENTION) if one.created <= before]
        asked = select(erasures).where(erasures.c.state == erasing.ASKED, erasures.c.due <= before)
        waiting = [one for one in connection.execute(asked).mappings() if not postponing.waits(context, connection, one)]
    return len({*begun, *(row["id"] for row in waiting)})
