"""The file behind the public statement: every requirement of the table once, and each shown by a test that is really there."""

import ast
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import Malformed
from vault import accessibility
from vault.accessibility import Conformity, State
from vault.languages import read_catalogues

ROOT = Path(__file__).parents[2]
TABLE = ROOT.parent / "shared" / "design" / "kiosk.md"
# How many of each family the table has, numbered from 1: it is read too where it lies beside the repository.
ROWS = {"A11Y": 13, "TXT": 7, "AUD": 2, "L10N": 8, "AUTH": 11, "SAFE": 14, "CAP": 8, "WRK": 10, "ADM": 8, "PERF": 3}


@lru_cache
def named_in(file: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


def lost(shown_by: tuple[str, ...]) -> list[str]:
    """What is named and does not exist."""
    found = []
    for one in shown_by:
        file, _, test = one.partition("::")
        if not (ROOT / file).exists() or (test not in named_in(file) if test else not file.startswith("bench/")):
            found.append(one)
    return found


def test_every_requirement_of_the_table_is_there_once_and_no_other() -> None:
    ids = [one.id for one in accessibility.statement().requirements]
    assert ids == [f"{family}-{number:02}" for family, last in ROWS.items() for number in range(1, last + 1)]
    if TABLE.exists():
        assert ids == re.findall(r"^\| ([A-Z0-9]+-\d\d) \|", TABLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("family", ROWS)
def test_each_names_tests_that_exist(family: str) -> None:
    rows = [one for one in accessibility.statement().requirements if one.id.startswith(f"{family}-")]
    assert {one.id: lost(one.shown_by) for one in rows if lost(one.shown_by)} == {}
    assert [one.id for one in rows if one.state is State.MET and not any("::" in test for test in one.shown_by)] == []


def test_the_search_for_a_lost_test_finds_one() -> None:
    assert lost(("tests/vault/test_accessibility.py::test_that_nobody_wrote", "tests/vault/gone.py::test_it", "docs/law.md")) == [
        "tests/vault/test_accessibility.py::test_that_nobody_wrote", "tests/vault/gone.py::test_it", "docs/law.md",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_what_the_page_tells_has_its_sentence_and_no_sentence_is_left_over(language: str) -> None:
    told = accessibility.statement()
    sentences = read_catalogues()[language]
    wanted = {f"access.{one.id}" for one in told.requirements if one.told} | {f"access.limit.{one}" for one in told.limits}
    said = {key for key in sentences.entries if re.fullmatch(r"access\.(limit\.\w+|[A-Z0-9]+-\d\d)", key)}
    assert said == wanted
    assert all(sentences.has(f"access.{part}.{one}") for part in ("state", "law", "link") for one in Conformity)


def as_file(**changed: Any) -> str:
    """The file with something else in it."""
    return json.dumps({**json.loads(accessibility.FILE.read_text(encoding="utf-8")), **changed})


ROW = {"id": "TXT-01", "asks": "one question a page", "state": "met", "shown_by": ["tests/x.py::test_y"]}


@pytest.mark.parametrize(
    "changed",
    [
        {"tested": "30/11/2026"},
        {"audit": {"day": "2026-11-30", "by": "x", "met": 101}},
        {"audit": {"day": "2026-11-30", "met": 50}},
        {"requirements": [{**ROW, "id": "TXT-1"}]},
        {"requirements": [{**ROW, "state": "nearly"}]},
        {"requirements": [{**ROW, "shown_by": []}]},
        {"requirements": [{**ROW, "since": "2026"}]},
        {"requirements": [ROW, ROW]},
        {"limits": "people"},
        {"more": 1},
    ],
)
def test_a_file_that_is_wrong_anywhere_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        accessibility.read(as_file(**changed))


def test_conformity_is_what_an_audit_found_and_nothing_without_one() -> None:
    def found(met: int) -> Conformity:
        return accessibility.read(as_file(audit={"day": "2027-02-01", "by": "Somebody", "met": met})).conformity

    assert accessibility.read(as_file(audit=None)).conformity is Conformity.NONE
    assert [found(met) for met in (49, 50, 99, 100)] == [
        Conformity.NONE, Conformity.PARTIAL, Conformity.PARTIAL, Conformity.FULL,
    ]  # fmt: skip
