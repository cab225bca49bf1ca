"""Our own vectors: made by one program, read again by a second one that knows only the page."""

import ast
import copy
import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto import contexts, keys, sealing, unlock
from tests.vectors import make, page, second_reading

SHARED = Path(__file__).parents[2].parent / "shared" / "vectors" / "abri" / "keys.json"
VECTORS = make.read()

# What a vector says for the reader, or where one letter more does not change what is derived
_UNREAD = {("slot words", "card"), ("slot passphrase", "card"), ("slot recovery", "card"), ("slot prf", "card")}


def test_the_code_still_makes_every_vector() -> None:
    assert make.build(VECTORS) == VECTORS


@pytest.mark.parametrize("name", VECTORS)
def test_the_second_program_reads_the_same(name: str) -> None:
    second_reading.reading_of(name)(VECTORS[name])


def test_the_second_program_imports_nothing_of_the_first() -> None:
    tree = ast.parse(Path(second_reading.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    roots = {(module or "").split(".")[0] for module in imported}
    assert roots <= {"cryptography"} | set(sys.stdlib_module_names)


def _changed(value: Any) -> Iterator[Any]:
    """The same value with one sign changed, once for each place worth changing."""
    if isinstance(value, str):
        if value:
            yield value[:-1] + ("1" if value[-1] != "1" else "2")
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in _changed(inner))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: other} for other in _changed(inner))


@pytest.mark.parametrize("name", VECTORS)
def test_the_second_program_notices_any_change(name: str) -> None:
    vector, noticed = VECTORS[name], 0
    for field in vector:
        if (name, field) in _UNREAD or (field == "assist_secret" and "assist" not in name):
            continue
        for other in _changed(vector[field]):
            with pytest.raises(second_reading.REFUSALS):
                second_reading.reading_of(name)({**copy.deepcopy(vector), field: other})
            noticed += 1
    assert noticed


def test_every_label_has_a_vector() -> None:
    labels = {vector["label"] for name, vector in VECTORS.items() if name.startswith("context ")}
    functions = {
        name.replace("_", "-")
        for name, thing in vars(contexts).items()
        if callable(thing) and getattr(thing, "__module__", "") == contexts.__name__ and not name.startswith("_")
    }
    types = {name for name in functions if name.endswith("Context")}
    assert labels == functions - types - {"uuid", "decimal"}


def test_the_page_shows_the_vectors_as_they_are() -> None:
    written = page.PAGE.read_text()
    assert page.with_vectors(written, VECTORS) == written
    shown = set(page.names(written))
    assert len(shown) == len(page.names(written))
    # Of the families the page shows some; of the formulas, every one.
    families = tuple(second_reading.FAMILIES)
    assert {name for name in VECTORS if not name.startswith(families)} <= shown


def test_the_page_names_every_label() -> None:
    written = page.PAGE.read_text()
    for vector in VECTORS.values():
        if "label" in vector:
            assert f"`{vector['label']}`" in written


@pytest.mark.skipif(not SHARED.exists(), reason="put the published vectors in ../shared/vectors/abri")
def test_the_published_vectors() -> None:
    published = json.loads(SHARED.read_text())
    slot, file, unhex = published["slot"], published["file"], bytes.fromhex
    cost = unlock.Cost(int(slot["m"]), int(slot["t"]))
    place = unlock.slot_context(slot["account"], slot["slot"], unlock.Kind(slot["kind"]), cost)
    assert place.hex() == slot["info"]
    salt = unhex(slot["salt"])
    h = unlock.stretch(unlock.code_password(keys.CardSecret(unhex(slot["card"])), slot["code"]), salt, cost)
    assert h == unhex(slot["h"])
    rows = [hmac.digest(unhex(slot[row]), place, "sha256") for row in ("person_row", "slot_row")]
    kek = unlock.kek(h, rows[0], rows[1], salt, place)
    assert kek == unhex(slot["kek"])
    sealed = sealing.SCHEMES[1].seal(kek, place, unhex(slot["account_secret"]), unhex(slot["seal_salt"]))
    assert hashlib.sha256(sealed).hexdigest() == slot["sealed_sha256"]
    assert unlock.open_slot(kek, place, sealed) == unhex(slot["account_secret"])

    fc = contexts.file(person=file["person"], paper=file["paper"], version=file["version"])
    vaulted = hmac.digest(unhex(file["person_row"]), fc, "sha256")
    derived = keys.file_keys(keys.FileSecret(unhex(file["file_secret"])), vaulted, fc)
    assert derived.age_file_key == unhex(file["age_file_key"])
    assert derived.card_key == unhex(file["card_key"])
    assert derived.commitment.hex() == file["commitment"]
