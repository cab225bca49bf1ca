"""Write `docs/processing.md` (GDPR article 30, legal bases) and `docs/retention.md` from the schema and the figures that are enforced.

`python -m tools.processing`. A test says when a page is no longer true, and when a table belongs to no processing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table

from consent.request import MEMORY_DAYS, OPEN_DAYS
from tools.inventory import DATABASES
from vault import retaining
from vault.languages import read_catalogues
from vault.settings import Limits, Retention
from vault.terms import TURNS_KEPT

DOCS = Path(__file__).parents[1] / "docs"
REGISTER, RETENTION = DOCS / "processing.md", DOCS / "retention.md"


@dataclass(frozen=True)
class Processing:
    """One row of the register: what is done with which tables, for whom, on what ground."""

    name: str
    purpose: str
    basis: str
    special: str
    people: str
    recipients: str
    controller: str
    tables: tuple[str, ...]


ALL: tuple[Processing, ...] = (
    Processing(
        "Keeping papers", "copies of a person's papers, kept so that the service cannot read them, and given back to them",
        "contract, 6(1)(b)", "9(2)(a): put in by the person, who was told; 10: the drawer of justice is theirs, and only they read it",
        "people with a safe", "nobody", "association",
        ("accounts", "earlier_keys", "persons", "slots", "shelves", "papers", "versions", "objects", "doomed_blobs", "notices", "tickets",
         "brought",
         "condition_versions", "vault_rows"),
    ),
    Processing(
        "Sharing", "showing chosen papers to somebody named, for one reason, until a day", "consent, 6(1)(a)",
        "9(2)(a), explicit; 10: flagged in the receipt", "people with a safe; those they show papers to",
        "the named worker; the named outsider", "association for the share; the recipient's operator for what was received",
        ("grants", "grant_changes", "receipts", "wraps", "shelf_wraps", "requests", "outside_shares", "outside_wraps", "outside_changes"),
    ),
    Processing(
        "Coming back", "a new card after a loss, with two guardians", "contract, 6(1)(b)", "none", "people with a safe; guardians",
        "the guardians chosen; the worker who helps to open", "association",
        ("circles", "circle_members", "circle_shares", "recoveries", "recovery_confirmations", "assists", "kept_cards", "assist_shelves",
         "assist_openings", "witnessings"),
    ),
    Processing(
        "The trace", "who did what with which safe, for the person to read, and to be proved whole",
        "legal obligation, 6(1)(c): CPCE R55-4", "none: sealed for each party", "people with a safe; workers",
        "each party for its own; the incident key for a breach inquiry", "association",
        ("trace_keys", "entries", "entry_copies", "removals", "checkpoints", "tiles", "trace_checks", "witness_answers"),
    ),
    Processing(
        "Safety", "attempts, sessions, what must die in several stores", "legitimate interest, 6(1)(f): nobody else opens a safe",
        "none", "whoever stands at a kiosk", "nobody", "association",
        ("attempts", "sessions", "vault_sessions", "intentions", "tombstones", "schedule_runs"),
    ),
    Processing(
        "Those who work", "named, certified workers and administrators", "legitimate interest, 6(1)(f); legal obligation for the trace",
        "none", "workers, administrators", "people with a safe: first name, role, structure", "each operator; association for the keys",
        ("workers", "certificate_signatures", "administrators", "passkeys", "invitations"),
    ),
    Processing(
        "Requests by law", "register of rights, requisitions, complaints, breaches; erasures and their certificates",
        "legal obligation, 6(1)(c): GDPR 12, 15 to 21, 33", "none", "whoever asks", "administrators of the operator; an authority",
        "association, operators", ("rights_requests", "erasures", "article19", "inquiries"),
    ),
    Processing(
        "After death", "what a person wants then, and who has seen the certificate", "contract, 6(1)(b); LIL 84 to 86", "none: sealed",
        "people with a safe; whom they named", "the guardians chosen, once they have said that the person is dead; the person named",
        "association", ("directives", "directive_copies", "death_reports"),
    ),
    Processing(
        "Places, lists, figures", "operators, structures, kiosks, lists of papers for procedures, yearly counts", "no personal data",
        "none", "nobody",
        "public", "association", ("operators", "structures", "kiosks", "procedure_editions", "closings", "figures"),
    ),
)  # fmt: skip


def tables() -> dict[str, Table]:
    """Every table of the three databases."""
    return {table.name: table for _, _, metadata in DATABASES for table in metadata.tables.values()}


def unassigned() -> list[str]:
    """Tables that belong to no processing, or to two: name them in `ALL`."""
    named = [table for one in ALL for table in one.tables]
    return sorted({*(set(tables()) ^ set(named)), *(one for one in named if named.count(one) > 1)})


def _classes(names: tuple[str, ...], key: str) -> str:
    known = tables()
    return ", ".join(sorted({column.info[key] for name in names if name in known for column in known[name].columns}))


def register() -> str:
    """The register, as text."""
    return "\n".join(_register()) + "\n"


def _register() -> Iterator[str]:
    yield "# Register of processing"
    yield ""
    yield "GDPR article 30, with the ground of each processing (6, 9, 10). Written by `python -m tools.processing` from the schema; a test"
    yield "fails when a table belongs to none. Names and contacts of the controllers, of their data protection officer and of the hosts are"
    yield "in the agreements ([roles.md](roles.md)). There is no transfer outside the European Union, no profiling and no decision by a"
    yield "machine."
    for one in ALL:
        yield from ("", f"## {one.name}", "", "| | |", "|---|---|")
        yield f"| purpose | {one.purpose} |"
        yield f"| ground | {one.basis} |"
        yield f"| special data | {one.special} |"
        yield f"| people | {one.people} |"
        yield f"| recipients | {one.recipients} |"
        yield f"| controller | {one.controller} |"
        yield f"| kinds of data | {_classes(one.tables, 'data')} ([what they mean](data-inventory.md)) |"
        yield f"| erased | {_classes(one.tables, 'erasure')} ([how long](retention.md)) |"
        yield f"| tables | {', '.join(f'`{table}`' for table in one.tables)} |"
    yield from ("", "## Measures (article 32)", "")
    yield "Sealed for each party, keys that die alone, a key vault apart, confined parsing, four eyes, restore drills:"
    yield "[threat-model.md](threat-model.md)."


def retention() -> str:
    """How long things are kept, as text."""
    return "\n".join(_retention()) + "\n"


def _retention() -> Iterator[str]:
    french = read_catalogues()["fr"]
    yield "# How long things are kept"
    yield ""
    yield "Written by `python -m tools.processing`. The first table is what people read in the conditions; its figures are those that the"
    yield "background work obeys (`vault/settings.py`), and there is no other place to change them. The second is the rule of each table."
    yield from ("", "| what the conditions say | how long |", "|---|---|")
    for term in retaining.terms(Retention(), Limits()):
        yield f"| {french.plain(f'keeps.{term.what}')} | {term.said(french)} |"
    yield from ("", "| table | rules of its columns |", "|---|---|")
    for name, table in tables().items():
        yield f"| `{name}` | {', '.join(dict.fromkeys(column.info['erasure'] for column in table.columns))} |"
    yield ""
    yield "What the law's table calls a pending envelope is a request that waits for its person's answer (a row of `requests`, sealed for"
    yield f"both): after {OPEN_DAYS} days nobody can answer it and no page shows it to them; the row goes with the answered ones, after"
    yield f"{MEMORY_DAYS + OPEN_DAYS} days, since the worker's page says until then that nothing came."
    yield f"`schedule_runs` names nobody; its rows go after {TURNS_KEPT.days} days."


def main() -> int:
    """The command line: write both pages."""
    REGISTER.write_text(register(), encoding="utf-8")
    RETENTION.write_text(retention(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
