"""What the build has made, read back: addresses of files, bodies of icons, recordings, fonts for paper."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BUILT = Path(__file__).parent.parent / "web" / "static" / "built"
MANIFEST = "manifest.json"


class AssetsNotBuilt(Exception):
    """There is nothing to show yet: the build of fonts, icons and voices has not been run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder / MANIFEST} is absent: run `make assets` first")


class NoSuchAsset(Exception):
    """A page asked for a file or an icon that the build does not make."""


@dataclass(frozen=True)
class Recording:
    """One sentence said aloud: the file below the built folder, its length in seconds, and who speaks."""

    file: str
    seconds: float
    human: bool


@dataclass(frozen=True)
class Assets:
    """The manifest of one build; `folder` holds every file that it names."""

    folder: Path
    prefix: str
    files: Mapping[str, str]
    icons: Mapping[str, str]
    recordings: Mapping[str, Mapping[str, Recording]]

    def url(self, name: str) -> str:
        """The address of a built file, changed whenever its content changes."""
        return f"{self.prefix}{self._built(name)}"

    def path(self, name: str) -> Path:
        """The same file on disk: fonts for printed sheets, axe for tests."""
        return self.folder / self._built(name)

    def icon(self, name: str) -> str:
        """The inside of an icon's `<svg viewBox="0 0 24 24">`."""
        if name not in self.icons:
            raise NoSuchAsset(f"icon {name}: add it to vault/assets/icons.py and run `make assets`")
        return self.icons[name]

    def recording(self, language: str, key: str) -> str | None:
        """The address of a sentence said aloud, or None: then the page shows no button."""
        found = self.recordings.get(language, {}).get(key)
        return None if found is None else f"{self.prefix}{found.file}"

    def _built(self, name: str) -> str:
        if name not in self.files:
            raise NoSuchAsset(f"file {name}: known are {', '.join(sorted(self.files))}")
        return self.files[name]


def read_assets(folder: Path = BUILT, prefix: str = "/static/") -> Assets:
    """Read the manifest once, at start; AssetsNotBuilt when there is none."""
    path = folder / MANIFEST
    if not path.exists():
        raise AssetsNotBuilt(folder)
    raw = json.loads(path.read_text(encoding="utf-8"))
    recordings = {
        language: {key: Recording(said["file"], said["seconds"], said["human"]) for key, said in sentences.items()}
        for language, sentences in raw["recordings"].items()
    }
    return Assets(folder, prefix, raw["files"], raw["icons"], recordings)
