"""A way that was prepared and is not kept leaves no row in the key vault; one that was kept is not taken back by what fails after it."""

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import pytest

from storage.errors import VaultUnreachable
from storage.keyvault import KeyVault
from tests.vault.builders import make_person, show_card, unlock
from tests.vault.comings import NEW_CODE, confirm, make_circle, new_card, start
from vault import coming_back, means, protecting, unlocking
from vault.context import Context
from vault.errors import AlreadyKnown


class Eventful:
    """The key vault, where something happens once a row was made, or which is silent when rows are to be destroyed for the first time."""

    def __init__(self, real: KeyVault, made: Callable[[], object] | None = None, *, silent: bool = False) -> None:
        self._real, self._made, self._silent = real, made, silent

    def create(self, *wanted: Any, **named: Any) -> None:
        self._real.create(*wanted, **named)
        if self._made is not None:
            self._made()

    def destroy(self, *wanted: Any) -> None:
        if self._silent and any(kind != "session" for kind, _ in wanted[0]):  # a session that ended waits for nobody
            self._silent = False  # it answers again at once: whoever tidies up could destroy the new row too
            raise VaultUnreachable
        self._real.destroy(*wanted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def on(house: Context, vault: Eventful) -> Context:
    return dataclasses.replace(house, keyvault=cast("KeyVault", vault))


def test_a_day_that_cannot_begin_leaves_no_row_in_the_key_vault(house: Context) -> None:
    """The card chosen for tomorrow is taken by somebody in the same instant: the way that was prepared leaves nothing."""
    made, mariam = make_circle(house), make_person(house, "Mariam")
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code)
    confirm(house, made.fatou, code)
    before, card = house.keyvault.owned(made.awa.id), new_card()
    theirs = unlock(house, mariam)
    taken = on(house, Eventful(house.keyvault, lambda: means.replace_card(house, theirs, mariam.code, card)))
    with pytest.raises(AlreadyKnown):
        coming_back.wait(taken, session, card, NEW_CODE)
    assert sorted(house.keyvault.owned(made.awa.id)) == sorted(before)
    assert unlocking.unlock(house, show_card(house, card), mariam.code)  # it is hers


@pytest.mark.parametrize("how", ["recovery", "je-me-protege"])
def test_what_fails_after_the_commit_does_not_take_the_new_way_back(house: Context, how: str) -> None:
    """Old rows of the key vault could not be destroyed at once: the new card and code open all the same."""
    made, card = make_circle(house), new_card()
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    hers, down = unlock(house, made.awa), on(house, Eventful(house.keyvault, silent=True))
    does: Callable[[], object] = {
        "recovery": lambda: coming_back.finish(down, session, card, NEW_CODE),
        "je-me-protege": lambda: protecting.protect(down, hers, made.awa.code, card, NEW_CODE),
    }[how]
    with pytest.raises(VaultUnreachable):
        does()
    assert unlocking.unlock(house, show_card(house, card), NEW_CODE)
