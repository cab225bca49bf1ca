"""One byte of a row is wrong: the person comes in all the same, and each of their pages answers. What is damaged is missing, or said."""

from sqlalchemy import Connection, LargeBinary, text

from consent.ids import KindId
from consent.purposes import PurposeId
from storage.tables import metadata
from tests.vault.builders import MadePerson, make_person, sign_in
from tests.vault.clock import Clock
from tests.vault.test_erasure import lived_in
from tests.web.site import Site
from vault import asking, circles, guardians, maintaining, notices, showing
from vault.circles import NewSheet
from vault.errors import WrongSecret
from vault.notices import Notice

PAGES = ("maison", "papiers", "partages", "regards", "confiance", "ce-qu-abri-sait")  # they read nearly everything
ALIVE = 40  # bytes; what is shorter is a digest or a salt
# The keys themselves: what they lock is lost with them, and the card and code of that way open nothing. Another way in is what helps.
KEYS = {"accounts", "slots"}
Rows = list[tuple[int, bytes]]


def damage(site: Site, table: str, column: str) -> Rows:
    """Turn one bit in each value of a column; gives what was there."""
    with site.house.database.transaction() as connection:
        query = text(f'SELECT rowid, "{column}" FROM "{table}" WHERE length("{column}") > {ALIVE}')  # noqa: S608 (names of ours)
        rows: Rows = [(row[0], row[1]) for row in connection.execute(query)]
        for place, value in rows:
            put(connection, table, column, place, value[:-3] + bytes([value[-3] ^ 1]) + value[-2:])
    return rows


def put(connection: Connection, table: str, column: str, place: int, value: bytes) -> None:
    query = text(f'UPDATE "{table}" SET "{column}" = :value WHERE rowid = :place')  # noqa: S608 (names of ours)
    connection.execute(query, {"value": value, "place": place})


def broken(site: Site, person: MadePerson) -> list[tuple[str, object]]:
    """What does not answer: the door, or pages."""
    try:
        site.open(person)
    except WrongSecret as refused:
        return [("the door", refused)]
    shown = [(page, site.get(f"/fr/{page}")) for page in PAGES]
    # Conditions whose proof is lost are asked again first.
    fine = {"/fr/conditions-nouvelles", *(f"/fr/{page}" for page in PAGES)}
    return [(page, one.status) for page, one in shown if one.status != 200 or one.path not in fine]


def test_no_damaged_byte_outside_the_keys_keeps_anybody_out(site: Site) -> None:
    house = site.house
    assert isinstance(house.clock, Clock)
    made, papers = lived_in(house, house.clock, 4)
    awa = made.awa
    (grant, *_) = showing.grants_of(house, awa.session)
    worker = made.fatou if grant.worker == made.fatou.id else made.marc
    asking.ask(house, sign_in(house, worker), grant.grant, [KindId("payslip")], PurposeId(str(grant.purpose)))
    with house.database.transaction() as connection:
        notices.tell(house, connection, awa.id, Notice("guardian-left", {"name": "Fatou"}))
    assert broken(site, awa) == []
    found, tried = {}, 0
    for table in metadata.sorted_tables:
        for column in (one.name for one in table.columns if isinstance(one.type, LargeBinary) and table.name not in KEYS):
            rows = damage(site, table.name, column)
            if not rows:
                continue
            tried += 1
            house.clock.forward(minutes=2)
            if wrong := broken(site, awa):
                found[f"{table.name}.{column}"] = wrong
            with house.database.transaction() as connection:
                for place, value in rows:
                    put(connection, table.name, column, place, value)
    assert found == {}
    assert tried > 35
    assert len(papers) == 4


def test_whose_people_of_trust_no_longer_hold_is_told_and_chooses_others(site: Site) -> None:
    house = site.house
    assert isinstance(house.clock, Clock)
    made, _ = lived_in(house, house.clock, 4)
    damage(site, "circles", "signature")
    site.open(made.awa)
    shown = site.get("/fr/confiance").text
    assert "En ce moment, personne ne peut vous aider à rouvrir." in shown
    circles.set_circle(house, made.awa.session, made.awa.code, [NewSheet("a"), NewSheet("b")], 2)
    circle = guardians.circle(house, made.awa.session)
    assert circle is not None
    assert (circle.sets, "nobody-can" in circle.weaknesses) == (1, False)


def test_after_a_restore_the_first_page_says_what_to_ask_again_and_of_which_day(site: Site) -> None:
    """A day as people write it; erasing and blocking alike are asked once more (ADR 0096)."""
    awa = make_person(site.house, "Awa")
    day = "2026-11-21"
    maintaining.tell_everyone(site.house, "maintenance.restored", day, Notice("restored", {"day": day}))
    site.open(awa)
    said = site.get("/fr/maison").text
    assert "Vos papiers sont ceux du 21 novembre 2026." in said
    for asks in ("Vous avez demandé de tout effacer après ce jour ?", "Vous avez tout bloqué après ce jour ?"):
        assert asks in said
