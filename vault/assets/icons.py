"""The icons that pages use, by the names of the package: those listed here, and those that templates name. No other is copied."""

import re
from pathlib import Path

from vault.events import WORDS
from vault.pictograms import DRAWERS, DRAWINGS, KINDS, PICTURES, REASONS

ACTIONS: tuple[str, ...] = (
    "archive", "arrow-down", "arrow-left", "arrow-right", "arrow-up", "badge-check", "ban", "bell-ring", "building-2",
    "calendar", "calendar-clock", "calendar-plus", "camera", "camera-off", "check", "chevron-down", "chevron-left",
    "chevron-right", "circle", "circle-alert", "circle-check", "circle-question-mark", "circle-x", "clipboard-list",
    "clock", "copy", "corner-down-left", "credit-card", "crop", "database", "delete", "door-closed", "door-open",
    "download", "ear", "eraser", "external-link", "eye", "eye-off", "file-check", "file-clock", "file-down",
    "file-plus", "file-text", "file-x", "files", "flag", "folder-input", "folder-open", "folder-plus", "gavel", "hand",
    "hand-heart", "handshake", "headphones", "heart-handshake", "history", "hourglass", "house", "id-card", "image",
    "image-plus", "images", "inbox", "info", "key-round", "keyboard", "landmark", "languages", "life-buoy", "link",
    "list", "list-checks", "lock", "lock-keyhole", "lock-open", "log-out", "mail", "map-pin", "message-circle",
    "message-circle-question-mark", "minus", "monitor", "monitor-down", "octagon-x", "pause", "pencil", "phone", "play",
    "plus", "printer", "qr-code", "refresh-cw", "rotate-ccw", "rotate-cw", "save", "scan-line", "scan-qr-code",
    "search", "send", "settings", "share-2", "shield", "shield-alert", "shield-check", "shield-house", "siren",
    "smartphone", "square", "square-check", "stethoscope", "sun-medium", "switch-camera", "tablet", "ticket", "timer",
    "trash-2", "triangle-alert", "undo-2", "unlink", "upload", "usb", "user-round", "user-round-check",
    "user-round-plus", "user-round-x", "users-round", "volume-2", "volume-x", "wallet", "wifi-off", "x", "zoom-in",
    "zoom-out",
)  # fmt: skip

# These point along the line of reading: they turn round where reading starts from the right.
DIRECTIONAL = frozenset({
    "arrow-left", "arrow-right", "chevron-left", "chevron-right", "corner-down-left", "log-out", "undo-2", "send",
    "external-link", "list", "list-checks", "delete",
})  # fmt: skip

USED: tuple[str, ...] = tuple(
    sorted(
        {
            *ACTIONS,
            *DRAWERS.values(),
            *REASONS.values(),
            *KINDS.values(),
            *DRAWINGS,
            *PICTURES,
            *(word.icon for word in WORDS.values()),
        }
    )
)

TEMPLATES = Path(__file__).parent.parent / "web" / "templates"


def named_in_templates(package: Path) -> frozenset[str]:
    """Quoted words of templates that are names of icons: a page may use any drawing without being listed here."""
    quoted = {word for path in TEMPLATES.rglob("*.html") for word in re.findall(r"'([a-z0-9-]+)'", path.read_text())}
    return frozenset(word for word in quoted if (package / f"{word}.svg").is_file())
