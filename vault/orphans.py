"""Blobs that no row names: left by a process that died between the store and the commit, or by a draft that was never kept."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import select

from storage.blobs import Held
from storage.errors import BlobMissing, StorageError
from storage.tables import doomed_blobs, objects
from vault import endings
from vault.context import Context

BATCH = 400
MARGIN = timedelta(minutes=10)


def age(context: Context) -> timedelta:
    """How old a blob must be before it can be an orphan: a draft lives as long as the longest session, and only that session
    knows its blobs."""
    limits = context.settings.limits
    return timedelta(seconds=max(limits.absolute_seconds, limits.extended_seconds, 3600)) + MARGIN


def sweep(context: Context, *, older_than: timedelta | None = None) -> int:
    """Delete blobs that no row names and that are older than any session; a scheduled task. Tells how many.

    Blobs already doomed are deleted whatever their age, and what dead writers left goes too. The moment is the stores' own: a
    blob carries the time of the machine that keeps it.
    """
    before = context.clock() - (older_than if older_than is not None else age(context))
    removed = _removed(context, before)
    with suppress(StorageError):  # the work of each minute says it
        removed += endings.finish(context)
    context.blobs.clean(before)
    return removed


def _removed(context: Context, before: datetime) -> int:
    removed = 0
    for batch in _batches(held for held in context.blobs.inventory() if held.modified < before):
        names = [held.name for held in batch]
        with context.database.transaction(read_only=True) as connection:
            named = set(connection.execute(select(objects.c.blob).where(objects.c.blob.in_(names))).scalars())
            named |= set(connection.execute(select(doomed_blobs.c.blob).where(doomed_blobs.c.blob.in_(names))).scalars())
        for name in names:
            if name not in named:
                with suppress(BlobMissing):
                    context.blobs.delete(name)
                removed += 1
    return removed


def _batches(held: Iterable[Held]) -> Iterator[Sequence[Held]]:
    rest = iter(held)
    while batch := list(islice(rest, BATCH)):
        yield batch
