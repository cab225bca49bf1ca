"""One-time passwords of six digits (RFC 6238), for workers and administrators. They guard pages, not keys.

The seed is sealed by the service; a time step opens one door once. SHA-1 and 30 seconds: what every authenticator understands.
"""

import datetime as dt
import hmac
import secrets
from contextlib import suppress

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from crypto.errors import Undecryptable
from crypto.sealing import seal, unseal
from vault import labels
from vault.context import Context

STEP_SECONDS = 30
DIGITS = 6
SEED_BYTES = 20
ISSUER = "Abri"


def _generator(seed: bytes) -> TOTP:
    # HMAC-SHA1 is not broken by collisions of SHA-1, and it is the only algorithm that every authenticator has.
    return TOTP(seed, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303


def new_seed() -> bytes:
    """A new seed, 20 bytes."""
    return secrets.token_bytes(SEED_BYTES)


def uri(seed: bytes, name: str) -> str:
    """What the QR code shown to an authenticator says."""
    return _generator(seed).get_provisioning_uri(name, ISSUER)


def step_of(at: dt.datetime) -> int:
    """The number of the time step of a moment."""
    return int(at.timestamp()) // STEP_SECONDS


def password(seed: bytes, at: dt.datetime) -> str:
    """What an authenticator shows at that moment."""
    return _generator(seed).generate(step_of(at) * STEP_SECONDS).decode()


def accepted_step(seed: bytes, typed: str, at: dt.datetime, used: int) -> int | None:
    """The step whose password was typed: this one or a neighbour, and later than the last one `used`; None when there is none."""
    now = step_of(at)
    found = None
    for step in (now - 1, now, now + 1):  # all three are always computed
        right = hmac.compare_digest(_generator(seed).generate(step * STEP_SECONDS), typed.encode())
        if right and step > used:
            found = step
    return found


def seal_seed(context: Context, account: str, seed: bytes) -> bytes:
    """Keep a seed."""
    return seal(context.settings.service_seal, labels.one_time_password(account=account), seed)


def open_seed(context: Context, account: str, sealed: bytes) -> bytes:
    """Open a kept seed, or raise Undecryptable."""
    place, settings = labels.one_time_password(account=account), context.settings
    for key in (settings.service_seal, *(one.seal for one in settings.earlier)):
        with suppress(Undecryptable):
            return unseal(key, place, sealed)
    raise Undecryptable


def sealed_by_today(context: Context, account: str, sealed: bytes) -> bool:
    """Whether the present key sealed this seed."""
    try:
        unseal(context.settings.service_seal, labels.one_time_password(account=account), sealed)
    except Undecryptable:
        return False
    return True
