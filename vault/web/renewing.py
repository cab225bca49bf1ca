"""Another code, another card, or everything new ("je me protège"): one question a page, and nothing changes before the last one.

A new code or new pictures are given twice; "je me protège" then takes a new card, and another card alone begins there. The present
secret is asked last: it is the yes, and with it everything changes in one commit.
"""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from crypto.canonical import Value
from vault import once, people, sessions
from vault.errors import AbriError, AlreadyKnown, BadInput, Busy, MustWait, WeakSecret, WrongSecret
from vault.opening import check_chosen
from vault.refusals import PaperRefused
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.home import secret_of
from vault.web.new_secret import NewSecret
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, fragment, go, page
from vault.web.unlock import picked_pictures, refused
from vault.web.uploads import in_square, in_thread, receive_frame, receive_photo

KEPT = "new-means"  # what these pages keep in the person's sealed session until the last answer
CODE, ALL, CARD = "moi", "proteger", "carte"
NEW = {CODE: NewSecret("moi/nouveau", back="moi"), ALL: NewSecret("proteger/nouveau", back="proteger/tout-changer")}
NEXT = {CODE: "moi/nouveau/oui", ALL: "proteger/nouveau/carte"}
NEW_CARD = {ALL: "proteger/nouveau/carte", CARD: "moi/carte"}
LAST = {CODE: "moi/nouveau/oui", ALL: "proteger/nouveau/oui", CARD: "moi/carte/oui"}


def _flow(request: Req) -> str:
    """Which of the three: the second part of the address, or the third for another card."""
    _, _, first, second, *_ = [*request.scope["path"].split("/"), ""]
    return CARD if (first, second) == ("moi", "carte") else str(first)


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
    flow = _flow(request)
    if flow == ALL and not _kept(request).get("twice"):
        return go(request, "proteger/nouveau/code")
    if flow == CARD and people.way_in(context_of(request), signed_in(request)).value == "words":
        return go(request, "proteger/tout-changer")  # there is no code here to go with the new card
    back, equipment = "proteger/nouveau/code" if flow == ALL else "moi", here(request).equipment
    return page(
        request, "kiosk/protect_card.html", back=back, status=status, faults=faults, equipment=equipment,
        action=NEW_CARD[flow], alone=flow == CARD,
    )  # fmt: skip


def _take(request: Req, text: str) -> None:
    people.check_card(context_of(request), signed_in(request), text)
    _keep(request, card=text)


def _take_from(request: Req, picture: bytes) -> None:
    in_square(context_of(request), picture, partial(_take, request))


def _card_fault(error: AbriError | PaperRefused) -> list[Fault]:
    return [Fault("error.card-taken" if isinstance(error, AlreadyKnown) else "error.card-unreadable", "card")]


def card(request: Req) -> Response[Any]:
    """A new card from the printed sheet."""
    return _card_page(request, [])


def read_card(request: Req, form: Sent) -> Response[Any]:
    """The new card, by the USB reader."""
    try:
        _take(request, form.need("card"))
    except (WrongSecret, AlreadyKnown, BadInput) as error:
        return _card_page(request, _card_fault(error), 422)
    return go(request, LAST[_flow(request)])


async def photo_of_card(request: Req) -> Response[Any]:
    """The new card, as a photo."""
    upload = await receive_photo(request)
    try:
        if not upload.files:
            raise WrongSecret
        await in_thread(_take_from, request, upload.contents[0])
    except (WrongSecret, AlreadyKnown, PaperRefused) as error:
        return await in_thread(_card_page, request, _card_fault(error), 422)
    return go(request, LAST[_flow(request)])


async def card_by_camera(request: Req) -> Response[Any]:
    """One picture of the camera: 204 while there is no card in it, 409 for a card that is somebody's."""
    picture = await receive_frame(request)
    try:
        await in_thread(_take_from, request, picture)
    except (WrongSecret, PaperRefused):
        return Response(None, status_code=204)
    return Response({"next": fragment(request, LAST[_flow(request)])}, status_code=200)


# --- The yes --------------------------------------------------------------------------------------------------------------


def _begin_again(request: Req) -> Response[Any]:
    return go(request, NEW_CARD[CARD] if _flow(request) == CARD else f"{_flow(request)}/nouveau/code")


def yes(request: Req) -> Response[Any]:
    """The present code, pictures or words: then, and not before, everything changes."""
    flow, kept = _flow(request), _kept(request)
    if flow != CARD and not kept.get("twice"):
        return _begin_again(request)
    if flow != CODE and "card" not in kept:
        return go(request, NEW_CARD[flow])
    heading = {CODE: "me.code", ALL: "k19.last_yes", CARD: "k19.new_card"}[flow]
    return page(
        request, "kiosk/ask_code.html", back=NEW_CARD[CARD] if flow == CARD else f"{flow}/nouveau/code", faults=[],
        action=LAST[flow], present=True, heading=heading, text="k19.last_yes_text" if flow == ALL else "me.old_code",
    )  # fmt: skip


def change(request: Req, form: Sent) -> Response[Any]:
    """Changed. The session goes on with the new means; the number, which is new too, is shown once."""
    context, session, flow, kept, new = context_of(request), signed_in(request), _flow(request), _kept(request), _chosen(request)
    given = new is not None and kept.get("twice")
    if (flow != CARD and not given) or (flow != CODE and "card" not in kept):
        return _begin_again(request)
    try:
        if flow == CARD:  # that it is another card is said by the first page
            cookie, where = people.replace_card(context, session, secret_of(form), str(kept["card"])), "maison"
        elif new is None:
            return _begin_again(request)
        elif flow == CODE:
            cookie, where = people.change_code(context, session, secret_of(form), new), "moi?dit=code"
        else:
            protected = people.protect(context, session, secret_of(form), str(kept["card"]), new)
            cookie, where = protected.cookie, "ouvrir/feuillet"
            once.keep(context, sessions.find(context, cookie), number=protected.number)
    except AlreadyKnown as error:  # somebody else took this card in between
        return _card_page(request, _card_fault(error), 422)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return refused(request, WrongSecret() if isinstance(error, BadInput) else error, LAST[flow])
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


def _card_routes(place: str) -> list[ControllerRouterHandler]:
    """The new card by its reader, a photo or the camera."""
    address = f"/{{language:str}}/{place}"
    return [
        get(address, opt=who("person"), sync_to_thread=True)(card),
        post(address, opt=who("person"), sync_to_thread=True)(read_card),
        post(f"{address}/photo", opt=who("person", streams=True))(photo_of_card),
        post(f"{address}/image", opt=who("person", streams=True))(card_by_camera),
    ]


ROUTES: list[ControllerRouterHandler] = [
    *_routes(CODE), *_routes(ALL), *_card_routes(NEW_CARD[ALL]), *_card_routes(NEW_CARD[CARD]),
    get("/{language:str}/moi/carte/oui", opt=who("person"), sync_to_thread=True)(yes),
    post("/{language:str}/moi/carte/oui", opt=who("person"), sync_to_thread=True)(change),
]  # fmt: skip
