"""An origin is signed while its blob becomes durable: the same words, the same signature, and never one over other words."""

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select

from consent.purposes import ShelfKind
from crypto.canonical import instant
from crypto.keys import SignSeed
from crypto.signing import Signer, verify
from crypto.statements import Origin
from storage.tables import papers, versions
from tests.vault.builders import make_person
from tests.vault.clock import Clock
from vault import documents
from vault.context import Context
from vault.deposits import Ahead
from vault.incoming import Incoming
from vault.sessions import Session

PAPER = b"\xff\xd8\xff\xe0" + bytes(300_000)
AT = dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)
SAID = Origin(
    paper="00000000-0000-4000-8000-000000000001", version="00000000-0000-4000-8000-000000000002", previous="",
    depositor="00000000-0000-4000-8000-000000000003", kiosk="", time=instant(AT), commitment=bytes(32), ciphertext=bytes(32), view=b"",
)  # fmt: skip


def test_a_signature_made_before_is_over_the_words_that_were_foreseen_and_no_others() -> None:
    seed = SignSeed.random()
    ahead, public = Ahead(seed, SAID, AT), Signer(seed).public
    verify(public, SAID, ahead.sign(SAID))
    other = dataclasses.replace(SAID, previous="00000000-0000-4000-8000-000000000009")
    verify(public, other, ahead.sign(other))


def incoming(house: Context, session: Session, **more: object) -> Incoming:
    sink = Incoming(house, session, limit=1 << 20, **more)  # type: ignore[arg-type]  # what it replaces
    sink.write(PAPER)
    sink.finish()
    return sink


def test_what_streams_in_is_signed_for_the_moment_at_which_it_was_whole(any_house: Context, clock: Clock) -> None:
    session = make_person(any_house).session
    sink, whole = incoming(any_house, session), clock()
    clock.forward(seconds=90)
    paper = sink.keep(ShelfKind("money"), title="Avis")
    with any_house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(versions).where(versions.c.paper == paper)).mappings().one()
        assert connection.execute(select(papers.c.version)).scalar_one() == row["id"]
    assert Origin.parse(row["origin"]).time == instant(whole)
    assert row["deposited"] == whole
    with documents.open_paper(any_house, session, paper, "received") as content:  # its signature is verified here
        assert b"".join(content.chunks()) == PAPER


def test_a_newer_version_that_streams_in_names_the_one_before(any_house: Context) -> None:
    session = make_person(any_house).session
    first = incoming(any_house, session).keep(ShelfKind("money"), title="Avis")
    with any_house.database.transaction(read_only=True) as connection:
        before = connection.execute(select(papers.c.version)).scalar_one()
    assert incoming(any_house, session, replaces=first).keep(ShelfKind("money"), title="Avis") == first
    with any_house.database.transaction(read_only=True) as connection:
        query = select(versions.c.origin).join(papers, papers.c.version == versions.c.id)
        assert Origin.parse(connection.execute(query).scalar_one()).previous == before
    with documents.open_paper(any_house, session, first, "received") as content:
        assert content.size == len(PAPER)


def test_a_signature_that_fails_leaves_no_paper(house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_person(house).session

    def broken(_self: Signer, _said: object) -> bytes:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(Signer, "sign", broken)
        sink = incoming(house, session)
        with pytest.raises(RuntimeError):
            sink.keep(ShelfKind("money"))
    sink.abandon()
    assert list(house.blobs.inventory()) == []
    assert documents.list_papers(house, session) == []
