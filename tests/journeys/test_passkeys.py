"""Passkeys in Chromium, by DevTools' virtual authenticators on http://localhost: with a secret of their own, and without."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import NewPage
from tests.journeys.conftest import named_site as site  # noqa: F401 — authenticators are bound to a name
from tests.journeys.navigators import Desk
from tests.journeys.site import Site


def plug_in(page: Page, *, prf: bool) -> Any:
    """A virtual authenticator in this browser; gives its session of the DevTools protocol and its name there."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    made = tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True, "hasPrf": prf,
            }
        },
    )  # fmt: skip
    return tools, made["authenticatorId"]


def add(desk: Desk, who: str, area: str) -> None:
    """From the ring, with six words."""
    desk.page.goto(f"/fr/{area}/cles/ajouter")
    desk.page.locator("[name=name]").fill("clé bleue")
    desk.page.locator("[name=words]").fill(desk.site.worker(who)["words"])
    desk.page.get_by_role("button", name="Ajouter, avec mes six mots").click()
    desk.page.wait_for_url("**/cles?dit=*")


def enter(desk: Desk, area: str) -> None:
    """With the key, from the door."""
    desk.page.goto(f"/fr/{area}/entrer")
    desk.page.get_by_role("button", name="Avec une clé d'accès").click()


@pytest.mark.parametrize("prf", [True, False])
def test_a_worker_registers_leaves_and_comes_back(site: Site, new_page: NewPage, prf: bool) -> None:  # noqa: F811
    """Given a worker who adds a key, When they come back with it alone (or with six words beside), Then a shared paper opens."""
    who = "fatou" if prf else "ines"
    desk = Desk(new_page(), site)
    tools, name = plug_in(desk.page, prf=prf)
    desk.sign_in(who)
    add(desk, who, "bureau")
    expect(desk.page.locator("main")).to_contain_text("Elle ouvre à elle seule" if prf else "vos six mots restent nécessaires")
    assert len(tools.send("WebAuthn.getCredentials", {"authenticatorId": name})["credentials"]) == 1
    desk.page.locator(".bar-done").click()
    desk.page.wait_for_url("**/fin")
    enter(desk, "bureau")
    if not prf:
        desk.page.wait_for_url("**/entrer/mots")
        desk.page.locator("[name=code]").fill(site.worker(who)["code"])
        desk.page.locator("[name=words]").fill(site.worker(who)["words"])
        desk.page.locator("main button[type=submit]").first.click()
    desk.page.wait_for_url("**/fr/bureau")
    if prf:
        desk.page.locator("a[href*='/bureau/personnes/']").first.click()
        desk.page.locator("a[href*='/bureau/papiers/']").first.click()
        image = desk.page.locator("img.viewer-page").first
        expect(image).to_be_visible()
        assert image.evaluate("one => one.naturalWidth") > 100
    kept = desk.page.evaluate("() => localStorage.length + sessionStorage.length")
    assert kept == 0


def test_an_administrator_approves_by_touch(site: Site, new_page: NewPage) -> None:  # noqa: F811
    """Given an administrator with a key, When they approve, Then they are asked again, and a touch is enough."""
    desk = Desk(new_page(), site)
    plug_in(desk.page, prf=True)
    desk.sign_in("hugo", "association")
    add(desk, "hugo", "association")
    desk.page.goto("/fr/association/registre")
    addresses = [one.get_attribute("href") for one in desk.page.locator("tbody a").all()]
    for address in addresses:
        desk.page.goto(address or "")
        button = desk.page.locator("form[action$='/approuver'] button[type=submit]")
        if button.count():
            button.click()
            expect(desk.page.locator("h1")).to_have_text("C'est bien vous ?")
            desk.page.get_by_role("button", name="Confirmer avec une clé").click()
            desk.page.wait_for_url(f"**{address}")
            expect(desk.page.locator("form[action$='/approuver']")).to_have_count(0)
            break
    else:
        raise AssertionError("the demonstration has a request that waits")
