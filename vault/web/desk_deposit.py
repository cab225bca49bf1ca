"""A worker puts a letter in somebody's drawer and cannot read it back; for a day they can take it back, unseen."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import GrantId, PaperId
from consent.scope import Act
from vault import shared_papers
from vault.errors import BadInput, NotThere, TooMuch
from vault.pictograms import KINDS
from vault.refusals import PaperRefused, UploadError
from vault.shared_papers import PersonSharing, SharedPaper
from vault.web.desk_frame import NOT_SHOWN, desk_page
from vault.web.errors import NOT_NOW, status_and_sentence
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import Req, go
from vault.web.uploads import Upload, in_thread, receive

SAID = {"depose": "desk.deposit.done", "repris": "desk.deposit.undone"}
FIELDS = {"opened_by_person": "desk.deposit.must_be_opened"}


def _page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    """The form as it is, or as it was filled when something must be put right."""
    context, session = context_of(request), signed_in(request)
    shares = [one for one in shared_papers.people_sharing(context, session) if Act.DEPOSIT in one.acts]
    return desk_page(
        request, "desk/deposit.html", "deposit", status=status, shares=shares, faults=faults,
        grant=form.get("grant") if form else request.query_params.get("par", ""),
        sort=(form.get("kind") if form else "") or "letter", title=form.get("title") if form else "",
        opened=form is not None and form.has("opened_by_person"),
        mine=shared_papers.deposited(context, session), said=SAID.get(request.query_params.get("dit", ""), ""),
    )  # fmt: skip


@get("/deposer", opt=who("worker"), sync_to_thread=True)
def deposit_page(request: Req) -> Response[str]:
    """Who lets me deposit, and what I can still take back."""
    return _page(request, [])


def _deposit(request: Req, upload: Upload) -> Response[Any]:
    form = upload.form
    if not upload.files:
        return _page(request, [Fault("error.no-file", "file")], form, 422)
    try:
        shared_papers.deposit_for(
            context_of(request), signed_in(request), GrantId(form.get("grant")), upload.contents, title=form.get("title").strip(),
            sort=form.get("kind") if form.get("kind") in KINDS else "", untrusted_name=upload.name,
            opened_by_person=form.get("opened_by_person") == "yes",
        )  # fmt: skip
    except BadInput as error:
        return _page(request, [Fault(FIELDS.get(error.field, error.shown), error.field)], form, 422)
    except PaperRefused as error:
        return _page(request, [Fault(f"error.{error.key}", "file")], form, 422)
    except (TooMuch, *NOT_NOW) as error:
        status, sentence = status_and_sentence(error)
        return _page(request, [Fault(sentence)], form, status)
    return go(request, "bureau/deposer?dit=depose")


@post("/deposer", opt=who("worker", streams=True), exception_handlers=NOT_SHOWN)
async def deposit(request: Req) -> Response[Any]:
    """The letter, and the word that the person opened it or asked for it to be opened (penal code 226-15)."""
    read: list[tuple[str, str]] = []
    try:
        upload = await receive(request, read=read)
    except (PaperRefused, UploadError) as error:
        status, sentence = status_and_sentence(error)
        return await in_thread(_page, request, [Fault(sentence, "file")], Form(tuple(read)), status)
    return await in_thread(_deposit, request, upload)


@post("/deposer/{paper:str}/reprendre", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def undo(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Take back what was put in by mistake, without seeing it."""
    shared_papers.undo_deposit(context_of(request), signed_in(request), PaperId(paper))
    return go(request, "bureau/deposer?dit=repris")


# --- A newer version ------------------------------------------------------------------------------------------------------


def _to_replace(request: Req, grant: str, paper: str) -> tuple[PersonSharing, SharedPaper]:
    """The paper of the address, when this share lets it be replaced."""
    context, session = context_of(request), signed_in(request)
    for share, papers in shared_papers.everything_shared(context, session):
        for one in papers:
            if (share.grant, one.paper) == (grant, paper) and one.may_replace:
                return share, one
    raise NotThere


def _replace_page(request: Req, grant: str, paper: str, faults: list[Fault], status: int = 200) -> Response[str]:
    share, shown = _to_replace(request, grant, paper)
    kind = shown.sort if shown.sort in KINDS else "other"
    return desk_page(request, "desk/replace.html", "people", status=status, share=share, paper=shown, kind=kind, faults=faults)


@get("/papiers/{grant:str}/{paper:str}/remplacer", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def replace_page(request: Req, grant: FromPath[str], paper: FromPath[str]) -> Response[str]:
    """What is replaced, by what, and the word that the person opened it."""
    return _replace_page(request, grant, paper, [])


def _replace(request: Req, upload: Upload) -> Response[Any]:
    grant, paper = str(request.path_params["grant"]), str(request.path_params["paper"])
    _to_replace(request, grant, paper)
    if not upload.files:
        return _replace_page(request, grant, paper, [Fault("error.no-file", "file")], 422)
    try:
        shared_papers.replace_for(
            context_of(request), signed_in(request), GrantId(grant), PaperId(paper), upload.contents, untrusted_name=upload.name,
            opened_by_person=upload.form.get("opened_by_person") == "yes",
        )  # fmt: skip
    except BadInput as error:
        return _replace_page(request, grant, paper, [Fault(FIELDS.get(error.field, error.shown), error.field)], 422)
    except PaperRefused as error:
        return _replace_page(request, grant, paper, [Fault(f"error.{error.key}", "file")], 422)
    except (TooMuch, *NOT_NOW) as error:
        status, sentence = status_and_sentence(error)
        return _replace_page(request, grant, paper, [Fault(sentence)], status)
    return go(request, f"bureau/personnes/{grant}?dit=remplace")


@post("/papiers/{grant:str}/{paper:str}/remplacer", opt=who("worker", streams=True), exception_handlers=NOT_SHOWN)
async def replace(request: Req) -> Response[Any]:
    """The newer version, in the place of the one before. The person reads who did it."""
    try:
        upload = await receive(request)
    except (PaperRefused, UploadError) as error:
        status, sentence = status_and_sentence(error)
        grant, paper = str(request.path_params["grant"]), str(request.path_params["paper"])
        return await in_thread(_replace_page, request, grant, paper, [Fault(sentence, "file")], status)
    return await in_thread(_replace, request, upload)


HANDLERS: list[ControllerRouterHandler] = [deposit_page, deposit, undo, replace_page, replace]
