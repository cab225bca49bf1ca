"""The tree of the trace: the published vectors, every size to 64 by the definition, properties beyond, and one form of proof."""

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import merkle
from crypto.merkle import BadProof
from tests.crypto import tree_by_definition as definition

FOLDER = Path(__file__).parents[2].parent / "shared" / "vectors" / "merkle"
FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json")) if FOLDER.exists() else []
ENTRIES = [number.to_bytes(2, "big") * 3 for number in range(64)]
HASHES = [merkle.leaf_hash(entry) for entry in ENTRIES]


def nodes_of(hashes: list[bytes]) -> Callable[[int, int], bytes]:
    """Complete subtrees of a list, each computed once."""

    @cache
    def node(level: int, place: int) -> bytes:
        if level == 0:
            return hashes[place]
        assert (place + 1) << level <= len(hashes), "only complete subtrees exist"
        return merkle.node_hash(node(level - 1, 2 * place), node(level - 1, 2 * place + 1))

    return node


NODES = nodes_of(HASHES)


@pytest.mark.parametrize("name", FILES or ["none"])
def test_published_vectors(name: str) -> None:
    if not FILES:
        pytest.skip("needs the shared vectors beside the repository")
    told: dict[str, Any] = json.loads((FOLDER / name).read_text())
    proof = [base64.b64decode(one) for one in told["proof"] or []]

    def verify() -> None:
        if name.startswith("inclusion"):
            leaf, root = (base64.b64decode(told[key] or "") for key in ("leafHash", "root"))
            merkle.verify_inclusion(leaf, told["leafIdx"], told["treeSize"], proof, root)
        else:
            old, new = (base64.b64decode(told[key] or "") for key in ("root1", "root2"))
            merkle.verify_consistency(told["size1"], told["size2"], proof, old, new)

    if told["wantErr"]:
        with pytest.raises(BadProof):
            verify()
    else:
        verify()


def test_all_vectors_are_there() -> None:
    if not FILES:
        pytest.skip("needs the shared vectors beside the repository")
    assert len(FILES) == 102


@pytest.mark.parametrize("size", range(65))
def test_every_size_by_the_definition(size: int) -> None:
    entries, hashes = ENTRIES[:size], HASHES[:size]
    root = definition.mth(entries)
    assert merkle.root(hashes) == merkle.root_at(NODES, size) == root
    for index in range(size):
        proof = merkle.inclusion_proof(NODES, index, size)
        assert proof == definition.path(index, entries)
        merkle.verify_inclusion(hashes[index], index, size, proof, root)
        assert definition.root_from_path(hashes[index], index, size, proof) == root
        for other in {(index + 1) % size, size - 1 - index} - {index}:
            with pytest.raises(BadProof):
                merkle.verify_inclusion(hashes[index], other, size, proof, root)
    for old in range(size + 1):
        before = definition.mth(entries[:old])
        proof = merkle.consistency_proof(NODES, old, size)
        assert proof == definition.proof(old, entries)
        merkle.verify_consistency(old, size, proof, before, root)
        if 0 < old < size:
            assert definition.roots_from_proof(old, size, proof, before) == (before, root)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_beyond_sixty_four(data: st.DataObject) -> None:
    size = data.draw(st.integers(65, 3000))
    hashes = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    nodes, root = nodes_of(hashes), merkle.root(hashes)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    included, continued = merkle.inclusion_proof(nodes, index, size), merkle.consistency_proof(nodes, old, size)
    before = merkle.root(hashes[:old])
    merkle.verify_inclusion(hashes[index], index, size, included, root)
    merkle.verify_consistency(old, size, continued, before, root)
    assert definition.root_from_path(hashes[index], index, size, included) == root
    assert max(len(included), len(continued)) <= 2 * size.bit_length()
    where, bit = data.draw(st.integers(0, len(included) - 1)), data.draw(st.integers(0, 255))
    forged = list(included)
    forged[where] = (int.from_bytes(forged[where], "big") ^ (1 << bit)).to_bytes(32, "big")
    for wrong in (forged, included[:-1], [*included, root], included[::-1] if len(included) > 1 else []):
        if wrong != included:
            with pytest.raises(BadProof):
                merkle.verify_inclusion(hashes[index], index, size, wrong, root)


@given(st.lists(st.binary(min_size=0, max_size=40), max_size=70), st.integers(-2, 2**64), st.integers(-2, 2**64))
def test_nothing_else_escapes(proof: list[bytes], first: int, second: int) -> None:
    for verify in (
        lambda: merkle.verify_inclusion(HASHES[0], first, second, proof, HASHES[1]),
        lambda: merkle.verify_consistency(first, second, proof, HASHES[0], HASHES[1]),
    ):
        with pytest.raises(BadProof):
            verify()


def test_what_cannot_be_proven_is_not_asked() -> None:
    for index, size in ((-1, 4), (4, 4), (0, 0)):
        with pytest.raises(ValueError, match="not in a tree"):
            merkle.inclusion_proof(NODES, index, size)
    with pytest.raises(ValueError, match="no tree continues"):
        merkle.consistency_proof(NODES, 5, 4)
