"""Reading papers again, a slice each night, to find bytes that the store has lost or changed. It needs no key.

The digest of what was stored was written with the paper; a blob that no longer has it is told to its owner at the next unlock and in
their history (CPCE L103 1°, R55-4 3°), and to the operators in the log, by the blob's random name alone.
"""

import hashlib

import structlog
from sqlalchemy import select

from storage.blobs import BlobName
from storage.errors import BlobDamaged, BlobMissing
from storage.tables import objects, versions
from vault import audit, notices
from vault.context import Context
from vault.events import Event
from vault.notices import Notice
from vault.settings import today_in_paris

NIGHTS = 28  # each blob is read once in four weeks
log = structlog.get_logger()


def scrub(context: Context, *, night: int | None = None) -> int:
    """Read tonight's slice (or the one given, 0 to 27) and compare; gives how many are damaged."""
    tonight = today_in_paris(context.clock()).toordinal() % NIGHTS if night is None else night
    with context.database.transaction(read_only=True) as connection:
        query = select(objects.c.blob, objects.c.sha256, objects.c.size, versions.c.paper, versions.c.person).join(versions)
        rows = [row for row in connection.execute(query) if int(row.blob[:8], 16) % NIGHTS == tonight]
    damaged = [row for row in rows if not _whole(context, row.blob, row.sha256, row.size)]
    for row in damaged:
        log.error("blob damaged", blob=row.blob)
        with context.database.transaction() as connection:
            still = connection.execute(select(objects.c.blob).where(objects.c.blob == row.blob)).first()
            if still is not None:  # else it was removed while we read
                found = Event("maintenance.damaged", paper=row.paper)
                audit.record(context, connection, None, found, person=row.person)
                notices.tell(context, connection, row.person, Notice("paper-damaged"))
    return len(damaged)


def _whole(context: Context, blob: str, sha256: str, size: int) -> bool:
    digest, length = hashlib.sha256(), 0
    try:
        with context.blobs.open(BlobName(blob)) as reader:
            for piece in reader.chunks():
                digest.update(piece)
                length += len(piece)
    except (BlobMissing, BlobDamaged):
        return False
    return digest.hexdigest() == sha256 and length == size
