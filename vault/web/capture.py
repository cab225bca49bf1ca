"""K11: bring a paper in, by the kiosk's camera, by a file, by one's phone; or many papers, one photo each, sorted later."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from consent.purposes import ShelfKind
from vault import adding, closing, documents, drafts, leaving
from vault.context import Context
from vault.errors import Conflict, TicketGone, TooMuch
from vault.refusals import PaperRefused, UploadError
from vault.sessions import Session
from vault.web import keeping, more_time
from vault.web.errors import NOT_NOW, status_and_sentence
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paper_items import kind_of
from vault.web.place import here
from vault.web.shell import Req, go, page
from vault.web.squares import square
from vault.web.taking import asked_first
from vault.web.uploads import Upload, in_thread, receive
from vault.widening import WouldShow

SCREENS = {"photo": "kiosk/photo.html", "fichier": "kiosk/file.html", "beaucoup": "kiosk/many.html"}
UNSORTED = ShelfKind("other")
MOST_COUNTED = 999
REFUSED = (PaperRefused, UploadError, TooMuch, *NOT_NOW)


@get("/{language:str}/ajouter", opt=who("person"), sync_to_thread=True)
def ways(request: Req) -> Response[Any]:
    """K11, with the ways that this kiosk has. A paper that waits for its yes comes first: nothing is lost."""
    closing.refuse_new(context_of(request))
    if drafts.current(context_of(request), signed_in(request)) is not None:
        return go(request, "ajouter/lire")
    return page(request, "kiosk/add.html", back="maison", equipment=here(request).equipment, ends=more_time.ends_soon(request))


# --- Photos and files -----------------------------------------------------------------------------------------------------


def _screen(request: Req, way: str, faults: list[Fault], status: int = 200, kept: int | None = None) -> Response[str]:
    """The page of one way in, with what must be put right on top."""
    waits = drafts.current(context_of(request), signed_in(request)) is not None
    return page(
        request, SCREENS[way], status=status, back="ajouter/lire" if waits else "ajouter", faults=faults,
        kept=_kept(request) if kept is None else kept,
        equipment=here(request).equipment, ends=more_time.ends_soon(request),
    )  # fmt: skip


def _kept(request: Req) -> int:
    """How many papers have been kept one after the other, as the address counts them: only ever shown."""
    text = request.query_params.get("n", "0")
    return min(int(text), MOST_COUNTED) if text.isascii() and text.isdigit() and len(text) < 6 else 0


@get("/{language:str}/ajouter/photo", opt=who("person"), sync_to_thread=True)
def photo(request: Req) -> Response[str]:
    """The camera; and the same as a file, for when the camera is refused or script is off."""
    return _screen(request, "photo", [])


@get("/{language:str}/ajouter/fichier", opt=who("person"), sync_to_thread=True)
def file(request: Req) -> Response[str]:
    """A file from a key. Several photos make one paper, in their order."""
    return _screen(request, "fichier", [])


@get("/{language:str}/ajouter/beaucoup", opt=who("person"), sync_to_thread=True)
def many(request: Req) -> Response[Any]:
    """Many papers: each photo is a paper of its own, kept at once, sorted another day. Who would see them is asked once, before."""
    if drafts.current(context_of(request), signed_in(request)) is not None:
        return go(request, "ajouter/lire")
    return asked_first(request, "ajouter/beaucoup", "ajouter", [UNSORTED]) or _screen(request, "beaucoup", [])


@post("/{language:str}/ajouter/photo", opt=who("person", streams=True))
async def take_photo(request: Req) -> Response[Any]:
    """A photo joins the paper that is being added."""
    return await _take(request, "photo")


@post("/{language:str}/ajouter/fichier", opt=who("person", streams=True))
async def take_file(request: Req) -> Response[Any]:
    """Files join it too."""
    return await _take(request, "fichier")


@post("/{language:str}/ajouter/beaucoup", opt=who("person", streams=True))
async def take_one_of_many(request: Req) -> Response[Any]:
    """One of many papers: kept among those to sort."""
    return await _take(request, "beaucoup")


async def _take(request: Req, way: str) -> Response[Any]:
    """Read the body to its end, then add. What is refused changes nothing, and the same page says why."""
    context, session = context_of(request), signed_in(request)
    try:
        upload = await receive(request)
        if not any(upload.contents):
            return await in_thread(_screen, request, way, [Fault("error.no-file", "file")], 422)
        if way == "beaucoup":
            return await in_thread(_keep_each, request, upload)
        await in_thread(_add_each, context, session, upload)
    except REFUSED as error:
        return await in_thread(_refused, request, way, error, _kept(request))
    return go(request, "ajouter/lire")


def _refused(request: Req, way: str, error: Exception, kept: int) -> Response[str]:
    status, sentence = status_and_sentence(error)
    return _screen(request, way, [Fault(sentence, "file")], status, kept)


def _add_each(context: Context, session: Session, upload: Upload) -> None:
    """All files of a form or none: a refused one leaves the paper as it was before."""
    before = drafts.current(context, session)
    already = len(before.pages) if before else 0
    try:
        for name, content in upload.files:
            if content:
                drafts.add(context, session, content, untrusted_name=name)
    except (PaperRefused, TooMuch, *NOT_NOW):
        now = drafts.current(context, session)
        for number in range(len(now.pages) if now else 0, already, -1):
            drafts.remove(context, session, number)
        raise


def _keep_each(request: Req, upload: Upload) -> Response[Any]:
    """Each file becomes a paper. One that is refused leaves nothing behind it, those before it stay kept, and are counted once."""
    context, session, kept = context_of(request), signed_in(request), _kept(request)
    if drafts.current(context, session) is not None:
        raise Conflict  # another screen of this session is in the middle of a paper
    agreed = adding.agreed(context, session)
    for name, content in upload.files:
        try:
            if content and drafts.keep_at_once(context, session, content, UNSORTED, untrusted_name=name, agreed=agreed):
                kept += 1
        except WouldShow:  # the drawer was shown to somebody on another screen since
            return go(request, f"ajouter/beaucoup?n={kept}")
        except REFUSED as error:
            return _refused(request, "beaucoup", error, kept)
    return go(request, f"ajouter/beaucoup?n={kept}")


# --- From a phone ---------------------------------------------------------------------------------------------------------


@post("/{language:str}/ajouter/telephone", opt=who("person"), sync_to_thread=True)
def by_phone(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """A link that takes one paper in, once, within five minutes, and shows nothing."""
    context, session = context_of(request), signed_in(request)
    adding.show_square(context, session, leaving.from_phone(context, session))
    return go(request, "ajouter/telephone")


@get("/{language:str}/ajouter/telephone", opt=who("person"), sync_to_thread=True)
def phone_page(request: Req) -> Response[str]:
    """The square to photograph with the phone."""
    context, alive = context_of(request), True
    try:
        leaving.look(context, adding.square(context, signed_in(request), "from-phone").secret)
    except TicketGone:
        alive = False
    return page(request, "kiosk/from_phone.html", back="ajouter", alive=alive)


@get("/{language:str}/ajouter/telephone/carre", opt=who("person"), sync_to_thread=True)
def phone_square(request: Req) -> Response[bytes]:
    """The square itself, drawn for this session alone."""
    return square(request, f"envoi/{adding.square(context_of(request), signed_in(request), 'from-phone').secret}")


@get("/{language:str}/ajouter/telephone/arrive", opt=who("person"), sync_to_thread=True)
def arrived(request: Req) -> Response[str]:
    """What came from a phone, one paper at a time: is it yours?"""
    waiting = leaving.arrived(context_of(request), signed_in(request))
    if not waiting:
        return page(request, "kiosk/nothing_arrived.html", back="ajouter/telephone")
    return page(request, "kiosk/arrived.html", back="papiers", card=waiting[0], kind=kind_of(waiting[0]), others=len(waiting) - 1)


@post("/{language:str}/ajouter/telephone/arrive", opt=who("person"), sync_to_thread=True)
def mine_or_not(request: Req, form: Sent) -> Response[Any]:
    """Mine: then its drawer. Not mine: it is erased."""
    context, session, paper = context_of(request), signed_in(request), PaperId(form.need("paper"))
    if paper not in [card.paper for card in leaving.arrived(context, session)]:
        return go(request, "ajouter/telephone/arrive")
    if form.get("answer") == "yes":
        adding.keep(context, session, adding.Adding(paper=paper))
        return go(request, "ajouter/tiroir")
    documents.erase_now(context, session, paper)
    return go(request, "papiers?dit=efface")


ROUTES: list[ControllerRouterHandler] = [
    ways, photo, file, many, take_photo, take_file, take_one_of_many, by_phone, phone_page, phone_square, arrived, mine_or_not,
    *keeping.ROUTES, *more_time.ROUTES,
]  # fmt: skip
