"""Asking again who is there, before an act: one page for the desk and the office. It repeats the form, and adds words or a touch."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response

from vault import confirming
from vault.ceremonies import Answer
from vault.confirming import Act, Proof, Typed
from vault.errors import BadInput, Busy, MustWait, WrongSecret
from vault.web.desk_entry import refusal
from vault.web.desk_frame import desk_page
from vault.web.forms import TOKEN, Form
from vault.web.guards import context_of, signed_in
from vault.web.office_frame import office_page
from vault.web.pages import Fault
from vault.web.shell import Req, area_of

OWN_FIELDS = ("words", "answer", "answer_secret")
REFUSED = (WrongSecret, MustWait, Busy, BadInput)


def proof_of(form: Form) -> Proof | None:
    """What was typed or touched; None when nothing was yet."""
    if form.get("answer"):
        return Answer(form.get("answer"), form.get("answer_secret"))
    words = " ".join(form.get("words").split())
    return Typed(words) if words else None


def confirmed(
    request: Req,
    form: Form,
    act: Act,
    sentence: str,
    do: Callable[[Proof], Response[Any]],
    *,
    values: Mapping[str, object] | None = None,
    back: str,
    menu: str = "",
    grave: bool = False,
) -> Response[Any]:
    """Do it once it is confirmed; until then the page that asks, with why the last answer was not enough.

    `sentence` says what is confirmed, `back` is where one goes who does not want it.
    """
    proof, error = proof_of(form), None
    if proof is not None:
        try:
            return do(proof)
        except REFUSED as refused:
            if isinstance(refused, BadInput) and refused.field not in ("words", "key"):
                raise
            error = refused
    elif form.has("asked"):
        error = BadInput("words")
    options = confirming.ask(context_of(request), signed_in(request), act)
    status, faults = (200, list[Fault]()) if error is None else refusal(request, error, WrongSecret="confirm.wrong")
    # What the form said at first is said again; of it, only what can be read in the page.
    kept = [(name, value) for name, value in form.fields if name not in (*OWN_FIELDS, TOKEN, "asked")]
    page = office_page if area_of(request) == "office" else desk_page
    return page(
        request, "desk/confirm.html", menu, status=status, faults=faults, sentence=sentence, values=values or {}, kept=kept,
        options=options, back=back, action=request.scope["path"], grave=grave, office=area_of(request) == "office",
    )  # fmt: skip
