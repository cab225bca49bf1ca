"""A paper being added, photo by photo: on real files, in the confined child, across processes."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from consent.purposes import ShelfKind
from storage.tables import objects
from tests.vault.builders import make_person, unlock
from tests.vault.clock import Clock
from tests.vault.papers import read
from vault import audit, documents, drafts, orphans
from vault.context import Context
from vault.errors import BadInput, Conflict, NotThere
from vault.kinds import Kind
from vault.refusals import HasPassword, OnlyPhotosJoin, PaperRefused, TooHeavy

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"


def sample(name: str) -> bytes:
    if not (SAMPLES / name).exists():
        pytest.skip(f"the sample {name} stands in ../shared/samples, beside the repository")
    return (SAMPLES / name).read_bytes()


def photo(text: str, size: tuple[int, int] = (900, 1200), colour: str = "white") -> bytes:
    """A photographed sheet with a line on it."""
    image = Image.new("RGB", size, "black")
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 60, size[0] - 60, size[1] - 60), fill=colour)
    for at in range(10):
        draw.text((120, 120 + 60 * at), f"{text} {at}", fill="black", font_size=40)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def stored(house: Context) -> set[str]:
    return {held.name for held in house.blobs.inventory()}


def named(house: Context) -> set[str]:
    with house.database.transaction(read_only=True) as connection:
        return set(connection.scalars(select(objects.c.blob)))


def test_turning_pages_is_one_opening_whichever_page_comes_first(reading_house: Context) -> None:
    """Nobody who holds the card and the code reads a back side unseen; and turning to and fro does not bury what matters."""
    house = reading_house
    awa = make_person(house)
    for text in ("recto", "verso"):
        drafts.add(house, awa.session, photo(text))
    paper = drafts.keep(house, awa.session, ShelfKind("identity"), title="Carte")

    def openings() -> int:
        return [one.event.tag for one in audit.history(house, awa.session)].count("paper.opened")

    told = []
    for page in (2, 2, 1, 2, 1):  # each first page begins anew
        documents.page_image(house, awa.session, paper, page)
        told.append(openings())
    assert told == [1, 1, 2, 2, 3]
    unlock(house, awa)
    documents.page_image(house, awa.session, paper, 2)  # another session says it again
    assert openings() == 4


def test_three_photos_become_one_paper_in_their_order(reading_house: Context) -> None:
    house = reading_house
    awa = make_person(house)
    assert drafts.current(house, awa.session) is None
    for text in ("recto", "verso", "annexe"):
        drafts.add(house, awa.session, photo(text), untrusted_name=f"/home/awa/{text}.jpg")
    draft = drafts.current(house, awa.session)
    assert draft is not None
    assert [page.number for page in draft.pages] == [1, 2, 3]
    assert documents.count(house, awa.session) == 0
    paper = drafts.keep(house, awa.session, ShelfKind("identity"), title="Carte", sort="identity-card")
    (card,) = documents.list_papers(house, awa.session)
    assert (card.paper, card.title, card.pages, card.kind, card.file_name) == (paper, "Carte", 3, Kind.PDF, "recto.jpg")
    assert read(house, awa.session, paper).startswith(b"%PDF-")
    assert documents.page_image(house, awa.session, paper, 3).pages == 3
    assert len(documents.preview(house, awa.session, paper)) <= 15_000
    assert drafts.current(house, awa.session) is None
    assert stored(house) == named(house)
    assert len(named(house)) == 3
    with pytest.raises(NotThere):  # pressed twice
        drafts.keep(house, awa.session, ShelfKind("identity"))


def test_turned_and_cut_out_by_buttons_alone(reading_house: Context) -> None:
    house = reading_house
    awa = make_person(house)
    drafts.add(house, awa.session, photo("un"))
    drafts.adjust(house, awa.session, 1, "as-it-is")
    whole = drafts.image(house, awa.session, 1)
    drafts.adjust(house, awa.session, 1, "turn")
    turned = drafts.image(house, awa.session, 1)
    assert (turned.width > turned.height) == (whole.height > whole.width)
    for _ in range(5):
        drafts.adjust(house, awa.session, 1, "top-in")
    cut = drafts.image(house, awa.session, 1)
    assert cut.width / cut.height > turned.width / turned.height
    with pytest.raises(BadInput):
        drafts.adjust(house, awa.session, 1, "upside-down")  # type: ignore[arg-type] # what a stranger's form could say
    with pytest.raises(NotThere):
        drafts.adjust(house, awa.session, 2, "turn")
    assert len(stored(house)) == 2  # the photo and how it is seen now
    paper = drafts.keep(house, awa.session, ShelfKind("other"))
    kept = documents.page_image(house, awa.session, paper, 1)
    assert abs(kept.width / kept.height - cut.width / cut.height) < 0.05


def test_taken_out_and_dropped(reading_house: Context) -> None:
    house = reading_house
    awa = make_person(house)
    drafts.add(house, awa.session, photo("flou"))
    drafts.add(house, awa.session, photo("net"))
    left = drafts.remove(house, awa.session, 1)
    assert left is not None
    assert len(left.pages) == 1
    assert len(stored(house)) == 2
    drafts.drop(house, awa.session)
    assert drafts.current(house, awa.session) is None
    assert stored(house) == set()


def test_an_abandoned_draft_opens_for_nobody_and_is_swept(reading_house: Context, clock: Clock) -> None:
    house = reading_house
    awa = make_person(house)
    drafts.add(house, awa.session, photo("oublié"))
    unlock(house, awa)
    assert drafts.current(house, awa.session) is None
    assert len(stored(house)) == 2
    orphans.sweep(house, older_than=timedelta(days=-400))
    assert stored(house) == set()


def test_two_screens_do_not_keep_one_draft_twice(reading_house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    house = reading_house
    awa = make_person(house)
    drafts.add(house, awa.session, photo("un"))
    real = drafts.preparing.prepare

    def slowly(*arguments: object, **named: object) -> object:
        monkeypatch.setattr(drafts.preparing, "prepare", real)
        drafts.keep(house, awa.session, ShelfKind("other"))  # the other screen was faster
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(drafts.preparing, "prepare", slowly)
    with pytest.raises(Conflict):
        drafts.keep(house, awa.session, ShelfKind("other"))
    assert documents.count(house, awa.session) == 1
    assert stored(house) == named(house)


@pytest.mark.parametrize(
    ("name", "kind", "pages"),
    [
        ("Landscape_6.jpg", Kind.JPEG, 1), ("Portrait_3.jpg", Kind.JPEG, 1), ("example.heic", Kind.HEIC, 1),
        ("hopper.png", Kind.PNG, 1), ("hopper.webp", Kind.WEBP, 1), ("pdfjs_wikipedia.pdf", Kind.PDF, None),
        ("multipage.tiff", Kind.TIFF, 3),
    ],
)  # fmt: skip
def test_every_kind_of_file(reading_house: Context, name: str, kind: Kind, pages: int | None) -> None:
    house = reading_house
    awa = make_person(house)
    drafts.add(house, awa.session, sample(name), untrusted_name=name)
    paper = drafts.keep(house, awa.session, ShelfKind("other"))
    card = documents.paper(house, awa.session, paper)
    assert card.kind == kind
    assert card.file_name == name
    assert pages is None or card.pages == pages
    assert documents.page_image(house, awa.session, paper, 1).jpeg.startswith(b"\xff\xd8")
    received = read(house, awa.session, paper)
    if kind is Kind.PDF:
        assert received == sample(name)  # byte for byte: a cut would break signatures
    documents.check(house, awa.session, paper)


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("truncated_image.png", PaperRefused), ("decompression_bomb.gif", PaperRefused), ("pdfjsbad1586.pdf", PaperRefused),
        ("encrypted-attachment.pdf", HasPassword),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_changes_nothing(reading_house: Context, name: str, refusal: type[PaperRefused]) -> None:
    house = reading_house
    awa = make_person(house)
    drafts.add(house, awa.session, photo("bon"))
    before = stored(house)
    with pytest.raises(refusal):
        drafts.add(house, awa.session, sample(name))
    draft = drafts.current(house, awa.session)
    assert draft is not None
    assert len(draft.pages) == 1
    assert stored(house) == before


def test_a_pdf_stays_alone_and_too_much_is_too_much(reading_house: Context) -> None:
    house = reading_house
    awa = make_person(house)
    drafts.add(house, awa.session, photo("un"))
    with pytest.raises(OnlyPhotosJoin):
        drafts.add(house, awa.session, sample("pdfjs_wikipedia.pdf"))
    with pytest.raises(TooHeavy):
        drafts.add(house, awa.session, photo("lourd") + bytes(15 * 1024 * 1024))
    drafts.drop(house, awa.session)
    drafts.add(house, awa.session, sample("pdfjs_wikipedia.pdf"))
    with pytest.raises(OnlyPhotosJoin):
        drafts.add(house, awa.session, photo("deux"))
    with pytest.raises(BadInput):
        drafts.adjust(house, awa.session, 1, "turn")
