"""An assisted opening: the card at the kiosk, six digits said to the worker who helps, and the drawers that were lent are open.

The kiosk's card session holds a key pair made for this opening. The worker types the digits at their desk, beside the name of
somebody of their own list, and what they hold is posted to that pair. Joined with the card (and pictures) it opens the assist slot.
Whatever does not fit gives one refusal; a card that nobody knows gets six digits like any other.
"""

import datetime as dt
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from consent.ids import PaperId
from crypto import contexts, unlock
from crypto.errors import CryptoError
from crypto.kem import kem_public, public_key
from crypto.keys import AssistSecret, KemSeed, kdf
from crypto.sealing import open_post, post
from crypto.unlock import Kind
from storage.errors import RowGone
from storage.tables import accounts as account_rows
from storage.tables import assist_openings, assists, papers, slots, versions, workers
from vault import accounts, assisting, attempts, audit, cards, labels, looking, rendering, sessions
from vault import slots as ways
from vault.contents import verified_bytes
from vault.context import NOBODY, Context
from vault.documents import SCREEN_DPI
from vault.errors import NoSession, NotAllowed, NotThere, WrongSecret
from vault.events import Event
from vault.listing import PaperCard, cards_of
from vault.places import place_of
from vault.sessions import Session
from vault.slots import Slot
from vault.trying import ENDS_AFTER, Attempt, refuse, settle
from vault.unlocking import card_of, card_password
from vault.versions import Opened, Witnesses, current_of, joined, one_refusal, open_version, secret_of

LASTS = dt.timedelta(minutes=10)
WRONG_AT_MOST = 3
STATE = "assisted"


@dataclass(frozen=True)
class Asked:
    """An opening that waits for the worker: the digits to say, and whether the worker has answered."""

    code: str
    until: dt.datetime
    answered: bool


def start(context: Context, shown: Session) -> Asked:
    """Six digits for the worker, valid ten minutes; the same for a card that nobody knows."""
    if shown.kind != "card":
        raise NotAllowed
    seed, now, name = KemSeed.random(), context.clock(), context.new_id()
    with context.database.transaction() as connection:
        taken = set(connection.scalars(select(assist_openings.c.code_digest).where(assist_openings.c.term > now)))
        while _digest(context, code := f"{secrets.randbelow(10**6):06}") in taken:
            pass
        connection.execute(
            insert(assist_openings).values(
                id=name,
                public_key=bytes(public_key(seed)),
                code_digest=_digest(context, code),
                term=now + LASTS,
                slot=None,
                moved=None,
            )
        )
        kept = sessions.read_state(connection, shown) | {STATE: {"opening": name, "seed": bytes(seed).hex(), "code": code}}
        sessions.write_state(connection, shown, kept)
    return Asked(code, now + LASTS, answered=False)


def _digest(context: Context, code: str) -> str:
    return kdf(context.settings.service_seal, labels.assisted_code(code=code), 32).hex()


def asked(context: Context, shown: Session) -> Asked:
    """Where it stands. NoSession when nothing was asked, or ten minutes are over."""
    with context.database.transaction(read_only=True) as connection:
        kept = _state(sessions.read_state(connection, shown, hold=False).get(STATE))
        row = connection.execute(select(assist_openings).where(assist_openings.c.id == kept["opening"])).one_or_none()
    if row is None or row.term <= context.clock():
        raise NoSession
    return Asked(kept["code"], row.term, row.moved is not None)


def _state(kept: object) -> dict[str, str]:
    if not isinstance(kept, dict):
        raise NoSession
    return {name: str(value) for name, value in kept.items()}


def lend(context: Context, session: Session, slot: str, code: str) -> None:
    """The worker, beside the person, types the digits of the kiosk. NotThere, WrongSecret; MustWait after three wrong ones."""
    now, digest = context.clock(), _digest(context, code)
    typist = kdf(context.settings.service_seal, labels.lending_typist(worker=session.account), 32).hex()
    with context.database.transaction() as connection:
        attempts.count(context, connection, typist)  # wrong until it is looked at: many at once are three
        person, held = assisting.held_by(context, connection, session, slot)
        waiting = select(assist_openings).where(assist_openings.c.code_digest == digest, assist_openings.c.term > now)
        row = connection.execute(waiting.with_for_update()).one_or_none()
        found = row is not None and hmac.compare_digest(row.code_digest, digest) and row.moved is None
        if found and row is not None:
            attempts.forget(connection, typist)
            place = labels.assisted_move(opening=row.id, person=person, slot=slot)
            moved = post(kem_public(row.public_key), context.keyvault.derive("slot", slot, place), place, held)
            connection.execute(update(assist_openings).where(assist_openings.c.id == row.id).values(slot=slot, moved=moved))
            name = connection.execute(select(workers.c.first_name).where(workers.c.account == session.account)).scalar_one()
            event = Event("means.helped", by=session.account, by_name=name)
            audit.record(context, connection, session, event, person=person, worker=session.account)
    if not found:
        raise WrongSecret


def finish(context: Context, shown: Session, pictures: Sequence[int] | None = None) -> str:
    """Open what was lent. Gives the cookie of an assisted session; WrongSecret for anything that does not fit, MustWait.

    Once the worker has answered, the pictures alone stand between a copied card and the drawers: twenty wrong ones between two right
    ones end this way, as they end that of a card. BadInput("pictures") when they are not five.
    """
    card, now = card_of(context, shown), context.clock()
    if pictures is not None:
        card_password(card, pictures)
    told = cards.helped_digest(card)
    attempts.refuse_if_waiting(context, told)
    with context.database.transaction() as connection:
        kept = _state(sessions.read_state(connection, shown).get(STATE))
        counted = attempts.count(context, connection, told)
        row = connection.execute(select(assist_openings).where(assist_openings.c.id == kept["opening"])).one_or_none()
        way = ways.find(connection, told, [Kind.ASSIST])
        fits = (
            way is not None and _is_open(connection, way) and row is not None and row.term > now
            and row.slot == way.id and row.moved is not None and way.wrong < ENDS_AFTER
        )  # fmt: skip
        one_more = update(slots).where(slots.c.id == (way.id if fits and way else NOBODY))
        connection.execute(one_more.values(wrong_in_a_row=slots.c.wrong_in_a_row + 1))
    seed = None
    if fits and way is not None and row is not None:
        place = labels.assisted_move(opening=row.id, person=way.account, slot=way.id)
        try:
            vaulted = context.keyvault.derive("slot", way.id, place)
            held = AssistSecret.opened(open_post(KemSeed(bytes.fromhex(kept["seed"])), vaulted, place, row.moved))
            stretched = unlock.assist_stretched(card, pictures, held, contexts.assist(account=way.account, slot=way.id))
            seed = unlock.open_assist_slot(ways.key_of(context, way, stretched), ways.place_of(way), way.sealed or b"")
        except (CryptoError, RowGone):
            seed = None
    attempt = Attempt(told, counted, way.account if way else None, slot=way)
    if seed is None or way is None:
        refuse(context, attempt, shown.kiosk)
    with context.database.transaction() as connection:
        still = _is_open(connection, way)
        if still:  # neither blocked nor ended while it was being opened
            settle(connection, attempt)
            connection.execute(delete(assist_openings).where(assist_openings.c.id == kept["opening"]))
            cookie = _enter(context, connection, shown, way, seed)
        else:
            with suppress(WrongSecret):  # what was right is not counted as wrong; a way that ended counts nothing any more
                settle(connection, attempt)
    if not still:
        refuse(context, attempt, shown.kiosk)
    return cookie


def _enter(context: Context, connection: Connection, shown: Session, way: Slot, seed: KemSeed) -> str:
    """The session in which the lent drawers are open; the one that showed the card is over."""
    named = select(workers.c.account, workers.c.first_name).join(assists, assists.c.worker == workers.c.account)
    worker = connection.execute(named.where(assists.c.slot == way.id)).one()
    cookie = sessions.open_for(
        context, connection, kind="assisted", account=way.account, slot=way.id, kiosk=shown.kiosk, assist=seed
    )
    event = Event(
        "safe.opened-with-help", by=way.account, by_name=worker.first_name, beside=worker.account,
        place=place_of(connection, shown.kiosk),
    )  # fmt: skip
    audit.record(context, connection, None, event, person=way.account)
    sessions.end_one(context, connection, shown)
    return cookie


def _is_open(connection: Connection, way: Slot) -> bool:
    """Whether this way still lives and its safe is blocked in no way; the account's row is held."""
    query = select(account_rows.c.state).where(account_rows.c.id == way.account).with_for_update()
    lives = select(slots.c.id).where(slots.c.id == way.id, slots.c.state == "live").exists()
    return connection.execute(query.where(lives)).scalar_one_or_none() == "open"


def sweep(context: Context) -> int:
    """Forget openings that nobody finished; a scheduled task. Gives how many."""
    with context.database.transaction() as connection:
        return connection.execute(delete(assist_openings).where(assist_openings.c.term <= context.clock())).rowcount


# --- What such a session reads -------------------------------------------------------------------------------------------


def _seed(session: Session) -> KemSeed:
    if session.kind != "assisted" or session.assist is None:
        raise NotAllowed
    return session.assist


def helper(context: Context, session: Session) -> str:
    """The first name of who helps: shown at each assisted opening."""
    _seed(session)
    query = (
        select(workers.c.first_name).join(assists, assists.c.worker == workers.c.account).where(assists.c.slot == session.slot)
    )
    with context.database.transaction(read_only=True) as connection:
        return str(connection.execute(query).scalar_one())


def helper_id(context: Context, session: Session) -> str:
    """Who helps: they are not the witness of what is given meanwhile."""
    _seed(session)
    with context.database.transaction(read_only=True) as connection:
        return str(connection.execute(select(assists.c.worker).where(assists.c.slot == session.slot)).scalar_one())


def list_papers(context: Context, session: Session) -> list[PaperCard]:
    """The papers of the lent drawers, newest first. Of the others not even how many there are."""
    seed = _seed(session)
    with context.database.transaction(read_only=True) as connection:
        lent = assisting.lent_drawers(context, connection, session.account, session.slot, seed)
        query = joined().where(
            papers.c.person == session.account, versions.c.id == papers.c.version, papers.c.state.in_(("kept", "to-read")),
            papers.c.shelf.in_({one.id for one in lent.all()}),
        )  # fmt: skip
        rows = connection.execute(query).all()
        looks = looking.new(connection, session, "safe.listed")
    looking.say_own(context, session, looks)
    return [one for one in cards_of(context, lent, rows) if not one.damaged]


def _open(context: Context, session: Session, paper: PaperId) -> Opened:
    seed = _seed(session)
    with context.database.transaction(read_only=True) as connection:
        lent = assisting.lent_drawers(context, connection, session.account, session.slot, seed)
        row = current_of(connection, session.account, paper)
        if row.state not in ("kept", "to-read") or lent.kind_of(row.shelf) is None or lent.kind_of(row.lies_in) is None:
            raise NotThere
        with one_refusal():
            secret = secret_of(context, lent, row)
        signed_by = accounts.public_keys(context, connection, session.account).ring
        return open_version(context, connection, row, secret, Witnesses(context, connection, session.account, signed_by))


def page_image(context: Context, session: Session, paper: PaperId, page: int) -> rendering.PageImage:
    """One page of a lent paper, from 1; turning its pages is one opening. NotThere for a paper of another drawer."""
    opened = _open(context, session, paper)
    image = rendering.page_image(context.confinement, verified_bytes(context, opened, "view"), page, dpi=SCREEN_DPI)
    event = Event(
        "paper.opened", by=session.account, beside=helper_id(context, session), paper=opened.paper, title=opened.card.title,
        detail="assisted",
    )  # fmt: skip
    looking.say_page(context, session, event, opened.version, page)
    return image
