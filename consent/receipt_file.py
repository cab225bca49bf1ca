"""Receipts as a person carries them away: one file that verifies anywhere with public keys and nothing else.

It holds one or several signed records, each with the proof that the trace holds its entry, and, so that no other key is needed, the
service's own statement of which key is the person's, those of the keys that followed, and the certificates of witnesses. Canonical JSON
(RFC 8785): what parses encodes back to the same bytes, so that one altered byte is either another file, refused, or another statement,
which nobody signed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from consent.fields import any_octets, octets, shape
from consent.receipt import SignedReceipt, proof_of, verify_receipt
from consent.record import Receipt
from crypto import inclusion, person_keys
from crypto.canonical import Value, canonical, parse
from crypto.checkpoint import Checkpoint, LogKeys
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.notes import Note
from crypto.signing import SIGNATURE_BYTES, SignPublic, Verifier, sign_public_from, verify
from crypto.statements import Certificate

WHAT = "abri/receipts"
MOST = 1000  # records in one file
MOST_WITNESSES, MOST_SIGNATURES, SIGNED_BY, MOST_EARLIER = 100, 8, 2, 1000
LOG_SIGNS = 2  # Ed25519 and ML-DSA-44
LONGEST = 40 << 20
_LONGEST_STATEMENT = 8192
NOT_OURS = "this is not a file of receipts as Abri writes it: something was added, removed or changed"


class NotVerified(Exception):
    """Why a file proves nothing. The words are for whoever holds it."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The public keys that a file is judged by: the service's, its trace's, and the administrators' root keys by their ids.

    `earlier`: those of the trace before the service's keys turned; `service` is then a ring.
    """

    service: Verifier
    trace: LogKeys
    roots: Mapping[str, SignPublic] = field(default_factory=dict)
    earlier: tuple[LogKeys, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A record whose signatures hold. `number` is its entry's place in the trace and `head` the signed head that holds it; both None when
    the file carries no proof of it."""

    receipt: Receipt
    number: int | None = None
    head: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class WitnessCertificate:
    """The certificate of a worker who signed in the person's place, with the signatures of those who certified them (id, signature)."""

    certificate: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def to_value(self) -> Value:
        """As JSON values."""
        signed: list[Value] = [{"by": by, "signature": signature.hex()} for by, signature in self.signatures]
        return {"certificate": self.certificate.hex(), "signatures": signed}

    @classmethod
    def from_value(cls, untrusted: Value) -> "WitnessCertificate":
        """Read one; raises Malformed. Nothing is verified yet."""
        fields = shape(untrusted, ("certificate", "signatures"))
        signed = fields["signatures"]
        if not isinstance(signed, list) or not 1 <= len(signed) <= MOST_SIGNATURES:
            raise Malformed("a certificate has a few signatures")
        found = []
        for one in signed:
            told = shape(one, ("by", "signature"))
            if not isinstance(told["by"], str):
                raise Malformed("a signature is somebody's")
            found.append((told["by"], octets(told, "signature", SIGNATURE_BYTES)))
        return cls(any_octets(fields, "certificate", _LONGEST_STATEMENT), tuple(found))


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """Signed records of one person, oldest first, with the statements of the person's keys (the service vouches for the first, each
    signs the next), and the certificates of whoever stood as witness."""

    keys_statement: bytes
    keys_signature: bytes
    receipts: tuple[SignedReceipt, ...]
    witnesses: tuple[WitnessCertificate, ...] = ()
    earlier: tuple[tuple[bytes, bytes], ...] = ()  # statement and signature of each pair of keys before, the first one first

    def __post_init__(self) -> None:
        """Refuse a file about nothing, or about too much."""
        if not 1 <= len(self.receipts) <= MOST or len(self.witnesses) > MOST_WITNESSES or len(self.earlier) > MOST_EARLIER:
            raise Malformed(f"a file holds 1 to {MOST} receipts")

    def to_bytes(self) -> bytes:
        """The canonical bytes."""
        return canonical({
            "v": "1", "what": WHAT,
            "keys": {
                "statement": self.keys_statement.hex(), "signature": self.keys_signature.hex(),
                "earlier": [{"statement": said.hex(), "signature": signature.hex()} for said, signature in self.earlier],
            },
            "receipts": [one.to_value() for one in self.receipts], "witnesses": [one.to_value() for one in self.witnesses],
        })  # fmt: skip

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "ReceiptFile":
        """Read canonical bytes; raises Malformed for any others. Nothing is verified yet."""
        if len(untrusted) > LONGEST:
            raise Malformed("a file of receipts is not so long")
        fields = shape(parse(untrusted), ("v", "what", "keys", "receipts", "witnesses"))
        receipts, witnesses = fields["receipts"], fields["witnesses"]
        if (fields["v"], fields["what"]) != ("1", WHAT) or not isinstance(receipts, list) or not isinstance(witnesses, list):
            raise Malformed("this is not a file of receipts")
        keys = shape(fields["keys"], ("statement", "signature", "earlier"))
        if not isinstance(keys["earlier"], list):
            raise Malformed("earlier keys are a list")
        earlier = tuple(_keys(shape(one, ("statement", "signature"))) for one in keys["earlier"])
        return cls(
            *_keys(keys), tuple(SignedReceipt.from_value(one) for one in receipts),
            tuple(WitnessCertificate.from_value(one) for one in witnesses), earlier,
        )  # fmt: skip


def _keys(fields: Mapping[str, Value]) -> tuple[bytes, bytes]:
    return any_octets(fields, "statement", _LONGEST_STATEMENT), octets(fields, "signature", SIGNATURE_BYTES)


def verify_file(untrusted: bytes, keys: Anchors) -> tuple[Checked, ...]:
    """The records of a file, once every signature and every proof in it holds; needs no network, no database, no clock. NotVerified."""
    try:
        found = ReceiptFile.from_bytes(untrusted)
        certificates = [(Certificate.parse(one.certificate), one) for one in found.witnesses]
    except CryptoError:
        raise NotVerified(NOT_OURS) from None
    try:
        chain = person_keys.follow(keys.service, [*found.earlier, (found.keys_statement, found.keys_signature)])
    except Malformed:
        raise NotVerified(NOT_OURS) from None
    except BadSignature:
        raise NotVerified("the person's key in this file was not vouched for by this service") from None
    person, witnesses = person_keys.ring(chain), _certified(certificates, keys.roots)
    checked = []
    for number, one in enumerate(found.receipts, 1):
        if one.person != chain[-1].person:
            raise NotVerified(f"receipt {number} is of somebody else than this file's person")
        try:
            witness = witnesses.get(one.receipt.change.witness or "")
            receipt = verify_receipt(one, service=keys.service, person=person, witness=witness)
        except BadSignature:
            raise NotVerified(f"receipt {number} is not what was signed") from None
        try:
            checked.append(_placed(one, receipt, (keys.trace, *keys.earlier)))
        except CryptoError:
            raise NotVerified(
                f"receipt {number} carries a proof that does not show its entry in the trace of this service"
            ) from None
    _check_order([one.receipt for one in checked])
    return tuple(checked)


def _certified(
    certificates: Sequence[tuple[Certificate, WitnessCertificate]], roots: Mapping[str, SignPublic]
) -> dict[str, SignPublic]:  # fmt: skip
    """The witnesses' keys, once two administrators signed for each. Raises NotVerified."""
    found = {}
    for certificate, one in certificates:
        by = {name for name, signature in one.signatures if name in roots and _holds(roots[name], certificate, signature)}
        if len(by) < SIGNED_BY:
            raise NotVerified("the certificate of a witness in this file was not signed by two administrators of this service")
        found[certificate.worker] = sign_public_from(certificate.sign)
    return found


def _holds(root: SignPublic, certificate: Certificate, signature: bytes) -> bool:
    try:
        verify(root, certificate, signature)
    except BadSignature:
        return False
    return True


def _placed(signed: SignedReceipt, receipt: Receipt, traces: Sequence[LogKeys]) -> Checked:
    proof = proof_of(signed)
    if proof is None:
        return Checked(receipt)
    if len(Note.parse(proof.note).signatures) != LOG_SIGNS:  # other lines would be signed by whom these keys do not name
        raise BadSignature
    for trace in traces:
        with suppress(BadSignature):
            return Checked(receipt, proof.index, inclusion.verify(proof, trace))
    raise BadSignature


def _check_order(receipts: Sequence[Receipt]) -> None:
    """Of one share, each record replaces the one before it: none may be left out between two others, nor put elsewhere."""
    last: dict[str, str] = {}
    for number, one in enumerate(receipts, 1):
        before = last.get(one.grant)
        if before is not None and one.replaces != before:
            raise NotVerified(
                f"receipt {number} does not follow the one before it: one is missing, or they were put in another order"
            )
        last[one.grant] = one.record
