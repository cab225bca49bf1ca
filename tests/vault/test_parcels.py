"""Everything is taken away in one request, and brought in elsewhere without loss."""

import dataclasses
import datetime as dt
import html
import io
import itertools
import json
import re
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyrage import passphrase
from sqlalchemy import select, update

from consent.ids import PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from storage.tables import objects, tickets
from tests.engines import sqlite_engines
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.comings import face, set_circle
from tests.vault.conftest import context_on
from tests.vault.dying import Dead
from tests.vault.papers import SAID, keep, read
from tests.vault.scenes import sample
from vault import archive as zips
from vault import audit, bringing, documents, false_papers, parcels, portable, sharing
from vault.aftermath import AfterRecovery
from vault.bringing import Bringing
from vault.context import Context
from vault.errors import BadInput, NotAllowed, TicketGone
from vault.incoming import Incoming
from vault.intake import prepare
from vault.kinds import Finding, Kind
from vault.sharing import Offer


def lived(house: Context) -> tuple[MadePerson, list[PaperId]]:
    """A safe with papers of every sort: two versions, a note, one in the bin, one large, one share with its receipt."""
    office = make_office(house)
    fatou = make_worker(house, office)
    awa = make_person(house, "Awa", kiosk=office.kiosk)
    found = [keep(house, awa.session, f"Avis {number}", text=f"texte {number}", sort="tax-notice") for number in range(3)]
    keep(house, awa.session, "Avis 1 bis", text="plus récent", replaces=found[1])
    documents.note(house, awa.session, found[0], "à montrer lundi")
    documents.remove(house, awa.session, found[2])
    keep(house, awa.session, "Gros", text="lourd", shelf="private", size=300_000)
    until = house.clock().date() + dt.timedelta(days=30)
    offer = Offer(PurposeId("home"), frozenset({Act.SEE}), until, SAID, papers=(found[0],), words="un logement")
    sharing.grant(house, awa.session, fatou.id, offer)
    return awa, found


def taken(house: Context, person: MadePerson, way: parcels.Way = "usb") -> bytes:
    """The whole archive."""
    parcels.pack(house, person.session, way, "fr")
    return b"".join(parcels.waiting(house, person.session).blocks())


def opened(archive: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    """Its texts and its papers."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        assert zipped.testzip() is None
        content = {name: zipped.read(name) for name in zipped.namelist()}
    texts = {name: json.loads(text) for name, text in content.items() if name.endswith(".json")}
    return texts, {name: body for name, body in content.items() if name.startswith("papers/")}


def bring(house: Context, person: MadePerson, archive: bytes, size: int = 4096) -> bringing.Brought:
    """As the page does: piece after piece."""
    sink = Bringing(house, person.session)
    try:
        for at in range(0, len(archive), size):
            sink.write(archive[at : at + size])
        sink.finish()
    except BaseException:
        sink.abandon()
        raise
    return sink.brought


def test_one_request_gives_everything(any_reading_house: Context) -> None:
    """Received bytes, notes, contacts, shares, receipts, history, and a page without script; told beforehand, traced, no name outside."""
    house = any_reading_house
    awa, found = lived(house)
    guardians = [make_worker(house, make_office(house, f"ESI {name}"), name) for name in ("Marc", "Lina")]
    set_circle(house, awa, [face(one) for one in guardians])
    assert parcels.weight(house, awa.session)[0] == 4
    archive = taken(house, awa)
    parcel = parcels.waiting(house, awa.session)
    assert len(archive) == parcel.size
    texts, papers = opened(archive)
    assert texts[parcels.DAMAGED]["damaged"] == []
    told = {one["versions"][-1]["title"]: one for one in texts[portable.PAPERS]["papers"]}
    assert set(told) == {"Avis 0", "Avis 1 bis", "Avis 2", "Gros"}
    assert (told["Avis 0"]["note"], told["Avis 2"]["in_bin"], told["Gros"]["drawer"]) == ("à montrer lundi", True, "private")
    assert len(told["Avis 1 bis"]["versions"]) == 2
    assert papers[told["Avis 0"]["versions"][0]["file"]] == read(house, awa.session, found[0])
    assert texts[portable.ME]["name"] == "Awa"
    assert sorted(one["name"] for one in texts[portable.ME]["contacts"]) == ["Lina", "Marc"]
    assert len(texts[portable.SHARES]["shares"]) == len(texts[portable.RECEIPTS]["receipts"]) == 1
    assert {"safe.opened-first", "share.given", "safe.unlocked"} & {one["tag"] for one in texts[portable.HISTORY]["history"]}
    inside = zipfile.ZipFile(io.BytesIO(archive))
    page = inside.read(parcels.INDEX).decode()
    links = {html.unescape(one) for one in re.findall(r'(?:href|src)="([^"]*)"', page)}
    assert papers.keys() <= links <= set(inside.namelist())
    assert "Avis 1 bis" in page
    assert "<script" not in page
    assert "http" not in page
    assert [one for one in inside.namelist() if "Avis" in one or "Awa" in one] == []
    assert "safe.taken-away" in {one.event.tag for one in audit.history(house, awa.session)}


def test_a_cut_download_goes_on_with_the_same_bytes(reading_house: Context) -> None:
    """Even when the safe has changed meanwhile: the parcel is of one instant. Without session keys nothing is packed."""
    awa, found = lived(reading_house)
    archive = taken(reading_house, awa)
    documents.rename(reading_house, awa.session, found[0], "Autre nom")
    parcel = parcels.waiting(reading_house, awa.session)
    assert b"".join(parcel.blocks(5000)) == archive[5000:]
    assert b"".join(parcel.blocks(10, 20)) == archive[10:20]
    clock = reading_house.clock
    assert isinstance(clock, Clock)
    clock.forward(minutes=61)
    with pytest.raises(TicketGone):
        parcels.waiting(reading_house, awa.session)


def test_a_phone_takes_it_once(reading_house: Context) -> None:
    """The link is used up as the download begins; the download's own secret lets it go on, nobody else."""
    awa, _ = lived(reading_house)
    link = parcels.pack(reading_house, awa.session, "phone", "fr")
    with pytest.raises(TicketGone):
        parcels.find(reading_house, link.secret)  # looking gives nothing: it has to be begun
    begun = parcels.begin(reading_house, link.secret)
    assert b"".join(parcels.find(reading_house, begun.secret).blocks())[:2] == b"PK"
    with pytest.raises(TicketGone):
        parcels.begin(reading_house, link.secret)


def test_an_age_file_opens_with_another_program(reading_house: Context) -> None:
    """Six words, one file; pyrage opens it; another key each time."""
    awa, _ = lived(reading_house)
    parcels.pack(reading_house, awa.session, "words", "fr")
    parcel = parcels.waiting(reading_house, awa.session)
    size, blocks = parcel.sealed_blocks()
    sealed = b"".join(blocks)
    assert len(sealed) == size
    assert passphrase.decrypt(sealed, parcel.payload["words"]) == b"".join(parcel.blocks())
    assert len(parcel.payload["words"].split()) == 6


def test_one_damaged_paper_does_not_keep_the_others(reading_house: Context) -> None:
    """Its place is zeros of the same length, and the last file says which."""
    awa, found = lived(reading_house)
    with reading_house.database.transaction() as connection:
        blob = connection.execute(select(objects.c.blob, objects.c.version).where(objects.c.role == "received").limit(1)).one()
        connection.execute(update(objects).where(objects.c.blob == blob.blob).values(sha256="0" * 64))
    archive = taken(reading_house, awa)
    texts, papers = opened(archive)
    (damaged,) = texts[parcels.DAMAGED]["damaged"]
    assert set(papers[damaged]) == {0}
    other = make_person(reading_house, "Awa")
    assert bring(reading_house, other, archive).lost == 1
    assert len(found) == 3
    there = documents.list_papers(reading_house, other.session)
    again = bring(reading_house, other, archive)  # and what is missing makes no paper come twice
    assert again.new == 0
    assert documents.list_papers(reading_house, other.session) == there


def papers_told(house: Context, person: MadePerson) -> list[tuple[object, ...]]:
    """What the archive of a safe says of its papers: titles, notes, digests of versions in their order."""
    papers = opened(taken(house, person))[0]["data/papers.json"]["papers"]  # type: ignore[index]
    return sorted((one["note"], *((each["title"], each["sha256"]) for each in one["versions"])) for one in papers)


def test_what_was_cut_is_made_whole_by_the_same_archive(reading_house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between two papers, two versions of one, or a paper and its note: brought again, nothing is twice and nothing missing."""
    awa, _ = lived(reading_house)
    archive, wanted = taken(reading_house, awa), papers_told(reading_house, awa)
    for many in itertools.count():
        other, killed = make_person(reading_house, "Awa"), False
        with monkeypatch.context() as cut:
            left = iter(range(many))
            for place, name in ((Incoming, "keep"), (documents, "note"), (documents, "remove")):
                cut.setattr(place, name, _or_die(getattr(place, name), left))
            try:
                Bringing(reading_house, other.session).write(archive)
            except Dead:
                killed = True
        if not killed:
            break
        bring(reading_house, other, archive)
        assert papers_told(reading_house, other) == wanted, f"killed after {many} acts"
    assert many >= 5


def _or_die(act: Callable[..., object], left: Iterator[int]) -> Callable[..., object]:
    def dying(*arguments: Any, **named: Any) -> object:
        if next(left, None) is None:
            raise Dead
        return act(*arguments, **named)

    return dying


def test_brought_again_what_came_out_of_the_bin_stays_out(reading_house: Context) -> None:
    awa, _ = lived(reading_house)
    archive, other = taken(reading_house, awa), make_person(reading_house, "Awa")
    bring(reading_house, other, archive)
    (thrown,) = documents.bin_of(reading_house, other.session)
    documents.restore(reading_house, other.session, thrown.paper)
    assert bring(reading_house, other, archive).new == 0
    assert documents.bin_of(reading_house, other.session) == []


def test_export_import_export_are_equal(reading_house: Context, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Point 4: into an empty instance with other keys and other stores, and from there again: papers are equal, the past is kept."""
    awa, _ = lived(reading_house)
    letter = false_papers.letter_for("Awa (démo)", dt.date(2026, 11, 23), "Carte", ["Une ligne"])
    photo = false_papers.turned(false_papers.photo(reading_house.confinement, letter))
    real = prepare(reading_house.confinement, [photo])
    documents.deposit(reading_house, awa.session, real, ShelfKind("identity"), title="Carte", untrusted_name="carte.jpg")
    first = taken(reading_house, awa)
    folder = tmp_path / "other"
    folder.mkdir()
    clock = reading_house.clock
    assert isinstance(clock, Clock)
    clock.forward(days=3)
    with sqlite_engines(request, folder) as engines:
        house = dataclasses.replace(context_on(engines, folder, clock), confinement=reading_house.confinement)
        there = make_person(house, "Awa")
        assert bring(house, there, first) == bringing.Brought(new=5)
        assert bring(house, there, first) == bringing.Brought(known=5)  # again: nothing twice
        unlock(house, there)
        (card,) = [one for one in documents.list_papers(house, there.session) if one.title == "Carte"]
        assert card.has_preview
        second = taken(house, there)
    before, after = opened(first), opened(second)
    assert after[0][portable.PAPERS] == before[0][portable.PAPERS]
    assert after[1] == before[1]
    (past,) = after[0][portable.EARLIER]["earlier"]
    for name, key in (
        (portable.ME, "me"),
        (portable.SHARES, "shares"),
        (portable.RECEIPTS, "receipts"),
        (portable.HISTORY, "history"),
    ):
        assert past[key] == before[0][name]
    assert after[0][portable.ME]["name"] == "Awa"


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"drawer": "money"', b'"drawer": "mmmey"'), (b'"in_bin": true', b'"in_bin": 1   '), (b"abri-export-1", b"abri-export-2"),
     (b'"pages": 1', b'"pages": 0'), (b"tax-notice", b"tax notice"), (b"0001-1.jpg", b"0009-1.jpg")],
)  # fmt: skip
def test_what_is_not_told_as_it_should_be_is_refused(old: bytes, new: bytes) -> None:
    """A text that somebody wrote by hand."""
    one = portable.Version("papers/0001-1.jpg", Kind.JPEG, 3, "0" * 64, 1, "2026-11-23T10:00:00Z", "T", "tax-notice", "n")
    text = portable.papers_text([portable.Paper(ShelfKind("money"), "", True, (one,))], 0)
    assert len(portable.read_papers(text)) == 1
    changed = text.replace(old, new)
    assert changed != text
    if new == b"0009-1.jpg":
        assert portable.read_papers(changed)[0].versions[0].file != one.file
        return
    with pytest.raises(portable.NotOurs):
        portable.read_papers(changed)


def test_a_foreign_file_changes_nothing(reading_house: Context) -> None:
    """An ordinary ZIP, a cut archive: one sentence, and what was whole stays."""
    awa, _ = lived(reading_house)
    archive = taken(reading_house, awa)
    other = make_person(reading_house, "Mariam")
    with pytest.raises(BadInput):
        bring(reading_house, other, b"PK\x03\x04" + bytes(100))
    assert documents.count(reading_house, other.session) == 0
    cut = archive[: archive.index(b"lourd")]
    with pytest.raises(BadInput):
        bring(reading_house, other, cut)
    kept = documents.count(reading_house, other.session)
    assert bring(reading_house, other, archive).known >= kept
    assert documents.count(reading_house, other.session) == 3


def test_nothing_leaves_for_a_day_after_a_recovery_nor_with_the_card_alone(reading_house: Context) -> None:
    """Disclosing in bulk waits 24 hours; no other kind of session packs."""
    from tests.vault.builders import show_card
    from tests.vault.comings import NEW_CODE, confirm, make_circle, new_card, start
    from vault import coming_back, sessions

    made = make_circle(reading_house)
    with pytest.raises(NotAllowed):
        parcels.pack(reading_house, show_card(reading_house, made.awa.card), "usb", "fr")
    session, code = start(reading_house, made.canal.kiosk)
    confirm(reading_house, made.marc, code, beside=True)
    confirm(reading_house, made.fatou, code)
    back = sessions.find(reading_house, coming_back.finish(reading_house, session, new_card(), NEW_CODE))
    with pytest.raises(AfterRecovery):
        parcels.pack(reading_house, back, "usb", "fr")
    with reading_house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(tickets)).all() == []


def test_memory_stays_flat(reading_house: Context) -> None:
    """Forty papers of half a megabyte leave and come in within a few: one at a time."""
    awa = make_person(reading_house, "Awa")
    for number in range(40):
        keep(reading_house, awa.session, f"P{number}", text=str(number), size=500_000)
    parcels.pack(reading_house, awa.session, "usb", "fr")
    parcel = parcels.waiting(reading_house, awa.session)
    tracemalloc.start()
    length = sum(len(block) for block in parcel.blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length == parcel.size > 20_000_000
    assert peak < 6_000_000


def forged(archive: bytes, **told: object) -> bytes:
    """The same archive, whose list of papers says this of each version."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        content = [(one.filename, zipped.read(one.filename)) for one in zipped.infolist()]
    made: list[tuple[str, bytes]] = []
    for name, body in content:
        if name == portable.PAPERS:
            listed = json.loads(body)
            for paper in listed["papers"]:
                for version in paper["versions"]:
                    version.update(told)
            made.append((name, portable.write(listed)))
        else:
            made.append((name, body))
    members = [zips.Member(name, len(body)) for name, body in made]
    return b"".join(zips.write(members, [zips.Bytes(body) for _, body in made], dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)))


@pytest.mark.parametrize("added", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2027-06-01T00:00:00Z"])
def test_what_an_archive_says_falsely_of_a_paper_is_not_believed(reading_house: Context, added: str) -> None:
    """A date that no calendar shows closed the list for ever; pages that are not there, and no word of a script that is."""
    house = reading_house
    awa, bob = make_person(house, "Awa"), make_person(house, "Bob")
    scripted = prepare(house.confinement, [sample("js-buttons.pdf")])
    documents.deposit(house, awa.session, scripted, ShelfKind("money"), title="Formulaire", sort="other", untrusted_name="f.pdf")
    bring(house, bob, forged(taken(house, awa), added=added, pages=900, findings=[]))
    (card,) = documents.list_papers(house, bob.session)
    assert card.card is not None
    assert (card.added, card.card.pages, card.card.findings) == (house.clock().replace(microsecond=0), 1, {Finding.SCRIPT})
    assert opened(taken(house, bob))[0][portable.PAPERS] != {}
