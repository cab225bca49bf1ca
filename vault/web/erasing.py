"""K20: erase everything. What goes, what stays and why, the code once more; three days to come back, or a witness and now."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import article19, certificates, erasure, printed, restricting, retaining
from vault.errors import BadInput, Busy, MustWait, NotAllowed, NotThere, WrongSecret
from vault.web.forms import Sent
from vault.web.guards import anyone, context_of, signed_in, who
from vault.web.home import secret_fault, secret_of
from vault.web.pages import Fault
from vault.web.shell import Req, closed, language_of, page, pdf, printing
from vault.web.unlock import refused


@get("/{language:str}/effacer-tout", opt=who("person"), sync_to_thread=True)
def ask(request: Req) -> Response[str]:
    """K20: the question, with who has a copy, and who must be written to by the person: afterwards nobody knows whom."""
    context, session = context_of(request), signed_in(request)
    restricting.refuse_early(context, session)
    plan = erasure.plan(context, session)
    takers = [one.name for one in plan.recipients if one.took_copy]
    outsiders = [one.name for one in plan.recipients if one.outside]
    return page(request, "kiosk/erase.html", back="droits", plan=plan, takers=takers, outsiders=outsiders)


@get("/{language:str}/effacer-tout/details", opt=who("person"), sync_to_thread=True)
def details(request: Req) -> Response[str]:
    """What goes, what stays, why, and until when (article 17)."""
    context = context_of(request)
    plan = erasure.plan(context, signed_in(request))
    sentences = request.app.state.pages.catalogues[language_of(request)]
    time = retaining.said_of("registers", context.settings, sentences)
    return page(request, "kiosk/erase_plan.html", back="effacer-tout", plan=plan, time=time)


@get("/{language:str}/effacer-tout/lettres", opt=who("person", leaves=True), sync_to_thread=True)
def letters(request: Req) -> Response[bytes]:
    """A letter for each person outside who received something: only the person can name them (article 19)."""
    names = article19.outside_recipients(context_of(request), signed_in(request))
    if not names:
        raise NotThere
    return pdf(request, printed.recipient_letter(names, printing(request)))


@get("/{language:str}/effacer-tout/code", opt=who("person"), sync_to_thread=True)
def code(request: Req) -> Response[str]:
    """The code, once more."""
    return page(
        request,
        "kiosk/ask_code.html",
        back="effacer-tout",
        faults=[],
        action="effacer-tout",
        heading="k20.title",
        text="k20.code",
    )


@post("/{language:str}/effacer-tout", opt=who("person"), status_code=200, sync_to_thread=True)
def erase(request: Req, form: Sent) -> Response[Any]:
    """It looks done at once; the number on the page finds the certificate later."""
    try:
        asked = erasure.ask(context_of(request), signed_in(request), secret_of(form))
    except (WrongSecret, Busy, BadInput, MustWait) as error:
        return refused(request, error, "effacer-tout/code")
    request.scope["state"]["session"] = None
    return closed(request, "kiosk/erased.html", asked=asked, now=False)


@get("/{language:str}/effacer-tout/temoin", opt=who("person"), sync_to_thread=True)
def witness(request: Req) -> Response[str]:
    """Now, before a worker who signs in as a witness."""
    return _witness_page(request, [])


def _witness_page(request: Req, faults: list[Fault], worker: str = "", status: int = 200) -> Response[str]:
    return page(request, "kiosk/erase_witness.html", status=status, back="effacer-tout", faults=faults, worker=worker)


@post("/{language:str}/effacer-tout/temoin", opt=who("person"), status_code=200, sync_to_thread=True)
def erase_now(request: Req, form: Sent) -> Response[Any]:
    """The person types their code, the witness types their own words and number."""
    worker = form.get("worker").strip()
    seen = erasure.Witness(worker, " ".join(form.get("words").split()), form.get("totp").strip())
    try:
        asked = erasure.with_witness(context_of(request), signed_in(request), secret_of(form), seen)
    except NotAllowed:
        return _witness_page(request, [Fault("error.no-witness", "worker")], worker, 403)
    except (WrongSecret, Busy, BadInput, MustWait) as error:
        faults, status = secret_fault(request, error)
        if isinstance(error, BadInput) and error.field == "witness":
            faults = [Fault(error.shown, "words")]
        return _witness_page(request, faults, worker, status)
    request.scope["state"]["session"] = None
    return closed(request, "kiosk/erased.html", asked=asked, now=True)


@get("/{language:str}/certificat", opt=anyone(), sync_to_thread=True)
def certificate_page(request: Req) -> Response[str]:
    """The certificate of an erasure, found by its number: it names nobody."""
    return _certificate_page(request, "", [])


def _certificate_page(request: Req, number: str, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(request, "kiosk/certificate.html", status=status, back="aide", faults=faults, number=number)


@post("/{language:str}/certificat", opt={**anyone(), "leaves": True}, status_code=200, sync_to_thread=True)
def certificate(request: Req, form: Sent) -> Response[Any]:
    """As a sheet to print; or as a file that anybody can verify."""
    number = form.get("number")
    try:
        found = certificates.find(context_of(request), number)
    except NotThere:
        return _certificate_page(request, number, [Fault("error.number", "number")], 404)
    if form.has("file"):
        headers = {"Content-Disposition": 'attachment; filename="certificat.json"'}
        return Response(found.to_file(), media_type="application/json", headers=headers)
    said = article19.counts(context_of(request), number)
    answers = printed.Answers(said.done + said.not_there, said.keeps, said.waiting)
    return pdf(request, printed.erasure_certificate(found.said, found.number, printing(request), answers))


ROUTES: list[ControllerRouterHandler] = [
    ask, details, letters, code, erase, witness, erase_now, certificate_page, certificate,
]  # fmt: skip
