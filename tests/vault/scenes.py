"""Pictures made for tests: sheets of text, sheets on a table, photos with everything a telephone adds to them."""

import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
import pytest
import segno
from PIL import Image, ImageCms, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

SAMPLES = pathlib.Path(__file__).parents[3] / "shared" / "samples"
SECRET = b"48.8566 N 2.3522 E taken by the telephone of Ibrahim"
SENTENCE = "Attestation de domiciliation, article L264-2 du code de l'action sociale."
ORIENTATION, MAKER_NOTE, DESCRIPTION, GPS, EXIF = 0x0112, 0x927C, 0x010E, 0x8825, 0x8769


def sample(name: str) -> bytes:
    """A real file that nobody of this project made."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"needs the shared sample {name} beside the repository")
    return path.read_bytes()


def sheet(width: int = 1240, height: int = 1754) -> Image.Image:
    """A page of text, as sharp as it can be."""
    page = Image.new("RGB", (width, height), (245, 244, 240))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(width // 41)
    for top in range(height // 17, height - height // 17, width // 26):
        draw.text((width // 12, top), SENTENCE, font=font, fill=(20, 20, 30))
    return page


def gradient(width: int = 96, height: int = 64) -> Image.Image:
    """A picture whose four corners all differ, so that every turn and mirror is seen."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([columns * 255 // width, rows * 255 // height, (columns + rows) * 255 // (width + height)], axis=2)
    return Image.fromarray(pixels.astype(np.uint8))


def on_a_table(corners: list[tuple[int, int]], size: tuple[int, int] = (1500, 2000)) -> Image.Image:
    """A sheet lying askew on a dark, grainy table."""
    chance = np.random.default_rng(7)
    paper = np.asarray(sheet(1000, 1400)).astype(np.float32)
    height, width = paper.shape[:2]
    edges = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(edges, np.array(corners, np.float32))
    table = np.full((size[1], size[0], 3), (110, 80, 60), np.float32) + chance.normal(0, 12, (size[1], size[0], 3))
    covered = cv2.warpPerspective(np.ones((height, width), np.float32), turn, size)[..., None]
    seen = table * (1 - covered) + cv2.warpPerspective(paper, turn, size) * covered
    return Image.fromarray(seen.clip(0, 255).astype(np.uint8))


def telling_exif(orientation: int = 1) -> bytes:
    """Everything that a telephone notes: place, maker's note, owner."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[DESCRIPTION] = SECRET.decode()
    exif.get_ifd(EXIF)[MAKER_NOTE] = SECRET
    exif.get_ifd(GPS)[29] = SECRET.decode()
    return exif.tobytes()


def telling(image: Image.Image, form: str, orientation: int = 1) -> bytes:
    """The picture in that form, with the secret in every place that the form has for it."""
    out = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = telling_exif(orientation)
    match form:
        case "JPEG":
            image.save(out, form, quality=90, exif=exif, icc_profile=profile, comment=SECRET, xmp=SECRET)
            return out.getvalue() + SECRET  # a motion clip would lie here
        case "PNG":
            words = PngInfo()
            words.add_text("Comment", SECRET.decode())
            words.add_itxt("XML:com.adobe.xmp", SECRET.decode())
            image.save(out, form, exif=exif, icc_profile=profile, pnginfo=words)
            return out.getvalue() + SECRET
        case "WEBP":
            image.save(out, form, quality=90, exif=exif, icc_profile=profile, xmp=SECRET)
        case "TIFF":
            tags = {DESCRIPTION: SECRET.decode(), 305: SECRET.decode(), 315: SECRET.decode(), ORIENTATION: orientation}
            image.save(out, form, compression="tiff_lzw", tiffinfo=tags, icc_profile=profile)
            return out.getvalue() + SECRET
    return out.getvalue()


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """The picture in that form."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def qr(text: str, scale: int = 6) -> Image.Image:
    """A QR code on white."""
    out = io.BytesIO()
    segno.make(text).save(out, kind="png", scale=scale, border=4)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces its size and holds nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def heic_of_a_telephone(plain: bytes, exif: bytes) -> bytes:
    """The sample built as telephones do: its picture is a tile of a grid, which lies in the table itself, beside an EXIF item."""
    ftyp = plain[: int.from_bytes(plain[:4], "big")]
    meta_end = len(ftyp) + int.from_bytes(plain[len(ftyp) : len(ftyp) + 4], "big")
    boxes = dict(_boxes(plain[len(ftyp) + 12 : meta_end]))
    grid_item, exif_item, (tile,) = 30_000, 30_001, struct.unpack_from(">H", boxes[b"pitm"], 4)
    properties = dict(_boxes(boxes[b"iprp"]))
    (_, (_, size), *_) = _boxes(properties[b"ipco"])
    grid = struct.pack(">BBBBHH", 0, 0, 0, 0, *struct.unpack(">4xII", size))
    associations = properties[b"ipma"]
    (count,) = struct.unpack_from(">I", associations, 4)
    associations = associations[:4] + struct.pack(">I", count + 1) + associations[8:] + struct.pack(">HBB", grid_item, 1, 2)
    (count,) = struct.unpack_from(">I", boxes[b"iinf"], 4)
    items = boxes[b"iinf"][:4] + struct.pack(">I", count + 2) + boxes[b"iinf"][8:]
    for item, kind in ((grid_item, b"grid"), (exif_item, b"Exif")):
        items += struct.pack(">I4sIHH4sx", 21, b"infe", 2 << 24, item, 0, kind)
    references = struct.pack(">I4sHHH", 14, b"dimg", grid_item, 1, tile) + struct.pack(
        ">I4sHHH", 14, b"cdsc", exif_item, 1, grid_item
    )
    body = struct.pack(">I", 0) + exif.removeprefix(b"Exif\0\0")
    told = list(struct.iter_unpack(">HHIHII", boxes[b"iloc"][8:]))

    def packed(moved: int) -> bytes:
        places = b"\1\0\0\0" + boxes[b"iloc"][4:6] + struct.pack(">H", len(told) + 2)
        for item, reference, base, extents, offset, length in told:
            places += struct.pack(">HHHIHII", item, 0, reference, base + moved, extents, offset, length)
        places += struct.pack(">HHHIHII", grid_item, 1, 0, 0, 1, 0, len(grid))
        places += struct.pack(">HHHIHII", exif_item, 0, 0, len(plain) + moved + 8, 1, 0, len(body))
        pieces = {
            **boxes,
            b"pitm": boxes[b"pitm"][:4] + struct.pack(">H", grid_item),
            b"iloc": places,
            b"iinf": items,
            b"iref": boxes[b"iref"] + references,
            b"iprp": _box(b"ipco", properties[b"ipco"]) + _box(b"ipma", associations),
            b"idat": grid,
        }
        return _box(b"meta", bytes(4) + b"".join(_box(name, piece) for name, piece in pieces.items()))

    moved = len(packed(0)) - (meta_end - len(ftyp))
    return ftyp + packed(moved) + plain[meta_end:] + _box(b"mdat", body)


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def _boxes(content: bytes) -> list[tuple[bytes, bytes]]:
    boxes, at = [], 0
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        boxes.append((name, content[at + 8 : at + length]))
        at += length
    return boxes
