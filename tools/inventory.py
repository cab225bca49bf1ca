"""Write `docs/data-inventory.md` from the schema: `python -m tools.inventory`. A test says when it is no longer true."""

from pathlib import Path
from typing import get_args

from sqlalchemy import MetaData

from storage import columns, tables

PLACE = Path(__file__).parents[1] / "docs" / "data-inventory.md"

DATABASES: tuple[tuple[str, str, MetaData], ...] = (
    ("Rows", "`ABRI_DATABASE_URL`", tables.metadata),
    ("The key vault", "`ABRI_VAULT_URL`", tables.vault_metadata),
    ("Tombstones", "`ABRI_TOMBSTONES_URL`", tables.tombstone_metadata),
)
DATA: dict[columns.Data, str] = {
    "technical": "ids, states, sizes, counts, days: readable by whoever holds the rows",
    "link": "ties a safe to a worker, a kiosk or a session; readable (see the threat model)",
    "public": "names and roles of workers and structures, public keys, signatures over what is readable",
    "sealed": "readable only with a person's or a worker's secret and a living row of the key vault",
    "digest": "recognises something shown again; does not tell it",
    "register": "what the law asks the association to keep about a request, without what is in the papers",
}
ERASURE: dict[columns.Erasure, str] = {
    "with the person": "deleted when the safe is erased",
    "with the paper": "deleted when the paper is removed, and so with the person",
    "with the account": "goes with the account it belongs to: a person's when the safe is erased, a worker's after they have left",
    "at its term": "deleted by the background work at the date that the row carries",
    "after 12 months": "deleted by the background work 12 months later",
    "after 30 days": "deleted by the background work 30 days later",
    "five years after closing": "deleted five years after the request, the erasure or the share was closed",
    "with the trace": "the envelope goes with its party; hashes stay, so that the history of the others can still be checked",
    "never personal": "describes structures, schedules, the schema",
}
HEAD = """# Data inventory

Every column of the three databases: what kind of data it holds and when it is erased. This page is written from
`storage/tables.py` by `python -m tools.inventory`; a test fails when they differ. Papers themselves are not in rows: they
are encrypted objects in the store of papers, named at random, and go with their row of `objects`.

No column holds a birth date, an age, a nationality, a gender or a social security number, and a test refuses one.
"""


def inventory() -> str:
    """The page, as text."""
    used_data = {column.info["data"] for _, _, found in DATABASES for table in found.sorted_tables for column in table.columns}
    used_rules = {
        column.info["erasure"] for _, _, found in DATABASES for table in found.sorted_tables for column in table.columns
    }
    lines = [HEAD, "## Kinds of data", "", "| kind | meaning |", "|---|---|"]
    lines += [f"| {kind} | {DATA[kind]} |" for kind in get_args(columns.Data) if kind in used_data]
    lines += ["", "## Rules of erasure", "", "| rule | meaning |", "|---|---|"]
    lines += [f"| {rule} | {ERASURE[rule]} |" for rule in get_args(columns.Erasure) if rule in used_rules]
    kinds = ", ".join(f"*{kind}*" for kind in columns.CLEAR)
    lines += [
        "",
        f"A requisition for an account number is given the columns of kinds {kinds} of that safe's rows, and no others.",
    ]
    for title, setting, found in DATABASES:
        count = sum(len(table.columns) for table in found.tables.values())
        lines += ["", f"## {title} ({setting})", "", f"{len(found.tables)} tables, {count} columns.", ""]
        lines += ["| table | column | data | erased |", "|---|---|---|---|"]
        for table in found.tables.values():
            lines += [f"| {table.name} | {one.name} | {one.info['data']} | {one.info['erasure']} |" for one in table.columns]
    return "\n".join(lines) + "\n"


def main() -> int:
    """The command line: write the page where the documents are."""
    PLACE.write_text(inventory(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
