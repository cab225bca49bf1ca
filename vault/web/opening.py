"""Opening a safe, in the order of a morning of ten: five things to know, a name, a drawing, a code, somebody of trust, a card.

Until the last step nothing is written but the session of this screen; "Pas aujourd'hui" leaves nothing at all.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.recipients import role
from vault import account_numbers, circles, conditions, once, people, printed, reviewing, sessions, typed, workers
from vault.errors import AbriError, AlreadyKnown, BadInput, NotThere, WeakSecret, WrongSecret
from vault.languages import FRENCH
from vault.opening import NAME_LETTERS
from vault.pictograms import DRAWINGS
from vault.refusals import PaperRefused
from vault.web.forms import Sent
from vault.web.guards import anyone, context_of, session_of, signed_in, who
from vault.web.new_secret import NewSecret
from vault.web.pages import Fault
from vault.web.paging import address, asked, leaf
from vault.web.place import here
from vault.web.shell import Req, closed, fragment, go, language_of, page, pdf, printing, session_cookie
from vault.web.unlock import picked_pictures
from vault.web.uploads import in_square, in_thread, receive_frame, receive_photo

DRAWINGS_A_PAGE = 9
GUARDIANS_A_PAGE = 2


@get("/{language:str}/ouvrir/avant/{number:int}", opt=anyone(), sync_to_thread=True)
def before(request: Req, number: FromPath[int]) -> Response[str]:
    """K03: one card a page, heard and read; the last one asks.

    `?entendu=3`: the first three were heard to their end, each said so to the next. Only who heard all five is written down as
    having heard: nothing is kept of anybody before their yes, so the address carries it.
    """
    if number not in conditions.CARDS:
        raise NotThere
    text = conditions.in_language(context_of(request).settings, request.app.state.pages.catalogues, language_of(request))
    heard_before = request.query_params.get("entendu", "0") == str(number - 1)
    back = "" if number == 1 else f"ouvrir/avant/{number - 1}" + (f"?entendu={number - 2}" if heard_before else "")
    return page(
        request, "kiosk/before.html", back=back, number=number, total=len(conditions.CARDS), text=text, heard_before=heard_before
    )  # fmt: skip


@post("/{language:str}/ouvrir/commencer", opt=anyone(), sync_to_thread=True)
def begin(request: Req, form: Sent) -> Response[Any]:
    """They have understood: the version that was shown is kept with the choices."""
    context, language = context_of(request), language_of(request)
    text = conditions.in_language(context.settings, request.app.state.pages.catalogues, language)
    conditions.publish(context, request.app.state.pages.catalogues[FRENCH.code])
    cookie = people.start_opening(context, here(request).id, language)
    opening = sessions.find(context, cookie)
    accepted = people.Accepted(
        text.version, text.sha256.hex(), language, form.get("heard") == "yes", form.get("interpreter") == "yes"
    )
    people.keep_choices(context, opening, replace(people.opening_choices(context, opening), accepted=accepted))
    return go(request, "ouvrir/nom", cookie=cookie)


@get("/{language:str}/ouvrir/pas-aujourdhui", opt=anyone(), sync_to_thread=True)
def not_today(request: Req) -> Response[str]:
    """A normal end, which leaves no row, no line, no file."""
    session = session_of(request)
    if session is not None and session.kind == "opening":
        people.not_today(context_of(request), session)
        request.scope["state"]["session"] = None
    return closed(request, "kiosk/not_today.html")


def _choices(request: Req) -> people.Choices:
    return people.opening_choices(context_of(request), signed_in(request))


def _keep(request: Req, **changed: Any) -> None:
    people.keep_choices(context_of(request), signed_in(request), replace(_choices(request), **changed))


@get("/{language:str}/ouvrir/nom", opt=who("opening"), sync_to_thread=True)
def name(request: Req) -> Response[str]:
    """K04: a first name or a nickname, or nothing."""
    return page(request, "kiosk/name.html", back="ouvrir/avant/5", faults=[], name=_choices(request).name or "")


@post("/{language:str}/ouvrir/nom", opt=who("opening"), sync_to_thread=True)
def give_name(request: Req, form: Sent) -> Response[Any]:
    """The name is theirs: any script, any length that fits on a card."""
    written = "" if form.has("skip") else form.get("name")
    try:
        _keep(request, name=typed.line_or_none(written, "name", NAME_LETTERS) or None)
    except BadInput as error:
        faults = [Fault(error.shown, "name")]
        return page(request, "kiosk/name.html", status=422, back="ouvrir/avant/5", faults=faults, name=written)
    return go(request, "ouvrir/dessin")


@get("/{language:str}/ouvrir/dessin", opt=who("opening"), sync_to_thread=True)
def drawing(request: Req) -> Response[str]:
    """A drawing, on two pages of nine."""
    first = request.query_params.get("suite") != "1"
    shown = DRAWINGS[:DRAWINGS_A_PAGE] if first else DRAWINGS[DRAWINGS_A_PAGE:]
    return page(request, "kiosk/drawing.html", back="ouvrir/nom", shown=shown, first=first)


@post("/{language:str}/ouvrir/dessin", opt=who("opening"), sync_to_thread=True)
def choose_drawing(request: Req, form: Sent) -> Response[Any]:
    """Any of the eighteen."""
    _keep(request, drawing=form.need("drawing"))
    return go(request, "ouvrir/code")


PLACE = NewSecret("ouvrir", back="ouvrir/dessin")


@get("/{language:str}/ouvrir/code", opt=who("opening"), sync_to_thread=True)
def code(request: Req) -> Response[str]:
    """K05: six digits, typed twice on two pages."""
    return PLACE.code(request)


@post("/{language:str}/ouvrir/code", opt=who("opening"), sync_to_thread=True)
def choose_code(request: Req, form: Sent) -> Response[Any]:
    """The first time it is checked, the second time it is compared."""
    typed, again = form.get("code"), form.get("again") == "yes"
    try:
        if again and _choices(request).code != typed:
            raise BadInput("code", "error.code-different")
        _keep(request, code=typed, pictures=None)
    except (WeakSecret, BadInput) as error:
        return PLACE.code(request, error)
    return go(request, "ouvrir/confiance") if again else PLACE.code(request, again=True)


@get("/{language:str}/ouvrir/images", opt=who("opening"), sync_to_thread=True)
def pictures(request: Req) -> Response[str]:
    """Five pictures instead of six digits."""
    return PLACE.pictures(request)


@post("/{language:str}/ouvrir/images", opt=who("opening"), sync_to_thread=True)
def choose_pictures(request: Req, form: Sent) -> Response[Any]:
    """Touched twice, in the same order."""
    again = form.get("again") == "yes"
    try:
        picked = tuple(picked_pictures(form))
        if again and _choices(request).pictures != picked:
            raise BadInput("pictures", "error.pictures-different")
        _keep(request, pictures=picked, code=None)
    except (WeakSecret, BadInput) as error:
        return PLACE.pictures(request, error)
    return go(request, "ouvrir/confiance") if again else PLACE.pictures(request, again=True)


@get("/{language:str}/ouvrir/confiance", opt=who("opening"), sync_to_thread=True)
def trust(request: Req) -> Response[str]:
    """K06: somebody who is there, or a sheet, or later."""
    known = workers.recipients(context_of(request), signed_in(request))
    shown = leaf([one for one in known if role(one.role).may_guard], asked(request), GUARDIANS_A_PAGE)
    return page(
        request, "kiosk/trust.html", back="ouvrir/code", shown=shown.items,
        more=address(request, "ouvrir/confiance", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@post("/{language:str}/ouvrir/confiance", opt=who("opening"), sync_to_thread=True)
def choose_trust(request: Req, form: Sent) -> Response[Any]:
    """One guardian today; the second comes next time."""
    choice = form.need("guardian")
    _keep(request, guardian=None if choice in ("sheet", "later") else choice, wants_sheet=choice == "sheet")
    return go(request, "ouvrir/carte")


def _card_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(
        request, "kiosk/new_card.html", back="ouvrir/confiance", status=status, faults=faults, equipment=here(request).equipment
    )


@get("/{language:str}/ouvrir/carte", opt=who("opening"), sync_to_thread=True)
def card(request: Req) -> Response[str]:
    """K07: a card from the printed sheet becomes theirs by being shown."""
    return _card_page(request, [])


def _with_card(request: Req, text: str) -> str:
    """Keep the card, open the safe, form the circle of today. Gives the cookie of the session that follows."""
    context, opening = context_of(request), signed_in(request)
    people.keep_choices(context, opening, replace(people.opening_choices(context, opening), card=text))
    chosen = people.opening_choices(context, opening)
    opened = people.open_safe(context, opening)
    session = sessions.find(context, opened.cookie)
    sheets: tuple[circles.PrintedSheet, ...] = ()
    if opened.guardian or opened.wants_sheet:
        member: circles.Chosen = circles.NewSheet("1")
        if opened.guardian:
            member = circles.GuardianWorker(opened.guardian, chosen.name or "", chosen.drawing or "")
        secret = chosen.code if chosen.code is not None else chosen.pictures or ()
        sheets = circles.set_circle(context, session, secret, [member], needed=2).sheets
    once.keep(context, session, number=opened.number, words=opened.words, sheets=[sheet.secret for sheet in sheets])
    return opened.cookie


def _card_fault(error: AbriError | PaperRefused) -> Fault:
    return Fault("error.card-taken" if isinstance(error, AlreadyKnown) else "error.card-unreadable", "card")


@post("/{language:str}/ouvrir/carte", opt=who("opening"), sync_to_thread=True)
def take_card(request: Req, form: Sent) -> Response[Any]:
    """The card read by the USB reader."""
    try:
        cookie = _with_card(request, form.need("card"))
    except (WrongSecret, AlreadyKnown, BadInput) as error:
        return _card_page(request, [_card_fault(error)], 422)
    return go(request, "ouvrir/feuillet", cookie=cookie)


def _read_and_open(request: Req, picture: bytes) -> str:
    return in_square(context_of(request), picture, partial(_with_card, request))


@post("/{language:str}/ouvrir/carte/photo", opt=who("opening", streams=True))
async def photo_of_card(request: Req) -> Response[Any]:
    """The card photographed by the camera, or given as a file."""
    upload = await receive_photo(request)
    try:
        if not upload.files:
            raise WrongSecret
        cookie = await in_thread(_read_and_open, request, upload.contents[0])
    except (WrongSecret, AlreadyKnown, PaperRefused) as error:
        return await in_thread(_card_page, request, [_card_fault(error)], 422)
    return go(request, "ouvrir/feuillet", cookie=cookie)


@post("/{language:str}/ouvrir/carte/image", opt=who("opening", streams=True))
async def card_by_camera(request: Req) -> Response[Any]:
    """One picture of the camera: 204 while there is no card in it, 409 for a card that is somebody's."""
    picture = await receive_frame(request)
    try:
        cookie = await in_thread(_read_and_open, request, picture)
    except (WrongSecret, PaperRefused):
        return Response(None, status_code=204)
    answer = Response({"next": fragment(request, "ouvrir/feuillet")}, status_code=200)
    answer.set_cookie(session_cookie(cookie))
    return answer


@get("/{language:str}/ouvrir/feuillet", opt=who("person"), sync_to_thread=True)
def slip(request: Req) -> Response[Any]:
    """The number, the words, the sheet: told once. Kept elsewhere than the card."""
    told = once.told(context_of(request), signed_in(request))
    if not told:
        return go(request, "maison")
    number = account_numbers.shown(told.number) if told.number else ""
    return page(request, "kiosk/slip.html", told=told, number=number, printer=here(request).equipment.printer)


@get("/{language:str}/ouvrir/feuillet/imprimer", opt=who("person", leaves=True), sync_to_thread=True)
def print_slip(request: Req) -> Response[bytes]:
    """The slip as a PDF to print."""
    told = once.told(context_of(request), signed_in(request))
    if not told.number:
        raise NotThere
    return pdf(request, printed.number_slip(told.number, told.words or None, printing(request)))


@get("/{language:str}/ouvrir/feuille-de-secours/{number:int}", opt=who("person", leaves=True), sync_to_thread=True)
def print_sheet(request: Req, number: FromPath[int]) -> Response[bytes]:
    """A rescue sheet as a PDF to print and to give to somebody sure."""
    sheets = once.told(context_of(request), signed_in(request)).sheets
    if not 1 <= number <= len(sheets):
        raise NotThere
    return pdf(request, printed.rescue_sheet(sheets[number - 1], printing(request)))


@post("/{language:str}/ouvrir/feuillet", opt=who("person"), sync_to_thread=True)
def have_slip(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """They have it: what was told once is forgotten here."""
    once.forget(context_of(request), signed_in(request))
    return go(request, "proteger/revue" if reviewing.standing(context_of(request), signed_in(request)).asked else "maison")


ROUTES: list[ControllerRouterHandler] = [
    before, begin, not_today, name, give_name, drawing, choose_drawing, code, choose_code, pictures, choose_pictures, trust,
    choose_trust, card, take_card, photo_of_card, card_by_camera, slip, print_slip, print_sheet, have_slip,
]  # fmt: skip
