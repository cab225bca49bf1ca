"""Trying a card and a code as a kiosk does, with the answer as a value that can be compared."""

from sqlalchemy import select

from storage.tables import attempts
from tests.vault.builders import MadePerson, show_card
from vault import audit, cards, people
from vault.context import Context
from vault.errors import AbriError, MustWait

WRONG = "135792"


def new_card() -> str:
    return cards.new_cards(1)[0].text


def try_code(house: Context, card: str, code: str = WRONG) -> object:
    """What a kiosk is answered, as a value that can be compared."""
    try:
        people.unlock(house, show_card(house, card), code)
    except MustWait as error:
        return error.seconds
    except AbriError as error:
        return type(error)
    return "open"


def tags(house: Context, person: MadePerson) -> list[str]:
    return [entry.event.tag for entry in audit.history(house, person.session)]


def counted(house: Context, card: str) -> int:
    with house.database.transaction(read_only=True) as connection:
        query = select(attempts.c.wrong).where(attempts.c.shown_digest == cards.digest(cards.read(card)))
        return connection.execute(query).scalar() or 0
