"""ADM-01, and A4 from another structure: every link of their pages, with a full safe behind, leads to no name, no title, no note."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

import pytest
from lxml import html

from consent.purposes import PurposeId
from tests.vault.builders import MadeWorker, Office, make_office, make_person, make_worker, sign_in_administrator, unlock
from tests.vault.comings import face, set_circle
from tests.vault.papers import SAID
from tests.vault.test_printed import words
from tests.web.desk_scene import clock_of, give, real_paper
from tests.web.site import Site
from vault import documents, outside, rights
from vault.context import Context
from vault.outside import OutsideOffer
from vault.rights import Extra

NAME, TITLE, NOTE, BANK = "Khadidiatou", "Attestation-de-la-lune", "à-montrer-au-tailleur", "Madame-Quetzal"
LEAVES = re.compile(r"/(fin|sortir|annuler)\b")


@dataclass(frozen=True)
class Scene:
    """Two operators; Fatou is shown a paper and is a guardian, as Marc of the other one is; Lina was never told of anybody."""

    tilleuls: Office
    canal: Office
    fatou: MadeWorker
    lina: MadeWorker


@dataclass
class Read:
    """The pages that links led to, and what was read of the person on them."""

    pages: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)


def lived(house: Context) -> Scene:
    """A safe with a paper, a note, two guardians, a share, a link, and a line in the register for most of what can be asked."""
    tilleuls, canal = make_office(house), make_office(house, "ESI Le Canal")
    fatou, marc, lina = make_worker(house, tilleuls), make_worker(house, canal, "Marc"), make_worker(house, canal, "Lina")
    awa = make_person(house, NAME, kiosk=tilleuls.kiosk)
    set_circle(house, awa, [face(fatou, NAME), face(marc, NAME)])
    paper = real_paper(house, awa, TITLE)
    documents.note(house, awa.session, paper, NOTE)
    clock_of(house).forward(days=1)
    unlock(house, awa)
    give(house, awa, fatou, paper)
    outside.give(house, awa.session, OutsideOffer((paper,), BANK, PurposeId("bank"), SAID, words="un compte"))
    for kind in ("access", "complaint", "restriction", "erasure"):
        rights.ask_right(house, unlock(house, awa), awa.code, kind)
    nadia = sign_in_administrator(house, tilleuls.administrators[0])
    rights.receive(house, nadia, "requisition", "authority", Extra(number=awa.number))
    rights.receive(house, nadia, "court-order", "authority", Extra(number=awa.number, order="keep"))
    return Scene(tilleuls, canal, fatou, lina)


def read_all(site: Site, start: str) -> Read:
    """From the first page of an office through every link that stays in it, printed sheets included, until nothing new is linked."""
    read, waiting = Read(), [start]
    while waiting:
        address = waiting.pop()
        if address in read.pages or not address.startswith(start) or LEAVES.search(address):
            continue
        read.pages.add(address)
        answer = site.client.get(address)
        assert answer.status_code < 500, address
        kind = answer.headers.get("content-type", "")
        text = words(answer.content) if kind.startswith("application/pdf") else answer.content.decode(errors="replace")
        read.found |= {one for one in (NAME, TITLE, NOTE, BANK) if one in text}
        if "html" in kind:
            linked = html.fromstring(answer.content).xpath("//@href | //@src")
            waiting += [urljoin(address, str(one)).partition("#")[0] for one in linked]
    return read


WHO: dict[str, tuple[str, Callable[[Site, Scene], None]]] = {
    "an administrator": ("/fr/association", lambda site, made: site.sign_in_administrator(made.tilleuls.administrators[0])),
    "another operator's": ("/fr/association", lambda site, made: site.sign_in_administrator(made.canal.administrators[0])),
    "a worker who was told nothing": ("/fr/bureau", lambda site, made: site.sign_in(made.lina)),
}


@pytest.mark.parametrize("who", WHO)
def test_every_link_followed_says_nothing_of_a_person(site: Site, who: str) -> None:
    start, sign_in = WHO[who]
    sign_in(site, lived(site.house))
    read = read_all(site, start)
    assert len(read.pages) > 20, read.pages
    assert read.found == set()
    if who == "an administrator":
        assert sum("/registre/" in page for page in read.pages) >= 6, "the lines of the register were read, one by one"


def test_whoever_is_shown_a_paper_is_led_to_it_by_the_same_links(site: Site) -> None:
    """The instrument can fail: Fatou reads the name that she was given, and the title that she is shown."""
    site.sign_in(lived(site.house).fatou)
    assert read_all(site, "/fr/bureau").found == {NAME, TITLE}
