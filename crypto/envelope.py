"""A file secret wrapped for each one who may open it, and what travels beside it.

Three wraps of one secret: under the shelf's key by who holds the shelf, posted to the shelf by a depositor who cannot
read it back, posted to a worker by a grant. Each is bound by its context to one paper, one version and one recipient.
"""

from collections.abc import Mapping

from crypto.canonical import Value
from crypto.contexts import (
    AssistShelfContext,
    CardContext,
    GrantContext,
    WrapContext,
    WrapPaperContext,
    WrapShelfContext,
)
from crypto.kem import KemPrivate, KemPublic
from crypto.keys import CardKey, FileSecret, KemSeed, ShelfKey, ShelfSeed, ValuesKey
from crypto.sealing import (
    POST_OVERHEAD,
    open_post,
    open_posted_value,
    post,
    post_value,
    seal,
    seal_value,
    unseal,
    unseal_value,
)

_DEPOSIT_BYTES = POST_OVERHEAD + 32


def wrap(key: ShelfKey, place: WrapContext, secret: FileSecret) -> bytes:
    """Wrap a paper in a shelf that one holds."""
    return seal(key, place, secret)


def unwrap(key: ShelfKey, place: WrapContext, wrapped: bytes) -> FileSecret:
    """Take the file secret out of its wrap, or raise Undecryptable."""
    return FileSecret.opened(unseal(key, place, wrapped))


def deposit(shelf: KemPublic, vaulted: bytes, place: WrapContext, secret: FileSecret) -> bytes:
    """Lay a paper in a shelf that one cannot open. `vaulted`: the person's row, asked with `place`."""
    return post(shelf, vaulted, place, secret)


def open_deposit(seed: ShelfSeed | KemPrivate, vaulted: bytes, place: WrapContext, wrapped: bytes) -> FileSecret:
    """Take a deposited file secret; wrap it anew with `wrap`, which opens six times faster."""
    return FileSecret.opened(open_post(seed, vaulted, place, wrapped))


def is_deposit(wrapped: bytes) -> bool:
    """Tell a deposit from a wrap, by its length: no key is needed to know which of the two to open."""
    return len(wrapped) == _DEPOSIT_BYTES


def grant_paper(worker: KemPublic, vaulted: bytes, place: WrapPaperContext, secret: FileSecret) -> bytes:
    """Wrap a paper for one worker. `vaulted`: the grant's row, asked with `place`."""
    return post(worker, vaulted, place, secret)


def open_granted_paper(seed: KemSeed | KemPrivate, vaulted: bytes, place: WrapPaperContext, wrapped: bytes) -> FileSecret:
    """Take a granted file secret, or raise Undecryptable."""
    return FileSecret.opened(open_post(seed, vaulted, place, wrapped))


def grant_shelf(worker: KemPublic, vaulted: bytes, place: WrapShelfContext, seed: ShelfSeed) -> bytes:
    """Wrap a whole shelf for one worker, what comes later included. `vaulted`: the grant's row, asked with `place`."""
    return post(worker, vaulted, place, seed)


def open_granted_shelf(seed: KemSeed | KemPrivate, vaulted: bytes, place: WrapShelfContext, wrapped: bytes) -> ShelfSeed:
    """Take a granted shelf seed, or raise Undecryptable."""
    return ShelfSeed.opened(open_post(seed, vaulted, place, wrapped))


def assist_shelf(assist: KemPublic, vaulted: bytes, place: AssistShelfContext, seed: ShelfSeed) -> bytes:
    """Lend a shelf to assisted openings. `vaulted`: the assist slot's row, asked with `place`."""
    return post(assist, vaulted, place, seed)


def open_assist_shelf(seed: KemSeed | KemPrivate, vaulted: bytes, place: AssistShelfContext, wrapped: bytes) -> ShelfSeed:
    """Take a lent shelf seed, or raise Undecryptable."""
    return ShelfSeed.opened(open_post(seed, vaulted, place, wrapped))


def seal_card(key: CardKey, place: CardContext, card: Mapping[str, Value]) -> bytes:
    """Seal what a list shows of a paper: title, file name, kind, dates, size, SHA-256 of the bytes received."""
    return seal_value(key, place, card)


def open_card(key: CardKey, place: CardContext, sealed: bytes) -> dict[str, Value]:
    """Open a paper's card, or raise Undecryptable."""
    return unseal_value(key, place, sealed)


def post_grant_body(worker: KemPublic, vaulted: bytes, place: GrantContext, body: Mapping[str, Value]) -> bytes:
    """Post what a grant says to its worker. `vaulted`: the grant's row, asked with `place`."""
    return post_value(worker, vaulted, place, body)


def open_posted_grant_body(seed: KemSeed | KemPrivate, vaulted: bytes, place: GrantContext, sealed: bytes) -> dict[str, Value]:
    """Read a grant's body as its worker, or raise Undecryptable."""
    return open_posted_value(seed, vaulted, place, sealed)


def seal_grant_body(values: ValuesKey, place: GrantContext, body: Mapping[str, Value]) -> bytes:
    """Keep what a grant says for the person who gave it."""
    return seal_value(values, place, body)


def open_grant_body(values: ValuesKey, place: GrantContext, sealed: bytes) -> dict[str, Value]:
    """Read a grant's body as the person who gave it, or raise Undecryptable."""
    return unseal_value(values, place, sealed)
