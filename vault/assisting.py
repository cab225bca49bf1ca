"""Opening with somebody's help, for who cannot remember a code: off by default, one named worker, drawers that the person chooses.

The assist slot seals a seed of its own, never the account's: it opens the drawers that were lent to it, and cannot sign, share, erase
or change a way in. Its key needs the card, the pictures if the person can, and what one worker holds. That worker with a copied card
opens those drawers alone: it is said when this is chosen, and shown at each unlock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from consent.purposes import SHELVES, ShelfKind
from consent.recipients import role
from crypto import contexts, envelope, unlock
from crypto.canonical import Value
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.kem import KemPrivate, KemPublic, kem_public, public_key
from crypto.keys import AssistSecret, CardSecret, KemSeed
from crypto.sealing import open_post, open_posted_text, open_posted_value, post, post_value
from crypto.unlock import Cost, Kind
from storage.errors import RowGone
from storage.tables import assist_shelves, assists, slots, structures, workers
from vault import audit, card_keeping, cards, labels, sessions, shelves, unlocking, who
from vault import slots as ways
from vault.certifying import verified_certificate
from vault.context import Context
from vault.errors import BadInput, NotThere, Tampered
from vault.events import Event
from vault.lending import lend
from vault.sessions import Session
from vault.shelves import OpenShelf
from vault.slots import Slot
from vault.unlocking import Chosen

NEVER_LENT = ShelfKind("private")


@dataclass(frozen=True)
class Help:
    """What the person reads of it: who opens with them, in which structure, and which drawers."""

    worker: str
    first_name: str
    structure_name: str
    drawers: tuple[ShelfKind, ...]
    pictures: bool


@dataclass(frozen=True)
class Helped:
    """Somebody whom a worker helps to open: the name and the drawing that they gave to this worker."""

    slot: str
    person: str
    name: str = field(repr=False)
    drawing: str


def choose(
    context: Context, session: Session, secret: Chosen, worker: str, drawers: Collection[ShelfKind], *,
    name: str, drawing: str, pictures: Sequence[int] | None = None,
) -> None:  # fmt: skip
    """Let one worker open these drawers with the person and their card; the secret is asked again, what was chosen before ends.

    WrongSecret, MustWait, Busy; BadInput("worker") for somebody who may not, ("drawers") for none or the private one, ("pictures").
    """
    keys, card = who.person(session), unlocking.card_of(context, session)
    unlocking.confirm(context, session, secret)
    lent = {shelves.checked_kind(one) for one in drawers}
    if not lent or NEVER_LENT in lent:
        raise BadInput("drawers", "error.nothing-chosen")
    seed, held = KemSeed.random(), AssistSecret.random()
    way = _seal(context, session.account, card, pictures, seed, held)
    with ways.given_up(context, way), sessions.acting(context, session) as connection:
        public, first_name = _helper(context, connection, worker)
        if card_keeping.keeps(connection, session.account, worker):
            raise BadInput("worker")  # the card and what this worker would hold open together
        _end(context, connection, session.account)
        ways.keep(context, connection, way)
        place = contexts.assist(account=session.account, slot=way.id)
        face = labels.assisted_face(person=session.account, slot=way.id)
        lent_face = labels.lent_face(person=session.account, slot=way.id)
        shown: dict[str, Value] = {"name": name, "drawing": drawing}
        connection.execute(
            insert(assists).values(
                slot=way.id, person=session.account, worker=worker, public_key=bytes(public_key(seed)), pictures=pictures is not None,
                posted_secret=post(public, context.keyvault.derive("slot", way.id, place), place, held),
                posted_face=post_value(public, context.keyvault.derive("slot", way.id, face), face, shown),
                lent_face=post_value(
                    public_key(seed), context.keyvault.derive("slot", way.id, lent_face), lent_face, shown
                ),
            )
        )  # fmt: skip
        opened = shelves.open_all(connection, session.account, keys.values)
        for kind in sorted(lent):
            lend(context, connection, way.id, public_key(seed), opened.current(kind))
        event = Event("means.assisted-on", by=session.account, by_name=first_name)
        audit.record(context, connection, session, event, person=session.account, worker=worker)


def _seal(
    context: Context, person: str, card: CardSecret, pictures: Sequence[int] | None, seed: KemSeed, held: AssistSecret
) -> Slot:  # fmt: skip
    """The assist slot, whose row in the key vault exists: it seals the seed of assisted openings instead of the account's secret."""
    slot = context.new_id()
    context.keyvault.create("slot", slot, person)
    try:
        stretched = unlock.assist_stretched(card, pictures, held, contexts.assist(account=person, slot=slot))
    except Malformed as error:
        raise BadInput("pictures") from error
    new = Slot(slot, person, Kind.ASSIST, cards.helped_digest(card), unlock.new_salt(), Cost.none(), None)
    sealed = unlock.seal_assist_slot(ways.key_of(context, new, stretched), ways.place_of(new), seed)
    return Slot(slot, person, Kind.ASSIST, new.shown, new.salt, new.cost, sealed)


def _helper(context: Context, connection: Connection, worker: str) -> tuple[KemPublic, str]:
    """The public key and the name of a worker who may help to open. BadInput("worker")."""
    try:
        certificate = verified_certificate(context, connection, worker)
    except (BadSignature, Malformed, NotThere) as error:
        raise BadInput("worker") from error
    state = connection.execute(select(workers.c.state).where(workers.c.account == worker)).scalar_one()
    if state != "certified" or not role(certificate.role).may_assist:
        raise BadInput("worker")
    return kem_public(certificate.kem), certificate.name


def stop(context: Context, session: Session) -> None:
    """Nobody opens with the person any more. No key is needed: the card alone, and an assisted session, may say it."""
    with context.database.transaction() as connection:
        person = who.narrowing(connection, session)
        worker = connection.execute(select(assists.c.worker).where(assists.c.person == person)).scalar_one_or_none()
        if worker is None:
            return
        name = connection.execute(select(workers.c.first_name).where(workers.c.account == worker)).scalar_one()
        event = Event("means.assisted-off", by=person, by_name=name)
        audit.record(context, connection, session, event, person=person, worker=worker)
        _end(context, connection, person)  # and with it the session that says so, when it is the one with help


def _end(context: Context, connection: Connection, person: str) -> None:
    ways.end(context, connection, ways.living(connection, person, [Kind.ASSIST]))


def worker_left(context: Context, connection: Connection, worker: str) -> list[str]:
    """A worker's account ends: nobody is helped by them any more. Gives whose helper they were."""
    helped = connection.scalars(select(assists.c.person).where(assists.c.worker == worker)).all()
    for person in helped:
        _end(context, connection, person)
    return list(helped)


def help_of(context: Context, session: Session) -> Help | None:
    """Who opens with the person, and what; None when it is off."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        query = select(assists, workers.c.first_name, structures.c.name).join(workers, workers.c.account == assists.c.worker)
        query = query.join(structures, structures.c.id == workers.c.structure).join(slots, slots.c.id == assists.c.slot)
        row = connection.execute(query.where(assists.c.person == session.account, slots.c.state == "live")).one_or_none()
        if row is None:
            return None
        lent = connection.scalars(select(assist_shelves.c.shelf).where(assist_shelves.c.slot == row.slot)).all()
        opened = shelves.open_all(connection, session.account, keys.values)
        kinds = {opened.kind_of(one) for one in lent}
    return Help(row.worker, row.first_name, row.name, tuple(one.kind for one in SHELVES if one.kind in kinds), row.pictures)


def people_i_help(context: Context, session: Session) -> list[Helped]:
    """Whom this worker can help to open, by the face that each one gave them."""
    private = KemPrivate(who.worker(session).kem)
    with context.database.transaction(read_only=True) as connection:
        query = select(assists).join(slots, slots.c.id == assists.c.slot)
        rows = connection.execute(query.where(assists.c.worker == session.account, slots.c.state == "live")).all()
    found = []
    for row in rows:
        place = labels.assisted_face(person=row.person, slot=row.slot)
        try:
            face = open_posted_value(private, context.keyvault.derive("slot", row.slot, place), place, row.posted_face)
        except (RowGone, CryptoError):
            continue
        found.append(Helped(row.slot, row.person, str(face.get("name", "")), str(face.get("drawing", ""))))
    return sorted(found, key=lambda one: (one.name, one.slot))


def held_by(context: Context, connection: Connection, session: Session, slot: str) -> tuple[str, AssistSecret]:
    """What a worker holds for somebody whom they help: the person, and w. NotThere for anybody else's."""
    keys = who.worker(session)
    _helper(context, connection, session.account)
    query = select(assists).join(slots, slots.c.id == assists.c.slot)
    row = connection.execute(
        query.where(assists.c.slot == slot, assists.c.worker == session.account, slots.c.state == "live")
    ).one_or_none()
    if row is None:
        raise NotThere
    place = contexts.assist(account=row.person, slot=slot)
    try:
        return row.person, AssistSecret.opened(
            open_post(keys.kem, context.keyvault.derive("slot", slot, place), place, row.posted_secret)
        )
    except (RowGone, CryptoError) as error:
        raise Tampered from error


def face_lent(context: Context, connection: Connection, person: str, slot: str, seed: KemSeed) -> tuple[str, str]:
    """The name and the drawing under which an assisted session may show the person. Raises Tampered."""
    place = labels.lent_face(person=person, slot=slot)
    posted = connection.execute(select(assists.c.lent_face).where(assists.c.slot == slot)).scalar_one()
    try:
        told = open_posted_value(KemPrivate(seed), context.keyvault.derive("slot", slot, place), place, posted)
    except (RowGone, CryptoError) as error:
        raise Tampered from error
    return str(told.get("name", "")), str(told.get("drawing", ""))


def lent_drawers(context: Context, connection: Connection, person: str, slot: str, seed: KemSeed) -> "Lent":
    """The drawers that an assisted session opens."""
    private = KemPrivate(seed)
    found: list[OpenShelf] = []
    for row in connection.execute(select(assist_shelves).where(assist_shelves.c.slot == slot)):
        place = contexts.assist_shelf(person=person, slot=slot, shelf=row.shelf, epoch=row.epoch)
        name = labels.assisted_drawer(person=person, slot=slot, shelf=row.shelf)
        try:
            lent = envelope.open_assist_shelf(private, context.keyvault.derive("slot", slot, place), place, row.wrap)
            kind = open_posted_text(private, context.keyvault.derive("slot", slot, name), name, row.kind)
        except (CryptoError, RowGone):
            continue
        found.append(shelves.opened_by_seed(person, row.shelf, row.epoch, ShelfKind(kind), lent))
    return Lent(person, found)


class Lent(shelves.Shelves):
    """Drawers opened by lent seeds: as a person's own, but no other drawer is there."""

    def __init__(self, person: str, lent: Sequence[OpenShelf]) -> None:
        self._person = person
        self._rows = {(one.id, one.epoch): one for one in lent}
        self._names = {one.id: one.kind for one in lent}
        self._kinds = {(one.id, one.epoch): one.kind for one in lent}
        self._opened = {(one.id, one.epoch): one for one in lent}
        self._private = {}
