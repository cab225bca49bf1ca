"""What a worker or an administrator enters with: one page to see it, and the steps that add, take away or draw again."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import authenticators, once
from vault.authenticators import NEW_DIGITS, NEW_SHEET, NEW_WORDS
from vault.confirming import Proof
from vault.errors import BadInput, Conflict, NotThere
from vault.web.confirming import REFUSED, confirmed, proof_of
from vault.web.desk_entry import refusal, square_of
from vault.web.desk_frame import desk_page
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.key_entry import Door, answer_of
from vault.web.office_frame import office_page
from vault.web.pages import Fault
from vault.web.shell import Req, go

SAID = {"ajoutee": "keys.added", "seconde": "keys.added_second", "retiree": "keys.removed", "chiffres": "keys.digits_done"}


def handlers(door: Door) -> list[ControllerRouterHandler]:
    """The pages of one area."""
    me = who(door.kind)
    page = desk_page if door.kind == "worker" else office_page

    def ring(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
        held = authenticators.held(context_of(request), signed_in(request))
        said = SAID.get(request.query_params.get("dit", ""), "")
        return page(request, "desk/keys.html", status=status, faults=faults, held=held, said=said, area=door.area)

    def back(request: Req, said: str = "") -> Response[Any]:
        return go(request, f"{door.area}/cles" + (f"?dit={said}" if said else ""))

    def home(request: Req) -> str:
        return f"/{request.path_params['language']}/{door.area}/cles"

    @get("/cles", opt=me, sync_to_thread=True)
    def keys(request: Req) -> Response[str]:
        """All of it, and when each was last used."""
        return ring(request, [])

    def add_page(request: Req, faults: list[Fault], name: str = "", status: int = 200) -> Response[str]:
        try:
            asked = authenticators.ask_key(context_of(request), signed_in(request))
        except BadInput as error:
            return ring(request, [Fault(error.shown)], 422)
        return page(request, "desk/add_key.html", status=status, faults=faults, asked=asked, name=name, area=door.area)

    @get("/cles/ajouter", opt=me, sync_to_thread=True)
    def ask_key(request: Req) -> Response[str]:
        """A name, the words, a touch."""
        return add_page(request, [])

    @post("/cles/ajouter", opt=me, sync_to_thread=True)
    def add_key(request: Req, form: Sent) -> Response[Any]:
        """One more; the page says whether it opens alone."""
        proof = proof_of(form)
        try:
            if proof is None or not form.get("made"):
                raise BadInput(
                    "words" if form.get("made") else "key", "sign_in.words_count" if form.get("made") else "keys.not_taken"
                )
            alone = authenticators.add_key(
                context_of(request), signed_in(request), form.get("name"), proof, answer_of(form, "made")
            )
        except REFUSED as error:
            status, faults = refusal(request, error, WrongSecret="confirm.wrong")
            return add_page(request, faults, form.get("name"), status)
        return back(request, "ajoutee" if alone else "seconde")

    @post("/cles/{key:str}/nommer", opt=me, sync_to_thread=True)
    def name_key(request: Req, key: FromPath[str], form: Sent) -> Response[Any]:
        """Another name for it."""
        try:
            authenticators.rename_key(context_of(request), signed_in(request), key, form.get("name"))
        except BadInput as error:
            return ring(request, [Fault(error.shown)], 422)
        return back(request)

    @post("/cles/{key:str}/retirer", opt=me, sync_to_thread=True)
    def remove_key(request: Req, key: FromPath[str], form: Sent) -> Response[Any]:
        """It opens nothing any more, unless the account would then hang on one thing."""
        context, session = context_of(request), signed_in(request)
        found = next((one for one in authenticators.held(context, session).keys if one.id == key), None)
        if found is None:
            raise NotThere
        if not found.may_go:
            return ring(request, [Fault("keys.last_one")], 409)

        def do(proof: Proof) -> Response[Any]:
            authenticators.remove_key(context, session, key, proof)
            return back(request, "retiree")

        try:
            return confirmed(
                request, form, authenticators.removal(session, key), "confirm.remove_key", do, values={"name": found.name},
                back=home(request), grave=True,
            )  # fmt: skip
        except Conflict:
            return ring(request, [Fault("keys.last_one")], 409)

    def draw(request: Req, form: Form, what: str, sentence: str, do: Any) -> Response[Any]:
        act = authenticators.drawing(signed_in(request), what)
        return confirmed(request, form, act, sentence, do, back=home(request))

    @post("/cles/mots", opt=me, sync_to_thread=True)
    def words(request: Req, form: Sent) -> Response[Any]:
        """Six other words for the same code."""
        context, session = context_of(request), signed_in(request)

        def do(proof: Proof) -> Response[Any]:
            once.keep(context, session, words=authenticators.new_words(context, session, proof))
            return go(request, f"{door.area}/cles/a-noter")

        return draw(request, form, NEW_WORDS, "confirm.new_words", do)

    @post("/cles/feuille", opt=me, sync_to_thread=True)
    def sheet(request: Req, form: Sent) -> Response[Any]:
        """Another sheet."""
        context, session = context_of(request), signed_in(request)

        def do(proof: Proof) -> Response[Any]:
            made = authenticators.new_sheet(context, session, proof)
            once.keep(context, session, number=made.code, words=made.words)
            return go(request, f"{door.area}/cles/a-noter")

        return draw(request, form, NEW_SHEET, "confirm.new_sheet", do)

    @get("/cles/a-noter", opt=me, sync_to_thread=True)
    def to_note(request: Req) -> Response[str]:
        """Shown until it is said to be noted."""
        return page(request, "desk/noted_once.html", told=once.told(context_of(request), signed_in(request)), area=door.area)

    @get("/cles/a-noter/imprimer", opt=me, sync_to_thread=True)
    def print_sheet(request: Req) -> Response[str]:
        """The sheet on paper."""
        told = once.told(context_of(request), signed_in(request))
        if not told.number:
            raise NotThere
        return page(request, "printed/staff_sheet.html", code=told.number, words=told.words)

    @post("/cles/a-noter", opt=me, sync_to_thread=True)
    def noted(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
        """It is nowhere any more."""
        once.forget(context_of(request), signed_in(request))
        return back(request)

    @post("/cles/chiffres", opt=me, sync_to_thread=True)
    def digits(request: Req, form: Sent) -> Response[Any]:
        """Another telephone."""
        context, session = context_of(request), signed_in(request)

        def do(proof: Proof) -> Response[Any]:
            authenticators.start_digits(context, session, proof)
            return go(request, f"{door.area}/cles/chiffres")

        return draw(request, form, NEW_DIGITS, "confirm.new_digits", do)

    def digits_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
        key = authenticators.digits_uri(context_of(request), signed_in(request)).partition("secret=")[2].partition("&")[0]
        spaced = " ".join(key[at : at + 4] for at in range(0, len(key), 4))
        return page(request, "desk/new_digits.html", status=status, faults=faults, key=spaced, area=door.area)

    @get("/cles/chiffres", opt=me, sync_to_thread=True)
    def show_digits(request: Req) -> Response[str]:
        """The square, and a field for what the application then shows."""
        return digits_page(request, [])

    @get("/cles/chiffres/carre", opt=me, sync_to_thread=True)
    def square(request: Req) -> Response[bytes]:
        """The seed as a square; a page of this session, kept by no cache."""
        return square_of(authenticators.digits_uri(context_of(request), signed_in(request)))

    @post("/cles/chiffres/verifier", opt=me, sync_to_thread=True)
    def check_digits(request: Req, form: Sent) -> Response[Any]:
        """The application answers."""
        try:
            authenticators.finish_digits(context_of(request), signed_in(request), form.get("totp").strip())
        except BadInput as error:
            return digits_page(request, [Fault(error.shown, "totp")], 422)
        return back(request, "chiffres")

    return [
        keys, ask_key, add_key, name_key, remove_key, words, sheet, to_note, print_sheet, noted, digits, show_digits, square,
        check_digits,
    ]  # fmt: skip
