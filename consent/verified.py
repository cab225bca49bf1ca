"""The signatures of a grant, and the only way to get a grant that `consent.policy` will look at.

Given and renewed are signed by the person (after an assisted opening: by the witness) and by the service. A withdrawal is
signed by the service, and by the person too when their session is open: the card alone is enough. A person's signature shows
that a session opened with their secret agreed; it shows no more.
"""

from dataclasses import InitVar, dataclass
from typing import NoReturn, final

from consent.errors import TransitionRefused
from consent.grant import OPEN_STATES, Closing, Event, GrantBody, GrantRow, GrantState
from consent.terms import little_enough
from crypto.canonical import instant
from crypto.errors import BadSignature, Malformed
from crypto.signing import SIGNATURE_BYTES, Signer, SignPublic, SignRing, Verifier, verify
from crypto.statements import GrantGiven, Withdrawal

_VERSION = 1
_PERSON, _WITNESS = 1, 2


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who signed one change: always the service; the person, or a witness, when the change needs them."""

    service: bytes
    person: bytes | None = None
    witness: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse signatures of another length: none of ours has one."""
        if any(len(one) != SIGNATURE_BYTES for one in (self.service, self.person, self.witness) if one is not None):
            raise Malformed("a signature has a fixed length")

    def to_bytes(self) -> bytes:
        """Version, which ones beside the service's (1 person, 2 witness), then service, person, witness."""
        which = _PERSON * (self.person is not None) + _WITNESS * (self.witness is not None)
        return bytes((_VERSION, which)) + self.service + (self.person or b"") + (self.witness or b"")

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Signatures":
        """Read them back; raises Malformed for any other length, version or flag."""
        if len(untrusted) < 2 or untrusted[0] != _VERSION or untrusted[1] > _PERSON + _WITNESS:
            raise Malformed("these are not signatures of a known version")
        person, witness = bool(untrusted[1] & _PERSON), bool(untrusted[1] & _WITNESS)
        parts = [untrusted[at : at + SIGNATURE_BYTES] for at in range(2, len(untrusted), SIGNATURE_BYTES)]
        if len(parts) != 1 + person + witness:
            raise Malformed("the signatures are not those that are announced")
        return cls(parts[0], parts[1] if person else None, parts[-1] if witness else None)


def statement(body: GrantBody) -> GrantGiven:
    """What is signed when a grant is given or renewed."""
    return GrantGiven(
        grant=body.grant, person=body.person, worker=body.worker, serial=body.serial, until=body.terms.until.isoformat(),
        body=body.digest(),
    )  # fmt: skip


_REASONS = {GrantState.WITHDRAWN: "withdrawn", GrantState.EXPIRED: "expired", GrantState.ENDED: "departed"}


def closing_statement(closing: Closing) -> Withdrawal:
    """What is signed when a grant ends, made from the clear row alone."""
    row = closing.row
    reason = _REASONS.get(row.state)
    if reason is None:
        raise TransitionRefused(row.state, Event.END)
    return Withdrawal(grant=row.grant, person=row.person, worker=row.worker, reason=reason, time=instant(closing.at))


def sign_grant(body: GrantBody, *, service: Signer, person: Signer | None = None, witness: Signer | None = None) -> Signatures:
    """Sign what was agreed: by the person in their session, or by the witness of an assisted opening."""
    said = statement(body)
    return Signatures(
        service.sign(said), person.sign(said) if person else None, witness.sign(said) if witness else None
    )  # fmt: skip


def sign_closing(closing: Closing, *, service: Signer, person: Signer | None = None) -> Signatures:
    """Sign an ending: by the service, and by the person when their session is open."""
    said = closing_statement(closing)
    return Signatures(service.sign(said), person.sign(said) if person else None)


def verify_closing(closing: Closing, signatures: Signatures, *, service: Verifier, person: Verifier) -> None:
    """Raise BadSignature unless the service signed this ending (and the person, where their signature stands)."""
    said = closing_statement(closing)
    if signatures.witness is not None:
        raise BadSignature
    verify(service, said, signatures.service)
    if signatures.person is not None:
        verify(person, said, signatures.person)


_PROOF = object()


@final
@dataclass(frozen=True, slots=True, repr=False)
class VerifiedGrant:
    """A grant whose signatures were checked at this use. Only `verify_grant` makes one: `decide` takes nothing else."""

    row: GrantRow
    body: GrantBody
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        """Refuse everybody but `verify_grant`."""
        if proof is not _PROOF:
            raise TypeError("only verify_grant makes a verified grant")

    def __reduce__(self) -> NoReturn:
        """Refuse copies and pickles: they would come back without a check."""
        raise TypeError("a verified grant is checked again at each use")

    def __repr__(self) -> str:
        """Say which one and its state; never what for."""
        return f"VerifiedGrant({self.row.grant}, {self.row.state.value})"


def verify_grant(
    row: GrantRow, untrusted_body: bytes, signatures: Signatures, *, service: Verifier, person: Verifier,
    witness: SignPublic | None = None,
) -> VerifiedGrant:  # fmt: skip
    """Check that the body was agreed by those who had to, and that the clear row says the same; each use, before `decide`.

    `person` is the key that the service vouches for today, or all that it followed since the first: the one pinned in the body must be
    among them. A row may say that the grant
    has ended without any proof (closing is always believed); it may not say that it lives, nor until when. What a witness signed in
    the person's place holds within the bounds of an assisted opening alone (one paper, to look at, one month), and never for the
    witness's own eyes.
    Raises Malformed for bytes, BadSignature for everything else.
    """
    body = GrantBody.from_bytes(untrusted_body)
    said = body.row()
    if (row.grant, row.person, row.worker, row.until) != (said.grant, said.person, said.worker, said.until):
        raise BadSignature
    if (row.state in OPEN_STATES and row.state is not said.state) or row.state in (GrantState.REQUESTED, GrantState.REFUSED):
        raise BadSignature
    if body.person_keys.sign not in (person if isinstance(person, SignRing) else (person,)):
        raise BadSignature
    what = statement(body)
    verify(service, what, signatures.service)
    key: Verifier
    if body.witness is None:
        agreed, key = signatures.person, person
    elif witness is not None and body.witness != body.worker and little_enough(body.terms, body.changed):
        agreed, key = signatures.witness, witness
    else:
        raise BadSignature
    if agreed is None or (signatures.person is not None and signatures.witness is not None):
        raise BadSignature
    verify(key, what, agreed)
    return VerifiedGrant(row, body, _PROOF)
