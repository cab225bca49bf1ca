"""A3 of the acceptance scenarios, in Chromium, on the whole application and a clock that the test moves: I say no, then yes, then stop."""

import dataclasses
import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.receipt_file import NotVerified, ReceiptFile, verify_file
from consent.scope import Act
from tests.journeys.house import Hands, hands
from tests.vault.builders import MadePerson, MadeWorker, Office, make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.conftest import clock, confinement, house, reading_house, tmp_path
from tests.vault.papers import SAID
from tests.vault.scenes import saved, sheet
from tests.vault.test_what_ended import put_back, rows_of
from vault import (
    arriving,
    asking,
    documents,
    intake,
    opening_shared,
    rendering,
    shared_papers,
    shares,
    sharing,
    showing,
    workers,
)
from vault.context import Context
from vault.errors import AbriError, NotThere
from vault.receipt_files import imprint
from vault.sharing import Offer
from vault.verifying import read_anchors

__all__ = ["clock", "confinement", "hands", "house", "reading_house", "tmp_path"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tour")]
SEE = frozenset({Act.SEE})


@dataclasses.dataclass
class Scene:
    """Fatou and Paul are shown the address of Awa; Inès may deposit. Paul is absent."""

    house: Context
    clock: Clock
    office: Office
    awa: MadePerson
    fatou: MadeWorker
    paul: MadeWorker
    ines: MadeWorker
    notice: PaperId
    address: PaperId
    known: GrantId
    of_paul: GrantId


def scene(house: Context, clock: Clock) -> Scene:
    office = make_office(house)
    ends = dt.date(2027, 6, 30)
    fatou, paul, ines = (
        make_worker(house, office, "Fatou"), make_worker(house, office, "Paul"), make_worker(house, office, "Inès", "intern", ends=ends),
    )  # fmt: skip
    awa = make_person(house, "Awa", kiosk=office.kiosk)
    three = intake.prepare(house.confinement, [saved(sheet(420, 594), "JPEG", quality=80)] * 3)
    notice = documents.deposit(house, awa.session, three, ShelfKind("money"), title="Avis", sort="tax-notice")
    address = documents.deposit(house, awa.session, three, ShelfKind("housing"), title="Domiciliation", sort="domiciliation")
    clock.forward(days=1)
    unlock(house, awa)

    def share(worker: MadeWorker, days: int, *papers: PaperId, acts: frozenset[Act] = SEE, shelf: str = "") -> GrantId:
        until = house.clock().date() + dt.timedelta(days=days)
        drawer = ShelfKind(shelf) if shelf else None
        return sharing.grant(house, awa.session, worker.id, Offer(PurposeId("mail-address"), acts, until, SAID, papers, drawer))

    known, of_paul = share(fatou, 35, address), share(paul, 90, address)
    share(ines, 90, acts=frozenset({Act.DEPOSIT}), shelf="other")
    workers.suspend(house, office.admin, paul.id, house.clock().date() + dt.timedelta(days=12))
    return Scene(house, clock, office, awa, fatou, paul, ines, notice, address, known, of_paul)


def marked(on: Scene, grant: GrantId, number: int) -> tuple[bytes, bytes]:
    """A page as it must look at this minute, with the mark in its pixels; and without."""
    house = on.house
    with house.database.transaction(read_only=True) as connection:
        share = shares.one_of_worker(house, connection, on.fatou.session, grant)
    mark = opening_shared.watermark(on.fatou.code, share, house.clock())
    with documents.open_paper(house, unlock(house, on.awa), on.notice, "view") as content:
        view = b"".join(content.chunks())
    pages = [rendering.page_image(house.confinement, view, number, watermark=one) for one in (mark, None)]
    return pages[0].jpeg, pages[1].jpeg


def test_i_say_no_then_yes_then_stop(reading_house: Context, clock: Clock, hands: Callable[[], Hands], tmp_path: Path) -> None:
    house = reading_house
    on = scene(house, clock)
    kinds, purpose = ("tax-notice",), PurposeId("home")

    # When Awa answers "Je ne veux pas"
    asking.ask(house, on.fatou.session, on.known, kinds, purpose)
    before = [(one.grant, one.until, one.acts) for one in showing.grants_of(house, unlock(house, on.awa))]
    awa = hands()
    awa.open_safe(on.awa)
    awa.go("demandes")
    assert awa.heading() == "Fatou vous demande un papier"
    awa.touch("Je ne veux pas")
    awa.says("Votre réponse est partie.")
    # Then the refusal needed no reason and changed nothing else
    assert [(one.grant, one.until, one.acts) for one in showing.grants_of(house, unlock(house, on.awa))] == before

    # When, a week later, a new request is answered "Je donne", one month, to see
    clock.forward(days=7)
    fatou = hands()
    fatou.sign_in(house, on.fatou)
    # ... a share that ends in less than 30 days was announced to both
    expect(fatou.page.locator("tbody tr", has_text="Awa").first).to_contain_text("28")
    asking.ask(house, on.fatou.session, on.known, kinds, purpose)
    awa.open_safe(on.awa)
    awa.says("Avec Fatou, cela finit le")
    awa.go("demandes")
    awa.touches = 0
    awa.touch("Je donne")
    awa.touch("Avis")
    awa.touch("Montrer")
    awa.touch("Changer la date")
    awa.touch("1 mois")
    awa.says("Vous pouvez arrêter quand vous voulez.")
    awa.touch("Oui, je suis d'accord")
    awa.says("C'est donné.")
    giving = awa.touches - 2  # without the date that was changed
    given = next(one for one in showing.grants_of(house, unlock(house, on.awa)) if one.purpose == "home")
    assert (given.acts, given.until) == (SEE, dt.date(2027, 1, 1))

    # When Fatou opens three pages, Then they bear her code, the reason and the minute in their pixels
    place = f"/fr/bureau/papiers/{given.grant}/{on.notice}"
    for number in (1, 2, 3):
        fatou.page.goto(f"{place}?suite={number}")
        shown = fatou.page.locator("img.viewer-page")
        assert shown.evaluate("image => image.complete && image.naturalWidth > 400")
        with_mark, without = marked(on, given.grant, number)
        served_page = fatou.page.request.get(f"{place}/page/{number}").body()
        assert served_page == with_mark
        assert served_page != without

    # When Awa stops on another kiosk, alone, in no more touches than giving, while Fatou's page is open
    yesterday = rows_of(house)
    elsewhere = hands()
    elsewhere.open_safe(on.awa)
    elsewhere.go("partages")
    stop = elsewhere.page.locator(f"a[href$='{given.grant}/arreter']")
    if not stop.count():
        elsewhere.touch("Suivant")
    stop.click()
    elsewhere.touches += 1
    assert elsewhere.heading() == "Arrêter avec Fatou ?"
    elsewhere.touch("Oui, arrêter")
    elsewhere.page.wait_for_url("**/partages?*")
    elsewhere.says("C'est arrêté avec Fatou.")
    assert elsewhere.touches <= giving
    # Then her next click is D02, and yesterday's rows with today's blobs open nothing
    assert fatou.page.reload() is not None
    assert fatou.heading() == "Ce papier n'est pas ou plus montré"
    assert fatou.page.request.get(f"{place}/page/1").status == 404
    today = rows_of(house)
    put_back(house, yesterday)
    assert fatou.page.request.get(f"{place}/page/1").status == 404
    with pytest.raises(AbriError):
        shared_papers.open_shared(house, on.fatou.session, given.grant, on.notice, Act.SEE)
    put_back(house, today)

    # And Awa reads the openings with name and reason
    elsewhere.go("regards/imprimer")
    elsewhere.says("(6 fois) : Fatou a regardé : Avis.")  # three in her browser, three fetched beside to compare
    elsewhere.says("Pour : un logement.")
    elsewhere.says("Fatou a voulu voir un papier.")  # her next click, after the end

    # When Inès deposits a letter, Then she cannot read it and can take it back
    ines = hands()
    ines.sign_in(house, on.ines)
    ines.go("bureau/deposer")
    letter = tmp_path / "lettre.jpg"
    letter.write_bytes(saved(sheet(420, 594), "JPEG", quality=80))
    ines.page.locator("input[type=file]").set_input_files(letter)
    ines.page.locator("[name=opened_by_person]").check()
    ines.page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
    ines.says("Reprendre")
    (put,) = shared_papers.deposited(house, on.ines.session)
    grant = shared_papers.people_sharing(house, on.ines.session)[0].grant
    assert ines.page.request.get(f"/fr/bureau/papiers/{grant}/{put.paper}/page/1").status == 404
    ines.page.locator("form[action$='/reprendre'] button").click()
    ines.page.wait_for_load_state()
    assert shared_papers.deposited(house, on.ines.session) == []
    assert put.paper not in {one.paper for one in documents.list_papers(house, unlock(house, on.awa))}

    # Paul opens nothing while he is suspended, and everything still granted on return
    paul = hands()
    paul.sign_in(house, on.paul)
    assert "/bureau/entrer" in paul.page.url
    with pytest.raises(NotThere):
        shared_papers.papers_shared(house, on.paul.session, on.of_paul)
    clock.forward(days=12)
    workers.return_(house, on.office.admin, on.paul.id)
    paul.sign_in(house, on.paul)
    answer = paul.page.goto(f"/fr/bureau/papiers/{on.of_paul}/{on.address}")
    assert answer is not None
    assert answer.status == 200

    # Four receipts and more verify offline; one altered byte in each is found
    last = hands()
    last.open_safe(on.awa)
    carried = last.page.request.get("/fr/partages/recus").body()
    published = tmp_path / "cles.json"  # the log bears the name of the address that is served
    published.write_bytes(last.page.request.get("/cles.json").body())
    anchors = read_anchors(published)
    checked = verify_file(carried, anchors)
    receipts = [one.receipt for one in checked]
    assert all(one.head is not None for one in checked)  # each with the proof that the trace holds its entry
    assert len(receipts) >= 4
    assert len({imprint(one) for one in receipts}) == len(receipts)
    whole = ReceiptFile.from_bytes(carried)
    for one in whole.receipts:
        single = bytearray(ReceiptFile(whole.keys_statement, whole.keys_signature, (one,)).to_bytes())
        at = random.Random(3).randrange(single.index(b'"receipts"') + 20, len(single) - 5)
        single[at] ^= 1
        with pytest.raises(NotVerified):
            verify_file(bytes(single), anchors)
    assert arriving.at_unlock(house, unlock(house, on.awa)).refused == ()
