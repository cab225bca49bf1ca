"""The card that a session was opened with: it stands in the session's sealed state, and alone it may narrow."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from consent.ids import PersonId
from crypto.canonical import Value
from crypto.keys import CardSecret
from storage.tables import accounts as rows
from vault import cards, sessions, slots
from vault.context import NOBODY
from vault.errors import NoSession, NotAllowed
from vault.sessions import Session

CARD = "card"  # under what name a session's state keeps it


def person_of(connection: Connection, session: Session, *, of: Sequence[str] = ("open",)) -> PersonId | None:
    """Whose safe a session speaks for. None for a card that opens nothing now: unknown, ended, or of a frozen safe.

    Every narrowing act asks this, and answers None as it would answer a person who has nothing to narrow. `of`: the states of a safe
    that this may narrow; the cards of one that is leaving are leaving with it.
    """
    if session.account != NOBODY:
        return PersonId(session.account)
    if session.kind != "card":
        raise NotAllowed
    card = card_in(sessions.read_state(connection, session, hold=False))
    slot = slots.find(connection, cards.digest(card), slots.CARD_KINDS, (*slots.LIVE, *of), hold=False)
    if slot is None:
        return None
    state = connection.execute(select(rows.c.state).where(rows.c.id == slot.account)).scalar_one()
    return PersonId(slot.account) if state in of else None


def card_in(state: Mapping[str, Value]) -> CardSecret:
    """The card of a session's state; NoSession when there is none."""
    text = state.get(CARD)
    if not isinstance(text, str):
        raise NoSession
    return cards.read(text)
