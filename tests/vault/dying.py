"""A process that dies at its n-th step: every store goes silent at once, so that no clean-up of ours runs, as after kill -9."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vault.context import Context


class Dead(BaseException):
    """The process is no more."""


class Life:
    """Counts the steps that touch a store; at the `last` one, and ever after, nothing answers."""

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self) -> None:
        """One more step, or death."""
        self.left -= 1
        if self.left < 0:
            raise Dead


class MortalVault:
    """The key vault, as a mortal process reaches it."""

    STEPS = ("create", "destroy", "destroy_owned", "derive", "derive_many")

    def __init__(self, real: Any, life: Life) -> None:
        self._real, self._life = real, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in self.STEPS:
            return found

        def mortal(*arguments: Any, **named: Any) -> Any:
            self._life.step()
            return found(*arguments, **named)

        return mortal


class MortalDatabase:
    """The database, as a mortal process reaches it: it may die before a transaction, before its commit, or after."""

    def __init__(self, real: Any, life: Life) -> None:
        self._real, self._life = real, life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Any]:
        """A transaction of the real one."""
        self._life.step()
        with self._real.transaction(read_only=read_only) as connection:
            yield connection
            if not read_only:
                self._life.step()


def dying_at(house: Context, last: int) -> Context:
    """The same house, as seen by a process that dies after `last` steps."""
    life = Life(last)
    vault: Any = MortalVault(house.keyvault, life)
    database: Any = MortalDatabase(house.database, life)
    return dataclasses.replace(house, keyvault=vault, database=database)


def each_death(house: Context, act: Callable[[Context, int], object], *, at_most: int = 200) -> Iterator[int]:
    """Run `act` in a process that dies after 0 steps, 1 step, and so on, until it gets to its end; yields after each death."""
    for last in range(at_most):
        try:
            act(dying_at(house, last), last)
        except Dead:
            yield last
        else:
            return
    raise AssertionError("it never came to its end")
