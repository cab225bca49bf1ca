"""Administrators who come later, and who leave: two of those who stay sign, and nothing else makes anybody one."""

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from crypto.signing import Signer
from crypto.statements import RootKey
from storage.tables import accounts, attempts, slots
from storage.tables import administrators as administrator_rows
from tests.vault.builders import (
    MadeAdministrator,
    Office,
    make_office,
    make_worker,
    one_time_password,
    sign_in,
    sign_in_administrator,
)
from tests.vault.clock import Clock
from tests.vault.dying import each_death
from vault import administrators, appointing, audit, certifying, checkpoints, forgetting, root_keys, sessions
from vault.__main__ import main
from vault.administrators import NewAdministrator
from vault.appointing import Signs
from vault.context import Context
from vault.errors import AbriError, BadInput, Conflict, NotAllowed, NotThere, WrongSecret
from vault.installation import install
from vault.settings import UnsafeSettings, read_public_keys, today_in_paris


@pytest.fixture
def office(house: Context) -> Office:
    return make_office(house)


@pytest.fixture
def place(house: Context, office: Office, tmp_path: Path) -> Path:
    """The file of public keys, as the installation wrote it."""
    file = tmp_path / "public-keys.json"
    roots = {name: bytes(key).hex() for name, key in house.settings.root_keys.items()}
    file.write_text(json.dumps({"roots": roots, "incident": bytes(house.settings.incident_key).hex(), "service": "00"}))
    return file


def started(house: Context, place: Path) -> Context:
    """The same house in a process that was started now."""
    public = read_public_keys(place)
    settings = dataclasses.replace(house.settings, root_keys=dict(public.roots), former_roots=dict(public.former))
    return dataclasses.replace(house, settings=settings)


def signs(house: Context, *who: MadeAdministrator) -> list[Signs]:
    return [Signs(one.code, " ".join(one.words), one_time_password(house, one.totp)) for one in who]


def entered(house: Context, new: NewAdministrator) -> MadeAdministrator:
    code = one_time_password(house, new.totp)
    session = sessions.find(house, administrators.sign_in(house, new.code, new.words, code))
    return MadeAdministrator(new.id, new.code, new.words, new.totp, session)


def add(house: Context, place: Path, office: Office, name: str = "Sam (démo)") -> NewAdministrator:
    return appointing.add(house, place, signs(house, *office.administrators), name, today_in_paris(house.clock()))


def remove(house: Context, place: Path, by: list[Signs], code: str) -> None:
    appointing.remove(house, place, by, code, today_in_paris(house.clock()))


def test_somebody_comes_signs_certificates_and_somebody_leaves(house: Context, office: Office, place: Path) -> None:
    first, second = office.administrators
    early = make_worker(house, office, "Fatou")
    new = add(house, place, office)
    # A service that was not started again does not know the key.
    with pytest.raises(NotAllowed):
        make_worker(house, dataclasses.replace(office, administrators=(first, entered(house, new))), "Binta")
    house = started(house, place)
    third = entered(house, new)
    make_worker(house, dataclasses.replace(office, administrators=(first, third)), "Marc")
    remove(house, place, signs(house, second, third), first.code)
    house = started(house, place)
    assert [one.key for one in sorted(appointing.listed(house, place), key=lambda one: one.first_name)] == [
        "signs",
        "left",
        "signs",
    ]
    with pytest.raises(WrongSecret):
        sign_in_administrator(house, first)
    # What the one who left had signed goes on holding, here and for whoever verifies elsewhere.
    assert sign_in(house, early).account == early.id
    with house.database.transaction(read_only=True) as connection:
        assert first.id in certifying.signed_by(house, connection, early.id)
        assert connection.execute(select(accounts.c.state).where(accounts.c.id == first.id)).scalar_one() == "ended"
    assert first.id in checkpoints.anchors(house.settings)["roots"]
    make_worker(house, dataclasses.replace(office, administrators=(third, second)), "Zed")
    # Those who signed read it in their own history.
    tags = [entry.event.tag for entry in audit.history(house, sign_in_administrator(house, second))]
    assert [tags.count(tag) for tag in ("administrator.added", "administrator.removed")] == [1, 1]


def test_the_name_of_whoever_left_goes_after_twelve_months_and_their_signatures_hold(
    house: Context, clock: Clock, office: Office, place: Path
) -> None:  # fmt: skip
    first, second = office.administrators
    early = make_worker(house, office, "Fatou")
    new = add(house, place, office)
    house = started(house, place)
    third = entered(house, new)
    remove(house, place, signs(house, second, third), first.code)
    house = started(house, place)

    def row(column: str) -> Any:
        with house.database.transaction(read_only=True) as connection:
            return connection.execute(
                select(administrator_rows.c[column]).where(administrator_rows.c.account == first.id)
            ).scalar_one()

    name = row("first_name")
    assert row("sealed_totp") == b"", "a seed that opens nothing any more"
    for days, forgotten in ((365, 0), (2, 1), (1, 0)):
        clock.forward(days=days)
        assert forgetting.forget_administrators(house) == forgotten
        assert (row("first_name") == name) is (days == 365)
    assert row("code").startswith(forgetting.MARK)
    assert not house.keyvault.exists("person", first.id)
    assert house.keyvault.exists("person", second.id)
    assert sign_in(house, early).account == early.id, "what they had signed goes on holding"
    assert [one.key for one in appointing.listed(house, place) if one.code.startswith(forgetting.MARK)] == ["left"]


def test_who_does_not_sign_and_whom_it_would_leave_alone(house: Context, office: Office, place: Path) -> None:
    """Nothing is written by one alone, by a stranger's key, by another association, or when fewer than two would stay."""
    first, second = office.administrators
    other = make_office(house, "ESI Le Canal").administrators[0]
    content = json.loads(place.read_text())
    place.write_text(
        json.dumps({**content, "roots": {**content["roots"], other.id: bytes(house.settings.root_keys[other.id]).hex()}})
    )
    planted = administrators.create(house, office.operator, "Planted")
    stranger = MadeAdministrator(planted.id, planted.code, planted.words, planted.totp, first.session)
    before, accounts_before = place.read_text(), len(appointing.listed(house, place))
    wrong = Signs(second.code, " ".join(first.words), "000000")
    refused: list[tuple[type[AbriError], Callable[[], Any]]] = [
        (BadInput, lambda: appointing.add(house, place, signs(house, first, first), "Sam", today_in_paris(house.clock()))),
        (BadInput, lambda: appointing.add(house, place, signs(house, first), "Sam", today_in_paris(house.clock()))),
        (NotAllowed, lambda: appointing.add(house, place, signs(house, first, stranger), "Sam", today_in_paris(house.clock()))),
        (NotAllowed, lambda: appointing.add(house, place, signs(house, first, other), "Sam", today_in_paris(house.clock()))),
        (BadInput, lambda: add(house, place, office, " ")),
        (Conflict, lambda: remove(house, place, signs(house, first, second), second.code)),
        (NotThere, lambda: remove(house, place, signs(house, first, second), other.code)),
        (WrongSecret, lambda: remove(house, place, [*signs(house, first), wrong], planted.code)),
    ]  # fmt: skip
    for expected, act in refused:
        with pytest.raises(expected):
            act()
    assert place.read_text() == before
    assert len(appointing.listed(house, place)) == accounts_before
    # An account that nobody signed for is taken out like another one.
    remove(house, place, signs(house, first, second), planted.code)
    assert place.read_text() == before


def test_a_file_whose_roots_do_not_follow_is_refused(house: Context, office: Office, place: Path) -> None:
    first, second = office.administrators
    new = add(house, place, office)
    third = entered(started(house, place), new)
    remove(started(house, place), place, signs(house, second, third), first.code)
    good = json.loads(place.read_text())
    assert len(read_public_keys(place).roots) == 2
    assert good["service"] == "00"
    forger = Signer(first.session.opened().sign)
    known = root_keys.read(good)
    said = RootKey(house.new_id(), "added", forger.public, "2026-11-23", root_keys.digest(known.roots))
    alone = {"statement": said.encode().hex(), "by": {second.id: Signer(second.session.opened().sign).sign(said).hex()}}
    with_the_one_who_left = {**alone, "by": {**alone["by"], first.id: forger.sign(said).hex()}}  # type: ignore[dict-item]
    planted = {**good["roots"], said.administrator: bytes(forger.public).hex()}
    for wrong in (
        {**good, "roots": {**good["roots"], first.id: good["former"][first.id]}},
        {**good, "former": {}},
        {**good, "changes": good["changes"][:1]},
        {**good, "changes": good["changes"][1:]},
        {**good, "changes": [*good["changes"], good["changes"][0]]},
        {**good, "changes": [*good["changes"], alone], "roots": planted},
        {**good, "changes": [*good["changes"], with_the_one_who_left], "roots": planted},
        {name: value for name, value in good.items() if name != "changes"},
        {**good, "changes": [{"by": {}}]},
    ):
        place.write_text(json.dumps(wrong))
        with pytest.raises(UnsafeSettings, match="do not follow"):
            read_public_keys(place)


def rested(house: Context) -> None:
    """A day later: who died while signing in has an attempt counted, and waits."""
    with house.database.transaction() as connection:
        connection.execute(delete(attempts))
        connection.execute(update(slots).values(wrong_in_a_row=0))


def test_killed_while_somebody_comes_or_leaves(house: Context, office: Office, place: Path) -> None:
    """At each step the file holds, with two keys at least; running the command again ends it."""
    first, second = office.administrators
    made: list[NewAdministrator] = []
    for _ in each_death(house, lambda dying, _: made.append(add(dying, place, office))):
        assert len(read_public_keys(place).roots) == 2, "no key is a root key whose words nobody has seen"
        rested(house)
    third = entered(house, made[0])
    seen = set()
    for _ in each_death(house, lambda dying, _: remove(dying, place, signs(house, second, third), first.code)):
        seen.add(len(read_public_keys(place).roots))
        rested(house)
    remove(house, place, signs(house, second, third), first.code)
    assert seen == {2 + 1, 2}
    with pytest.raises(WrongSecret):
        sign_in_administrator(house, first)


def test_by_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An installation of two; a third comes with two signatures, typed or piped; production's file is read as before."""
    for name in ("ABRI_MODE", "ABRI_PUBLIC_KEYS", "ABRI_SERVICE_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ABRI_FOLDER", str(tmp_path))
    environment = {"ABRI_FOLDER": str(tmp_path)}
    lines = list(install(environment, operator="Association (démo)", contact="01", names=("Nadia", "Hugo")))
    codes = [line.rpartition(" ")[2] for line in lines if "sign in as" in line]
    words = [line.partition("six words: ")[2] for line in lines if "six words: " in line]
    sheets = [line.rpartition(", ")[2] for line in lines if "rescue sheet" in line]

    def run(*arguments: str) -> tuple[int, str]:
        typed = "".join(f"{code}\n{spoken}\n{sheet}\n" for code, spoken, sheet in zip(codes, words, sheets, strict=True))
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status = main(["keys", "administrator", *arguments])
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    status, shown = run("add", "Sam")
    assert (status, "Sam: sign in as" in shown, "Start every process" in shown) == (0, True, True)
    assert len(read_public_keys(tmp_path / "public-keys.json").roots) == 3
    status, shown = run("list")
    assert (status, shown.count("signs certificates")) == (0, 3)
    status, shown = run("remove", codes[0])
    assert (status, "two always stay" in shown) == (2, True)
