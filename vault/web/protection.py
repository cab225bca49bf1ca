"""K19 "Je me protège", blocking with the card alone, and the people of trust."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.recipients import role
from vault import circles, guardians, once, people, workers
from vault.errors import BadInput, Busy, MustWait, WrongSecret
from vault.web.forms import Form, Sent
from vault.web.guards import anyone, context_of, session_of, signed_in, who
from vault.web.home import secret_of
from vault.web.pages import Fault
from vault.web.shell import Req, closed, go, page
from vault.web.unlock import arrived, picked_pictures, refused

WHAT_IS_WRONG = {
    "code": "error.code-digits", "pictures": "error.pictures-count", "number": "error.number", "words": "error.words-count",
}  # fmt: skip


@get("/{language:str}/proteger", opt=anyone(), sync_to_thread=True)
def protect(request: Req) -> Response[str]:
    """K19: block, change, talk. Reached from help by anyone, from "ce n'est pas normal" by a person."""
    session = session_of(request)
    return page(request, "kiosk/protect.html", back="aide", inside=session is not None and session.kind == "person")


@get("/{language:str}/proteger/parler", opt=anyone(), sync_to_thread=True)
def talk(request: Req) -> Response[str]:
    """Whom to talk to, and what to say."""
    settings = context_of(request).settings
    return page(request, "kiosk/protect_talk.html", back="proteger", contact=settings.contact, numbers=settings.help_numbers)


@get("/{language:str}/bloquer", opt=who("person", "card", "assisted"), sync_to_thread=True)
def freeze_page(request: Req) -> Response[str]:
    """Before blocking: what it does, and how it is undone."""
    return page(request, "kiosk/freeze.html", back="proteger")


@post("/{language:str}/bloquer", opt=who("person", "card", "assisted"), sync_to_thread=True)
def freeze(request: Req, form: Sent) -> Response[str]:  # noqa: ARG001 — the token has been compared
    """Everything is blocked at the next request. The same screen for a card that nobody knows."""
    people.freeze(context_of(request), signed_in(request))
    request.scope["state"]["session"] = None
    return closed(request, "kiosk/said.html", said="k19.frozen")


def _thaw_page(request: Req, *, pictures: bool, faults: list[Fault], status: int = 200, number: str = "") -> Response[str]:
    return page(request, "kiosk/thaw.html", status=status, back="proteger", faults=faults, pictures_first=pictures, number=number)


def thaw_page(request: Req) -> Response[str]:
    """Open again what was blocked: code or pictures, number and words. Or guardians. The same for a card that nobody knows."""
    return _thaw_page(request, pictures=request.scope["path"].endswith("/images"), faults=[])


def thaw(request: Req, form: Sent) -> Response[Any]:
    """Who blocked it with a stolen card cannot know the words."""
    with_pictures = request.scope["path"].endswith("/images")
    typed, number = " ".join(form.get("words").split()), form.get("number").strip()
    try:
        chosen = picked_pictures(form) if with_pictures else form.get("code")
        cookie = people.lift_freeze(context_of(request), signed_in(request), chosen, number, typed)
    except BadInput as error:
        faults = [Fault(WHAT_IS_WRONG.get(error.field or "", "error.bad-input"), error.field)]
        return _thaw_page(request, pictures=with_pictures, status=422, faults=faults, number=number)
    except (WrongSecret, MustWait, Busy) as error:
        return refused(request, error, "debloquer/images" if with_pictures else "debloquer")
    return arrived(request, cookie)


THAWS: list[ControllerRouterHandler] = [
    make(f"/{{language:str}}/debloquer{way}", opt=who("card"), sync_to_thread=True)(handler)
    for way in ("", "/images")
    for make, handler in ((get, thaw_page), (post, thaw))
]


@get("/{language:str}/proteger/tout-changer", opt=who("person"), sync_to_thread=True)
def renew(request: Req) -> Response[str]:
    """What changes: card, code, number; sheets are void; then people of trust and shares one by one (`web/renewing`)."""
    people.refuse_protecting(context_of(request), signed_in(request))
    return page(request, "kiosk/protect_renew.html", back="proteger")


@get("/{language:str}/confiance", opt=who("person"), sync_to_thread=True)
def trusted(request: Req) -> Response[str]:
    """Who can help, and what is missing or weak."""
    return page(request, "kiosk/trusted.html", back="moi", circle=guardians.circle(context_of(request), signed_in(request)))


@get("/{language:str}/confiance/choisir", opt=who("person"), sync_to_thread=True)
def choose_trusted(request: Req) -> Response[str]:
    """The guardians together, on one page: those one keeps, those one adds."""
    return _choose_page(request, [])


def _choose_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    context, session = context_of(request), signed_in(request)
    circle = guardians.circle(context, session)
    kept = {one.worker for one in circle.members if one.worker} if circle else set()
    offered = [one for one in workers.recipients(context, session) if role(one.role).may_guard and one.id not in kept]
    return page(
        request, "kiosk/choose_trusted.html", status=status, back="confiance", faults=faults, circle=circle, offered=offered,
    )  # fmt: skip


def _members(form: Form, told: people.Me) -> list[circles.Chosen]:
    name, drawing, phrase = told.name or "", told.drawing, " ".join(form.get("phrase").split())
    members: list[circles.Chosen] = [circles.GuardianWorker(one, name, drawing, phrase) for one in form.all("worker")]
    members += [circles.KeptSheet(member) for member in form.all("sheet")]
    many = int(form.get("new_sheets") or "0")
    members += [circles.NewSheet(" ".join(form.get(f"sheet_{number}").split()) or str(number)) for number in range(1, many + 1)]
    return members


@post("/{language:str}/confiance/choisir", opt=who("person"), sync_to_thread=True)
def set_trusted(request: Req, form: Sent) -> Response[Any]:
    """The circle is formed anew: the one before ends at once."""
    context, session = context_of(request), signed_in(request)
    try:
        members = _members(form, people.me(context, session))
        formed = circles.set_circle(context, session, secret_of(form), members, needed=2)
    except BadInput as error:
        long = {"phrase": Fault("error.phrase-long", "phrase"), "label": Fault("error.name-long", "sheet_1")}
        fault = long.get(error.field or "", Fault("error.people-close"))
        return _choose_page(request, [fault], 422)
    except ValueError:
        return _choose_page(request, [Fault("error.people-close")], 422)
    except (WrongSecret, MustWait, Busy) as error:
        return refused(request, error, "confiance/choisir")
    if formed.sheets:
        once.keep(context, session, sheets=[sheet.secret for sheet in formed.sheets])
        return go(request, "ouvrir/feuillet")
    return go(request, "confiance")


@post("/{language:str}/confiance/oui", opt=who("person"), sync_to_thread=True)
def confirm_trusted(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Every six months: still them."""
    guardians.confirm_circle(context_of(request), signed_in(request))
    return go(request, "confiance")


ROUTES: list[ControllerRouterHandler] = [
    protect, talk, freeze_page, freeze, *THAWS, renew, trusted, choose_trusted, set_trusted, confirm_trusted,
]  # fmt: skip
