"""Yonas opens with Fatou's help and shows one paper, with Marc as witness at his own desk; his own session undoes it."""

import re

import pytest

from tests.journeys.conftest import LARGE, SMALL, NewPage
from tests.journeys.navigators import Desk, Kiosk
from tests.journeys.site import Site
from tests.journeys.test_every_page import axe_script, check

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]


def digits(kiosk: Kiosk) -> str:
    """The six digits that the screen asks to be said."""
    (found,) = re.findall(r"\b\d{6}\b", kiosk.page.locator("main").inner_text())
    return str(found)


def typed(desk: Desk, code: str) -> None:
    """The digits, at the desk."""
    desk.page.locator("[name=code]").fill(code)
    desk.page.locator("main form button[type=submit]").first.click()


def test_one_paper_is_shown_with_a_witness_and_the_person_s_own_session_undoes_it(site: Site, new_page: NewPage) -> None:
    script, wrong = axe_script(), []
    fatou, marc = Desk(new_page(), site), Desk(new_page(), site)
    fatou.sign_in("fatou")
    marc.sign_in("marc")
    kiosk = Kiosk(new_page(size=SMALL), site, "ar")
    kiosk.show_card(site.card("yonas"))
    kiosk.go("accompagne")
    kiosk.page.locator("main button[type=submit]").first.click()
    code = digits(kiosk)
    fatou.page.goto("/fr/bureau/accompagner")
    fatou.page.locator("tbody a.button").first.click()
    typed(fatou, code)
    kiosk.go("accompagne/images")
    kiosk.page.locator("button[name=none]").click()
    kiosk.page.locator("a.paper").first.click()
    kiosk.page.locator("button[name=show]").click()
    for button, step in ((("worker", "Fatou"), "qui"), (("reason", ""), "pourquoi"), (("worker", "Marc"), "temoin")):
        kiosk.page.wait_for_url(f"**/montrer/{step}")
        wrong += check(kiosk.page, step, script, (SMALL, LARGE))
        kiosk.page.locator(f"button[name={button[0]}]", has_text=button[1]).first.click()
    kiosk.page.wait_for_url("**/montrer/accord")
    wrong += check(kiosk.page, "accord", script, (SMALL, LARGE))
    kiosk.page.locator("button[name=answer][value=yes]").click()
    wrong += check(kiosk.page, "attente", script, (SMALL, LARGE))
    marc.page.goto("/fr/bureau/accompagner/temoin")
    typed(marc, digits(kiosk))
    marc.page.wait_for_url("**/temoin/*")
    assert "Yonas" not in marc.page.locator("main").inner_text()
    wrong += check(marc.page, "temoin", script, at_work=True)
    marc.page.locator("[name=beside]").check()
    marc.page.locator("button[value=sign]").click()
    kiosk.go("avec-aide/montrer/attente")
    kiosk.page.wait_for_url("**/montrer/encore")
    wrong += check(kiosk.page, "encore", script, (SMALL, LARGE))
    kiosk.page.locator("button[name=answer][value=yes]").click()
    kiosk.page.wait_for_url("**/avec-aide**")
    kiosk.go("avec-aide/montrer/attente")
    wrong += check(kiosk.page, "rien de signé", script, (SMALL, LARGE))
    assert wrong == []
    fatou.page.goto("/fr/bureau")
    assert "Yonas" in fatou.page.locator("table").inner_text()
    own = Kiosk(new_page(), site)
    own.show_card(site.card("yonas"))
    own.go("images")
    own.touch(site.person("yonas")["pictures"])
    own.page.wait_for_url("**/toujours-oui")
    assert "Marc" in own.page.locator("main").inner_text()
    own.page.locator("button[name=answer][value=no]").click()
    own.page.wait_for_url("**/maison")
    fatou.page.reload()
    assert "Yonas" not in fatou.page.locator("main").inner_text()
    own.finish()
