"""Guardians seen from both sides: what the person reads about their circle, and whom a worker can help to come back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from consent.days import add_months
from crypto.errors import CryptoError, Undecryptable
from crypto.kem import KemPrivate
from crypto.sealing import open_posted_value
from crypto.statements import CircleFormed
from storage.errors import RowGone
from storage.tables import (
    circle_members,
    circle_shares,
    circles,
    directive_copies,
    recovery_confirmations,
    structures,
    workers,
)
from vault import accounts, assisting, audit, card_keeping, former_faces, labels, notices, sessions, waiting, who
from vault.circles import living, open_label
from vault.context import Context
from vault.errors import NotAllowed, NotThere, Tampered
from vault.events import Event
from vault.former_faces import Former
from vault.sessions import Session
from vault.settings import today_in_paris

CONFIRM_MONTHS = 6


@dataclass(frozen=True)
class Guardian:
    """One member as the person sees it. `state`: certified, suspended, ended for a worker; printed for a sheet."""

    id: str
    kind: str
    worker: str
    name: str = field(repr=False)
    structure: str
    structure_name: str
    state: str


@dataclass(frozen=True)
class Circle:
    """A person's guardians, and what is weak about them (sentences `circle.<weakness>`)."""

    id: str
    needed: int
    members: tuple[Guardian, ...]
    sets: int
    missing: int
    weaknesses: tuple[str, ...]
    confirm_due: bool
    phrase: str = field(default="", repr=False)  # what the person says to be recognised; empty when they chose none


@dataclass(frozen=True)
class Ward:
    """Somebody who counts on a worker: the name and the drawing that they chose to be recognised by."""

    member: str
    name: str = field(repr=False)
    drawing: str = field(repr=False)
    phrase: str = field(default="", repr=False)
    former: tuple[Former, ...] = ()  # by what they were known until less than a year ago


def circle(context: Context, session: Session) -> Circle | None:
    """The person's guardians and what is weak about them; None when there are none.

    A circle whose rows do not hold brings nobody back: it is shown as one in which nobody can help, so that another is chosen.
    """
    try:
        return _circle(context, session)
    except (CryptoError, Tampered):
        with context.database.transaction(read_only=True) as connection:
            ours = select(circles.c.id, circles.c.needed).where(circles.c.person == session.account, circles.c.state == "living")
            row = connection.execute(ours).first()
        return Circle(row.id, row.needed, (), 0, 0, ("nobody-can",), False) if row else None


def _circle(context: Context, session: Session) -> Circle | None:
    keys, today = session.opened(), today_in_paris(context.clock())
    with context.database.transaction(read_only=True) as connection:
        found = living(context, connection, session.account, accounts.public_keys(context, connection, session.account).ring)
        if found is None:
            return None
        row, said = found
        query = (
            select(
                circle_members,
                workers.c.first_name,
                workers.c.structure,
                workers.c.state,
                structures.c.name.label("structure_name"),
            )
            .outerjoin(workers, workers.c.account == circle_members.c.worker)
            .outerjoin(structures, structures.c.id == workers.c.structure)
        )
        members = (
            connection.execute(query.where(circle_members.c.circle == row["id"]).order_by(circle_members.c.id)).mappings().all()
        )
    guardians = tuple(
        Guardian(
            one["id"], one["kind"], one["worker"] or "", one["first_name"] or open_label(keys, session.account, one)["label"],
            one["structure"] or "", one["structure_name"] or "", one["state"] or "printed",
        )
        for one in members
    )  # fmt: skip
    if {one.id for one in guardians} != set(said.members):
        raise Tampered
    missing = 0 if said.sets else max(1, row["needed"] - len(guardians))
    due = today >= add_months(row["confirmed"], CONFIRM_MONTHS)
    weak, labels_of = _weaknesses(guardians, said, due), (open_label(keys, session.account, one) for one in members)
    phrase = next((label["phrase"] for label in labels_of if label.get("phrase")), "")
    return Circle(row["id"], row["needed"], guardians, len(said.sets), missing, weak, due, phrase)


def _weaknesses(members: Sequence[Guardian], said: CircleFormed, due: bool) -> tuple[str, ...]:
    at_work = [one for one in members if one.kind == "worker"]
    present = {one.id for one in members if one.state in ("certified", "printed")}
    found = {
        "missing-one": not said.sets,
        "nobody-can": bool(said.sets) and not any(present.issuperset(one) for one in said.sets),
        "worker-left": any(one.state == "ended" for one in at_work),
        "worker-absent": any(one.state == "suspended" for one in at_work),
        "same-structure": len(at_work) > 1 and len({one.structure for one in at_work}) == 1,
        "only-sheets": not at_work,
        "to-confirm": due,
    }
    return tuple(name for name, weak in found.items() if weak)


def confirm_circle(context: Context, session: Session) -> None:
    """The person says again, every six months, that these are their guardians."""
    who.person(session)
    with sessions.acting(context, session) as connection:
        ours = (circles.c.person == session.account, circles.c.state == "living")
        if not connection.execute(update(circles).where(*ours).values(confirmed=today_in_paris(context.clock()))).rowcount:
            raise NotThere
        audit.record(context, connection, session, Event("recovery.circle-confirmed", by=session.account), person=session.account)


def people_who_count_on_me(context: Context, session: Session) -> list[Ward]:
    """Whom this worker can help to come back, by the face that each one gave them."""
    if session.kind != "worker":
        raise NotAllowed
    private = KemPrivate(session.opened().kem)
    with context.database.transaction(read_only=True) as connection:
        query = select(circle_members.c.id, circle_members.c.posted_face, circles.c.id.label("circle"), circles.c.person).join(
            circles
        )
        rows = (
            connection.execute(query.where(circle_members.c.worker == session.account, circles.c.state == "living"))
            .mappings()
            .all()
        )
    wards = []
    for row in rows:
        place = labels.face(person=row["person"], circle=row["circle"], member=row["id"])
        try:
            face = open_posted_value(private, context.keyvault.derive("grant", row["circle"], place), place, row["posted_face"])
        except (RowGone, Undecryptable):  # a circle that ended in this instant, or a face that this worker cannot read
            continue
        former = former_faces.told(face, today_in_paris(context.clock()))
        name, drawing, phrase = (str(face.get(key, "")) for key in ("name", "drawing", "phrase"))
        wards.append(Ward(row["id"], name, drawing, phrase, former))
    return sorted(wards, key=lambda ward: (ward.name, ward.member))


def guardian_left(context: Context, connection: Connection, worker: str, name: str) -> None:
    """A guardian's account ends: what they held goes, and each person who counted on them is told at the next unlock, to choose another."""
    query = select(circles.c.person).join(circle_members).where(circle_members.c.worker == worker, circles.c.state == "living")
    helped = assisting.worker_left(context, connection, worker)
    trusted = set(connection.scalars(query.distinct()))
    for person in sorted(trusted):
        audit.record_if_sealed(context, connection, Event("recovery.guardian-left", by_name=name), person=person)
    for person in sorted(helped):
        audit.record_if_sealed(context, connection, Event("means.assisted-off", by_name=name), person=person)
    _take_back(context, connection, worker)
    kept = set(card_keeping.worker_left(connection, worker))
    for person in sorted(kept):
        audit.record_if_sealed(context, connection, Event("means.card-returned", by_name=name), person=person)
        notices.tell_if_told(context, connection, person, notices.Notice("keeper-left", {"name": name}))
    for person in {*trusted, *helped}:
        notices.tell_if_told(context, connection, person, notices.Notice("guardian-left", {"name": name}))


def _take_back(context: Context, connection: Connection, worker: str) -> None:
    """Who has left holds nothing of a person: no part, no name or drawing, no wish for after death; in the caller's transaction.

    Sets with them were dead already. What they sent to a recovery that is not over counts no more, for an account is ended when a desk
    was stolen too; a recovery that waits and lacks a set by this will not open, and ends.
    """
    members = select(circle_members.c.id).where(circle_members.c.worker == worker)
    connection.execute(delete(circle_shares).where(circle_shares.c.member.in_(members)))
    sent = recovery_confirmations.c.member.in_(members)
    touched = connection.scalars(select(recovery_confirmations.c.recovery).where(sent).distinct()).all()
    connection.execute(delete(recovery_confirmations).where(sent))
    connection.execute(update(circle_members).where(circle_members.c.worker == worker).values(posted_face=None))
    connection.execute(delete(directive_copies).where(directive_copies.c.worker == worker))
    for recovery in sorted(touched):
        waiting.end_if_nobody_can(context, connection, recovery)


def due_to_confirm(connection: Connection, today: dt.date) -> int:
    """How many circles wait for their six-monthly yes: a figure for the office, without whose."""
    days = connection.scalars(select(circles.c.confirmed).where(circles.c.state == "living")).all()
    return sum(1 for day in days if today >= add_months(day, CONFIRM_MONTHS))
