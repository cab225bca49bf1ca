"""What a person wants after their death (LIL 84 to 86): erase everything, or hand it to somebody they name; or nothing said.

It is sealed for the person, and posted to each worker whom they count on: these read it at their desk once they have said that the
person is dead, and can prove by its two signatures that nobody planted it. No administrator reads it, and "erase" needs no key.
Each wording is a row of the key vault of its own: what was changed or taken back opens nothing any more, in old copies either.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import Connection, RowMapping, delete, insert, select

from crypto.canonical import Value, canonical, instant
from crypto.errors import BadSignature, CryptoError, Malformed, Undecryptable
from crypto.kem import KemPrivate, kem_public
from crypto.keys import AccountKeys
from crypto.sealing import open_posted_value, post_value, seal_value, unseal_value
from crypto.signing import Signer, verify
from crypto.statements import DirectiveGiven
from storage.errors import RowGone
from storage.tables import circle_members, circles, directive_copies, directives, workers
from vault import accounts, audit, endings, labels, sessions, typed, unlocking, who
from vault.context import Context
from vault.errors import BadInput, NotThere, Tampered
from vault.events import Event
from vault.sessions import Session
from vault.settings import today_in_paris

Choice = Literal["erase", "hand"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
LONGEST_NAME, LONGEST_NOTE = 80, 200
FOR_PERSON = "person"


@dataclass(frozen=True)
class Wish:
    """What is wanted. `name` and `note`: who receives the papers, and how they are recognised; empty for "erase"."""

    choice: Choice
    name: str = field(default="", repr=False)
    note: str = field(default="", repr=False)


@dataclass(frozen=True)
class Directive:
    """What a person reads of their own: the wish, since when, and which workers could read it. `proof`: what was signed."""

    wish: Wish
    recorded: dt.date
    readers: tuple[str, ...]
    proof: Mapping[str, str] = field(repr=False)


def checked(choice: str, name: str = "", note: str = "") -> Wish:
    """A wish as somebody typed it. BadInput("choice"), ("name") or ("note")."""
    if choice == "erase":
        return Wish("erase")
    if choice != "hand":
        raise BadInput("choice")
    to = typed.line(name, "name", LONGEST_NAME, empty="error.directive-name")
    return Wish("hand", to, typed.line_or_none(note, "note", LONGEST_NOTE, long="error.phrase-long"))


def record(context: Context, session: Session, chosen: unlocking.Chosen, wish: Wish) -> None:
    """Say it, or say something else than before; the code is asked again."""
    keys = who.person(session)
    unlocking.confirm(context, session, chosen)
    with sessions.acting(context, session) as connection:
        tag = "directive.changed" if _living(context, connection, session.account) else "directive.recorded"
        write(context, connection, keys, session.account, wish)
        audit.record(context, connection, session, Event(tag, by=session.account), person=session.account)


def revoke(context: Context, session: Session) -> None:
    """Say nothing any more: as easy as it can be, and as if nothing had been said. NotThere when nothing was."""
    who.person(session)
    with sessions.acting(context, session) as connection:
        if not forget(context, connection, session.account):
            raise NotThere
        audit.record(context, connection, session, Event("directive.revoked", by=session.account), person=session.account)


def mine(context: Context, session: Session) -> Directive | None:
    """What the person has said, if anything, as they signed it. Raises Tampered."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        row = _living(context, connection, session.account)
        if row is None:
            return None
        body, said = _own(context, connection, keys, session.account, row)
        names = select(workers.c.first_name).join(directive_copies, directive_copies.c.worker == workers.c.account)
        readers = connection.scalars(names.where(directive_copies.c.directive == row["id"]).order_by(workers.c.first_name)).all()
    proof = {
        "body": canonical(body).decode(), "statement": said.encode().hex(),
        "signature": row["signature"].hex(), "service_signature": row["service_signature"].hex(),
    }  # fmt: skip
    return Directive(_wish(body), row["recorded"], tuple(readers), proof)


def write(context: Context, connection: Connection, keys: AccountKeys, person: str, wish: Wish) -> None:
    """Keep a wish in place of any other, in the caller's transaction, posted to the workers whom the person counts on now."""
    forget(context, connection, person)
    directive, at = context.new_id(), context.clock()
    body: dict[str, Value] = {"v": 1, "choice": wish.choice, "name": wish.name, "note": wish.note, "salt": secrets.token_hex(16)}
    said = DirectiveGiven(directive, person, hashlib.sha256(canonical(body)).digest(), instant(at))
    context.keyvault.create("grant", directive, person)
    place = labels.directive(directive=directive, party=FOR_PERSON, person=person)
    connection.execute(
        insert(directives).values(
            id=directive, person=person, for_person=seal_value(keys.values, place, body), statement=said.encode(),
            signature=Signer(keys.sign).sign(said), service_signature=context.service.sign(said), recorded=today_in_paris(at),
        )
    )  # fmt: skip
    for worker, public in _trusted(connection, person):
        where = labels.directive(directive=directive, party=worker, person=person)
        posted = post_value(kem_public(public), context.keyvault.derive("grant", directive, where), where, body)
        connection.execute(insert(directive_copies).values(directive=directive, worker=worker, posted=posted))


def follow(context: Context, connection: Connection, keys: AccountKeys, person: str) -> None:
    """The people somebody counts on have changed, in the caller's transaction: these read the wish from now on, and no others."""
    row = _living(context, connection, person)
    if row is not None:
        body, _ = _own(context, connection, keys, person, row)
        write(context, connection, keys, person, _wish(body))


def forget(context: Context, connection: Connection, person: str) -> bool:
    """Take the wish away with all its copies, in the caller's transaction. Tells whether there was one."""
    row = _row(connection, person)
    if row is None:
        return False
    connection.execute(delete(directive_copies).where(directive_copies.c.directive == row["id"]))
    connection.execute(delete(directives).where(directives.c.id == row["id"]))
    endings.end_row(context, connection, "grant", row["id"])
    return True


def read_by(context: Context, connection: Connection, keys: AccountKeys, worker: str, person: str) -> Wish | None:
    """The wish as a worker whom the person counted on reads it; None when nothing was posted to them. Raises Tampered."""
    row = _living(context, connection, person)
    if row is None:
        return None
    copy = (directive_copies.c.directive == row["id"], directive_copies.c.worker == worker)
    posted = connection.execute(select(directive_copies.c.posted).where(*copy)).scalar_one_or_none()
    if posted is None:
        return None
    place = labels.directive(directive=row["id"], party=worker, person=person)
    try:
        body = open_posted_value(KemPrivate(keys.kem), context.keyvault.derive("grant", row["id"], place), place, posted)
    except (RowGone, Undecryptable) as error:
        raise Tampered from error
    _verified(context, connection, row, person, body)
    return _wish(body)


def _row(connection: Connection, person: str) -> RowMapping | None:
    return connection.execute(select(directives).where(directives.c.person == person)).mappings().one_or_none()


def _living(context: Context, connection: Connection, person: str) -> RowMapping | None:
    """The wish that stands. One that was taken back since a backup comes back with its rows, but its row of the key vault is dead."""
    row = _row(connection, person)
    return row if row is not None and context.keyvault.exists("grant", row["id"]) else None


def _trusted(connection: Connection, person: str) -> Sequence[Any]:
    """The workers of the circle that stands, with their keys; who left for good stands in it until it is formed anew, and gets nothing."""
    here = circle_members.join(circles).join(workers, workers.c.account == circle_members.c.worker)
    theirs = (circles.c.person == person, circles.c.state == "living", workers.c.state != "ended")
    query = select(circle_members.c.worker, circle_members.c.public_key).select_from(here)
    return connection.execute(query.where(*theirs).order_by(circle_members.c.id)).all()


def _own(
    context: Context, connection: Connection, keys: AccountKeys, person: str, row: RowMapping
) -> tuple[Mapping[str, Value], DirectiveGiven]:
    place = labels.directive(directive=row["id"], party=FOR_PERSON, person=person)
    try:
        body = unseal_value(keys.values, place, row["for_person"])
    except CryptoError as error:
        raise Tampered from error
    return body, _verified(context, connection, row, person, body)


def _verified(
    context: Context, connection: Connection, row: RowMapping, person: str, body: Mapping[str, Value]
) -> DirectiveGiven:  # fmt: skip
    """The person said this very body, and the service was there: nobody who writes rows can put words into their mouth."""
    sign = accounts.public_keys(context, connection, person).ring
    try:
        said = DirectiveGiven.parse(row["statement"])
        verify(sign, said, row["signature"])
        verify(context.service.ring, said, row["service_signature"])
    except (BadSignature, Malformed) as error:
        raise Tampered from error
    digest = hashlib.sha256(canonical(dict(body))).digest()
    if (said.directive, said.person, said.body) != (row["id"], person, digest):
        raise Tampered
    return said


def _wish(body: Mapping[str, Value]) -> Wish:
    match body:
        case {"choice": ("erase" | "hand") as choice, "name": str(name), "note": str(note)}:
            return Wish(choice, name, note)
    raise Tampered
