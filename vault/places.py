"""Where something happened: told in the person's own history alone, and shown only when they ask."""

from sqlalchemy import Connection, select

from storage.tables import kiosks, structures
from vault.context import StructureId


def place_of(connection: Connection, kiosk: str | None) -> str:
    """Where something happened, in words, for the person's own history: "ESI Les Tilleuls, poste 1"; empty when unknown."""
    if kiosk is None:
        return ""
    row = connection.execute(
        select(structures.c.name, kiosks.c.name.label("kiosk")).join(kiosks).where(kiosks.c.id == kiosk)
    ).first()
    return f"{row.name}, {row.kiosk}" if row else ""


def structure_of(connection: Connection, kiosk: str | None) -> StructureId | None:
    """The structure where a kiosk stands."""
    found = connection.execute(select(kiosks.c.structure).where(kiosks.c.id == kiosk)).scalar_one_or_none() if kiosk else None
    return StructureId(found) if found else None
