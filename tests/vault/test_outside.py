"""Somebody outside, once: a link and a code open a few marked pages three times within a week, and nothing else ever does."""

import base64
import datetime as dt
import json

import pytest
from sqlalchemy import delete, func, select, update

from consent.errors import TermsRefused
from consent.ids import PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.receipt import verify_receipt
from consent.receipt_file import Anchors, ReceiptFile, verify_file
from crypto.signing import Signer
from storage.errors import RowGone
from storage.tables import attempts, outside_changes, outside_shares, outside_wraps, receipts
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, show_card, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.vault.test_erasure import ask_and_carry_out
from tests.vault.test_sharing import offer as shared
from tests.web.desk_scene import give, real_paper, stop
from vault import (
    audit,
    checkpoints,
    documents,
    held,
    outside,
    outside_links,
    outside_opening,
    portable,
    receipt_files,
    reencryption,
    sessions,
    sharing,
)  # fmt: skip
from vault.context import Context
from vault.errors import BadInput, MustWait, NotAllowed, NotThere, Tampered, WrongSecret
from vault.outside import Given, OutsideOffer
from vault.sessions import Session


def offer(*papers: PaperId, recipient: str = "Banque du Canal", purpose: str = "bank", marked: bool = True) -> OutsideOffer:
    return OutsideOffer(papers, recipient, PurposeId(purpose), SAID, words="un compte en banque", marked=marked)


def second_day(house: Context, name: str = "Awa") -> MadePerson:
    """Nothing goes out on the first day."""
    person = make_person(house, name)
    assert isinstance(house.clock, Clock)
    house.clock.forward(days=1)
    unlock(house, person)
    return person


def enter(house: Context, given: Given) -> Session:
    return sessions.find(house, outside_opening.enter(house, given.secrets.groups.lower(), f" {given.secrets.code} "))


def tags(house: Context, person: MadePerson) -> list[str]:
    return [entry.event.tag for entry in audit.history(house, person.session)]


def test_given_opened_three_times_and_no_more(any_house: Context) -> None:
    awa = second_day(any_house)
    first = keep(any_house, awa.session, "Carte", "identity", sort="identity-card")
    second = keep(any_house, awa.session, "RIB", "money", sort="bank-details")
    given = outside.give(any_house, awa.session, offer(second, first))
    assert given.until == any_house.clock().replace(microsecond=0) + dt.timedelta(days=7)
    for left in (2, 1, 0):
        session = enter(any_house, given)
        look = outside_opening.look(any_house, session)
        assert (look.recipient, look.purpose, look.openings_left) == ("Banque du Canal", "bank", left)
        assert [(one.number, one.kind) for one in look.sheets] == [(1, "bank-details"), (2, "identity-card")]
    with pytest.raises(WrongSecret):
        enter(any_house, given)
    (card,) = outside.mine(any_house, awa.session)
    assert (card.recipient, card.papers, card.openings_left, len(card.opened)) == ("Banque du Canal", 2, 0, 3)
    assert tags(any_house, awa).count("outside.opened") == 3
    assert isinstance(any_house.clock, Clock)
    any_house.clock.forward(minutes=31)  # the last look is over
    with pytest.raises(NotThere):
        outside_opening.look(any_house, session)
    assert outside.expire(any_house) == 1
    with pytest.raises(RowGone):
        outside_links.vaulted(any_house, awa.id, given.share)
    unlock(any_house, awa)
    assert outside.mine(any_house, awa.session) == []
    (over,) = outside.mine(any_house, awa.session, ended=True)
    assert (over.state, over.recipient) == ("expired", "Banque du Canal")


def test_the_receipt_says_who_what_for_until_when_and_verifies(house: Context) -> None:
    awa = second_day(house)
    given = outside.give(house, awa.session, offer(keep(house, awa.session, "Avis", "money", sort="tax-notice")))
    outside.withdraw(house, awa.session, given.share, SAID)
    begun, ended = receipt_files.records_of(house, awa.session, given.share)
    public = Signer(awa.session.opened().sign).public
    for one in (begun, ended):
        receipt = verify_receipt(one, service=house.service.public, person=public)
        assert receipt.recipient.name == "Banque du Canal"
        assert receipt.processing is not None
        assert [category.kinds for category in receipt.processing.categories] == [("tax-notice",)]
    assert (begun.receipt.change.state.value, ended.receipt.change.state.value) == ("given", "withdrawn")
    assert begun.receipt.change.until == (house.clock() + dt.timedelta(days=7)).date()
    assert ended.receipt.replaces == begun.receipt.record
    with pytest.raises(NotThere):
        receipt_files.records_of(house, make_person(house, "Yonas").session, given.share)


def test_its_receipts_leave_with_those_of_the_shares_and_verify_elsewhere(house: Context) -> None:
    """In the file of the link, in the file of everything, and in the copy of all that Abri holds."""
    awa = second_day(house)
    given = outside.give(house, awa.session, offer(keep(house, awa.session, "Avis", "money", sort="tax-notice")))
    grant = sharing.grant(house, awa.session, make_worker(house, make_office(house)).id, shared(keep(house, awa.session, "un")))
    outside.withdraw(house, awa.session, given.share, SAID)
    anchors = Anchors(house.service.ring, checkpoints.keys(house), house.settings.root_keys)
    alone = ReceiptFile.from_bytes(receipt_files.of_share(house, awa.session, given.share))
    assert [one.receipt.change.state.value for one in alone.receipts] == ["given", "withdrawn"]
    assert len(verify_file(alone.to_bytes(), anchors)) == 2
    every = ReceiptFile.from_bytes(receipt_files.of_all(house, awa.session))
    assert {one.receipt.grant for one in every.receipts} == {given.share, grant}
    assert len(verify_file(every.to_bytes(), anchors)) == 3
    told = held.texts(house, awa.session)
    assert len(json.loads(told[portable.RECEIPTS])["receipts"]) == 3
    (link,) = json.loads(told[portable.SHARES])["outside"]
    assert (link["id"], link["who"], link["state"]) == (given.share, "Banque du Canal", "withdrawn")
    with pytest.raises(NotThere):
        receipt_files.of_share(house, make_person(house, "Yonas").session, given.share)


def test_a_damaged_receipt_keeps_nobody_from_taking_a_link_back(house: Context) -> None:
    awa = second_day(house)
    given = outside.give(house, awa.session, offer(keep(house, awa.session)))
    with house.database.transaction() as connection:
        connection.execute(update(receipts).values(digest="00" * 32))
    with pytest.raises(Tampered):
        receipt_files.records_of(house, awa.session, given.share)
    outside.withdraw(house, awa.session, given.share, SAID)
    assert outside.mine(house, awa.session) == []
    assert {"share": given.share, "damaged": True} in json.loads(held.texts(house, awa.session)[portable.RECEIPTS])["receipts"]


def test_what_is_wrong_is_one_answer_and_waits_alike(house: Context, clock: Clock) -> None:
    awa = second_day(house)
    given = outside.give(house, awa.session, offer(keep(house, awa.session)))
    wrong = "000000" if given.secrets.code != "000000" else "000001"
    unknown = outside_links.draw()
    for link in (given.secrets.link, unknown.link):
        for _ in range(3):
            with pytest.raises(WrongSecret):
                outside_opening.enter(house, link, wrong)
        with pytest.raises(MustWait) as waits:
            outside_opening.enter(house, link, given.secrets.code)
        assert waits.value.seconds == 60
    assert tags(house, awa).count("outside.wrong-code") == 3
    clock.forward(seconds=61)
    enter(house, given)  # the count starts again
    for shown in ("", "ABCD", given.secrets.link + "0", "é" * 20):
        with pytest.raises(WrongSecret):
            outside_opening.enter(house, shown, given.secrets.code)
    for code in ("", "12345", "１２３４５６", "1234567"):
        with pytest.raises(WrongSecret):
            outside_opening.enter(house, given.secrets.link, code)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar_one() == 1


def test_a_link_is_read_as_people_type_it() -> None:
    drawn = outside_links.Secrets("0123456789ABCDEFGHJK", "004211")
    assert outside_links.read("o123-4567 89ab cdef-ghjk", "004 211") == drawn
    assert outside_links.read("OI23-4567-89AB-CDEF-GHJK", "004211") == drawn
    assert drawn.groups == "0123-4567-89AB-CDEF-GHJK"
    assert "0123" not in repr(drawn)


def test_taken_back_with_the_card_alone_nothing_opens_and_papers_are_sealed_anew(house: Context) -> None:
    awa = second_day(house)
    paper = keep(house, awa.session, "Avis", "money", sort="tax-notice")
    given = outside.give(house, awa.session, offer(paper))
    inside = enter(house, given)
    card = show_card(house, awa.card)
    (line,) = outside.mine(house, card)
    assert (line.share, line.recipient) == (given.share, "")
    outside.withdraw(house, card, given.share, SAID)
    outside.withdraw(house, show_card(house, awa.card), given.share, SAID)
    for refused in (lambda: outside_opening.look(house, inside), lambda: outside_opening.page_image(house, inside, 1, 1)):
        with pytest.raises(NotThere):
            refused()
    with pytest.raises(WrongSecret):
        enter(house, given)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(outside_wraps)).scalar_one() == 0
    unlock(house, awa)
    assert reencryption.waiting(house, awa.session) == 1
    with pytest.raises(NotThere):
        outside.withdraw(house, make_person(house, "Yonas").session, given.share, SAID)


def test_what_is_sealed_anew_or_replaced_still_opens_and_what_is_thrown_away_does_not(house: Context) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), second_day(house)
    paper, other = (keep(house, awa.session, name, "money", sort="tax-notice", text=name) for name in ("un", "deux"))
    grant = give(house, awa, fatou, paper)
    given = outside.give(house, awa.session, offer(paper, other))
    stop(house, awa, grant)
    assert [one.left for one in reencryption.all_steps(house, awa.session)] == [0]
    assert len(outside_opening.look(house, enter(house, given)).sheets) == 2
    keep(house, awa.session, "trois", "money", text="trois", replaces=other)
    assert len(outside_opening.look(house, enter(house, given)).sheets) == 2
    documents.remove(house, awa.session, other)
    session = enter(house, given)
    assert len(outside_opening.look(house, session).sheets) == 1
    documents.erase_now(house, awa.session, paper)
    assert outside_opening.look(house, session).sheets == ()
    with pytest.raises(NotThere):
        outside_opening.as_dossier(house, session)


@pytest.mark.parametrize("how", ["hidden", "thrown-away", "erased", "key-gone", "taken-back"])
def test_what_changes_while_it_is_drawn_does_not_leave(
    any_house: Context, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:  # fmt: skip
    """The last look asks each paper and its key again, not only whether the link lives: a whole dossier is drawn for many seconds."""
    house, awa = any_house, second_day(any_house)
    paper, other = (keep(house, awa.session, name, "money", sort="tax-notice", text=name) for name in ("un", "deux"))
    given = outside.give(house, awa.session, offer(other, paper))
    session = enter(house, given)

    def drawn(*_: object, **__: object) -> bytes:
        if how == "hidden":
            documents.move(house, awa.session, paper, ShelfKind("private"))
        elif how == "thrown-away":
            documents.remove(house, awa.session, paper)
        elif how == "erased":
            documents.erase_now(house, awa.session, paper)
        elif how == "taken-back":
            outside.withdraw(house, awa.session, given.share, SAID)
        else:
            with house.database.transaction() as connection:
                connection.execute(delete(outside_wraps).where(outside_wraps.c.paper == paper))
        return b"drawn"

    monkeypatch.setattr(outside_opening.dossiers, "bound", drawn)  # what takes long, and meanwhile the person acts
    with pytest.raises(NotThere):
        outside_opening.as_dossier(house, session)
    monkeypatch.setattr(outside_opening.dossiers, "bound", lambda *_, **__: b"drawn")
    if how != "taken-back":
        assert outside_opening.as_dossier(house, session) == b"drawn"  # the other one still leaves
    taken = [entry.event.paper for entry in audit.history(house, awa.session) if entry.event.tag == "outside.taken"]
    assert taken == ([] if how == "taken-back" else [other])


def test_who_may_give_and_what(house: Context) -> None:
    awa = make_person(house, "Awa")
    paper = keep(house, awa.session)
    with pytest.raises(TermsRefused):  # the first day: what has gone out cannot be taken back
        outside.give(house, awa.session, offer(paper))
    assert isinstance(house.clock, Clock)
    house.clock.forward(days=1)
    unlock(house, awa)
    for wrong in ("", " Banque", "x" * 81, "Banque\n"):
        with pytest.raises(BadInput):
            outside.give(house, awa.session, offer(paper, recipient=wrong))
    with pytest.raises(BadInput):
        outside.give(house, awa.session, offer(paper, paper))
    with pytest.raises(NotThere):
        outside.give(house, awa.session, offer(keep(house, awa.session, "Secret", "private")))
    fatou = make_worker(house, make_office(house))
    for session in (fatou.session, show_card(house, awa.card)):
        with pytest.raises(NotAllowed):
            outside.give(house, session, offer(paper))
    with pytest.raises(NotAllowed):
        outside_opening.look(house, awa.session)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(outside_shares)).scalar_one() == 0


def test_nobody_reads_the_link_in_the_stores_and_it_dies_with_the_safe(house: Context, clock: Clock) -> None:
    awa = second_day(house)
    given = outside.give(house, awa.session, offer(keep(house, awa.session), recipient="Banque Inconnue"))
    session = enter(house, given)
    with house.database.transaction(read_only=True) as connection:
        dumped = repr([connection.execute(select(table)).all() for table in (outside_shares, outside_wraps, receipts, attempts)])
    encoded = base64.b32encode(given.secrets.link.encode()).decode()
    for secret in (given.secrets.link, given.secrets.groups, given.secrets.code + "'", encoded, "Banque Inconnue"):
        assert secret not in dumped
    assert outside_opening.look(house, session).recipient == "Banque Inconnue"
    before = receipt_files.records_of(house, awa.session, given.share)[0].receipt.record
    ask_and_carry_out(house, clock, awa)
    with pytest.raises(WrongSecret):
        enter(house, given)
    with pytest.raises(NotThere):
        outside_opening.look(house, session)
    with pytest.raises(RowGone):
        outside_links.vaulted(house, awa.id, given.share)
    with house.database.transaction(read_only=True) as connection:
        left = connection.execute(select(receipts).where(receipts.c.id == before)).one()
        assert (left.for_person, left.grant) == (None, None)  # a number, a day and a digest, tied to nothing
        for table in (outside_shares, outside_wraps, outside_changes):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_pages_are_marked_with_the_name_the_reason_and_the_minute(reading_house: Context) -> None:
    house = reading_house
    awa = second_day(house)
    paper = real_paper(house, awa)
    given = outside.give(house, awa.session, offer(paper))
    bare = documents.page_image(house, awa.session, paper, 1)
    session = enter(house, given)
    shown = outside_opening.page_image(house, session, 1, 1)
    assert (shown.pages, shown.width) == (1, bare.width)
    assert shown.height > bare.height  # the foot
    with pytest.raises(NotThere):
        outside_opening.page_image(house, session, 2, 1)
    made = outside_opening.as_dossier(house, session)
    assert made.startswith(b"%PDF")
    told = {(entry.event.tag, entry.event.by_name, entry.event.paper) for entry in audit.history(house, awa.session)}
    assert {(f"outside.{act}", "Banque du Canal", paper) for act in ("seen", "taken")} <= told
