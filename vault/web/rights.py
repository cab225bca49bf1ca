"""What the law gives to a person, at the kiosk: take everything, know what is held, ask, erase. Each is one choice of one page."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import conditions, directives, erasure, held, people, restricting, retaining, rights
from vault.errors import BadInput, Busy, Conflict, MustWait, NotThere, WrongSecret
from vault.languages import FRENCH
from vault.rights import ASKED_BY_A_PERSON
from vault.settings import today_in_paris
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.home import secret_fault, secret_of
from vault.web.pages import Fault
from vault.web.shell import Req, go, language_of, page


@get("/{language:str}/droits", opt=who("person"), sync_to_thread=True)
def mine(request: Req) -> Response[str]:
    """Take, know, erase; and the rest. That nothing may be erased or shown meanwhile is said first."""
    held_back = restricting.state(context_of(request), signed_in(request))
    lifted = request.query_params.get("dit") == "repris" and not held_back
    return page(request, "kiosk/rights.html", back="moi/autres", held_back=held_back, lifted=lifted)


@get("/{language:str}/droits/rien-ne-bouge", opt=who("person"), sync_to_thread=True)
def restricted(request: Req) -> Response[Any]:
    """Article 18: what it means, and the code that ends it for whoever asked for it."""
    return _restricted(request, [])


def _restricted(request: Req, faults: list[Fault], status: int = 200) -> Response[Any]:
    state = restricting.state(context_of(request), signed_in(request))
    if not state:
        return go(request, "droits")
    return page(request, "kiosk/restricted.html", status=status, back="droits", state=state, faults=faults)


@post("/{language:str}/droits/rien-ne-bouge", opt=who("person"), sync_to_thread=True)
def lift(request: Req, form: Sent) -> Response[Any]:
    """The person ends what they asked for."""
    try:
        restricting.lift(context_of(request), signed_in(request), secret_of(form))
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return _restricted(request, *secret_fault(request, error))
    except Conflict:  # a second tap, or a judge's order by now: how it stands
        return _restricted(request, [])
    return go(request, "droits?dit=repris")


@get("/{language:str}/droits/autres", opt=who("person"), sync_to_thread=True)
def more(request: Req) -> Response[str]:
    """Ask the association, bring a copy in, join two safes."""
    return page(request, "kiosk/rights_more.html", back="droits")


@get("/{language:str}/ce-qu-abri-sait", opt=who("person"), sync_to_thread=True)
def known(request: Req) -> Response[str]:
    """Article 15 on one page: what is held, why, how long, who received it, where to complain."""
    return page(request, "kiosk/held.html", back="droits", **_known(request))


@get("/{language:str}/ce-qu-abri-sait/imprimer", opt=who("person"), sync_to_thread=True)
def known_on_paper(request: Req) -> Response[str]:
    """The same for paper."""
    today = today_in_paris(context_of(request).clock())
    return page(request, "printed/held.html", today=today, **_known(request))


def _known(request: Req) -> dict[str, Any]:
    context, session = context_of(request), signed_in(request)
    sentences = request.app.state.pages.catalogues[language_of(request)]
    settings = context.settings
    terms = [(one.what, one.said(sentences)) for one in retaining.terms(settings.retention, settings.limits)]
    return {
        "me": people.me(context, session), "plan": erasure.plan(context, session), "terms": terms, "contact": settings.contact,
        "accepted": people.conditions(context, session), "contacts": held.contacts(context, session),
        "wanted": directives.mine(context, session), "held_back": restricting.state(context, session),
    }  # fmt: skip


@get("/{language:str}/droits/demander", opt=who("person"), sync_to_thread=True)
def ask_page(request: Req) -> Response[str]:
    """What one can ask the association, and the code once more."""
    return _ask_page(request, [])


def _ask_page(request: Req, faults: list[Fault], status: int = 200, chosen: str = "") -> Response[str]:
    return page(
        request, "kiosk/ask_right.html", status=status, back="droits/autres", kinds=ASKED_BY_A_PERSON, faults=faults, chosen=chosen
    )  # fmt: skip


@post("/{language:str}/droits/demander", opt=who("person"), sync_to_thread=True)
def ask(request: Req, form: Sent) -> Response[Any]:
    """It is in the register, identified; the number is for the person."""
    kind = next((one for one in ASKED_BY_A_PERSON if one == form.get("kind")), None)
    if kind is None:
        return _ask_page(request, [Fault("error.choose", "kind")], 422)
    try:
        number = rights.ask_right(context_of(request), signed_in(request), secret_of(form), kind)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        if isinstance(error, BadInput) and error.field == "kiosk":
            return _ask_page(request, [Fault("error.no-kiosk")], 422, kind)
        return _ask_page(request, *secret_fault(request, error), kind)
    return page(request, "kiosk/right_asked.html", back="droits", number=number)


@get("/{language:str}/droits/numero", opt=who("person"), sync_to_thread=True)
def number_page(request: Req) -> Response[str]:
    """A request that was made by letter or at a desk: the person says here that it is theirs."""
    return _number_page(request, [])


def _number_page(request: Req, faults: list[Fault], status: int = 200, number: str = "") -> Response[str]:
    return page(request, "kiosk/right_number.html", status=status, back="droits/autres", faults=faults, number=number)


@post("/{language:str}/droits/numero", opt=who("person"), sync_to_thread=True)
def identify(request: Req, form: Sent) -> Response[Any]:
    """The number and the code: identified, without any paper."""
    number = form.get("number").strip()
    try:
        rights.identify(context_of(request), signed_in(request), secret_of(form), number)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return _number_page(request, *secret_fault(request, error), number)
    except NotThere:  # mistyped, answered already, or never there
        return _number_page(request, [Fault("error.number-unknown", "number")], 404, number)
    return page(request, "kiosk/right_asked.html", back="droits", number=number)


@get("/{language:str}/conditions-nouvelles", opt=who("person"), sync_to_thread=True)
def new_conditions(request: Req) -> Response[str]:
    """The text has changed since the person agreed: the five cards again, and the question."""
    sentences = request.app.state.pages.catalogues[language_of(request)]
    text = conditions.current(context_of(request).settings, sentences)
    return page(request, "kiosk/conditions_new.html", text=text)


@post("/{language:str}/conditions-nouvelles", opt=who("person"), sync_to_thread=True)
def accept_conditions(request: Req, form: Sent) -> Response[Any]:
    """Understood: kept with the safe."""
    context, catalogues = context_of(request), request.app.state.pages.catalogues
    sentences = catalogues[language_of(request)]
    conditions.publish(context, catalogues[FRENCH.code])
    heard, interpreter = form.get("heard") == "yes", form.get("interpreter") == "yes"
    conditions.accept(context, signed_in(request), sentences, form.need("version"), heard=heard, interpreter=interpreter)
    return go(request, "maison")


ROUTES: list[ControllerRouterHandler] = [
    new_conditions, accept_conditions, mine, restricted, lift, more, known, known_on_paper, ask_page, ask, number_page, identify,
]  # fmt: skip
