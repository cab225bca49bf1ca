"""What is written once for all pages: style sheets turn with the language, nothing is fetched elsewhere, nothing is inline."""

import re
from pathlib import Path

import pytest

from vault.web.pages import TEMPLATES

STATIC = TEMPLATES.parent / "static"
SHEETS = sorted((STATIC / "css").glob("*.css"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
PAGES = sorted(TEMPLATES.rglob("*.html"))
PHYSICAL = re.compile(
    r"(?:^|[\s;{])("
    r"(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right|top|bottom)[\w-]*"
    r"|border-(?:top|bottom)-(?:left|right)-radius|left|right|top|bottom|float|clear|(?:min-|max-)?(?:width|height)"
    r")\s*:",
    re.MULTILINE,
)
SCRIPT_BUDGET = 20 * 1024


def without_media_queries(text: str) -> str:
    """Media queries have only physical names for the window; they turn nothing."""
    return re.sub(r"@media[^{]*\{", "{", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(TEMPLATES.parent).as_posix() for path in paths]


@pytest.mark.parametrize("path", SHEETS, ids=names(SHEETS))
def test_no_style_sheet_knows_left_from_right(path: Path) -> None:
    text = without_media_queries(path.read_text(encoding="utf-8"))
    assert PHYSICAL.findall(text) == []
    assert re.findall(r"text-align:\s*(?:left|right)", text) == []


@pytest.mark.parametrize("path", SHEETS, ids=names(SHEETS))
def test_no_style_sheet_asks_how_a_screen_is_held(path: Path) -> None:
    """WCAG 1.3.4, for which axe is not made to fetch every style sheet again on every page."""
    assert "orientation" not in path.read_text(encoding="utf-8")


def test_the_check_above_finds_what_it_looks_for() -> None:
    for wrong in ("a { margin-left: 1px; }", "a {\n  left: 0;\n}", "a { border-top-left-radius: 2px }", "a{width:1px}"):
        assert PHYSICAL.findall(without_media_queries(wrong)), wrong
    assert not PHYSICAL.findall("a { margin-inline-start: 1px; inline-size: 2px; min-inline-size: 0; border-width: 1px }")


@pytest.mark.parametrize("path", SHEETS, ids=names(SHEETS))
def test_no_style_sheet_fetches_anything_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "@import" not in text
    assert [url for url in re.findall(r"url\(([^)]*)\)", text) if not url.startswith("asset:")] == []
    assert "http" not in text


@pytest.mark.parametrize("path", SHEETS, ids=names(SHEETS))
def test_no_style_sheet_shouts_or_leans(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "uppercase" not in text
    assert "italic" not in text
    assert "justify;" not in text


@pytest.mark.parametrize("path", SCRIPTS, ids=names(SCRIPTS))
def test_no_script_keeps_anything_or_writes_html_or_calls_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in (
        "localStorage", "sessionStorage", "indexedDB", "serviceWorker", "caches.", "document.cookie", "eval(", "innerHTML",
        "insertAdjacentHTML", "document.write", "http://", "https://", "new Function", ".style.", "autoplay",
    ):  # fmt: skip
        assert word not in text, word
    assert text.startswith('"use strict";')


def test_all_scripts_together_are_small() -> None:
    assert sum(path.stat().st_size for path in SCRIPTS) <= SCRIPT_BUDGET


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_no_template_has_anything_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"\sstyle\s*=", text) == []
    assert re.findall(r"<style\b", text) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []
    assert re.findall(r"\son[a-z]+\s*=\s*[\"']", text) == []
    assert re.findall(r"javascript:", text) == []
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_no_template_says_a_word_of_its_own(path: Path) -> None:
    """Words come from the catalogues; what is left between tags is punctuation, values, or the name of the service."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"<title>Calendrier</title>", "", text) if path.name == "neutral.html" else text
    between = re.sub(r"data-audio(?:-fr)?=\"\s*\"", "", re.sub(r"<[^>]*>", "\n", text))
    said = {line.strip() for line in between.split("\n") if re.search(r"[A-Za-zÀ-ÿ]{2,}", line)}
    assert said <= {"Abri"}, said


def colour(sheet: str, name: str) -> tuple[float, float, float]:
    found = re.search(rf"--{name}:\s*#([0-9a-f]{{6}})", sheet)
    assert found is not None, name
    return parsed(found.group(1))


def parsed(digits: str) -> tuple[float, float, float]:
    red, green, blue = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    return red, green, blue


def luminance(of: tuple[float, float, float]) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in of)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "ground", 7), ("ink", "surface", 7), ("ink-soft", "ground", 7), ("ink-soft", "surface", 7), ("ink", "sand", 7),
        ("deep", "ground", 7), ("deep", "surface", 7), ("deep", "tint", 7), ("deeper", "tint", 7), ("deep", "sand", 7),
        ("surface", "deep", 7), ("surface", "deeper", 7), ("ember", "surface", 7), ("ember", "ember-tint", 7),
        ("ember", "ground", 7), ("surface", "ember", 7), ("amber", "amber-tint", 7), ("leaf", "leaf-tint", 7),
        ("deeper", "halo", 7), ("edge", "surface", 3), ("edge", "ground", 3),
    ],
)  # fmt: skip
def test_colours_can_be_read(text: str, ground: str, least: float) -> None:
    sheet = (STATIC / "css" / "ground.css").read_text(encoding="utf-8")
    assert contrast(colour(sheet, text), colour(sheet, ground)) >= least


def test_the_office_has_colours_of_its_own_that_can_be_read() -> None:
    sheet = (STATIC / "css" / "work.css").read_text(encoding="utf-8")
    assert contrast(colour(sheet, "deep"), parsed("ffffff")) >= 7
    assert contrast(colour(sheet, "deeper"), colour(sheet, "tint")) >= 7
