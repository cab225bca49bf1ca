"""Signatures: who must sign what, and that nothing else can make a verified grant."""

import copy
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import verified
from consent.errors import TransitionRefused
from consent.grant import GrantBody, GrantState, end, expire, narrow, withdraw
from consent.scope import Act, PapersScope
from consent.terms import Method, Terms
from consent.verified import (
    Signatures,
    VerifiedGrant,
    closing_statement,
    sign_closing,
    sign_grant,
    statement,
    verify_closing,
    verify_grant,
)  # fmt: skip
from crypto.errors import BadSignature, Malformed
from crypto.signing import SIGNATURE_BYTES
from tests.consent.examples import (
    FATOU,
    MARC,
    NOW,
    SALT,
    body,
    how,
    paper_id,
    person_keys,
    proven,
    recipient,
    row,
    shelf_scope,
    signed,
    signer,
    terms,
)  # fmt: skip

SERVICE, AWA_KEY, MARC_KEY = signer("service").public, signer("awa").public, signer("marc").public
ROOT = Path(__file__).parents[2]


def verify_with(**changes: object) -> VerifiedGrant:
    given_one = signed()
    named: dict[str, object] = {
        "row": given_one.row, "untrusted_body": given_one.body.to_bytes(), "signatures": given_one.signatures,
        "service": SERVICE, "person": AWA_KEY,
    }  # fmt: skip
    return verify_grant(**(named | changes))  # type: ignore[arg-type]  # a test's shorthand


def test_what_both_signed_is_verified() -> None:
    grant = verify_with()
    assert (grant.row, grant.body) == (signed().row, signed().body)


def flipped(signature: bytes, at: int) -> bytes:
    return signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]


@pytest.mark.parametrize("who", ["service", "person"])
@pytest.mark.parametrize("at", [0, 63, 64, SIGNATURE_BYTES - 1])
def test_each_half_of_each_signature_counts(who: str, at: int) -> None:
    good = signed().signatures
    bad = replace(good, **{who: flipped(getattr(good, who), at)})
    with pytest.raises(BadSignature):
        verify_with(signatures=bad)


@pytest.mark.parametrize(
    "changes",
    [
        {"signatures": replace(signed().signatures, person=None)},
        {"signatures": Signatures(signed().signatures.person or b"", signed().signatures.service)},  # exchanged
        {"signatures": replace(signed().signatures, witness=signed().signatures.person)},
        {"signatures": replace(signed().signatures, person=None, witness=signed().signatures.person), "witness": AWA_KEY},
        {"service": AWA_KEY},
        {"person": MARC_KEY},
        {"person": SERVICE},
        {"row": replace(signed().row, until=date(2027, 11, 23))},
        {"row": replace(signed().row, until=None)},
        {"row": replace(signed().row, worker=MARC)},
        {"row": replace(signed().row, grant=body(2).grant)},
        {"row": replace(signed().row, state=GrantState.RENEWED)},
        {"row": replace(signed().row, state=GrantState.REQUESTED)},
        {"row": replace(signed().row, state=GrantState.REFUSED)},
        {"untrusted_body": replace(signed().body, salt=bytes(32)).to_bytes()},
        {"untrusted_body": replace(signed().body, name_shown="Paul").to_bytes()},
    ],
)
def test_anything_that_does_not_hold_together_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadSignature):
        verify_with(**changes)


def test_bytes_that_are_no_body_are_malformed() -> None:
    for untrusted in (b"", b"{}", signed().body.to_bytes() + b" "):
        with pytest.raises(Malformed):
            verify_with(untrusted_body=untrusted)


@pytest.mark.parametrize("state", [GrantState.WITHDRAWN, GrantState.EXPIRED, GrantState.ENDED])
def test_closing_is_always_believed(state: GrantState) -> None:
    assert verify_with(row=replace(signed().row, state=state)).row.state is state


def test_an_older_signature_does_not_serve_a_renewed_grant() -> None:
    first = signed()
    second = narrow(first.row, first.body, first.body.terms, at=NOW, salt=SALT)
    with pytest.raises(BadSignature):
        verify_with(row=second.row(), untrusted_body=second.to_bytes())
    again = sign_grant(second, service=signer("service"), person=signer("awa"))
    assert verify_with(row=second.row(), untrusted_body=second.to_bytes(), signatures=again).body.serial == 1
    with pytest.raises(BadSignature):  # and the renewed row does not take the old body back
        verify_with(row=second.row())


def test_the_key_that_is_pinned_is_the_one_that_the_service_vouches_for() -> None:
    agreed = replace(body(), person_keys=person_keys("somebody"))
    by_awa = sign_grant(agreed, service=signer("service"), person=signer("awa"))
    with pytest.raises(BadSignature):
        verify_with(untrusted_body=agreed.to_bytes(), signatures=by_awa)


def witnessed() -> GrantBody:
    return replace(body(chosen=terms(until=date(2026, 12, 23))), witness=MARC)


def test_after_an_assisted_opening_the_witness_signs() -> None:
    agreed = witnessed()
    by = how(Method.ASSISTED, witness=MARC, shown=2)
    assert (by.witness, recipient().worker) == (MARC, FATOU)
    good = sign_grant(agreed, service=signer("service"), witness=signer("marc"))
    named = {"row": agreed.row(), "untrusted_body": agreed.to_bytes(), "signatures": good}
    assert verify_with(**named, witness=MARC_KEY).body.witness == MARC
    for changes in (
        {},  # nobody's key to check the witness with
        {"witness": AWA_KEY},
        {"witness": MARC_KEY, "signatures": sign_grant(agreed, service=signer("service"), person=signer("awa"))},
        {"witness": MARC_KEY, "signatures": sign_grant(agreed, service=signer("service"))},
        {"witness": MARC_KEY, "person": SERVICE},  # not the key that is pinned, though nobody signed with it
    ):
        with pytest.raises(BadSignature):
            verify_with(**(named | changes))


@pytest.mark.parametrize(
    "chosen",
    [
        terms(until=date(2026, 12, 24)),  # a month and a day
        terms(until=date(2026, 12, 23), acts=frozenset({Act.SEE, Act.TAKE})),
        terms(until=date(2026, 12, 23), acts=frozenset({Act.TAKE})),
        terms(PapersScope((paper_id(1), paper_id(2))), until=date(2026, 12, 23)),
        terms(shelf_scope(), until=date(2026, 12, 23)),
    ],
)
def test_a_witness_stands_for_no_more_than_one_paper_to_look_at_for_a_month(chosen: Terms) -> None:
    """Both signatures hold, and the body says more: it was agreed by nobody. With the person's own signature it may say it."""
    alone = body(chosen=chosen)
    more = replace(alone, witness=MARC)
    for agreed, person, witness in ((alone, signer("awa"), None), (more, None, signer("marc"))):
        signatures = sign_grant(agreed, service=signer("service"), person=person, witness=witness)
        named = {"row": agreed.row(), "untrusted_body": agreed.to_bytes(), "signatures": signatures, "witness": MARC_KEY}
        if witness is None:
            assert verify_with(**named).body == alone
        else:
            with pytest.raises(BadSignature):
                verify_with(**named)


def test_nobody_is_the_witness_of_what_they_will_see() -> None:
    agreed = replace(witnessed(), witness=FATOU)
    signatures = sign_grant(agreed, service=signer("service"), witness=signer("fatou"))
    with pytest.raises(BadSignature):
        verify_with(
            row=agreed.row(), untrusted_body=agreed.to_bytes(), signatures=signatures, witness=signer("fatou").public
        )  # fmt: skip


# --- Endings -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason"),
    [(GrantState.WITHDRAWN, "withdrawn"), (GrantState.EXPIRED, "expired"), (GrantState.ENDED, "departed")],
)
def test_an_ending_is_signed_for_what_it_is(state: GrantState, reason: str) -> None:
    before = row(GrantState.GIVEN, date(2026, 11, 20))
    close: dict[GrantState, Callable[..., object]] = {
        GrantState.WITHDRAWN: withdraw, GrantState.EXPIRED: expire, GrantState.ENDED: end,
    }  # fmt: skip
    closing = close[state](before, NOW)
    said = closing_statement(closing)  # type: ignore[arg-type]  # all three give a Closing
    assert (said.reason, said.time, said.grant) == (reason, "2026-11-23T10:00:00Z", before.grant)


def test_the_card_alone_takes_back_with_the_service_and_the_session_signs_too() -> None:
    closing = withdraw(row(GrantState.GIVEN), NOW)
    alone = sign_closing(closing, service=signer("service"))
    both = sign_closing(closing, service=signer("service"), person=signer("awa"))
    for good in (alone, both):
        verify_closing(closing, good, service=SERVICE, person=AWA_KEY)
    for bad in (
        replace(both, person=flipped(both.person or b"", 100)), replace(alone, service=flipped(alone.service, 7)),
        replace(alone, witness=both.person),
    ):  # fmt: skip
        with pytest.raises(BadSignature):
            verify_closing(closing, bad, service=SERVICE, person=AWA_KEY)
    with pytest.raises(BadSignature):
        verify_closing(end(row(GrantState.GIVEN), NOW), alone, service=SERVICE, person=AWA_KEY)


def test_a_grant_that_lives_has_no_ending_to_sign() -> None:
    closing = replace(withdraw(row(GrantState.GIVEN), NOW), row=row(GrantState.GIVEN))
    with pytest.raises(TransitionRefused):
        closing_statement(closing)


# --- The bytes of signatures ---------------------------------------------------------------------------------------------------

one = st.integers(0, 255).map(lambda byte: bytes([byte]) * SIGNATURE_BYTES)


@given(st.builds(Signatures, one, st.none() | one, st.none() | one))
def test_signatures_read_back_as_themselves(signatures: Signatures) -> None:
    written = signatures.to_bytes()
    assert Signatures.from_bytes(written) == signatures
    for wrong in (written[:-1], written + b"\0", b"\x02" + written[1:], written[:1] + b"\x04" + written[2:]):
        with pytest.raises(Malformed):
            Signatures.from_bytes(wrong)


@given(st.binary(max_size=40))
def test_anything_else_is_malformed(untrusted: bytes) -> None:
    with pytest.raises(Malformed):
        Signatures.from_bytes(untrusted)


def test_a_signature_of_another_length_is_malformed() -> None:
    with pytest.raises(Malformed):
        Signatures(bytes(SIGNATURE_BYTES - 1))


# --- Nobody else ---------------------------------------------------------------------------------------------------------------


def test_nobody_else_makes_a_verified_grant() -> None:
    agreed = body()
    good = proven(agreed)
    attempts: list[Callable[[], object]] = [
        lambda: VerifiedGrant(agreed.row(), agreed, object()),
        lambda: VerifiedGrant(agreed.row(), agreed, None),
        lambda: copy.copy(good),
        lambda: copy.deepcopy(good),
        lambda: pickle.loads(pickle.dumps(good)),  # noqa: S301 - our own bytes; the point is that it fails
    ]
    for attempt in attempts:
        with pytest.raises(TypeError):
            attempt()
    with pytest.raises((TypeError, ValueError)):
        replace(good, row=replace(agreed.row(), state=GrantState.RENEWED))  # type: ignore[call-arg]  # the point of the test
    with pytest.raises(AttributeError):
        good.body = body(2)  # type: ignore[misc]  # frozen: the point of the test


def test_no_program_but_the_verifier_names_the_proof() -> None:
    names = re.compile(r"\b_PROOF\b|\bVerifiedGrant\(")
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("consent", "crypto", "storage", "vault")
        for path in (ROOT / folder).rglob("*.py")
        if names.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"consent/verified.py"}


def test_a_verified_grant_does_not_say_what_for() -> None:
    shown = repr(proven(body(chosen=terms(purpose="asylum"))))
    assert "asylum" not in shown
    assert paper_id(1) not in shown
    assert verified.statement is statement
