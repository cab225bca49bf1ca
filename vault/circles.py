"""Guardians: who may, together, bring a person back who has lost everything.

A circle has five members at most, named workers and printed rescue sheets; two or three come together. A new recovery secret
is cut for each allowed set and posted to its members through the circle's row of the key vault; it must open its slot before
anything changes. What a circle was before dies with that row. The person's statement names members and sets; the service signs
it too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, RowMapping, delete, insert, select

from consent.recipients import role
from crypto import circle as cutting
from crypto import contexts, unlock
from crypto.canonical import Value, instant
from crypto.errors import BadSignature, Malformed, Undecryptable
from crypto.kem import KemPublic, kem_public, public_key
from crypto.keys import AccountKeys, AccountSecret, RecoverySecret, SheetSecret
from crypto.sealing import post_value, seal_value, unseal_value
from crypto.signing import Signer, Verifier, verify
from crypto.statements import CircleFormed
from crypto.unlock import Cost, Kind
from storage.tables import circle_members, circle_shares, circles, workers
from vault import aftermath, audit, directives, endings, former_faces, labels, sessions, slots, unlocking, waiting, who
from vault.certifying import verified_certificate
from vault.context import Context
from vault.errors import BadInput, NotThere, Tampered
from vault.events import Event
from vault.former_faces import Former
from vault.sessions import Session
from vault.settings import today_in_paris

PHRASE_AT_MOST = 120  # signs; it is said aloud
LABEL_AT_MOST = 40  # signs; whose sheet it is, for its owner alone
GONE = "error.people-changed"  # somebody who was offered on the page a moment ago can be chosen no more


@dataclass(frozen=True)
class GuardianWorker:
    """A worker chosen as a guardian, and how this guardian will recognise the person: a name, a drawing, and a phrase if they want.

    The phrase is asked for, never said: the guardian reads it on the page on which they confirm.
    """

    worker: str
    face_name: str = field(repr=False)
    face_drawing: str = field(repr=False)
    face_phrase: str = field(default="", repr=False)
    stays: bool = False  # of the circle before: then they may be away for now
    former: tuple[Former, ...] = ()  # the faces of before, which the same guardian goes on reading for a year


@dataclass(frozen=True)
class NewSheet:
    """A rescue sheet to be printed now; `label` is what the person calls it ("chez ma sœur")."""

    label: str = field(default="", repr=False)


@dataclass(frozen=True)
class KeptSheet:
    """A sheet of the present circle that goes on being one."""

    member: str


Chosen = GuardianWorker | NewSheet | KeptSheet


@dataclass(frozen=True)
class Owner:
    """Whose circle it is, with what forming one takes: the account secret, which no session holds."""

    person: str
    keys: AccountKeys
    secret: AccountSecret


@dataclass(frozen=True)
class PrintedSheet:
    """A sheet that exists on paper only: its secret is shown once, printed, and kept nowhere."""

    member: str
    label: str = field(repr=False)
    secret: SheetSecret


@dataclass(frozen=True)
class CircleSet:
    """What was formed. `complete` is False when one guardian more is needed: then nobody can open."""

    circle: str
    sheets: tuple[PrintedSheet, ...]
    complete: bool


@dataclass(frozen=True)
class _Member:
    id: str
    kind: str
    worker: str | None
    structure: str | None
    public: KemPublic
    label: dict[str, Value] = field(repr=False)
    sheet: SheetSecret | None = None


def set_circle(context: Context, session: Session, secret: unlocking.Chosen, members: Sequence[Chosen], needed: int) -> CircleSet:
    """Choose guardians anew: the secret is asked again, the circle before ends at once, its sheets are void unless kept."""
    keys = who.person(session)
    owner = Owner(session.account, keys, unlocking.confirm(context, session, secret))
    with sessions.acting(context, session) as connection:
        # While the old card may still say stop, the guardians who would have to come stay those who brought the person back.
        aftermath.refuse_while_held(context, connection, session.account, only_with_veto=True)
        waiting.end(context, connection, session.account, session)  # its parts are of the circle that ends here
        formed = form(context, connection, owner, _who_stays(context, connection, owner, members), needed)
        audit.record(context, connection, session, Event("recovery.circle-set", by=session.account), person=session.account)
        if formed.sheets:
            audit.record(
                context, connection, session, Event("recovery.sheet-printed", by=session.account), person=session.account
            )
    return formed


def _who_stays(context: Context, connection: Connection, owner: Owner, members: Sequence[Chosen]) -> list[Chosen]:
    """Who is a guardian already may be away for now, and goes on reading the faces of before: the rows tell who is, and no form."""
    try:
        again = chosen_again(context, connection, owner, sheets=False)
    except Tampered:  # of a circle that does not hold nobody stays
        return list(members)
    present = {one.worker: one.former for one in again if isinstance(one, GuardianWorker)}
    return [
        replace(one, stays=True, former=present[one.worker])
        if isinstance(one, GuardianWorker) and one.worker in present else one
        for one in members
    ]  # fmt: skip


def form(context: Context, connection: Connection, owner: Owner, members: Sequence[Chosen], needed: int) -> CircleSet:
    """Form a circle in the caller's transaction; BadInput when it can never bring anybody back."""
    if needed not in cutting.THRESHOLDS:
        raise BadInput("needed")
    if not members:
        raise BadInput("members", "error.people-none")
    if len(members) > cutting.MEMBERS_AT_MOST:
        raise BadInput("members", "error.people-many")
    made = [_member(context, connection, owner, one) for one in members]
    named = [one.worker or one.public for one in made]
    if len(set(named)) != len(named):
        raise BadInput("members", GONE)
    circle, at = context.new_id(), context.clock()
    sets = cutting.allowed_sets([cutting.Member(one.id, one.structure) for one in made], needed)
    said = CircleFormed(circle, owner.person, needed, tuple(sorted(one.id for one in made)), sets, instant(at))
    context.keyvault.create("grant", circle, owner.person)
    dissolve(context, connection, owner.person)
    connection.execute(
        insert(circles).values(
            id=circle, person=owner.person, needed=needed, state="living",
            created=today_in_paris(at), confirmed=today_in_paris(at), statement=said.encode(),
            signature=Signer(owner.keys.sign).sign(said), service_signature=context.service.sign(said),
        )
    )  # fmt: skip
    connection.execute(insert(circle_members), [_row(context, owner, circle, one) for one in made])
    if sets:
        _cut(context, connection, owner, said, {one.id: one.public for one in made})
    directives.follow(context, connection, owner.keys, owner.person)
    sheets = tuple(PrintedSheet(one.id, str(one.label["label"]), one.sheet) for one in made if one.sheet)
    return CircleSet(circle, sheets, bool(sets))


def _member(context: Context, connection: Connection, owner: Owner, chosen: Chosen) -> _Member:
    match chosen:
        case GuardianWorker():
            try:
                certificate = verified_certificate(context, connection, chosen.worker)
            except (BadSignature, Malformed, NotThere) as error:
                raise BadInput("members", GONE) from error
            state = connection.execute(select(workers.c.state).where(workers.c.account == chosen.worker)).scalar_one()
            may_be = ("certified", "suspended") if chosen.stays else ("certified",)
            if state not in may_be or not role(certificate.role).may_guard:
                raise BadInput("members", GONE)
            if len(chosen.face_phrase) > PHRASE_AT_MOST:
                raise BadInput("phrase")
            label: dict[str, Value] = {
                "label": "", "name": chosen.face_name, "drawing": chosen.face_drawing, "phrase": chosen.face_phrase,
                former_faces.BEFORE: former_faces.written(chosen.former),
            }  # fmt: skip
            return _Member(context.new_id(), "worker", chosen.worker, certificate.structure, kem_public(certificate.kem), label)
        case NewSheet():
            if len(chosen.label) > LABEL_AT_MOST:
                raise BadInput("label")
            sheet = SheetSecret.random()
            public = public_key(cutting.sheet_seed(sheet))
            return _Member(context.new_id(), "sheet", None, None, public, {"label": chosen.label}, sheet)
        case KeptSheet():
            query = select(circle_members).join(circles, circles.c.id == circle_members.c.circle)
            ours = (circles.c.person == owner.person, circle_members.c.id == chosen.member, circle_members.c.kind == "sheet")
            row = connection.execute(query.where(*ours)).mappings().one_or_none()
            if row is None:
                raise BadInput("members", GONE)
            kept = str(opened_label(owner.keys, owner.person, row)["label"])
            return _Member(context.new_id(), "sheet", None, None, kem_public(row["public_key"]), {"label": kept})


def _row(context: Context, owner: Owner, circle: str, one: _Member) -> dict[str, object]:
    """A member's row. The label carries a hash of the key, so that nobody can plant another key for a sheet that is kept."""
    label = {**one.label, "key": hashlib.sha256(one.public).hexdigest()}
    face = None
    if one.kind == "worker":
        place = labels.face(person=owner.person, circle=circle, member=one.id)
        shown = {name: one.label[name] for name in ("name", "drawing", "phrase", former_faces.BEFORE)}
        face = post_value(one.public, context.keyvault.derive("grant", circle, place), place, shown)
    sealed = seal_value(owner.keys.values, labels.guardian_label(person=owner.person, member=one.id), label)
    return {
        "id": one.id, "circle": circle, "kind": one.kind, "worker": one.worker, "public_key": bytes(one.public),
        "posted_face": face, "sealed_label": sealed,
    }  # fmt: skip


def _cut(context: Context, connection: Connection, owner: Owner, said: CircleFormed, publics: dict[str, KemPublic]) -> None:
    """A new recovery secret and its slot, then a part for each member of each allowed set."""
    recovery = RecoverySecret.random()
    stretched = unlock.recovery_stretched(recovery)
    slot = slots.seal(context, owner.person, Kind.RECOVERY, owner.secret, stretched, cost=Cost.none(), salt=unlock.new_salt())
    if slots.open_with(slot, slots.key_of(context, slot, stretched)) != owner.secret:
        raise Tampered
    shares = []
    for number, members in enumerate(said.sets):
        parts = cutting.cut(recovery, len(members))
        # Put together again from what will be posted, the secret must open its slot before anything changes.
        if cutting.join(parts) != recovery:
            raise Tampered
        for member, part in zip(members, parts, strict=True):
            where = contexts.share(person=owner.person, circle=said.circle, set=number, member=member)
            vaulted = context.keyvault.derive("grant", said.circle, where)
            posted = cutting.post_share(publics[member], vaulted, where, part)
            shares.append({"circle": said.circle, "set": str(number), "member": member, "share": posted})
    connection.execute(insert(circle_shares), shares)
    slots.keep(context, connection, slot)


def dissolve(context: Context, connection: Connection, person: str) -> None:
    """The circle before, its parts and its recovery slot go; their rows of the key vault follow the commit."""
    old = connection.scalars(select(circles.c.id).where(circles.c.person == person)).all()
    connection.execute(delete(circle_shares).where(circle_shares.c.circle.in_(old)))
    connection.execute(delete(circle_members).where(circle_members.c.circle.in_(old)))
    connection.execute(delete(circles).where(circles.c.id.in_(old)))
    endings.end_rows(context, connection, [("grant", one) for one in old])
    slots.end(context, connection, slots.living(connection, person, [Kind.RECOVERY]))


def living(context: Context, connection: Connection, person: str, sign: Verifier) -> tuple[RowMapping, CircleFormed] | None:
    """A person's circle, its statement verified against their key and the service's. Raises Tampered."""
    query = select(circles).where(circles.c.person == person, circles.c.state == "living")
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    try:
        said = CircleFormed.parse(row["statement"])
        verify(sign, said, row["signature"])
        verify(context.service.ring, said, row["service_signature"])
    except (BadSignature, Malformed) as error:
        raise Tampered from error
    if (said.circle, said.person, said.k) != (row["id"], person, row["needed"]):
        raise Tampered
    return row, said


def open_label(keys: AccountKeys, person: str, row: RowMapping) -> dict[str, str]:
    """What the person called a guardian, and the face they gave; Tampered when another key stands in the row."""
    return {name: value for name, value in opened_label(keys, person, row).items() if isinstance(value, str)}


def opened_label(keys: AccountKeys, person: str, row: RowMapping) -> dict[str, Value]:
    """The same with the faces of before (`former_faces.told`). Tampered."""
    try:
        opened = unseal_value(keys.values, labels.guardian_label(person=person, member=row["id"]), row["sealed_label"])
    except Undecryptable as error:
        raise Tampered from error
    if opened.get("key") != hashlib.sha256(row["public_key"]).hexdigest():
        raise Tampered
    return opened


def chosen_again(context: Context, connection: Connection, owner: Owner, *, sheets: bool) -> list[Chosen]:
    """The present members as a choice, to form the circle anew: workers who have not left, and sheets if they stay good.

    Who is away stays: their key is certified as before, and until they are back `recovery.confirm` refuses them.
    """
    query = select(circle_members, workers.c.state, workers.c.role).join(circles, circles.c.id == circle_members.c.circle)
    query = query.outerjoin(workers, workers.c.account == circle_members.c.worker).where(circles.c.person == owner.person)
    again: list[Chosen] = []
    for row in connection.execute(query.order_by(circle_members.c.id)).mappings():
        label = opened_label(owner.keys, owner.person, row)
        if row["kind"] == "worker" and row["state"] in ("certified", "suspended") and role(row["role"]).may_guard:
            name, drawing, phrase = (str(label.get(key, "")) for key in ("name", "drawing", "phrase"))
            former = former_faces.told(label, today_in_paris(context.clock()))
            again.append(GuardianWorker(row["worker"], name, drawing, phrase, stays=True, former=former))
        elif row["kind"] == "sheet" and sheets:
            again.append(KeptSheet(row["id"]))
    return again


def release(context: Context, session: Session, secret: unlocking.Chosen, member: str) -> None:
    """One guardian fewer: what they hold dies with the circle before, and a fresh one is formed of the others.

    With nobody left there is no circle any more. The secret is asked again. NotThere, WrongSecret, AfterRecovery.
    """
    owner = Owner(session.account, who.person(session), unlocking.confirm(context, session, secret))
    with sessions.acting(context, session) as connection:
        aftermath.refuse_while_held(context, connection, session.account, only_with_veto=True)
        mine = (circles.c.person == session.account, circles.c.state == "living")
        query = select(circle_members, circles.c.needed).join(circles, circles.c.id == circle_members.c.circle).where(*mine)
        rows = {row["id"]: row for row in connection.execute(query.order_by(circle_members.c.id)).mappings()}
        if member not in rows:
            raise NotThere
        waiting.end(context, connection, session.account, session)
        gone = rows[member]
        again = [
            one for one in chosen_again(context, connection, owner, sheets=True)
            if (one.worker != gone["worker"] if isinstance(one, GuardianWorker) else getattr(one, "member", None) != member)
        ]  # fmt: skip
        if again:
            form(context, connection, owner, again, gone["needed"])
        else:
            dissolve(context, connection, session.account)
        audit.record(context, connection, session, Event("recovery.circle-set", by=session.account), person=session.account)


def refuse_without_a_set(context: Context, connection: Connection, person: str) -> None:
    """AfterRecovery when workers alone could bring nobody back, while an old card may still say stop.

    After that stop no card and no words open, whatever is shown: without a set of guardians the safe would stay shut for ever.
    """
    needed = connection.execute(select(circles.c.needed).where(circles.c.person == person)).scalar_one_or_none()
    query = select(workers.c.role).join(circle_members, circle_members.c.worker == workers.c.account)
    query = query.join(circles, circles.c.id == circle_members.c.circle)
    roles = connection.scalars(query.where(circles.c.person == person, workers.c.state == "certified"))
    if needed is not None and sum(role(name).may_guard for name in roles) < needed:
        aftermath.refuse_while_held(context, connection, person, only_with_veto=True)


def void_sheets(context: Context, connection: Connection, owner: Owner) -> None:
    """Every printed sheet is void from now on; workers stay. In the caller's transaction ("je me protège"). AfterRecovery."""
    refuse_without_a_set(context, connection, owner.person)
    needed = connection.execute(select(circles.c.needed).where(circles.c.person == owner.person)).scalar_one_or_none()
    if needed is None:
        return
    again = chosen_again(context, connection, owner, sheets=False)
    if again:
        form(context, connection, owner, again, needed)
    else:
        dissolve(context, connection, owner.person)
        directives.follow(context, connection, owner.keys, owner.person)
