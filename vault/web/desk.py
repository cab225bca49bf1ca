"""The desk: who shows me papers, what I did, and the pages behind. For workers, in French and English."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.types import ControllerRouterHandler

from vault import charter, looking_back, news, notices, shared_papers
from vault.audit import Entry
from vault.languages import Sentences
from vault.settings import today_in_paris
from vault.web import (
    desk_asking,
    desk_cards,
    desk_deposit,
    desk_dossiers,
    desk_entry,
    desk_help,
    desk_helping,
    desk_papers,
    desk_procedures,
    desk_trust,
    desk_witness,
)
from vault.web.desk_frame import DESK_ERRORS, desk_page, in_two_languages, sentences
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.shell import Req, go

ACTS_A_PAGE = 50
NEWS_SHOWN = 5


@get("/", opt=who("worker"), sync_to_thread=True)
def people(request: Req) -> Response[str]:
    """D01: what is new, then one line for each living share, the oldest first."""
    context, session = context_of(request), signed_in(request)
    new_words = charter.accepted(context, session) != charter.version(sentences(request))
    return desk_page(
        request, "desk/people.html", "people", shares=shared_papers.people_sharing(context, session),
        notices=notices.waiting(context, session), today=today_in_paris(context.clock()), new_words=new_words,
        news=news.since_last_visit(context, session), most=NEWS_SHOWN,
    )  # fmt: skip


@post("/lu", opt=who("worker"), sync_to_thread=True)
def read_notices(request: Req, form: Sent) -> Response[Any]:
    """What somebody who erased everything asks of those who hold copies was read (GDPR article 19)."""
    notices.seen(context_of(request), signed_in(request), form.all("notice"))
    return go(request, "bureau")


@get("/actes", opt=who("worker"), sync_to_thread=True)
def acts(request: Req) -> Response[str]:
    """What the trace keeps of this worker, for their own eyes. It names nobody."""
    places = {
        name: looking_back.cursor(request.query_params.get(word, "")) for name, word in (("before", "avant"), ("after", "apres"))
    }
    shown = looking_back.sheet(context_of(request), signed_in(request), ACTS_A_PAGE, **places)
    lines = [(one, _sentence(one, sentences(request))) for one in shown.entries]
    return desk_page(request, "desk/acts.html", "acts", lines=lines, shown=shown)


def _sentence(entry: Entry, known: Sentences) -> str:
    own = f"desk.done.{entry.event.tag}"
    return own if known.has(own) else f"event.{entry.event.tag}"


ROUTES: list[ControllerRouterHandler] = [
    Router(
        path="/{language:str}/bureau",
        route_handlers=[
            people, read_notices, acts, *desk_entry.HANDLERS, *desk_papers.HANDLERS, *desk_asking.HANDLERS, *desk_deposit.HANDLERS,
            *desk_trust.HANDLERS, *desk_witness.HANDLERS, *desk_helping.HANDLERS,
            *desk_cards.HANDLERS, *desk_help.HANDLERS, *desk_procedures.HANDLERS, *desk_dossiers.HANDLERS,
        ],
        guards=[in_two_languages],
        exception_handlers=DESK_ERRORS,
    )
]  # fmt: skip
