"""What is rolled back leaves no entry: one call of each module that changes a safe, taken back at the last moment before its commit.

The rows go with the entry: after the transaction has failed the stores hold what they held, but for sessions and attempts, which are
counted in transactions of their own, before a secret is tried.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest
from sqlalchemy import Connection, func, select

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from storage.database import Database
from storage.tables import attempts, entries, entry_copies, intentions, metadata, sessions, slots, trace_keys
from tests.vault.authenticator import Authenticator
from tests.vault.builders import MadePerson, show_card, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, face, make_circle, new_card, start
from tests.vault.papers import SAID, keep, prepared
from tests.vault.test_directives import BINTOU, member
from tests.vault.test_outside import offer as outside_offer
from tests.vault.test_passkeys import add
from tests.vault.test_sharing import offer, second_day
from vault import (
    arranging,
    asking,
    assisting,
    card_keeping,
    circles,
    deaths,
    depositing_for,
    directives,
    documents,
    erasure,
    inquiry,
    kiosks,
    means,
    outside,
    outside_opening,
    people,
    protecting,
    recovery,
    removing,
    rights,
    shared_papers,
    shares,
    sharing,
    succession,
    unlocking,
    withdrawing,
    workers,
)
from vault.context import Context
from vault.deposits import Words

TRACE = (entries, entry_copies, trace_keys)
APART = {sessions, attempts, intentions}


class RolledBack(Exception):
    """Nobody catches this."""


class Failing:
    """The database, as a use case reaches it: a transaction in which an entry was written fails just before its commit."""

    def __init__(self, real: Database) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        with self._real.transaction(read_only=read_only) as connection:
            before = 0 if read_only else connection.scalar(select(func.count()).select_from(entries))
            yield connection
            if not read_only and connection.scalar(select(func.count()).select_from(entries)) != before:
                raise RolledBack


@dataclass
class Scene:
    """Awa, whom Fatou and Marc are there for; what she gave and what waits for her."""

    made: Circle
    paper: PaperId
    seen: GrantId
    post: GrantId
    drawer: GrantId
    link: outside.Given
    request: Any
    recovery_code: str
    member: str  # Awa, in the list of those who count on Marc

    @property
    def awa(self) -> MadePerson:
        return self.made.awa


def make_scene(house: Context, clock: Clock) -> Scene:
    made = make_circle(house)
    awa, fatou, marc = made.awa, made.fatou, made.marc
    second_day(house, clock, awa, fatou, marc)
    paper = keep(house, awa.session, "Avis", "money")
    seen = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=frozenset({Act.SEE, Act.TAKE})))
    post = sharing.grant(house, awa.session, marc.id, offer(acts=frozenset({Act.DEPOSIT}), shelf="other"))
    drawer = sharing.grant(house, awa.session, marc.id, offer(acts=frozenset({Act.SEE, Act.TAKE}), shelf="money"))
    link = outside.give(house, awa.session, outside_offer(paper))
    asking.ask(house, fatou.session, seen, ["tax-notice"], PurposeId("home"))
    _, code = start(house, made.tilleuls.kiosk)
    (request,) = asking.waiting_for_me(house, unlock(house, awa))
    return Scene(made, paper, seen, post, drawer, link, request.request, code, member(house, marc))


def put_in(on: Context, one: Scene) -> object:
    with on.database.transaction(read_only=True) as connection:
        share = shares.one_of_worker(on, connection, one.made.marc.session, one.post)
    return depositing_for.deposit_prepared(on, one.made.marc.session, share, prepared("lettre"), Words("Lettre", "letter"))


def take(on: Context, one: Scene) -> object:
    with shared_papers.take(on, one.made.fatou.session, one.seen, one.paper) as content:
        return b"".join(content.chunks())


UNTIL = dt.timedelta(days=90)
CALLS: dict[str, Callable[[Context, Scene], object]] = {
    # First: its code is good for minutes.
    "recovery": lambda on, one: recovery.confirm(
        on, one.made.marc.session, one.member, one.recovery_code, theft=False, beside=True
    ),
    "arranging": lambda on, one: arranging.note(on, one.awa.session, one.paper, "à rendre"),
    "asking": lambda on, one: asking.refuse(on, one.awa.session, one.request),
    "assisting": lambda on, one: assisting.choose(
        on, one.awa.session, one.awa.code, one.made.fatou.id, [ShelfKind("money")], name="Awa", drawing="sun"
    ),
    "authenticators": lambda on, one: add(on, one.made.fatou, Authenticator()),
    "card_keeping": lambda on, one: card_keeping.keep(on, one.awa.session, one.made.marc.id, name="Awa", drawing="sun"),
    "circles": lambda on, one: circles.set_circle(on, one.awa.session, one.awa.code, [face(one.made.fatou), face(one.made.marc)], 2),
    "deaths": lambda on, one: deaths.report(on, one.made.marc.session, one.member, seen=True),
    "depositing_for": put_in,
    "directives": lambda on, one: directives.record(on, one.awa.session, one.awa.code, BINTOU),
    "documents": lambda on, one: documents.deposit(on, one.awa.session, prepared("deux"), ShelfKind("private"), title="Lettre"),
    "erasure": lambda on, one: erasure.ask(on, one.awa.session, one.awa.code),
    "inquiry": lambda on, _: inquiry.export(on, on.clock().date() - dt.timedelta(days=9), on.clock().date(), "un poste volé"),
    "kiosks": lambda on, one: kiosks.retire(on, one.made.tilleuls.admin, one.made.tilleuls.kiosk),
    "means": lambda on, one: means.change_code(on, one.awa.session, one.awa.code, NEW_CODE),
    "outside": lambda on, one: outside.withdraw(on, one.awa.session, one.link.share, SAID),
    "outside_opening": lambda on, one: outside_opening.enter(on, one.link.secrets.groups, one.link.secrets.code),
    "people": lambda on, one: people.rename(on, one.awa.session, "Bintou"),
    "protecting": lambda on, one: protecting.protect(on, one.awa.session, one.awa.code, new_card(), NEW_CODE),
    "removing": lambda on, one: removing.remove(on, one.awa.session, one.paper),
    "rights": lambda on, one: rights.receive(on, one.made.tilleuls.admin, "access", "letter"),
    "shared_papers": take,
    "sharing": lambda on, one: sharing.renew(on, one.awa.session, one.seen, on.clock().date() + UNTIL, SAID),
    "succession": lambda on, one: succession.propose(on, one.made.marc.session, one.drawer, one.made.fatou.id),
    "unlocking": lambda on, one: unlocking.unlock(on, show_card(on, one.awa.card), one.awa.code),
    "withdrawing": lambda on, one: withdrawing.withdraw(on, show_card(on, one.awa.card), one.drawer, SAID),
    "workers": lambda on, one: workers.suspend(on, one.made.tilleuls.admin, one.made.fatou.id, None),
}  # fmt: skip


def rows(house: Context) -> dict[str, list[tuple[Any, ...]]]:
    """All that is kept, but for what is counted apart."""
    with house.database.transaction(read_only=True) as connection:
        return {
            table.name: sorted(
                map(tuple, connection.execute(select(*[one for one in table.columns if one is not slots.c.wrong_in_a_row]))),
                key=repr,
            )
            for table in metadata.sorted_tables
            if table not in APART
        }


def test_what_is_rolled_back_leaves_no_entry_and_no_change(house: Context, clock: Clock) -> None:
    """Nothing of one call is left for the next, so that all of them are tried on the same safe."""
    one = make_scene(house, clock)
    failing = dataclasses.replace(house, database=cast("Database", Failing(house.database)))
    left = {}
    for module, call in CALLS.items():
        for worker in (one.made.fatou, one.made.marc):
            sign_in(house, worker)
        sign_in_administrator(house, one.made.tilleuls.administrators[0])
        unlock(house, one.awa)
        before = rows(house)
        with pytest.raises(RolledBack):
            call(failing, one)
        now = rows(house)
        assert [now[table.name] for table in TRACE] == [before[table.name] for table in TRACE], module
        left |= {f"{module}: {name}": now[name] for name in before if now[name] != before[name]}
    assert left == {}
    assert len(CALLS) > 25


def test_the_same_call_writes_when_nothing_fails(house: Context, clock: Clock) -> None:
    """The instrument can fail: committed, one of them leaves its entry and its change."""
    one = make_scene(house, clock)
    before = rows(house)
    CALLS["arranging"](house, one)
    now = rows(house)
    assert len(now["entries"]) == len(before["entries"]) + 1
    assert now["papers"] != before["papers"]
