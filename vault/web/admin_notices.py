"""What the office prints or answers for everybody: closing the service, a breach, and those who must erase what they received."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import article19, closing, printed
from vault.confirming import Proof
from vault.errors import BadInput, Conflict, NotAllowed
from vault.settings import today_in_paris
from vault.web.confirming import confirmed
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.office_frame import office_page, typed_day
from vault.web.pages import Fault
from vault.web.shell import Req, go, pdf, printing

# --- Closing the service (CPCE D541) ----------------------------------------------------------------------------------------


@get("/fermeture", opt=who("administrator"), sync_to_thread=True)
def closing_page(request: Req) -> Response[str]:
    """Where it stands, and the next step."""
    return _closing_page(request, [])


def _closing_page(request: Req, faults: list[Fault], status: int = 200, day: str = "") -> Response[str]:
    context = context_of(request)
    found = closing.standing(context, signed_in(request))
    today, few = today_in_paris(context.clock()), found.safes < FEW
    left = (found.found.closes - today).days if found.found else 0
    return office_page(
        request, "office/closing.html", "notices", status=status, faults=faults, found=found, days_left=left, few=few,
        day=day or found.earliest, months=context.settings.retention.notice_months, kept=context.settings.retention.retrieval_months,
    )  # fmt: skip


FEW = 11


def _step(request: Req, act: Callable[[], object], *, asked_again: bool = False, day: str = "") -> Response[Any]:
    """One step, and the page after it. `asked_again`: what is wrong with words or a touch is for the page that asks for them.

    `day` is what was typed, for the page that says why not.
    """
    try:
        act()
    except BadInput as error:
        if asked_again and error.field in ("words", "key"):
            raise
        sentence = "error.date" if error.field == "day" else "office.closing.too_soon"
        return _closing_page(request, [Fault(sentence, "day")], 422, day)
    except (NotAllowed, Conflict) as error:
        return _refused(request, error)
    return go(request, "association/fermeture")


def _refused(request: Req, error: NotAllowed | Conflict) -> Response[str]:
    sentence, status = ("office.another_person", 403) if isinstance(error, NotAllowed) else ("office.conflict", 409)
    return _closing_page(request, [Fault(sentence)], status)


@post("/fermeture/proposer", opt=who("administrator"), sync_to_thread=True)
def propose(request: Req, form: Sent) -> Response[Any]:
    """The day, three months ahead at least; nobody is told before another administrator has said yes."""
    context, session = context_of(request), signed_in(request)

    def act() -> None:
        day: dt.date | None = typed_day(form.get("day"), "day")
        if day is None:
            raise BadInput("day")
        closing.propose(context, session, day)

    return _step(request, act, day=form.get("day"))


@post("/fermeture/confirmer", opt=who("administrator"), sync_to_thread=True)
def confirm(request: Req, form: Sent) -> Response[Any]:
    """A second administrator says yes to what waits, once they have confirmed that they stand here."""
    context, session = context_of(request), signed_in(request)

    def do(proof: Proof) -> Response[Any]:
        return _step(request, lambda: closing.confirm(context, session, proof), asked_again=True)

    try:
        back = f"/{request.path_params['language']}/association/fermeture"
        act = closing.approval(context, session)
        return confirmed(request, form, act, "confirm.closing", do, back=back, menu="notices", grave=True)
    except (NotAllowed, Conflict) as error:
        return _refused(request, error)


@post("/fermeture/annuler", opt=who("administrator"), sync_to_thread=True)
def call_off(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Take a proposal back, or ask that the closing be called off."""
    context, session = context_of(request), signed_in(request)
    return _step(request, lambda: closing.call_off(context, session))


@post("/fermeture/maintenir", opt=who("administrator"), sync_to_thread=True)
def keep_on(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Closing goes on as announced."""
    context, session = context_of(request), signed_in(request)
    return _step(request, lambda: closing.keep_on(context, session))


@get("/fermeture/affiche", opt={**who("administrator"), "leaves": True}, sync_to_thread=True)
def closing_poster(request: Req) -> Response[Any]:
    """The notice for the walls, a page in each language; once it is announced."""
    found = closing.announced(context_of(request))
    if found is None:
        return _closing_page(request, [Fault("office.conflict")], 409)
    return pdf(request, printed.closing_poster(found.closes, found.until, printing(request)))


# --- A breach (GDPR 33, 34) ---------------------------------------------------------------------------------------------------


@get("/affiches", opt=who("administrator"), sync_to_thread=True)
def notices_page(request: Req) -> Response[str]:
    """What prints: the poster without names, the page for desks; closing; recipients of what was erased."""
    return office_page(request, "office/notices.html", "notices")


@get("/affiches/incident", opt={**who("administrator"), "leaves": True}, sync_to_thread=True)
def breach_poster(request: Req) -> Response[bytes]:
    """For every kiosk and desk: the same for everybody."""
    return pdf(request, printed.breach_poster(printing(request)))


@get("/affiches/incident-bureaux", opt={**who("administrator"), "leaves": True}, sync_to_thread=True)
def breach_desks(request: Req) -> Response[bytes]:
    """For the desks of those whom people count on."""
    return pdf(request, printed.breach_for_desks(printing(request)))


# --- Article 19 ----------------------------------------------------------------------------------------------------------------


@get("/article-19", opt=who("administrator"), sync_to_thread=True)
def recipients(request: Req) -> Response[str]:
    """Who was told to erase what they received, what they answered, who has not."""
    found = article19.of_office(context_of(request), signed_in(request))
    return office_page(request, "office/article19.html", "notices", found=found)


@get("/article-19/{name:str}/lettre", opt={**who("administrator"), "leaves": True}, sync_to_thread=True)
def letter(request: Req, name: FromPath[str]) -> Response[bytes]:
    """The letter for one of them, who is not at a desk any more; to where they worked, once their name is gone."""
    one = article19.one_of_office(context_of(request), signed_in(request), name)
    made = printed.recipient_letter([one.name or one.structure], printing(request), certificate=one.certificate)
    return pdf(request, made)


HANDLERS: list[ControllerRouterHandler] = [
    closing_page, propose, confirm, call_off, keep_on, closing_poster, notices_page, breach_poster, breach_desks, recipients, letter,
]  # fmt: skip
