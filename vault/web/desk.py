"""The desk: who shows me papers, what I did, and the pages behind. For workers, in French and English."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import article19, charter, looking_back, news, notices, shared_papers
from vault.audit import Entry
from vault.errors import BadInput
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
    key_entry,
    keys,
)
from vault.web.desk_frame import DESK_ERRORS, desk_page, in_two_languages, sentences
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
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
        news=news.since_last_visit(context, session), most=NEWS_SHOWN, to_erase=len(article19.waiting(context, session)),
    )  # fmt: skip


@post("/lu", opt=who("worker"), sync_to_thread=True)
def read_notices(request: Req, form: Sent) -> Response[Any]:
    """What somebody who erased everything asks of those who hold copies was read (GDPR article 19)."""
    notices.seen(context_of(request), signed_in(request), form.all("notice"))
    return go(request, "bureau")


@get("/copies-a-effacer", opt=who("worker"), sync_to_thread=True)
def to_erase(request: Req) -> Response[str]:
    """Article 19: what must go, by the shares' ids, and the answer."""
    return _to_erase(request, [])


def _to_erase(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    said = "desk.erase.thanks" if request.query_params.get("dit") == "merci" else ""
    waiting = article19.waiting(context_of(request), signed_in(request))
    return desk_page(request, "desk/to_erase.html", "people", status=status, waiting=waiting, faults=faults, said=said)


@post("/copies-a-effacer/{told:str}", opt=who("worker", over="bureau/copies-a-effacer"), sync_to_thread=True)
def erased(request: Req, told: FromPath[str], form: Sent) -> Response[Any]:
    """Done, not there any more, or kept because."""
    try:
        article19.answer(context_of(request), signed_in(request), told, form.get("answer"), form.get("reason"))
    except BadInput as error:
        sentence = "desk.erase.no_answer" if error.field == "answer" else error.shown
        return _to_erase(request, [Fault(sentence)], 422)
    return go(request, "bureau/copies-a-effacer?dit=merci")


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
            people, read_notices, to_erase, erased, acts,
            *desk_entry.HANDLERS, *desk_papers.HANDLERS, *desk_asking.HANDLERS, *desk_deposit.HANDLERS,
            *key_entry.handlers(key_entry.DESK), *keys.handlers(key_entry.DESK),
            *desk_trust.HANDLERS, *desk_witness.HANDLERS, *desk_helping.HANDLERS,
            *desk_cards.HANDLERS, *desk_help.HANDLERS, *desk_procedures.HANDLERS, *desk_dossiers.HANDLERS,
        ],
        guards=[in_two_languages],
        exception_handlers=DESK_ERRORS,
    )
]  # fmt: skip
