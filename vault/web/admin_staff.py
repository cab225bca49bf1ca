"""Workers of an operator: invited in person, certified by two different administrators, suspended, back, ended."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.recipients import ROLES
from vault import administrators, certifying, once, workers
from vault.confirming import Proof
from vault.errors import AbriError, BadInput, Conflict, NotAllowed, NotThere
from vault.web.confirming import confirmed
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.office_frame import office_page, typed_day
from vault.web.pages import Fault
from vault.web.shell import Req, go
from vault.workers import WorkerLine

FIELDS = {"role": "office.error.kind", "ends": "office.invite.bad_ends"}


@get("/personnel", opt=who("administrator"), sync_to_thread=True)
def staff(request: Req) -> Response[str]:
    """All of them, those who wait for a signature first; and the invitations."""
    context, session = context_of(request), signed_in(request)
    return office_page(
        request, "office/staff.html", "workers", workers=workers.of_office(context, session),
        invitations=workers.invitations(context, session),
    )  # fmt: skip


def _invite_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    structures = workers.structures_of(context_of(request), signed_in(request))
    typed = {name: form.get(name) if form else "" for name in ("structure", "first_name", "role", "ends")}
    return office_page(
        request, "office/invite.html", "workers", status=status, structures=structures, roles=ROLES, faults=faults, typed=typed
    )  # fmt: skip


@get("/personnel/inviter", opt=who("administrator"), sync_to_thread=True)
def invite_page(request: Req) -> Response[str]:
    """Where, who, as what, until when."""
    return _invite_page(request, [])


@post("/personnel/inviter", opt=who("administrator"), sync_to_thread=True)
def invite(request: Req, form: Sent) -> Response[Any]:
    """The code is shown on the next page, to be handed over in person."""
    context, session = context_of(request), signed_in(request)
    try:
        ends = typed_day(form.get("ends"), "ends")
        code = workers.invite(context, session, form.get("structure"), form.get("first_name"), form.get("role"), ends)
    except BadInput as error:
        name = "first_name" if error.field == "name" else error.field
        return _invite_page(request, [Fault(FIELDS.get(error.field, error.shown), name)], form, 422)
    once.keep(context, session, number=" ".join(code[at : at + 4] for at in range(0, len(code), 4)))
    return go(request, "association/a-remettre")


@post(
    "/personnel/invitations/{invitation:str}/annuler", opt=who("administrator", over="association/personnel"), sync_to_thread=True
)
def cancel(request: Req, invitation: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """An invitation that nobody took."""
    workers.cancel_invitation(context_of(request), signed_in(request), invitation)
    return go(request, "association/personnel")


def _worker(request: Req, worker: str) -> WorkerLine:
    for one in workers.of_office(context_of(request), signed_in(request)):
        if one.id == worker:
            return one
    raise NotThere


def _worker_page(request: Req, worker: str, faults: list[Fault], status: int = 200) -> Response[str]:
    said = "office.workers.wait_lifted" if request.query_params.get("dit") == "leve" else ""
    return office_page(
        request, "office/worker.html", "workers", status=status, one=_worker(request, worker), faults=faults, said=said
    )  # fmt: skip


@get("/personnel/{worker:str}", opt=who("administrator"), sync_to_thread=True)
def worker(request: Req, worker: FromPath[str]) -> Response[str]:
    """One of them, and what can be done in their present state."""
    return _worker_page(request, worker, [])


def _refused(request: Req, worker: str, error: AbriError) -> Response[str]:
    """Why not, on the page that shows the state: the same administrator twice, another state, a key that is no root key."""
    line = _worker(request, worker)  # of another operator: as if it did not exist
    if isinstance(error, NotAllowed):
        return _worker_page(request, worker, [Fault("office.no_root")], 403)
    if line.state == "invited" and line.signed_by and not line.may_i_sign:
        return _worker_page(request, worker, [Fault("office.another_person")], 403)
    return _worker_page(request, worker, [Fault("office.conflict")], 409)


@post("/personnel/{worker:str}/certifier", opt=who("administrator"), sync_to_thread=True)
def certify(request: Req, worker: FromPath[str], form: Sent) -> Response[Any]:
    """One of the two signatures, with this administrator's own key, once they have confirmed that they stand here."""
    context, session = context_of(request), signed_in(request)
    line = _worker(request, worker)

    def do(proof: Proof) -> Response[Any]:
        workers.certify(context, session, worker, proof)
        return go(request, f"association/personnel/{worker}")

    try:
        if not line.may_i_sign:
            raise Conflict
        values = {"name": line.first_name, "structure": line.structure_name}
        return confirmed(
            request, form, certifying.approval(context, session, worker), "confirm.certify", do, values=values,
            back=f"/{request.path_params['language']}/association/personnel/{worker}", menu="workers",
        )  # fmt: skip
    except (Conflict, NotAllowed) as error:
        return _refused(request, worker, error)


@post("/personnel/{worker:str}/suspendre", opt=who("administrator"), sync_to_thread=True)
def suspend(request: Req, worker: FromPath[str], form: Sent) -> Response[Any]:
    """Away: nothing opens until they are back."""
    try:
        workers.suspend(context_of(request), signed_in(request), worker, typed_day(form.get("until"), "until"))
    except BadInput as error:
        return _worker_page(request, worker, [Fault(error.shown, error.field)], 422)
    except Conflict as error:
        return _refused(request, worker, error)
    return go(request, f"association/personnel/{worker}")


@post("/personnel/{worker:str}/revenir", opt=who("administrator"), sync_to_thread=True)
def back(request: Req, worker: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """At work again: what was granted opens again."""
    try:
        workers.return_(context_of(request), signed_in(request), worker)
    except Conflict as error:
        return _refused(request, worker, error)
    return go(request, f"association/personnel/{worker}")


@get("/personnel/{worker:str}/mettre-fin", opt=who("administrator"), sync_to_thread=True)
def end_page(request: Req, worker: FromPath[str]) -> Response[str]:
    """Before ending for good: what it does to people."""
    return office_page(request, "office/end_worker.html", "workers", one=_worker(request, worker))


@post("/personnel/{worker:str}/mettre-fin", opt=who("administrator"), sync_to_thread=True)
def end(request: Req, worker: FromPath[str], form: Sent) -> Response[Any]:
    """For ever: shares, sessions and the way into their keys end together."""
    context, session = context_of(request), signed_in(request)
    line = _worker(request, worker)

    def do(proof: Proof) -> Response[Any]:
        workers.end(context, session, worker, proof)
        return go(request, "association/personnel")

    try:
        if line.state == "ended":
            raise Conflict
        return confirmed(
            request, form, workers.ending(context, session, worker), "confirm.end_worker", do, values={"name": line.first_name},
            back=f"/{request.path_params['language']}/association/personnel/{worker}", menu="workers", grave=True,
        )  # fmt: skip
    except Conflict as error:
        return _refused(request, worker, error)


@post("/personnel/{worker:str}/attente", opt=who("administrator"), sync_to_thread=True)
def lift_wait(request: Req, worker: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """They may try again now."""
    administrators.lift_wait(context_of(request), signed_in(request), _worker(request, worker).code)
    return go(request, f"association/personnel/{worker}?dit=leve")


HANDLERS: list[ControllerRouterHandler] = [
    staff, invite_page, invite, cancel, worker, certify, suspend, back, end_page, end, lift_wait,
]  # fmt: skip
