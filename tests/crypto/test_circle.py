"""Who may bring somebody back, and what each of them holds."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import circle, kem, keys
from crypto.circle import Member, allowed_sets

members = st.lists(st.sampled_from(["un", "deux", "trois", None]), max_size=5).map(
    lambda structures: [Member(f"m{place}", structure) for place, structure in enumerate(structures)]
)


@given(members, st.sampled_from([2, 3]))
def test_the_rule_of_allowed_sets(of: list[Member], k: int) -> None:
    structure = {member.id: member.structure for member in of}
    structures = {one for one in structure.values() if one}
    allowed = set(allowed_sets(of, k))
    for chosen in itertools.combinations(sorted(structure), k):
        theirs = [structure[member] for member in chosen]
        sheets_alone = not any(theirs)
        within_one = all(theirs) and len(set(theirs)) == 1
        refused = (sheets_alone and structures) or (within_one and len(structures) >= 2)
        assert (chosen in allowed) != bool(refused)
    assert list(allowed_sets(of, k)) == sorted(allowed)
    assert allowed_sets(list(reversed(of)), k) == allowed_sets(of, k)


@pytest.mark.parametrize(
    ("of", "k", "sets"),
    [
        ([("fatou", "tilleuls"), ("marc", "canal")], 2, [("fatou", "marc")]),
        ([("fatou", "tilleuls"), ("ines", "tilleuls")], 2, [("fatou", "ines")]),
        ([("fatou", "tilleuls"), ("ines", "tilleuls"), ("marc", "canal")], 2, [("fatou", "marc"), ("ines", "marc")]),
        ([("s1", None), ("s2", None)], 2, [("s1", "s2")]),
        ([("fatou", "tilleuls"), ("s1", None), ("s2", None)], 2, [("fatou", "s1"), ("fatou", "s2")]),
        ([("fatou", "tilleuls")], 2, []),
        ([("s1", None), ("s2", None), ("fatou", "tilleuls")], 3, [("fatou", "s1", "s2")]),
    ],
)
def test_some_circles(of: list[tuple[str, str | None]], k: int, sets: list[tuple[str, ...]]) -> None:
    assert list(allowed_sets([Member(*member) for member in of], k)) == sets


def test_what_is_no_circle() -> None:
    six = [Member(str(number), None) for number in range(6)]
    for of, k, why in ((six, 2, "five"), (six[:2], 1, "two or three"), (six[:5], 4, "two or three"), ([six[0]] * 2, 2, "once")):
        with pytest.raises(ValueError, match=re.escape(why)):
            allowed_sets(of, k)


@given(st.binary(min_size=32, max_size=32).map(keys.RecoverySecret), st.integers(2, 5))
def test_all_the_parts_and_no_fewer(secret: keys.RecoverySecret, parts: int) -> None:
    cut = circle.cut(secret, parts)
    assert len(cut) == parts
    assert circle.join(cut) == circle.join(list(reversed(cut))) == secret
    for missing in range(parts):
        assert circle.join([*cut[:missing], *cut[missing + 1 :]]) != secret
    assert circle.cut(secret, parts) != cut


def test_one_part_is_no_cut() -> None:
    with pytest.raises(ValueError, match="two"):
        circle.cut(keys.RecoverySecret.random(), 1)


def test_the_incident_key_in_two_halves() -> None:
    seed = keys.KemSeed.random()
    first, second = circle.halve(seed)
    assert circle.rejoin(first, second) == circle.rejoin(second, first) == seed
    assert first != second
    assert seed not in (first, second)


def test_a_sheet_is_a_key_pair() -> None:
    sheet = keys.SheetSecret.random()
    assert circle.sheet_seed(sheet) == circle.sheet_seed(sheet) != circle.sheet_seed(keys.SheetSecret.random())
    assert len(kem.public_key(circle.sheet_seed(sheet))) == kem.PUBLIC_BYTES
