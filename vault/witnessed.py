"""A person gives in an assisted opening: one paper, to look at, one month, and a second worker stands for their yes.

An assisted session holds no key that signs. So what would be given is written down whole (body and receipt), posted to the witness,
and shown to the person twice: once before the witness reads it, once after. The witness types the six digits of the kiosk at their own
desk, reads what is asked in neutral words (a kind of paper, what for, until when, for whom: never a name or a title), and signs. The
last word is the person's: only their second yes makes it a share, and their next session of their own asks once more.
"""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from consent import grant as rules
from consent.grant import GrantBody, Parties, PublicKeys
from consent.ids import GrantId, KindId, PaperId, PersonId, WorkerId
from consent.purposes import PurposeId
from consent.receipt import SignedReceipt, check_agrees, sealed_statement
from consent.recipients import RecipientState, role
from consent.record import Receipt
from consent.record_reading import receipt_from_value
from consent.scope import Act, PapersScope
from consent.terms import SHOWN_TWICE, GivenHow, Terms, latest_assisted
from consent.verified import Signatures, statement, verify_grant
from crypto.canonical import parse
from crypto.errors import BadSignature, CryptoError
from crypto.kem import KemPrivate
from crypto.keys import FileSecret, KemSeed, kdf
from crypto.sealing import open_posted_value, post_value
from crypto.signing import SIGNATURE_BYTES, Signer, verify
from storage.errors import RowGone
from storage.tables import assists, grants, witnessings
from vault import accounts, assisting, attempts, audit, labels, receipts, sessions, shares, sharing, shelves, who, wraps
from vault.colleagues import Colleague, colleague
from vault.context import Context
from vault.errors import BadInput, Conflict, NoSession, NotAllowed, NotThere, Tampered, WrongSecret
from vault.events import Event
from vault.receipts import Change, Said
from vault.sessions import Session
from vault.shares import Face
from vault.versions import Witnesses, current_of, meet, one_refusal, open_version, secret_of

LASTS = dt.timedelta(minutes=10)
STATE, GIVEN = "witnessed", "witnessed-given"


@dataclass(frozen=True)
class Wish:
    """What the person chose: one paper, for whom, what for, and who stands beside; `words` is the purpose as it was shown."""

    paper: PaperId
    worker: WorkerId
    purpose: PurposeId
    witness: WorkerId
    said: Said
    words: str = ""


@dataclass(frozen=True)
class Waiting:
    """What waits at the kiosk: the digits to say, whether the witness has signed, and what: the second question shows it."""

    code: str
    until: dt.datetime
    signed: bool
    paper: PaperId
    worker: WorkerId
    purpose: PurposeId
    witness: WorkerId
    last_day: dt.date


@dataclass(frozen=True)
class Asked:
    """What the witness reads: never who the person is, nor what the paper is called."""

    asking: str
    to: str
    purpose: PurposeId
    kinds: tuple[KindId, ...]
    until: dt.date


@dataclass(frozen=True)
class _Ready:
    """What is written down before anybody signs."""

    asking: str
    code: str
    body: GrantBody
    receipt: Receipt


def _seed(session: Session) -> KemSeed:
    if session.kind != "assisted" or session.assist is None:
        raise NotAllowed
    return session.assist


def last_day(context: Context, session: Session, worker: str) -> dt.date:
    """The day until which it would be given to this worker: a month, or their own last day. NotThere for whom nothing can be given."""
    _seed(session)
    with context.database.transaction(read_only=True) as connection:
        ends = colleague(context, connection, worker).recipient.ends
    latest = latest_assisted(context.clock())
    return min(latest, ends) if ends else latest


# --- At the kiosk -----------------------------------------------------------------------------------------------------------------


def ask(context: Context, session: Session, wish: Wish) -> None:
    """Write down what would be given, and post it to the witness. Nothing is given. NotThere, BadInput("witness"), TermsRefused."""
    seed, asking, code = _seed(session), context.new_id(), f"{secrets.randbelow(10**6):06}"
    with context.database.transaction() as connection:
        witness = _witness(context, connection, session, wish)
        lent = assisting.lent_drawers(context, connection, session.account, session.slot, seed)
        _paper_key(context, connection, session, lent, wish.paper)
        body = _body(context, connection, session, wish)
        receipt = _receipt(context, connection, session, wish, lent, body)
        place = labels.witnessed(asking=asking, person=session.account, slot=session.slot, witness=wish.witness)
        told = {"body": body.to_bytes().decode(), "receipt": receipt.to_bytes().decode()}
        connection.execute(delete(witnessings).where(witnessings.c.person == session.account))
        connection.execute(
            insert(witnessings).values(
                id=asking, slot=session.slot, person=session.account, witness=wish.witness, code_digest=_digest(context, code),
                term=context.clock() + LASTS, typed=False, signed=None,
                posted=post_value(witness.kem, context.keyvault.derive("slot", session.slot, place), place, {**told}),
            )
        )  # fmt: skip
        kept = sessions.read_state(connection, session) | {STATE: {"asking": asking, "code": code, **told}}
        kept.pop(GIVEN, None)
        sessions.write_state(connection, session, kept)


def _digest(context: Context, code: str) -> str:
    return kdf(context.settings.service_seal, labels.assisted_code(code=code), 32).hex()


def _witness(context: Context, connection: Connection, session: Session, wish: Wish) -> Colleague:
    """The second worker: certified, of a role that may help, and neither who helps to open nor who would see the paper."""
    helper = connection.execute(select(assists.c.worker).where(assists.c.slot == session.slot)).scalar_one()
    try:
        found = colleague(context, connection, wish.witness)
    except NotThere as error:
        raise BadInput("witness") from error
    to = found.recipient
    today = context.clock().date()
    fit = to.state is RecipientState.CERTIFIED and role(to.role).may_assist and (to.ends is None or to.ends >= today)
    if not fit or wish.witness in (helper, wish.worker):
        raise BadInput("witness")
    return found


def _paper_key(
    context: Context, connection: Connection, session: Session, lent: assisting.Lent, paper: PaperId
) -> tuple[str, FileSecret]:  # fmt: skip
    """The current version of a paper of a lent drawer, and its key, once what it opens is whole. NotThere, Tampered."""
    row = current_of(connection, session.account, paper)
    if row.state not in ("kept", "to-read") or lent.kind_of(row.shelf) is None or lent.kind_of(row.lies_in) is None:
        raise NotThere
    with one_refusal():
        secret = secret_of(context, lent, row)
    signed_by = accounts.public_keys(context, connection, session.account).ring
    open_version(context, connection, row, secret, Witnesses(context, connection, session.account, signed_by))
    return row.id, secret


def _how(session: Session, wish: Wish) -> GivenHow:
    return replace(wish.said, shown=SHOWN_TWICE).how(session, wish.witness)


def _body(context: Context, connection: Connection, session: Session, wish: Wish) -> GrantBody:
    to = colleague(context, connection, wish.worker)
    keys = accounts.public_keys(context, connection, session.account)
    until = min(latest_assisted(context.clock()), to.recipient.ends or dt.date.max)
    terms = Terms(wish.purpose, "", PapersScope.of([wish.paper]), frozenset({Act.SEE}), until)
    parties = Parties(
        GrantId(context.new_id()), PersonId(session.account), PublicKeys(bytes(keys.kem), bytes(keys.sign)), to.recipient, to.name
    )
    return rules.give(
        parties, terms, _how(session, wish), at=context.clock(),
        safe_opened=sharing.safe_opened(connection, session.account), salt=secrets.token_bytes(32),
    )  # fmt: skip


def _receipt(
    context: Context, connection: Connection, session: Session, wish: Wish, lent: assisting.Lent, body: GrantBody
) -> Receipt:  # fmt: skip
    change = Change(context.new_id(), _how(session, wish), None)
    data = sharing.kinds_by_drawer(context, connection, lent, body)
    return receipts.prepared(context, connection, body, change, data, wish.words)


def _ready(state: object) -> _Ready:
    match state:
        case {"asking": str(asking), "code": str(code), "body": str(body), "receipt": str(receipt)}:
            return _Ready(asking, code, GrantBody.from_bytes(body.encode()), receipt_from_value(parse(receipt.encode())))
    raise NoSession


def waiting(context: Context, session: Session) -> Waiting:
    """Where it stands. NoSession when nothing was asked; NotThere when the witness said no, or ten minutes are over."""
    _seed(session)
    with context.database.transaction(read_only=True) as connection:
        ready = _ready(sessions.read_state(connection, session, hold=False).get(STATE))
        row = connection.execute(select(witnessings).where(witnessings.c.id == ready.asking)).one_or_none()
    if row is None or row.term <= context.clock():
        raise NotThere
    terms = ready.body.terms
    if not isinstance(terms.scope, PapersScope) or ready.body.witness is None:
        raise NotThere
    (paper,) = terms.scope.papers
    return Waiting(
        ready.code, row.term, row.signed is not None, paper, ready.body.worker, terms.purpose, ready.body.witness, terms.until
    )  # fmt: skip


def forget(context: Context, session: Session) -> None:
    """The person says no, or goes away from it: nothing is given, and the witness's desk shows nothing any more."""
    _seed(session)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        connection.execute(delete(witnessings).where(witnessings.c.person == session.account))
        if [name for name in (STATE, GIVEN) if state.pop(name, None) is not None]:
            sessions.write_state(connection, session, state)


def given_last(context: Context, session: Session) -> str | None:
    """The question whose second yes made a share in this opening, as `give` was told it, until something is chosen anew; or None."""
    _seed(session)
    with context.database.transaction(read_only=True) as connection:
        kept = sessions.read_state(connection, session, hold=False).get(GIVEN)
    return kept if isinstance(kept, str) else None


def give(context: Context, session: Session, question: str = "") -> GrantId:
    """The second yes: what the witness signed becomes a share. NotThere when nobody signed in time, Conflict when it no longer may be.

    `question`: what it was a yes to, for the second of two taps (`given_last`).
    """
    seed = _seed(session)
    with context.database.transaction(read_only=True) as connection:
        ready = _ready(sessions.read_state(connection, session, hold=False).get(STATE))
    body = ready.body
    if not waiting(context, session).signed:
        raise NotThere  # before the share's row of the key vault is made: one that is destroyed is never made again
    with sharing.new_row(context, session.account, body.grant), context.database.transaction() as connection:
        row = connection.execute(select(witnessings).where(witnessings.c.id == ready.asking).with_for_update()).one_or_none()
        if row is None or row.signed is None:
            raise NotThere
        to = colleague(context, connection, body.worker)
        if to.recipient.state is not RecipientState.CERTIFIED:
            raise Conflict
        signatures, receipt = _signed(context, connection, body, ready.receipt, row.signed)
        shelves.hold_all(connection, session.account)
        sessions.still(connection, session)
        lent = assisting.lent_drawers(context, connection, session.account, session.slot, seed)
        (paper,) = body.terms.scope.papers if isinstance(body.terms.scope, PapersScope) else ()
        version, secret = _paper_key(context, connection, session, lent, paper)
        meet(connection, session.account, [paper])
        face = Face(*assisting.face_lent(context, connection, session.account, session.slot, seed))
        public = accounts.public_keys(context, connection, session.account).kem
        connection.execute(
            insert(grants).values(
                id=body.grant, person=session.account, worker=body.worker, state=body.state.value, until=body.terms.until,
                to_reencrypt=False, body_for_worker=shares.sealed_for_worker(context, to.kem, body, face), body_for_person=b"",
                posted_for_person=shares.posted_to_person(context, public, body, face), signatures=signatures.to_bytes(),
            )
        )  # fmt: skip
        wraps.hand(
            context, connection, person=session.account, grant=body.grant, worker=body.worker, public=to.kem, paper=paper,
            version=version, secret=secret,
        )  # fmt: skip
        event = Event(
            "share.given-with-witness", by=session.account, by_name=body.name_shown, grant=body.grant, purpose=body.terms.purpose,
            act=Act.SEE.value, detail=body.terms.until.isoformat(), place=session.kiosk or "",
        )  # fmt: skip
        audit.record(context, connection, session, event, person=session.account, worker=body.worker, entry=ready.receipt.entry)
        receipts.keep_given(context, connection, body, receipt, signatures)
        connection.execute(delete(witnessings).where(witnessings.c.id == ready.asking))
        state = sessions.read_state(connection, session)
        state.pop(STATE, None)
        sessions.write_state(connection, session, {**state, GIVEN: question})
    return body.grant


def _signed(
    context: Context, connection: Connection, body: GrantBody, receipt: Receipt, signed: bytes
) -> tuple[Signatures, SignedReceipt]:  # fmt: skip
    """What the witness signed, with the service's own signatures, verified as at each later use. Raises Tampered."""
    of_share, of_receipt = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
    witness = colleague(context, connection, body.witness or "")
    said = sealed_statement(receipt, body.person)
    try:
        signatures = Signatures(context.service.sign(statement(body)), witness=of_share)
        person = accounts.public_keys(context, connection, body.person).sign
        verify_grant(body.row(), body.to_bytes(), signatures, service=context.service.ring, person=person, witness=witness.sign)
        verify(witness.sign, said, of_receipt)
    except CryptoError:
        raise Tampered from None
    return signatures, SignedReceipt(receipt, body.person, Signatures(context.service.sign(said), witness=of_receipt))


# --- At the witness's desk --------------------------------------------------------------------------------------------------------


def type_code(context: Context, session: Session, code: str) -> str:
    """The witness types the digits of the kiosk. Gives which asking it is; WrongSecret, MustWait after three wrong ones."""
    who.worker(session)
    typist = kdf(context.settings.service_seal, labels.witness_typist(worker=session.account), 32).hex()
    digest, found = _digest(context, code), None
    with context.database.transaction() as connection:
        attempts.count(context, connection, typist)  # wrong until it is looked at: many at once are three
        for row in connection.execute(_of(session).where(witnessings.c.term > context.clock()).with_for_update()):
            if hmac.compare_digest(row.code_digest, digest):
                found = str(row.id)
                connection.execute(update(witnessings).where(witnessings.c.id == found).values(typed=True))
                name = colleague(context, connection, session.account).name
                event = Event("share.shown-to-witness", by=session.account, by_name=name)
                audit.record(context, connection, session, event, person=row.person, worker=session.account)
        if found is not None:
            attempts.forget(connection, typist)
    if found is None:
        raise WrongSecret
    return found


def _of(session: Session) -> Select[Any]:
    return select(witnessings).where(witnessings.c.witness == session.account)


def asked(context: Context, session: Session, asking: str) -> Asked:
    """What this worker is asked to stand for. NotThere before the digits were typed, after ten minutes, for anybody else."""
    who.worker(session)
    with context.database.transaction(read_only=True) as connection:
        body, receipt = _opened(context, session, _typed(context, connection, session, asking))
    kinds = tuple(kind for one in receipt.processing.categories for kind in one.kinds) if receipt.processing else ()
    return Asked(asking, body.name_shown, body.terms.purpose, kinds, body.terms.until)


def _typed(context: Context, connection: Connection, session: Session, asking: str, *, hold: bool = False) -> Row[Any]:
    query = _of(session).where(witnessings.c.id == asking, witnessings.c.typed, witnessings.c.term > context.clock())
    row: Row[Any] | None = connection.execute(query.with_for_update() if hold else query).one_or_none()
    if row is None:
        raise NotThere
    return row


def _opened(context: Context, session: Session, row: Row[Any]) -> tuple[GrantBody, Receipt]:
    """What was posted to this worker: a body and a receipt that agree, of that person, with this worker as its witness."""
    place = labels.witnessed(asking=row.id, person=row.person, slot=row.slot, witness=session.account)
    private = KemPrivate(who.worker(session).kem)
    try:
        told = open_posted_value(private, context.keyvault.derive("slot", row.slot, place), place, row.posted)
        body = GrantBody.from_bytes(str(told["body"]).encode())
        receipt = receipt_from_value(parse(str(told["receipt"]).encode()))
        check_agrees(receipt, body)
        if (body.person, body.witness, receipt.change.witness) != (row.person, session.account, session.account):
            raise BadSignature
    except (CryptoError, RowGone, KeyError):
        raise Tampered from None
    return body, receipt


def sign(context: Context, session: Session, asking: str) -> None:
    """The witness stands for it: beside the person, who said yes themselves. NotThere."""
    keys = who.worker(session)
    with context.database.transaction() as connection:
        row = _typed(context, connection, session, asking, hold=True)
        body, receipt = _opened(context, session, row)
        signer = Signer(keys.sign)
        signed = signer.sign(statement(body)) + signer.sign(sealed_statement(receipt, body.person))
        connection.execute(update(witnessings).where(witnessings.c.id == asking).values(signed=signed))
        name = colleague(context, connection, session.account).name
        event = Event(
            "share.witnessed", by=session.account, by_name=name, grant=body.grant, purpose=body.terms.purpose, act=Act.SEE.value
        )
        audit.record(context, connection, session, event, person=body.person, worker=session.account)


def decline(context: Context, session: Session, asking: str) -> None:
    """The witness does not stand for it: nothing is left of it, and the kiosk says so. Safe to repeat."""
    who.worker(session)
    with context.database.transaction() as connection:
        connection.execute(delete(witnessings).where(witnessings.c.id == asking, witnessings.c.witness == session.account))


def sweep(context: Context) -> int:
    """Forget what nobody signed or gave in time; a scheduled task. Gives how many."""
    with context.database.transaction() as connection:
        return connection.execute(delete(witnessings).where(witnessings.c.term <= context.clock())).rowcount
