"""Marks burnt into pages are written in our own face: French names and reasons keep their accents."""

from tests.vault.scenes import saved, sheet
from vault import rendering
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


def test_the_face_is_read_once() -> None:
    path = rendering.marks_font()
    assert path is not None
    assert rendering._font_bytes(path) is rendering._font_bytes(path)
