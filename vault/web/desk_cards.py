"""A person shows their card at the desk: ask for papers without knowing whether it opens a safe; see whether one's sendings arrived.

What is answered tells no desk whether a card opens anything, to a worker with whom its owner has no tie.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.purposes import PurposeId
from consent.terms import LONGEST_OWN_WORDS
from crypto.errors import Malformed
from vault import asking, received, typed
from vault.errors import BadInput, WrongSecret
from vault.intake import read_qr
from vault.pictograms import KINDS, REASONS
from vault.refusals import PaperRefused
from vault.web.desk_asking import ANSWERS
from vault.web.desk_frame import desk_page
from vault.web.forms import Form
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, go
from vault.web.uploads import Upload, first_right, in_thread, receive_photo

T = TypeVar("T")


def with_card(request: Req, upload: Upload, act: Callable[[str], T]) -> T:
    """Do this with the card that a reader typed or that a photo shows; WrongSecret when there is none."""
    typed = upload.form.get("card").strip()
    try:
        texts = [typed] if typed else read_qr(context_of(request).confinement, upload.contents[0]) if upload.files else []
    except PaperRefused:
        texts = []
    return first_right(texts, act)


# --- Received or not received ---------------------------------------------------------------------------------------------


def _arrived_page(request: Req, faults: list[Fault], found: received.Sendings | None, status: int = 200) -> Response[str]:
    scanner = here(request).equipment.scanner
    return desk_page(
        request, "desk/arrived.html", "card", status=status, faults=faults, found=found, scanner=scanner, answers=ANSWERS
    )  # fmt: skip


@get("/carte/envois", opt=who("worker"), sync_to_thread=True)
def arrived_page(request: Req) -> Response[str]:
    """The person is here and shows the card."""
    return _arrived_page(request, [], None)


def _arrived(request: Req, upload: Upload) -> Response[Any]:
    try:
        found = with_card(request, upload, lambda text: received.by_card(context_of(request), signed_in(request), text))
    except (WrongSecret, BadInput):
        return _arrived_page(request, [Fault("desk.card.unreadable", "file")], None, 422)
    return _arrived_page(request, [], found)


@post("/carte/envois", opt=who("worker", streams=True), status_code=200)
async def arrived(request: Req) -> Response[Any]:
    """What this worker sent to whoever shows the card, and nothing else."""
    return await in_thread(_arrived, request, await receive_photo(request))


# --- Asking ---------------------------------------------------------------------------------------------------------------


def _ask_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    said = "desk.request.sent_by_card" if request.query_params.get("dit") == "envoye" else ""
    return desk_page(
        request, "desk/request_by_card.html", "requests", status=status, faults=faults, said=said, scanner=here(request).equipment.scanner,
        chosen=form.all("kind") if form else (), purpose=form.get("purpose") if form else "home",
        own_words=form.get("own_words") if form else "",
    )  # fmt: skip


@get("/demandes/carte", opt=who("worker"), sync_to_thread=True)
def ask_page(request: Req) -> Response[str]:
    """Which kinds, what for, and the card."""
    return _ask_page(request, [])


def _ask(request: Req, upload: Upload) -> Response[Any]:
    form, context, session = upload.form, context_of(request), signed_in(request)
    kinds, purpose, own_words = form.all("kind"), form.get("purpose"), ""
    try:
        own_words = typed.line_or_none(form.get("own_words"), "own_words", LONGEST_OWN_WORDS, long="error.phrase-long")
    except BadInput as error:
        return _ask_page(request, [Fault(error.shown, "own_words")], form, 422)
    if not kinds or not set(kinds) <= set(KINDS):
        return _ask_page(request, [Fault("desk.request.choose_kind")], form, 422)
    if purpose not in REASONS or (purpose == "other") != bool(own_words):
        return _ask_page(request, [Fault("desk.request.own_words_wrong", "own_words")], form, 422)

    def asked(text: str) -> None:
        asking.ask_with_card(context, session, text, kinds, PurposeId(purpose), own_words=own_words)

    try:
        with_card(request, upload, asked)
    except WrongSecret:
        return _ask_page(request, [Fault("desk.card.unreadable", "file")], form, 422)
    except (BadInput, Malformed):
        return _ask_page(request, [Fault("desk.request.own_words_wrong", "own_words")], form, 422)
    return go(request, "bureau/demandes/carte?dit=envoye")


@post("/demandes/carte", opt=who("worker", streams=True))
async def ask(request: Req) -> Response[Any]:
    """Asked, if the card opens a safe. Nothing here says so, before the person answers."""
    return await in_thread(_ask, request, await receive_photo(request))


HANDLERS: list[ControllerRouterHandler] = [arrived_page, arrived, ask_page, ask]
