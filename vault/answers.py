"""What a worker asked, and what came back: read by their own secret, and only of whom they may still know something."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import Connection, func, select

from consent.days import lasts
from consent.ids import KindId, RequestId
from consent.purposes import PurposeId
from consent.request import Answer, Asked
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from storage.errors import RowGone
from storage.tables import grant_changes, grants, requests
from vault import asking_sealed, shares, who
from vault.colleagues import LIVING
from vault.context import Context
from vault.sessions import Session
from vault.shares import Face


@dataclass(frozen=True)
class Asking:
    """A request as its worker sees it. `answers` by kind; kinds that are not there wait. No name without a share that lives."""

    request: RequestId
    name: str = field(repr=False)
    drawing: str
    kinds: tuple[KindId, ...]
    purpose: PurposeId
    own_words: str = field(repr=False)
    asked: datetime
    answers: Mapping[KindId, Answer]
    last_day: date
    procedure: str = ""


def earlier(context: Context, connection: Connection, session: Session, person: str) -> list[Asked]:
    """All that this worker asked of one person, also what no page shows any more: the limits on asking again remember it."""
    return [asked for asked, _ in _sealed(context, connection, session, person)]


def _sealed(
    context: Context, connection: Connection, session: Session, person: str | None = None
) -> list[tuple[Asked, bool]]:  # fmt: skip
    """What a worker asked, and whether with a card."""
    private = KemPrivate(who.worker(session).kem)
    query = select(requests).where(requests.c.worker == session.account, requests.c.kind != "handover")
    if person is not None:
        query = query.where(requests.c.person == person)
    found = []
    for row in connection.execute(query).mappings().all():
        try:
            value = asking_sealed.opened(context, row, private, row["for_worker"])
            posted = row["answer_for_worker"]
            answers = asking_sealed.opened(context, row, private, posted).get("answers") if posted else []
            found.append((asking_sealed.read(row, value.get("request"), answers), value.get("by_card") is True))
        except (CryptoError, RowGone, ValueError):
            continue
    return found


def _faces(context: Context, connection: Connection, session: Session) -> dict[str, Face]:
    """Those who show this worker something today, as they chose to be shown."""
    now = context.clock()
    living = shares.of_worker(context, connection, session)
    return {share.person: share.face for share in living if lasts(share.body.terms.until, now)}


def _stopped(connection: Connection, session: Session, found: Iterable[Asked]) -> Mapping[str, datetime]:
    """Until when whatever was asked of somebody went with their shares to this worker: their last end, or for ever while one of
    them has none (a safe that answers nobody now)."""
    query = (
        select(grants.c.person, grants.c.state, func.max(grant_changes.c.at).label("at"))
        .join(grant_changes, grant_changes.c.grant == grants.c.id)
        .where(grants.c.worker == session.account, grants.c.person.in_({one.request.person for one in found}))
        .group_by(grants.c.person, grants.c.state)
    )
    ends: dict[str, datetime] = {}
    for row in connection.execute(query):
        end = datetime.max.replace(tzinfo=UTC) if row.state in LIVING else row.at
        ends[row.person] = max(end, ends.get(row.person, end))
    return ends


def given(context: Context, session: Session) -> list[Asking]:
    """What this worker asked, latest first. What was asked with a card is seen once it was answered.

    Whoever stopped since is not in it: neither their name, nor what was asked of them, nor what they said (ADR 0017).
    """
    with context.database.transaction(read_only=True) as connection:
        return given_in(context, connection, session)


def given_in(context: Context, connection: Connection, session: Session, person: str | None = None) -> list[Asking]:
    """The same of one person, in the caller's transaction."""
    found = _sealed(context, connection, session, person)
    faces, ends, shown = _faces(context, connection, session), _stopped(connection, session, [one for one, _ in found]), []
    for one, by_card in found:
        request, living = one.request, faces.get(one.request.person)
        over = living is None and request.person in ends and request.asked <= ends[request.person]
        if over or (by_card and not one.answers):
            continue
        face = living if living and not by_card else Face("", "")
        shown.append(
            Asking(
                request.request, face.name, face.drawing, request.kinds, request.purpose, request.own_words, request.asked,
                {said.kind: said.answer for said in one.answers}, one.last_day(), request.procedure,
            )
        )  # fmt: skip
    return sorted(shown, key=lambda one: (one.asked, one.request), reverse=True)
