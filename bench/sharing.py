"""What consent costs: taking back a share against depositing its papers again, and one decision over many shares.

`python -m bench.sharing` measures both in one run, in process, on SQLite and a folder, without a parser: sealing, files, rows, trace.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

PAPERS, SIZE = 50, 1 << 20
GRANTS, TIMES = 1000, 300
AT_MOST_RATIO, AT_MOST_MS = 1.5, 1.0


@contextmanager
def house_in(folder: Path) -> Iterator[tuple[Any, Any]]:
    """A service on SQLite and a folder, and the clock that the benchmark moves."""
    from storage.blobs import FolderStore
    from storage.database import Database
    from storage.keyvault import KeyVault
    from storage.migrate import upgrade
    from tests.engines import Engines, sqlite_urls
    from tests.vault.clock import Clock
    from tests.vault.conftest import context_on

    (folder / "rows").mkdir()
    urls, clock = sqlite_urls(folder / "rows"), Clock()
    upgrade(urls)
    with ExitStack() as stack:
        database, keyvault = Database(urls.main), KeyVault(urls.vault, urls.tombstones)
        blobs = FolderStore(folder / "blobs")
        for one in (database, keyvault, blobs):
            stack.callback(one.close)
        yield context_on(Engines("sqlite", database, blobs, keyvault, urls, folder / "blobs"), folder, clock), clock


def taking_back(folder: Path, rounds: int = 3) -> tuple[float, float]:
    """Seconds to deposit so many papers, and to take back a share of them until the last is sealed anew; the medians of some rounds."""
    from tests.vault.builders import make_office, make_person, make_worker, unlock
    from tests.vault.papers import SAID, keep
    from tests.vault.test_sharing import BOTH, offer
    from vault import reencryption, sharing, withdrawing

    with house_in(folder) as (house, clock):
        worker = make_worker(house, make_office(house))
        deposits, withdrawals = [], []
        for _ in range(rounds):
            person = make_person(house)
            clock.forward(days=1)
            unlock(house, person)
            began = time.perf_counter()
            papers = [keep(house, person.session, text=f"{n}", size=SIZE) for n in range(PAPERS)]
            deposits.append(time.perf_counter() - began)
            grant = sharing.grant(
                house, person.session, worker.id, offer(*papers, acts=BOTH, until=clock().date() + timedelta(60))
            )
            began = time.perf_counter()
            withdrawing.withdraw(house, person.session, grant, SAID)
            done = sum(step.done for step in reencryption.all_steps(house, person.session))
            withdrawals.append(time.perf_counter() - began)
            assert done == PAPERS
    return statistics.median(deposits), statistics.median(withdrawals)


def deciding() -> float:
    """Milliseconds of one decision over so many verified shares, of which the last one alone says yes; the median."""
    from consent.policy import Allowed, decide
    from consent.scope import Act, PapersScope
    from tests.consent.examples import NOW, body, paper, paper_id, proven, recipient, terms

    others = [proven(body(n, terms(PapersScope((paper_id(n),)), [Act.SEE]))) for n in range(2, GRANTS + 1)]
    shares = [*others, proven(body(1, terms(PapersScope((paper_id(1),)), [Act.SEE])))]
    to, wanted = recipient(), paper()
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        said = decide(Act.SEE, wanted, to, shares, NOW)
        took.append(time.perf_counter() - began)
        assert isinstance(said, Allowed)
    return 1000 * statistics.median(took)


def main() -> int:
    """Print both lines, each with its target; 1 when one is missed."""
    with tempfile.TemporaryDirectory(prefix="abri-bench-", dir="/var/tmp") as folder:
        deposit, withdrawal = taking_back(Path(folder))
    ratio, decision = withdrawal / deposit, deciding()
    print(
        f"take back a share of {PAPERS} papers of 1 MiB: {withdrawal:.2f} s; deposit them again: {deposit:.2f} s; "
        f"ratio {ratio:.2f} (at most {AT_MOST_RATIO})"
    )
    print(f"one decision over {GRANTS} shares: {decision:.3f} ms (at most {AT_MOST_MS} ms)")
    return 0 if ratio <= AT_MOST_RATIO and decision <= AT_MOST_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
