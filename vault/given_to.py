"""Who received something of a person's papers: what they read before everything is erased, and with what Abri knows of them.

Named as the person knew them. A worker who left long ago has a pseudonym in the rows; the person's own copy of the share keeps the name
that they agreed to. Somebody outside has no name but the one that the person typed (GDPR 15(1)(c), 19).
"""

import datetime as dt
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from consent.days import paris_day
from consent.grant import GrantBody
from consent.scope import Act
from crypto.errors import CryptoError
from crypto.keys import AccountKeys
from storage.tables import grants, structures, workers
from vault import article19, forgetting, shares, who
from vault.context import Context
from vault.sessions import Session
from vault.settings import today_in_paris


@dataclass(frozen=True)
class Recipient:
    """Somebody who received papers. `took_copy`: a copy that stays theirs, whatever is erased here. `outside`: the person alone tells
    them; `structure` is empty then."""

    name: str
    structure: str
    took_copy: bool
    outside: bool = False


def recipients(context: Context, session: Session, takers: Set[str]) -> tuple[Recipient, ...]:
    """Workers first, by name, then people outside. `takers`: the workers whom the trace saw taking a copy."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        inside = _workers(context, connection, session.account, keys, takers)
    return (
        *inside,
        *(Recipient(name, "", took_copy=False, outside=True) for name in article19.outside_recipients(context, session)),
    )


def _workers(context: Context, connection: Connection, person: str, keys: AccountKeys, takers: Set[str]) -> list[Recipient]:
    query = select(grants, workers.c.first_name, workers.c.code, structures.c.name.label("structure"))
    query = query.join(workers, workers.c.account == grants.c.worker).join(structures, structures.c.id == workers.c.structure)
    told_since = today_in_paris(context.clock()) - dt.timedelta(days=context.settings.retention.trace)
    found: dict[str, Recipient] = {}
    for row in connection.execute(query.where(grants.c.person == person).order_by(grants.c.id)).mappings():
        body = _body(context, row, keys)
        name, before = _name(row, body), found.get(row["worker"])
        took = row["worker"] in takers or (before is not None and before.took_copy) or _may_have_taken(body, told_since)
        if before is not None and name.startswith(forgetting.MARK):
            name = before.name
        found[row["worker"]] = Recipient(name, row["structure"], took)
    return [found[worker] for worker in sorted(found, key=lambda one: (found[one].name, one))]


def _body(context: Context, row: RowMapping, keys: AccountKeys) -> GrantBody | None:
    try:
        return shares.own_body(context, row, keys)
    except CryptoError:
        return None  # damaged: the rows still say to whom it was given


def _name(row: Any, body: GrantBody | None) -> str:
    """As the rows have it; once a pseudonym stands there, as the person read it when they agreed."""
    if not forgetting.is_pseudonym(row["code"]) or body is None:
        return str(row["first_name"])
    return body.name_shown.partition(", ")[0]


def _may_have_taken(body: GrantBody | None, told_since: dt.date) -> bool:
    """A share to take copies that is older than the trace: nothing says any more that no copy was taken."""
    return body is not None and Act.TAKE in body.terms.acts and paris_day(body.since) < told_since
