"""States, transitions, renewing, narrowing, and the bytes of what was agreed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import TermsReason, TermsRefused, TransitionRefused
from consent.grant import (
    NEEDS_KEY,
    OPEN_STATES,
    Event,
    GrantBody,
    GrantRow,
    GrantState,
    Parties,
    PublicKeys,
    end,
    expire,
    first_request,
    give,
    narrow,
    next_state,
    refuse,
    renew,
    withdraw,
)  # fmt: skip
from consent.purposes import PURPOSES, PurposeId
from consent.recipients import RecipientState
from consent.scope import Act, PapersScope
from consent.terms import Method, Terms
from crypto.canonical import canonical
from crypto.errors import Malformed
from tests.consent.examples import (
    AWA,
    FATOU,
    MARC,
    NOW,
    OPENED,
    SALT,
    body,
    grant_id,
    how,
    paper_id,
    person_keys,
    recipient,
    row,
    shelf_scope,
    terms,
)  # fmt: skip
from tests.consent.test_scope import scopes

TABLE = {
    (None, "ask"): "requested", (None, "give"): "given",
    ("requested", "give"): "given", ("requested", "refuse"): "refused", ("requested", "expire"): "expired",
    ("requested", "end"): "ended",
    ("given", "renew"): "renewed", ("given", "withdraw"): "withdrawn", ("given", "expire"): "expired", ("given", "end"): "ended",
    ("renewed", "renew"): "renewed", ("renewed", "withdraw"): "withdrawn", ("renewed", "expire"): "expired",
    ("renewed", "end"): "ended",
}  # fmt: skip


@pytest.mark.parametrize("state", [None, *GrantState])
@pytest.mark.parametrize("event", Event)
def test_a_grant_moves_only_as_the_table_says(state: GrantState | None, event: Event) -> None:
    after = TABLE.get((state.value if state else None, event.value))
    if after:
        assert next_state(state, event) == after
    else:
        with pytest.raises(TransitionRefused) as refused:
            next_state(state, event)
        assert (refused.value.state, refused.value.event) == (state, event)


@given(st.lists(st.sampled_from(Event)))
def test_what_has_ended_never_opens_again(events: list[Event]) -> None:
    state: GrantState | None = None
    over = False
    for event in events:
        try:
            state = next_state(state, event)
        except TransitionRefused:
            continue
        assert not (over and state in OPEN_STATES)
        over = over or state in (GrantState.WITHDRAWN, GrantState.EXPIRED, GrantState.ENDED, GrantState.REFUSED)
        assert state not in OPEN_STATES or event in NEEDS_KEY


def test_giving_says_what_was_chosen() -> None:
    agreed = body(chosen=terms(PapersScope((paper_id(1), paper_id(2))), [Act.SEE, Act.TAKE]))
    assert agreed.state is GrantState.GIVEN
    assert agreed.row() == GrantRow(grant_id(1), AWA, FATOU, GrantState.GIVEN, date(2027, 2, 23))
    assert (agreed.since, agreed.changed, agreed.serial, agreed.witness) == (NOW, NOW, 0, None)


def test_giving_keeps_the_limits() -> None:
    with pytest.raises(TermsRefused) as refused:
        body(chosen=terms(until=date(2028, 1, 1)))
    assert refused.value.reason is TermsReason.TOO_LONG


def parties(to_worker: object = FATOU) -> Parties:
    return Parties(grant_id(1), AWA, person_keys(), recipient(to_worker), "Fatou")  # type: ignore[arg-type]  # ids are texts


def test_a_request_is_answered_on_its_own_row() -> None:
    asked = first_request(grant_id(1), AWA, FATOU)
    assert asked.state is GrantState.REQUESTED
    assert give(parties(), terms(), how(), at=NOW, safe_opened=OPENED, salt=SALT, row=asked).state is GrantState.GIVEN
    with pytest.raises(TransitionRefused):
        give(parties(MARC), terms(), how(), at=NOW, safe_opened=OPENED, salt=SALT, row=asked)
    with pytest.raises(TransitionRefused):
        give(parties(), terms(), how(), at=NOW, safe_opened=OPENED, salt=SALT, row=refuse(asked))


def renewed(agreed: GrantBody, at: datetime, until: date, **changes: object) -> GrantBody:
    to = changes.get("to", recipient())
    by = changes.get("by", how())
    before = changes.get("row", agreed.row())
    return renew(before, agreed, until, to, by, at=at, safe_opened=OPENED, salt=bytes(32))  # type: ignore[arg-type]  # a test's shorthand


def test_renewing_is_the_same_grant_until_a_later_day() -> None:
    first = body()
    later = NOW + timedelta(days=80)
    second = renewed(first, later, date(2027, 5, 11))
    assert (second.grant, second.since, second.changed, second.serial) == (first.grant, first.since, later, 1)
    assert second.state is GrantState.RENEWED
    assert second.terms == replace(first.terms, until=date(2027, 5, 11))
    assert renewed(second, later, date(2027, 6, 1)).serial == 2


@pytest.mark.parametrize("sooner", [date(2027, 2, 22), date(2027, 2, 23)])
def test_renewing_shortens_nothing_and_repeats_nothing(sooner: date) -> None:
    with pytest.raises(TermsRefused) as refused:
        renewed(body(), NOW, sooner)
    assert refused.value.reason is TermsReason.NOT_LONGER


def test_what_has_passed_is_given_anew_not_renewed() -> None:
    with pytest.raises(TermsRefused) as refused:
        renewed(body(), datetime(2027, 2, 24, 12, 0, tzinfo=UTC), date(2027, 5, 1))
    assert refused.value.reason is TermsReason.NOT_LIVE


@pytest.mark.parametrize("state", [state for state in GrantState if state not in OPEN_STATES])
def test_what_has_ended_is_not_renewed(state: GrantState) -> None:
    with pytest.raises(TransitionRefused):
        renewed(body(), NOW, date(2027, 5, 1), row=row(state))


def test_renewing_keeps_the_limits_of_today() -> None:
    for changes, reason in (
        ({"to": recipient(state=RecipientState.SUSPENDED)}, TermsReason.RECIPIENT),
        ({"to": recipient(MARC)}, TermsReason.RECIPIENT),
        ({"to": recipient(role="intern")}, TermsReason.ROLE),
        ({"by": how(Method.CARD)}, TermsReason.METHOD),
    ):
        with pytest.raises(TermsRefused) as refused:
            renewed(body(), NOW, date(2027, 5, 1), **changes)
        assert refused.value.reason is reason


def test_a_row_that_says_another_day_is_not_renewed() -> None:
    with pytest.raises(TermsRefused):
        renewed(body(), NOW, date(2027, 5, 1), row=row(GrantState.GIVEN, date(2027, 2, 22)))


WIDE = terms(PapersScope((paper_id(1), paper_id(2))), [Act.SEE, Act.TAKE])


@pytest.mark.parametrize(
    "less",
    [
        replace(WIDE, scope=PapersScope((paper_id(2),))),
        replace(WIDE, acts=frozenset({Act.SEE})),
        replace(WIDE, until=date(2026, 11, 23)),
        WIDE,
    ],
)
def test_narrowing_takes_away(less: Terms) -> None:
    first = body(chosen=WIDE)
    second = narrow(first.row(), first, less, at=NOW, salt=bytes(32))
    assert (second.terms, second.serial, second.state, second.witness) == (less, 1, GrantState.RENEWED, None)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (replace(WIDE, scope=PapersScope((paper_id(3),))), TermsReason.NOT_NARROWER),
        (replace(WIDE, scope=shelf_scope()), TermsReason.NOT_NARROWER),
        (replace(WIDE, acts=frozenset({Act.SEE, Act.REPLACE})), TermsReason.NOT_NARROWER),
        (replace(WIDE, acts=frozenset()), TermsReason.NOT_NARROWER),
        (replace(WIDE, until=date(2027, 2, 24)), TermsReason.NOT_NARROWER),
        (replace(WIDE, purpose=PurposeId("work")), TermsReason.NOT_NARROWER),
        (replace(WIDE, until=date(2026, 11, 22)), TermsReason.PAST),
    ],
)
def test_narrowing_never_widens_nor_changes_the_purpose(more: Terms, reason: TermsReason) -> None:
    first = body(chosen=WIDE)
    with pytest.raises(TermsRefused) as refused:
        narrow(first.row(), first, more, at=NOW, salt=bytes(32))
    assert refused.value.reason is reason


@pytest.mark.parametrize(("close", "after"), [(withdraw, "withdrawn"), (end, "ended")])
@pytest.mark.parametrize("state", GrantState)
def test_closing_works_from_the_clear_row_alone(
    close: Callable[[GrantRow, datetime], object], after: str, state: GrantState
) -> None:
    before = row(state)
    if (state.value, "withdraw" if after == "withdrawn" else "end") in TABLE:
        closing = close(before, NOW)
        assert closing.row == replace(before, state=GrantState(after))  # type: ignore[attr-defined]  # both give a Closing
    else:
        with pytest.raises(TransitionRefused):
            close(before, NOW)


def test_a_term_passes_only_when_it_has_passed() -> None:
    with pytest.raises(TransitionRefused):
        expire(row(GrantState.GIVEN), datetime(2027, 2, 23, 22, 59, 59, tzinfo=UTC))
    closing = expire(row(GrantState.GIVEN), datetime(2027, 2, 23, 23, 0, 0, 5, tzinfo=UTC))
    assert closing.row.state is GrantState.EXPIRED
    assert closing.at == datetime(2027, 2, 23, 23, 0, tzinfo=UTC)
    assert expire(row(GrantState.REQUESTED, None), NOW).row.state is GrantState.EXPIRED


# --- Bytes ---------------------------------------------------------------------------------------------------------------------

many_terms = st.builds(
    lambda row, scope, acts, until, said: Terms(row.id, said if row.own_words else "", scope, frozenset(acts), until),
    st.sampled_from(PURPOSES), scopes, st.sets(st.sampled_from(Act), min_size=1), st.dates(date(2026, 1, 1), date(2040, 1, 1)),
    st.sampled_from(["pour ma sœur", "خاطر أختي", "x"]),
)  # fmt: skip
bodies = st.builds(
    lambda chosen, serial, seconds, witness, salt, name: GrantBody(
        grant_id(1), AWA, FATOU, serial, chosen, NOW, NOW + timedelta(seconds=seconds), name, person_keys(), witness, salt
    ),
    many_terms, st.integers(0, 9999), st.integers(0, 10**8), st.none() | st.just(MARC), st.binary(min_size=32, max_size=32),
    st.sampled_from(["Fatou", "Inès, stagiaire, Les Tilleuls", "محمد (2)"]),
)  # fmt: skip


@given(bodies)
def test_a_body_reads_back_as_itself(agreed: GrantBody) -> None:
    written = agreed.to_bytes()
    assert GrantBody.from_bytes(written) == agreed
    assert GrantBody.from_value(json.loads(written)) == agreed
    assert canonical(json.loads(written)) == written


@given(bodies, st.data())
def test_a_changed_byte_is_malformed_or_another_body(agreed: GrantBody, data: st.DataObject) -> None:
    written = bytearray(agreed.to_bytes())
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    try:
        read = GrantBody.from_bytes(bytes(written))
    except Malformed:
        return
    assert read != agreed
    assert read.to_bytes() == bytes(written)
    assert read.digest() != agreed.digest()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", "2"), ("serial", "00"), ("serial", "-1"), ("serial", 0), ("serial", "10000"), ("serial", "١"), ("purpose", "attic"),
        ("own_words", "x"), ("acts", []), ("acts", ["take", "see"]), ("acts", ["see", "see"]), ("acts", ["read"]),
        ("acts", "see"),
        ("until", "2027-2-23"), ("until", "20270223"), ("until", "2027-02-30"), ("since", "2026-11-23T10:00:00+00:00"),
        ("since", "2026-11-23T10:00:01Z"), ("name_shown", ""), ("name_shown", "a\u2028b"), ("kem", "00"), ("sign", "zz"),
        ("witness", "x"), ("salt", "AA" * 32), ("salt", "00" * 31), ("person", "awa"), ("extra", "x"), ("scope", {"tag": "x"}),
    ],
)  # fmt: skip
def test_one_malformation_each(field: str, value: object) -> None:
    written = json.loads(body().to_bytes())
    written[field] = value
    with pytest.raises(Malformed):
        GrantBody.from_bytes(canonical(written))


def test_a_missing_field_is_malformed() -> None:
    whole = json.loads(body().to_bytes())
    for field in whole:
        with pytest.raises(Malformed):
            GrantBody.from_bytes(canonical({name: value for name, value in whole.items() if name != field}))


def test_the_salt_hides_what_is_guessable() -> None:
    first = body()
    assert replace(first, salt=bytes(32)).digest() != first.digest()


def test_public_keys_have_fixed_lengths() -> None:
    with pytest.raises(Malformed):
        PublicKeys(bytes(1215), bytes(1984))
    with pytest.raises(Malformed):
        PublicKeys(bytes(1216), bytes(1985))


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": b""}, {"serial": -1}, {"changed": NOW - timedelta(seconds=1)}, {"changed": NOW + timedelta(microseconds=1)},
        {"name_shown": "x" * 121}, {"grant": "x"}, {"terms": terms(acts=())},
    ],
)  # fmt: skip
def test_a_body_that_could_not_be_read_back_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        replace(body(), **changes)  # type: ignore[arg-type]  # wrong on purpose
