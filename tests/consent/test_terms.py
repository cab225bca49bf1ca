"""What may be given, by whom, how, and until when."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.days import add_months, paris_day
from consent.errors import TermsReason, TermsRefused
from consent.purposes import PurposeId
from consent.recipients import ROLES, RecipientState, role
from consent.scope import Act, PapersScope, Scope
from consent.terms import GivenHow, Method, Terms, check_terms, default_until, is_first_day, latest_until, opens_something
from crypto.errors import Malformed
from tests.consent.examples import FATOU, MARC, NOW, OPENED, how, paper_id, recipient, shelf_scope, terms

FIRST_DAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def refused(chosen: Terms, **changes: object) -> TermsReason | None:
    """The reason why these terms may not be given now, or None."""
    given_to = changes.get("to", recipient())
    by = changes.get("by", how())
    try:
        check_terms(chosen, given_to, by, changes.get("at", NOW), changes.get("opened", OPENED))  # type: ignore[arg-type]  # a test's shorthand
    except TermsRefused as no:
        return no.reason
    return None


def test_three_months_are_proposed_and_twelve_are_the_most() -> None:
    assert default_until(NOW) == date(2027, 2, 23)
    assert latest_until(NOW) == date(2027, 11, 23)
    assert refused(terms(until=date(2027, 11, 23))) is None
    assert refused(terms(until=date(2027, 11, 24))) is TermsReason.TOO_LONG


def test_twelve_months_from_a_leap_day() -> None:
    at = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
    assert refused(terms(until=date(2029, 2, 28)), at=at) is None
    assert refused(terms(until=date(2029, 3, 1)), at=at) is TermsReason.TOO_LONG


def test_today_is_the_earliest_last_day() -> None:
    assert refused(terms(until=date(2026, 11, 23))) is None
    assert refused(terms(until=date(2026, 11, 22))) is TermsReason.PAST


def test_a_share_never_outlives_the_account_of_who_receives() -> None:
    leaves = recipient(ends=date(2027, 1, 15))
    assert refused(terms(until=date(2027, 1, 15)), to=leaves) is None
    assert refused(terms(until=date(2027, 1, 16)), to=leaves) is TermsReason.RECIPIENT_LEAVES


@pytest.mark.parametrize("state", RecipientState)
def test_only_a_certified_worker_can_be_given_something(state: RecipientState) -> None:
    expected = None if state is RecipientState.CERTIFIED else TermsReason.RECIPIENT
    assert refused(terms(), to=recipient(state=state)) is expected


@pytest.mark.parametrize("name", [row.id for row in ROLES])
@pytest.mark.parametrize("act", Act)
def test_each_role_is_given_its_acts_only(name: str, act: Act) -> None:
    expected = None if act in role(name).acts else TermsReason.ROLE
    assert refused(terms(shelf_scope(), {act, Act.SEE} if act is Act.REPLACE else {act}), to=recipient(role=name)) is expected


def test_no_act_is_no_share() -> None:
    assert refused(terms(acts=())) is TermsReason.NO_ACT


def test_a_deposit_is_into_a_drawer() -> None:
    assert refused(terms(acts=[Act.SEE, Act.DEPOSIT])) is TermsReason.DEPOSIT_NEEDS_SHELF
    assert refused(terms(shelf_scope(), [Act.SEE, Act.DEPOSIT])) is None
    assert refused(terms(acts=[Act.SEE, Act.REPLACE])) is None
    assert refused(terms(acts=[Act.REPLACE])) is TermsReason.REPLACE_NEEDS_SIGHT


@pytest.mark.parametrize(
    ("scope", "acts", "expected"),
    [
        (None, [Act.SEE], None),
        (None, [Act.SEE, Act.REPLACE], None),
        (None, [Act.TAKE], TermsReason.FIRST_DAY_TAKE),
        (None, [Act.SEE, Act.TAKE], TermsReason.FIRST_DAY_TAKE),
        (shelf_scope(), [Act.SEE], TermsReason.FIRST_DAY_SHELF),
        (shelf_scope(), [Act.SEE, Act.REPLACE], TermsReason.FIRST_DAY_SHELF),
        (shelf_scope(), [Act.DEPOSIT, Act.SEE], TermsReason.FIRST_DAY_SHELF),
        (shelf_scope(), [Act.DEPOSIT], None),
    ],
)
def test_nothing_irreversible_on_the_first_day(scope: Scope | None, acts: Iterable[Act], expected: TermsReason | None) -> None:
    chosen = terms(scope, acts)
    assert refused(chosen, opened=FIRST_DAY) is expected
    assert refused(chosen, opened=FIRST_DAY - timedelta(days=1)) is None


def test_the_first_day_is_a_day_in_paris() -> None:
    opened = datetime(2026, 7, 14, 21, 30, tzinfo=UTC)  # 23:30 in Paris
    assert is_first_day(opened, datetime(2026, 7, 14, 21, 59, tzinfo=UTC))
    assert not is_first_day(opened, datetime(2026, 7, 14, 22, 0, tzinfo=UTC))
    assert is_first_day(opened, opened - timedelta(days=3))  # a clock that went back never loosens


@pytest.mark.parametrize("method", [Method.CARD, Method.SERVICE])
def test_neither_the_card_alone_nor_the_service_gives(method: Method) -> None:
    assert refused(terms(), by=how(method)) is TermsReason.METHOD


ASSISTED = how(Method.ASSISTED, witness=MARC, shown=2)


@pytest.mark.parametrize(
    ("chosen", "by", "expected"),
    [
        (terms(until=date(2026, 12, 23)), ASSISTED, None),
        (terms(until=date(2026, 12, 24)), ASSISTED, TermsReason.ASSISTED_LIMITS),
        (terms(PapersScope((paper_id(1), paper_id(2))), until=date(2026, 12, 23)), ASSISTED, TermsReason.ASSISTED_LIMITS),
        (terms(shelf_scope(), until=date(2026, 12, 23)), ASSISTED, TermsReason.ASSISTED_LIMITS),
        (terms(acts=frozenset({Act.SEE, Act.TAKE}), until=date(2026, 12, 23)), ASSISTED, TermsReason.ASSISTED_LIMITS),
        (terms(acts=frozenset({Act.TAKE}), until=date(2026, 12, 23)), ASSISTED, TermsReason.ASSISTED_LIMITS),
        (terms(until=date(2026, 12, 23)), replace(ASSISTED, shown=1), TermsReason.ASSISTED_LIMITS),
        (terms(until=date(2026, 12, 23)), replace(ASSISTED, witness=None), TermsReason.WITNESS),
        (terms(until=date(2026, 12, 23)), replace(ASSISTED, witness=FATOU), TermsReason.WITNESS),
        (terms(), how(witness=MARC), TermsReason.WITNESS),
    ],
)
def test_an_assisted_opening_gives_little_and_with_a_witness(chosen: Terms, by: GivenHow, expected: TermsReason | None) -> None:
    assert refused(chosen, by=by) is expected


@pytest.mark.parametrize(
    ("purpose", "own_words"),
    [
        ("home", "ma sœur"), ("other", ""), ("other", " pour ma sœur"), ("other", "a" * 201), ("other", "a\nb"),
        ("other", "a\u202eb"), ("other", "e\u0301"), ("other", "\ue000"), ("attic", ""),
    ],
)  # fmt: skip
def test_own_words_go_with_something_else_and_can_be_read(purpose: str, own_words: str) -> None:
    with pytest.raises(Malformed):
        terms(purpose=purpose, own_words=own_words)


@pytest.mark.parametrize("own_words", ["pour ma sœur", "می‌خواهم", "خاطر أختي", "ለእህቴ"])
def test_own_words_are_in_any_language(own_words: str) -> None:
    assert terms(purpose="other", own_words=own_words).own_words == own_words


@pytest.mark.parametrize(
    "changes",
    [{"language": ""}, {"text_version": "x" * 81}, {"text_sha256": b"short"}, {"kiosk": "kiosk"}, {"witness": "x"}, {"shown": 0}],
)
def test_how_it_was_given_can_be_written(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        how(**changes)  # type: ignore[arg-type]  # wrong on purpose


def test_only_seeing_and_taking_need_a_key() -> None:
    assert not opens_something(frozenset({Act.DEPOSIT, Act.REPLACE}))
    assert opens_something(frozenset({Act.DEPOSIT, Act.SEE}))
    assert opens_something(frozenset({Act.TAKE}))


@given(st.integers(-400, 800), st.sets(st.sampled_from(Act)), st.booleans(), st.sampled_from([row.id for row in ROLES]),
       st.integers(0, 3))  # fmt: skip
def test_what_passes_keeps_every_limit(days: int, acts: set[Act], whole: bool, name: str, age: int) -> None:
    until = paris_day(NOW) + timedelta(days=days)
    chosen = Terms(PurposeId("home"), "", shelf_scope() if whole else PapersScope((paper_id(1),)), frozenset(acts), until)
    to, opened = recipient(role=name), NOW - timedelta(days=age)
    if refused(chosen, to=to, opened=opened) is None:
        assert acts
        assert acts <= role(name).acts
        assert paris_day(NOW) <= until <= add_months(paris_day(NOW), 12)
        assert to.ends is None or until <= to.ends
        assert age > 0 or (Act.TAKE not in acts and (not whole or acts == {Act.DEPOSIT}))
