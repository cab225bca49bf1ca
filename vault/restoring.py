"""Putting a backup back: into empty stores, with what was destroyed since destroyed again before anybody is listened to.

In this order, and again from the beginning after a crash: a mark that nothing may listen; tombstones (only ever added to); papers, each
compared with its digest; the key vault, in which the dead die again at once; rows, in one transaction; the schema; persons who were
erased since are erased again, rows and papers too; what else died (shares, ways in, accounts of workers) is ended in its rows; what
was going to be destroyed has all its time again (`vault.afresh`); each person reads it in their history (CPCE R55-4 3°) and at their
next unlock. Only then the mark goes, and `abri serve` starts again.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, delete, select, update

from consent import grant as rules
from consent.errors import TransitionRefused
from crypto import contexts
from crypto import trace as sealed_trace
from crypto.agerecipients import Identity
from crypto.canonical import parse_instant
from crypto.errors import CryptoError
from crypto.signing import Signer
from storage import copies
from storage.blobs import BlobName, BlobStore
from storage.database import Database, insert_once
from storage.keyvault import KeyVault, Kind
from storage.migrate import Urls, upgrade
from storage.tables import accounts, administrators, circles, grants, outside_shares, passkeys, slots, tombstones, workers
from vault import afresh, audit, backups, erasing, maintaining, removals, shares, whole_files, withdrawing
from vault import workers as working
from vault.backups import Backup, BadBackup
from vault.colleagues import LIVING
from vault.context import Context
from vault.notices import Notice
from vault.settings import Places, Settings, UnsafeSettings, today_in_paris

OPENING = ("live", "leaving", "barred", "vetoing")  # ways in that open, or will: what is shown once is `pending`
MARK = "RESTORING"  # a file of this name in the settings' folder: a restore was begun and is not at its end


@dataclass(frozen=True)
class Restored:
    """What a restore did. `destroyed`: rows of the key vault; `erased`: persons; `ended`: shares and ways in; `anew`: erasures and
    bins that have all their time again; `cancelled`: erasures that were not carried out when it was time; `shut`: persons whom nothing
    opens any more; `unguarded`: those whose guardians can bring nobody back, and who may hold a card that came since; `missing`: blobs;
    `until`: the last day of the key that signed, when it has turned since."""

    backup: Backup
    papers: int
    missing: tuple[str, ...]
    destroyed: int
    erased: int
    ended: int
    anew: int
    cancelled: int
    shut: int
    unguarded: int
    told: int
    stones: dt.date | None
    until: dt.date | None


def refuse_half_made(settings: Settings) -> None:
    """Whoever would listen asks this first. Raises UnsafeSettings."""
    if (settings.folder / MARK).exists():
        raise UnsafeSettings(f"A restore was begun and did not come to its end ({settings.folder / MARK}): `abri restore` again.")


def restore(
    settings: Settings,
    places: Places,
    name: str,
    identities: Sequence[Identity],
    *,
    open_context: Callable[[], Context],
    now: dt.datetime,
    too_old: bool = False,
    without_tombstones: bool = False,
    turned: bool = False,
) -> Restored:
    """Put a backup back. Raises BadBackup before anything is touched; after that, run it again.

    `too_old`: although it should be dead; `without_tombstones`: although nothing says what was destroyed since; `turned`: although
    the key that signed it was one of before already.
    """
    found = _checked(settings, places, name, identities, now=now, too_old=too_old, turned=turned)
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark = settings.folder / MARK
    _refuse_full(settings, mark, name, open_context)
    alive = _alive_before(mark)
    whole_files.put(mark, f"{name}\n{alive or ''}", mode=0o644)
    urls = Urls(settings.database_url, settings.vault_url, settings.tombstones_url)
    upgrade(urls, "tombstones")  # rows and key vault bring their tables along
    newest = _bury(settings, places)
    if newest is None and not without_tombstones:
        mark.unlink()
        raise BadBackup(
            "no tombstone says what was destroyed since: whoever was erased would come back. Bring their newest copy,"
            " or say --without-tombstones"
        )
    if alive is None and newest is not None:
        alive = newest
        whole_files.put(mark, f"{name}\n{alive}", mode=0o644)
    context = open_context()
    try:
        kept, missing = _papers(context.blobs, places, found)
    finally:
        context.close()
    copies.load(settings.vault_url, backups.opened(backups.place_of(places, name, "vault"), identities))
    dead, destroyed = _die_again(urls, _months(settings, found))
    copies.load(settings.database_url, backups.opened(backups.place_of(places, name, "rows"), identities))
    upgrade(urls)
    context = open_context()
    try:
        erased = _erase_again(context, {**dict.fromkeys(_without_a_row(context), ()), **dead})
        opened, guarded = _with_a_way(context), _with_a_way(context, "recovery")
        ended = end_what_died(context)
        # Tombstones as old as this backup are forgotten: an erasure without one may have been carried out all the same.
        anew = afresh.begin_again(context, None if _older_than_tombstones(settings, found, context.clock()) else alive)
        still = _with_a_way(context)
        shut, unguarded = len(opened - still), len((guarded - _with_a_way(context, "recovery")) & still)
        day = found.day.isoformat()
        told = maintaining.tell_everyone(context, "maintenance.restored", day, Notice("restored", {"day": day}))
    finally:
        context.close()
    mark.unlink()
    until = last_day(settings, found)
    return Restored(
        found, kept, tuple(missing), destroyed, erased, ended, anew.terms, anew.cancelled, shut, unguarded, told, newest, until
    )


# --- Before anything is touched -------------------------------------------------------------------------------------------------


def _checked(
    settings: Settings,
    places: Places,
    name: str,
    identities: Sequence[Identity],
    *,
    now: dt.datetime,
    too_old: bool,
    turned: bool,
) -> Backup:
    found = signed(settings, places, name, turned=turned)
    age = (today_in_paris(now) - found.day).days
    if _older_than_tombstones(settings, found, now) and not too_old:
        raise BadBackup(
            f"this backup is {age} days old and should be dead since {age - settings.retention.backups}: people who were erased"
            " were told so. Say --although-it-should-be-dead if there is no other"
        )
    if found.engine != copies.kind_of(settings.database_url):
        raise BadBackup(f"this backup was made on {found.engine}: the stores of the settings are on another engine")
    for what in ("rows", "vault"):
        try:
            next(backups.opened(backups.place_of(places, name, what), identities))
        except CryptoError:
            raise BadBackup("this recovery key does not open this backup") from None
    return found


def signed(settings: Settings, places: Places, name: str, *, turned: bool = False) -> Backup:
    """A backup that this service signed, also before its keys turned (ADR 0056). Raises BadBackup.

    A key that has turned vouches for nothing that was made afterwards, unless `turned`: somebody else may have it (ADR 0131).
    """
    found = backups.read(places, name, Signer(settings.service_sign, [one.public for one in settings.earlier]).ring)
    until = last_day(settings, found)
    if until is not None and found.day > until and not turned:
        raise BadBackup(
            f"this backup of {found.day} is signed by a key whose last day was {until}: whoever took that key may have made it. Take"
            " another one; only if you know that your own machine still had the old file that day, say --although-its-key-had-turned"
        )
    return found


def last_day(settings: Settings, found: Backup) -> dt.date | None:
    """The last day of the key that signed this; None for today's key."""
    return next((one.until for one in settings.earlier if one.public == found.by), None)


def _older_than_tombstones(settings: Settings, found: Backup, now: dt.datetime) -> bool:
    return (today_in_paris(now) - found.day).days > settings.retention.backups


def _alive_before(mark: Path) -> dt.date | None:
    """What a restore that died here had read as the newest tombstone's day: since then it has written tombstones of its own."""
    day = mark.read_text().partition("\n")[2] if mark.exists() else ""
    return dt.date.fromisoformat(day) if day else None


def _refuse_full(settings: Settings, mark: Path, name: str, open_context: Callable[[], Context]) -> None:
    """The place must be empty; after a crash it holds what this same restore has put there, and is emptied of it."""
    if mark.exists():
        if (begun := mark.read_text().partition("\n")[0]) != name:
            raise BadBackup(f"a restore of {begun} was begun here: finish that one first")
        for url in (settings.database_url, settings.vault_url):
            copies.clear(url)
        return
    full = [what for what, url in (("rows", settings.database_url), ("key vault", settings.vault_url)) if not copies.empty(url)]
    context = open_context()
    try:
        if next(context.blobs.inventory(), None) is not None:
            full.append("papers")
    finally:
        context.close()
    if full:
        raise BadBackup(f"{', '.join(full)}: something is there already. A backup is put back into empty stores, over nothing")


# --- Tombstones, papers, key vault ----------------------------------------------------------------------------------------------


def _bury(settings: Settings, places: Places) -> dt.date | None:
    """Every tombstone of every copy that is there joins those that are kept; the day of the newest, today's if any stood here."""
    graveyard = Database(settings.tombstones_url, pool_size=2)
    try:
        with graveyard.transaction(read_only=True) as connection:
            newest = connection.execute(select(tombstones.c.destroyed).order_by(tombstones.c.destroyed.desc()).limit(1)).scalar()
        days = [today_in_paris(newest)] if newest else []
        for file in sorted(places.tombstones.glob(f"*{backups.STONES}")):
            rows = [line.split() for line in file.read_text().splitlines()]
            with graveyard.transaction() as connection:
                insert_once(connection, tombstones, *({"digest": one, "destroyed": parse_instant(at)} for one, at in rows))
            days.append(backups.day_of(file.name.removesuffix(backups.STONES)))
        return max(days, default=None)
    finally:
        graveyard.close()


def _papers(store: BlobStore, places: Places, found: Backup) -> tuple[int, list[str]]:
    there = {held.name: held.size for held in store.inventory()}
    kept, missing = 0, []
    for blob, size, digest in backups.papers_of(places, found.name):
        if there.get(blob) == size or _put_back(store, backups.pooled(places, blob), blob, digest):
            kept += 1
        else:
            missing.append(str(blob))
    return kept, missing


def _put_back(store: BlobStore, path: Path, blob: BlobName, digest: str) -> bool:
    """One paper, if its bytes are what they were. A paper that is not is left out: its person is told at their next unlock."""
    if not path.exists():
        return False
    with store.writer(blob) as writer:
        reading = hashlib.sha256()
        for piece in backups.sealed_pieces(path):
            reading.update(piece)
            writer.write(piece)
        if reading.hexdigest() != digest:
            return False
        writer.commit()
    return True


def _die_again(urls: Urls, months: Sequence[int]) -> tuple[dict[str, list[bytes]], int]:
    """Destroy again what is dead. First of each person who comes back: the tags under which copies of their history lie."""
    upgrade(urls, "vault")
    keyvault = KeyVault(urls.vault, urls.tombstones)
    try:
        dead = {}
        for person in [one for kind, one in keyvault.risen() if kind == "person"]:
            asked: list[tuple[Kind, str, bytes]] = [("person", person, contexts.trace_tag(month=month)) for month in months]
            dead[person] = keyvault.derive_many(asked)
        return dead, keyvault.apply_tombstones()
    finally:
        keyvault.close()


def _months(settings: Settings, found: Backup) -> list[int]:
    """Every month of which a backup can hold entries."""
    return list(audit.months(found.day - dt.timedelta(days=settings.retention.trace + 62), found.day + dt.timedelta(days=1)))


# --- Rows -----------------------------------------------------------------------------------------------------------------------


def _without_a_row(context: Context) -> list[str]:
    """Persons who were erased while the backup was being made: it reads the rows first and the key vault last. Under which copies of
    their history lie is not known any more: those open for nobody, and go with their age."""
    with context.database.transaction(read_only=True) as connection:
        everybody = connection.scalars(select(accounts.c.id).where(accounts.c.kind == "person")).all()
    return _gone(context, "person", everybody)


def _erase_again(context: Context, dead: Mapping[str, Sequence[bytes]]) -> int:
    """Persons who were erased since: their rows came back and open nothing; now they go, and their papers with them."""
    erased = 0
    for person, answers in dead.items():
        tags = [sealed_trace.tag(one) for one in answers]
        with context.database.transaction() as connection:
            kind = connection.execute(select(accounts.c.kind).where(accounts.c.id == person)).scalar_one_or_none()
            if kind is not None and kind != "person":  # who left and was forgotten: their own copies of the trace came back
                removals.remove(context, connection, tags, "erased")
            if kind != "person":
                continue
            again = erasing.again(context, connection, person, tags)
        erasing.carry_out(context, again)
        erased += 1
    return erased


def end_what_died(context: Context) -> int:
    """Shares, ways in, circles, links and workers' accounts whose row of the key vault is gone: their rows say so too."""
    ended = 0
    with context.database.transaction() as connection:
        for table, states, kind, state in (
            (slots, ("live", "vetoing", "leaving", "barred", "pending"), "slot", {"state": "ended", "sealed_secret": None}),
            (circles, ("living",), "grant", {"state": "ended"}),
            (outside_shares, ("given",), "grant", {"state": "withdrawn"}),
        ):
            ids = connection.scalars(select(table.c.id).where(table.c.state.in_(states))).all()
            gone = _gone(context, kind, ids)  # type: ignore[arg-type]  # a kind of row
            for one in gone:
                connection.execute(update(table).where(table.c.id == one).values(**state))
            ended += len(gone)
    ended += _end_workers(context) + _end_administrators(context)
    with context.database.transaction(read_only=True) as connection:
        open_ones = connection.scalars(select(grants.c.id).where(grants.c.state.in_(LIVING))).all()
    for grant in _gone(context, "grant", open_ones):
        _end_grant(context, grant)
        ended += 1
    return ended


def _with_a_way(context: Context, kind: str = "") -> set[str]:
    """Persons with a way in that opens, or will; of one kind alone where it is said."""
    of_kind = slots.c.kind == kind if kind else slots.c.kind != "assist"
    ways = select(slots.c.account).join(accounts, accounts.c.id == slots.c.account)
    with context.database.transaction(read_only=True) as connection:
        return set(connection.scalars(ways.where(accounts.c.kind == "person", slots.c.state.in_(OPENING), of_kind)))


def _end_workers(context: Context) -> int:
    """Workers who left since: no way into their keys is alive any more, so nobody can ever sign in as them."""
    left = _without_a_way(context, select(workers.c.account).where(workers.c.state != "ended"))
    for worker in left:
        working.end_by_service(context, worker)
    return len(left)


def _end_administrators(context: Context) -> int:
    """Administrators who were taken out since, known in the same way: their seed goes, and their name in twelve months."""
    left = _without_a_way(context, select(administrators.c.account).where(administrators.c.left_on.is_(None)))
    gone = {"sealed_totp": b"", "left_on": today_in_paris(context.clock())}
    with context.database.transaction() as connection:
        connection.execute(delete(passkeys).where(passkeys.c.account.in_(left)))
        connection.execute(update(accounts).where(accounts.c.id.in_(left)).values(state="ended"))
        connection.execute(update(administrators).where(administrators.c.account.in_(left)).values(**gone))
    return len(left)


def _without_a_way(context: Context, theirs: Select[Any]) -> list[str]:
    with context.database.transaction(read_only=True) as connection:
        ways: dict[str, list[str]] = {one: [] for one in connection.scalars(theirs)}
        for row in connection.execute(select(slots.c.id, slots.c.account).where(slots.c.account.in_(ways))):
            ways[row.account].append(row.id)
    return [account for account, own in ways.items() if not any(context.keyvault.exists("slot", one) for one in own)]


def _gone(context: Context, kind: Kind, ids: Iterable[str]) -> list[str]:
    return [one for one in ids if not context.keyvault.exists(kind, one)]


def _end_grant(context: Context, grant: str) -> None:
    """By the service, with its signature and its line in both histories; by its row alone when it cannot end any more."""
    with context.database.transaction() as connection:
        row = connection.execute(select(grants).where(grants.c.id == grant).with_for_update()).mappings().one()
        try:
            withdrawing.by_service(context, connection, rules.withdraw(shares.clear_row(row), context.clock()))
        except TransitionRefused:
            connection.execute(update(grants).where(grants.c.id == grant).values(state="withdrawn", body_for_worker=b""))
