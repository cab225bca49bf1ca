"""What pages that ask for a yes say, as the very lines that they draw: the notice of a receipt is the digest of them."""

from collections.abc import Iterable
from dataclasses import replace

from consent.purposes import PurposeId
from vault.languages import SHOWN_ZONE, Sentences
from vault.listing import PaperCard
from vault.offers import Line
from vault.pictograms import DRAWERS, KINDS, REASONS
from vault.showing import ShareCard, SharedTitle

MAY = (
    ("deposit", "file-plus", "shares.may_deposit"),
    ("replace", "file-stack", "shares.may_replace"),
)


def _kind(sort: str) -> Line:
    return Line(f"kind.{sort if sort in KINDS else 'other'}")


def paper_line(sentences: Sentences, card: PaperCard) -> Line:
    """A paper by its kind and its month, never by its name."""
    month = f"{sentences.language.comma} {sentences.month(card.added.astimezone(SHOWN_ZONE).date())}" if card.added else ""
    return replace(_kind(card.sort), after=month)


def title_lines(papers: Iterable[SharedTitle]) -> list[Line]:
    """The papers that a share names, by their kinds."""
    return [_kind(one.sort) for one in papers]


def reason_line(purpose: PurposeId, own_words: str) -> Line:
    """What for: one of the list, or the person's own words."""
    if own_words:
        return Line("k15.reason", None, {"reason": own_words})
    return Line("k15.reason", named={"reason": f"reason.{purpose}"})


def reason_words(sentences: Sentences, share: ShareCard) -> str:
    """The same alone, as a receipt keeps it: in the language of the page."""
    return share.own_words or (sentences.plain(f"reason.{share.purpose}") if share.purpose else "")


def share_rows(sentences: Sentences, share: ShareCard) -> list[tuple[str, Line]]:
    """A share in words, each line with its pictogram: on the list, before it is renewed, on the page of the first day."""
    first, until = {"first": share.first}, {"day": sentences.day(share.until)}
    rows: list[tuple[str, Line]] = []
    if share.shelf:
        rows.append((DRAWERS[share.shelf], Line("shares.drawer", None, until, named={"drawer": f"drawer.{share.shelf}"})))
    else:
        rows.append(("files", Line("shares.papers", len(share.papers), until)))
    if share.purpose:
        rows.append((REASONS[share.purpose], reason_line(share.purpose, share.own_words)))
    if share.suspended and share.absent_until:
        rows.append(("pause", Line("shares.absent", None, {**first, "day": sentences.day(share.absent_until)})))
    elif share.suspended:
        rows.append(("pause", Line("shares.absent_now", None, first)))
    if "see" in share.acts:
        rows.append(("eye", Line("shares.may_see", None, first)))
    elif "take" not in share.acts:
        rows.append(("eye-off", Line("shares.no_sight", None, first)))
    if "take" in share.acts:
        rows.append(("copy", Line("shares.copies", share.copies) if share.copies else Line("shares.may_copy", None, first)))
    rows += [(icon, Line(key, None, first)) for act, icon, key in MAY if act in share.acts]
    if share.ending_soon:
        rows.append(("calendar-clock", Line("shares.soon")))
    return rows


def share_lines(sentences: Sentences, share: ShareCard) -> list[Line]:
    """The same without pictograms, then the papers that it names."""
    return [*(line for _, line in share_rows(sentences, share)), *title_lines(share.papers)]
