"""The receipts of a share, or of all of them, as one file that the person carries away: on a key, in an export.

It is the person's own: it names the worker, the purpose and the kinds of papers, never a title. Sheets that are printed bear the same
number and the same imprint, so that paper and file are known to belong together.
"""

from sqlalchemy import Connection, select

from consent.ids import GrantId
from consent.receipt import digest
from consent.receipt_file import ReceiptFile
from consent.record import Receipt
from crypto.errors import Undecryptable
from storage.tables import accounts, grants
from vault import receipts, who
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.sessions import Session


def of_share(context: Context, session: Session, grant: GrantId) -> bytes:
    """The file of one share, living or over. NotThere when it is not this person's."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        owned = select(grants.c.id).where(grants.c.id == grant, grants.c.person == session.account)
        if connection.execute(owned).first() is None:
            raise NotThere
        return _file(context, connection, session, [grant])


def of_all(context: Context, session: Session) -> bytes:
    """The file of every share that the person ever gave. NotThere when there was none."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        query = select(grants.c.id).where(grants.c.person == session.account).order_by(grants.c.id)
        return _file(context, connection, session, [GrantId(one) for one in connection.execute(query).scalars()])


def _file(context: Context, connection: Connection, session: Session, wanted: list[GrantId]) -> bytes:
    query = select(accounts.c.keys_statement, accounts.c.keys_signature).where(accounts.c.id == session.account)
    keys = connection.execute(query).one()
    try:
        found = [signed for grant in wanted for signed in receipts.read_all(context, connection, session, grant)]
    except Undecryptable:
        raise Tampered from None
    if not found:
        raise NotThere
    return ReceiptFile(keys.keys_statement, keys.keys_signature, tuple(found)).to_bytes()


def imprint(receipt: Receipt) -> str:
    """SHA-256 of the record as people compare it: sixteen groups of four signs."""
    written = digest(receipt).hex()
    return " ".join(written[at : at + 4] for at in range(0, len(written), 4))
