"""Catalogues: every sentence in every language, easy French, nothing stale, nothing half translated."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from consent.purposes import PURPOSES, SHELVES
from consent.recipients import ROLES
from vault.events import WORDS
from vault.languages import (
    AREAS,
    EASY,
    EVERYWHERE,
    FRENCH,
    LANGUAGES,
    LOCALES,
    TWO_READERS,
    WORKER_LANGUAGES,
    NoSuchSentence,
    Sentence,
    Sentences,
    lengthen,
    mirror,
    placeholders,
    read_catalogues,
)
from vault.pictograms import DRAWERS, DRAWINGS, KINDS, PICTURES, REASONS
from vault.web.pages import TEMPLATES

CATALOGUES = read_catalogues(with_pseudo=True)
FRENCH_SENTENCES = CATALOGUES["fr"]
SPOKEN_TO_PEOPLE = ("kiosk", "errors", "printed", "events")
BANNED = {
    "coffre": "Abri",
    "pin": "code",
    "document": "papier",
    "documents": "papiers",
    "fichier": "papier",
    "fichiers": "papiers",
    "justificatif": "papier",
    "justificatifs": "papiers",
    "pièce": "papier",
    "pièces": "papiers",
    "procéder": "faire",
    "veuillez": "the imperative",
    "il/elle": "the first name again",
}
NUMBER_WORDS = {"deux", "trois", "quatre", "cinq", "sept", "huit", "neuf", "dix", "vingt", "trente", "cent"}


def files() -> Iterator[tuple[str, str, Path]]:
    for code, language in LANGUAGES.items():
        if language.for_tests:
            continue
        for area in AREAS:
            if area in EVERYWHERE or code in WORKER_LANGUAGES:
                yield code, area, LOCALES / code / f"{area}.po"


def catalogue(code: str, area: str) -> Catalog:
    with (LOCALES / code / f"{area}.po").open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def keys(found: Catalog) -> list[str]:
    return [message.id if isinstance(message.id, str) else message.id[0] for message in found if message.id]


def sentences_of(text: str) -> list[str]:
    return [one for one in re.split(r"[.?!\n]", text) if one.strip()]


def words_of(text: str) -> list[str]:
    return [word for word in re.split(r"[\s\u00a0]+", text) if re.search(r"\w", word)]


@pytest.mark.parametrize(("code", "area"), [(code, area) for code, area, _ in files()])
def test_each_file_has_every_key_of_the_french_one_in_the_same_order(code: str, area: str) -> None:
    assert keys(catalogue(code, area)) == keys(catalogue("fr", area))


@pytest.mark.parametrize(("code", "area"), [(code, area) for code, area, _ in files()])
def test_every_entry_is_translated_in_every_plural_form(code: str, area: str) -> None:
    wanted = get_plural(code).num_plurals
    empty = [
        message.id
        for message in catalogue(code, area)
        if message.id
        and (
            len(message.string) != wanted or not all(message.string)
            if isinstance(message.string, tuple)
            else message.pluralizable or not message.string
        )
    ]
    assert empty == []


@pytest.mark.parametrize(("code", "area"), [(code, area) for code, area, _ in files() if code != "fr"])
def test_every_translation_was_made_from_the_french_of_today(code: str, area: str) -> None:
    french = catalogue("fr", area)
    stale = []
    for message in catalogue(code, area):
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            source = french.get(key)
            assert source is not None
            said = source.string if isinstance(source.string, str) else source.string[-1]
            if list(message.auto_comments) != said.split("\n"):
                stale.append(key)
    assert stale == [], "use tools/sentences.py put: it writes the French above each translation"


@pytest.mark.parametrize(("code", "area"), [(code, area) for code, area, _ in files() if code != "fr"])
def test_flags_are_the_same_in_every_language(code: str, area: str) -> None:
    ours = {EASY, TWO_READERS}
    french = {message.id: message.flags & ours for message in catalogue("fr", area) if message.id}
    other = {message.id: message.flags & ours for message in catalogue(code, area) if message.id}
    assert other == french


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "fr"])
def test_values_of_a_sentence_are_the_same_in_every_language(code: str) -> None:
    wrong = []
    for key, entry in CATALOGUES[code].entries.items():
        wanted = placeholders(FRENCH_SENTENCES.entries[key].forms[-1])
        # A form for exactly one or two may say the number in its grammar.
        wrong += [(key, form) for form in entry.forms if placeholders(form) | {"n"} != wanted | {"n"}]
        if not any(placeholders(form) == wanted for form in entry.forms):
            wrong.append((key, "no form has all values"))
    assert wrong == []


@pytest.mark.parametrize("area", SPOKEN_TO_PEOPLE)
def test_easy_french_never_passes_fifteen_words_a_sentence(area: str) -> None:
    long = [
        (entry.key, len(words_of(sentence)), sentence)
        for entry in FRENCH_SENTENCES.entries.values()
        if entry.area == area and EASY in entry.flags
        for form in entry.forms
        for sentence in sentences_of(form)
        if len(words_of(sentence)) > 15
    ]
    assert long == []


def test_nearly_every_french_sentence_keeps_to_twelve_words() -> None:
    every = [
        sentence
        for entry in FRENCH_SENTENCES.entries.values()
        if EASY in entry.flags
        for form in entry.forms
        for sentence in sentences_of(form)
    ]
    assert sum(len(words_of(sentence)) > 12 for sentence in every) <= len(every) // 100


def test_every_entry_for_people_is_held_to_easy_french() -> None:
    loose = [e.key for e in FRENCH_SENTENCES.entries.values() if e.area in ("kiosk", "errors") and EASY not in e.flags]
    assert loose == []


def test_words_that_we_never_say() -> None:
    said = [
        (entry.key, word)
        for entry in FRENCH_SENTENCES.entries.values()
        if entry.area in SPOKEN_TO_PEOPLE
        for form in entry.forms
        for word in re.findall(r"[\w/]+", form.lower())
        if word in BANNED
    ]
    assert said == []


# One thing, one word (TXT-06), beyond single words: what would be a second name for something that has its own.
SECOND_NAMES = {
    "fr": {
        r"\bordinateurs?\b": "machine, which is what stands in front of the person; borne, when it is Abri's",
        r"\bpostes? d'Abri\b": "borne",
        r"\bpartages?\b": "montrer, accord",
        r"\ba un compte\b": "Abri",
    },
    "en": {
        r"\b(?:a|the|your|other|another|\d) safes?\b|^Safes?\b": "Abri",
        r"\b(?:a|the|this) file\b|^Files?\b|\bfiles that\b": "dossier",
    },
    "ar": {"حاسوب": "جهاز"},
}


@pytest.mark.parametrize("code", SECOND_NAMES)
def test_one_thing_has_one_word(code: str) -> None:
    said = [
        (entry.key, form, instead)
        for entry in CATALOGUES[code].entries.values()
        if entry.area in SPOKEN_TO_PEOPLE
        for form in entry.forms
        for second, instead in SECOND_NAMES[code].items()
        if re.search(second, form, re.MULTILINE | re.IGNORECASE)
    ]
    assert said == []


# Things, never people, that a French sentence may call "elle": with the word it stands for.


def test_the_regulated_name_is_in_no_catalogue_of_any_language() -> None:
    for _, _, path in files():
        assert "coffre" not in path.read_text(encoding="utf-8").lower(), path


def test_numbers_are_digits() -> None:
    said = [
        (entry.key, word)
        for entry in FRENCH_SENTENCES.entries.values()
        if EASY in entry.flags
        for form in entry.forms
        for word in words_of(form.lower())
        if word.strip(".,!?;:()") in NUMBER_WORDS
    ]
    assert said == []
    assert not [e.key for e in FRENCH_SENTENCES.entries.values() if "%" in "".join(e.forms)]


@pytest.mark.parametrize("code", ["fr", "en", "ar"])
def test_everything_that_has_a_name_in_the_code_has_a_sentence(code: str) -> None:
    wanted = [
        *(f"event.{tag}" for tag in WORDS),
        *(f"reason.{purpose.id}" for purpose in PURPOSES),
        *(f"drawer.{shelf.kind}" for shelf in SHELVES),
        *(f"kind.{kind}" for kind in KINDS),
        *(f"drawing.{name}" for name in DRAWINGS),
        *(f"picture.{name}" for name in PICTURES),
    ]
    if code in WORKER_LANGUAGES:
        wanted += [f"role.{role.id}" for role in ROLES]
    assert [key for key in wanted if not CATALOGUES[code].has(key)] == []


@pytest.mark.parametrize(
    ("code", "only_if"), [("fr", "ne garde une carte que si|gardez une carte que si"), ("en", "[Kk]eep a card only when")]
)
def test_what_workers_promise_allows_what_the_service_offers(code: str, only_if: str) -> None:
    """A card may be kept at the desk (ADR 0058), when its person said so: neither the charter nor the advice forbids it."""
    assert CATALOGUES[code].has("desk.kept.text")
    for key in ("charter.4", "desk.say.no_code"):
        said = CATALOGUES[code].plain(key)
        assert re.search(only_if, said), key
        assert not re.search("jamais une carte|never keep a card", said, re.IGNORECASE), key


def test_pictograms_stand_for_exactly_the_reasons_and_drawers_of_consent() -> None:
    assert set(REASONS) == {purpose.id for purpose in PURPOSES}
    assert set(DRAWERS) == {shelf.kind for shelf in SHELVES}
    assert FRENCH_SENTENCES.plain("reason.home") == next(purpose.words for purpose in PURPOSES if purpose.id == "home")
    assert len(PICTURES) == 16
    assert not Counter(PICTURES + DRAWINGS).most_common(1)[0][1] > 1


def test_every_key_that_a_template_names_exists() -> None:
    """Keys are quoted, have a dot, and no slash; those built from a prefix (`'reason.' ~ id`) are checked above."""
    missing = []
    for path in TEMPLATES.rglob("*.html"):
        for key in re.findall(r"'([a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+)+)'(?!\s*~)", path.read_text(encoding="utf-8")):
            if key.rpartition(".")[2] in {"html", "css", "js", "svg", "png"}:
                continue
            try:
                FRENCH_SENTENCES.find(key)
            except NoSuchSentence:
                missing.append(f"{path.name}: {key}")
    assert missing == []


def test_no_page_is_made_again_under_somebody_who_listens() -> None:
    """A page that waits looks again by its script, which minds voice and hand; the browser's refresh is for where none runs."""
    for path in TEMPLATES.rglob("*.html"):
        rest = re.sub(r"<noscript>.*?</noscript>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert 'http-equiv="refresh"' not in rest, path.name


def test_a_missing_sentence_falls_back_to_french_whole_and_an_unknown_one_is_an_error() -> None:
    arabic = CATALOGUES["ar"]
    fewer = {key: entry for key, entry in arabic.entries.items() if key != "k10.count"}
    poorer = Sentences(arabic.language, fewer, arabic.form_for, FRENCH_SENTENCES)
    assert poorer.plain("k10.count", 9) == "Vous avez \u20689\u2069 papiers."
    assert poorer.wording("k10.count", 9).language == FRENCH
    with pytest.raises(NoSuchSentence):
        poorer.plain("no.such.key")


def test_a_value_that_is_missing_is_an_error_and_never_a_brace_on_a_page() -> None:
    with pytest.raises(KeyError):
        FRENCH_SENTENCES.plain("k17.title")


def test_only_sentences_without_values_are_said_aloud_or_their_spoken_form() -> None:
    assert FRENCH_SENTENCES.spoken_key("k02.title") == "k02.title"
    assert FRENCH_SENTENCES.spoken_key("k15.title") == "k15.title.said"
    assert FRENCH_SENTENCES.spoken_key("k10.count") is None
    assert FRENCH_SENTENCES.spoken_key("desk.title") is None
    for sentences in CATALOGUES:
        for key in sentences.entries:
            if key.endswith(".said"):
                assert sentences.spoken_key(key.removesuffix(".said")) == key


def test_a_language_that_two_people_have_not_read_says_so() -> None:
    arabic = CATALOGUES["ar"]
    assert "k20.title" in arabic.unread()
    read = {
        key: Sentence(key, entry.area, entry.forms, entry.flags, ("A. B., 2026", "C. D., 2026"))
        for key, entry in arabic.entries.items()
    }
    assert Sentences(arabic.language, read, arabic.form_for, FRENCH_SENTENCES).unread() == ()
    assert FRENCH_SENTENCES.unread() == ()


def test_the_long_pseudo_language_leaves_no_plain_ascii_sentence() -> None:
    for key, entry in CATALOGUES["qps"].entries.items():
        for form, source in zip(entry.forms, FRENCH_SENTENCES.entries[key].forms, strict=True):
            assert not form.isascii(), key
            assert len(form) >= len(source) * 1.1, key
            assert placeholders(form) == placeholders(source), key


def test_the_mirrored_pseudo_language_reads_from_the_right() -> None:
    from unicodedata import bidirectional

    for key, entry in CATALOGUES["qpr"].entries.items():
        bare = re.sub(r"\{\w+\}", "", entry.forms[0])
        kinds = {bidirectional(letter) for letter in bare if letter.isalpha()}
        assert kinds <= {"AL", "R"}, (key, entry.forms[0])
    assert CATALOGUES["qpr"].language.direction == "rtl"
    assert mirror("{first} voit") != lengthen("{first} voit")
    assert "{first}" in mirror("{first} voit")
