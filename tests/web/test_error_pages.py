"""What a person reads when something did not work: a heading that goes with its sentence, how long to wait, and nothing is lost."""

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import pytest
from litestar.testing import TestClient

from consent.scope import Act
from storage.blobs import BlobStore
from storage.errors import DatabaseBusy, StorageFull, StoreUnreachable
from tests.vault.builders import make_office, make_person, make_worker, unlock
from tests.vault.scenes import saved, sheet
from tests.web.desk_scene import clock_of, give
from tests.web.site import ORIGIN, Site, wired
from vault import drafts, showing
from vault.context import Context
from vault.errors import Conflict, MustWait, NotThere
from vault.refusals import ConfinementUnavailable

PHOTO = ("photo.jpg", saved(sheet(300, 420), "JPEG", quality=80))


class Failing:
    """A store of papers that fails in this way once so many blobs were begun."""

    def __init__(self, real: BlobStore, error: Exception, *, after: int) -> None:
        self._real, self._error, self._after, self.begun = real, error, after, 0

    def writer(self, *wanted: Any) -> Any:
        self.begun += 1
        if self.begun > self._after:
            raise self._error
        return self._real.writer(*wanted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def stand_on(site: Site, store: Failing) -> None:
    """From now on the pages keep papers there."""
    wired(dataclasses.replace(site.house, blobs=cast("BlobStore", store)))


def failing(error: Exception) -> Callable[..., object]:
    """A use case that fails in this way: how each failure is answered is looked at here, also what no wall raises at will."""

    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def test_a_sign_that_no_store_takes_is_in_no_address_of_ours(any_reading_house: Context) -> None:
    """PostgreSQL takes no NUL, and no folder does: anybody could have told the operator of a fault, at will."""
    settings = dataclasses.replace(any_reading_house.settings, origins=(ORIGIN,))
    house = dataclasses.replace(any_reading_house, settings=settings)
    awa = make_person(house)
    with TestClient(wired(house), base_url=ORIGIN, raise_server_exceptions=False) as client:
        site = Site(house, client)
        for address in ("/static/%00", "/static/x%0Ay", "/borne/x%00y", "/fr/tel/x%00y"):
            assert site.get(address).status == 404, address
        site.open(awa)
        for address in ("/fr/papiers/x%00y", "/fr/papiers/x%00y/page/1", "/fr/papiers/x%00y/apercu", "/fr/partages/x%7Fy"):
            assert site.get(address).status == 404, address
        assert site.post("/fr/papiers/x%00y/effacer", {"token": site.token()}).status == 404


@pytest.mark.parametrize(
    ("language", "heading", "sentence"),
    [
        ("fr", "Cette page n'existe pas", "Elle n'existe pas, ou n'est pas pour vous."),
        ("en", "This page does not exist", "It does not exist, or it is not for you."),
        ("ar", "هذه الصفحة غير موجودة", "غير موجودة، أو ليست لك."),
    ],
)
def test_what_is_not_there_has_a_heading_of_its_own(site: Site, language: str, heading: str, sentence: str) -> None:
    shown = site.get(f"/{language}/nulle-part")
    assert (shown.status, shown.heading) == (404, heading)
    assert sentence in shown.text
    assert shown.title.startswith(heading)


def test_the_desk_has_it_too(site: Site) -> None:
    site.sign_in(make_worker(site.house, make_office(site.house), "Fatou"))
    assert site.get("/fr/bureau/nulle-part").heading == "Cette page n'existe pas"


def test_what_one_may_not_do_says_whom_to_ask(site: Site) -> None:
    site.show_card(make_person(site.house, "Awa"))
    refused = site.get("/fr/papiers")
    assert (refused.status, refused.heading) == (403, "Ce n'est pas possible")
    assert "Demandez à l'accueil" in refused.text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "Attendez 1 seconde."), (120, "Attendez 120 secondes."), (121, "Attendez 3 minutes."), (7200, "Attendez 120 minutes."),
        (7201, "Attendez 3 heures."), (83211, "Attendez 24 heures."),
    ],
)  # fmt: skip
def test_waiting_is_told_in_the_unit_that_one_counts_in(
    site: Site, monkeypatch: pytest.MonkeyPatch, seconds: int, said: str
) -> None:  # fmt: skip
    site.open(make_person(site.house, "Awa"))
    monkeypatch.setattr(showing, "grants_of", failing(MustWait(seconds)))
    shown = site.get("/fr/partages")
    assert shown.status == 429
    assert said in shown.text


@pytest.mark.parametrize(
    ("error", "status", "kept"),
    [
        (Conflict(), 409, True),
        (MustWait(5), 429, True),
        (DatabaseBusy(), 503, True),
        (StorageFull(), 507, True),
        (NotThere(), 404, False),
    ],
)
def test_the_script_finds_the_sentence_where_the_paper_is_not_to_blame(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, *, kept: bool
) -> None:
    site.open(make_person(site.house, "Awa"))
    monkeypatch.setattr(showing, "grants_of", failing(error))
    shown = site.get("/fr/partages")
    assert shown.status == status
    assert bool(shown.errors) == kept


@pytest.mark.parametrize("error", [StoreUnreachable(), DatabaseBusy(), StorageFull(), ConfinementUnavailable()])
@pytest.mark.parametrize("way", ["photo", "fichier", "beaucoup"])
def test_without_script_the_page_to_add_a_paper_stays(site: Site, way: str, error: Exception) -> None:
    site.open(make_person(site.house, "Awa"))
    page = site.get(f"/fr/ajouter/{way}")
    stand_on(site, Failing(site.house.blobs, error, after=0))
    refused = site.send(page, PHOTO)
    assert refused.status in (503, 507)
    assert refused.heading == page.heading
    assert refused.errors


@pytest.mark.parametrize("error", [StoreUnreachable(), DatabaseBusy(), StorageFull()])
def test_a_workers_deposit_keeps_its_page_too(site: Site, error: Exception) -> None:
    office = make_office(site.house)
    ines, awa = make_worker(site.house, office, "Inès"), make_person(site.house, "Awa")
    clock_of(site.house).forward(days=1)
    unlock(site.house, awa)
    grant = give(site.house, awa, ines, acts=(Act.DEPOSIT,), shelf="money")
    site.sign_in(ines)
    page = site.get("/fr/bureau/deposer")
    stand_on(site, Failing(site.house.blobs, error, after=0))
    kept = site.send(page, PHOTO, grant=str(grant), kind="letter", title="Lettre de la CAF", opened_by_person="yes")
    assert kept.status in (503, 507)
    assert kept.heading == page.heading
    assert kept.errors
    assert kept.tree.xpath("//input[@name='title']/@value") == ["Lettre de la CAF"]


def test_of_several_files_none_stays_when_the_store_goes_down(site: Site) -> None:
    """Sent again, the first would be there twice."""
    awa = make_person(site.house, "Awa")
    site.open(awa)
    page = site.get("/fr/ajouter/fichier")
    store = Failing(site.house.blobs, StoreUnreachable(), after=2)  # the first file: as it came, and as it is seen
    stand_on(site, store)
    assert site.send(page, ("un.jpg", PHOTO[1]), ("deux.jpg", PHOTO[1])).status == 503
    assert store.begun == 3
    now = drafts.current(site.house, awa.session)
    assert now is None or now.pages == ()


def test_a_mistyped_number_of_a_certificate_stays_in_its_field(site: Site) -> None:
    for number in ("1234-ABCD-99", ""):
        shown = site.press(site.get("/fr/certificat"), number=number)
        assert (shown.status, shown.path) == (404, "/fr/certificat")
        assert "Vérifiez les chiffres." in shown.errors
        assert shown.form.xpath(".//input[@name='number']/@value") == [number]
