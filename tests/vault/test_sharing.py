"""A share from both sides: given, opened, renewed, narrowed, taken back with a session and with the card alone."""

import contextlib
import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select

from consent.errors import TermsReason, TermsRefused
from consent.grant import GrantState
from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.receipt import verify_receipt
from consent.scope import Act
from crypto import contexts, envelope
from crypto.errors import CryptoError, Undecryptable
from crypto.kem import KemPrivate
from crypto.keys import shelf_key
from crypto.sealing import open_posted_text
from crypto.signing import sign_public
from storage.tables import receipts, shelf_wraps
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep, picture
from vault import (
    arranging,
    arriving,
    audit,
    cards,
    documents,
    labels,
    receipt_files,
    reencryption,
    removing,
    shared_papers,
    sharing,
    showing,
    withdrawing,
    workers,
)  # fmt: skip
from vault.bindings import wrap_place
from vault.context import Context
from vault.errors import NotAllowed, NotThere
from vault.sharing import Offer
from vault.versions import joined

SEE = frozenset({Act.SEE})
BOTH = frozenset({Act.SEE, Act.TAKE})
UNTIL = dt.date(2027, 1, 31)


def offer(*papers: PaperId, acts: frozenset[Act] = BOTH, shelf: str | None = None, until: dt.date = UNTIL) -> Offer:
    return Offer(PurposeId("home"), acts, until, SAID, papers, ShelfKind(shelf) if shelf else None)


def second_day(house: Context, clock: Clock, *people: MadePerson | MadeWorker) -> None:
    """On its first day a safe gives no copy and no drawer."""
    clock.forward(days=1)
    for one in people:
        if isinstance(one, MadePerson):
            unlock(house, one)
        else:
            sign_in(house, one)


def taken(house: Context, fatou: MadeWorker, grant: GrantId, paper: PaperId) -> bytes:
    with shared_papers.take(house, fatou.session, grant, paper) as content:
        return b"".join(content.chunks())


def test_a_worker_opens_what_is_shown_and_nothing_else(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house, "Awa", drawing="turtle")
    shown = keep(any_house, awa.session, "Avis", text="montré", sort="tax-notice")
    hidden = keep(any_house, awa.session, "Lettre", text="caché")
    second_day(any_house, clock, awa, fatou)
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(shown))

    (line,) = shared_papers.people_sharing(any_house, fatou.session)
    assert (line.name, line.drawing, line.papers, line.purpose) == ("Awa", "turtle", 1, "home")
    (paper,) = shared_papers.papers_shared(any_house, fatou.session, grant)
    assert (paper.paper, paper.title, paper.may_see, paper.may_take) == (shown, "Avis", True, True)
    assert taken(any_house, fatou, grant, shown) == picture("received montré")
    with pytest.raises(NotThere):
        shared_papers.take(any_house, fatou.session, grant, hidden)

    (card,) = showing.grants_of(any_house, awa.session)
    assert (card.grant, card.worker_name, card.state, card.copies) == (
        grant,
        "Fatou, de l'équipe, ESI Les Tilleuls",
        GrantState.GIVEN,
        1,
    )
    tags = [entry.event.tag for entry in audit.history(any_house, awa.session)]
    assert tags.count("paper.taken") == 1
    assert tags.count("paper.refused-to-worker") == 1


def test_with_the_card_alone_a_share_is_taken_back(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    paper = keep(any_house, awa.session, "Avis", text="montré")
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(paper, acts=SEE))
    card = show_card(any_house, awa.card)
    (line,) = showing.grants_of(any_house, card)
    assert (line.worker_name, line.purpose, line.papers) == ("Fatou, ESI Les Tilleuls", None, ())
    withdrawing.withdraw(any_house, card, grant, SAID)
    withdrawing.withdraw(any_house, card, grant, SAID)  # pressed twice
    assert shared_papers.people_sharing(any_house, fatou.session) == []
    with pytest.raises(NotThere):
        shared_papers.papers_shared(any_house, fatou.session, grant)
    unlock(any_house, awa)
    (ended,) = showing.grants_of(any_house, awa.session, ended=True)
    assert ended.state is GrantState.WITHDRAWN
    given, stopped = receipt_files.records_of(any_house, awa.session, grant)
    keys = awa.session.opened()
    for receipt in (given, stopped):
        verify_receipt(receipt, service=any_house.service.public, person=sign_public(keys.sign))
    assert stopped.receipt.replaces == given.receipt.record


def test_no_copy_and_no_drawer_on_the_first_day(house: Context) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper = keep(house, awa.session)
    with pytest.raises(TermsRefused) as refused:
        sharing.grant(house, awa.session, fatou.id, offer(paper))
    assert refused.value.reason is TermsReason.FIRST_DAY_TAKE
    with pytest.raises(TermsRefused) as refused:
        sharing.grant(house, awa.session, fatou.id, offer(acts=SEE, shelf="money"))
    assert refused.value.reason is TermsReason.FIRST_DAY_SHELF
    assert not [row for row in house.keyvault.owned(awa.id) if row[0] == "grant"]


def test_renewed_with_a_new_receipt(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    paper = keep(any_house, awa.session, "Avis", text="un")
    soon = dt.date(2026, 12, 10)
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(paper, acts=SEE, until=soon))
    (line,) = showing.ending(any_house, awa.session)
    assert (line.grant, line.ending_soon) == (grant, True)
    assert shared_papers.people_sharing(any_house, fatou.session)[0].ending_soon
    clock.forward(seconds=30)
    sharing.renew(any_house, awa.session, grant, UNTIL, SAID)
    with pytest.raises(TermsRefused) as refused:
        sharing.renew(any_house, awa.session, grant, soon, SAID)
    assert refused.value.reason is TermsReason.NOT_LONGER
    assert showing.ending(any_house, awa.session) == []
    (card,) = showing.grants_of(any_house, awa.session)
    assert (card.state, card.until) == (GrantState.RENEWED, UNTIL)
    first, second = receipt_files.records_of(any_house, awa.session, grant)
    assert second.receipt.replaces == first.receipt.record
    assert len(shared_papers.papers_shared(any_house, fatou.session, grant)) == 1
    with pytest.raises(TermsRefused):
        sharing.renew(any_house, awa.session, grant, dt.date(2029, 1, 1), SAID)


def test_each_receipt_keeps_the_reason_as_it_was_shown(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    one, other = keep(house, awa.session, "un", text="un"), keep(house, awa.session, "deux", text="deux")
    said = dataclasses.replace(SAID, language="ar")
    first = dataclasses.replace(offer(one, other, acts=SEE, until=dt.date(2026, 12, 10)), said=said, words="سكن")
    grant = sharing.grant(house, awa.session, fatou.id, first)
    sharing.renew(house, awa.session, grant, UNTIL, said, "سكن")
    sharing.narrow(house, awa.session, grant, said, papers=[one], words="سكن")
    kept = [signed.receipt.processing for signed in receipt_files.records_of(house, awa.session, grant)]
    assert [one.words if one else None for one in kept] == ["سكن"] * 3


def test_a_receipt_is_posted_to_nobody_but_the_person(house: Context, clock: Clock) -> None:
    """It says the kinds of papers of a drawer, also to whoever may only put papers in, and at which kiosk the person stood."""
    office = make_office(house)
    ines, awa = make_worker(house, office, "Inès", "intern", ends=UNTIL), make_person(house)
    keep(house, awa.session, "Ordonnance", "health", sort="prescription")
    grant = sharing.grant(house, awa.session, ines.id, offer(acts=frozenset({Act.DEPOSIT}), shelf="health"))
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(receipts)).mappings().one()
    place = labels.receipt(person=awa.id, grant=grant, receipt=row["id"])
    opened = set()
    for owner, session, vaulted in (
        ("worker", ines.session, house.keyvault.derive("grant", grant, place)),
        ("person", awa.session, house.keyvault.derive("person", awa.id, place)),
    ):
        for value in row.values():
            if isinstance(value, bytes):
                with contextlib.suppress(CryptoError):
                    opened.add((owner, open_posted_text(KemPrivate(session.opened().kem), vaulted, place, value)))
    ((owner, text),) = opened
    assert owner == "person"
    assert "prescription" in text  # the instrument can find something


def test_narrowed_to_less(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    one, other = keep(any_house, awa.session, "un", text="un"), keep(any_house, awa.session, "deux", text="deux")
    second_day(any_house, clock, awa, fatou)
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(one, other))
    assert reencryption.waiting(any_house, awa.session) == 0
    sharing.narrow(any_house, awa.session, grant, SAID, papers=[one], acts=SEE)
    assert [paper.paper for paper in shared_papers.papers_shared(any_house, fatou.session, grant)] == [one]
    for paper in (one, other):
        with pytest.raises(NotThere):
            shared_papers.take(any_house, fatou.session, grant, paper)
    assert reencryption.waiting(any_house, awa.session) == 1
    list(reencryption.all_steps(any_house, awa.session))
    assert [paper.title for paper in shared_papers.papers_shared(any_house, fatou.session, grant)] == ["un"]
    with pytest.raises(TermsRefused) as refused:
        sharing.narrow(any_house, awa.session, grant, SAID, papers=[one, other])
    assert refused.value.reason is TermsReason.NOT_NARROWER


def test_with_nothing_left_to_show_a_share_is_taken_back_and_nothing_else(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    thrown, hidden, erased = (keep(any_house, awa.session, name, text=name) for name in ("un", "deux", "trois"))
    second_day(any_house, clock, awa, fatou)
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(thrown, hidden, erased))
    arranging.move(any_house, awa.session, hidden, ShelfKind("private"))
    removing.erase_now(any_house, awa.session, erased)
    sharing.narrow(any_house, awa.session, grant, SAID, acts=SEE)  # one paper is still there
    removing.remove(any_house, awa.session, thrown)
    for less in (
        lambda: sharing.narrow(any_house, awa.session, grant, SAID, until=UNTIL - dt.timedelta(days=1)),
        lambda: sharing.renew(any_house, awa.session, grant, UNTIL + dt.timedelta(days=1), SAID),
    ):
        with pytest.raises(TermsRefused) as refused:
            less()
        assert refused.value.reason is TermsReason.NOTHING_LEFT
    assert len(receipt_files.records_of(any_house, awa.session, grant)) == 2
    withdrawing.withdraw(any_house, awa.session, grant, SAID)
    assert len(receipt_files.records_of(any_house, awa.session, grant)) == 3
    assert showing.grants_of(any_house, awa.session) == []


def test_a_drawer_narrowed_to_deposits_is_closed_to_the_eye(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    keep(house, awa.session, "un", text="un")
    second_day(house, clock, awa, fatou)
    acts = frozenset({Act.SEE, Act.DEPOSIT})
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=acts, shelf="money"))
    assert len(shared_papers.papers_shared(house, fatou.session, grant)) == 1
    sharing.narrow(house, awa.session, grant, SAID, acts=frozenset({Act.DEPOSIT}))
    assert shared_papers.papers_shared(house, fatou.session, grant) == []
    arrival = arriving.at_unlock(house, awa.session)
    assert arrival.to_reencrypt == 1
    assert shared_papers.papers_shared(house, fatou.session, grant) == []


def test_a_drawer_narrowed_to_deposits_is_closed_to_its_old_key_too(any_house: Context, clock: Clock) -> None:
    """The worker kept the drawer's wrap, and their row of the key vault lives on: what is put in afterwards lies under another key."""
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    first = keep(any_house, awa.session, "un", text="un")
    second_day(any_house, clock, awa, fatou)
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(acts=frozenset({Act.SEE, Act.DEPOSIT}), shelf="money"))
    with any_house.database.transaction(read_only=True) as connection:
        lent = connection.execute(select(shelf_wraps)).one()
    place = contexts.wrap_shelf(person=awa.id, grant=grant, worker=fatou.id, shelf=lent.shelf, epoch=lent.epoch)
    answer = any_house.keyvault.derive("grant", grant, place)
    seed = envelope.open_granted_shelf(fatou.session.opened().kem, answer, place, lent.wrap)
    key = shelf_key(seed, contexts.shelf_key(person=awa.id, shelf=lent.shelf, epoch=lent.epoch))

    def opened() -> set[str]:
        found = set()
        with any_house.database.transaction(read_only=True) as connection:
            for row in connection.execute(joined()).all():
                with contextlib.suppress(Undecryptable):
                    envelope.unwrap(key, wrap_place(row), row.wrap)
                    found.add(row.paper)
        return found

    assert opened() == {first}  # the instrument can find something
    sharing.narrow(any_house, awa.session, grant, SAID, acts=frozenset({Act.DEPOSIT}))
    assert [progress.left for progress in reencryption.all_steps(any_house, awa.session)] == [0]
    keep(any_house, awa.session, "plus tard", text="deux")
    assert opened() == set()
    assert arriving.at_unlock(any_house, awa.session).to_reencrypt == 0  # nothing is done twice


def test_a_share_ends_with_its_last_day(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    paper = keep(any_house, awa.session, "Avis", text="un")
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(paper, acts=SEE, until=dt.date(2026, 11, 24)))
    clock.forward(days=1)
    sign_in(any_house, fatou)
    assert withdrawing.expire(any_house) == 0
    assert len(shared_papers.people_sharing(any_house, fatou.session)) == 1  # the last day counts whole
    clock.forward(days=1)
    sign_in(any_house, fatou)
    assert shared_papers.people_sharing(any_house, fatou.session) == []  # before any task has run
    assert withdrawing.expire(any_house) == 1
    assert withdrawing.expire(any_house) == 0
    assert not any_house.keyvault.exists("grant", grant)
    unlock(any_house, awa)
    (card,) = showing.grants_of(any_house, awa.session, ended=True)
    assert card.state is GrantState.EXPIRED
    assert arriving.at_unlock(any_house, awa.session).to_reencrypt == 1
    receipts = receipt_files.records_of(any_house, awa.session, grant)
    assert [receipt.receipt.change.state for receipt in receipts] == [GrantState.GIVEN, GrantState.EXPIRED]


def test_when_a_worker_leaves_every_share_ends(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, office, "Marc")
    awa, yonas = make_person(house, "Awa"), make_person(house, "Yonas")
    ending = [
        sharing.grant(house, person.session, fatou.id, offer(keep(house, person.session), acts=SEE)) for person in (awa, yonas)
    ]  # fmt: skip
    staying = sharing.grant(house, awa.session, marc.id, offer(keep(house, awa.session), acts=SEE))
    workers.end(house, office.admin, fatou.id, office.proof)
    assert [house.keyvault.exists("grant", grant) for grant in (*ending, staying)] == [False, False, True]
    assert [card.state for card in showing.grants_of(house, awa.session, ended=True)] == [GrantState.ENDED]
    assert [card.grant for card in showing.grants_of(house, awa.session)] == [staying]
    with pytest.raises(TermsRefused):
        sharing.grant(house, awa.session, fatou.id, offer(keep(house, awa.session), acts=SEE))


def test_moving_says_who_would_newly_see_and_asks(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    paper = keep(any_house, awa.session, "Ordonnance", "health", text="un")
    second_day(any_house, clock, awa, fatou)
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(shelf="money"))
    with pytest.raises(documents.WouldShow) as asked:
        documents.move(any_house, awa.session, paper, ShelfKind("money"))
    assert [(one.agreed, one.worker_name) for one in asked.value.seen] == [(grant, "Fatou, de l'équipe, ESI Les Tilleuls")]
    assert shared_papers.papers_shared(any_house, fatou.session, grant) == []
    documents.move(any_house, awa.session, paper, ShelfKind("money"), agreed=[grant])
    assert taken(any_house, fatou, grant, paper) == picture("received un")
    documents.move(any_house, awa.session, paper, ShelfKind("health"))
    with pytest.raises(NotThere):
        shared_papers.take(any_house, fatou.session, grant, paper)
    assert reencryption.waiting(any_house, awa.session) == 1  # the drawer's holder could have kept its key
    documents.move(any_house, awa.session, paper, ShelfKind("private"))
    with pytest.raises(TermsRefused):
        sharing.grant(any_house, awa.session, fatou.id, offer(paper, acts=SEE))
    with pytest.raises(TermsRefused):
        sharing.grant(any_house, awa.session, fatou.id, offer(shelf="private", acts=SEE))


def test_out_of_the_private_drawer_a_named_paper_is_shown_again_only_after_a_yes(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper = keep(house, awa.session, text="un")
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    documents.move(house, awa.session, paper, ShelfKind("private"))
    assert shared_papers.papers_shared(house, fatou.session, grant) == []
    with pytest.raises(documents.WouldShow):
        documents.move(house, awa.session, paper, ShelfKind("money"))
    documents.move(house, awa.session, paper, ShelfKind("money"), agreed=[grant])
    assert [one.paper for one in shared_papers.papers_shared(house, fatou.session, grant)] == [paper]


def test_a_share_that_fails_leaves_no_row_anywhere(house: Context) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    before = set(house.keyvault.owned(awa.id))
    with pytest.raises(NotThere):
        sharing.grant(house, awa.session, fatou.id, offer(PaperId(house.new_id()), acts=SEE))
    with pytest.raises(NotThere):
        sharing.grant(house, awa.session, house.new_id(), offer(keep(house, awa.session), acts=SEE))
    with pytest.raises(TermsRefused):
        sharing.grant(house, awa.session, fatou.id, offer(keep(house, awa.session), acts=SEE, until=dt.date(2026, 1, 1)))
    assert set(house.keyvault.owned(awa.id)) == before
    assert showing.grants_of(house, awa.session) == []


def test_the_role_limits_what_may_be_given(house: Context) -> None:
    office = make_office(house)
    ines, awa = make_worker(house, office, "Inès", "intern", ends=UNTIL), make_person(house)
    limits = sharing.offer_limits(house, awa.session, ines.id)
    assert (limits.acts, limits.first_day, limits.latest_until) == ({Act.DEPOSIT}, True, UNTIL)
    with pytest.raises(TermsRefused) as refused:
        sharing.grant(house, awa.session, ines.id, offer(keep(house, awa.session), acts=SEE))
    assert refused.value.reason is TermsReason.ROLE


def test_an_unknown_card_takes_nothing_back_and_is_told_nothing(house: Context) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    grant = sharing.grant(house, awa.session, fatou.id, offer(keep(house, awa.session), acts=SEE))
    (blank,) = cards.new_cards(1)
    shown = show_card(house, blank.text)
    assert showing.grants_of(house, shown) == []
    with pytest.raises(NotThere):
        withdrawing.withdraw(house, shown, grant, SAID)
    with pytest.raises(NotAllowed):
        withdrawing.withdraw(house, fatou.session, grant, SAID)
    assert house.keyvault.exists("grant", grant)
