"""A link in the making: what the person has chosen so far, kept between pages in the session's sealed state; then the link itself,
shown until the person says that they have it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId
from crypto.canonical import Value
from vault import offers, outside, sessions
from vault.context import Context
from vault.errors import NotThere
from vault.outside import Given, OutsideOffer
from vault.outside_links import Secrets
from vault.receipts import Said
from vault.sessions import Session

DRAFT, SHOWN = "sending", "sent"


@dataclass(frozen=True)
class Sending:
    """What has been chosen until now; an empty text is not chosen yet."""

    papers: tuple[PaperId, ...] = ()
    recipient: str = field(default="", repr=False)
    purpose: PurposeId | None = None
    own_words: str = field(default="", repr=False)
    marked: bool = True


def _read(kept: Value) -> Sending | None:
    match kept:
        case {
            "papers": list(papers),
            "recipient": str(to),
            "purpose": str(purpose),
            "own_words": str(own),
            "marked": bool(marked),
        }:
            chosen = tuple(PaperId(str(one)) for one in papers)
            return Sending(chosen, to, PurposeId(purpose) if purpose else None, own, marked)
    return None


def current(context: Context, session: Session) -> Sending:
    """What has been chosen; NotThere when no paper was."""
    with context.database.transaction(read_only=True) as connection:
        found = _read(sessions.read_state(connection, session, hold=False).get(DRAFT))
    if found is None:
        raise NotThere
    return found


def told(sending: Sending) -> dict[str, Value]:
    """All of it, as the session keeps it and as the question names it."""
    return {
        "papers": list(sending.papers), "recipient": sending.recipient, "purpose": sending.purpose or "",
        "own_words": sending.own_words, "marked": sending.marked,
    }  # fmt: skip


def keep(context: Context, session: Session, sending: Sending) -> None:
    """Keep it for the next page."""
    _write(context, session, DRAFT, told(sending))


def _write(context: Context, session: Session, place: str, value: dict[str, Value] | None) -> None:
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        if value is None:
            state.pop(place, None)
        else:
            state[place] = value
        sessions.write_state(connection, session, state)


def forget(context: Context, session: Session) -> None:
    """The person said no, or has the link and its code."""
    _write(context, session, DRAFT, None)
    _write(context, session, SHOWN, None)


def send(context: Context, session: Session, chosen: Sending, said: Said, words: str) -> None:
    """Yes to exactly this: the link is made, and waits on the next page until the person has it. TermsRefused, BadInput; NotThere when
    something else was chosen meanwhile.

    Once: the second of two taps, at the same moment too, finds the link of the first.
    """
    question = offers.question(said, told(chosen))
    if just_sent(context, session, question):
        return
    if not (chosen.recipient and chosen.purpose):
        raise NotThere
    own = chosen.own_words if chosen.purpose == "other" else ""

    def instead(connection: Connection, given: Given) -> None:
        state = sessions.read_state(connection, session)  # held: a second tap waits here
        if _sent(state, question):
            raise _Sent
        if _read(state.pop(DRAFT, None)) != chosen:
            raise NotThere
        made: Value = {"share": given.share, "link": given.secrets.link, "code": given.secrets.code, "question": question}
        sessions.write_state(connection, session, {**state, SHOWN: made})

    offer = OutsideOffer(chosen.papers, chosen.recipient, chosen.purpose, said, own, words, chosen.marked)
    with suppress(_Sent):
        outside.give(context, session, offer, instead)


class _Sent(Exception):  # no fault: it lets the row that was made for a second link die
    pass


def just_sent(context: Context, session: Session, question: str) -> bool:
    """Whether the link of this very question waits to be read, and nothing else was begun since."""
    with context.database.transaction(read_only=True) as connection:
        return _sent(sessions.read_state(connection, session, hold=False), question)


def _sent(state: Mapping[str, Value], question: str) -> bool:
    match state.get(SHOWN):
        case {"question": str(of)}:
            return of == question and DRAFT not in state
    return False


def shown(context: Context, session: Session) -> tuple[GrantId, Secrets]:
    """The link that was just made; NotThere once the person has it."""
    with context.database.transaction(read_only=True) as connection:
        made = sessions.read_state(connection, session, hold=False).get(SHOWN)
    match made:
        case {"share": str(share), "link": str(link), "code": str(code)}:
            return GrantId(share), Secrets(link, code)
    raise NotThere
