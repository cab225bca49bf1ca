"""A backup of every store, and the drill of putting it back: what was erased since opens nothing, everybody else has everything."""

import dataclasses
import datetime as dt
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from consent.grant import GrantState
from consent.ids import GrantId
from consent.scope import Act
from crypto.agerecipients import HybridIdentity
from crypto.keys import KemSeed, SignSeed
from storage import copies, journal
from storage.blobs import FolderStore
from storage.database import Database
from storage.errors import CopyRefused, ProgramMissing, RowGone
from storage.keyvault import KeyVault
from storage.migrate import Urls
from storage.s3 import S3Store
from storage.tables import accounts, administrators, grants, objects, slots, workers
from storage.tables import sessions as session_rows
from tests.engines import Engines, sqlite_urls
from tests.vault.builders import make_office, make_person, make_worker, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.conftest import context_on
from tests.vault.papers import SAID, keep, read
from tests.vault.test_erasure import WORDS, any_ids, ask_and_carry_out, lived_in, make_other, rows_of, share, taken
from vault import (
    audit,
    backups,
    forgetting,
    health,
    opening_shared,
    recount,
    remains,
    restoring,
    rights,
    shared_papers,
    withdrawing,
)
from vault import workers as working
from vault.__main__ import main
from vault.backups import BadBackup
from vault.context import Context
from vault.errors import NotThere, Tampered, WrongSecret
from vault.settings import Places

RECOVERY = HybridIdentity(KemSeed(bytes(range(32))))
FOR_RECOVERY = (RECOVERY.recipient(),)


def three(folder: Path) -> Places:
    """Three folders for backups."""
    return Places(folder / "b-rows", folder / "b-vault", folder / "b-stones")


@pytest.fixture
def elsewhere(engines: Engines, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Context], Context]:
    """Empty stores of the same kind on a new machine, with the tombstones as they are now."""

    def make(house: Context) -> Context:
        if engines.name == "sqlite":
            urls = sqlite_urls(tmp_path / "new")
            blobs: FolderStore | S3Store = FolderStore(tmp_path / "new-blobs")
        else:
            fresh, bucket = request.getfixturevalue("postgres_url"), request.getfixturevalue("s3_bucket")
            urls, blobs = Urls(fresh(), fresh(), ""), S3Store(bucket())
        settings = dataclasses.replace(
            house.settings, folder=tmp_path / "new", database_url=urls.main, vault_url=urls.vault, tombstones_url=engines.urls.tombstones
        )  # fmt: skip
        return dataclasses.replace(house, settings=settings, blobs=blobs)

    return make


def opened(there: Context) -> Context:
    """The same stores, as a new process opens them."""
    settings = there.settings
    return dataclasses.replace(
        there, database=Database(settings.database_url), keyvault=KeyVault(settings.vault_url, settings.tombstones_url)
    )


def put_back(there: Context, where: Places, name: str, **more: bool) -> restoring.Restored:
    """Restore with the right key."""
    return restoring.restore(
        there.settings, where, name, [RECOVERY], open_context=lambda: opened(there), now=there.clock(), **more
    )  # fmt: skip


def test_the_whole_drill(engines: Engines, tmp_path: Path, clock: Clock, elsewhere: Callable[[Context], Context]) -> None:
    """G14, R35. Yesterday's backup of every store; since then Awa erased all, Mariam took a share back, Fatou's colleague left."""
    house = context_on(engines, tmp_path, clock)
    made, papers = lived_in(house, clock, count=3)
    other, kept = make_other(house, made)
    stopped = share(house, other, made.marc, [kept])
    leaver = make_worker(house, made.tilleuls, "Paul")
    theirs = rows_of(house, other)
    received = read(house, other.session, kept)
    known = [f"{WORDS} {number}".encode() for number in range(3)]
    known += [one.encode() for one in (*papers, made.awa.number, made.awa.card, "Awa", made.awa.id, *any_ids(house, made.awa.id))]
    assert len(known) >= 30
    where = three(tmp_path)
    yesterday = backups.make(house, where, FOR_RECOVERY)

    found, unread = remains.in_backups(where, [RECOVERY], known)
    assert found
    assert unread == []
    clock.forward(hours=1)
    withdrawing.withdraw(house, other.session, stopped, SAID)
    nadia, _ = made.tilleuls.administrators
    working.end(house, sign_in_administrator(house, nadia), leaver.id)
    hers, seen = (grants_between(house, made.awa.id, one.id) for one in (made.marc, made.fatou))
    assert hers
    assert seen
    for worker, (grant,), paper in ((made.marc, hers, papers[2]), (made.fatou, seen, papers[0])):  # today it opens
        assert opening_shared.open_shared(house, sign_in(house, worker), grant, paper, Act.SEE).opened.paper == paper
    unlock(house, made.awa)
    ask_and_carry_out(house, clock, made.awa)

    there = elsewhere(house)
    done = put_back(there, where, yesterday.name)
    new = opened(there)
    try:
        with new.database.transaction(read_only=True) as connection:
            assert connection.execute(select(func.count()).select_from(session_rows)).scalar() == 0
        assert (done.erased, done.missing, done.told) == (1, (), 1)
        assert done.destroyed >= 8
        # Of Awa nothing is left, and what her recipients hold with their keys unlocked opens nothing.
        assert remains.check(new, made.awa.id, [one for one in known if one != b"Awa"]) == []
        with pytest.raises((RowGone, WrongSecret)):
            unlock(new, made.awa)
        for worker, given, paper in ((made.marc, hers, papers[2]), (made.fatou, seen, papers[0])):
            desk = sign_in(new, worker)
            for grant in given:
                with pytest.raises((RowGone, Tampered, NotThere)):
                    shared_papers.papers_shared(new, desk, grant)
                with pytest.raises((RowGone, Tampered, NotThere)):
                    opening_shared.open_shared(new, desk, grant, paper, Act.SEE)
                with pytest.raises((RowGone, Tampered, NotThere)):
                    taken(new, desk, grant, paper)
        with new.database.transaction(read_only=True) as connection:
            assert (
                connection.execute(select(func.count()).select_from(accounts).where(accounts.c.id == made.awa.id)).scalar() == 0
            )
            named = set(connection.scalars(select(objects.c.blob)))
            # What was taken back stays so, in the rows too; who left has left.
            assert connection.execute(select(grants.c.state).where(grants.c.id == stopped)).scalar() == GrantState.WITHDRAWN.value
            assert connection.execute(select(workers.c.state).where(workers.c.account == leaver.id)).scalar() == "ended"
        assert {held.name for held in new.blobs.inventory()} == named
        with pytest.raises((RowGone, Tampered, NotThere)):
            shared_papers.papers_shared(new, sign_in(new, made.marc), stopped)
        # Mariam's rows are what they were, byte for byte, but for what was taken back again; her paper too; and she reads about it.
        unchanged = [
            row for row in theirs if row[0] not in ("grants", "grant_changes", "receipts", "wraps", "shelves", "persons")
        ]
        assert [row for row in unchanged if row not in rows_of(new, other)] == []
        session = unlock(new, other)
        assert read(new, session, kept) == received
        told = [one.event for one in audit.history(new, session)]
        assert [one.detail for one in told if one.tag == "maintenance.restored"] == ["2026-11-24"]
        assert "share.withdrawn" in {one.tag for one in told}
        (living,) = grants_between(new, other.id, made.fatou.id)
        assert [one.title for one in shared_papers.papers_shared(new, sign_in(new, made.fatou), living)] == ["Bail"]
        restoring.refuse_half_made(there.settings)
        with pytest.raises(BadBackup, match="empty stores"):
            put_back(there, where, yesterday.name)
    finally:
        new.database.close()
        new.keyvault.close()
        if isinstance(there.blobs, S3Store):
            there.blobs.close()


def grants_between(house: Context, person: str, worker: str) -> list[GrantId]:
    """The living shares of a person to a worker."""
    living = (grants.c.person == person, grants.c.worker == worker, grants.c.state == "given")
    with house.database.transaction(read_only=True) as connection:
        return [GrantId(one) for one in connection.scalars(select(grants.c.id).where(*living))]


# --- What a backup is, on one machine ---------------------------------------------------------------------------------------------


@pytest.fixture
def small(house: Context, tmp_path: Path) -> tuple[Context, Places]:
    """A house with one person and one paper, and where its backups go."""
    person = make_person(house, kiosk=make_office(house).kiosk)
    keep(house, person.session, "Bail", text="le bail")
    return house, three(tmp_path)


def new_machine(house: Context, folder: Path) -> Context:
    """Empty stores on files."""
    urls = sqlite_urls(folder)
    settings = dataclasses.replace(house.settings, folder=folder, database_url=urls.main, vault_url=urls.vault)
    return dataclasses.replace(house, settings=settings, blobs=FolderStore(folder / "blobs"))


def test_a_copy_holds_no_open_session_and_nothing_in_clear(small: tuple[Context, Places]) -> None:
    """R19. The session that is open now is in no part of the backup; rows and key vault are sealed for the recovery key."""
    house, where = small
    with house.database.transaction(read_only=True) as connection:
        ids = list(connection.scalars(select(session_rows.c.id)))
        person = connection.execute(select(accounts.c.id).where(accounts.c.kind == "person")).scalar_one()
    assert ids
    made = backups.make(house, where, FOR_RECOVERY)
    rows, vault = (backups.place_of(where, made.name, what) for what in ("rows", "vault"))
    for file in (rows, vault):
        assert file.read_bytes().startswith(b"age-encryption.org/v1\n-> mlkem768x25519")
        plain = b"".join(backups.opened(file, [RECOVERY]))
        assert person.encode() in plain
        assert person.encode() not in file.read_bytes()
        assert [one for one in ids if one.encode() in plain] == []
    assert all((path.stat().st_mode & 0o077) == 0 for path in (rows, vault, where.rows, where.vault, where.tombstones))


def test_only_new_papers_are_copied_and_after_thirty_days_nothing_is_left(small: tuple[Context, Places], clock: Clock) -> None:
    """A paper of today is in the pool once; removed, it leaves with the last backup that names it; check says what is too old."""
    house, where = small
    first = backups.make(house, where, FOR_RECOVERY)
    clock.forward(days=1)
    (blob, *_) = [held.name for held in house.blobs.inventory()]
    house.blobs.delete(blob)
    second = backups.make(house, where, FOR_RECOVERY)
    assert (first.copied, second.copied, second.papers) == (3, 0, 2)
    pool = {path.name for path in backups.pool_of(where)}
    assert blob in pool
    house = dataclasses.replace(house, settings=dataclasses.replace(house.settings, backups=where))
    assert line(house, "backups").good
    clock.forward(days=29)
    third = backups.make(house, where, FOR_RECOVERY)
    assert third.pruned == (first.name,)
    assert backups.every(where) == [second.name, third.name]
    assert {path.name for path in backups.pool_of(where)} == pool - {blob}
    assert [path for path in where.vault.iterdir() if path.name.startswith(first.name)] == []
    clock.forward(days=2)
    bad = line(house, "backups")
    assert not bad.good
    assert second.name in bad.words
    assert backups.prune(house, where) == (second.name,)
    assert not line(house, "backups").good  # none is too old any more, but the newest is of the day before yesterday


def line(house: Context, name: str) -> health.Line:
    """What `abri check` says of it."""
    (found,) = [one for one in health.of_backups(house) if one.name == name]
    return found


def test_a_backup_that_was_touched_is_too_old_or_of_another_house_is_refused(
    small: tuple[Context, Places], clock: Clock, tmp_path: Path
) -> None:
    """Nothing is begun: no mark, and the stores stay empty."""
    house, where = small
    house.keyvault.create("slot", "00000000-0000-4000-8000-00000000000a")
    house.keyvault.destroy([("slot", "00000000-0000-4000-8000-00000000000a")], clock.now)
    name = backups.make(house, where, FOR_RECOVERY).name
    there = new_machine(house, tmp_path / "new")
    for what in backups.FILES:
        file = backups.place_of(where, name, what)
        whole = file.read_bytes()
        for wrong in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
            file.write_bytes(wrong)
            with pytest.raises(BadBackup, match="not the file that was signed"):
                put_back(there, where, name)
        file.unlink()
        with pytest.raises(BadBackup, match="missing"):
            put_back(there, where, name)
        file.write_bytes(whole)
    manifest = where.rows / name / backups.MANIFEST
    said = manifest.read_bytes()
    manifest.write_bytes(said.replace(b"2026", b"2027"))
    with pytest.raises(BadBackup, match="not what this service signed"):
        put_back(there, where, name)
    manifest.write_bytes(said)
    stranger = dataclasses.replace(there, settings=dataclasses.replace(there.settings, service_sign=SignSeed.random()))
    with pytest.raises(BadBackup, match="not what this service signed"):
        put_back(stranger, where, name)
    with pytest.raises(BadBackup, match="recovery key"):
        restoring.restore(
            there.settings, where, name, [HybridIdentity(KemSeed.random())], open_context=lambda: opened(there), now=clock.now
        )
    afar = dataclasses.replace(there, settings=dataclasses.replace(there.settings, database_url="postgresql://nobody@/nothing"))
    with pytest.raises(BadBackup, match="another engine"):
        put_back(afar, where, name)
    clock.forward(days=31)
    with pytest.raises(BadBackup, match="31 days old"):
        put_back(there, where, name)
    assert not (tmp_path / "new" / restoring.MARK).exists()
    assert copies.empty(there.settings.database_url)
    assert copies.empty(there.settings.vault_url)
    assert put_back(there, where, name, too_old=True).told == 1


def test_without_any_tombstone_it_wants_to_be_told_so(small: tuple[Context, Places], tmp_path: Path) -> None:
    """A machine that lost everything, tombstones too: their newest copy, or a word that is loud."""
    house, where = small
    dead = "00000000-0000-4000-8000-00000000000a"
    house.keyvault.create("slot", dead)
    name = backups.make(house, where, FOR_RECOVERY).name
    house.keyvault.destroy([("slot", dead)], house.clock())
    shutil.copytree(where.tombstones, tmp_path / "kept")
    for file in where.tombstones.iterdir():
        file.write_bytes(b"")
    there = new_machine(house, tmp_path / "new")
    lost = dataclasses.replace(there.settings, tombstones_url=f"sqlite:///{tmp_path / 'new' / 'stones.sqlite3'}")
    there = dataclasses.replace(there, settings=lost)
    file = backups.place_of(where, name, "tombstones")
    file.unlink()
    with pytest.raises(BadBackup, match="missing"):
        put_back(there, where, name)
    shutil.copy(tmp_path / "kept" / file.name, file)
    assert put_back(there, where, name).destroyed == 0  # destroyed after the only copy of tombstones that is left
    alive = opened(there)
    assert alive.keyvault.exists("slot", dead)
    alive.keyvault.close()
    alive.database.close()
    # The same with the tombstones of today: it dies.
    other = new_machine(house, tmp_path / "newer")
    assert put_back(other, where, name).destroyed == 1


def test_who_was_forgotten_since_leaves_the_trace_again(house: Context, clock: Clock, tmp_path: Path) -> None:
    """An administrator's name was put away after that backup: their copies of the trace, which nothing opens any more, go again."""
    office, where = make_office(house), three(tmp_path)
    gone = office.administrators[0]
    rights.receive(house, sign_in_administrator(house, gone), "access", "letter")
    with house.database.transaction() as connection:
        left = {"sealed_totp": b"", "left_on": clock.now.date() - dt.timedelta(days=370)}
        connection.execute(update(administrators).where(administrators.c.account == gone.id).values(**left))
    name = backups.make(house, where, FOR_RECOVERY).name
    clock.forward(days=1)
    assert forgetting.forget_administrators(house) == 1
    there = new_machine(house, tmp_path / "new")
    put_back(there, where, name)
    new = opened(there)
    try:
        for again in (1, 0):
            journal.number_all(new.database)
            assert recount.count(new).faults == ()
            assert forgetting.forget_administrators(new) == again
    finally:
        new.database.close()
        new.keyvault.close()


def test_a_damaged_paper_is_left_out_and_named(small: tuple[Context, Places], tmp_path: Path) -> None:
    """The others come back; nothing that differs from what was stored is put in a store."""
    house, where = small
    name = backups.make(house, where, FOR_RECOVERY).name
    spoilt, lost, whole = backups.pool_of(where)
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"!")
    lost.unlink()
    there = new_machine(house, tmp_path / "new")
    done = put_back(there, where, name)
    assert sorted(done.missing) == sorted([spoilt.name, lost.name])
    assert [held.name for held in there.blobs.inventory()] == [whole.name]


def test_programs_of_postgresql_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ProgramMissing, match="pg_dump is missing"):
        next(copies.dump("postgresql://somebody@/somewhere"))
    with pytest.raises(CopyRefused, match="another engine"):
        copies.load(f"sqlite:///{tmp_path / 'rows.sqlite3'}", [b"PGDMP" + bytes(30)])
    assert list(tmp_path.iterdir()) == [tmp_path / "rows.sqlite3.coming-back"]


def test_the_commands_of_operations_from_an_installation_to_a_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`docs/operations.md`, typed: keys, a backup, a second machine with the keys from the envelope, a restore, a search of everything."""
    for name in [one for one in os.environ if one.startswith("ABRI_")]:
        monkeypatch.delenv(name)
    here, new = tmp_path / "here", tmp_path / "there"
    monkeypatch.setenv("ABRI_FOLDER", str(here))
    names = ["--administrator", "Nadia", "--administrator", "Hugo"]
    assert main(["keys", "make"]) == 0
    assert main(["keys", "roots", "--operator", "Les Tilleuls (démo)", "--contact", "01", *names]) == 0
    assert main(["migrate"]) == 0
    assert main(["backup"]) == 2
    assert "ABRI_BACKUPS" in capsys.readouterr().err
    monkeypatch.setenv("ABRI_BACKUPS", ":".join(str(tmp_path / one) for one in ("b-rows", "b-vault", "b-stones")))
    assert main(["backup"]) == 2
    assert "ABRI_BACKUP_RECIPIENT" in capsys.readouterr().err
    key = tmp_path / "recovery.txt"
    assert main(["keys", "recovery", str(key)]) == 0
    (told,) = re.findall(r"ABRI_BACKUP_RECIPIENT=(age1pq1\S+)", capsys.readouterr().out)
    monkeypatch.setenv("ABRI_BACKUP_RECIPIENT", told)
    assert main(["backup"]) == 0
    assert "0 papers" in capsys.readouterr().out

    new.mkdir()
    for file in ("service-keys.json", "public-keys.json"):
        shutil.copy(here / file, new / file)
    monkeypatch.setenv("ABRI_FOLDER", str(new))
    assert main(["restore", "--identity", str(key)]) == 0
    assert "0 persons will read" in capsys.readouterr().out
    assert main(["restore", "--identity", str(key)]) == 2
    assert "empty stores" in capsys.readouterr().err
    assert main(["search", "nobody-of-this-name"]) == 2
    assert main(["search", "nobody-of-this-name", "--identity", str(key)]) == 0
    assert main(["search", "Tilleuls", "--identity", str(key)]) == 1
    out = capsys.readouterr().out
    assert "rows: operators.name" in out
    assert "rows operators.name" in out
    (new / restoring.MARK).write_text("2026-11-29T00-00-00Z")
    assert main(["migrate"]) == 2
    assert "did not come to its end" in capsys.readouterr().err


def test_an_administrator_who_was_taken_out_since_keeps_no_seed_and_has_left(house: Context) -> None:
    """Their row of that day knows nothing of it, and their name would stay there for ever; whoever is still there is as before."""
    first, second = make_office(house).administrators
    with house.database.transaction(read_only=True) as connection:
        ways = connection.scalars(select(slots.c.id).where(slots.c.account == first.id)).all()
    house.keyvault.destroy([("slot", one) for one in ways], house.clock())
    restoring.end_what_died(house)
    with house.database.transaction(read_only=True) as connection:
        rows = {row.account: row for row in connection.execute(select(administrators))}
    assert (rows[first.id].sealed_totp, rows[first.id].left_on) == (b"", house.clock().date())
    assert rows[second.id].sealed_totp
    assert rows[second.id].left_on is None


@pytest.mark.parametrize("state", ["barred", "pending"])
def test_a_way_that_died_since_does_not_come_back(house: Context, state: str) -> None:
    """Not after the three days of a theft either: it would open nothing, and count as a way."""
    awa = make_person(house, "Awa")
    with house.database.transaction() as connection:
        connection.execute(update(slots).where(slots.c.account == awa.id).values(state=state))
        ways = connection.scalars(select(slots.c.id).where(slots.c.account == awa.id)).all()
    house.keyvault.destroy([("slot", one) for one in ways], house.clock())
    restoring.end_what_died(house)
    with house.database.transaction(read_only=True) as connection:
        assert set(connection.scalars(select(slots.c.state).where(slots.c.account == awa.id))) == {"ended"}
