"""A PDF with a script or an attachment is kept, and both sides read that a copy takes along what no page shows (ADR 0138)."""

import pytest

from consent.purposes import ShelfKind
from consent.scope import Act
from tests.vault.builders import MadePerson
from tests.vault.scenes import sample
from tests.web.desk_scene import give, scene
from tests.web.site import Site
from tests.web.test_desk_pages import said, submit
from vault import documents, intake

MORE = "Ce papier contient autre chose que ses pages."
ARABIC = "في هذه الورقة شيء آخر غير صفحاتها."
FILES = {"evaljs.pdf": True, "attachment.pdf": True, "issue17730.pdf": False}


@pytest.mark.parametrize(("name", "more"), FILES.items())
def test_who_adds_one_reads_it_on_its_page_and_before_it_leaves(site: Site, awa: MadePerson, name: str, more: bool) -> None:
    content = sample(name)
    read = site.send(site.get("/fr/ajouter/fichier"), ("formulaire", content))
    assert read.heading == "On lit bien ?"
    assert "Le papier est gardé." in site.press(site.get(read.link("/ajouter/tiroir")), dont_know="yes").text
    (card,) = documents.list_papers(site.house, awa.session)
    for page in (f"papiers/{card.paper}", f"papiers/{card.paper}/que-faire"):
        shown = site.get(f"/fr/{page}")
        assert (MORE in shown.text) is more, page
        assert (ARABIC in site.get(f"/ar/{page}").text) is more, page
        if more:
            heard = shown.tree.xpath(f"//*[@data-audio][starts-with(normalize-space(.), '{MORE}')]/@data-audio")
            assert site.get(str(heard[0])).status == 200
    with documents.open_paper(site.house, awa.session, card.paper, "received") as kept:
        assert b"".join(kept.chunks()) == content, "it may be signed"


@pytest.mark.parametrize(("name", "more"), FILES.items())
def test_the_desk_reads_it_beside_the_button_that_takes_a_copy(site: Site, name: str, more: bool) -> None:
    on, content = scene(site.house), sample(name)
    prepared = intake.prepare(site.house.confinement, [content])
    paper = documents.deposit(site.house, on.awa.session, prepared, ShelfKind("housing"), title="Formulaire", sort="")
    taken = give(site.house, on.awa, on.fatou, on.paper, paper, acts=(Act.SEE, Act.TAKE))
    seen = give(site.house, on.awa, on.fatou, paper, purpose="work")
    site.sign_in(on.fatou)
    for grant in (taken, seen):
        listed = site.get(f"/fr/bureau/personnes/{grant}")
        lines = [" ".join(row.itertext()) for row in listed.tree.xpath("//tbody/tr")]
        assert sum(said("desk.papers.more") in line for line in lines) == int(more)
        assert (said("desk.papers.more_text") in listed.text) is more
        assert (said("desk.papers.more_text") in site.get(f"/fr/bureau/papiers/{grant}/{paper}").text) is more
        assert (said("desk.papers.more") in site.get(f"/fr/bureau/papiers/{taken}/{on.paper}").text) is False
    copy = submit(site, site.get(f"/fr/bureau/papiers/{taken}/{paper}"), f"/fr/bureau/papiers/{taken}/{paper}/copie")
    assert copy.content == content
