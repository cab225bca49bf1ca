"""Receipts as a person carries them away: one file that verifies anywhere with the service's public key and nothing else.

It holds one or several signed records and, so that no other key is needed, the service's own statement of which key is the
person's. Canonical JSON (RFC 8785): what parses encodes back to the same bytes, so that one altered byte is either another file,
refused, or another statement, which nobody signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from consent.fields import any_octets, octets, shape
from consent.receipt import SignedReceipt, verify_receipt
from consent.record import Receipt
from crypto.canonical import canonical, parse
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.signing import SIGNATURE_BYTES, SignPublic, sign_public_from, verify
from crypto.statements import PersonKeys

WHAT = "abri/receipts"
MOST = 1000  # records in one file
LONGEST = 40 << 20
_LONGEST_STATEMENT = 8192


class NotVerified(Exception):
    """Why a file proves nothing. The words are for whoever holds it."""


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """Signed records of one person, oldest first, with the service's statement of the person's key."""

    keys_statement: bytes
    keys_signature: bytes
    receipts: tuple[SignedReceipt, ...]

    def __post_init__(self) -> None:
        """Refuse a file about nothing, or about too much."""
        if not 1 <= len(self.receipts) <= MOST:
            raise Malformed(f"a file holds 1 to {MOST} receipts")

    def to_bytes(self) -> bytes:
        """The canonical bytes."""
        return canonical({
            "v": "1", "what": WHAT,
            "keys": {"statement": self.keys_statement.hex(), "signature": self.keys_signature.hex()},
            "receipts": [one.to_value() for one in self.receipts],
        })  # fmt: skip

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "ReceiptFile":
        """Read canonical bytes; raises Malformed for any others. Nothing is verified yet."""
        if len(untrusted) > LONGEST:
            raise Malformed("a file of receipts is not so long")
        fields = shape(parse(untrusted), ("v", "what", "keys", "receipts"))
        receipts = fields["receipts"]
        if (fields["v"], fields["what"]) != ("1", WHAT) or not isinstance(receipts, list):
            raise Malformed("this is not a file of receipts")
        keys = shape(fields["keys"], ("statement", "signature"))
        return cls(
            any_octets(keys, "statement", _LONGEST_STATEMENT), octets(keys, "signature", SIGNATURE_BYTES),
            tuple(SignedReceipt.from_value(one) for one in receipts),
        )  # fmt: skip


def verify_file(untrusted: bytes, service: SignPublic) -> tuple[Receipt, ...]:
    """The records of a file, once every signature in it holds; needs no network, no database, no clock. Raises NotVerified."""
    try:
        found = ReceiptFile.from_bytes(untrusted)
        statement = PersonKeys.parse(found.keys_statement)
    except CryptoError:
        raise NotVerified("this is not a file of receipts as Abri writes it: something was added, removed or changed") from None
    try:
        verify(service, statement, found.keys_signature)
    except BadSignature:
        raise NotVerified("the person's key in this file was not vouched for by this service") from None
    person = sign_public_from(statement.sign)
    receipts = []
    for number, one in enumerate(found.receipts, 1):
        if one.person != statement.person:
            raise NotVerified(f"receipt {number} is of somebody else than this file's person")
        if one.inclusion:
            raise NotVerified(f"receipt {number} carries a proof that this version cannot check")
        try:
            receipts.append(verify_receipt(one, service=service, person=person))
        except BadSignature:
            raise NotVerified(f"receipt {number} is not what was signed") from None
    _check_order(receipts)
    return tuple(receipts)


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
