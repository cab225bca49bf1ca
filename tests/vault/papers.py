"""Papers for tests: drawn here, prepared without a parser, so that use cases can be tried by the hundred."""

import hashlib

from consent.ids import PaperId
from consent.purposes import ShelfKind
from vault import documents, widening
from vault.context import Context
from vault.kinds import Kind
from vault.preparing import PreparedPaper
from vault.receipts import Said
from vault.sessions import Session

SAID = Said("fr", "partage/1", hashlib.sha256(b"Vous pouvez dire non.").digest(), heard=True)


def picture(text: str, size: int = 300) -> bytes:
    """Bytes that begin like a JPEG and hold a known text: nothing here parses them."""
    return b"\xff\xd8\xff" + (text.encode() + b"\n") * (size // (len(text) + 1) + 1)


def prepared(text: str = "avis de test", *, pages: int = 1, size: int = 300) -> PreparedPaper:
    """A photographed paper as the confined child would have made it."""
    return PreparedPaper(
        kind=Kind.JPEG, pages=pages, received=picture(f"received {text}", size), received_kind=Kind.JPEG,
        view=picture(f"view {text}", size), view_kind=Kind.JPEG, thumbnail=picture(f"preview {text}", 60), blurred=(False,),
        findings=frozenset(), framings=(),
    )  # fmt: skip


def keep(
    house: Context, session: Session, title: str = "Avis", shelf: str = "money", *, text: str = "avis de test", sort: str = "",
    size: int = 300, replaces: PaperId | None = None,
) -> PaperId:  # fmt: skip
    """Deposit a prepared paper; whoever sees the drawer may see it."""
    seen = widening.would_see(house, session, [ShelfKind(shelf)])
    return documents.deposit(
        house, session, prepared(text, size=size), ShelfKind(shelf), title=title, sort=sort, untrusted_name=f"{title}.jpg",
        replaces=replaces, agreed=[one.agreed for one in seen],
    )  # fmt: skip


def read(house: Context, session: Session, paper: PaperId, what: str = "received") -> bytes:
    """All the bytes of one's own paper."""
    with documents.open_paper(house, session, paper, "view" if what == "view" else "received") as content:
        return b"".join(content.chunks())
