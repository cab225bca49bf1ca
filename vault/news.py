"""What is new at the desk since the worker's last visit: read from their own part of the trace, which names nobody.

A share that lives gives the name under which its person chose to be shown; one that is over gives none, as D02 says nothing either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consent.ids import GrantId
from vault import audit, shared_papers, who
from vault.audit import Entry
from vault.context import Context
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.shared_papers import PersonSharing

LONGEST = timedelta(days=31)  # older than that is no news, however long somebody was away
TOLD = (
    "share.given", "share.given-with-witness", "share.renewed", "share.narrowed", "share.withdrawn", "share.expired", "share.ended",
    "share.request-given",
    "share.request-have-not", "share.request-refused", "share.handover-followed", "share.handover-refused",
    "paper.received",
)  # fmt: skip
SIGNED_IN = "worker.signed-in"


@dataclass(frozen=True)
class Piece:
    """One thing that happened. `name` and `drawing` are empty, and `grant` is None, when its share does not live."""

    tag: str
    at: datetime
    grant: GrantId | None
    name: str = field(repr=False)
    drawing: str
    detail: str
    """The kind of paper that an answer is about; empty for the rest."""


@dataclass(frozen=True)
class News:
    """Since when, and what, the newest first. `first_visit`: nobody has signed in here before, or not for a month."""

    since: datetime
    first_visit: bool
    pieces: tuple[Piece, ...]


def since_last_visit(context: Context, session: Session) -> News:
    """What happened between the last visit and now, by others."""
    who.worker(session)
    now = context.clock()
    found = audit.history(context, session, since=today_in_paris(now - LONGEST))
    visits = [one.at for one in found if one.event.tag == SIGNED_IN]
    before = visits[1] if len(visits) > 1 else None  # the first is this one
    since = max(before or now - LONGEST, now - LONGEST)
    deposits = {one.event.paper: one.event.grant for one in found if one.event.tag == "paper.deposited-by-worker"}
    living = {one.grant: one for one in shared_papers.people_sharing(context, session)}
    told = [one for one in found if one.event.tag in TOLD and one.at >= since]
    return News(since, before is None, tuple(_piece(one, living, deposits) for one in told))


def _piece(entry: Entry, living: Mapping[GrantId, PersonSharing], deposits: Mapping[str, str]) -> Piece:
    event = entry.event
    share = living.get(GrantId(event.grant or deposits.get(event.paper, "")))
    detail = event.detail if event.tag.startswith("share.request-") else ""
    if share is None:
        return Piece(event.tag, entry.at, None, "", "", detail)
    return Piece(event.tag, entry.at, share.grant, share.name, share.drawing, detail)
