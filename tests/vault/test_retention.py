"""Point 6: what the conditions say, what the columns say and what the purge does are one thing."""

import inspect
import re
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from storage.tables import metadata, tombstone_metadata, vault_metadata
from vault import retaining, tasks
from vault.settings import Limits, Retention

VAULT = Path(__file__).parents[2] / "vault"
# Each row of the conditions: the job that keeps it, and where it reads its figure. None: the person's own act, or a folder of backups.
KEPT_BY: dict[str, tuple[str | None, str]] = {
    "papers": (None, ""), "bin": ("bin", "retention.bin"), "erasing": ("erasures", "cooling_off_hours"),
    "backups": (None, "retention.backups"), "trace": ("trace", "retention.trace"), "attempts": ("attempts", "retention.attempts"),
    "receipts": ("registers", "receipts_years"), "registers": ("registers", "registers_years"),
    "half-made": ("sessions", "opening_seconds"), "workers": ("names", "worker_months"), "silent": ("silence ends", "silent_months"),
    "closing": (None, "retrieval_months"),
}  # fmt: skip
# Each table that has a term of its own: the job that takes its rows away, or blanks what is over.
TAKEN_BY = {
    "accounts": "sessions", "invitations": "invitations", "slots": "recoveries", "attempts": "attempts", "sessions": "sessions",
    "papers": "bin", "doomed_blobs": "endings", "receipts": "registers", "tickets": "tickets", "assist_openings": "openings with help",
    "witnessings": "shares that wait for a witness", "recoveries": "recoveries", "recovery_confirmations": "recoveries",
    "erasures": "registers", "rights_requests": "registers", "inquiries": "registers", "article19": "registers",
    "intentions": "endings", "vault_rows": "endings", "vault_sessions": "sessions", "tombstones": "tombstones",
}  # fmt: skip
JOBS = {job.name: job for job in tasks.JOBS}


def with_a_term() -> set[str]:
    """Tables of which some column goes at a term of its own."""
    every: tuple[MetaData, ...] = (metadata, vault_metadata, tombstone_metadata)
    own = {"at its term", "five years after closing", "after 12 months", "after 30 days"}
    return {
        table.name for one in every for table in one.tables.values() if own & {column.info["erasure"] for column in table.columns}
    }


def test_each_row_of_the_conditions_has_its_figure_and_its_job() -> None:
    assert KEPT_BY.keys() == {one.what for one in retaining.terms(Retention(), Limits())}
    source = "\n".join(path.read_text() for path in VAULT.glob("*.py") if path.name != "retaining.py")
    for what, (job, figure) in KEPT_BY.items():
        assert job is None or job in JOBS, what
        name = figure.rpartition(".")[2]
        assert not name or re.search(rf"(retention|limits|kept)\.{name}\b", source), f"{what}: nothing reads {figure}"


def test_each_table_with_a_term_is_taken_by_a_job() -> None:
    assert with_a_term() == TAKEN_BY.keys(), "say in TAKEN_BY which job takes its rows away"
    assert set(TAKEN_BY.values()) <= JOBS.keys()


@pytest.mark.parametrize("name", ["receipts", "erasures", "rights_requests", "inquiries", "attempts", "tickets"])
def test_that_job_deletes_from_that_table(name: str) -> None:
    module = inspect.getsource(inspect.getmodule(JOBS[TAKEN_BY[name]].run))  # type: ignore[arg-type]  # jobs are functions of modules
    assert f"delete({name})" in module
