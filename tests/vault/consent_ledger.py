"""What random histories of sharing are compared with: a scene, a ledger written apart, and what must always hold.

The ledger never calls the rules, nor opens a key: sets of what each worker may do.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant
from sqlalchemy import select

from consent.days import paris_day
from consent.ids import GrantId, PaperId
from consent.purposes import ShelfKind
from consent.receipt_file import Anchors, verify_file
from consent.scope import Act
from storage.tables import assists, grant_changes, grants
from tests.vault.builders import (
    MadePerson,
    MadeWorker,
    Office,
    make_office,
    make_person,
    make_worker,
    unlock,
)  # fmt: skip
from tests.vault.clock import Clock
from tests.vault.scenes import saved, sheet
from tests.vault.test_assisted import helped
from vault import (
    audit,
    checkpoints,
    documents,
    intake,
    receipt_files,
    shared_papers,
    shares,
    showing,
)  # fmt: skip
from vault.context import Context
from vault.errors import NotThere
from vault.preparing import PreparedPaper

SEE, TAKE, DEPOSIT, REPLACE = Act.SEE, Act.TAKE, Act.DEPOSIT, Act.REPLACE
PRIVATE, LENT = "private", "money"
SHELVES = ("money", "health", PRIVATE)
ROLES = {"Fatou": "salaried", "Marc": "salaried", "Inès": "intern"}
PURPOSES = ("home", "health", "rsa")
LASTS = dt.date(2027, 6, 30)  # Inès's account


@dataclass
class Scene:
    """One person with three papers, on the second day of her safe, and three workers; a fourth helps her to open one drawer, a fifth may
    stand as witness."""

    house: Context
    office: Office
    awa: MadePerson
    staff: dict[str, MadeWorker]
    papers: dict[PaperId, str]  # paper -> drawer
    page: PreparedPaper
    end: Callable[[], None]
    helper: MadeWorker
    witness: MadeWorker
    lent: str  # the way in that the drawer LENT was lent to


def a_scene(house: Context, page: PreparedPaper, end: Callable[[], None] = lambda: None) -> Scene:
    office = make_office(house)
    staff = {
        name: make_worker(house, office, name, role, ends=LASTS if role == "intern" else None) for name, role in ROLES.items()
    }  # fmt: skip
    awa = make_person(house)
    papers = {
        documents.deposit(house, awa.session, page, ShelfKind(shelf), title=f"papier {number}", sort="tax-notice"): shelf
        for number, shelf in enumerate(("money", "money", "health"))
    }
    cast("Clock", house.clock).forward(days=1)
    unlock(house, awa)
    helper, witness = make_worker(house, office, "Nora"), make_worker(house, office, "Paul")
    helped(house, awa, helper, LENT)
    with house.database.transaction(read_only=True) as connection:
        lent = connection.scalars(select(assists.c.slot).where(assists.c.person == awa.id)).one()
    return Scene(house, office, awa, staff, papers, page, end, helper, witness, lent)


@dataclass
class Given:
    """One share, as the ledger has it. `lost`: papers that were thrown away or hidden since: they are shown again by a new yes alone."""

    worker: str
    papers: frozenset[PaperId]
    shelf: str
    acts: frozenset[Act]
    until: dt.date
    purpose: str
    changes: int = 1
    over: bool = False
    lost: set[PaperId] = field(default_factory=set)


def act_is_open(one: Given) -> bool:
    return bool(one.acts & {SEE, TAKE})


def a_page(house: Context) -> PreparedPaper:
    """A real page, small: the desk draws it each time that it is looked at."""
    return intake.prepare(house.confinement, [saved(sheet(240, 340), "JPEG", quality=70)])


class Ledger:
    """What was given, moved and taken back, as somebody beside the service would note it down; and the comparison of both."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.house, self.awa = scene, scene.house, scene.awa
        self.shelf_of: dict[PaperId, str] = dict(scene.papers)
        self.bin: set[PaperId] = set()
        self.grants: dict[GrantId, Given] = {}
        self.standing = dict.fromkeys(scene.staff, "certified")
        self.opened: Counter[tuple[str, str, str, str]] = Counter()
        self.refused = 0
        self.titles = itertools.count(10)

    @property
    def today(self) -> dt.date:
        return paris_day(self.house.clock())

    def forward(self, **much: float) -> None:
        cast("Clock", self.house.clock).forward(**much)

    def living(self) -> dict[GrantId, Given]:
        return {grant: one for grant, one in self.grants.items() if not one.over and self.today <= one.until}

    def coming_back(self) -> dict[GrantId, Given]:
        """The living shares of whoever is at work, or absent for a while."""
        return {
            grant: one for grant, one in self.living().items()
            if self.standing[one.worker] != "ended" and (ROLES[one.worker] != "intern" or self.today <= LASTS)
        }  # fmt: skip

    def seen_in(self, shelf: str) -> set[str]:
        """What must be agreed to before a paper that nobody sees is laid in a drawer."""
        shown = {str(grant) for grant, one in self.coming_back().items() if one.shelf == shelf and act_is_open(one)}
        return shown | ({self.scene.lent} if shelf == LENT else set())

    def working(self, name: str) -> bool:
        return self.standing[name] == "certified" and (ROLES[name] != "intern" or self.today <= LASTS)

    def covered(self, one: Given) -> set[PaperId]:
        """What the share covers of the papers that are there."""
        return {
            paper
            for paper, shelf in self.shelf_of.items()
            if paper not in self.bin and shelf != PRIVATE and (shelf == one.shelf or paper in one.papers)
        }

    def nothing_left(self, one: Given) -> bool:
        """Every paper of the share was thrown away, erased or hidden: it can be taken back, and nothing else."""
        return not one.shelf and not self.covered(one)

    def seen(self, one: Given) -> set[PaperId]:
        return self.covered(one) - one.lost if one.acts & {SEE, TAKE} else set()

    def allowed(self, one: Given, paper: PaperId, act: Act) -> bool:
        return one in self.living().values() and self.working(one.worker) and act in one.acts and paper in self.seen(one)

    def some(self, data: st.DataObject, grants: Iterable[GrantId]) -> tuple[GrantId, Given]:
        grant = data.draw(st.sampled_from(sorted(grants)))
        return grant, self.grants[grant]

    def paper(self, data: st.DataObject) -> PaperId:
        return data.draw(st.sampled_from(sorted(self.shelf_of)))

    def may_put(self, one: Given, act: Act) -> bool:
        return one in self.living().values() and self.working(one.worker) and act in one.acts

    def share(self, worker: MadeWorker, grant: GrantId) -> shares.Share:
        with self.house.database.transaction(read_only=True) as connection:
            return shares.one_of_worker(self.house, connection, worker.session, grant)

    @invariant()
    def each_worker_sees_exactly_the_union_of_their_live_shares(self) -> None:
        for name, worker in self.scene.staff.items():
            mine = {grant: one for grant, one in self.living().items() if one.worker == name and self.working(name)}
            lines = {line.grant: line for line in shared_papers.people_sharing(self.house, worker.session)}
            assert set(lines) == set(mine)
            for grant, one in self.grants.items():
                if grant not in mine:
                    with pytest.raises(NotThere):
                        shared_papers.papers_shared(self.house, worker.session, grant)
                    continue
                listed = shared_papers.papers_shared(self.house, worker.session, grant)
                assert {paper.paper for paper in listed} == self.seen(one)
                assert lines[grant].papers == len(listed) == len(self.seen(one))
                assert all((paper.may_see, paper.may_take) == (SEE in one.acts, TAKE in one.acts) for paper in listed)

    @invariant()
    def the_person_reads_what_lives_and_nothing_else(self) -> None:
        cards = {card.grant: card for card in showing.some_of(self.house, self.awa.session, lambda _: True)}
        at_work = {name for name in ROLES if self.standing[name] != "ended" and (ROLES[name] != "intern" or self.today <= LASTS)}
        assert set(cards) == {grant for grant, one in self.living().items() if one.worker in at_work}
        for grant, card in cards.items():
            one = self.grants[grant]
            assert (card.acts, card.until, card.purpose) == (one.acts, one.until, one.purpose)
            assert card.suspended == (self.standing[one.worker] == "suspended")
            if one.papers and one.acts & {SEE, TAKE}:
                assert {paper.paper for paper in card.papers} == self.seen(one)

    def every_opening_is_in_the_trace_once(self) -> None:
        entries = [one.event for one in audit.history(self.house, self.awa.session)]
        told = Counter(
            (one.by, one.paper, one.act, one.purpose) for one in entries if one.tag in ("paper.seen", "paper.taken")
        )  # fmt: skip
        assert told == self.opened
        assert all(one.by_name and not one.place for one in entries if one.tag in ("paper.seen", "paper.taken"))
        # One without a paper is a list that was asked for: the invariants above do that.
        assert sum(one.tag == "paper.refused-to-worker" and bool(one.paper) for one in entries) == self.refused

    def every_share_has_its_receipts_and_each_verifies(self) -> None:
        with self.house.database.transaction(read_only=True) as connection:
            rows = connection.execute(select(grants.c.id, grants.c.state).where(grants.c.person == self.awa.id)).all()
            changes = Counter(connection.scalars(select(grant_changes.c.grant).where(grant_changes.c.grant.in_(self.grants))))
        assert {row.id for row in rows} == set(self.grants)
        assert changes == {grant: one.changes for grant, one in self.grants.items()}
        for row in rows:
            receipts = receipt_files.records_of(self.house, self.awa.session, GrantId(row.id))
            assert receipts[-1].receipt.change.state.value == row.state
            assert len(receipts) == self.grants[GrantId(row.id)].changes
        if rows:
            house = self.house
            keys = Anchors(house.service.public, checkpoints.keys(house), house.settings.root_keys)
            verified = verify_file(receipt_files.of_all(house, self.awa.session), keys)
            assert len(verified) == changes.total()
            assert all(one.number is not None for one in verified)  # each with the proof of its entry
