"""Papers as a list shows them: many cards at once, each opened in microseconds once the drawers are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from consent.ids import PaperId
from consent.purposes import ShelfKind
from crypto.canonical import parse_instant
from crypto.contexts import FileContext
from crypto.errors import CryptoError
from crypto.keys import file_keys
from storage.tables import versions
from vault.bindings import file_place
from vault.context import Context
from vault.errors import Tampered
from vault.kinds import Finding, Kind
from vault.paper_cards import Card
from vault.shelves import Shelves
from vault.versions import LISTED, SERVICE, Listed, VersionId, VersionRow, joined, read_card, secret_of


@dataclass(frozen=True, slots=True)
class PaperCard:
    """A paper in a list. `card` is None when it does not open: nothing of the paper does, and it is shown so that the loss is not
    hidden (`damaged`)."""

    paper: PaperId
    version: VersionId
    shelf: ShelfKind | None
    depositor: str
    by: str  # me, phone, worker
    state: str  # kept, to-confirm, to-read, bin, refused
    bin_until: datetime | None
    card: Card | None

    @property
    def damaged(self) -> bool:
        """Whether even its title is lost."""
        return self.card is None

    @property
    def title(self) -> str:
        """The title, or nothing."""
        return self.card.title if self.card else ""

    @property
    def sort(self) -> str:
        """The kind of paper, or nothing."""
        return self.card.sort if self.card else ""

    @property
    def file_name(self) -> str:
        """The name that the file had, only ever to be shown."""
        return self.card.untrusted_file_name if self.card else ""

    @property
    def pages(self) -> int:
        """How many pages."""
        return self.card.pages if self.card else 0

    @property
    def kind(self) -> Kind | None:
        """The kind of file that was received."""
        return self.card.thing("received").kind if self.card else None

    @property
    def size(self) -> int:
        """Bytes, as received."""
        return self.card.thing("received").size if self.card else 0

    @property
    def added(self) -> datetime | None:
        """When it was put in."""
        return parse_instant(self.card.added) if self.card else None

    @property
    def findings(self) -> frozenset[Finding]:
        """What a PDF holds beside its pages."""
        return self.card.findings if self.card else frozenset()

    @property
    def more_than_pages(self) -> bool:
        """Whether a copy takes along what no page shows."""
        return self.card is not None and self.card.more_than_pages

    @property
    def has_preview(self) -> bool:
        """Whether there is a small picture of it."""
        return self.card is not None and "preview" in self.card.told


def by_whom(depositor: str, person: str) -> str:
    """Who put a version in, as a page says it."""
    return "me" if depositor == person else "phone" if depositor == SERVICE else "worker"


def cards_of(context: Context, opened: Shelves, rows: Sequence[VersionRow]) -> list[PaperCard]:
    """The cards of some versions, newest first. The key vault is asked once for all."""
    if not rows:
        return []
    listed = [Listed(*row[: len(LISTED)]) for row in rows]
    places = [file_place(row) for row in listed]
    answers = context.keyvault.derive_many([("person", row.person, place) for row, place in zip(listed, places, strict=True)])
    cards = [_card(context, opened, *one) for one in zip(listed, places, answers, strict=True)]
    return sorted(cards, key=lambda one: (one.card.added if one.card else "", one.paper), reverse=True)


def _card(context: Context, opened: Shelves, row: Listed, place: FileContext, vaulted: bytes) -> PaperCard:
    try:
        card: Card | None = read_card(row, file_keys(secret_of(context, opened, row), vaulted, place))
    except (CryptoError, Tampered):
        card = None
    return PaperCard(
        PaperId(row.paper), VersionId(row.id), opened.kind_of(row.lies_in), row.depositor, by_whom(row.depositor, row.person),
        row.state, row.bin_until, card,
    )  # fmt: skip


def pages_of(context: Context, connection: Connection, opened: Shelves, person: str) -> int:
    """The pages of every version that a person keeps, bin and old versions included."""
    rows = connection.execute(joined(*LISTED).where(versions.c.person == person)).all()
    return sum(card.pages for card in cards_of(context, opened, rows))
