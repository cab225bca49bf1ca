"""How fast the formats are beside the bare cipher: `python -m bench.sealing`. A measure, not a test."""

import time
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import kem, keys, sealing, signing, statements, stream

MIB = 1 << 20


def milliseconds(act: Callable[[], object], times: int = 200) -> float:
    """The best of five rounds, a call."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            act()
        rounds.append((time.perf_counter() - start) / times * 1000)
    return min(rounds)


def bare_cipher() -> Callable[[], object]:
    """The same chunks without a format around them."""
    cipher, nonce = ChaCha20Poly1305(bytes(32)), bytes(12)
    source, out = memoryview(bytes(MIB)), bytearray(stream.SEALED_CHUNK)

    def seal() -> None:
        for start in range(0, MIB, stream.CHUNK):
            cipher.encrypt_into(nonce, source[start : start + stream.CHUNK], None, out)

    return seal


def main() -> None:
    """Print a line for each measure."""
    key, piece = keys.AgeFileKey.random(), bytes(MIB)
    encryptor, out = stream.Encryptor(key), bytearray(2 * MIB)
    payload = stream.encrypt(key, bytes(16 * MIB))

    def open_all() -> None:
        decryptor, view = stream.Decryptor(key), memoryview(payload)
        for start in range(0, len(payload), MIB):
            decryptor.update_into(view[start : start + MIB], out)
        decryptor.finish_into(out)

    seed, vaulted, shelf, info = keys.KemSeed.random(), bytes(32), keys.ShelfKey.random(), b"bench"
    private, public = kem.KemPrivate(seed), kem.public_key(seed)
    posted, sealed = sealing.post(public, vaulted, info, bytes(32)), sealing.seal(shelf, info, bytes(32))
    signer, day = signing.Signer(keys.SignSeed.random()), "2026-11-23"
    said = statements.ErasureCertified(
        "00000000-0000-4000-8000-000000000001", day, day, 1, 1, 1, 1, "00000000-0000-4000-8000-000000000002"
    )
    signature = signer.sign(said)
    measures = {
        "1 MiB, bare cipher": milliseconds(bare_cipher()),
        "1 MiB, sealed into a buffer": milliseconds(lambda: encryptor.update_into(piece, out)),
        "1 MiB, sealed": milliseconds(lambda: encryptor.update(piece)),
        "1 MiB, opened into a buffer": milliseconds(open_all, 5) / 16,
        "seal 32 bytes": milliseconds(lambda: sealing.seal(shelf, info, bytes(32))),
        "unseal 32 bytes": milliseconds(lambda: sealing.unseal(shelf, info, sealed)),
        "post 32 bytes": milliseconds(lambda: sealing.post(public, vaulted, info, bytes(32))),
        "open a post, key kept": milliseconds(lambda: sealing.open_post(private, vaulted, info, posted)),
        "open a post, key made": milliseconds(lambda: sealing.open_post(seed, vaulted, info, posted)),
        "sign": milliseconds(lambda: signer.sign(said), 50),
        "verify": milliseconds(lambda: signing.verify(signer.public, said, signature)),
    }
    for name, value in measures.items():
        print(f"{name:<30} {value:8.3f} ms")


if __name__ == "__main__":
    main()
