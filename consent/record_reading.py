"""Reading a consent record back: only what `consent.record` writes, to the byte."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import date
from typing import TypeVar

from consent.fields import day, octets, shape, text, texts
from consent.grant import GrantState
from consent.ids import EntryId, GrantId, KindId, KioskId, RecordId, WorkerId, checked_id
from consent.purposes import Sensitivity, purpose, shelf
from consent.record import (
    KIND_OF_DATA,
    MOST_CATEGORIES,
    MOST_KINDS,
    PROCESSING,
    STATUS,
    Category,
    Change,
    Entity,
    Notice,
    Processing,
    Receipt,
)  # fmt: skip
from consent.scope import Act
from consent.terms import Method
from crypto.canonical import Value, parse, parse_instant
from crypto.errors import Malformed

Key = TypeVar("Key")

_ALWAYS = (
    "@context", "@id", "@type", "dct:conformsTo", "dct:identifier", "dct:created", "dct:isPartOf", "dpv:hasDataSubject",
    "dpv:hasNotice", "dpv:hasLegalBasis", "dpv:hasDataController", "dpv:hasRecipient", "dpv:hasEntity", "dpv:hasConsentControl",
    "dpv:hasRight", "dpv:hasJurisdiction", "dpv:hasConsentStatus",
)  # fmt: skip
_PERHAPS = ("dct:replaces", "dct:source", "dct:provenance", "dpv:hasProcess")


def receipt_from_bytes(untrusted: bytes) -> Receipt:
    """Read canonical bytes; raises Malformed unless they encode back to themselves."""
    return receipt_from_value(parse(untrusted))


def receipt_from_value(untrusted: Value) -> Receipt:
    """Read a record; raises Malformed for anything that this program would not have written.

    The fields are picked out first; what was not looked at (constants, repetitions) is compared whole at the end.
    """
    fields = shape(untrusted, _ALWAYS, _PERHAPS)
    replaces, entry = _perhaps_urn(fields, "dct:replaces"), _perhaps_urn(fields, "dct:provenance")
    process = fields.get("dpv:hasProcess")
    special = "eu-gdpr:A9-2-a" in texts(fields, "dpv:hasLegalBasis", 2)
    entities = _list(fields, "dpv:hasEntity", 2)
    if len(entities) != 2:
        raise Malformed("a record has a controller and a recipient")
    receipt = Receipt(
        record=RecordId(checked_id(fields["dct:identifier"])),
        grant=GrantId(_urn(fields, "dct:isPartOf")),
        subject=text(shape(fields["dpv:hasDataSubject"], ("@type", "dpv:hasIdentifier")), "dpv:hasIdentifier", 36),
        created=parse_instant(text(fields, "dct:created", 20)),
        replaces=RecordId(replaces) if replaces else None,
        notice=_notice(fields["dpv:hasNotice"]),
        processing=None if process is None else _processing(process, special),
        controller=_entity(entities[0]),
        recipient=_entity(entities[1]),
        change_at=text(shape(fields["dpv:hasConsentControl"], ("@type", "dpv:isExercisedAt")), "dpv:isExercisedAt", 300),
        change=_change(fields["dpv:hasConsentStatus"]),
        agreed=_digest(fields) if "dct:source" in fields else None,
        entry=EntryId(entry) if entry else None,
    )
    if receipt.to_value() != fields:
        raise Malformed("a record is written in one way only")
    return receipt


def _notice(untrusted: Value) -> Notice:
    fields = shape(untrusted, ("@type", "dct:identifier", "dct:language", "schema:sha256"))
    return Notice(
        version=text(fields, "dct:identifier", 80),
        sha256=octets(fields, "schema:sha256", 32),
        language=text(fields, "dct:language", 35),
        heard="dpv:OralNotice" in texts(fields, "@type", 2),
    )


def _processing(untrusted: Value, special: bool) -> Processing:
    fields = shape(untrusted, ("@type", "dpv:hasPurpose", "dpv:hasProcessing", "dpv:hasPersonalData", "dpv:hasStorageCondition"))
    what_for = shape(fields["dpv:hasPurpose"], ("@type", "skos:broader", "dct:identifier", "dct:description"))
    conditions = _list(fields, "dpv:hasStorageCondition", 3)
    if len(conditions) != 3:
        raise Malformed("a record has three storage conditions")
    until = _lasting(shape(conditions[0], ("@type", "dpv:hasDuration"))["dpv:hasDuration"])
    place = text(shape(conditions[2], ("@type", "dpv:hasLocation")), "dpv:hasLocation", 6)
    if until is None:
        raise Malformed("what is stored is stored until a day")
    return Processing(
        purpose=purpose(what_for["dct:identifier"]).id,
        words=text(what_for, "dct:description", 200),
        acts=frozenset(_key(PROCESSING, word) for word in texts(fields, "dpv:hasProcessing", len(Act))),
        categories=tuple(_category(one) for one in _list(fields, "dpv:hasPersonalData", MOST_CATEGORIES)),
        special=special,
        until=until,
        stored_in=place.removeprefix("loc:"),
    )


def _category(untrusted: Value) -> Category:
    fields = shape(untrusted, ("@type", "skos:broader", "dct:identifier", "dct:type"))
    sensitivity: Sensitivity = _key(KIND_OF_DATA, texts(fields, "@type", 3))
    kinds = tuple(KindId(kind) for kind in texts(fields, "dct:type", MOST_KINDS))
    return Category(shelf(fields["dct:identifier"]).kind, kinds, sensitivity)


def _entity(untrusted: Value) -> Entity:
    fields = shape(untrusted, ("@id", "@type", "dpv:hasIdentifier", "dpv:hasName", "dpv:hasContact"), ("schema:roleName",))
    return Entity(
        name=text(fields, "dpv:hasName", 120),
        identifier=checked_id(fields["dpv:hasIdentifier"]),
        role=text(fields, "schema:roleName", 40) if "schema:roleName" in fields else "",
        contact=text(fields, "dpv:hasContact", 300),
    )


def _change(untrusted: Value) -> Change:
    fields = shape(
        untrusted,
        ("@type", "dpv:isIndicatedAtTime", "dpv:hasDuration", "dpv:isIndicatedBy", "dpv:hasIndicationMethod"),
    )
    said = dict(one.partition(":")[::2] for one in texts(fields, "dpv:hasIndicationMethod", 5))
    status = texts(fields, "@type", 2)
    if not status or said.get("shown") not in set("123456789"):
        raise Malformed("a change has a state, and says how many times it was shown")
    state: GrantState = _key(STATUS, status[0])
    return Change(
        state=state,
        at=parse_instant(text(fields, "dpv:isIndicatedAtTime", 20)),
        until=_lasting(fields["dpv:hasDuration"]),
        method=_key({method: method.value for method in Method}, said.get("method", "")),
        kiosk=KioskId(checked_id(said["kiosk"])) if "kiosk" in said else None,
        interpreter="interpreter" in said,
        witness=WorkerId(checked_id(said["witness"])) if "witness" in said else None,
        shown=int(said["shown"]),
    )


def _lasting(untrusted: Value) -> date | None:
    fields = shape(untrusted, ("@type",), ("rdf:value",))
    return day(fields, "rdf:value") if "rdf:value" in fields else None


def _key(table: Mapping[Key, object], written: object) -> Key:
    for key, word in table.items():
        if word == written:
            return key
    raise Malformed("a word that the vocabulary does not have here")


def _list(fields: Mapping[str, Value], name: str, most: int) -> list[Value]:
    value = fields[name]
    if not isinstance(value, list) or len(value) > most:
        raise Malformed(f"{name} is not a short list")
    return value


def _urn(fields: Mapping[str, Value], name: str) -> str:
    return checked_id(text(fields, name, 45).removeprefix("urn:uuid:"))


def _perhaps_urn(fields: Mapping[str, Value], name: str) -> str | None:
    return _urn(fields, name) if name in fields else None


def _digest(fields: Mapping[str, Value]) -> bytes:
    written = text(fields, "dct:source", 57).removeprefix("ni:///sha-256;")
    try:
        return urlsafe_b64decode(written + "=")
    except ValueError:
        raise Malformed("dct:source is not a digest") from None
