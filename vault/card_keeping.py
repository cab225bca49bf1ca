""" "Carte gardée à l'accueil": one named worker holds somebody's card between two visits, because its owner chose so.

It is a piece of paper that changes hands and a line that says whose hands: no key, no part of a key, no wrap. Whoever keeps a card
never is who helps its owner to open, for these two together would open alone (ADR 0058); refused in both orders. It ends by one
touch of either side, and by itself with the card: a row counts only while a living way in is opened by that card.
"""

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, delete, insert, select

from consent.recipients import role
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.kem import KemPrivate, kem_public
from crypto.sealing import open_posted_value, post_value
from storage.errors import RowGone
from storage.tables import assists, kept_cards, slots, structures, workers
from vault import audit, cards, labels, sessions, unlocking, who
from vault.certifying import verified_certificate
from vault.context import Context
from vault.errors import BadInput, NotThere
from vault.events import Event
from vault.sessions import Session
from vault.settings import today_in_paris


@dataclass(frozen=True)
class Keeper:
    """Who keeps the card, as its owner reads it at each unlock."""

    worker: str
    first_name: str
    structure_name: str
    since: date


@dataclass(frozen=True)
class Kept:
    """A card that a worker keeps: the name and the drawing by which they know whose it is. Nothing else is told to them."""

    id: str
    name: str = field(repr=False)
    drawing: str
    since: date


def _living(person: object) -> tuple[object, ...]:
    """The card still opens something: the same card under a new code does, a lost or replaced one does not."""
    return (slots.c.account == person, slots.c.shown_digest == kept_cards.c.card, slots.c.state == "live")


def keep(context: Context, session: Session, worker: str, *, name: str, drawing: str) -> None:
    """This worker keeps the card from now on; whoever kept it before does not any more.

    BadInput("worker") for somebody who may not, and for who helps this person to open. NoSession when no card opened this session.
    """
    who.person(session)
    card = cards.digest(unlocking.card_of(context, session))
    with sessions.acting(context, session) as connection:
        try:
            certificate = verified_certificate(context, connection, worker)
        except (BadSignature, Malformed, NotThere) as error:
            raise BadInput("worker") from error
        row = connection.execute(select(workers.c.state, workers.c.first_name).where(workers.c.account == worker)).one()
        helps = select(assists.c.slot).where(assists.c.person == session.account, assists.c.worker == worker)
        may = row.state == "certified" and role(certificate.role).may_guard
        if not may or connection.execute(helps).first() is not None:
            raise BadInput("worker")
        connection.execute(delete(kept_cards).where(kept_cards.c.person == session.account))
        keeping = context.new_id()
        place = labels.kept_face(person=session.account, keeping=keeping)
        posted = post_value(
            kem_public(certificate.kem), context.keyvault.derive("person", session.account, place), place,
            {"name": name, "drawing": drawing},
        )  # fmt: skip
        since = today_in_paris(context.clock())
        values = {"id": keeping, "person": session.account, "worker": worker, "card": card, "posted_face": posted, "since": since}
        connection.execute(insert(kept_cards).values(values))
        kept = Event("means.card-kept", by=session.account, by_name=row.first_name)
        audit.record(context, connection, session, kept, person=session.account, worker=worker)


def keeper_of(context: Context, session: Session) -> Keeper | None:
    """Who keeps this person's card; None when nobody does."""
    who.person(session)
    query = select(kept_cards.c.worker, kept_cards.c.since, workers.c.first_name, structures.c.name)
    query = query.join(workers, workers.c.account == kept_cards.c.worker).join(structures, structures.c.id == workers.c.structure)
    query = query.where(kept_cards.c.person == session.account, select(slots.c.id).where(*_living(session.account)).exists())  # type: ignore[arg-type]
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(query).one_or_none()
    return Keeper(row.worker, row.first_name, row.name, row.since) if row else None


def keeps(connection: Connection, person: str, worker: str) -> bool:
    """Whether this worker keeps this person's card: then they are not who helps to open."""
    mine = (kept_cards.c.person == person, kept_cards.c.worker == worker)
    return connection.execute(select(kept_cards.c.id).where(*mine)).first() is not None


def cards_i_keep(context: Context, session: Session) -> list[Kept]:
    """The cards that a worker keeps, by the face that each owner gave them."""
    private = KemPrivate(who.worker(session).kem)
    query = select(kept_cards).where(kept_cards.c.worker == session.account)
    query = query.where(select(slots.c.id).where(*_living(kept_cards.c.person)).exists())  # type: ignore[arg-type]
    with context.database.transaction(read_only=True) as connection:
        rows = connection.execute(query).all()
    found = []
    for row in rows:
        place = labels.kept_face(person=row.person, keeping=row.id)
        try:
            face = open_posted_value(private, context.keyvault.derive("person", row.person, place), place, row.posted_face)
        except (RowGone, CryptoError):
            continue
        found.append(Kept(row.id, str(face.get("name", "")), str(face.get("drawing", "")), row.since))
    return sorted(found, key=lambda one: (one.name, one.id))


def take_back(context: Context, session: Session) -> None:
    """The person has their card again. No key is needed. Safe to repeat."""
    with context.database.transaction() as connection:
        person = who.narrowing(connection, session)
        worker = connection.execute(select(kept_cards.c.worker).where(kept_cards.c.person == person)).scalar_one_or_none()
        if worker is not None:
            _end(context, connection, session, person, worker, by=person)


def give_back(context: Context, session: Session, keeping: str) -> None:
    """The worker has given the card back. NotThere for a card that they do not keep."""
    who.worker(session)
    mine = (kept_cards.c.id == keeping, kept_cards.c.worker == session.account)
    with context.database.transaction() as connection:
        person = connection.execute(select(kept_cards.c.person).where(*mine)).scalar_one_or_none()
        if person is None:
            raise NotThere
        _end(context, connection, session, person, session.account, by=session.account)


def _end(context: Context, connection: Connection, session: Session, person: str, worker: str, *, by: str) -> None:
    name = connection.execute(select(workers.c.first_name).where(workers.c.account == worker)).scalar_one()
    connection.execute(delete(kept_cards).where(kept_cards.c.person == person))
    ended = Event("means.card-returned", by=by, by_name=name)
    audit.record(context, connection, session, ended, person=person, worker=worker)


def worker_left(connection: Connection, worker: str) -> list[str]:
    """A worker's account ends: they keep no card any more. Gives whose card they kept."""
    mine = kept_cards.c.worker == worker
    owners = list(connection.scalars(select(kept_cards.c.person).where(mine)))
    connection.execute(delete(kept_cards).where(mine))
    return owners
