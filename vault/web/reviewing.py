"""After "je me protège": one page for each person of trust, each share, each link. Keep or stop; nothing is decided by default.

One may go away at any page: the first page of the safe asks again until everything was looked at.
"""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import GrantId
from vault import circles, guardians, offers, outside, reencryption, reviewing, showing, withdrawing
from vault.errors import BadInput, Busy, MustWait, NotThere, WrongSecret
from vault.offers import Line
from vault.reviewing import Item
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.home import secret_of
from vault.web.pages import Fault
from vault.web.shell import Req, go, language_of, page
from vault.web.stopping import stop_lines, stop_text
from vault.web.unlock import refused

REVIEW, TRUST = "proteger/revue", "confiance"


@get("/{language:str}/proteger/revue", opt=who("person"), sync_to_thread=True)
def review(request: Req) -> Response[Any]:
    """The next one that was not looked at, or the end."""
    return _review_page(request, [])


def _review_page(request: Req, faults: list[Fault], status: int = 200) -> Response[Any]:
    context, session = context_of(request), signed_in(request)
    standing = reviewing.standing(context, session)
    if not standing.asked:
        return go(request, "maison")
    if not standing.waiting:
        return page(
            request, "kiosk/review_done.html", back="maison", circle=guardians.circle(context, session),
            tidying=reencryption.waiting(context, session),
        )  # fmt: skip
    item = standing.waiting[0]
    return page(
        request, "kiosk/review.html", status=status, back="maison", faults=faults, item=item, times=_times(request, item),
        text=stop_text(request, item.share) if item.share else "",
        step=standing.kept + 1, total=standing.kept + len(standing.waiting),
    )  # fmt: skip


@post("/{language:str}/proteger/revue", opt=who("person", over=REVIEW), sync_to_thread=True)
def answer(request: Req, form: Sent) -> Response[Any]:
    """Kept or stopped; then the next one. What was stopped meanwhile on another page is not asked again."""
    context, session, kind, name = context_of(request), signed_in(request), form.need("kind"), form.need("id")
    item = reviewing.waits(context, session, kind, name)
    match form.get("answer"):
        case "keep":
            reviewing.keep(context, session, kind, name)
        case "stop" if item.guardian:
            return go(request, f"{REVIEW}/retirer/{item.id}")
        case "stop":
            _stop(request, item, form)
        case _:
            return _review_page(request, [Fault("error.nothing-chosen")], 422)
    return go(request, REVIEW)


def _times(request: Req, item: Item) -> int:
    return showing.times_with(context_of(request), signed_in(request), item.share.worker) if item.share else 0


def _stop(request: Req, item: Item, form: Form) -> None:
    """Stopped at once, and receipted with the words of this page. What could be read is sealed anew at the end."""
    context, session = context_of(request), signed_in(request)
    sentences, heard = request.app.state.pages.catalogues[language_of(request)], form.get("heard") == "yes"
    title = [Line("review.title"), Line("review.if_stop")]
    if item.share is not None:
        said = offers.said(sentences, [*title, *stop_lines(request, item.share)[1:]], heard=heard)
        withdrawing.withdraw_all(context, session, GrantId(item.id), said)
    else:
        said = offers.said(sentences, [*title, Line("send.stop_text")], heard=heard)
        outside.withdraw(context, session, GrantId(item.id), said)


@post("/{language:str}/proteger/revue/fini", opt=who("person", over=REVIEW), sync_to_thread=True)
def finish(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """All was looked at."""
    context, session = context_of(request), signed_in(request)
    reviewing.finish(context, session)
    return go(request, "partages/menage" if reencryption.waiting(context, session) else "maison")


# --- One guardian fewer ---------------------------------------------------------------------------------------------------


def _place(request: Req) -> str:
    return REVIEW if request.scope["path"].split("/")[2:4] == REVIEW.split("/") else TRUST


def release_page(request: Req, member: FromPath[str]) -> Response[Any]:
    """Who it is, what it means, and the present code."""
    circle = guardians.circle(context_of(request), signed_in(request))
    found = next((one for one in circle.members if one.id == member), None) if circle else None
    if found is None:
        return go(request, _place(request))
    return page(
        request, "kiosk/release.html", back=_place(request), one=found, action=f"{_place(request)}/retirer/{member}",
        left=len(circle.members) - 1 if circle else 0, needed=circle.needed if circle else 2,
    )  # fmt: skip


def release(request: Req, member: FromPath[str], form: Sent) -> Response[Any]:
    """What they hold opens nothing any more: the circle is formed anew of the others."""
    try:
        circles.release(context_of(request), signed_in(request), secret_of(form), member)
    except NotThere:
        return go(request, _place(request))
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return refused(request, WrongSecret() if isinstance(error, BadInput) else error, f"{_place(request)}/retirer/{member}")
    return go(request, _place(request))


def _releases(place: str) -> list[ControllerRouterHandler]:
    """The same two pages in the review and from "mes personnes de confiance"."""
    address = f"/{{language:str}}/{place}/retirer/{{member:str}}"
    opt = who("person")
    return [get(address, opt=opt, sync_to_thread=True)(release_page), post(address, opt=opt, sync_to_thread=True)(release)]


ROUTES: list[ControllerRouterHandler] = [review, answer, finish, *_releases(REVIEW), *_releases(TRUST)]
