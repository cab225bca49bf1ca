"""Article 19: whoever received something is told that it must go, answers, and is reminded until they have.

By the shares' ids alone, posted to them: the recipient finds their copies by these, and nothing names who erased. What was
answered is counted beside the certificate. Somebody outside, whom only the person could name, gets a letter that the person prints
before (`outside_recipients`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Connection, func, insert, select, update

from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from crypto.sealing import open_posted_value, post_value
from storage.errors import RowGone
from storage.tables import article19, structures, workers
from vault import accounts, audit, certificates, forgetting, labels, notices, outside, typed, who
from vault import administrators as office
from vault.context import Context
from vault.errors import AbriError, BadInput, NotThere
from vault.events import Event
from vault.notices import Notice
from vault.one_by_one import each
from vault.sessions import Session
from vault.settings import today_in_paris

Answer = Literal["done", "not-there", "keeps"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
REMIND_AFTER = dt.timedelta(days=14)
REASON_LETTERS = 500


@dataclass(frozen=True)
class Told:
    """One recipient of one erasure. `name` is empty once a pseudonym stands in its place; `days`: since they were told.

    `at_work`: whether they read it at their desk; otherwise a letter must leave.
    """

    id: str
    certificate: str
    name: str
    structure: str
    at_work: bool
    grants: tuple[str, ...]
    told: dt.date
    reminded: dt.date | None
    answer: str
    reason: str
    answered: dt.date | None
    days: int

    @property
    def late(self) -> bool:
        """Nobody has answered, and a reminder has gone."""
        return not self.answer and self.reminded is not None


@dataclass(frozen=True)
class Counts:
    """What the recipients of one erasure answered, without who."""

    told: int
    done: int
    not_there: int
    keeps: int

    @property
    def waiting(self) -> int:
        """Who has not answered."""
        return self.told - self.done - self.not_there - self.keeps


def tell(context: Context, connection: Connection, erasure: str, received: Mapping[str, Sequence[str]]) -> int:
    """Tell each recipient once, in the caller's transaction: worker to the shares' ids. Gives how many there are."""
    today = today_in_paris(context.clock())
    for worker, ids in received.items():
        name = context.new_id()
        posted = _post(context, connection, name, worker, ids)
        told = {"id": name, "erasure": erasure, "worker": worker, "posted": posted, "told": today}
        connection.execute(insert(article19).values(**told))
    return len(received)


def _post(context: Context, connection: Connection, told: str, worker: str, ids: Sequence[str]) -> bytes | None:
    """The shares' ids, for this worker alone, and a sentence at their desk. None for an account that nothing can be posted to any more,
    or whose keys nothing vouches for: their office prints a letter, and an erasure does not stop at them."""
    if not context.keyvault.exists("person", worker):
        return None
    place = labels.erased_shares(told=told, worker=worker)
    try:
        public = accounts.public_keys(context, connection, worker).kem
        posted = post_value(public, context.keyvault.derive("person", worker, place), place, {"grants": list(ids)})
        notices.tell(context, connection, worker, Notice("person-erased", {"grants": " ".join(ids)}))
    except (AbriError, CryptoError, RowGone):
        return None
    return posted


def _grants(context: Context, session: Session, row: Any) -> tuple[str, ...]:
    """The shares' ids, for the worker alone."""
    place = labels.erased_shares(told=row.id, worker=session.account)
    vaulted = context.keyvault.derive("person", session.account, place)
    found = open_posted_value(KemPrivate(session.opened().kem), vaulted, place, row.posted).get("grants")
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def waiting(context: Context, session: Session) -> list[Told]:
    """What this worker has not answered yet, the oldest first."""
    who.worker(session)
    with context.database.transaction(read_only=True) as connection:
        ours = (article19.c.worker == session.account, article19.c.answer.is_(None))
        return _listed(context, connection, *ours, session=session)


def answer(context: Context, session: Session, told: str, said: str, reason: str = "") -> None:
    """Done; not there any more; or it must be kept, because. BadInput("answer") or ("reason"); NotThere for another's, or twice."""
    who.worker(session)
    if said not in ANSWERS:
        raise BadInput("answer")
    why = ""
    if said == "keeps" or reason.strip():
        why = typed.lines(reason, "reason", REASON_LETTERS, empty="desk.erase.no_reason", long="desk.erase.no_reason")
    if (said == "keeps") != bool(why):
        raise BadInput("reason", "desk.erase.no_reason")
    with context.database.transaction() as connection:
        ours = (article19.c.id == told, article19.c.worker == session.account, article19.c.answer.is_(None))
        values = {"answer": said, "reason": why or None, "answered": today_in_paris(context.clock())}
        if not connection.execute(update(article19).where(*ours).values(**values)).rowcount:
            raise NotThere
        name = connection.execute(select(workers.c.first_name).where(workers.c.account == session.account)).scalar_one()
        event = Event("erasure.recipient-answered", by=session.account, by_name=name, detail=said)
        audit.record(context, connection, session, event, worker=session.account)


def of_office(context: Context, session: Session) -> list[Told]:
    """Every recipient who worked for this administrator's operator: who has not answered first, then the others."""
    with context.database.transaction(read_only=True) as connection:
        operator = office.operator_of(connection, session)
        ours = select(workers.c.account).join(structures, structures.c.id == workers.c.structure)
        found = _listed(context, connection, article19.c.worker.in_(ours.where(structures.c.operator == operator)))
    return sorted(found, key=lambda one: (bool(one.answer), one.told, one.id))


def one_of_office(context: Context, session: Session, told: str) -> Told:
    """One of them; NotThere for another operator's."""
    for one in of_office(context, session):
        if one.id == told:
            return one
    raise NotThere


def counts(context: Context, certificate: str) -> Counts:
    """What was answered, for whoever holds the number of a certificate. Raises NotThere."""
    found = certificates.find(context, certificate)
    with context.database.transaction(read_only=True) as connection:
        query = select(article19.c.answer, func.count()).where(article19.c.erasure == found.said.number)
        said = {answered: int(count) for answered, count in connection.execute(query.group_by(article19.c.answer))}
    return Counts(sum(said.values()), said.get("done", 0), said.get("not-there", 0), said.get("keeps", 0))


def remind(context: Context) -> int:
    """Tell again whoever has not answered for two weeks; a scheduled task, one commit each. Gives how many.

    Somebody whose keys do not hold reads nothing, and counts as reminded: then the office sees that it is late.
    """
    today = today_in_paris(context.clock())
    late = (article19.c.answer.is_(None), func.coalesce(article19.c.reminded, article19.c.told) <= today - REMIND_AFTER)
    with context.database.transaction(read_only=True) as connection:
        waiting = connection.scalars(select(article19.c.id).where(*late).order_by(article19.c.told, article19.c.id)).all()

    def remind_one(told: str) -> bool:
        with context.database.transaction() as connection:
            one = (article19.c.id == told, *late)
            row = connection.execute(select(article19.c.worker).where(*one).with_for_update()).one_or_none()
            if row is None:
                return False  # answered since we looked
            if row.worker and context.keyvault.exists("person", row.worker):
                notices.tell_if_told(context, connection, row.worker, Notice("person-erased-again"))
            connection.execute(update(article19).where(article19.c.id == told).values(reminded=today))
        return True

    return each("recipients", waiting, remind_one)


def _listed(context: Context, connection: Connection, *which: object, session: Session | None = None) -> list[Told]:
    query = select(article19, workers.c.first_name, workers.c.code, workers.c.state, structures.c.name.label("structure"))
    query = query.outerjoin(workers, workers.c.account == article19.c.worker)
    query = query.outerjoin(structures, structures.c.id == workers.c.structure)
    rows = connection.execute(query.where(*which).order_by(article19.c.told, article19.c.id)).all()  # type: ignore[arg-type]
    today = today_in_paris(context.clock())
    return [
        Told(
            row.id, certificates.number_of(row.erasure), "" if forgetting.is_pseudonym(row.code or "") else row.first_name or "",
            row.structure or "", row.state not in (None, "ended") and row.posted is not None,
            _grants(context, session, row) if session and row.posted else (),
            row.told, row.reminded, row.answer or "", row.reason or "", row.answered,
            (today - row.told).days,
        )
        for row in rows
    ]  # fmt: skip


def outside_recipients(context: Context, session: Session) -> list[str]:
    """Whom the person gave something outside, by the name that they typed: only they can tell them, with a letter."""
    who.person(session)
    given = [one for over in (False, True) for one in outside.mine(context, session, ended=over, openings=False)]
    return sorted({one.recipient for one in given if one.recipient})
