"""Marks burnt into pages are written in our own face: French names and reasons keep their accents."""

import datetime as dt
import uuid

import pytest

from consent.ids import GrantId, PaperId, PersonId
from consent.outside import OutsideBody
from consent.purposes import PurposeId
from tests.vault.scenes import saved, sheet
from vault import outside_opening, rendering
from vault.confinement import Confinement
from vault.rendering import Watermark


def test_two_letters_with_accents_are_two_drawings(confinement: Confinement) -> None:
    """A face without a letter draws the same empty box for each one that it lacks."""
    page = saved(sheet(300, 420), "PNG")
    drawn = {
        text: rendering.page_image(confinement, page, 1, dpi=72, watermark=Watermark((text * 6,), rendering.marks_font())).jpeg
        for text in "éÉ—ê"
    }
    assert len(set(drawn.values())) == 4


@pytest.mark.parametrize("pair", [("مدرسة ابنتي", "مكتبة المدي"), ("بنك 12 (CAF)", "بيت 12 (CAF)")])
def test_two_reasons_in_arabic_are_two_marks(confinement: Confinement, pair: tuple[str, str]) -> None:
    page = saved(sheet(300, 420), "PNG")
    assert [rendering.legible(words, "") for words in pair] == list(pair)
    first, second = (
        rendering.page_image(confinement, page, 1, dpi=72, watermark=Watermark((words,), rendering.marks_font())).jpeg
        for words in pair
    )
    assert first != second


@pytest.mark.parametrize("name", ["Ивану", "መምህር", "学校", "রহিম", "Awa ✊"])
def test_what_cannot_be_drawn_is_marked_by_the_number_of_the_share(name: str) -> None:
    """Boxes would be the same for everybody: then the mark of somebody outside would tell nobody."""
    shares = [GrantId(str(uuid.uuid4())) for _ in range(2)]
    bodies = [
        OutsideBody(
            share, PersonId(str(uuid.uuid4())), name, PurposeId("other"), name, (PaperId(str(uuid.uuid4())),),
            dt.datetime(2026, 11, 30, tzinfo=dt.UTC), 3, True, dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
        )
        for share in shares
    ]  # fmt: skip
    marks = [outside_opening._marks(body, body.until) for body in bodies]
    assert [mark.lines[0] for mark in marks if mark] == [f"Une personne extérieure {share[:8]}" for share in shares]
    assert {mark.lines[1] for mark in marks if mark} == {"autre chose"}


@pytest.mark.parametrize("nothing", ["\u200b\u200b", "\u200e", "\ufeff", "\u2060 \u2060", "...", "\u3164"])
def test_a_mark_without_a_letter_is_no_mark(nothing: str) -> None:
    """Two spaces of no width are in the face: a dossier went out for a recipient whom nobody could see."""
    assert rendering.legible(nothing, "") == ""
    assert rendering.legible("", "instead") == ""


def test_a_name_with_accents_apart_is_drawn_with_its_accents() -> None:
    assert rendering.legible("Re\u0301my", "") == "Rémy"


def test_the_face_is_read_once() -> None:
    path = rendering.marks_font()
    assert path is not None
    assert rendering._font_bytes(path) is rendering._font_bytes(path)
