"""The page that asks which kind of paper it is, by pictograms."""

from litestar import Response

from consent.purposes import ShelfKind
from vault.adding import LIKELY
from vault.pictograms import KINDS
from vault.web.forms import Form
from vault.web.paging import NEXT, PICTURES, address, asked, leaf
from vault.web.shell import Req, page


def kinds_page(request: Req, shelf: ShelfKind | None, *, place: str, back: str, what: str = "") -> Response[str]:
    """Pictograms of kinds: first those of a drawer, then all the others. `what` names what is asked about, where it may be another."""
    likely = LIKELY[shelf or "other"]
    rest = leaf([name for name in KINDS if name not in (*likely, "other")], max(1, asked(request) - 1), PICTURES)
    first = asked(request) == 1
    names = [*likely, "other"] if first else rest.items
    after = 2 if first else rest.number + 2 if rest.after else 1
    return page(
        request, "kiosk/kinds.html", back=back, items=[(name, KINDS[name], f"kind.{name}") for name in names], place=place,
        what=what, more=address(request, place, pour=what or None, **{NEXT: after if after > 1 else None}),
    )  # fmt: skip


def chosen_kind(form: Form) -> str:
    """The kind that was touched; nothing for "je ne sais pas"."""
    chosen = form.get("kind")
    return chosen if chosen in KINDS else ""
