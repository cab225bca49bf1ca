"""The ceremonies of WebAuthn (Level 3): what a browser is asked, and what an authenticator answered, checked.

A challenge is drawn here, kept in the session that asked, taken out before anything is verified, and lasts five minutes: whatever
becomes of an answer, it is never looked at twice. An authenticator must have verified its user. Answers count only for the name under which
these pages are served. Attestation is not asked for: which make of key somebody owns is nobody's business.
"""

import base64
import binascii
import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from crypto.canonical import Value
from crypto.keys import kdf
from vault import labels, sessions
from vault.context import Context
from vault.errors import BadInput, WrongSecret
from vault.sessions import Session
from vault.settings import SealKey

TERM = dt.timedelta(minutes=5)
CHALLENGE_BYTES = 32
PRF_BYTES = 32
CREDENTIAL_BYTES = 32
PLACE = "ceremony"
NAME = "Abri"
# What parsing an answer can raise beside the library's own errors: base64, JSON, CBOR, curves. All of it is one refusal.
NO_ANSWER = (
    WebAuthnException,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    OverflowError,
)
MILLISECONDS = int(TERM.total_seconds() * 1000)


@dataclass(frozen=True)
class Answer:
    """What a browser sent: the authenticator's answer as JSON, and the secret that it derives for us, if it can."""

    untrusted: str = field(repr=False)
    untrusted_secret: str = field(default="", repr=False)

    @property
    def secret(self) -> bytes | None:
        """The PRF output, 32 bytes; None when the authenticator has none. BadInput when it is something else."""
        if not self.untrusted_secret:
            return None
        try:
            found = base64.b64decode(self.untrusted_secret + "=", altchars=b"-_", validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadInput("key") from error
        if len(found) != PRF_BYTES:
            raise BadInput("key")
        return found


@dataclass(frozen=True)
class Registered:
    """A new authenticator, verified."""

    credential: bytes
    public_key: bytes = field(repr=False)
    uses: int


def name_of(context: Context) -> str | None:
    """The name that keys are bound to (the RP ID): the host of the first address that has one.

    An address of digits has none. In a room for training there is none either: an authenticator would go on offering people who are false.
    """
    if context.settings.mode == "training":
        return None
    return next((host for host in map(_host, context.settings.origins) if host and not _is_number(host)), None)


def _host(origin: str) -> str:
    return urlsplit(origin).hostname or ""


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _bound_to(context: Context) -> str:
    name = name_of(context)
    if name is None:
        raise BadInput("key", "keys.no_name")
    return name


def _origins(context: Context) -> list[str]:
    return [origin for origin in context.settings.origins if _host(origin) == name_of(context)]


# --- The challenge ----------------------------------------------------------------------------------------------------------


def keep_challenge(context: Context, session: Session, purpose: str, challenge: bytes | None = None) -> bytes:
    """Draw a challenge (or take the one given) and keep it in this session, for one purpose; one at a time."""
    drawn = challenge or secrets.token_bytes(CHALLENGE_BYTES)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        state[PLACE] = new_state(context, purpose, drawn)
        sessions.write_state(connection, session, state)
    return drawn


def new_state(context: Context, purpose: str, challenge: bytes) -> Value:
    """What a session keeps of a challenge."""
    until = (context.clock() + TERM).isoformat()
    return {"challenge": challenge.hex(), "purpose": purpose, "until": until}


def take_challenge(context: Context, session: Session, purpose: str) -> bytes:
    """The challenge that this session was given for this purpose, which is over from now on. WrongSecret when there is none."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        kept = state.pop(PLACE, None)
        sessions.write_state(connection, session, state)
    if not isinstance(kept, dict) or kept.get("purpose") != purpose:
        raise WrongSecret
    if dt.datetime.fromisoformat(str(kept["until"])) <= context.clock():
        raise WrongSecret
    return bytes.fromhex(str(kept["challenge"]))


# --- What is asked ----------------------------------------------------------------------------------------------------------


def registration(context: Context, account: str, shown_as: str, challenge: bytes, known: Iterable[bytes]) -> str:
    """What `navigator.credentials.create` is asked, as JSON: a key that is found without a name when it can, and that verifies its user."""
    options = generate_registration_options(
        rp_id=_bound_to(context), rp_name=NAME, user_id=handle(account), user_name=shown_as, user_display_name=shown_as,
        challenge=challenge, timeout=MILLISECONDS, exclude_credentials=_described(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )  # fmt: skip
    return _with_secret(options_to_json_dict(options))


def assertion(context: Context, challenge: bytes, allowed: Iterable[bytes] = ()) -> str:
    """What `navigator.credentials.get` is asked, as JSON. Without `allowed`, the authenticator finds the account by itself."""
    options = generate_authentication_options(
        rp_id=_bound_to(context), challenge=challenge, timeout=MILLISECONDS, allow_credentials=_described(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return _with_secret(options_to_json_dict(options))


def _described(credentials: Iterable[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one) for one in credentials]


def _with_secret(options: dict[str, Any]) -> str:
    # One input for all: an authenticator answers each credential with another secret anyway.
    first = base64.urlsafe_b64encode(secret_input()).rstrip(b"=").decode()
    return json.dumps({**options, "extensions": {"prf": {"eval": {"first": first}}}}, sort_keys=True)


def secret_input() -> bytes:
    """What authenticators derive our secret from (the PRF's input): 32 bytes, the same everywhere."""
    return hashlib.sha256(labels.passkey_secret()).digest()


def handle(account: str) -> bytes:
    """Whom an authenticator remembers an account by (the user handle): 32 bytes that say nothing."""
    return hashlib.sha256(labels.passkey_user(account=account)).digest()


def nobodys(seal: SealKey, code: str, number: int) -> bytes:
    """A credential that nobody has, always the same for one code."""
    return kdf(seal, labels.nobodys_passkey(code=code, number=str(number)), CREDENTIAL_BYTES)


# --- What was answered ------------------------------------------------------------------------------------------------------


def registered(context: Context, challenge: bytes, answer: Answer) -> Registered:
    """A new authenticator, or BadInput when its answer is not one to this challenge, under this name, with its user verified."""
    try:
        found = verify_registration_response(
            credential=answer.untrusted, expected_challenge=challenge, expected_rp_id=_bound_to(context),
            expected_origin=_origins(context), require_user_verification=True,
        )  # fmt: skip
    except NO_ANSWER as error:
        raise BadInput("key", "keys.not_taken") from error
    return Registered(found.credential_id, found.credential_public_key, found.sign_count)


def credential_of(answer: Answer) -> bytes:
    """Which credential an answer says that it is of; nothing is verified yet. WrongSecret when it is no answer at all."""
    try:
        return parse_authentication_credential_json(answer.untrusted).raw_id
    except NO_ANSWER as error:
        raise WrongSecret from error


def asserted(context: Context, challenge: bytes, answer: Answer, *, account: str, public_key: bytes, uses: int) -> int:
    """Verify that this credential answered this challenge. Gives its count of uses; WrongSecret for everything else."""
    try:
        credential = parse_authentication_credential_json(answer.untrusted)
        if credential.response.user_handle not in (None, handle(account)):
            raise WrongSecret
        found = verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=_bound_to(context),
            expected_origin=_origins(context), credential_public_key=public_key, credential_current_sign_count=uses,
            require_user_verification=True,
        )  # fmt: skip
    except NO_ANSWER as error:
        raise WrongSecret from error
    return found.new_sign_count
