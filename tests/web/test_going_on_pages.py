"""A share that ends soon goes on with one tap: until the day and with the papers that stood above the button."""

import datetime as dt

from consent.days import PARIS, add_months
from consent.ids import GrantId
from consent.purposes import PurposeId
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, make_worker
from tests.vault.papers import SAID, keep
from tests.web.sharing_steps import awa_on_another_day, tax_notice
from tests.web.site import Site
from tests.web.test_as_it_was_shown import ANOTHER
from tests.web.test_office_pages import clock_of
from vault import receipt_files, sharing, showing, workers
from vault.sharing import Offer

__all__ = ["awa_on_another_day"]  # the Awa of these tests


def _ends_soon(site: Site, awa: MadePerson, fatou: MadeWorker, left: dt.timedelta) -> GrantId:
    """A share of two papers that goes on for a few days more; Awa stands in her safe when so much is left of the day, in Paris."""
    papers = (tax_notice(site, awa), keep(site.house, awa.session, "Paie", "work", sort="payslip"))
    limits = sharing.offer_limits(site.house, awa.session, fatou.id)
    offer = Offer(PurposeId("home"), frozenset({Act.SEE}), limits.default_until, SAID, papers=papers, words="un logement")
    grant = sharing.grant(site.house, awa.session, fatou.id, offer)
    clock = clock_of(site)
    midnight = dt.datetime.combine(limits.default_until - dt.timedelta(days=5), dt.time(), PARIS)
    clock.forward(seconds=int((midnight - left - clock()).total_seconds()))
    site.open(awa)
    return grant


def _until(site: Site, awa: MadePerson) -> dt.date:
    (share,) = showing.grants_of(site.house, awa.session)
    return share.until


def test_going_on_after_midnight_asks_with_the_new_day(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    grant = _ends_soon(site, awa, fatou, dt.timedelta(minutes=1))
    shares, before = site.get("/fr/partages"), _until(site, awa)
    shown = sharing.offer_limits(site.house, awa.session, fatou.id).default_until
    clock_of(site).forward(minutes=2)
    asked = site.press(shares, grant=grant)
    assert ANOTHER in asked.errors
    assert _until(site, awa) == before
    now = shown + dt.timedelta(days=1)
    assert site.client.app.state.pages.catalogues["fr"].day(now) in asked.text.replace("\u2068", "").replace("\u2069", "")
    for _ in range(2):
        assert site.press(asked, grant=grant).path == "/fr/partages"
        assert _until(site, awa) == now
    assert len(receipt_files.records_of(site.house, awa.session, grant)) == 2


def test_going_on_is_for_the_papers_of_its_page(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    """On another screen a paper was taken out since: the receipt would name what was not read."""
    grant = _ends_soon(site, awa, fatou, dt.timedelta(hours=12))
    shares, before = site.get("/fr/partages"), _until(site, awa)
    boxes = site.get(f"/fr/partages/{grant}/moins/papiers")
    site.post(boxes.path, {**boxes.fields(), "paper": boxes.fields()["paper"][:1]})
    asked = site.press(shares, grant=grant)
    assert ANOTHER in asked.errors
    assert _until(site, awa) == before
    assert site.press(asked, grant=grant).path == "/fr/partages"
    assert _until(site, awa) > before


def test_a_nearer_end_after_midnight_is_the_day_that_was_read(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    """Less is asked nothing again; an evening that is over is this one."""
    grant = _ends_soon(site, awa, fatou, dt.timedelta(minutes=1))
    dates, today = site.get(f"/fr/partages/{grant}/moins/date"), site.house.clock().astimezone(PARIS).date()
    assert dates.buttons["until"] == ["today"]
    sharing.renew(site.house, awa.session, grant, today + dt.timedelta(days=60), SAID)
    dates = site.get(dates.path)
    clock_of(site).forward(minutes=2)
    for pressed, until in (("month", add_months(today, 1)), ("week", today + dt.timedelta(days=7))):
        assert site.press(dates, until=pressed).path == "/fr/partages"
        assert _until(site, awa) == until
    site.press(dates, until="today")
    assert _until(site, awa) == today + dt.timedelta(days=1)


def test_who_went_away_meanwhile_is_given_nothing_for_longer(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    grant = _ends_soon(site, awa, fatou, dt.timedelta(hours=12))
    shares, before = site.get("/fr/partages"), _until(site, awa)
    workers.suspend(site.house, office.admin, fatou.id, None)
    led = site.press(shares, grant=grant)
    assert (led.status, led.path) == (200, "/fr/partages")
    assert _until(site, awa) == before


def test_what_is_asked_again_stands_on_the_page_that_is_shown(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    """Three shares a page: the one that is asked about was on the second."""
    for name in ("Ana", "Bea", "Cid"):
        offer = Offer(PurposeId("home"), frozenset({Act.SEE}), dt.date(2027, 11, 20), SAID, papers=(tax_notice(site, awa),))
        sharing.grant(site.house, awa.session, make_worker(site.house, office, name).id, offer)
    clock_of(site).forward(minutes=1)
    grant = _ends_soon(site, awa, fatou, dt.timedelta(minutes=1))
    shares = site.get("/fr/partages?suite=2")
    assert shares.buttons["grant"] == [grant]
    clock_of(site).forward(minutes=2)
    asked = site.press(shares, grant=grant)
    assert ANOTHER in asked.errors
    assert asked.buttons["grant"] == [grant]
