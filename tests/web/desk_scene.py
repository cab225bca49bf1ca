"""Awa shows papers to Fatou and lets Inès deposit: what the tests of the desk begin with."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID
from tests.vault.scenes import saved, sheet
from vault import documents, intake, sharing, withdrawing
from vault.context import Context
from vault.sharing import Offer


@dataclass
class Scene:
    """One office, one worker, one person with a paper."""

    office: Office
    fatou: MadeWorker
    awa: MadePerson
    paper: PaperId


def clock_of(house: Context) -> Clock:
    """The clock that tests move."""
    return cast("Clock", house.clock)


def real_paper(house: Context, person: MadePerson, title: str = "Avis de 2025", shelf: str = "money") -> PaperId:
    """A paper that the confined child has prepared: its pages can be shown."""
    prepared = intake.prepare(house.confinement, [saved(sheet(620, 877), "JPEG", quality=85)])
    return documents.deposit(house, person.session, prepared, ShelfKind(shelf), title=title, sort="tax-notice")


def give(
    house: Context, person: MadePerson, worker: MadeWorker, *papers: PaperId, acts: Collection[Act] = (Act.SEE,), shelf: str = "",
    days: int = 60, purpose: str = "home",
) -> GrantId:  # fmt: skip
    """A share, by the use case that the kiosk calls."""
    until = house.clock().date() + dt.timedelta(days=days)
    offer = Offer(PurposeId(purpose), frozenset(acts), until, SAID, papers, ShelfKind(shelf) if shelf else None)
    return sharing.grant(house, person.session, worker.id, offer)


def stop(house: Context, person: MadePerson, grant: GrantId) -> None:
    """Taken back, at another kiosk."""
    withdrawing.withdraw(house, unlock(house, person), grant, SAID)


def scene(house: Context) -> Scene:
    """On the second day of Awa's safe: everything can be shown."""
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house, "Awa", drawing="turtle")
    paper = real_paper(house, awa)
    clock_of(house).forward(days=1)
    unlock(house, awa)
    return Scene(office, fatou, awa, paper)
