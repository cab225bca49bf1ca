"""How a worker enters: code, six words, six digits. How they become one: an invitation. How they leave the chair to a person."""

import io
from typing import Any

import segno
from litestar import Response, get, post
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from vault import charter, workers
from vault.errors import AbriError, Absent, BadInput, Busy, MustWait, NotCertified, WrongSecret
from vault.web.desk_frame import OF_PEOPLE, day, desk_page, sentences
from vault.web.forms import Form, Sent
from vault.web.guards import COOKIE, KIOSK_COOKIE, anyone, context_of, session_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, end_session, go, work_page

REFUSALS: dict[type[AbriError], tuple[int, str]] = {
    WrongSecret: (401, "sign_in.failed"),
    MustWait: (429, "sign_in.wait"),
    Busy: (503, "sign_in.busy"),
    BadInput: (422, "sign_in.words_count"),
    NotCertified: (403, "sign_in.not_certified"),
}
FORGET = '"cache", "storage"'  # not "cookies": which kiosk this is would be forgotten too


def sign_in_page(request: Req, template: str, error: AbriError | None = None, *, code: str = "") -> Response[str]:
    """The door of the desk or of the office, with why it stayed shut."""
    session = session_of(request)
    person_here = session is not None and session.kind in OF_PEOPLE
    status, faults = (200, []) if error is None else refusal(request, error)
    return work_page(
        request, template, status=status, faults=faults, code=code, person_here=person_here, ended=False,
        at_kiosk=here(request).id is not None,
    )  # fmt: skip


def refusal(request: Req, error: AbriError, **instead: str) -> tuple[int, list[Fault]]:
    """Why a door stays shut: status and sentence. `instead`: another sentence for an error, by its name."""
    if type(error).__name__ in instead:
        return REFUSALS[type(error)][0], [Fault(instead[type(error).__name__])]
    if isinstance(error, BadInput) and error.shown != error.sentence:
        return 422, [Fault(error.shown)]
    if isinstance(error, Absent):
        if error.until is None:
            return 403, [Fault("sign_in.absent_no_day")]
        return 403, [Fault("sign_in.absent", values={"day": day(request, error.until)})]
    status, sentence = REFUSALS[type(error)]
    return status, [Fault(sentence)]


def person_sits_here(request: Req) -> bool:
    """Whether a person's papers are open in this browser: then nobody else enters."""
    session = session_of(request)
    return session is not None and session.kind in OF_PEOPLE


@get("/entrer", opt=anyone(), sync_to_thread=True)
def sign_in_form(request: Req) -> Response[str]:
    """Code, words, digits: three fields, one refusal."""
    return sign_in_page(request, "desk/sign_in.html")


@post("/entrer", opt=anyone(), sync_to_thread=True)
def sign_in(request: Req, form: Sent) -> Response[Any]:
    """Open the desk. Never beside a person's open papers."""
    if person_sits_here(request):
        return work_page(request, "desk/sign_in.html", status=409, faults=[], code="", person_here=True, ended=False)
    words = " ".join(form.get("words").split())
    try:
        cookie = workers.sign_in(context_of(request), form.get("code"), words, form.get("totp").strip(), here(request).id)
    except (WrongSecret, MustWait, Busy, BadInput, Absent, NotCertified) as error:
        return sign_in_page(request, "desk/sign_in.html", error, code=form.get("code"))
    end_session(request)
    return go(request, "bureau", cookie=cookie)


@post("/passer", opt=who("worker"), sync_to_thread=True)
def hand_over(request: Req, form: Sent) -> Redirect:  # noqa: ARG001 — the token has been compared
    """ "Passer le poste à la personne": the worker's session ends, the browser forgets, the first page of the kiosk comes."""
    end_session(request)
    kiosk = request.cookies.get(KIOSK_COOKIE)
    answer = Redirect(f"/borne/{kiosk}" if kiosk and here(request).id else "/", status_code=303)
    answer.headers["Clear-Site-Data"] = FORGET
    answer.delete_cookie(COOKIE, path="/")
    return answer


# --- Becoming a worker ----------------------------------------------------------------------------------------------------


@get("/invitation", opt=anyone(), sync_to_thread=True)
def invitation(request: Req) -> Response[str]:
    """The code that was handed over in person."""
    return work_page(request, "desk/invitation.html", faults=[], code="", person_here=person_sits_here(request))


@post("/invitation", opt=anyone(), sync_to_thread=True)
def show_invitation(request: Req, form: Sent) -> Response[Any]:
    """Words and seed are drawn; they wait in this session for half an hour."""
    if person_sits_here(request):
        return work_page(request, "desk/invitation.html", status=409, faults=[], code="", person_here=True)
    try:
        cookie = workers.start_accepting(context_of(request), form.get("code"), here(request).id)
    except WrongSecret:
        faults = [Fault("invitation.unknown", "code")]
        return work_page(request, "desk/invitation.html", status=422, faults=faults, code=form.get("code"), person_here=False)
    end_session(request)
    return go(request, "bureau/invitation/mots", cookie=cookie)


@get("/invitation/mots", opt=who("opening"), sync_to_thread=True)
def words(request: Req) -> Response[str]:
    """The sign-in code, the six words, the seed of the one-time codes."""
    shown = workers.acceptance(context_of(request), signed_in(request))
    key = shown.totp_uri.partition("secret=")[2].partition("&")[0]
    spaced = " ".join(key[at : at + 4] for at in range(0, len(key), 4))
    return work_page(request, "desk/invitation_words.html", shown=shown, key=spaced)


@get("/invitation/carre", opt=who("opening"), sync_to_thread=True)
def totp_square(request: Req) -> Response[bytes]:
    """The seed as a square for an authenticator; a page of this session, kept by no cache."""
    return square_of(workers.acceptance(context_of(request), signed_in(request)).totp_uri)


def square_of(uri: str) -> Response[bytes]:
    """What an application reads, as a picture."""
    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        out, kind="svg", scale=6, border=4, dark="#0b3036", light="#fff", svgclass=None, lineclass=None
    )
    return Response(out.getvalue(), media_type="image/svg+xml")


@get("/invitation/feuille", opt=who("opening"), sync_to_thread=True)
def sheet(request: Req) -> Response[str]:
    """The sheet that is kept apart, on paper."""
    shown = workers.acceptance(context_of(request), signed_in(request))
    return work_page(request, "printed/staff_sheet.html", code=shown.sheet.code, words=shown.sheet.words)


def _check_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    """The words stay as they were typed: they are those of the page before, and the account is not made yet."""
    typed = {name: form.get(name) if form else "" for name in ("words", "totp", "sheet", "charter")}
    shown = workers.acceptance(context_of(request), signed_in(request))
    version = charter.version(sentences(request))
    return work_page(
        request, "desk/invitation_check.html", status=status, faults=faults, shown=shown, lines=charter.LINES, version=version, typed=typed
    )  # fmt: skip


@get("/invitation/verifier", opt=who("opening"), sync_to_thread=True)
def check(request: Req) -> Response[str]:
    """The words again, without seeing them; the authenticator; the charter."""
    return _check_page(request, [])


@post("/invitation/verifier", opt=who("opening"), status_code=200, sync_to_thread=True)
def accept(request: Req, form: Sent) -> Response[Any]:
    """The account is made; it opens once two administrators have signed."""
    typed, agreed = " ".join(form.get("words").split()), form.get("charter") == "yes"
    if form.get("sheet") != "yes":
        return _check_page(request, [Fault("invitation.sheet_missing", "sheet")], form, 422)
    version = charter.version(sentences(request))
    try:
        workers.accept(
            context_of(request), signed_in(request), typed, form.get("totp").strip(), charter=version if agreed else ""
        )  # fmt: skip
    except BadInput as error:
        shown = {"charter": "invitation.charter_missing"}.get(error.field, error.shown)
        return _check_page(request, [Fault(shown, error.field)], form, 422)
    request.scope["state"]["session"] = None
    answer = desk_page(request, "desk/invitation_done.html")
    answer.delete_cookie(COOKIE, path="/")
    return answer


HANDLERS: list[ControllerRouterHandler] = [
    sign_in_form, sign_in, hand_over, invitation, show_invitation, words, totp_square, sheet, check, accept,
]  # fmt: skip
