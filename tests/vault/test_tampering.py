"""Whoever holds the stores flips, cuts, moves, rolls back or plants: one opaque refusal, and never another content."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Column, RowMapping, Table, delete, select, update

from consent.ids import PaperId
from crypto.kem import public_key
from crypto.keys import KemSeed, SignSeed
from crypto.signing import Signer
from crypto.statements import ShelfEpoch
from storage.tables import accounts, grants, objects, papers, persons, shelves, versions
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep, picture, prepared, read
from tests.vault.test_sharing import offer, second_day
from vault import arriving, audit, documents, notices, shared_papers, sharing
from vault.context import Context
from vault.deposits import From, Words, durable, lay_through, write_rows
from vault.errors import NotThere, Tampered
from vault.shelves import slit

COLUMNS: list[tuple[Table, Column[Any]]] = [
    (versions, versions.c.wrap),
    (versions, versions.c.card),
    (versions, versions.c.origin),
    (versions, versions.c.origin_signature),
    (objects, objects.c.sha256),
    (shelves, shelves.c.sealed_seed),
    (shelves, shelves.c.sealed_kind),
]


def flipped(value: bytes | str) -> bytes | str:
    """The last byte, or hexadecimal digit, is another one."""
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    return value[:-1] + bytes([value[-1] ^ 1])


def cut(value: bytes | str) -> bytes | str:
    return value[:-1]


@pytest.mark.parametrize("harm", [flipped, cut])
def test_rows_that_were_touched_open_nothing(any_house: Context, harm: Callable[[bytes | str], bytes | str]) -> None:
    """One column after the other; put back as it was, everything opens again."""
    house, awa = any_house, make_person(any_house)
    paper = keep(house, awa.session, text="vrai")
    for table, column in COLUMNS:
        key = list(table.primary_key.columns)
        with house.database.transaction(read_only=True) as connection:
            before = connection.execute(select(*key, column.label("value"))).mappings().all()

        def write(how: Callable[[bytes | str], bytes | str], rows: Sequence[RowMapping], at: Column[Any]) -> None:
            with house.database.transaction() as connection:
                for row in rows:
                    where = [one == row[one.name] for one in at.table.primary_key.columns]
                    connection.execute(update(at.table).where(*where).values({at.name: how(row["value"])}))

        write(harm, before, column)
        with pytest.raises(Tampered):
            read(house, awa.session, paper)
        with pytest.raises(Tampered):
            documents.check(house, awa.session, paper)
        write(lambda value: value, before, column)
        assert read(house, awa.session, paper) == picture("received vrai")
        documents.check(house, awa.session, paper)


@pytest.mark.parametrize("place", [0, 20, 200, -1])
@pytest.mark.parametrize("role", ["received", "view", "preview"])
def test_bytes_that_were_touched_are_never_given(house: Context, role: str, place: int) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session, text="vrai")
    with house.database.transaction(read_only=True) as connection:
        name = connection.execute(select(objects.c.blob).where(objects.c.role == role)).scalar_one()
    path = house.blobs.path_of(name)  # type: ignore[attr-defined] # the house keeps blobs in a folder
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(content)
    with pytest.raises(Tampered):
        documents.check(house, awa.session, paper)
    with pytest.raises(Tampered):
        documents.preview(house, awa.session, paper) if role == "preview" else read(house, awa.session, paper, role)


@pytest.mark.parametrize("harm", ["cut", "longer", "gone", "last chunk gone"])
def test_a_large_paper_that_was_touched_is_never_a_whole_file(house: Context, harm: str) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session, text="grand", size=16 * 1024 * 1024)
    whole = picture("received grand", 16 * 1024 * 1024)
    with house.database.transaction(read_only=True) as connection:
        name = connection.execute(select(objects.c.blob).where(objects.c.role == "received")).scalar_one()
    path = house.blobs.path_of(name)  # type: ignore[attr-defined] # the house keeps blobs in a folder
    content = path.read_bytes()
    match harm:
        case "cut":
            path.write_bytes(content[:-1])
        case "longer":
            path.write_bytes(content + b"\0")
        case "gone":
            path.unlink()
        case "last chunk gone":
            path.write_bytes(content[: 16 + 65552 * 200])
    got: list[bytes] = []
    with pytest.raises(Tampered):
        pour(house, awa, paper, got)
    assert sum(map(len, got)) < len(whole)


def pour(house: Context, awa: MadePerson, paper: PaperId, got: list[bytes]) -> None:
    with documents.open_paper(house, awa.session, paper, "received") as opened:
        got.extend(opened.chunks())


def test_a_late_damaged_chunk_breaks_the_stream_before_its_end(house: Context) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session, text="grand", size=16 * 1024 * 1024)
    with house.database.transaction(read_only=True) as connection:
        name = connection.execute(select(objects.c.blob).where(objects.c.role == "received")).scalar_one()
    path = house.blobs.path_of(name)  # type: ignore[attr-defined] # the house keeps blobs in a folder
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)
    with documents.open_paper(house, awa.session, paper, "received") as opened:
        with pytest.raises(Tampered):
            b"".join(opened.chunks())
        with pytest.raises(Tampered):
            b"".join(opened.read(opened.size - 5, opened.size))


def two(house: Context) -> tuple[MadePerson, PaperId, PaperId]:
    awa = make_person(house)
    return awa, keep(house, awa.session, "un", text="un"), keep(house, awa.session, "deux", text="deux")


@pytest.mark.parametrize(
    "names", [("wrap",), ("card",), ("origin", "origin_signature"), ("wrap", "card", "origin", "origin_signature")]
)
def test_what_belongs_to_another_paper_does_not_open_in_its_place(any_house: Context, names: tuple[str, ...]) -> None:
    house = any_house
    awa, one, other = two(house)
    with house.database.transaction() as connection:
        moved = connection.execute(select(versions).where(versions.c.paper == other)).mappings().one()
        connection.execute(update(versions).where(versions.c.paper == one).values({name: moved[name] for name in names}))
    with pytest.raises(Tampered):
        read(house, awa.session, one)
    assert read(house, awa.session, other) == picture("received deux")


def test_blobs_that_were_exchanged_do_not_open(any_house: Context) -> None:
    house = any_house
    awa, one, other = two(house)
    with house.database.transaction() as connection:
        rows = {
            row.paper: row
            for row in connection.execute(
                select(objects.c.blob, objects.c.sha256, objects.c.size, versions.c.paper, versions.c.id)
                .join(versions, versions.c.id == objects.c.version)
                .where(objects.c.role == "received")
            )
        }
        connection.execute(update(objects).where(objects.c.blob == rows[one].blob).values(blob="0" * 32))
        connection.execute(update(objects).where(objects.c.blob == rows[other].blob).values(blob=rows[one].blob))
        connection.execute(update(objects).where(objects.c.blob == "0" * 32).values(blob=rows[other].blob))
    for paper in (one, other):
        with pytest.raises(Tampered):
            read(house, awa.session, paper)


def test_two_blobs_of_one_paper_do_not_stand_for_each_other(house: Context) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session)
    with house.database.transaction() as connection:
        connection.execute(update(objects).where(objects.c.role == "received").values(role="other"))
        connection.execute(update(objects).where(objects.c.role == "view").values(role="received"))
        connection.execute(update(objects).where(objects.c.role == "other").values(role="view"))
    with pytest.raises(Tampered):
        read(house, awa.session, paper)


def test_an_older_version_put_back_is_refused_at_the_next_unlock(any_house: Context, clock: Clock) -> None:
    awa = make_person(any_house)
    paper = keep(any_house, awa.session, "Attestation", text="2025")
    with any_house.database.transaction(read_only=True) as connection:
        old = connection.execute(select(papers.c.version)).scalar_one()
    clock.forward(seconds=10)
    keep(any_house, awa.session, text="2026", replaces=paper)
    unlock(any_house, awa)
    assert arriving.at_unlock(any_house, awa.session).refused == ()
    with any_house.database.transaction() as connection:
        connection.execute(update(papers).values(version=old))
    unlock(any_house, awa)
    assert arriving.at_unlock(any_house, awa.session).refused == (paper,)
    with pytest.raises(Tampered):
        read(any_house, awa.session, paper)
    assert documents.paper(any_house, awa.session, paper).state == "refused"
    assert "paper.refused" in [entry.event.tag for entry in audit.history(any_house, awa.session)]


def test_an_older_version_put_back_with_what_was_read_of_the_trace_is_refused(any_house: Context, clock: Clock) -> None:
    """Yesterday's rows whole: the paper's, and the sealed summary of the trace that belonged to them. The trace itself goes on."""
    awa = make_person(any_house)
    paper = keep(any_house, awa.session, "Attestation", text="2025")
    unlock(any_house, awa)
    assert arriving.at_unlock(any_house, awa.session).refused == ()
    with any_house.database.transaction(read_only=True) as connection:
        old = connection.execute(select(papers.c.version)).scalar_one()
        yesterday = connection.execute(select(persons.c.sealed_lineage)).scalar_one()
    assert yesterday is not None
    for put_back in (yesterday, None, yesterday[:-1] + b"x"):
        clock.forward(days=40)  # another month: what came after is still found
        keep(any_house, awa.session, text="2026", replaces=paper)
        unlock(any_house, awa)
        assert arriving.at_unlock(any_house, awa.session).refused == ()
        with any_house.database.transaction() as connection:
            newest = connection.execute(select(papers.c.version)).scalar_one()
            connection.execute(update(papers).values(version=old))
            connection.execute(update(persons).values(sealed_lineage=put_back))
        unlock(any_house, awa)
        assert arriving.at_unlock(any_house, awa.session).refused == (paper,)
        with pytest.raises(Tampered):
            read(any_house, awa.session, paper)
        with any_house.database.transaction() as connection:  # whoever restores the right row finds the paper again
            connection.execute(update(papers).values(version=newest, state="kept"))
        assert arriving.at_unlock(any_house, awa.session).refused == ()


def test_a_paper_that_nobody_erased_and_that_is_gone_is_said_once(house: Context) -> None:
    awa = make_person(house)
    paper, other = keep(house, awa.session), keep(house, awa.session)
    documents.erase_now(house, awa.session, other)
    unlock(house, awa)
    arriving.at_unlock(house, awa.session)
    with house.database.transaction() as connection:
        connection.execute(delete(objects))
        connection.execute(delete(versions))
        connection.execute(delete(papers))
    for _ in range(2):
        unlock(house, awa)
        arriving.at_unlock(house, awa.session)
    told = [entry.event for entry in audit.history(house, awa.session) if entry.event.tag == "paper.missing"]
    assert [one.paper for one in told] == [paper]
    assert [one.key for one in notices.waiting(house, awa.session)] == ["paper-missing"]


def test_an_erased_paper_put_back_is_refused_at_the_next_unlock(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session)
    with house.database.transaction(read_only=True) as connection:
        yesterday = {
            table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in (papers, versions, objects)
        }
    clock.forward(seconds=10)
    documents.erase_now(house, awa.session, paper)
    with house.database.transaction() as connection:
        for table, rows in yesterday.items():
            connection.execute(table.insert(), rows)
    unlock(house, awa)
    assert arriving.at_unlock(house, awa.session).refused == (paper,)


def plant(house: Context, awa: MadePerson, depositor: str, signer: Signer) -> PaperId:
    """A paper made with public keys alone: the drawer's, and a signature of one's own."""
    with house.database.transaction(read_only=True) as connection:
        shelf = connection.execute(select(shelves.c.id).limit(1)).scalar_one()
        known = connection.execute(select(accounts.c.sign_public).where(accounts.c.id == awa.id)).scalar_one()
    with durable(house, awa.id, prepared("planté"), Words("planté")) as fresh, house.database.transaction() as connection:
        laid = lay_through(house, slit(connection, awa.id, shelf, known), fresh)
        write_rows(house, connection, fresh, laid, From(depositor, signer, None), state="to-read")
    return fresh.paper


@pytest.mark.parametrize("who", ["the person", "the service", "a worker", "nobody known"])
def test_what_was_planted_with_public_keys_alone_is_refused(house: Context, who: str) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    depositor = {
        "the person": awa.id, "the service": "00000000-0000-0000-0000-000000000000", "a worker": fatou.id,
        "nobody known": house.new_id(),
    }[who]  # fmt: skip
    paper = plant(house, awa, depositor, Signer(SignSeed.random()))
    with pytest.raises(Tampered):
        read(house, awa.session, paper)
    unlock(house, awa)
    arrival = arriving.at_unlock(house, awa.session)
    assert (arrival.refused, arrival.new_papers) == ((paper,), ())
    with pytest.raises(Tampered):
        read(house, awa.session, paper)


def test_a_drawer_whose_key_was_replaced_gets_its_own_back(house: Context) -> None:
    awa = make_person(house)
    thief = KemSeed.random()
    with house.database.transaction() as connection:
        row = connection.execute(select(shelves.c.id, shelves.c.epoch, shelves.c.public_key).limit(1)).one()
        said = ShelfEpoch(person=awa.id, shelf=row.id, epoch=row.epoch, key=public_key(thief))
        connection.execute(
            update(shelves)
            .where(shelves.c.id == row.id)
            .values(public_key=public_key(thief), statement=said.encode(), signature=Signer(SignSeed.random()).sign(said))
        )
    with house.database.transaction() as connection:
        known = connection.execute(select(accounts.c.sign_public).where(accounts.c.id == awa.id)).scalar_one()
        with pytest.raises(Tampered):
            slit(connection, awa.id, row.id, known)
    unlock(house, awa)
    assert len(arriving.at_unlock(house, awa.session).refused_drawers) == 1
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(shelves.c.public_key).where(shelves.c.id == row.id)).scalar_one() == row.public_key
    unlock(house, awa)
    assert arriving.at_unlock(house, awa.session).refused_drawers == ()


def test_a_planted_drawer_is_refused_and_holds_nothing(house: Context) -> None:
    awa = make_person(house)
    seed = KemSeed.random()
    shelf = house.new_id()
    said = ShelfEpoch(person=awa.id, shelf=shelf, epoch=1, key=public_key(seed))
    with house.database.transaction() as connection:
        connection.execute(
            shelves.insert().values(
                id=shelf, epoch=1, person=awa.id, sealed_kind=bytes(145), sealed_seed=bytes(113), public_key=public_key(seed),
                statement=said.encode(), signature=Signer(SignSeed.random()).sign(said), current=True,
            )
        )  # fmt: skip
    assert arriving.at_unlock(house, awa.session).refused_drawers == (None,)
    assert len(documents.drawers(house, awa.session)) == 10
    keep(house, awa.session)


def test_a_share_whose_row_was_touched_opens_nothing(any_house: Context, clock: Clock) -> None:
    house = any_house
    office = make_office(house)
    fatou, marc, awa = make_worker(house, office), make_worker(house, office, "Marc"), make_person(house)
    paper = keep(house, awa.session)
    second_day(house, clock, awa, fatou, marc)
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper))
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(grants)).one()._asdict()
    changes: list[dict[str, object]] = [
        {"until": row["until"].replace(year=2028)}, {"state": "renewed"}, {"worker": marc.id},
        {"body_for_worker": flipped(row["body_for_worker"])}, {"signatures": flipped(row["signatures"])},
        {"signatures": cut(row["signatures"])},
    ]  # fmt: skip
    for change in changes:
        with house.database.transaction() as connection:
            connection.execute(update(grants).values(**change))
        for worker in (fatou, marc):
            assert shared_papers.people_sharing(house, worker.session) == []
            with pytest.raises(NotThere):
                shared_papers.take(house, worker.session, grant, paper)
        with house.database.transaction() as connection:
            connection.execute(update(grants).values(**{name: row[name] for name in change}))
    assert len(shared_papers.people_sharing(house, fatou.session)) == 1
