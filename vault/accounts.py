"""What persons, workers and administrators share: an account secret, three keys, public keys that the service vouches for."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from crypto.errors import BadSignature, Malformed
from crypto.kem import KemPublic, kem_public, public_key
from crypto.keys import AccountKeys, AccountSecret, SealedAccountKeys, open_account_keys, seal_account_keys
from crypto.signing import SignPublic, sign_public, sign_public_from, verify
from crypto.statements import PersonKeys
from storage.tables import accounts
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.settings import today_in_paris

FIRST_SERIAL = 1


@dataclass(frozen=True)
class NewAccount:
    """An account that no row knows yet. Its row in the key vault exists; `forget` it if nothing comes of it."""

    id: str
    kind: str  # person, worker, administrator
    secret: AccountSecret = field(repr=False)
    keys: AccountKeys = field(repr=False)


@dataclass(frozen=True)
class PublicKeys:
    """The two public keys of an account, verified."""

    kem: KemPublic
    sign: SignPublic


def draw(context: Context, kind: str) -> NewAccount:
    """Draw an account's secret and keys, and create its row in the key vault."""
    account = context.new_id()
    context.keyvault.create("person", account, account)
    return NewAccount(account, kind, AccountSecret.random(), AccountKeys.random())


def keep(context: Context, connection: Connection, new: NewAccount) -> PublicKeys:
    """Write the account's row: keys sealed under its secret, public keys signed by the service."""
    public = PublicKeys(public_key(new.keys.kem), sign_public(new.keys.sign))
    statement = PersonKeys(person=new.id, kem=public.kem, sign=public.sign, serial=FIRST_SERIAL, previous=b"")
    sealed = seal_account_keys(new.secret, new.id, new.keys)
    connection.execute(
        insert(accounts).values(
            id=new.id, kind=new.kind, state="open", created=today_in_paris(context.clock()), term=None,
            kem_public=public.kem, sign_public=public.sign,
            sealed_kem=sealed.kem, sealed_sign=sealed.sign, sealed_values=sealed.values,
            keys_statement=statement.encode(), keys_signature=context.service.sign(statement),
        )
    )  # fmt: skip
    return public


def forget(context: Context, account: str) -> None:
    """Destroy what the key vault holds for an account of which nothing came."""
    context.keyvault.destroy_owned(account, context.clock())


def open_keys(connection: Connection, account: str, secret: AccountSecret) -> AccountKeys:
    """The keys of an account that has just been unlocked. Public keys that are not theirs were planted: raises Tampered."""
    row = connection.execute(select(accounts).where(accounts.c.id == account)).one()
    keys = open_account_keys(secret, account, SealedAccountKeys(row.sealed_kem, row.sealed_sign, row.sealed_values))
    if (public_key(keys.kem), sign_public(keys.sign)) != (row.kem_public, row.sign_public):
        raise Tampered
    return keys


def public_keys(context: Context, connection: Connection, account: str) -> PublicKeys:
    """An account's public keys, as the service vouched for them. Raises NotThere, Tampered."""
    row = connection.execute(
        select(accounts.c.kem_public, accounts.c.sign_public, accounts.c.keys_statement, accounts.c.keys_signature)
        .where(accounts.c.id == account)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotThere
    try:
        statement = PersonKeys.parse(row.keys_statement)
        verify(context.service.ring, statement, row.keys_signature)
    except (BadSignature, Malformed) as error:
        raise Tampered from error
    if (statement.person, statement.kem, statement.sign) != (account, row.kem_public, row.sign_public):
        raise Tampered
    return PublicKeys(kem_public(row.kem_public), sign_public_from(row.sign_public))
