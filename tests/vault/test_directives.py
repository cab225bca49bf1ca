"""What a person wants after their death: said, changed, taken back; read by those they trust, after a death, and by nobody else."""

import pytest
from sqlalchemy import select, update

from storage.tables import directive_copies, directives
from tests.vault.builders import make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, face, make_circle, set_circle
from vault import audit, deaths, erasing, erasure, guardians, held, parcels, portable
from vault import directives as wishes
from vault.bringing import Bringing
from vault.context import Context
from vault.directives import Wish
from vault.errors import BadInput, NotThere, Tampered, WrongSecret

BINTOU = Wish("hand", "Bintou (démo)", "ma sœur, à Lille")


def wished(house: Context, made: Circle, wish: Wish = BINTOU) -> None:
    """Awa says it at a kiosk."""
    wishes.record(house, unlock(house, made.awa), made.awa.code, wish)


def tags(house: Context, made: Circle) -> list[str]:
    return [one.event.tag for one in audit.history(house, made.awa.session)]


def member(house: Context, worker: object, name: str = "Awa") -> str:
    desk = sign_in(house, worker)  # type: ignore[arg-type]
    return next(one.member for one in guardians.people_who_count_on_me(house, desk) if one.name == name)


def test_a_directive_is_recorded_changed_and_taken_back_by_the_person_alone(any_house: Context) -> None:
    made = make_circle(any_house)
    with pytest.raises(WrongSecret):
        wishes.record(any_house, unlock(any_house, made.awa), "591746", BINTOU)
    assert wishes.mine(any_house, made.awa.session) is None
    wished(any_house, made)
    found = wishes.mine(any_house, made.awa.session)
    assert found is not None
    assert (found.wish, found.readers) == (BINTOU, ("Fatou", "Marc"))
    wished(any_house, made, Wish("erase"))
    again = wishes.mine(any_house, made.awa.session)
    assert again is not None
    assert again.wish == Wish("erase")
    assert again.proof["statement"] != found.proof["statement"]
    wishes.revoke(any_house, made.awa.session)
    assert wishes.mine(any_house, made.awa.session) is None
    with pytest.raises(NotThere):
        wishes.revoke(any_house, made.awa.session)
    written = sorted(one for one in tags(any_house, made) if one.startswith("directive"))
    assert written == ["directive.changed", "directive.recorded", "directive.revoked"]


@pytest.mark.parametrize(
    ("choice", "name", "note", "field"),
    [
        ("sell", "", "", "choice"),
        ("hand", " ", "", "name"),
        ("hand", "x" * 81, "", "name"),
        ("hand", "Bintou", "y" * 201, "note"),
    ],
)
def test_a_wish_that_cannot_be_one_is_refused(choice: str, name: str, note: str, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        wishes.checked(choice, name, note)
    assert refused.value.field == field


def test_nobody_reads_it_while_the_person_lives_and_no_row_says_it(house: Context) -> None:
    """Not the guardians (nobody has died), not the rows: neither the name nor the choice stands anywhere in clear."""
    made = make_circle(house)
    wished(house, made)
    assert deaths.of(house, sign_in(house, made.fatou), member(house, made.fatou)) is None
    with house.database.transaction(read_only=True) as connection:
        kept = repr(connection.execute(select(directives)).all()) + repr(connection.execute(select(directive_copies)).all())
    assert "Bintou" not in kept
    assert "hand" not in kept


def test_who_is_trusted_anew_reads_it_and_who_is_not_any_more_does_not(house: Context) -> None:
    """Another circle: the copies follow, and the old row of the key vault dies with the old wording."""
    made = make_circle(house)
    wished(house, made)
    with house.database.transaction(read_only=True) as connection:
        old = connection.execute(select(directives.c.id)).scalar_one()
    zoe = make_worker(house, made.canal, "Zoé")
    set_circle(house, made.awa, [face(made.fatou), face(zoe)])
    found = wishes.mine(house, unlock(house, made.awa))
    assert found is not None
    assert found.readers == ("Fatou", "Zoé")
    assert not house.keyvault.exists("grant", old)
    deaths.report(house, sign_in(house, zoe), member(house, zoe), seen=True)
    with pytest.raises(NotThere):
        deaths.of(house, sign_in(house, made.marc), "00000000-0000-4000-8000-000000000000")


def test_what_somebody_writes_into_the_rows_is_refused(house: Context) -> None:
    """Another's wish, or a copy of another wording: not what the person signed."""
    made = make_circle(house)
    wished(house, made)
    with house.database.transaction() as connection:
        forged = b"".join([connection.execute(select(directives.c.statement)).scalar_one()[:-4], b"abcd"])
        connection.execute(update(directives).values(statement=forged))
    with pytest.raises(Tampered):
        wishes.mine(house, unlock(house, made.awa))
    with pytest.raises(Tampered):
        deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)


def test_what_was_taken_back_since_a_backup_does_not_come_back_with_it(house: Context) -> None:
    """Rows of yesterday, today's key vault: nothing was said, for the person as for a guardian after a death."""
    made = make_circle(house)
    wished(house, made)
    with house.database.transaction(read_only=True) as connection:
        old = connection.execute(select(directives)).mappings().one()
        copies = connection.execute(select(directive_copies)).mappings().all()
    wishes.revoke(house, made.awa.session)
    with house.database.transaction() as connection:
        connection.execute(directives.insert().values(**old))
        connection.execute(directive_copies.insert(), [dict(one) for one in copies])
    assert wishes.mine(house, made.awa.session) is None
    said = deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    assert said.wish is None


def test_it_is_in_what_is_held_and_goes_along_to_another_abri(house: Context) -> None:
    """Article 15 and the copy tell it; where nothing is said yet, it comes along and the person is told."""
    made = make_circle(house)
    wished(house, made)
    me = portable.read(held.texts(house, made.awa.session)[portable.ME])
    assert {name: me["after_death"][name] for name in ("choice", "name", "note")} == vars(BINTOU)
    assert me["after_death"]["proof"]["signature"]
    parcels.pack(house, made.awa.session, "usb", "fr")
    content = b"".join(parcels.waiting(house, made.awa.session).blocks())
    other = make_person(house, "Awa ailleurs", kiosk=made.canal.kiosk)
    bringing = Bringing(house, other.session)
    bringing.write(content)
    bringing.finish()
    came = wishes.mine(house, other.session)
    assert came is not None
    assert (came.wish, came.readers) == (BINTOU, ())


def test_it_goes_with_the_safe(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    wished(house, made)
    erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=73)
    for one in erasing.due(house):
        erasing.carry_out(house, one)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(directives.c.id)).all() == []
        assert connection.execute(select(directive_copies.c.posted)).all() == []
