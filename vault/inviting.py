"""How somebody becomes a worker: a code handed over in person, six words typed back, an authenticator that answers, the charter.

Until they have done it nothing is written but the invitation; their words and seed wait in the session, sealed.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from consent.ids import WorkerId
from consent.recipients import RecipientState, role
from crypto.canonical import Value
from crypto.errors import Malformed
from storage.tables import invitations as rows
from storage.tables import structures, workers
from vault import accounts, administrators, audit, labels, one_time, sessions, slots, staff, wordlist
from vault.context import Context
from vault.errors import BadInput, NoSession, NotThere, WrongSecret
from vault.events import Event
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.staff import Drawn, Sheet

TERM = dt.timedelta(days=3)
CODE_LETTERS = 12


@dataclass(frozen=True)
class Invitation:
    """An invitation that waits. Its code is known to nobody but who received it."""

    id: str
    first_name: str
    role: str
    ends: dt.date | None
    term: dt.datetime
    structure_name: str


@dataclass(frozen=True)
class Acceptance:
    """What somebody who accepts is shown, once."""

    first_name: str
    role: str
    structure_name: str
    ends: dt.date | None
    code: str
    words: tuple[str, ...] = field(repr=False)
    totp: bytes = field(repr=False)
    totp_uri: str = field(repr=False)
    sheet: Sheet = field(repr=False)


def invite(context: Context, session: Session, structure: str, first_name: str, role_id: str, ends: dt.date | None) -> str:
    """Invite somebody to a structure of the administrator's operator. Gives the code to hand over in person: three days.

    BadInput("role"), BadInput("ends") for a role that does not last and has no end, or an end that is past.
    """
    try:
        chosen = role(role_id)
    except Malformed as error:
        raise BadInput("role") from error
    if (ends is None and not chosen.permanent) or (ends is not None and ends < today_in_paris(context.clock())):
        raise BadInput("ends")
    code = staff.draw_letters(CODE_LETTERS)
    with context.database.transaction() as connection:
        administrators.check_structure(connection, session, structure)
        connection.execute(
            insert(rows).values(
                digest=_digest(code), structure=structure, by=session.account, first_name=administrators.checked_name(first_name),
                role=chosen.id, ends=ends, term=context.clock() + TERM,
            )
        )  # fmt: skip
        name = administrators.first_name(connection, session.account)
        event = Event("worker.invited", by=session.account, by_name=name)
        audit.record(context, connection, session, event, worker=session.account)
    return code


def invitations(context: Context, session: Session) -> list[Invitation]:
    """The invitations of the administrator's operator that still wait."""
    with context.database.transaction(read_only=True) as connection:
        operator = administrators.operator_of(connection, session)
        query = select(rows, structures.c.name).join(structures, structures.c.id == rows.c.structure)
        query = query.where(structures.c.operator == operator, rows.c.term > context.clock()).order_by(rows.c.term)
        return [
            Invitation(row.digest, row.first_name, row.role, row.ends, row.term, row.name) for row in connection.execute(query)
        ]


def cancel_invitation(context: Context, session: Session, invitation: str) -> None:
    """Take an invitation back."""
    with context.database.transaction() as connection:
        structure = connection.execute(select(rows.c.structure).where(rows.c.digest == invitation)).scalar_one_or_none()
        if structure is None:
            raise NotThere
        administrators.check_structure(connection, session, structure)
        connection.execute(delete(rows).where(rows.c.digest == invitation))


def sweep_invitations(context: Context) -> int:
    """Delete the invitations that nobody took; a scheduled task. Gives how many."""
    with context.database.transaction() as connection:
        return connection.execute(delete(rows).where(rows.c.term <= context.clock())).rowcount


def start_accepting(context: Context, code: str, kiosk: str | None = None) -> str:
    """Show the code of an invitation: words and seed are drawn. Gives the cookie of a session that lasts half an hour."""
    digest = _digest("".join(code.split()).replace("-", "").upper())
    with context.database.transaction() as connection:
        if _waiting(context, connection, digest) is None:
            raise WrongSecret
        drawn = staff.draw(connection)
        state: dict[str, Value] = {
            "invitation": digest, "code": drawn.code, "words": list(drawn.words), "totp": drawn.totp.hex(),
            "sheet": {"code": drawn.sheet.code, "words": list(drawn.sheet.words)},
        }  # fmt: skip
        return sessions.open_for(context, connection, kind="opening", kiosk=kiosk, state=state)


def acceptance(context: Context, session: Session) -> Acceptance:
    """What to show to whoever accepts."""
    with context.database.transaction() as connection:
        digest, drawn = _state(sessions.read_state(connection, session))
        row = _waiting(context, connection, digest)
    if row is None:
        raise NoSession
    return Acceptance(
        row.first_name, row.role, row.name, row.ends, drawn.code, drawn.words, drawn.totp, drawn.totp_uri, drawn.sheet
    )


def accept(context: Context, session: Session, typed_words: Sequence[str] | str, totp: str, *, charter: str) -> WorkerId:
    """Become a worker: the words typed back, a password from the authenticator, the version of the charter that was read.

    BadInput("words"), BadInput("totp"), BadInput("charter"); the worker then waits for two administrators.
    """
    with context.database.transaction() as connection:
        digest, drawn = _state(sessions.read_state(connection, session))
    if wordlist.recognise_all(typed_words) != drawn.words:
        raise BadInput("words", "error.words-differ")
    step = one_time.accepted_step(drawn.totp, totp, context.clock(), used=0)
    if step is None:
        raise BadInput("totp", "error.totp-differs")
    if not charter:
        raise BadInput("charter")
    new, ways = staff.make_account(context, "worker", drawn)
    with accounts.forgotten_unless_kept(context, new.id), context.database.transaction() as connection:
        if not sessions.read_state(connection, session):  # accepted in the same instant, in another window
            raise NoSession
        row = _waiting(context, connection, digest)
        if row is None:
            raise NoSession
        accounts.keep(context, connection, new)
        for way in ways:
            slots.keep(context, connection, way)
        connection.execute(
            insert(workers).values(
                account=new.id, structure=row.structure, first_name=row.first_name, role=row.role,
                state=RecipientState.INVITED.value, ends=row.ends, code=drawn.code, charter_version=charter,
                sealed_totp=one_time.seal_seed(context, new.id, drawn.totp), totp_used=step,
            )
        )  # fmt: skip
        connection.execute(delete(rows).where(rows.c.digest == digest))
        audit.record(context, connection, None, Event("worker.accepted", by=new.id, by_name=row.first_name), worker=new.id)
        sessions.end_one(context, connection, session)
    return WorkerId(new.id)


def _digest(code: str) -> str:
    return hashlib.sha256(labels.invitation(code=code)).hexdigest()


def _waiting(context: Context, connection: Connection, digest: str) -> Row[Any] | None:
    query = select(rows, structures.c.name).join(structures, structures.c.id == rows.c.structure)
    return connection.execute(query.where(rows.c.digest == digest, rows.c.term > context.clock())).one_or_none()


def _state(state: dict[str, Value]) -> tuple[str, Drawn]:
    digest, code, words, totp, sheet = (state.get(name) for name in ("invitation", "code", "words", "totp", "sheet"))
    if not (isinstance(digest, str) and isinstance(code, str) and isinstance(totp, str) and isinstance(sheet, dict)):
        raise NoSession
    return digest, Drawn(code, _words(words), bytes.fromhex(totp), Sheet(str(sheet["code"]), _words(sheet["words"])))


def _words(kept: Value) -> tuple[str, ...]:
    return tuple(str(word) for word in kept) if isinstance(kept, list) else ()
