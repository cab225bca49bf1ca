"""Kiosks: shared computers and tablets in a structure, and what each one has, so that a page offers only ways that work there."""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from consent.ids import KioskId
from storage.tables import kiosks, structures
from vault import administrators, audit, labels
from vault.context import Context, StructureId
from vault.errors import NotThere
from vault.events import Event
from vault.places import place_of
from vault.sessions import Session

IN_USE, RETIRED = "in-use", "retired"
TOKEN_BYTES = 16


@dataclass(frozen=True)
class Equipment:
    """What stands beside the screen."""

    camera: bool = False
    scanner: bool = False
    printer: bool = False
    sound: bool = False


@dataclass(frozen=True)
class Kiosk:
    """One enrolled machine."""

    id: KioskId
    name: str
    structure: StructureId
    structure_name: str
    equipment: Equipment


def enrol(context: Context, session: Session, structure: str, name: str, equipment: Equipment) -> str:
    """Enrol a kiosk of the administrator's operator. Gives the token of its start address, which is shown once."""
    token, kiosk = secrets.token_urlsafe(TOKEN_BYTES), context.new_id()
    with context.database.transaction() as connection:
        administrators.check_structure(connection, session, structure)
        connection.execute(
            insert(kiosks).values(
                id=kiosk,
                structure=structure,
                name=administrators.checked_name(name),
                token_digest=_digest(token),
                state=IN_USE,
                **asdict(equipment),
            )
        )
        _record(context, connection, session, "kiosk.enrolled", kiosk)
    return token


def by_token(context: Context, token: str) -> Kiosk:
    """The kiosk in use that shows this token; raises NotThere."""
    with context.database.transaction(read_only=True) as connection:
        return _one(connection, _all().where(kiosks.c.token_digest == _digest(token)))


def get(context: Context, kiosk: str) -> Kiosk:
    """A kiosk in use; raises NotThere."""
    with context.database.transaction(read_only=True) as connection:
        return _one(connection, _all().where(kiosks.c.id == kiosk))


def all_of(context: Context, session: Session) -> list[Kiosk]:
    """The kiosks in use of the administrator's operator."""
    with context.database.transaction(read_only=True) as connection:
        operator = administrators.operator_of(connection, session)
        rows = connection.execute(_all().where(structures.c.operator == operator).order_by(structures.c.name, kiosks.c.name))
        return [_kiosk(row) for row in rows]


def change(context: Context, session: Session, kiosk: str, name: str, equipment: Equipment) -> None:
    """Say again what a kiosk is called and has."""
    with context.database.transaction() as connection:
        _check(connection, session, kiosk)
        connection.execute(
            update(kiosks).where(kiosks.c.id == kiosk).values(name=administrators.checked_name(name), **asdict(equipment))
        )


def renew_token(context: Context, session: Session, kiosk: str) -> str:
    """A new start address; the one before opens nothing any more."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with context.database.transaction() as connection:
        _check(connection, session, kiosk)
        connection.execute(update(kiosks).where(kiosks.c.id == kiosk).values(token_digest=_digest(token)))
    return token


def retire(context: Context, session: Session, kiosk: str) -> None:
    """The machine leaves: its address opens nothing any more. The row stays, because histories name the place."""
    with context.database.transaction() as connection:
        _check(connection, session, kiosk)
        connection.execute(update(kiosks).where(kiosks.c.id == kiosk).values(state=RETIRED))
        _record(context, connection, session, "kiosk.retired", kiosk)


def _all() -> Select[Any]:
    return (
        select(kiosks, structures.c.name.label("structure_name"))
        .join(structures, structures.c.id == kiosks.c.structure)
        .where(kiosks.c.state == IN_USE)
    )


def _one(connection: Connection, query: Select[Any]) -> Kiosk:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotThere
    return _kiosk(row)


def _kiosk(row: Row[Any]) -> Kiosk:
    equipment = Equipment(row.camera, row.scanner, row.printer, row.sound)
    return Kiosk(KioskId(row.id), row.name, StructureId(row.structure), row.structure_name, equipment)


def _check(connection: Connection, session: Session, kiosk: str) -> None:
    row = connection.execute(select(kiosks.c.structure).where(kiosks.c.id == kiosk, kiosks.c.state == IN_USE)).one_or_none()
    if row is None:
        raise NotThere
    administrators.check_structure(connection, session, row.structure)


def _digest(token: str) -> str:
    return hashlib.sha256(labels.kiosk_token(token=token)).hexdigest()


def _record(context: Context, connection: Connection, session: Session, tag: str, kiosk: str) -> None:
    name = administrators.first_name(connection, session.account)
    event = Event(tag, by=session.account, by_name=name, detail=place_of(connection, kiosk))
    audit.record(context, connection, session, event, worker=session.account)
