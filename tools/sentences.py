"""Add, change, list and check sentences: `python tools/sentences.py --help`.

A block names a key, says each language, and has an empty line after it. ` / ` begins a new line (one sentence a line).
Marks in brackets: `2` two people must have read it, `hard` not held to easy French. Plural forms are repeated lines.

    k10.count
     fr: Vous avez {n} papier.
     fr: Vous avez {n} papiers.
     en: You have {n} paper.
     en: You have {n} papers.
     ar: (six lines: zero, one, two, 3 to 10, 100 to 102, 11 to 99)
"""

import argparse
import fcntl
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

sys.path.insert(0, str(Path(__file__).parents[1]))

from vault.languages import AREAS, EASY, EVERYWHERE, LANGUAGES, LOCALES, TWO_READERS, read_catalogues

SPOKEN_FORMS = {"fr": 2, "en": 2, "ar": 6}


class BadBlock(Exception):
    """A block that cannot be taken as it is."""


@dataclass
class Block:
    """One sentence as somebody wrote it down: its forms in each language."""

    key: str
    flags: set[str]
    forms: dict[str, list[str]] = field(default_factory=dict)


def languages_of(area: str) -> tuple[str, ...]:
    """Workers' pages speak French and English; everything else speaks every language."""
    everywhere = tuple(code for code, language in LANGUAGES.items() if not language.for_tests)
    return everywhere if area in EVERYWHERE else ("fr", "en")


def blocks(text: str, area: str) -> Iterator[Block]:
    """The blocks of a text, each checked: every language, the same number of forms as the language has."""
    for raw in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in raw.split("\n") if line.strip() and not line.startswith("#")]
        if not lines:
            continue
        head = re.fullmatch(r"([a-z0-9][\w.-]*)(?: \[([\w ,]+)\])?\s*", lines[0])
        if head is None:
            raise BadBlock(f"not a key: {lines[0]}")
        marks = set((head.group(2) or "").replace(",", " ").split())
        flags = {EASY} if area in EVERYWHERE and "hard" not in marks else set()
        block = Block(head.group(1), flags | ({TWO_READERS} if "2" in marks else set()))
        for line in lines[1:]:
            code, colon, said = line.strip().partition(":")
            if not colon or code not in languages_of(area):
                raise BadBlock(f"{block.key}: not a language of {area}: {line.strip()}")
            block.forms.setdefault(code, []).append(said.strip().replace(" / ", "\n"))
        check(block, area)
        yield block


def check(block: Block, area: str) -> None:
    """Every language, and as many forms as each has."""
    plural = len(block.forms.get("fr", ())) > 1
    for code in languages_of(area):
        wanted = SPOKEN_FORMS[code] if plural else 1
        if len(block.forms.get(code, ())) != wanted:
            raise BadBlock(f"{block.key}: {wanted} line(s) wanted in {code}")


def read(path: Path, code: str) -> Catalog:
    """One file of a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def quoted(text: str) -> str:
    """As PO files write a text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def key_of(message: Message) -> str:
    """The key of an entry; empty for the header."""
    return str(message.id if isinstance(message.id, str) else message.id[0])


def forms_of(message: Message) -> list[str]:
    """The text in each plural form; one when there is no plural."""
    said = message.string or ""
    return [said] if isinstance(said, str) else list(said)


def french_of(message: Message) -> list[str]:
    """What a translator reads above the entry: the French, in its last form."""
    return forms_of(message)[-1].split("\n")


def write(path: Path, code: str, area: str, catalogue: Catalog, french: Catalog) -> None:
    """Write a file in the order it had, without dates, with the French above each translation."""
    lines = [
        f"# Abri: sentences, {area}.", 'msgid ""', 'msgstr ""', quoted(f"Language: {code}\n"), quoted("MIME-Version: 1.0\n"),
        quoted("Content-Type: text/plain; charset=utf-8\n"), quoted("Content-Transfer-Encoding: 8bit\n"),
        quoted(f"Plural-Forms: {get_plural(code).plural_forms}\n"), "",
    ]  # fmt: skip
    order = {key_of(message): place for place, message in enumerate(french)}
    for message in sorted(catalogue, key=lambda message: order.get(key_of(message), len(order))):
        key = key_of(message)
        if not key:
            continue
        lines += [f"# {comment}" for comment in message.user_comments]
        source = french.get(key)
        if code != "fr" and source is not None:
            # What the translation was made from: kept when the French has moved on since, so that it shows.
            lines += [f"#. {line}" for line in message.auto_comments or french_of(source)]
        flags = [flag for flag in (EASY, TWO_READERS, "fuzzy") if flag in message.flags]
        lines += [f"#, {', '.join(flags)}"] if flags else []
        lines.append(f"msgid {quoted(key)}")
        if message.pluralizable:
            lines.append(f"msgid_plural {quoted(key)}")
            lines += [f"msgstr[{index}] {quoted(form)}" for index, form in enumerate(forms_of(message))]
        else:
            lines.append(f"msgstr {quoted(forms_of(message)[0])}")
        lines.append("")
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text("\n".join(lines), encoding="utf-8")
    partial.replace(path)


def apply(area: str, text: str, gone: list[str], renamed: list[tuple[str, str]]) -> int:
    """Put blocks into the catalogues of an area, take keys out, give keys another name; how many blocks."""
    wanted = list(blocks(text, area)) if text.strip() else []
    with locked():
        catalogues = {code: read(LOCALES / code / f"{area}.po", code) for code in languages_of(area)}
        for block in wanted:
            for other in AREAS:
                if other != area and read(LOCALES / "fr" / f"{other}.po", "fr").get(block.key) is not None:
                    raise BadBlock(f"{block.key} is already in {other}: all areas are read together")
        for code, catalogue in catalogues.items():
            for old, new in renamed:
                rename(catalogue, old, new)
            for key in gone:
                catalogue.delete(key)
            for block in wanted:
                forms = block.forms[code]
                before = catalogue.get(block.key)
                same = before is not None and before.string in (forms[0], tuple(forms))
                comments = before.user_comments if before is not None and same else []
                catalogue.delete(block.key)
                identifier = block.key if len(forms) == 1 else (block.key, block.key)
                said = forms[0] if len(forms) == 1 else tuple(forms)
                made_from = block.forms["fr"][-1].split("\n")
                catalogue.add(
                    identifier,
                    said,
                    flags=sorted(block.flags),
                    user_comments=comments,
                    auto_comments=made_from if code != "fr" else [],
                )
        for code, catalogue in catalogues.items():
            write(LOCALES / code / f"{area}.po", code, area, catalogue, catalogues["fr"])
    return len(wanted)


@contextmanager
def locked() -> Iterator[None]:
    """One writer at a time: two people may add sentences at once."""
    folder = os.open(LOCALES, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def rename(catalogue: Catalog, old: str, new: str) -> None:
    """The same sentence under another key."""
    message = catalogue.get(old)
    if message is None:
        return
    catalogue.delete(old)
    identifier = (new, new) if message.pluralizable else new
    catalogue.add(
        identifier,
        message.string,
        flags=sorted(message.flags),
        user_comments=message.user_comments,
        auto_comments=message.auto_comments,
    )


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    put = commands.add_parser("put", help="add or change sentences of an area, read as blocks from the standard input")
    put.add_argument("area", choices=AREAS)
    drop = commands.add_parser("drop", help="take sentences out of an area")
    drop.add_argument("area", choices=AREAS)
    drop.add_argument("key", nargs="+")
    name = commands.add_parser("rename", help="give a sentence another key")
    name.add_argument("area", choices=AREAS)
    name.add_argument("old")
    name.add_argument("new")
    find = commands.add_parser("find", help="sentences whose key or words contain a text")
    find.add_argument("text")
    commands.add_parser("sync", help="write files again in one form, with the French above entries that lack it, in its order")
    commands.add_parser("unread", help="sentences that still need two readers, by language")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "put":
            sys.stdout.write(f"{apply(chosen.area, sys.stdin.read(), [], [])} sentences in {chosen.area}\n")
        elif chosen.command == "drop":
            apply(chosen.area, "", chosen.key, [])
        elif chosen.command == "rename":
            apply(chosen.area, "", [], [(chosen.old, chosen.new)])
        elif chosen.command == "sync":
            for area in AREAS:
                apply(area, "", [], [])
        elif chosen.command == "find":
            for sentences in read_catalogues():
                for key, entry in sentences.entries.items():
                    if chosen.text in key or any(chosen.text in form for form in entry.forms):
                        sys.stdout.write(f"{sentences.language.code} {entry.area} {key}: {' | '.join(entry.forms)}\n")
        else:
            for sentences in read_catalogues():
                sys.stdout.write(f"{sentences.language.code}: {len(sentences.unread())}\n")
    except BadBlock as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
