"""The catalogue of procedures: read strictly, never called up to date when it is not, and what somebody has of a list."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consent.ids import KindId, PaperId
from crypto.errors import Malformed
from tests.vault.builders import make_administrator, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.vault.test_sharing import SEE, offer
from vault import asking, procedure_asking, procedure_editing, sharing, withdrawing
from vault.context import Context
from vault.errors import BadInput, Conflict, NotAllowed, NotThere
from vault.procedures import FILE, Freshness, Held, Need, NeedKind, Piece, Procedure, State, checklist, read, seed

TODAY = dt.date(2026, 11, 23)
SHARED = Path(__file__).parents[3] / "shared" / "catalogue" / "procedures.json"


def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def held(sort: str, number: int = 1, added: dt.date = TODAY) -> Held:
    name = PaperId(f"00000000-0000-4000-8000-{number:012d}")
    return Held(name, sort, dt.datetime.combine(added, dt.time(12), dt.UTC))


def states(procedure: Procedure, *papers: Held) -> dict[str, State]:
    return {line.piece.id: line.state for line in checklist(procedure, papers, TODAY)}


def test_the_facts_that_were_gathered_are_all_there() -> None:
    if not SHARED.exists():
        pytest.skip("needs the gathered catalogue beside the repository")
    for one in json.loads(SHARED.read_text())["procedures"]:
        ours = seed()[one["id"]]
        assert (ours.name, ours.confidence, ours.source, ours.verified_on) == (
            one["name"],
            one["confidence"],
            one["source"],
            None,
        )
        assert (ours.validity_months, list(ours.reminders)) == (one.get("validity_months"), one.get("reminders", []))
        for piece, gathered in zip(ours.pieces, one["pieces"], strict=True):
            assert (piece.id, piece.name, piece.need.told()) == (gathered["id"], gathered["name"], gathered["need"])
            assert (piece.note, piece.max_age_months) == (gathered.get("note", ""), gathered.get("max_age_months"))


def test_what_is_read_is_written_the_same() -> None:
    assert [one.to_value() for one in seed().values()] == told()["procedures"]
    assert all(Procedure.from_value(one.to_value()) == one for one in seed().values())


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("id", "DALO"), ("id", ""), ("name", ""), ("name", " DALO"), ("purpose", "other"), ("purpose", "nothing"), ("confidence", "D"),
        ("source", ""), ("verified_on", "23/11/2026"), ("verified_on", "2026-02-30"), ("verified_on", 1), ("validity_months", 0),
        ("validity_months", "12"), ("validity_months", True), ("reminders", "one"), ("pieces", []), ("pieces", "none"),
    ],
)  # fmt: skip
def test_a_list_that_is_wrong_anywhere_is_refused(where: str, value: Any) -> None:
    with pytest.raises(Malformed):
        Procedure.from_value({**told()["procedures"][0], where: value})


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("need", "always"), ("need", "if"), ("need", "if:"), ("need", "one_of:"), ("need", "never:a"), ("need", "required:"),
        ("kinds", ["no-such-kind"]), ("kinds", ["rent", "rent"]), ("kinds", "rent"), ("max_age_months", 121), ("max_age_months", 1.5),
        ("id", "a b"), ("name", "x" * 301), ("note", None), ("name", "Pièce \u202e"),
    ],
)  # fmt: skip
def test_a_line_that_is_wrong_anywhere_is_refused(where: str, value: Any) -> None:
    with pytest.raises(Malformed):
        Piece.from_value({**told()["procedures"][0]["pieces"][1], where: value})


def test_unknown_fields_twice_the_same_and_other_files_are_refused() -> None:
    content = told()
    for wrong in (
        {**content, "more": 1}, {"about": ""}, {**content, "procedures": content["procedures"] + content["procedures"][:1]},
        {**content, "procedures": [{**content["procedures"][0], "more": 1}]},
    ):  # fmt: skip
        with pytest.raises(Malformed):
            read(json.dumps(wrong))
    with pytest.raises(Malformed):
        read("not json")
    rent = Piece("a", "A", Need(NeedKind.REQUIRED), kinds=(KindId("rent"),))
    with pytest.raises(Malformed, match="same kind"):
        replace(seed()["dalo"], pieces=(rent, replace(rent, id="b")))


def test_a_list_is_up_to_date_for_six_months_and_never_before_it_was_verified() -> None:
    dalo = seed()["dalo"]
    assert dalo.freshness(TODAY) is Freshness.NEVER
    verified = replace(dalo, verified_on=dt.date(2026, 5, 23))
    assert verified.freshness(TODAY) is Freshness.FRESH
    assert verified.freshness(TODAY + dt.timedelta(days=1)) is Freshness.STALE


def test_what_is_there_missing_too_old_over_or_not_to_be_handed_over() -> None:
    dalo, permit, housing = seed()["dalo"], seed()["titre-sejour"], seed()["logement-social"]
    assert set(states(dalo).values()) == {State.MISSING}
    assert states(dalo, held("residence-permit"))["identite"] is State.THERE
    assert states(permit, held("rent", added=dt.date(2026, 5, 22)))["domicile"] is State.OLD
    assert states(permit, held("rent", added=dt.date(2026, 5, 23)))["domicile"] is State.THERE
    assert states(permit, held("rent", added=dt.date(2026, 1, 1)), held("rent", 2))["domicile"] is State.THERE
    over = replace(held("domiciliation"), ends=TODAY - dt.timedelta(days=1))
    assert states(permit, over)["domicile"] is State.EXPIRED
    assert states(housing)["vitale"] is State.NEVER
    assert states(housing, held("health-card"))["vitale"] is State.SHOWN_NEVER
    assert states(seed()["rsa"])["demande"] is State.TOGETHER
    assert [housing.warning(kind) for kind in ("health-card", "passport", "prescription")] == ["never", "", "not-asked"]


def test_a_certificate_of_address_of_last_year_is_over_in_every_list(house: Context, clock: Clock) -> None:
    """It is good for one year, and was made at the latest on the day when it was put in: the desk says so before it is handed over."""
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper = keep(house, awa.session, "Domiciliation", "housing", sort="domiciliation")
    found = []
    for days in (360, 10):
        clock.forward(days=days)
        unlock(house, awa)
        sign_in(house, fatou)
        until = clock().date() + dt.timedelta(days=60)
        grant = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE, until=until))
        lines = procedure_asking.for_one(house, fatou.session, grant, "titre-sejour").lines
        found += [one.state for one in lines if one.piece.id == "domicile"]
        withdrawing.withdraw(house, awa.session, grant, SAID)
    assert found == [State.OLD, State.EXPIRED]


def test_one_of_a_group_is_enough() -> None:
    group = Need(NeedKind.ONE_OF, "identite")
    pieces = tuple(Piece(kind, kind, group, kinds=(KindId(kind),)) for kind in ("passport", "rent"))
    both = replace(seed()["dalo"], pieces=pieces)
    assert states(both) == {"passport": State.MISSING, "rent": State.MISSING}
    assert states(both, held("rent")) == {"rent": State.THERE}


# --- Changing it ----------------------------------------------------------------------------------------------------------


def test_an_administrator_changes_a_list_and_every_earlier_one_stays(any_house: Context) -> None:
    office = make_office(any_house)
    fatou = make_worker(any_house, office)
    changed = replace(seed()["dalo"], verified_on=TODAY, source="notice 51754, relue")
    assert procedure_editing.change(any_house, office.admin, changed, based_on=0) == 1
    assert procedure_editing.for_worker(any_house, fatou.session)["dalo"] == changed
    again = replace(changed, pieces=changed.pieces[:-1])
    with pytest.raises(Conflict):
        procedure_editing.change(any_house, office.admin, again, based_on=0)
    assert procedure_editing.change(any_house, office.admin, again, based_on=1) == 2
    assert procedure_editing.change(any_house, office.admin, again, based_on=2) == 2  # nothing changed: no edition
    found = procedure_editing.editions(any_house, office.admin, "dalo")
    assert [(one.number, one.by, one.procedure) for one in found] == [
        (2, "Nadia", again), (1, "Nadia", changed), (0, "", seed()["dalo"]),
    ]  # fmt: skip
    assert found[0].at == any_house.clock()
    assert list(procedure_editing.of_office(any_house, office.admin)) == list(seed())


def test_each_association_has_its_own_lists_and_only_its_administrators_change_them(house: Context) -> None:
    ours = make_office(house)
    theirs = make_office(house, "ESI Le Canal")
    changed = replace(seed()["ame"], verified_on=TODAY)
    procedure_editing.change(house, ours.admin, changed, based_on=0)
    marc, fatou = make_worker(house, theirs, "Marc"), make_worker(house, ours)
    assert procedure_editing.for_worker(house, marc.session)["ame"] == seed()["ame"]
    assert [one.number for one in procedure_editing.editions(house, theirs.admin, "ame")] == [0]
    colleague = make_administrator(house, ours.operator, "Hugo")
    assert procedure_editing.of_office(house, colleague.session)["ame"].procedure == changed
    for refused in (fatou.session, make_person(house, "Awa").session):
        with pytest.raises(NotAllowed):
            procedure_editing.change(house, refused, changed, based_on=1)
        with pytest.raises(NotAllowed):
            procedure_editing.editions(house, refused, "ame")
    with pytest.raises(NotThere):
        procedure_editing.editions(house, ours.admin, "no-such")
    with pytest.raises(NotThere):
        procedure_editing.change(house, ours.admin, replace(changed, id="no-such"), based_on=0)


# --- For one person -------------------------------------------------------------------------------------------------------


def test_a_worker_counts_only_what_is_shown_and_asks_for_the_rest_at_once(any_house: Context) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house, "Awa", drawing="turtle")
    card = keep(any_house, awa.session, "Carte", "identity", sort="identity-card")
    keep(any_house, awa.session, "Fiche", "money", sort="payslip")
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(card, acts=SEE))
    found = procedure_asking.for_one(any_house, fatou.session, grant, "dalo")
    assert {line.piece.id: line.state for line in found.lines} == {
        "identite": State.THERE, "dls": State.MISSING, "ressources": State.MISSING, "motif": State.MISSING, "famille": State.MISSING,
    }  # fmt: skip
    with pytest.raises(BadInput):
        procedure_asking.ask(any_house, fatou.session, grant, "dalo", ["no-such"])
    request = procedure_asking.ask(any_house, fatou.session, grant, "dalo", ["dls", "ressources"])
    (waiting,) = asking.waiting_for_me(any_house, awa.session)
    assert (waiting.request, waiting.procedure, waiting.purpose) == (request, "dalo", "home")
    assert waiting.kinds == ("housing-request", "payslip")
    wanted = procedure_asking.wanted(any_house, awa.session, waiting)
    assert [(one.kind, [card.title for card in one.papers]) for one in wanted] == [
        ("housing-request", []),
        ("payslip", ["Fiche"]),
    ]
    later = procedure_asking.for_one(any_house, fatou.session, grant, "dalo")
    assert [line.piece.id for line in later.missing] == ["motif", "famille"]
    with pytest.raises(NotThere):
        procedure_asking.for_one(any_house, fatou.session, grant, "no-such")
    with pytest.raises(NotThere):
        procedure_asking.for_one(any_house, make_worker(any_house, office, "Paul").session, grant, "dalo")
