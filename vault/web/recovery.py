"""K23 and after: the card is lost, the code is forgotten, or somebody took them. The safe comes back with its guardians."""

from contextlib import suppress
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from crypto.printed import card_text
from vault import coming_back, people, recovery, sessions
from vault import waiting as waiting_day
from vault.context import Context
from vault.errors import AbriError, AlreadyKnown, BadInput, Conflict, NotThere, WeakSecret, WrongSecret
from vault.opening import check_chosen
from vault.refusals import PaperRefused
from vault.sessions import Session
from vault.web.forms import Form, Sent
from vault.web.guards import anyone, context_of, session_of, signed_in, who
from vault.web.new_secret import NewSecret
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, closed, end_session, fragment, go, page, session_cookie
from vault.web.unlock import picked_pictures
from vault.web.uploads import in_square, in_thread, receive_frame, receive_photo

PLACE = "recovery-page"  # what this page keeps in the recovering session: the chosen new code


def _what_is_lost(request: Req) -> recovery.Reason:
    """The card, or the code alone (`?oubli=code`, from the page of a forgotten code)."""
    return "forgotten" if request.query_params.get("oubli") == "code" else "lost"


@get("/{language:str}/perdu", opt=anyone(), sync_to_thread=True)
def lost(request: Req) -> Response[str]:
    """K23: it is not grave. Where are the guardians?"""
    return page(request, "kiosk/lost.html", back="", reason=_what_is_lost(request))


@get("/{language:str}/perdu/je-ne-sais-plus", opt=anyone(), sync_to_thread=True)
def who_were_they(request: Req) -> Response[str]:
    """The guardians themselves have the person in their list: ask the desks where one goes."""
    return page(request, "kiosk/lost_forgot.html", back="perdu")


@get("/{language:str}/perdu/ailleurs", opt=anyone(), sync_to_thread=True)
def elsewhere(request: Req) -> Response[str]:
    """They answer from their own desks: the safe opens the day after, and whoever comes back with the new card begins here too."""
    return page(request, "kiosk/lost_elsewhere.html", back="perdu", reason=_what_is_lost(request))


@get("/{language:str}/perdu/plus-rien", opt=anyone(), sync_to_thread=True)
def nothing_left(request: Req) -> Response[str]:
    """No means and nobody: nobody opens, and what one can still do. Papers wait a year at least (law, R30)."""
    return page(request, "kiosk/lost_last.html", back="perdu/je-ne-sais-plus")


@get("/{language:str}/perdu/plus-rien/qui", opt=anyone(), sync_to_thread=True)
def who_received(request: Req) -> Response[str]:
    """Who had received copies: what the card alone shows, and what is done where there is no card (ADR 0065)."""
    return page(request, "kiosk/lost_who.html", back="perdu/plus-rien")


@get("/{language:str}/perdu/plus-rien/effacer", opt=anyone(), sync_to_thread=True)
def erase_what_is_lost(request: Req) -> Response[str]:
    """Whom to ask for the erasure of a safe that nobody opens."""
    contact = context_of(request).settings.contact
    return page(request, "kiosk/lost_erase.html", back="perdu/plus-rien", contact=contact)


@get("/{language:str}/perdu/raison/{reason:str}", opt=anyone(), sync_to_thread=True)
def begin_page(request: Req, reason: FromPath[str]) -> Response[str]:
    """Before the code is made: the card that is there, a number, or neither."""
    return _begin_page(request, _reason(reason), [])


def _begin_page(
    request: Req, reason: recovery.Reason, faults: list[Fault], form: Form | None = None, status: int = 200
) -> Response[str]:
    shown, typed = _card_shown(request) is not None, form.get("number") if form else ""
    return page(
        request, "kiosk/lost_begin.html", status=status, back="perdu", reason=reason, faults=faults, shown=shown, number=typed,
        with_card=form is None or form.has("card"),
    )  # fmt: skip


def _card_shown(request: Req) -> str | None:
    """The card that was shown at this kiosk just now: it says which safe it is, and needs no code for that."""
    session = session_of(request)
    if session is None or session.kind != "card":
        return None
    return card_text(people.card_of(context_of(request), session))


def _reason(text: str) -> recovery.Reason:
    for reason in recovery.REASONS:
        if reason == text:
            return reason
    raise BadInput("reason")


@post("/{language:str}/perdu/commencer", opt=anyone(), sync_to_thread=True)
def begin(request: Req, form: Sent) -> Response[Any]:
    """The kiosk's code is made. A number or a card that nobody has looks like any other."""
    reason, number = _reason(form.get("reason")), form.get("number").strip() or None
    card = _card_shown(request) if form.has("card") else None
    if card is not None and reason == "lost":
        reason = "forgotten"  # the card is here: the code is what is missing
    try:
        started = recovery.start(context_of(request), here(request).id or "", reason, card=card, number=number)
    except BadInput as error:
        faults = [Fault("error.kiosk-needed")] if error.field == "kiosk" else [Fault("error.number", "number")]
        return _begin_page(request, reason, faults, form, 422)
    return go(request, "perdu/attente", cookie=started.cookie)


@get("/{language:str}/perdu/attente", opt=who("recovering"), sync_to_thread=True)
def waiting(request: Req) -> Response[Any]:
    """The code to say aloud, and how many have answered. The page looks again by itself every ten seconds."""
    progress = recovery.state(context_of(request), signed_in(request))
    if progress.ready or progress.must_wait:
        return go(request, "perdu/code")
    return page(request, "kiosk/lost_waiting.html", back="perdu", progress=progress)


@post("/{language:str}/perdu/autre-code", opt=who("recovering"), sync_to_thread=True)
def another_code(request: Req, form: Sent) -> Redirect:  # noqa: ARG001 — the token has been compared
    """Ten minutes are over: another code, the same recovery."""
    recovery.new_code(context_of(request), signed_in(request))
    return go(request, "perdu/attente")


@get("/{language:str}/perdu/feuille", opt=who("recovering"), sync_to_thread=True)
def sheet(request: Req) -> Response[str]:
    """A rescue sheet: its digits, or a photo of its square."""
    return page(request, "kiosk/lost_sheet.html", back="perdu/attente", faults=[], typed="")


def _sheet_refused(request: Req, typed: str = "") -> Response[str]:
    """Forty digits are long to type: they stand there again, so that the wrong one can be found."""
    faults = [Fault("error.sheet", "sheet")]
    return page(request, "kiosk/lost_sheet.html", status=422, back="perdu/attente", faults=faults, typed=typed)


@post("/{language:str}/perdu/feuille", opt=who("recovering"), sync_to_thread=True)
def type_sheet(request: Req, form: Sent) -> Response[Any]:
    """The forty digits of a sheet."""
    try:
        recovery.with_sheet(context_of(request), signed_in(request), form.need("sheet"))
    except (WrongSecret, BadInput):
        return _sheet_refused(request, form.get("sheet"))
    return go(request, "perdu/attente")


def _sheets_in(context: Context, session: Session, picture: bytes) -> None:
    in_square(context, picture, partial(recovery.with_sheet, context, session))


@post("/{language:str}/perdu/feuille/photo", opt=who("recovering", streams=True))
async def photo_of_sheet(request: Req) -> Response[Any]:
    """The square of a sheet, as a photo."""
    upload = await receive_photo(request)
    try:
        if not upload.files:
            raise WrongSecret
        await in_thread(_sheets_in, context_of(request), signed_in(request), upload.contents[0])
    except (WrongSecret, PaperRefused):
        return await in_thread(_sheet_refused, request)
    return go(request, "perdu/attente")


def _write(request: Req, **values: Any) -> None:
    session = signed_in(request)
    with context_of(request).database.transaction() as connection:
        state = sessions.read_state(connection, session)
        state[PLACE] = values
        sessions.write_state(connection, session, state)


def _chosen(request: Req) -> str | list[int]:
    session = signed_in(request)
    with context_of(request).database.transaction(read_only=True) as connection:
        kept = sessions.read_state(connection, session, hold=False).get(PLACE)
    if not isinstance(kept, dict):
        raise Conflict
    secret = kept["chosen"]
    return [int(str(one)) for one in secret] if isinstance(secret, list) else str(secret)


def _ready(request: Req) -> recovery.Progress:
    progress = recovery.state(context_of(request), signed_in(request))
    if not (progress.ready or progress.must_wait):
        raise Conflict
    return progress


NEW = NewSecret("perdu", back="perdu/attente")


@get("/{language:str}/perdu/code", opt=who("recovering"), sync_to_thread=True)
def new_code(request: Req) -> Response[str]:
    """A new code, typed twice."""
    _ready(request)
    return NEW.code(request)


@post("/{language:str}/perdu/code", opt=who("recovering"), sync_to_thread=True)
def choose_code(request: Req, form: Sent) -> Response[Any]:
    """First time: strong enough? Second time: the same?"""
    _ready(request)
    typed, again = form.get("code"), form.get("again") == "yes"
    try:
        if again and _chosen(request) != typed:
            raise BadInput("code", "error.code-different")
        check_chosen(typed)
    except (WeakSecret, BadInput) as error:
        return NEW.code(request, error)
    _write(request, chosen=typed)
    return go(request, "perdu/carte") if again else NEW.code(request, again=True)


@get("/{language:str}/perdu/images", opt=who("recovering"), sync_to_thread=True)
def new_pictures(request: Req) -> Response[str]:
    """Five pictures instead."""
    _ready(request)
    return NEW.pictures(request)


@post("/{language:str}/perdu/images", opt=who("recovering"), sync_to_thread=True)
def choose_pictures(request: Req, form: Sent) -> Response[Any]:
    """Touched twice, in the same order."""
    _ready(request)
    again = form.get("again") == "yes"
    try:
        picked = picked_pictures(form)
        if again and _chosen(request) != picked:
            raise BadInput("pictures", "error.pictures-different")
        check_chosen(picked)
    except (WeakSecret, BadInput) as error:
        return NEW.pictures(request, error)
    _write(request, chosen=picked)
    return go(request, "perdu/carte") if again else NEW.pictures(request, again=True)


def _card_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    equipment = here(request).equipment
    return page(request, "kiosk/lost_card.html", back="perdu/code", status=status, faults=faults, equipment=equipment)


@get("/{language:str}/perdu/carte", opt=who("recovering"), sync_to_thread=True)
def new_card(request: Req) -> Response[str]:
    """A new card from the printed sheet."""
    _ready(request)
    return _card_page(request, [])


def _come_back(request: Req, card: str) -> tuple[str, str | None]:
    """Where to go, and the cookie that follows: back in at once, or tomorrow."""
    context, session, secret = context_of(request), signed_in(request), _chosen(request)
    if _ready(request).ready:
        return "maison", coming_back.finish(context, session, card, secret)
    coming_back.wait(context, session, card, secret)
    return "perdu/demain", None


def _card_fault(error: AbriError | PaperRefused) -> list[Fault]:
    return [Fault("error.card-taken" if isinstance(error, AlreadyKnown) else "error.card-unreadable", "card")]


@post("/{language:str}/perdu/carte", opt=who("recovering"), sync_to_thread=True)
def take_card(request: Req, form: Sent) -> Response[Any]:
    """The new card, by the USB reader."""
    try:
        where, cookie = _come_back(request, form.need("card"))
    except (WrongSecret, AlreadyKnown, BadInput) as error:
        return _card_page(request, _card_fault(error), 422)
    return go(request, where, cookie=cookie)


def _card_in(request: Req, picture: bytes) -> tuple[str, str | None]:
    return in_square(context_of(request), picture, partial(_come_back, request), (WrongSecret, BadInput))


@post("/{language:str}/perdu/carte/photo", opt=who("recovering", streams=True))
async def photo_of_card(request: Req) -> Response[Any]:
    """The new card, as a photo."""
    upload = await receive_photo(request)
    try:
        if not upload.files:
            raise WrongSecret
        where, cookie = await in_thread(_card_in, request, upload.contents[0])
    except (WrongSecret, AlreadyKnown, PaperRefused) as error:
        return await in_thread(_card_page, request, _card_fault(error), 422)
    return go(request, where, cookie=cookie)


@post("/{language:str}/perdu/carte/image", opt=who("recovering", streams=True))
async def card_by_camera(request: Req) -> Response[Any]:
    """The new card, by the camera."""
    picture = await receive_frame(request)
    try:
        where, cookie = await in_thread(_card_in, request, picture)
    except (WrongSecret, PaperRefused):
        return Response(None, status_code=204)
    answer = Response({"next": fragment(request, where)}, status_code=200)
    if cookie:
        answer.set_cookie(session_cookie(cookie))
    return answer


@get("/{language:str}/perdu/demain", opt=anyone(), sync_to_thread=True)
def tomorrow(request: Req) -> Response[str]:
    """Nobody of trust was beside the person: it opens in 24 hours, with the new card and code."""
    end_session(request)
    return closed(request, "kiosk/lost_tomorrow.html")


# --- Inside, while somebody waits to come back with another card -------------------------------------------------------------


@get("/{language:str}/reouverture", opt=who("person"), sync_to_thread=True)
def comes_back(request: Req) -> Response[Any]:
    """Somebody asked for a new card, and it opens tomorrow: is it you?"""
    if waiting_day.opens(context_of(request), signed_in(request)) is None:
        return go(request, "maison")
    return page(request, "kiosk/comes_back.html", back="maison")


@post("/{language:str}/reouverture", opt=who("person"), sync_to_thread=True)
def stop_coming_back(request: Req, form: Sent) -> Redirect:  # noqa: ARG001 — the token has been compared
    """It ends: the other card will open nothing. What ended meanwhile is not asked again."""
    with suppress(NotThere):
        waiting_day.stop(context_of(request), signed_in(request))
    return go(request, "maison")


ROUTES: list[ControllerRouterHandler] = [
    lost, who_were_they, nothing_left, elsewhere, who_received, erase_what_is_lost, begin_page, begin, waiting,
    another_code, sheet, type_sheet, photo_of_sheet, new_code, choose_code,
    new_pictures, choose_pictures, new_card, take_card, photo_of_card, card_by_camera, tomorrow,
    comes_back, stop_coming_back,
]  # fmt: skip
