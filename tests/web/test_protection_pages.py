"""What somebody who is afraid reads: whom to call, and which people of trust to look at again."""

import dataclasses
import datetime as dt

import pytest

from tests.vault.builders import PICTURES, MadePerson, MadeWorker, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.comings import NEW_CODE, face, new_card
from tests.vault.papers import keep
from tests.vault.test_sharing import offer, second_day
from tests.web.desk_scene import clock_of
from tests.web.renewing_steps import all_new, present
from tests.web.site import Site
from vault import circles, guardians, sessions, sharing, showing, workers
from vault.circles import NewSheet
from vault.errors import WrongSecret
from vault.reading_settings import _help_numbers
from vault.settings import UnsafeSettings


def test_help_numbers_are_a_setting_and_are_read_without_any_session(site: Site) -> None:
    before = site.client.app.state.context  # type: ignore[attr-defined]
    numbers = _help_numbers("Violences Femmes: 3919; Samu social : 115")
    settings = dataclasses.replace(before.settings, help_numbers=numbers)
    site.client.app.state.context = dataclasses.replace(before, settings=settings)  # type: ignore[attr-defined]
    told = site.get("/fr/proteger/parler").text
    assert "Violences Femmes, 3919" in told
    assert "Samu social, 115" in told
    for wrong in ("3919", "name:", "a: 1; b: 2; c: 3; d: 4; e: 5", "name: <b>"):
        with pytest.raises(UnsafeSettings):
            _help_numbers(wrong)


def test_after_six_months_the_first_page_asks_to_look_at_ones_people_again(site: Site) -> None:
    house = site.house
    fatou = make_worker(house, make_office(house))
    marc = make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    awa = make_person(house, "Awa")
    circles.set_circle(house, awa.session, awa.code, [face(fatou), face(marc)], 2)
    site.open(awa)
    assert "sont à revoir" not in site.get("/fr/maison").text
    clock_of(house).forward(days=190)
    site.open(awa)
    assert "sont à revoir" in site.get("/fr/maison").text
    site.press(site.get("/fr/confiance"))
    assert "sont à revoir" not in site.get("/fr/maison").text


# --- "Je me protège" --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Afraid:
    """Mariam, two guardians and a sheet; a share with Fatou and a link that still opens."""

    mariam: MadePerson
    fatou: MadeWorker
    marc: MadeWorker
    grant: str


def somebody_afraid(site: Site) -> Afraid:
    house = site.house
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    mariam = make_person(house, "Mariam", words=True)
    paper = keep(house, mariam.session, "Contrat", text="un papier")
    circles.set_circle(house, mariam.session, mariam.code, [face(fatou), face(marc), NewSheet("sac")], 2)
    second_day(house, clock_of(house), mariam, fatou)
    grant = sharing.grant(house, mariam.session, fatou.id, offer(paper))
    return Afraid(mariam, fatou, marc, grant)


def test_everything_is_new_and_then_each_person_and_share_is_looked_at_one_by_one(site: Site) -> None:
    house, on = site.house, somebody_afraid(site)
    mariam, card = on.mariam, new_card()
    site.open(mariam)
    assert site.get("/fr/proteger/revue").path == "/fr/maison"  # nothing to look at before
    slip = all_new(site, mariam, card, NEW_CODE)
    assert slip.path == "/fr/ouvrir/feuillet"
    renewed = dataclasses.replace(mariam, card=card, code=NEW_CODE)
    with house.database.transaction(read_only=True) as connection:
        assert "new-means" not in sessions.read_state(connection, site.session(), hold=False)

    first = site.press(slip)
    assert (first.path, first.heading) == ("/fr/proteger/revue", "Vous gardez ?")
    assert "1 sur 3" in first.text
    assert first.form.xpath(".//*[@checked]") == []  # nothing is decided by default
    assert site.press(first).status == 422
    seen = [first.text]
    kept = site.press(first, answer="keep")
    assert "2 sur 3" in kept.text
    # Away, and back another day: what was kept is not asked again, what was not is.
    site.open(renewed)
    home = site.get("/fr/maison")
    assert "Il reste des choses à revoir" in home.text
    second = site.get(home.link("/proteger/revue"))
    assert second.text == kept.text
    seen.append(second.text)
    ask = site.press(second, answer="stop")
    assert "/proteger/revue/retirer/" in ask.path
    assert site.press(ask, code="739152").status == 401
    assert len(guardians.circle(house, site.session()).members) == 2  # type: ignore[union-attr]
    third = site.press(site.get(ask.path), code=NEW_CODE)
    seen.append(third.text)
    assert all(any(name in text for text in seen) for name in ("Fatou", "Marc"))
    (left,) = guardians.circle(house, site.session()).members  # type: ignore[union-attr]
    assert left.name in first.text  # the kept one lives on in the fresh circle, and is not asked again
    assert "Contrat" in third.text
    end = site.press(third, answer="stop")
    assert end.heading == "Vous avez tout revu"
    assert showing.grants_of(house, site.session()) == []
    assert "Choisissez qui peut vous aider" in end.text
    done = site.press(end)
    assert done.path in ("/fr/maison", "/fr/partages")
    assert "Il reste des choses à revoir" not in site.get("/fr/maison").text
    assert site.get("/fr/proteger/revue").path == "/fr/maison"


def test_what_does_not_wait_is_not_decided(site: Site) -> None:
    """An answer about somebody else's share, twice the same, or before the end, changes nothing."""
    house, on = site.house, somebody_afraid(site)
    site.open(on.mariam)
    site.press(all_new(site, on.mariam, new_card(), NEW_CODE))
    page = site.get("/fr/proteger/revue")
    token = page.fields()["token"][0]
    for kind, name in (("share", "nobody"), ("guardian", on.grant), ("link", on.grant)):
        answer = site.post("/fr/proteger/revue", {"token": token, "kind": kind, "id": name, "answer": "stop"})
        assert (answer.status, answer.text) == (200, page.text)
    assert site.post("/fr/proteger/revue/fini", {"token": token}).text == page.text
    assert [one.grant for one in showing.grants_of(house, site.session())] == [on.grant]


def test_before_the_last_yes_nothing_has_changed(site: Site) -> None:
    """A wrong present code, a card of somebody's, codes that differ, an answer out of order: the old card opens as before."""
    house, mariam = site.house, make_person(site.house, "Mariam")
    other = make_person(house, "Nour")
    site.open(mariam)
    assert site.get("/fr/proteger/nouveau/carte").path == "/fr/proteger/nouveau/code"
    assert site.get("/fr/proteger/nouveau/oui").path == "/fr/proteger/nouveau/code"
    page = site.get("/fr/proteger/nouveau/code")
    assert site.press(page, code="123456").status == 422
    again = site.press(page, code=NEW_CODE)
    assert site.get("/fr/proteger/nouveau/carte").path == "/fr/proteger/nouveau/code"  # given once is not given
    assert site.press(again, code="739152").status == 422
    assert site.press(site.press(page, code=NEW_CODE), code=NEW_CODE).path == "/fr/proteger/nouveau/carte"
    token = again.fields()["token"][0]
    for taken in (other.card, mariam.card):
        answer = site.post("/fr/proteger/nouveau/carte", {"token": token, "card": taken})
        assert (answer.status, bool(answer.errors)) == (422, True)
    last = site.post("/fr/proteger/nouveau/carte", {"token": token, "card": new_card()})
    assert site.press(last, code="739152").status == 401
    assert site.get("/fr/moi/nouveau/oui").path == "/fr/moi/nouveau/code"  # the other flow has its own answers
    assert unlock(house, mariam).account == mariam.id


def test_a_code_is_changed_by_who_has_digits_and_by_who_has_pictures(site: Site) -> None:
    house = site.house
    for person in (make_person(house, "Awa"), make_person(house, "Yonas", pictures=PICTURES)):
        site.open(person)
        page = site.get("/fr/moi/nouveau/code")
        last = site.press(site.press(page, code=NEW_CODE), code=NEW_CODE)
        assert last.path == "/fr/moi/nouveau/oui"
        assert bool(last.form.xpath(".//select")) is bool(person.pictures)
        told = site.press(last, **present(person))
        assert told.path == "/fr/moi"
        assert "Votre code est changé" in told.text
        assert unlock(house, dataclasses.replace(person, pictures=None, code=NEW_CODE)).account == person.id
        with pytest.raises(WrongSecret):
            unlock(house, person)


def test_who_came_with_five_words_takes_a_new_card(site: Site) -> None:
    house = site.house
    awa = make_person(house, "Awa", words=True)
    opened = site.press(site.get("/fr/mots"), number=awa.number, words=" ".join(awa.words or ()))
    assert opened.path == "/fr/maison"
    assert site.get("/fr/moi/nouveau/code").path == "/fr/proteger/tout-changer"
    card = new_card()
    begun = site.press(site.press(site.get("/fr/proteger/nouveau/code"), code=NEW_CODE), code=NEW_CODE)
    assert begun.path == "/fr/proteger/nouveau/carte"
    token = site.get("/fr/proteger/nouveau/code").fields()["token"][0]
    last = site.post("/fr/proteger/nouveau/carte", {"token": token, "card": card})
    assert site.press(last, five_words=" ".join(awa.words or ())).path == "/fr/ouvrir/feuillet"
    assert unlock(house, dataclasses.replace(awa, card=card, code=NEW_CODE)).account == awa.id


def test_one_guardian_is_taken_out_on_the_page_of_ones_people(site: Site) -> None:
    house, on = site.house, somebody_afraid(site)
    site.open(on.mariam)
    people = site.get("/fr/confiance")
    leaving = [link for link in people.links if "/confiance/retirer/" in link]
    assert len(leaving) == 3
    circle = guardians.circle(house, site.session())
    assert circle is not None
    (fatou,) = [one.id for one in circle.members if one.name == "Fatou"]
    after = site.press(site.get(people.link(fatou)), code=on.mariam.code)
    assert after.path == "/fr/confiance"
    assert "Fatou" not in after.text
    assert guardians.people_who_count_on_me(house, sign_in(house, on.fatou)) == []
    assert [one.name for one in guardians.people_who_count_on_me(house, sign_in(house, on.marc))] == ["Awa"]
    fresh = guardians.circle(house, site.session())
    assert fresh is not None
    assert (fresh.sets, {one.kind for one in fresh.members}) == (1, {"worker", "sheet"})


def test_a_second_session_of_the_same_safe_ends_the_first_in_neutral_words(site: Site) -> None:
    awa = make_person(site.house, "Awa")
    with site.phone() as elsewhere:
        site.open(awa)
        elsewhere.open(awa)
        ended = site.get("/fr/maison")
        assert ended.status == 401
        nobody = site.get("/fr/maison")
        for word in ("Awa", "autre", "ailleurs", "carte volée", "quelqu'un"):
            assert word not in ended.text, word
        assert ended.text == nobody.text
        assert elsewhere.get("/fr/maison").status == 200
        assert "Votre Abri a été ouvert ailleurs" not in elsewhere.get("/fr/maison").text


def test_a_card_kept_at_the_desk_is_chosen_shown_at_each_unlock_and_ended_by_a_touch(site: Site) -> None:
    house = site.house
    office = make_office(house)
    fatou, ines = make_worker(house, office), make_worker(house, office, "Inès", "intern", ends=dt.date(2027, 6, 30))
    awa = make_person(house, "Awa")
    site.open(awa)
    off = site.get("/fr/moi/carte-gardee")
    assert "Cette personne garde la carte, rien de plus." in off.text
    choose = site.get(off.link("/choisir"))
    assert (fatou.id in choose.buttons["worker"], ines.id in choose.buttons["worker"]) == (True, False)
    told = site.press(choose, worker=fatou.id)
    assert "Fatou garde votre carte." in told.text
    site.open(awa)
    assert "Fatou garde votre carte." in site.get("/fr/maison").text
    helpers = site.get("/fr/moi/accompagne/choisir")
    assert fatou.id not in [str(one) for one in helpers.tree.xpath("//input[@name='worker']/@value")]
    with site.phone() as desk:
        desk.sign_in(fatou)
        page = desk.get("/fr/bureau/confiance")
        assert "Cartes que je garde" in page.text
        assert "Awa" in page.text
        assert desk.press(page).path == "/fr/bureau/confiance"
        assert "Cartes que je garde" not in desk.get("/fr/bureau/confiance").text
    assert "garde votre carte" not in site.get("/fr/maison").text
    site.press(site.get("/fr/moi/carte-gardee/choisir"), worker=fatou.id)
    back = site.press(site.get("/fr/moi/carte-gardee"), back="yes")
    assert back.heading == off.heading
    assert "Cette personne garde la carte, rien de plus." in back.text
    assert "ne garde plus votre carte" in site.get("/fr/regards").text


def test_a_phrase_by_which_guardians_recognise_the_person_is_theirs_alone_and_lives_on(site: Site) -> None:
    house = site.house
    fatou, marc = make_worker(house, make_office(house)), make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    awa = make_person(house, "Awa")
    site.open(awa)
    page = site.get("/fr/confiance/choisir")
    long = site.press(page, worker=[fatou.id, marc.id], phrase="a" * 121, code=awa.code)
    assert (long.status, "trop long" in long.errors) == (422, True)
    assert guardians.circle(house, site.session()) is None
    chosen = {"worker": [fatou.id, marc.id], "new_sheets": "1", "code": awa.code}
    site.press(page, phrase="  le  figuier de ma grand-mère ", **chosen)
    circle = guardians.circle(house, site.session())
    assert circle is not None
    (sheet,) = [one.id for one in circle.members if one.kind == "sheet"]
    site.press(site.get(f"/fr/confiance/retirer/{sheet}"), code=awa.code)  # a fresh circle: the phrase goes with it
    assert site.get("/fr/confiance/choisir").tree.xpath("//input[@name='phrase']/@value") == ["le figuier de ma grand-mère"]
    with site.phone() as desk:
        for worker in (fatou, marc):
            desk.sign_in(worker)
            (ward,) = guardians.people_who_count_on_me(house, sign_in(house, worker))
            desk.sign_in(worker)
            assert "« le figuier de ma grand-mère »" in desk.get(f"/fr/bureau/confiance/{ward.member}").text
            assert "figuier" not in desk.get("/fr/bureau/confiance").text  # in the list, nobody reads it over a shoulder


def test_who_changed_their_name_is_still_found_by_the_one_of_before(site: Site) -> None:
    """ADR 0115: the page says it to the person, the list and the page of the guardian show both."""
    house = site.house
    fatou, marc = make_worker(house, make_office(house)), make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    awa = make_person(house, "Awa")
    site.open(awa)
    circles.set_circle(house, site.session(), awa.code, [face(fatou), face(marc)], 2)
    page = site.get("/fr/moi/nom")
    assert "Elles voient aussi l'ancien pendant 12 mois." in page.text
    site.press(page, name="Zoé")
    with site.phone() as desk:
        desk.sign_in(fatou)
        (ward,) = guardians.people_who_count_on_me(house, sign_in(house, fatou))
        desk.sign_in(fatou)
        for path in ("/fr/bureau/confiance", f"/fr/bureau/confiance/{ward.member}"):
            told = desk.get(path).text
            assert "Zoé" in told
            assert told.index("Avant le") < told.index("Awa")


@pytest.mark.parametrize("pictures", [None, PICTURES], ids=["digits", "pictures"])
def test_another_card_alone_is_taken_under_my_card_and_my_code(site: Site, pictures: tuple[int, ...] | None) -> None:
    """AUTH-07: the code stays, the old card is dead at once, the first page says so; nothing changed before the last answer."""
    house, card = site.house, new_card()
    awa, other = make_person(house, "Awa", pictures=pictures), make_person(house, "Nour")
    site.open(awa)
    assert site.get("/fr/moi/carte/oui").path == "/fr/moi/carte"
    page = site.get(site.get("/fr/moi").link("/moi/carte"))
    token = {"token": site.session().form_token}
    for taken in (other.card, awa.card, "rien"):
        assert site.post(page.path, {**token, "card": taken}).status == 422
    last = site.post(page.path, {**token, "card": card})
    assert last.path == "/fr/moi/carte/oui"
    assert site.press(last, **({"picture_1": "3"} if pictures else {"code": "739152"})).status == 401
    assert site.get("/fr/moi/nouveau/oui").path == "/fr/moi/nouveau/code"  # the other flows have their own answers
    assert site.get("/fr/proteger/nouveau/oui").path == "/fr/proteger/nouveau/code"
    told = site.press(site.get("/fr/moi/carte/oui"), **present(awa))
    assert (told.path, "Votre carte a été remplacée." in told.text) == ("/fr/maison", True)
    with pytest.raises(WrongSecret):
        unlock(house, awa)
    assert unlock(house, dataclasses.replace(awa, card=card)).account == awa.id


def test_who_came_with_five_words_takes_a_code_with_the_card(site: Site) -> None:
    awa = make_person(site.house, "Awa", words=True)
    door = site.get(site.get("/fr/carte").link("/mots"))  # K08 leads there itself
    site.press(door, number=awa.number, words=" ".join(awa.words or ()))
    assert site.get("/fr/moi/carte").path == "/fr/proteger/tout-changer"


def test_each_sheet_bears_the_name_of_whom_it_is_for(site: Site) -> None:
    """Whoever takes back one of two sheets knows whose it is; the name stays through a fresh circle, and is read by its owner alone."""
    house, awa = site.house, make_person(site.house, "Awa")
    site.open(awa)
    page = site.get("/fr/confiance/choisir")
    chosen = {"new_sheets": "2", "code": awa.code}
    long = site.press(page, sheet_1="R" * 41, **chosen)
    assert (long.status, bool(long.errors), guardians.circle(house, site.session())) == (422, True, None)
    assert site.press(page, sheet_1="  Rosa  du foyer ", **chosen).path == "/fr/ouvrir/feuillet"
    circle = guardians.circle(house, site.session())
    assert circle is not None
    named = {one.name: one.id for one in circle.members}
    assert set(named) == {"Rosa du foyer", "2"}
    trusted = site.get("/fr/confiance")
    assert "Une feuille de secours : Rosa du foyer" in trusted.text
    release = site.get(trusted.link(named["2"]))
    assert "Une feuille de secours : 2" in release.text
    after = site.press(release, code=awa.code)
    assert "Rosa du foyer" in after.text
    assert "Une feuille de secours : 2" not in after.text
    assert "Une feuille de secours : Rosa du foyer" in site.get("/fr/confiance/choisir").text


def test_three_of_three_is_chosen_on_the_page_and_stays_until_the_person_says_otherwise(site: Site) -> None:
    house, canal = site.house, make_office(site.house, "ESI Le Canal")
    trusted = [make_worker(house, make_office(house)), make_worker(house, canal, "Marc"), make_worker(house, canal, "Nora")]
    awa = make_person(house, "Awa")
    site.open(awa)

    def told() -> guardians.Circle:
        found = guardians.circle(house, site.session())
        assert found is not None
        return found

    choose = site.get("/fr/confiance/choisir")
    assert choose.tree.xpath("//input[@name='needed'][@checked]/@value") == ["2"]
    assert site.press(choose, worker=[one.id for one in trusted], needed="4", code=awa.code).status == 422
    site.press(choose, worker=[one.id for one in trusted], needed="3", code=awa.code)
    assert (told().needed, told().sets) == (3, 1)
    again = site.get("/fr/confiance/choisir")
    assert again.tree.xpath("//input[@name='needed'][@checked]/@value") == ["3"]
    assert "3 personnes de confiance peuvent vous aider ensemble." in again.text
    site.press(again, phrase="le figuier", code=awa.code)  # nothing is said about how many: it stays
    assert (told().needed, told().phrase) == (3, "le figuier")
    assert "sont à revoir" not in site.get("/fr/maison").text
    # One fewer than must come together: said before it is done, and on the first page from then on.
    release = site.get(f"/fr/confiance/retirer/{told().members[0].id}")
    assert "il manquera une personne de confiance" in release.text
    site.press(release, code=awa.code)
    assert (told().needed, told().sets, told().missing) == (3, 0, 1)
    assert "sont à revoir" in site.get("/fr/maison").text
    site.press(site.get(f"/fr/confiance/retirer/{told().members[0].id}"), code=awa.code)
    assert "Il manque 2 personnes de confiance." in site.get("/fr/confiance").text
    site.press(site.get("/fr/confiance/choisir"), worker=[one.id for one in trusted[:2]], needed="2", code=awa.code)
    assert (told().needed, told().sets) == (2, 1)


def test_choosing_people_says_who_is_away_and_offers_nobody_who_left(site: Site) -> None:
    """The notice of a departure leads here: the list as it is ticked must be one that is taken."""
    house, tilleuls, canal = site.house, make_office(site.house), make_office(site.house, "ESI Le Canal")
    fatou, marc = make_worker(house, tilleuls), make_worker(house, canal, "Marc")
    paul, nora = make_worker(house, tilleuls, "Paul"), make_worker(house, canal, "Nora")
    awa = make_person(house, "Awa")
    site.open(awa)
    circles.set_circle(house, site.session(), awa.code, [face(fatou), face(marc), face(paul)], 2)
    workers.suspend(house, canal.admin, marc.id, None)
    workers.end(house, tilleuls.admin, fatou.id, tilleuls.proof)
    trusted = site.get("/fr/confiance").text
    assert "ne travaille plus ici" in trusted
    assert "absence en ce moment" in trusted
    choose = site.get("/fr/confiance/choisir")
    ticked = set(choose.tree.xpath("//input[@name='worker'][@checked]/@value"))
    assert ticked == {marc.id, paul.id}
    assert fatou.id not in choose.tree.xpath("//input[@name='worker']/@value")
    assert "absence en ce moment" in choose.text
    assert site.press(choose, worker=[*sorted(ticked), nora.id], code=awa.code).path == "/fr/confiance"
    found = guardians.circle(house, site.session())
    assert found is not None
    assert {one.name for one in found.members} == {"Marc", "Paul", "Nora"}


def test_the_page_that_blocks_promises_what_will_be_so(site: Site) -> None:
    """ADR 7 and 102: who has nobody and no words, who has words, who has guardians; a card alone says nothing of its safe."""
    house = site.house
    fatou, marc = make_worker(house, make_office(house)), make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    awa, mariam = make_person(house, "Awa"), make_person(house, "Mariam", words=True)
    days, month, people = "pendant 3 jours", "dans 30 jours", "Vos personnes de confiance aideront à rouvrir."

    def promised() -> tuple[bool, bool, bool]:
        text = site.get("/fr/bloquer").text
        return days in text, month in text, people in text

    site.open(mariam)
    assert promised() == (False, True, False)
    assert "Vos mots ou vos personnes de confiance rouvrent." in site.get("/fr/bloquer").text
    site.open_with_words(mariam)
    page = site.get("/fr/bloquer")  # her card may be stolen: her words alone open nothing for a month
    assert "Sans la carte, vos mots rouvrent dans 30 jours." in page.text
    assert "Vos mots ou" not in page.text
    assert page.link("/proteger/tout-changer")
    site.open(awa)
    assert promised() == (True, False, False)
    circles.set_circle(house, site.session(), awa.code, [face(fatou), face(marc)], 2)
    assert promised() == (False, False, True)
    pages = []
    for card in (awa.card, mariam.card, new_card()):
        site.show_text(card)
        page = site.get("/fr/bloquer")
        assert "après 3 ou 30 jours" in page.text
        pages.append(page.text)
    assert pages[0] == pages[1] == pages[2]
    assert "Votre carte et votre code rouvrent après 3 jours." in site.get("/fr/debloquer").text
