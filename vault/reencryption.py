"""After something was taken back: what could be read is sealed anew, under a new key, version and blob name.

It needs the person's keys, so it runs in their session, one version at a step, and takes up where it stopped at the next unlock.
The new blobs are durable first; one transaction then moves rows, wraps and origin and dooms the old names. A process killed at
any point leaves either the old version or the new one, readable, and never both once the sweep has passed.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, select, update

from consent.ids import ShelfId
from consent.scope import OPENING, ShelfScope
from crypto import contexts, envelope
from crypto.errors import CryptoError
from crypto.keys import AccountKeys
from crypto.signing import Signer
from storage.errors import StorageError
from storage.tables import grants, objects, papers, shelf_wraps, shelves, versions
from storage.tables import wraps as wrap_rows
from vault import audit, endings, exposed, lending, outside_wraps, shares, who, wraps
from vault import shelves as drawers
from vault.arranging import lay_again
from vault.colleagues import LIVING, reachable
from vault.contents import content_of
from vault.context import Context
from vault.deposits import Fresh, gone_unless_written, new_keys, store_sealed, write_objects
from vault.errors import NotThere, Tampered
from vault.events import Event
from vault.paper_cards import Role
from vault.sessions import Session
from vault.shelves import OpenShelf, Shelves
from vault.versions import (
    Kept,
    Opened,
    VersionId,
    VersionRow,
    Witnesses,
    joined,
    one_refusal,
    open_version,
    secret_of,
)  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """How many versions this step sealed anew (0 or 1), and how many still wait."""

    done: int
    left: int


def waiting(context: Context, session: Session) -> int:
    """How many versions wait."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        return exposed.count(connection, session.account)


def all_steps(context: Context, session: Session) -> Iterator[Progress]:
    """Step by step until nothing waits."""
    progress = step(context, session)
    while progress.done:
        yield progress
        progress = step(context, session) if progress.left else Progress(0, 0)


def step(context: Context, session: Session) -> Progress:
    """Seal one waiting version anew. What does not open any more is left as it is, and does not stop the others."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        names = exposed.waiting(connection, session.account)
    for passed, name in enumerate(names, 1):
        try:
            _seal_anew(context, session, keys, name)
        except (Tampered, NotThere):
            continue  # unreadable; or erased meanwhile, or done by another screen
        return Progress(1, len(names) - passed)
    return Progress(0, 0)


def go_on(context: Context, session: Session) -> Progress:
    """One step, beside what somebody came for: with a store that does not answer it is for the next time."""
    try:
        return step(context, session)
    except StorageError:
        return Progress(0, 0)


def _row(connection: Connection, session: Session, version: str, *, hold: bool) -> VersionRow:
    query = joined().where(versions.c.id == version, versions.c.person == session.account)
    row = connection.execute(query.with_for_update() if hold else query).one_or_none()
    if row is None:
        raise NotThere
    return row


def _opened(
    context: Context, connection: Connection, session: Session, keys: AccountKeys, row: VersionRow
) -> tuple[Opened, Shelves]:  # fmt: skip
    opened = drawers.open_all(connection, session.account, keys.values)
    with one_refusal():
        secret = secret_of(context, opened, row)
    witnesses = Witnesses.own(context, connection, session.account, keys)
    return open_version(context, connection, row, secret, witnesses), opened


def _seal_anew(context: Context, session: Session, keys: AccountKeys, version: str) -> None:
    with context.database.transaction(read_only=True) as connection:
        seen = _row(connection, session, version, hold=False)
        old, opened = _opened(context, connection, session, keys, seen)
    fresh_version = VersionId(context.new_id())
    secret, fresh_keys = new_keys(context, session.account, old.paper, fresh_version)
    kept: dict[Role, Kept] = {}
    with gone_unless_written(context, fresh_version, kept):
        for role in old.objects:
            with content_of(context, old, role) as content:
                kept[role] = store_sealed(context, fresh_keys.age_file_key, role, content.chunks())
        fresh = Fresh(session.account, old.paper, fresh_version, old.card, kept, secret, fresh_keys)
        with context.database.transaction() as connection:
            drawers.hold_all(connection, session.account)
            row = _row(connection, session, version, hold=True)
            if row != seen:  # renamed, moved or removed while its objects were written: what was verified then says nothing of it
                old, opened = _opened(context, connection, session, keys, row)
            _move_rows(context, connection, session, keys, row, replace(fresh, card=old.card), old, opened)


def _move_rows(
    context: Context, connection: Connection, session: Session, keys: AccountKeys, row: VersionRow, fresh: Fresh, old: Opened,
    opened: Shelves,
) -> None:  # fmt: skip
    one, person = opened.at(row.shelf, row.epoch), session.account
    # Who put it in, where, when and in the place of what stay as they were; the session answers for the new bytes.
    said = old.origin
    origin = fresh.origin(previous=said.previous, depositor=said.depositor, kiosk=said.kiosk, at=said.time)
    signature = Signer(keys.sign).sign(origin)
    place = contexts.wrap(person=person, shelf=one.id, epoch=one.epoch, paper=fresh.paper, version=fresh.version)
    connection.execute(
        insert(versions).values(
            id=fresh.version, paper=fresh.paper, person=person, shelf=one.id, epoch=one.epoch, wrap_kind="shelf",
            wrap=envelope.wrap(one.key, place, fresh.secret), card=fresh.sealed_card(), origin=origin.encode(),
            origin_signature=signature, confirmation=None if origin.depositor == person else signature,
            depositor=origin.depositor, deposited=row.deposited,
        )
    )  # fmt: skip
    _hand_on(context, connection, row, fresh)
    current = row.id == row.current
    if current:
        connection.execute(update(papers).where(papers.c.id == fresh.paper).values(version=fresh.version))
    blobs = connection.execute(select(objects.c.blob).where(objects.c.version == row.id)).scalars().all()
    endings.doom(context, connection, blobs)
    connection.execute(delete(objects).where(objects.c.version == row.id))
    write_objects(connection, fresh.version, fresh.kept)
    exposed.unmark(connection, [row.id])
    connection.execute(delete(versions).where(versions.c.id == row.id))
    named = fresh.version if current else ""
    event = Event("share.reencrypted", by=person, paper=fresh.paper, version=named, title=fresh.card.title)
    audit.record(context, connection, session, event, person=person)


def _hand_on(context: Context, connection: Connection, row: VersionRow, fresh: Fresh) -> None:
    """The wraps of shares that live follow; the others go with the old version."""
    living = (
        select(wrap_rows.c.grant, grants.c.worker)
        .join(grants, grants.c.id == wrap_rows.c.grant)
        .where(wrap_rows.c.version == row.id, grants.c.state.in_(LIVING))
    )
    for grant, worker in connection.execute(living).all():
        public = reachable(context, connection, worker)
        if public is not None:
            wraps.hand(
                context, connection, person=fresh.person, grant=grant, worker=worker, public=public, paper=fresh.paper,
                version=fresh.version, secret=fresh.secret,
            )  # fmt: skip
    connection.execute(delete(wrap_rows).where(wrap_rows.c.version == row.id))
    outside_wraps.hand_on(
        context, connection, person=fresh.person, paper=fresh.paper, version=fresh.version, secret=fresh.secret, instead_of=row.id
    )  # fmt: skip


# --- Drawers --------------------------------------------------------------------------------------------------------------


def renew_drawers(context: Context, connection: Connection, session: Session) -> int:
    """Begin a new epoch of each drawer whose share was taken back. Tells how many. In the caller's transaction."""
    keys = who.person(session)
    rows = connection.execute(
        select(grants).where(grants.c.person == session.account, grants.c.to_reencrypt).with_for_update()
    ).mappings()
    wanted: set[ShelfId] = set()
    for row in rows.all():
        with contextlib.suppress(CryptoError):
            scope = shares.terms_of(context, row, keys).scope
            if isinstance(scope, ShelfScope):
                wanted.add(scope.shelf)
        connection.execute(update(grants).where(grants.c.id == row["id"]).values(to_reencrypt=False))
    if not wanted:
        return 0
    drawers.hold_all(connection, session.account)
    opened = drawers.open_all(connection, session.account, keys.values)
    signer = Signer(keys.sign)
    begun = [one for one in opened.all() if one.current and one.id in wanted]
    for one in begun:
        _new_epoch(context, connection, keys, signer, opened, one)
    return len(begun)


def renew_all_drawers(context: Context, connection: Connection, person: str, keys: AccountKeys) -> None:
    """A new epoch of each drawer that opens: the keys under which they lay have turned. In the caller's transaction."""
    opened, signer = drawers.open_all(connection, person, keys.values), Signer(keys.sign)
    for one in opened.all():
        if one.current:
            _new_epoch(context, connection, keys, signer, opened, one)
    for one in drawers.open_all(connection, person, keys.values).all():
        if not one.current:  # something in it does not open, so it stayed; it is still the person's
            drawers.state_anew(connection, one, signer)


def _new_epoch(
    context: Context, connection: Connection, keys: AccountKeys, signer: Signer, opened: Shelves, old: OpenShelf
) -> None:  # fmt: skip
    new = drawers.add_epoch(connection, old.person, keys.values, signer, old.id, old.kind, old.epoch + 1)
    rows = connection.execute(joined().where(versions.c.person == old.person, versions.c.shelf == old.id)).all()
    exposed.mark(context, connection, [row.id for row in rows])
    stuck = False
    for row in rows:
        try:
            lay_again(context, connection, opened, row, new)
        except Tampered:
            stuck = True  # it stays where it was, as unreadable as it was
    _lend_again(context, connection, keys, new)
    lending.lend_again(context, connection, new)
    if not stuck:
        connection.execute(delete(shelves).where(shelves.c.id == old.id, shelves.c.epoch < new.epoch))


def _lend_again(context: Context, connection: Connection, keys: AccountKeys, new: OpenShelf) -> None:
    """Those who stay get the new seed; nobody keeps the old one."""
    staying = (
        select(grants)
        .join(shelf_wraps, shelf_wraps.c.grant == grants.c.id)
        .where(shelf_wraps.c.shelf == new.id, grants.c.state.in_(LIVING))
    )
    rows = connection.execute(staying).mappings().all()
    connection.execute(delete(shelf_wraps).where(shelf_wraps.c.shelf == new.id))
    for row in rows:
        public = reachable(context, connection, row["worker"])
        with contextlib.suppress(CryptoError):
            if public is not None and shares.terms_of(context, row, keys).acts & OPENING:
                wraps.lend(context, connection, new, row["id"], row["worker"], public)
