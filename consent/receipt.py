"""The receipt: one signed record for each change of state, kept for the person, verifiable without us.

It shows that a session opened with the person's secret agreed, or (with the card alone) that somebody who held the card took
something back. After erasure only a remainder stays: number, day, counts and hash (GDPR 17(3)(e)), five years.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from consent.days import paris_day, whole_second
from consent.fields import any_octets, shape
from consent.grant import OPEN_STATES, Closing, GrantBody, GrantRow, GrantState
from consent.ids import EntryId, KindId, PersonId, RecordId, checked_id
from consent.purposes import SPECIAL, ShelfKind, purpose, sensitivities, shelf
from consent.record import Category, Change, Entity, Notice, Processing, Receipt
from consent.record_reading import receipt_from_value
from consent.terms import GivenHow, Method
from consent.verified import Signatures
from crypto.canonical import Value, canonical, parse
from crypto.errors import BadSignature, Malformed
from crypto.inclusion import LONGEST, InclusionProof
from crypto.signing import SIGNATURE_BYTES, Signer, SignPublic, Verifier, verify
from crypto.statements import ReceiptSealed


@dataclass(frozen=True, slots=True)
class Frame:
    """What every record of one change has: its number, the pseudonym, who is responsible, who receives, where to change it, its
    trace entry, the record before, and when it is written."""

    record: RecordId
    subject: str
    controller: Entity
    recipient: Entity
    change_at: str
    at: datetime
    entry: EntryId | None = None
    replaces: RecordId | None = None
    stored_in: str = "FR"


Data = Mapping[ShelfKind, Iterable[KindId]]


def opened(frame: Frame, body: GrantBody, how: GivenHow, data: Data, words: str) -> Receipt:
    """The record of a grant given or renewed. `data`: kinds of papers by drawer; `words`: the purpose as it was shown, in the
    person's language (their own words when they chose them)."""
    terms = body.terms
    if purpose(terms.purpose).own_words:
        words = terms.own_words
    drawers = tuple(sorted(data))
    processing = Processing(
        purpose=terms.purpose, words=words, acts=terms.acts, until=terms.until, stored_in=frame.stored_in,
        categories=tuple(Category(kind, tuple(sorted(set(data[kind]))), shelf(kind).sensitivity) for kind in drawers),
        special=bool(sensitivities(drawers, terms.purpose) & SPECIAL),
    )  # fmt: skip
    return _receipt(frame, body.row(), body.changed, how, processing, body.digest())


def closed(frame: Frame, closing: Closing, how: GivenHow, before: Receipt | None = None) -> Receipt:
    """The record of an ending. `before`, when the person's session can read it, says again what it was about."""
    if before is not None and (before.grant != closing.row.grant or before.record != frame.replaces):
        raise Malformed("the record before is of the same grant, and the one that is replaced")
    processing = before.processing if before else None
    return _receipt(frame, closing.row, closing.at, how, processing, before.agreed if before else None)


def unshared(frame: Frame, row: GrantRow, how: GivenHow) -> Receipt:
    """The record of something asked, or of a refusal: nothing was agreed and no paper is told."""
    if row.state not in (GrantState.REQUESTED, GrantState.REFUSED):
        raise Malformed("this record is of a request or of a refusal")
    return _receipt(frame, row, whole_second(frame.at), how, None, None)


def _receipt(
    frame: Frame, row: GrantRow, at: datetime, how: GivenHow, processing: Processing | None, agreed: bytes | None
) -> Receipt:
    return Receipt(
        record=frame.record, grant=row.grant, subject=frame.subject, created=whole_second(frame.at), replaces=frame.replaces,
        notice=Notice(how.text_version, how.text_sha256, how.language, how.heard), processing=processing,
        controller=frame.controller, recipient=frame.recipient, change_at=frame.change_at, agreed=agreed, entry=frame.entry,
        change=Change(
            state=row.state, at=at, until=row.until if row.state in OPEN_STATES else None, method=how.method, kiosk=how.kiosk,
            interpreter=how.interpreter, witness=how.witness, shown=how.shown,
        ),
    )  # fmt: skip


_SIGNED = ("v", "receipt", "person", "inclusion", "signatures")


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A record with its signatures and, once its trace entry is numbered, the proof that the trace holds it.

    The proof (`crypto.inclusion`, its text in UTF-8) is not under the signatures: it comes later and proves itself.
    """

    receipt: Receipt
    person: PersonId
    signatures: Signatures
    inclusion: bytes = b""

    def to_value(self) -> dict[str, Value]:
        """As JSON values."""
        return {
            "v": "1", "receipt": self.receipt.to_value(), "person": self.person, "inclusion": self.inclusion.hex(),
            "signatures": self.signatures.to_bytes().hex(),
        }  # fmt: skip

    def to_bytes(self) -> bytes:
        """The canonical bytes (RFC 8785): what is sealed for the person, exported, verified elsewhere."""
        return canonical(self.to_value())

    @classmethod
    def from_value(cls, untrusted: Value) -> "SignedReceipt":
        """Read one; raises Malformed for anything that this program would not have written. Nothing is verified yet."""
        fields = shape(untrusted, _SIGNED)
        if fields["v"] != "1":
            raise Malformed("another version of a signed receipt")
        return cls(
            receipt=receipt_from_value(fields["receipt"]),
            person=PersonId(checked_id(fields["person"])),
            signatures=Signatures.from_bytes(any_octets(fields, "signatures", 2 + 3 * SIGNATURE_BYTES)),
            inclusion=any_octets(fields, "inclusion", LONGEST),
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "SignedReceipt":
        """Read canonical bytes; raises Malformed unless they encode back to themselves. Nothing is verified yet."""
        return cls.from_value(parse(untrusted))


def sealed_statement(receipt: Receipt, person: PersonId) -> ReceiptSealed:
    """What is signed: the record's number, its grant, the person, and the digest of the canonical record."""
    return ReceiptSealed(record=receipt.record, person=person, grant=receipt.grant, receipt=digest(receipt))


def digest(receipt: Receipt) -> bytes:
    """SHA-256 of the canonical record: also what outlives erasure."""
    return sha256(receipt.to_bytes()).digest()


def sign_receipt(
    receipt: Receipt, grantor: PersonId, *, service: Signer, person: Signer | None = None, witness: Signer | None = None
) -> SignedReceipt:  # fmt: skip
    """Sign a record: by the service always, by the person's session when it is open, by the witness of an assisted opening."""
    said = sealed_statement(receipt, grantor)
    return SignedReceipt(receipt, grantor, Signatures(
        service.sign(said), person.sign(said) if person else None, witness.sign(said) if witness else None,
    ))  # fmt: skip


def verify_receipt(
    signed: SignedReceipt, *, service: Verifier, person: Verifier, witness: SignPublic | None = None
) -> Receipt:  # fmt: skip
    """The record, once everybody who had to sign it did; raises BadSignature.

    What was given or renewed needs the person (or the witness, after an assisted opening); any signature that stands there must
    hold. Needs nothing but public keys: no network, no database, no clock.
    """
    said = sealed_statement(signed.receipt, signed.person)
    change, signatures = signed.receipt.change, signed.signatures
    if change.state in OPEN_STATES:
        agreed = signatures.witness if change.method is Method.ASSISTED else signatures.person
        if agreed is None:
            raise BadSignature
    verify(service, said, signatures.service)
    for key, signature in ((person, signatures.person), (witness, signatures.witness)):
        if signature is not None:
            if key is None:
                raise BadSignature
            verify(key, said, signature)
    return signed.receipt


def proof_of(signed: SignedReceipt) -> InclusionProof | None:
    """The proof that the trace holds this record's entry, not verified yet; None when it carries none. Malformed, and BadSignature
    for the proof of another entry."""
    if not signed.inclusion:
        return None
    try:
        proof = InclusionProof.of_text(signed.inclusion.decode())
    except UnicodeDecodeError:
        raise Malformed("a proof is a text") from None
    if proof.entry != signed.receipt.entry:
        raise BadSignature
    return proof


def check_agrees(receipt: Receipt, body: GrantBody) -> None:
    """Raise BadSignature unless this record is of exactly this body: every grant has its receipt."""
    processing = receipt.processing
    if receipt.grant != body.grant or receipt.agreed != body.digest() or processing is None:
        raise BadSignature
    terms = body.terms
    if (processing.purpose, processing.acts, processing.until) != (terms.purpose, terms.acts, terms.until):
        raise BadSignature


@dataclass(frozen=True, slots=True)
class Remainder:
    """What stays of a receipt for five years after erasure: nothing that says who or what."""

    record: RecordId
    day: date
    drawers: int
    kinds: int
    sha256: bytes


def remainder(receipt: Receipt) -> Remainder:
    """Number, day, counts and hash of a record."""
    categories = receipt.processing.categories if receipt.processing else ()
    return Remainder(
        receipt.record, paris_day(receipt.created), len(categories), sum(len(one.kinds) for one in categories), digest(receipt)
    )
