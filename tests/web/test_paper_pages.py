"""The papers of a person, page by page: the list, one paper, its name, its drawer, the ways out, the bin."""

import re

from sqlalchemy import select

from consent.ids import PaperId
from consent.purposes import ShelfKind
from storage.tables import objects
from tests.vault.builders import MadePerson, Office, make_person, make_worker
from tests.vault.papers import keep
from tests.vault.scenes import saved, sheet
from tests.web.sharing_steps import share_drawer
from tests.web.site import NO_PRINTER, Shown, Site
from vault import audit, documents, intake, leaving
from vault.pictograms import KINDS

TITLE = "Lettre de Mme Vuillard"


def keep_photo(site: Site, awa: MadePerson, title: str = TITLE, shelf: str = "money", sort: str = "tax-notice") -> PaperId:
    """A paper that a parser can really open."""
    prepared = intake.prepare(site.house.confinement, [saved(sheet(620, 877), "JPEG", quality=85)])
    return documents.deposit(site.house, awa.session, prepared, ShelfKind(shelf), title=title, sort=sort)


def tags(site: Site, awa: MadePerson) -> list[str]:
    """What her history says."""
    return [entry.event.tag for entry in audit.history(site.house, awa.session)]


def neutral(shown: Shown) -> None:
    """SAFE-09: no name of a paper in the address or in the title of the window."""
    assert "Vuillard" not in shown.url
    assert "Vuillard" not in shown.title


def test_the_list_shows_pictograms_and_months_and_names_at_one_touch(site: Site, awa: MadePerson) -> None:
    paper = keep(site.house, awa.session, TITLE, "money", sort="tax-notice")
    shown = site.get("/fr/papiers")
    assert shown.heading == "Mes papiers"
    assert "avis d'impôt" in shown.text
    assert "novembre 2026" in shown.text
    assert "Vuillard" not in shown.content.decode()
    named = site.get(shown.link("noms=1"))
    assert TITLE in named.text
    neutral(named)
    assert f"/fr/papiers/{paper}" in named.links
    assert site.get(named.link("/papiers")).text == shown.text


def test_every_answer_is_kept_by_no_cache(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    for address in ("papiers", f"papiers/{paper}", f"papiers/{paper}/page/1", f"papiers/{paper}/imprimer/papier.pdf"):
        shown = site.get(f"/fr/{address}")
        assert shown.status == 200, address
        assert shown.headers["cache-control"] == "no-store"


def test_more_than_nine_papers_are_on_several_pages(site: Site, awa: MadePerson) -> None:
    for number in range(11):
        keep(site.house, awa.session, f"papier {number}", "money")
    first = site.get("/fr/papiers?noms=1")
    second = site.get(first.link("suite=2"))
    names = re.findall(r"papier \d+", first.text + " " + second.text)
    assert len(first.tree.xpath("//a[@class='paper']")) == 9
    assert sorted(names) == sorted(f"papier {number}" for number in range(11))


def test_drawers_lead_to_their_own_papers(site: Site, awa: MadePerson) -> None:
    keep(site.house, awa.session, "un", "money", sort="tax-notice")
    keep(site.house, awa.session, "deux", "health", sort="prescription")
    first = site.get("/fr/papiers/tiroirs")
    assert "Santé 1 papier" in first.text
    assert "Identité 0 papier" in first.text
    assert "Argent 1 papier" in site.get(first.link("suite=2")).text
    shown = site.get(first.link("tiroir=health"))
    assert shown.heading == "Santé"
    assert "ordonnance" in shown.text
    assert "avis d'impôt" not in shown.text
    assert site.get("/fr/papiers?tiroir=cave").status == 422


def test_a_paper_is_looked_at_page_by_page_and_that_is_written(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    shown = site.get(f"/fr/papiers/{paper}")
    assert shown.heading == "avis d'impôt"
    assert TITLE in shown.text
    neutral(shown)
    assert "paper.opened" not in tags(site, awa)
    image = site.get(shown.images[0])
    assert image.headers["content-type"] == "image/jpeg"
    assert image.content.startswith(b"\xff\xd8\xff")
    assert "content-disposition" not in image.headers  # SAFE-11: looking downloads nothing
    assert "paper.opened" in tags(site, awa)
    assert site.get(f"/fr/papiers/{paper}/page/2").status == 422
    assert site.get(f"/fr/papiers/{paper}/apercu").content.startswith(b"\xff\xd8\xff")


def test_the_sheet_of_a_paper_and_checking_it(site: Site, awa: MadePerson) -> None:
    """R42: what it is known by, behind "plus"; and one touch reads it again. Damaged, it is said and written, and not shown."""
    paper = keep_photo(site, awa)
    more = site.get(f"/fr/papiers/{paper}/que-faire?plus=2")
    shown = site.get(more.link("/fiche"))
    told = documents.technical_metadata(site.house, awa.session, paper)
    assert shown.heading == "La fiche du papier"
    assert "Ajouté par vous" in shown.text
    for said in (
        paper,
        "SHA-256",
        " ".join(told.digest[at : at + 8] for at in range(0, 64, 8)),
        f"{told.size:,}".replace(",", " "),
    ):
        assert said in shown.text, said
    neutral(shown)
    assert site.press(shown).heading == "Votre papier est entier"
    assert {"paper.described", "paper.checked"} <= set(tags(site, awa))
    with site.house.database.transaction(read_only=True) as connection:
        blob = connection.scalar(select(objects.c.blob).where(objects.c.role == "received"))
    path = site.house.blobs.path_of(blob)  # type: ignore[attr-defined] # the house keeps blobs in a folder
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    refused = site.press(site.get(f"/fr/papiers/{paper}/fiche"))
    assert (refused.status, "n'est pas comme avant" in refused.text) == (409, True)
    assert tags(site, awa).count("paper.refused") == 1


def test_somebody_elses_paper_is_not_there(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    site.open(make_person(site.house, "Yonas"))
    for address in (
        "",
        "/page/1",
        "/apercu",
        "/que-faire",
        "/imprimer/papier.pdf",
        "/ordinateur/papier",
        "/nom",
        "/fiche",
        "/effacer",
    ):
        shown = site.get(f"/fr/papiers/{paper}{address}")
        assert shown.status == 404, address
        assert "Vuillard" not in shown.content.decode()


def test_nothing_of_it_is_shown_without_a_session(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    site.leave()
    for address in ("papiers", f"papiers/{paper}", f"papiers/{paper}/page/1", "ajouter", "partages", "regards", "demandes"):
        assert site.get(f"/fr/{address}").status == 401, address


def test_another_name(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    form = site.get(f"/fr/papiers/{paper}/nom")
    refused = site.press(form, name="  ")
    assert (refused.status, refused.errors) == (422, "Écrivez un nom.")
    assert refused.tree.xpath("//*[@id='errors']//a/@href") == ["#name"]
    assert site.press(form, name="x" * 300).status == 422
    done = site.press(form, name="رسالة (2)")
    assert done.path == f"/fr/papiers/{paper}"
    assert "<bdi>رسالة (2)</bdi>" in done.content.decode()


def test_which_paper_it_is(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa, sort="")
    form = site.get(f"/fr/papiers/{paper}/sorte")
    assert form.buttons["kind"] == ["tax-notice", "benefits", "bank-details", "payslip", "pension", "other"]
    all_kinds = set(form.buttons["kind"])
    more = site.get(form.link("suite=2"))
    while more.url != form.url:
        assert len(more.buttons["kind"]) <= 9
        all_kinds.update(more.buttons["kind"])
        more = site.get(next(one for one in more.links if "sorte" in one))
    assert all_kinds == set(KINDS)
    assert site.press(form, kind="payslip").heading == "fiche de paie"
    assert site.press(form, dont_know="yes").heading == "fiche de paie"


def test_the_ways_out_are_four_choices(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    shown = site.get(f"/fr/papiers/{paper}/que-faire")
    assert shown.heading == "Que faire avec ce papier ?"
    words = [" ".join(one.text_content().split()) for one in shown.tree.xpath("//*[contains(@class, 'choice-face')]")]
    assert words == ["Imprimer", "Mettre sur mon téléphone", "Montrer à quelqu'un", "Plus de choix"]
    more = site.get(shown.link("plus=1"))
    assert len(more.tree.xpath("//*[contains(@class, 'choice-face')]")) == 4


def test_a_kiosk_without_printer_does_not_offer_to_print(site: Site, office: Office, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    site.stand_at(office.administrators[0], office.structure, NO_PRINTER)
    shown = site.get(f"/fr/papiers/{paper}/que-faire")
    assert "Imprimer" not in shown.text
    assert "téléphone" in shown.text


def test_a_private_paper_is_not_offered_to_anybody(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa, shelf="private")
    assert "Montrer" not in site.get(f"/fr/papiers/{paper}/que-faire").text
    assert site.get(f"/fr/papiers/{paper}/montrer").status == 404


def test_printing_gives_a_pdf_under_a_neutral_name_and_is_written(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    page = site.get(f"/fr/papiers/{paper}/imprimer")
    assert "reprenez vos feuilles" in page.text
    printed = site.get(page.link("papier.pdf"))
    assert printed.content.startswith(b"%PDF")
    assert printed.headers["content-disposition"] == 'inline; filename="papier.pdf"'
    assert printed.headers["refresh"] == "180; url=/fr/fin"  # a viewer has no page of ours around it that sees who left
    assert b"Vuillard" not in printed.content
    assert "paper.printed" in tags(site, awa)


def test_on_this_machine_the_bytes_are_the_ones_received(site: Site, office: Office, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    page = site.get(f"/fr/papiers/{paper}/ordinateur")
    assert "Effacez-le vous-même" in page.text  # no kiosk of ours: nothing wipes it
    taken = site.get(page.link("/ordinateur/papier"))
    assert taken.headers["content-disposition"] == 'attachment; filename="papier.jpg"'
    with leaving.on_this_computer(site.house, awa.session, paper) as content:
        assert taken.content == b"".join(content.chunks())
    site.stand_at(office.administrators[0], office.structure)
    assert "10 minutes" in site.get(f"/fr/papiers/{paper}/ordinateur").text


def test_thrown_away_then_back_then_erased(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    question = site.get(f"/fr/papiers/{paper}/effacer")
    assert "7 jours" in question.text
    gone = site.press(question, answer="yes")
    assert gone.path == "/fr/papiers"
    assert "avis d'impôt" not in gone.text
    thrown = site.get(site.get(gone.link("/papiers/jetes")).link(f"/papiers/{paper}"))
    assert "30 novembre 2026" in thrown.text
    back = site.press(thrown, answer="yes")
    assert "avis d'impôt" in back.text
    site.press(site.get(f"/fr/papiers/{paper}/effacer"), answer="yes")
    last = site.get(f"/fr/papiers/{paper}/effacer")
    assert "pour toujours" in last.text
    assert site.press(last, answer="yes").path == "/fr/papiers"
    assert site.get(f"/fr/papiers/{paper}").status == 404


def test_another_drawer(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    first = site.get(f"/fr/papiers/{paper}/tiroir")
    assert first.heading == "Dans quel tiroir ?"
    assert first.buttons["shelf"] == ["identity", "stay", "family", "housing", "health"]
    second = site.get(first.link("suite=2"))
    assert second.buttons["shelf"] == ["work", "justice", "other", "private"]  # not the one where it lies
    moved = site.press(first, shelf="health")
    assert "Santé" in moved.text


def test_a_drawer_that_somebody_sees_is_asked_about_first(site: Site, office: Office, awa: MadePerson) -> None:
    fatou = make_worker(site.house, office, "Fatou")
    share_drawer(site, awa, fatou, "health")
    paper = keep_photo(site, awa)
    site.open(awa)
    question = site.press(site.get(f"/fr/papiers/{paper}/tiroir"), shelf="health")
    assert question.heading == "Une personne voit ce tiroir"
    assert "Fatou voit ce tiroir" in question.text
    assert documents.paper(site.house, awa.session, paper).shelf == "money"
    assert "Santé" in site.press(question, answer="yes").text


def test_a_form_of_another_session_changes_nothing(site: Site, awa: MadePerson) -> None:
    paper = keep_photo(site, awa)
    form = site.get(f"/fr/papiers/{paper}/effacer")
    site.open(awa)
    assert site.press(form, answer="yes").status == 403
    fresh = site.get(f"/fr/papiers/{paper}/effacer")
    assert site.post(f"/fr/papiers/{paper}/effacer", fresh.fields(), site="cross-site").status == 403
    assert documents.count(site.house, awa.session) == 1
