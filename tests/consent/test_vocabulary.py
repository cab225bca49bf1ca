"""The vocabulary of receipts: the words that records use are exactly those that are listed, and each says where it was read.

That a term exists is read in the published file, by a person: ADR 0013 says why no test does it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from consent import record
from consent.grant import GrantState, narrow, refuse
from consent.purposes import SHELVES
from consent.receipt import (
    closed,
    opened,
    unshared,
)  # fmt: skip
from consent.record import Receipt
from consent.scope import Act
from consent.terms import Method
from tests.consent.examples import (
    AFTER,
    DATA,
    LATER,
    WORDS,
    body,
    endings,
    frame,
    how,
    record_id,
    row,
    shelf_scope,
    terms,
)  # fmt: skip


def words_in(value: object) -> Iterator[str]:
    term = re.compile("(?:" + "|".join(record.CONTEXT) + "):[A-Za-z0-9-]+")
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from words_in(name)
            yield from words_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words_in(inner)
    elif isinstance(value, str) and term.fullmatch(value):
        yield value


def every_record() -> Iterator[Receipt]:
    for kind in (drawer.kind for drawer in SHELVES if drawer.grantable):
        yield opened(frame(), body(chosen=terms(shelf_scope(), list(Act))), how(), {kind: []}, WORDS)
    first = body()
    second = narrow(first.row(), first, first.terms, at=LATER, salt=bytes(32))
    yield opened(frame(2, LATER, record_id(1)), second, how(heard=False), DATA, WORDS)
    for closing in endings().values():
        yield closed(frame(2, AFTER, record_id(1)), closing, how(Method.SERVICE))
    yield unshared(frame(), row(GrantState.REQUESTED, None), how())
    yield unshared(frame(), refuse(row(GrantState.REQUESTED, None)), how())


def test_the_list_of_terms_is_exactly_what_records_use() -> None:
    listed = json.loads((Path(record.__file__).parent / "dpv_terms.json").read_text(encoding="utf-8"))
    used = {word for made in every_record() for word in words_in(made.to_value())}
    assert listed["prefixes"] == dict(record.CONTEXT)
    assert set(listed["terms"]) == used
    for word, iri in listed["terms"].items():
        prefix, _, name = word.partition(":")
        assert iri == listed["prefixes"][prefix] + name


def test_each_term_of_the_privacy_vocabulary_says_where_it_is_published() -> None:
    listed = json.loads((Path(record.__file__).parent / "dpv_terms.json").read_text(encoding="utf-8"))
    published = [word for words in listed["published"]["modules"].values() for word in words]
    ours = [word for word in listed["terms"] if word.partition(":")[0] in ("dpv", "pd", "eu-gdpr")]
    assert sorted(published) == sorted(ours)  # each in one place, and none that no record uses
    where = re.compile(
        r"2\.2/(?:dpv|pd|legal/eu/gdpr)/modules/[a-z_]+\.csv@[0-9a-f]{40}"
    )  # which file of which edition, as it was read
    assert [place for place in listed["published"]["modules"] if not where.fullmatch(place)] == []
