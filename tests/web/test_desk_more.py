"""The rest of the desk: what is new, what ends soon, cards that are shown, newer versions, help."""

from consent.scope import Act
from tests.vault.builders import make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.vault.scenes import qr, saved, sheet
from tests.web.desk_scene import give, scene
from tests.web.site import Site
from tests.web.test_desk_pages import plain, said
from vault import arriving, asking, audit, cards, documents

PHOTO = saved(sheet(620, 877), "JPEG", quality=85)


def photo_of(card: str) -> bytes:
    """The card, as a camera sees it."""
    return saved(qr(card), "PNG")


def test_the_first_page_says_what_is_new_and_names_nobody_whose_share_is_over(site: Site, clock: Clock) -> None:
    on = scene(site.house)
    clock.forward(days=40)
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau")
    assert said("desk.first.banner") in plain(page)
    assert site.get(page.link("/aide/premiers-pas")).heading == said("desk.first.title")
    clock.forward(hours=1)
    unlock(site.house, on.awa)
    grant = give(site.house, on.awa, on.fatou, on.paper)
    clock.forward(hours=1)
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau")
    assert said("desk.news.share.given") in plain(page)
    assert page.tree.xpath("//*[@class='places']//a/@accesskey")[0] == "1"
    assert f"/fr/bureau/personnes/{grant}" in page.links
    assert site.get("/en/bureau/nouveau").status == 200


def test_a_card_is_answered_alike_whether_or_not_it_opens_something(site: Site, clock: Clock) -> None:
    on = scene(site.house)
    ines = make_worker(site.house, on.office, "Inès")
    site.sign_in(ines)
    (unknown,) = cards.new_cards(1)
    answers = set()
    for card in (on.awa.card, unknown.text):
        page = site.send(site.get("/fr/bureau/carte/envois"), ("carte.png", photo_of(card)))
        assert page.status == 200
        answers.add(plain(page))
        asked = site.send(
            site.get("/fr/bureau/demandes/carte"), ("carte.png", photo_of(card)), kind="tax-notice", purpose="home", own_words=""
        )
        assert asked.status == 200
        answers.add(plain(asked))
    assert len(answers) == 2, "one for each page, whatever the card"
    assert any(said("desk.arrived.nothing") in one for one in answers)
    no_card = site.send(site.get("/fr/bureau/carte/envois"), ("photo.jpg", PHOTO))
    assert (no_card.status, no_card.errors) == (422, said("desk.card.unreadable"))
    nothing_chosen = site.send(site.get("/fr/bureau/demandes/carte"), ("c.png", photo_of(on.awa.card)), purpose="home")
    assert (nothing_chosen.status, nothing_chosen.errors) == (422, said("desk.request.choose_kind"))
    (waiting,) = asking.waiting_for_me(site.house, unlock(site.house, on.awa))
    assert waiting.kinds == ("tax-notice",), "asked once: the one who stands here reads it"
    asking.refuse(site.house, on.awa.session, waiting.request)
    site.sign_in(ines)
    page = site.send(site.get("/fr/bureau/carte/envois"), ("carte.png", photo_of(on.awa.card)))
    assert said("desk.requests.refused") in plain(page)


def test_a_newer_version_is_put_in_place_and_the_person_reads_by_whom(site: Site) -> None:
    on = scene(site.house)
    grant = give(site.house, on.awa, on.fatou, on.paper, acts=(Act.SEE, Act.REPLACE))
    other = give(site.house, on.awa, on.fatou, keep(site.house, on.awa.session, "Bail"))
    site.sign_in(on.fatou)
    page = site.get(f"/fr/bureau/personnes/{grant}")
    form = site.get(page.link("/remplacer"))
    assert form.heading == said("desk.replace.title")
    unopened = site.send(form, ("avis.jpg", PHOTO))
    assert (unopened.status, unopened.errors) == (422, said("desk.deposit.must_be_opened"))
    done = site.send(form, ("avis.jpg", PHOTO), opened_by_person="yes")
    assert done.path == f"/fr/bureau/personnes/{grant}"
    assert said("desk.replace.done") in plain(done)
    assert site.get(f"/fr/bureau/papiers/{other}/{on.paper}/remplacer").status == 404
    arriving.at_unlock(site.house, unlock(site.house, on.awa))
    assert documents.paper(site.house, on.awa.session, on.paper).title == "Avis de 2025"
    tags = [one.event.tag for one in audit.history(site.house, on.awa.session)]
    assert "paper.replaced-by-worker" in tags


def test_what_ends_soon_is_listed_and_printed(site: Site) -> None:
    on = scene(site.house)
    give(site.house, on.awa, on.fatou, on.paper, days=12)
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau/bientot")
    assert said("desk.soon.share") in plain(page)
    paper = site.get("/fr/bureau/bientot/imprimer")
    assert "Awa" in paper.text
    assert said("desk.soon.note") in plain(paper)


def test_help_pages_say_it_in_both_languages(site: Site) -> None:
    on = scene(site.house)
    site.sign_in(on.fatou)
    for language in ("fr", "en"):
        for place in ("", "/premiers-pas", "/quoi-dire", "/clavier", "/charte"):
            assert site.get(f"/{language}/bureau/aide{place}").status == 200
    page = site.get("/fr/bureau/aide/charte")
    assert said("desk.charter.changed") in plain(page), "the tests' workers accepted another version"
    assert said("desk.charter.accepted") in plain(site.press(page))
    assert said("desk.charter.changed") not in plain(site.get("/fr/bureau"))
