"""Workers and administrators: invited, certified by two, suspended, back, ended; and how they sign in."""

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy import delete, select, update

from consent.recipients import RecipientState
from crypto.errors import BadSignature, Malformed
from crypto.kem import public_key
from crypto.keys import KemSeed, SignSeed
from crypto.signing import Signer, SignPublic
from crypto.statements import Certificate
from storage.tables import accounts, certificate_signatures, invitations, structures
from storage.tables import administrators as office_rows
from storage.tables import workers as rows
from tests.vault.builders import (
    MadeWorker,
    Office,
    make_office,
    make_person,
    make_worker,
    one_time_password,
    show_card,
    sign_in,
    sign_in_administrator,
)
from tests.vault.clock import Clock
from tests.vault.test_entries import tags
from vault import audit, inviting, people, sessions, wordlist, workers
from vault.context import Context
from vault.errors import (
    AbriError,
    Absent,
    BadInput,
    Conflict,
    NoSession,
    NotAllowed,
    NotThere,
    WrongSecret,
)


def invited(house: Context, office: Office, role: str = "salaried", ends: dt.date | None = None) -> sessions.Session:
    code = workers.invite(house, office.admin, office.structure, "Fatou", role, ends)
    return sessions.find(house, workers.start_accepting(house, code))


def line(house: Context, office: Office, worker: str) -> workers.WorkerLine:
    (found,) = [one for one in workers.of_office(house, office.admin) if one.id == worker]
    return found


def certificate(house: Context, worker: str) -> Certificate:
    with house.database.transaction(read_only=True) as connection:
        return workers.verified_certificate(house, connection, worker)


def state(house: Context, worker: str) -> RecipientState:
    with house.database.transaction(read_only=True) as connection:
        return workers.recipient(house, connection, worker).state


# --- Invited, accepted ---------------------------------------------------------------------------------------------------------


def test_a_worker_is_invited_accepts_and_is_certified_by_two(any_house: Context) -> None:
    office = make_office(any_house)
    fatou = make_worker(any_house, office)
    said = certificate(any_house, fatou.id)
    assert (said.name, said.role, said.structure, said.end) == ("Fatou", "salaried", office.structure, "")
    me = workers.me(any_house, fatou.session)
    assert (me.first_name, me.structure_name, me.state) == ("Fatou", office.name, RecipientState.CERTIFIED)
    assert state(any_house, fatou.id) == RecipientState.CERTIFIED
    tags = [entry.event.tag for entry in audit.history(any_house, fatou.session)]
    assert tags.count("worker.certified") == 2
    assert {"worker.accepted", "worker.signed-in"} <= set(tags)


def test_nothing_is_written_before_the_words_are_typed_back(house: Context) -> None:
    office = make_office(house)
    session = invited(house, office)
    workers.acceptance(house, session)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(rows)).all() == []
        assert len(connection.execute(select(invitations)).all()) == 1


def test_words_and_authenticator_must_answer(house: Context) -> None:
    session = invited(house, make_office(house))
    shown = workers.acceptance(house, session)
    assert shown.totp_uri.startswith("otpauth://totp/")
    for words, totp, charter, field in (
        (wordlist.draw(6), one_time_password(house, shown.totp), "2026-11", "words"),
        (shown.words[:5], one_time_password(house, shown.totp), "2026-11", "words"),
        (shown.words, "000000", "2026-11", "totp"),
        (shown.words, "", "2026-11", "totp"),
        (shown.words, one_time_password(house, shown.totp), "", "charter"),
    ):
        with pytest.raises(BadInput) as refused:
            workers.accept(house, session, words, totp, charter=charter)
        assert refused.value.field == field
    typed = " ".join(wordlist.plain(word) for word in shown.words)
    assert workers.accept(house, session, typed, one_time_password(house, shown.totp), charter="2026-11")


def test_an_invitation_serves_once_and_for_three_days(house: Context, clock: Clock) -> None:
    office = make_office(house)
    code = workers.invite(house, office.admin, office.structure, "Fatou", "salaried", None)
    first = sessions.find(house, workers.start_accepting(house, code))
    second = sessions.find(house, workers.start_accepting(house, code.lower()))
    shown, other = workers.acceptance(house, first), workers.acceptance(house, second)
    workers.accept(house, first, shown.words, one_time_password(house, shown.totp), charter="1")
    with pytest.raises(NoSession):
        workers.accept(house, second, other.words, one_time_password(house, other.totp), charter="1")
    with pytest.raises(WrongSecret):
        workers.start_accepting(house, code)
    late = workers.invite(
        house, sign_in_administrator(house, office.administrators[0]), office.structure, "Inès", "salaried", None
    )
    clock.forward(days=3)
    with pytest.raises(WrongSecret):
        workers.start_accepting(house, late)
    assert inviting.sweep_invitations(house) == 1


def test_an_invitation_is_listed_and_taken_back(house: Context) -> None:
    office, other = make_office(house), make_office(house, "ESI Le Canal")
    code = workers.invite(house, office.admin, office.structure, "Fatou", "salaried", None)
    (waiting,) = workers.invitations(house, office.admin)
    assert (waiting.first_name, waiting.structure_name) == ("Fatou", office.name)
    assert workers.invitations(house, other.admin) == []
    with pytest.raises(NotThere):
        workers.cancel_invitation(house, other.admin, waiting.id)
    workers.cancel_invitation(house, office.admin, waiting.id)
    with pytest.raises(WrongSecret):
        workers.start_accepting(house, code)


@pytest.mark.parametrize(
    ("role", "days", "field"),
    [("intern", None, "ends"), ("volunteer", None, "ends"), ("salaried", -1, "ends"), ("chef", None, "role"), ("", None, "role")],
)
def test_a_role_that_does_not_last_needs_an_end(house: Context, clock: Clock, role: str, days: int | None, field: str) -> None:
    office = make_office(house)
    ends = None if days is None else clock.now.date() + dt.timedelta(days=days)
    with pytest.raises(BadInput) as refused:
        workers.invite(house, office.admin, office.structure, "Fatou", role, ends)
    assert refused.value.field == field


def test_an_operator_invites_only_to_its_own_structures(house: Context) -> None:
    office, other = make_office(house), make_office(house, "ESI Le Canal")
    with pytest.raises(NotThere):
        workers.invite(house, office.admin, other.structure, "Fatou", "salaried", None)
    assert [one.id for one in workers.structures_of(house, office.admin)] == [office.structure]


# --- Certified by two -------------------------------------------------------------------------------------------------------------


def test_one_signature_is_not_two(house: Context) -> None:
    office = make_office(house)
    fatou = make_worker_waiting(house, office)
    assert workers.certify(house, office.admin, fatou) is False
    assert line(house, office, fatou).signed_by == ("Nadia",)
    assert not line(house, office, fatou).may_i_sign
    with pytest.raises(Conflict):
        workers.certify(house, office.admin, fatou)
    with pytest.raises(NotThere):
        certificate(house, fatou)
    assert workers.recipients(house, office.admin) == []
    assert workers.certify(house, office.administrators[1].session, fatou) is True
    assert line(house, office, fatou).signed_by == ("Hugo", "Nadia")
    with pytest.raises(Conflict):
        workers.certify(house, office.administrators[1].session, fatou)


def make_worker_waiting(house: Context, office: Office) -> str:
    session = invited(house, office)
    shown = workers.acceptance(house, session)
    return workers.accept(house, session, shown.words, one_time_password(house, shown.totp), charter="2026-11")


def test_an_administrator_of_another_operator_certifies_nobody_here(house: Context) -> None:
    office, other = make_office(house), make_office(house, "ESI Le Canal")
    fatou = make_worker_waiting(house, office)
    with pytest.raises(NotThere):
        workers.certify(house, other.admin, fatou)
    for act in (workers.suspend, workers.return_, workers.end):
        arguments: tuple[Any, ...] = (None,) if act is workers.suspend else ()
        with pytest.raises(NotThere):
            cast("Callable[..., None]", act)(house, other.admin, fatou, *arguments)


def test_an_administrator_whose_key_is_no_root_key_certifies_nobody(house: Context) -> None:
    office = make_office(house)
    fatou = make_worker_waiting(house, office)
    roots = cast("dict[str, SignPublic]", house.settings.root_keys)
    kept = roots.pop(office.administrators[0].id)
    with pytest.raises(NotAllowed):
        workers.certify(house, office.admin, fatou)
    roots[office.administrators[0].id] = Signer(SignSeed.random()).public
    with pytest.raises(NotAllowed):
        workers.certify(house, office.admin, fatou)
    roots[office.administrators[0].id] = kept
    workers.certify(house, office.admin, fatou)


def test_only_administrators_certify(house: Context) -> None:
    office = make_office(house)
    marc, fatou, awa = make_worker(house, office, "Marc"), make_worker_waiting(house, office), make_person(house)
    for session in (marc.session, awa.session, show_card(house, awa.card)):
        with pytest.raises(NotAllowed):
            workers.certify(house, session, fatou)


def test_keys_put_in_the_row_before_the_signature_are_found(house: Context) -> None:
    office = make_office(house)
    fatou = make_worker_waiting(house, office)
    with house.database.transaction() as connection:
        planted = public_key(KemSeed.random())
        connection.execute(update(accounts).where(accounts.c.id == fatou).values(kem_public=planted))
    with pytest.raises(AbriError):
        workers.certify(house, office.admin, fatou)


def _another_name(connection: Any, worker: str) -> None:
    connection.execute(update(rows).where(rows.c.account == worker).values(first_name="Awa"))


def _another_role(connection: Any, worker: str) -> None:
    connection.execute(update(rows).where(rows.c.account == worker).values(role="lawyer"))


def _a_later_end(connection: Any, worker: str) -> None:
    connection.execute(update(rows).where(rows.c.account == worker).values(ends=dt.date(2030, 1, 1)))


def _planted_keys(connection: Any, worker: str) -> None:
    connection.execute(update(accounts).where(accounts.c.id == worker).values(kem_public=public_key(KemSeed.random())))


def _one_signature_less(connection: Any, worker: str) -> None:
    wanted = certificate_signatures.c.worker == worker
    one = connection.execute(select(certificate_signatures.c.administrator).where(wanted).limit(1)).scalar_one()
    connection.execute(delete(certificate_signatures).where(wanted, certificate_signatures.c.administrator == one))


def _one_signature_twice(connection: Any, worker: str) -> None:
    wanted = certificate_signatures.c.worker == worker
    first, second = connection.execute(select(certificate_signatures).where(wanted)).all()
    connection.execute(
        update(certificate_signatures)
        .where(wanted, certificate_signatures.c.administrator == second.administrator)
        .values(signature=first.signature)
    )


def _a_flipped_signature(connection: Any, worker: str) -> None:
    wanted = certificate_signatures.c.worker == worker
    first = connection.execute(select(certificate_signatures).where(wanted)).first()
    flipped = bytes([first.signature[0] ^ 1]) + first.signature[1:]
    connection.execute(
        update(certificate_signatures)
        .where(wanted, certificate_signatures.c.administrator == first.administrator)
        .values(signature=flipped)
    )


def _a_cut_certificate(connection: Any, worker: str) -> None:
    said = connection.execute(select(rows.c.certificate).where(rows.c.account == worker)).scalar_one()
    connection.execute(update(rows).where(rows.c.account == worker).values(certificate=said[:-1]))


@pytest.mark.parametrize(
    "tamper",
    [
        _another_name, _another_role, _a_later_end, _planted_keys, _one_signature_less, _one_signature_twice, _a_flipped_signature,
        _a_cut_certificate,
    ],
)  # fmt: skip
def test_a_certificate_is_verified_at_each_use(house: Context, tamper: Callable[[Any, str], None]) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    assert [one.id for one in workers.recipients(house, awa.session)] == [fatou.id]
    with house.database.transaction() as connection:
        tamper(connection, fatou.id)
    with pytest.raises((BadSignature, Malformed)):
        certificate(house, fatou.id)
    assert workers.recipients(house, awa.session) == []
    with pytest.raises((BadSignature, Malformed)):
        people.lift_wait(house, fatou.session, awa.card)


def test_a_root_key_withdrawn_takes_its_certificates_with_it(house: Context) -> None:
    office = make_office(house)
    fatou = make_worker(house, office)
    cast("dict[str, SignPublic]", house.settings.root_keys).pop(office.administrators[1].id)
    with pytest.raises(BadSignature):
        certificate(house, fatou.id)


def test_signatures_of_two_operators_do_not_add_up(house: Context) -> None:
    office, other = make_office(house), make_office(house, "ESI Le Canal")
    fatou = make_worker(house, office)
    with house.database.transaction() as connection:
        operator = connection.execute(select(structures.c.operator).where(structures.c.id == other.structure)).scalar_one()
        moved = update(office_rows).where(office_rows.c.account == office.administrators[0].id)
        connection.execute(moved.values(operator=operator))
    with pytest.raises(BadSignature):
        certificate(house, fatou.id)


# --- Away, back, gone --------------------------------------------------------------------------------------------------------------


def test_a_suspended_worker_sees_only_that_they_are(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    paul, awa = make_worker(any_house, office, "Paul"), make_person(any_house)
    cookie = _sign_in_cookie(any_house, paul)
    until = clock.now.date() + dt.timedelta(days=12)
    workers.suspend(any_house, office.admin, paul.id, until)
    with pytest.raises(NoSession):
        sessions.find(any_house, cookie)
    with pytest.raises(Absent) as refused:
        sign_in(any_house, paul)
    assert refused.value.until == until
    assert state(any_house, paul.id) == RecipientState.SUSPENDED
    assert workers.recipients(any_house, awa.session) == []
    assert line(any_house, office, paul.id).absent_until == until
    workers.return_(any_house, office.admin, paul.id)
    assert sign_in(any_house, paul).account == paul.id
    assert state(any_house, paul.id) == RecipientState.CERTIFIED
    told = [one.event.tag for one in audit.history(any_house, paul.session)]
    assert (told.count("worker.suspended"), told.count("worker.returned")) == (1, 1)


def _sign_in_cookie(house: Context, worker: MadeWorker) -> str:
    return workers.sign_in(house, worker.code, worker.words, one_time_password(house, worker.totp))


def test_a_worker_who_ends_never_comes_back(any_house: Context) -> None:
    office = make_office(any_house)
    fatou = make_worker(any_house, office)
    cookie = _sign_in_cookie(any_house, fatou)
    workers.end(any_house, office.admin, fatou.id, office.proof)
    with pytest.raises(NoSession):
        sessions.find(any_house, cookie)
    with pytest.raises(WrongSecret):
        sign_in(any_house, fatou)
    assert [kind for kind, _ in any_house.keyvault.owned(fatou.id) if kind == "slot"] == []
    for act in (workers.return_, workers.end):
        with pytest.raises(Conflict):
            act(any_house, office.admin, fatou.id)
    assert line(any_house, office, fatou.id).state == RecipientState.ENDED
    assert list(tags(any_house).values()).count("worker.ended") == 1


def test_the_last_day_counts_whole_and_then_the_account_ends(house: Context, clock: Clock) -> None:
    office = make_office(house)
    ends = clock.now.date() + dt.timedelta(days=20)
    ines = make_worker(house, office, "Inès", "intern", ends=ends)
    assert certificate(house, ines.id).end == ends.isoformat()
    clock.forward(days=20)
    assert sign_in(house, ines).account == ines.id
    assert workers.end_due(house) == 0
    clock.forward(days=1)
    with pytest.raises(WrongSecret):
        sign_in(house, ines)
    awa = make_person(house)
    assert workers.recipients(house, awa.session) == []
    assert workers.end_due(house) == 1
    assert workers.end_due(house) == 0
    sign_in_administrator(house, office.administrators[0])
    assert line(house, office, ines.id).state == RecipientState.ENDED


def test_steps_that_do_not_follow_are_refused(house: Context) -> None:
    office = make_office(house)
    waiting, fatou = make_worker_waiting(house, office), make_worker(house, office)
    with pytest.raises(Conflict):
        workers.suspend(house, office.admin, waiting, None)
    with pytest.raises(Conflict):
        workers.return_(house, office.admin, fatou.id)
    with pytest.raises(NotThere):
        workers.end(house, office.admin, "22222222-2222-4222-8222-222222222222")


def test_who_is_chosen_from_stands_first_where_the_kiosk_is(house: Context) -> None:
    here, there = make_office(house, "ESI Z"), make_office(house, "ESI A")
    make_worker(house, there, "Marc")
    make_worker(house, here, "Fatou")
    awa = make_person(house, kiosk=here.kiosk)
    found = [(one.first_name, one.here) for one in workers.recipients(house, awa.session)]
    assert found == [("Fatou", True), ("Marc", False)]
