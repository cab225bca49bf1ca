"""Each schedule runs once, however many processes keep the time: whoever writes the row (job, minute) first runs the job."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from storage.database import insert_once
from storage.tables import schedule_runs


def take_turn(connection: Connection, job: str, minute: datetime) -> bool:
    """Take the run of this job for this minute; False when it is already taken. Commit before running the job."""
    return insert_once(connection, schedule_runs, {"job": job, "minute": minute.replace(second=0, microsecond=0)}) == 1


def say_done(connection: Connection, job: str, minute: datetime, at: datetime) -> None:
    """Say that the run came to its end, for the page that shows which jobs are late."""
    ours = (schedule_runs.c.job == job, schedule_runs.c.minute == minute.replace(second=0, microsecond=0))
    connection.execute(update(schedule_runs).where(*ours).values(done=at))


def last_done(connection: Connection, job: str) -> datetime | None:
    """Tell when a job last came to its end."""
    ended = (schedule_runs.c.job == job, schedule_runs.c.done.is_not(None))
    found: datetime | None = connection.scalar(
        select(schedule_runs.c.done).where(*ended).order_by(schedule_runs.c.done.desc()).limit(1)
    )
    return found


def forget_turns(connection: Connection, before: datetime) -> int:
    """Remove the rows of old runs; tells how many."""
    return connection.execute(delete(schedule_runs).where(schedule_runs.c.minute < before)).rowcount
