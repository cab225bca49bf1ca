"""Anything flipped, cut, lengthened, moved or planted: one opaque refusal, whatever the format."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import circle, contexts, envelope, kem, keys, sealing, trace, unlock
from crypto.errors import CryptoError, Undecryptable
from tests.crypto.places import (
    GRANT,
    PERSON,
    ROW,
    SHELF_PLACE,
    VERSION_PLACE,
    WORKER,
    Sealed,
    sealed_formats,
    vault,
)

FORMATS = {sealed.name: sealed for sealed in sealed_formats()}
every_format = pytest.mark.parametrize("sealed", FORMATS.values(), ids=FORMATS)


@every_format
def test_it_opens_where_it_was_sealed(sealed: Sealed) -> None:
    assert sealed.open(sealed.data) == sealed.content


@every_format
def test_every_byte_counts(sealed: Sealed) -> None:
    for place in range(len(sealed.data)):
        flipped = bytearray(sealed.data)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(Undecryptable) as refusal:
            sealed.open(bytes(flipped))
        assert str(refusal.value) == "this cannot be opened"


@every_format
@given(data=st.data())
def test_cut_or_lengthened_it_does_not_open(sealed: Sealed, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(sealed.data) - 1))
    more = data.draw(st.binary(min_size=1, max_size=40))
    for other in (sealed.data[:end], sealed.data[end + 1 :], sealed.data + more, more + sealed.data):
        with pytest.raises(Undecryptable):
            sealed.open(other)


@every_format
def test_moved_it_does_not_open(sealed: Sealed) -> None:
    opened = []
    for how, open_wrongly in sealed.wrongly.items():
        with contextlib.suppress(Undecryptable):
            open_wrongly(sealed.data)
            opened.append(how)
    assert not opened


@every_format
def test_no_format_opens_as_another(sealed: Sealed) -> None:
    for other in FORMATS.values():
        if other is not sealed:
            with pytest.raises(Undecryptable):
                sealed.open(other.data)


@every_format
@given(noise=st.binary(max_size=2000))
def test_noise_is_refused_alike(sealed: Sealed, noise: bytes) -> None:
    with pytest.raises(Undecryptable):
        sealed.open(noise)


@given(planted=st.binary(max_size=200))
def test_planted_with_public_keys_only(planted: bytes) -> None:
    """Who holds public keys and the vault's answers may post anything: what is no key is refused like the rest."""
    if len(planted) == 32:
        planted += b"!"
    seed = keys.ShelfSeed.random()
    public = kem.public_key(seed)
    wrap = contexts.wrap(**SHELF_PLACE, paper=VERSION_PLACE["paper"], version=VERSION_PLACE["version"])  # type: ignore[arg-type]  # two tables of fields, joined
    vaulted = vault(ROW, wrap)
    posted = sealing.post(public, vaulted, wrap, planted)
    with pytest.raises(Undecryptable):
        envelope.open_deposit(seed, vaulted, wrap, posted)
    grant = contexts.grant(grant=GRANT, person=PERSON, worker=WORKER)
    posted = sealing.post(public, vault(ROW, grant), grant, planted)
    with pytest.raises(Undecryptable):
        envelope.open_posted_grant_body(seed, vault(ROW, grant), grant, posted)
    with pytest.raises(Undecryptable):
        sealing.open_posted_text(seed, vault(ROW, grant), grant, posted)


def test_a_text_that_is_not_utf8_is_refused_alike() -> None:
    key, info = keys.ValuesKey.random(), contexts.name(person=PERSON, id=GRANT)
    with pytest.raises(Undecryptable):
        sealing.unseal_text(key, info, sealing.seal(key, info, b"\0\0\0\1\xff" + bytes(59)))


def test_a_destroyed_row_closes_what_was_posted_through_it() -> None:
    seed, key = keys.KemSeed.random(), keys.TraceKey.random()
    place = contexts.trace_key(session=GRANT, party=PERSON)
    posted = trace.post_trace_key(kem.public_key(seed), vault(ROW, place), place, key)
    assert trace.open_trace_key(seed, vault(ROW, place), place, posted) == key
    for guess in (bytes(32), ROW, bytes(seed), vault(ROW, b"")):
        with pytest.raises(Undecryptable):
            trace.open_trace_key(seed, guess, place, posted)


def test_the_two_halves_of_a_cut_must_be_of_one_set() -> None:
    recovery = keys.RecoverySecret.random()
    first, second = circle.cut(recovery, 2), circle.cut(recovery, 2)
    assert circle.join(first) == circle.join(second) == recovery
    assert circle.join((first[0], second[1])) != recovery


def test_the_refusals_are_one_family() -> None:
    with pytest.raises(CryptoError):
        unlock.Cost(1 << 30, 1)
    assert str(Undecryptable()) == "this cannot be opened"
