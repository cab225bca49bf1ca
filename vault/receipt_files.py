"""The receipts of a share, or of all of them, as one file that the person carries away: on a key, in an export.

It is the person's own: it names the worker, the purpose and the kinds of papers, never a title. Sheets that are printed bear the same
number and the same imprint, so that paper and file are known to belong together.
"""

from dataclasses import replace

from sqlalchemy import Connection, select

from consent.ids import GrantId
from consent.receipt import SignedReceipt, digest
from consent.receipt_file import LOG_SIGNS, ReceiptFile, WitnessCertificate
from consent.record import Receipt
from crypto.errors import Undecryptable
from crypto.inclusion import InclusionProof
from crypto.notes import Note
from storage.tables import accounts, grants
from vault import accounts as account_rows
from vault import certifying, checkpoints, proofs, receipts, who
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
        found = _file(context, connection, session, [grant])
    return _with_proofs(context, found).to_bytes()


def of_all(context: Context, session: Session) -> bytes:
    """The file of every share that the person ever gave. NotThere when there was none."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        query = select(grants.c.id).where(grants.c.person == session.account).order_by(grants.c.id)
        found = _file(context, connection, session, [GrantId(one) for one in connection.execute(query).scalars()])
    return _with_proofs(context, found).to_bytes()


def _file(context: Context, connection: Connection, session: Session, wanted: list[GrantId]) -> ReceiptFile:
    query = select(accounts.c.keys_statement, accounts.c.keys_signature).where(accounts.c.id == session.account)
    keys = connection.execute(query).one()
    try:
        found = [signed for grant in wanted for signed in receipts.read_all(context, connection, session, grant)]
    except Undecryptable:
        raise Tampered from None
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
