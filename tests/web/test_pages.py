"""How a page is made: values escaped and isolated, French marked among others, forms with their token, nothing undefined."""

import datetime as dt
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from tests.web import guide
from vault.assets.manifest import BUILT, MANIFEST, Assets, NoSuchAsset, Recording, read_assets
from vault.languages import LANGUAGES, Catalogues, Sentences, read_catalogues
from vault.web.pages import Pages, Speaker, as_date, icon, page_title
from vault.web.shell import error_values
from vault.web.style_guide import PARTS, WORK_PARTS, values_for

CATALOGUES = read_catalogues(with_pseudo=True)
ATTACK = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def assets() -> Assets:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("nothing is built yet: run `make assets`")
    return read_assets()


@pytest.fixture(scope="module")
def pages(assets: Assets) -> Pages:
    return Pages(assets, CATALOGUES)


def speaker(assets: Assets, language: str = "fr", catalogues: Catalogues = CATALOGUES) -> Speaker:
    sentences = catalogues[language]
    return Speaker(sentences, catalogues["fr"], assets, unread=bool(sentences.unread()), ready={})


def render(pages: Pages, part: str, language: str = "fr") -> str:
    template, values = values_for(part, guide.MOMENT)
    return pages.render(template, guide.work_frame(part, language) if part in WORK_PARTS else guide.frame(language), **values)


def test_a_value_is_escaped_and_isolated(assets: Assets) -> None:
    said = speaker(assets).html("k17.title", first=ATTACK)
    assert "<script>" not in said
    assert said.startswith("Arrêter avec <bdi>&lt;script&gt;")


def test_a_sentence_inside_a_sentence_stays_as_it_is(assets: Assets) -> None:
    one = speaker(assets)
    assert one.html("k15.reason", reason=one.html("reason.home")) == "Pour\u00a0: un logement."


def test_short_letters_are_explained(assets: Assets) -> None:
    said = speaker(assets).html("reason.health")
    assert '<abbr title="aide pour se soigner sans titre de séjour">AME</abbr>' in said
    assert "<abbr" not in speaker(assets).html("k17.title", first="RSA")


def test_french_among_another_language_is_whole_and_says_that_it_is_french(assets: Assets) -> None:
    arabic = CATALOGUES["ar"]
    fewer = {key: entry for key, entry in arabic.entries.items() if key != "k11.text"}
    poorer = Sentences(arabic.language, fewer, arabic.form_for, CATALOGUES["fr"])
    one = speaker(assets, "ar", Catalogues({**CATALOGUES.languages, "ar": poorer}))
    assert one.html("k11.text") == '<span lang="fr" dir="ltr">Posez le papier à plat.</span>'
    french = assets.recording("fr", "k11.text")
    assert one.audio("k11.text") == french is not None


def test_the_cache_of_ready_sentences_never_mixes_values_or_counts(assets: Assets) -> None:
    one = speaker(assets)
    assert one.html("k10.count", 1) != one.html("k10.count", 9)
    assert one.html("k17.title", first="A") != one.html("k17.title", first="B")
    assert one.html("k02.title") == one.html("k02.title")


def test_the_title_of_the_window_holds_no_value(assets: Assets) -> None:
    assert page_title(speaker(assets), "k02.title") == "Que voulez-vous faire\u00a0? · Abri"
    assert page_title(speaker(assets), "k17.title") == "Arrêter avec cette personne\u00a0? · Abri"
    assert page_title(speaker(assets), "k10.hello") == "Abri"


def test_a_button_to_hear_is_there_exactly_when_there_is_something_to_hear(assets: Assets) -> None:
    silent = replace(assets, recordings={"fr": {"k02.title": Recording("audio/fr/x.mp3", 1.0, human=False)}})
    one = speaker(silent)
    assert one.audio("k02.title") == "/static/audio/fr/x.mp3"
    assert one.audio("k02.title", "k02.text") is None, "half of it would be worse than nothing"
    assert one.audio("k10.count") is None
    assert one.heard == ["k02.title"]


def test_french_stands_beside_a_language_that_two_people_have_not_read(assets: Assets, pages: Pages) -> None:
    assert speaker(assets, "ar").french_audio("k20.title") == assets.recording("fr", "k20.title")
    assert speaker(assets, "fr").french_audio("k20.title") is None
    assert 'data-listen="fr"' in render(pages, "erase", "ar")
    assert 'data-listen="fr"' in render(pages, "home", "ar"), "said on its first page"
    assert 'data-listen="fr"' not in render(pages, "code", "ar"), "and not where nothing is grave"
    assert 'data-listen="fr"' not in render(pages, "erase", "fr")


def test_an_icon_turns_with_the_line_of_reading_only_when_it_points_along_it(assets: Assets) -> None:
    assert "icon-turns" in icon(assets, "arrow-left")
    assert "icon-turns" not in icon(assets, "camera")
    assert 'aria-hidden="true"' in icon(assets, "camera")
    with pytest.raises(NoSuchAsset):
        icon(assets, "no-such-icon")


class Forms(HTMLParser):
    """The first field of each form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.first: list[str | None] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self._inside = True
            self.first.append(None)
            assert values["method"] == "post"
        elif tag in ("input", "button", "select", "textarea") and self._inside and self.first[-1] is None:
            self.first[-1] = values.get("name")
            assert values.get("type") == "hidden"
            assert values.get("value") == "a-token-of-the-test"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


@pytest.mark.parametrize("part", PARTS)
def test_the_token_is_the_first_field_of_every_form(pages: Pages, part: str) -> None:
    found = Forms()
    found.feed(render(pages, part))
    assert set(found.first) <= {"token"}


@pytest.mark.parametrize("part", PARTS)
def test_the_ribbon_is_on_every_page_of_a_demonstration_and_on_no_other(assets: Assets, pages: Pages, part: str) -> None:
    assert "DÉMONSTRATION" in render(Pages(assets, CATALOGUES, demo=True), part)
    assert "DÉMONSTRATION" not in render(pages, part)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", ["fr", "en", "ar", "qps", "qpr"])
def test_every_shape_can_be_made_in_every_language(pages: Pages, part: str, language: str) -> None:
    html = render(pages, part, language)
    spoken = LANGUAGES[language]
    assert f'dir="{spoken.direction}"' in html
    assert f'<html lang="{"fr" if spoken.for_tests else language}"' in html
    assert html.count("<h1") == 1


def test_help_and_language_are_in_the_same_place_on_every_page(pages: Pages) -> None:
    orders = set()
    for part in PARTS:
        if part not in WORK_PARTS:
            html = render(pages, part)
            controls = [
                html.index(f"<span>{word}</span>") for word in ("Retour", "Aide", "Langue", "J&#39;ai fini", "Sortir vite")
            ]
            orders.add(tuple(sorted(range(5), key=controls.__getitem__)))
    assert orders == {(0, 1, 2, 3, 4)}


def test_what_is_not_defined_is_an_error_and_never_an_empty_place(pages: Pages) -> None:
    with pytest.raises(UndefinedError):
        pages.render("style.html", guide.frame(), part="papers")


def test_a_name_with_brackets_keeps_its_order_among_arabic(pages: Pages) -> None:
    html = render(pages, "share", "ar")
    assert "<bdi>Fatou (démo)</bdi>" in html


def test_plain_sentences_have_no_tags(pages: Pages) -> None:
    assert pages.sentence("fr", "error.not-there") == "Elle n'existe pas, ou n'est pas pour vous."
    assert "\n" not in pages.sentence("ar", "error.blurred")


def test_errors_have_a_page_in_each_area(pages: Pages) -> None:
    values = {**error_values(pages, 404, "error.not-there"), "home": "/fr/"}
    assert Markup("Elle n&#39;existe pas") in pages.render("error.html", guide.frame(), **values)
    wait = {"key": "error.wait", "n": 30, "values": {}}
    waiting = pages.render("error.html", guide.frame(), **{**error_values(pages, 429, "error.locked"), "wait": wait}, home="/fr/")
    assert "<bdi>30</bdi>" in waiting
    for area in ("desk", "office"):
        assert "Elle n&#39;existe pas" in pages.render(f"{area}/error.html", guide.work_frame("desk"), **values)


def test_the_last_day_of_the_calendar_is_shown_like_any_other() -> None:
    """In Paris it is a day later already, which no calendar has: no page ends by that."""
    last = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    assert as_date(last) == dt.date(9999, 12, 31)
    assert as_date(dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)) == dt.date(2026, 12, 1)
