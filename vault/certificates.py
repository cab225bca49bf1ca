"""The certificate of an erasure: that it was done, when, how much went, when the last backup dies. It names nobody and no paper.

It is signed by the service and verifies offline. Whoever holds the number finds it at any kiosk; the number is drawn at random,
so that nobody finds another's.
"""

import datetime as dt
import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from crypto.signing import SignPublic, verify
from crypto.statements import ErasureCertified
from storage.tables import erasures
from vault.context import Context
from vault.errors import NotThere
from vault.settings import today_in_paris

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


def number_of(erasure: str) -> str:
    """The short number of an erasure (48 random bits), as people read it: 3F2A-91C0-77DE."""
    signs = erasure.replace("-", "")[:12].upper()
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


def certify(context: Context, erasure: str, *, papers: int, grants: int) -> Certified:
    """Say that an erasure is done today, and by when every backup that still holds it is dead."""
    day = today_in_paris(context.clock())
    horizon = day + dt.timedelta(days=context.settings.retention.backups)
    said = ErasureCertified(erasure, day.isoformat(), horizon.isoformat(), papers, grants)
    return Certified(said, context.service.sign(said))


def check(said: bytes, signature: bytes, service: SignPublic) -> ErasureCertified:
    """Verify a certificate, offline too. Raises Malformed, BadSignature."""
    statement = ErasureCertified.parse(said)
    verify(service, statement, signature)
    return statement


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
    return Certified(check(row.certificate, row.certificate_signature, context.service.public), row.certificate_signature)
