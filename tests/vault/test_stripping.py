"""Metadata leaves, pixels stay. In this process: the pictures are our own, and the functions are bytes in, bytes out."""

import io
import struct

import numpy as np
import pi_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.vault import scenes
from vault.confined import photos
from vault.confined.stripping import CannotStrip, strip_jpeg, strip_png, strip_webp
from vault.confined.stripping_heic import strip_heic
from vault.confined.stripping_tiff import strip_tiff
from vault.kinds import Kind, PaperLimits

LIMITS = PaperLimits()
KINDS = {"JPEG": Kind.JPEG, "PNG": Kind.PNG, "WEBP": Kind.WEBP, "TIFF": Kind.TIFF}
ORIENTATION_ONLY = {scenes.ORIENTATION}


def pixels(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """As coded, not turned."""
    return np.asarray(Image.open(io.BytesIO(content)))


def upright(content: bytes, kind: Kind) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """As a person sees it."""
    return np.asarray(photos.upright(photos.opened(content, kind, LIMITS)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", KINDS)
def test_nothing_is_left_but_the_picture_and_its_turn(form: str, orientation: int) -> None:
    told = scenes.telling(scenes.gradient(), form, orientation)
    assert scenes.SECRET in told
    kept, kind, _ = photos.stripped(told, KINDS[form], LIMITS)
    assert kind is KINDS[form]
    assert scenes.SECRET not in kept
    assert scenes.SECRET[:12] not in kept
    assert len(kept) < len(told)
    assert (pixels(kept) == pixels(told)).all()
    assert (upright(kept, kind) == upright(told, kind)).all()
    again = Image.open(io.BytesIO(kept))
    assert again.info.get("icc_profile") == Image.open(io.BytesIO(told)).info["icc_profile"]
    if form != "TIFF":
        assert set(again.getexif()) == (ORIENTATION_ONLY if orientation != 1 else set())
    assert again.getexif().get(scenes.ORIENTATION, 1) == orientation


@pytest.mark.parametrize("form", KINDS)
def test_stripping_twice_changes_nothing(form: str) -> None:
    once, kind, _ = photos.stripped(scenes.telling(scenes.gradient(), form, 6), KINDS[form], LIMITS)
    assert photos.stripped(once, kind, LIMITS)[:2] == (once, kind)


@pytest.mark.parametrize(
    "options",
    [{"progressive": True}, {"subsampling": "4:2:0", "quality": 60}, {"restart_marker_blocks": 2}, {"optimize": True}],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_coding_of_jpeg_is_kept_as_it_is(mode: str, options: dict[str, object]) -> None:
    told = scenes.saved(scenes.gradient().convert(mode), "JPEG", exif=scenes.telling_exif(), **options)
    kept = strip_jpeg(told)
    assert (pixels(kept) == pixels(told)).all()
    assert scenes.SECRET not in kept
    scan = told[told.index(b"\xff\xda") :]
    assert kept.endswith(scan)  # not one coded byte has moved


@pytest.mark.parametrize("name", ["Landscape_6.jpg", "Portrait_3.jpg"])
def test_real_photos_keep_every_pixel(name: str) -> None:
    told = scenes.sample(name)
    kept, kind, _ = photos.stripped(told, Kind.JPEG, LIMITS)
    assert (upright(kept, kind) == upright(told, kind)).all()
    assert set(Image.open(io.BytesIO(kept)).getexif()) == ORIENTATION_ONLY


@pytest.mark.parametrize("exif", [scenes.telling_exif(6), scenes.SECRET[:10]])
def test_a_heic_keeps_every_pixel_and_loses_its_exif(exif: bytes) -> None:
    told = scenes.heic_of_a_telephone(scenes.sample("example.heic"), exif)
    before = pi_heif.open_heif(io.BytesIO(told))
    assert exif[-10:] in told
    kept = strip_heic(told)
    assert len(kept) == len(told)
    assert exif[-10:] not in kept
    assert scenes.SECRET[:10] not in kept
    assert photos.orientation_of(Image.open(io.BytesIO(kept))) == 1
    assert (np.asarray(pi_heif.open_heif(io.BytesIO(kept))) == np.asarray(before)).all()
    assert strip_heic(kept) == kept


def test_the_exif_of_the_made_heic_is_really_read() -> None:
    told = scenes.heic_of_a_telephone(scenes.sample("example.heic"), scenes.telling_exif(6))
    assert Image.open(io.BytesIO(told)).getexif()[scenes.DESCRIPTION] == scenes.SECRET.decode()


def test_whatever_else_lies_in_a_heic_is_blanked() -> None:
    told = scenes.sample("example.heic")
    clip = struct.pack(">I4s", 8 + len(scenes.SECRET), b"mpvd") + scenes.SECRET
    kept = strip_heic(told + clip)
    assert scenes.SECRET not in kept
    assert (np.asarray(pi_heif.open_heif(io.BytesIO(kept))) == np.asarray(pi_heif.open_heif(io.BytesIO(told)))).all()


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("1", {"compression": "group4"}),
        ("L", {"compression": "raw"}),
        ("P", {"compression": "packbits"}),
        ("RGB", {"compression": "jpeg"}),
        ("RGB", {"compression": "tiff_adobe_deflate"}),
        ("CMYK", {"compression": "tiff_lzw"}),
        ("I;16", {"compression": "raw"}),
    ],
)
def test_every_coding_of_tiff_is_kept_as_it_is(mode: str, options: dict[str, str]) -> None:
    image = Image.new("I;16", (40, 30), 40_000) if mode == "I;16" else scenes.gradient().convert(mode)
    told = scenes.saved(image, "TIFF", description=scenes.SECRET.decode(), **options)
    kept = strip_tiff(told, 20)
    assert scenes.SECRET not in kept
    assert (pixels(kept) == pixels(told)).all()


def test_every_page_of_a_tiff_is_kept() -> None:
    told = scenes.sample("multipage.tiff")
    before, after = Image.open(io.BytesIO(told)), Image.open(io.BytesIO(strip_tiff(told, 20)))
    assert photos.page_count(before, Kind.TIFF) == photos.page_count(after, Kind.TIFF) == 3
    for page in range(3):
        before.seek(page)
        after.seek(page)
        assert (np.asarray(before) == np.asarray(after)).all()


def test_a_tiff_that_goes_in_circles_ends() -> None:
    told = bytearray(scenes.saved(scenes.gradient(), "TIFF", compression="raw"))
    (directory,) = struct.unpack_from("<I", told, 4)
    (entries,) = struct.unpack_from("<H", told, directory)
    struct.pack_into("<I", told, directory + 2 + 12 * entries, directory)
    with pytest.raises(CannotStrip):
        strip_tiff(bytes(told), 20)


def entry_of(told: bytes | bytearray, tag: int) -> int:
    """Where the entry of a tag stands in the first directory of a little-endian TIFF."""
    (directory,) = struct.unpack_from("<I", told, 4)
    (entries,) = struct.unpack_from("<H", told, directory)
    places: list[int] = [directory + 2 + 12 * index for index in range(entries)]
    return next(at for at in places if struct.unpack_from("<H", told, at) == (tag,))


@pytest.mark.parametrize("count", [161, 500])
def test_a_value_that_runs_over_its_neighbours_makes_no_file_longer(count: int) -> None:
    """Found by damaging one byte: the depth of three colours said to be 161 numbers, the description and profile among them."""
    told = bytearray(scenes.telling(scenes.gradient(16, 16), "TIFF", 6))
    assert struct.unpack_from("<HHI", told, entry_of(told, 258)) == (258, 3, 3)
    struct.pack_into("<I", told, entry_of(told, 258) + 4, count)
    with pytest.raises(CannotStrip):
        strip_tiff(bytes(told), 20)


def test_five_pages_on_the_same_bytes_make_no_file_longer() -> None:
    one = Image.frombytes("L", (100, 100), bytes(10_000))
    told = bytearray(scenes.saved(one, "TIFF", compression="raw"))
    (directory,) = struct.unpack_from("<I", told, 4)
    (entries,) = struct.unpack_from("<H", told, directory)
    listed = bytes(told[directory : directory + 2 + 12 * entries])
    link = directory + len(listed)
    for _ in range(4):  # five directories, one after the other, of the same strip
        struct.pack_into("<I", told, link, len(told))
        told += listed + bytes(4)
        link = len(told) - 4
    with pytest.raises(CannotStrip):
        strip_tiff(bytes(told), 20)


@pytest.mark.parametrize("order", ["<", ">"])
def test_many_short_strips_side_by_side_are_no_longer_afterwards(order: str) -> None:
    """Odd lengths, none aligned, counts of two bytes: what scanners write, and nothing in it to leave out."""
    rows, width = 301, 3
    offsets, counts = [8 + width * row for row in range(rows)], [width] * rows
    values_at = 8 + width * rows + 1
    directory_at = values_at + 6 * rows
    tags = [
        (256, 3, 1, struct.pack(f"{order}HH", width, 0)), (257, 3, 1, struct.pack(f"{order}HH", rows, 0)),
        (258, 3, 1, struct.pack(f"{order}HH", 8, 0)), (259, 3, 1, struct.pack(f"{order}HH", 1, 0)),
        (262, 3, 1, struct.pack(f"{order}HH", 1, 0)), (273, 4, rows, struct.pack(f"{order}I", values_at)),
        (278, 3, 1, struct.pack(f"{order}HH", 1, 0)), (279, 3, rows, struct.pack(f"{order}I", values_at + 4 * rows)),
    ]  # fmt: skip
    told = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", directory_at)
    told += bytes(index % 251 for index in range(width * rows)) + b"\0"
    told += struct.pack(f"{order}{rows}I", *offsets) + struct.pack(f"{order}{rows}H", *counts)
    told += struct.pack(f"{order}H", len(tags))
    told += b"".join(struct.pack(f"{order}HHI", *tag[:3]) + tag[3] for tag in tags) + bytes(4)
    kept = strip_tiff(told, 20)
    assert len(kept) <= len(told)
    assert (pixels(kept) == pixels(told)).all()


def test_an_animation_becomes_its_first_picture_without_loss() -> None:
    frames = [scenes.gradient(), scenes.gradient().transpose(Image.Transpose.ROTATE_180)]
    told = scenes.saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exif=scenes.telling_exif(3))
    kept, kind, _ = photos.stripped(told, Kind.WEBP, LIMITS)
    assert kind is Kind.PNG
    assert scenes.SECRET not in kept
    assert (upright(kept, kind) == upright(told, Kind.WEBP)).all()


def test_rubbish_between_the_segments_of_a_jpeg_is_left_out() -> None:
    plain = scenes.saved(scenes.gradient(), "JPEG", exif=scenes.telling_exif(8))
    kept = strip_jpeg(plain[:2] + b"\0rubbish\xff\xff" + plain[3:])
    assert kept == strip_jpeg(plain)


def test_a_jpeg_of_a_strange_build_is_coded_again_without_loss() -> None:
    plain = scenes.saved(scenes.gradient(), "JPEG", progressive=True, exif=scenes.telling_exif(8))
    second_scan = plain.index(b"\xff\xc4", plain.index(b"\xff\xda"))
    strange = plain[:second_scan] + b"\xff\x01" + plain[second_scan:]  # a marker without length, which decoders step over
    with pytest.raises(CannotStrip):
        strip_jpeg(strange)
    kept, kind, _ = photos.stripped(strange, Kind.JPEG, LIMITS)
    assert kind is Kind.PNG
    assert scenes.SECRET not in kept
    assert (upright(kept, kind) == upright(strange, Kind.JPEG)).all()


FORMS = {
    "JPEG": strip_jpeg,
    "PNG": strip_png,
    "WEBP": strip_webp,
    "TIFF": lambda content: strip_tiff(content, 20),
    "HEIC": strip_heic,
}


@settings(max_examples=60, deadline=None)
@given(form=st.sampled_from(sorted(FORMS)), data=st.data())
def test_damage_has_one_name(form: str, data: st.DataObject) -> None:
    """Flipped, cut or grown anywhere: either it is stripped or CannotStrip is raised, and nothing else ever is."""
    whole = scenes.sample("example.heic")[:4000] if form == "HEIC" else scenes.telling(scenes.gradient(16, 16), form, 6)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for content in (bytes(damaged), bytes(damaged[:cut])):
        try:
            kept = FORMS[form](content)
        except CannotStrip:
            continue
        assert len(kept) <= len(content) + 64
