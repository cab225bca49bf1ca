"""The register of requests: what people ask by law, by when it is due, who said yes. It holds no paper, no title, nobody's name.

One month, calendar, Paris (GDPR 12(3)); one extension of two months, told with its reason within the first. Identity by card and
code, or after guardians have brought the person back; never by sending papers. Two administrators of the operator approve (four
eyes); an erasure then waits its 72 hours, which the card can cancel. What each kind needs stands in `vault.register`; a death, a
restriction, a requisition and a judge's order have their own paths (`vault.deaths`, `restricting`, `requisitions`).
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, and_, or_, select, update

from consent.days import add_months
from storage.tables import erasures, kiosks, persons, rights_requests, structures
from vault import (
    account_numbers,
    audit,
    certificates,
    confirming,
    deaths,
    erasure,
    freezing,
    mourning,
    protecting,
    register_lines,
    requisitions,
    restricting,
    sessions,
    undoing,
    unlocking,
    who,
)
from vault import administrators as office
from vault.confirming import Act, Proof
from vault.context import Context
from vault.errors import BadInput, Conflict, NotAllowed, NotThere
from vault.events import Event
from vault.notices import Notice
from vault.register import KINDS, ORDERS, RULES, Origin, RightKind
from vault.register_reading import Request, may_approve_now, may_carry_out_now, may_extend_now, requests
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.unlocking import Chosen

ASKED_BY_A_PERSON: tuple[RightKind, ...] = ("access", "rectification", "restriction", "objection", "complaint")
"""What a kiosk offers to ask; what a person does there by themselves (take everything, erase) needs nobody."""
AT_A_KIOSK: tuple[RightKind, ...] = ("erasure", "portability", *ASKED_BY_A_PERSON)
CANCELLED = "cancelled"  # what `vault.erasure` writes when the card has cancelled


@dataclass(frozen=True)
class Extra:
    """What comes with some kinds: an account number; what a judge orders; until when the person may not be told."""

    number: str = ""
    order: str = ""
    silent_until: dt.date | None = None


def reporting(extra: Extra) -> Act:
    """What is confirmed before a death by letter blocks a safe at once: the number in it. BadInput("number")."""
    return Act.on("rights.death", account_numbers.read(extra.number.strip()))


def receive(
    context: Context, session: Session, kind: RightKind, origin: Origin, extra: Extra = Extra(), proof: Proof | None = None
) -> Request:  # fmt: skip
    """Write down a request that came to the operator. Its number is given to the person, to be typed at a kiosk.

    A death with an account number freezes that safe at once: a `proof` first (see `confirming.require`), and a few a day, MustWait.
    Whether a number is anybody's is not told, nor by the time it takes. BadInput("kind"), ("origin"), ("number"), ("order").
    """
    if kind not in KINDS:
        raise BadInput("kind")
    rule = RULES[kind]
    if origin not in ("kiosk", "desk", "letter", "authority") or (rule.authority and origin != "authority"):
        raise BadInput("origin")
    typed = extra.number.strip()
    if (typed and not rule.number) or (kind == "court-order" and not typed):
        raise BadInput("number")
    if (extra.order in ORDERS) != (kind == "court-order"):
        raise BadInput("order")
    digest = account_numbers.digest(context, account_numbers.read(typed)) if typed else None
    blocks = kind == "death" and digest is not None
    if blocks:
        confirming.require(context, session, reporting(extra), proof)
    with context.database.transaction() as connection:
        operator = office.operator_of(connection, session)
        if blocks:
            protecting.count_freeze(context, connection, session.account)
        known = select(persons.c.account).where(persons.c.number_digest == digest)
        person = connection.execute(known).scalar_one_or_none() if digest else None
        if kind == "death":
            name = _receive_death(context, connection, operator, origin, person, numbered=digest is not None)
        else:
            name = register_lines.write(
                context, connection, operator, kind, origin, person=person, numbered=digest is not None,
                decided=extra.order or None, opens=extra.silent_until if kind == "requisition" else None,
            )  # fmt: skip
        event = Event("rights.received", by=session.account, detail=kind)
        audit.record(context, connection, session, event, worker=session.account)
    return next(one for one in requests(context, session) if one.id == name)


def _receive_death(
    context: Context, connection: Connection, operator: str, origin: str, person: str | None, *, numbered: bool
) -> str:  # fmt: skip
    """By letter, with a number: the safe freezes first. Nothing else happens until those the person counted on have said it too."""
    try:
        if person is not None:
            mourning.begin(context, connection, person, None)
    except Conflict:
        person = None  # it is being erased already
    if person is None and numbered:
        mourning.rehearse(context, connection)
    return deaths.open_line(context, connection, operator, person, origin, numbered=numbered)


def ask_right(context: Context, session: Session, chosen: Chosen, kind: RightKind) -> str:
    """A person asks at a kiosk, their code asked again: received and identified at once. Gives the number to keep."""
    who.person(session)
    if kind not in AT_A_KIOSK:
        raise BadInput("kind")
    unlocking.confirm(context, session, chosen)
    with sessions.acting(context, session) as connection:
        operator = (
            select(structures.c.operator).join(kiosks, kiosks.c.structure == structures.c.id).where(kiosks.c.id == session.kiosk)
        )
        found = connection.execute(operator).scalar_one_or_none()
        if found is None:
            raise BadInput("kiosk")
        identity = register_lines.recognised_by(context, connection, session.account)
        name = register_lines.write(context, connection, found, kind, "kiosk", person=session.account, identity=identity)
        event = Event("rights.received", by=session.account, detail=kind)
        audit.record(context, connection, session, event, person=session.account)
    return certificates.number_of(name)


def identify(context: Context, session: Session, chosen: Chosen, number: str) -> None:
    """The person says at a kiosk, code asked again, that this request is theirs. NotThere for a number that waits for nobody.

    Said twice it is said once: the second of two taps finds it theirs.
    """
    who.person(session)
    unlocking.confirm(context, session, chosen)
    with sessions.acting(context, session) as connection:
        theirs = [kind for kind, rule in RULES.items() if not rule.number]
        mine = and_(rights_requests.c.state == "identified", rights_requests.c.person == session.account)
        waiting = or_(rights_requests.c.state == "received", mine), rights_requests.c.kind.in_(theirs)
        rows = connection.execute(select(rights_requests).where(*waiting).with_for_update()).mappings().all()
        wanted = number.replace("-", "").strip().upper()
        row = next((one for one in rows if certificates.number_of(one["id"]).replace("-", "") == wanted), None)
        if row is None:
            raise NotThere
        if row["state"] == "identified":
            return
        values = {
            "person": session.account,
            "identity": register_lines.recognised_by(context, connection, session.account),
            "state": "identified",
        }
        connection.execute(update(rights_requests).where(rights_requests.c.id == row["id"]).values(**values))
        event = Event("rights.identified", by=session.account, detail=row["kind"])
        audit.record(context, connection, session, event, person=session.account)


def extend(context: Context, session: Session, request: str, reason: str) -> None:
    """Two months more, once, within the first month, with a reason that the person is told."""
    said = register_lines.reasoned(reason)
    with context.database.transaction() as connection:
        row = register_lines.mine(connection, session, request)
        if not may_extend_now(row, today_in_paris(context.clock())):
            raise Conflict
        later = add_months(row["received"], 3)
        connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(extended=later, extension=said))
        register_lines.tell(
            context,
            connection,
            session,
            row,
            "rights.extended",
            Notice("right-extended", {"reason": said, "until": later.isoformat()}),
        )


def refuse(context: Context, session: Session, request: str, reason: str) -> bool:
    """Refuse, with a reason that the person is told, and where they may complain (GDPR 12(4)). What two have decided takes two: False
    while another administrator has not said the same (`vault.undoing`)."""
    said = register_lines.reasoned(reason)
    with context.database.transaction() as connection:
        row = register_lines.mine(connection, session, request)
        if row["state"] not in ("received", "identified", "approved"):
            raise Conflict
        if undoing.refusing_takes_two(row) and not undoing.seconded(context, connection, session, row, said):
            return False
        values = {"state": "refused", "reason": said, "closed": today_in_paris(context.clock())}
        connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(**values))
        register_lines.tell(context, connection, session, row, "rights.refused", Notice("right-refused", {"reason": said}))
        if row["kind"] == "death" and row["person"]:
            deaths.refused(context, connection, row, said)
    return True


def approval(context: Context, session: Session, request: str) -> Act:
    """What is confirmed before a yes: this request, of this kind, of this person. NotThere for another operator's."""
    with context.database.transaction(read_only=True) as connection:
        return _approval(register_lines.mine(connection, session, request, hold=False))


def _approval(row: RowMapping) -> Act:
    return Act.on("rights.approve", row["id"], row["kind"], row["person"] or "", row["received"].isoformat())


def approve(context: Context, session: Session, request: str, proof: Proof | None = None) -> bool:
    """Say yes; a second, different administrator makes it approved (told). Conflict for what nobody has identified.

    `proof`: see `confirming.require`.
    """
    act = approval(context, session, request)
    confirming.require(context, session, act, proof)
    with context.database.transaction() as connection:
        row = register_lines.mine(connection, session, request)
        if (
            not may_approve_now(row)
            or _approval(row) != act
            or (row["kind"] == "death" and not deaths.still_said(connection, row))
        ):
            raise Conflict
        if row["first_approval"] == session.account:
            raise NotAllowed
        whole = row["first_approval"] is not None
        values = {"second_approval": session.account, "state": "approved"} if whole else {"first_approval": session.account}
        connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(**values))
        undoing.forget(connection, request)
        if whole and row["kind"] == "death":
            deaths.approved(context, connection, row)
        register_lines.tell(context, connection, session, row, "rights.approved", None)
    return whole


def carry_out(context: Context, session: Session, request: str) -> dt.datetime | None:
    """Do what was approved. An erasure waits 72 hours, in which the card can cancel: tells until when."""
    with context.database.transaction() as connection:
        row = register_lines.mine(connection, session, request)
        if not may_carry_out_now(row):
            raise Conflict
        values = update(rights_requests).where(rights_requests.c.id == request).values(state="carrying-out")
        connection.execute(values)
        undoing.forget(connection, request)
        register_lines.tell(context, connection, session, row, "rights.carried-out", None)
        return _begin(context, connection, row)


def _begin(context: Context, connection: Connection, row: RowMapping) -> dt.datetime | None:
    kind, person, order = row["kind"], row["person"], row["decided"]
    if RULES[row["kind"]].erases or (kind, order) == ("court-order", "erase"):
        ordered = kind == "court-order"
        states = ("open", "frozen") if ordered else ("open",)
        return erasure.begin(
            context, connection, person, session=None, register=row["id"], of=states, ordered=ordered
        ).due  # fmt: skip
    if kind == "restriction" or (kind, order) == ("court-order", "keep"):
        restricting.begin(context, connection, person)
    elif (kind, order) == ("court-order", "freeze"):
        froze = freezing.freeze_person(context, connection, person, session=None)
        connection.execute(update(rights_requests).where(rights_requests.c.id == row["id"]).values(froze=froze))
    elif kind == "requisition" and person and (row["opens"] is None or row["opens"] <= today_in_paris(context.clock())):
        requisitions.tell(context, connection, row["id"], person, row["received"])
    return None


def close(context: Context, session: Session, request: str, reason: str) -> bool:
    """Say what was done, and lift what this request had begun. An erasure closes by itself, when it is certified.

    Conflict for what would be lifted and was never carried out: "done" would be false. A judge's order takes two: False while another
    administrator has not said the same (`vault.undoing`).
    """
    said = register_lines.reasoned(reason)
    with context.database.transaction() as connection:
        row = register_lines.mine(connection, session, request)
        erases = RULES[row["kind"]].erases or (row["kind"], row["decided"]) == ("court-order", "erase")
        if row["state"] not in ("approved", "carrying-out") or erases or not RULES[row["kind"]].by_hand:
            raise Conflict
        if RULES[row["kind"]].lifts and row["person"] and row["state"] == "approved":
            raise Conflict
        if undoing.closing_takes_two(row) and not undoing.seconded(context, connection, session, row, said):
            return False
        values = {"state": "closed", "reason": said, "closed": today_in_paris(context.clock())}
        connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(**values))
        if RULES[row["kind"]].lifts and row["person"] and row["state"] == "carrying-out":
            _lift(context, connection, row)
        register_lines.tell(context, connection, session, row, "rights.closed", Notice("right-closed", {"reason": said}))
    return True


def _lift(context: Context, connection: Connection, row: RowMapping) -> None:
    """Only what this line began: what its person had frozen stays frozen, what another line restricts stays restricted."""
    if row["decided"] == "freeze":
        if row["froze"]:
            freezing.thaw(context, connection, row["person"])
    elif not restricting.held(connection, row["person"]):
        restricting.end(context, connection, row["person"])


def certificate(context: Context, session: Session, request: str) -> certificates.Certified:
    """The certificate of an erasure of this register, once it is done. NotThere before, when it was cancelled, or for another's."""
    with context.database.transaction(read_only=True) as connection:
        operator = office.operator_of(connection, session)
        query = select(erasures.c.id).join(rights_requests, rights_requests.c.id == erasures.c.register)
        ours = (rights_requests.c.id == request, rights_requests.c.operator == operator, erasures.c.certificate.is_not(None))
        erased = connection.execute(query.where(*ours)).scalar_one_or_none()
    if erased is None:
        raise NotThere
    return certificates.find(context, certificates.number_of(erased))
