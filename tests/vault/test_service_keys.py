"""The service's own keys turn: what the old ones signed verifies, what they sealed opens, and no power cut leaves neither."""

import dataclasses
import datetime as dt
import json
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from consent.receipt_file import Anchors, NotVerified, verify_file
from crypto import checkpoint
from crypto.agerecipients import HybridIdentity
from crypto.errors import BadSignature
from crypto.keys import KemSeed, SignSeed
from crypto.signing import Signer, verify
from crypto.statements import ServiceKey
from storage.tables import administrators, persons, workers
from tests.faults.kills import MortalDatabase, Steps, Stores, die_at_each_step
from tests.vault.builders import make_office, make_person, make_worker, show_card, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.vault.test_sharing import SEE, offer
from vault import (
    account_numbers,
    audit,
    backups,
    certificates,
    checkpoints,
    forgetting,
    one_time,
    people,
    receipt_files,
    recount,
    restoring,
    service_keys,
    sessions,
    shared_papers,
    sharing,
    unlocking,
)
from vault import workers as working
from vault.__main__ import main
from vault.backups import BadBackup
from vault.context import Context
from vault.settings import Places, SealKey, UnsafeSettings, keys_of, today_in_paris
from vault.verifying import read_anchors, read_service_key


@pytest.fixture
def place(house: Context, tmp_path: Path) -> dict[str, str]:
    """The environment in which the file of this house's keys is found."""
    file = tmp_path / "service-keys.json"
    file.write_text(
        json.dumps({"seal": bytes(house.settings.service_seal).hex(), "sign": bytes(house.settings.service_sign).hex()})
    )
    return {"ABRI_SERVICE_KEYS": str(file), "ABRI_PUBLIC_KEYS": str(tmp_path / "public-keys.json")}


def started(house: Context, place: dict[str, str]) -> Context:
    """The same house in a process that was started now: it reads the file of the keys."""
    written = json.loads(Path(place["ABRI_SERVICE_KEYS"]).read_text())
    settings = dataclasses.replace(
        house.settings, service_sign=SignSeed(bytes.fromhex(written["sign"])), service_seal=SealKey(bytes.fromhex(written["seal"])),
        earlier=keys_of(written).earlier,
    )  # fmt: skip
    return dataclasses.replace(
        house, settings=settings, service=Signer(settings.service_sign, [one.public for one in settings.earlier])
    )


def turned(house: Context, place: dict[str, str]) -> Context:
    service_keys.rotate(place, today_in_paris(house.clock()))
    return started(house, place)


def test_everything_of_before_verifies_and_opens_after_two_turns(house: Context, place: dict[str, str], tmp_path: Path) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house, words=True)
    paper = keep(house, awa.session, "Avis", sort="tax-notice")
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    carried = receipt_files.of_all(house, awa.session)
    certificate = certificates.certify(house, house.new_id(), certificates.Went(1, 0, 0, 0), None).to_file()
    checkpoints.publish(house)
    head, log = checkpoints.published(house), checkpoints.keys(house)
    assert head

    later = turned(house, place)
    assert service_keys.finish(later, place).sealed == 3, "a worker and two administrators"
    last = turned(later, place)
    service_keys.finish(last, place)
    assert len(last.service.ring) == 3

    assert sign_in(last, fatou).account == fatou.id
    (line,) = shared_papers.people_sharing(last, fatou.session)
    assert line.grant == grant
    with last.database.transaction() as connection:
        sealed = connection.scalar(select(workers.c.sealed_totp)) or b""
    assert one_time.sealed_by_today(last, fatou.id, sealed)
    file = tmp_path / "cles.json"
    file.write_text(json.dumps(checkpoints.anchors(last.settings)))
    ring = read_service_key(file)
    assert ring == last.service.ring
    assert [one.receipt.grant for one in verify_file(carried, read_anchors(file))] == [grant]
    assert certificates.read_file(certificate, ring)
    with pytest.raises(NotVerified):
        verify_file(carried, Anchors(last.service.public, checkpoints.keys(last)))
    assert "maintenance.rotated" in [one.event.tag for one in audit.history(last, unlock(last, awa))]

    # the trace: kept heads still verify, a new one is signed by all until the old seeds are retired
    checkpoints.publish(last)
    note = checkpoints.published(last)
    assert note
    for keys in (log, checkpoints.keys(later), checkpoints.keys(last)):
        assert checkpoint.verify(note.note, keys).head.size == note.size
    assert recount.count(last).faults == ()
    assert service_keys.retire(place) == 2
    gone = started(house, place)
    make_person(gone, "Yonas")
    checkpoints.publish(gone)
    note = checkpoints.published(gone)
    assert note
    assert checkpoint.verify(note.note, checkpoints.keys(gone))
    with pytest.raises(BadSignature):
        checkpoint.verify(note.note, log)
    assert recount.count(gone).faults == ()
    assert service_keys.retire(place) == 0


def test_who_left_and_a_seed_that_is_damaged_keep_no_turn_from_its_end(
    house: Context, clock: Clock, place: dict[str, str]
) -> None:
    """An administrator who was taken out and a worker who was forgotten have no seed; one that somebody spoilt is named."""
    office = make_office(house)
    fatou, left, spoilt = (make_worker(house, office, name) for name in ("Fatou", "Paul", "Binta"))
    gone, stays = office.administrators
    working.end(house, sign_in_administrator(house, stays), left.id)
    clock.forward(days=400)
    assert forgetting.forget_workers(house) == 1
    with house.database.transaction() as connection:
        taken_out = update(administrators).where(administrators.c.account == gone.id)
        connection.execute(taken_out.values(sealed_totp=b"", left_on=today_in_paris(clock.now)))  # as `appointing.remove` does
        connection.execute(update(workers).where(workers.c.account == spoilt.id).values(sealed_totp=bytes(64)))

    later = turned(house, place)
    done = service_keys.finish(later, place)
    assert (done.sealed, done.damaged) == (2, (spoilt.code,))
    with later.database.transaction(read_only=True) as connection:
        for table, one in ((workers, fatou), (administrators, stays)):
            seed = connection.scalar(select(table.c.sealed_totp).where(table.c.account == one.id)) or b""
            assert one_time.sealed_by_today(later, one.id, seed)
    assert "unfinished" not in json.loads(Path(place["ABRI_SERVICE_KEYS"]).read_text())


def test_a_backup_of_before_the_turn_is_read(house: Context, place: dict[str, str], tmp_path: Path) -> None:
    """The day on which a machine is lost is not chosen: any key of the ring vouches for a backup, a stranger's does not."""
    where = Places(tmp_path / "rows", tmp_path / "vault", tmp_path / "stones")
    make_person(house, kiosk=make_office(house).kiosk)
    name = backups.make(house, where, (HybridIdentity(KemSeed.random()).recipient(),)).name
    later = turned(house, place)
    service_keys.finish(later, place)
    last = turned(later, place)
    service_keys.finish(last, place)
    service_keys.retire(place)
    settings = started(house, place).settings
    found = restoring.signed(settings, where, name)
    assert found.name == name
    with pytest.raises(BadBackup, match="not what this service signed"):
        restoring.signed(dataclasses.replace(settings, earlier=()), where, name)


def test_a_backup_that_an_old_key_signs_after_its_last_day_is_refused(
    house: Context, clock: Clock, place: dict[str, str], tmp_path: Path
) -> None:  # fmt: skip
    """Whoever took the old file can make one, for recipients that are public, and date it; not under a later name."""
    where = Places(tmp_path / "rows", tmp_path / "vault", tmp_path / "stones")
    for_nobody = (HybridIdentity(KemSeed.random()).recipient(),)
    make_office(house)
    later = turned(house, place)
    same_day = backups.make(house, where, for_nobody).name  # a process that was not started again yet
    clock.forward(days=1)
    forged = backups.make(house, where, for_nobody).name
    clock.forward(days=1)
    ours = backups.make(later, where, for_nobody).name
    assert restoring.last_day(later.settings, restoring.signed(later.settings, where, same_day)) == dt.date(2026, 11, 23)
    assert restoring.last_day(later.settings, restoring.signed(later.settings, where, ours)) is None
    with pytest.raises(BadBackup, match="a key whose last day was 2026-11-23"):
        restoring.signed(later.settings, where, forged)
    assert restoring.signed(later.settings, where, forged, turned=True).name == forged

    renamed = ours.replace("2026-11-25", "2026-11-26")
    for folder in (where.rows, where.vault, where.tombstones):
        for one in list(folder.iterdir()):
            if one.name.startswith(same_day):
                one.rename(one.with_name(one.name.replace(same_day, renamed)))
    with pytest.raises(BadBackup, match="another name"):
        restoring.signed(later.settings, where, renamed)


def test_an_account_number_is_known_before_and_after_its_owner_comes(house: Context, place: dict[str, str]) -> None:
    awa = make_person(house, words=True)
    assert awa.words
    later = turned(house, place)
    with later.database.transaction(read_only=True) as connection:
        assert account_numbers.looked_up(later, connection, awa.number) == account_numbers.digest(house, awa.number)
        assert account_numbers.looked_up(later, connection, "12345678903") == account_numbers.digest(later, "12345678903")
    for _ in range(2):
        cookie = unlocking.unlock_with_words(later, None, awa.number, awa.words)
        assert sessions.find(later, cookie).account == awa.id
        with later.database.transaction(read_only=True) as connection:
            known = connection.scalar(select(persons.c.number_digest).where(persons.c.account == awa.id))
        assert known == account_numbers.digest(later, awa.number)
    people.freeze(later, show_card(later, awa.card))
    cookie = unlocking.lift_freeze(later, show_card(later, awa.card), awa.code, awa.number, awa.words)
    assert sessions.find(later, cookie).account == awa.id


def test_a_key_that_the_one_before_did_not_sign_is_no_key(house: Context, place: dict[str, str], tmp_path: Path) -> None:
    later = turned(house, place)
    good: dict[str, Any] = checkpoints.anchors(later.settings)
    assert service_keys.read_published(good) == later.service.ring
    before = good["earlier"][0]
    thief = Signer(SignSeed.random())
    said = ServiceKey(previous=house.service.public, sign=thief.public, since="2026-11-23")
    forged = {**before, "next": said.encode().hex(), "signature": thief.sign(said).hex()}
    wrong: list[dict[str, Any]] = [
        {**good, "service": bytes(thief.public).hex()},
        {**good, "service": bytes(thief.public).hex(), "earlier": [forged]},
        {**good, "earlier": [{**before, "service": bytes(thief.public).hex()}]},
        {**good, "earlier": [{**before, "signature": before["signature"][:-2] + "00"}]},
        {**good, "earlier": [before, before]},
        {**good, "earlier": [{**before, "next": "zz"}]},
    ]
    file = tmp_path / "cles.json"
    for one in wrong:
        file.write_text(json.dumps(one))
        with pytest.raises(ValueError, match="no public key"):
            read_service_key(file)
    with pytest.raises(BadSignature):
        verify(later.service.ring, said, thief.sign(said))


def test_the_public_keys_name_those_of_before_under_each_name_of_the_trace(house: Context, place: dict[str, str]) -> None:
    """A house that renamed its trace and then turns its keys: proofs of before go on verifying by the file that commands read."""
    house = dataclasses.replace(house, settings=dataclasses.replace(house.settings, former_trace_names=("abri.example/before",)))
    public = Path(place["ABRI_PUBLIC_KEYS"])
    public.write_text(json.dumps(checkpoints.anchors(house.settings)))
    (before,) = json.loads(public.read_text())["former_traces"]
    service_keys.finish(turned(house, place), place)
    after = json.loads(public.read_text())["former_traces"]
    assert before in after
    assert len(after) == 2, "the new key under the old name as well"


def test_turning_twice_waits_for_the_end_of_the_first(house: Context, place: dict[str, str]) -> None:
    later = turned(house, place)
    with pytest.raises(UnsafeSettings):
        service_keys.rotate(place, today_in_paris(house.clock()))
    service_keys.finish(later, place)
    assert service_keys.finish(later, place) == service_keys.Done(0, 0)
    assert turned(later, place).service.public != later.service.public
    assert os.stat(place["ABRI_SERVICE_KEYS"]).st_mode & 0o077 == 0


def test_a_turn_that_is_killed_leaves_the_old_pair_or_the_new(house: Context, place: dict[str, str]) -> None:
    """SIGKILL before and after each thing that the turn asks of the file system, in a process of its own: nothing closes or cleans up.

    Either pair opens what there is. What was half written holds both, and goes as the service starts again.
    """
    fatou, file = make_worker(house, make_office(house)), Path(place["ABRI_SERVICE_KEYS"])
    before, seen, halves = file.read_text(), set(), 0
    for last in range(60):
        file.write_text(before)
        killed = _killed_at(last, place, today_in_paris(house.clock()))
        turned_over = json.loads(file.read_text())["seal"] != json.loads(before)["seal"]
        seen.add((killed, turned_over))
        halves += service_keys.forget_half_written(place)
        assert [one.name for one in file.parent.iterdir() if one.name.endswith(".part")] == []
        assert sign_in(started(house, place), fatou).account == fatou.id
        assert started(house, place).service.ring[-1] == house.service.public
        if not killed:
            break
    assert seen == {(True, False), (True, True), (False, True)}
    assert halves > 1, "the instrument: some deaths leave a half behind"


def _killed_at(last: int, place: dict[str, str], today: dt.date) -> bool:
    """Turn in a child that kills itself at this step; tells whether it did."""
    steps = Steps()
    child = os.fork()
    if child == 0:
        try:
            steps.left = last
            _mortal_files(steps, "open", "fdopen", "fsync", "replace", "close")
            service_keys.rotate(place, today)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _mortal_files(steps: Steps, *asked: str) -> None:
    """From now on this process may die before and after each of these things that it asks of the file system."""

    def mortal(real: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        steps.take()
        answer = real(*arguments, **named)
        steps.take()
        return answer

    for name in asked:
        setattr(os, name, partial(mortal, getattr(os, name)))


def test_what_was_half_written_goes_with_whatever_runs_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In containers `serve` sees the file under another name: only the commands run where `rotate` did."""
    for name in [one for one in os.environ if one.startswith("ABRI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ABRI_FOLDER", str(tmp_path))
    assert main(["keys", "make"]) == 0
    half = tmp_path / ".service-keys.json.part"
    names = ["--administrator", "Nadia", "--administrator", "Hugo"]
    assert main(["keys", "roots", "--operator", "Les Tilleuls (démo)", "--contact", "01", *names]) == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that `serve` ends before it listens
        monkeypatch.setenv("ABRI_PORT", str(taken.getsockname()[1]))
        for then, status in ((["keys", "finish"], 0), (["keys", "retire"], 0), (["serve", "--without-tasks"], 2)):
            half.write_text('{"sign": "')
            assert main(then) == status
            assert not half.exists(), then


def test_finishing_that_is_killed_is_finished_later(house: Context, place: dict[str, str], tmp_path: Path) -> None:
    """SIGKILL around each commit and each change of a file: both files are whole, everybody signs in, the next run does the rest."""
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    files = [Path(one) for one in place.values()]
    files[1].write_text(json.dumps(checkpoints.anchors(house.settings)))
    later = turned(house, place)
    before, new = [one.read_text() for one in files], checkpoints.anchors(later.settings)["service"]
    later.database.close()
    later.keyvault.close()

    def work(mortal: Context) -> None:
        _mortal_files(cast("MortalDatabase", mortal.database).steps, "open", "replace")
        service_keys.finish(mortal, place)

    seen = set()
    for step, stores in die_at_each_step(Stores(later, tmp_path), tmp_path, work):
        left = stores.open()
        written, public = (json.loads(one.read_text()) for one in files)
        finished, published = "unfinished" not in written, public["service"] == new
        with left.database.transaction(read_only=True) as connection:
            sealed = connection.scalar(select(workers.c.sealed_totp)) or b""
        resealed = one_time.sealed_by_today(left, fatou.id, sealed)
        seen.add((resealed, published, finished))
        assert sign_in(left, fatou).account == fatou.id, step
        service_keys.finish(left, place)
        assert service_keys.finish(left, place) == service_keys.Done(0, 0)
        assert [json.loads(one.read_text()).get("unfinished") for one in files] == [None, None]
        assert json.loads(files[1].read_text())["service"] == new
        assert "maintenance.rotated" in [one.event.tag for one in audit.history(left, unlock(left, awa))], step
        assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == [], step
        left.database.close()
        left.keyvault.close()
        for file, text in zip(files, before, strict=True):
            file.write_text(text)
    assert seen == {(False, False, False), (True, False, False), (True, True, False), (True, True, True)}
