"""Real files that nobody of this project made: each shows its pages, marked, or says why not; nothing but pixels reaches who looks."""

import io

import numpy as np
import pikepdf
import pytest
from PIL import Image

from tests.vault import scenes
from vault import intake
from vault.confinement import Confinement
from vault.refusals import HasPassword, PaperRefused, UnknownKind, Unreadable
from vault.rendering import Watermark, marks_font, page_image, sheets

MARK = Watermark(("FD-2041", "pour : un logement", "23/11/2026 10:42"), marks_font())
SAMPLES: dict[str, int | type[PaperRefused]] = {
    "Landscape_6.jpg": 1, "Portrait_3.jpg": 1, "annotation-fileattachment.pdf": 1, "attachment.pdf": 1,
    "decompression_bomb.gif": UnknownKind, "encrypted-attachment.pdf": HasPassword, "evaljs.pdf": 1, "example.heic": 1,
    "hopper.png": 1, "hopper.webp": 1, "issue17730.pdf": 1, "issue7229.pdf": 1, "js-buttons.pdf": 1, "multipage.tiff": 3,
    "pdfjs_wikipedia.pdf": 1, "pdfjsbad1586.pdf": 1, "truncated_image.png": Unreadable,
}  # fmt: skip


def grey(jpeg: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("L")).astype(np.int16)


def test_no_sample_is_forgotten() -> None:
    if not scenes.SAMPLES.exists():
        pytest.skip("needs the shared samples beside the repository")
    assert {path.name for path in scenes.SAMPLES.iterdir() if path.suffix != ".md"} == set(SAMPLES)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_it_shows_its_marked_pages_or_says_why(confinement: Confinement, name: str) -> None:
    expected = SAMPLES[name]
    if not isinstance(expected, int):
        with pytest.raises(expected):
            intake.prepare(confinement, [scenes.sample(name)])
        return
    view = intake.prepare(confinement, [scenes.sample(name)]).view or scenes.sample(name)
    marked = sheets(confinement, view, dpi=100, quality=80, most_bytes=1 << 28, watermark=MARK)
    assert marked is not None
    assert len(marked) >= expected
    for number, one in enumerate(marked, 1):
        assert one.startswith(b"\xff\xd8\xff")
        bare, seen = grey(page_image(confinement, view, number, dpi=100).jpeg), grey(one)
        assert seen.shape[0] > bare.shape[0]
        apart = np.abs(seen[: bare.shape[0]] - bare) > 16
        parts = [part for band in np.array_split(apart, 2) for part in np.array_split(band, 2, axis=1)]
        # A small picture has room for one mark across; the foot is there whatever its size.
        assert sum(int(part.sum()) > 20 for part in parts) >= (4 if min(bare.shape) > 400 else 1), (name, number)
        assert (seen[bare.shape[0] :] < 90).any()


def test_a_hidden_layer_an_attachment_and_a_link_are_not_in_what_is_looked_at(confinement: Confinement) -> None:
    """What is switched off is not drawn, even for whoever would switch it on: there is no layer in a picture."""
    secret = b"SECRET-OF-A-HIDDEN-LAYER"
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(400, 400))
    layer = document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name=pikepdf.String("hidden")))
    page.obj.Resources = pikepdf.Dictionary(Properties=pikepdf.Dictionary(Hidden=layer))
    page.obj.Contents = document.make_stream(b"/OC /Hidden BDC 0 0 0 rg 50 50 300 300 re f EMC")
    off = pikepdf.Dictionary(OFF=pikepdf.Array([layer]), Order=pikepdf.Array([layer]))
    document.Root.OCProperties = pikepdf.Dictionary(OCGs=pikepdf.Array([layer]), D=off)
    document.attachments["note.txt"] = secret
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 400, 400], Border=[0, 0, 0],
        A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://example.invalid/" + secret.decode())),
    )  # fmt: skip
    page.obj.Annots = pikepdf.Array([document.make_indirect(link)])
    out = io.BytesIO()
    document.save(out)
    shown = page_image(confinement, out.getvalue(), 1, watermark=MARK)
    assert grey(page_image(confinement, out.getvalue(), 1).jpeg).min() > 240
    assert secret not in shown.jpeg
    assert b"example.invalid" not in shown.jpeg
    with Image.open(io.BytesIO(shown.jpeg)) as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
