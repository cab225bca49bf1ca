"""The name and the drawing that a person gave to those who must recognise them: given anew to each of them when they change.

Guardians, who helps to open and who keeps the card know the person by these and by nothing else: whoever comes without anything and
shows the drawing of today must be found in their lists.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, update

from crypto.errors import CryptoError
from crypto.kem import kem_public
from crypto.sealing import post_value, seal_value
from storage.errors import RowGone
from storage.tables import assists, circle_members, circles, kept_cards, workers
from vault import former_faces, labels
from vault.certifying import verified_certificate
from vault.circles import opened_label
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.sessions import Session
from vault.settings import today_in_paris

DAMAGED = (CryptoError, NotThere, RowGone, Tampered)
"""A row that does not hold keeps nobody from changing their name: only whoever it is of is not told."""

Face = dict[str, str]


def give_again(context: Context, connection: Connection, session: Session, name: str, drawing: str) -> None:
    """Post today's name and drawing to everybody who was given those of before, in the caller's transaction."""
    person, shown = session.account, {"name": name, "drawing": drawing}
    at_work = (workers.c.state != "ended",)
    of_circle = select(circle_members).join(circles, circles.c.id == circle_members.c.circle)
    of_circle = of_circle.join(workers, workers.c.account == circle_members.c.worker)
    guardians = of_circle.where(circles.c.person == person, circles.c.state == "living", *at_work)
    helping = select(assists).join(workers, workers.c.account == assists.c.worker).where(assists.c.person == person, *at_work)
    keeping = select(kept_cards).join(workers, workers.c.account == kept_cards.c.worker)
    to: list[tuple[Select[Any], Callable[[Context, Connection, Session, RowMapping, Face], None]]] = [
        (guardians, _to_guardian), (helping, _to_who_helps), (keeping.where(kept_cards.c.person == person, *at_work), _to_who_keeps),
    ]  # fmt: skip
    for query, give in to:
        for row in connection.execute(query).mappings().all():
            with suppress(*DAMAGED):
                give(context, connection, session, row, shown)


def _to_guardian(context: Context, connection: Connection, session: Session, row: RowMapping, shown: Face) -> None:
    """The key of the row is the one that the person chose: their own label carries its hash. What they were given before stays beside
    it for a year (ADR 0115)."""
    person, member = session.account, row["id"]
    today = today_in_paris(context.clock())
    old = opened_label(session.opened(), person, row)
    label = old | shown | former_faces.after(old, shown["name"], shown["drawing"], today)
    place = labels.face(person=person, circle=row["circle"], member=member)
    vaulted = context.keyvault.derive("grant", row["circle"], place)
    face = shown | {"phrase": label.get("phrase", ""), former_faces.BEFORE: label[former_faces.BEFORE]}
    posted = post_value(kem_public(row["public_key"]), vaulted, place, face)
    sealed = seal_value(session.opened().values, labels.guardian_label(person=person, member=member), label)
    this = update(circle_members).where(circle_members.c.id == member)
    connection.execute(this.values(posted_face=posted, sealed_label=sealed))


def _to_who_helps(context: Context, connection: Connection, session: Session, row: RowMapping, shown: Face) -> None:
    """To the worker, and to the assisted openings themselves."""
    slot, worker = row["slot"], verified_certificate(context, connection, row["worker"])
    face = labels.assisted_face(person=session.account, slot=slot)
    lent = labels.lent_face(person=session.account, slot=slot)
    values = {
        "posted_face": post_value(kem_public(worker.kem), context.keyvault.derive("slot", slot, face), face, shown),
        "lent_face": post_value(kem_public(row["public_key"]), context.keyvault.derive("slot", slot, lent), lent, shown),
    }
    connection.execute(update(assists).where(assists.c.slot == slot).values(**values))


def _to_who_keeps(context: Context, connection: Connection, session: Session, row: RowMapping, shown: Face) -> None:
    place = labels.kept_face(person=session.account, keeping=row["id"])
    worker = verified_certificate(context, connection, row["worker"])
    vaulted = context.keyvault.derive("person", session.account, place)
    posted = post_value(kem_public(worker.kem), vaulted, place, shown)
    connection.execute(update(kept_cards).where(kept_cards.c.id == row["id"]).values(posted_face=posted))
