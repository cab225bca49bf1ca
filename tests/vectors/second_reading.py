"""A second program for the formulas, written from the page and not from `crypto/`, of which it imports nothing.

    python tests/vectors/second_reading.py

HKDF, HPKE and the hybrid key exchange are written out here from their own texts (RFC 5869, RFC 9180,
draft-connolly-cfrg-xwing-kem), so that a misunderstanding would have to be made twice. Whatever was sealed is opened,
then sealed again with the salt it carries: the bytes must be the same.
"""

import base64
import hashlib
import hmac
import itertools
import json
import sys
import unicodedata
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

Vector = dict[str, Any]


class DisagreementError(Exception):
    """The two readings differ."""


def same(one: object, other: object) -> None:
    """Stop at the first difference."""
    if one != other:
        raise DisagreementError


def unhex(text: str) -> bytes:
    """Lower-case hexadecimal only."""
    data = bytes.fromhex(text)
    same(data.hex(), text)
    return data


# The notation of the page


def rfc8785(value: object) -> bytes:
    """Enough of RFC 8785 for texts, small numbers and names in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def ctx(label: str, fields: dict[str, Any]) -> bytes:
    """`ctx(label, f)`."""
    return b"abri/v1/" + label.encode() + b"\x00" + rfc8785(fields)


def extract(salt: bytes, key: bytes) -> bytes:
    """HKDF-Extract, SHA-256."""
    return hmac.digest(salt, key, "sha256")


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand, SHA-256."""
    out, block = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        out += block
    return out[:length]


def kdf(key: bytes, info: bytes, length: int) -> bytes:
    """`kdf(k, c, n)`."""
    return expand(extract(bytes(32), key), info, length)


def seal(key: bytes, info: bytes, text: bytes, salt: bytes) -> bytes:
    """`seal(k, c, x)` with this salt."""
    both = expand(extract(salt, key), info, 64)
    return b"\x01" + salt + both[32:] + ChaCha20Poly1305(both[:32]).encrypt(bytes(12), text, b"\x01")


def unseal(key: bytes, info: bytes, sealed: bytes) -> bytes:
    """Open, then seal again."""
    both = expand(extract(sealed[1:33], key), info, 64)
    same(both[32:], sealed[33:65])
    text = ChaCha20Poly1305(both[:32]).decrypt(bytes(12), sealed[65:], b"\x01")
    same(seal(key, info, text, sealed[1:33]), sealed)
    return text


def vault(row: bytes, info: bytes) -> bytes:
    """`vault(row, c)`."""
    return hmac.digest(row, info, "sha256")


def pair(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey, bytes]:
    """Both halves of a seed, and its public key."""
    stretched = hashlib.shake_256(seed).digest(96)
    mlkem, classic = MLKEM768PrivateKey.from_seed_bytes(stretched[:64]), X25519PrivateKey.from_private_bytes(stretched[64:])
    return mlkem, classic, mlkem.public_key().public_bytes_raw() + classic.public_key().public_bytes_raw()


def hpke_open(seed: bytes, info: bytes, both: bytes) -> bytes:
    """HPKE base mode, one message: KEM 0x647a, HKDF-SHA256 0x0001, ChaCha20-Poly1305 0x0003."""
    mlkem, classic, public = pair(seed)
    share = both[1088:1120]
    hybrid = mlkem.decapsulate(both[:1088]) + classic.exchange(X25519PublicKey.from_public_bytes(share))
    secret = hashlib.sha3_256(hybrid + share + public[1184:] + rb"\.//^" + b"\\").digest()
    suite = b"HPKE" + bytes.fromhex("647a00010003")

    def labeled_extract(salt: bytes, label: bytes, key: bytes) -> bytes:
        return extract(salt, b"HPKE-v1" + suite + label + key)

    def labeled_expand(key: bytes, label: bytes, text: bytes, length: int) -> bytes:
        return expand(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + text, length)

    schedule = b"\x00" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    master = labeled_extract(secret, b"secret", b"")
    key = labeled_expand(master, b"key", schedule, 32)
    nonce = labeled_expand(master, b"base_nonce", schedule, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, both[1120:], b"")


def open_post(seed: bytes, row: bytes, info: bytes, posted: bytes) -> bytes:
    """Open `post(pk, row, c, x)`."""
    return hpke_open(seed, info, unseal(vault(row, info), info, posted))


def pad(text: bytes) -> bytes:
    """Length, bytes, zeros up to 64, 256, 1024, then multiples of 1024."""
    data = len(text).to_bytes(4, "big") + text
    size = next(size for size in itertools.chain((64, 256), itertools.count(1024, 1024)) if size >= len(data))
    return data.ljust(size, b"\x00")


# One reading for each kind of vector


def read_context(v: Vector) -> None:
    """A label and its fields."""
    same(ctx(v["label"], v["fields"]).hex(), v["info"])


def read_kdf(v: Vector) -> None:
    """A derivation."""
    same(kdf(unhex(v["key"]), unhex(v["info"]), v["length"]).hex(), v["output"])


def read_vault(v: Vector) -> None:
    """An answer of the key vault."""
    same(vault(unhex(v["row"]), unhex(v["info"])).hex(), v["output"])


def read_seal(v: Vector) -> None:
    """A sealed value; its content is called plaintext or content."""
    content = v.get("plaintext") or v["content"]
    same(unseal(unhex(v["key"]), unhex(v["info"]), unhex(v["sealed"])).hex(), content)


def read_pair(v: Vector) -> None:
    """A seed and its public key."""
    same(pair(unhex(v["seed"]))[2].hex(), v["public"])


def read_post(v: Vector) -> None:
    """A posted value."""
    content = v.get("plaintext") or v["content"]
    same(open_post(unhex(v["seed"]), unhex(v["row"]), unhex(v["info"]), unhex(v["posted"])).hex(), content)


def read_padding(v: Vector) -> None:
    """Sizes that hide sizes."""
    same([len(pad(text.encode())) for text in v["texts"]], v["sizes"])
    same(pad(v["texts"][1].encode()).hex(), v["padded"])
    same(v["texts"], ["", "é", "a" * 60, "a" * 61, "a" * 1021])


def read_account_keys(v: Vector) -> None:
    """What hangs on the account secret."""
    for name in ("kem", "sign", "values"):
        info = ctx("seed", {"account": v["account"], "name": name})
        same(unseal(unhex(v["secret"]), info, unhex(v[f"{name}_sealed"])).hex(), v[name])


def read_shelf(v: Vector) -> None:
    """A shelf."""
    seed = unhex(v["seed"])
    same(unseal(unhex(v["values"]), ctx("shelf", v["fields"]), unhex(v["sealed"])), seed)
    same(kdf(seed, ctx("shelf-key", v["fields"]), 32).hex(), v["key"])
    same(hashlib.sha256(pair(seed)[2]).hexdigest(), v["public_sha256"])


def read_name(v: Vector) -> None:
    """A text under V."""
    same(unseal(unhex(v["values"]), ctx("name", v["fields"]), unhex(v["sealed"])), pad(v["text"].encode()))


def read_slot(v: Vector) -> None:
    """A way to unlock."""
    fields, salt, card = v["fields"], unhex(v["salt"]), unhex(v["card"])
    i, kind = ctx("slot", fields), fields["kind"]
    pictures = bytes(int(picture) for picture in v["said"].split()) if kind in {"card-pictures", "assist"} else b""
    if kind == "assist":
        place = ctx("assist", {"account": fields["account"], "slot": fields["slot"]})
        h = kdf(card + pictures + unhex(v["assist_secret"]), place, 32)
    elif kind in {"recovery", "prf"}:
        h = unhex(v["said"])
    else:
        said = {"card-pin": card + v["said"].encode(), "card-pictures": card + pictures}
        secret = said.get(kind) or unicodedata.normalize("NFC", v["said"]).encode()
        m, t = int(fields["m"]), int(fields["t"])
        h = Argon2id(salt=salt, length=32, lanes=1, memory_cost=m, iterations=t).derive(secret)
    same(h.hex(), v["h"])
    mixed = h + vault(unhex(v["person_row"]), i) + vault(unhex(v["slot_row"]), i)
    kek = expand(extract(salt, mixed), i, 32)
    same(kek.hex(), v["kek"])
    same(unseal(kek, i, unhex(v["sealed"])).hex(), v["content"])


def read_veto(v: Vector) -> None:
    """What an ended slot may still say."""
    same(hashlib.sha256(kdf(unhex(v["kek"]), ctx("veto", {"slot": v["slot"]}), 32)).hexdigest(), v["kept"])


def read_card(v: Vector) -> None:
    """What a card is known by, and what is printed on it."""
    card = unhex(v["card"])
    same(hashlib.sha256(ctx("card-id", {}) + card).hexdigest(), v["id"])
    same("ABRI-C1-" + base64.b32encode(card).decode().rstrip("="), v["text"])


def read_file(v: Vector) -> None:
    """The keys of a paper."""
    fc = ctx("file", v["fields"])
    derived = kdf(unhex(v["secret"]) + vault(unhex(v["person_row"]), fc), fc, 80).hex()
    same(derived, v["age_file_key"] + v["card_key"] + v["commitment"])


def read_fields(v: Vector) -> None:
    """Named fields, sealed and padded."""
    same(unseal(unhex(v["key"]), unhex(v["info"]), unhex(v["sealed"])), pad(rfc8785(v["card"])))


def read_payload(v: Vector) -> None:
    """The bytes of a short paper, and how long longer ones get."""
    payload, text = unhex(v["payload"]), unhex(v["plaintext"])
    key = expand(extract(payload[:16], unhex(v["key"])), b"payload", 32)
    same(payload[16:], ChaCha20Poly1305(key).encrypt(bytes(11) + b"\x01", text, None))
    for size, length in v["lengths"].items():
        same(16 + int(size) + 16 * max(1, -(-int(size) // 65536)), length)


def read_sheet(v: Vector) -> None:
    """A rescue sheet."""
    sheet = unhex(v["sheet"])
    same(kdf(sheet, ctx("sheet", {}), 32).hex(), v["seed"])
    same("ABRI-F1-" + base64.b32encode(sheet).decode().rstrip("="), v["text"])
    same(v["digits"][:39], f"{int.from_bytes(sheet, 'big'):039}")
    remainder = 10
    for digit in v["digits"][:39]:
        remainder = ((remainder + int(digit)) % 10 or 10) * 2 % 11
    same((remainder + int(v["digits"][39])) % 10, 1)


def read_sets(v: Vector) -> None:
    """Who may bring somebody back together."""
    structures = {structure for _, structure in v["members"] if structure}
    for name, k in (("of two", 2), ("of three", 3)):
        sets = []
        for chosen in itertools.combinations(sorted(v["members"]), k):
            of = [structure for _, structure in chosen]
            sheets_alone, one_structure = not any(of), all(of) and len(set(of)) == 1
            if not (sheets_alone and structures) and not (one_structure and len(structures) >= 2):
                sets.append([member for member, _ in chosen])
        same(sets, v[name])
    same(v["members"], [["a", "un"], ["b", "un"], ["c", "deux"], ["d", ""], ["e", ""]])


def read_cut(v: Vector) -> None:
    """R = x1 XOR .. xk."""
    whole = 0
    for part in v["parts"]:
        whole ^= int.from_bytes(unhex(part), "big")
    same(whole.to_bytes(32, "big").hex(), v["secret"])


def read_session(v: Vector) -> None:
    """A session's row."""
    token, sc = unhex(v["token"]), ctx("session", v["fields"])
    same(kdf(token, ctx("session-id", {}), 32).hex(), v["lookup"])
    key = kdf(token + vault(unhex(v["row"]), sc), sc, 32)
    same(key.hex(), v["key"])
    same(unseal(key, sc, unhex(v["sealed"])).hex(), "".join(v["seeds"]))


def read_tag(v: Vector) -> None:
    """What entries are found by."""
    same(vault(unhex(v["row"]), unhex(v["info"]))[:16].hex(), v["tag"])


def read_leaf(v: Vector) -> None:
    """A leaf of the trace."""
    leaf = b"\x01" + uuid.UUID(v["entry"]).bytes
    for party in ("person", "worker", "incident"):
        leaf += hashlib.sha256(unhex(v[party])).digest() if v[party] else bytes(32)
    same(leaf.hex(), v["leaf"])


def read_tree(v: Vector) -> None:
    """The tree of three leaves, drawn by hand: ((0 1) 2)."""

    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\x01" + left + right).digest()

    zero, one, two = (hashlib.sha256(b"\x00" + unhex(leaf)).digest() for leaf in v["leaves"])
    same(node(node(zero, one), two).hex(), v["root"])
    same([one.hex(), two.hex()], v["inclusion of 0"])
    same([two.hex()], v["consistency of 2"])


def read_checkpoint(v: Vector) -> None:
    """A signed tree head: C2SP's signed-note, tlog-checkpoint and tlog-cosignature, by splitting lines."""
    seeds = kdf(unhex(v["seed"]), ctx("checkpoint-seeds", {}), 64)
    classic, lattice = Ed25519PrivateKey.from_private_bytes(seeds[:32]), MLDSA44PrivateKey.from_seed_bytes(seeds[32:])
    text, _, lines = unhex(v["note"]).decode().partition("\n\n")
    origin, size, root = text.split("\n")
    same(lines[-1:], "\n")
    keys, signed = [], []
    for kind, key in ((b"\x01", classic), (b"\x06", lattice)):
        public = key.public_key().public_bytes_raw()
        keys.append((hashlib.sha256(origin.encode() + b"\n" + kind + public).digest()[:4], kind + public))
    same("".join(f"{origin}+{name.hex()}+{base64.b64encode(key).decode()}\n" for name, key in keys), v["keys"])
    for line, (name, _) in zip(lines.splitlines(), keys, strict=True):
        dash, whose, octets = line.split(" ")
        same((dash, whose), ("\u2014", origin))
        same(base64.b64decode(octets)[:4], name)
        signed.append(base64.b64decode(octets)[4:])
    same(signed[0], classic.sign((text + "\n").encode()))
    at = v["at"].to_bytes(8, "big")
    same(signed[1][:8], at)
    short = bytes([len(origin)]) + origin.encode()
    said = b"subtree/v1\n\x00" + short + at + short + bytes(8) + int(size).to_bytes(8, "big") + base64.b64decode(root)
    lattice.public_key().verify(signed[1][8:], said)


def read_signature(v: Vector) -> None:
    """Both halves of a signature. The second differs each time it is made: it is verified."""
    seeds = kdf(unhex(v["seed"]), ctx("sign-seeds", {}), 64)
    classic, lattice = Ed25519PrivateKey.from_private_bytes(seeds[:32]), MLDSA65PrivateKey.from_seed_bytes(seeds[32:])
    public = classic.public_key().public_bytes_raw() + lattice.public_key().public_bytes_raw()
    same(public.hex(), v["public"])
    said, signature = unhex(v["said"]), unhex(v["signature"])
    same(classic.sign(said), signature[:64])
    lattice.public_key().verify(signature[64:], said)


def read_statement(v: Vector) -> None:
    """What is signed, byte for byte."""
    said = ctx(v["label"], v["fields"])
    same(said.hex() if "said" in v else hashlib.sha256(said).hexdigest(), v.get("said", v.get("said_sha256")))


READINGS: dict[str, Callable[[Vector], None]] = {
    "kdf": read_kdf,
    "vault": read_vault,
    "seal": read_seal,
    "pair": read_pair,
    "post": read_post,
    "padding": read_padding,
    "account keys": read_account_keys,
    "shelf": read_shelf,
    "name": read_name,
    "veto": read_veto,
    "card": read_card,
    "file": read_file,
    "wrap": read_seal,
    **dict.fromkeys(("deposit", "wrap-paper", "wrap-shelf", "assist-shelf", "share", "share-move", "trace-key"), read_post),
    "paper card": read_fields,
    "payload": read_payload,
    "sheet": read_sheet,
    "allowed sets": read_sets,
    "cut": read_cut,
    "session": read_session,
    "trace": read_fields,
    "trace-tag": read_tag,
    "leaf": read_leaf,
    "tree": read_tree,
    "checkpoint": read_checkpoint,
    "signature": read_signature,
}
REFUSALS = (DisagreementError, InvalidTag, InvalidSignature, ValueError, LookupError)
FAMILIES = {"context ": read_context, "slot ": read_slot, "statement ": read_statement}


def reading_of(name: str) -> Callable[[Vector], None]:
    """Which reading a vector asks for; KeyError when nobody wrote one."""
    families = [reading for start, reading in FAMILIES.items() if name.startswith(start)]
    return families[0] if families else READINGS[name]


def main() -> int:
    """Read every vector; print each one that the two programs disagree about."""
    vectors = json.loads(Path(__file__).with_name("formulas.json").read_text())["vectors"]
    wrong = []
    for name, vector in vectors.items():
        try:
            reading_of(name)(vector)
        except REFUSALS as error:
            wrong.append(f"{name}: {error!r}")
    print("\n".join(wrong) or f"{len(vectors)} vectors, read twice alike")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
