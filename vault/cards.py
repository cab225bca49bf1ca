"""Cards: random QR codes printed beforehand. The service knows a card from its first use on, and only by a digest."""

import hashlib
from dataclasses import dataclass, field

from crypto.errors import Malformed
from crypto.keys import CardSecret
from crypto.printed import card_text, parse_card_text
from crypto.unlock import card_id
from vault import labels
from vault.errors import BadInput, WrongSecret
from vault.pictograms import DRAWINGS

CARDS_AT_ONCE = 500


@dataclass(frozen=True)
class Card:
    """A blank card: the text of its QR code, and the drawing printed on it so that its owner recognises it."""

    text: str = field(repr=False)
    drawing: str


def new_cards(count: int) -> list[Card]:
    """Draw blank cards, 1 to 500; nothing is kept of them. Drawings follow each other, so that each sheet has many."""
    if not 1 <= count <= CARDS_AT_ONCE:
        raise BadInput("count")
    return [Card(card_text(CardSecret.random()), DRAWINGS[place % len(DRAWINGS)]) for place in range(count)]


def read(text: str) -> CardSecret:
    """The secret of a card from the text of its QR code. Another QR code, a rescue sheet's too, is a card that opens nothing."""
    try:
        return parse_card_text(text)
    except Malformed as error:
        raise WrongSecret from error


def digest(card: CardSecret) -> str:
    """What rows know a card by; 64 hexadecimal digits."""
    return card_id(card).hex()


def helped_digest(card: CardSecret) -> str:
    """What the assist slot of a card is found by: another digest than the card's own, so that neither stands in the other's way."""
    return hashlib.sha256(labels.assisted_card() + card).hexdigest()
