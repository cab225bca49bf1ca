"""A dossier: only papers that may be copied, told before a piece that must not go, every page a marked picture, under 5 MB."""

import io

import numpy as np
import pikepdf
import pytest
from PIL import Image

from consent.ids import PaperId
from consent.purposes import ShelfKind
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.papers import keep
from tests.vault.scenes import on_a_table, sample, saved, sheet
from tests.web.desk_scene import give
from tests.web.site import Shown, Site
from tests.web.test_desk_pages import plain, said, submit
from tests.web.test_office_pages import clock_of
from vault import audit, documents, dossiers, intake, outside
from vault.dossiers import DossierTooHeavy
from vault.errors import BadInput, NotThere


def paper(site: Site, awa: MadePerson, sort: str, content: bytes, shelf: str = "money") -> PaperId:
    prepared = intake.prepare(site.house.confinement, [content])
    return documents.deposit(site.house, awa.session, prepared, ShelfKind(shelf), title=f"Mon {sort}", sort=sort)


@pytest.fixture
def people(site: Site) -> tuple[MadeWorker, MadePerson]:
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house, "Awa")
    clock_of(site).forward(days=1)
    unlock(site.house, awa)
    fatou.session = sign_in(site.house, fatou)
    return fatou, awa


def pictures(made: bytes) -> list[Image.Image]:
    """What each page holds, once it is shown to be one picture and nothing that could be taken off (WRK-04)."""
    found = []
    with pikepdf.open(io.BytesIO(made)) as document:
        assert (str(document.docinfo["/Title"]), str(document.Root["/Lang"])) == ("Dossier", "fr")
        assert not {"/OCProperties", "/AcroForm", "/Names", "/OpenAction", "/AA", "/Metadata"} & set(document.Root.keys())
        for page in document.pages:
            assert "/Annots" not in page
            assert "/Font" not in page.resources
            (picture,) = page.get_images().values()
            found.append(pikepdf.PdfImage(picture).as_pil_image().convert("L"))
            content = page.Contents.read_bytes()
            assert content.count(b" Do") == 1
            assert b"BT" not in content
    return found


def differs_all_over(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pages differ in eight of the nine parts of a page at least: marks stand all over it, not in a corner."""
    assert one.width == other.width
    height = min(one.height, other.height)  # letters below the line make a foot taller
    apart = np.abs(np.asarray(one)[:height].astype(int) - np.asarray(other)[:height].astype(int)) > 24
    parts = [part for band in np.array_split(apart, 3) for part in np.array_split(band, 3, axis=1)]
    return sum(int(part.sum()) > 40 for part in parts) >= 8


def test_a_dossier_for_dalo_from_what_may_be_copied(site: Site, people: tuple[MadeWorker, MadePerson]) -> None:
    fatou, awa = people
    card = paper(site, awa, "identity-card", saved(sheet(620, 877), "JPEG", quality=85), "identity")
    slip = paper(site, awa, "payslip", sample("issue17730.pdf"))
    seen = keep(site.house, awa.session, "Vu", "money", sort="tax-notice")
    health = paper(site, awa, "health-card", saved(sheet(300, 400), "JPEG"), "health")
    grant = give(site.house, awa, fatou, card, slip, health, acts=(Act.SEE, Act.TAKE))
    give(site.house, awa, fatou, seen)
    site.sign_in(fatou)
    here = site.get(f"/fr/bureau/demarches/dalo/{grant}").link(f"/dossiers/dalo/{grant}")
    page = site.get(here)
    assert f"place-{seen}" not in str(page.content)
    places = {str(one.get("name")): str(one.get("value")) for one in page.tree.xpath("//input[starts-with(@name, 'place-')]")}
    assert places == {f"place-{card}": "1", f"place-{slip}": "2", f"place-{health}": ""}
    assert said("desk.dossier.not_asked") in plain(page)
    assert said("procedure.never_verified") in plain(page)
    fields = {**places, "recipient": "Commission de médiation"}
    assert site.press(page, **{**fields, "recipient": " "}).status == 422
    assert site.press(page, **{**fields, f"place-{card}": "", f"place-{slip}": "x"}).status == 422

    made = site.press(page, **{**fields, f"place-{card}": "2", f"place-{slip}": "1"})
    assert made.headers["content-disposition"] == 'attachment; filename="dossier.pdf"'
    found = pictures(made.content)
    count = {one.paper: one.pages for one in documents.list_papers(site.house, awa.session)}
    assert len(found) == 1 + count[slip] + count[card]
    assert len(made.content) < 5_000_000
    site.sign_in(fatou)
    again = site.press(
        site.get(here), **{**fields, "recipient": "Xx Yyyyyyyyy zz wwwwwwwww", f"place-{card}": "2", f"place-{slip}": "1"}
    )
    assert all(differs_all_over(one, other) for one, other in zip(found[1:], pictures(again.content)[1:], strict=True))
    told = [entry.event for entry in audit.history(site.house, awa.session)]
    assert {one.paper for one in told if one.tag == "paper.taken" and one.detail == "dossier"} == {card, slip}
    events = [one for one in told if one.tag == "dossier.made"]
    assert ("Commission de médiation", "home", "Fatou") in {(one.title, one.purpose, one.by_name.split(",")[0]) for one in events}
    left = outside.mine(site.house, awa.session, ended=True)
    assert {(one.state, one.recipient, one.papers) for one in left} >= {("handed", "Commission de médiation", 2)}
    site.open(awa)
    assert "Commission de médiation" in site.get("/fr/partages").text


def test_a_copy_given_for_something_else_goes_into_no_dossier(site: Site, people: tuple[MadeWorker, MadePerson]) -> None:
    fatou, awa = people
    other = paper(site, awa, "payslip", saved(sheet(300, 400), "JPEG"))
    both = paper(site, awa, "identity-card", saved(sheet(300, 410), "JPEG"), "identity")
    copy = (Act.SEE, Act.TAKE)
    grant = give(site.house, awa, fatou, both, acts=copy)
    give(site.house, awa, fatou, other, both, acts=copy, purpose="asylum")
    site.sign_in(fatou)
    page = site.get(f"/fr/bureau/dossiers/dalo/{grant}")
    assert f"place-{both}" in str(page.content)
    assert f"place-{other}" not in str(page.content)
    assert said("desk.dossier.elsewhere") in plain(page)
    assert "fiche de paie · l'asile" in plain(page)
    assert f"/fr/bureau/demandes/nouvelle/{grant}" in page.links
    fatou.session = sign_in(site.house, fatou)
    with pytest.raises(NotThere):
        dossiers.make(site.house, fatou.session, grant, "dalo", [other], "Préfecture")
    # Asked for again, as the page says: the person chooses a copy (ADR 125).
    assert page.tree.xpath("//input[@name='piece']/@value") == ["ressources"]
    site.sign_in(fatou)
    submit(site, site.get(page.path), f"/fr/bureau/demarches/dalo/{grant}", piece="ressources")
    assert site.get(page.path).tree.xpath("//input[@name='piece']") == [], "asked for already"
    site.open(awa)
    how = site.press(site.get("/fr/demandes"), **{"answer-payslip": "give"})
    assert (how.path, how.buttons["how"]) == ("/fr/montrer/comment", ["see", "replace", "copy"])
    assert b'href="/fr/demandes"' in how.content
    site.press(site.press(how, how="copy"), answer="yes")
    fatou.session = sign_in(site.house, fatou)
    assert {one.paper for one in dossiers.choices(site.house, fatou.session, grant, "dalo").here} == {both, other}
    assert dossiers.make(site.house, fatou.session, grant, "dalo", [both], "Commission").startswith(b"%PDF")
    assert {entry.event.purpose for entry in audit.history(site.house, awa.session) if entry.event.tag == "paper.taken"} == {
        "home"
    }


def test_it_warns_before_a_piece_that_must_not_be_handed_over(site: Site, people: tuple[MadeWorker, MadePerson]) -> None:
    """WRK-06."""
    fatou, awa = people
    health = paper(site, awa, "health-card", saved(sheet(300, 400), "JPEG"), "health")
    grant = give(site.house, awa, fatou, health, acts=(Act.SEE, Act.TAKE))
    site.sign_in(fatou)
    page = site.get(f"/fr/bureau/dossiers/logement-social/{grant}")
    assert said("desk.dossier.never") in plain(page)
    fields = {f"place-{health}": "1", "recipient": "Bailleur"}
    warned = site.press(page, **fields)
    assert warned.status == 409
    assert said("desk.dossier.warned") in warned.errors
    assert [entry.event.tag for entry in audit.history(site.house, awa.session)].count("dossier.made") == 0
    assert site.press(warned, **fields, despite="yes").content.startswith(b"%PDF")


def test_what_may_only_be_seen_or_is_somebody_else_s_goes_into_no_dossier(
    site: Site, people: tuple[MadeWorker, MadePerson]
) -> None:  # fmt: skip
    fatou, awa = people
    seen = keep(site.house, awa.session, "Vu", "money", sort="payslip")
    grant = give(site.house, awa, fatou, seen)
    site.sign_in(fatou)
    page = site.get(f"/fr/bureau/dossiers/dalo/{grant}")
    assert said("desk.dossier.empty") in plain(page)
    assert page.tree.xpath("//input[@name='piece']/@value") == ["ressources"], "a copy can be asked for"
    fatou.session = sign_in(site.house, fatou)
    with pytest.raises(BadInput, match="recipient"):  # a name that nobody can see names nobody
        dossiers.make(site.house, fatou.session, grant, "dalo", [seen], "\u200b\u200b")
    for papers, error in (([seen], NotThere), ([], BadInput)):
        with pytest.raises(error):
            dossiers.make(site.house, fatou.session, grant, "dalo", papers, "Commission")
    with pytest.raises(NotThere):
        dossiers.make(
            site.house, make_worker(site.house, make_office(site.house, "Ailleurs"), "Marc").session, grant, "dalo", [seen], "C"
        )


def test_heavy_pages_are_made_smaller_until_they_fit_and_what_never_fits_is_said(
    site: Site, people: tuple[MadeWorker, MadePerson], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    fatou, awa = people
    noisy = saved(on_a_table([(200, 150), (1300, 210), (1240, 1850), (160, 1780)]), "JPEG", quality=95)
    heavy = [paper(site, awa, "payslip", noisy) for _ in range(4)]
    grant = give(site.house, awa, fatou, *heavy, acts=(Act.SEE, Act.TAKE))
    fatou.session = sign_in(site.house, fatou)
    monkeypatch.setattr(dossiers, "MOST_BYTES", 1_200_000)
    made = dossiers.make(site.house, fatou.session, grant, "dalo", heavy, "Commission")
    assert len(made) <= 1_200_000
    assert len(pictures(made)) == 5
    monkeypatch.setattr(dossiers, "MOST_BYTES", 150_000)
    with pytest.raises(DossierTooHeavy):
        dossiers.make(site.house, fatou.session, grant, "dalo", heavy, "Commission")


def test_the_empty_page(site: Site, people: tuple[MadeWorker, MadePerson]) -> None:
    fatou, _ = people
    site.sign_in(fatou)
    gone: Shown = site.get("/fr/bureau/dossiers/dalo/00000000-0000-4000-8000-000000000000")
    assert gone.status == 404
