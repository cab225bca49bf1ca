"""Pages as images: rightly drawn, bounded, marked in the pixels, and never run."""

import io
import pathlib

import numpy as np
import pikepdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from tests.vault import scenes
from vault.confinement import Confinement
from vault.kinds import Kind, kind_of
from vault.refusals import NoSuchPage, Unreadable
from vault.rendering import Watermark, page_count, page_image, printable, thumbnail

LINES = ("Amina, ESI Nord", "pour : un logement", "23/11/2026 10:42")
Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def pixels(jpeg: bytes) -> Pixels:
    """In grey."""
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"))


def coloured(*colours: tuple[float, float, float], size: tuple[float, float] = (595, 842)) -> bytes:
    """A PDF with one plain page for each colour."""
    document = pikepdf.new()
    for red, green, blue in colours:
        page = document.add_blank_page(page_size=size)
        page.obj.Contents = document.make_stream(f"{red} {green} {blue} rg 0 0 {size[0]} {size[1]} re f".encode())
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_page_has_the_size_that_its_dots_say(confinement: Confinement) -> None:
    paper = coloured((1, 0, 0), (0, 0, 1))
    for dpi, width, height in ((150, 1240, 1755), (75, 620, 878)):
        page = page_image(confinement, paper, 2, dpi=dpi)
        assert (abs(page.width - width) <= 1, abs(page.height - height) <= 1) == (True, True)
        assert (page.page, page.pages) == (2, 2)
        image = Image.open(io.BytesIO(page.jpeg))
        assert image.size == (page.width, page.height)
        red, green, blue = image.getpixel((5, 5))
        assert (red < 10, green < 10, blue > 245) == (True, True, True)
    assert page_count(confinement, paper) == 2


def test_a_page_that_is_not_there(confinement: Confinement) -> None:
    for paper in (coloured((1, 1, 1)), scenes.saved(scenes.gradient(), "JPEG"), scenes.sample("multipage.tiff")):
        for page in (0, -1, 4):
            with pytest.raises(NoSuchPage):
                page_image(confinement, paper, page)


def test_pixels_are_bounded_whatever_the_page_says(confinement: Confinement) -> None:
    page = page_image(confinement, coloured((0, 1, 0), size=(14_400, 14_400)), 1, dpi=400)
    assert page.width * page.height <= 16_100_000
    for sides in ([0, 0, 1_000_000, 10], [0, 0, 100_000, 100_000]):
        with pikepdf.open(io.BytesIO(coloured((0, 1, 0)))) as document:
            document.pages[0].obj.MediaBox = pikepdf.Array(sides)
            out = io.BytesIO()
            document.save(out)
        with pytest.raises(Unreadable):
            page_image(confinement, out.getvalue(), 1)


def test_a_picture_is_a_page_and_stands_upright(confinement: Confinement) -> None:
    page = page_image(confinement, scenes.sample("Landscape_6.jpg"), 1)
    assert page.width > page.height
    assert page.pages == 1
    assert max(page.width, page.height) <= 1755
    page = page_image(confinement, scenes.sample("example.heic"), 1)
    assert (page.width, page.height) == (1280, 854)
    assert page_count(confinement, scenes.sample("multipage.tiff")) == 3


def test_what_was_filled_into_a_form_is_seen_and_its_scripts_are_not_run(confinement: Confinement) -> None:
    """The field of the sample is drawn; the script of its button, and one at opening, change nothing."""
    content = scenes.sample("js-buttons.pdf")
    drawn = pixels(page_image(confinement, content, 1).jpeg)
    with pikepdf.open(io.BytesIO(content)) as document:
        without = io.BytesIO()
        del document.Root["/AcroForm"]
        for page in document.pages:
            del page.obj["/Annots"]
        document.save(without)
    bare = pixels(page_image(confinement, without.getvalue(), 1).jpeg)
    assert (drawn < 128).sum() > (bare < 128).sum() + 500
    with pikepdf.open(io.BytesIO(content)) as document:
        script = "for (var i = 0; i < this.numFields; i++) this.getField(this.getNthFieldName(i)).display = display.hidden;"
        document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String(script))
        out = io.BytesIO()
        document.save(out)
    assert (pixels(page_image(confinement, out.getvalue(), 1).jpeg) == drawn).all()


def test_a_value_without_a_drawing_of_its_own_is_seen(confinement: Confinement) -> None:
    """Many programs leave the drawing of a field to the reader (NeedAppearances)."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(400, 200))
    font = document.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    text = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T=pikepdf.String("name"), F=4,
        V=pikepdf.String("MARMOTTE"), DA=pikepdf.String("/Helv 24 Tf 0 g"), Rect=[20, 100, 380, 140],
    )  # fmt: skip
    field = document.make_indirect(text)
    page.obj.Annots = pikepdf.Array([field])
    resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[field], NeedAppearances=True, DR=resources, DA=text.DA)
    out = io.BytesIO()
    document.save(out)
    assert (pixels(page_image(confinement, out.getvalue(), 1).jpeg) < 100).sum() > 300


def test_a_watermark_is_in_the_pixels_across_and_at_the_foot(confinement: Confinement) -> None:
    paper = coloured((1, 1, 1))
    plain = page_image(confinement, paper, 1)
    marked = page_image(confinement, paper, 1, watermark=Watermark(LINES))
    assert marked.width == plain.width
    assert marked.height > plain.height  # the foot hides nothing of the paper
    seen, foot = np.split(pixels(marked.jpeg), [plain.height])
    assert (foot < 90).sum() > 1000
    tiles = [tile for rows in np.array_split(seen, 4) for tile in np.array_split(rows, 3, axis=1)]
    for tile in tiles:
        assert (tile < 225).sum() > 100  # every part of the page carries it
        assert tile.min() > 100  # and stays readable under it
    other = page_image(confinement, paper, 1, watermark=Watermark(("Karim", *LINES[1:])))
    assert other.jpeg != marked.jpeg


def test_a_watermark_shows_on_a_dark_page_too(confinement: Confinement) -> None:
    paper = coloured((0, 0, 0))
    height = page_image(confinement, paper, 1).height
    seen = pixels(page_image(confinement, paper, 1, watermark=Watermark(LINES)).jpeg)[:height]
    for rows in np.array_split(seen, 4):
        assert (rows > 20).sum() > 500


def test_a_watermark_in_another_font_and_script(confinement: Confinement, tmp_path: pathlib.Path) -> None:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 1000), (1000, 1000), (1000, 0)):
        pen.lineTo(corner)
    pen.closePath()
    block = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "block"])
    builder.setupCharacterMap(dict.fromkeys(range(0x0621, 0x064B), "block"))
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "block": block})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "block": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": "Block", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    font = tmp_path / "block.ttf"
    builder.save(font)
    paper = coloured((1, 1, 1))
    plain = page_image(confinement, paper, 1)
    marked = page_image(confinement, paper, 1, watermark=Watermark(("مأوى",), font))
    foot = pixels(marked.jpeg)[plain.height :]
    assert (foot < 60).sum() > 1000


def test_a_font_that_is_none_is_no_crash(confinement: Confinement, tmp_path: pathlib.Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"not a font")
    with pytest.raises(Unreadable):
        page_image(confinement, coloured((1, 1, 1)), 1, watermark=Watermark(LINES, broken))


def test_a_very_long_line_is_made_to_fit(confinement: Confinement) -> None:
    paper = coloured((1, 1, 1))
    plain = page_image(confinement, paper, 1)
    marked = page_image(confinement, paper, 1, watermark=Watermark((LINES[0] * 9,)))
    foot = pixels(marked.jpeg)[plain.height :]
    assert (foot[:, -4:] > 240).all()  # nothing runs over the edge
    assert (foot < 128).sum() > 300


@pytest.mark.parametrize("name", ["pdfjs_wikipedia.pdf", "Portrait_3.jpg", "example.heic", "multipage.tiff", "issue7229.pdf"])
def test_thumbnails_are_small(confinement: Confinement, name: str) -> None:
    small = thumbnail(confinement, scenes.sample(name))
    assert kind_of(small) is Kind.JPEG
    assert len(small) <= 15_000
    assert max(Image.open(io.BytesIO(small)).size) <= 320


def test_even_noise_makes_a_small_thumbnail(confinement: Confinement) -> None:
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 255, (900, 900, 3), np.uint8))
    assert len(thumbnail(confinement, scenes.saved(noise, "PNG"))) <= 15_000


def test_a_printable_paper_is_images_on_a4(confinement: Confinement) -> None:
    made = printable(
        confinement,
        [coloured((1, 1, 1), (1, 1, 1)), scenes.sample("Landscape_6.jpg")],
        title="Papier de démonstration",
        language="fr",
        footer=("Reprenez vos feuilles.",),
        ribbon="DÉMONSTRATION",
        watermark=Watermark(LINES),
    )
    with pikepdf.open(io.BytesIO(made)) as document:
        assert str(document.docinfo["/Title"]) == "Papier de démonstration"
        assert str(document.Root["/Lang"]) == "fr"
        assert "/CreationDate" not in document.docinfo
        assert not document.attachments
        assert len(document.pages) == 3
        for page in document.pages:
            width, height = (round(float(side)) for side in page.mediabox[2:])
            assert {width, height} == {595, 842}
            assert len(page.get_images()) == 1
            assert "/Annots" not in page.obj
            image = pikepdf.PdfImage(next(iter(page.get_images().values()))).as_pil_image().convert("RGB")
            red, green, blue = image.getpixel((image.width - 3, 3))
            assert (red > 150, green < 80, blue < 90) == (True, True, True)  # the ribbon
            assert (np.asarray(image.convert("L"))[-image.height // 30 :] < 90).sum() > 200  # the foot
        assert float(document.pages[2].mediabox[2]) > float(document.pages[2].mediabox[3])  # a wide photo lies


def test_a_printable_paper_without_marks(confinement: Confinement) -> None:
    made = printable(confinement, [coloured((1, 1, 1))], title="", language="ar")
    with pikepdf.open(io.BytesIO(made)) as document:
        (image,) = (pikepdf.PdfImage(found).as_pil_image() for found in document.pages[0].get_images().values())
    assert np.asarray(image.convert("L")).min() > 250


def test_rendering_of_nonsense(confinement: Confinement) -> None:
    for paper in (b"", b"%PDF-1.7 nothing", b"GIF89a"):
        for render in (lambda p: page_image(confinement, p, 1), lambda p: thumbnail(confinement, p)):
            with pytest.raises(Unreadable):
                render(paper)
