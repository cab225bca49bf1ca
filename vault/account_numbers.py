"""Account numbers: ten random digits and a check digit, on a slip apart from the card. They designate a safe and open nothing."""

import secrets

from sqlalchemy import Connection, select

from crypto.keys import kdf
from storage.tables import persons
from vault import labels
from vault.context import Context
from vault.errors import BadInput
from vault.settings import SealKey

DIGITS = 10
DIGEST_BYTES = 16


def draw() -> str:
    """A new number: 11 digits, the last one checks the others."""
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """ISO/IEC 7064 MOD 11,10: finds every single wrong digit and nearly every exchange of two neighbours."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def shown(number: str) -> str:
    """The number as people read it aloud: 123 456 789 01."""
    return " ".join((number[:3], number[3:6], number[6:9], number[9:]))


def read(typed: str) -> str:
    """The number that somebody typed, spaces and hyphens left out; raises BadInput when a digit is missing or wrong."""
    number = "".join(sign for sign in typed if sign not in " -\u00a0\u202f")
    digits = len(number) == DIGITS + 1 and number.isascii() and number.isdigit()
    if not digits or check_digit(number[:DIGITS]) != number[DIGITS:]:
        raise BadInput("number", "error.number")
    return number


def digest(context: Context, number: str) -> str:
    """What rows know a number by: keyed by the service, because ten digits are soon tried; 32 hexadecimal digits."""
    return _digest(context.settings.service_seal, number)


def looked_up(context: Context, connection: Connection, number: str) -> str:
    """The digest under which a number stands in the rows: by the present key, or by the one of the owner's last unlock.

    For a number that nobody has, the present one: as much is looked for.
    """
    seals = [context.settings.service_seal, *(one.seal for one in context.settings.earlier)]
    digests = [_digest(seal, number) for seal in seals]
    known = set(connection.scalars(select(persons.c.number_digest).where(persons.c.number_digest.in_(digests))))
    return next((one for one in digests if one in known), digests[0])


def _digest(seal: SealKey, number: str) -> str:
    return kdf(seal, labels.number_digest(number=number), DIGEST_BYTES).hex()
