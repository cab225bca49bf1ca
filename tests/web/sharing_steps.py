"""Shares made by use cases, for tests of pages that only read them."""

import pytest

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, make_person, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.web.site import Site
from vault import sharing
from vault.sharing import Offer


def tax_notice(site: Site, awa: MadePerson, title: str = "Avis") -> PaperId:
    """A paper that may be shown, in her drawer of money."""
    return keep(site.house, awa.session, title, "money", sort="tax-notice")


def another_day(site: Site, person: MadePerson) -> None:
    """The first day is over: drawers and copies may be given."""
    clock = site.house.clock
    assert isinstance(clock, Clock)
    clock.forward(days=1)
    unlock(site.house, person)


@pytest.fixture(name="awa")
def awa_on_another_day(site: Site, office: Office) -> MadePerson:
    """Awa before her open safe, on another day than her first: copies and drawers may be given."""
    made = make_person(site.house, "Awa")
    another_day(site, made)
    site.open(made)
    return made


def share_drawer(site: Site, person: MadePerson, worker: MadeWorker, shelf: str) -> GrantId:
    """A drawer, to see, for a home, on another day than the first; the person's browser must come in again."""
    another_day(site, person)
    limits = sharing.offer_limits(site.house, person.session, worker.id)
    offer = Offer(
        PurposeId("home"), frozenset({Act.SEE}), limits.default_until, SAID, shelf=ShelfKind(shelf), words="un logement"
    )
    return sharing.grant(site.house, person.session, worker.id, offer)


def share_paper(site: Site, person: MadePerson, worker: MadeWorker, paper: PaperId, *, copy: bool = False) -> GrantId:
    """One paper, for a home, three months."""
    limits = sharing.offer_limits(site.house, person.session, worker.id)
    acts = frozenset({Act.SEE, Act.TAKE}) if copy else frozenset({Act.SEE})
    offer = Offer(PurposeId("home"), acts, limits.default_until, SAID, papers=(paper,), words="un logement")
    return sharing.grant(site.house, person.session, worker.id, offer)
