"""Things on paper: cards, the slip with the number, rescue sheets, the certificate of an erasure. Black on white, A4.

Nothing printed says whose it is, where it was printed, or that its bearer has no home. Arabic is shaped and runs from the right.
Sentences come from the catalogues (`printed.*`); fonts are those that the build makes for paper (`vault.assets.fonts.PRINTED`).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import segno
from fpdf import FPDF
from fpdf.drawing_primitives import Transform
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont
from fpdf.svg import SVGObject

from crypto.keys import SheetSecret
from crypto.printed import sheet_digits, sheet_text
from crypto.statements import ErasureCertified
from vault.account_numbers import shown as shown_number
from vault.assets.manifest import Assets, read_assets
from vault.cards import Card
from vault.confinement import Confinement
from vault.languages import Sentences, catalogues
from vault.rendering import page_image

WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 22.0  # millimetres, all of them
CARD_WIDTH, CARD_HEIGHT = 85.6, 54.0  # ISO/IEC 7810 ID-1
COLUMNS, ROWS = 2, 5
LATIN, ARABIC = "latin", "arabic"
_FACES = ((LATIN, "", "400"), (LATIN, "B", "700"), (ARABIC, "", "400"), (ARABIC, "B", "700"))


@dataclass(frozen=True)
class Printing:
    """How a sheet is made: its language, whether everything in this store is false, and what the build has made."""

    language: str = "fr"
    demo: bool = False
    assets: Assets | None = None
    ribbon: str = "demo.ribbon"


@lru_cache(maxsize=1)
def _built() -> Assets:
    return read_assets()


class Page(FPDF):
    """A4 pages in one language. Lines are written in the direction of that language; values in them keep their own."""

    def __init__(self, printing: Printing, title: str) -> None:
        super().__init__(format="A4", unit="mm")
        assets = printing.assets or _built()
        self.assets, self.demo, self.says_false = assets, printing.demo, printing.ribbon
        for family, style, weight in _FACES:
            self.add_font(family, style, assets.path(f"print/{family}-{weight}.ttf"))
        self.set_fallback_fonts([ARABIC, LATIN], exact_match=False)
        self.set_text_shaping(use_shaping_engine=True)
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN)
        self.set_producer("Abri")
        self.speak(catalogues()[printing.language])
        self.set_lang(printing.language)
        self.set_title(self.sentences.plain(title))

    def speak(self, sentences: Sentences) -> None:
        """Go on in this language."""
        self.sentences = sentences
        self.rtl = sentences.language.direction == "rtl"
        self.base_font = ARABIC if sentences.language.code == "ar" else LATIN
        self.set_text_shaping(use_shaping_engine=True, direction="rtl" if self.rtl else "ltr")

    def header(self) -> None:
        """The ribbon that says that everything is false, on each page of a demonstration."""
        if self.demo:
            self.ribbon(0, 0, self.w, 8, 12)
            self.set_y(MARGIN)

    def ribbon(self, x: float, y: float, width: float, height: float, size: float) -> None:
        """White on black, in French: who shows a demonstration reads it, in whatever language the sheet is."""
        self.set_fill_color(0)
        self.rect(x, y, width, height, style="F")
        self.set_text_color(255)
        self.set_font(LATIN, "B", size)
        self.set_xy(x, y)
        self.set_text_shaping(use_shaping_engine=True, direction="ltr")
        self.cell(width, height, catalogues()["fr"].plain(self.says_false), align="C")
        self.speak(self.sentences)
        self.set_text_color(0)

    def lines(self, key: str, size: float, *, bold: bool = False, n: int | None = None, **values: object) -> None:
        """One sentence of the catalogue, each of its lines on a line of paper."""
        for line in self.sentences.plain(key, n, **values).split("\n"):
            self.line_of(line, size, bold=bold)

    def line_of(self, text: str, size: float, *, bold: bool = False) -> None:
        """A text across the page, from the side where reading starts."""
        self.set_font(self.base_font, "B" if bold else "", size)
        self.multi_cell(0, size * 0.53, text, align="R" if self.rtl else "L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def gap(self, height: float) -> None:
        """Empty millimetres."""
        self.set_y(self.get_y() + height)

    def digits(self, text: str, size: float) -> None:
        """Digits or a number, large, always from left to right, in the middle of the page."""
        self.set_text_shaping(use_shaping_engine=True, direction="ltr")
        self.set_font(LATIN, "B", size)
        self.multi_cell(0, size * 0.55, text, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.speak(self.sentences)

    def qr(self, text: str, x: float, y: float, size: float) -> None:
        """A QR code as black squares, readable by a camera and by a scanner; `size` without its white border."""
        code = segno.make(text, error="q", micro=False)
        rows = list(code.matrix)
        step = size / len(rows)
        self.set_fill_color(0)
        for line, row in enumerate(rows):
            for start, length in _runs(row):
                self.rect(x + start * step, y + line * step, length * step, step, style="F")

    def icon(self, name: str, x: float, y: float, size: float) -> None:
        """A drawing of the icon set, in lines."""
        inside = self.assets.icon(name)
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="{size}" height="{size}" fill="none"'
            f' stroke="#000000" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">{inside}</svg>'
        )
        _, _, path = SVGObject(svg).transform_to_rect_viewport(scale=1, width=size, height=size)
        path.transform = (path.transform or Transform.identity()).translate(x, y)
        with self.drawing_context() as paper:
            paper.add_item(path)

    def done(self) -> bytes:
        """The file; the fonts, which stay open while they are needed, are closed."""
        try:
            return bytes(self.output())
        finally:
            for font in self.fonts.values():
                if isinstance(font, TTFFont):
                    font.ttfont.close()


def _runs(row: Sequence[int]) -> list[tuple[int, int]]:
    """Where black begins and how long it lasts: fewer and wider rectangles, without hairlines between them."""
    found: list[tuple[int, int]] = []
    for place, black in enumerate(row):
        if black and found and sum(found[-1]) == place:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif black:
            found.append((place, 1))
    return found


def cards_sheet(cards: Sequence[Card], printing: Printing | None = None) -> bytes:
    """Blank cards, ten on a sheet, with lines to cut along."""
    page = Page(printing or Printing(), "printed.card.title")
    page.set_auto_page_break(auto=False)
    left, top = (WIDTH - COLUMNS * CARD_WIDTH) / 2, (HEIGHT - ROWS * CARD_HEIGHT) / 2
    for place, card in enumerate(cards):
        column, row = place % COLUMNS, place // COLUMNS % ROWS
        if column == row == 0:
            page.add_page()
        _card(page, card, left + column * CARD_WIDTH, top + row * CARD_HEIGHT)
    return page.done()


def one_card(card: Card, printing: Printing | None = None) -> bytes:
    """One card alone, for a structure that prints them one at a time."""
    page = Page(printing or Printing(), "printed.card.title")
    page.add_page()
    _card(page, card, (WIDTH - CARD_WIDTH) / 2, 40)
    return page.done()


def card_image(confinement: Confinement, card: Card, printing: Printing | None = None) -> bytes:
    """A card as a JPEG of 300 dots an inch, to be shown to a camera or sent as a file. Drawn where every page is: confined."""
    chosen = printing or Printing()
    return next(card_images(confinement, [(card, chosen.language)], chosen))


def card_images(confinement: Confinement, cards: Sequence[tuple[Card, str]], printing: Printing) -> Iterator[bytes]:
    """Many of them, each in a language of its own: the fonts, which take longer than all the rest, are read once."""
    page = Page(printing, "printed.card.title")
    page.set_auto_page_break(auto=False)
    for card, language in cards:
        page.speak(catalogues()[language])
        page.demo = False  # the card carries its own ribbon, its page is the card itself
        page.add_page(format=(CARD_WIDTH, CARD_HEIGHT))
        page.demo = printing.demo
        _card(page, card, 0, 0)
    drawn = page.done()
    for number in range(1, len(cards) + 1):
        yield page_image(confinement, drawn, number, dpi=300, quality=92).jpeg


def _card(page: Page, card: Card, x: float, y: float) -> None:
    page.set_draw_color(160)
    page.set_line_width(0.2)
    page.rect(x, y, CARD_WIDTH, CARD_HEIGHT)
    page.set_draw_color(0)
    code, text = (x + CARD_WIDTH - 43, x + 6) if page.rtl else (x + 6, x + 47)
    page.qr(card.text, code, y + 8.5, 37)
    page.icon(card.drawing, text + (19 if page.rtl else 0), y + 3.5, 14)
    page.set_xy(text, y + 18)
    _card_line(page, text, "printed.card.title", 14, bold=True)
    _card_line(page, text, "printed.card.text", 8)
    _card_line(page, text, "printed.card.keep", 8, bold=True)
    _card_line(page, text, "printed.card.found", 8)
    if page.demo:
        page.ribbon(x, y + CARD_HEIGHT - 6, CARD_WIDTH, 6, 9)


def _card_line(page: Page, x: float, key: str, size: float, *, bold: bool = False) -> None:
    page.set_x(x)
    page.set_font(page.base_font, "B" if bold else "", size)
    align = "R" if page.rtl else "L"
    page.multi_cell(34, size * 0.44, page.sentences.plain(key), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def number_slip(number: str, words: Sequence[str] | None = None, printing: Printing | None = None) -> bytes:
    """The account number on a slip apart from the card; the five words on a second page, to be learnt and torn."""
    page = Page(printing or Printing(), "printed.number.title")
    page.add_page()
    page.lines("printed.number.title", 24, bold=True)
    page.gap(8)
    page.digits(shown_number(number), 30)
    page.gap(8)
    page.lines("printed.number.text", 16)
    if words:
        page.add_page()
        page.lines("printed.words.title", 24, bold=True)
        page.gap(8)
        for word in words:
            page.digits(word, 26)
            page.gap(2)
        page.gap(6)
        page.lines("printed.words.text", 16)
    return page.done()


def rescue_sheet(secret: SheetSecret, printing: Printing | None = None) -> bytes:
    """A *feuille de secours*: its QR code, and the same secret as 39 digits and a check digit that can be typed or read aloud."""
    page = Page(printing or Printing(), "printed.sheet.title")
    page.add_page()
    page.lines("printed.sheet.title", 26, bold=True)
    page.gap(4)
    page.lines("printed.sheet.text", 15)
    page.gap(6)
    page.qr(sheet_text(secret), (WIDTH - 70) / 2, page.get_y(), 70)
    page.gap(80)
    page.lines("printed.sheet.number", 15, bold=True)
    page.gap(2)
    digits = sheet_digits(secret)
    for start in range(0, len(digits), 10):
        page.digits(f"{digits[start : start + 5]}  {digits[start + 5 : start + 10]}", 24)
    page.gap(8)
    page.lines("printed.sheet.keep", 15, bold=True)
    return page.done()


@dataclass(frozen=True)
class Answers:
    """What recipients have answered so far: erased or no longer there; kept with a reason; nothing yet."""

    erased: int
    keeps: int
    waiting: int


def erasure_certificate(
    said: ErasureCertified, number: str, printing: Printing | None = None, answers: Answers | None = None
) -> bytes:  # fmt: skip
    """The certificate of an erasure, in the person's language, then in French: no name, no title of a paper (ADM-07)."""
    chosen = printing or Printing()
    page = Page(chosen, "printed.certificate.title")
    page.add_page()
    day, horizon = dt.date.fromisoformat(said.day), dt.date.fromisoformat(said.horizon)
    for code in dict.fromkeys((chosen.language, "fr")):
        page.speak(catalogues()[code])
        page.lines("printed.certificate.title", 24, bold=True)
        page.gap(4)
        page.lines("printed.certificate.text", 15, day=page.sentences.day(day), horizon=page.sentences.day(horizon))
        page.lines("printed.certificate.counts", 15, papers=said.papers, grants=said.grants)
        page.lines("printed.certificate.told", 15, receipts=said.receipts, recipients=said.recipients)
        if answers is not None and said.recipients:
            page.lines("printed.certificate.answers", 15, **vars(answers))
        page.gap(4)
        page.lines("printed.certificate.number", 15, bold=True)
        page.digits(number, 22)
        page.lines("printed.certificate.entry", 11)
        page.digits(said.entry, 11)
        page.gap(10)
    return page.done()


def recipient_letter(names: Sequence[str], printing: Printing | None = None, *, certificate: str = "") -> bytes:
    """Article 19 by post: what was received must go. A page for each name; for a share of the desk, found by its ids."""
    chosen = printing or Printing()
    page = Page(chosen, "printed.letter.title")
    for name in names:
        page.add_page()
        page.speak(catalogues()["fr"])
        page.lines("printed.letter.to", 15, name=name)
        page.gap(10)
        page.lines("printed.letter.title", 22, bold=True)
        page.gap(4)
        page.lines("printed.letter.text", 15)
        if certificate:
            page.gap(4)
            page.lines("printed.letter.certificate", 13)
            page.digits(certificate, 15)
        page.gap(8)
        page.lines("printed.letter.answer", 15)
    return page.done()


@dataclass(frozen=True)
class Answered:
    """What the office answers to a request by letter: refused when `until` is None, prolonged until that day otherwise."""

    number: str
    received: dt.date
    reason: str
    until: dt.date | None


def answer_letter(answered: Answered, printing: Printing | None = None) -> bytes:
    """For somebody who wrote and was never recognised, so reads no notice: why, and where to complain (GDPR 12(3), 12(4)).

    A page in each language: nobody knows which one they read. It has no name: the office writes the envelope.
    """
    title = "printed.answer.extended" if answered.until else "printed.answer.refused"
    page = Page(printing or Printing(), title)
    for language in catalogues().offered():
        page.speak(catalogues()[language.code])
        page.add_page()
        page.lines(title, 22, bold=True)
        page.gap(6)
        page.lines("printed.answer.asked", 15, day=page.sentences.day(answered.received))
        page.digits(answered.number, 15)
        page.gap(4)
        page.lines("printed.answer.reason", 15)
        page.speak(catalogues()["fr"])  # as the office wrote it
        page.line_of(answered.reason, 15)
        page.speak(catalogues()[language.code])
        if answered.until:
            page.gap(4)
            page.lines("printed.answer.until", 15, day=page.sentences.day(answered.until))
        page.gap(8)
        page.lines("ask.complain", 15)
    return page.done()


def breach_poster(printing: Printing | None = None) -> bytes:
    """For the walls, a page in each language: something happened; no name, no number of safes (GDPR 34(3)c, docs/breach.md)."""
    chosen = printing or Printing()
    page = Page(chosen, "printed.breach.title")
    for language in catalogues().offered():
        page.speak(catalogues()[language.code])
        page.add_page()
        page.lines("printed.breach.title", 34, bold=True)
        page.gap(10)
        page.lines("printed.breach.text", 24)
    return page.done()


def breach_for_desks(printing: Printing | None = None) -> bytes:
    """One page for the desks of those whom people count on: what to say by word of mouth, and what never."""
    page = Page(printing or Printing(), "printed.breach.desk_title")
    page.speak(catalogues()["fr"])
    page.add_page()
    page.lines("printed.breach.desk_title", 24, bold=True)
    page.gap(6)
    page.lines("printed.breach.desk_text", 15)
    page.gap(6)
    page.lines("printed.breach.desk_never", 15, bold=True)
    return page.done()


def closing_poster(closes: dt.date, until: dt.date, printing: Printing | None = None) -> bytes:
    """For the walls, a page in each language: when the service closes, and until when everything can be taken back (CPCE D541)."""
    chosen = printing or Printing()
    page = Page(chosen, "printed.closing.title")
    for language in catalogues().offered():
        page.speak(catalogues()[language.code])
        page.add_page()
        page.lines("printed.closing.title", 34, bold=True)
        page.gap(10)
        page.lines("printed.closing.text", 24, day=page.sentences.day(closes), until=page.sentences.day(until))
    return page.done()
