"""The invariants of sharing over random histories, on a model written apart: a set of what each worker may do."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consent.days import paris_day
from consent.errors import TermsRefused, TransitionRefused
from consent.grant import GrantBody, GrantRow, GrantState, Parties, end, expire, give, narrow, renew, withdraw
from consent.ids import ShelfId, WorkerId
from consent.policy import Allowed, decide, visible
from consent.purposes import PurposeId, ShelfKind
from consent.recipients import Recipient, RecipientEvent, RecipientState
from consent.recipients import next_state as next_standing
from consent.scope import Act, Paper, PapersScope, Scope, ShelfScope
from consent.terms import Terms
from consent.verified import VerifiedGrant
from tests.consent.examples import (
    AWA,
    FATOU,
    HEALTH,
    HIDDEN,
    HOUSING,
    INES,
    MARC,
    NOW,
    OPENED,
    grant_id,
    how,
    paper,
    paper_id,
    person_keys,
    proven,
    recipient,
)  # fmt: skip

WORKERS: dict[WorkerId, str] = {FATOU: "salaried", MARC: "civic-service", INES: "intern"}
SHELVES: dict[ShelfId, ShelfKind] = {
    HOUSING: ShelfKind("housing"), HEALTH: ShelfKind("health"), HIDDEN: ShelfKind("private"),
}  # fmt: skip
MAY = {"salaried": set(Act), "civic-service": set(Act), "intern": {Act.DEPOSIT}}

acts = st.sets(st.sampled_from(Act), min_size=1)
granted_scopes: st.SearchStrategy[Scope] = st.sets(st.integers(0, 5), min_size=1).map(
    lambda ns: PapersScope.of(map(paper_id, ns))
) | st.sampled_from([ShelfScope(HOUSING, ShelfKind("housing")), ShelfScope(HEALTH, ShelfKind("health"))])


class Sharing(RuleBasedStateMachine):
    """Gives, renews, narrows, withdraws, lets expire, ends, suspends, returns, deposits, moves, and lets days pass, at random.

    The model beside the rules keeps, for each grant, when it may open something: it never calls `decide`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.numbers = itertools.count(1)
        self.grants: dict[str, tuple[GrantRow, GrantBody]] = {}
        self.closed: set[str] = set()
        self.standing = {worker: recipient(worker, name) for worker, name in WORKERS.items()}
        self.papers = dict.fromkeys(range(3), HOUSING) | {3: HEALTH, 4: HIDDEN}

    def paper(self, n: int) -> Paper:
        return Paper(AWA, paper_id(n), self.papers[n], SHELVES[self.papers[n]])

    @rule(worker=st.sampled_from(list(WORKERS)), scope=granted_scopes, chosen=acts, days=st.integers(-1, 400))
    def give(self, worker: WorkerId, scope: Scope, chosen: set[Act], days: int) -> None:
        terms = Terms(PurposeId("home"), "", scope, frozenset(chosen), paris_day(self.now) + timedelta(days=days))
        parties = Parties(grant_id(next(self.numbers)), AWA, person_keys(), self.standing[worker], "Prénom")
        try:
            body = give(parties, terms, how(), at=self.now, safe_opened=OPENED, salt=bytes(32))
        except TermsRefused:
            return
        assert chosen <= MAY[WORKERS[worker]]
        self.grants[body.grant] = (body.row(), body)

    def some(self, data: st.DataObject) -> tuple[GrantRow, GrantBody]:
        return self.grants[data.draw(st.sampled_from(sorted(self.grants)))]

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), days=st.integers(-1, 400))
    def renew(self, data: st.DataObject, days: int) -> None:
        row, body = self.some(data)
        until = paris_day(self.now) + timedelta(days=days)
        try:
            body = renew(row, body, until, self.standing[body.worker], how(), at=self.now, safe_opened=OPENED, salt=bytes(32))
        except (TermsRefused, TransitionRefused):
            return
        assert body.grant not in self.closed
        assert body.terms.until > self.grants[body.grant][1].terms.until
        self.grants[body.grant] = (body.row(), body)

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), keep=acts)
    def narrow(self, data: st.DataObject, keep: set[Act]) -> None:
        row, body = self.some(data)
        try:
            body = narrow(row, body, replace(body.terms, acts=body.terms.acts & keep), at=self.now, salt=bytes(32))
        except (TermsRefused, TransitionRefused):
            return
        self.grants[body.grant] = (body.row(), body)

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), close=st.sampled_from([withdraw, expire, end]))
    def close(self, data: st.DataObject, close: object) -> None:
        row, body = self.some(data)
        try:
            closing = close(row, self.now)  # type: ignore[operator]  # one of the three
        except TransitionRefused:
            return
        self.grants[body.grant] = (closing.row, body)
        self.closed.add(body.grant)

    @rule(worker=st.sampled_from(list(WORKERS)), event=st.sampled_from(RecipientEvent))
    def worker_moves(self, worker: WorkerId, event: RecipientEvent) -> None:
        now = self.standing[worker]
        try:
            self.standing[worker] = replace(now, state=next_standing(now.state, event))
        except TransitionRefused:
            return

    @rule(shelf=st.sampled_from(list(SHELVES)))
    def deposit(self, shelf: ShelfId) -> None:
        self.papers[len(self.papers)] = shelf

    @rule(data=st.data(), shelf=st.sampled_from(list(SHELVES)))
    def move(self, data: st.DataObject, shelf: ShelfId) -> None:
        self.papers[data.draw(st.sampled_from(sorted(self.papers)))] = shelf

    @rule(hours=st.integers(1, 24 * 200))
    def tick(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def expected(self, worker: Recipient) -> set[tuple[int, Act]]:
        """The union of the live grants, computed from the ledger alone."""
        if worker.state is not RecipientState.CERTIFIED or (worker.ends and paris_day(self.now) > worker.ends):
            return set()
        may = set()
        for row, body in self.grants.values():
            if row.worker != worker.worker or row.grant in self.closed or paris_day(self.now) > body.terms.until:
                continue
            for n, shelf in self.papers.items():
                scope = body.terms.scope
                inside = shelf == scope.shelf if isinstance(scope, ShelfScope) else paper_id(n) in scope.papers
                if inside and shelf != HIDDEN:
                    may |= {(n, act) for act in body.terms.acts}
        return {(n, act) for n, act in may if act in MAY[WORKERS[worker.worker]]}

    @invariant()
    def each_worker_may_do_exactly_the_union_of_their_live_grants(self) -> None:
        grants = [proven(body, row.state) for row, body in self.grants.values()]
        for worker in self.standing.values():
            allowed = {
                (n, act)
                for n in self.papers
                for act in Act
                if isinstance(decide(act, self.paper(n), worker, grants, self.now), Allowed)
            }
            assert allowed == self.expected(worker)
            listed = visible([self.paper(n) for n in self.papers], worker, grants[::-1], self.now)
            assert {one.paper for one in listed} == {paper_id(n) for n, act in allowed if act in (Act.SEE, Act.TAKE)}


TestSharing = Sharing.TestCase
TestSharing.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


# --- Order never matters, and what is over is over -----------------------------------------------------------------------------

some_terms = st.builds(
    lambda scope, chosen, days: Terms(
        PurposeId("home"), "", scope, frozenset(chosen), paris_day(NOW) + timedelta(days=days)
    ),
    granted_scopes, acts, st.integers(0, 60),
)  # fmt: skip


@st.composite
def verified_grants(draw: st.DrawFn) -> list[VerifiedGrant]:
    """Grants to Fatou in any state, as they would come out of the table in any order."""
    count = draw(st.integers(0, 6))
    found = []
    for n in range(count):
        since = NOW - timedelta(days=draw(st.integers(0, 90)))
        body = GrantBody(
            grant_id(n), AWA, FATOU, draw(st.integers(0, 3)), draw(some_terms), since, since, "Fatou", person_keys(), None,
            bytes(32),
        )  # fmt: skip
        found.append(proven(body, draw(st.sampled_from(GrantState))))
    return found


moments = st.integers(-100 * 24, 100 * 24).map(lambda hours: NOW + timedelta(hours=hours))


@given(verified_grants(), st.randoms(use_true_random=False), st.sampled_from(Act), st.integers(0, 5), moments)
def test_the_order_of_rows_changes_nothing(grants: list[VerifiedGrant], chance: object, act: Act, n: int, at: datetime) -> None:
    shuffled = list(grants)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    assert decide(act, paper(n), recipient(), grants, at) == decide(act, paper(n), recipient(), shuffled, at)


@given(verified_grants(), st.sampled_from(Act), st.integers(0, 5), moments)
def test_a_yes_is_always_by_a_grant_that_lives(grants: list[VerifiedGrant], act: Act, n: int, at: datetime) -> None:
    said = decide(act, paper(n), recipient(), grants, at)
    if isinstance(said, Allowed):
        grant = said.grant
        assert grant in grants
        assert grant.row.state in (GrantState.GIVEN, GrantState.RENEWED)
        assert grant.body.since <= at
        assert paris_day(at) <= grant.body.terms.until
        assert act in grant.body.terms.acts


@given(verified_grants(), st.sampled_from([GrantState.WITHDRAWN, GrantState.EXPIRED, GrantState.ENDED]), st.sampled_from(Act),
       st.integers(0, 5), moments)  # fmt: skip
def test_nothing_opens_once_all_has_ended(grants: list[VerifiedGrant], over: GrantState, act: Act, n: int, at: datetime) -> None:
    ended = [proven(grant.body, over) for grant in grants]
    assert not isinstance(decide(act, paper(n), recipient(), ended, at), Allowed)


@given(verified_grants(), verified_grants(), st.sampled_from(Act), st.integers(0, 5), moments)
def test_more_grants_never_take_away(
    grants: list[VerifiedGrant], more: list[VerifiedGrant], act: Act, n: int, at: datetime
) -> None:
    if isinstance(decide(act, paper(n), recipient(), grants, at), Allowed):
        assert isinstance(decide(act, paper(n), recipient(), [*more, *grants], at), Allowed)
