"""O01: the register of what people ask by law. Numbers, kinds, days and approvals; no paper, no title, nobody's name."""

from collections.abc import Callable
from typing import Any, cast, get_args

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import article19, deaths, erasing, mourning, printed, register_reading, requisitions, restricting, rights, undoing
from vault.aftermath import AfterRecovery
from vault.confirming import Proof
from vault.errors import AbriError, BadInput, Conflict, NotAllowed, NotThere
from vault.register import KINDS, ORDERS, RULES, Origin, RightKind
from vault.register_reading import Request
from vault.restricting import Restricted
from vault.web.confirming import confirmed
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.office_frame import office_page, typed_day
from vault.web.pages import Fault
from vault.web.shell import Req, go, pdf, printing

SAID_BY_US = (mourning.CAME_BACK, restricting.LIFTED, erasing.ERASED, deaths.UNCONFIRMED)  # reasons that no administrator wrote


@get("/registre", opt=who("administrator"), sync_to_thread=True)
def register(request: Req) -> Response[str]:
    """The oldest on top; behind one touch those that are over."""
    closed = request.query_params.get("finies") == "1"
    found = register_reading.requests(context_of(request), signed_in(request), closed=closed)
    return office_page(request, "office/register.html", "register", requests=found, closed=closed)


@get("/registre/recevoir", opt=who("administrator"), sync_to_thread=True)
def receive_page(request: Req) -> Response[str]:
    """What came, and how."""
    return _receive_page(request, [])


TYPED = ("kind", "origin", "number", "order", "silent")


def _receive_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    return office_page(
        request, "office/receive.html", "register", status=status, faults=faults, kinds_of_right=KINDS,
        origins=get_args(Origin), orders=ORDERS, typed={name: form.get(name) if form else "" for name in TYPED},
    )  # fmt: skip


@post("/registre/recevoir", opt=who("administrator"), sync_to_thread=True)
def receive(request: Req, form: Sent) -> Response[Any]:
    """Write it down: the month begins today."""
    try:
        kind, origin = cast("RightKind", form.get("kind")), cast("Origin", form.get("origin"))  # the use case refuses other words
        extra = rights.Extra(form.get("number"), form.get("order"), typed_day(form.get("silent"), "silent"))

        def do(proof: Proof | None) -> Response[Any]:
            made = rights.receive(context_of(request), signed_in(request), kind, origin, extra, proof)
            return go(request, f"association/registre/{made.id}")

        if kind != "death" or not extra.number.strip():
            return do(None)
        back = f"/{request.path_params['language']}/association/registre/recevoir"
        values = {"number": extra.number.strip()}
        return confirmed(request, form, rights.reporting(extra), "confirm.death", do, values=values, back=back, menu="register")
    except BadInput as error:
        named = error.field if error.field in ("number", "order", "origin") else "kind"
        fault = Fault("error.date", "silent") if error.field == "silent" else Fault(f"office.error.{named}", named)
        return _receive_page(request, [fault], form, 422)


def _request(request: Req, name: str) -> Request:
    context, session = context_of(request), signed_in(request)
    for closed in (False, True):
        for one in register_reading.requests(context, session, closed=closed):
            if one.id == name:
                return one
    raise NotThere


def _request_page(request: Req, name: str, faults: list[Fault], status: int = 200, written: str = "") -> Response[str]:
    """`written`: the reason that was typed in one of the forms, for the form whose step this request was."""
    one = _request(request, name)
    cancelled = one.state == "closed" and one.reason == rights.CANCELLED
    return office_page(
        request, "office/request.html", "register", status=status, one=one, faults=faults, cancelled=cancelled, written=written,
        step=request.scope["path"].rpartition("/")[2],
        rule=RULES[one.kind], said_by_us=one.reason if one.reason in SAID_BY_US else "",
    )  # fmt: skip


@get("/registre/{name:str}", opt=who("administrator"), sync_to_thread=True)
def one_request(request: Req, name: FromPath[str]) -> Response[str]:
    """One request: where it stands, and the next step."""
    return _request_page(request, name, [])


def _step(request: Req, name: str, form: Form, act: Callable[[str], object]) -> Response[Any]:
    """One step, or the page with why not: a reason is missing, another person is needed, the state does not allow it."""
    try:
        act(form.get("reason"))
    except BadInput as error:
        return _request_page(request, name, [Fault(error.shown, "reason")], 422, form.get("reason"))
    except (NotAllowed, Conflict, AfterRecovery, Restricted) as error:
        return _refused(request, name, error, form.get("reason"))
    return go(request, f"association/registre/{name}")


def _refused(request: Req, name: str, error: AbriError, written: str = "") -> Response[str]:
    if isinstance(error, NotAllowed):
        return _request_page(request, name, [Fault("office.another_person")], 403, written)
    said = {AfterRecovery: "office.request.after_recovery", Restricted: "office.request.restricted"}
    return _request_page(request, name, [Fault(said.get(type(error), "office.conflict"))], 409, written)


@post("/registre/{name:str}/approuver", opt=who("administrator"), sync_to_thread=True)
def approve(request: Req, name: FromPath[str], form: Sent) -> Response[Any]:
    """Yes, by one of two different administrators, each of whom confirms that they stand here."""
    context, session = context_of(request), signed_in(request)
    one = _request(request, name)

    def do(proof: Proof) -> Response[Any]:
        rights.approve(context, session, name, proof)
        return go(request, f"association/registre/{name}")

    try:
        if not one.may_approve:  # said at once, not after the words were typed: by whoever has approved it, or too early
            raise NotAllowed if len(one.approvals) == 1 else Conflict
        return confirmed(
            request, form, rights.approval(context, session, name), "confirm.approve", do, values={"number": one.number},
            back=f"/{request.path_params['language']}/association/registre/{name}", menu="register",
        )  # fmt: skip
    except (NotAllowed, Conflict) as error:
        return _refused(request, name, error)


@post("/registre/{name:str}/refuser", opt=who("administrator"), sync_to_thread=True)
def refuse(request: Req, name: FromPath[str], form: Sent) -> Response[Any]:
    """No, with a reason that the person reads."""
    context, session = context_of(request), signed_in(request)
    return _step(request, name, form, lambda reason: rights.refuse(context, session, name, reason))


@post("/registre/{name:str}/prolonger", opt=who("administrator"), sync_to_thread=True)
def extend(request: Req, name: FromPath[str], form: Sent) -> Response[Any]:
    """Two months more, once."""
    context, session = context_of(request), signed_in(request)
    return _step(request, name, form, lambda reason: rights.extend(context, session, name, reason))


@post("/registre/{name:str}/executer", opt=who("administrator"), sync_to_thread=True)
def carry_out(request: Req, name: FromPath[str], form: Sent) -> Response[Any]:
    """Begin what was approved by two."""
    context, session = context_of(request), signed_in(request)
    return _step(request, name, form, lambda _: rights.carry_out(context, session, name))


@post("/registre/{name:str}/clore", opt=who("administrator"), sync_to_thread=True)
def close(request: Req, name: FromPath[str], form: Sent) -> Response[Any]:
    """It is done: what was done, in words that the person reads."""
    context, session = context_of(request), signed_in(request)
    return _step(request, name, form, lambda reason: rights.close(context, session, name, reason))


@post("/registre/{name:str}/maintenir", opt=who("administrator"), sync_to_thread=True)
def keep(request: Req, name: FromPath[str], form: Sent) -> Response[Any]:
    """What two decided stays, although somebody wanted it undone."""
    context, session = context_of(request), signed_in(request)
    return _step(request, name, form, lambda _: undoing.keep(context, session, name))


@get("/registre/{name:str}/certificat", opt={**who("administrator"), "leaves": True}, sync_to_thread=True)
def certificate(request: Req, name: FromPath[str]) -> Response[bytes]:
    """The certificate of an erasure that is done: it names nobody and no paper."""
    found = rights.certificate(context_of(request), signed_in(request), name)
    said = article19.counts(context_of(request), found.number)
    answers = printed.Answers(said.done + said.not_there, said.keeps, said.waiting)
    return pdf(request, printed.erasure_certificate(found.said, found.number, printing(request), answers))


@get("/registre/{name:str}/extrait", opt={**who("administrator"), "leaves": True}, sync_to_thread=True)
def extract(request: Req, name: FromPath[str]) -> Response[Any]:
    """What is in clear for the account number of a requisition, and nothing else."""
    try:
        content = requisitions.extract(context_of(request), signed_in(request), name)
    except Conflict as error:
        return _refused(request, name, error)
    headers = {"Content-Disposition": 'attachment; filename="extrait.json"'}
    return Response(content, media_type="application/json", headers=headers)


@get("/registre/{name:str}/reponse", opt={**who("administrator"), "leaves": True}, sync_to_thread=True)
def answer_letter(request: Req, name: FromPath[str]) -> Response[bytes]:
    """The answer on paper, for somebody who wrote and was never recognised: refused or prolonged, why, and where to complain."""
    one = _request(request, name)
    if not one.letter:
        raise NotThere
    until = None if one.state == "refused" else one.due
    reason = one.reason if until is None else one.extension
    return pdf(request, printed.answer_letter(printed.Answered(one.number, one.received, reason, until), printing(request)))


HANDLERS: list[ControllerRouterHandler] = [
    register, receive_page, receive, one_request, approve, refuse, extend, carry_out, close, keep, certificate, extract,
    answer_letter,
]  # fmt: skip
