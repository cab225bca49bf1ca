"""Asking, answering, and asking again."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import AskReason, RequestRefused
from consent.ids import KindId, RequestId, WorkerId
from consent.purposes import PurposeId
from consent.recipients import ROLES, RecipientState
from consent.request import Answer, Asked, Request, answer, may_ask
from crypto.canonical import canonical
from crypto.errors import Malformed
from tests.consent.examples import AWA, FATOU, MARC, NOW, YONAS, number, recipient

TAX, RENT = KindId("tax-notice"), KindId("rent-receipt")


def request(
    n: int = 1, kinds: tuple[KindId, ...] = (TAX,), at: datetime = NOW, worker: WorkerId = FATOU, purpose: str = "home",
    procedure: str = "",
) -> Request:  # fmt: skip
    return Request(RequestId(number(11, n)), AWA, worker, kinds, PurposeId(purpose), "", procedure, at)


def refused(asked: Request, earlier: list[Asked], at: datetime = NOW, **changes: object) -> tuple[AskReason, date | None] | None:
    to = changes.get("to", recipient())
    try:
        may_ask(asked, earlier, to, at)  # type: ignore[arg-type]  # a test's shorthand
    except RequestRefused as no:
        return no.reason, no.not_before
    return None


def said(what: Answer, at: datetime, n: int = 1, kind: KindId = TAX) -> Asked:
    return answer(Asked(request(n, (kind,), at)), kind, what, at)


def days(count: float) -> timedelta:
    return timedelta(days=count)


def test_a_first_request_may_be_made() -> None:
    assert refused(request(), []) is None


@pytest.mark.parametrize("name", [row.id for row in ROLES])
def test_who_may_only_deposit_asks_for_nothing(name: str) -> None:
    expected = (AskReason.ROLE, None) if name in ("volunteer", "intern", "interpreter") else None
    assert refused(request(), [], to=recipient(role=name)) == expected


@pytest.mark.parametrize("state", [RecipientState.INVITED, RecipientState.SUSPENDED, RecipientState.ENDED])
def test_who_is_not_there_asks_for_nothing(state: RecipientState) -> None:
    assert refused(request(), [], to=recipient(state=state)) == (AskReason.RECIPIENT, None)
    assert refused(request(), [], to=recipient(MARC)) == (AskReason.RECIPIENT, None)


def test_one_open_request_for_a_kind_is_enough() -> None:
    earlier = [Asked(request(1, (RENT, TAX)))]
    assert refused(request(2), earlier) == (AskReason.STILL_OPEN, date(2026, 12, 24))
    assert refused(request(2, (KindId("payslip"),)), earlier) is None
    assert refused(request(2, at=NOW + days(31)), earlier, NOW + days(31)) is None  # it has gone away by itself
    answered = [answer(earlier[0], TAX, Answer.GIVE, NOW)]
    assert refused(request(2), answered) is None
    assert refused(request(2, (RENT,)), answered) == (AskReason.STILL_OPEN, date(2026, 12, 24))


@pytest.mark.parametrize(("refusals", "wait"), [(1, 7), (2, 30), (3, 90), (4, 90)])
def test_each_refusal_waits_longer(refusals: int, wait: int) -> None:
    earlier = [said(Answer.REFUSE, NOW - days(100 - n), n) for n in range(refusals)]
    last = max(asked.answers[0].at for asked in earlier)
    before = last + days(wait) - days(0.9)
    assert refused(request(9), earlier, before) == (AskReason.REFUSED_BEFORE, last.date() + days(wait))
    assert refused(request(9), earlier, last + days(wait)) is None


def test_a_week_after_a_first_no_a_new_request_may_be_made() -> None:
    earlier = [said(Answer.REFUSE, NOW)]
    early = (NOW + days(7)).replace(hour=6)  # a week later, even at an earlier hour
    assert refused(request(2, at=early), earlier, early) is None


def test_other_words_are_the_same_request() -> None:
    earlier = [said(Answer.REFUSE, NOW)]
    assert refused(request(2, purpose="work", procedure="rsa"), earlier) == (AskReason.REFUSED_BEFORE, date(2026, 11, 30))
    assert refused(request(2, (RENT,)), earlier) is None
    both = request(2, (RENT, TAX))
    assert refused(both, earlier) == (AskReason.REFUSED_BEFORE, date(2026, 11, 30))


def test_refusals_are_forgotten_after_a_year_and_count_for_one_worker() -> None:
    old = [said(Answer.REFUSE, NOW - days(ago), ago) for ago in (400, 399, 6)]
    assert refused(request(9), old) == (AskReason.REFUSED_BEFORE, date(2026, 11, 24))  # the first again: 7 days
    assert refused(request(9, worker=MARC), old, to=recipient(MARC)) is None
    twice = [said(Answer.REFUSE, NOW - days(365), 1), said(Answer.REFUSE, NOW - days(8), 2)]
    assert refused(request(9), twice) is None  # forgotten today
    twice[0] = said(Answer.REFUSE, NOW - days(364), 1)
    assert refused(request(9), twice) == (AskReason.REFUSED_BEFORE, date(2026, 12, 15))  # the second: 30 days
    for_another = [replace(asked, request=replace(asked.request, person=YONAS)) for asked in old]
    assert refused(request(9), for_another) is None


def test_what_a_person_has_not_is_not_asked_again_for_a_week() -> None:
    earlier = [said(Answer.HAVE_NOT, NOW)]
    assert refused(request(2), earlier, NOW + days(6)) == (AskReason.HAS_NOT, date(2026, 11, 30))
    assert refused(request(2), earlier, NOW + days(7)) is None


def test_five_requests_may_wait() -> None:
    waiting = [Asked(request(n, (KindId(f"kind-{n}"),), NOW - days(n))) for n in range(5)]
    assert refused(request(9), waiting[:4]) is None
    assert refused(request(9), waiting) == (AskReason.TOO_MANY, date(2026, 12, 20))


def test_a_whole_procedure_is_one_request_with_an_answer_for_each_kind() -> None:
    asked = Asked(request(1, (RENT, TAX), procedure="rsa"))
    assert asked.open_kinds(NOW) == (RENT, TAX)
    asked = answer(asked, TAX, Answer.REFUSE, NOW)
    assert asked.open_kinds(NOW) == (RENT,)
    asked = answer(asked, RENT, Answer.GIVE, NOW + days(1))
    assert [(one.kind, one.answer) for one in asked.answers] == [(TAX, Answer.REFUSE), (RENT, Answer.GIVE)]
    assert asked.open_kinds(NOW) == ()


@pytest.mark.parametrize("kind", [TAX, KindId("payslip")])
def test_only_what_waits_is_answered(kind: KindId) -> None:
    asked = answer(Asked(request()), TAX, Answer.GIVE, NOW)
    with pytest.raises(RequestRefused) as no:
        answer(asked, kind, Answer.REFUSE, NOW)
    assert no.value.reason is AskReason.NOT_OPEN


def test_a_request_can_be_answered_for_thirty_days() -> None:
    asked = Asked(request())
    assert asked.last_day() == date(2026, 12, 23)
    assert answer(asked, TAX, Answer.GIVE, NOW + days(30)).answers
    with pytest.raises(RequestRefused):
        answer(asked, TAX, Answer.GIVE, NOW + days(31))


# --- Bytes ---------------------------------------------------------------------------------------------------------------------

requests = st.builds(
    lambda kinds, whole, own, seconds: Request(
        RequestId(number(11, 1)), AWA, FATOU, tuple(sorted(kinds)), PurposeId("other" if own else "home"), own, whole,
        NOW + timedelta(seconds=seconds),
    ),
    st.sets(st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,2}", fullmatch=True).map(KindId), min_size=1, max_size=20),
    st.sampled_from(["", "rsa", "carte-identite"]), st.sampled_from(["", "pour ma sœur", "خاطر أختي"]), st.integers(0, 10**8),
)  # fmt: skip


@given(requests)
def test_a_request_reads_back_as_itself(asked: Request) -> None:
    assert Request.from_bytes(asked.to_bytes()) == asked


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", "2"), ("kinds", []), ("kinds", ["b", "a"]), ("kinds", ["a", "a"]), ("kinds", ["Avis d'impôt"]), ("kinds", "a"),
        ("kinds", [f"k{n}" for n in range(10, 31)]), ("purpose", "x"), ("own_words", "x"), ("procedure", "RSA"), ("asked", "now"),
        ("person", "x"), ("extra", "x"),
    ],
)  # fmt: skip
def test_one_malformation_each(field: str, value: object) -> None:
    written = json.loads(request().to_bytes())
    written[field] = value
    with pytest.raises(Malformed):
        Request.from_bytes(canonical(written))


def test_answers_are_about_what_was_asked() -> None:
    one = said(Answer.GIVE, NOW)
    with pytest.raises(Malformed):
        replace(one, answers=one.answers * 2)
    with pytest.raises(Malformed):
        replace(one, request=request(1, (RENT,)))
    with pytest.raises(Malformed):
        replace(request(), asked=NOW + timedelta(microseconds=1))


@given(st.lists(st.tuples(st.integers(0, 800), st.sampled_from(Answer)), max_size=12), st.integers(0, 1000))
def test_nobody_is_asked_twice_in_a_week_after_a_no(history: list[tuple[int, Answer]], day: int) -> None:
    earlier = [said(what, NOW + days(when), n) for n, (when, what) in enumerate(history)]
    at = NOW + days(day)
    if refused(request(99, at=at), [one for one in earlier if one.request.asked <= at], at) is None:
        noes = [when for when, what in history if what is not Answer.GIVE and when <= day]
        assert all(day - when >= 7 for when in noes)
