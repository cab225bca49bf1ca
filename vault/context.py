"""What every use case receives: the stores, the clock, the service's keys. Built once in `vault.app`, never global."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NewType

from crypto.signing import Signer
from storage.blobs import BlobStore, FolderStore
from storage.database import Database
from storage.keyvault import KeyVault
from storage.s3 import S3Settings, S3Store
from vault.confinement import Confinement
from vault.derivations import Derivations
from vault.settings import Settings

AccountId = NewType("AccountId", str)
SlotId = NewType("SlotId", str)
StructureId = NewType("StructureId", str)
OperatorId = NewType("OperatorId", str)
NOBODY = "00000000-0000-0000-0000-000000000000"  # stands where a session has no account or slot yet


def utc_now() -> dt.datetime:
    """The moment it is, in UTC."""
    return dt.datetime.now(dt.UTC)


def random_id() -> str:
    """A new random UUID, lower-case."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Context:
    """The stores and the edge of the world, handed to each use case."""

    settings: Settings
    database: Database
    blobs: BlobStore
    keyvault: KeyVault
    confinement: Confinement
    service: Signer
    clock: Callable[[], dt.datetime] = utc_now
    new_id: Callable[[], str] = random_id
    derivations: Derivations = field(default_factory=lambda: Derivations(2, 12))

    def close(self) -> None:
        """Let go of every store."""
        self.confinement.close()
        self.database.close()
        self.keyvault.close()
        self.blobs.close()


def open_blobs(settings: Settings) -> BlobStore:
    """The store of papers that the settings name."""
    kind, _, place = settings.blobs.partition(":")
    if kind == "s3":
        return S3Store(
            S3Settings(
                bucket=place,
                endpoint_url=settings.s3_endpoint,
                region=settings.s3_region,
                access_key=settings.s3_access_key,
                secret_key=settings.s3_secret_key,
            )
        )
    return FolderStore(Path(place))


def open_context(
    settings: Settings, *, confinement: Confinement, clock: Callable[[], dt.datetime] = utc_now, blobs: BlobStore | None = None
) -> Context:
    """A context on the stores that the settings name. Whoever opens it closes it."""
    return Context(
        settings=settings,
        database=Database(settings.database_url),
        blobs=blobs or open_blobs(settings),
        keyvault=KeyVault(settings.vault_url, settings.tombstones_url),
        confinement=confinement,
        service=Signer(settings.service_sign, [one.public for one in settings.earlier]),
        clock=clock,
        derivations=Derivations(settings.limits.derivations_at_once, settings.limits.derivations_waiting),
    )
