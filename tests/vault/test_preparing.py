"""A paper is made ready: what is kept, what is looked at, what is refused and with which sentence."""

import dataclasses
import io
import struct
import time
import zlib

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageFilter

from tests.vault import scenes
from vault.confined import pdfs
from vault.confinement import Confinement
from vault.intake import Framing, prepare, read_qr
from vault.kinds import Finding, Kind, PaperLimits, kind_of
from vault.refusals import (
    HasPassword,
    OnlyPhotosJoin,
    PaperRefused,
    ParserTooSlow,
    TooHeavy,
    TooManyPages,
    TooManyPixels,
    UnknownKind,
    Unreadable,
)

# What becomes of every real file: its kind and pages and what is told, or the refusal.
SAMPLES: dict[str, tuple[Kind, int, set[Finding]] | type[PaperRefused]] = {
    "Landscape_6.jpg": (Kind.JPEG, 1, set()),
    "Portrait_3.jpg": (Kind.JPEG, 1, set()),
    "example.heic": (Kind.HEIC, 1, set()),
    "hopper.png": (Kind.PNG, 1, set()),
    "hopper.webp": (Kind.WEBP, 1, set()),
    "multipage.tiff": (Kind.TIFF, 3, set()),
    "annotation-fileattachment.pdf": (Kind.PDF, 1, {Finding.ATTACHMENT}),
    "attachment.pdf": (Kind.PDF, 1, {Finding.ATTACHMENT}),
    "evaljs.pdf": (Kind.PDF, 2, {Finding.SCRIPT}),
    "js-buttons.pdf": (Kind.PDF, 1, {Finding.SCRIPT}),
    "issue17730.pdf": (Kind.PDF, 2, set()),
    "issue7229.pdf": (Kind.PDF, 2, set()),  # damaged, and repaired alike by both readers
    "pdfjs_wikipedia.pdf": (Kind.PDF, 1, set()),
    "pdfjsbad1586.pdf": (Kind.PDF, 1, set()),
    "encrypted-attachment.pdf": HasPassword,
    "truncated_image.png": Unreadable,
    "decompression_bomb.gif": UnknownKind,
    "README.md": UnknownKind,
}


def picture(content: bytes) -> Image.Image:
    """Of our own view, so opened here."""
    return Image.open(io.BytesIO(content))


def pdf(pages: int = 1, **save: object) -> bytes:
    """An empty PDF with that many pages."""
    out = io.BytesIO()
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(595, 842))
    document.save(out, **save)
    return out.getvalue()


def test_every_sample_is_known() -> None:
    scenes.sample("README.md")
    assert {path.name for path in scenes.SAMPLES.iterdir()} == SAMPLES.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_real_file(confinement: Confinement, name: str) -> None:
    content, expected = scenes.sample(name), SAMPLES[name]
    if isinstance(expected, type):
        with pytest.raises(expected) as refused:
            prepare(confinement, [content])
        assert type(refused.value) is expected
        return
    prepared = prepare(confinement, [content])
    assert (prepared.kind, prepared.pages, prepared.findings) == expected
    assert prepared.received_kind is prepared.kind is kind_of(prepared.received)
    assert picture(prepared.thumbnail).format == "JPEG"
    assert len(prepared.thumbnail) <= 15_000
    if prepared.kind is Kind.PDF:
        assert prepared.received == prepared.view == content
        assert prepared.blurred == ()
    else:
        assert len(prepared.blurred) == len(prepared.framings) == prepared.pages
        assert prepared.view_kind is (Kind.JPEG if prepared.pages == 1 else Kind.PDF)


def test_the_view_is_upright_and_says_nothing(confinement: Confinement) -> None:
    for name, size in (("Landscape_6.jpg", (1800, 1200)), ("Portrait_3.jpg", (1200, 1800))):
        prepared = prepare(confinement, [scenes.sample(name)])
        view = picture(prepared.view)
        assert view.size == size
        assert not view.getexif()
        assert "exif" not in view.info
        expected = picture(scenes.sample(name)).transpose(
            {"Landscape_6.jpg": Image.Transpose.ROTATE_270, "Portrait_3.jpg": Image.Transpose.ROTATE_180}[name]
        )
        difference = np.abs(np.asarray(view).astype(int) - np.asarray(expected).astype(int))
        assert difference.mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_turn_of_a_telephone_is_undone(confinement: Confinement, orientation: int) -> None:
    """The picture as coded differs, the picture as seen is the same."""
    seen = scenes.gradient()
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    coded = seen.transpose(undo) if undo is not None else seen
    prepared = prepare(confinement, [scenes.telling(coded, "JPEG", orientation)], framings=[Framing(straighten=False)])
    difference = np.abs(np.asarray(picture(prepared.view)).astype(int) - np.asarray(seen).astype(int))
    assert difference.mean() < 6
    assert scenes.SECRET not in prepared.received + prepared.view + prepared.thumbnail


def test_a_sheet_on_a_table_is_cut_out_and_straightened(confinement: Confinement) -> None:
    corners = [(262, 237), (1256, 187), (1331, 1743), (187, 1781)]
    photo = scenes.saved(scenes.on_a_table(corners), "JPEG", quality=88)
    prepared = prepare(confinement, [photo])
    (framing,) = prepared.framings
    assert framing.corners is not None
    for found, (x, y) in zip(framing.corners, corners, strict=True):
        assert abs(found[0] - x / 1500) < 0.015
        assert abs(found[1] - y / 2000) < 0.015
    view = picture(prepared.view).convert("L")
    border = np.concatenate([np.asarray(view)[12, :], np.asarray(view)[-12, :]])
    assert np.median(border) > 200  # paper up to the edge, no table left
    assert picture(prepared.received).size == (1500, 2000)  # what is kept is the whole photo
    assert picture(prepare(confinement, [photo], framings=[Framing(straighten=False)]).view).size == (1500, 2000)


def test_a_photo_without_a_clear_sheet_is_left_alone(confinement: Confinement) -> None:
    for content in (scenes.sample("Landscape_6.jpg"), scenes.sample("Portrait_3.jpg"), scenes.saved(scenes.sheet(), "PNG")):
        (framing,) = prepare(confinement, [content]).framings
        assert framing.corners is None


def test_nudges_and_turns_are_followed(confinement: Confinement) -> None:
    photo = scenes.saved(scenes.gradient(960, 640), "PNG")
    framing = Framing(straighten=False).nudged("left", 0.25).nudged("bottom", 0.5)
    prepared = prepare(confinement, [photo], framings=[framing])
    assert picture(prepared.view).size == (720, 320)
    assert prepared.framings == (framing,)
    turned = prepare(confinement, [photo], framings=[framing.turned()])
    assert picture(turned.view).size == (320, 720)
    once = np.asarray(picture(prepared.view).transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert np.abs(once - np.asarray(picture(turned.view)).astype(int)).mean() < 3


def test_four_turns_are_none() -> None:
    framing = Framing(corners=((0.1, 0.2), (0.9, 0.1), (0.8, 0.9), (0.2, 0.7)))
    again = framing.turned().turned().turned().turned()
    assert again.quarter_turns == 0
    assert again.corners is not None
    assert framing.corners is not None
    assert np.allclose(again.corners, framing.corners)


def test_nudging_never_leaves_nothing() -> None:
    framing = Framing()
    for _ in range(200):
        framing = framing.nudged("left").nudged("top")
    assert framing.corners is not None
    assert framing.corners[1][0] - framing.corners[0][0] > 0.04
    assert Framing().nudged("left", -0.5) == Framing(corners=((0, 0), (1, 0), (1, 1), (0, 1)))


def test_a_blurred_photo_is_told_and_kept(confinement: Confinement) -> None:
    sharp = scenes.sheet()
    told = {}
    for radius in (0, 1, 4, 8):
        photo = scenes.saved(sharp.filter(ImageFilter.GaussianBlur(radius)), "JPEG", quality=90)
        told[radius] = prepare(confinement, [photo]).blurred
    assert told == {0: (False,), 1: (False,), 4: (True,), 8: (True,)}


def test_grain_in_bad_light_does_not_hide_blur(confinement: Confinement) -> None:
    blurred = np.asarray(scenes.sheet().filter(ImageFilter.GaussianBlur(7))).astype(np.float32)
    grain = np.random.default_rng(3).normal(0, 6, blurred.shape)
    photo = scenes.saved(Image.fromarray((blurred * 0.5 + grain).clip(0, 255).astype(np.uint8)), "JPEG", quality=90)
    assert prepare(confinement, [photo]).blurred == (True,)


def test_several_photos_become_one_paper_in_order(confinement: Confinement) -> None:
    sheets = [Image.new("RGB", (300 + 10 * number, 400), (40 * number, 90, 200)) for number in range(1, 4)]
    photos = [scenes.telling(sheet, "JPEG", 1) for sheet in sheets]
    prepared = prepare(confinement, photos)
    assert (prepared.kind, prepared.received_kind, prepared.view_kind) == (Kind.PDF, Kind.PDF, Kind.PDF)
    assert prepared.pages == 3
    assert len(prepared.blurred) == len(prepared.framings) == 3
    assert scenes.SECRET not in prepared.received + prepared.view
    for made in (prepared.received, prepared.view):
        with pikepdf.open(io.BytesIO(made)) as document:
            pages = [pikepdf.PdfImage(next(iter(page.get_images().values()))).as_pil_image() for page in document.pages]
        assert [page.width for page in pages] == [310, 320, 330]
        assert [round(page.convert("RGB").getpixel((5, 5))[0], -1) for page in pages] == [40, 80, 120]
    with pikepdf.open(io.BytesIO(prepared.received)) as document:
        (image,) = document.pages[1].get_images().values()
        scan = photos[1][photos[1].index(b"\xff\xda") : photos[1].rindex(b"\xff\xd9")]
        assert scan in image.read_raw_bytes()  # the very coding of the telephone


def test_what_a_pdf_cannot_hold_is_attached_to_it(confinement: Confinement) -> None:
    heic, png = scenes.sample("example.heic"), scenes.saved(scenes.gradient(), "PNG")
    mirrored = scenes.telling(scenes.gradient(), "JPEG", 5)
    prepared = prepare(confinement, [heic, png, mirrored])
    assert prepared.pages == 3
    assert scenes.SECRET not in prepared.received
    with pikepdf.open(io.BytesIO(prepared.received)) as document:
        assert len(document.pages) == 3
        assert sorted(document.attachments) == ["01.heic", "03.jpg"]
        assert len(document.attachments["01.heic"].get_file().read_bytes()) == len(heic)
        kept = document.attachments["03.jpg"].get_file().read_bytes()
    assert (np.asarray(picture(kept)) == np.asarray(picture(mirrored))).all()
    assert b"20" + b"26" not in prepared.view[-400:]  # no date of making


def test_the_same_photos_make_the_same_paper(confinement: Confinement) -> None:
    photos = [scenes.saved(scenes.gradient(), "JPEG"), scenes.saved(scenes.gradient(), "WEBP")]
    prepared, second = prepare(confinement, photos), int(time.time())
    while int(time.time()) == second:  # a paper says nothing of when it was made
        time.sleep(0.02)
    assert prepare(confinement, photos) == prepared


def test_a_pdf_joins_nothing(confinement: Confinement) -> None:
    with pytest.raises(OnlyPhotosJoin):
        prepare(confinement, [pdf(), scenes.saved(scenes.gradient(), "JPEG")])


def test_pixels_are_counted_before_they_are_decoded(confinement: Confinement) -> None:
    """Each file is tiny and announces more than 50 megapixels, in a header that costs nothing to read."""
    wide = scenes.png_header(100_000, 100_000)
    jpeg = bytearray(scenes.saved(Image.new("L", (8, 8)), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    struct.pack_into(">HH", jpeg, frame + 5, 60_000, 60_000)
    tiff = bytearray(scenes.saved(Image.new("L", (8, 8)), "TIFF", compression="raw"))
    (directory,) = struct.unpack_from("<I", tiff, 4)
    for entry in range(directory + 2, len(tiff) - 11, 12):
        if struct.unpack_from("<H", tiff, entry)[0] in (256, 257):
            struct.pack_into("<HIHH", tiff, entry + 2, 3, 1, 60_000, 0)
    webp = bytearray(scenes.saved(Image.new("RGBA", (8, 8), (1, 2, 3, 4)), "WEBP", exif=scenes.telling_exif()))
    size = webp.index(b"VP8X") + 12
    webp[size : size + 6] = (16_000).to_bytes(3, "little") * 2
    for bomb in (wide, bytes(jpeg), bytes(tiff), bytes(webp)):
        with pytest.raises((TooManyPixels, Unreadable)) as refused:
            prepare(confinement, [bomb])
        assert bomb is bytes(webp) or isinstance(refused.value, TooManyPixels) or kind_of(bomb) is Kind.WEBP


def test_a_heic_is_measured_too(confinement: Confinement) -> None:
    with pytest.raises(TooManyPixels):
        prepare(confinement, [scenes.sample("example.heic")], limits=PaperLimits(pixels=1_000_000))


def test_the_limits_are_exact(confinement: Confinement) -> None:
    exact = scenes.saved(Image.new("L", (100, 100)), "PNG")
    assert prepare(confinement, [exact], limits=PaperLimits(pixels=10_000, file_bytes=len(exact))).pages == 1
    with pytest.raises(TooManyPixels):
        prepare(confinement, [exact], limits=PaperLimits(pixels=9_999))
    with pytest.raises(TooHeavy):
        prepare(confinement, [exact], limits=PaperLimits(file_bytes=len(exact) - 1))
    with pytest.raises(TooHeavy):
        prepare(confinement, [exact] * 3, limits=PaperLimits(paper_bytes=3 * len(exact) - 1))
    assert prepare(confinement, [pdf(20)]).pages == 20
    for many in ([pdf(21)], [exact] * 21, [exact] * 18 + [scenes.sample("multipage.tiff")]):
        with pytest.raises(TooManyPages):
            prepare(confinement, many)
    with pytest.raises(Unreadable):
        prepare(confinement, [])


def test_dangers_of_a_pdf_are_told_and_left_in_place(confinement: Confinement) -> None:
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(200, 200))
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe"))
    page.obj.Annots = pikepdf.Array([
        pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=action),
    ])  # fmt: skip
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=document.make_stream(b"<xdp/>"))
    document.attachments["a.exe"] = b"MZ"
    for options, more in (({}, set()), ({"encryption": pikepdf.Encryption(owner="owner", user="")}, {Finding.ENCRYPTED})):
        out = io.BytesIO()
        document.save(out, **options)
        prepared = prepare(confinement, [out.getvalue()])
        assert prepared.findings == {Finding.SCRIPT, Finding.ATTACHMENT, Finding.LAUNCH, Finding.XFA} | more
        assert prepared.received == out.getvalue()


def test_a_locked_pdf_has_its_own_sentence(confinement: Confinement) -> None:
    locked = pdf(encryption=pikepdf.Encryption(owner="owner", user="marmotte"))
    with pytest.raises(HasPassword) as refused:
        prepare(confinement, [locked])
    assert refused.value.sentence.startswith("Ce papier a un mot de passe.")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7\n",
        b"%PDF-1.7\n" + b"\0" * 5000,
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0" + b"\xff" * 5000,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"II*\0\x08\0\0\0\xff\xff",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64,
        b"<html><script>%PDF-1.7</script>",
        b"PK\x03\x04" + b"\0" * 64,
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
    ],
)
def test_nonsense_has_the_sentence_of_nonsense(confinement: Confinement, content: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        prepare(confinement, [content])
    assert refused.value.sentence == "Nous ne savons pas lire ce papier. Rien n'a changé."


def test_a_name_is_never_asked(confinement: Confinement) -> None:
    assert {field.name for field in dataclasses.fields(Framing)} == {"quarter_turns", "corners", "straighten"}
    assert kind_of(scenes.saved(scenes.gradient(), "PNG")) is Kind.PNG


def pdf_with_picture(width: int, height: int, squeezed: bytes) -> bytes:
    """One page, one picture of one bit a pixel."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(600, 600))
    image = pikepdf.Stream(document, squeezed)
    image.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=width, Height=height, BitsPerComponent=1,
        ColorSpace=pikepdf.Name.DeviceGray, Filter=pikepdf.Name.FlateDecode,
    )  # fmt: skip
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=document.make_indirect(image)))
    page.obj.Contents = document.make_stream(b"q 600 0 0 600 0 0 cm /Im0 Do Q")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_pdf_whose_picture_unfolds_to_billions_of_pixels_is_refused_before_it_is_drawn(confinement: Confinement) -> None:
    """A few hundred KB: drawn, it would hold a child for ten seconds at the deposit, and for as long at each look."""
    with pytest.raises(TooManyPixels):
        prepare(confinement, [pdf_with_picture(60_000, 60_000, zlib.compress(bytes(7_500)))])
    plan = pdf_with_picture(9_900, 14_000, zlib.compress(bytes(1238 * 14_000)))
    assert prepare(confinement, [plan]).pages == 1, "a plan of a square metre, scanned"


def test_a_pdf_whose_first_page_takes_long_to_draw_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pdfs.first_looked_at(pdf(), dpi=100, most_pixels=10**7).width > 100
    monkeypatch.setattr(pdfs, "_FIRST_LOOK_SECONDS", -1)
    with pytest.raises(ParserTooSlow):
        pdfs.first_looked_at(pdf(), dpi=100, most_pixels=10**7)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_card_is_read_from_a_photo(confinement: Confinement, form: str) -> None:
    card = Image.new("RGB", (900, 600), (90, 120, 150))
    card.paste(scenes.qr("ABRI:7Q2M-5KXP-0001"), (300, 150))
    tilted = card.rotate(17, expand=True, fillcolor=(60, 60, 60))
    assert read_qr(confinement, scenes.saved(tilted, form)) == ["ABRI:7Q2M-5KXP-0001"]


def test_a_photo_without_a_card(confinement: Confinement) -> None:
    assert read_qr(confinement, scenes.sample("Landscape_6.jpg")) == []
    assert read_qr(confinement, scenes.sample("example.heic")) == []
    for content in (pdf(), scenes.sample("truncated_image.png"), b"", b"GIF89a"):
        with pytest.raises(Unreadable):
            read_qr(confinement, content)
    with pytest.raises(TooHeavy):
        read_qr(confinement, b"\xff\xd8\xff" + bytes(100), limits=PaperLimits(file_bytes=100))
    for edge in (5_001, 8_000):
        with pytest.raises(TooManyPixels):
            read_qr(confinement, scenes.png_header(edge, edge))


def test_a_card_is_read_from_the_largest_photo(confinement: Confinement) -> None:
    """49 million pixels, as good telephones take them; of a PNG that would be too many, and who sends it may be anybody."""
    card = Image.new("L", (7_000, 7_000), 90)
    card.paste(scenes.qr("ABRI:7Q2M-5KXP-0001", scale=40).convert("L"), (2_500, 2_500))
    assert read_qr(confinement, scenes.saved(card, "JPEG", quality=60)) == ["ABRI:7Q2M-5KXP-0001"]
