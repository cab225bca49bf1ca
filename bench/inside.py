"""Use cases called without HTTP, in a process of their own beside the service or its twin: `python -m bench.inside [--twin]`.

Orders come as lines of JSON on standard input, answers go as lines of JSON to standard output. It makes the people of the
benchmark too, and the hundred papers of the list.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TINY = 20_000  # bytes of each of the papers that are only listed


class Inside:
    """The stores of one service, from inside."""

    def __init__(self) -> None:
        from vault.confinement import Confinement
        from vault.context import open_context
        from vault.reading_settings import read_settings

        self.context = open_context(read_settings(os.environ), confinement=Confinement())
        self.people: list[Any] = []
        self.prepared: dict[str, Any] = {}

    def make_people(self, many: int) -> list[dict[str, str]]:
        """So many people who have just opened a safe."""
        from tests.vault.builders import make_person

        made = [make_person(self.context) for _ in range(many)]
        self.people += made
        return [{"card": one.card, "code": one.code} for one in made]

    def prepare(self, place: str) -> dict[str, int]:
        """Prepare the photo that lies there, once; how long its three objects are."""
        from vault.intake import prepare

        with self.context.confinement:
            paper = prepare(self.context.confinement, [Path(place).read_bytes()])
        self.prepared[place] = paper
        return {"received": len(paper.received), "view": len(paper.view), "preview": len(paper.thumbnail)}

    def deposit(self, place: str, times: int) -> dict[str, float]:
        """Deposit the prepared paper so many times, for a new person; seconds in all, of the clock and of the processor."""
        from consent.purposes import ShelfKind
        from tests.vault.builders import make_person
        from vault import documents

        session, paper = make_person(self.context).session, self.prepared[place]
        return _timed(lambda: documents.deposit(self.context, session, paper, ShelfKind("money"), title="Avis"), times)

    def fill(self, person: int, many: int) -> int:
        """Put so many small papers in somebody's safe."""
        from consent.purposes import ShelfKind
        from tests.vault.papers import prepared
        from vault import documents

        for number in range(many):
            paper = prepared(f"avis {number}", size=TINY)
            documents.deposit(self.context, self.people[person].session, paper, ShelfKind("money"), title=f"Avis numéro {number}")
        return many

    def list_papers(self, person: int, times: int) -> list[float]:
        """List somebody's papers so many times; the seconds of each."""
        from vault import documents

        session, took = self.people[person].session, []
        for _ in range(times):
            began = time.perf_counter()
            listed = documents.list_papers(self.context, session)
            took.append(time.perf_counter() - began)
            assert listed[0].title.startswith("Avis")
        return took

    def rows(self) -> dict[str, list[int]]:
        """How many rows each table has, and how many bytes stand in them."""
        from sqlalchemy import select

        from storage.tables import metadata

        found = {}
        with self.context.database.transaction(read_only=True) as connection:
            for table in metadata.sorted_tables:
                rows = connection.execute(select(table)).all()
                found[table.name] = [len(rows), sum(len(cell) for row in rows for cell in row if isinstance(cell, bytes))]
        return found


def _timed(act: Callable[[], object], times: int) -> dict[str, float]:
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(times):
        act()
    return {"seconds": time.perf_counter() - clock, "cpu": time.process_time() - processor}


def main() -> int:
    """Answer orders until there are none."""
    if "--twin" in sys.argv:
        from bench import twin

        twin.only_false_papers()
        twin.remove_ciphers()
    inside = Inside()
    for line in sys.stdin:
        order = json.loads(line)
        answer = getattr(inside, order.pop("do"))(**order)
        print(json.dumps(answer), flush=True)
    inside.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
