"""A breach inquiry (GDPR 33), the part that needs the service: what leaves for the two holders of the incident key, and what comes back.

The export holds the incident key's copies of some days and what the key vault answers for them, in an age file that only both halves
together open. Whoever is in it reads so in their own history before the file exists; when the answer comes back, each reads whether it
concerns them. Opening and counting are `vault.inquiry_answer`, on a machine apart.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from crypto import contexts
from crypto import trace as sealed_trace
from crypto.agefile import encrypt_file
from crypto.agerecipients import HybridRecipient
from crypto.canonical import instant
from storage.errors import RowGone
from storage.tables import accounts, entries, entry_copies, inquiries, structures, trace_keys, workers
from vault import audit, labels, notices
from vault.context import Context
from vault.errors import BadInput, Conflict, NotThere
from vault.events import Event
from vault.inquiry_answer import Answer
from vault.notices import Notice

PIECE = 200  # accounts told in one transaction


@dataclass(frozen=True)
class Export:
    """What leaves. `file`: an age file for the incident key; `persons`, `entries`: how many are in it."""

    id: str
    file: bytes
    persons: int
    entries: int


def export(context: Context, since: dt.date, until: dt.date, reason: str) -> Export:
    """Gather the incident copies of the months from `since` to `until`, and tell whoever they are about.

    Entries are found by month: their exact time is sealed inside, and is looked at by `answer` alone. `reason`: for the register.
    """
    if until < since or not reason.strip():
        raise BadInput("until" if until < since else "reason")
    number = context.new_id()
    with context.database.transaction(read_only=True) as connection:
        accounts_of = dict(connection.execute(select(accounts.c.id, accounts.c.kind).order_by(accounts.c.id)).all())
        found = {account: list(_copies_of(context, connection, account, since, until)) for account in accounts_of}
        known = list(_workers(connection))
    found = {account: lines for account, lines in found.items() if lines}
    persons = [account for account in found if accounts_of[account] == "person"]
    count = sum("entry" in line for lines in found.values() for line in lines)
    head = {
        "abri": "inquiry", "v": 1, "export": number, "from": since.isoformat(), "to": until.isoformat(),
        "made": instant(context.clock()), "entries": count, "answer": _answer_keys(context, number)[0].hex(),
        "staff": [one for one in found if accounts_of[one] != "person"],
    }  # fmt: skip
    plain = b"".join(_line(one) for one in (head, *known, *(line for lines in found.values() for line in lines), {"end": count}))
    _say_exported(context, number, {account: accounts_of[account] == "person" for account in found})
    with context.database.transaction() as connection:
        connection.execute(
            insert(inquiries).values(
                id=number, made=context.clock(), first=since, last=until, reason=reason.strip(), persons=len(persons),
                entries=count, named=_digest(persons), told=None, concerned=None,
            )
        )  # fmt: skip
    return Export(number, encrypt_file([HybridRecipient(context.settings.incident_key)], plain), len(persons), count)


def _say_exported(context: Context, number: str, about: Mapping[str, bool]) -> None:
    """Committed before the file exists: whoever is in it can read so, even when nothing comes back."""
    names = sorted(about)
    for start in range(0, len(names), PIECE):
        with context.database.transaction() as connection:
            for account in names[start : start + PIECE]:
                with suppress(RowGone), connection.begin_nested():  # erased in between: nobody reads any more
                    if about[account]:
                        audit.record(context, connection, None, Event("inquiry.exported", detail=number[:8]), person=account)
                    else:
                        audit.record(context, connection, None, Event("inquiry.named", detail=number[:8]), worker=account)


def tell(context: Context, answer: Answer) -> int:
    """Write into each history whether the inquiry concerned them, and leave a sentence for the next unlock of those it did.

    Gives how many it concerned. NotThere for an export that was never made, Conflict for one that was told, for a list that is not
    the one that left, or for an answer that somebody changed on its way: nobody can be left out.
    """
    concerned = {one.account for one in answer.persons}
    with context.database.transaction() as connection:
        row = connection.execute(select(inquiries).where(inquiries.c.id == answer.export).with_for_update()).one_or_none()
        if row is None:
            raise NotThere
        named = [*concerned, *answer.others, *answer.unknown]
        if row.told is not None or len(set(named)) != len(named) or _digest(named) != row.named:
            raise Conflict
        if answer.proof not in [answer.proved(key) for key in _answer_keys(context, answer.export)]:
            raise Conflict
        for person in _still_there(connection, [*concerned, *answer.others]):
            hers = person in concerned
            tag = "inquiry.concerned" if hers else "inquiry.not-concerned"
            event = Event(tag, by_name=answer.worker_name if hers else "", detail=answer.export[:8])
            with suppress(RowGone), connection.begin_nested():
                audit.record(context, connection, None, event, person=person)
                if hers:
                    notices.tell(context, connection, person, Notice("inquiry"))
        closed = update(inquiries).where(inquiries.c.id == answer.export)
        connection.execute(closed.values(told=context.clock(), concerned=len(concerned)))
    return len(concerned)


def _digest(persons: Iterable[str]) -> bytes:
    """Who left, and nobody else."""
    return hashlib.sha256(" ".join(sorted(persons)).encode()).digest()


def _answer_keys(context: Context, number: str) -> list[bytes]:
    """What an answer is authenticated with: it leaves inside the export, so whoever opens no export makes no answer.

    The first is of the present seal key; the export may have left before it turned.
    """
    seals = (context.settings.service_seal, *(one.seal for one in context.settings.earlier))
    return [hmac.digest(bytes(one), labels.inquiry_answer(inquiry=number), "sha256") for one in seals]


def _still_there(connection: Connection, wanted: Sequence[str]) -> list[str]:
    living = select(accounts.c.id).where(accounts.c.kind == "person", accounts.c.state.not_in(("half-made", "erasing", "ended")))
    return sorted(set(connection.scalars(living)) & set(wanted))


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def _workers(connection: Connection) -> Iterator[dict[str, Any]]:
    """Who may be asked about: names and codes are public, and the machine of the holders has no other list."""
    query = select(workers.c.account, workers.c.first_name, workers.c.code, structures.c.name).join(structures)
    for row in connection.execute(query.order_by(workers.c.account)):
        yield {"worker": row.account, "name": f"{row.first_name}, {row.name}", "code": row.code}


def _copies_of(
    context: Context, connection: Connection, account: str, since: dt.date, until: dt.date
) -> Iterable[dict[str, Any]]:  # fmt: skip
    """The incident copies found by the tags of one account's row, each key of theirs with what the vault answers for it."""
    wanted = list(audit.months(since - dt.timedelta(days=1), until + dt.timedelta(days=1)))
    try:
        answers = context.keyvault.derive_many([("person", account, contexts.trace_tag(month=month)) for month in wanted])
        query = (
            select(
                entry_copies.c.entry, entry_copies.c.key, entry_copies.c.envelope, entries.c.number,
                trace_keys.c.session, trace_keys.c.posted,
            )
            .outerjoin(trace_keys, trace_keys.c.id == entry_copies.c.key)
            .join(entries, entries.c.id == entry_copies.c.entry)
            .where(entry_copies.c.party == audit.INCIDENT)
            .where(entry_copies.c.tag.in_([sealed_trace.tag(one) for one in answers]))
            .order_by(entry_copies.c.entry)
        )  # fmt: skip
        rows = connection.execute(query).all()
        places: dict[str, bytes] = {}
        for row in rows:  # a copy whose key is gone or is none leaves without it: the answer counts it
            with suppress(ValueError):
                if row.session is not None:
                    places[row.key] = contexts.trace_key(session=row.session, party=contexts.INCIDENT)
        vaulted = context.keyvault.derive_many([("person", account, place) for place in places.values()])
    except RowGone:
        return  # erased in between: there is nothing to read any more
    keys = {row.key: row for row in rows}
    for (name, row), answer in zip([(name, keys[name]) for name in places], vaulted, strict=True):
        yield {"key": name, "session": row.session, "vault": answer.hex(), "posted": _text(row.posted)}
    for row in rows:
        yield {"entry": row.entry, "number": row.number, "with": row.key, "owner": account, "envelope": _text(row.envelope)}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
