"""What persons, workers and administrators share: an account secret, three keys, public keys that the service vouches for."""

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection, insert, select, update

from crypto import person_keys
from crypto.errors import BadSignature, Malformed
from crypto.kem import KemPublic, kem_public, public_key
from crypto.keys import AccountKeys, AccountSecret, SealedAccountKeys, open_account_keys, seal_account_keys
from crypto.sealing import seal
from crypto.signing import Signer, SignPublic, SignRing, sign_public, sign_public_from
from crypto.statements import PersonKeys
from storage.tables import accounts, earlier_keys
from vault import labels
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.settings import today_in_paris
from vault.unwritten import row_is_there, undone_unless


@dataclass(frozen=True)
class NewAccount:
    """An account that no row knows yet. Its row in the key vault exists; `forget` it if nothing comes of it."""

    id: str
    kind: str  # person, worker, administrator
    secret: AccountSecret = field(repr=False)
    keys: AccountKeys = field(repr=False)


@dataclass(frozen=True)
class PublicKeys:
    """The two public keys of an account, verified; `ring` holds the signing keys of before too: what they signed goes on holding."""

    kem: KemPublic
    sign: SignPublic
    ring: SignRing


def draw(context: Context, kind: str) -> NewAccount:
    """Draw an account's secret and keys, and create its row in the key vault."""
    account = context.new_id()
    context.keyvault.create("person", account, account)
    return NewAccount(account, kind, AccountSecret.random(), AccountKeys.random())


def keep(context: Context, connection: Connection, new: NewAccount) -> PublicKeys:
    """Write the account's row: keys sealed under its secret, public keys signed by the service."""
    sign = sign_public(new.keys.sign)
    public = PublicKeys(public_key(new.keys.kem), sign, SignRing((sign,)))
    statement = PersonKeys(person=new.id, kem=public.kem, sign=sign, serial=person_keys.FIRST_SERIAL, previous=b"")
    sealed = seal_account_keys(new.secret, new.id, new.keys)
    connection.execute(
        insert(accounts).values(
            id=new.id, kind=new.kind, state="open", created=today_in_paris(context.clock()), term=None,
            kem_public=public.kem, sign_public=public.sign,
            sealed_kem=sealed.kem, sealed_sign=sealed.sign, sealed_values=sealed.values,
            keys_statement=statement.encode(), keys_signature=context.service.sign(statement), keys_due=False,
        )
    )  # fmt: skip
    return public


def forgotten_unless_kept(context: Context, account: str) -> AbstractContextManager[None]:
    """What the key vault holds for a new account dies when the block raises and no row knows the account."""
    forget = partial(context.keyvault.destroy_owned, account, context.clock())
    return undone_unless(context, row_is_there(accounts.c.id, account), forget)


def open_keys(connection: Connection, account: str, secret: AccountSecret) -> AccountKeys:
    """The keys of an account that has just been unlocked. Public keys that are not theirs were planted: raises Tampered."""
    row = connection.execute(select(accounts).where(accounts.c.id == account)).one()
    keys = open_account_keys(secret, account, SealedAccountKeys(row.sealed_kem, row.sealed_sign, row.sealed_values))
    if (public_key(keys.kem), sign_public(keys.sign)) != (row.kem_public, row.sign_public):
        raise Tampered
    return keys


def public_keys(context: Context, connection: Connection, account: str) -> PublicKeys:
    """An account's public keys: the service vouched for the first pair, each signed the next. Raises NotThere, Tampered."""
    row = connection.execute(
        select(accounts.c.kem_public, accounts.c.sign_public, accounts.c.keys_statement, accounts.c.keys_signature)
        .where(accounts.c.id == account)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotThere
    try:
        last = PersonKeys.parse(row.keys_statement)
        before = statements_before(connection, account) if last.serial != person_keys.FIRST_SERIAL else []
        chain = person_keys.follow(context.service.ring, [*before, (row.keys_statement, row.keys_signature)])
    except (BadSignature, Malformed) as error:
        raise Tampered from error
    if (last.person, last.kem, last.sign) != (account, row.kem_public, row.sign_public):
        raise Tampered
    return PublicKeys(kem_public(row.kem_public), sign_public_from(row.sign_public), person_keys.ring(chain))


def statements_before(connection: Connection, account: str) -> list[tuple[bytes, bytes]]:
    """The statements of keys that others have followed, each with its signature, the first one first."""
    query = select(earlier_keys.c.statement, earlier_keys.c.signature).where(earlier_keys.c.account == account)
    return [(row.statement, row.signature) for row in connection.execute(query.order_by(earlier_keys.c.serial))]


def own_ring(context: Context, connection: Connection, account: str, own: SignPublic) -> SignRing:
    """By what a person's own signatures verify: the key of their session, and those that lead to it.

    Rows that do not lead to it were planted: then their own key alone counts.
    """
    before = select(earlier_keys.c.serial).where(earlier_keys.c.account == account).limit(1)
    if connection.execute(before).first() is not None:
        with suppress(Tampered, NotThere):
            known = public_keys(context, connection, account)
            if known.sign == own:
                return known.ring
    return SignRing((own,))


def replace_keys(context: Context, connection: Connection, account: str, old: AccountKeys, secret: AccountSecret) -> AccountKeys:
    """Draw three new keys, sealed under `secret`, in the caller's transaction; the old signing key signs the new pair and is gone.

    The old KEM seed is kept, sealed under the new V, for what somebody may be posting in this very moment: `forget_seeds` ends that.
    What the old keys sealed is the caller's to seal anew (`vault.rekeying`).
    """
    new, at = AccountKeys.random(), context.clock()
    row = connection.execute(select(accounts).where(accounts.c.id == account).with_for_update()).one()
    last = PersonKeys.parse(row.keys_statement)
    said = person_keys.following(last, public_key(new.kem), sign_public(new.sign))
    place = labels.earlier_seed(account=account, serial=str(last.serial))
    connection.execute(
        insert(earlier_keys).values(
            account=account, serial=last.serial, statement=row.keys_statement, signature=row.keys_signature,
            sealed_kem=seal(new.values, place, old.kem), until=at,
        )
    )  # fmt: skip
    sealed = seal_account_keys(secret, account, new)
    connection.execute(
        update(accounts).where(accounts.c.id == account).values(
            kem_public=said.kem, sign_public=said.sign, keys_statement=said.encode(), keys_signature=Signer(old.sign).sign(said),
            sealed_kem=sealed.kem, sealed_sign=sealed.sign, sealed_values=sealed.values, keys_due=False,
        )
    )  # fmt: skip
    return new
