"""The consent record: ISO/IEC TS 27560:2023 in the words of the Data Privacy Vocabulary, after its community group's guide.

It is JSON-LD under a context of our own prefixes, written canonically (RFC 8785). The terms that appear are listed with their
IRIs in `dpv_terms.json`; a test keeps the list and the records equal. Data are named by drawer and kind, never by title.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from consent.days import whole_second
from consent.fields import plain
from consent.grant import GrantState
from consent.ids import EntryId, GrantId, KindId, KioskId, RecordId, WorkerId, checked_id, checked_slug
from consent.purposes import SPECIAL, PurposeId, Sensitivity, ShelfKind, purpose, shelf
from consent.scope import Act
from consent.terms import Method
from crypto.canonical import Value, canonical, instant
from crypto.errors import Malformed

SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#record"
CONTEXT: Final[Mapping[str, str]] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
MOST_CATEGORIES = 9
MOST_KINDS = 60
JURISDICTION: Final = "loc:FR"
BACKUPS_LAST: Final = "P30D"
RIGHTS: Final = ("A7-3", "A15", "A17", "A20", "A77")  # withdraw, access, erasure, portability, complaint

# The tables below are part of the format: rows are added, never changed.
STATUS: Final[Mapping[GrantState, str]] = {
    GrantState.REQUESTED: "dpv:ConsentRequested",
    GrantState.GIVEN: "dpv:ConsentGiven",
    GrantState.REFUSED: "dpv:ConsentRefused",
    GrantState.RENEWED: "dpv:RenewedConsentGiven",
    GrantState.WITHDRAWN: "dpv:ConsentWithdrawn",
    GrantState.EXPIRED: "dpv:ConsentExpired",
    GrantState.ENDED: "dpv:ConsentRevoked",  # ended by somebody else than the person, in the vocabulary's words
}
PROCESSING: Final[Mapping[Act, str]] = {
    Act.SEE: "dpv:Consult",
    Act.TAKE: "dpv:Copy",
    Act.DEPOSIT: "dpv:Record",
    Act.REPLACE: "dpv:Modify",
}
DATA: Final[Mapping[ShelfKind, str]] = {
    ShelfKind("identity"): "pd:Identifying",
    ShelfKind("stay"): "pd:Citizenship",
    ShelfKind("family"): "pd:Family",
    ShelfKind("housing"): "pd:Domicile",
    ShelfKind("health"): "pd:HealthRecord",
    ShelfKind("money"): "pd:Financial",
    ShelfKind("work"): "pd:EmploymentHistory",
    ShelfKind("justice"): "pd:Criminal",
    ShelfKind("other"): "dpv:PersonalData",
}
KIND_OF_DATA: Final[Mapping[Sensitivity, tuple[str, ...]]] = {
    Sensitivity.ORDINARY: ("dpv:PersonalData",),
    Sensitivity.HEALTH: ("dpv:PersonalData", "dpv:SpecialCategoryPersonalData", "pd:MedicalHealth"),
    Sensitivity.ORIGIN: ("dpv:PersonalData", "dpv:SpecialCategoryPersonalData", "pd:EthnicOrigin"),
    Sensitivity.OFFENCE: ("dpv:PersonalData", "dpv:SensitivePersonalData", "pd:CriminalOffence"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """The text that was shown: its exact version, its SHA-256, its language, and whether it was read aloud."""

    version: str
    sha256: bytes
    language: str
    heard: bool

    def __post_init__(self) -> None:
        """Refuse what could not be read back."""
        plain(self.version, "text version", 80)
        plain(self.language, "language", 35)
        if len(self.sha256) != 32:
            raise Malformed("a text's digest has 32 bytes")

    def to_value(self) -> dict[str, Value]:
        """As JSON-LD."""
        return {
            "@type": ["dpv:ConsentNotice", "dpv:OralNotice"] if self.heard else ["dpv:ConsentNotice"],
            "dct:identifier": self.version, "dct:language": self.language, "schema:sha256": self.sha256.hex(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Category:
    """Some data: the kind of drawer, the kinds of papers (sorted), and what the law says of them that day."""

    shelf: ShelfKind
    kinds: tuple[KindId, ...]
    sensitivity: Sensitivity

    def __post_init__(self) -> None:
        """Refuse the private drawer, and anything that could be a title."""
        if not shelf(self.shelf).grantable:
            raise Malformed("the private drawer is in no record")
        if len(self.kinds) > MOST_KINDS or list(self.kinds) != sorted({checked_slug(kind) for kind in self.kinds}):
            raise Malformed("kinds are sorted slugs, none twice")

    def to_value(self) -> dict[str, Value]:
        """As JSON-LD."""
        return {
            "@type": list(KIND_OF_DATA[self.sensitivity]), "skos:broader": DATA[self.shelf], "dct:identifier": self.shelf,
            "dct:type": list(self.kinds),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Processing:
    """What is done: what for (in the words that were shown), which acts, on which data, until when, stored where."""

    purpose: PurposeId
    words: str
    acts: frozenset[Act]
    categories: tuple[Category, ...]
    special: bool  # the data or the purpose alone belong to GDPR article 9
    until: date
    stored_in: str = "FR"

    def __post_init__(self) -> None:
        """Refuse what could not be read back, and a special category that is not said."""
        plain(purpose(self.purpose).id, "purpose", 40)
        plain(self.words, "purpose in words", 200)
        drawers = [category.shelf for category in self.categories]
        if not self.acts or not 1 <= len(drawers) <= MOST_CATEGORIES or drawers != sorted(set(drawers)):
            raise Malformed("a record names acts, and drawers sorted, none twice")
        if any(category.sensitivity in SPECIAL for category in self.categories) and not self.special:
            raise Malformed("a special category of data is said")
        if len(self.stored_in) != 2 or not self.stored_in.isascii() or not self.stored_in.isupper():
            raise Malformed("a country has two capitals (ISO 3166-1)")

    def to_value(self) -> dict[str, Value]:
        """As JSON-LD."""
        return {
            "@type": "dpv:Process",
            "dpv:hasPurpose": {
                "@type": "dpv:Purpose", "skos:broader": "dpv:RequestedServiceProvision", "dct:identifier": self.purpose,
                "dct:description": self.words,
            },
            "dpv:hasProcessing": sorted(PROCESSING[act] for act in self.acts),
            "dpv:hasPersonalData": [category.to_value() for category in self.categories],
            "dpv:hasStorageCondition": [
                {"@type": "dpv:StorageDuration", "dpv:hasDuration": lasting(self.until)},
                {"@type": "dpv:StorageDeletion", "dpv:hasDuration": BACKUPS_LAST},
                {"@type": "dpv:StorageLocation", "dpv:hasLocation": f"loc:{self.stored_in}"},
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entity:
    """Who: name, identifier (a UUID), role in the structure ("" for a controller), and how to reach them, address included."""

    name: str
    identifier: str
    role: str
    contact: str

    def __post_init__(self) -> None:
        """Refuse what could not be read back."""
        checked_id(self.identifier)
        plain(self.name, "name", 120)
        plain(self.contact, "contact", 300)
        if self.role:
            checked_slug(self.role)

    def to_value(self, kind: str) -> dict[str, Value]:
        """As JSON-LD, as that kind of entity."""
        written: dict[str, Value] = {
            "@id": urn(self.identifier), "@type": kind, "dpv:hasIdentifier": self.identifier, "dpv:hasName": self.name,
            "dpv:hasContact": self.contact,
        }  # fmt: skip
        return written | {"schema:roleName": self.role} if self.role else written


@dataclass(frozen=True, slots=True)
class Change:
    """The event: the new state, when, until when it lasts (None: it does not), by which means."""

    state: GrantState
    at: datetime
    until: date | None
    method: Method
    kiosk: KioskId | None
    interpreter: bool
    witness: WorkerId | None
    shown: int

    def __post_init__(self) -> None:
        """Refuse what could not be read back."""
        for name in filter(None, (self.kiosk, self.witness)):
            checked_id(name)
        if self.at != whole_second(self.at) or not 1 <= self.shown <= 9:
            raise Malformed("a change is dated to the second and shown one to nine times")

    def by_what(self) -> list[Value]:
        """The means, as short strings: the vocabulary has no words for a kiosk or an interpreter."""
        said: list[Value] = [f"method:{self.method.value}", f"shown:{self.shown}"]
        said += [f"kiosk:{self.kiosk}"] if self.kiosk else []
        said += ["interpreter"] if self.interpreter else []
        return said + ([f"witness:{self.witness}"] if self.witness else [])


@dataclass(frozen=True, slots=True)
class Receipt:
    """One change of state of one grant. `subject` is a pseudonym; `replaces` the record before; `agreed` the digest of the
    grant's body; `entry` its entry in the trace.

    A change made with the card alone cannot read what was shared: its record has no processing and says which one it replaces.
    """

    record: RecordId
    grant: GrantId
    subject: str
    created: datetime
    replaces: RecordId | None
    notice: Notice
    processing: Processing | None
    controller: Entity
    recipient: Entity
    change_at: str
    change: Change
    agreed: bytes | None
    entry: EntryId | None

    def __post_init__(self) -> None:
        """Refuse a record that does not hold together."""
        for name in filter(None, (self.record, self.grant, self.subject, self.replaces, self.entry)):
            checked_id(name)
        plain(self.change_at, "where to change it", 300)
        asking = self.change.state in (GrantState.REQUESTED, GrantState.REFUSED)
        if self.processing is None and self.replaces is None and not asking:
            raise Malformed("a record says what it is about, or which one it replaces")
        if self.agreed is not None and len(self.agreed) != 32:
            raise Malformed("a body's digest has 32 bytes")
        if self.created != whole_second(self.created) or self.created < self.change.at or self.replaces == self.record:
            raise Malformed("a record comes after the change and the record before")
        if self.controller.role or not self.recipient.role:
            raise Malformed("the controller has no role in a structure, the recipient has one")

    def to_value(self) -> dict[str, Value]:
        """The record as JSON-LD."""
        special = self.processing is not None and self.processing.special
        return {
            "@context": dict(CONTEXT),
            "@id": urn(self.record), "@type": "dpv:ConsentRecord",
            "dct:conformsTo": SCHEMA, "dct:identifier": self.record, "dct:created": instant(self.created),
            "dct:isPartOf": urn(self.grant),
            **({"dct:replaces": urn(self.replaces)} if self.replaces else {}),
            **({"dct:source": named_digest(self.agreed)} if self.agreed else {}),
            **({"dct:provenance": urn(self.entry)} if self.entry else {}),
            "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dpv:hasIdentifier": self.subject},
            "dpv:hasNotice": self.notice.to_value(),
            **({"dpv:hasProcess": self.processing.to_value()} if self.processing else {}),
            "dpv:hasLegalBasis": ["eu-gdpr:A6-1-a-explicit-consent", *(["eu-gdpr:A9-2-a"] if special else [])],
            "dpv:hasDataController": urn(self.controller.identifier), "dpv:hasRecipient": urn(self.recipient.identifier),
            "dpv:hasEntity": [self.controller.to_value("dpv:DataController"), self.recipient.to_value("dpv:Recipient")],
            "dpv:hasConsentControl": {
                "@type": ["dpv:ReaffirmConsent", "dpv:WithdrawConsent"], "dpv:isExercisedAt": self.change_at,
            },
            "dpv:hasRight": [{"@type": ["dpv:DataSubjectRight", f"eu-gdpr:{right}"]} for right in RIGHTS],
            "dpv:hasJurisdiction": JURISDICTION,
            "dpv:hasConsentStatus": {
                "@type": [STATUS[self.change.state], "dpv:ExplicitlyExpressedConsent"],
                "dpv:isIndicatedAtTime": instant(self.change.at), "dpv:hasDuration": lasting(self.change.until),
                "dpv:isIndicatedBy": self._by_whom(), "dpv:hasIndicationMethod": self.change.by_what(),
            },
        }  # fmt: skip

    def _by_whom(self) -> str:
        if self.change.state is GrantState.REQUESTED:
            return urn(self.recipient.identifier)
        return urn(self.controller.identifier) if self.change.method is Method.SERVICE else "dpv:DataSubject"

    def to_bytes(self) -> bytes:
        """The canonical bytes (RFC 8785)."""
        return canonical(self.to_value())


def urn(name: str) -> str:
    """An id as an IRI (RFC 9562)."""
    return f"urn:uuid:{name}"


def named_digest(digest: bytes) -> str:
    """A SHA-256 as an IRI (RFC 6920)."""
    return "ni:///sha-256;" + urlsafe_b64encode(digest).decode().rstrip("=")


def lasting(until: date | None) -> dict[str, Value]:
    """A duration: until the end of that day, or none at all."""
    if until is None:
        return {"@type": "dpv:NotApplicable"}
    return {"@type": "dpv:UntilTimeDuration", "rdf:value": until.isoformat()}
