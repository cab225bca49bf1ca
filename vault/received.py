"""Received or not received: a person shows their card at the desk, and the worker reads what became of their own sendings.

Nothing is opened. Whoever never gave this worker anything is answered as a card that nobody knows: no desk can learn from a card
that it opens a safe.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage.tables import accounts, papers, versions
from vault import answers, audit, cards, slots, who
from vault.answers import Asking
from vault.colleagues import name_of
from vault.context import NOBODY, Context
from vault.events import Event
from vault.sessions import Session

MOST = 50


@dataclass(frozen=True)
class Sent:
    """Something that this worker put in: when, and whether the person has met it since. What it is stays unread."""

    at: datetime
    received: bool


@dataclass(frozen=True)
class Sendings:
    """What one worker sent to whoever's card is shown; both empty for whom they sent nothing."""

    deposits: tuple[Sent, ...]
    requests: tuple[Asking, ...]


def by_card(context: Context, session: Session, text: str) -> Sendings:
    """What became of this worker's sendings to the card that is shown. WrongSecret when it is no card of ours."""
    who.worker(session)
    shown = cards.digest(cards.read(text))
    with context.database.transaction() as connection:
        slot = slots.find(connection, shown, slots.CARD_KINDS, hold=False)
        person = _open(connection, slot.account if slot else NOBODY)
        found = Sendings(_deposits(connection, session, person), tuple(answers.given_in(context, connection, session, person)))
        tie = person if found.deposits or found.requests else None
        event = Event("worker.asked-arrived", by=session.account, by_name=name_of(connection, session.account))
        audit.record(context, connection, session, event, person=tie, worker=session.account)
        if tie is None:
            audit.rehearse(context, connection, event)
    return found


def _open(connection: Connection, account: str) -> str:
    """The account, while its safe is open; nobody otherwise: a card that is blocked tells nothing any more."""
    living = select(accounts.c.id).where(accounts.c.id == account, accounts.c.state == "open")
    return connection.execute(living).scalar_one_or_none() or NOBODY


def _deposits(connection: Connection, session: Session, person: str) -> tuple[Sent, ...]:
    query = (
        select(versions.c.deposited, versions.c.confirmation)
        .join(papers, papers.c.id == versions.c.paper)
        .where(versions.c.depositor == session.account, versions.c.person == person, papers.c.state != "refused")
        .order_by(versions.c.deposited.desc())
        .limit(MOST)
    )
    return tuple(Sent(row.deposited, row.confirmation is not None) for row in connection.execute(query))
