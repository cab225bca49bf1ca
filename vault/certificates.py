"""The certificate of an erasure: that it was done, when, how much went, when the last backup dies. It names nobody and no paper.

It is signed by the service and verifies offline. Whoever holds the number finds it at any kiosk; the number is drawn at random,
so that nobody finds another's.
"""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from crypto.canonical import Value, canonical, parse_object
from crypto.errors import CryptoError, Malformed
from crypto.signing import Verifier
from crypto.signing import verify as verify_signature
from crypto.statements import ErasureCertified
from storage.tables import erasures
from vault.context import Context
from vault.errors import NotThere
from vault.settings import today_in_paris
from vault.verifying import ALTERED, UNREADABLE, VERIFIES, read_service_key

KIND = "abri-erasure-certificate"
LONGEST = 64 * 1024
_NUMBER = re.compile(r"([0-9A-F]{4})-?([0-9A-F]{4})-?([0-9A-F]{4})")


@dataclass(frozen=True)
class Certified:
    """A certificate as it is kept: what is said, and the service's signature over it."""

    said: ErasureCertified
    signature: bytes

    @property
    def number(self) -> str:
        """What is printed and typed: twelve signs, the beginning of the full number."""
        return number_of(self.said.number)

    def to_file(self) -> bytes:
        """As a file to keep: what was said and the signature, in one canonical form."""
        fields: dict[str, Value] = {"kind": KIND, "said": self.said.encode().hex(), "signature": self.signature.hex(), "v": "1"}
        return canonical(fields) + b"\n"


def number_of(erasure: str) -> str:
    """The short number of an erasure (48 random bits), as people read it: 3F2A-91C0-77DE."""
    signs = erasure.replace("-", "")[:12].upper()
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


@dataclass(frozen=True)
class Went:
    """What went, counted by category; `recipients`: who was told to erase what they had received (GDPR 19)."""

    papers: int
    grants: int
    receipts: int
    recipients: int


def certify(context: Context, erasure: str, went: Went, entry: str | None) -> Certified:
    """Say that an erasure is done today, and by when every backup that still holds it is dead."""
    day = today_in_paris(context.clock())
    horizon = day + dt.timedelta(days=context.settings.retention.backups)
    said = ErasureCertified(erasure, day.isoformat(), horizon.isoformat(), **vars(went), entry=entry or "")
    return Certified(said, context.service.sign(said))


def check(said: bytes, signature: bytes, service: Verifier) -> ErasureCertified:
    """Verify a certificate, offline too. Raises Malformed, BadSignature."""
    statement = ErasureCertified.parse(said)
    verify_signature(service, statement, signature)
    return statement


def read_file(content: bytes, service: Verifier) -> Certified:
    """A certificate from its file, once the service's signature holds; without any store. Raises Malformed, BadSignature."""
    fields = parse_object(content.removesuffix(b"\n"))
    said, signature = fields.get("said"), fields.get("signature")
    if fields.keys() != {"kind", "said", "signature", "v"} or (fields["kind"], fields["v"]) != (KIND, "1"):
        raise Malformed("this is not a certificate of an erasure")
    if not isinstance(said, str) or not isinstance(signature, str):
        raise Malformed("this is not a certificate of an erasure")
    try:
        found = Certified(check(bytes.fromhex(said), bytes.fromhex(signature), service), bytes.fromhex(signature))
    except ValueError:
        raise Malformed("this is not a certificate of an erasure") from None
    if found.to_file() != content:
        raise Malformed("this certificate is not in its only form")
    return found


def verify(file: Path, keys: Path) -> tuple[int, str]:
    """What `abri certificate verify` prints, and its status: 0 verifies, 1 does not, 2 could not be looked at."""
    try:
        service, content = read_service_key(keys), file.read_bytes()[:LONGEST]
    except (OSError, ValueError) as error:
        return UNREADABLE, f"NO  {error}"
    try:
        found = read_file(content, service)
    except (CryptoError, Malformed):
        return ALTERED, f"NO  {file}: it is not what this service signed."
    said = found.said
    return VERIFIES, (
        f"OK  {found.number}: on {said.day} everything was erased: {said.papers} papers, {said.grants} shares, {said.receipts} receipts;"
        f" {said.recipients} recipients were told; the last backup that still held any of it ended on {said.horizon} at the latest;"
        f" entry {said.entry} of the trace."
    )


def find(context: Context, number: str) -> Certified:
    """The certificate that bears this number. Raises NotThere, also while the erasure is not done."""
    with context.database.transaction(read_only=True) as connection:
        return _find(context, connection, number)


def _find(context: Context, connection: Connection, number: str) -> Certified:
    signs = _NUMBER.fullmatch(number.strip().upper())
    if signs is None:
        raise NotThere
    start = f"{signs[1]}{signs[2]}-{signs[3]}-".lower()
    query = select(erasures.c.certificate, erasures.c.certificate_signature).where(
        erasures.c.id.startswith(start, autoescape=True)
    )
    row = connection.execute(query.where(erasures.c.certificate.is_not(None))).one_or_none()
    if row is None:
        raise NotThere
    return Certified(check(row.certificate, row.certificate_signature, context.service.ring), row.certificate_signature)
