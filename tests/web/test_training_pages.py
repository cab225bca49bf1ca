"""A room for training through its door: one click to make it, one to enter, a ribbon on every page, cookies that never mix."""

from urllib.parse import urlsplit

from tests.vault.builders import make_office, make_worker
from tests.web.site import HOST, Shown, Site
from tests.web.test_desk_pages import plain, said
from vault.web.guards import COOKIE

RIBBON = "FORMATION — faux papiers"


def test_a_room_is_made_and_entered_in_two_clicks_and_looks_like_training_everywhere(site: Site) -> None:
    fatou = make_worker(site.house, make_office(site.house))
    site.sign_in(fatou)
    real = site.client.cookies.get(COOKIE)
    page = site.get("/fr/bureau/formation")
    room = site.press(page)
    prefix = room.path.removesuffix("/fr/salle")
    assert prefix.startswith("/formation/")
    assert room.heading == said("room.title")
    desk = submit(site, room, "camille")
    assert desk.path == f"{prefix}/fr/bureau", desk.text
    assert "Awa (formation)" in plain(desk)
    inner = {one.name: one.value for one in site.client.cookies.jar if one.name != COOKIE}
    assert [name.partition("-formation-")[2] for name in inner] == [f"{prefix.rpartition('/')[2]}-abri"]
    assert site.client.cookies.get(COOKIE) == real, "the real desk is untouched"
    assert real not in inner.values()
    shared = site.get(next(one for one in desk.links if "/personnes/" in one))
    viewer = site.get(next(one for one in shared.links if "/papiers/" in one))
    for page in (
        room, desk, shared, viewer,
        *(site.get(f"{prefix}/{place}") for place in (
            "", "fr", "ar", "fr/aide", "fr/carte", "fr/perdu", "fr/ouvrir/avant/1", "fr/bureau/aide/quoi-dire", "fr/bureau/demandes",
            "en/bureau", "fr/bureau/papiers/none/none", "fr/association", "fr/nothing-here",
        )),
    ):  # fmt: skip
        says = page.tree.xpath("//*[contains(@class, 'ribbon')]")
        assert says, page.url
        if "/ar" not in page.path and "/en" not in page.path:
            assert RIBBON in says[0].text_content(), page.url
        for address in page.tree.xpath("//a/@href | //form/@action | //img/@src"):
            assert address.startswith(("#", "?", prefix, "/static/", "tel:")) or address == "/fr/bureau/formation", (
                page.url,
                address,
            )
    (image,) = viewer.images
    assert site.client.get(image).headers["content-type"] == "image/jpeg"
    assert RIBBON not in site.get("/fr/bureau").text, "and the real desk is still there, real"
    # Each side shown the other's cookie sees nobody.
    ((name, value),) = inner.items()
    site.client.cookies.set(COOKIE, value, domain=HOST, path="/")
    assert site.get("/fr/bureau").status == 401
    site.client.cookies.set(COOKIE, str(real), domain=HOST, path="/")
    site.client.cookies.set(name, str(real), domain=HOST, path="/")
    assert site.get(f"{prefix}/fr/bureau").status == 401
    assert site.get("/fr/bureau").status == 200, "what a room deletes is its own cookie alone"


def test_a_person_of_a_room_opens_with_their_card_and_a_reset_leaves_nothing(site: Site) -> None:
    fatou = make_worker(site.house, make_office(site.house))
    site.sign_in(fatou)
    room = site.press(site.get("/fr/bureau/formation"))
    prefix = room.path.removesuffix("/fr/salle")
    card = site.client.get(f"{prefix}/fr/salle/carte/awa").content
    code = next(
        word
        for one in room.tree.xpath("//li")
        if "Awa" in one.text_content()
        for word in one.text_content().split()
        if word.isdigit()
    )
    shown = site.get(f"{prefix}/fr/carte/autrement")
    page = site.send(shown, ("carte.jpg", card))
    assert page.path == f"{prefix}/fr/code"
    home = site.press(page, code=code)
    assert home.path == f"{prefix}/fr/maison"
    assert "Awa (formation)" in home.text
    again = site.press(site.get("/fr/bureau/formation"))
    assert again.path == room.path
    assert site.get(f"{prefix}/fr/maison").status == 401, "nobody of the room before is in this one"
    for place in ("/formation", "/formation/none/fr", f"/formation/{'0' * 24}/fr/salle"):
        assert site.client.get(place, follow_redirects=False).headers["location"] == "/"
    assert site.get("/fr/salle").status == 404, "the real service has no such page"
    assert site.client.get(f"{prefix}/fr/salle/carte/nadia").status_code == 404


def submit(site: Site, page: Shown, worker: str) -> Shown:
    """Be one of the room's workers."""
    form = next(one for one in page.tree.xpath("//form") if one.xpath(f".//input[@value='{worker}']"))
    return site.post(urlsplit(str(form.get("action"))).path, {"token": "", "worker": worker})
