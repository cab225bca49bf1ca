"""People who count on a worker: recognise one of them and help them open again. And end the wait of a card that is shown."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import card_keeping, deaths, guardians, handing, people, recovery
from vault.errors import BadInput, Conflict, MustWait, NotThere, WrongSecret
from vault.guardians import Ward
from vault.web.desk_cards import with_card
from vault.web.desk_frame import desk_page
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, go
from vault.web.uploads import Upload, in_thread, receive_photo


@get("/confiance", opt=who("worker"), sync_to_thread=True)
def wards(request: Req) -> Response[str]:
    """By the name and the drawing that each chose to be recognised by; nobody else can be found here."""
    found = guardians.people_who_count_on_me(context_of(request), signed_in(request))
    said = {"confirme": "desk.guardian.confirmed", "rendue": "desk.kept.returned"}.get(request.query_params.get("dit", ""), "")
    kept = card_keeping.cards_i_keep(context_of(request), signed_in(request))
    dead = {one.member for one in found if deaths.of(context_of(request), signed_in(request), one.member) is not None}
    return desk_page(request, "desk/wards.html", "guardian", wards=found, said=said, kept=kept, dead=dead)


@post("/carte-rendue/{keeping:str}", opt=who("worker", over="bureau/confiance"), sync_to_thread=True)
def give_back(request: Req, keeping: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """The card is in its owner's hands again."""
    card_keeping.give_back(context_of(request), signed_in(request), keeping)
    return go(request, "bureau/confiance?dit=rendue")


def _ward(request: Req, member: str) -> Ward:
    for one in guardians.people_who_count_on_me(context_of(request), signed_in(request)):
        if one.member == member:
            return one
    raise NotThere


def _ward_page(request: Req, member: str, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    """The six digits are typed again; where they stand, and that somebody took the card, is not said twice."""
    where, theft = (form.get("where"), form.has("theft")) if form else ("", False)
    dead = deaths.of(context_of(request), signed_in(request), member) is not None
    return desk_page(
        request, "desk/ward.html", "guardian", status=status, ward=_ward(request, member), faults=faults, where=where, theft=theft,
        dead=dead,
    )  # fmt: skip


@get("/confiance/{member:str}", opt=who("worker"), sync_to_thread=True)
def ward(request: Req, member: FromPath[str]) -> Response[str]:
    """Look, listen, then type the six digits of their kiosk."""
    return _ward_page(request, member, [])


@post("/confiance/{member:str}", opt=who("worker"), sync_to_thread=True)
def confirm(request: Req, member: FromPath[str], form: Sent) -> Response[Any]:
    """Confirm: this guardian's parts go to that kiosk. Beside the person it opens at once; from afar it waits."""
    if form.get("where") not in ("beside", "far"):
        return _ward_page(request, member, [Fault("error.nothing-chosen", "where")], form, 422)
    try:
        recovery.confirm(
            context_of(request), signed_in(request), member, form.get("code").strip(), theft=form.get("theft") == "yes",
            beside=form.get("where") == "beside",
        )  # fmt: skip
    except WrongSecret:
        return _ward_page(request, member, [Fault("desk.guardian.wrong_code", "code")], form, 422)
    except MustWait:
        return _ward_page(request, member, [Fault("desk.guardian.too_many", "code")], form, 429)
    return go(request, "bureau/confiance?dit=confirme")


def _death_page(request: Req, member: str, faults: list[Fault], status: int = 200) -> Response[str]:
    found = deaths.of(context_of(request), signed_in(request), member)
    said = "desk.death.sent" if request.query_params.get("dit") == "envoye" else ""
    ward_ = _ward(request, member)
    return desk_page(request, "desk/death.html", "guardian", status=status, ward=ward_, death=found, faults=faults, said=said)


@get("/confiance/{member:str}/deces", opt=who("worker"), sync_to_thread=True)
def death(request: Req, member: FromPath[str]) -> Response[str]:
    """What reporting a death does; once it is said, what the person wanted."""
    return _death_page(request, member, [])


@post("/confiance/{member:str}/deces", opt=who("worker"), sync_to_thread=True)
def report_death(request: Req, member: FromPath[str], form: Sent) -> Response[Any]:
    """Signed: the certificate was seen. No copy of it is taken."""
    try:
        deaths.report(context_of(request), signed_in(request), member, seen=form.get("seen") == "yes")
    except BadInput:
        return _death_page(request, member, [Fault("desk.death.not_seen", "seen")], 422)
    except Conflict:
        return _death_page(request, member, [Fault("office.conflict")], 409)
    return go(request, f"bureau/confiance/{member}/deces")


@post("/confiance/{member:str}/deces/remettre", opt=who("worker"), sync_to_thread=True)
def hand(request: Req, member: FromPath[str], form: Sent) -> Response[Any]:
    """The person named stands at the kiosk whose code this is: this guardian's part goes there."""
    try:
        handing.confirm(context_of(request), signed_in(request), member, form.get("code").strip())
    except WrongSecret:
        return _death_page(request, member, [Fault("desk.guardian.wrong_code", "code")], 422)
    except MustWait:
        return _death_page(request, member, [Fault("desk.guardian.too_many", "code")], 429)
    return go(request, f"bureau/confiance/{member}/deces?dit=envoye")


@get("/carte", opt=who("worker"), sync_to_thread=True)
def card(request: Req) -> Response[str]:
    """A card that waits after wrong codes: the person stands here with it."""
    return _card_page(request, [])


def _card_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    said = "desk.card.done" if request.query_params.get("dit") == "fait" else ""
    scanner = here(request).equipment.scanner
    return desk_page(request, "desk/card.html", "card", status=status, faults=faults, said=said, scanner=scanner)


def _lift(request: Req, upload: Upload) -> Response[Any]:
    try:
        with_card(request, upload, lambda text: people.lift_wait(context_of(request), signed_in(request), text))
    except (WrongSecret, BadInput):
        return _card_page(request, [Fault("desk.card.unreadable", "file")], 422)
    return go(request, "bureau/carte?dit=fait")


@post("/carte", opt=who("worker", streams=True))
async def lift_wait(request: Req) -> Response[Any]:
    """The wait ends. A card that nobody knows is answered in the same way."""
    return await in_thread(_lift, request, await receive_photo(request))


@get("/carte/numero", opt=who("worker"), sync_to_thread=True)
def number_waits(request: Req) -> Response[str]:
    """Five words that wait after wrong ones: the person stands here with the number of their slip."""
    return _number_page(request, [], "")


def _number_page(request: Req, faults: list[Fault], number: str, status: int = 200) -> Response[str]:
    said = "desk.card.done" if request.query_params.get("dit") == "fait" else ""
    return desk_page(request, "desk/card_number.html", "card", status=status, faults=faults, said=said, number=number)


@post("/carte/numero", opt=who("worker"), sync_to_thread=True)
def lift_number(request: Req, form: Sent) -> Response[Any]:
    """The wait of the words ends. A number that nobody has is answered in the same way."""
    try:
        people.lift_wait_of_words(context_of(request), signed_in(request), form.get("number"))
    except BadInput:
        return _number_page(request, [Fault("error.number", "number")], form.get("number"), 422)
    return go(request, "bureau/carte/numero?dit=fait")


@get("/bloquer", opt=who("worker"), sync_to_thread=True)
def block(request: Req) -> Response[str]:
    """Somebody asks to block their safe, with their number alone: at the desk, or by telephone."""
    said = "desk.block.done" if request.query_params.get("dit") == "fait" else ""
    return desk_page(request, "desk/block.html", "card", faults=[], said=said, number="")


@post("/bloquer", opt=who("worker"), sync_to_thread=True)
def block_number(request: Req, form: Sent) -> Response[Any]:
    """Blocked. A number that nobody has is answered in the same way."""
    try:
        people.freeze_number(context_of(request), signed_in(request), form.get("number"))
    except BadInput:
        faults, status = [Fault("error.number", "number")], 422
    except MustWait:
        faults, status = [Fault("desk.block.too_many", "number")], 429
    else:
        return go(request, "bureau/bloquer?dit=fait")
    return desk_page(request, "desk/block.html", "card", status=status, faults=faults, said="", number=form.get("number"))


HANDLERS: list[ControllerRouterHandler] = [
    wards, give_back, ward, confirm, death, report_death, hand, card, lift_wait, number_waits, lift_number, block, block_number,
]  # fmt: skip
