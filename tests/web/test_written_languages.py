"""How each language writes: plurals, dates, commas, one form of address; French without a gender or a cut name."""

import re

import pytest
from babel.messages.plurals import get_plural

from vault.languages import (
    LANGUAGES,
    french_spaces,
    plural_rule,
    read_catalogues,
)
from vault.web.pages import TEMPLATES

CATALOGUES = read_catalogues(with_pseudo=True)
FRENCH_SENTENCES = CATALOGUES["fr"]
SPOKEN_TO_PEOPLE = ("kiosk", "errors", "printed", "events")
ELLE = {
    "error.not-there": "page", "error.not-a-parcel": "copie", "access.L10N-04": "phrase", "printed.sheet.text": "feuille",
    "printed.dossier.note": "image", "printed.proof.phone": "preuve", "printed.breach.text": "borne", "export.keep": "copie",
    "k23.who_card": "carte", "event.inquiry.exported": "enquête", "event.inquiry.not-concerned": "enquête",
}  # fmt: skip
SEPARATORS = re.compile(r"^\s*[,:;]\s*$")


def test_french_gives_nobody_a_gender_and_cuts_no_name() -> None:
    """Neither "elle" for somebody, nor a participle that a woman would read as a man's, nor "de" before a name that may be Inès."""
    bent = re.compile(
        r"\b[Vv]ous (?:seule?\b|étiez \w+|(?:vous )?êtes (?:\w+ )?\w+[éi]\b|a(?:vez été)? (?:choisi|reconnu|vu|inscrit|identifié)\b)"
        r"|\bà vous seul\b"
    )
    cut = re.compile(r"\b(?:de|que|si|le|la|jusque) \{(?:first|by_name|name|names|recipient|operator)\}")
    for entry in FRENCH_SENTENCES.entries.values():
        for form in entry.forms:
            assert not cut.search(form), (entry.key, form)
            if entry.area not in SPOKEN_TO_PEOPLE:
                continue
            assert not bent.search(form), (entry.key, form)
            assert entry.key in ELLE or not re.search(r"\b[Ee]lle\b", form), (entry.key, form)


@pytest.mark.parametrize(
    ("key", "n", "said"),
    [
        ("k10.count", 0, "ليس عندك أي ورقة."),
        ("k10.count", 1, "عندك ورقة 1."),
        ("k10.count", 2, "عندك ورقتان (2)."),
        ("k10.count", 3, "عندك \u20683\u2069 أوراق."),
        ("k10.count", 10, "عندك \u206810\u2069 أوراق."),
        ("k10.count", 11, "عندك \u206811\u2069 ورقة."),
        ("k10.count", 100, "عندك \u2068100\u2069 ورقة."),
        ("k10.count", 103, "عندك \u2068103\u2069 أوراق."),
        ("duration.days", 30, "\u206830\u2069 يوما"),
        ("duration.days", 100, "\u2068100\u2069 يوم"),
        ("duration.months", 12, "\u206812\u2069 شهرا"),
        ("duration.months", 36, "\u206836\u2069 شهرا"),
        ("duration.months", 101, "\u2068101\u2069 شهر"),
        ("next.banner", 11, "\u206811\u2069 سؤالا ينتظرك: من يمكنه أن يرى؟"),
        ("k10.arrived", 3, "وصلت \u20683\u2069 أوراق."),
        ("k15.months", 12, "\u206812\u2069 شهرا"),
    ],
)
def test_arabic_counts(key: str, n: int, said: str) -> None:
    assert CATALOGUES["ar"].plain(key, n) == said


def test_arabic_says_tu_to_one_person_with_its_own_comma() -> None:
    """One form of address in all of it: the singular; no comma of another script, and no blank before a colon."""
    polite = re.compile(
        r"\w{2,}كم\b|\b(?:اكتبوا|اسألوا|اختاروا|ابدؤوا|خذوا)\b|\b(?:قبلتم|أخذتم|جمعتم|أحضرتم|أردتم|اخترتم|قلتم|رأيتم)\b"
    )
    for entry in CATALOGUES["ar"].entries.values():
        for form in entry.forms:
            assert not polite.search(form), (entry.key, form)
            assert "," not in form, (entry.key, form)
            assert " :" not in form, (entry.key, form)


def test_pages_that_speak_arabic_leave_commas_and_colons_to_the_language() -> None:
    """No template of a kiosk, of a telephone or of paper writes them itself: `listed`, `comma()` and `colon()` do."""
    found = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        if {"desk", "office"} & set(path.parts) or path.name == "style.html":
            continue
        text = re.sub(r"\{#.*?#\}|<(style|script).*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        literals = [part for tag in re.findall(r"\{\{.*?\}\}", text) for part in re.findall(r"(?<!split\()'([^']*)'", tag)]
        words = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
        labels = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', words)
        shown = re.sub(r"<[^>]*>", "", words).splitlines()
        found += [f"{path.name}: {one}" for one in literals if SEPARATORS.match(one)]
        found += [f"{path.name}: {one}" for one in [*labels, *shown] if re.search(r"[,:;]", one)]
    assert found == []


def test_french_counts_zero_as_one() -> None:
    assert FRENCH_SENTENCES.plain("k10.count", 0) == "Vous avez \u20680\u2069 papier."
    assert FRENCH_SENTENCES.plain("k10.count", 2) == "Vous avez \u20682\u2069 papiers."
    assert FRENCH_SENTENCES.plain("k10.arrived", 1) == "\u20681\u2069 papier est arrivé."
    assert FRENCH_SENTENCES.plain("k10.arrived", 3) == "\u20683\u2069 papiers sont arrivés."


def test_a_question_mark_never_begins_a_line() -> None:
    assert french_spaces("Que voulez-vous faire ?") == "Que voulez-vous faire\u00a0?"
    assert all(" ?" not in form for entry in FRENCH_SENTENCES.entries.values() for form in entry.forms)


def test_dates_are_said_in_each_language_with_digits_that_everybody_reads() -> None:
    from datetime import UTC, date, datetime

    day = date(2026, 11, 23)
    assert FRENCH_SENTENCES.day(day) == "23 novembre 2026"
    assert CATALOGUES["en"].month(day) == "November 2026"
    assert CATALOGUES["ar"].day(day) == "23 نوفمبر 2026"
    assert FRENCH_SENTENCES.moment(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == "2 juillet 2026, 00:30"
    assert CATALOGUES["ar"].moment(datetime(2026, 11, 23, 9, 5, tzinfo=UTC)) == "23 نوفمبر 2026، 10:05"


def test_the_first_of_a_month_is_an_ordinal_in_french_alone() -> None:
    from datetime import UTC, date, datetime

    first = date(2026, 12, 1)
    assert FRENCH_SENTENCES.day(first) == "1er décembre 2026"
    assert FRENCH_SENTENCES.month(first) == "décembre 2026"
    assert FRENCH_SENTENCES.moment(datetime(2026, 11, 30, 23, 30, tzinfo=UTC)) == "1er décembre 2026, 00:30"
    assert (FRENCH_SENTENCES.day(date(2026, 12, 11)), CATALOGUES["en"].day(first)) == ("11 décembre 2026", "1 December 2026")


def test_plural_rules_have_as_many_forms_as_catalogues_write() -> None:
    for code in ("fr", "en", "ar"):
        rule = plural_rule(LANGUAGES[code])
        assert {rule(n) for n in range(301)} == set(range(get_plural(code).num_plurals))
