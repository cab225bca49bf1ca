"""The four invariants of sharing over random histories, on the real database with the cryptography on.

Beside the service stands a ledger written apart: sets of what each worker may do. It never calls the rules, nor opens a key.
"""

import datetime as dt
import itertools
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from consent.days import add_months
from consent.errors import TermsRefused, TransitionRefused
from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from tests.faults.kills import Stores
from tests.vault.builders import (
    MadePerson,
    show_card,
    sign_in,
    unlock,
)  # fmt: skip
from tests.vault.clock import Clock
from tests.vault.consent_ledger import (
    DEPOSIT,
    LASTS,
    LENT,
    PRIVATE,
    PURPOSES,
    REPLACE,
    ROLES,
    SEE,
    SHELVES,
    TAKE,
    Given,
    Ledger,
    Scene,
    a_page,
    a_scene,
    act_is_open,
)
from tests.vault.papers import SAID
from tests.vault.test_assisted import open_with
from vault import (
    arriving,
    depositing_for,
    documents,
    reencryption,
    shared_papers,
    sharing,
    withdrawing,
    witnessed,
    workers,
)  # fmt: skip
from vault.context import Context
from vault.deposits import Words
from vault.errors import Conflict, NotThere
from vault.sharing import Offer
from vault.witnessed import Wish


class Sharing(Ledger, RuleBasedStateMachine):
    """Everything that can happen to shares and papers, in any order; after each step, what each worker sees is compared."""

    def __init__(self, scene: Scene) -> None:
        RuleBasedStateMachine.__init__(self)
        Ledger.__init__(self, scene)

    # --- The person gives, changes, takes back

    @rule(
        data=st.data(), name=st.sampled_from(sorted(ROLES)), acts=st.sampled_from([{SEE}, {SEE, TAKE}, {SEE, REPLACE}, {REPLACE}]),
        days=st.sampled_from([0, 5, 40, 300]), purpose=st.sampled_from(PURPOSES),
    )  # fmt: skip
    def give_papers(self, data: st.DataObject, name: str, acts: set[Act], days: int, purpose: str) -> None:
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.shelf_of)), min_size=1, max_size=3))
        self.give(name, Given(name, frozenset(chosen), "", frozenset(acts), self.today + dt.timedelta(days=days), purpose))

    @rule(
        name=st.sampled_from(sorted(ROLES)), shelf=st.sampled_from(SHELVES), days=st.sampled_from([0, 5, 40, 300]),
        acts=st.sampled_from([{SEE}, {SEE, TAKE}, {DEPOSIT}, {SEE, DEPOSIT}]), purpose=st.sampled_from(PURPOSES),
    )  # fmt: skip
    def give_drawer(self, name: str, shelf: str, days: int, acts: set[Act], purpose: str) -> None:
        self.give(name, Given(name, frozenset(), shelf, frozenset(acts), self.today + dt.timedelta(days=days), purpose))

    def give(self, name: str, one: Given) -> None:
        offer = Offer(
            PurposeId(one.purpose), one.acts, one.until, SAID, tuple(one.papers), ShelfKind(one.shelf) if one.shelf else None
        )
        hidden = one.shelf == PRIVATE or any(self.shelf_of[paper] == PRIVATE or paper in self.bin for paper in one.papers)
        role = ROLES[name] == "intern" and one.acts != {DEPOSIT}
        try:
            grant = sharing.grant(self.house, self.awa.session, self.scene.staff[name].id, offer)
        except (TermsRefused, NotThere):
            assert (
                hidden
                or role
                or one.acts == {REPLACE}
                or not self.working(name)
                or (ROLES[name] == "intern" and one.until > LASTS)
            )
            return
        assert not hidden
        assert not role
        assert one.acts != {REPLACE}
        self.grants[grant] = one

    @rule(
        data=st.data(), name=st.sampled_from(sorted(ROLES)), purpose=st.sampled_from(PURPOSES), signs=st.sampled_from([True, True, False])
    )  # fmt: skip
    def give_with_a_witness(self, data: st.DataObject, name: str, purpose: str, signs: bool) -> None:
        """In an assisted opening: one paper of the lent drawer, to look at, a month, if the witness signs."""
        paper, witness = self.paper(data), self.scene.witness
        inside, desk = open_with(self.house, self.awa.card, self.scene.helper), sign_in(self.house, witness)
        may = (
            self.shelf_of[paper] == LENT
            and paper not in self.bin
            and ROLES[name] != "intern"
            and self.standing[name] == "certified"
        )
        try:
            wish = Wish(paper, self.scene.staff[name].id, PurposeId(purpose), witness.id, SAID)
            witnessed.ask(self.house, inside, wish)
        except (TermsRefused, NotThere):
            assert not may
        else:
            assert may
            asking = witnessed.type_code(self.house, desk, witnessed.waiting(self.house, inside).code)
            if signs:
                witnessed.sign(self.house, desk, asking)
                one = Given(name, frozenset({paper}), "", frozenset({SEE}), add_months(self.today, 1), purpose)
                self.grants[witnessed.give(self.house, inside)] = one
            else:
                witnessed.decline(self.house, desk, asking)
                with pytest.raises(NotThere):
                    witnessed.give(self.house, inside)
        unlock(self.house, self.awa)

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), days=st.sampled_from([1, 60, 365]))
    def renew(self, data: st.DataObject, days: int) -> None:
        grant, one = self.some(data, self.grants)
        until = self.today + dt.timedelta(days=days)
        try:
            sharing.renew(self.house, self.awa.session, grant, until, SAID)
        except (TermsRefused, TransitionRefused, Conflict):
            assert (
                grant not in self.living()
                or not self.working(one.worker)
                or ROLES[one.worker] == "intern"
                or self.nothing_left(one)
                or until <= one.until
            )
            return
        assert grant in self.living()
        assert not self.nothing_left(one)
        assert until > one.until
        one.until, one.changes = until, one.changes + 1

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), how=st.sampled_from(["papers", "acts", "until"]))
    def narrow(self, data: st.DataObject, how: str) -> None:
        grant, one = self.some(data, self.grants)
        papers, acts, until = one.papers, one.acts, one.until
        if how == "papers" and one.papers:
            papers = frozenset(data.draw(st.sets(st.sampled_from(sorted(one.papers)), min_size=1)))
        if how == "acts":
            acts = frozenset(data.draw(st.sets(st.sampled_from(sorted(one.acts)), min_size=1)))
        if how == "until":
            until = min(one.until, self.today + dt.timedelta(days=3))
        try:
            sharing.narrow(
                self.house, self.awa.session, grant, SAID, papers=papers if one.papers else None, acts=acts, until=until
            )
        except (TermsRefused, TransitionRefused, Conflict):
            fewer = Given(one.worker, papers, one.shelf, acts, until, one.purpose)
            assert grant not in self.living() or (REPLACE in acts and SEE not in acts) or self.nothing_left(fewer)
            return
        assert grant in self.living()
        one.papers, one.acts, one.until, one.changes = papers, acts, until, one.changes + 1

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), card=st.booleans())
    def withdraw(self, data: st.DataObject, card: bool) -> None:
        grant, one = self.some(data, self.grants)
        session = show_card(self.house, self.awa.card) if card else self.awa.session
        withdrawing.withdraw(self.house, session, grant, SAID)
        if card:
            unlock(self.house, self.awa)  # the card's session ended the other one
        if not one.over:
            one.over, one.changes = True, one.changes + 1

    # --- Days pass, tasks run, workers move

    @rule(days=st.sampled_from([0.01, 1, 6, 45]))
    def tick(self, days: float) -> None:
        self.forward(days=days)
        unlock(self.house, self.awa)

    @rule()
    def expire(self) -> None:
        withdrawing.expire(self.house)
        for one in self.grants.values():
            if not one.over and self.today > one.until:
                one.over, one.changes = True, one.changes + 1

    @rule(name=st.sampled_from(sorted(ROLES)), event=st.sampled_from(["suspend", "suspend", "return", "return", "end"]))
    def worker_moves(self, name: str, event: str) -> None:
        admin, worker = self.scene.office.admin, self.scene.staff[name].id
        if event == "suspend" and self.standing[name] == "certified":
            workers.suspend(self.house, admin, worker, None)
            self.standing[name] = "suspended"
        elif event == "return" and self.standing[name] == "suspended":
            workers.return_(self.house, admin, worker)
            self.standing[name] = "certified"
        elif event == "end" and self.standing[name] != "ended" and name != "Fatou":
            workers.end(self.house, admin, worker, self.scene.office.proof)
            self.standing[name] = "ended"
            for one in self.grants.values():
                if one.worker == name and not one.over:
                    one.over, one.changes = True, one.changes + 1

    @rule()
    def come_back(self) -> None:
        """The next unlock: deposits are met, shared drawers that were taken back begin anew."""
        assert arriving.at_unlock(self.house, self.awa.session).refused == ()

    @rule()
    def seal_anew(self) -> None:
        reencryption.step(self.house, self.awa.session)

    # --- Papers

    @rule(shelf=st.sampled_from(SHELVES))
    def deposit(self, shelf: str) -> None:
        title = f"papier {next(self.titles)}"
        seen = self.seen_in(shelf)
        if seen:
            with pytest.raises(documents.WouldShow) as asked:
                documents.deposit(self.house, self.awa.session, self.scene.page, ShelfKind(shelf), title=title)
            assert {one.agreed for one in asked.value.seen} == seen
        paper = documents.deposit(self.house, self.awa.session, self.scene.page, ShelfKind(shelf), title=title, agreed=seen)
        self.shelf_of[paper] = shelf

    @rule(data=st.data())
    def second_version(self, data: st.DataObject) -> None:
        paper = self.paper(data)
        self.forward(seconds=2)
        if paper not in self.bin:
            documents.deposit(self.house, self.awa.session, self.scene.page, ShelfKind("other"), title="encore", replaces=paper)

    @rule(data=st.data(), shelf=st.sampled_from(SHELVES), agree=st.booleans())
    def move(self, data: st.DataObject, shelf: str, agree: bool) -> None:
        paper = self.paper(data)
        before = self.shelf_of[paper]
        if paper in self.bin:
            with pytest.raises(NotThere):
                documents.move(self.house, self.awa.session, paper, ShelfKind(shelf))
            return
        gains: set[str] = {
            grant for grant, one in self.coming_back().items()
            if shelf not in (before, PRIVATE) and act_is_open(one)
            and ((shelf == one.shelf and paper not in one.papers) or (before == PRIVATE and paper in one.papers))
        }  # fmt: skip
        helped = {self.scene.lent} if shelf == LENT != before else set()
        if gains | helped:
            with pytest.raises(documents.WouldShow) as asked:
                documents.move(self.house, self.awa.session, paper, ShelfKind(shelf))
            assert {one.agreed for one in asked.value.seen} == gains | helped
            if not agree:
                return
            for grant in gains:
                self.grants[GrantId(grant)].lost.discard(paper)
        gains |= helped
        documents.move(self.house, self.awa.session, paper, ShelfKind(shelf), agreed=gains)
        self.shelf_of[paper] = shelf
        if shelf == PRIVATE:
            self.lose(paper)

    def lose(self, paper: PaperId) -> None:
        for one in self.grants.values():
            if paper in one.papers:
                one.lost.add(paper)

    @rule(data=st.data())
    def throw_or_take_back(self, data: st.DataObject) -> None:
        paper = self.paper(data)
        if paper in self.bin:
            seen = self.seen_in(self.shelf_of[paper])
            try:
                if seen:
                    with pytest.raises(documents.WouldShow) as asked:
                        documents.restore(self.house, self.awa.session, paper)
                    assert {one.agreed for one in asked.value.seen} == seen
                documents.restore(self.house, self.awa.session, paper, agreed=seen)
            except NotThere:
                return  # its days in the bin are over
            self.bin.discard(paper)
        else:
            documents.remove(self.house, self.awa.session, paper)
            self.bin.add(paper)
            self.lose(paper)

    # --- Workers act

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), act=st.sampled_from([SEE, SEE, TAKE]))
    def open(self, data: st.DataObject, act: Act) -> None:
        grant, one = self.some(data, self.grants)
        paper, worker = self.paper(data), self.scene.staff[one.worker]
        self.forward(seconds=2)
        try:
            if act is SEE:
                shared_papers.page_image_shared(self.house, worker.session, grant, paper, 1)
            else:
                shared_papers.take(self.house, worker.session, grant, paper).close()
        except NotThere:
            assert not self.allowed(one, paper, act)
            self.refused += 1
            return
        assert self.allowed(one, paper, act)
        self.opened[(worker.id, paper, act.value, one.purpose)] += 1

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), undo=st.booleans())
    def worker_deposits(self, data: st.DataObject, undo: bool) -> None:
        grant, one = self.some(data, self.grants)
        worker, may = self.scene.staff[one.worker], self.may_put(one, DEPOSIT)
        try:
            share = self.share(worker, grant)
            paper = depositing_for.deposit_prepared(self.house, worker.session, share, self.scene.page, Words("lettre", "letter"))
        except NotThere:
            assert not may
            return
        assert may
        self.shelf_of[paper] = one.shelf
        if undo:
            shared_papers.undo_deposit(self.house, worker.session, paper)
            del self.shelf_of[paper]

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def worker_replaces(self, data: st.DataObject) -> None:
        grant, one = self.some(data, self.grants)
        paper, worker = self.paper(data), self.scene.staff[one.worker]
        may = self.may_put(one, REPLACE) and paper in self.seen(one)
        self.forward(seconds=2)
        try:
            share = self.share(worker, grant)
            depositing_for.replace_prepared(self.house, worker.session, share, paper, self.scene.page, Words())
        except NotThere:
            assert not may
            return
        assert may

    def teardown(self) -> None:
        try:
            self.every_opening_is_in_the_trace_once()
            self.every_share_has_its_receipts_and_each_verifies()
        finally:
            self.scene.end()


def bounded(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # a failure is told as it was found: making it smaller would take minutes
    )  # fmt: skip


def test_sharing_holds_over_random_histories(reading_house: Context, clock: Clock, tmp_path: Path) -> None:
    made = a_scene(reading_house, a_page(reading_house))
    reading_house.database.close()
    reading_house.keyvault.close()
    first, numbers = Stores(reading_house, tmp_path), itertools.count()

    def machine() -> Sharing:
        folder = tmp_path / f"history-{next(numbers)}"
        house = first.copy_to(folder).open(now=clock.now)

        def end() -> None:
            house.database.close()
            house.keyvault.close()
            shutil.rmtree(folder)

        awa = MadePerson(**vars(made.awa))
        return Sharing(
            Scene(house, made.office, awa, made.staff, dict(made.papers), made.page, end, made.helper, made.witness, made.lent)
        )

    run_state_machine_as_test(machine, settings=bounded(10, 20))


@pytest.mark.postgres
@pytest.mark.s3
@pytest.mark.parametrize("engines", ["postgres"], indirect=True)
def test_sharing_holds_on_the_engines_of_production(any_reading_house: Context) -> None:
    page = a_page(any_reading_house)
    run_state_machine_as_test(lambda: Sharing(a_scene(any_reading_house, page)), settings=bounded(2, 12))
