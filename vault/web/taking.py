"""K14: what to do with a paper. Print it, put it on one's phone, show it, put it on this machine for ten minutes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from consent.purposes import PRIVATE, ShelfKind
from vault import adding, leaving, widening
from vault.contents import Content
from vault.errors import BadInput, TicketGone
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.paper_items import kept_paper, kind_of
from vault.web.place import here
from vault.web.shell import Req, go, language_of, page, pdf
from vault.web.squares import square
from vault.widening import WouldSee, WouldShow

BACK = {"1": "/que-faire", "2": "/que-faire?plus=1"}
"""Behind "plus de choix", and behind it once more: where each page goes back to."""
MANY = ("ajouter/beaucoup", "apporter", "autre-abri")
"""The ways by which several papers come in after one question."""

Instead = Literal["other", "private", "no"]


def would_show(
    request: Req, seen: Sequence[WouldSee], *, place: str, back: str, hidden: Mapping[str, str] | None = None,
    instead: Instead = "other", many: bool = False,
) -> Response[str]:  # fmt: skip
    """Somebody sees the drawer: they would see this paper too. Yes names each of them; no changes nothing.

    `instead` of that: another drawer (chosen at `place`), the private drawer, or no. `many`: it is asked once for several papers.
    """
    drawers = [(kind, [one for one in seen if one.shelf == kind]) for kind in dict.fromkeys(one.shelf for one in seen)]
    return page(
        request, "kiosk/would_show.html", back=back, seen=seen, drawers_seen=drawers, place=place, hidden=hidden or {},
        instead=instead, many=many,
    )  # fmt: skip


def asked_first(request: Req, way: str, back: str, kinds: Collection[ShelfKind] = ()) -> Response[str] | None:
    """Before several papers come in by a way of MANY: who would see them. None when nobody would, or all was agreed to."""
    context, session = context_of(request), signed_in(request)
    try:
        widening.ask(widening.would_see(context, session, kinds), adding.agreed(context, session))
    except WouldShow as question:
        return would_show(
            request, question.seen, place="ajouter/accord", back=back, hidden={"way": way}, instead="no", many=True
        )  # fmt: skip
    return None


@post("/{language:str}/ajouter/accord", opt=who("person"), sync_to_thread=True)
def agree_first(request: Req, form: Sent) -> Response[Any]:
    """Yes: the papers may come in, and those people will see them."""
    way = form.need("way")
    if way not in MANY:
        raise BadInput("way")
    adding.agree(context_of(request), signed_in(request), form.all("agreed"))
    return go(request, way)


def attachment(content: Content) -> Stream:
    """A paper as a file to keep, under a neutral name; the store is let go of when the last block has left."""

    def blocks() -> Iterator[bytes]:
        with content:
            yield from content.chunks()

    headers = {"Content-Disposition": f'attachment; filename="{content.download_name}"', "Content-Length": str(content.size)}
    return Stream(blocks(), media_type=content.kind.media_type, headers=headers)


@get("/{language:str}/papiers/{paper:str}/que-faire", opt=who("person"), sync_to_thread=True)
def ways(request: Req, paper: FromPath[str]) -> Response[str]:
    """K14, and behind "plus de choix" the other ways."""
    card = kept_paper(request, paper)
    more = request.query_params.get("plus", "")
    return page(
        request, "kiosk/ways_more.html" if more in BACK else "kiosk/ways.html", paper=card.paper, kind=kind_of(card), more=more,
        back=f"papiers/{paper}{BACK.get(more, '')}", may_show=card.shelf != PRIVATE, beside=card.more_than_pages,
        equipment=here(request).equipment,
    )  # fmt: skip


@get("/{language:str}/papiers/{paper:str}/imprimer", opt=who("person"), sync_to_thread=True)
def print_page(request: Req, paper: FromPath[str]) -> Response[str]:
    """Before printing: take your sheets."""
    card = kept_paper(request, paper)
    return page(request, "kiosk/print.html", back=f"papiers/{paper}/que-faire", paper=card.paper, kind=kind_of(card))


@get("/{language:str}/papiers/{paper:str}/imprimer/papier.pdf", opt=who("person", leaves=True), sync_to_thread=True)
def printed(request: Req, paper: FromPath[str]) -> Response[bytes]:
    """The pages as the browser prints them; written in the history. Nothing is kept on this machine."""
    title = request.app.state.pages.sentence(language_of(request), "papers.neutral")
    content = leaving.print_paper(
        context_of(request), signed_in(request), PaperId(paper), title=title, language=language_of(request)
    )  # fmt: skip
    return pdf(request, content)


@post("/{language:str}/papiers/{paper:str}/telephone", opt=who("person"), sync_to_thread=True)
def to_phone(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """A link for one paper, once, within five minutes."""
    context, session, card = context_of(request), signed_in(request), kept_paper(request, paper)
    adding.show_square(context, session, leaving.to_phone(context, session, card.paper), card.paper)
    return go(request, f"papiers/{paper}/telephone")


@get("/{language:str}/papiers/{paper:str}/telephone", opt=who("person"), sync_to_thread=True)
def phone_page(request: Req, paper: FromPath[str]) -> Response[str]:
    """The square to photograph, while it works; then how to have another one."""
    card = kept_paper(request, paper)
    return page(
        request, "kiosk/to_phone.html", back=f"papiers/{paper}/que-faire", paper=card.paper, kind=kind_of(card),
        alive=_alive(request, card.paper),
    )  # fmt: skip


def _alive(request: Req, paper: PaperId) -> bool:
    context = context_of(request)
    try:
        leaving.look(context, adding.square(context, signed_in(request), "to-phone", paper).secret)
    except TicketGone:
        return False
    return True


@get("/{language:str}/papiers/{paper:str}/telephone/carre", opt=who("person"), sync_to_thread=True)
def phone_square(request: Req, paper: FromPath[str]) -> Response[bytes]:
    """The square itself, drawn for this session alone."""
    shown = adding.square(context_of(request), signed_in(request), "to-phone", PaperId(paper))
    return square(request, f"tel/{shown.secret}")


@get("/{language:str}/papiers/{paper:str}/ordinateur", opt=who("person"), sync_to_thread=True)
def computer_page(request: Req, paper: FromPath[str]) -> Response[str]:
    """On this machine: what becomes of it depends on whether the machine is one of ours, and the page says which."""
    card = kept_paper(request, paper)
    return page(
        request, "kiosk/computer.html", back=f"papiers/{paper}/que-faire?plus=2", paper=card.paper, kind=kind_of(card),
        ours=here(request).id is not None,
    )  # fmt: skip


@get("/{language:str}/papiers/{paper:str}/ordinateur/papier", opt=who("person", leaves=True), sync_to_thread=True)
def on_this_computer(request: Req, paper: FromPath[str]) -> Stream:
    """The paper as it was received; written in the history."""
    return attachment(leaving.on_this_computer(context_of(request), signed_in(request), PaperId(paper)))


ROUTES: list[ControllerRouterHandler] = [
    agree_first, ways, print_page, printed, to_phone, phone_page, phone_square, computer_page, on_this_computer,
]  # fmt: skip
