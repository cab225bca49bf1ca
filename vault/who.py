"""Who may call a use case: each begins by saying whose session it needs."""

from sqlalchemy import Connection

from crypto.keys import AccountKeys
from vault import shown_cards
from vault.errors import NotAllowed, NotThere
from vault.sessions import Session


def person(session: Session) -> AccountKeys:
    """The keys of a person whose own secret opened this session; refuses every other kind."""
    if session.kind != "person":
        raise NotAllowed
    return session.opened()


def taking(session: Session) -> AccountKeys:
    """The keys of whoever may take papers away: the person; after their death, whom they named (`vault.handing`)."""
    if session.kind not in ("person", "named"):
        raise NotAllowed
    return session.opened()


def worker(session: Session) -> AccountKeys:
    """The keys of a worker; refuses every other kind."""
    if session.kind != "worker":
        raise NotAllowed
    return session.opened()


def narrowing(connection: Connection, session: Session) -> str:
    """The person who takes something back: however the safe was opened, and with the card alone. NotThere for an unknown card."""
    if session.kind not in ("person", "assisted", "card"):
        raise NotAllowed
    person = shown_cards.person_of(connection, session)
    if person is None:
        raise NotThere
    return person
