"""An authenticator in software (CTAP2, ES256): what a key on a ring answers, and what a dishonest one would."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from vault.ceremonies import Answer

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cose_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A public key as WebAuthn writes it (COSE, ES256)."""
    numbers = key.public_key().public_numbers()
    return bytes(cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}))


@dataclass
class Authenticator:
    """One key with one credential. `prf`: whether it derives secrets. What a test changes: origin, verified, count."""

    prf: bool = True
    origin: str = "https://localhost:8000"
    verified: bool = True
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    user: bytes = b""

    def register(self, options: str) -> Answer:
        """Answer `navigator.credentials.create`."""
        asked = json.loads(options)
        self.user = unb64(asked["user"]["id"])
        data = self._data(asked["rp"]["id"], attested=True)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._client("webauthn.create", asked["challenge"])
        return self._answer({"clientDataJSON": b64(said), "attestationObject": b64(attestation)}, asked)

    def touch(self, options: str, *, user: bytes | None = None) -> Answer:
        """Answer `navigator.credentials.get`."""
        asked = json.loads(options)
        self.count += 1
        data = self._data(asked["rpId"])
        said = self._client("webauthn.get", asked["challenge"])
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        handle = self.user if user is None else user
        response = {
            "clientDataJSON": b64(said), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(handle),
        }  # fmt: skip
        return self._answer(response, asked)

    def _answer(self, response: dict[str, Any], asked: dict[str, Any]) -> Answer:
        first = unb64(asked["extensions"]["prf"]["eval"]["first"])
        secret = hmac.digest(self.seed, hashlib.sha256(b"WebAuthn PRF\x00" + first).digest(), "sha256") if self.prf else b""
        name = b64(self.credential)
        return Answer(json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response}), b64(secret))

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, name: str, *, attested: bool = False) -> bytes:
        flags = USER_PRESENT | (USER_VERIFIED if self.verified else 0) | (ATTESTED if attested else 0)
        found = hashlib.sha256(name.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")
        if not attested:
            return found
        cose = cose_of(self.key)
        return found + bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cose
