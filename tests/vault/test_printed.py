"""Things on paper: a machine reads what it must, a person's name stands nowhere, Arabic is shaped, a demonstration says so."""

import io
from collections.abc import Iterator

import pikepdf
import pypdfium2 as pdfium
import pytest
from PIL import Image

from crypto.keys import SheetSecret
from crypto.printed import parse_sheet_digits, parse_sheet_text, sheet_digits, sheet_text
from crypto.statements import ErasureCertified
from tests.qr import qr_codes
from vault import account_numbers, cards, printed
from vault.assets.manifest import AssetsNotBuilt, read_assets
from vault.confinement import Confinement
from vault.printed import Printing

LANGUAGES = ("fr", "en", "ar")


@pytest.fixture(autouse=True)
def built() -> None:
    """Fonts and icons come from the build."""
    try:
        read_assets()
    except AssetsNotBuilt:
        pytest.skip("needs the built fonts and icons: run `make assets`")


def pictures(pdf: bytes, scale: float = 2.0) -> Iterator[Image.Image]:
    """Each page as an image."""
    document = pdfium.PdfDocument(pdf)
    try:
        for page in document:
            yield page.render(scale=scale).to_pil().convert("L")
    finally:
        document.close()


def words(pdf: bytes) -> str:
    """The text of the pages, as a machine finds it."""
    document = pdfium.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


NUMBER = "0f7a8c3e-1b2d-4c5e-8f90-0123456789ab"


def codes(pdf: bytes) -> list[str]:
    """Every QR code on the pages."""
    return [text for page in pictures(pdf) for text in qr_codes(page)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("demo", [False, True])
def test_cards_are_read_by_a_camera(language: str, demo: bool) -> None:
    """Twelve cards on two sheets; each code once; ID-1 size, ten a sheet."""
    made = cards.new_cards(12)
    pdf = printed.cards_sheet(made, Printing(language, demo))
    assert sorted(codes(pdf)) == sorted(card.text for card in made)
    assert len(list(pictures(pdf, 0.2))) == 2


def test_one_card_and_its_image(confinement: Confinement) -> None:
    """The picture of the demonstration holds the same code, and its ribbon in the pixels."""
    (card,) = cards.new_cards(1)
    assert codes(printed.one_card(card)) == [card.text]
    feet = []
    for demo in (True, False):
        image = Image.open(io.BytesIO(printed.card_image(confinement, card, Printing(demo=demo)))).convert("L")
        assert qr_codes(image) == [card.text]
        assert abs(image.width - 1011) < 3
        foot = image.crop((10, image.height - 60, 60, image.height - 12)).histogram()
        feet.append(sum(foot[:60]) > 0.95 * sum(foot))  # the black band
    assert feet == [True, False]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sheet_says_its_language_and_title(language: str) -> None:
    """A11Y-13, and nothing else in the metadata: no author, no place, no name of a program of ours that says more."""
    said = ErasureCertified(NUMBER, "2026-11-23", "2026-12-23", 9, 2, 5, 3, "3f7a8c3e-1b2d-4c5e-8f90-0123456789ab")
    printing = Printing(language)
    for pdf in (
        printed.cards_sheet(cards.new_cards(1), printing),
        printed.number_slip(account_numbers.draw(), ("a", "b", "c", "d", "e"), printing),
        printed.rescue_sheet(SheetSecret.random(), printing),
        printed.erasure_certificate(said, "0F7A-8C3E-1B2D", printing),
    ):
        with pikepdf.open(io.BytesIO(pdf)) as document:
            assert str(document.Root.Lang) == language
            assert str(document.docinfo.Title)
            assert set(document.docinfo.keys()) <= {"/Title", "/Producer", "/CreationDate"}
            assert all(
                abs(float(page.MediaBox[2]) - 595.28) < 0.1 and abs(float(page.MediaBox[3]) - 841.89) < 0.1
                for page in document.pages
            )
        for picture in pictures(pdf, 0.5):
            assert picture.getextrema() == (0, 255)  # black on white


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rescue_sheet_can_be_scanned_and_typed(language: str) -> None:
    """Its QR code and its forty digits are the same secret."""
    secret = SheetSecret.random()
    pdf = printed.rescue_sheet(secret, Printing(language))
    (code,) = codes(pdf)
    assert parse_sheet_text(code) == secret
    assert code == sheet_text(secret)
    digits = "".join(line for line in words(pdf).splitlines() if line.replace(" ", "").isdigit()).replace(" ", "")
    assert digits == sheet_digits(secret)
    assert parse_sheet_digits(digits) == secret


def test_the_slip_has_the_number_and_the_words_on_another_page() -> None:
    """Apart, because the words are torn once they are learnt."""
    number = account_numbers.draw()
    pdf = printed.number_slip(number, ("rivière", "cheval", "soleil", "pierre", "pomme"))
    first, second = (text for text in words(pdf).split("Vos 5 mots"))
    assert account_numbers.shown(number) in first
    assert "rivière" not in first
    assert [word for word in ("rivière", "cheval", "soleil", "pierre", "pomme") if word in second] == [
        "rivière", "cheval", "soleil", "pierre", "pomme",
    ]  # fmt: skip
    assert len(list(pictures(printed.number_slip(number), 0.2))) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_certificate_is_in_the_person_s_language_and_in_french(language: str) -> None:
    """ADM-07: number, days, counts; the name of nobody and the title of nothing."""
    said = ErasureCertified(NUMBER, "2026-11-23", "2026-12-23", 9, 2, 5, 3, "3f7a8c3e-1b2d-4c5e-8f90-0123456789ab")
    text = words(printed.erasure_certificate(said, "0F7A-8C3E-1B2D", Printing(language)))
    assert text.count("0F7A-8C3E-1B2D") == (1 if language == "fr" else 2)
    for part in (
        "23 novembre 2026",
        "23 décembre 2026",
        "Papiers effacés : 9",
        "Accords arrêtés : 2",
        "Personnes prévenues : 3",
    ):
        assert part in " ".join(text.replace("\u2068", "").replace("\u2069", "").split()), part


def test_the_ribbon_stands_on_each_page_of_a_demonstration_and_nowhere_else() -> None:
    """In pixels: a black band across the top."""
    for demo in (True, False):
        pdf = printed.number_slip(account_numbers.draw(), ("a", "b", "c", "d", "e"), Printing(demo=demo))
        for page in pictures(pdf, 1.0):
            corner = page.crop((0, 0, 100, 20))
            assert (corner.getextrema()[1] == 0) is demo


def test_arabic_is_shaped_and_runs_from_the_right() -> None:
    """Letters join: the same letters apart would be wider; and ink stands on the right half of the first line."""
    page = next(pictures(printed.rescue_sheet(SheetSecret.random(), Printing("ar")), 1.0))
    top = page.crop((0, 60, page.width, 110))
    left, right = (top.crop((start, 0, start + page.width // 2, 50)) for start in (0, page.width // 2))
    dark = [sum(half.histogram()[:128]) for half in (left, right)]
    assert dark[1] > 0
    assert dark[0] == 0
    sheet = printed.Page(Printing("ar"), "printed.sheet.title")
    sheet.set_font(printed.ARABIC, "", 20)
    assert sheet.get_string_width("بطاقة") < 0.9 * sum(sheet.get_string_width(letter) for letter in "بطاقة")
    sheet.done()
    with pikepdf.open(io.BytesIO(printed.rescue_sheet(SheetSecret.random(), Printing("ar")))) as document:
        fonts = {str(font.BaseFont) for font in document.pages[0].Resources.Font.values()}
    assert any("Arabic" in font for font in fonts), fonts
