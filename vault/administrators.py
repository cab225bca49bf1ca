"""Administrators: each belongs to one operator, signs its workers' certificates, and can never open a paper.

The first two are made by the command line at the installation, with the root keys that every certificate is verified against.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from crypto.keys import AccountKeys
from crypto.signing import SignPublic
from storage.tables import administrators, operators, structures, workers
from vault import accounts, attempts, audit, one_time, slots, staff, typed
from vault.context import AccountId, Context, OperatorId
from vault.errors import NotAllowed, NotThere
from vault.events import Event
from vault.sessions import Session
from vault.staff import Sheet

NAME_LETTERS, CONTACT_LETTERS = 60, 200
BAD_NAME = "office.invite.bad_name"


@dataclass(frozen=True)
class Administrator:
    """Who is signed in, for the pages of the office."""

    id: AccountId
    first_name: str
    code: str
    operator: OperatorId
    operator_name: str


@dataclass(frozen=True)
class NewAdministrator:
    """What the command line shows once. `sign_public` goes to the file of public keys before the service starts again."""

    id: AccountId
    code: str
    words: tuple[str, ...] = field(repr=False)
    totp: bytes = field(repr=False)
    totp_uri: str = field(repr=False)
    sign_public: SignPublic = field(repr=False)
    sheet: Sheet = field(repr=False)


def create_operator(context: Context, name: str, contact: str) -> OperatorId:
    """An association that runs structures; by the command line."""
    operator = OperatorId(context.new_id())
    contact = checked_contact(contact)
    with context.database.transaction() as connection:
        connection.execute(insert(operators).values(id=operator, name=checked_name(name), contact=contact))
    return operator


def create(
    context: Context, operator: str, first_name: str, also: Callable[[Connection], None] = lambda _: None
) -> NewAdministrator:
    """An administrator of an operator; by the command line. Their words and seed are given once and kept nowhere in clear.

    `also`: what else is written in the same commit.
    """
    with context.database.transaction(read_only=True) as connection:
        drawn = staff.draw(connection)
    new, ways = staff.make_account(context, "administrator", drawn)
    with context.database.transaction() as connection:
        public = accounts.keep(context, connection, new)
        for way in ways:
            slots.keep(context, connection, way)
        connection.execute(
            insert(administrators).values(
                account=new.id, operator=operator, first_name=checked_name(first_name), code=drawn.code,
                sealed_totp=one_time.seal_seed(context, new.id, drawn.totp), totp_used=0,
            )
        )  # fmt: skip
        also(connection)
    return NewAdministrator(AccountId(new.id), drawn.code, drawn.words, drawn.totp, drawn.totp_uri, public.sign, drawn.sheet)


def sign_in(context: Context, code: str, words: Sequence[str] | str, second: str, kiosk: str | None = None) -> str:
    """A session of the office. `second`: six digits, or the words of the sheet. WrongSecret, MustWait, Busy, BadInput."""
    return staff.sign_in(context, "administrator", code, words, second, kiosk=kiosk, admit=first_name)


def of(context: Context, session: Session) -> Administrator:
    """Who is signed in; NotAllowed for anybody else."""
    check(session)
    query = select(administrators, operators.c.name).join(operators).where(administrators.c.account == session.account)
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(query).one()
    return Administrator(AccountId(row.account), row.first_name, row.code, OperatorId(row.operator), row.name)


def lift_wait(context: Context, session: Session, code: str) -> None:
    """Let a worker or a colleague of the same operator try again now, after too many wrong attempts."""
    with context.database.transaction() as connection:
        operator = operator_of(connection, session)
        colleague = select(administrators.c.account).where(administrators.c.code == code, administrators.c.operator == operator)
        worker = (
            select(workers.c.account).join(structures, structures.c.id == workers.c.structure)
            .where(workers.c.code == code, structures.c.operator == operator)
        )  # fmt: skip
        account = connection.execute(colleague.union(worker)).scalar_one_or_none()
        if account is None:
            raise NotThere
        attempts.forget(connection, staff.shown_digest(code))
        audit.record(
            context,
            connection,
            session,
            Event("worker.wait-lifted", by=session.account, by_name=first_name(connection, session.account)),
            worker=account,
        )


def first_name(connection: Connection, account: str) -> str:
    """What an administrator is called."""
    name: str = connection.execute(select(administrators.c.first_name).where(administrators.c.account == account)).scalar_one()
    return name


def check(session: Session) -> AccountKeys:
    """The keys of an administrator; refuses every other kind."""
    if session.kind != "administrator":
        raise NotAllowed
    return session.opened()


def operator_of(connection: Connection, session: Session) -> OperatorId:
    """The operator of whoever is signed in; NotAllowed for anybody but an administrator."""
    check(session)
    found = connection.execute(select(administrators.c.operator).where(administrators.c.account == session.account)).scalar_one()
    return OperatorId(found)


def check_structure(connection: Connection, session: Session, structure: str) -> OperatorId:
    """Refuse a structure that is not of the administrator's operator, as if it did not exist."""
    operator = operator_of(connection, session)
    query = select(structures.c.id).where(structures.c.id == structure, structures.c.operator == operator)
    if connection.execute(query).first() is None:
        raise NotThere
    return operator


def checked_contact(contact: str) -> str:
    """How a place is reached, as receipts say it; or nothing. BadInput("contact")."""
    return typed.line_or_none(contact, "contact", CONTACT_LETTERS, long="error.phrase-long")


def checked_name(name: str) -> str:
    """A name that a page can show and a signed sentence can hold; BadInput("name")."""
    return typed.line(name, "name", NAME_LETTERS, empty=BAD_NAME, long=BAD_NAME)
