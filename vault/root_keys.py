"""The root keys of administrators over the years: two of those who are there sign whoever comes, and whoever leaves.

They stand in the file of public keys: `roots` (who signs certificates today), `former` (whose signatures of before still hold), and, since
the first change, `first` (the roots of the installation) and `changes`, each a statement with two signatures. A file in which one does not
follow from the other is refused before anything starts.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import canonical
from crypto.errors import BadSignature, Malformed
from crypto.signing import SIGNATURE_BYTES, SignPublic, sign_public_from, verify
from crypto.statements import RootKey

SIGNED_BY = 2
FEWEST = 2  # with one alone nobody can be certified any more
ADDED, REMOVED = "added", "removed"
Roots = Mapping[str, SignPublic]


@dataclass(frozen=True)
class Change:
    """Somebody came or left, and who signed it."""

    statement: RootKey
    signatures: Mapping[str, bytes] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """As the file has it."""
        return {"statement": self.statement.encode().hex(), "by": {name: one.hex() for name, one in self.signatures.items()}}

    @classmethod
    def from_json(cls, untrusted: Mapping[str, Any]) -> "Change":
        """Read one. KeyError, TypeError, ValueError, Malformed."""
        signatures = {str(name): bytes.fromhex(one) for name, one in untrusted["by"].items()}
        return cls(RootKey.parse(bytes.fromhex(untrusted["statement"])), signatures)


class SameKey(Malformed):
    """Two administrators have one key: one person would be both signatures."""


@dataclass(frozen=True)
class Known:
    """Who signs today, and whose signatures of before hold."""

    roots: Roots
    former: Roots


def digest(roots: Roots) -> bytes:
    """What a change names the roots before it by: SHA-256 of {administrator: key}, canonical, keys in hexadecimal."""
    return hashlib.sha256(canonical({name: bytes(key).hex() for name, key in roots.items()})).digest()


def after(known: Known, change: Change) -> Known:
    """The keys after a change, once two of those who stay signed it. BadSignature, Malformed."""
    said, roots, former = change.statement, dict(known.roots), dict(known.former)
    if said.roots != digest(known.roots):
        raise BadSignature  # of another moment, or of another installation
    if said.change == REMOVED:
        if roots.pop(said.administrator, None) != said.sign:
            raise BadSignature
        former[said.administrator] = SignPublic(said.sign)
    elif said.administrator in roots or said.administrator in former or said.sign in (*roots.values(), *former.values()):
        raise BadSignature
    by = set(change.signatures) - {said.administrator}
    if len(by) != SIGNED_BY or len(change.signatures) != SIGNED_BY or not by <= set(roots):
        raise BadSignature
    for name in by:
        if len(change.signatures[name]) != SIGNATURE_BYTES:
            raise BadSignature
        verify(roots[name], said, change.signatures[name])
    if said.change == ADDED:
        roots[said.administrator] = sign_public_from(said.sign)
    if len(roots) < FEWEST:
        raise BadSignature
    return Known(roots, former)


def follow(first: Roots, changes: Sequence[Change]) -> Known:
    """From the roots of the installation to today's. BadSignature, Malformed, SameKey."""
    if len(set(first.values())) < len(first):
        raise SameKey
    known = Known(first, {})
    for change in changes:
        known = after(known, change)
    return known


def read(content: Mapping[str, Any]) -> Known:
    """The keys of a file of public keys, once they follow from its first ones. KeyError, TypeError, ValueError, Malformed, BadSignature."""
    roots, former = _keys(content["roots"]), _keys(content.get("former", {}))
    found = follow(_keys(content.get("first", content["roots"])), [Change.from_json(one) for one in content.get("changes", [])])
    if (dict(found.roots), dict(found.former)) != (roots, former):
        raise Malformed("the root keys are not those that were signed")
    return found


def changed(content: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """What the file says after a change that holds. As `read`."""
    known = after(read(content), change)
    return {
        **content, "first": content.get("first", content["roots"]), "changes": [*content.get("changes", []), change.to_json()],
        "roots": _hexadecimal(known.roots), "former": _hexadecimal(known.former),
    }  # fmt: skip


def written(content: Mapping[str, Any]) -> str:
    """The file's text."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _keys(told: Mapping[str, str]) -> dict[str, SignPublic]:
    return {name: sign_public_from(bytes.fromhex(key)) for name, key in told.items()}


def _hexadecimal(keys: Roots) -> dict[str, str]:
    return {name: bytes(key).hex() for name, key in keys.items()}
