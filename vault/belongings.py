"""All that the three keys of a person's account seal, row by row: what must follow when the keys or the algorithm change.

Two lists, and nothing is in neither: what V seals, and what was posted to the KEM key through a row of the key vault. What lies in drawers
hangs on the drawers' seeds, which V seals. A column that is forgotten here is found by the test that renews keys over a full safe.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select, update

from crypto import contexts, sealing
from crypto.errors import CryptoError
from crypto.kem import KemPrivate, KemPublic
from crypto.sealing import open_post, post, seal, unseal
from crypto.trace import tag
from storage.errors import RowGone
from storage.keyvault import Kind
from storage.tables import (
    accounts,
    brought,
    circle_members,
    circles,
    directives,
    earlier_keys,
    entry_copies,
    grants,
    notices,
    outside_changes,
    outside_shares,
    papers,
    persons,
    receipts,
    requests,
    shelves,
    trace_keys,
)
from vault import audit, labels
from vault.context import Context

HANDOVER = "handover"
Row = Any


@dataclass(frozen=True)
class Belonging:
    """One sealed value: where it is kept, what it is bound to, and, when it was posted, through which row of the key vault."""

    table: Table
    which: ColumnElement[bool]
    column: str
    place: bytes
    value: bytes
    row: tuple[Kind, str] | None = None

    def write(self, connection: Connection, value: bytes) -> None:
        """Put another value in its place, unless it has changed meanwhile."""
        same = self.table.c[self.column] == self.value
        connection.execute(update(self.table).where(self.which, same).values({self.column: value}))


def sealed_again(one: Belonging, old: bytes, new: bytes) -> bytes:
    """The same value under another V, by today's algorithm. Undecryptable when it does not open."""
    return seal(new, one.place, unseal(old, one.place, one.value))


def move_posts(
    context: Context, connection: Connection, posted: Iterable[Belonging], private: KemPrivate, public: KemPublic
) -> int:
    """Post to another key, by today's algorithm, whatever this one opens. Gives how many.

    What does not open was posted to somebody else's key, planted, or is of something that has ended: it stays as it was.
    """
    many, done = list(posted), 0
    for one, vaulted in zip(many, _vaulted(context, many), strict=True):
        with suppress(CryptoError):
            if vaulted is not None:
                inside = open_post(private, vaulted, one.place, one.value)
                one.write(connection, post(public, vaulted, one.place, inside))
                done += 1
    return done


def _vaulted(context: Context, many: Sequence[Belonging]) -> list[bytes | None]:
    """The key vault's answers, those of the person's own row in one question; None for a row that was destroyed."""
    own = [one for one in many if one.row and one.row[0] == "person"]
    asked = context.keyvault.derive_many([("person", one.row[1], one.place) for one in own if one.row])
    answers: dict[int, bytes | None] = {id(one): answer for one, answer in zip(own, asked, strict=True)}
    for one in many:
        if one.row and id(one) not in answers:
            try:
                answers[id(one)] = context.keyvault.derive(*one.row, one.place)
            except RowGone:
                answers[id(one)] = None
    return [answers.get(id(one)) for one in many]


def of_values(connection: Connection, person: str, *, outdated: bool = False) -> Iterator[Belonging]:
    """What V seals; `outdated`: by an algorithm of before alone."""
    find = _Finder(connection, outdated=outdated).find
    yield from find(
        select(earlier_keys).where(earlier_keys.c.account == person), earlier_keys, "sealed_kem", _earlier,
        lambda row: labels.earlier_seed(account=person, serial=str(row.serial)),
    )  # fmt: skip
    mine = persons.c.account == person
    own: dict[str, bytes] = {
        "sealed_name": contexts.name(person=person, id=person),
        "sealed_drawing": contexts.drawing(person=person, id=person),
        "sealed_number": labels.preference(person=person, name="number"),
        "sealed_conditions": labels.preference(person=person, name="conditions"),
        "sealed_preferences": labels.preference(person=person, name="preferences"),
        "sealed_lineage": labels.preference(person=person, name="lineage"),
    }
    for column, place in own.items():
        yield from find(select(persons).where(mine), persons, column, lambda row: persons.c.account == row.account, _same(place))
    drawers = select(shelves).where(shelves.c.person == person)
    for column, shelf_place in (
        ("sealed_kind", lambda row: contexts.shelf_name(person=person, id=row.id)),
        ("sealed_seed", lambda row: contexts.shelf(person=person, shelf=row.id, epoch=row.epoch)),
    ):
        yield from find(drawers, shelves, column, _drawer, shelf_place)
    yield from find(
        select(papers).where(papers.c.person == person), papers, "sealed_note", _by_id(papers),
        lambda row: contexts.note(person=person, id=row.id),
    )  # fmt: skip
    given = select(grants).where(grants.c.person == person, grants.c.posted_for_person.is_(None))
    yield from find(given, grants, "body_for_person", _by_id(grants), _share)
    members = select(circle_members).join(circles, circles.c.id == circle_members.c.circle).where(circles.c.person == person)
    yield from find(
        members, circle_members, "sealed_label", _by_id(circle_members),
        lambda row: labels.guardian_label(person=person, member=row.id),
    )  # fmt: skip
    yield from find(
        select(directives).where(directives.c.person == person), directives, "for_person", _by_id(directives),
        lambda row: labels.directive(directive=row.id, party="person", person=person),
    )  # fmt: skip
    yield from find(
        select(brought).where(brought.c.person == person), brought, "sealed", _by_id(brought),
        lambda row: labels.brought(person=person, id=row.id),
    )  # fmt: skip


def of_post(context: Context, connection: Connection, person: str, *, outdated: bool = False) -> Iterator[Belonging]:
    """What was posted to the person; `outdated`: by an algorithm of before alone."""
    find = _Finder(connection, outdated=outdated).find
    through: tuple[Kind, str] = ("person", person)
    waiting = select(grants).where(grants.c.person == person, grants.c.posted_for_person.is_not(None))
    yield from find(waiting, grants, "posted_for_person", _by_id(grants), _share, through)
    yield from find(
        select(notices).where(notices.c.account == person), notices, "posted", _by_id(notices),
        lambda row: labels.notice(account=person, notice=row.id), through,
    )  # fmt: skip
    of_shares = select(receipts, grants.c.id.label("share")).join(grants, grants.c.id == receipts.c.grant)
    of_links = select(receipts, outside_changes.c.share).join(outside_changes, outside_changes.c.id == receipts.c.id)
    of_links = of_links.join(outside_shares, outside_shares.c.id == outside_changes.c.share)
    for query in (of_shares.where(grants.c.person == person), of_links.where(outside_shares.c.person == person)):
        yield from find(
            query, receipts, "for_person", _by_id(receipts),
            lambda row: labels.receipt(person=person, grant=row.share, receipt=row.id), through,
        )  # fmt: skip
    yield from find(
        select(outside_shares).where(outside_shares.c.person == person), outside_shares, "body_for_person", _by_id(outside_shares),
        lambda row: labels.outside_body(person=person, share=row.id, party="person"), through,
    )  # fmt: skip
    for row in connection.execute(select(requests.c.id).where(requests.c.person == person)).all():
        one = select(requests).where(requests.c.id == row.id)
        yield from find(one, requests, "for_person", _by_id(requests), _asking, ("grant", row.id))
    keys = select(trace_keys).where(
        trace_keys.c.id.in_(
            select(entry_copies.c.key).where(
                entry_copies.c.tag.in_(_tags(context, connection, person)), entry_copies.c.party == "person"
            )
        )
    )
    yield from find(
        keys, trace_keys, "posted", _by_id(trace_keys), lambda row: contexts.trace_key(session=row.session, party=person), through
    )


class _Finder:
    def __init__(self, connection: Connection, *, outdated: bool) -> None:
        self._connection, self._outdated = connection, outdated

    def find(
        self, query: Select[Any], table: Table, column: str, which: Callable[[Row], ColumnElement[bool]],
        place: Callable[[Row], bytes], row: tuple[Kind, str] | None = None,
    ) -> Iterator[Belonging]:  # fmt: skip
        value = table.c[column]
        query = query.where(value.is_not(None))
        if self._outdated:
            query = query.where(func.substr(value, 1, 1) != bytes([sealing.CURRENT]))
        for found in self._connection.execute(query).all():
            yield Belonging(table, which(found), column, place(found), found._mapping[column], row)


def _same(place: bytes) -> Callable[[Row], bytes]:
    return lambda _: place


def _by_id(table: Table) -> Callable[[Row], ColumnElement[bool]]:
    return lambda row: table.c.id == row.id


def _earlier(row: Row) -> ColumnElement[bool]:
    return and_(earlier_keys.c.account == row.account, earlier_keys.c.serial == row.serial)


def _drawer(row: Row) -> ColumnElement[bool]:
    return and_(shelves.c.id == row.id, shelves.c.epoch == row.epoch)


def _share(row: Row) -> bytes:
    return contexts.grant(grant=row.id, person=row.person, worker=row.worker)


def _asking(row: Row) -> bytes:
    if row.kind == HANDOVER:
        return labels.handover(person=row.person, worker=row.worker, proposal=row.id)
    return labels.asking(person=row.person, worker=row.worker, request=row.id)


def _tags(context: Context, connection: Connection, person: str) -> list[bytes]:
    """What the person's copies of the trace are found by, since the day on which the account was made."""
    created = connection.execute(select(accounts.c.created).where(accounts.c.id == person)).scalar_one()
    today, day = context.clock().date(), dt.timedelta(days=1)
    months = audit.months(min(created, today) - day, today + day)
    answers = context.keyvault.derive_many([("person", person, contexts.trace_tag(month=month)) for month in months])
    return [tag(answer) for answer in answers]
