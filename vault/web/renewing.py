"""Another code, or everything new ("je me protège"): one question a page, and nothing changes before the last one.

Both begin with the new code or pictures, given twice. "Je me protège" then takes a new card. The present secret is asked last: it
is the yes, and with it everything changes in one commit.
"""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from crypto.canonical import Value
from vault import once, people, sessions
from vault.errors import AbriError, AlreadyKnown, BadInput, Busy, MustWait, WeakSecret, WrongSecret
from vault.intake import read_qr
from vault.opening import check_chosen
from vault.refusals import PaperRefused
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.home import secret_of
from vault.web.new_secret import NewSecret
from vault.web.pages import Fault
from vault.web.shell import Req, fragment, go, page
from vault.web.unlock import CARD_LIMITS, here, picked_pictures, refused
from vault.web.uploads import in_thread, receive, receive_frame

KEPT = "new-means"  # what these pages keep in the person's sealed session until the last answer
CODE, ALL = "moi", "proteger"
NEW = {CODE: NewSecret("moi/nouveau", back="moi"), ALL: NewSecret("proteger/nouveau", back="proteger/tout-changer")}
NEXT = {CODE: "moi/nouveau/oui", ALL: "proteger/nouveau/carte"}


def _flow(request: Req) -> str:
    """Which of the two: the second part of the address."""
    return request.scope["path"].split("/")[2]


def _keep(request: Req, **values: Value) -> None:
    session = signed_in(request)
    with context_of(request).database.transaction() as connection:
        state = sessions.read_state(connection, session)
        before = state.get(KEPT)
        kept: dict[str, Value] = dict(before) if isinstance(before, dict) else {}
        state[KEPT] = {**kept, **values, "flow": _flow(request)}
        sessions.write_state(connection, session, state)


def _kept(request: Req) -> dict[str, Value]:
    """What was chosen in this flow; nothing of the other one counts."""
    with context_of(request).database.transaction(read_only=True) as connection:
        kept = sessions.read_state(connection, signed_in(request), hold=False).get(KEPT)
    return dict(kept) if isinstance(kept, dict) and kept.get("flow") == _flow(request) else {}


def _forget(request: Req, cookie: str) -> None:
    """The means are in use: the new session keeps neither the new code nor the new card among its answers."""
    context = context_of(request)
    session = sessions.find(context, cookie)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        state.pop(KEPT, None)
        sessions.write_state(connection, session, state)


def _chosen(request: Req) -> str | list[int] | None:
    """The new code or pictures, once they were given twice."""
    kept = _kept(request)
    secret = kept.get("chosen")
    if secret is None:
        return None
    return [int(str(one)) for one in secret] if isinstance(secret, list) else str(secret)


def code(request: Req) -> Response[str]:
    """A new code of six digits. Who came in with five words has no card here: they take a new one with it."""
    if _flow(request) == CODE and people.way_in(context_of(request), signed_in(request)).value == "words":
        return go(request, "proteger/tout-changer")
    return NEW[_flow(request)].code(request)


def choose_code(request: Req, form: Sent) -> Response[Any]:
    """First time: strong enough? Second time: the same?"""
    new, typed, again = NEW[_flow(request)], form.get("code"), form.get("again") == "yes"
    try:
        if again and _chosen(request) != typed:
            raise BadInput("code", "error.code-different")
        check_chosen(typed)
    except (WeakSecret, BadInput) as error:
        return new.code(request, error)
    _keep(request, chosen=typed, twice=again)
    return go(request, NEXT[_flow(request)]) if again else new.code(request, again=True)


def pictures(request: Req) -> Response[str]:
    """Five pictures instead."""
    return NEW[_flow(request)].pictures(request)


def choose_pictures(request: Req, form: Sent) -> Response[Any]:
    """Touched twice, in the same order."""
    new, again = NEW[_flow(request)], form.get("again") == "yes"
    try:
        picked = picked_pictures(form)
        if again and _chosen(request) != picked:
            raise BadInput("pictures", "error.pictures-different")
        check_chosen(picked)
    except (WeakSecret, BadInput) as error:
        return new.pictures(request, error)
    _keep(request, chosen=list(picked), twice=again)
    return go(request, NEXT[_flow(request)]) if again else new.pictures(request, again=True)


# --- The new card ---------------------------------------------------------------------------------------------------------


def _card_page(request: Req, faults: list[Fault], status: int = 200) -> Response[Any]:
    if not _kept(request).get("twice"):
        return go(request, "proteger/nouveau/code")
    equipment = here(request).equipment
    return page(
        request, "kiosk/protect_card.html", back="proteger/nouveau/code", status=status, faults=faults, equipment=equipment
    )


def _take(request: Req, text: str) -> None:
    people.check_card(context_of(request), signed_in(request), text)
    _keep(request, card=text)


def _take_from(request: Req, picture: bytes) -> None:
    for text in read_qr(context_of(request).confinement, picture):
        try:
            return _take(request, text)
        except WrongSecret:
            continue
    raise WrongSecret


def _card_fault(error: AbriError | PaperRefused) -> list[Fault]:
    return [Fault("error.card-taken" if isinstance(error, AlreadyKnown) else "error.card-unreadable", "card")]


@get("/{language:str}/proteger/nouveau/carte", opt=who("person"), sync_to_thread=True)
def card(request: Req) -> Response[Any]:
    """A new card from the printed sheet."""
    return _card_page(request, [])


@post("/{language:str}/proteger/nouveau/carte", opt=who("person"), sync_to_thread=True)
def read_card(request: Req, form: Sent) -> Response[Any]:
    """The new card, by the USB reader."""
    try:
        _take(request, form.need("card"))
    except (WrongSecret, AlreadyKnown, BadInput) as error:
        return _card_page(request, _card_fault(error), 422)
    return go(request, "proteger/nouveau/oui")


@post("/{language:str}/proteger/nouveau/carte/photo", opt=who("person", streams=True))
async def photo_of_card(request: Req) -> Response[Any]:
    """The new card, as a photo."""
    upload = await receive(request, CARD_LIMITS)
    try:
        if not upload.files:
            raise WrongSecret
        await in_thread(_take_from, request, upload.contents[0])
    except (WrongSecret, AlreadyKnown, PaperRefused) as error:
        return await in_thread(_card_page, request, _card_fault(error), 422)
    return go(request, "proteger/nouveau/oui")


@post("/{language:str}/proteger/nouveau/carte/image", opt=who("person", streams=True))
async def card_by_camera(request: Req) -> Response[Any]:
    """One picture of the camera: 204 while there is no card in it, 409 for a card that is somebody's."""
    picture = await receive_frame(request)
    try:
        await in_thread(_take_from, request, picture)
    except (WrongSecret, PaperRefused):
        return Response(None, status_code=204)
    return Response({"next": fragment(request, "proteger/nouveau/oui")}, status_code=200)


# --- The yes --------------------------------------------------------------------------------------------------------------


def _begin_again(request: Req) -> Response[Any]:
    return go(request, f"{_flow(request)}/nouveau/code")


def yes(request: Req) -> Response[Any]:
    """The present code, pictures or words: then, and not before, everything changes."""
    flow, kept = _flow(request), _kept(request)
    if not kept.get("twice"):
        return _begin_again(request)
    if flow == ALL and "card" not in kept:
        return go(request, NEXT[ALL])
    return page(
        request, "kiosk/ask_code.html", back=f"{flow}/nouveau/code", faults=[], action=f"{flow}/nouveau/oui", present=True,
        heading="k19.last_yes" if flow == ALL else "me.code", text="k19.last_yes_text" if flow == ALL else "me.old_code",
    )  # fmt: skip


def change(request: Req, form: Sent) -> Response[Any]:
    """Changed. The session goes on with the new means; the number, which is new too, is shown once."""
    context, session, flow, kept, new = context_of(request), signed_in(request), _flow(request), _kept(request), _chosen(request)
    if new is None or not kept.get("twice") or (flow == ALL and "card" not in kept):
        return _begin_again(request)
    try:
        if flow == CODE:
            cookie, where = people.change_code(context, session, secret_of(form), new), "moi?dit=code"
        else:
            protected = people.protect(context, session, secret_of(form), str(kept["card"]), new)
            cookie, where = protected.cookie, "ouvrir/feuillet"
            once.keep(context, sessions.find(context, cookie), number=protected.number)
    except AlreadyKnown as error:  # somebody else took this card in between
        return _card_page(request, _card_fault(error), 422)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        if error.sentence == "error.after-recovery":
            raise
        return refused(request, WrongSecret() if isinstance(error, BadInput) else error, f"{flow}/nouveau/oui")
    _forget(request, cookie)
    return go(request, where, cookie=cookie)


def _routes(flow: str) -> list[ControllerRouterHandler]:
    """The pages that both have, each under its own address."""
    pages = {"code": (code, choose_code), "images": (pictures, choose_pictures), "oui": (yes, change)}
    made: list[ControllerRouterHandler] = []
    for end, (shown, sent) in pages.items():
        address = f"/{{language:str}}/{flow}/nouveau/{end}"
        made.append(get(address, opt=who("person"), sync_to_thread=True)(shown))
        made.append(post(address, opt=who("person"), sync_to_thread=True)(sent))
    return made


ROUTES: list[ControllerRouterHandler] = [
    *_routes(CODE), *_routes(ALL), card, read_card, photo_of_card, card_by_camera,
]  # fmt: skip
