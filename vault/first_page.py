"""What the first page of a safe has just told, kept in the session: in another language it is told once more, and not lost.

Two sentences that wait are shown at a time. What was shown is read; the rest comes at the next look.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from crypto.canonical import Value
from vault import notices, sessions, who
from vault.context import Context
from vault.sessions import Session

AT_ONCE = 2  # sentences that wait, on one page
PLACE = "first-page"


@dataclass(frozen=True)
class Said:
    """What the last look at the first page said: in which language (none before the first), which notices, and how many papers had just
    arrived."""

    language: str = ""
    notices: tuple[str, ...] = ()
    arrived: int = 0


def again(context: Context, session: Session, language: str) -> Said:
    """What was said in another language a moment ago, or not at all yet, and is to be said in this one; nothing when it was."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        said = _of(sessions.read_state(connection, session, hold=False).get(PLACE))
    return Said() if said.language == language else said


def came(context: Context, session: Session, papers: int) -> None:
    """So many papers were met as the safe opened: no page has told them yet, and the first page will."""
    who.person(session)
    if papers:
        with context.database.transaction() as connection:
            state = sessions.read_state(connection, session)
            _keep(connection, session, state, Said(arrived=papers))


def told(context: Context, session: Session, said: Said, besides: Sequence[str] = ()) -> None:
    """The page stands there: what it shows is read, and what it says in other words (`besides`). Nothing else is."""
    who.person(session)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        notices.seen_in(context, connection, session, [*said.notices, *besides])
        kept = said if said.notices or said.arrived else Said()
        if _of(state.get(PLACE)) != kept:
            _keep(connection, session, state, kept)


def _keep(connection: Connection, session: Session, state: dict[str, Value], said: Said) -> None:
    fields: dict[str, Value] = {"language": said.language, "notices": list(said.notices), "arrived": said.arrived}
    sessions.write_state(connection, session, {**state, PLACE: fields})


def _of(kept: object) -> Said:
    if not isinstance(kept, dict):
        return Said()
    shown, arrived = kept["notices"], kept["arrived"]
    ids = tuple(str(one) for one in shown) if isinstance(shown, list) else ()
    return Said(str(kept["language"]), ids, arrived if isinstance(arrived, int) else 0)
