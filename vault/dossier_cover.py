"""The first page of a dossier: to whom, what for, which day, and what follows. In French: it goes to a French office."""

import datetime as dt
from collections.abc import Sequence

from vault.pictograms import KINDS
from vault.printed import Page, Printing


def cover_sheet(
    recipient: str, words: str, day: dt.date, lines: Sequence[tuple[str, int]], procedure: str = "", by: str = ""
) -> bytes:  # fmt: skip
    """A PDF of one page or two, drawn here; it goes through the same door as any paper and ends as pixels. Names nobody else."""
    page = Page(Printing("fr"), "printed.dossier.title")
    page.add_page()
    page.lines("printed.dossier.title", 24, bold=True)
    page.gap(6)
    page.lines("printed.dossier.to", 15, bold=True, recipient=recipient)
    page.lines("printed.dossier.for", 15, words=procedure or words)
    page.lines("printed.dossier.day", 15, day=page.sentences.day(day))
    if by:
        page.lines("printed.dossier.by", 15, by=by)
    page.gap(8)
    page.lines("printed.dossier.list", 15, bold=True)
    for number, (sort, pages) in enumerate(lines, 1):
        kind = page.sentences.plain(f"kind.{sort if sort in KINDS else 'other'}")
        page.lines("printed.dossier.line", 13, n=pages, number=number, kind=kind)
    page.gap(8)
    page.lines("printed.dossier.note", 11)
    return page.done()
