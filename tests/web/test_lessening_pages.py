"""A drawer or a deposit given at the kiosk, less shown, the yes of the first day asked again, what ends soon, and a list that is true."""

import datetime as dt

import pytest

from consent.purposes import PurposeId
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, make_person, make_worker, sign_in
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.web.sharing_steps import another_day, share_drawer, share_paper
from tests.web.site import Shown, Site
from vault import first_day, receipt_files, reencryption, removing, shared_papers, sharing, showing, withdrawing, workers
from vault.sharing import Offer

SEE, DEPOSIT = frozenset({Act.SEE}), frozenset({Act.DEPOSIT})


@pytest.fixture
def ines(site: Site, office: Office) -> MadeWorker:
    return make_worker(site.house, office, "Inès", "intern", ends=dt.date(2027, 1, 10))


def after_a_day(site: Site, awa: MadePerson) -> None:
    another_day(site, awa)
    site.open(awa)


def to_k15(site: Site, whom: Shown, worker: MadeWorker, how: str | None = None) -> Shown:
    shown = site.press(site.press(whom, worker=worker.id), reason="home")
    return site.press(shown, how=how) if how else shown


# --- A drawer, a deposit, a newer version ---------------------------------------------------------------------------------


def test_a_whole_drawer_is_given_with_what_comes_later_from_the_second_day_on(
    site: Site, awa: MadePerson, fatou: MadeWorker, ines: MadeWorker
) -> None:  # fmt: skip
    keep(site.house, awa.session, "Avis", "money", sort="tax-notice")
    assert not any("montrer/tiroir" in one for one in site.get("/fr/montrer").links)
    after_a_day(site, awa)
    drawers = site.get(site.get("/fr/montrer").link("/montrer/tiroir"))
    assert len(drawers.buttons["shelf"]) == 9
    assert "private" not in drawers.buttons["shelf"]
    assert site.post("/fr/montrer/tiroir", {**drawers.fields(), "shelf": "private"}).status == 404
    k15 = to_k15(site, site.press(drawers, shelf="money"), fatou, "see")
    assert k15.heading == "Fatou peut voir tout un tiroir ?"
    assert "Argent" in k15.text
    assert "Et tout ce que vous y mettez plus tard." in k15.text
    site.press(k15, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    assert (share.shelf, share.acts) == ("money", SEE)
    keep(site.house, awa.session, "Plus tard", "money")
    (line,) = shared_papers.people_sharing(site.house, sign_in(site.house, fatou))
    assert line.papers == 2
    again = site.get("/fr/partages")
    assert "Le tiroir Argent, jusqu'au" in again.text


def test_on_the_first_day_a_drawer_takes_deposits_and_shows_nothing(
    site: Site, awa: MadePerson, fatou: MadeWorker, ines: MadeWorker
) -> None:  # fmt: skip
    keep(site.house, awa.session, "Avis", "other")
    drawers = site.get(site.get("/fr/partages").link("pour=deposer"))
    assert "Cette personne ne voit pas vos papiers." in drawers.text
    whom = site.press(drawers, shelf="other")
    assert whom.heading == "Qui peut déposer ?"
    assert set(whom.buttons["worker"]) == {fatou.id, ines.id}  # also those who may do nothing else
    k15 = to_k15(site, whom, ines)
    assert k15.heading == "Inès peut déposer un papier ?"
    assert "Inès ne voit pas vos papiers." in k15.text
    assert "photographier" not in k15.text
    done = site.press(k15, answer="yes")
    assert "Inès peut déposer un papier." in done.text
    second = site.press(site.get(done.link("/montrer/qui")), worker=fatou.id)
    assert second.heading == "Fatou peut déposer un papier ?"  # the second named person, without answering again
    (share,) = showing.grants_of(site.house, awa.session)
    assert (share.acts, share.shelf, share.worker) == (DEPOSIT, "other", ines.id)
    shown = site.get("/fr/partages")
    assert "Inès ne voit rien." in shown.text
    assert "Inès peut déposer un papier." in shown.text
    (line,) = shared_papers.people_sharing(site.house, sign_in(site.house, ines))
    assert line.papers == 0


def test_on_the_first_day_a_drawer_cannot_be_shown_whatever_the_form_says(
    site: Site, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    k15 = to_k15(site, site.press(site.get("/fr/montrer/tiroir"), shelf="money"), fatou)
    assert k15.heading == "Fatou peut déposer un papier ?"
    for how in ("see", "copy", "both", "x"):
        assert site.post("/fr/montrer/comment", {**k15.fields(), "how": how}).status == 422
    site.press(k15, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    assert share.acts == DEPOSIT


def test_a_paper_may_be_shown_and_replaced(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper = keep(site.house, awa.session, "Attestation", "housing", sort="domiciliation")
    after_a_day(site, awa)
    k15 = to_k15(site, site.get(f"/fr/papiers/{paper}/montrer"), fatou, "replace")
    assert "Fatou peut mettre un papier plus récent à la place." in k15.text
    site.press(k15, answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    assert share.acts == SEE | {Act.REPLACE}
    assert "Fatou peut remplacer un papier." in site.get("/fr/partages").text


# --- Less -----------------------------------------------------------------------------------------------------------------


def less_of(site: Site, grant: str) -> Shown:
    shown = site.get("/fr/partages")
    assert any(one.endswith(f"{grant}/plus") for one in shown.links)
    return site.get(site.get(f"/fr/partages/{grant}/plus").link("/moins"))


def test_no_more_copies_a_nearer_end_then_fewer_papers(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    papers = [keep(site.house, awa.session, f"avis {number}", sort="tax-notice") for number in range(3)]
    after_a_day(site, awa)
    whom = site.press(site.get("/fr/montrer"), paper=[str(one) for one in papers], go="on")
    site.press(to_k15(site, whom, fatou, "copy"), answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)

    done = site.press(less_of(site, share.grant), act="take")
    assert done.path == "/fr/partages"
    (now,) = showing.grants_of(site.house, awa.session)
    assert now.acts == SEE

    dates = site.get(less_of(site, share.grant).link("/moins/date"))
    assert dates.buttons["until"] == ["today", "week", "month"]
    site.press(dates, until="week")
    (now,) = showing.grants_of(site.house, awa.session)
    assert now.until == site.house.clock().date() + dt.timedelta(days=7)
    assert site.post(dates.path, {**dates.fields(), "until": "month"}).status == 422  # later than it ends: that would be more

    boxes = site.get(less_of(site, share.grant).link("/moins/papiers"))
    assert site.press(boxes).errors.startswith("Tout est encore coché.")
    fewer = site.post(boxes.path, {**boxes.fields(), "paper": [str(papers[0])]})
    assert fewer.path == "/fr/partages"
    assert reencryption.waiting(site.house, awa.session) == 0  # it was sealed anew on the way
    (now,) = showing.grants_of(site.house, awa.session)
    assert [one.paper for one in now.papers] == [papers[0]]
    assert len(receipt_files.records_of(site.house, awa.session, share.grant)) == 4
    assert [one.paper for one in shared_papers.papers_shared(site.house, sign_in(site.house, fatou), share.grant)] == [papers[0]]


def test_nothing_left_is_a_stop(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    papers = [keep(site.house, awa.session, f"avis {number}") for number in range(2)]
    whom = site.press(site.get("/fr/montrer"), paper=[str(one) for one in papers], go="on")
    site.press(to_k15(site, whom, fatou), answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    boxes = site.get(f"/fr/partages/{share.grant}/moins/papiers")
    stop = site.post(boxes.path, {**boxes.fields(), "paper": []})
    assert stop.heading == "Arrêter avec Fatou ?"
    assert len(showing.grants_of(site.house, awa.session)) == 1


def test_a_share_whose_papers_are_gone_leads_to_its_stop(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper = keep(site.house, awa.session)
    after_a_day(site, awa)
    to_k15(site, site.press(site.get("/fr/montrer"), paper=[str(paper)], go="on"), fatou, "copy")
    site.press(site.press(site.get("/fr/montrer/date"), months="1"), answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    less, shares = less_of(site, share.grant), site.get("/fr/partages")
    removing.remove(site.house, awa.session, paper)
    assert site.press(less, act="take").heading == "Arrêter avec Fatou ?"
    asked = site.press(shares, grant=share.grant)
    assert "La question n'est plus la même." in asked.errors  # it names no paper now
    longer = site.press(asked, grant=share.grant)
    assert longer.status == 422
    assert "Vous pouvez arrêter." in longer.errors
    assert len(receipt_files.records_of(site.house, awa.session, share.grant)) == 1


def test_going_on_is_offered_near_the_end_and_never_shortens(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    far = dt.date(2027, 11, 20)
    offer = Offer(PurposeId("home"), SEE, far, SAID, papers=(keep(site.house, awa.session),), words="un logement")
    grant = sharing.grant(site.house, awa.session, fatou.id, offer)
    shares = site.get("/fr/partages")
    assert "grant" not in shares.buttons
    again = site.post("/fr/partages/continuer", {**shares.fields(), "grant": str(grant)})
    assert (again.status, again.path) == (200, "/fr/partages")
    assert [one.until for one in showing.grants_of(site.house, awa.session)] == [far]
    assert len(receipt_files.records_of(site.house, awa.session, grant)) == 1


def test_a_drawer_that_may_be_filled_is_closed_to_the_eye_or_to_deposits(
    site: Site, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    keep(site.house, awa.session, "Avis", "money")
    after_a_day(site, awa)
    site.press(to_k15(site, site.press(site.get("/fr/montrer/tiroir"), shelf="money"), fatou, "both"), answer="yes")
    (share,) = showing.grants_of(site.house, awa.session)
    less = less_of(site, share.grant)
    assert less.buttons["act"] == ["see", "deposit"]
    assert site.post(less.path, {**less.fields(), "act": "take"}).status == 422
    site.press(less, act="see")
    (now,) = showing.grants_of(site.house, awa.session)
    assert now.acts == DEPOSIT
    assert shared_papers.people_sharing(site.house, sign_in(site.house, fatou))[0].papers == 0
    assert "act" not in less_of(site, share.grant).buttons  # one thing left: less than that is a stop


def test_less_is_of_one_s_own_shares_and_of_living_ones(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    grant = share_paper(site, awa, fatou, keep(site.house, awa.session))
    withdrawing.withdraw(site.house, awa.session, grant, SAID)
    for page in ("plus", "moins", "moins/papiers", "moins/date"):
        assert site.get(f"/fr/partages/{grant}/{page}").path == "/fr/partages", page
    yonas = make_person(site.house, "Yonas")
    other = share_paper(site, yonas, fatou, keep(site.house, yonas.session))
    for page in ("plus", "moins", "moins/papiers", "moins/date"):
        assert site.get(f"/fr/partages/{other}/{page}").status == 404, page


# --- The yes of the first day ---------------------------------------------------------------------------------------------


def test_at_the_next_unlock_the_yes_of_the_first_day_is_asked_again_once(
    site: Site, awa: MadePerson, fatou: MadeWorker, clock: Clock
) -> None:  # fmt: skip
    marc = make_worker(site.house, fatou.office, "Marc")
    site.open(awa)
    paper = keep(site.house, awa.session)
    kept = share_paper(site, awa, fatou, paper)
    clock.forward(minutes=1)
    undone = share_paper(site, awa, marc, paper)
    assert site.get("/fr/maison").heading == "Mes papiers"  # not in the session in which it was said
    clock.forward(days=3)
    site.open(awa)
    first = site.get("/fr/maison")
    assert first.path == "/fr/partages/toujours-oui"
    assert "La dernière fois, vous avez dit oui à Fatou." in first.text
    second = site.press(first, answer="yes")
    assert "vous avez dit oui à Marc" in second.text
    home = site.press(second, answer="no")
    assert home.heading == "Mes papiers"
    assert [one.grant for one in showing.grants_of(site.house, awa.session)] == [kept]
    assert [one.grant for one in showing.grants_of(site.house, awa.session, ended=True)] == [undone]
    share_paper(site, awa, fatou, keep(site.house, awa.session))  # of another day: its yes is not asked again
    clock.forward(days=1)
    site.open(awa)
    assert site.get("/fr/maison").heading == "Mes papiers"
    assert first_day.said_yes(site.house, awa.session) == []
    assert site.get("/fr/partages/toujours-oui").heading == "Mes papiers"


# --- What ends soon, who is absent, what is over --------------------------------------------------------------------------


def test_the_last_thirty_days_are_told_at_each_unlock_and_at_the_desk(
    site: Site, awa: MadePerson, fatou: MadeWorker, clock: Clock
) -> None:  # fmt: skip
    grant = share_paper(site, awa, fatou, keep(site.house, awa.session))  # three months: until 23 February 2027
    clock.forward(days=61)
    site.open(awa)
    site.press(site.get("/fr/maison"), answer="yes")
    assert "cela finit" not in site.get("/fr/maison").text
    for _ in range(2):  # each unlock, whatever else waits: this safe has no guardian
        clock.forward(days=2)
        site.open(awa)
        home = site.get("/fr/maison")
        assert "Avec Fatou, cela finit le 23 février 2027." in home.text
        site.sign_in(fatou)
        assert "status-soon" in site.get("/fr/bureau").content.decode()
        assert shared_papers.people_sharing(site.house, sign_in(site.house, fatou))[0].ending_soon
    site.open(awa)
    site.press(site.get("/fr/partages"), grant=grant)
    assert "cela finit" not in site.get("/fr/maison").text
    assert len(receipt_files.records_of(site.house, awa.session, grant)) == 2


def test_several_ends_are_told_in_one_line(site: Site, awa: MadePerson, fatou: MadeWorker, clock: Clock) -> None:
    for _ in range(2):
        share_paper(site, awa, fatou, keep(site.house, awa.session))
    clock.forward(days=80)
    site.open(awa)
    for _ in range(2):
        site.press(site.get("/fr/partages/toujours-oui"), answer="yes")
    assert "2 accords finissent bientôt." in site.get("/fr/maison").text


def test_who_is_absent_is_said_and_until_when(site: Site, awa: MadePerson, fatou: MadeWorker, office: Office) -> None:
    share_paper(site, awa, fatou, keep(site.house, awa.session))
    workers.suspend(site.house, office.admin, fatou.id, dt.date(2026, 12, 31))
    assert "Fatou : absence jusqu'au 31 décembre 2026." in site.get("/fr/partages").text
    workers.return_(site.house, office.admin, fatou.id)
    assert "Absence" not in site.get("/fr/partages").text


def test_the_list_says_exactly_what_lives(
    site: Site, awa: MadePerson, fatou: MadeWorker, office: Office, clock: Clock
) -> None:  # fmt: skip
    """Each ending takes its line away before any background task has run; a suspension does not."""
    paper = keep(site.house, awa.session, "Avis", "money")
    leaving = make_worker(site.house, office, "Bilal", "civic-service", ends=dt.date(2026, 12, 20))
    gone = make_worker(site.house, office, "Chloé")
    away = make_worker(site.house, office, "Dan")
    clock.forward(days=1)
    site.open(awa)
    for one in (fatou, leaving, gone, away):
        share_paper(site, awa, one, paper)
    stopped = share_paper(site, awa, fatou, paper)
    drawer = share_drawer(site, awa, fatou, "money")
    site.open(awa)

    def living() -> list[str]:
        words = [site.get(f"/fr/partages?suite={number}").text for number in (1, 2)]
        names = [one.first for one in showing.grants_of(site.house, awa.session)]
        assert all(any(name in text for text in words) for name in names)
        return sorted(names)

    assert living() == ["Bilal", "Chloé", "Dan", "Fatou", "Fatou", "Fatou"]
    withdrawing.withdraw(site.house, awa.session, stopped, SAID)
    assert living() == ["Bilal", "Chloé", "Dan", "Fatou", "Fatou"]
    workers.end(site.house, office.admin, gone.id, office.proof)
    assert living() == ["Bilal", "Dan", "Fatou", "Fatou"]
    workers.suspend(site.house, office.admin, away.id, None)
    assert living() == ["Bilal", "Dan", "Fatou", "Fatou"]
    clock.forward(days=30)  # after Bilal's last day
    site.open(awa)
    assert living() == ["Dan", "Fatou", "Fatou"]
    clock.forward(days=70)  # after the last day of all
    site.open(awa)
    assert living() == []
    assert "Personne ne voit vos papiers." in site.get("/fr/partages").text
    site.show_card(awa)
    assert "Arrêter avec" not in site.get("/fr/arreter").text.replace("Arrêter avec qui", "")
    site.open(awa)
    ended = showing.grants_of(site.house, awa.session, ended=True)
    assert len(ended) == 6
    assert {one.state.value for one in ended} == {"withdrawn", "ended", "expired"}
    assert drawer in {one.grant for one in ended}


def test_what_was_left_unfinished_goes_on_at_the_next_unlock(
    site: Site, awa: MadePerson, fatou: MadeWorker, clock: Clock
) -> None:  # fmt: skip
    for number in range(3):
        share_paper(site, awa, fatou, keep(site.house, awa.session, f"avis {number}"))
    clock.forward(days=1)
    site.show_card(awa)
    share = showing.grants_of(site.house, awa.session)[0]
    site.press(site.get(f"/fr/arreter/{share.grant}"), answer="yes")
    assert "Avec votre code, vous pouvez aussi montrer moins." in site.get("/fr/arreter").text
    site.open(awa)
    assert reencryption.waiting(site.house, awa.session) == 3
    assert "Il reste un rangement à finir." in site.get("/fr/maison").text
    assert reencryption.waiting(site.house, awa.session) == 2
    site.get("/fr/maison")
    site.get("/fr/maison")
    assert reencryption.waiting(site.house, awa.session) == 0
    assert "rangement" not in site.get("/fr/maison").text
