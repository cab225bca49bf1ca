"""The register of requests: what people ask by law, by when it is due, who said yes. It holds no paper, no title, nobody's name.

One month, calendar, Paris (GDPR 12(3)); one extension of two months, told with its reason within the first. Identity by card and
code, or after guardians have brought the person back; never by sending papers. Two administrators of the operator approve (four
eyes); an erasure then waits its 72 hours, which the card can cancel. What each kind needs stands in `vault.register`; a death, a
restriction, a requisition and a judge's order have their own paths (`vault.deaths`, `restricting`, `requisitions`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, RowMapping, case, func, select, update

from consent.days import add_months
from storage.tables import administrators, erasures, kiosks, persons, rights_requests, structures
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
    standing,
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
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.standing import Standing
from vault.unlocking import Chosen

Colour = Literal["calm", "amber", "red"]
ASKED_BY_A_PERSON: tuple[RightKind, ...] = ("access", "rectification", "restriction", "objection", "complaint")
"""What a kiosk offers to ask; what a person does there by themselves (take everything, erase) needs nobody."""
AT_A_KIOSK: tuple[RightKind, ...] = ("erasure", "portability", *ASKED_BY_A_PERSON)
OPEN_STATES = ("received", "identified", "approved", "carrying-out")
AMBER_DAYS, RED_DAYS = 7, 2
CANCELLED = "cancelled"  # what `vault.erasure` writes when the card has cancelled


@dataclass(frozen=True)
class Request:
    """One line of the register, as an administrator reads it. `approvals`: first names. `days_left` may be negative.

    `undoing`: who wants what two decided to be undone; `may_undo`: it is not the one who reads.
    """

    id: str
    number: str
    kind: RightKind
    origin: Origin
    state: str
    received: dt.date
    due: dt.date
    days_left: int
    colour: Colour
    identity: str
    approvals: tuple[str, ...]
    reason: str
    extended: bool
    extension: str
    may_extend: bool
    may_approve: bool
    closed: dt.date | None
    numbered: bool
    decided: str
    opens: dt.date | None
    term: dt.date | None
    told: dt.date | None
    may_carry_out: bool
    may_extract: bool
    undoing: str
    undoing_reason: str
    may_undo: bool
    erasure: Standing | None

    @property
    def letter(self) -> bool:
        """Whether the answer leaves by letter: refused or prolonged, and whoever asked was never recognised, so reads no notice."""
        return not self.identity and (self.state == "refused" or (self.state == "received" and self.extended))


def requests(context: Context, session: Session, *, closed: bool = False) -> list[Request]:
    """The register of the administrator's operator, oldest first; those that are over with `closed`."""
    with context.database.transaction(read_only=True) as connection:
        operator = office.operator_of(connection, session)
        query = select(rights_requests).where(rights_requests.c.operator == operator)
        over = rights_requests.c.state.not_in(OPEN_STATES)
        rows = connection.execute(query.where(over if closed else ~over)).mappings().all()
        known = connection.execute(select(administrators.c.account, administrators.c.first_name)).all()
        names = {row.account: row.first_name for row in known}
        erased = standing.of_register(context, connection, operator)
    found = [_shown(row, session, names, today_in_paris(context.clock()), erased.get(row["id"])) for row in rows]
    return sorted(found, key=lambda one: (one.received, one.due, one.id))


def overdue(context: Context) -> int:
    """How many requests of all operators should have been answered before today. What is said of a death waits for its own term."""
    of = rights_requests.c
    waits = (of.kind == "death") & (of.state == "approved")
    due = case((waits, of.term), else_=func.coalesce(of.extended, of.due))
    with context.database.transaction(read_only=True) as connection:
        late = select(func.count()).where(of.state.in_(OPEN_STATES), due < today_in_paris(context.clock()))
        return int(connection.execute(late).scalar_one())


def _shown(row: RowMapping, session: Session, names: dict[str, str], today: dt.date, erased: Standing | None) -> Request:
    waits = row["kind"] == "death" and row["state"] == "approved"
    due = row["term"] if waits else row["extended"] or row["due"]
    left = (due - today).days
    said = [row[name] for name in ("first_approval", "second_approval") if row[name]]
    return Request(
        id=row["id"], number=certificates.number_of(row["id"]), kind=row["kind"], origin=row["origin"], state=row["state"],
        received=row["received"], due=due, days_left=left,
        colour="red" if left <= RED_DAYS else "amber" if left <= AMBER_DAYS or row["kind"] == "minor" else "calm",
        identity=row["identity"] or "", approvals=tuple(names.get(one, "") for one in said), reason=row["reason"] or "",
        extended=row["extended"] is not None, extension=row["extension"] or "", may_extend=_may_extend(row, today),
        may_approve=_may_approve(row) and session.account not in said, closed=row["closed"], numbered=row["numbered"],
        decided=row["decided"] or "", opens=row["opens"], term=row["term"], told=row["told"], may_carry_out=_may_carry_out(row),
        may_extract=row["kind"] == "requisition" and row["state"] == "carrying-out" and row["numbered"],
        undoing=names.get(row["undoing"], "?") if row["undoing"] and not row["closed"] else "",
        undoing_reason=row["undoing_reason"] or "", may_undo=row["undoing"] != session.account, erasure=erased,
    )  # fmt: skip


def _may_extend(row: RowMapping, today: dt.date) -> bool:
    allowed: bool = RULES[row["kind"]].extends
    return allowed and row["extended"] is None and today <= row["due"] and row["state"] in ("received", "identified", "approved")


def _may_approve(row: RowMapping) -> bool:
    """What an authority asks has no person to identify; everything else waits until the person has been."""
    return bool(row["state"] == "identified" or (row["state"] == "received" and not RULES[row["kind"]].identity))


def _may_carry_out(row: RowMapping) -> bool:
    """What two have approved; an erasure and an order need somebody whom they are about; a death waits for its year by itself."""
    rule = RULES[row["kind"]]
    somebody = row["person"] is not None or not (rule.erases or rule.lifts)
    return bool(row["state"] == "approved" and rule.by_hand and somebody)


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
    with context.database.transaction() as connection:
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
    """The person says at a kiosk, code asked again, that this request is theirs. NotThere for a number that waits for nobody."""
    who.person(session)
    unlocking.confirm(context, session, chosen)
    with context.database.transaction() as connection:
        theirs = [kind for kind, rule in RULES.items() if not rule.number]
        waiting = rights_requests.c.state == "received", rights_requests.c.kind.in_(theirs)
        rows = connection.execute(select(rights_requests).where(*waiting).with_for_update()).mappings().all()
        wanted = number.replace("-", "").strip().upper()
        row = next((one for one in rows if certificates.number_of(one["id"]).replace("-", "") == wanted), None)
        if row is None:
            raise NotThere
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
        if not _may_extend(row, today_in_paris(context.clock())):
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
        if not _may_approve(row) or _approval(row) != act:
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
        if not _may_carry_out(row):
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
