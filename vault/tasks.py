"""Background work: what expires, what is due, what is swept. One loop in a process of its own (`abri tasks`), as many as one likes.

What is to be done is written in rows by the use case that wants it (intentions, doomed blobs, erasures that are due): nothing can be lost
between a row and a queue (ADR 0016). A schedule runs once, by the process that takes its turn first; one that was missed runs when the
service is back. Nothing here holds a key: what needs one waits for the person's next unlock.
"""

import datetime as dt
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import partial

import structlog

from consent.days import PARIS
from storage import journal, schedules
from vault import (
    aftermath,
    article19,
    asking,
    assisted,
    attempts,
    checkpoints,
    closing,
    deaths,
    endings,
    erasing,
    figures,
    forgetting,
    inviting,
    notices,
    orphans,
    outside,
    recount,
    removing,
    requisitions,
    scrubbing,
    sessions,
    silence,
    terms,
    tickets,
    training,
    withdrawing,
    witnessed,
    workers,
)
from vault.context import Context
from vault.one_by_one import FAILURES, each

PAUSE_SECONDS = 1.0
log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """Something that is done again and again: `latest(now)` is the last moment at which it should have begun.

    `watches`: it looks for what somebody wrote into the rows, so no row may keep it from looking. Each process that goes on does it by
    its own clock, whoever took the turn; one that begins goes by the rows once, so that no count begins with every start.
    """

    name: str
    latest: Callable[[dt.datetime], dt.datetime]
    run: Callable[[Context], int]
    watches: bool = False


def minutely(now: dt.datetime) -> dt.datetime:
    """Each minute."""
    return now.replace(second=0, microsecond=0)


def hourly(now: dt.datetime) -> dt.datetime:
    """Each hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def daily(hour: int, minute: int = 0) -> Callable[[dt.datetime], dt.datetime]:
    """Each day at that time in Paris."""

    def latest(now: dt.datetime) -> dt.datetime:
        local = now.astimezone(PARIS)
        today = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (today if today <= local else today - dt.timedelta(days=1)).astimezone(dt.UTC)

    return latest


def erase_due(context: Context) -> int:
    """Carry out the erasures whose time has come, and those that a process left half-way."""
    return each("erasure", erasing.due(context), partial(erasing.carry_out, context))


def finish_endings(context: Context) -> int:
    """Finish destructions that a process left behind a minute ago or more."""
    return endings.finish(context, context.clock() - endings.SOON)


JOBS: tuple[Job, ...] = (
    Job("sessions", minutely, sessions.sweep),
    Job("openings with help", minutely, assisted.sweep),
    Job("shares that wait for a witness", minutely, witnessed.sweep),
    Job("endings", minutely, finish_endings),
    Job("erasures", minutely, erase_due),
    Job("recipients", daily(7, 30), article19.remind),
    Job("deaths", daily(0, 20), deaths.end_due),
    Job("deaths reported", daily(0, 25), deaths.settle_due),
    Job("requisitions", daily(7, 0), requisitions.tell_due),
    Job("recoveries", minutely, aftermath.expire),
    Job("tickets", minutely, tickets.sweep),
    Job("training", hourly, training.sweep),
    Job("orphans", hourly, orphans.sweep),
    Job("bin", hourly, removing.purge_bin),
    Job("invitations", hourly, inviting.sweep_invitations),
    Job("workers", daily(0, 1), workers.end_due),
    Job("grants", daily(0, 2), withdrawing.expire),
    Job("outside", minutely, outside.expire),
    Job("requests", daily(0, 10), asking.expire),
    Job("silence", daily(1, 0), silence.tell),
    Job("silence ends", daily(1, 10), silence.end),
    Job("closing", hourly, closing.tell),
    Job("names", daily(1, 20), forgetting.forget_workers),
    Job("names of the office", daily(1, 25), forgetting.forget_administrators),
    Job("figures", daily(1, 30), figures.tonight),
    Job("attempts", daily(2, 10), attempts.sweep),
    Job("notices", daily(2, 20), notices.sweep),
    Job("registers", daily(2, 30), terms.close_registers),
    Job("tombstones", daily(2, 40), terms.forget_tombstones),
    Job("turns", daily(2, 50), terms.forget_turns),
    Job("vault-log", daily(2, 55), terms.forget_vault_log),
    Job("scrub", daily(3, 0), scrubbing.scrub),
    Job("trace", daily(4, 0), terms.prune_trace),
    Job("checkpoint", daily(4, 30), checkpoints.publish),
    Job("witnesses", hourly, checkpoints.ask_again),
    Job("last head", hourly, checkpoints.remember, watches=True),
    Job("recount", daily(5, 0), recount.nightly, watches=True),
)


def run_due(
    context: Context, taken: MutableMapping[str, dt.datetime] | None = None, jobs: tuple[Job, ...] = JOBS
) -> dict[str, int]:
    """Run each job whose turn has come and that nobody has taken; gives what each did. `taken` remembers turns already looked at.

    A job that fails is logged by its name and the error's, and does not keep the others waiting; it has its next turn.
    """
    seen = {} if taken is None else taken
    done: dict[str, int] = {}
    for job in jobs:
        now = context.clock()
        turn = job.latest(now)
        if seen.get(job.name) == turn:
            continue
        try:
            with context.database.transaction() as connection:
                mine = schedules.take_turn(connection, job.name, turn)
            watched = job.watches and job.name in seen
            seen[job.name] = turn
            if not mine and not watched:
                continue
            done[job.name] = job.run(context)
            with context.database.transaction() as connection:
                schedules.say_done(connection, job.name, turn, context.clock())
        except FAILURES as error:
            log.error("job failed", job=job.name, error=type(error).__name__)
            continue
        if done[job.name]:
            log.info("job done", job=job.name, count=done[job.name])
    return done


def run_until(context: Context, *, stopped: Callable[[], bool], sleep: Callable[[float], None]) -> None:
    """Do the work until told to stop; what has begun is finished first, and everything may be killed at any step."""
    taken: dict[str, dt.datetime] = {}
    one_at_a_time = tuple((job,) for job in JOBS)
    while not stopped():
        for jobs in one_at_a_time:
            if stopped():
                return
            run_due(context, taken, jobs)
        try:
            journal.number(context.database)
        except FAILURES as error:
            log.error("numbering failed", error=type(error).__name__)
        sleep(PAUSE_SECONDS)
