"""What can go wrong where rows and bytes are kept. Drivers' errors are renamed here, at the border, and nowhere else."""


class StorageError(Exception):
    """Root of all errors of this package."""


class DatabaseBusy(StorageError):
    """Another writer kept its lock too long, or two writers waited for each other: nothing was written, asking again is safe."""


class DatabaseUnreachable(StorageError):
    """The database does not answer. If it happened while committing, nobody knows whether the rows were written."""


class NestedTransaction(StorageError):
    """A programming error: this thread already writes in this database, and a second writer would wait for it for ever."""


class NotSecured(StorageError):
    """Rows were deleted, but their bytes may still stand in the files because a reader holds an old view: ask again."""


class BlobMissing(StorageError):
    """No blob has this name."""


class BlobDamaged(StorageError):
    """The store no longer has all the bytes that it took in, or they are not the same."""


class StorageFull(StorageError):
    """There is no room left, and what was begun has been removed."""


class StoreUnreachable(StorageError):
    """The store of blobs does not answer, or refuses our access."""


class VaultUnreachable(StorageError):
    """The key vault does not answer: nothing opens and nothing can be deposited until it does."""


class RowGone(StorageError):
    """The key vault has no such row: it was destroyed, or never was. What it protected stays closed for ever."""


class TileMissing(StorageError):
    """A row of the trace's tree is gone or too short: what it proved can be made again from the entries, and must be looked at."""


class WrongRevision(StorageError):
    """The tables are not those that this version of the program knows, or a revision would break them."""


class ProgramMissing(StorageError):
    """A program that comes with the database is not installed on this machine; the message says which."""


class CopyRefused(StorageError):
    """A copy of a database cannot be read, or the place to put it back into already holds something."""
