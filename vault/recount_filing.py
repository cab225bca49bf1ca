"""Whether each copy of the trace still lies where its owner finds it, under a key that its owner was given.

The tree binds what a copy says, not the tag that it is found by nor the key that it names: whoever moves either hides an entry from its
owner and breaks no hash. Here each tag must be one that the key vault answers for a living account, the copies of one entry must agree
on whose it is, and each trace key must open as far as the service can open it: its outer seal, under the owner's row. The month that a
tag stands for must be one in which the entry can have been written: the signed heads before and after it say when.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from crypto import contexts
from crypto.errors import CryptoError
from crypto.sealing import unseal
from storage.errors import RowGone
from storage.tables import accounts, entries, entry_copies, erasures, trace_keys
from vault import labels
from vault.context import Context
from vault.recount_removals import SLACK, Fault, Head, after, before
from vault.settings import today_in_paris

Owner = tuple[str, int]
DAY = dt.timedelta(days=1)


def filed(context: Context, connection: Connection, heads: Sequence[Head]) -> list[Fault]:
    """A fault for each copy that its owner would not find, or not be able to open. `heads`: those signed, the smallest first."""
    owners, leaving = _owners(context, connection), _leaving(connection)
    now = context.clock()
    columns = (
        entry_copies.c.entry,
        entries.c.number,
        entry_copies.c.number.label("place"),
        entry_copies.c.party,
        entry_copies.c.tag,
    )
    query = select(*columns, trace_keys.c.id, trace_keys.c.party.label("posted_to"), trace_keys.c.session, trace_keys.c.posted)
    query = query.join(entries, entries.c.id == entry_copies.c.entry).outerjoin(trace_keys, trace_keys.c.id == entry_copies.c.key)
    faults: list[Fault] = []
    safe: dict[str, Owner | None] = {}  # of the entry at hand: whose it is, by party
    session: set[str] = set()
    at: tuple[str, int | None] = ("", None)
    good: set[tuple[str, str, str]] = set()
    for row in connection.execution_options(yield_per=2000).execute(query.order_by(entry_copies.c.entry)):
        if row.entry != at[0]:
            faults += _disagree(at, safe, session)
            at, safe, session = (row.entry, row.number), {}, set()
        tag = bytes(row.tag)
        safe[row.party], said = owners.get(tag), _said(row.entry, row.number, row.party)
        if row.session is None:
            faults.append(Fault("hidden", row.number, f"{said} names a key that is gone: nobody can open it"))
        else:
            session.add(row.session)
        if row.place != row.number:
            faults.append(Fault("hidden", row.number, f"{said} stands at another place of its owner's history"))
        if tag[:16] in leaving:
            safe[row.party] = (tag[:16].hex(), 0)
            if not _marked(context, leaving[tag[:16]], row.entry, row.party, tag[16:]):
                faults.append(Fault("hidden", row.number, f"{said} carries the mark of an erasure that did not mark it"))
            continue
        owner = safe[row.party]
        if owner is None:
            faults.append(Fault("hidden", row.number, f"{said} lies where nobody looks for it"))
            continue
        if not _then(owner[1], before(heads, row.number), after(heads, row.number) or now):
            faults.append(Fault("hidden", row.number, f"{said} lies in a month in which it was not written"))
        if row.session is None:
            continue
        if (row.id, row.party, owner[0]) not in good:
            if row.posted_to == row.party and _opens(context, owner[0], row.party, row.session, bytes(row.posted)):
                good.add((row.id, row.party, owner[0]))
            else:
                faults.append(Fault("hidden", row.number, f"{said} names a key that does not open for its owner"))
    return [*faults, *_disagree(at, safe, session)]


def _said(entry: str, number: int | None, party: str) -> str:
    at = f"entry {number}" if number is not None else "an entry without a number"
    return f"{at} ({entry}): the copy for the {party}"


def _disagree(at: tuple[str, int | None], safe: dict[str, Owner | None], sessions: set[str]) -> Iterator[Fault]:
    """The copies of one entry are of one session; that for an inquiry lies with the person's, or with the worker's when there is none."""
    entry, number = at
    of = safe.get("person") or safe.get("worker")
    if len(sessions) > 1:
        yield Fault("hidden", number, f"{_said(entry, number, 'person')} and the others name keys of different sessions")
    elif of is not None and safe.get("incident") is not None and safe["incident"] != of and "person" in safe:
        yield Fault("hidden", number, f"{_said(entry, number, 'person')} lies with somebody else than that for an inquiry")


def _owners(context: Context, connection: Connection) -> dict[bytes, Owner]:
    """Every tag that there can be, to the account and month that it stands for."""
    found: dict[bytes, Owner] = {}
    today = today_in_paris(context.clock()) + DAY
    for account, created in connection.execute(select(accounts.c.id, accounts.c.created)).all():
        months = list(_months(min(created, today) - DAY, today))
        try:
            answers = context.keyvault.derive_many([("person", account, contexts.trace_tag(month=month)) for month in months])
        except RowGone:
            continue  # being erased: its copies carry a mark instead
        found |= {answer[:16]: (account, month) for answer, month in zip(answers, months, strict=True)}
    return found


def _months(since: dt.date, until: dt.date) -> Iterator[int]:
    while since <= until:
        yield since.year * 100 + since.month
        since = (since.replace(day=1) + 32 * DAY).replace(day=1)


def _then(month: int, since: dt.datetime | None, until: dt.datetime) -> bool:
    """Whether an entry of this month can have been written between two moments, give or take a few days."""
    first, last = (since - SLACK if since else None), until + SLACK
    return (first is None or first.year * 100 + first.month <= month) and month <= last.year * 100 + last.month


def _leaving(connection: Connection) -> Mapping[bytes, str]:
    """The marks of the safes that are being erased, or are to be again after a restore, each to its erasure."""
    begun = connection.scalars(select(erasures.c.id).where(erasures.c.state.in_(("asked", "carrying-out"))))
    return {hashlib.sha256(labels.erased_copies(erasure=one)).digest()[:16]: one for one in begun}


def _marked(context: Context, erasure: str, entry: str, party: str, said: bytes) -> bool:
    """Whether the service says of this very copy that this erasure marked it."""
    place = labels.erased_copy(erasure=erasure, entry=entry, party=party)
    seals = (context.settings.service_seal, *(one.seal for one in context.settings.earlier))
    return said in [hmac.digest(bytes(seal), place, "sha256")[:16] for seal in seals]


def _opens(context: Context, account: str, party: str, session: str, posted: bytes) -> bool:
    try:
        place = contexts.trace_key(session=session, party=contexts.INCIDENT if party == "incident" else account)
        unseal(context.keyvault.derive("person", account, place), place, posted)
    except (CryptoError, RowGone, ValueError):
        return False
    return True
