"""Looking at a paper: its pages rendered and marked in confined children, beside the same pages drawn bare in this process.

The target is a factor of two, averaged over a paper of five pages at 150 dots an inch. It holds for one child that has the whole paper, as
a dossier is made. The desk asks for one page at a time, each in a child of its own, and a child that has seen a paper does not outlive its
answer (ADR 0025): that way is measured against the same target and said, and misses it. All take turns, so that whatever else the machine
does falls on all.
"""

import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import fpdf
import pypdfium2

from vault import rendering
from vault.confinement import Confinement

PAGES, DPI, LINES = 5, rendering.SCREEN_DPI, 40
TARGET, TURNING = 2.0, 0.3
MARK = ("FD-2041", "un logement", "24/11/2026 10:42")


@dataclass(frozen=True)
class Measured:
    """Milliseconds for each page, medians, and how many times the bare one: bare, marked in the child that has the whole paper (a dossier),
    each page in a child of its own (the desk)."""

    bare: float
    confined: float
    alone: float
    ratio: float
    ratio_alone: float

    def told(self) -> str:
        """For people."""
        return (
            f"A page at {DPI} dpi, milliseconds: bare in process {self.bare:.1f}; confined and marked, over a paper of {PAGES} pages "
            f"in one child (a dossier) {self.confined:.1f}, {self.ratio:.2f} times (target {TARGET:.0f}: "
            f"{_word(self.ratio)}); a child for each page (the desk) {self.alone:.1f}, {self.ratio_alone:.2f} times "
            f"({_word(self.ratio_alone)})"
        )


def _word(ratio: float) -> str:
    return "held" if ratio <= TARGET else "missed"


def letter() -> bytes:
    """A paper of five full pages, as an office writes it."""
    paper = fpdf.FPDF()
    paper.set_font("Helvetica", size=11)
    for page in range(PAGES):
        paper.add_page()
        for line in range(LINES):
            text = f"Ligne {line} de la page {page} : attestation de domiciliation, article L264-2 du code."
            paper.cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
    return bytes(paper.output())


def bare(paper: bytes) -> None:
    """What a service without confinement and without marks would do."""
    document = pypdfium2.PdfDocument(paper)
    for page in document:
        picture = page.render(scale=DPI / 72, may_draw_forms=True, rev_byteorder=True).to_pil()
        picture.save(io.BytesIO(), "JPEG", quality=rendering.QUALITY)


def measure(rounds: int = 12) -> Measured:
    """In turns: bare, confined, alone."""
    paper, mark = letter(), rendering.Watermark(MARK, rendering.marks_font())
    times: dict[str, list[float]] = {"bare": [], "confined": [], "alone": []}

    def turn(name: str, act: Callable[[], object], pages: int) -> None:
        began = time.perf_counter()
        act()
        times[name].append(1000 * (time.perf_counter() - began) / pages)

    with Confinement() as confinement:
        for _ in range(rounds + 1):
            turn("bare", lambda: bare(paper), PAGES)
            turn(
                "confined",
                lambda: rendering.sheets(
                    confinement, paper, dpi=DPI, quality=rendering.QUALITY, most_bytes=1 << 30, watermark=mark
                ),
                PAGES,
            )
            took = 0.0
            for page in range(1, PAGES + 1):  # as somebody turns pages: a child has limbered up meanwhile
                time.sleep(TURNING)
                began = time.perf_counter()
                rendering.page_image(confinement, paper, page, watermark=mark)
                took += 1000 * (time.perf_counter() - began)
            times["alone"].append(took / PAGES)
            time.sleep(TURNING)
    middle = {name: statistics.median(found[1:]) for name, found in times.items()}

    def ratio(name: str) -> float:
        return statistics.median(ours / theirs for ours, theirs in zip(times[name][1:], times["bare"][1:], strict=True))

    return Measured(middle["bare"], middle["confined"], middle["alone"], ratio("confined"), ratio("alone"))


def main() -> int:
    """Print what was measured; 1 when the target is missed by one child for one paper."""
    found = measure()
    print(found.told())
    return 0 if found.ratio <= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
