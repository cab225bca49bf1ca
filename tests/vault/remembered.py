"""What builders made once in this process is put back when another test asks a fresh house for the same.

Most tests begin with the same office, the same worker and the same person, and making them was a third of their time. What is
put back is the three databases as they were left, to the byte: nothing is made that the use cases did not make.
"""

import dataclasses
import datetime as dt
import sqlite3
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from crypto.signing import SignPublic
from tests.engines import PARTS, Engines
from tests.vault.clock import Clock
from vault.context import Context
from vault.settings import Settings

T = TypeVar("T")
Steps = tuple[Hashable, ...]


@dataclass(frozen=True)
class Scene:
    """What the databases held after some steps, the time it was, the administrators' keys, and what the last step gave."""

    rows: list[sqlite3.Connection]
    time: dt.datetime
    roots: dict[str, SignPublic]
    made: Any


@dataclass
class Story:
    """One house: what was built in it so far, as long as nobody but the builders wrote."""

    house: Context
    watchers: list[sqlite3.Connection]
    steps: Steps = ()
    versions: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.versions = self._versions()

    def _versions(self) -> list[int]:
        """Numbers that change when anybody else commits, also another process."""
        return [int(one.execute("PRAGMA data_version").fetchone()[0]) for one in self.watchers]

    def told_whole(self, house: Context) -> bool:
        """Whether these steps are all that happened, in a house that is set up as it was."""
        alike = (house.clock, house.new_id, house.service) == (self.house.clock, self.house.new_id, self.house.service)
        return alike and _ways(house.settings) == _ways(self.house.settings) and self._versions() == self.versions

    def keep(self, house: Context, step: Hashable, made: Any) -> None:
        """Remember what the databases hold now."""
        rows = [sqlite3.connect(":memory:", check_same_thread=False) for _ in self.watchers]
        for held, watcher in zip(rows, self.watchers, strict=True):
            watcher.backup(held)
        self.steps, self.versions = (*self.steps, step), self._versions()
        scenes[self.steps] = Scene(rows, house.clock(), dict(house.settings.root_keys), made)

    def put_back(self, house: Context, step: Hashable, scene: Scene) -> None:
        """Make the databases hold what they held then."""
        for held, watcher in zip(scene.rows, self.watchers, strict=True):
            held.backup(watcher)
        cast("Clock", house.clock).now = scene.time
        cast("dict[str, SignPublic]", house.settings.root_keys).update(scene.roots)
        self.steps, self.versions = (*self.steps, step), self._versions()


scenes: dict[Steps, Scene] = {}
stories: dict[int, Story] = {}


@contextmanager
def told(house: Context, engines: Engines) -> Iterator[None]:
    """Follow what builders make in a house on SQLite, which is empty now. Houses that are told share the service's keys."""
    with ExitStack() as stack:
        places = [getattr(engines.urls, part).removeprefix("sqlite:///") for part in PARTS]
        watchers = [stack.enter_context(closing(sqlite3.connect(place, isolation_level=None))) for place in places]
        stories[id(house.database)] = Story(house, watchers)
        stack.callback(stories.pop, id(house.database), None)
        yield


def remembered(house: Context, step: Steps, make: Callable[[], T]) -> T:
    """What `make` gives; put back instead, when the same steps were taken before on a fresh house and nothing else was written.

    `step` tells everything that `make` depends on. What is given is shared with other tests: give away copies of what changes.
    """
    story = stories.get(id(house.database))
    if story is None or not story.told_whole(house):
        stories.pop(id(house.database), None)
        return make()
    roots = frozenset((account, bytes(key)) for account, key in house.settings.root_keys.items())
    step = (*step, house.clock(), house.settings.mode, house.settings.api, roots)
    scene = scenes.get((*story.steps, step))
    if scene is not None:
        story.put_back(house, step, scene)
        return cast("T", scene.made)
    made = make()
    story.keep(house, step, made)
    return made


def _ways(settings: Settings) -> Settings:
    """How a house is set up, without what no builder looks at or what the step tells."""
    return dataclasses.replace(settings, root_keys={}, origins=(), mode="embedded", api=False)
