"""A thief with everything that the servers hold at rest, and no secret: every key that the dump gives is tried on every value.

The thief is even told what no dump says: the exact context under which each value was sealed (`Tap` writes it down as it happens).
What opens gives new keys, which are tried in turn, until nothing more opens. A key is tried once on each value: what it did not
open it never will, so that a round only needs the keys that the round before has found.
"""

import hmac
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import MetaData, select
from sqlalchemy.engine import Engine

from crypto import contexts, sealing, stream
from crypto.errors import CryptoError, Undecryptable
from crypto.kem import KemPrivate
from crypto.keys import AgeFileKey, kdf
from crypto.sealing import Scheme
from storage import tables
from vault.context import Context

KEY = 32
HEX_KEY = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
HASHES = ("entries.leaf", "entries.person_hash", "entries.worker_hash", "entries.incident_hash")  # of what lies beside them


class Tap(Scheme):
    """The scheme itself, writing down under which context each value is sealed."""

    infos: dict[bytes, bytes] = {}  # noqa: RUF012 — filled by `tapped`, one for each test

    def seal(self, key: bytes, info: bytes, plaintext: bytes, salt: bytes) -> bytes:
        sealed = super().seal(key, info, plaintext, salt)
        self.infos[sealed] = info
        return sealed


@contextmanager
def tapped() -> Iterator[dict[bytes, bytes]]:
    """Inside this block contexts are written down. Gives where: sealed value -> context."""
    scheme, infos = sealing.SCHEMES[1], dict[bytes, bytes]()
    tap = Tap(scheme.version, scheme.hash, scheme.cipher, scheme.suite)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tap, "infos", infos)
        patch.setitem(sealing.SCHEMES, 1, tap)
        yield infos


@dataclass
class Dump:
    """All rows of the three databases, all blobs, the settings' keys: what a backup thief carries away."""

    values: list[tuple[str, bytes]] = field(default_factory=list)  # table.column, bytes
    texts: list[str] = field(default_factory=list)
    blobs: list[tuple[str, bytes]] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)  # of the key vault, all
    persons: list[bytes] = field(default_factory=list)  # of the key vault, by kind
    slots: list[bytes] = field(default_factory=list)
    named: dict[str, bytes] = field(default_factory=dict)  # what each row of the key vault belongs to, as its id says
    salts: dict[bytes, bytes] = field(default_factory=dict)  # sealed slot: the salt in the same row
    versions: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # blob: person, paper, version


def take(house: Context) -> Dump:
    """Dump everything."""
    dump = Dump()
    for engine, metadata in (
        (house.database.engine, tables.metadata),
        (house.keyvault.database.engine, tables.vault_metadata),
        (house.keyvault.graveyard.engine, tables.tombstone_metadata),
    ):
        for name, value in _cells(engine, metadata):
            if isinstance(value, bytes):
                dump.values.append((name, value))
            elif isinstance(value, str):
                dump.texts.append(value)
    dump.rows = [value for name, value in dump.values if name in ("vault_rows.row", "vault_sessions.row")]
    dump.keys = [bytes(house.settings.service_sign), bytes(house.settings.service_seal)]
    with house.keyvault.database.engine.connect() as connection:
        rows = tables.vault_rows.c
        kinds = connection.execute(select(rows.kind, rows.row, rows.id)).all()
        own = tables.vault_sessions.c
        open_ones = connection.execute(select(own.id, own.row)).all()
    dump.persons = [row for kind, row, _ in kinds if kind == "person"]
    dump.slots = [row for kind, row, _ in kinds if kind == "slot"]
    dump.named = {**{name: row for _, row, name in kinds}, **{one.id: one.row for one in open_ones}}
    with house.database.transaction(read_only=True) as connection:
        beside = connection.execute(select(tables.slots.c.sealed_secret, tables.slots.c.salt))
        dump.salts = {sealed: salt for sealed, salt in beside if sealed}
        version, held = tables.versions, tables.objects
        query = select(held.c.blob, version.c.person, version.c.paper, version.c.id).join(version, version.c.id == held.c.version)
        dump.versions = {row[0]: (row[1], row[2], row[3]) for row in connection.execute(query)}
    for one in house.blobs.inventory():
        with house.blobs.open(one.name) as blob:
            dump.blobs.append((str(one.name), blob.read_at(0, blob.size)))
    return dump


def _cells(engine: Engine, metadata: MetaData) -> Iterator[tuple[str, object]]:
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                yield from ((f"{table.name}.{name}", value) for name, value in row.items())


def raw(dump: Dump) -> bytes:
    """Everything as one run of bytes, to look for known texts in."""
    return b"\n".join(
        [*(value for _, value in dump.values), *(text.encode() for text in dump.texts), *(blob for _, blob in dump.blobs)]
    )


@dataclass
class Thief:
    """What has been opened so far, and how many times a key was tried. `keys` have all been tried on all that is still closed."""

    dump: Dump
    infos: dict[bytes, bytes]
    keys: set[bytes] = field(default_factory=set)
    opened: dict[bytes, bytes] = field(default_factory=dict)
    papers: dict[str, bytes] = field(default_factory=dict)
    posts: dict[bytes, bytes | None] = field(default_factory=dict)  # what the key vault alone makes of each value
    tried: int = 0

    def twin(self) -> "Thief":
        """Another thief who knows as much, to be given something more."""
        return Thief(
            self.dump, self.infos, set(self.keys), dict(self.opened), dict(self.papers), dict(self.posts), self.tried
        )  # fmt: skip

    def work(self, more: Iterable[bytes] = ()) -> "Thief":
        """Try every derivable key on every value until nothing more opens."""
        found = {value for name, value in self.dump.values if len(value) == KEY and name not in HASHES}
        found |= {bytes.fromhex(text) for text in self.dump.texts if HEX_KEY.fullmatch(text)}
        fresh = found | set(self.dump.keys) | set(self.dump.rows) | {bytes(one) for one in more}
        while fresh := fresh - self.keys:
            self.keys |= fresh
            fresh = {key for plain in self._round(sorted(fresh)) for key in _keys_in(plain)}
        return self

    def _round(self, fresh: list[bytes]) -> list[bytes]:
        before = set(self.opened)
        for _, value in self.dump.values:
            info = self.infos.get(value)
            if info is None or value in self.opened:
                continue
            plain = self._open(value, info, fresh)
            if plain is not None:
                self.opened[value] = plain
        for name, blob in self.dump.blobs:
            if name not in self.papers:
                self._open_blob(name, blob, fresh)
        return [plain for value, plain in self.opened.items() if value not in before]

    def _open(self, value: bytes, info: bytes, fresh: list[bytes]) -> bytes | None:
        if value not in self.posts:
            through = (self._unseal(_vaulted(row, info), info, value) for row in self.dump.rows)
            self.posts[value] = next((inner for inner in through if inner is not None), None)
        inner = self.posts[value]
        if inner is not None:
            return self._for_somebody(inner, info, fresh)
        tries = (self._unseal(key, info, value) for key in itertools.chain(fresh, self._made(value, info, fresh)))
        return next((plain for plain in tries if plain is not None), None)

    def _unseal(self, key: bytes, info: bytes, value: bytes) -> bytes | None:
        self.tried += 1
        try:
            return sealing.unseal(key, info, value)
        except Undecryptable:
            return None

    def _for_somebody(self, inner: bytes, info: bytes, fresh: list[bytes]) -> bytes | None:
        """What the key vault alone opens is encrypted once more, for somebody."""
        for key in fresh:
            self.tried += 1
            try:
                return _private(key).open(sealing.SCHEMES[1].suite, info, inner)
            except CryptoError:
                continue
        return None

    def _made(self, value: bytes, info: bytes, fresh: list[bytes]) -> Iterator[bytes]:
        """What the formulas make of each key for a value of this label: with the rows of the key vault that it names, and of the keys
        that the settings hold with every row that could serve."""
        label, _, encoded = info.removeprefix(b"abri/v1/").partition(b"\0")
        told = json.loads(encoded)
        held = [key for key in self.dump.keys if key in fresh]
        if label == b"wrap":
            place = contexts.shelf_key(person=told["person"], shelf=told["shelf"], epoch=int(told["epoch"]))
            yield from (kdf(key, place, KEY) for key in fresh)
        elif label == b"card":
            yield from (both[16:48] for both in self._files(told["person"], told["paper"], told["version"], fresh))
        elif label == b"session":
            for key, row in [*self._own(fresh, told["session"]), *itertools.product(held, self.dump.rows)]:
                yield kdf(key + _vaulted(row, info), info, KEY)
        elif label == b"slot":
            salt, every = self.dump.salts[value], [*itertools.product(self.dump.persons, self.dump.slots)]
            own = [
                (key, (person, slot))
                for key, person in self._own(fresh, told["account"])
                for _, slot in self._own([key], told["slot"])
            ]
            for key, (person, slot) in [*own, *itertools.product(held, every)]:
                yield HKDF(SHA256(), KEY, salt, info).derive(key + _vaulted(person, info) + _vaulted(slot, info))

    def _own(self, fresh: list[bytes], name: str) -> list[tuple[bytes, bytes]]:
        """Each key with the row of this name, while it lives."""
        return [(key, self.dump.named[name]) for key in fresh if name in self.dump.named]

    def _files(self, person: str, paper: str, version: str, fresh: list[bytes]) -> Iterator[bytes]:
        place = contexts.file(person=person, paper=paper, version=version)
        answers = [_vaulted(row, place) for row in self.dump.persons]
        yield from (kdf(key + answer, place, 80) for key, answer in itertools.product(fresh, answers))

    def _open_blob(self, name: str, blob: bytes, fresh: list[bytes]) -> None:
        whose = self.dump.versions.get(name)
        made = (both[:16] for both in self._files(*whose, fresh)) if whose else ()
        for key in itertools.chain((key[:16] for key in fresh), made):
            self.tried += 1
            try:
                self.papers[name] = stream.decrypt(AgeFileKey(key), blob)
            except CryptoError:
                continue
            return


def _keys_in(plain: bytes) -> Iterator[bytes]:
    """What an opened value could give to try: itself, and what is written in it."""
    if len(plain) == KEY:
        yield plain
    yield from (bytes.fromhex(text) for text in HEX_KEY.findall(plain.decode("latin-1")))


@lru_cache(maxsize=1024)
def _private(key: bytes) -> KemPrivate:
    """Stretching a seed costs twice what opening a post does."""
    return KemPrivate(key)


def _vaulted(row: bytes, info: bytes) -> bytes:
    return hmac.digest(row, info, "sha256")
