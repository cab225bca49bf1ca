"""What is told once, on one screen, and then forgotten: an account number, five words, a rescue sheet.

It waits in the session's sealed state, so that the page can be printed and shown again until the person says that they have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.keys import SheetSecret
from crypto.printed import parse_sheet_text, sheet_digits, sheet_text
from vault import sessions
from vault.context import Context
from vault.sessions import Session

PLACE = "once"


@dataclass(frozen=True)
class Told:
    """What is still to be written down or printed."""

    number: str = ""
    words: tuple[str, ...] = ()
    sheets: tuple[SheetSecret, ...] = ()

    @property
    def digits(self) -> tuple[str, ...]:
        """The digits of each sheet, for who has no printer."""
        return tuple(sheet_digits(sheet) for sheet in self.sheets)

    def __bool__(self) -> bool:
        return bool(self.number or self.words or self.sheets)


def keep(
    context: Context,
    session: Session,
    *,
    number: str = "",
    words: Sequence[str] | None = None,
    sheets: Sequence[SheetSecret] = (),
) -> None:
    """Keep for this session's next pages."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        state[PLACE] = {"number": number, "words": list(words or ()), "sheets": [sheet_text(sheet) for sheet in sheets]}
        sessions.write_state(connection, session, state)


def told(context: Context, session: Session) -> Told:
    """What waits; empty when there is nothing."""
    with context.database.transaction(read_only=True) as connection:
        kept = sessions.read_state(connection, session, hold=False).get(PLACE)
    if not isinstance(kept, dict):
        return Told()
    words, sheets = kept["words"], kept["sheets"]
    return Told(
        number=str(kept["number"]),
        words=tuple(str(word) for word in words) if isinstance(words, list) else (),
        sheets=tuple(parse_sheet_text(str(sheet)) for sheet in sheets) if isinstance(sheets, list) else (),
    )


def forget(context: Context, session: Session) -> None:
    """The person has it: it is nowhere any more."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        state.pop(PLACE, None)
        sessions.write_state(connection, session, state)
