"""Write `formulas.json`: one vector for each formula of `docs/formats.md`, made with `crypto/` alone.

    python -m tests.vectors.make            check that the code still makes the file as it is
    python -m tests.vectors.make --write    write it and the page again, keeping what chance made

What chance makes (salts, encapsulated keys, half of each signature) cannot be made twice: it is kept from the file as
long as the code opens it to the same plaintext. `second_reading.py` computes every value from the page alone.
"""

import json
import sys
from pathlib import Path

from tests.vectors import of_keys, of_papers, page
from tests.vectors.ingredients import Kept, Vector

FILE = Path(__file__).with_name("formulas.json")


def build(old: dict[str, Vector]) -> dict[str, Vector]:
    """Make every vector, keeping from `old` what chance made."""
    kept = Kept(old)
    parts = [of_keys.all_contexts(), of_keys.primitives(kept), of_keys.accounts(kept), of_keys.slots(kept)]
    parts += [of_papers.papers(kept), of_papers.guardians(kept), of_papers.sessions_and_trace(kept), of_papers.tree(kept)]
    parts += [of_papers.signatures(kept)]
    return {name: vector for part in parts for name, vector in part.items()}


def read() -> dict[str, Vector]:
    """Read the file as it is."""
    vectors: dict[str, Vector] = json.loads(FILE.read_text())["vectors"] if FILE.exists() else {}
    return vectors


def main(arguments: list[str]) -> int:
    """Check the file, or write it again."""
    made = build(read())
    if arguments == ["--write"]:
        about = "Every formula of docs/formats.md. Bytes are hexadecimal. Made by make.py, read again by second_reading.py."
        FILE.write_text(json.dumps({"about": about, "vectors": made}, indent=1, ensure_ascii=False) + "\n")
        page.PAGE.write_text(page.with_vectors(page.PAGE.read_text(), made))
        return 0
    return 0 if made == read() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
