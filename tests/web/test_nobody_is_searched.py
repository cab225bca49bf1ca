"""AUTH-08: no page finds a person by a name or a day of birth, for anybody, whatever the question is called."""

import re

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from lxml import html

from tests.vault.builders import make_person
from tests.web.everybody import Everybody, ask, routes_of
from vault.web.pages import TEMPLATES

ASKED = (
    "q",
    "query",
    "search",
    "recherche",
    "chercher",
    "nom",
    "name",
    "prenom",
    "person",
    "personne",
    "naissance",
    "birth",
    "born",
)
BORN = re.compile(r"birth|born|naissance|\bage\b|anniversaire")


def question(name: str) -> str:
    """The same name under everything that a search could be called."""
    return "?" + "&".join(f"{one}={name}" for one in ASKED)


AREAS = {
    "none": re.compile(r"/fr(?!/bureau|/association)"),
    "worker": re.compile("/fr/bureau"),
    "administrator": re.compile("/fr/association"),
}
ANOTHER_EACH_TIME = re.compile(r"/cles/ajouter$|/avec-une-cle$")  # a challenge for an authenticator


@pytest.mark.parametrize("kind", AREAS)
def test_a_name_in_any_question_changes_no_public_answer(everybody: tuple[Everybody, TestClient[Litestar]], kind: str) -> None:
    """Whoever asks reads the same of somebody who has a safe here as of somebody whom nobody knows."""
    people, client = everybody
    make_person(people.house, "Khadidiatou")
    wrong, compared = [], 0
    for route in routes_of(client.app):
        here = AREAS[kind].match(route.address) and not ANOTHER_EACH_TIME.search(route.address)
        if route.method != "GET" or "{" in route.template or not here:
            continue
        answers = []
        for name in ("Khadidiatou", "Bartholomew"):
            answer = ask(client, route, people.cookie(kind), "", question(name))
            read = "html" in answer.headers.get("content-type", "")
            answers.append((answer.status_code, answer.text.replace(name, "") if read else ""))
        compared += bool(answers[0][1])
        wrong += [] if answers[0] == answers[1] else [route.address]
    assert wrong == []
    assert compared > 10


def test_no_form_asks_whom_one_looks_for() -> None:
    """A field to search has no name, so it is never sent (it hides lines of the page that is there); no field asks when one was born."""
    searched = 0
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for field in re.findall(r"<input[^>]*type=\"search\"[^>]*>", text):
            searched += 1
            assert html.fragment_fromstring(field).get("name") is None, path.name
        named = re.findall(r"name=['\"]([\w.-]+)['\"]|(?:field|select|radios)\('(\w+)'", text)
        assert not [one for pair in named for one in pair if BORN.search(one)], path.name
    assert searched, "the filter of the desk's tables"
