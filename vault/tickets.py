"""One-time links: a random secret in a QR code, a few minutes, one use. Looking at a link never uses it up: previews may look.

The row is found by a derivation of the secret and sealed under another one: whoever holds the rows holds no link.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select, update

from crypto.canonical import Value
from crypto.errors import CryptoError
from crypto.keys import SecretBytes, kdf
from crypto.sealing import seal_value, unseal_value
from storage.tables import accounts, tickets
from vault import labels
from vault.context import Context
from vault.errors import TicketGone
from vault.shares import REACHED

Kind = Literal["to-phone", "from-phone", "parcel", "parcel-begun", "copy"]
MINUTES = 5
ENDING = timedelta(days=1)
_LOOK_UP = "look-up"


class TicketSecret(SecretBytes):
    """What a one-time QR code holds."""

    SIZE = 32


@dataclass(frozen=True)
class Ticket:
    """A link: its secret goes into the address (43 characters), and nowhere else."""

    secret: str = field(repr=False)
    kind: Kind
    term: datetime
    person: str


@dataclass(frozen=True)
class Shown:
    """A link that somebody showed, still good."""

    digest: str
    kind: Kind
    person: str
    session: str | None
    term: datetime
    payload: Mapping[str, Value] = field(repr=False)


def _digest(secret: TicketSecret) -> str:
    return kdf(secret, labels.ticket(ticket=_LOOK_UP), 32).hex()


def _read(untrusted: str) -> TicketSecret:
    try:
        raw = base64.b64decode(untrusted.encode() + b"=", altchars=b"-_", validate=True)
        secret = TicketSecret(raw)
    except (ValueError, binascii.Error):
        raise TicketGone from None
    if _written(secret) != untrusted:
        raise TicketGone
    return secret


def _written(secret: TicketSecret) -> str:
    return base64.urlsafe_b64encode(bytes(secret)).rstrip(b"=").decode()


def issue(
    context: Context, connection: Connection, kind: Kind, person: str, session: str | None, payload: Mapping[str, Value],
    minutes: int = MINUTES,
) -> Ticket:  # fmt: skip
    """Draw a link in the caller's transaction."""
    secret, term = TicketSecret.random(), context.clock() + timedelta(minutes=minutes)
    digest = _digest(secret)
    place = labels.ticket(ticket=digest)
    sealed = seal_value(kdf(secret, place, 32), place, payload)
    connection.execute(
        insert(tickets).values(digest=digest, kind=kind, person=person, session=session, sealed=sealed, uses_left=1, term=term)
    )
    return Ticket(_written(secret), kind, term, person)


def show(context: Context, connection: Connection, untrusted: str, kind: Kind | None = None) -> Shown:
    """The link behind a secret, without using it up; TicketGone."""
    secret = _read(untrusted)
    digest = _digest(secret)
    row = _living(connection, digest)
    if row is None or row.uses_left < 1 or row.term <= context.clock() or (kind is not None and row.kind != kind):
        raise TicketGone
    place = labels.ticket(ticket=digest)
    try:
        payload = unseal_value(kdf(secret, place, 32), place, row.sealed)
    except CryptoError:
        raise TicketGone from None
    return Shown(digest, row.kind, row.person, row.session, row.term, payload)


def use(context: Context, connection: Connection, shown: Shown) -> None:
    """Use a link up, in the transaction of what it gives: of two at once, one alone gets it."""
    used = delete(tickets).where(tickets.c.digest == shown.digest, tickets.c.uses_left > 0, tickets.c.term > context.clock())
    if connection.execute(used).rowcount != 1:
        raise TicketGone


def taken_back(context: Context, connection: Connection, shown: Shown) -> bool:
    """Whether what goes on under a begun link must stop: its safe was blocked or got new means, or its hour ended a day ago."""
    return _living(connection, shown.digest) is None or context.clock() >= shown.term + ENDING


def _living(connection: Connection, digest: str) -> Row[Any] | None:
    # A parcel may leave after a death too: it was packed for whom the person named (`vault.handing`).
    handed = accounts.c.state.in_(("mourned",)) & tickets.c.kind.in_(("parcel", "parcel-begun"))
    living = select(tickets).join(accounts, accounts.c.id == tickets.c.person).where(accounts.c.state.in_(REACHED) | handed)
    return connection.execute(living.where(tickets.c.digest == digest)).one_or_none()


def sweep(context: Context) -> int:
    """Delete the links whose time is over; a scheduled task.

    Of a parcel that has begun, an empty mark stays for a day: while it is there, a slow download that goes on was not taken back.
    """
    over, begun = tickets.c.term <= context.clock(), tickets.c.kind == "parcel-begun"
    with context.database.transaction() as connection:
        connection.execute(update(tickets).where(over, begun, tickets.c.uses_left > 0).values(sealed=b"", uses_left=0))
        return connection.execute(delete(tickets).where(over, ~begun | (tickets.c.term <= context.clock() - ENDING))).rowcount
