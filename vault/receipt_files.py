"""The receipts of a share, of a link to somebody outside, or of all of them, as one file that the person carries away.

It goes on a key or in an export, and is the person's own: it names the worker, the purpose and the kinds of papers, never a title.
Sheets that are printed bear the same number and the same imprint, so that paper and file are known to belong together.
"""

from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection, select, union_all

from consent.ids import GrantId
from consent.receipt import SignedReceipt, digest
from consent.receipt_file import LOG_SIGNS, ReceiptFile, WitnessCertificate
from consent.record import Receipt
from crypto.errors import Undecryptable
from crypto.inclusion import InclusionProof
from crypto.notes import Note
from storage.tables import accounts, grants, outside_shares
from vault import accounts as account_rows
from vault import certifying, checkpoints, outside, proofs, receipts, who
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.sessions import Session


def records_of(context: Context, session: Session, given: GrantId) -> list[SignedReceipt]:
    """The records of one share, or of one link to somebody outside, oldest first. NotThere when it is not this person's, Tampered."""
    with context.database.transaction(read_only=True) as connection:
        return read_records(context, connection, session, given)


def read_records(context: Context, connection: Connection, session: Session, given: GrantId) -> list[SignedReceipt]:
    """The same in the caller's transaction."""
    who.person(session)
    shared = select(grants.c.id).where(grants.c.id == given, grants.c.person == session.account)
    if connection.execute(shared).first() is None:
        return outside.read_receipts(context, connection, session, given)
    try:
        return receipts.read_all(context, connection, session, given)
    except Undecryptable:
        raise Tampered from None


def given_by(connection: Connection, person: str) -> list[GrantId]:
    """Every share and every link that a person ever gave, in the order of their ids."""
    shared, linked = (select(table.c.id).where(table.c.person == person) for table in (grants, outside_shares))
    return [GrantId(one) for one in sorted(connection.scalars(union_all(shared, linked)))]


def of_share(context: Context, session: Session, given: GrantId) -> bytes:
    """The file of one share or link, living or over. NotThere when it is not this person's."""
    with context.database.transaction(read_only=True) as connection:
        found = _file(context, connection, session, [given])
    return _with_proofs(context, found).to_bytes()


def of_all(context: Context, session: Session) -> bytes:
    """The file of everything that the person ever gave. NotThere when there was nothing."""
    with context.database.transaction(read_only=True) as connection:
        found = _file(context, connection, session, given_by(connection, session.account))
    return _with_proofs(context, found).to_bytes()


def _file(context: Context, connection: Connection, session: Session, wanted: list[GrantId]) -> ReceiptFile:
    who.person(session)
    query = select(accounts.c.keys_statement, accounts.c.keys_signature).where(accounts.c.id == session.account)
    keys = connection.execute(query).one()
    found = [signed for given in wanted for signed in read_records(context, connection, session, given)]
    if not found:
        raise NotThere
    names = sorted({one.receipt.change.witness for one in found if one.receipt.change.witness})
    witnesses = tuple(_certificate(context, connection, name) for name in names)
    earlier = tuple(account_rows.statements_before(connection, session.account))
    return ReceiptFile(keys.keys_statement, keys.keys_signature, tuple(found), witnesses, earlier)


def _certificate(context: Context, connection: Connection, worker: str) -> WitnessCertificate:
    statement, signatures = certifying.signed_certificate(context, connection, worker)
    return WitnessCertificate(statement.encode(), tuple(signatures))


def _with_proofs(context: Context, file: ReceiptFile) -> ReceiptFile:
    """Each record with the proof of its entry: entries that still wait are numbered now, and a head is signed over them.

    When the trace no longer agrees with its own heads nothing is signed and no proof can be made: the receipts leave without. They verify
    by their signatures, and the command says that no proof came along.
    """
    with suppress(Tampered):  # what has no number keeps no proof from the others
        proofs.numbers(context, [one.receipt.entry for one in file.receipts if one.receipt.entry])
    return replace(file, receipts=tuple(_proven(context, one) for one in file.receipts))


def _proven(context: Context, signed: SignedReceipt) -> SignedReceipt:
    if signed.receipt.entry is None:
        return signed
    try:
        proof = InclusionProof.of_text(proofs.inclusion(context, signed.receipt.entry).file)
        note = Note.parse(proof.note)
        own = checkpoints.own_lines(context, note)
        if len(own) != LOG_SIGNS:  # a head kept under a name that the log no longer has: the published keys do not fit it
            return signed
        return replace(signed, inclusion=replace(proof, note=replace(note, signatures=own).encode()).text().encode())
    except (NotThere, Tampered):
        return signed


def imprint(receipt: Receipt) -> str:
    """SHA-256 of the record as people compare it: sixteen groups of four signs."""
    written = digest(receipt).hex()
    return " ".join(written[at : at + 4] for at in range(0, len(written), 4))


def line_of(context: Context, receipt: Receipt) -> int | None:
    """The number of its entry in the trace, for the sheet; None when it has none, or when the trace cannot give it one now."""
    if receipt.entry is None:
        return None
    with suppress(Tampered):
        return proofs.numbers(context, [receipt.entry]).get(receipt.entry)
    return None
