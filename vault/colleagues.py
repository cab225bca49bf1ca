"""Workers as shares see them: a certificate that two administrators signed, and where the worker stands today.

Role, keys and end come from the certificate; the row says only what narrows: suspended, ended.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from consent.grant import GrantState
from consent.recipients import Recipient, role
from crypto.errors import CryptoError
from crypto.kem import KemPublic, kem_public
from crypto.signing import SignPublic, sign_public_from
from storage.tables import operators, structures, workers
from vault.certifying import recipient, verified_certificate
from vault.context import Context
from vault.errors import AbriError, NotThere

LIVING = tuple(sorted(state.value for state in (GrantState.GIVEN, GrantState.RENEWED)))


@dataclass(frozen=True)
class Colleague:
    """A worker: keys and role as certified, name as shown ("Fatou, de l'équipe, ESI Les Tilleuls"), where they stand."""

    recipient: Recipient
    name: str
    kem: KemPublic
    sign: SignPublic
    absent_until: date | None


def colleague(context: Context, connection: Connection, worker: str) -> Colleague:
    """A certified worker, whatever their state today; NotThere when nothing certifies them."""
    query = (
        select(workers.c.state, workers.c.absent_until, structures.c.name)
        .join(structures, structures.c.id == workers.c.structure)
        .where(workers.c.account == worker)
    )
    row = connection.execute(query).one_or_none()
    if row is None or row.state == "invited":
        raise NotThere
    try:
        said = verified_certificate(context, connection, worker)
        standing = recipient(context, connection, worker)
        name = f"{said.name}, {role(said.role).words}, {row.name}"
        return Colleague(standing, name, kem_public(said.kem), sign_public_from(said.sign), row.absent_until)
    except CryptoError:
        raise NotThere from None


def reachable(context: Context, connection: Connection, worker: str) -> KemPublic | None:
    """A worker's public key as two administrators certified it; None when it does not hold: nothing is wrapped then."""
    try:
        return colleague(context, connection, worker).kem
    except AbriError:
        return None


def name_of(connection: Connection, worker: str) -> str:
    """The name of a worker as rows have it, for a screen that holds no keys."""
    query = (
        select(workers.c.first_name, structures.c.name)
        .join(structures, structures.c.id == workers.c.structure)
        .where(workers.c.account == worker)
    )
    row = connection.execute(query).one_or_none()
    return f"{row.first_name}, {row.name}" if row else ""


@dataclass(frozen=True)
class Place:
    """Where a worker works, for a receipt: structure, and the operator that answers for what is received (GDPR 26)."""

    structure: str
    operator: str
    operator_name: str
    operator_contact: str
    contact: str


def place_of(connection: Connection, worker: str) -> Place:
    """The structure and operator of a worker."""
    query = (
        select(structures.c.id, structures.c.contact, operators.c.id, operators.c.name, operators.c.contact)
        .join(structures, structures.c.id == workers.c.structure)
        .join(operators, operators.c.id == structures.c.operator)
        .where(workers.c.account == worker)
    )
    row = connection.execute(query).one()
    return Place(row[0], row[2], row[3], row[4], row[1])
