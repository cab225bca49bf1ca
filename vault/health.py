"""Whether the service is as it should be: stores, schema, confinement. For `abri check` and the office's page."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storage.errors import StorageError
from storage.migrate import Urls, pending
from vault import backups, listening, register_reading, standing, trace_state
from vault.confinement import Confinement
from vault.context import Context, open_context
from vault.migrating import MARK as MIGRATED
from vault.migrating import noted_in
from vault.restoring import MARK
from vault.settings import Settings, UnsafeSettings, today_in_paris

SOON_DAYS = 90  # before the host's certificate ends, it is time to ask for the next one


@dataclass(frozen=True)
class Line:
    """One thing looked at."""

    name: str
    good: bool
    words: str


def report(settings: Settings, *, alive_only: bool = False) -> list[Line]:
    """Look at everything; `alive_only` asks the running service alone."""
    if alive_only:
        return [Line("service", *listening.asked(settings))]
    context = open_context(settings, confinement=Confinement())
    try:
        context.confinement.start()
        return look(context)
    finally:
        context.close()


def look(context: Context) -> list[Line]:
    """The same from inside."""
    settings = context.settings
    urls = Urls(settings.database_url, settings.vault_url, settings.tombstones_url)
    lines = [
        _try("rows", lambda: _ask(context)),
        _try("papers", lambda: _answers(context.blobs.check)),
        _try("key vault", lambda: _answers(context.keyvault.check)),
        _try("schema", lambda: _schema(urls)),
    ]
    lines += of_migrations(settings)
    lines += [of_erasures(context), of_requests(context)]
    lines += _trace(context)
    lines += of_backups(context)
    lines += of_hosting(context)
    lines += [Line(f"confinement: {one.name}", one.on, one.detail) for one in context.confinement.layers()]
    lines.append(Line("malware scan", True, "off in this installation: papers are parsed in the confined child alone"))
    return lines


def _trace(context: Context) -> list[Line]:
    try:
        return [Line(*one) for one in trace_state.lines(context)]
    except (StorageError, SQLAlchemyError) as error:
        return [Line("trace", False, f"{type(error).__name__}: the rows say why")]


def of_migrations(settings: Settings) -> list[Line]:
    """Nothing when everybody was told of each change of the databases (CPCE R55-4 3°)."""
    noted = ", ".join(noted_in(settings.folder / MIGRATED))
    return [Line("told", False, f"not everybody has been told of {noted}: run `abri migrate` again")] if noted else []


def of_backups(context: Context) -> list[Line]:
    """Whether the newest backup is of today or yesterday, and whether none is older than what people were promised."""
    settings = context.settings
    lines = []
    if (settings.folder / MARK).exists():
        lines.append(Line("restore", False, "it was begun and did not come to its end: `abri restore` again"))
    if settings.backups is None:
        return [*lines, Line("backups", True, "not looked at from here: ABRI_BACKUPS says where they are")]
    today, days = today_in_paris(context.clock()), settings.retention.backups
    old = backups.stale(settings.backups, today, days)
    if old:
        return [*lines, Line("backups", False, f"older than {days} days: {', '.join(old)}: run `abri backup --prune`")]
    names = backups.every(settings.backups)
    newest = backups.day_of(names[-1]) if names else None
    fresh = newest is not None and (today - newest).days <= 1
    return [
        *lines,
        Line("backups", fresh, f"the newest is of {newest or 'no day: there is none'}, none is older than {days} days"),
    ]


def of_erasures(context: Context) -> Line:
    """Whether every erasure whose time has come was done within the hour."""
    try:
        late = standing.stuck(context)
    except (StorageError, SQLAlchemyError) as error:
        return Line("erasures", False, f"{type(error).__name__}: the rows say why")
    words = (
        f"{late} should have been done more than an hour ago: does `abri tasks` run? Its log says why" if late else "none is late"
    )
    return Line("erasures", not late, words)


def of_requests(context: Context) -> Line:
    """Whether every request of the registers is answered in its time (GDPR 12(3))."""
    try:
        late = register_reading.overdue(context)
    except (StorageError, SQLAlchemyError) as error:
        return Line("requests", False, f"{type(error).__name__}: the rows say why")
    return Line(
        "requests", not late, f"{late} past their day: the registers of the offices say which" if late else "none is late"
    )


def refuse_ended(settings: Settings, now: dt.datetime) -> None:
    """Nobody's health papers are served under a certificate that has ended. Raises UnsafeSettings."""
    if settings.mode == "production" and settings.hosting is not None and settings.hosting.ends < today_in_paris(now):
        raise UnsafeSettings(
            f"The hosting certificate {settings.hosting.number} ended on {settings.hosting.ends}: bring the next one."
        )


def of_hosting(context: Context) -> list[Line]:
    """Whether the certificate of the host of health data is still good, and three months before that it ends."""
    hosting = context.settings.hosting
    if hosting is None:
        return []
    left = (hosting.ends - today_in_paris(context.clock())).days
    return [
        Line("hosting certificate", left >= SOON_DAYS, f"{hosting.number} of {hosting.host}, until {hosting.ends} ({left} days)")
    ]


def _answers(check: Callable[[], None]) -> str:
    check()
    return "it answers"


def _ask(context: Context) -> str:
    with context.database.transaction(read_only=True) as connection:
        connection.execute(text("select 1"))
    return context.database.engine.dialect.name


def _schema(urls: Urls) -> str:
    waiting = sum(len(steps) for steps in pending(urls).values())
    if waiting:
        raise StorageError(f"{waiting} steps are waiting: run `abri migrate`")
    return "up to date"


def _try(name: str, look_at: Callable[[], str]) -> Line:
    try:
        return Line(name, True, look_at())
    except StorageError as error:
        return Line(name, False, f"{type(error).__name__}: {error}")
