"""Article 19: each recipient told, their answer, the reminder, the counts; nobody learns who erased."""

import pytest
from sqlalchemy import select, update

from storage.tables import accounts
from storage.tables import article19 as rows
from tests.vault.builders import sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, make_circle
from tests.vault.papers import SAID, keep
from tests.vault.test_sharing import SEE, offer, second_day
from vault import article19, audit, certificates, erasing, erasure, notices, outside, sharing, workers
from vault.context import Context
from vault.errors import BadInput, NotAllowed, NotThere
from vault.outside import OutsideOffer


@pytest.fixture
def erased(house: Context, clock: Clock) -> tuple[Circle, str]:
    """Fatou and Marc had each seen a paper of Awa's; she erased everything. The number of the certificate."""
    made = make_circle(house)
    second_day(house, clock)
    paper = keep(house, unlock(house, made.awa), "Bail")
    for worker in (made.fatou, made.marc):
        sharing.grant(house, made.awa.session, worker.id, offer(paper, acts=SEE))
    sharing.grant(house, made.awa.session, made.marc.id, offer(paper, acts=SEE))
    going = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=73)
    for one in erasing.due(house):
        erasing.carry_out(house, one)
    return made, going.number


def test_each_recipient_is_told_answers_and_is_counted(house: Context, clock: Clock, erased: tuple[Circle, str]) -> None:
    """Once each, by the shares' ids; done, or kept because; then they are asked no more, and the numbers say so."""
    made, number = erased
    fatou, marc = sign_in(house, made.fatou), sign_in(house, made.marc)
    (hers,), (his,) = article19.waiting(house, fatou), article19.waiting(house, marc)
    assert (len(hers.grants), len(his.grants)) == (1, 2)
    assert [one.key for one in notices.waiting(house, fatou)] == ["person-erased"]
    assert article19.counts(house, number) == article19.Counts(2, 0, 0, 0)
    for answer, reason, field in (("burnt", "", "answer"), ("keeps", " ", "reason"), ("done", "parce que", "reason")):
        with pytest.raises(BadInput) as refused:
            article19.answer(house, fatou, hers.id, answer, reason)
        assert refused.value.field == field
    with pytest.raises(NotThere):
        article19.answer(house, marc, hers.id, "done")
    article19.answer(house, fatou, hers.id, "done")
    article19.answer(house, marc, his.id, "keeps", "le juge a la copie")
    with pytest.raises(NotThere):
        article19.answer(house, fatou, hers.id, "not-there")
    assert article19.waiting(house, fatou) == []
    said = article19.counts(house, number)
    assert (said.told, said.done, said.keeps, said.waiting) == (2, 1, 1, 0)
    assert "erasure.recipient-answered" in {one.event.tag for one in audit.history(house, fatou)}
    assert article19.remind(house) == 0


def test_who_has_not_answered_is_reminded_and_seen_by_their_own_office(
    house: Context, clock: Clock, erased: tuple[Circle, str]
) -> None:  # fmt: skip
    made, _ = erased
    clock.forward(days=13)
    assert article19.remind(house) == 0
    clock.forward(days=1)
    assert article19.remind(house) == 2
    assert article19.remind(house) == 0
    assert "person-erased-again" in {one.key for one in notices.waiting(house, sign_in(house, made.fatou))}
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    (line,) = article19.of_office(house, nadia)
    assert (line.name, line.late, line.at_work, line.days) == ("Fatou", True, True, 14)
    workers.end(house, nadia, made.fatou.id)
    (left,) = article19.of_office(house, nadia)
    assert left.at_work is False
    theirs = sign_in_administrator(house, made.canal.administrators[0])
    assert [one.name for one in article19.of_office(house, theirs)] == ["Marc"]
    with pytest.raises(NotThere):
        article19.one_of_office(house, theirs, line.id)
    with pytest.raises(NotAllowed):
        article19.of_office(house, made.marc.session)


def test_no_row_of_it_ties_anybody_to_the_erased_safe(house: Context, erased: tuple[Circle, str]) -> None:
    made, _ = erased
    with house.database.transaction(read_only=True) as connection:
        kept = repr(connection.execute(select(rows)).all())
    assert made.awa.id not in kept
    assert "Awa" not in kept


def test_the_person_reads_whom_they_gave_something_outside(house: Context, clock: Clock) -> None:
    """Only they can name them: their letters are printed before the yes."""
    made = make_circle(house)
    second_day(house, clock)
    paper = keep(house, unlock(house, made.awa), "Bail")
    assert article19.outside_recipients(house, made.awa.session) == []
    outside.give(house, made.awa.session, OutsideOffer((paper,), "Madame Diallo", "home", SAID, "", "pour le dossier", True))
    assert article19.outside_recipients(house, made.awa.session) == ["Madame Diallo"]


def test_a_recipient_whose_keys_nothing_vouches_for_stops_no_erasure(house: Context, clock: Clock) -> None:
    """Their account's row was altered: nothing can be posted to it. It is certified all the same, and their office prints a letter."""
    made = make_circle(house)
    second_day(house, clock)
    paper = keep(house, unlock(house, made.awa), "Bail")
    sharing.grant(house, made.awa.session, made.marc.id, offer(paper, acts=SEE))
    going = erasure.ask(house, made.awa.session, made.awa.code)
    with house.database.transaction() as connection:
        connection.execute(update(accounts).where(accounts.c.id == made.marc.id).values(keys_signature=bytes(64)))
    clock.forward(hours=72)
    erasing.carry_out(house, going.id)
    assert certificates.find(house, going.number).said.recipients == 1
    (told,) = article19.of_office(house, sign_in_administrator(house, made.canal.administrators[0]))
    assert (told.name, told.at_work, told.answer) == ("Marc", False, "")


def test_one_recipient_whose_keys_do_not_hold_stops_no_reminder(house: Context, clock: Clock, erased: tuple[Circle, str]) -> None:
    """Fatou is reminded; Marc, who can read nothing, is late in the eyes of his office."""
    made, _ = erased
    with house.database.transaction() as connection:
        connection.execute(update(accounts).where(accounts.c.id == made.marc.id).values(keys_signature=bytes(64)))
    clock.forward(days=15)
    assert article19.remind(house) == 2
    assert "person-erased-again" in [one.key for one in notices.waiting(house, sign_in(house, made.fatou))]
    (his,) = article19.of_office(house, sign_in_administrator(house, made.canal.administrators[0]))
    assert his.late
    assert article19.remind(house) == 0
