"""Receipts: what they say, who signed them, that one altered byte is found, and that the vocabulary's words exist."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.grant import GrantState, narrow, refuse
from consent.ids import KindId
from consent.purposes import PURPOSES, SHELVES, ShelfKind
from consent.receipt import (
    SignedReceipt,
    check_agrees,
    closed,
    digest,
    opened,
    remainder,
    sign_receipt,
    unshared,
    verify_receipt,
)  # fmt: skip
from consent.record import Change, Entity, Receipt
from consent.record_reading import receipt_from_bytes, receipt_from_value
from consent.scope import Act, PapersScope
from consent.terms import Method, Terms
from crypto.canonical import Value, canonical
from crypto.errors import BadSignature, Malformed
from crypto.signing import SIGNATURE_BYTES
from tests.consent.examples import (
    AFTER,
    AWA,
    DATA,
    FATOU,
    LATER,
    MARC,
    NOW,
    WORDS,
    YONAS,
    body,
    endings,
    frame,
    how,
    paper_id,
    record_id,
    row,
    shelf_scope,
    signer,
    terms,
)  # fmt: skip

HOUSING, HEALTH = ShelfKind("housing"), ShelfKind("health")
SERVICE, PERSON, WITNESS = signer("service").public, signer("awa").public, signer("marc").public


def given_receipt(chosen: Terms | None = None) -> Receipt:
    return opened(frame(), body(chosen=chosen), how(), DATA, WORDS)


def signed_receipt() -> SignedReceipt:
    return sign_receipt(given_receipt(), AWA, service=signer("service"), person=signer("awa"))


def test_the_record_says_everything_that_the_standard_asks() -> None:
    said = given_receipt(terms(acts=[Act.SEE, Act.TAKE])).to_value()
    assert said["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#record"
    assert said["dct:identifier"] == record_id(1)
    assert said["dct:created"] == "2026-11-23T10:00:00Z"
    assert said["dpv:hasNotice"] == {
        "@type": ["dpv:ConsentNotice", "dpv:OralNotice"], "dct:identifier": "K15/2026-11-01", "dct:language": "fr",
        "schema:sha256": "00" * 32,
    }  # fmt: skip
    assert said["dpv:hasProcess"] == {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose", "skos:broader": "dpv:RequestedServiceProvision", "dct:identifier": "home",
            "dct:description": "un logement",
        },
        "dpv:hasProcessing": ["dpv:Consult", "dpv:Copy"],
        "dpv:hasPersonalData": [{
            "@type": ["dpv:PersonalData"], "skos:broader": "pd:Domicile", "dct:identifier": "housing",
            "dct:type": ["rent-receipt", "tax-notice"],
        }],
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": {"@type": "dpv:UntilTimeDuration", "rdf:value": "2027-02-23"}},
            {"@type": "dpv:StorageDeletion", "dpv:hasDuration": "P30D"},
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": "loc:FR"},
        ],
    }  # fmt: skip
    assert said["dpv:hasLegalBasis"] == ["eu-gdpr:A6-1-a-explicit-consent"]
    controller, receiver = json.loads(canonical(said["dpv:hasEntity"]))
    assert (controller["dpv:hasName"], controller["@id"]) == ("Opérateur A", said["dpv:hasDataController"])
    assert (receiver["schema:roleName"], receiver["@id"]) == ("salaried", said["dpv:hasRecipient"])
    assert said["dpv:hasConsentControl"] == {
        "@type": ["dpv:ReaffirmConsent", "dpv:WithdrawConsent"], "dpv:isExercisedAt": "à toutes les bornes, avec la carte",
    }  # fmt: skip
    assert said["dpv:hasConsentStatus"] == {
        "@type": ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"], "dpv:isIndicatedAtTime": "2026-11-23T10:00:00Z",
        "dpv:hasDuration": {"@type": "dpv:UntilTimeDuration", "rdf:value": "2027-02-23"}, "dpv:isIndicatedBy": "dpv:DataSubject",
        "dpv:hasIndicationMethod": ["method:session", "shown:1", "kiosk:00000005-0000-4000-8000-000000000001"],
    }  # fmt: skip
    assert said["dpv:hasJurisdiction"] == "loc:FR"
    assert said["dct:provenance"] == "urn:uuid:00000009-0000-4000-8000-000000000001"


def test_no_title_no_paper_and_no_salt_is_in_a_record() -> None:
    agreed = body(chosen=terms(PapersScope((paper_id(1), paper_id(77)))))
    written = opened(frame(), agreed, how(), DATA, WORDS).to_bytes()
    for secret in (paper_id(1), paper_id(77), agreed.salt.hex(), AWA, "papers"):
        assert secret.encode() not in written
    with pytest.raises(Malformed):
        opened(frame(), agreed, how(), {HOUSING: [KindId("Avis d'impôt 2025 de Awa")]}, WORDS)


@pytest.mark.parametrize("drawer", [row for row in SHELVES if row.grantable])
@pytest.mark.parametrize("what_for", PURPOSES)
def test_special_categories_are_said(drawer: object, what_for: object) -> None:
    kind, purpose = drawer.kind, what_for.id  # type: ignore[attr-defined]  # rows of data
    own = "pour ma sœur" if purpose == "other" else ""
    made = opened(frame(), body(chosen=terms(purpose=purpose, own_words=own)), how(), {kind: []}, WORDS)
    special = kind in ("stay", "health") or purpose in ("health", "stay", "asylum", "pension-disability")
    assert ("eu-gdpr:A9-2-a" in str(made.to_value()["dpv:hasLegalBasis"])) is special
    assert made.processing is not None
    assert made.processing.words == (own or WORDS)
    assert ("pd:CriminalOffence" in made.to_bytes().decode()) is (kind == "justice")
    assert receipt_from_bytes(made.to_bytes()) == made


def test_the_private_drawer_is_in_no_record() -> None:
    with pytest.raises(Malformed):
        opened(frame(), body(), how(), {ShelfKind("private"): []}, WORDS)


# --- One record for each change ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "status", "by", "method"),
    [
        ("withdrawn", "dpv:ConsentWithdrawn", "dpv:DataSubject", Method.CARD),
        ("expired", "dpv:ConsentExpired", "urn:uuid:00000007-0000-4000-8000-000000000001", Method.SERVICE),
        ("ended", "dpv:ConsentRevoked", "urn:uuid:00000007-0000-4000-8000-000000000001", Method.SERVICE),
    ],
)
def test_each_ending_has_its_record(state: str, status: str, by: str, method: Method) -> None:
    closing = endings()[state]
    made = closed(frame(2, AFTER, record_id(1)), closing, how(method))
    event = json.loads(made.to_bytes())["dpv:hasConsentStatus"]
    assert (event["@type"][0], event["dpv:isIndicatedBy"]) == (status, by)
    assert event["dpv:hasDuration"] == {"@type": "dpv:NotApplicable"}
    assert made.to_value()["dct:replaces"] == f"urn:uuid:{record_id(1)}"
    assert made.processing is None
    assert receipt_from_bytes(made.to_bytes()) == made


def test_a_session_that_can_read_the_record_before_says_again_what_it_was_about() -> None:
    before = given_receipt()
    made = closed(frame(2, LATER, record_id(1)), endings()["withdrawn"], how(), before)
    assert (made.processing, made.agreed) == (before.processing, before.agreed)
    for wrong in (replace(before, grant=body(2).grant), replace(before, record=record_id(3))):
        with pytest.raises(Malformed):
            closed(frame(2, LATER, record_id(1)), endings()["withdrawn"], how(), wrong)


def test_an_ending_says_which_record_it_replaces() -> None:
    with pytest.raises(Malformed):
        closed(frame(2, LATER), endings()["withdrawn"], how())


def test_renewing_has_a_record_that_replaces_the_one_before() -> None:
    first = body()
    second = narrow(first.row(), first, first.terms, at=LATER, salt=bytes(32))
    made = opened(frame(2, LATER, record_id(1)), second, how(), DATA, WORDS)
    assert made.change.state is GrantState.RENEWED
    assert made.replaces == record_id(1)
    check_agrees(made, second)
    with pytest.raises(BadSignature):
        check_agrees(made, first)


def test_asking_and_refusing_have_records_that_tell_no_paper() -> None:
    asked = row(GrantState.REQUESTED, None)
    for state, status, by in (
        (asked, "dpv:ConsentRequested", f"urn:uuid:{FATOU}"), (refuse(asked), "dpv:ConsentRefused", "dpv:DataSubject"),
    ):  # fmt: skip
        made = unshared(frame(), state, how())
        event = json.loads(made.to_bytes())["dpv:hasConsentStatus"]
        assert (event["@type"][0], event["dpv:isIndicatedBy"]) == (status, by)
        assert receipt_from_bytes(made.to_bytes()) == made
    with pytest.raises(Malformed):
        unshared(frame(), row(GrantState.GIVEN), how())


def test_every_grant_has_its_receipt() -> None:
    check_agrees(given_receipt(), body())
    for other in (body(2), replace(body(), salt=bytes(32)), body(chosen=terms(purpose="work"))):
        with pytest.raises(BadSignature):
            check_agrees(given_receipt(), other)
    wrong = replace(given_receipt(), agreed=body(chosen=terms(purpose="work")).digest())
    with pytest.raises(BadSignature):
        check_agrees(wrong, body(chosen=terms(purpose="work")))


# --- Signatures ----------------------------------------------------------------------------------------------------------------


def test_a_receipt_is_verified_with_public_keys_alone() -> None:
    kept = SignedReceipt.from_bytes(signed_receipt().to_bytes())
    assert verify_receipt(kept, service=SERVICE, person=PERSON) == given_receipt()


def test_an_inclusion_proof_joins_later_without_breaking_the_signatures() -> None:
    later = replace(signed_receipt(), inclusion=b"proof")
    assert SignedReceipt.from_bytes(later.to_bytes()) == later
    assert verify_receipt(later, service=SERVICE, person=PERSON) == given_receipt()


@pytest.mark.parametrize(
    "change",
    [
        lambda signed: replace(signed, signatures=replace(signed.signatures, person=None)),
        lambda signed: replace(signed, signatures=replace(signed.signatures, service=signed.signatures.person)),
        lambda signed: replace(signed, signatures=replace(signed.signatures, person=signed.signatures.service)),
        lambda signed: replace(signed, signatures=replace(signed.signatures, witness=signed.signatures.person)),
        lambda signed: replace(signed, person=YONAS),
        lambda signed: replace(signed, receipt=replace(signed.receipt, record=record_id(9))),
        lambda signed: replace(signed, receipt=replace(signed.receipt, change_at="nulle part")),
    ],
)
def test_what_does_not_hold_is_refused(change: Callable[[SignedReceipt], SignedReceipt]) -> None:
    with pytest.raises(BadSignature):
        verify_receipt(change(signed_receipt()), service=SERVICE, person=PERSON)
    for wrong in ({"service": PERSON, "person": PERSON}, {"service": SERVICE, "person": WITNESS}):
        with pytest.raises(BadSignature):
            verify_receipt(signed_receipt(), **wrong)


def test_who_must_sign_depends_on_how_it_was_said() -> None:
    taken_back = closed(frame(2, LATER, record_id(1)), endings()["withdrawn"], how(Method.CARD))
    alone = sign_receipt(taken_back, AWA, service=signer("service"))
    assert verify_receipt(alone, service=SERVICE, person=PERSON) == taken_back
    assisted = opened(frame(), body(), how(Method.ASSISTED, witness=MARC, shown=2), DATA, WORDS)
    good = sign_receipt(assisted, AWA, service=signer("service"), witness=signer("marc"))
    assert verify_receipt(good, service=SERVICE, person=PERSON, witness=WITNESS) == assisted
    for key in (None, PERSON):
        with pytest.raises(BadSignature):
            verify_receipt(good, service=SERVICE, person=PERSON, witness=key)
    by_person = sign_receipt(assisted, AWA, service=signer("service"), person=signer("awa"))
    with pytest.raises(BadSignature):
        verify_receipt(by_person, service=SERVICE, person=PERSON, witness=WITNESS)


WRITTEN = signed_receipt().to_bytes()


@given(st.integers(0, len(WRITTEN) - 1), st.integers(1, 255))
def test_one_altered_byte_is_found(at: int, mask: int) -> None:
    altered = WRITTEN[:at] + bytes([WRITTEN[at] ^ mask]) + WRITTEN[at + 1 :]
    try:
        read = SignedReceipt.from_bytes(altered)
        verify_receipt(read, service=SERVICE, person=PERSON)
    except (Malformed, BadSignature):
        return
    raise AssertionError("an altered receipt was believed")


# --- Bytes ---------------------------------------------------------------------------------------------------------------------

kinds = st.sets(st.sampled_from(["tax-notice", "payslip", "rib", "rent-receipt"]).map(KindId), max_size=4)
data = st.dictionaries(st.sampled_from([row.kind for row in SHELVES if row.grantable]), kinds, min_size=1, max_size=9)
acts = st.sets(st.sampled_from(Act), min_size=1).map(lambda some: some | {Act.SEE} if Act.REPLACE in some else some)
receipts = st.builds(
    lambda purpose, acts, held, words, heard, shown, method, replaces, entry, country: opened(
        replace(frame(), replaces=replaces, entry=frame().entry if entry else None, stored_in=country),
        body(chosen=terms(shelf_scope(), acts, purpose=purpose)),
        how(method, heard=heard, shown=shown, interpreter=heard, witness=MARC if shown > 4 else None),
        held, words,
    ),
    st.sampled_from([row.id for row in PURPOSES if not row.own_words]), acts, data,
    st.sampled_from(["un logement", "سكن", "ቤት", "a home"]), st.booleans(), st.integers(1, 9), st.sampled_from(Method),
    st.none() | st.just(record_id(7)), st.booleans(), st.sampled_from(["FR", "DE"]),
)  # fmt: skip


@given(receipts)
def test_a_record_reads_back_as_itself(made: Receipt) -> None:
    assert receipt_from_bytes(made.to_bytes()) == made
    assert canonical(json.loads(made.to_bytes())) == made.to_bytes()


def leaves(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    else:
        yield path


def put(value: object, path: tuple[object, ...], new: object) -> object:
    copied = json.loads(json.dumps(value))
    inner = copied
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return copied


WHOLE = json.loads(given_receipt().to_bytes())


@pytest.mark.parametrize("path", list(leaves(WHOLE)), ids=lambda path: "/".join(map(str, path)))
@pytest.mark.parametrize("new", ["", "x", None, 1, [], {}, "a\nb"])
def test_nothing_unexpected_is_read_anywhere(path: tuple[object, ...], new: object) -> None:
    changed = put(WHOLE, path, new)
    try:
        read = receipt_from_value(changed)  # type: ignore[arg-type]  # JSON
    except Malformed:
        return
    assert json.loads(read.to_bytes()) == changed
    assert digest(read) != digest(given_receipt())


def test_missing_and_unknown_fields_are_malformed() -> None:
    for name in WHOLE:
        if name in ("dct:source", "dct:provenance"):
            continue
        with pytest.raises(Malformed):
            receipt_from_value({key: value for key, value in WHOLE.items() if key != name})
    with pytest.raises(Malformed):
        receipt_from_value(WHOLE | {"dct:title": "x"})
    nothing: list[Value] = [None, [], "x", {}]
    for untrusted in nothing:
        with pytest.raises(Malformed):
            receipt_from_value(untrusted)


@pytest.mark.parametrize("field", ["v", "receipt", "person", "inclusion", "signatures"])
@pytest.mark.parametrize("new", ["", "2", "zz", "AA", None, 3, "00" * 70_000])
def test_a_signed_receipt_is_read_strictly(field: str, new: object) -> None:
    whole = json.loads(WRITTEN)
    if (field, new) == ("inclusion", ""):
        return
    whole[field] = new
    with pytest.raises(Malformed):
        SignedReceipt.from_bytes(canonical(whole))
    assert len(signed_receipt().signatures.to_bytes()) == 2 + 2 * SIGNATURE_BYTES


@pytest.mark.parametrize(
    "changes",
    [
        {"created": NOW - timedelta(seconds=1)}, {"created": NOW + timedelta(microseconds=1)}, {"replaces": record_id(1)},
        {"subject": "Awa"}, {"change_at": ""}, {"agreed": b"x"}, {"processing": None},
        {"recipient": replace(frame().recipient, role="")}, {"controller": replace(frame().controller, role="salaried")},
    ],
)  # fmt: skip
def test_a_record_that_does_not_hold_together_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        replace(given_receipt(), **changes)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "build",
    [
        lambda: Entity("", frame().subject, "", "x"),
        lambda: Entity("x", "x", "", "x"),
        lambda: Entity("x", frame().subject, "Chef", "x"),
        lambda: replace(given_receipt().notice, sha256=b""),
        lambda: replace(given_receipt().processing, acts=frozenset()),  # type: ignore[type-var]  # it has one
        lambda: replace(given_receipt().processing, stored_in="fr"),  # type: ignore[type-var]  # it has one
        lambda: replace(given_receipt().processing, categories=()),  # type: ignore[type-var]  # it has one
        lambda: Change(GrantState.GIVEN, NOW, None, Method.SESSION, None, False, None, 10),
    ],
)
def test_parts_that_could_not_be_read_back_are_refused(build: Callable[[], object]) -> None:
    with pytest.raises(Malformed):
        build()


def test_a_special_category_cannot_be_hidden() -> None:
    made = opened(frame(), body(), how(), {HEALTH: []}, WORDS)
    assert made.processing is not None
    with pytest.raises(Malformed):
        replace(made.processing, special=False)


def test_what_outlives_erasure_says_neither_who_nor_what() -> None:
    left = remainder(given_receipt())
    assert (left.record, left.day, left.drawers, left.kinds) == (record_id(1), date(2026, 11, 23), 1, 2)
    assert left.sha256 == digest(given_receipt())
    bare = remainder(closed(frame(2, LATER, record_id(1)), endings()["withdrawn"], how()))
    assert (bare.drawers, bare.kinds) == (0, 0)
