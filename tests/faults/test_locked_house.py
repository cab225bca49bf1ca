"""Whoever holds all that the servers hold at rest, and no secret, reads nothing (`docs/formats.md`, the promise).

A whole life is lived in the house with texts that are known, until every column of sealed or other bytes holds something; then everything
is dumped, and every key that the dump gives is tried on every value. The same thief with one card and code reads that person's papers: so
the instrument works.
"""

import base64
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary

from consent.purposes import PurposeId
from consent.scope import Act
from crypto.circle import halve
from crypto.unlock import code_password, stretch
from storage import tables
from tests.engines import Engines, postgres_engines, sqlite_engines
from tests.faults import attack
from tests.faults.wide_life import IN_CLEAR, TOLD, Known, live_widely
from tests.vault import builders
from tests.vault.clock import Clock
from tests.vault.conftest import INCIDENT_SEED, context_on
from tests.vault.papers import SAID, keep
from vault import asking, cards, circles, documents, shared_papers, sharing
from vault.context import Context
from vault.errors import WrongSecret
from vault.settings import insecure_fast_kdf, today_in_paris

pytestmark = pytest.mark.xdist_group("locked-house")  # one life and one thief serve most of its tests
NAME, TITLE, CONTENT, REASON, NOTE = (
    "Awa-qui-chante", "Avis-de-la-lune", "contenu-du-papier-connu", "une-raison-bien-a-elle", "a-montrer-au-guichet-7"
)  # fmt: skip
KNOWN = (NAME, TITLE, CONTENT, REASON, NOTE)
NEVER_FILLED: dict[str, str] = {}  # table.column: why no life fills it


@dataclass(frozen=True)
class Life:
    """Who lived it, and what was said, shown and typed besides."""

    awa: builders.MadePerson
    known: Known

    def lying_in(self, everything: bytes) -> list[str]:
        """Which of all that is known can be read in it."""
        texts = [*KNOWN, *(one for one in TOLD if one not in IN_CLEAR), *self.known.cards, *self.known.secrets]
        codes = [one for one in self.known.codes if re.search(rb"(?<![0-9a-f])%b(?![0-9a-f])" % one.encode(), everything)]
        return lying_in(everything, texts) + codes


def live(house: Context) -> Life:
    """Open, trust, keep, share, be looked at, refuse, lose an attempt; then all that others do in `tests.faults.wide_life`."""
    first, second = builders.make_office(house), builders.make_office(house, "ESI Le Canal")
    fatou, marc = builders.make_worker(house, first), builders.make_worker(house, second, "Marc")
    awa = builders.make_person(house, NAME, words=True, kiosk=first.kiosk)
    members = [circles.GuardianWorker(one.id, NAME, awa_drawing) for one, awa_drawing in ((fatou, "turtle"), (marc, "turtle"))]
    circles.set_circle(house, awa.session, awa.code, members, needed=2)
    paper = keep(house, awa.session, TITLE, "health", text=CONTENT)
    documents.note(house, awa.session, paper, NOTE)
    until = sharing.offer_limits(house, awa.session, fatou.id).default_until
    offer = sharing.Offer(
        purpose=PurposeId("other"), acts=frozenset({Act.SEE}), until=until, said=SAID, papers=(paper,), own_words=REASON, words=REASON,
    )  # fmt: skip
    grant = sharing.grant(house, awa.session, fatou.id, offer)
    builders.sign_in(house, fatou)
    assert [one.title for one in shared_papers.papers_shared(house, fatou.session, grant)] == [TITLE]
    asking.ask(house, fatou.session, grant, ["tax-notice"], PurposeId("other"), own_words=REASON)
    with pytest.raises(WrongSecret):
        builders.unlock(house, awa, code=builders.OTHER_CODE)
    session = builders.unlock(house, awa)
    (request,) = asking.waiting_for_me(house, session)
    asking.refuse(house, session, request.request)
    assert today_in_paris(house.clock()) <= until
    assert isinstance(house.clock, Clock)
    known = live_widely(house, house.clock, first, fatou, marc)
    known.of(awa)
    return Life(awa, known)


def forms(text: str) -> list[bytes]:
    """How a text might lie around."""
    raw = text.encode()
    return [raw, raw.hex().encode(), base64.b64encode(raw)[:-4], base64.urlsafe_b64encode(raw)[:-4], text.encode("utf-16-le")]


def lying_in(everything: bytes, texts: Iterable[str] = KNOWN) -> list[str]:
    """Which of these texts can be read in it."""
    return [text for text in texts if any(form in everything for form in forms(text))]


@dataclass(frozen=True)
class Lived:
    """A house after a life, dumped; and the thief who has tried all that the dump gives."""

    awa: builders.MadePerson
    life: Life
    dump: attack.Dump
    thief: attack.Thief


@contextmanager
def life(engines: Engines, folder: Path) -> Iterator[Lived]:
    """One life on these engines, and one thief for the tests that only look at them; each gives what it adds to a twin of the thief."""
    with attack.tapped() as infos:
        house = context_on(engines, folder, Clock())
        one = live(house)
        dump = attack.take(house)
        yield Lived(one.awa, one, dump, attack.Thief(dump, infos).work())


@pytest.fixture(scope="module")
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """On SQLite and a folder."""
    folder = tmp_path_factory.mktemp("lived")
    with sqlite_engines(request, folder) as engines, life(engines, folder) as one:
        yield one


@pytest.fixture(scope="module")
def lived_afar(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """On PostgreSQL and S3."""
    folder = tmp_path_factory.mktemp("lived")
    with postgres_engines(request, folder) as engines, life(engines, folder) as one:
        yield one


@pytest.fixture(params=["lived", pytest.param("lived_afar", marks=[pytest.mark.postgres, pytest.mark.s3])])
def anywhere(request: pytest.FixtureRequest) -> Lived:
    """Either. Two fixtures and no parameter of one: tests in random order would make each life several times."""
    one: Lived = request.getfixturevalue(request.param)
    return one


def test_no_known_text_lies_in_the_stores(anywhere: Lived) -> None:
    everything = attack.raw(anywhere.dump)
    assert len(everything) > 50_000
    assert anywhere.life.lying_in(everything) == []
    known = anywhere.life.known
    assert [key for key in (*known.keys, *known.bare) if key in everything or key.hex().encode() in everything] == []
    for text in (TITLE, known.cards[0], known.secrets[-1], known.codes[-1]):
        assert set(anywhere.life.lying_in(b"before " + text.encode() + b" after")) == {text}


def test_every_column_of_bytes_was_filled_and_tried(anywhere: Lived) -> None:
    """A store that stayed empty would prove nothing: a new column is filled by the life above, or excused by name."""
    every = {
        f"{table.name}.{column.name}": column.info["data"]
        for metadata in (tables.metadata, tables.vault_metadata, tables.tombstone_metadata)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    filled = {name for name, value in anywhere.dump.values if value}
    assert set(every) - filled == set(NEVER_FILLED)
    tried = {name for name, value in anywhere.dump.values if value in anywhere.thief.infos}
    rows = {"vault_rows.row", "vault_sessions.row"}  # they are what keys are made of
    assert {name for name, data in every.items() if data == "sealed"} - tried == rows


def test_no_known_text_lies_in_a_file_or_in_what_was_said_aloud(
    house: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    """Files as they are: pages that a deletion freed, logs of the databases, temporary files, standard output and error, logs."""
    caplog.set_level(0)
    places = [tmp_path, tmp_path / "temporary"]
    places[1].mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(places[1]))
    monkeypatch.setenv("SQLITE_TMPDIR", str(places[1]))
    one = live(house)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name.partition(".")[0] for path in files} >= {"main", "vault", "tombstones"}
    assert list(places[1].iterdir()) == []
    said = capfd.readouterr()
    everything = b"\n".join([*(path.read_bytes() for path in files), f"{said.out}{said.err}{caplog.text}".encode()])
    assert one.lying_in(everything) == []


def test_every_derivable_key_opens_nothing(anywhere: Lived) -> None:
    thief, dump = anywhere.thief, anywhere.dump
    sealed = [value for _, value in dump.values if value in thief.infos]
    assert len(sealed) > 100
    assert len(thief.keys) > 60
    # A post is tried with rows first, with keys only once one has opened it.
    assert thief.tried > len(thief.keys) * len(sealed) / 2
    assert thief.papers == {}
    # One thing opens, and is meant to: the seeds of six-digit codes, which guard pages and not keys.
    names = {name for name, value in dump.values if value in thief.opened}
    assert names <= {"workers.sealed_totp", "administrators.sealed_totp"}


def test_the_same_thief_with_the_account_secret_reads_that_safe(anywhere: Lived) -> None:
    """The instrument can fail: with one account secret everything of that person opens, and the known texts come out."""
    thief = anywhere.thief.twin().work([bytes(anywhere.awa.secret)])
    found = b"\n".join([*thief.opened.values(), *thief.papers.values()])
    assert [text for text in KNOWN if text.encode() not in found] == []


def test_the_same_thief_with_all_accounts_reads_all_that_was_told(lived: Lived) -> None:
    """It was there to be found: with everybody's account secret, and what the workers' sessions hold, each known text comes out."""
    thief = lived.thief.twin().work(lived.life.known.keys)
    found = b"\n".join([*thief.opened.values(), *thief.papers.values()])
    assert {text for text in TOLD if text.encode() not in found} == IN_CLEAR


def test_the_same_thief_with_a_card_and_its_code_reads_that_safe(lived: Lived) -> None:
    """What the card and the code are stretched to goes through both rows of the key vault, then opens the slot and all behind it."""
    awa = lived.awa
    password = code_password(cards.read(awa.card), awa.code)
    stretched = [stretch(password, salt, insecure_fast_kdf()) for salt in lived.dump.salts.values()]
    thief = lived.thief.twin().work(stretched)
    assert bytes(awa.secret) in thief.opened.values()
    assert CONTENT.encode() in b"\n".join(thief.papers.values())


def test_half_of_the_incident_key_is_no_key(lived: Lived) -> None:
    """One structure alone cannot read who touched which safe; both halves together can (G15)."""
    half, other = halve(INCIDENT_SEED)
    alone = lived.thief.twin().work([bytes(half)])
    assert alone.opened.keys() == lived.thief.opened.keys()
    both = alone.work([bytes(a ^ b for a, b in zip(half, other, strict=True))])
    assert any(b'"tag":"safe.opened-first"' in plain for plain in both.opened.values())
    assert not any(text.encode() in plain for text in KNOWN for plain in both.opened.values())
    assert both.papers == {}
