"""What an open session holds between two requests: nothing in the process, all of it in a row under the cookie's key."""

from crypto import contexts
from crypto.contexts import SessionContext
from crypto.errors import Undecryptable
from crypto.keys import AccountKeys, KemSeed, SessionKey, SessionToken, SignSeed, ValuesKey, kdf
from crypto.sealing import VAULTED_BYTES, seal, unseal

_SEED = 32


def session_lookup(token: SessionToken) -> bytes:
    """Compute what the session's row is found by (32 bytes): a stolen table gives no cookie."""
    return kdf(token, contexts.session_id(), 32)


def session_key(token: SessionToken, vaulted: bytes, place: SessionContext) -> SessionKey:
    """Derive a session's key from its cookie and its row in the vault, which is never backed up."""
    if len(vaulted) != VAULTED_BYTES:
        raise ValueError("the key vault answers 32 bytes")
    return SessionKey(kdf(token + vaulted, place, 32))


def seal_session(key: SessionKey, place: SessionContext, keys: AccountKeys) -> bytes:
    """Keep the three keys of an account, never its secret: 96 bytes, in the order KEM, signature, values."""
    return seal(key, place, keys.kem + keys.sign + keys.values)


def open_session(key: SessionKey, place: SessionContext, sealed: bytes) -> AccountKeys:
    """Open a session's three keys, or raise Undecryptable."""
    seeds = unseal(key, place, sealed)
    if len(seeds) != 3 * _SEED:
        raise Undecryptable
    return AccountKeys(KemSeed(seeds[:_SEED]), SignSeed(seeds[_SEED : 2 * _SEED]), ValuesKey(seeds[2 * _SEED :]))


def seal_assisted_session(key: SessionKey, place: SessionContext, seed: KemSeed) -> bytes:
    """Keep the one key of an assisted opening: it opens lent shelves and cannot sign."""
    return seal(key, place, seed)


def open_assisted_session(key: SessionKey, place: SessionContext, sealed: bytes) -> KemSeed:
    """Open an assisted session's key, or raise Undecryptable."""
    return KemSeed.opened(unseal(key, place, sealed))
