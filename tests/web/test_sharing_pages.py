"""Sharing, page by page: K15 from a paper or from several, who can see, K17 with the code and without."""

import datetime as dt
from pathlib import Path

import pytest

from consent.purposes import PurposeId
from consent.receipt_file import verify_file
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, make_person, make_worker, sign_in
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.web.sharing_steps import another_day, share_paper, tax_notice
from tests.web.site import Shown, Site
from vault import audit, cards, offers, receipt_files, reencryption, shared_papers, showing, withdrawing
from vault.languages import read_catalogues
from vault.verifying import read_anchors


def to_k15(site: Site, first: Shown, worker: MadeWorker, reason: str = "home", how: str | None = None) -> Shown:
    """From "montrer à qui ?" to K15."""
    assert first.heading == "Montrer à qui ?"
    why = site.press(first, worker=worker.id)
    assert why.heading == "Pour quoi faire ?"
    shown = site.press(why, reason=reason)
    return site.press(shown, how=how) if how else shown


# --- K15 ------------------------------------------------------------------------------------------------------------------


def test_one_paper_is_shown_in_five_touches(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper = tax_notice(site, awa)
    shown = to_k15(site, site.get(site.get(f"/fr/papiers/{paper}/que-faire").link("/montrer")), fatou)
    assert shown.heading == "Fatou peut voir 1 papier ?"
    assert "avis d'impôt, novembre 2026" in shown.text
    assert "Pour : un logement." in shown.text
    assert "Jusqu'au 23 février 2027." in shown.text
    assert "Qui voit peut aussi photographier." in shown.text
    assert "copie" not in shown.text
    assert showing.grants_of(site.house, awa.session) == []
    done = site.press(shown, answer="yes", heard="yes")
    assert "Fatou peut voir vos papiers." in done.text
    (share,) = showing.grants_of(site.house, awa.session)
    assert (share.worker, share.purpose, share.acts) == (fatou.id, "home", frozenset({Act.SEE}))
    assert [one.paper for one in share.papers] == [paper]
    (receipt,) = receipt_files.records_of(site.house, awa.session, share.grant)
    assert receipt.receipt.notice.heard
    assert receipt.receipt.notice.language == "fr"
    (line,) = shared_papers.people_sharing(site.house, sign_in(site.house, fatou))
    assert line.grant == share.grant


def test_the_receipt_holds_the_digest_of_the_words_that_were_shown(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper = tax_notice(site, awa)
    shown = site.press(site.press(site.get(f"/ar/papiers/{paper}/montrer"), worker=fatou.id), reason="home")
    site.press(shown, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    (receipt,) = receipt_files.records_of(site.house, awa.session, share.grant)
    arabic = read_catalogues()["ar"]
    lines = [
        offers.Line("k15.title", 1, {"first": "Fatou"}),
        offers.Line("kind.tax-notice", after=f"، {arabic.month(dt.date(2026, 11, 23))}"),
        offers.Line("k15.reason", None, {"reason": arabic.plain("reason.home")}),
        offers.Line("k15.until", None, {"day": arabic.day(dt.date(2027, 2, 23))}), offers.Line("k15.text"),
    ]  # fmt: skip
    said = offers.said(arabic, lines)
    assert receipt.receipt.notice.language == "ar"
    assert receipt.receipt.notice.sha256 == said.text_sha256
    assert receipt.receipt.notice.version == said.text_version
    read = "".join(one for one in shown.text if one not in "\u2068\u2069 ")
    for line in lines:
        for part in line.plain(arabic).split("\n"):
            assert "".join(one for one in part if one not in "\u2068\u2069 ") in read, part


def test_yes_twice_is_one_share_and_yes_after_a_stop_another(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    shown = to_k15(site, site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer"), fatou)
    first, again = site.press(shown, answer="yes"), site.press(shown, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    assert first.url == again.url
    assert first.url.endswith(f"montrer/fait?recu={share.grant}")
    assert site.press(shown, answer="yes").heading == first.heading
    withdrawing.withdraw(site.house, awa.session, share.grant, SAID)
    site.press(shown, answer="yes")
    (other,) = showing.grants_of(site.house, awa.session)
    assert other.grant != share.grant, "what was stopped is not told as given"
    site.press(site.get("/fr/montrer/date"), months="1")
    site.press(site.get("/fr/montrer/accord"), answer="yes")
    assert len(showing.grants_of(site.house, awa.session)) == 2, "another day is another yes"


def test_two_taps_at_the_same_moment_are_one_share(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    to_k15(site, site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer"), fatou)
    read_by_both = offers.current(site.house, awa.session)
    given = [offers.give(site.house, awa.session, read_by_both, SAID, "un logement") for _ in range(2)]
    (share,) = showing.grants_of(site.house, awa.session)
    assert given == [share.grant] * 2
    assert [row for row in site.house.keyvault.owned(awa.id) if row[0] == "grant"] == [("grant", share.grant)]


def test_no_gives_nothing_and_forgets(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    shown = to_k15(site, site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer"), fatou)
    assert site.press(shown, answer="no").path == "/fr/papiers"
    assert showing.grants_of(site.house, awa.session) == []
    assert site.get("/fr/montrer/accord").path == "/fr/partages"


def test_a_copy_is_not_offered_on_the_first_day_and_is_the_day_after(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper = tax_notice(site, awa)
    first = to_k15(site, site.get(f"/fr/papiers/{paper}/montrer"), fatou)
    assert first.heading == "Fatou peut voir 1 papier ?"
    another_day(site, awa)
    site.open(awa)
    shown = to_k15(site, site.get(f"/fr/papiers/{paper}/montrer"), fatou, how="copy")
    assert "Fatou peut prendre une copie." in shown.text
    site.press(shown, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    assert share.acts == frozenset({Act.SEE, Act.TAKE})


def test_another_date(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    shown = to_k15(site, site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer"), fatou)
    dates = site.get(shown.link("/montrer/date"))
    assert dates.buttons["months"] == ["1", "3", "6", "12"]
    assert site.press(dates, months="2").status == 422
    changed = site.press(dates, months="1")
    assert "Jusqu'au 23 décembre 2026." in changed.text
    site.press(changed, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    assert share.until == dt.date(2026, 12, 23)


def test_dates_stop_when_the_worker_leaves(site: Site, office: Office, awa: MadePerson) -> None:
    leaving = make_worker(site.house, office, "Bilal", "civic-service", ends=dt.date(2027, 1, 10))
    shown = to_k15(site, site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer"), leaving)
    assert "Jusqu'au 10 janvier 2027." in shown.text
    assert site.get("/fr/montrer/date").buttons["months"] == ["1"]


def test_who_may_only_deposit_is_not_offered(site: Site, office: Office, awa: MadePerson, fatou: MadeWorker) -> None:
    make_worker(site.house, office, "Inès", "intern", ends=dt.date(2027, 1, 10))
    shown = site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer")
    assert "Fatou" in shown.text
    assert "Inès" not in shown.text
    assert site.press(shown, worker="00000000-0000-4000-8000-000000000000").status == 404


def test_own_words(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    why = site.press(site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer"), worker=fatou.id)
    more = site.get(why.link("suite=2"))
    words = site.press(more, reason="other")
    assert site.press(words, words=" ").errors == "Il manque une réponse ici."
    assert site.press(words, words="vélo " * 60).errors == "C'est trop long. Choisissez une phrase courte."
    shown = site.press(words, words="vélo  (2) <b>")
    assert "Pour : vélo (2) <b>." in shown.text
    site.press(shown, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    assert (share.purpose, share.own_words) == (PurposeId("other"), "vélo (2) <b>")


def test_several_papers_then_a_second_person_without_answering_again(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker
) -> None:
    marc = make_worker(site.house, office, "Marc")
    papers = [tax_notice(site, awa, f"avis {number}") for number in range(11)]
    keep(site.house, awa.session, "secret", "private")
    which = site.get("/fr/montrer")
    assert "secret" not in which.text
    assert site.press(which, go="on").errors == "Choisissez d'abord."
    on_first = [str(one) for one in which.tree.xpath("//input[@type='checkbox']/@value")]
    second = site.press(which, paper=on_first[:1], suite="2")
    on_second = [str(one) for one in second.tree.xpath("//input[@type='checkbox']/@value")]
    assert sorted(on_first + on_second) == sorted(papers)
    shown = to_k15(site, site.press(second, paper=on_second[:1], go="on"), fatou)
    assert shown.heading == "Fatou peut voir 2 papiers ?"
    done = site.press(shown, answer="yes")
    again = site.press(site.get(done.link("/montrer/qui")), worker=marc.id)
    assert again.heading == "Marc peut voir 2 papiers ?"
    site.press(again, answer="yes")
    assert {one.worker for one in showing.grants_of(site.house, awa.session)} == {fatou.id, marc.id}


def test_three_people_a_page(site: Site, office: Office, awa: MadePerson) -> None:
    for name in ("Ana", "Bea", "Cid", "Dan"):
        make_worker(site.house, office, name)
    site.open(awa)
    first = site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer")
    assert len(first.buttons["worker"]) == 3
    assert len(site.get(first.link("suite=2")).buttons["worker"]) == 1


def test_a_paper_hidden_meanwhile_is_not_given(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper = tax_notice(site, awa)
    shown = to_k15(site, site.get(f"/fr/papiers/{paper}/montrer"), fatou)
    site.press(site.get(f"/fr/papiers/{paper}/effacer"), answer="yes")
    led = site.press(shown, answer="yes")
    assert (led.path, led.heading) == ("/fr/montrer", "Quels papiers ?"), (
        "chosen anew, where whom to show it to led round for ever"
    )
    assert "Un papier choisi ne peut plus être montré. Rien n'a été montré." in led.text
    assert showing.grants_of(site.house, awa.session) == []
    other = tax_notice(site, awa)
    whom = site.press(site.get("/fr/montrer"), paper=str(other), go="on")
    assert site.press(to_k15(site, whom, fatou), answer="yes").path == "/fr/montrer/fait"


# --- Who can see, and K17 -------------------------------------------------------------------------------------------------


def test_who_can_see_then_stop_in_two_touches(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    assert "Personne ne voit vos papiers." in site.get("/fr/partages").text
    share_paper(site, awa, fatou, tax_notice(site, awa, "Avis de Mme Vuillard"))
    shown = site.get("/fr/partages")
    assert "1 papier, jusqu'au 23 février 2027" in shown.text
    assert "un logement" in shown.text
    stop = site.get(shown.link("/arreter"))
    assert stop.heading == "Arrêter avec Fatou ?"
    assert "Une copie déjà prise reste chez Fatou." in stop.text
    done = site.press(stop, answer="yes")
    assert done.path == "/fr/partages"
    assert "C'est arrêté avec Fatou." in done.text
    assert "Vous avez arrêté avec Fatou." in done.text
    assert shared_papers.people_sharing(site.house, sign_in(site.house, fatou)) == []
    assert reencryption.waiting(site.house, awa.session) == 0
    assert site.press(stop, answer="yes").path == "/fr/partages"  # again is safe


@pytest.mark.parametrize("with_code", [True, False])
def test_arreter_ends_all_that_this_worker_sees(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker, *, with_code: bool
) -> None:
    marc = make_worker(site.house, office, "Marc")
    papers = [tax_notice(site, awa, title) for title in ("un", "deux")]
    mine = [share_paper(site, awa, fatou, paper) for paper in papers]
    other = share_paper(site, awa, marc, papers[0])
    if not with_code:
        site.show_card(awa)
    stop = site.get(f"/fr/partages/{mine[0]}/arreter" if with_code else f"/fr/arreter/{mine[0]}")
    assert "Vous avez dit oui 2 fois. Tout s'arrête." in stop.text
    done = site.press(stop, answer="yes")
    assert "Arrêter avec Fatou" not in done.text
    assert "Arrêter avec Marc" in done.text
    desk = sign_in(site.house, fatou)
    assert shared_papers.people_sharing(site.house, desk) == []
    site.sign_in(fatou)
    for grant in mine:
        assert site.get(f"/fr/bureau/personnes/{grant}").heading == "Ce papier n'est pas ou plus montré"  # D02
    site.open(awa)
    assert [share.grant for share in showing.grants_of(site.house, awa.session)] == [other]
    ended = [line.event.grant for line in audit.history(site.house, awa.session) if line.event.tag == "share.withdrawn"]
    assert sorted(ended) == sorted(mine), "one line of the history for each"
    assert [len(receipt_files.records_of(site.house, awa.session, grant)) for grant in mine] == [2, 2], "and one receipt"
    assert "C'est arrêté avec Fatou." in site.get(f"/fr/partages?arrete={mine[1]}").text


def test_stopping_one_share_alone_says_nothing_of_several(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    grant = share_paper(site, awa, fatou, tax_notice(site, awa))
    assert "Vous avez dit oui" not in site.get(f"/fr/partages/{grant}/arreter").text


def test_the_tidying_shows_how_far_it_is_and_comes_back_by_itself(
    site: Site, awa: MadePerson, fatou: MadeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.web.stopping.TIDY_SECONDS", 0.0)
    papers = [tax_notice(site, awa, f"avis {number}") for number in range(3)]
    for paper in papers:
        share_paper(site, awa, fatou, paper)
    grants = showing.grants_of(site.house, awa.session)
    shown = site.press(site.get(f"/fr/partages/{grants[2].grant}/arreter"), answer="yes")
    assert shown.heading == "C'est arrêté"
    assert "Il reste 2 papiers." in shown.text
    assert shown.tree.xpath("//noscript/meta[@http-equiv='refresh'][@content='1']")
    assert shown.tree.xpath("//meta[@name='look-again']/@content") == ["1"]
    assert "Il reste 1 papier." in site.get(shown.url).text
    done = site.get(shown.url)
    assert done.path == "/fr/partages"
    assert "C'est arrêté avec Fatou." in done.text


def test_three_months_more_in_one_touch(site: Site, awa: MadePerson, fatou: MadeWorker, clock: Clock) -> None:
    grant = share_paper(site, awa, fatou, tax_notice(site, awa))
    clock.forward(days=80)
    site.open(awa)
    shown = site.get("/fr/partages")
    assert "C'est bientôt fini." in shown.text
    renewed = site.press(shown, grant=grant)
    assert "jusqu'au 11 mai 2027" in renewed.text
    assert len(receipt_files.records_of(site.house, awa.session, grant)) == 2


def test_the_card_alone_is_enough_to_stop(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    share_paper(site, awa, fatou, tax_notice(site, awa))
    site.show_card(awa)
    code = site.get("/fr/code")
    shown = site.get(code.link("/arreter"))
    assert "Arrêter avec Fatou" in shown.text
    assert "impôt" not in shown.text
    done = site.press(site.get(next(one for one in shown.links if "/arreter/" in one)), answer="yes")
    assert "C'est arrêté." in done.text
    assert "Fatou" not in done.text
    assert shared_papers.people_sharing(site.house, sign_in(site.house, fatou)) == []
    for address in ("partages", "papiers", "regards", "demandes", "montrer"):
        assert site.get(f"/fr/{address}").status == 403, address


def test_an_unknown_card_reads_the_same_page_as_one_with_nothing_to_stop(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    site.show_card(awa)
    known = site.get("/fr/arreter")
    grant = share_paper(site, awa, fatou, tax_notice(site, awa))
    site.show_text(cards.new_cards(1)[0].text)
    unknown = site.get("/fr/arreter")
    assert (unknown.status, unknown.text, unknown.links) == (known.status, known.text, known.links)
    assert site.get(f"/fr/arreter/{grant}").status == 404
    assert len(showing.grants_of(site.house, awa.session)) == 1


def test_the_receipt_goes_on_paper(site: Site, awa: MadePerson, fatou: MadeWorker, tmp_path: Path) -> None:
    paper = tax_notice(site, awa, "Avis de Mme Vuillard")
    done = site.press(to_k15(site, site.get(f"/fr/papiers/{paper}/montrer"), fatou), answer="yes")
    printed = site.get(done.link("/recu"))
    assert printed.heading == "Reçu de votre accord"
    for words in ("Fatou", "un logement", "Voir", "Argent : avis d'impôt", "23 février 2027", "montrez votre carte"):
        assert words in printed.text, words
    assert len(printed.tree.xpath("//main//li//*[name()='svg']")) == len(
        printed.tree.xpath("//main//li")
    )  # each with its drawing
    (share,) = showing.grants_of(site.house, awa.session)
    more = site.get(f"/fr/partages/{share.grant}/plus")
    file = site.get(more.link("/recu/cle"))
    assert file.headers["content-disposition"] == 'attachment; filename="recu.json"'
    keys = site.get("/cles.json")
    place = tmp_path / "cles.json"
    place.write_bytes(keys.content)
    (checked,) = verify_file(file.content, read_anchors(place))
    receipt = checked.receipt
    assert f"{checked.number} · {receipt.entry}" in printed.text  # the sheet bears the line of the trace that the file proves
    assert receipt_files.imprint(receipt) in printed.text
    assert receipt.record in printed.text
    assert site.get("/fr/partages/recus").content == file.content
    assert "Vuillard" not in printed.text  # kinds, never titles
    site.open(make_person(site.house, "Yonas"))
    for address in (printed.url, file.url, "/fr/partages/recus"):
        assert site.get(address).status == 404


def test_the_receipt_of_an_ending_says_so(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    grant = share_paper(site, awa, fatou, tax_notice(site, awa))
    withdrawing.withdraw(site.house, awa.session, grant, SAID)
    printed = site.get(f"/fr/partages/{grant}/recu")
    assert printed.heading == "Reçu : c'est arrêté"
    assert "Fini le 23 novembre 2026" in printed.text
    assert "Jusqu'au" not in printed.text
