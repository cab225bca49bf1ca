"""Two safes of one person become one: both cards, at one kiosk. What the other one holds comes in; the other one stays as it is.

A lost card is often followed by a second safe. Nothing is erased here: the person erases the other one when they are sure.
"""

from collections.abc import Collection
from contextlib import suppress

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from crypto.printed import card_text
from storage.errors import StorageError
from vault import audit, bringing, cards, parcels, sessions, unlocking, who
from vault.bringing import Brought
from vault.context import Context
from vault.errors import BadInput, Conflict, NotThere
from vault.events import Event
from vault.sessions import Session
from vault.unlocking import Chosen

OTHER = "other-card"  # under what name a session's state keeps it


def show_card(context: Context, session: Session, card: str) -> None:
    """The other card, which waits in the session's sealed state for its code. WrongSecret for what is no card."""
    who.person(session)
    text = card_text(cards.read(card))
    with context.database.transaction() as connection:
        sessions.write_state(connection, session, {**sessions.read_state(connection, session), OTHER: text})


def waits(context: Context, session: Session) -> bool:
    """Whether another card was shown, and its code is awaited."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        return OTHER in sessions.read_state(connection, session, hold=False)


def join(
    context: Context, session: Session, chosen: Chosen, language: str, agreed: Collection[str] = ()
) -> Brought:  # fmt: skip
    """Bring everything of the safe of the other card that was shown, whose code or pictures are given.

    The other safe is opened for the time of this use case, which both histories tell. The card is taken as soon as its code was right:
    of two taps one brings, and the other is a Conflict. It waits again when nothing could be brought. Raises NotThere
    before any was shown, WrongSecret, MustWait, Busy, AfterRecovery, BadInput, and
    WouldShow until all who would see what comes are in `agreed`.
    """
    with context.database.transaction(read_only=True) as connection:
        card = sessions.read_state(connection, session, hold=False).get(OTHER)
    if not isinstance(card, str):
        raise NotThere
    tried = unlocking.try_card(context, session.kiosk, cards.read(card), chosen)
    if tried.slot.account == session.account:
        raise BadInput("card")
    with context.database.transaction() as connection:
        _take(connection, session, card)
        cookie = unlocking.enter(context, connection, session.kiosk, tried)
    try:  # from here on the card is taken: whatever fails gives it back
        other = sessions.find(context, unlocking.entered(cookie))
        parcels.pack(context, other, "usb", language)
        found = bringing.join(context, session, parcels.waiting(context, other), agreed)
        with context.database.transaction() as connection:
            for one in (session, other):
                event = Event("safe.joined", by=one.account, detail=str(found.new))
                audit.record(context, connection, one, event, person=one.account)
    except BaseException:
        _give_back(context, session, card)
        raise
    finally:
        _close(context, cookie)
    return found


def _take(connection: Connection, session: Session, card: str) -> None:
    """Forget the card, in the commit that opens its safe. Conflict when another tap has taken it, or another card was shown since."""
    state = sessions.read_state(connection, session)
    if state.pop(OTHER, None) != card:
        raise Conflict
    sessions.write_state(connection, session, state)


def _close(context: Context, cookie: str | None) -> None:
    # By its cookie: it may be open and not have been found. A store that is away undoes nothing of what came; the sweep ends it then.
    if cookie is not None:
        with suppress(StorageError, SQLAlchemyError):
            sessions.end_of(context, cookie)


def _give_back(context: Context, session: Session, card: str) -> None:
    with suppress(StorageError, SQLAlchemyError), context.database.transaction() as connection:
        sessions.write_state(connection, session, {OTHER: card, **sessions.read_state(connection, session)})
