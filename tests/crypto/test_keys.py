"""Keys that hide themselves, and how each comes out of the one above."""

import copy
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import contexts, kem, keys
from crypto.errors import Malformed, Undecryptable
from tests.crypto.places import ACCOUNT, OTHER, OTHER_ROW, PERSON, ROW, SHELF_PLACE, SLOT, VERSION_PLACE, vault

KINDS = [kind for kind in vars(keys).values() if isinstance(kind, type) and issubclass(kind, keys.SecretBytes)]
drawn = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.SIZE], ids=lambda kind: kind.__name__)


@drawn
def test_a_key_never_shows_its_bytes(kind: type[keys.SecretBytes]) -> None:
    secret = kind(bytes(range(0x41, 0x41 + (kind.SIZE or 0))))
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!s:>60}", repr([secret]), repr({"k": secret})]
    for text in shown:
        assert "ABCD" not in text
        assert "41424344" not in text
    with pytest.raises(TypeError):
        secret.hex()
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_a_traceback_shows_nothing() -> None:
    secret = keys.AccountSecret(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345")
    try:
        raise ValueError(secret)
    except ValueError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "ABCD" not in told


@drawn
def test_a_key_has_one_length(kind: type[keys.SecretBytes]) -> None:
    assert len(kind.random()) == kind.SIZE
    assert kind.random() != kind.random()
    for size in (0, (kind.SIZE or 0) - 1, (kind.SIZE or 0) + 1):
        with pytest.raises(ValueError, match=kind.__name__):
            kind(bytes(size))
        with pytest.raises(Undecryptable):
            kind.opened(bytes(size))


def test_a_password_has_any_length_and_is_never_drawn() -> None:
    assert len(keys.Password(b"abc")) == 3
    with pytest.raises(TypeError):
        keys.Password.random()


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_keys_are_compared_by_their_bytes(one: bytes, other: bytes) -> None:
    assert (keys.Kek(one) == keys.Kek(other)) == (one == other)
    assert keys.Kek(one) == one
    assert keys.Kek(one) != one.decode("latin-1")


def test_a_public_key_comes_from_its_seed_alone() -> None:
    seed = keys.KemSeed.random()
    assert kem.public_key(seed) == kem.public_key(seed) == kem.KemPrivate(seed).public
    assert len(kem.public_key(seed)) == kem.PUBLIC_BYTES
    assert kem.kem_public(kem.public_key(seed)) == kem.public_key(seed)


@pytest.mark.parametrize("wrong", [b"", bytes(kem.PUBLIC_BYTES - 1), bytes(kem.PUBLIC_BYTES + 1), b"\xff" * kem.PUBLIC_BYTES])
def test_what_is_no_public_key_is_refused(wrong: bytes) -> None:
    with pytest.raises(Malformed):
        kem.kem_public(wrong)


def test_a_point_of_low_order_gets_nothing() -> None:
    public = kem.public_key(keys.KemSeed.random())[:-32] + bytes(32)
    with pytest.raises(Malformed):
        kem.kem_public(public)


def test_a_seed_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="seed"):
        kem.KemPrivate(bytes(31))


def test_an_account_opens_with_its_secret() -> None:
    secret, of = keys.AccountSecret.random(), keys.AccountKeys.random()
    sealed = keys.seal_account_keys(secret, ACCOUNT, of)
    assert keys.open_account_keys(secret, ACCOUNT, sealed) == of
    swapped = keys.SealedAccountKeys(sealed.sign, sealed.kem, sealed.values)
    for key, account, what in (
        (keys.AccountSecret.random(), ACCOUNT, sealed),
        (secret, OTHER, sealed),
        (secret, ACCOUNT, swapped),
    ):
        with pytest.raises(Undecryptable):
            keys.open_account_keys(key, account, what)


def test_every_epoch_of_a_shelf_has_its_key() -> None:
    seed = keys.ShelfSeed.random()
    first = keys.shelf_key(seed, contexts.shelf_key(**SHELF_PLACE))  # type: ignore[arg-type]  # a table of fields
    second = keys.shelf_key(seed, contexts.shelf_key(**{**SHELF_PLACE, "epoch": 2}))  # type: ignore[arg-type]  # idem
    assert first != second


def test_the_keys_of_a_paper_need_the_persons_row() -> None:
    secret, place = keys.FileSecret.random(), contexts.file(**VERSION_PLACE)
    derived = keys.file_keys(secret, vault(ROW, place), place)
    assert derived == keys.file_keys(secret, vault(ROW, place), place)
    others = [
        keys.file_keys(secret, vault(OTHER_ROW, place), place),
        keys.file_keys(keys.FileSecret.random(), vault(ROW, place), place),
        keys.file_keys(secret, vault(ROW, place), contexts.file(**{**VERSION_PLACE, "version": OTHER})),
    ]
    for other in others:
        assert derived.age_file_key != other.age_file_key
        assert derived.card_key != other.card_key
        with pytest.raises(Undecryptable):
            keys.check_commitment(derived, other.commitment)
    keys.check_commitment(derived, derived.commitment)
    with pytest.raises(ValueError, match="vault"):
        keys.file_keys(secret, b"short", place)


@pytest.mark.parametrize(
    "wrong",
    [PERSON.upper().replace("0", "A"), PERSON[:-1], "{" + PERSON + "}", "", PERSON + "\n", "person"],
)
def test_an_id_is_a_lower_case_uuid(wrong: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        contexts.veto(slot=wrong)


def test_numbers_and_kinds_have_one_form() -> None:
    with pytest.raises(ValueError, match="counts"):
        contexts.shelf(person=PERSON, shelf=SLOT, epoch=-1)
    with pytest.raises(ValueError, match="counts"):
        contexts.shelf(person=PERSON, shelf=SLOT, epoch=True)
    with pytest.raises(ValueError, match="kind"):
        contexts.slot(account=ACCOUNT, slot=SLOT, kind="Card", m=0, t=0)
    for month in (0, 202600, 202613, 26_11):
        with pytest.raises(ValueError, match="month"):
            contexts.trace_tag(month=month)
