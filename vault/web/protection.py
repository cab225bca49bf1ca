"""K19 "Je me protège", blocking with the card alone, and the people of trust."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.recipients import role
from vault import circles, freezing, guardians, once, people, workers
from vault.circles import LABEL_AT_MOST, PHRASE_AT_MOST
from vault.errors import BadInput, Busy, MustWait, WrongSecret
from vault.typed import line_or_none
from vault.web.forms import Form, Sent
from vault.web.guards import anyone, context_of, session_of, signed_in, who
from vault.web.home import secret_fault, secret_of
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
    again = freezing.opens_again(context_of(request), signed_in(request))
    return page(request, "kiosk/freeze.html", back="proteger", again=again)


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
        faults, status = [Fault(WHAT_IS_WRONG.get(error.field or "", "error.bad-input"), error.field)], 422
    except WrongSecret as error:  # which of them is wrong is not told; the number, which is long, stays
        faults, status = [Fault(error.sentence, "words")], 401
    except (MustWait, Busy) as error:
        return refused(request, error, "debloquer/images" if with_pictures else "debloquer")
    else:
        return arrived(request, cookie)
    return _thaw_page(request, pictures=with_pictures, status=status, faults=faults, number=number)


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


TOGETHER = {"2": 2, "3": 3}
NEW_SHEETS = {"": 0, "0": 0, "1": 1, "2": 2}
TYPED = ("phrase", "sheet_1", "sheet_2")


def _choose_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    """The list as it is, or as it was ticked when something must be put right: no tick, name or phrase is lost.

    Who has left is offered no more: a list that went on ticking them would be refused again and again.
    """
    context, session = context_of(request), signed_in(request)
    circle = guardians.circle(context, session)
    members = [one for one in circle.members if one.state != "ended"] if circle else []
    kept = {one.worker for one in members if one.worker}
    offered = [one for one in workers.recipients(context, session) if role(one.role).may_guard and one.id not in kept]
    ticked = {*form.all("worker"), *form.all("sheet")} if form is not None else {one.worker or one.id for one in members}
    typed = {name: form.get(name) if form else "" for name in ("needed", "new_sheets", "sheet_1", "sheet_2", "phrase")}
    if form is None and circle:
        typed |= {"needed": str(circle.needed), "phrase": circle.phrase}
    return page(
        request, "kiosk/choose_trusted.html", status=status, back="confiance", faults=faults, circle=circle, members=members,
        offered=offered, ticked=ticked, typed=typed,
    )  # fmt: skip


def _members(form: Form, told: people.Me) -> list[circles.Chosen]:
    name, drawing = told.name or "", told.drawing
    phrase = line_or_none(form.get("phrase"), "phrase", PHRASE_AT_MOST, long="error.phrase-long")
    members: list[circles.Chosen] = [circles.GuardianWorker(one, name, drawing, phrase) for one in form.all("worker")]
    members += [circles.KeptSheet(member) for member in form.all("sheet")]
    many = NEW_SHEETS.get(form.get("new_sheets"))
    if many is None:
        raise BadInput("new_sheets", "error.choose")
    named = [(str(number), f"sheet_{number}") for number in range(1, many + 1)]
    members += [circles.NewSheet(line_or_none(form.get(field), field, LABEL_AT_MOST) or number) for number, field in named]
    return members


def _together(form: Form, now: guardians.Circle | None) -> int:
    """How many of them bring somebody back together; as before when the form says nothing."""
    found = TOGETHER.get(form.get("needed") or str(now.needed if now else 2))
    if found is None:
        raise BadInput("needed", "error.choose")
    return found


@post("/{language:str}/confiance/choisir", opt=who("person"), sync_to_thread=True)
def set_trusted(request: Req, form: Sent) -> Response[Any]:
    """The circle is formed anew: the one before ends at once."""
    context, session = context_of(request), signed_in(request)
    try:
        members = _members(form, people.me(context, session))
        if not members:  # said before the secret is tried
            raise BadInput("members", "error.people-none")
        needed = _together(form, guardians.circle(context, session))
        formed = circles.set_circle(context, session, secret_of(form), members, needed)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        if isinstance(error, BadInput) and error.field not in WHAT_IS_WRONG:
            return _choose_page(request, [Fault(error.shown, error.field if error.field in TYPED else None)], form, 422)
        faults, status = secret_fault(request, error)
        return _choose_page(request, faults, form, status)
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
