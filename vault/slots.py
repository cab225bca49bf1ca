"""The ways into an account, as rows: each seals the account secret under what somebody shows and remembers.

A way that replaces another is written in one order: the new row of the key vault, then one transaction that makes the new way
live, ends the old one and its sessions, and writes the intention to destroy; then the old row of the key vault goes. Whatever
stops in between, the old way opens or the new one does: never neither.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from crypto import contexts
from crypto.contexts import SlotContext
from crypto.errors import Malformed, Undecryptable
from crypto.keys import AccountSecret, Kek, Password, Stretched
from crypto.unlock import Cost, Kind, kek, new_salt, open_slot, seal_slot, slot_context, stretch, veto_hash
from storage.tables import assist_shelves, assists, kept_cards, slots
from vault import endings, sessions
from vault.context import Context
from vault.errors import Tampered
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.unwritten import row_is_there, undone_unless

LIVE = ("live",)
CARD_KINDS = (Kind.CARD_PIN, Kind.CARD_PICTURES)


@dataclass(frozen=True)
class Slot:
    """One way into one account. `shown` is what it is found by: a card's digest, a number's, a sign-in code's."""

    id: str
    account: str
    kind: Kind
    shown: str | None = field(repr=False)
    salt: bytes = field(repr=False)
    cost: Cost
    sealed: bytes | None = field(repr=False)  # nothing once it ended
    state: str = "live"
    wrong: int = 0
    veto: str | None = field(default=None, repr=False)  # recognises, once it ended, the card and code that it was


def find(
    connection: Connection, shown: str, kinds: Iterable[Kind], states: Sequence[str] = LIVE, *, hold: bool = True
) -> Slot | None:
    """The way of one of these kinds that what was shown designates. Its row is held until the end, except with `hold=False`."""
    wanted = (slots.c.shown_digest == shown, slots.c.state.in_(states), slots.c.kind.in_([kind.value for kind in kinds]))
    query = select(slots).where(*wanted).order_by(slots.c.created.desc())
    row = connection.execute(query.with_for_update() if hold else query).mappings().first()
    return _slot(row) if row else None


def living(connection: Connection, account: str, kinds: Iterable[Kind] = tuple(Kind), *, hold: bool = True) -> list[Slot]:
    """The living ways into an account, held until the end of the transaction, except with `hold=False`."""
    wanted = (slots.c.account == account, slots.c.state == "live", slots.c.kind.in_([kind.value for kind in kinds]))
    query = select(slots).where(*wanted).order_by(slots.c.id)
    rows = connection.execute(query.with_for_update() if hold else query).mappings()
    return [_slot(row) for row in rows]


def used(context: Context, connection: Connection, slot: Slot | None) -> None:
    """A worker's way opened today: the day is shown to its owner. A person's day would tell who came when, and is not written."""
    if slot is not None:
        connection.execute(update(slots).where(slots.c.id == slot.id).values(used=today_in_paris(context.clock())))


def known(connection: Connection, shown: str) -> bool:
    """Whether something shown was ever a way into an account, living or ended."""
    return connection.execute(select(slots.c.id).where(slots.c.shown_digest == shown).limit(1)).first() is not None


def make(
    context: Context, account: str, kind: Kind, secret: AccountSecret, password: Password, *, shown: str | None, kiosk: str | None
) -> Slot:
    """A new way, remembered: its key is derived in a turn of the queue, its row in the key vault exists. `keep` writes it."""
    cost, salt = context.settings.cost, new_salt()
    with context.derivations.turn(kiosk):
        stretched = stretch(password, salt, cost)
    return seal(context, account, kind, secret, stretched, cost=cost, salt=salt, shown=shown)


def seal(
    context: Context,
    account: str,
    kind: Kind,
    secret: AccountSecret,
    stretched: Stretched,
    *,
    cost: Cost,
    salt: bytes,
    shown: str | None = None,
) -> Slot:
    """A new way whose stretched secret is known (recovery: `Cost.none()`); its row in the key vault exists. `keep` writes it."""
    slot = context.new_id()
    context.keyvault.create("slot", slot, account)
    new = Slot(slot, account, kind, shown, salt, cost, None)
    key = key_of(context, new, stretched)
    veto = veto_hash(key, contexts.veto(slot=slot)).hex() if kind in CARD_KINDS else None
    return replace(new, sealed=seal_slot(key, place_of(new), secret), veto=veto)


def place_of(slot: Slot) -> SlotContext:
    """What a way's key and its seal are bound to."""
    return slot_context(slot.account, slot.id, slot.kind, slot.cost)


def keep(context: Context, connection: Connection, slot: Slot) -> None:
    """Write the row of a new way: from this commit on it opens."""
    connection.execute(
        insert(slots).values(
            id=slot.id, account=slot.account, kind=slot.kind.value, state="live", shown_digest=slot.shown, salt=slot.salt,
            memory_cost=slot.cost.m, time_cost=slot.cost.t, sealed_secret=slot.sealed, wrong_in_a_row=0, veto_digest=slot.veto,
            created=today_in_paris(context.clock()),
        )
    )  # fmt: skip


def key_of(context: Context, slot: Slot, stretched: Stretched) -> Kek:
    """The key of a way, right or wrong. Raises RowGone when a row of the key vault was destroyed."""
    place = place_of(slot)
    person, own = context.keyvault.derive_many([("person", slot.account, place), ("slot", slot.id, place)])
    return kek(stretched, person, own, slot.salt, place)


def open_with(slot: Slot, key: Kek) -> AccountSecret:
    """The account secret, or Undecryptable."""
    if slot.sealed is None:
        raise Undecryptable
    return open_slot(key, place_of(slot), slot.sealed)


def end(context: Context, connection: Connection, ended: Sequence[Slot], *, besides: Session | None = None) -> None:
    """End these ways and the sessions that they opened, in the caller's transaction; the key vault's rows follow the commit."""
    for slot in ended:
        connection.execute(update(slots).where(slots.c.id == slot.id).values(state="ended", sealed_secret=None, veto_digest=None))
        sessions.end_all(context, connection, slot=slot.id, besides=besides)
    forget_lent(connection, [slot.id for slot in ended])
    endings.end_rows(context, connection, [("slot", slot.id) for slot in ended])


def forget_lent(connection: Connection, ended: Sequence[str]) -> None:
    """Drawers that were lent through ways that have ended go with them."""
    connection.execute(delete(assist_shelves).where(assist_shelves.c.slot.in_(ended)))
    connection.execute(delete(assists).where(assists.c.slot.in_(ended)))
    # A card that opens nothing any more is nobody's to keep; the same card under a new code still is.
    over = select(slots.c.shown_digest).where(slots.c.id.in_(ended), slots.c.shown_digest.is_not(None))
    lives = select(slots.c.id).where(slots.c.shown_digest == kept_cards.c.card, slots.c.state == "live").exists()
    connection.execute(delete(kept_cards).where(kept_cards.c.card.in_(over), ~lives))


def discard(context: Context, slot: Slot) -> None:
    """Destroy the key vault's row of a new way that was never written."""
    context.keyvault.destroy([("slot", slot.id)], context.clock())


@contextmanager
def given_up(context: Context, new: Slot | None) -> Iterator[None]:
    """A new way that does not come to be kept leaves no row in the key vault. Around the transaction that keeps it.

    What follows a commit may fail too (the rows of old ways are destroyed then): a way that was written keeps its row, and so does
    one of which nobody can tell.
    """
    if new is None:
        yield
        return
    with undone_unless(context, row_is_there(slots.c.id, new.id), partial(discard, context, new)):
        yield


def _slot(row: Mapping[Any, Any]) -> Slot:
    try:
        cost = Cost(row["memory_cost"], row["time_cost"])
    except Malformed as error:
        raise Tampered from error
    return Slot(
        id=row["id"], account=row["account"], kind=Kind(row["kind"]), shown=row["shown_digest"], salt=row["salt"], cost=cost,
        sealed=row["sealed_secret"], state=row["state"], wrong=row["wrong_in_a_row"], veto=row["veto_digest"],
    )  # fmt: skip
