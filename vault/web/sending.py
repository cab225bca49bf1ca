"""Send by a link: which papers, to whom, what for, yes or no; then a link on a slip and a code to say aloud. And how it stops."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.errors import TermsRefused
from consent.ids import GrantId, PaperId
from consent.outside import LONGEST_NAME, MOST_PAPERS, OPENINGS
from consent.purposes import PRIVATE, PurposeId
from consent.terms import LONGEST_OWN_WORDS
from vault import documents, offers, outside, procedure_asking, restricting, sending, typed
from vault.errors import BadInput, NotThere
from vault.listing import PaperCard
from vault.offers import Line
from vault.outside import OutsideCard
from vault.pictograms import REASONS
from vault.sending import Sending
from vault.web import as_shown
from vault.web.agreeing import GONE
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import NEXT, PICTURES, address, asked, leaf, numbered
from vault.web.paper_items import item, kept_paper
from vault.web.place import here
from vault.web.said_lines import paper_line, reason_line
from vault.web.shell import Elsewhere, Req, go, language_of, page
from vault.web.squares import own_origin, square

REASONS_A_PAGE = 8
LINKS_A_PAGE = 3


# --- Which papers, to whom, what for --------------------------------------------------------------------------------------


@get("/{language:str}/papiers/{paper:str}/lien", opt=who("person"), sync_to_thread=True)
def begin(request: Req, paper: FromPath[str]) -> Response[Any]:
    """From K14: one paper; others may join it."""
    restricting.refuse_early(context_of(request), signed_in(request))
    outside.refuse_too_early(context_of(request), signed_in(request))
    card = kept_paper(request, paper)
    if card.shelf == PRIVATE:
        raise NotThere
    sending.keep(context_of(request), signed_in(request), Sending((card.paper,)))
    return go(request, "envoyer/qui")


def _chosen(request: Req) -> Sending:
    return sending.current(context_of(request), signed_in(request))


def _to_send(request: Req) -> list[PaperCard]:
    return procedure_asking.can_be_given(documents.list_papers(context_of(request), signed_in(request)))


@get("/{language:str}/envoyer", opt=who("person", over="partages"), sync_to_thread=True)
def which(request: Req) -> Response[str]:
    """Several papers in one dossier, nine a page."""
    outside.refuse_too_early(context_of(request), signed_in(request))
    return _which_page(request, asked(request), [Fault("k15.paper_gone")] if request.query_params.get("dit") == GONE else [])


def _which_page(request: Req, number: int, faults: list[Fault], status: int = 200) -> Response[str]:
    shown = leaf(_to_send(request), number, PICTURES)
    return page(
        request, "kiosk/send_which.html", status=status, back="envoyer/accord", faults=faults, leaf=shown,
        chosen=_chosen(request).papers, items=[item(request, card, names=True) for card in shown.items],
    )  # fmt: skip


@post("/{language:str}/envoyer", opt=who("person", over="partages"), sync_to_thread=True)
def choose_papers(request: Req, form: Sent) -> Response[Any]:
    """The boxes of this page are added to those of the others; the order is the one in which they were chosen."""
    before, mine = _chosen(request), [card.paper for card in _to_send(request)]
    ticked = [PaperId(one) for one in form.all("paper")]
    kept = [one for one in before.papers if one in mine and (one in ticked or one not in form.all("shown"))]
    chosen = tuple(dict.fromkeys([*kept, *(one for one in ticked if one in mine)]))[:MOST_PAPERS]
    if not chosen:
        return _which_page(request, asked(request), [Fault("error.nothing-chosen")], 422)
    sending.keep(context_of(request), signed_in(request), replace(before, papers=chosen))
    if form.has(NEXT):
        return go(request, f"envoyer?{NEXT}={numbered(form.get(NEXT))}")
    return go(request, "envoyer/accord" if before.recipient and before.purpose else "envoyer/qui")


@get("/{language:str}/envoyer/qui", opt=who("person", over="partages"), sync_to_thread=True)
def to_whom(request: Req) -> Response[str]:
    """A name: it is written on each page that they see."""
    return _whom_page(request, _chosen(request).recipient, [])


def _whom_page(request: Req, written: str, faults: list[Fault], status: int = 200) -> Response[str]:
    back = f"papiers/{_chosen(request).papers[0]}/que-faire?plus=1"
    return page(request, "kiosk/send_whom.html", status=status, back=back, typed=written, faults=faults, most=LONGEST_NAME)


@post("/{language:str}/envoyer/qui", opt=who("person", over="partages"), sync_to_thread=True)
def say_whom(request: Req, form: Sent) -> Response[Any]:
    """One line."""
    try:
        name = typed.line(form.get("name"), "name", LONGEST_NAME)
    except BadInput as error:
        return _whom_page(request, form.get("name"), [Fault(error.shown, "name")], 422)
    sending.keep(context_of(request), signed_in(request), replace(_chosen(request), recipient=name))
    return go(request, "envoyer/pourquoi")


@get("/{language:str}/envoyer/pourquoi", opt=who("person", over="partages"), sync_to_thread=True)
def what_for(request: Req) -> Response[str]:
    """Eight reasons, and eight more."""
    _chosen(request)
    shown = leaf(list(REASONS.items()), asked(request), REASONS_A_PAGE)
    return page(
        request, "kiosk/send_what_for.html", back="envoyer/qui", items=[(name, icon, f"reason.{name}") for name, icon in shown.items],
        more=address(request, "envoyer/pourquoi", suite=shown.after),
    )  # fmt: skip


@post("/{language:str}/envoyer/pourquoi", opt=who("person", over="partages"), sync_to_thread=True)
def choose_reason(request: Req, form: Sent) -> Response[Any]:
    """The reason; "autre chose" asks for the person's own words."""
    reason = form.get("reason")
    if reason not in REASONS:
        raise BadInput("reason", "error.nothing-chosen")
    sending.keep(context_of(request), signed_in(request), replace(_chosen(request), purpose=PurposeId(reason), own_words=""))
    return go(request, "envoyer/mots" if reason == "other" else "envoyer/accord")


@get("/{language:str}/envoyer/mots", opt=who("person", over="partages"), sync_to_thread=True)
def own_words(request: Req) -> Response[str]:
    """In the person's own words: whoever has the link reads them."""
    return _words_page(request, _chosen(request).own_words, [])


def _words_page(request: Req, written: str, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(
        request, "kiosk/send_words.html", status=status, back="envoyer/pourquoi", typed=written, faults=faults, most=LONGEST_OWN_WORDS
    )  # fmt: skip


@post("/{language:str}/envoyer/mots", opt=who("person", over="partages"), sync_to_thread=True)
def say_words(request: Req, form: Sent) -> Response[Any]:
    """A short sentence, on one line."""
    try:
        words = typed.line(form.get("words"), "words", LONGEST_OWN_WORDS, long="error.phrase-long")
    except BadInput as error:
        return _words_page(request, form.get("words"), [Fault(error.shown, "words")], 422)
    sending.keep(context_of(request), signed_in(request), replace(_chosen(request), own_words=words))
    return go(request, "envoyer/accord")


# --- Yes or no ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Everything that the page of the yes says, and the digest of it."""

    chosen: Sending
    reason: str
    lines: Sequence[Line]
    question: str


def _asked(request: Req) -> Asked:
    chosen = _chosen(request)
    if not (chosen.recipient and chosen.purpose) or (chosen.purpose == "other" and not chosen.own_words):
        raise NotThere
    known = {card.paper: card for card in _to_send(request)}
    cards = [known[one] for one in chosen.papers if one in known]
    if len(cards) != len(chosen.papers):
        raise Elsewhere(f"envoyer?dit={GONE}")  # one of them was moved, hidden or thrown away since it was chosen
    sentences = request.app.state.pages.catalogues[language_of(request)]
    reason = chosen.own_words or sentences.plain(f"reason.{chosen.purpose}")
    lines = [
        Line("send.title", len(cards), {"name": chosen.recipient}), *(paper_line(sentences, card) for card in cards),
        reason_line(chosen.purpose, chosen.own_words), Line("send.limits", OPENINGS),
        Line("send.marked" if chosen.marked else "send.not_marked"), Line("send.text"),
    ]  # fmt: skip
    return Asked(chosen, reason, lines, as_shown.question(request, lines, sending.told(chosen)))


@get("/{language:str}/envoyer/accord", opt=who("person", over="partages"), sync_to_thread=True)
def agree_page(request: Req) -> Response[str]:
    """All of it, and yes or no; the mark can be taken off, another paper added."""
    return _agree_page(request, [])


def _agree_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    shown = _asked(request)
    return page(
        request, "kiosk/send_agree.html", status=status, back="envoyer/pourquoi", faults=faults, heading=shown.lines[0],
        below=shown.lines[1:], marked=shown.chosen.marked, shown=shown.question,
    )  # fmt: skip


@post("/{language:str}/envoyer/accord", opt=who("person", over="partages"), sync_to_thread=True)
def agree(request: Req, form: Sent) -> Response[Any]:
    """Yes makes the link of what stood there, and no other (ADR 0122); no forgets everything; the mark goes or comes back, and the page
    is shown again."""
    context, session = context_of(request), signed_in(request)
    answer = form.get("answer")
    if answer in ("mark", "no-mark"):
        sending.keep(context, session, replace(_chosen(request), marked=answer == "mark"))
        return go(request, "envoyer/accord")
    if answer != "yes":
        sending.forget(context, session)
        return go(request, "papiers")
    if sending.just_sent(context, session, form.get(as_shown.FIELD)):
        return go(request, "envoyer/fait")  # a second tap: the link that there is
    shown = _asked(request)
    if not as_shown.is_for(form, shown.question):
        return _agree_page(request, [as_shown.ANOTHER])
    sentences = request.app.state.pages.catalogues[language_of(request)]
    said = offers.said(sentences, shown.lines, heard=form.get("heard") == "yes", interpreter=form.get("interpreter") == "yes")
    try:
        sending.send(context, session, shown.chosen, said, shown.reason)
    except TermsRefused:
        return _agree_page(request, [Fault("error.first-day")], 422)
    return go(request, "envoyer/fait")


# --- The link -------------------------------------------------------------------------------------------------------------


@get("/{language:str}/envoyer/fait", opt=who("person", over="partages"), sync_to_thread=True)
def done(request: Req) -> Response[str]:
    """The link and the code, once. The link may be written or photographed; the code is said."""
    _, secrets = sending.shown(context_of(request), signed_in(request))
    return page(
        request, "kiosk/send_done.html", back="maison", link=secrets.groups, code=secrets.code, origin=own_origin(request),
        printer=here(request).equipment.printer,
    )  # fmt: skip


@get("/{language:str}/envoyer/fait/carre", opt=who("person"), sync_to_thread=True)
def done_square(request: Req) -> Response[bytes]:
    """The link as a square: it stands behind the # of the address, which browsers send to nobody."""
    _, secrets = sending.shown(context_of(request), signed_in(request))
    return square(request, f"lien#{secrets.groups}")


@get("/{language:str}/envoyer/fait/imprimer", opt=who("person", over="partages"), sync_to_thread=True)
def slip(request: Req) -> Response[str]:
    """A slip with the link, never with the code."""
    _, secrets = sending.shown(context_of(request), signed_in(request))
    return page(
        request, "printed/link.html", link=secrets.groups, origin=own_origin(request), back=f"/{language_of(request)}/envoyer/fait"
    )  # fmt: skip


@post("/{language:str}/envoyer/fait", opt=who("person", over="partages"), sync_to_thread=True)
def have_it(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """It is nowhere any more."""
    sending.forget(context_of(request), signed_in(request))
    return go(request, "partages")


# --- Stopping -------------------------------------------------------------------------------------------------------------


def _mine(request: Req, share: str) -> OutsideCard:
    links = outside.mine(context_of(request), signed_in(request), openings=False)
    found = next((one for one in links if one.share == share), None)
    if found is None:
        raise NotThere
    return found


def _stop(request: Req, share: str, form: Form) -> None:
    sentences = request.app.state.pages.catalogues[language_of(request)]
    said = offers.said(sentences, [Line("send.stop_title"), Line("send.stop_text")], heard=form.get("heard") == "yes")
    outside.withdraw(context_of(request), signed_in(request), GrantId(share), said)


@get("/{language:str}/partages/liens/{share:str}/arreter", opt=who("person", over="partages"), sync_to_thread=True)
def stop_page(request: Req, share: FromPath[str]) -> Response[str]:
    """What stops, and what cannot be taken back."""
    return page(request, "kiosk/send_stop.html", back="partages", one=_mine(request, share), place="partages")


@post("/{language:str}/partages/liens/{share:str}/arreter", opt=who("person", over="partages"), sync_to_thread=True)
def stop(request: Req, share: FromPath[str], form: Sent) -> Response[Any]:
    """Stopped before the answer leaves; then what could be read is sealed anew."""
    _stop(request, share, form)
    return go(request, "partages/menage")


@get("/{language:str}/arreter/liens", opt=who("card", "assisted"), sync_to_thread=True)
def stop_with_card(request: Req) -> Response[str]:
    """With the card alone: until when, and stop. The same page for a card that nobody knows."""
    shown = leaf(outside.mine(context_of(request), signed_in(request)), asked(request), LINKS_A_PAGE)
    return page(
        request, "kiosk/send_stop_with_card.html", back="arreter", links=shown.items,
        before=address(request, "arreter/liens", suite=shown.before) if shown.before else None,
        more=address(request, "arreter/liens", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@post("/{language:str}/arreter/liens/{share:str}", opt=who("card", "assisted"), sync_to_thread=True)
def stop_one(request: Req, share: FromPath[str], form: Sent) -> Response[Any]:
    """Stopped. The sealing anew waits for the next opening: it needs the code."""
    _stop(request, share, form)
    return go(request, "arreter?dit=arrete")


ROUTES: list[ControllerRouterHandler] = [
    begin, which, choose_papers, to_whom, say_whom, what_for, choose_reason, own_words, say_words, agree_page, agree, done,
    done_square, slip, have_it, stop_page, stop, stop_with_card, stop_one,
]  # fmt: skip
