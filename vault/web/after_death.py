"""After a death, at a kiosk: what one wants said beforehand, and the person named who comes for the papers with two guardians."""

from contextlib import suppress
from typing import Any

from litestar import Response, get, post
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from vault import adding, directives, handing, parcels, recovery
from vault.errors import BadInput, Busy, MustWait, NotThere, TicketGone, WrongSecret
from vault.restricting import Restricted
from vault.web.forms import Sent
from vault.web.guards import anyone, context_of, signed_in, who
from vault.web.home import secret_fault, secret_of
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, go, language_of, page
from vault.web.squares import square
from vault.web.taking_away import sent
from vault.web.unlock import refused

SAID = {"note": "directive.saved", "rien": "directive.unsaid"}


# --- What one wants ---------------------------------------------------------------------------------------------------------


@get("/{language:str}/droits/apres", opt=who("person"), sync_to_thread=True)
def wanted(request: Req) -> Response[str]:
    """What was said, if anything, and three choices."""
    found = directives.mine(context_of(request), signed_in(request))
    said = SAID.get(request.query_params.get("dit", ""), "")
    return page(request, "kiosk/directive.html", back="droits/autres", found=found, said=said)


@get("/{language:str}/droits/apres/effacer", opt=who("person"), sync_to_thread=True)
def erase_page(request: Req) -> Response[str]:
    """The code, once more."""
    return page(
        request, "kiosk/ask_code.html", back="droits/apres", faults=[], action="droits/apres/effacer", heading="directive.erase",
        text="directive.erase_text",
    )  # fmt: skip


@post("/{language:str}/droits/apres/effacer", opt=who("person"), sync_to_thread=True)
def erase(request: Req, form: Sent) -> Response[Any]:
    """Everything is to be erased, a year after."""
    try:
        directives.record(context_of(request), signed_in(request), secret_of(form), directives.Wish("erase"))
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return refused(request, error, "droits/apres/effacer")
    return go(request, "droits/apres?dit=note")


@get("/{language:str}/droits/apres/donner", opt=who("person"), sync_to_thread=True)
def hand_page(request: Req) -> Response[str]:
    """To whom, and how they are recognised."""
    return _hand_page(request, [], {"name": "", "note": ""})


def _hand_page(request: Req, faults: list[Fault], typed: dict[str, str], status: int = 200) -> Response[str]:
    return page(request, "kiosk/directive_hand.html", status=status, back="droits/apres", faults=faults, typed=typed)


@post("/{language:str}/droits/apres/donner", opt=who("person"), sync_to_thread=True)
def hand(request: Req, form: Sent) -> Response[Any]:
    """A copy is to be handed to somebody."""
    typed = {"name": form.get("name"), "note": form.get("note")}
    try:
        wish = directives.checked("hand", **typed)
    except BadInput as error:
        return _hand_page(request, [Fault(error.shown, error.field)], typed, 422)
    try:
        directives.record(context_of(request), signed_in(request), secret_of(form), wish)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        faults, status = secret_fault(request, error)
        return _hand_page(request, faults, typed, status)
    return go(request, "droits/apres?dit=note")


@post("/{language:str}/droits/apres/rien", opt=who("person"), sync_to_thread=True)
def nothing(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Nothing is said any more."""
    with suppress(NotThere):  # two clicks take it back once
        directives.revoke(context_of(request), signed_in(request))
    return go(request, "droits/apres?dit=rien")


# --- The person named ---------------------------------------------------------------------------------------------------------


@get("/{language:str}/apres-un-deces", opt=anyone(), sync_to_thread=True)
def begin_page(request: Req) -> Response[str]:
    """The number that the office gave."""
    return page(request, "kiosk/after.html", back="aide", faults=[], number="")


@post("/{language:str}/apres-un-deces", opt=anyone(), sync_to_thread=True)
def begin(request: Req, form: Sent) -> Response[Any]:
    """A number that is nobody's, too early or too late: the same answer."""
    try:
        started = handing.start(context_of(request), here(request).id or "", form.get("number"))
    except (BadInput, NotThere, Restricted) as error:
        sentence = {BadInput: "error.kiosk-needed", NotThere: "after.not_now"}.get(type(error), error.sentence)
        faults = [Fault(sentence, "number")]
        return page(request, "kiosk/after.html", status=422, back="aide", faults=faults, number=form.get("number"))
    return go(request, "apres-un-deces/attente", cookie=started.cookie)


@get("/{language:str}/apres-un-deces/attente", opt=who("recovering"), sync_to_thread=True)
def waiting(request: Req) -> Response[str]:
    """The code to say to those who were trusted, and how many have answered."""
    context, session = context_of(request), signed_in(request)
    progress, ready = recovery.state(context, session), handing.ready(context, session)
    return page(request, "kiosk/after_waiting.html", back="apres-un-deces", progress=progress, ready=ready)


@post("/{language:str}/apres-un-deces/attente", opt=who("recovering"), sync_to_thread=True)
def go_on(request: Req, form: Sent) -> Response[Any]:
    """Open what may be taken; or another code, when ten minutes are over."""
    context, session = context_of(request), signed_in(request)
    if form.get("act") == "open":
        return go(request, "apres-un-deces/papiers", cookie=handing.finish(context, session))
    recovery.new_code(context, session)
    return go(request, "apres-un-deces/attente")


@get("/{language:str}/apres-un-deces/feuille", opt=who("recovering"), sync_to_thread=True)
def sheet_page(request: Req) -> Response[str]:
    """A friend of the person's keeps a rescue sheet: its digits."""
    return page(request, "kiosk/after_sheet.html", back="apres-un-deces/attente", faults=[], typed="")


@post("/{language:str}/apres-un-deces/feuille", opt=who("recovering"), sync_to_thread=True)
def sheet(request: Req, form: Sent) -> Response[Any]:
    """The forty digits."""
    try:
        recovery.with_sheet(context_of(request), signed_in(request), form.get("sheet"))
    except WrongSecret:
        faults = [Fault("error.sheet", "sheet")]
        back, typed = "apres-un-deces/attente", form.get("sheet")
        return page(request, "kiosk/after_sheet.html", status=422, back=back, faults=faults, typed=typed)
    return go(request, "apres-un-deces/attente")


@get("/{language:str}/apres-un-deces/papiers", opt=who("named"), sync_to_thread=True)
def take_page(request: Req) -> Response[str]:
    """How many papers there are, and two ways to take them."""
    return _take_page(request, "")


def _take_page(request: Req, ready: str) -> Response[str]:
    count, _ = parcels.weight(context_of(request), signed_in(request))
    return page(request, "kiosk/after_take.html", count=count, ready=ready)


@post("/{language:str}/apres-un-deces/papiers", opt=who("named"), sync_to_thread=True)
def take(request: Req, form: Sent) -> Response[Any]:
    """Everything is packed in this instant."""
    context, session = context_of(request), signed_in(request)
    way: parcels.Way = "phone" if form.get("way") == "phone" else "usb"
    made = parcels.pack(context, session, way, language_of(request))
    if way == "phone":
        adding.show_square(context, session, made)
    return _take_page(request, way)


@get("/{language:str}/apres-un-deces/fichier", opt=who("named", leaves=True), sync_to_thread=True)
def download(request: Req) -> Stream | Response[None]:
    """The file, whole, or from where a download was cut."""
    return sent(request, parcels.waiting(context_of(request), signed_in(request)))


@get("/{language:str}/apres-un-deces/carre", opt=who("named"), sync_to_thread=True)
def phone_square(request: Req) -> Response[bytes]:
    """The square for a telephone; NotThere before it was asked for."""
    try:
        shown = adding.square(context_of(request), signed_in(request), "parcel")
    except TicketGone:
        raise NotThere from None
    return square(request, f"tel-tout/{shown.secret}")


ROUTES: list[ControllerRouterHandler] = [
    wanted, erase_page, erase, hand_page, hand, nothing, begin_page, begin, waiting, go_on, sheet_page, sheet, take_page, take,
    download, phone_square,
]  # fmt: skip
