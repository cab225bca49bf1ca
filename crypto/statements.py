"""What is signed, statement by statement: HPKE hides, it does not say who speaks.

A statement is written as a context, `"abri/v1/sign/..." 00 RFC8785(fields)`. In the JSON every value is a text or a list
of texts: ids as lower-case UUIDs, numbers in decimal, bytes in lower-case hexadecimal, moments in UTC. Something absent
is an empty text.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, Self, get_type_hints

from crypto import contexts, kem
from crypto.canonical import Value, context, fields_of, parse_instant
from crypto.errors import Malformed

SIGN_PUBLIC_BYTES = 32 + 1952

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class _Form:
    """How one kind of value is written in the JSON, and read back."""

    write: Callable[[Any], Value]
    read: Callable[[Any], Any]


def _text(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError("a number in decimal")
    return int(text)


def _hexadecimal(size: int, *, optional: bool = False) -> _Form:
    def check(value: bytes) -> bytes:
        if len(value) != size and not (optional and not value):
            raise ValueError(f"{size} bytes")
        return bytes(value)

    def read(text: str) -> bytes:
        if not _HEX.fullmatch(text):
            raise ValueError("lower-case hexadecimal")
        return check(bytes.fromhex(text))

    return _Form(lambda value: check(value).hex(), read)


def _checked(check: Callable[[str], str], *, optional: bool = False) -> _Form:
    def accept(text: str) -> str:
        return text if optional and text == "" else check(text)

    return _Form(accept, accept)


def _list_of(form: _Form) -> _Form:
    def read(values: object) -> tuple[Any, ...]:
        if not isinstance(values, list):
            raise TypeError("a list")
        return tuple(form.read(value) for value in values)

    return _Form(lambda values: [form.write(value) for value in values], read)


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("a day is written YYYY-MM-DD")
    return text


def _moment(text: str) -> str:
    parse_instant(text)
    return text


def _reason(text: str) -> str:
    if text not in {"withdrawn", "expired", "departed"}:
        raise ValueError("no grant ends for that reason")
    return text


def _removal(text: str) -> str:
    if text not in {"erased", "term"}:
        raise ValueError("no copy of the trace is removed for that reason")
    return text


def _root_change(text: str) -> str:
    if text not in {"added", "removed"}:
        raise ValueError("an administrator is added or removed")
    return text


_ID = _checked(contexts.uuid)

Id = Annotated[str, _ID]
MaybeId = Annotated[str, _checked(contexts.uuid, optional=True)]
Ids = Annotated[tuple[str, ...], _list_of(_ID)]
IdSets = Annotated[tuple[tuple[str, ...], ...], _list_of(_list_of(_ID))]
Text = Annotated[str, _checked(_text)]
Number = Annotated[int, _Form(contexts.decimal, _number)]
Day = Annotated[str, _checked(_day)]
MaybeDay = Annotated[str, _checked(_day, optional=True)]
Moment = Annotated[str, _checked(_moment)]
Reason = Annotated[str, _checked(_reason)]
RootChange = Annotated[str, _checked(_root_change)]
RemovalReason = Annotated[str, _checked(_removal)]
Digest = Annotated[bytes, _hexadecimal(32)]
MaybeDigest = Annotated[bytes, _hexadecimal(32, optional=True)]
KemKey = Annotated[bytes, _hexadecimal(kem.PUBLIC_BYTES)]
SignKey = Annotated[bytes, _hexadecimal(SIGN_PUBLIC_BYTES)]


@dataclass(frozen=True)
class Statement:
    """Something said by somebody, in its only form."""

    LABEL: ClassVar[str]

    @classmethod
    @cache
    def _forms(cls) -> dict[str, _Form]:
        hints = get_type_hints(cls, include_extras=True)
        return {field.name: hints[field.name].__metadata__[0] for field in fields(cls)}

    def encode(self) -> bytes:
        """Write what is signed. ValueError when a value is not of its form."""
        forms = self._forms()
        return context(self.LABEL, {name: form.write(getattr(self, name)) for name, form in forms.items()})

    def digest(self) -> bytes:
        """Hash what is signed (SHA-256), for the next statement to point at."""
        return hashlib.sha256(self.encode()).digest()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what was signed, or raise Malformed: another label, another field, another form."""
        values, forms = fields_of(cls.LABEL, data), cls._forms()
        if values.keys() != forms.keys():
            raise Malformed("this statement has other fields")
        try:
            statement = cls(**{name: form.read(values[name]) for name, form in forms.items()})
            again = statement.encode()
        except (TypeError, ValueError) as error:
            raise Malformed("this statement has a value of another form") from error
        if again != data:
            raise Malformed("this statement is not in its only form")
        return statement


@dataclass(frozen=True)
class Certificate(Statement):
    """This key belongs to this worker. Signed by two administrators; new keys make a new worker."""

    LABEL: ClassVar[str] = "sign/certificate"
    worker: Id
    name: Text
    role: Text
    structure: Id
    kem: KemKey
    sign: SignKey
    serial: Number
    end: MaybeDay


@dataclass(frozen=True)
class PersonKeys(Statement):
    """These are a person's public keys. Signed by the service at enrolment, then each by the one before."""

    LABEL: ClassVar[str] = "sign/person-keys"
    person: Id
    kem: KemKey
    sign: SignKey
    serial: Number
    previous: MaybeDigest


@dataclass(frozen=True)
class ServiceKey(Statement):
    """From this day on the service signs with this key. Signed by the key before, so that whoever trusted that one can follow."""

    LABEL: ClassVar[str] = "sign/service-key"
    previous: SignKey
    sign: SignKey
    since: Day


@dataclass(frozen=True)
class RootKey(Statement):
    """This administrator's key signs certificates from this day on, or no longer. Signed by two of those who stay."""

    LABEL: ClassVar[str] = "sign/root-key"
    administrator: Id
    change: RootChange
    sign: SignKey
    since: Day
    roots: Digest


@dataclass(frozen=True)
class ShelfEpoch(Statement):
    """This is the public key of a shelf, since this epoch. Signed by the person, verified at each deposit."""

    LABEL: ClassVar[str] = "sign/shelf"
    person: Id
    shelf: Id
    epoch: Number
    key: KemKey


@dataclass(frozen=True)
class Origin(Statement):
    """Where a version of a paper comes from, and which bytes it is.

    Signed by the depositor; by phone, by the service, then the person. `ciphertext` and `view` are the SHA-256 of the
    stored payloads: the bytes as they came, and the copy that was looked at (nothing when there is none).
    """

    LABEL: ClassVar[str] = "sign/origin"
    paper: Id
    version: Id
    previous: MaybeId
    depositor: Id
    kiosk: MaybeId
    time: Moment
    commitment: Digest
    ciphertext: Digest
    view: MaybeDigest


@dataclass(frozen=True)
class GrantGiven(Statement):
    """A person said yes. The body (purpose, acts, papers) is sealed: here is only its hash. Signed by both sides."""

    LABEL: ClassVar[str] = "sign/grant"
    grant: Id
    person: Id
    worker: Id
    serial: Number
    until: Day
    body: Digest


@dataclass(frozen=True)
class Withdrawal(Statement):
    """A grant has ended: withdrawn, expired, departed. Signed by the person and the service, or the service alone."""

    LABEL: ClassVar[str] = "sign/withdrawal"
    grant: Id
    person: Id
    worker: Id
    reason: Reason
    time: Moment


@dataclass(frozen=True)
class CircleFormed(Statement):
    """These guardians, in these sets, may bring the person back. `sets` is what `crypto.circle.allowed_sets` lists."""

    LABEL: ClassVar[str] = "sign/circle"
    circle: Id
    person: Id
    k: Number
    members: Ids
    sets: IdSets
    time: Moment


@dataclass(frozen=True)
class Confirmation(Statement):
    """A guardian recognised the person and sends a part to this key pair, at this kiosk."""

    LABEL: ClassVar[str] = "sign/confirmation"
    recovery: Id
    person: Id
    circle: Id
    set: Number
    kiosk: Id
    pk: KemKey


@dataclass(frozen=True)
class TheftConfirmed(Statement):
    """A guardian beside the person confirms theft or pressure: the old card loses its say."""

    LABEL: ClassVar[str] = "sign/theft"
    recovery: Id
    person: Id
    circle: Id
    set: Number


@dataclass(frozen=True)
class DirectiveGiven(Statement):
    """What a person wants after their death, by the hash of the sealed body. Signed by the person and by the service."""

    LABEL: ClassVar[str] = "sign/directive"
    directive: Id
    person: Id
    body: Digest
    time: Moment


@dataclass(frozen=True)
class DeathReported(Statement):
    """A guardian says that somebody of their list has died and that they saw the certificate. Signed by the guardian."""

    LABEL: ClassVar[str] = "sign/death"
    request: Id
    person: Id
    circle: Id
    worker: Id
    time: Moment


@dataclass(frozen=True)
class ReceiptSealed(Statement):
    """A receipt of consent, by its hash. Signed by the person's session and by the service."""

    LABEL: ClassVar[str] = "sign/receipt"
    record: Id
    grant: Id
    person: Id
    receipt: Digest


@dataclass(frozen=True)
class ErasureCertified(Statement):
    """An erasure was carried out; backups end on `horizon`. No name, no paper. Signed by the service.

    `recipients`: how many were told to erase what they received (GDPR 19); `entry`: the entry of the trace that
    says how many copies went (`CopiesRemoved`); empty when a restored backup held none.
    """

    LABEL: ClassVar[str] = "sign/erasure"
    number: Id
    day: Day
    horizon: Day
    papers: Number
    grants: Number
    receipts: Number
    recipients: Number
    entry: MaybeId


@dataclass(frozen=True)
class CopiesRemoved(Statement):
    """Copies of the trace were removed: a safe was erased, or they were past their term. Says which ones, not whose.

    `days`: the term that they were past, 0 for an erasure. `copies`: SHA-256 of the list (each entry's 16 bytes and its party,
    1 person, 2 worker, 3 incident), in order. Signed by the service; its entry of the trace binds it (`docs/formats.md`).
    """

    LABEL: ClassVar[str] = "sign/removal"
    removal: Id
    day: Day
    reason: RemovalReason
    days: Number
    count: Number
    copies: Digest


@dataclass(frozen=True)
class BackupMade(Statement):
    """A backup of every store was made at this moment; `manifest` is the SHA-256 of the list of its files. Signed by the service."""

    LABEL: ClassVar[str] = "sign/backup"
    made: Moment
    manifest: Digest
