"""K08 and K09: show a card, then a code or pictures; or a number and five words.

Nothing tells an unknown card from a wrong code.
"""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import arriving, first_page, people, sessions
from vault.aftermath import AfterRecovery
from vault.context import Context
from vault.errors import AbriError, BadInput, Busy, MustWait, WrongSecret
from vault.refusals import PaperRefused
from vault.web.forms import Form, Sent
from vault.web.guards import anyone, context_of, session_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import COPY_COOKIE, Req, close_desk, fragment, go, page, session_cookie
from vault.web.uploads import in_square, in_thread, receive_frame, receive_photo

CODE_LOCK_SECONDS = 3600  # a wait longer than this is "come back tomorrow", a shorter one "wait a little"


def card_page(request: Req, *, faults: list[Fault] | None = None, status: int = 200) -> Response[str]:
    """K08, with the ways that this kiosk has."""
    return page(
        request, "kiosk/card.html", back="", status=status, equipment=here(request).equipment, faults=faults or [],
    )  # fmt: skip


@get("/{language:str}/carte", opt=anyone(), sync_to_thread=True)
def show_card(request: Req) -> Response[str]:
    """K08: put the card in front of the camera, or of the reader, or give a photo of it."""
    return card_page(request)


@get("/{language:str}/carte/autrement", opt=anyone(), sync_to_thread=True)
def other_ways(request: Req) -> Response[str]:
    """It does not work: a photo of the card, five words, a guardian."""
    return page(request, "kiosk/card_otherwise.html", back="carte", faults=[])


@post("/{language:str}/carte", opt=anyone(), sync_to_thread=True)
def read_card(request: Req, form: Sent) -> Response[Any]:
    """From the USB reader, which types like a keyboard."""
    try:
        cookie = people.present_card(context_of(request), here(request).id, form.need("card"))
    except (WrongSecret, BadInput):
        return card_page(request, faults=[Fault("error.card-unreadable", "card")], status=422)
    return go(request, "code", cookie=cookie)


def present_in_picture(context: Context, kiosk: str | None, picture: bytes) -> str:
    """The cookie of the first card in a picture. WrongSecret when none of its squares is a card."""
    return in_square(context, picture, partial(people.present_card, context, kiosk))


@post("/{language:str}/carte/photo", opt=anyone(streams=True))
async def card_from_photo(request: Req) -> Response[Any]:
    """A photo of the card, as a file: works without camera and without script."""
    upload = await receive_photo(request)
    try:
        if not upload.files:
            raise WrongSecret
        cookie = await in_thread(present_in_picture, context_of(request), here(request).id, upload.contents[0])
    except (WrongSecret, PaperRefused):
        faults = [Fault("error.card-unreadable", "file")]
        return page(request, "kiosk/card_otherwise.html", back="carte", faults=faults, status=422)
    return go(request, "code", cookie=cookie)


@post("/{language:str}/carte/image", opt=anyone(streams=True))
async def card_from_camera(request: Req) -> Response[Any]:
    """One picture of the camera: 204 while there is no card in it, then where to go."""
    return await seen_by_camera(request, "code")


async def seen_by_camera(request: Req, following: str) -> Response[Any]:
    """What the camera's script is answered: nothing, or the cookie of the card that was shown and the page that follows."""
    picture = await receive_frame(request)
    try:
        cookie = await in_thread(present_in_picture, context_of(request), here(request).id, picture)
    except (WrongSecret, PaperRefused):
        return Response(None, status_code=204)
    await in_thread(close_desk, request)
    answer = Response({"next": fragment(request, following)}, status_code=200)
    answer.set_cookie(session_cookie(cookie))
    return answer


def secret_page(
    request: Req,
    template: str,
    *,
    base: str = "",
    status: int = 200,
    faults: list[Fault] | None = None,
    heading: str = "k09.title",
) -> Response[str]:
    """K09 by digits or by pictures; `base` is where it is asked. The way back leads to the card, also to another one."""
    back = f"{base.rstrip('/')}?encore=1" if base else "carte"
    return page(request, template, back=back, status=status, faults=faults or [], base=base, heading=heading)


@get("/{language:str}/code", opt=who("card", "person", inside="maison"), sync_to_thread=True)
def code(request: Req) -> Response[Any]:
    """K09: six digits. Whoever is inside already, and came Back, is led in again."""
    return secret_page(request, "kiosk/code.html") if signed_in(request).kind == "card" else go(request, "maison")


@get("/{language:str}/images", opt=who("card", "person", inside="maison"), sync_to_thread=True)
def pictures(request: Req) -> Response[Any]:
    """K09 by pictures; the same."""
    return secret_page(request, "kiosk/pictures.html") if signed_in(request).kind == "card" else go(request, "maison")


def refused(request: Req, error: AbriError, again: str) -> Response[str]:
    """K09b and K09c: it did not work, or it is locked for now. Never which part was wrong. What waits after a recovery says so itself."""
    if isinstance(error, AfterRecovery):
        raise error
    status = {WrongSecret: 401, MustWait: 429, Busy: 503}.get(type(error), 401)
    locked = isinstance(error, MustWait) and error.seconds > CODE_LOCK_SECONDS
    waits = isinstance(error, MustWait) and not locked
    template = "kiosk/locked.html" if locked else "kiosk/wrong.html"
    session = session_of(request)
    outside = session is None or session.kind == "card"  # whoever is inside has nothing to unblock
    return page(
        request, template, status=status, again=fragment(request, again), waits=waits, busy=isinstance(error, Busy),
        outside=outside,
    )  # fmt: skip


def picked_pictures(form: Form) -> list[int]:
    """The five pictures of the pad, by their numbers."""
    values = [form.get(f"picture_{number}") for number in range(1, 6)]
    if not all(value.isascii() and value.isdigit() and int(value) < 16 for value in values):
        raise BadInput("pictures", "error.pictures-count")
    return [int(value) for value in values]


def arrived(request: Req, cookie: str) -> Response[Any]:
    """After a right secret: what waited for this unlock is done, then the first page."""
    context = context_of(request)
    session = sessions.find(context, cookie)
    first_page.came(context, session, len(arriving.at_unlock(context, session).new_papers))
    return go(request, "copie" if COPY_COOKIE in request.cookies else "maison", cookie=cookie)


@post("/{language:str}/code", opt=who("card", "person", inside="maison"), sync_to_thread=True)
def type_code(request: Req, form: Sent) -> Response[Any]:
    """The code, once the card was shown."""
    if signed_in(request).kind == "person":
        return go(request, "maison")
    try:
        return arrived(request, people.unlock(context_of(request), signed_in(request), form.get("code")))
    except BadInput:
        return secret_page(request, "kiosk/code.html", status=422, faults=[Fault("error.code-digits", "code")])
    except (WrongSecret, MustWait, Busy) as error:
        return refused(request, error, "code")


@post("/{language:str}/images", opt=who("card", "person", inside="maison"), sync_to_thread=True)
def touch_pictures(request: Req, form: Sent) -> Response[Any]:
    """The five pictures, once the card was shown."""
    if signed_in(request).kind == "person":
        return go(request, "maison")
    try:
        return arrived(request, people.unlock_with_pictures(context_of(request), signed_in(request), picked_pictures(form)))
    except BadInput:
        return secret_page(request, "kiosk/pictures.html", status=422, faults=[Fault("error.pictures-count", None)])
    except (WrongSecret, MustWait, Busy) as error:
        return refused(request, error, "images")


@get("/{language:str}/mots", opt=anyone(), sync_to_thread=True)
def words(request: Req) -> Response[str]:
    """The account number, from its slip, and five words."""
    return words_page(request, "mots", [])


WORDS = {"mots": ("k08b.title", "carte/autrement"), "annuler/mots": ("k20.cancel_words", "annuler")}
"""Where a number and five words are asked: under which question, and where the way back leads."""


def words_page(request: Req, place: str, faults: list[Fault], status: int = 200, number: str = "") -> Response[str]:
    """The number and the five words, at one of those places. The number, which is long, stays."""
    heading, back = WORDS[place]
    return page(
        request, "kiosk/words.html", back=back, status=status, faults=faults, number=number, action=place, heading=heading
    )  # fmt: skip


def words_fault(error: WrongSecret | BadInput) -> tuple[list[Fault], int]:
    """What is said of a number and five words, and its status: which of the two is wrong is not told."""
    if isinstance(error, BadInput):
        return [Fault("error.number" if error.field == "number" else "error.words-count", error.field)], 422
    return [Fault(error.sentence, "words")], 401


@post("/{language:str}/mots", opt=anyone(), sync_to_thread=True)
def type_words(request: Req, form: Sent) -> Response[Any]:
    """Open with the number and the words."""
    typed = " ".join(form.get("words").split())
    try:
        return arrived(request, people.unlock_with_words(context_of(request), here(request).id, form.need("number"), typed))
    except (WrongSecret, BadInput) as error:
        return words_page(request, "mots", *words_fault(error), form.get("number"))
    except (MustWait, Busy) as error:
        return refused(request, error, "mots")


@get("/{language:str}/aide/code-oublie", opt=anyone(), sync_to_thread=True)
def forgotten(request: Req) -> Response[str]:
    """The code is forgotten: words, or guardians. The safe is not lost, and the card that was shown says which one it is."""
    return page(request, "kiosk/forgotten.html", back="code" if session_of(request) else "")


ROUTES: list[ControllerRouterHandler] = [
    show_card, other_ways, read_card, card_from_photo, card_from_camera, code, pictures, type_code, touch_pictures, words,
    type_words, forgotten,
]  # fmt: skip
