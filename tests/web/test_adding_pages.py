"""Adding papers, page by page: a photo, a file, many, a phone; read again, turned, cut; a drawer, a kind, and it is kept."""

import pytest
from PIL import ImageFilter

from consent.ids import PaperId
from tests.vault.builders import MadePerson, make_office, make_person, make_worker
from tests.vault.clock import Clock
from tests.vault.scenes import on_a_table, saved, sheet
from tests.web.sharing_steps import share_drawer
from tests.web.site import Shown, Site, read_square
from vault import documents, drafts
from vault.kiosks import Equipment

SHEET = saved(sheet(620, 877), "JPEG", quality=85)
ASKEW = saved(on_a_table([(160, 140), (820, 190), (780, 1130), (110, 1060)], (940, 1260)), "JPEG", quality=85)
NO_CAMERA = Equipment(camera=False, scanner=True, printer=True, sound=True)


@pytest.fixture
def awa(site: Site) -> MadePerson:
    """Awa, who has just opened her safe and stands before it."""
    made = make_person(site.house, "Awa")
    site.open(made)
    return made


def titles(site: Site, awa: MadePerson) -> list[tuple[str, str, int]]:
    """Drawer, kind and pages of every paper."""
    return [(str(card.shelf), card.sort, card.pages) for card in documents.list_papers(site.house, awa.session)]


def taken(site: Site, *photos: bytes) -> Shown:
    """Photos, one after the other: the page that asks whether one can read them."""
    shown = site.send(site.get("/fr/ajouter/photo"), ("photo.jpg", photos[0]))
    for photo in photos[1:]:
        shown = site.send(site.get(shown.link("/ajouter/photo")), ("photo.jpg", photo))
    return shown


def test_from_the_camera_to_the_list_in_four_touches(site: Site, awa: MadePerson) -> None:
    """CAP-01: at most six. The shutter, "oui, garder", a drawer, a kind."""
    read = taken(site, SHEET)
    assert (read.path, read.heading) == ("/fr/ajouter/lire", "On lit bien ?")
    assert site.get(read.images[0]).content.startswith(b"\xff\xd8\xff")
    drawer = site.get(read.link("/ajouter/tiroir"))
    kind = site.press(drawer, shelf="identity")
    assert kind.heading == "C'est quel papier ?"
    kept = site.press(kind, kind="passport")
    assert kept.path == "/fr/papiers"
    assert "Le papier est gardé." in kept.text
    assert titles(site, awa) == [("identity", "passport", 1)]
    assert drafts.current(site.house, awa.session) is None


def test_not_knowing_is_an_answer(site: Site, awa: MadePerson) -> None:
    drawer = site.get(taken(site, SHEET).link("/ajouter/tiroir"))
    assert "Le papier est gardé." in site.press(drawer, dont_know="yes").text
    kind = site.press(site.get(taken(site, SHEET).link("/ajouter/tiroir")), shelf="work")
    assert "Le papier est gardé." in site.press(kind, dont_know="yes").text
    assert sorted(titles(site, awa)) == [("other", "", 1), ("work", "", 1)]


def test_three_photos_make_one_paper_of_three_pages(site: Site, awa: MadePerson) -> None:
    """CAP-02."""
    read = taken(site, SHEET, SHEET, SHEET)
    assert "Page 3 sur 3" in read.text
    assert "Page 2 sur 3" in site.get(read.link("page=2")).text
    site.press(site.get("/fr/ajouter/tiroir"), dont_know="yes")
    assert titles(site, awa) == [("other", "", 3)]


def test_turning_and_cutting_change_what_is_seen(site: Site, awa: MadePerson) -> None:
    """A11Y-08: plain buttons, no dragging."""
    read = taken(site, ASKEW)
    assert read.buttons["nudge"] == ["turn", "top-in", "bottom-in", "left-in", "right-in", "as-it-is"]
    before = site.get(read.images[0]).content
    for nudge in ("turn", "top-in", "as-it-is"):
        read = site.press(read, nudge=nudge)
        now = site.get(read.images[0]).content
        assert now != before, nudge
        before = now
    assert site.press(read, nudge="sideways").status == 422


def test_again_takes_the_page_out(site: Site, awa: MadePerson) -> None:
    read = taken(site, SHEET, ASKEW)
    assert site.press(read, again="yes").path == "/fr/ajouter/photo"
    draft = drafts.current(site.house, awa.session)
    assert draft is not None
    assert len(draft.pages) == 1
    assert site.get("/fr/ajouter").path == "/fr/ajouter/lire"  # what waits for its yes comes first


def test_a_blurred_photo_is_told_and_can_be_kept(site: Site, awa: MadePerson) -> None:
    """CAP-08."""
    blurred = saved(sheet(620, 877).filter(ImageFilter.GaussianBlur(6)), "JPEG")
    read = taken(site, blurred)
    assert "La photo est floue." in read.text
    assert "Le papier est gardé." in site.press(site.get(read.link("/ajouter/tiroir")), dont_know="yes").text


@pytest.mark.parametrize(
    ("content", "sentence", "status"),
    [
        (b"not a paper at all", "Nous ne savons pas lire ce papier.", 415),
        (b"\xff\xd8\xff" + bytes(16 * 1024 * 1024), "Ce papier est trop lourd.", 413),
        (b"", "Choisissez d'abord un papier.", 422),
    ],
    ids=["unknown", "heavy", "none"],
)
@pytest.mark.parametrize("way", ["photo", "fichier", "beaucoup"])
def test_what_is_refused_says_why_and_loses_nothing(
    site: Site, awa: MadePerson, way: str, content: bytes, sentence: str, status: int
) -> None:
    """CAP-04, A11Y-09."""
    if way != "beaucoup":
        taken(site, SHEET)
    form = site.get(f"/fr/ajouter/{way}")
    shown = site.send(form, ("papier", content))
    assert shown.status == status
    assert sentence in shown.errors
    assert shown.tree.xpath("//*[@id='errors']//a/@href") == ["#file"]
    assert shown.tree.xpath("//*[@id='file']/@aria-invalid") == ["true"]
    draft = drafts.current(site.house, awa.session)
    assert (len(draft.pages) if draft else 0) == (0 if way == "beaucoup" else 1)
    assert documents.count(site.house, awa.session) == 0


def test_one_bad_file_among_several_adds_none(site: Site, awa: MadePerson) -> None:
    shown = site.send(site.get("/fr/ajouter/fichier"), ("a.jpg", SHEET), ("b.jpg", b"not a picture"))
    assert shown.status == 415
    assert drafts.current(site.house, awa.session) is None
    assert site.send(shown, ("a.jpg", SHEET), ("b.jpg", SHEET)).path == "/fr/ajouter/lire"
    assert titles(site, awa) == []


def test_the_token_of_the_form_comes_before_the_photo(site: Site, awa: MadePerson) -> None:
    form = site.get("/fr/ajouter/photo")
    site.open(awa)
    assert site.send(form, ("photo.jpg", SHEET)).status == 403
    assert drafts.current(site.house, awa.session) is None


def test_many_papers_are_kept_one_by_one_to_be_sorted(site: Site, awa: MadePerson) -> None:
    shown = site.get("/fr/ajouter/beaucoup")
    for number in range(1, 4):
        shown = site.send(shown, ("photo.jpg", saved(sheet(620 + number, 877), "JPEG", quality=85)))
        assert f"{number} papier" in shown.text
    assert titles(site, awa) == [("other", "", 1)] * 3
    assert site.get(shown.link("tiroir=other")).heading == "Autre"


def test_of_many_what_was_kept_before_a_bad_file_is_said_and_not_kept_twice(site: Site, awa: MadePerson) -> None:
    """The browser still holds all the files: they are sent again together, or the form twice."""
    other = saved(sheet(620, 870), "JPEG", quality=85)
    form = site.get("/fr/ajouter/beaucoup")
    shown = site.send(form, ("a.jpg", SHEET), ("b.jpg", b"not a picture"))
    assert shown.status == 415
    assert "1 papier" in shown.text
    assert drafts.current(site.house, awa.session) is None
    for _ in range(2):
        again = site.send(form, ("a.jpg", SHEET), ("b.jpg", other))
        assert "papier" in again.text
    assert titles(site, awa) == [("other", "", 1)] * 2


def test_only_ways_that_the_kiosk_has_are_offered(site: Site, awa: MadePerson) -> None:
    """CAP-05."""
    assert "Prendre une photo" in site.get("/fr/ajouter").text
    office = make_office(site.house)
    site.stand_at(office.administrators[0], office.structure, NO_CAMERA)
    shown = site.get("/fr/ajouter")
    assert "Prendre une photo" not in shown.text
    assert "Depuis mon téléphone" in shown.text
    assert "Depuis une clé USB" in shown.text
    assert not site.get("/fr/ajouter/photo").tree.xpath("//video")
    assert taken(site, SHEET).link("/ajouter/fichier")


def test_a_drawer_that_somebody_sees_is_told_before_anything_is_put_in(site: Site, awa: MadePerson) -> None:
    fatou = make_worker(site.house, make_office(site.house), "Fatou")
    share_drawer(site, awa, fatou, "health")
    site.open(awa)
    taken(site, SHEET)
    question = site.press(site.get("/fr/ajouter/tiroir"), shelf="health")
    assert question.heading == "Une personne voit ce tiroir"
    assert "Fatou verra ce papier." in question.text
    assert site.get("/fr/ajouter/sorte").path == "/fr/ajouter/tiroir"
    kind = site.press(question, answer="yes")
    assert kind.heading == "C'est quel papier ?"
    site.press(kind, kind="prescription")
    assert titles(site, awa) == [("health", "prescription", 1)]


def test_more_time_for_the_code_and_two_hours_at_most(site: Site, awa: MadePerson, clock: Clock) -> None:
    def stay(minutes: int) -> Shown:
        for _ in range(minutes):
            clock.forward(minutes=1)
            shown = site.get("/fr/ajouter")
        return shown

    assert "se ferme bientôt" not in stay(19).text
    soon = stay(2)
    assert "L'écran se ferme bientôt." in soon.text
    ask = site.get(soon.link("/ajouter/temps"))
    assert site.press(ask, code="12").errors == "Il faut 6 chiffres."
    assert site.press(ask, code="739164").status == 401
    assert "se ferme bientôt" not in site.press(ask, code=awa.code).text
    for _ in range(4):
        stay(18)
        site.press(site.get("/fr/ajouter/temps"), code=awa.code)
    last = stay(22)
    assert last.status == 200
    assert "se ferme bientôt" not in last.text  # no more can be given
    assert stay(8).status == 401


# --- From a phone ---------------------------------------------------------------------------------------------------------


def square(site: Site, shown: Shown) -> str:
    """The address in the square of a page, as a phone reads it."""
    drawn = site.get(shown.images[0])
    assert drawn.headers["content-type"] == "image/svg+xml"
    return read_square(drawn.content)


def test_a_photo_from_a_phone(site: Site, awa: MadePerson) -> None:
    """CAP-07: single use, five minutes, upload only."""
    shown = site.press(site.get("/fr/ajouter"), phone="yes")
    assert shown.heading == "Avec votre téléphone"
    link = square(site, shown)
    assert link.startswith("https://abri.test/fr/envoi/")
    assert link.rsplit("/", 1)[1] not in shown.content.decode()
    assert "Rien n'est arrivé" in site.get(shown.link("/arrive")).heading
    with site.phone() as phone:
        form = phone.get(link)
        refused = phone.send(form, ("photo.jpg", b"not a photo"))
        assert refused.status == 415
        sent = phone.send(refused, ("photo.jpg", SHEET))
        assert sent.heading == "C'est envoyé"
        assert phone.get(link).status == 410
        assert phone.send(form, ("photo.jpg", SHEET)).status == 410
    question = site.get(shown.link("/arrive"))
    assert question.heading == "C'est votre papier ?"
    assert site.get(question.images[0]).content.startswith(b"\xff\xd8\xff")
    drawer = site.press(question, answer="yes")
    kept = site.press(site.press(drawer, shelf="housing"), kind="domiciliation")
    assert "Le papier est gardé." in kept.text
    assert titles(site, awa) == [("housing", "domiciliation", 1)]


def test_somebody_elses_photo_is_erased(site: Site, awa: MadePerson) -> None:
    link = square(site, site.press(site.get("/fr/ajouter"), phone="yes"))
    with site.phone() as phone:
        phone.send(phone.get(link), ("photo.jpg", SHEET))
    assert "Un papier est arrivé" in site.get("/fr/papiers").text
    site.press(site.get("/fr/ajouter/telephone/arrive"), answer="no")
    assert titles(site, awa) == []


def test_the_square_ends_after_five_minutes(site: Site, awa: MadePerson, clock: Clock) -> None:
    shown = site.press(site.get("/fr/ajouter"), phone="yes")
    link = square(site, shown)
    for _ in range(6):
        clock.forward(minutes=1)
        gone = site.get("/fr/ajouter/telephone")
    assert "ne marche plus" in gone.text
    with site.phone() as phone:
        assert phone.get(link).status == 410
    assert site.press(gone, again="yes").images


def test_a_paper_to_a_phone(site: Site, awa: MadePerson) -> None:
    site.press(site.get(taken(site, SHEET).link("/ajouter/tiroir")), dont_know="yes")
    (card,) = documents.list_papers(site.house, awa.session)
    shown = site.press(site.get(f"/fr/papiers/{card.paper}/que-faire"), phone="yes")
    assert shown.heading == "Sur votre téléphone"
    link = square(site, shown)
    assert link.startswith("https://abri.test/fr/tel/")
    with site.phone() as phone:
        form = phone.get(link)
        assert phone.get(link).heading == form.heading  # looking does not use it up
        assert len(form.content) + phone.weight(form) <= 50_000  # PERF-01
        assert not form.tree.xpath("//script")
        got = phone.press(form)
        assert got.headers["content-disposition"] == 'attachment; filename="papier.jpg"'
        with documents.open_paper(site.house, awa.session, card.paper, "received") as content:
            assert got.content == b"".join(content.chunks())
        assert phone.get(link).status == 410
        assert phone.press(form).status == 410
    assert site.get(f"/fr/papiers/{PaperId(card.paper)}/telephone").status == 200


def test_a_square_of_one_kind_is_not_one_of_the_other(site: Site, awa: MadePerson) -> None:
    link = square(site, site.press(site.get("/fr/ajouter"), phone="yes"))
    with site.phone() as phone:
        assert phone.get(link.replace("/envoi/", "/tel/")).status == 410
        assert phone.post(link.replace("/envoi/", "/tel/"), {"token": ""}).status == 410
        assert phone.get("https://abri.test/fr/envoi/" + "A" * 43).status == 410
