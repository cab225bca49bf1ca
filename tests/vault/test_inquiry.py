"""A breach inquiry: two halves, a file that only both open, an answer that names whose safes a worker touched, and who reads of it."""

import csv
import dataclasses
import datetime as dt
import io
import json
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, select, update

from consent.purposes import ShelfKind
from crypto import contexts
from crypto import trace as sealed_trace
from crypto.agefile import decrypt_file
from crypto.agerecipients import HybridIdentity
from crypto.errors import Undecryptable
from crypto.kem import public_key
from crypto.keys import KemSeed
from storage import journal
from storage.tables import accounts, entry_copies, inquiries, trace_keys
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.conftest import INCIDENT_SEED
from tests.vault.papers import keep
from tests.vault.test_assisted import helped, open_with
from tests.vault.test_drafts import photo
from tests.vault.test_sharing import offer, second_day, taken
from vault import __main__ as commands
from vault import assisted, audit, drafts, halves, inquiry, inquiry_answer, notices, sharing
from vault.context import Context
from vault.errors import BadInput, Conflict, NotThere
from vault.inquiry_answer import Answer
from vault.settings import EarlierKeys, SealKey

NOVEMBER = dt.date(2026, 11, 1), dt.date(2026, 11, 30)
TITLE, REASON = "Lettre de Mme Vuillard", "un poste volé au bureau"


def moments(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    return inquiry_answer.first_moment(first), inquiry_answer.last_moment(last)


def touch(house: Context, clock: Clock, person: MadePerson, worker: MadeWorker, times: int = 1) -> None:
    """The person keeps a paper and lets the worker take copies of it; the worker does."""
    second_day(house, clock, person)
    paper = keep(house, person.session, TITLE)
    grant = sharing.grant(house, person.session, worker.id, offer(paper))
    sign_in(house, worker)
    for _ in range(times):
        taken(house, worker, grant, paper)


def read(house: Context, person: MadePerson) -> list[str]:
    return [one.event.tag for one in audit.history(house, unlock(house, person))]


def test_whose_safes_a_worker_touched_and_who_reads_of_it(any_house: Context, clock: Clock) -> None:
    house, office = any_house, make_office(any_house)
    fatou, other = make_worker(house, office, "Fatou"), make_worker(house, office, "Paul")
    awa, mariam, viktor = make_person(house, "Awa"), make_person(house, "Mariam"), make_person(house, "Viktor")
    touch(house, clock, awa, fatou, 2)
    touch(house, clock, mariam, other)

    made = inquiry.export(house, *NOVEMBER, REASON)
    assert made.persons == 3
    for person in (awa, mariam, viktor):  # before any answer
        assert "inquiry.exported" in read(house, person)
    assert "inquiry.named" in [one.event.tag for one in audit.history(house, sign_in(house, fatou))]

    found = inquiry_answer.answer(made.file, [INCIDENT_SEED], fatou.id, *moments(*NOVEMBER))
    (touched,) = found.persons
    assert (touched.account, touched.papers, touched.acts["paper.taken"]) == (awa.id, 1, 2)
    assert set(found.others) == {mariam.id, viktor.id}
    assert (found.unread, found.unknown) == (0, ())
    # Nothing of what is in the safes, whoever reads it: no title, no reason, no place.
    plain = decrypt_file([HybridIdentity(INCIDENT_SEED)], made.file)
    assert TITLE.encode() not in plain
    shown = found.for_the_authority() + found.for_the_authority_csv()
    assert not [one for one in (awa, mariam, viktor) if one.id in shown]
    assert json.loads(found.for_the_authority())["persons_concerned"] == 1
    (line,) = csv.DictReader(io.StringIO(found.for_the_authority_csv()))
    assert (line["person"], line["looked"], line["copies"]) == ("P1", "0", "2")

    assert inquiry.tell(house, inquiry_answer.read_answer(found.to_json())) == 1
    assert "inquiry.concerned" in read(house, awa)
    assert [one.key for one in notices.waiting(house, unlock(house, awa))] == ["inquiry"]
    assert "inquiry.not-concerned" in read(house, mariam)
    assert notices.waiting(house, unlock(house, mariam)) == []
    with pytest.raises(Conflict):  # once
        inquiry.tell(house, found)
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(inquiries)).one()
        assert (row.persons, row.concerned, row.reason) == (3, 1, REASON)


def with_proof(answer: Answer, file: bytes) -> Answer:
    """As both holders could write it, who open the export."""
    head = json.loads(decrypt_file([HybridIdentity(INCIDENT_SEED)], file).splitlines()[0])
    return dataclasses.replace(answer, proof=answer.proved(bytes.fromhex(head["answer"])))


def test_nobody_can_be_left_out_of_an_answer(house: Context, clock: Clock) -> None:
    fatou = make_worker(house, make_office(house), "Fatou")
    awa, mariam = make_person(house, "Awa"), make_person(house, "Mariam")
    touch(house, clock, awa, fatou)
    made = inquiry.export(house, *NOVEMBER, REASON)
    found = inquiry_answer.answer(made.file, [INCIDENT_SEED], fatou.id, *moments(*NOVEMBER))
    for shortened in (
        dataclasses.replace(found, persons=()),
        dataclasses.replace(found, others=()),
        dataclasses.replace(found, others=(*found.others, awa.id)),
        dataclasses.replace(
            found, persons=(), others=(*found.others, awa.id)
        ),  # who carries it says that it does not concern her
        dataclasses.replace(found, persons=(), others=(*found.others, str(uuid4()))),  # or puts nobody in her place
        dataclasses.replace(found, unknown=found.others, others=()),
        with_proof(dataclasses.replace(found, persons=(), others=(*found.others, str(uuid4()))), made.file),  # both holders do
    ):
        with pytest.raises(Conflict):
            inquiry.tell(house, shortened)
    with pytest.raises(NotThere):
        inquiry.tell(house, dataclasses.replace(found, export=mariam.id))
    assert "inquiry.concerned" not in read(house, awa)
    assert with_proof(found, made.file) == found, "the instrument can say yes"
    turned = dataclasses.replace(
        house.settings, service_seal=SealKey.random(),
        earlier=(EarlierKeys(house.service.public, bytes(1344), house.settings.service_seal, NOVEMBER[0], b"", b""),),
    )  # fmt: skip
    assert inquiry.tell(dataclasses.replace(house, settings=turned), found) == 1, "the service's keys have turned meanwhile"


def test_what_somebody_damaged_is_counted_and_keeps_nobody_else_back(house: Context, clock: Clock) -> None:
    """One entry of nonsense under the tag and key of another, by whoever has the rows alone; one copy whose key is gone."""
    fatou = make_worker(house, make_office(house), "Fatou")
    awa, mariam, viktor = make_person(house, "Awa"), make_person(house, "Mariam"), make_person(house, "Viktor")
    touch(house, clock, awa, fatou)
    planted = str(uuid4())
    with house.database.transaction() as connection:
        tag, key = tag_and_key(house, connection, mariam)
        journal.append(connection, planted, {"incident": journal.Copy(tag, key, b"x" * 80)})
        _, gone = tag_and_key(house, connection, viktor)
    raw = house.database.engine.raw_connection()
    raw.cursor().execute("PRAGMA foreign_keys=OFF")
    raw.cursor().execute("DELETE FROM trace_keys WHERE id = ?", (gone,))
    raw.cursor().execute("PRAGMA foreign_keys=ON")
    raw.close()
    made = inquiry.export(house, *NOVEMBER, REASON)
    found = inquiry_answer.answer(made.file, [INCIDENT_SEED], fatou.id, *moments(*NOVEMBER))
    assert [one.account for one in found.persons] == [awa.id]
    assert planted in found.unreadable
    assert len(found.unreadable) == 2
    assert (set(found.unknown), found.others, found.unread) == ({mariam.id, viktor.id}, (), 0)
    told = json.loads(found.for_the_authority())
    assert (told["entries_unreadable"], told["persons_unknown"]) == (2, 2)
    assert inquiry.tell(house, inquiry_answer.read_answer(found.to_json())) == 1


def test_a_damaged_key_is_not_taken_for_an_older_one(house: Context, clock: Clock) -> None:
    """Whoever has the rows writes over what was posted for an inquiry: no half of any key is worth looking for."""
    fatou, awa = make_worker(house, make_office(house), "Fatou"), make_person(house, "Awa")
    touch(house, clock, awa, fatou)
    with house.database.transaction() as connection:
        posted = select(trace_keys.c.id, trace_keys.c.posted).where(trace_keys.c.party == "incident").order_by(trace_keys.c.id)
        (first, was), (second, other), *_ = connection.execute(posted).all()
        for key, wrong in ((first, bytes(was[:-1]) + bytes([was[-1] ^ 1])), (second, was)):
            connection.execute(update(trace_keys).where(trace_keys.c.id == key).values(posted=wrong))
        touched = set(connection.scalars(select(entry_copies.c.entry).where(entry_copies.c.key.in_([first, second]))))
    found = inquiry_answer.answer(inquiry.export(house, *NOVEMBER, REASON).file, [INCIDENT_SEED], fatou.id, *moments(*NOVEMBER))
    assert (set(found.unreadable), found.unread) == (touched, 0)
    assert other != was


def tag_and_key(house: Context, connection: Connection, person: MadePerson) -> tuple[bytes, str]:
    """Of one copy for an inquiry that is about this person."""
    tag = sealed_trace.tag(house.keyvault.derive("person", person.id, contexts.trace_tag(month=202611)))
    mine = (entry_copies.c.party == "incident", entry_copies.c.tag == tag)
    return tag, connection.execute(select(entry_copies.c.key).where(*mine).limit(1)).scalar_one()


def test_who_sat_beside_somebody_in_an_opening_with_help_saw_what_they_saw(reading_house: Context) -> None:
    house, office = reading_house, make_office(reading_house)
    fatou, yonas = make_worker(house, office, "Fatou"), make_person(house, "Yonas", drawing="sun")
    drafts.add(house, yonas.session, photo("recto"))
    paper = drafts.keep(house, yonas.session, ShelfKind("money"), title=TITLE)
    helped(house, yonas, fatou, "money")
    inside = open_with(house, yonas.card, fatou)
    assisted.page_image(house, inside, paper, 1)
    made = inquiry.export(house, *NOVEMBER, REASON)
    (touched,) = inquiry_answer.answer(made.file, [INCIDENT_SEED], fatou.id, *moments(*NOVEMBER)).persons
    assert (touched.account, touched.papers, touched.acts["paper.opened"]) == (yonas.id, 1, 1)
    assert touched.acts["safe.opened-with-help"] == 1


def test_days_and_the_worker_bound_the_answer(house: Context, clock: Clock) -> None:
    fatou = make_worker(house, make_office(house), "Fatou")
    awa = make_person(house, "Awa")
    touch(house, clock, awa, fatou)
    clock.forward(days=2)
    made = inquiry.export(house, *NOVEMBER, REASON)
    day = dt.date(2026, 11, 24)
    for first, last, count in ((day, day, 1), (day + dt.timedelta(days=1), NOVEMBER[1], 0), (NOVEMBER[0], day, 1)):
        found = inquiry_answer.answer(made.file, [INCIDENT_SEED], fatou.code, *moments(first, last))
        assert len(found.persons) == count, (first, last)
    with pytest.raises(inquiry_answer.NotReadable):
        inquiry_answer.answer(made.file, [INCIDENT_SEED], "nobody", *moments(*NOVEMBER))
    with pytest.raises(BadInput):
        inquiry.export(house, NOVEMBER[1], NOVEMBER[0], REASON)
    with pytest.raises(BadInput):
        inquiry.export(house, *NOVEMBER, " ")


def test_one_half_opens_nothing_and_the_file_alone_opens_nothing(house: Context) -> None:
    awa = make_person(house, "Awa")
    made = inquiry.export(house, *NOVEMBER, REASON)
    public, (one, two) = halves.cut(INCIDENT_SEED, ("Les Tilleuls", "Le Canal"))
    assert public == house.settings.incident_key
    assert halves.join(one, two) == halves.join(two, one) == INCIDENT_SEED
    # Everything one holder has: the half as a key, the half twice, the half with zeros, the half with another key's.
    other, (strange, _) = halves.draw(("a", "b"))
    tried = [KemSeed(bytes(half.share)) for half in (one, two)]
    tried += [KemSeed(bytes(a ^ b for a, b in zip(bytes(one.share), bytes(strange.share), strict=True)))]
    for seed in tried:
        assert public_key(seed) not in (public, other)
        with pytest.raises(inquiry_answer.NotReadable):
            inquiry_answer.answer(made.file, [seed], awa.id, *moments(*NOVEMBER))
    for pair in ((one, one), (two, two), (one, strange)):
        with pytest.raises(halves.WrongHalf):
            halves.join(*pair)
    # And without any half nothing of it can be read: no account, no worker, no key of the vault.
    with house.database.transaction(read_only=True) as connection:
        known = [*connection.scalars(select(accounts.c.id)), *connection.scalars(select(trace_keys.c.session))]
        sealed = list(connection.scalars(select(entry_copies.c.envelope)))
    assert not [name for name in known if name.encode() in made.file]
    assert not [envelope for envelope in sealed if envelope in made.file]
    for place in (len(made.file) // 2, len(made.file) - 1):
        changed = bytearray(made.file)
        changed[place] ^= 1
        with pytest.raises(inquiry_answer.NotReadable):
            inquiry_answer.answer(bytes(changed), [INCIDENT_SEED], awa.id, *moments(*NOVEMBER))
    with pytest.raises(Undecryptable):
        decrypt_file([HybridIdentity(KemSeed.random())], made.file)


def test_a_sheet_says_what_is_wrong_with_it() -> None:
    _, (one, two) = halves.draw(("ESI Les Tilleuls", "ESI Le Canal"))
    assert halves.read(one.text()) == one
    assert halves.read(two.text().replace("\n", "\r\n")) == two
    typed = one.text()
    wrong = typed.replace(bytes(one.share).hex()[:4], "0000" if not bytes(one.share).hex().startswith("0000") else "ffff", 1)
    for text, words in (
        (wrong, "A digit"),
        ("", "not a half"),
        (typed + "x", "not a half"),
        (typed.replace("half 1", "half 3"), "not a"),
    ):
        with pytest.raises(halves.WrongHalf, match=words):
            halves.read(text)


def test_an_older_key_is_said_and_not_passed_over(house: Context, clock: Clock) -> None:
    fatou = make_worker(house, make_office(house), "Fatou")
    awa = make_person(house, "Awa")
    touch(house, clock, awa, fatou)
    newer = KemSeed.random()
    later = dataclasses.replace(house, settings=dataclasses.replace(house.settings, incident_key=public_key(newer)))
    mariam = make_person(later, "Mariam")
    made = inquiry.export(later, *NOVEMBER, REASON)
    alone = inquiry_answer.answer(made.file, [newer], fatou.id, *moments(*NOVEMBER))
    assert alone.unread > 0
    assert (alone.persons, alone.unknown, alone.others) == ((), (awa.id,), (mariam.id,))
    both = inquiry_answer.answer(made.file, [newer, INCIDENT_SEED], fatou.id, *moments(*NOVEMBER))
    assert ([one.account for one in both.persons], both.unread) == ([awa.id], 0)


def test_a_session_that_is_open_when_the_key_is_replaced_goes_on_for_the_new_one(any_house: Context, clock: Clock) -> None:
    """What comes after the restart is read with the new halves alone, what came before with the old ones."""
    house = any_house
    fatou, awa = make_worker(house, make_office(house), "Fatou"), make_person(house, "Awa")
    second_day(house, clock, awa)
    paper = keep(house, awa.session, TITLE)
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper))
    sign_in(house, fatou)
    taken(house, fatou, grant, paper)
    newer = KemSeed.random()
    later = dataclasses.replace(house, settings=dataclasses.replace(house.settings, incident_key=public_key(newer)))
    for _ in range(2):
        taken(later, fatou, grant, paper)
    made = inquiry.export(later, *NOVEMBER, REASON)
    (after,) = inquiry_answer.answer(made.file, [newer], fatou.id, *moments(*NOVEMBER)).persons
    (whole,) = inquiry_answer.answer(made.file, [newer, INCIDENT_SEED], fatou.id, *moments(*NOVEMBER)).persons
    assert (after.acts["paper.taken"], whole.acts["paper.taken"]) == (2, 3)
    with pytest.raises(inquiry_answer.NotReadable):
        inquiry_answer.answer(made.file, [INCIDENT_SEED], fatou.id, *moments(*NOVEMBER))


def test_the_commands_of_the_day_of_a_breach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys for two structures, an export, an answer with both sheets; one sheet alone is refused in words."""
    monkeypatch.setenv("ABRI_FOLDER", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert commands.main(["inquiry", "keys", "--structure", "A", "--structure", "A"]) == 2
    assert commands.main(["inquiry", "keys", "--structure", "ESI A", "--structure", "ESI B"]) == 0
    sheets = sorted((tmp_path / "incident").glob("*.txt"))
    assert [one.stat().st_mode & 0o777 for one in sheets] == [0o600, 0o600]
    names = ["--administrator", "Nadia", "--administrator", "Hugo"]
    assert commands.main(["keys", "roots", "--operator", "Les Tilleuls", "--contact", "01", *names]) == 0
    assert "Incident key" not in capsys.readouterr().out
    assert commands.main(["inquiry", "keys", "--structure", "ESI A", "--structure", "ESI B"]) == 2
    days = ["--from", "2000-01-01", "--to", "2000-01-31"]
    file = str(tmp_path / "export.age")
    assert commands.main(["inquiry", "export", *days, "--reason", REASON, file]) == 0
    assert commands.main(["inquiry", "export", *days, "--reason", REASON, file]) == 2  # never over another one
    capsys.readouterr()
    assert commands.main(["inquiry", "answer", file, "--half", str(sheets[0]), "--worker", "x", *days]) == 2
    assert "Both halves" in capsys.readouterr().err
    pair = ["--half", str(sheets[0]), "--half", str(sheets[1])]
    assert commands.main(["inquiry", "answer", file, *pair, "--worker", "x", *days]) == 2
    assert "No worker x" in capsys.readouterr().err
    # Another key: who signs certificates stays as it was; an export of today needs the new halves, and takes the old ones too.
    place = tmp_path / "data" / "public-keys.json"
    before = json.loads(place.read_text())
    assert commands.main(["inquiry", "keys", "--replace", "--structure", "ESI A", "--structure", "ESI C"]) == 0
    assert "Start every process again" in capsys.readouterr().out
    after = json.loads(place.read_text())
    assert after.pop("incident") != before["incident"]
    assert after.pop("incident_before") == [before["incident"]]
    assert after == {name: value for name, value in before.items() if name not in ("incident", "incident_before")}
    new = [one for one in sorted((tmp_path / "incident").glob("*.txt")) if one not in sheets]
    assert len(new) == 2
    later = str(tmp_path / "later.age")
    assert commands.main(["inquiry", "export", *days, "--reason", REASON, later]) == 0
    assert commands.main(["inquiry", "answer", later, *pair, "--worker", "x", *days]) == 2
    assert "do not open this file" in capsys.readouterr().err
    four = [*pair, "--half", str(new[0]), "--half", str(new[1])]
    assert commands.main(["inquiry", "answer", later, *four, "--worker", "x", *days]) == 2
    assert "No worker x" in capsys.readouterr().err
