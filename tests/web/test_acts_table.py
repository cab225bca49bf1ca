"""Every act, by every role, in every state of a share and of its worker: a table written by hand, tried through the pages of the desk
and, where a share is given, through the interface for programs."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from litestar.testing import TestClient

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from tests.vault.builders import (
    CODE,
    MadePerson,
    MadeWorker,
    Office,
    make_office,
    make_person,
    make_worker,
    show_card,
    sign_in,
    unlock,
)
from tests.vault.papers import SAID
from tests.vault.scenes import saved, sheet
from tests.vault.test_assisted import helped, open_with
from tests.web.desk_scene import clock_of, give
from tests.web.site import ORIGIN, Site, wired
from vault import (
    asking,
    documents,
    erasing,
    erasure,
    first_day,
    intake,
    people,
    sessions,
    shared_papers,
    sharing,
    showing,
    withdrawing,
    witnessed,
    workers,
)
from vault.context import Context
from vault.preparing import PreparedPaper
from vault.web.guards import COOKIE
from vault.witnessed import Wish

SEE, TAKE, DEPOSIT, REPLACE = Act.SEE, Act.TAKE, Act.DEPOSIT, Act.REPLACE
ALL, PUT, SIGHT, NONE = frozenset(Act), frozenset({DEPOSIT}), frozenset({SEE}), frozenset[Act]()
LASTS = dt.date(2027, 6, 30)
PAGE = saved(sheet(240, 340), "JPEG", quality=70)

# What a role may be given at all (`consent.md`, recipients).
ROLES: dict[str, frozenset[Act]] = {
    "salaried": ALL, "civic-service": ALL, "lawyer": ALL, "protection-representative": ALL,
    "volunteer": PUT, "intern": PUT, "interpreter": PUT,
}  # fmt: skip

# What opens, once a share of everything that the role may have was given, and then...
STATES: dict[str, bool] = {
    "given": True,
    "renewed": True,
    "worker returned": True,
    "worker suspended": False,
    "withdrawn with the code": False,
    "withdrawn with the card": False,
    "its day has passed": False,
    "its day has passed, and was written down": False,
    "worker ended": False,
    "of another worker": False,
    "never was": False,
}

# What opens of a share of everything to somebody of the team, or of what they asked for beside a share to put papers in, and then...
MORE: dict[str, frozenset[Act]] = {
    "requested": NONE,
    "requested, and refused": NONE,
    "narrowed to sight": SIGHT,
    "its person blocked the safe": ALL,  # what was given stays given; whoever took the card gives nothing new
    "its person asked to erase all": NONE,
    "its person erased all": NONE,
}

# Which act opens what, when a share of a drawer gives exactly these acts.
GIVES: dict[frozenset[Act], frozenset[Act]] = {
    frozenset({SEE}): frozenset({SEE}),
    frozenset({TAKE}): frozenset({TAKE}),
    frozenset({DEPOSIT}): frozenset({DEPOSIT}),
    frozenset({SEE, REPLACE}): frozenset({SEE, REPLACE}),
    frozenset({SEE, TAKE}): frozenset({SEE, TAKE}),
    ALL: ALL,
}


@dataclass
class Scene:
    """One office; a person with one paper in a drawer, on the second day."""

    site: Site
    office: Office
    awa: MadePerson
    paper: PaperId
    page: PreparedPaper

    @property
    def house(self) -> Context:
        return self.site.house

    def worker(self, role: str, name: str = "Fatou") -> MadeWorker:
        passing = role in ("civic-service", "volunteer", "intern", "interpreter")
        return make_worker(self.house, self.office, name, role, ends=LASTS if passing else None)

    def give(self, worker: MadeWorker, acts: frozenset[Act], days: int = 60) -> GrantId:
        return give(self.house, unlock(self.house, self.awa) and self.awa, worker, acts=acts, shelf="money", days=days)


@pytest.fixture
def scene(site: Site) -> Scene:
    office, awa = make_office(site.house), make_person(site.house)
    page = intake.prepare(site.house.confinement, [PAGE])
    paper = documents.deposit(site.house, awa.session, page, ShelfKind("money"), title="Avis", sort="tax-notice")
    clock_of(site.house).forward(days=1)
    unlock(site.house, awa)
    return Scene(site, office, awa, paper, page)


def tried(scene: Scene, act: Act, grant: str, token: dict[str, str]) -> bool:
    """What the desk answers to the browser that is signed in: yes, or 404."""
    site, place = scene.site, f"/fr/bureau/papiers/{grant}/{scene.paper}"
    match act:
        case Act.SEE:
            answer = site.get(f"{place}/page/1")
            good = answer.status == 200 and answer.headers["content-type"] == "image/jpeg"
        case Act.TAKE:
            answer = site.post(f"{place}/copie", token)
            good = answer.status == 200 and answer.content.startswith(b"\xff\xd8")
        case Act.DEPOSIT:
            answer = sent(site, "/fr/bureau/deposer", {**token, "grant": grant})
            good = answer == 303
            assert good or answer == 404
            return good
        case Act.REPLACE:
            clock_of(scene.house).forward(seconds=2)
            answer = sent(site, f"{place}/remplacer", token)
            good = answer == 303
            assert good or answer == 404
            return good
    assert good or answer.status == 404
    return good


def sent(site: Site, address: str, fields: dict[str, str]) -> int:
    files = [("file", ("lettre.jpg", PAGE, "image/jpeg"))]
    headers = {"Sec-Fetch-Site": "same-origin"}
    fields = {**fields, "opened_by_person": "yes", "kind": "letter", "title": "Lettre"}
    answer = site.client.post(address, data=fields, files=files, headers=headers, follow_redirects=False)
    return int(answer.status_code)


def what_opens(scene: Scene, grant: str, acts: frozenset[Act] = ALL) -> frozenset[Act]:
    form = scene.site.get("/fr/bureau/demandes")
    if form.status != 200:  # the session itself is over
        assert form.status in (401, 403)
        return NONE
    token = {"token": str(form.tree.xpath("//input[@name='token']/@value")[0])}
    return frozenset(act for act in acts if tried(scene, act, grant, token))


@pytest.mark.parametrize("role", ROLES)
def test_in_each_state_of_a_share_and_of_its_worker(scene: Scene, role: str) -> None:
    """One worker a state; the worker's session is opened before the state is reached, as an old one would be."""
    house, may = scene.house, ROLES[role]
    for state, opens in STATES.items():
        worker = scene.worker(role)
        if state == "never was":
            grant = GrantId(house.new_id())
        elif state == "of another worker":
            grant = scene.give(scene.worker("salaried", "Marc"), ALL)
        else:
            grant = scene.give(worker, may, days=0 if "its day" in state else 60)
        scene.site.sign_in(worker)
        reach(scene, state, worker, grant)
        assert what_opens(scene, grant) == (may if opens else NONE), state
        if not opens:
            listed = scene.site.get(f"/fr/bureau/personnes/{grant}").status
            assert listed in (401, 403, 404), state


@pytest.mark.parametrize("state", MORE)
def test_in_the_other_states_of_a_share_and_of_its_person(scene: Scene, state: str) -> None:
    """A request opens nothing, and leaves what was given before as it was; what ends the safe ends what was shown of it."""
    house, awa, worker = scene.house, scene.awa, scene.worker("salaried")
    given = PUT if "requested" in state else ALL
    grant = scene.give(worker, given)
    scene.site.sign_in(worker)
    desk = sessions.find(house, str(scene.site.client.cookies.get(COOKIE)))
    assert what_opens(scene, grant) == given
    session = unlock(house, awa)
    match state:
        case "requested" | "requested, and refused":
            asked = asking.ask(house, desk, grant, ["tax-notice"], PurposeId("home"))
            if state.endswith("refused"):
                asking.refuse(house, session, asked)
            assert what_opens(scene, grant) == PUT
            assert [one.grant for one in showing.grants_of(house, unlock(house, awa))] == [grant]
            grant = GrantId(asked)
        case "narrowed to sight":
            sharing.narrow(house, session, grant, SAID, acts=SIGHT)
        case "its person blocked the safe":
            people.freeze(house, session)
        case _:
            erasing_asked = erasure.ask(house, session, awa.code)
            if state.endswith("erased all"):
                clock_of(house).forward(hours=73)
                erasing.carry_out(house, erasing_asked.id)
                scene.site.sign_in(worker)
    assert scene.site.get("/fr/bureau/demandes").status == 200, "the worker is at work"
    assert what_opens(scene, grant) == MORE[state]


def reach(scene: Scene, state: str, worker: MadeWorker, grant: GrantId) -> None:
    """Bring the share, or its worker, to that state."""
    house, admin, clock = scene.house, scene.office.admin, clock_of(scene.house)
    session = unlock(house, scene.awa)
    match state:
        case "renewed":
            sharing.renew(house, session, grant, house.clock().date() + dt.timedelta(days=90), SAID)
        case "withdrawn with the code":
            withdrawing.withdraw(house, session, grant, SAID)
        case "withdrawn with the card":
            withdrawing.withdraw(house, show_card(house, scene.awa.card), grant, SAID)
        case "its day has passed" | "its day has passed, and was written down":
            clock.forward(days=1)
            if state.endswith("down"):
                assert withdrawing.expire(house) >= 1
            scene.site.sign_in(worker)
        case "worker suspended" | "worker returned":
            workers.suspend(house, admin, worker.id, None)
            if state == "worker returned":
                workers.return_(house, admin, worker.id)
                scene.site.sign_in(worker)
        case "worker ended":
            workers.end(house, admin, worker.id, scene.office.proof)


@pytest.mark.parametrize("given", GIVES, ids=lambda acts: "+".join(sorted(acts)))
def test_each_act_opens_itself_and_no_other(scene: Scene, given: frozenset[Act]) -> None:
    worker = scene.worker("salaried")
    grant = scene.give(worker, given)
    scene.site.sign_in(worker)
    assert what_opens(scene, grant) == GIVES[given]


def test_a_share_over_is_over_for_the_session_that_was_open_before(scene: Scene) -> None:
    """The worker's page stays open; the next click finds nothing, whatever was cached in the session."""
    worker = scene.worker("salaried")
    grant = scene.give(worker, ALL)
    scene.site.sign_in(worker)
    assert what_opens(scene, grant) == ALL
    withdrawing.withdraw(scene.house, unlock(scene.house, scene.awa), grant, SAID)
    assert what_opens(scene, grant) == NONE
    assert shared_papers.people_sharing(scene.house, worker.session) == []


# --- Given with a witness ------------------------------------------------------------------------------------------------

# What opens of a share that somebody without a code gave with a second worker as witness (ADR 0043), and then...
WITNESSED: dict[str, frozenset[Act]] = {
    "given": SIGHT,
    "kept at the person's own next unlock": SIGHT,
    "undone at the person's own next unlock": NONE,
    "withdrawn with the card": NONE,
    "worker suspended": NONE,
    "worker returned": SIGHT,
    "worker ended": NONE,
    "witness suspended": SIGHT,  # what they signed lasts its month
    "witness ended": SIGHT,
    "its day has passed": NONE,
}


def test_what_was_given_with_a_witness_is_seen_and_nothing_more_in_each_state(scene: Scene) -> None:
    """The helper and the witness open nothing by it, in no state."""
    house, clock = scene.house, clock_of(scene.house)
    helper = scene.worker("salaried", "Marc")
    helped(house, dataclasses.replace(scene.awa, session=unlock(house, scene.awa)), helper, "money")
    clock.forward(days=1)
    for state, opens in WITNESSED.items():
        worker, witness = scene.worker("salaried"), scene.worker("salaried", "Paul")
        inside = open_with(house, scene.awa.card, helper)
        sign_in(house, witness)
        witnessed.ask(house, inside, Wish(scene.paper, worker.id, PurposeId("home"), witness.id, SAID))
        code = witnessed.waiting(house, inside).code
        witnessed.sign(house, witness.session, witnessed.type_code(house, witness.session, code))
        grant = witnessed.give(house, inside)
        scene.site.sign_in(worker)
        if state == "its day has passed":
            clock.forward(days=32)
            scene.site.sign_in(worker)
        elif state.startswith("witness "):
            witness_leaves(scene, state, witness)
        elif "own next unlock" in state:
            own = unlock(house, scene.awa)
            first_day.still_yes(house, own, grant) if state.startswith("kept") else withdrawing.withdraw(house, own, grant, SAID)
        else:
            reach(scene, state, worker, grant)
        assert what_opens(scene, grant) == opens, state
    for other in (helper, witness):
        scene.site.sign_in(other)
        assert what_opens(scene, grant) == NONE


def witness_leaves(scene: Scene, state: str, witness: MadeWorker) -> None:
    """Who stood for it is away, or gone."""
    if state.endswith("ended"):
        workers.end(scene.house, scene.office.admin, witness.id, scene.office.proof)
    else:
        workers.suspend(scene.house, scene.office.admin, witness.id, None)


# --- What may be given, through the interface for programs ----------------------------------------------------------------


@pytest.fixture
def programs(reading_house: Context) -> Iterator[tuple[Context, Site]]:
    settings = dataclasses.replace(reading_house.settings, api=True, origins=(ORIGIN,))
    house = dataclasses.replace(reading_house, settings=settings)
    with TestClient(wired(house), base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield house, Site(house, client)


def test_what_each_role_may_be_given_over_the_interface_for_programs(programs: tuple[Context, Site]) -> None:
    """201 or 409 with the rule's name, for each role and act, over a drawer; and 409 for whoever is suspended, 404 for who has left."""
    house, site = programs
    office, awa = make_office(house), make_person(house)
    clock_of(house).forward(days=1)
    token = site.client.post("/api/v1/unlock", json={"card": awa.card, "code": CODE}).json()["token"]
    said = {"language": "fr", "text_version": "partage/1", "text_sha256": hashlib.sha256(b"oui").hexdigest(), "heard": True}

    def asked(worker: MadeWorker, *acts: Act) -> tuple[int, str]:
        share = {
            "worker": worker.id, "purpose": "home", "acts": [act.value for act in acts], "until": "2026-12-31", "shelf": "money",
            "papers": [], "own_words": "", "said": said,
        }  # fmt: skip
        answer = site.client.post("/api/v1/shares", json=share, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json().get("detail", "")

    for role, may in ROLES.items():
        passing = role in ("civic-service", "volunteer", "intern", "interpreter")
        worker = make_worker(house, office, "Fatou", role, ends=LASTS if passing else None)
        token = site.client.post("/api/v1/unlock", json={"card": awa.card, "code": CODE}).json()["token"]
        for act in Act:
            acts = (SEE, REPLACE) if act is REPLACE else (act,)
            assert asked(worker, *acts) == ((201, "") if act in may else (409, "role")), (role, act)
        assert asked(worker, REPLACE) == (409, "replace-needs-sight" if REPLACE in may else "role")
        workers.suspend(house, office.admin, worker.id, None)
        assert asked(worker, DEPOSIT) == (409, "recipient"), role
        workers.end(house, office.admin, worker.id, office.proof)
        assert asked(worker, DEPOSIT) == (409, "recipient"), role


# What the interface for programs answers to the person about a share in each state: whether it lists it as living, whether as ended with
# which state, and what it answers to "stop".
LISTED: dict[str, tuple[bool, str | None, int]] = {
    "given": (True, None, 204),
    "renewed": (True, None, 204),
    "narrowed to sight": (True, None, 204),
    "worker suspended": (True, None, 204),
    "worker returned": (True, None, 204),
    "withdrawn with the code": (False, "withdrawn", 204),
    "withdrawn with the card": (False, "withdrawn", 204),
    "its day has passed": (False, "expired", 204),
    "its day has passed, and was written down": (False, "expired", 204),
    "worker ended": (False, "ended", 204),
    "of another person": (False, None, 404),
    "requested": (False, None, 404),
    "never was": (False, None, 404),
}


def test_what_is_listed_and_stopped_over_the_interface_for_programs_in_each_state(programs: tuple[Context, Site]) -> None:
    """Stopping twice, or what is over, is stopping once; what is another's, or was only asked for, is not there."""
    house, site = programs
    office = make_office(house)
    awa, mariam = make_person(house), make_person(house, "Mariam")
    clock_of(house).forward(days=1)
    unlock(house, mariam)
    scene = Scene(site, office, awa, PaperId(house.new_id()), None)
    said = {"language": "fr", "text_version": "partage/1", "text_sha256": hashlib.sha256(b"oui").hexdigest(), "heard": True}
    for state, (living, ended, stops) in LISTED.items():
        worker = scene.worker("salaried", f"Fatou {len(state)}")
        if state == "never was":
            grant = GrantId(house.new_id())
        elif state == "of another person":
            grant = give(house, mariam, worker, acts=ALL, shelf="money")
        else:
            grant = scene.give(worker, ALL, days=0 if "its day" in state else 60)
        if state == "narrowed to sight":
            sharing.narrow(house, unlock(house, awa), grant, SAID, acts=SIGHT)
        elif state == "requested":
            grant = GrantId(asking.ask(house, sign_in(house, worker), grant, ["tax-notice"], PurposeId("home")))
        else:
            reach(scene, state, worker, grant)
        token = site.client.post("/api/v1/unlock", json={"card": awa.card, "code": CODE}).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}

        def listed(grant: GrantId = grant, bearer: dict[str, str] = bearer, *, over: bool) -> list[str]:
            found = site.client.get(f"/api/v1/shares?ended={str(over).lower()}", headers=bearer).raise_for_status().json()
            return [str(one["state"]) for one in found if one["id"] == grant]

        assert bool(listed(over=False)) is living, state
        assert listed(over=True) == ([ended] if ended else []), state
        for _ in range(2):
            answer = site.client.post(f"/api/v1/shares/{grant}/withdraw", json={"said": said}, headers=bearer)
            assert answer.status_code == stops, state
        if living:
            assert (listed(over=False), listed(over=True)) == ([], ["withdrawn"]), state
