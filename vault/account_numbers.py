"""Account numbers: ten random digits and a check digit, on a slip apart from the card. They designate a safe and open nothing."""

import secrets

from crypto.keys import kdf
from vault import labels
from vault.context import Context
from vault.errors import BadInput

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
    return kdf(context.settings.service_seal, labels.number_digest(number=number), DIGEST_BYTES).hex()
