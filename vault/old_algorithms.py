"""Whatever an algorithm of before sealed for a person is sealed by today's, at their next unlock (law R20).

Who does not come keeps what they have, and it opens. What is posted to a worker is not touched: it ends with its share, or when it is
written again.
"""

from contextlib import suppress

from sqlalchemy import ColumnElement, Connection, func, or_, update

from crypto import contexts, envelope, sealing
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from crypto.keys import AccountKeys
from crypto.sealing import outdated, seal, unseal
from storage.errors import RowGone
from storage.tables import papers, versions
from vault import belongings
from vault import shelves as drawers
from vault.bindings import wrap_place
from vault.context import Context
from vault.errors import Tampered
from vault.versions import joined, keys_of, secret_of


def seal_anew(context: Context, connection: Connection, person: str, keys: AccountKeys) -> int:
    """Whatever an algorithm of before sealed for the person, or keeps one of their papers: sealed by today's. Gives how many."""
    if len(sealing.SCHEMES) == 1:
        return 0  # until there is a second algorithm nobody looks for a first one
    done = 0
    for one in list(belongings.of_values(connection, person, outdated=True)):
        with suppress(CryptoError):  # planted or damaged: it stays as unreadable as it was, and keeps nobody out
            one.write(connection, belongings.sealed_again(one, keys.values, keys.values))
            done += 1
    private = KemPrivate(keys.kem)
    posted = belongings.of_post(context, connection, person, outdated=True)
    done += belongings.move_posts(context, connection, posted, private, private.public)
    return done + _papers(context, connection, person, keys)


def _again(key: bytes, place: bytes, sealed: bytes) -> bytes:
    return seal(key, place, unseal(key, place, sealed))


def _papers(context: Context, connection: Connection, person: str, keys: AccountKeys) -> int:
    """The wrap and the card of each version. What others laid in is wrapped anew when it is met, and what is posted to a worker ends."""
    old = or_(_of_before(versions.c.wrap), _of_before(versions.c.card))
    mine = (versions.c.person == person, versions.c.wrap_kind == "shelf", papers.c.state != "refused")
    rows, done = connection.execute(joined().where(*mine, old)).all(), 0
    opened = drawers.open_all(connection, person, keys.values)
    for row in rows:
        with suppress(CryptoError, RowGone, Tampered):  # what does not open is refused where it is read, and keeps nobody out
            secret, values = secret_of(context, opened, row), dict[str, bytes]()
            if outdated(row.wrap):
                values |= {"wrap": envelope.wrap(opened.at(row.shelf, row.epoch).key, wrap_place(row), secret)}
            if outdated(row.card):
                place = contexts.card(person=person, paper=row.paper, version=row.id)
                values |= {"card": _again(keys_of(context, row, secret).card_key, place, row.card)}
            connection.execute(update(versions).where(versions.c.id == row.id).values(**values))
            done += 1
    return done


def _of_before(column: ColumnElement[bytes]) -> ColumnElement[bool]:
    return func.substr(column, 1, 1) != bytes([sealing.CURRENT])
