"""Two safes of one person become one: both cards, at one kiosk. What the other one holds comes in; the other one stays as it is.

A lost card is often followed by a second safe. Nothing is erased here: the person erases the other one when they are sure.
"""

from vault import audit, bringing, cards, parcels, sessions, trying, unlocking
from vault.bringing import Brought
from vault.context import Context
from vault.errors import BadInput
from vault.events import Event
from vault.sessions import Session
from vault.unlocking import Chosen


def join(context: Context, session: Session, card: str, chosen: Chosen, language: str) -> Brought:
    """Bring everything of the safe of another card, whose code is given too. WrongSecret, MustWait, Busy, AfterRecovery.

    The other safe is opened for the time of this use case, which both histories tell.
    """
    tried = unlocking.try_card(context, session.kiosk, cards.read(card), chosen)
    if tried.slot.account == session.account:
        raise BadInput("card")
    with context.database.transaction() as connection:
        trying.settle(connection, tried)
        cookie = unlocking.enter(context, connection, session.kiosk, tried)
    other = sessions.find(context, cookie)
    try:
        parcels.pack(context, other, "usb", language)
        found = bringing.join(context, session, parcels.waiting(context, other))
        with context.database.transaction() as connection:
            for one in (session, other):
                event = Event("safe.joined", by=one.account, detail=str(found.new))
                audit.record(context, connection, one, event, person=one.account)
    finally:
        sessions.end(context, other)
    return found
