"""The sheet of a paper: what is known of it without opening it (number, who put it in, when, how long, its imprint), and checking it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from vault import documents
from vault.errors import Tampered
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.paper_items import kept_paper, kind_of
from vault.web.shell import Req, page


@get("/{language:str}/papiers/{paper:str}/fiche", opt=who("person"), sync_to_thread=True)
def sheet(request: Req, paper: FromPath[str]) -> Response[str]:
    """The sheet, and a way to check that the paper is whole."""
    card = kept_paper(request, paper)
    told = documents.technical_metadata(context_of(request), signed_in(request), PaperId(paper))
    return page(
        request, "kiosk/paper_sheet.html", back=f"papiers/{paper}/que-faire?plus=2", paper=card.paper, kind=kind_of(card), told=told,
        imprint=_in_eights(told.digest), size=f"{told.size:,}".replace(",", "\u202f"),
    )  # fmt: skip


def _in_eights(digest: str) -> str:
    """In groups that the eye compares, and that break anywhere on a small screen."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


@post("/{language:str}/papiers/{paper:str}/verifier", opt=who("person"), sync_to_thread=True)
def check(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Read all of it again and compare: it is whole, or it is not the one that was put in."""
    card = kept_paper(request, paper)
    try:
        documents.check(context_of(request), signed_in(request), PaperId(paper))
    except Tampered:
        return page(request, "kiosk/refused.html", status=409, back="papiers", card=card, kind=kind_of(card))
    return page(request, "kiosk/paper_whole.html", back=f"papiers/{paper}", paper=card.paper, kind=kind_of(card))


ROUTES: list[ControllerRouterHandler] = [sheet, check]
