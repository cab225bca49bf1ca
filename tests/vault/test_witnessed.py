"""Giving in an assisted opening: what needs a second worker, what each of the two cannot do alone, and how it is asked again."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from consent.errors import TermsRefused
from consent.grant import GrantBody
from consent.ids import GrantId, PaperId, WorkerId
from consent.policy import Allowed, Decision
from consent.purposes import PurposeId
from consent.receipt import verify_receipt
from consent.recipients import Recipient
from consent.scope import Act, Paper, PapersScope, ShelfScope
from consent.terms import Method
from consent.verified import Signatures, VerifiedGrant, sign_grant, verify_grant
from crypto import contexts, envelope
from crypto.errors import BadSignature, CryptoError
from crypto.kem import KemPrivate
from crypto.signing import Signer
from storage.tables import grants, papers, witnessings
from storage.tables import sessions as session_rows
from storage.tables import wraps as wrap_rows
from tests.vault.builders import MadePerson, MadeWorker, Office, make_office, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.vault.test_assisted import helped, open_with
from tests.vault.test_sharing import taken
from vault import (
    assisting,
    audit,
    colleagues,
    documents,
    first_day,
    opening_shared,
    people,
    receipt_files,
    shared_papers,
    shares,
    sharing,
    shelves,
    showing,
    withdrawing,
    witnessed,
    workers,
)
from vault.context import Context
from vault.errors import BadInput, Conflict, MustWait, NoSession, NotAllowed, NotThere, Tampered, WrongSecret
from vault.sessions import Session
from vault.witnessed import Wish


@dataclass
class Scene:
    """Fatou helps Yonas to open the drawer of money; Marc may stand as witness; Paul is to see one paper."""

    house: Context
    office: Office
    fatou: MadeWorker
    marc: MadeWorker
    paul: MadeWorker
    yonas: MadePerson
    paper: PaperId
    other: PaperId
    hidden: PaperId
    inside: Session

    def wish(self, **changes: object) -> Wish:
        plain = Wish(self.paper, self.paul.id, PurposeId("home"), self.marc.id, SAID)
        return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]  # a test's shorthand

    def asked(self, **changes: object) -> str:
        """What waits for Marc; gives which asking it is, its digits typed."""
        witnessed.ask(self.house, self.inside, self.wish(**changes))
        return witnessed.type_code(self.house, self.marc.session, witnessed.waiting(self.house, self.inside).code)

    def given(self) -> GrantId:
        witnessed.sign(self.house, self.marc.session, self.asked())
        return witnessed.give(self.house, self.inside)


def opens(house: Context, worker: MadeWorker, grant: GrantId, paper: PaperId) -> bool:
    """Whether this worker may look at it now, and has the key."""
    return opening_shared.open_shared(house, worker.session, grant, paper, Act.SEE).opened.paper == paper


def make_scene(house: Context, clock: Clock) -> Scene:
    office = make_office(house)
    fatou, marc, paul = (make_worker(house, office, name) for name in ("Fatou", "Marc", "Paul"))
    yonas = make_person(house, "Yonas", drawing="sun")
    paper = keep(house, yonas.session, "Avis de Mme Vuillard", "money", text="avis", sort="tax-notice")
    other, hidden = keep(house, yonas.session, "Paie", "money", text="paie"), keep(house, yonas.session, "Ordonnance", "health")
    helped(house, yonas, fatou, "money")
    clock.forward(days=1)
    inside = open_with(house, yonas.card, fatou)
    for worker in (marc, paul):
        sign_in(house, worker)
    return Scene(house, office, fatou, marc, paul, yonas, paper, other, hidden, inside)


@pytest.fixture
def scene(house: Context, clock: Clock) -> Scene:
    return make_scene(house, clock)


class Blocked:
    """The key vault; once the share's row is made there, the person blocks everything at another kiosk."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scene.house.keyvault, name)

    def create(self, *row: Any, **rest: Any) -> None:
        self._scene.house.keyvault.create(*row, **rest)
        if row[0] == "grant":
            people.freeze(self._scene.house, show_card(self._scene.house, self._scene.yonas.card))


def test_what_is_blocked_meanwhile_is_given_to_nobody(scene: Scene) -> None:
    """The second yes was pressed, and it waits for the stores: nothing is shown after a block."""
    witnessed.sign(scene.house, scene.marc.session, scene.asked())
    slow = dataclasses.replace(scene.house, keyvault=Blocked(scene))  # type: ignore[arg-type]
    with pytest.raises(NoSession):
        witnessed.give(slow, scene.inside)
    assert shared_papers.people_sharing(scene.house, scene.paul.session) == []


def test_two_workers_and_two_yeses_make_one_paper_visible_for_a_month(any_house: Context, clock: Clock) -> None:
    scene = make_scene(any_house, clock)
    house = any_house
    witnessed.ask(house, scene.inside, scene.wish())
    waiting = witnessed.waiting(house, scene.inside)
    assert not waiting.signed
    asking = witnessed.type_code(house, scene.marc.session, waiting.code)
    told = witnessed.asked(house, scene.marc.session, asking)
    assert (told.to.split(",")[0], told.purpose, told.kinds) == ("Paul", "home", ("tax-notice",))
    witnessed.sign(house, scene.marc.session, asking)
    assert witnessed.waiting(house, scene.inside).signed
    assert shared_papers.people_sharing(house, scene.paul.session) == []  # the person's second yes is still to come
    with house.database.transaction() as connection:  # as if a worker had just put it in
        connection.execute(update(papers).where(papers.c.id == scene.paper).values(state="to-read"))
    grant = witnessed.give(house, scene.inside)
    assert documents.paper(house, scene.yonas.session, scene.paper).state == "kept"  # nobody takes back what was shown
    (line,) = shared_papers.people_sharing(house, scene.paul.session)
    assert (line.grant, line.name, line.drawing, line.acts, line.until) == (
        grant, "Yonas", "sun", {Act.SEE}, dt.date(2026, 12, 24)
    )  # fmt: skip
    assert opens(house, scene.paul, grant, scene.paper)
    for refused in (scene.other, scene.hidden):
        with pytest.raises(NotThere):
            opens(house, scene.paul, grant, refused)
    with pytest.raises(NotThere):
        taken(house, scene.paul, grant, scene.paper)
    for worker in (scene.marc, scene.fatou):  # whoever helps and whoever stands for it were given nothing
        assert shared_papers.people_sharing(house, sign_in(house, worker)) == []
    clock.forward(days=32)
    with pytest.raises(NotThere):
        shared_papers.papers_shared(house, sign_in(house, scene.paul), grant)


def test_the_next_session_of_the_person_s_own_asks_once_more_and_can_undo(any_house: Context, clock: Clock) -> None:
    scene = make_scene(any_house, clock)
    first, second = scene.given(), scene.given()
    own = unlock(any_house, scene.yonas)
    assert {one.grant for one in first_day.said_yes(any_house, own)} == {first, second}
    assert {one.witness for one in first_day.said_yes(any_house, own)} == {"Marc"}
    first_day.still_yes(any_house, own, first)
    withdrawing.withdraw(any_house, own, second, SAID)
    assert first_day.said_yes(any_house, own) == []
    assert [one.grant for one in showing.grants_of(any_house, own)] == [first]
    assert [line.grant for line in shared_papers.people_sharing(any_house, sign_in(any_house, scene.paul))] == [first]
    until = any_house.clock().date() + dt.timedelta(days=90)
    sharing.renew(any_house, own, first, until, SAID)  # with their own key the person is bound by no month
    assert showing.grants_of(any_house, own)[0].until == until


def test_the_history_and_the_receipt_say_who_stood_for_it(scene: Scene) -> None:
    grant = scene.given()
    own = unlock(scene.house, scene.yonas)
    said = {entry.event.tag: entry.event for entry in audit.history(scene.house, own)}
    assert said["share.witnessed"].by_name.startswith("Marc, ")
    assert said["share.shown-to-witness"].by_name.startswith("Marc, ")  # read by them, whether they sign or not
    assert said["share.given-with-witness"].by_name.startswith("Paul, ")
    done = [entry.event.tag for entry in audit.history(scene.house, scene.marc.session)]
    assert {"share.shown-to-witness", "share.witnessed"} <= set(done)  # among his own acts
    (signed,) = receipt_files.records_of(scene.house, own, grant)
    change = signed.receipt.change
    assert (change.method, change.witness, change.shown) == (Method.ASSISTED, scene.marc.id, 2)
    entry = next(one for one in audit.history(scene.house, own) if one.event.tag == "share.given-with-witness")
    assert signed.receipt.entry == entry.id
    with scene.house.database.transaction(read_only=True) as connection:
        marc, fatou = (colleagues.colleague(scene.house, connection, one.id).sign for one in (scene.marc, scene.fatou))
    person = Signer(own.opened().sign).public
    assert verify_receipt(signed, service=scene.house.service.public, person=person, witness=marc) == signed.receipt
    with pytest.raises(BadSignature):
        verify_receipt(signed, service=scene.house.service.public, person=person, witness=fatou)


def test_what_may_not_be_given_so(scene: Scene, clock: Clock) -> None:
    house = scene.house
    intern = make_worker(house, scene.office, "Inès", "intern", ends=dt.date(2027, 6, 1))
    for witness in (scene.fatou.id, scene.paul.id, intern.id, WorkerId(house.new_id())):
        with pytest.raises(BadInput):
            witnessed.ask(house, scene.inside, scene.wish(witness=witness))
    workers.suspend(house, scene.office.admin, scene.marc.id, dt.date(2026, 12, 31))
    with pytest.raises(BadInput):
        witnessed.ask(house, scene.inside, scene.wish())
    workers.return_(house, scene.office.admin, scene.marc.id)
    with pytest.raises(NotThere):
        witnessed.ask(house, scene.inside, scene.wish(paper=scene.hidden))
    with pytest.raises(TermsRefused):
        witnessed.ask(house, scene.inside, scene.wish(worker=intern.id))
    for session in (scene.yonas.session, scene.marc.session, show_card(house, scene.yonas.card)):
        with pytest.raises(NotAllowed):
            witnessed.ask(house, session, scene.wish())
        with pytest.raises(NotAllowed):
            witnessed.give(house, session)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(witnessings)).all() == []


def test_without_the_witness_without_the_digits_and_after_ten_minutes_nothing_is_given(scene: Scene, clock: Clock) -> None:
    house = scene.house
    with pytest.raises(NoSession):
        witnessed.give(house, scene.inside)
    witnessed.ask(house, scene.inside, scene.wish())
    with pytest.raises(NotThere):  # nobody signed
        witnessed.give(house, scene.inside)
    code = witnessed.waiting(house, scene.inside).code
    with pytest.raises(WrongSecret):  # another worker's digits
        witnessed.type_code(house, scene.paul.session, code)
    with house.database.transaction(read_only=True) as connection:
        (asking,) = connection.scalars(select(witnessings.c.id)).all()
    for act in (witnessed.asked, witnessed.sign):  # before the digits were typed
        with pytest.raises(NotThere):
            act(house, scene.marc.session, asking)
    witnessed.type_code(house, scene.marc.session, code)
    with pytest.raises(NotThere):  # nobody else's to sign
        witnessed.sign(house, scene.paul.session, asking)
    witnessed.sign(house, scene.marc.session, asking)
    clock.forward(minutes=11)
    for late in (lambda: witnessed.sign(house, sign_in(house, scene.marc), asking), lambda: witnessed.give(house, scene.inside)):
        with pytest.raises(NotThere):
            late()
    assert witnessed.sweep(house) == 1
    assert shared_papers.people_sharing(house, sign_in(house, scene.paul)) == []


def test_three_wrong_digits_wait(scene: Scene) -> None:
    witnessed.ask(scene.house, scene.inside, scene.wish())
    right = witnessed.waiting(scene.house, scene.inside).code
    wrong = [code for code in ("000001", "000002", "000003", "000004") if code != right][:3]
    for code in wrong:
        with pytest.raises(WrongSecret):
            witnessed.type_code(scene.house, scene.marc.session, code)
    with pytest.raises(MustWait):
        witnessed.type_code(scene.house, scene.marc.session, right)


@pytest.mark.parametrize("how", ["the person says no", "the witness says no", "asked anew"])
def test_a_no_at_either_end_leaves_nothing(scene: Scene, how: str) -> None:
    asking = scene.asked()
    if how == "the witness says no":
        witnessed.decline(scene.house, scene.marc.session, asking)
        with pytest.raises(NotThere):
            witnessed.waiting(scene.house, scene.inside)
    else:
        witnessed.sign(scene.house, scene.marc.session, asking)
        {
            "the person says no": lambda: witnessed.forget(scene.house, scene.inside),
            "asked anew": lambda: witnessed.ask(scene.house, scene.inside, scene.wish(paper=scene.other)),
        }[how]()
    with pytest.raises(NotThere):
        witnessed.sign(scene.house, scene.marc.session, asking)
    with pytest.raises((NotThere, NoSession)):
        witnessed.give(scene.house, scene.inside)
    with scene.house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(grants)).all() == []


@pytest.mark.parametrize("what", ["moved away", "thrown away", "recipient suspended", "help stopped", "witness ended"])
def test_what_changed_meanwhile_is_looked_at_again(scene: Scene, what: str) -> None:
    house = scene.house
    witnessed.sign(house, scene.marc.session, scene.asked())
    own = scene.yonas.session
    with house.database.transaction() as connection:  # it ended as the assisted one began: stand it up again, beside it
        row = connection.execute(select(session_rows).where(session_rows.c.session == scene.inside.id)).mappings().one()
        connection.execute(insert(session_rows).values({**row, "id": "0" * 64, "session": own.id}))
    {
        "moved away": lambda: documents.move(house, own, scene.paper, shelves.checked_kind("private")),
        "thrown away": lambda: documents.remove(house, own, scene.paper),
        "recipient suspended": lambda: workers.suspend(house, scene.office.admin, scene.paul.id, dt.date(2026, 12, 31)),
        "help stopped": lambda: assisting.stop(house, show_card(house, scene.yonas.card)),
        "witness ended": lambda: workers.end(house, scene.office.admin, scene.marc.id, scene.office.proof),
    }[what]()
    if what == "witness ended":  # it was signed by who was certified then: it holds, and the person's next session asks once more
        witnessed.give(house, scene.inside)
        return
    with pytest.raises((NotThere, Conflict, NoSession)):
        witnessed.give(house, scene.inside)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(grants)).all() == []


# --- Two locks, attacked one at a time ---------------------------------------------------------------------------------------------


def body_of(scene: Scene, grant: GrantId) -> GrantBody:
    with scene.house.database.transaction(read_only=True) as connection:
        return shares.one_of_worker(scene.house, connection, scene.paul.session, grant).body


def planted(scene: Scene, grant: GrantId, body: GrantBody, signatures: Signatures) -> None:
    """Write another body and its signatures in the row of a share, as whoever holds the rows and the key vault can."""
    with scene.house.database.transaction() as connection:
        share = shares.one_of_worker(scene.house, connection, scene.paul.session, grant)
        paul = colleagues.colleague(scene.house, connection, scene.paul.id)
        connection.execute(
            update(grants).where(grants.c.id == grant).values(
                state=body.state.value, until=body.terms.until, signatures=signatures.to_bytes(),
                body_for_worker=shares.sealed_for_worker(scene.house, paul.kem, body, share.face),
            )
        )  # fmt: skip


def more(body: GrantBody, **changes: object) -> GrantBody:
    return dataclasses.replace(body, terms=dataclasses.replace(body.terms, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("wider", ["two months", "a copy", "two papers", "a drawer", "for the witness's own eyes"])
def test_the_rules_take_no_wider_body_even_with_both_signatures(scene: Scene, wider: str) -> None:
    """The witness and the service both sign more than an assisted opening may give: nobody gets a verified grant of it."""
    body = body_of(scene, scene.given())
    agreed = {
        "two months": lambda: more(body, until=body.terms.until + dt.timedelta(days=31)),
        "a copy": lambda: more(body, acts=frozenset({Act.SEE, Act.TAKE})),
        "two papers": lambda: more(body, scope=PapersScope.of([scene.paper, scene.other])),
        "a drawer": lambda: more(body, scope=ShelfScope(scene.house.new_id(), "money")),  # type: ignore[arg-type]
        "for the witness's own eyes": lambda: dataclasses.replace(body, worker=scene.marc.id),
    }[wider]()
    signatures = sign_grant(agreed, service=scene.house.service, witness=Signer(scene.marc.session.opened().sign))
    with scene.house.database.transaction(read_only=True) as connection:
        person = Signer(scene.yonas.session.opened().sign).public
        marc = colleagues.colleague(scene.house, connection, scene.marc.id).sign
    with pytest.raises(BadSignature):
        verify_grant(agreed.row(), agreed.to_bytes(), signatures, service=scene.house.service.public, person=person, witness=marc)
    if wider in ("two months", "a copy", "two papers"):
        planted(scene, body.grant, agreed, signatures)
        with pytest.raises(NotThere):
            shared_papers.papers_shared(scene.house, scene.paul.session, body.grant)


@pytest.mark.parametrize("missing", ["the witness", "the service", "the witness, by the helper", "the witness, by the recipient"])
def test_one_signature_alone_opens_nothing(scene: Scene, missing: str) -> None:
    grant = scene.given()
    body = body_of(scene, grant)
    assert opens(scene.house, scene.paul, grant, scene.paper)
    service, marc = scene.house.service, Signer(scene.marc.session.opened().sign)
    fatou, paul = (Signer(session.opened().sign) for session in (sign_in(scene.house, scene.fatou), scene.paul.session))
    signatures = {
        "the witness": lambda: sign_grant(body, service=service),
        "the service": lambda: sign_grant(body, service=marc, witness=marc),
        "the witness, by the helper": lambda: sign_grant(body, service=service, witness=fatou),
        "the witness, by the recipient": lambda: sign_grant(body, service=service, witness=paul),
    }[missing]()  # fmt: skip
    with scene.house.database.transaction() as connection:
        connection.execute(update(grants).where(grants.c.id == grant).values(signatures=signatures.to_bytes()))
    with pytest.raises(NotThere):
        opens(scene.house, scene.paul, grant, scene.paper)


def test_the_keys_open_nothing_more_when_the_rules_say_yes_to_all(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = scene.given()

    def yes(act: Act, paper: Paper, recipient: Recipient, given: Sequence[VerifiedGrant], at: dt.datetime) -> Decision:
        return Allowed(given[0])

    monkeypatch.setattr(opening_shared, "decide", yes)
    for refused in (scene.other, scene.hidden):
        with pytest.raises(NotThere):
            opens(scene.house, scene.paul, grant, refused)
    withdrawing.withdraw(scene.house, show_card(scene.house, scene.yonas.card), grant, SAID)  # and the card alone ends it
    with pytest.raises(NotThere):
        opens(scene.house, scene.paul, grant, scene.paper)


def test_the_rules_open_nothing_without_the_wrap(scene: Scene) -> None:
    grant = scene.given()
    with scene.house.database.transaction() as connection:
        connection.execute(delete(wrap_rows))
    with pytest.raises(NotThere):
        opens(scene.house, scene.paul, grant, scene.paper)


def test_what_the_witness_is_sent_opens_for_nobody_else(scene: Scene) -> None:
    """Paul's own secret, the row and the whole key vault do not tell what was asked of Marc."""
    asking = scene.asked()
    with scene.house.database.transaction() as connection:
        connection.execute(update(witnessings).values(witness=scene.paul.id, typed=True))
    with pytest.raises(Tampered):
        witnessed.sign(scene.house, scene.paul.session, asking)


def test_the_person_s_copy_waits_for_their_own_keys(scene: Scene) -> None:
    """Nothing that the assisted session holds opens the person's copy of what it gave."""
    grant = scene.given()
    with scene.house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(grants).where(grants.c.id == grant)).mappings().one()
    assert (row["body_for_person"], row["posted_for_person"] is not None) == (b"", True)
    assert scene.inside.assist is not None
    place = contexts.grant(grant=grant, person=scene.yonas.id, worker=scene.paul.id)
    vaulted = scene.house.keyvault.derive("person", scene.yonas.id, place)
    with pytest.raises(CryptoError):
        envelope.open_posted_grant_body(KemPrivate(scene.inside.assist), vaulted, place, row["posted_for_person"])
