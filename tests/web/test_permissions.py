"""Who reaches what: a table written by hand, by address, and a real request for each route and each kind of session.

The table is not made from the routes: what a route says about itself is exactly what could be wrong. A new route must be written
here before it passes.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.vault.builders import make_worker
from tests.web.everybody import Everybody, Route, ask, routes_of
from vault import sessions
from vault.languages import read_catalogues
from vault.web.guards import COOKIE

KINDS = ("none", "card", "opening", "recovering", "person", "assisted", "worker", "administrator", "outside", "named")
ANYONE = frozenset(KINDS)
PERSON, OPENING, CARD, LOST = ({one} for one in ("person", "opening", "card", "recovering"))
WORKER, OFFICE, OUTSIDE = {"worker"}, {"administrator"}, {"outside"}
NARROWING = {"person", "card", "assisted"}

# The longest address that fits decides. `*` stands for the rest.
TABLE: dict[str, frozenset[str] | set[str]] = {
    "/": ANYONE,
    "/static/*": ANYONE,
    "/borne/*": ANYONE,
    "/langues/*": ANYONE,
    "/cles.json": ANYONE,
    "/sortir": ANYONE,
    # What anybody may copy and check of the trace
    "/trace/*": ANYONE,
    "/fr": ANYONE,
    "/fr/abri": ANYONE,
    "/fr/accessibilite": ANYONE,
    "/fr/aide": ANYONE,
    "/fr/aide/code-oublie": ANYONE,
    "/fr/annuler*": ANYONE,
    "/fr/certificat": ANYONE,
    "/fr/conditions*": ANYONE,
    "/fr/conditions-nouvelles": PERSON,
    "/fr/fin": ANYONE,
    "/fr/je-suis-la": ANYONE,
    # A phone of anybody's, with a one-time link
    "/fr/tel/*": ANYONE,
    "/fr/tel-tout*": ANYONE,
    "/fr/envoi/*": ANYONE,
    # Somebody outside, who was given a link and a code
    "/fr/lien": ANYONE,
    "/fr/lien/*": OUTSIDE,
    # Opening a safe
    "/fr/ouvrir/avant/*": ANYONE,
    "/fr/ouvrir/commencer": ANYONE,
    "/fr/ouvrir/pas-aujourdhui": ANYONE,
    "/fr/ouvrir/nom": OPENING,
    "/fr/ouvrir/dessin": OPENING,
    "/fr/ouvrir/code": OPENING,
    "/fr/ouvrir/images": OPENING,
    "/fr/ouvrir/confiance": OPENING,
    "/fr/ouvrir/carte*": OPENING,
    "/fr/ouvrir/feuillet*": PERSON,
    "/fr/ouvrir/feuille-de-secours/*": PERSON,
    # Unlocking, and what the card alone can do
    "/fr/carte*": ANYONE,
    "/fr/mots": ANYONE,
    "/fr/code": CARD | PERSON,  # who is inside already is led in again
    "/fr/images": CARD | PERSON,
    "/fr/avec-la-carte/*": ANYONE,
    "/fr/avec-la-carte/*/code": CARD,
    "/fr/avec-la-carte/*/images": CARD,
    "/fr/arreter*": {"card", "assisted"},
    "/fr/bloquer": NARROWING,
    "/fr/debloquer*": CARD,
    "/fr/proteger": ANYONE,
    "/fr/proteger/parler": ANYONE,
    "/fr/proteger/tout-changer": PERSON,
    "/fr/proteger/nouveau/*": PERSON,
    "/fr/proteger/revue*": PERSON,
    # Opening with somebody's help
    "/fr/accompagne": CARD,
    "/fr/accompagne/attente": CARD,
    "/fr/accompagne/images": CARD,
    "/fr/carte-reprise": {"person", "assisted"},
    "/fr/accompagne/arreter": {"person", "assisted"},
    "/fr/avec-aide*": {"assisted"},
    "/fr/avec-aide/montrer/*": {"assisted"},
    "/fr/avec-aide/papiers/*/montrer": {"assisted"},
    # Coming back
    "/fr/perdu": ANYONE,
    "/fr/perdu/ailleurs": ANYONE,
    "/fr/perdu/raison/*": ANYONE,
    "/fr/perdu/commencer": ANYONE,
    "/fr/perdu/demain": ANYONE,
    "/fr/perdu/je-ne-sais-plus": ANYONE,
    "/fr/perdu/plus-rien*": ANYONE,
    "/fr/perdu/attente": LOST,
    "/fr/perdu/autre-code": LOST,
    "/fr/perdu/carte*": LOST,
    "/fr/perdu/code": LOST,
    "/fr/perdu/images": LOST,
    "/fr/perdu/feuille*": LOST,
    "/fr/reouverture": PERSON,
    # After a death: the person named, with two whom the dead trusted
    "/fr/apres-un-deces": ANYONE,
    "/fr/apres-un-deces/attente": LOST,
    "/fr/apres-un-deces/feuille": LOST,
    "/fr/apres-un-deces/*": {"named"},
    # One's own safe
    "/fr/maison": PERSON,
    "/fr/moi*": PERSON,
    "/fr/ajouter*": PERSON,
    "/fr/papiers*": PERSON,
    "/fr/montrer*": PERSON,
    "/fr/partages*": PERSON,
    "/fr/envoyer*": PERSON,
    "/fr/demandes*": PERSON,
    "/fr/regards*": PERSON,
    "/fr/suite*": PERSON,
    "/fr/copie": PERSON,
    "/fr/copie/carte": ANYONE,
    "/fr/premiers-pas/*": PERSON,
    "/fr/confiance*": PERSON,
    "/fr/effacer-tout*": PERSON,
    "/fr/droits*": PERSON,
    "/fr/ce-qu-abri-sait*": PERSON,
    "/fr/emporter*": PERSON,
    "/fr/apporter*": PERSON,
    "/fr/autre-abri*": PERSON,
    # The desk
    "/fr/bureau": WORKER,
    "/fr/bureau/entrer": ANYONE,
    "/fr/bureau/entrer/avec-une-cle": ANYONE,
    "/fr/bureau/entrer/*": OPENING,
    "/fr/bureau/cles*": WORKER,
    "/fr/bureau/invitation": ANYONE,
    "/fr/bureau/invitation/*": OPENING,
    "/fr/bureau/accompagner*": WORKER,
    "/fr/bureau/accompagner/temoin*": WORKER,
    "/fr/bureau/actes": WORKER,
    "/fr/bureau/aide*": WORKER,
    "/fr/bureau/bientot*": WORKER,
    "/fr/bureau/bloquer": WORKER,
    "/fr/bureau/carte*": WORKER,
    "/fr/bureau/copies-a-effacer*": WORKER,
    "/fr/bureau/formation": WORKER,
    "/fr/bureau/nouveau": WORKER,
    "/fr/bureau/confiance*": WORKER,
    "/fr/bureau/demandes*": WORKER,
    "/fr/bureau/demarches*": WORKER,
    "/fr/bureau/deposer*": WORKER,
    "/fr/bureau/dossiers/*": WORKER,
    "/fr/bureau/papiers/*": WORKER,
    "/fr/bureau/personnes/*": WORKER,
    "/fr/bureau/passer": WORKER,
    "/fr/bureau/lu": WORKER,
    # The office
    "/fr/association": OFFICE,
    "/fr/association/entrer": ANYONE,
    "/fr/association/entrer/avec-une-cle": ANYONE,
    "/fr/association/entrer/*": OPENING,
    "/fr/association/cles*": OFFICE,
    "/fr/association/a-remettre": OFFICE,
    "/fr/association/affiches*": OFFICE,
    "/fr/association/article-19*": OFFICE,
    "/fr/association/fermeture*": OFFICE,
    "/fr/association/bornes*": OFFICE,
    "/fr/association/chiffres*": OFFICE,
    "/fr/association/demarches*": OFFICE,
    "/fr/association/personnel*": OFFICE,
    "/fr/association/registre*": OFFICE,
    "/fr/association/structures": OFFICE,
    "/fr/association/trace": OFFICE,
    # The interface for programs: the same session, as a bearer
    "/api/v1/unlock": ANYONE,
    "/api/v1/schema*": ANYONE,
    "/api/v1/session": PERSON,
    "/api/v1/recipients": PERSON,
    "/api/v1/papers*": PERSON,
    "/api/v1/shares*": PERSON,
    "/api/v1/history*": PERSON,
    "/api/v1/erasure": PERSON,
}

# What a room for training has besides, and what it answers to anybody about what is not there.
ROOM: dict[tuple[str, str], int] = {
    ("GET", "/fr/salle"): 200,
    ("GET", "/fr/salle/carte/{key:str}"): 404,
    ("POST", "/fr/salle/entrer"): 422,
}

# Roles beside the salaried, who is the worker of the first table.
PASSING = frozenset({"civic-service", "volunteer", "intern", "interpreter"})
ROLES = ("intern", "interpreter", "lawyer")
LASTS = dt.date(2027, 6, 30)

# Reached, and then refused by the use case for what the empty form did not say: the door is open, the answer is no.
SAYS_NO: dict[tuple[str, str], str] = {
    ("GET", "/fr/je-suis-la"): "answers 401 to say that the session is over",
    ("GET", "/fr/bureau/invitation/carre"): "the opening session of a person holds no invitation",
    ("GET", "/fr/bureau/invitation/mots"): "the same",
    ("GET", "/fr/bureau/invitation/verifier"): "the same",
    ("POST", "/fr/bureau/invitation/verifier"): "the same",
    ("GET", "/fr/bureau/invitation/feuille"): "the same",
    **dict.fromkeys(
        [
            (method, f"/fr/{area}/entrer/{place}")
            for area in ("bureau", "association")
            for method, place in (
                ("GET", "cle"),
                ("POST", "cle/reponse"),
                ("GET", "mots"),
                ("POST", "mots"),
            )
        ],
        "the opening session of a person is of nobody who enters with a key",
    ),
    **dict.fromkeys(
        [("GET", f"/fr/{area}/cles/{place}") for area in ("bureau", "association") for place in ("chiffres", "chiffres/carre")],
        "no other digits were asked for",
    ),
    ("POST", "/fr/bureau/cles/chiffres/verifier"): "the same",
    ("POST", "/fr/association/cles/chiffres/verifier"): "the same",
    ("POST", "/fr/lien"): "no link was typed, and every wrong one has this answer",
    ("POST", "/fr/effacer-tout"): "asks the code again, and none was given",
    ("POST", "/fr/moi/mots"): "the same",
    ("POST", "/fr/droits/apres/effacer"): "the same",
    ("POST", "/fr/confiance/retirer/{member:str}"): "the same",
    ("POST", "/fr/proteger/revue/retirer/{member:str}"): "the same",
}


def fits(pattern: str, address: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), address) is not None


def line_of(template: str) -> str | None:
    """Which line of the table decides for an address; None when nobody has written it down."""
    address = re.sub(r"\{[^}]*\}", "x", template)
    return max((pattern for pattern in TABLE if fits(pattern, address)), key=len, default=None)


def allowed(template: str) -> frozenset[str] | set[str] | None:
    """What the table says of an address; None when nobody has written it down."""
    line = line_of(template)
    return TABLE[line] if line else None


def test_every_route_is_in_the_table_and_every_line_is_of_a_route(everybody: tuple[Everybody, TestClient[Litestar]]) -> None:
    _, client = everybody
    routes = routes_of(client.app)
    assert len(routes) > 200
    assert [one.template for one in routes if allowed(one.template) is None] == []
    used = {line_of(one.template) for one in routes}
    assert set(TABLE) - used == set()


# What anybody may keep: it is the same for everybody and names nobody.
FOR_ALL = re.compile(r"/static/|/trace/|/cles\.json|/api/v1/schema")


def unguarded(address: str, answer: httpx.Response) -> list[str]:
    """SAFE-04: what the headers of an answer leave to a cache, to a frame, to another site or to a script that was put in."""
    headers = answer.headers
    policy = headers.get("content-security-policy", "")
    wrong = [] if "no-store" in headers.get("cache-control", "") or FOR_ALL.match(address) else ["may be kept by a cache"]
    wrong += [] if headers.get("referrer-policy") == "same-origin" else ["tells another site where one was"]
    wrong += [] if headers.get("x-content-type-options") == "nosniff" else ["may be taken for something else"]
    wrong += [] if "frame-ancestors 'none'" in policy and "default-src" in policy else ["may stand in a frame"]
    return wrong + (["takes scripts from the page"] if "unsafe" in policy else [])


# The quick exit is a calendar, which must tell nothing; programs have no pages, and are told so in the framework's words.
WITHOUT_RIBBON = {"/sortir", "/api/v1/schema/{path:str}"}
RIBBON = f'ribbon">{read_catalogues()["fr"].plain("demo.ribbon")}</p>'  # on screens and on what is printed


def unmarked(template: str, answer: httpx.Response) -> list[str]:
    """A page of a demonstration that does not say that everything in it is false."""
    is_page = answer.headers.get("content-type", "").startswith("text/html") and template not in WITHOUT_RIBBON
    return ["bears no ribbon"] if is_page and RIBBON not in answer.text else []


def misplaced(
    people: Everybody, client: TestClient[Litestar], kind: str, routes: Iterable[Route]
) -> tuple[list[tuple[str, ...]], int]:  # fmt: skip
    """What a session of this kind is answered on these routes, where that is not what the table says; and how many pages it was."""
    wrong, pages = list[tuple[str, ...]](), 0
    for route in routes:
        cookie = people.cookie(kind)
        token = sessions.find(people.house, cookie).form_token if cookie else ""
        answer = ask(client, route, cookie, token)
        status = answer.status_code
        admitted = kind in (allowed(route.template) or ())
        refusal = 401 if kind == "none" else 403
        at = (route.method, route.template, str(status))
        if admitted and status in (401, 403) and (route.method, route.template) not in SAYS_NO:
            wrong.append((*at, "should be reached"))
        if not admitted and status != refusal:
            wrong.append((*at, f"should be {refusal}"))
        if status >= 500:
            wrong.append((*at, "fails"))
        wrong += [(*at, one) for one in unguarded(route.address, answer) + unmarked(route.template, answer)]
        pages += RIBBON in answer.text
    return wrong, pages


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_session_reaches_its_routes_alone(everybody: tuple[Everybody, TestClient[Litestar]], kind: str) -> None:
    people, client = everybody
    wrong, pages = misplaced(people, client, kind, routes_of(client.app))
    assert pages > 200
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_worker_of_any_role_reaches_what_a_worker_reaches(everybody: tuple[Everybody, TestClient[Litestar]], role: str) -> None:
    """The routes of the desk, and one of each other line of the table: a role decides what may be given, and no address."""
    people, client = everybody
    routes = routes_of(client.app)
    lines = {line_of(route.template): route for route in routes}
    theirs = [route for route in routes if allowed(route.template) == WORKER]
    assert len(theirs) > 50
    people.worker = make_worker(people.house, people.office, "Ines", role, ends=LASTS if role in PASSING else None)
    wrong, _ = misplaced(people, client, "worker", dict.fromkeys([*theirs, *lines.values()]))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.slow
def test_the_first_page_of_a_room_for_training_is_everybody_s(
    everybody_of_a_room: tuple[Everybody, TestClient[Litestar]],
) -> None:
    """And it alone is not of the other services; nobody makes a room from within one."""
    people, client = everybody_of_a_room
    routes = routes_of(client.app)
    rooms = [route for route in routes if line_of(route.template) is None]
    assert {(route.method, route.template) for route in rooms} == set(ROOM)
    assert not [route for route in routes if route.template.startswith("/fr/bureau/formation")]
    for kind in KINDS:
        for route in rooms:
            cookie = people.cookie(kind)
            answer = ask(client, route, cookie, sessions.find(people.house, cookie).form_token if cookie else "")
            assert answer.status_code == ROOM[route.method, route.template], (kind, route)
            assert unguarded(route.address, answer) == [], (kind, route)


@pytest.mark.slow
def test_a_cookie_alone_reaches_nothing_of_the_interface_for_programs(everybody: tuple[Everybody, TestClient[Litestar]]) -> None:
    people, client = everybody
    for route in routes_of(client.app):
        if route.address.startswith("/api/") and allowed(route.template) != ANYONE:
            client.cookies.clear()
            client.cookies.set(COOKIE, str(people.cookie("person")), domain="abri.test", path="/")
            body: dict[str, Any] = {"json": {}} if route.method == "POST" else {}
            assert client.request(route.method, route.address, **body).status_code == 401, route
