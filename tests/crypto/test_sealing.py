"""Sealing, posting, and a first byte that lets the algorithms change (law R20)."""

from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from crypto import kem, keys, sealing
from crypto.errors import Undecryptable
from tests.crypto.places import ROW, vault

INFO = b"abri/v1/test\x00{}"


@given(st.binary(max_size=2000))
def test_a_value_is_81_bytes_longer_sealed_and_1217_posted(plaintext: bytes) -> None:
    key, seed = keys.ValuesKey.random(), keys.KemSeed.random()
    sealed = sealing.seal(key, INFO, plaintext)
    posted = sealing.post(kem.public_key(seed), vault(ROW, INFO), INFO, plaintext)
    assert len(sealed) == len(plaintext) + 81
    assert len(posted) == len(plaintext) + 1217
    assert sealing.unseal(key, INFO, sealed) == plaintext
    assert sealing.open_post(seed, vault(ROW, INFO), INFO, posted) == plaintext
    assert sealing.open_post(kem.KemPrivate(seed), vault(ROW, INFO), INFO, posted) == plaintext


def test_nothing_is_sealed_twice_alike() -> None:
    key = keys.ValuesKey.random()
    assert sealing.seal(key, INFO, b"x") != sealing.seal(key, INFO, b"x")


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_texts_of_like_length_look_alike(text: str) -> None:
    key = keys.ValuesKey.random()
    sealed = sealing.seal_text(key, INFO, text)
    assert sealing.unseal_text(key, INFO, sealed) == text
    assert len(sealed) - 81 in {64, 256, 1024, 2048}


def test_texts_and_fields_can_be_posted() -> None:
    seed, vaulted = keys.KemSeed.random(), vault(ROW, INFO)
    public = kem.public_key(seed)
    posted = sealing.post_text(public, vaulted, INFO, "Awa")
    assert sealing.open_posted_text(seed, vaulted, INFO, posted) == "Awa"
    posted = sealing.post_value(public, vaulted, INFO, {"a": [1, True]})
    assert sealing.open_posted_value(seed, vaulted, INFO, posted) == {"a": [1, True]}


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(33)])
def test_a_key_of_another_length_is_a_mistake(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.seal(key, INFO, b"x")
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.unseal(key, INFO, bytes(100))
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.post(kem.public_key(keys.KemSeed.random()), key, INFO, b"x")


@pytest.fixture
def a_second_version(monkeypatch: pytest.MonkeyPatch) -> sealing.Scheme:
    """Tomorrow: other hash, other cipher, other key exchange."""
    scheme = sealing.Scheme(2, SHA512, AESGCM, Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA512, AEAD.AES_256_GCM))
    monkeypatch.setattr(sealing, "SCHEMES", MappingProxyType({**sealing.SCHEMES, 2: scheme}))
    return scheme


def test_the_algorithms_can_change_and_the_old_still_opens(
    a_second_version: sealing.Scheme, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, seed, vaulted = keys.ValuesKey.random(), keys.KemSeed.random(), vault(ROW, INFO)
    public = kem.public_key(seed)
    old, old_post = sealing.seal(key, INFO, b"Awa"), sealing.post(public, vaulted, INFO, b"Awa")
    assert not sealing.outdated(old)

    monkeypatch.setattr(sealing, "CURRENT", a_second_version.version)
    assert sealing.outdated(old)
    assert sealing.unseal(key, INFO, old) == b"Awa"
    assert sealing.open_post(seed, vaulted, INFO, old_post) == b"Awa"

    new = sealing.seal(key, INFO, sealing.unseal(key, INFO, old))
    new_post = sealing.post(public, vaulted, INFO, sealing.open_post(seed, vaulted, INFO, old_post))
    assert (old[0], new[0], old_post[0], new_post[0]) == (1, 2, 1, 2)
    assert not sealing.outdated(new)
    assert sealing.unseal(key, INFO, new) == b"Awa"
    assert sealing.open_post(seed, vaulted, INFO, new_post) == b"Awa"
    for claimed in (b"\x01" + new[1:], b"\x02" + old[1:]):
        with pytest.raises(Undecryptable):
            sealing.unseal(key, INFO, claimed)


def test_an_unknown_version_is_refused() -> None:
    key = keys.ValuesKey.random()
    sealed = sealing.seal(key, INFO, b"Awa")
    for version in range(256):
        if version not in sealing.SCHEMES:
            with pytest.raises(Undecryptable):
                sealing.unseal(key, INFO, bytes([version]) + sealed[1:])
            with pytest.raises(Undecryptable):
                sealing.outdated(bytes([version]) + sealed[1:])


def test_one_sealed_value_has_one_key() -> None:
    """The commitment: of two keys that would both authenticate, only the one it names opens."""
    one, other, salt = keys.ValuesKey.random(), keys.ValuesKey.random(), bytes(32)
    scheme = sealing.SCHEMES[1]
    mine, theirs = scheme.seal(one, INFO, b"mine", salt), scheme.seal(other, INFO, b"theirs", salt)
    with pytest.raises(Undecryptable):
        sealing.unseal(other, INFO, mine[:65] + theirs[65:])
    assert sealing.unseal(other, INFO, mine[:33] + theirs[33:]) == b"theirs"
