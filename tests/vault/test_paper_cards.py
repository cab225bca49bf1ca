"""A card as it is sealed: one form only, whatever the key's holder wrote in it."""

from typing import Any

import pytest

from crypto.errors import Undecryptable
from vault.kinds import Finding, Kind
from vault.paper_cards import Card, Thing

THING = Thing(Kind.PDF, 1234, bytes(range(32)))
CARD = Card(
    "Avis d’impôt", "tax-notice", "avis.pdf", 2, "2026-11-23T10:00:00Z", frozenset(list(Finding)[:2]),
    {"received": THING.told(), "preview": THING.told()},
)  # fmt: skip


def test_what_is_written_is_read_back() -> None:
    assert Card.from_value(CARD.to_value()) == CARD
    assert CARD.to_value() == Card.from_value(CARD.to_value()).to_value()
    assert CARD.thing("received") == THING


@pytest.mark.parametrize("name", ["v", "title", "sort", "file", "pages", "added", "findings"])
def test_every_field_is_needed(name: str) -> None:
    value = CARD.to_value()
    del value[name]
    with pytest.raises(Undecryptable):
        Card.from_value(value)


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 2}, {"v": "1"}, {"pages": "2"}, {"pages": True}, {"pages": None}, {"title": 1}, {"sort": None}, {"file": ["a"]}, {"added": 5},
        {"findings": "nothing-known"}, {"findings": 3}, {"received": 1}, {"received": None}, {"other": "x"}, {"Title": "x"}, {"": ""},
    ],
    ids=str,
)  # fmt: skip
def test_nothing_else_is_a_card(changed: dict[str, Any]) -> None:
    with pytest.raises(Undecryptable):
        Card.from_value({**CARD.to_value(), **changed})


def test_reading_a_card_leaves_what_was_read_as_it_is() -> None:
    value = CARD.to_value()
    before = dict(value)
    Card.from_value(value)
    assert value == before
