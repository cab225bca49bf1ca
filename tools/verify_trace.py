"""Verify what an Abri published, or gave to somebody, with nothing of Abri: this one file, Python 3.11 and `cryptography` 50.

    python verify_trace.py proof FILE --key KEYS [--key EARLIER_KEYS] [--witness VKEY]
    python verify_trace.py log FOLDER_OR_ADDRESS --key KEYS [--key EARLIER_KEYS] [--witness VKEY] [--since OLD_CHECKPOINT] [--keep FOLDER]
    python verify_trace.py continues FILE --key KEYS [--key EARLIER_KEYS] [--witness VKEY] --since OLD_CHECKPOINT

KEYS is what the service publishes at /trace/keys, taken from a place that you trust. When its keys have turned, or the trace
was given another name, give what you had before as well: today's checkpoint is held against the first KEYS, what you kept against each of
them. `proof` says whether an entry is in the trace; `log` reads the checkpoint and every entry, builds the tree again, and says whether it
is the one that was signed and whether it continues an older one that you kept; with --keep it leaves a copy of what held. `continues`
says the last alone, without any entry: FILE is what the service serves at /trace/consistency/SIZE, SIZE being that of OLD_CHECKPOINT.
Formats: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof.
Exit status: 0 it holds, 1 it does not hold, 2 it cannot be read.
"""

import argparse
import base64
import datetime
import hashlib
import sys
import urllib.request
import uuid
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

MOST = 64 * 1024 * 1024


class Unreadable(Exception):
    """It is not written as the formats say."""


class DoesNotHold(Exception):
    """It is well written, and not true."""


def fail_unless(true: bool, words: str) -> None:
    """Refuse, in words."""
    if not true:
        raise DoesNotHold(words)


def unbase64(text: str) -> bytes:
    """Base64 in its one form."""
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Unreadable("this is not base64") from error
    if base64.b64encode(octets).decode() != text:
        raise Unreadable("base64 is written in one way only")
    return octets


class Key:
    """A verifier key: name+id+base64(type, key)."""

    def __init__(self, line: str) -> None:
        try:
            self.name, self.id, rest = line.strip().split("+", 2)
        except ValueError as error:
            raise Unreadable("a key is one line: name+id+key") from error
        octets = unbase64(rest)
        self.kind, self.octets = octets[0], octets[1:]
        if hashlib.sha256(self.name.encode() + b"\n" + octets).digest()[:4].hex() != self.id:
            raise Unreadable("the id of this key is not its own")
        if self.kind not in (1, 6):
            raise Unreadable("keys of type 1 (Ed25519) and 6 (ML-DSA-44) are known")

    def check(self, body: str, signature: bytes) -> None:
        """Refuse a signature of this key that does not hold."""
        try:
            if self.kind == 1:
                Ed25519PublicKey.from_public_bytes(self.octets).verify(signature, body.encode())
                return
            origin, size, root = body.split("\n")[:3]
            said = b"subtree/v1\n\0" + bytes([len(self.name.encode())]) + self.name.encode() + signature[:8]
            said += bytes([len(origin.encode())]) + origin.encode() + bytes(8) + int(size).to_bytes(8, "big") + unbase64(root)
            MLDSA44PublicKey.from_public_bytes(self.octets).verify(signature[8:], said)
        except InvalidSignature:
            raise DoesNotHold(f"a signature that says it is of {self.name} is false") from None


class Checkpoint:
    """A signed head: origin, size, root. It holds when both keys of one of these logs have signed it, and every witness given."""

    def __init__(self, text: str, logs: list[list[Key]], witnesses: list[Key]) -> None:
        body, found, signatures = text.rpartition("\n\n")
        lines = body.split("\n")
        if not found or len(lines) != 3 or not lines[1].isdigit() or not signatures.endswith("\n"):
            raise Unreadable("this is not a checkpoint")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        self.at = 0
        named = [log for log in logs if log[0].name == self.origin]
        fail_unless(bool(named), f"this is a checkpoint of {self.origin}, and the key is of {logs[0][0].name}")
        ids = {octets[:4].hex() for octets in self._signed_as(signatures, self.origin)}
        signed = [log for log in named if {key.id for key in log} <= ids]
        for key in [*(signed or named)[0], *witnesses]:
            own = [octets[4:] for octets in self._signed_as(signatures, key.name) if octets[:4].hex() == key.id]
            fail_unless(bool(own), f"{key.name} has not signed this checkpoint with its key {key.id}")
            for signature in own:
                key.check(body + "\n", signature)
                self.at = max(self.at, int.from_bytes(signature[:8], "big") if key.kind == 6 and key.name == self.origin else 0)

    @staticmethod
    def _signed_as(signatures: str, name: str) -> list[bytes]:
        parts = [line.split(" ") for line in signatures[:-1].split("\n")]
        if any(len(one) != 3 or one[0] != "\u2014" for one in parts):
            raise Unreadable("a signature is a dash, a name, base64")
        return [unbase64(one[2]) for one in parts if one[1] == name]

    def words(self) -> str:
        """What it says."""
        when = datetime.datetime.fromtimestamp(self.at, datetime.UTC).isoformat() if self.at else "an unknown moment"
        return f"{self.origin}: {self.size} entries, signed at {when}"


def leaf_hash(leaf: bytes) -> bytes:
    """Of one entry."""
    return hashlib.sha256(b"\0" + leaf).digest()


def above(left: bytes, right: bytes) -> bytes:
    """Of two neighbours."""
    return hashlib.sha256(b"\1" + left + right).digest()


def from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to: RFC 9162, 2.1.3.1, read backwards."""
    if size == 1:
        fail_unless(not path, "the proof is too long")
        return leaf
    fail_unless(bool(path), "the proof is too short")
    cut = 1
    while cut * 2 < size:
        cut *= 2
    if index < cut:
        return above(from_path(leaf, index, cut, path[:-1]), path[-1])
    return above(path[-1], from_path(leaf, index - cut, size - cut, path[:-1]))


def from_both(known: bytes, old: int, size: int, path: list[bytes], whole: bool = True) -> tuple[bytes, bytes]:
    """The old and the new root that a consistency proof leads to: RFC 9162, 2.1.4.1, read backwards."""
    if old == size:
        fail_unless(len(path) == (0 if whole else 1), "the proof has another length")
        return (known, known) if whole else (path[0], path[0])
    fail_unless(bool(path), "the proof is too short")
    cut = 1
    while cut * 2 < size:
        cut *= 2
    if old <= cut:
        before, after = from_both(known, old, cut, path[:-1], whole)
        return before, above(after, path[-1])
    before, after = from_both(known, old - cut, size - cut, path[:-1], False)
    return above(path[-1], before), above(path[-1], after)


def tree(hashes: list[bytes]) -> bytes:
    """The root of a whole list, joined from the right."""
    if not hashes:
        return hashlib.sha256().digest()
    stack: list[tuple[int, bytes]] = []
    for one in hashes:
        stack.append((1, one))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (width, right), (_, left) = stack.pop(), stack.pop()
            stack.append((width * 2, above(left, right)))
    root = stack.pop()[1]
    while stack:
        root = above(stack.pop()[1], root)
    return root


def entry_of(leaf: bytes) -> str:
    """The id in an entry's leaf: 0x01, 16 bytes of id, three digests."""
    if len(leaf) != 113 or leaf[0] != 1:
        raise Unreadable("an entry is 113 bytes and begins with 1")
    return str(uuid.UUID(bytes=leaf[1:17]))


def check_proof(text: str, logs: list[list[Key]], witnesses: list[Key]) -> list[str]:
    """C2SP tlog-proof."""
    head, found, note = text.partition("\n\n")
    lines = head.split("\n")
    if not found or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
        raise Unreadable("this is not a proof of an entry of this trace")
    if not lines[2].startswith("index ") or not lines[2][6:].isdigit():
        raise Unreadable("the third line of a proof says which place")
    leaf, index, path = unbase64(lines[1][6:]), int(lines[2][6:]), [unbase64(line) for line in lines[3:]]
    if any(len(one) != 32 for one in path):
        raise Unreadable("a hash is 32 bytes")
    checkpoint, entry = Checkpoint(note, logs, witnesses), entry_of(leaf)
    fail_unless(index < checkpoint.size, "this place is not in a trace of that size")
    root = from_path(leaf_hash(leaf), index, checkpoint.size, path)
    fail_unless(root == checkpoint.root, "the proof does not lead to the root that was signed")
    return [f"entry {entry} is number {index} of the trace", checkpoint.words()]


def check_continues(text: str, logs: list[list[Key]], witnesses: list[Key], since: str) -> list[str]:
    """What a log sends to its witnesses (C2SP tlog-witness), held against a checkpoint that was kept."""
    head, found, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    if not found or not first.startswith("old ") or not first[4:].isdigit():
        raise Unreadable("this is not a proof that a trace continues an older one")
    path = [unbase64(line) for line in lines]
    if any(len(one) != 32 for one in path):
        raise Unreadable("a hash is 32 bytes")
    checkpoint, old = Checkpoint(note, logs[:1], witnesses), Checkpoint(since, logs, [])
    fail_unless(
        int(first[4:]) == old.size, f"the proof is from {first[4:]} entries, and the checkpoint that you kept has {old.size}"
    )
    fail_unless(0 < old.size <= checkpoint.size, "the trace is shorter than it was")
    roots = from_both(old.root, old.size, checkpoint.size, path)
    fail_unless(roots == (old.root, checkpoint.root), "the trace does not continue the one that you kept: it was rewritten")
    return [checkpoint.words(), f"it continues the one of {old.size} entries that you kept"]


class Place:
    """A folder or an address, and what was read from it."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.read: dict[str, bytes] = {}

    def __call__(self, name: str) -> bytes:
        """One file."""
        self.read[name] = fetch(self.place, name)
        return self.read[name]

    def keep(self, folder: Path) -> None:
        """Leave a copy; the checkpoint also under its date of reading, so that older ones stay."""
        today = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d")
        for name, octets in [*self.read.items(), (f"checkpoint-{today}", self.read["checkpoint"])]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(octets)


def fetch(place: str, name: str) -> bytes:
    """A file of a folder, or of an address."""
    if place.startswith(("https://", "http://")):
        with urllib.request.urlopen(f"{place.rstrip('/')}/{name}", timeout=30) as answer:  # noqa: S310 (both schemes are given above)
            octets: bytes = answer.read(MOST)
            return octets
    return (Path(place) / name).read_bytes()


def bundle_name(number: int, width: int) -> str:
    """tlog-tiles: three digits a part, all but the last with an x; `.p/` and the width when it is not full."""
    digits = str(number).zfill(-(-len(str(number)) // 3) * 3)
    parts = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    name = "/".join(["tile/entries", *[f"x{one}" for one in parts[:-1]], parts[-1]])
    return name if width == 256 else f"{name}.p/{width}"


def check_log(place: Place, logs: list[list[Key]], witnesses: list[Key], since: str | None) -> list[str]:
    """Every entry again, from the first. The first of the logs signs today; what was kept may be of an earlier one."""
    checkpoint = Checkpoint(place("checkpoint").decode(), logs[:1], witnesses)
    hashes: list[bytes] = []
    seen: dict[str, int] = {}
    while len(hashes) < checkpoint.size:
        width = min(256, checkpoint.size - len(hashes))
        octets, start = place(bundle_name(len(hashes) // 256, width)), 0
        for _ in range(width):
            end = start + 2 + int.from_bytes(octets[start : start + 2], "big")
            entry = entry_of(octets[start + 2 : end])
            fail_unless(entry not in seen, f"entry {entry} is there twice: {seen.get(entry)} and {len(hashes)}")
            seen[entry] = len(hashes)
            hashes.append(leaf_hash(octets[start + 2 : end]))
            start = end
        if start != len(octets):
            raise Unreadable("a bundle has more in it than its width says")
    fail_unless(tree(hashes) == checkpoint.root, "the entries do not make the root that was signed")
    said = [checkpoint.words(), "the entries make the root that was signed"]
    if since is not None:
        old = Checkpoint(since, logs, [])
        fail_unless(old.size <= checkpoint.size, "the trace is shorter than it was")
        fail_unless(tree(hashes[: old.size]) == old.root, "the trace does not continue the one that you kept: it was rewritten")
        said.append(f"it continues the one of {old.size} entries that you kept")
    return said


def main() -> int:
    """Say it in words, and by the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("what", choices=("proof", "log", "continues"))
    parser.add_argument("place", help="a proof file; or the folder or address of a published trace")
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        help="a file with the log's two keys, a line each; then those of before",
    )
    parser.add_argument("--witness", action="append", default=[], help="the key of a witness who must have signed as well")
    parser.add_argument("--keep", type=Path, help="a folder where a copy of the trace is left when it holds")
    parser.add_argument("--since", type=Path, help="an older checkpoint that this trace must continue")
    options = parser.parse_args()
    try:
        logs = [[Key(line) for line in path.read_text().splitlines()] for path in options.key]
        if any([key.kind for key in log] not in ([1, 6], [6, 1]) or log[0].name != log[1].name for log in logs):
            raise Unreadable("the log signs with two keys, of type 1 and of type 6: both are needed, and no other")
        witnesses = [Key(line) for line in options.witness]
        if options.what == "proof":
            said = check_proof(Path(options.place).read_text(), logs, witnesses)
        elif options.what == "continues":
            if not options.since:
                raise Unreadable("--since says which checkpoint you kept")
            said = check_continues(Path(options.place).read_text(), logs, witnesses, options.since.read_text())
        else:
            place = Place(options.place)
            said = check_log(place, logs, witnesses, options.since.read_text() if options.since else None)
            if options.keep:
                place.keep(options.keep)
    except DoesNotHold as error:
        sys.stdout.write(f"IT DOES NOT HOLD: {error}\n")
        return 1
    except (Unreadable, OSError, ValueError, IndexError) as error:
        sys.stdout.write(f"it cannot be read: {error}\n")
        return 2
    sys.stdout.write("it holds: " + "; ".join(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
