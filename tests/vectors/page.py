"""The vectors as `docs/formats.md` shows them: short ones whole, long ones by their start, length and hash."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tests.vectors.ingredients import Vector

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"

_MARK = re.compile(r"^<!-- vector: (?P<name>.+?) -->\n(?:\n?```\n.*?\n```\n)?", re.MULTILINE | re.DOTALL)
_LONG = 144
_HEX = re.compile(r"(?:[0-9a-f]{2})+")


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) > _LONG and _HEX.fullmatch(value):
        data = bytes.fromhex(value)
        return f"{value[:32]}.. ({len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()})"
    if isinstance(value, str):
        return value or "(nothing)"
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return re.sub(r"([A-Za-z0-9])\1{99,}", r"\1..\1", text)


def block(name: str, vector: Vector) -> str:
    """One vector, a value a line."""
    width = max(len(field) for field in vector)
    lines = [f"{field:<{width}}  {_shown(value)}" for field, value in vector.items()]
    return "\n".join([f"<!-- vector: {name} -->", "", "```", *lines, "```", ""])


def with_vectors(page: str, vectors: dict[str, Vector]) -> str:
    """The page with each of its vectors as it is now."""
    return _MARK.sub(lambda mark: block(mark["name"], vectors[mark["name"]]), page)


def names(page: str) -> list[str]:
    """The vectors a page asks for."""
    return [mark["name"] for mark in _MARK.finditer(page)]
