"""The trace on pages and at its public addresses: a line's proof, the office's health, tiles up to the published head."""

from sqlalchemy import update

from storage.tables import entries
from tests.vault.builders import make_office, make_person
from tests.vault.clock import Clock
from tests.vault.trace_scene import ALONE
from tests.web.site import Shown, Site
from vault import checkpoints, health, recount


def proof_number(shown: Shown) -> str:
    """The number that the page says."""
    return str(shown.tree.xpath("//dl[@class='facts']//dd")[0].text_content()).strip()


def test_a_person_takes_the_proof_of_a_line_away(site: Site) -> None:
    awa = make_person(site.house, "Awa")
    site.open(awa)
    shown = site.get("/fr/regards")
    assert not [one for one in shown.links if one.endswith("/preuve")]
    choosing = site.get(shown.link("preuve=1"))
    proof = site.get(next(one for one in choosing.links if one.endswith("/preuve")))
    assert proof.heading == "La preuve de cette ligne"
    assert "Si quelqu'un la change, cela se voit." in proof.text
    entry = proof.link("/imprimer").split("/")[-3]
    printed = site.get(proof.link("/imprimer"))
    assert f"/trace/proof/{entry}" in printed.text
    assert checkpoints.fingerprint(site.house) in printed.text
    assert site.client.get(f"/fr/regards/{entry}/preuve/carre").headers["Content-Type"] == "image/svg+xml"
    file = site.client.get(f"/fr/regards/{entry}/preuve/fichier")
    assert file.headers["Content-Disposition"] == "attachment; filename=preuve.tlog-proof"
    public = site.client.get(f"/trace/proof/{entry}")
    assert public.text == file.text
    assert public.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f"(ligne {proof_number(proof)} )" in site.get("/fr/regards/imprimer").text
    site.open(make_person(site.house, "Yonas"))
    for end in ("", "/imprimer", "/fichier"):
        assert site.client.get(f"/fr/regards/{entry}/preuve{end}").status_code == 404


def test_the_public_addresses_stop_at_the_published_head(site: Site, clock: Clock) -> None:
    make_person(site.house, "Awa")
    client = site.client
    assert client.get("/trace/checkpoint").status_code == 404
    assert client.get("/trace/keys").text == checkpoints.keys(site.house).lines()
    checkpoints.publish(site.house)
    size = checkpoints.published(site.house).size  # type: ignore[union-attr]
    make_person(site.house, "Yonas")
    head = client.get("/trace/checkpoint")
    assert head.text.split("\n")[1] == str(size)
    assert head.headers["Cache-Control"] == "public, max-age=5"
    tile = client.get(f"/trace/tile/0/000.p/{size}")
    assert len(tile.content) == 32 * size
    assert tile.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert len(client.get(f"/trace/tile/entries/000.p/{size}").content) == 115 * size
    for beyond in (f"0/000.p/{size + 1}", "0/000", "1/000.p/1", "entries/000", "0/../keys", "0/0"):
        assert client.get(f"/trace/tile/{beyond}").status_code == 404, beyond
    assert client.get("/trace/consistency/1").text.startswith("old 1\n")
    assert client.get(f"/trace/consistency/{size + 1}").status_code == 404
    assert "set-cookie" not in head.headers
    clock.forward(days=1)
    checkpoints.publish(site.house)
    log = [ALONE["Key"](line) for line in client.get("/trace/keys").text.splitlines()]
    said = ALONE["check_continues"](client.get(f"/trace/consistency/{size}").text, [log], [], head.text)
    assert f"continues the one of {size} entries" in said[-1]


def test_the_office_sees_health_and_nothing_else(site: Site, clock: Clock) -> None:
    nadia = make_office(site.house).administrators[0]
    make_person(site.house, "Awa")
    site.sign_in_administrator(nadia)
    fresh = site.get("/fr/association/trace")
    assert fresh.text.count("pas encore") == 2
    checkpoints.publish(site.house)
    recount.nightly(site.house)
    whole = site.get("/fr/association/trace")
    assert whole.text.count("tient") == 4  # three rows, and the sentence above
    assert "Aucun témoin extérieur" in whole.text
    assert "Awa" not in whole.text
    clock.forward(days=3)
    site.sign_in_administrator(nadia)
    late = site.get("/fr/association/trace")
    assert late.text.count("à voir") == 2, "neither a head nor a count for three days"
    with site.house.database.transaction() as connection:
        connection.execute(update(entries).values(leaf=bytes(32)))
    recount.nightly(site.house)
    assert "Lancez « abri trace verify »" in site.get("/fr/association/trace").text
    assert [line.good for line in health.look(site.house) if line.name == "trace: counted again"] == [False]
