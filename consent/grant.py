"""A grant: one person, one named worker, one purpose, some papers, some acts, until a day; and its states.

The body is what was agreed. Its canonical bytes are posted to the worker and sealed under the person's values key
(keys.md, "hierarchy"); its digest is what both sign. How it was given stays in the receipt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256

from consent.days import lasts, whole_second
from consent.errors import TermsReason, TermsRefused, TransitionRefused
from consent.fields import day, number, octets, plain, shape, text, texts
from consent.ids import GrantId, PersonId, WorkerId, checked_id
from consent.purposes import purpose
from consent.recipients import Recipient
from consent.scope import Act, scope_from_value, scope_to_value, within
from consent.terms import LONGEST_NAME, LONGEST_OWN_WORDS, GivenHow, Terms, check_terms, replacing_unseen
from crypto.canonical import Value, canonical, instant, parse, parse_instant
from crypto.errors import Malformed

KEM_PUBLIC = 1216  # ML-KEM-768 then X25519
SIGN_PUBLIC = 1984  # Ed25519 then ML-DSA-65
SALT = 32
MOST_RENEWALS = 9999


class GrantState(StrEnum):
    """Only given and renewed open anything. A row is never deleted before erasure: it ends."""

    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to a grant."""

    ASK = "ask"
    GIVE = "give"
    REFUSE = "refuse"
    RENEW = "renew"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    END = "end"


OPEN_STATES = frozenset({GrantState.GIVEN, GrantState.RENEWED})
NEEDS_KEY = frozenset({Event.GIVE, Event.RENEW})  # all the others narrow: the card alone is enough, or the service does it

_MOVES: Mapping[tuple[GrantState | None, Event], GrantState] = {
    (None, Event.ASK): GrantState.REQUESTED,
    (None, Event.GIVE): GrantState.GIVEN,
    (GrantState.REQUESTED, Event.GIVE): GrantState.GIVEN,
    (GrantState.REQUESTED, Event.REFUSE): GrantState.REFUSED,
    (GrantState.REQUESTED, Event.EXPIRE): GrantState.EXPIRED,
    (GrantState.REQUESTED, Event.END): GrantState.ENDED,
    **{
        move: after
        for state in (GrantState.GIVEN, GrantState.RENEWED)
        for move, after in (
            ((state, Event.RENEW), GrantState.RENEWED),
            ((state, Event.WITHDRAW), GrantState.WITHDRAWN),
            ((state, Event.EXPIRE), GrantState.EXPIRED),
            ((state, Event.END), GrantState.ENDED),
        )
    },
}


def next_state(state: GrantState | None, event: Event) -> GrantState:
    """The state after the event (None: nothing yet); raises TransitionRefused when it cannot happen."""
    after = _MOVES.get((state, event))
    if after is None:
        raise TransitionRefused(state, event)
    return after


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """A person's public keys, pinned in each body so that a worker notices when they change."""

    kem: bytes
    sign: bytes

    def __post_init__(self) -> None:
        """Refuse other lengths: whether the points are good is checked where they are used."""
        if len(self.kem) != KEM_PUBLIC or len(self.sign) != SIGN_PUBLIC:
            raise Malformed("public keys have fixed lengths")


@dataclass(frozen=True, slots=True)
class GrantRow:
    """What the table holds in clear: ids, state, last day (None only while asked or refused)."""

    grant: GrantId
    person: PersonId
    worker: WorkerId
    state: GrantState
    until: date | None


_FIELDS = (
    "v", "grant", "person", "worker", "serial", "purpose", "own_words", "scope", "acts", "since", "changed", "until",
    "name_shown", "kem", "sign", "witness", "salt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GrantBody:
    """What was agreed, whole. `serial` counts renewals from 0; `changed` is when this serial was agreed; `witness` only after an
    assisted opening.

    `salt` is 32 random bytes: the digest of the body stands in clear beside its signatures, and there are few enough purposes
    and papers that without it a thief of the rows could guess them.
    """

    grant: GrantId
    person: PersonId
    worker: WorkerId
    serial: int
    terms: Terms
    since: datetime
    changed: datetime
    name_shown: str
    person_keys: PublicKeys
    witness: WorkerId | None
    salt: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be written and read back the same."""
        for name in filter(None, (self.grant, self.person, self.worker, self.witness)):
            checked_id(name)
        plain(self.name_shown, "name shown", LONGEST_NAME)
        if not self.terms.acts or not 0 <= self.serial <= MOST_RENEWALS or len(self.salt) != SALT:
            raise Malformed("a grant's body is not whole")
        if (self.since, self.changed) != (whole_second(self.since), whole_second(self.changed)) or self.changed < self.since:
            raise Malformed("a grant's moments are whole seconds, in order")

    @property
    def state(self) -> GrantState:
        """Given, or renewed once its serial has moved."""
        return GrantState.RENEWED if self.serial else GrantState.GIVEN

    def row(self) -> GrantRow:
        """What the table holds in clear while this body is the current one."""
        return GrantRow(self.grant, self.person, self.worker, self.state, self.terms.until)

    def to_value(self) -> dict[str, Value]:
        """The body as JSON values, all strings but the lists and the scope."""
        terms, keys = self.terms, self.person_keys
        return {
            "v": "1", "grant": self.grant, "person": self.person, "worker": self.worker, "serial": str(self.serial),
            "purpose": terms.purpose, "own_words": terms.own_words, "scope": scope_to_value(terms.scope),
            "acts": sorted(act.value for act in terms.acts), "until": terms.until.isoformat(),
            "since": instant(self.since), "changed": instant(self.changed), "name_shown": self.name_shown,
            "kem": keys.kem.hex(), "sign": keys.sign.hex(), "witness": self.witness or "", "salt": self.salt.hex(),
        }  # fmt: skip

    def to_bytes(self) -> bytes:
        """The canonical bytes (RFC 8785)."""
        return canonical(self.to_value())

    def digest(self) -> bytes:
        """SHA-256 of the canonical bytes: what both sign."""
        return sha256(self.to_bytes()).digest()

    @classmethod
    def from_value(cls, untrusted: Value) -> "GrantBody":
        """Read a body; raises Malformed for anything that this program would not have written."""
        fields = shape(untrusted, _FIELDS)
        if fields["v"] != "1":
            raise Malformed("another version of a grant's body")
        terms = Terms(
            purpose=purpose(fields["purpose"]).id,
            own_words=text(fields, "own_words", LONGEST_OWN_WORDS, empty=True),
            scope=scope_from_value(fields["scope"]),
            acts=_acts(texts(fields, "acts", len(Act))),
            until=day(fields, "until"),
        )
        witness = text(fields, "witness", 36, empty=True)
        body = cls(
            grant=GrantId(checked_id(fields["grant"])),
            person=PersonId(checked_id(fields["person"])),
            worker=WorkerId(checked_id(fields["worker"])),
            serial=number(fields, "serial", MOST_RENEWALS),
            terms=terms,
            since=parse_instant(text(fields, "since", 20)),
            changed=parse_instant(text(fields, "changed", 20)),
            name_shown=text(fields, "name_shown", LONGEST_NAME),
            person_keys=PublicKeys(octets(fields, "kem", KEM_PUBLIC), octets(fields, "sign", SIGN_PUBLIC)),
            witness=WorkerId(checked_id(witness)) if witness else None,
            salt=octets(fields, "salt", SALT),
        )
        if body.to_value() != fields:
            raise Malformed("a grant's body is written in one way only")
        return body

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "GrantBody":
        """Read canonical bytes; raises Malformed unless they encode back to themselves."""
        return cls.from_value(parse(untrusted))


def _acts(untrusted: tuple[str, ...]) -> frozenset[Act]:
    try:
        return frozenset(map(Act, untrusted))
    except ValueError:
        raise Malformed("no such act") from None


@dataclass(frozen=True, slots=True)
class Parties:
    """Between whom: the new grant's id, the person with their public keys, the worker, and the name that is shown to the person
    (first name, role, structure)."""

    grant: GrantId
    person: PersonId
    person_keys: PublicKeys
    recipient: Recipient
    name_shown: str


def give(
    parties: Parties, terms: Terms, how: GivenHow, *, at: datetime, safe_opened: datetime, salt: bytes,
    row: GrantRow | None = None,
) -> GrantBody:  # fmt: skip
    """The body of a new grant, ready to be signed; `row` when it answers a request that already has one.

    Raises TermsRefused (limits) or TransitionRefused (a row that cannot be given any more).
    """
    next_state(row.state if row else None, Event.GIVE)
    if row and (row.grant, row.person, row.worker) != (parties.grant, parties.person, parties.recipient.worker):
        raise TransitionRefused(row.state, Event.GIVE)
    check_terms(terms, parties.recipient, how, at, safe_opened)
    moment = whole_second(at)
    return GrantBody(
        grant=parties.grant, person=parties.person, worker=parties.recipient.worker, serial=0, terms=terms, since=moment,
        changed=moment, name_shown=parties.name_shown, person_keys=parties.person_keys, witness=how.witness, salt=salt,
    )  # fmt: skip


def renew(
    row: GrantRow, body: GrantBody, until: date, recipient: Recipient, how: GivenHow, *, at: datetime, safe_opened: datetime,
    salt: bytes,
) -> GrantBody:  # fmt: skip
    """The same grant until a later day, ready to be signed. Only while it lives; what has ended is given anew.

    Raises TransitionRefused, or TermsRefused: the limits are those of today, for a role and an end date that may have changed.
    """
    terms = replace(body.terms, until=until)
    _still_live(row, body, at)
    if until <= body.terms.until:
        raise TermsRefused(TermsReason.NOT_LONGER)
    if recipient.worker != body.worker:
        raise TermsRefused(TermsReason.RECIPIENT)
    check_terms(terms, recipient, how, at, safe_opened)
    return replace(body, serial=body.serial + 1, terms=terms, changed=whole_second(at), witness=how.witness, salt=salt)


def narrow(row: GrantRow, body: GrantBody, terms: Terms, *, at: datetime, salt: bytes) -> GrantBody:
    """The same grant with less: fewer papers, fewer acts, an earlier day. Asks nothing of the recipient, who may be suspended.

    Raises TermsRefused(NOT_NARROWER) when anything would grow or the purpose would change, TransitionRefused when it has ended.
    """
    _still_live(row, body, at)
    old = body.terms
    same = (terms.purpose, terms.own_words) == (old.purpose, old.own_words)
    if not (same and within(terms.scope, old.scope) and terms.acts and terms.acts <= old.acts and terms.until <= old.until):
        raise TermsRefused(TermsReason.NOT_NARROWER)
    unseen = replacing_unseen(terms.acts)
    if unseen or not lasts(terms.until, at):
        raise TermsRefused(unseen or TermsReason.PAST)
    return replace(body, serial=body.serial + 1, terms=terms, changed=whole_second(at), witness=None, salt=salt)


def _still_live(row: GrantRow, body: GrantBody, at: datetime) -> None:
    next_state(row.state, Event.RENEW)
    if row != body.row() or not lasts(body.terms.until, at):
        raise TermsRefused(TermsReason.NOT_LIVE)


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a grant: withdrawn by the person, expired, or ended because the worker left. Made from the clear row alone."""

    row: GrantRow  # after it: its state is withdrawn, expired or ended
    at: datetime


def withdraw(row: GrantRow, at: datetime) -> Closing:
    """The person takes it back: the card alone is enough, effective at the next request (GDPR 7(3))."""
    return _close(row, Event.WITHDRAW, at)


def expire(row: GrantRow, at: datetime) -> Closing:
    """The last day has passed; raises TransitionRefused while it has not."""
    if row.until is not None and lasts(row.until, at):
        raise TransitionRefused(row.state, Event.EXPIRE)
    return _close(row, Event.EXPIRE, at)


def end(row: GrantRow, at: datetime) -> Closing:
    """The worker left, or the person is erased."""
    return _close(row, Event.END, at)


def refuse(row: GrantRow) -> GrantRow:
    """The person says no to what was asked: no reason, no effect on anything else."""
    return replace(row, state=next_state(row.state, Event.REFUSE))


def _close(row: GrantRow, event: Event, at: datetime) -> Closing:
    return Closing(replace(row, state=next_state(row.state, event)), whole_second(at))


def first_request(grant: GrantId, person: PersonId, worker: WorkerId) -> GrantRow:
    """The row of something asked and not answered yet."""
    return GrantRow(grant, person, worker, next_state(None, Event.ASK), None)
