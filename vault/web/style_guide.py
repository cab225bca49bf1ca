"""What the style guide shows: every shape that pages use, filled with things that belong to nobody. Demonstration only."""

from datetime import datetime, timedelta
from typing import Any

from vault.languages import LANGUAGES
from vault.pictograms import DRAWERS
from vault.web.pages import Fault, Place

KIOSK_PARTS = (
    "home", "languages", "code", "wrong", "pictures", "drawers", "safe", "papers", "share", "errors", "history", "card", "erase",
    "conditions", "show-card", "camera", "file", "phone",
)  # fmt: skip
WORK_PARTS = ("desk", "desk-page", "desk-form", "office")
PARTS = (*KIOSK_PARTS, *WORK_PARTS)

_PAPERS = {
    "identity-card": 700, "domiciliation": 325, "tax-notice": 70, "benefits": 20, "work-contract": 410, "prescription": 12,
    "family-book": 900, "photo": 30, "loss-report": 3,
}  # fmt: skip
_DESK = {"people": "users-round", "requests": "inbox", "deposit": "file-plus", "guardian": "life-buoy"}
_OFFICE = {"register": "inbox", "structures": "building-2", "workers": "users-round", "kiosks": "monitor", "figures": "list"}


def values_for(part: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """The template of one part of the guide, and what it is filled with."""
    values: dict[str, Any] = {
        "part": part,
        "parts": PARTS,
        "now": now,
        "until": now + timedelta(days=92),
        "offered_links": [(LANGUAGES[code], f"/{code}/style/home") for code in ("fr", "en", "ar")],
        "drawer_items": [(name, icon, f"drawer.{name}") for name, icon in list(DRAWERS.items())[:9]],
        "papers": [
            {"url": "#", "kind": kind, "day": now - timedelta(days=days), "badge": "papers.new" if days < 15 else None}
            for kind, days in _PAPERS.items()
        ],
        "faults": [Fault("error.missing", "first")],
        "fault": Fault("error.weak-code", "code"),
    }
    return "work_style.html" if part in WORK_PARTS else "style.html", values


def places(part: str) -> tuple[Place, ...]:
    """The menu of the desk or of the office, its first entry chosen."""
    area, names = ("office", _OFFICE) if part == "office" else ("desk", _DESK)
    return tuple(Place(f"{area}.nav.{name}", "#", icon, current=name in ("people", "register")) for name, icon in names.items())
