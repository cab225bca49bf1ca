"""Entries of the trace: sealed for each party they concern, found by a tag only the vault can compute."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

from crypto import contexts
from crypto.canonical import Value
from crypto.contexts import TraceContext, TraceKeyContext
from crypto.errors import Undecryptable
from crypto.kem import KemPrivate, KemPublic
from crypto.keys import KemSeed, TraceKey
from crypto.sealing import VAULTED_BYTES, open_post, post, seal_value, unseal, unseal_value

TAG_BYTES = 16

_LEAF_VERSION = b"\x01"
_DIGEST = 32


def post_trace_key(party: KemPublic, vaulted: bytes, place: TraceKeyContext, key: TraceKey) -> bytes:
    """Give a session's trace key to one party. `vaulted`: the person's row (the worker's for theirs)."""
    return post(party, vaulted, place, key)


def open_trace_key(seed: KemSeed | KemPrivate, vaulted: bytes, place: TraceKeyContext, sealed: bytes) -> TraceKey:
    """Take a trace key, or raise Undecryptable."""
    return TraceKey.opened(open_post(seed, vaulted, place, sealed))


def is_posted(vaulted: bytes, place: TraceKeyContext, sealed: bytes) -> bool:
    """Whether this was posted through that row of the key vault, to whomever: what somebody else wrote there was not."""
    try:
        unseal(vaulted, place, sealed)
    except Undecryptable:
        return False
    return True


def seal_event(key: TraceKey, place: TraceContext, event: Mapping[str, Value]) -> bytes:
    """Seal one event for one party, type and exact time inside, its length hidden."""
    return seal_value(key, place, event)


def open_event(key: TraceKey, place: TraceContext, sealed: bytes) -> dict[str, Value]:
    """Read one event, or raise Undecryptable."""
    return unseal_value(key, place, sealed)


def tag(vaulted: bytes) -> bytes:
    """Cut the vault's answer to `contexts.trace_tag(month)` into the tag that entries of that month are found by."""
    if len(vaulted) != VAULTED_BYTES:
        raise ValueError("the key vault answers 32 bytes")
    return vaulted[:TAG_BYTES]


def digest(envelope: bytes | None) -> bytes:
    """Hash one party's envelope for the leaf (SHA-256); zeros when the party has none."""
    return bytes(_DIGEST) if envelope is None else hashlib.sha256(envelope).digest()


def leaf(entry: str, person: bytes | None, worker: bytes | None, incident: bytes | None) -> bytes:
    """Write an entry's leaf from the envelopes of its parties; 113 bytes."""
    return leaf_of_digests(entry, digest(person), digest(worker), digest(incident))


def leaf_of_digests(entry: str, person: bytes, worker: bytes, incident: bytes) -> bytes:
    """Write an entry's leaf: 0x01, its id (16 bytes), the digest of each party's envelope.

    Digests and not envelopes, so that one party's copy can be erased alone and the tree still verifies.
    """
    if not len(person) == len(worker) == len(incident) == _DIGEST:
        raise ValueError("a digest is 32 bytes")
    return _LEAF_VERSION + UUID(contexts.uuid(entry)).bytes + person + worker + incident
