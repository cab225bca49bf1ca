"""K10 and "Ma carte et mon code": the first page of an open safe, the name, the drawing, the slip with number and words."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import (
    arriving,
    asking,
    assisting,
    card_keeping,
    conditions,
    first_day,
    first_page,
    guardians,
    once,
    people,
    reencryption,
    restricting,
    space,
    succession,
    typed,
    waiting,
)  # fmt: skip
from vault.aftermath import AfterRecovery
from vault.errors import AbriError, BadInput, Busy, MustWait, WrongSecret
from vault.first_page import Said
from vault.opening import NAME_LETTERS
from vault.pictograms import DRAWINGS
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.opening import DRAWINGS_A_PAGE
from vault.web.pages import Fault
from vault.web.shell import Req, go, language_of, page
from vault.web.unlock import picked_pictures, refused

TO_REVIEW = frozenset({"to-confirm", "worker-left", "nobody-can"})  # the other weaknesses are said on their own page


@get("/{language:str}/maison", opt=who("person"), sync_to_thread=True)
def home(request: Req) -> Response[Any]:
    """K10: how many papers, what waits, and four choices."""
    context, session = context_of(request), signed_in(request)
    if conditions.changed(context, session, request.app.state.pages.catalogues[language_of(request)]):
        return go(request, "conditions-nouvelles")
    if first_day.said_yes(context, session):
        return go(request, "partages/toujours-oui")
    arrival = arriving.at_unlock(context, session)
    if arrival.to_reencrypt:
        reencryption.go_on(context, session)  # what was left unfinished goes on by itself, one paper at each showing
    language, comes_back = language_of(request), waiting.opens(context, session)
    before = first_page.again(context, session, language)
    told, circle = people.me(context, session, before.notices), guardians.circle(context, session)
    held_back = restricting.state(context, session)
    waits = [one for one in told.notices if not (held_back and one.key == "restricted")]  # the banner says it
    room = first_page.AT_ONCE - bool(comes_back)
    shown = [one for one in waits if one.id in before.notices] or waits[:room]
    arrived = len(arrival.new_papers) + before.arrived
    weak = circle is not None and bool(TO_REVIEW.intersection(circle.weaknesses))
    # Two or more who can never bring anybody back together: no other sentence of this page says it.
    weak |= circle is not None and "missing-one" in circle.weaknesses and "second-guardian" not in told.missing
    answer = page(
        request, "kiosk/home.html", me=told, notices=shown, room=room, arrived=arrived,
        requests=len(asking.waiting_for_me(context, session)),
        questions=len(succession.waiting(context, session)),
        arrival=arrival, full=space.of(context, session).nearly_full,
        helped=assisting.help_of(context, session), weak=weak, keeper=card_keeping.keeper_of(context, session),
        waiting=reencryption.waiting(context, session), comes_back=comes_back,
        to_print=bool(once.told(context, session)), held_back=held_back,
    )  # fmt: skip
    # Only what stands on the page is read; the rest comes at the next look.
    besides = [one.id for one in told.notices if one not in waits and len(shown) < room]
    first_page.told(context, session, Said(language, tuple(one.id for one in shown), arrived), besides)
    if told.failed_attempts:
        people.attempts_told(context, session)
    return answer


@get("/{language:str}/moi", opt=who("person"), sync_to_thread=True)
def mine(request: Req) -> Response[str]:
    """What one may change: four choices, and more."""
    circle = guardians.circle(context_of(request), signed_in(request))
    saved = request.query_params.get("dit") == "code"
    return page(request, "kiosk/me.html", back="maison", circle=circle, saved=saved)


@get("/{language:str}/moi/autres", opt=who("person"), sync_to_thread=True)
def mine_more(request: Req) -> Response[str]:
    """The rest of them."""
    return page(request, "kiosk/me_more.html", back="moi")


@get("/{language:str}/moi/nom", opt=who("person"), sync_to_thread=True)
def name(request: Req) -> Response[str]:
    """Another name."""
    told = people.me(context_of(request), signed_in(request))
    return page(request, "kiosk/my_name.html", back="moi/autres", faults=[], name=told.name or "")


@post("/{language:str}/moi/nom", opt=who("person"), sync_to_thread=True)
def rename(request: Req, form: Sent) -> Response[Any]:
    """Theirs to choose, and to leave out."""
    written = "" if form.has("skip") else form.get("name")
    try:
        people.rename(context_of(request), signed_in(request), typed.line_or_none(written, "name", NAME_LETTERS) or None)
    except BadInput as error:
        faults = [Fault(error.shown, "name")]
        return page(request, "kiosk/my_name.html", status=422, back="moi/autres", faults=faults, name=written)
    return go(request, "moi")


@get("/{language:str}/moi/dessin", opt=who("person"), sync_to_thread=True)
def drawing(request: Req) -> Response[str]:
    """Another drawing."""
    first = request.query_params.get("suite") != "1"
    shown = DRAWINGS[:DRAWINGS_A_PAGE] if first else DRAWINGS[DRAWINGS_A_PAGE:]
    return page(request, "kiosk/my_drawing.html", back="moi/autres", shown=shown, first=first)


@post("/{language:str}/moi/dessin", opt=who("person"), sync_to_thread=True)
def redraw(request: Req, form: Sent) -> Response[Any]:
    """One of the eighteen."""
    people.redraw(context_of(request), signed_in(request), form.need("drawing"))
    return go(request, "moi")


@get("/{language:str}/moi/mots", opt=who("person"), sync_to_thread=True)
def words(request: Req) -> Response[str]:
    """New words and the number, on a slip: the secret is asked again."""
    return page(
        request, "kiosk/ask_code.html", back="moi/autres", faults=[], action="moi/mots", heading="me.words", text="me.words_text"
    )


@post("/{language:str}/moi/mots", opt=who("person"), sync_to_thread=True)
def give_words(request: Req, form: Sent) -> Response[Any]:
    """The words before end."""
    context, session = context_of(request), signed_in(request)
    try:
        slip = people.give_words(context, session, secret_of(form))
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return refused(request, error, "moi/mots")
    once.keep(context, session, number=slip.number, words=slip.words)
    return go(request, "ouvrir/feuillet")


def secret_of(form: Form) -> str | list[int]:
    """The secret typed again on a page (`ui.secret`): six digits, five words, or the five pictures when these were touched."""
    if form.get("code") or form.get("five_words"):
        return form.get("code") or " ".join(form.get("five_words").split())
    return picked_pictures(form)


UNFINISHED = {"card-pictures": Fault("error.pictures-count"), "words": Fault("error.words-count", "five_words")}


def unfinished_secret(request: Req) -> Fault:
    """What is missing when the secret typed again is no secret: pictures, words or digits, as this session was opened."""
    way = people.way_in(context_of(request), signed_in(request)).value
    return UNFINISHED.get(way, Fault("error.code-digits", "code"))


def secret_fault(request: Req, error: AbriError) -> tuple[list[Fault], int]:
    """The secret at the end of a form did not open: what is said above that form, which keeps all that was typed, and the status.

    What waits after a recovery says so itself.
    """
    if isinstance(error, AfterRecovery):
        raise error
    if isinstance(error, BadInput):
        return [unfinished_secret(request)], 422
    return [Fault(error.sentence, unfinished_secret(request).field)], {MustWait: 429, Busy: 503}.get(type(error), 401)


ROUTES: list[ControllerRouterHandler] = [
    home, mine, mine_more, name, rename, drawing, redraw, words, give_words,
]  # fmt: skip
