"""The licences of what the build copies: their texts travel beside the files, their list is in docs/licences.md."""

from pathlib import Path

COPIED: dict[str, str] = {
    "atkinson-hyperlegible-next": "@fontsource/atkinson-hyperlegible-next/LICENSE",
    "noto-sans-arabic": "@fontsource/noto-sans-arabic/LICENSE",
    "lucide": "lucide-static/LICENSE",
    "axe-core": "axe-core/LICENSE",
}


def texts(modules: Path) -> dict[str, bytes]:
    """The licence text of each package, as its authors wrote it."""
    return {name: (modules / path).read_bytes() for name, path in COPIED.items()}
