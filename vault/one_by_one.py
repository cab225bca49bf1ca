"""Background work on many things: each by itself. One that fails is logged and has its next turn, and keeps no other waiting.

The log says of what kind it was and what went wrong, never which one: an id of a person or of a paper would stand there for months
after their erasure. Which row it is, whoever may read the rows finds by the state that it stays in.
"""

from collections.abc import Callable, Iterable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from crypto.errors import CryptoError
from storage.errors import StorageError
from vault.errors import AbriError

FAILURES = (AbriError, StorageError, CryptoError, SQLAlchemyError)
log = structlog.get_logger()


def each(what: str, ids: Iterable[str], act: Callable[[str], object]) -> int:
    """Do it with each id; gives with how many it was done, without those for which `act` says False. `what`: for the log."""
    done = 0
    for one in ids:
        try:
            done += act(one) is not False
        except FAILURES as error:
            log.error("one failed, the others go on", what=what, error=type(error).__name__)
    return done
