"""Signatures that need both halves, and statements that have one form."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import keys, signing, statements
from crypto.canonical import canonical, context, fields_of
from crypto.errors import BadSignature, Malformed
from crypto.statements import Origin, Statement, TheftConfirmed
from tests.crypto.places import CIRCLE, OTHER, PERSON, RECOVERY
from tests.vectors.of_papers import all_statements

SEED = keys.SignSeed(bytes([5]) * 32)
SIGNER = signing.Signer(SEED)
SAID = TheftConfirmed(RECOVERY, PERSON, CIRCLE, 0)
SIGNATURE = SIGNER.sign(SAID)
EVERY = {type(statement).__name__: statement for statement in all_statements()}
every_statement = pytest.mark.parametrize("statement", EVERY.values(), ids=EVERY)


def test_a_signature_holds() -> None:
    assert len(SIGNATURE) == signing.SIGNATURE_BYTES == 3373
    assert len(SIGNER.public) == signing.PUBLIC_BYTES == 1984
    signing.verify(SIGNER.public, SAID, SIGNATURE)
    signing.verify(signing.sign_public(SEED), SAID, signing.sign(SEED, SAID))
    signing.verify(signing.sign_public_from(bytes(SIGNER.public)), SAID, SIGNATURE)


@given(st.integers(0, signing.SIGNATURE_BYTES - 1), st.integers(0, 7))
def test_every_bit_of_a_signature_counts(place: int, bit: int) -> None:
    forged = bytearray(SIGNATURE)
    forged[place] ^= 1 << bit
    with pytest.raises(BadSignature) as refusal:
        signing.verify(SIGNER.public, SAID, bytes(forged))
    assert str(refusal.value) == "this signature does not hold"


def test_both_halves_are_needed() -> None:
    other = signing.Signer(keys.SignSeed.random())
    theirs = other.sign(SAID)
    for mixed in (SIGNATURE[:64] + theirs[64:], theirs[:64] + SIGNATURE[64:], theirs, b"", SIGNATURE[:64], SIGNATURE + b"\0"):
        with pytest.raises(BadSignature):
            signing.verify(SIGNER.public, SAID, mixed)
    half = signing.SignPublic(SIGNER.public[:32] + other.public[32:])
    for signature in (SIGNATURE, theirs):
        with pytest.raises(BadSignature):
            signing.verify(half, SAID, signature)


def test_another_statement_is_not_signed() -> None:
    for other in (TheftConfirmed(OTHER, PERSON, CIRCLE, 0), TheftConfirmed(RECOVERY, PERSON, CIRCLE, 1)):
        with pytest.raises(BadSignature):
            signing.verify(SIGNER.public, other, SIGNATURE)


def test_the_same_fields_under_another_label_are_another_statement() -> None:
    @dataclasses.dataclass(frozen=True)
    class Look(TheftConfirmed):
        LABEL = "sign/look"

    with pytest.raises(BadSignature):
        signing.verify(SIGNER.public, Look(RECOVERY, PERSON, CIRCLE, 0), SIGNATURE)


@pytest.mark.parametrize("wrong", [b"", bytes(signing.PUBLIC_BYTES - 1), bytes(signing.PUBLIC_BYTES + 1)])
def test_what_is_no_signature_key_is_refused(wrong: bytes) -> None:
    with pytest.raises(Malformed):
        signing.sign_public_from(wrong)


@every_statement
def test_a_statement_reads_back(statement: Statement) -> None:
    assert type(statement).parse(statement.encode()) == statement
    assert len(statement.digest()) == 32


def test_every_statement_has_a_label_of_its_own() -> None:
    kinds = Statement.__subclasses__()
    labels = [kind.LABEL for kind in kinds if kind.__module__ == statements.__name__]
    assert len(labels) == len(set(labels)) == len(EVERY)
    assert all(label.startswith("sign/") for label in labels)


@every_statement
def test_no_statement_reads_as_another(statement: Statement) -> None:
    for other in EVERY.values():
        if other is not statement:
            with pytest.raises(Malformed):
                type(other).parse(statement.encode())


@every_statement
def test_a_statement_has_exactly_its_fields(statement: Statement) -> None:
    kind, fields = type(statement), _fields(statement)
    for name in fields:
        rest = {key: value for key, value in fields.items() if key != name}
        for wrong in (rest, {**rest, name.upper(): fields[name]}):
            with pytest.raises(Malformed):
                kind.parse(context(kind.LABEL, wrong))
    with pytest.raises(Malformed):
        kind.parse(context(kind.LABEL, {**fields, "more": ""}))


@every_statement
@given(data=st.data())
def test_every_value_has_its_form(statement: Statement, data: st.DataObject) -> None:
    kind, fields = type(statement), _fields(statement)
    name = data.draw(st.sampled_from(sorted(fields)))
    value: Any = data.draw(
        st.none()
        | st.integers(0, 9)
        | st.text(max_size=40)
        | st.lists(st.text(max_size=3), max_size=2)
        | st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=1)
    )
    try:
        written = context(kind.LABEL, {**fields, name: value})
        again = kind.parse(written)
    except Malformed:
        return
    assert again.encode() == written


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("paper", PERSON.upper().replace("0", "A")),
        ("previous", "nothing"),
        ("time", "2026-11-23"),
        ("time", "2026-11-23T10:00:00+00:00"),
        ("commitment", "A" * 64),
        ("commitment", "0" * 62),
        ("commitment", ""),
        ("view", "00"),
        ("ciphertext", " " * 64),
    ],
)
def test_an_origin_is_strict(field: str, value: str) -> None:
    origin = next(statement for statement in EVERY.values() if isinstance(statement, Origin))
    with pytest.raises(Malformed):
        Origin.parse(context(Origin.LABEL, {**_fields(origin), field: value}))


def test_a_value_of_another_form_is_not_written() -> None:
    for wrong in (
        TheftConfirmed("me", PERSON, CIRCLE, 0),
        TheftConfirmed(RECOVERY, PERSON, CIRCLE, -1),
        dataclasses.replace(_withdrawal(), reason="tired"),
        dataclasses.replace(_withdrawal(), grant=""),
    ):
        with pytest.raises((ValueError, Malformed)):
            wrong.encode()


def _withdrawal() -> statements.Withdrawal:
    return next(statement for statement in EVERY.values() if isinstance(statement, statements.Withdrawal))


def _fields(statement: Statement) -> dict[str, Any]:
    """The fields as they are written."""
    fields = fields_of(statement.LABEL, statement.encode())
    assert canonical(fields) == statement.encode().partition(b"\0")[2]
    return fields
