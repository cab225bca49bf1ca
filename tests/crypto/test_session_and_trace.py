"""A cookie's session, and the entries of the trace."""

import hashlib

import pytest

from crypto import contexts, keys, session, trace
from crypto.errors import Undecryptable
from tests.crypto.places import ACCOUNT, ENTRY, OTHER, OTHER_ROW, PERSON, ROW, SESSION, SLOT, vault

PLACE = contexts.session(session=SESSION, account=ACCOUNT, slot=SLOT)


def test_a_session_needs_its_cookie_and_its_row() -> None:
    token, of = keys.SessionToken.random(), keys.AccountKeys.random()
    key = session.session_key(token, vault(ROW, PLACE), PLACE)
    sealed = session.seal_session(key, PLACE, of)
    assert session.open_session(session.session_key(token, vault(ROW, PLACE), PLACE), PLACE, sealed) == of
    wrong = [
        session.session_key(keys.SessionToken.random(), vault(ROW, PLACE), PLACE),
        session.session_key(token, vault(OTHER_ROW, PLACE), PLACE),
    ]
    for other in wrong:
        with pytest.raises(Undecryptable):
            session.open_session(other, PLACE, sealed)


def test_what_finds_a_session_does_not_open_it() -> None:
    token = keys.SessionToken.random()
    lookup = session.session_lookup(token)
    assert len(lookup) == 32
    assert lookup != session.session_lookup(keys.SessionToken.random())
    key = session.session_key(token, vault(ROW, PLACE), PLACE)
    sealed = session.seal_session(key, PLACE, keys.AccountKeys.random())
    with pytest.raises(Undecryptable):
        session.open_session(keys.SessionKey(lookup), PLACE, sealed)
    with pytest.raises(Undecryptable):
        session.open_session(session.session_key(keys.SessionToken(lookup), vault(ROW, PLACE), PLACE), PLACE, sealed)
    with pytest.raises(ValueError, match="vault"):
        session.session_key(token, b"", PLACE)


def test_an_assisted_session_is_no_full_one() -> None:
    key, seed = keys.SessionKey.random(), keys.KemSeed.random()
    assisted = session.seal_assisted_session(key, PLACE, seed)
    assert session.open_assisted_session(key, PLACE, assisted) == seed
    with pytest.raises(Undecryptable):
        session.open_session(key, PLACE, assisted)
    with pytest.raises(Undecryptable):
        session.open_assisted_session(key, PLACE, session.seal_session(key, PLACE, keys.AccountKeys.random()))


def test_events_of_like_length_look_alike() -> None:
    key, place = keys.TraceKey.random(), contexts.trace(entry=ENTRY, party=PERSON)
    long, short = (trace.seal_event(key, place, {"type": kind}) for kind in ("withdrawn", "opened"))
    assert len(long) == len(short)
    assert trace.open_event(key, place, short) == {"type": "opened"}


def test_a_tag_says_the_month_to_who_holds_the_row() -> None:
    november, december = (contexts.trace_tag(month=month) for month in (202611, 202612))
    tags = {trace.tag(vault(row, month)) for row in (ROW, OTHER_ROW) for month in (november, december)}
    assert len(tags) == 4
    assert {len(tag) for tag in tags} == {16}
    with pytest.raises(ValueError, match="vault"):
        trace.tag(b"short")


def test_a_leaf_stays_when_one_copy_is_erased() -> None:
    leaf = trace.leaf(ENTRY, b"p", b"w", b"i")
    assert len(leaf) == 113
    digests = [hashlib.sha256(envelope).digest() for envelope in (b"p", b"w", b"i")]
    assert trace.leaf_of_digests(ENTRY, *digests) == leaf
    others = {trace.leaf(ENTRY, None, b"w", b"i"), trace.leaf(ENTRY, b"w", b"p", b"i"), trace.leaf(OTHER, b"p", b"w", b"i")}
    assert leaf not in others
    assert len(others) == 3
    with pytest.raises(ValueError, match="32"):
        trace.leaf_of_digests(ENTRY, b"", *digests[1:])
    with pytest.raises(ValueError, match="UUID"):
        trace.leaf(ENTRY.upper().replace("0", "F"), None, None, None)
