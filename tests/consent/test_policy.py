"""The only place that says yes: each reason by example, the whole table of acts, roles and states, and strange arguments."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.grant import GrantState
from consent.ids import WorkerId
from consent.policy import Allowed, Reason, Refused, covering, decide, ending_soon, gained_by_move, visible
from consent.purposes import ShelfKind
from consent.recipients import ROLES, RecipientState
from consent.scope import Act, PapersScope
from consent.verified import VerifiedGrant
from tests.consent.examples import (
    FATOU,
    HEALTH,
    HIDDEN,
    HOUSING,
    INES,
    MARC,
    NOW,
    YONAS,
    body,
    paper,
    paper_id,
    proven,
    recipient,
    shelf_scope,
    signed,
    signer,
    terms,
)  # fmt: skip

ALL = frozenset(Act)
SEE_ONE = proven(body())
DRAWER = proven(body(2, terms(shelf_scope(), ALL)))


def why(act: Act = Act.SEE, grants: Sequence[VerifiedGrant] = (SEE_ONE,), **changes: Any) -> Reason | None:
    """The reason of a refusal, or None when it is allowed."""
    said = decide(act, changes.get("paper", paper()), changes.get("to", recipient()), list(grants), changes.get("at", NOW))
    return said.reason if isinstance(said, Refused) else None


def test_what_was_given_is_allowed_by_its_grant() -> None:
    assert decide(Act.SEE, paper(), recipient(), [SEE_ONE], NOW) == Allowed(SEE_ONE)


def test_each_reason() -> None:
    assert why(grants=[]) is Reason.NO_GRANT
    assert why(to=recipient(MARC)) is Reason.NO_GRANT
    assert why(paper=paper(person=YONAS)) is Reason.NO_GRANT
    assert why(paper=paper(2)) is Reason.NOT_COVERED
    assert why(Act.TAKE) is Reason.ACT_NOT_GRANTED
    assert why(paper=paper(1, HIDDEN, "private")) is Reason.PRIVATE_SHELF
    assert why(to=recipient(role="intern")) is Reason.ROLE
    assert why(to=recipient(state=RecipientState.INVITED)) is Reason.NOT_CERTIFIED
    assert why(to=recipient(state=RecipientState.SUSPENDED)) is Reason.SUSPENDED
    assert why(to=recipient(state=RecipientState.ENDED)) is Reason.RECIPIENT_ENDED
    assert why(to=recipient(ends=date(2026, 11, 22))) is Reason.RECIPIENT_ENDED
    assert why(to=recipient(ends=date(2026, 11, 23))) is None
    assert why(grants=[proven(body(), GrantState.WITHDRAWN)]) is Reason.NOT_LIVE


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW - timedelta(seconds=1), Reason.NOT_LIVE),
        (NOW, None),
        (datetime(2027, 2, 23, 22, 59, 59, tzinfo=UTC), None),
        (datetime(2027, 2, 23, 23, 0, tzinfo=UTC), Reason.NOT_LIVE),
    ],
)
def test_a_grant_lives_from_its_second_to_the_end_of_its_last_day(at: datetime, expected: Reason | None) -> None:
    assert why(at=at) is expected


OPEN = {"given", "renewed"}
DEPOSIT_ONLY = {"volunteer", "intern", "interpreter"}
STANDING = {"invited": Reason.NOT_CERTIFIED, "suspended": Reason.SUSPENDED, "ended": Reason.RECIPIENT_ENDED}


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("name", [row.id for row in ROLES])
@pytest.mark.parametrize("standing", RecipientState)
@pytest.mark.parametrize("state", GrantState)
def test_every_act_role_and_state(act: Act, name: str, standing: RecipientState, state: GrantState) -> None:
    expected: Reason | None = None
    if standing.value in STANDING:
        expected = STANDING[standing.value]
    elif name in DEPOSIT_ONLY and act.value != "deposit":
        expected = Reason.ROLE
    elif state.value not in OPEN:
        expected = Reason.NOT_LIVE
    grant = proven(body(2, terms(shelf_scope(), ALL)), state)
    assert why(act, [grant], to=recipient(role=name, state=standing)) is expected


@pytest.mark.parametrize("granted", Act)
@pytest.mark.parametrize("wanted", Act)
def test_an_act_not_listed_is_refused_and_deposit_alone_gives_no_sight(granted: Act, wanted: Act) -> None:
    acts = {granted, Act.SEE} if granted is Act.REPLACE else {granted}
    grant = proven(body(2, terms(shelf_scope(), acts)))
    assert why(wanted, [grant]) is (None if wanted in acts else Reason.ACT_NOT_GRANTED)


def test_a_drawer_follows_what_lies_in_it() -> None:
    assert why(grants=[DRAWER], paper=paper(9)) is None
    assert why(grants=[DRAWER], paper=paper(9, HEALTH, "health")) is Reason.NOT_COVERED
    assert why(grants=[DRAWER], paper=paper(9, HEALTH, None)) is Reason.NOT_COVERED


def test_the_oldest_grant_answers_whatever_the_order_of_rows() -> None:
    older = proven(body(5, at=NOW - timedelta(days=1)))
    twin = proven(body(4, at=NOW - timedelta(days=1)))
    rows = [SEE_ONE, DRAWER, older, twin]
    for order in (rows, rows[::-1], [rows[2], rows[0], rows[3], rows[1]]):
        assert decide(Act.SEE, paper(), recipient(), order, NOW) == Allowed(twin)
        assert covering(Act.SEE, paper(), recipient(), order, NOW) == (twin, older, SEE_ONE, DRAWER)


def test_two_grants_that_cover_are_both_told_so_that_the_page_asks_what_for() -> None:
    home, work = SEE_ONE, proven(body(3, terms(purpose="work")))
    assert {one.body.terms.purpose for one in covering(Act.SEE, paper(), recipient(), [work, home], NOW)} == {"home", "work"}
    assert decide(Act.SEE, paper(), recipient(), [work], NOW) == Allowed(work)
    assert covering(Act.TAKE, paper(), recipient(), [work, home], NOW) == ()


def test_a_live_grant_beside_one_that_ended_still_opens() -> None:
    assert why(grants=[proven(body(), GrantState.WITHDRAWN), proven(body(3))]) is None


def test_the_desk_lists_what_may_be_seen_and_nothing_else() -> None:
    papers = [paper(n) for n in (3, 1, 2)] + [paper(4, HEALTH, "health"), paper(1, person=YONAS)]
    take = proven(body(3, terms(PapersScope((paper_id(3),)), [Act.TAKE])))
    put = proven(body(4, terms(shelf_scope(HEALTH, "health"), [Act.DEPOSIT])))
    assert visible(papers, recipient(), [SEE_ONE, take, put], NOW) == (papers[0], papers[1])
    assert visible(papers, recipient(state=RecipientState.SUSPENDED), [SEE_ONE, take, put], NOW) == ()


def test_moving_says_who_would_newly_reach_the_paper() -> None:
    recipients = {FATOU: recipient(), MARC: recipient(MARC, state=RecipientState.SUSPENDED), INES: recipient(INES, "intern")}
    to_marc = proven(body(3, terms(shelf_scope(), [Act.SEE]), worker=MARC))
    lies = paper(7, HEALTH, "health")
    housing = ShelfKind("housing")
    grants = [to_marc, DRAWER, SEE_ONE, proven(body(6, terms(shelf_scope(), [Act.SEE])), GrantState.WITHDRAWN)]
    assert gained_by_move(lies, HOUSING, housing, grants, recipients, NOW) == (DRAWER, to_marc)  # suspended comes back
    assert gained_by_move(paper(7), HEALTH, ShelfKind("health"), grants, recipients, NOW) == ()
    assert gained_by_move(lies, HIDDEN, ShelfKind("private"), grants, recipients, NOW) == ()
    assert gained_by_move(lies, HOUSING, housing, [to_marc], {FATOU: recipient()}, NOW) == ()


def test_the_last_thirty_days_are_announced() -> None:
    until = SEE_ONE.body.terms.until
    midday = datetime(until.year, until.month, until.day, 12, 0, tzinfo=UTC)
    assert not ending_soon(SEE_ONE, midday - timedelta(days=31))
    assert ending_soon(SEE_ONE, midday - timedelta(days=30))
    assert ending_soon(SEE_ONE, midday)
    assert not ending_soon(SEE_ONE, midday + timedelta(days=1))
    assert not ending_soon(proven(body(), GrantState.WITHDRAWN), midday)


# --- Total: whatever comes in --------------------------------------------------------------------------------------------------

anything: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.lists(st.none()), st.dictionaries(st.text(), st.none()),
    st.datetimes(), st.just(object), st.builds(object), st.just(float("nan")),
    st.sampled_from([paper(), recipient(), SEE_ONE, Act.SEE, NOW, [SEE_ONE], (SEE_ONE, None), [signed().row]]),
    st.sampled_from([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]),
)  # fmt: skip


@given(anything, anything, anything, anything, anything)
def test_it_answers_whatever_it_is_asked(act: Any, one: Any, to: Any, grants: Any, at: Any) -> None:
    said = decide(act, one, to, grants, at)
    assert isinstance(said, Allowed | Refused)
    if isinstance(said, Allowed):
        assert (act, one, to, at) == (Act.SEE, paper(), recipient(), NOW)


@given(st.integers(0, 4), anything)
def test_one_strange_argument_is_never_a_yes(at: int, strange: Any) -> None:
    arguments: list[Any] = [Act.SEE, paper(), recipient(), [SEE_ONE], NOW]
    if type(strange) is type(arguments[at]):
        return
    arguments[at] = strange
    if isinstance(strange, tuple) and at == 3:
        return
    assert decide(*arguments) == Refused(Reason.MALFORMED)


@pytest.mark.parametrize(
    "pretender",
    [None, "grant", body(), body().row(), signed(), object(), type("VerifiedGrant", (), {"row": body().row(), "body": body()})()],
)
def test_only_verified_grants_count(pretender: Any) -> None:
    assert why(grants=[pretender]) is Reason.NO_GRANT
    assert why(grants=[pretender, SEE_ONE]) is None


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("at", [FIRST, LAST, FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None)])
def test_the_edges_of_the_calendar(at: datetime) -> None:
    assert why(at=at) in (Reason.MALFORMED, Reason.NOT_LIVE)
    assert not ending_soon(SEE_ONE, at)


def test_another_person_with_the_same_paper_id_is_another_paper() -> None:
    assert why(paper=replace(paper(), person=YONAS)) is Reason.NO_GRANT
    assert why(to=replace(recipient(), worker=WorkerId(str(FATOU).replace("1", "9")))) is Reason.NO_GRANT


def reasons(said: Iterable[Reason]) -> set[str]:
    return {one.value for one in said}


def test_reasons_are_stable_words() -> None:
    assert reasons(Reason) == {
        "malformed", "not-certified", "suspended", "recipient-ended", "role", "private-shelf", "no-grant", "not-live",
        "not-covered", "act-not-granted",
    }  # fmt: skip
    assert signer("awa").public == SEE_ONE.body.person_keys.sign
