"""A link in the making: what the person has chosen so far, kept between pages in the session's sealed state; then the link itself,
shown until the person says that they have it."""

from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId
from crypto.canonical import Value
from vault import outside, sessions
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


def _read(told: Value) -> Sending | None:
    match told:
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


def keep(context: Context, session: Session, sending: Sending) -> None:
    """Keep it for the next page."""
    told: dict[str, Value] = {
        "papers": list(sending.papers), "recipient": sending.recipient, "purpose": sending.purpose or "",
        "own_words": sending.own_words, "marked": sending.marked,
    }  # fmt: skip
    _write(context, session, DRAFT, told)


def _write(context: Context, session: Session, place: str, told: dict[str, Value] | None) -> None:
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        if told is None:
            state.pop(place, None)
        else:
            state[place] = told
        sessions.write_state(connection, session, state)


def forget(context: Context, session: Session) -> None:
    """The person said no, or has the link and its code."""
    _write(context, session, DRAFT, None)
    _write(context, session, SHOWN, None)


def send(context: Context, session: Session, said: Said, words: str) -> None:
    """Yes: the link is made, and waits on the next page until the person has it. TermsRefused, NotThere, BadInput.

    Once: the second of two taps, at the same moment too, finds the link of the first.
    """
    if just_sent(context, session):
        return
    chosen = current(context, session)
    if not (chosen.recipient and chosen.purpose):
        raise NotThere
    own = chosen.own_words if chosen.purpose == "other" else ""

    def instead(connection: Connection, given: Given) -> None:
        state = sessions.read_state(connection, session)  # held: a second tap waits here
        if DRAFT not in state and SHOWN in state:
            raise _Sent
        if _read(state.pop(DRAFT, None)) != chosen:
            raise NotThere
        told: Value = {"share": given.share, "link": given.secrets.link, "code": given.secrets.code}
        sessions.write_state(connection, session, {**state, SHOWN: told})

    offer = OutsideOffer(chosen.papers, chosen.recipient, chosen.purpose, said, own, words, chosen.marked)
    with suppress(_Sent):
        outside.give(context, session, offer, instead)


class _Sent(Exception):  # no fault: it lets the row that was made for a second link die
    pass


def just_sent(context: Context, session: Session) -> bool:
    """Whether a link waits to be read, and nothing else was begun since."""
    with context.database.transaction(read_only=True) as connection:
        state = sessions.read_state(connection, session, hold=False)
    return SHOWN in state and DRAFT not in state


def shown(context: Context, session: Session) -> tuple[GrantId, Secrets]:
    """The link that was just made; NotThere once the person has it."""
    with context.database.transaction(read_only=True) as connection:
        told = sessions.read_state(connection, session, hold=False).get(SHOWN)
    match told:
        case {"share": str(share), "link": str(link), "code": str(code)}:
            return GrantId(share), Secrets(link, code)
    raise NotThere
