"""After a refusal the same page says what must be put right, and all that was typed, ticked and chosen stands there still.

Secrets are the exception: a code, words of one's own or a one-time code are given again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from consent.scope import Act
from tests.vault.builders import PICTURES, make_person, make_worker, sign_in
from tests.vault.comings import Circle, make_circle
from tests.web.desk_scene import clock_of, give
from tests.web.site import Shown, Site
from vault import account_numbers, guardians, rights, workers
from vault.languages import read_catalogues

HEAVY = ("lettre.pdf", b"x" * (15 * 1024 * 1024 + 1))
WRONG = "739152"
NOBODYS = f"0000 0000 00{account_numbers.check_digit('0000000000')}"
Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Refused:
    """A form that is refused: `stays` must stand there again, `given` is a secret or what is wrong; `says` is why."""

    address: str
    says: str
    stays: Fields
    given: Fields = field(default_factory=dict)
    to: str = ""


def filled(page: Shown, action: str) -> dict[str, list[str]]:
    """What a browser would send from this page's form to this address if it were sent as it is."""
    found: dict[str, list[str]] = {}
    (form,) = page.tree.xpath("//main//form[@action=$action]", action=action)
    for one in form.xpath(".//input[@name and not(@type='file')]"):
        if one.get("type") not in ("checkbox", "radio") or one.get("checked") is not None:
            found.setdefault(str(one.get("name")), []).append(str(one.get("value") or ""))
    for one in form.xpath(".//select[@name]"):
        chosen = one.xpath("./option[@selected]") or one.xpath("./option[1]")
        found.setdefault(str(one.get("name")), []).append(str(chosen[0].get("value")))
    return found


def send(site: Site, one: Refused) -> Shown:
    """The form, as that page makes it and as somebody fills it."""
    page = site.get(one.address)
    assert page.status == 200, (one.address, page.status)
    action = one.to or one.address
    hidden = {name: values for name, values in filled(page, action).items() if name in ("token", "reason")}
    if page.tree.xpath("//form[@action=$action]/@enctype", action=action):
        files = [("file", (*HEAVY, "application/pdf"))]
        fields = {**hidden, **{name: value for name, value in one.stays.items() if isinstance(value, str)}}
        answer = site.client.post(action, data=fields, files=files, headers={"Sec-Fetch-Site": "same-origin"})
        return Shown(answer.status_code, str(answer.url), answer.headers, answer.content)
    return site.post(action, {**hidden, **one.stays, **one.given})


def of_the_person(site: Site, made: Circle) -> list[Refused]:
    ines = make_worker(site.house, made.tilleuls, "Inès")
    site.open(made.awa)
    trust: Fields = {
        "worker": [made.marc.id, ines.id], "needed": "3", "new_sheets": "2", "sheet_1": "Rosa", "sheet_2": "Ali",
        "phrase": "le figuier",
    }  # fmt: skip
    helps: Fields = {"worker": ines.id, "drawer": ["money", "health"]}
    choose = partial(Refused, "/fr/confiance/choisir")
    helper = partial(Refused, "/fr/moi/accompagne/choisir")
    witness = partial(Refused, "/fr/effacer-tout/temoin", stays={"worker": made.fatou.code})
    said: Fields = {"words": " ".join(made.fatou.words), "totp": "000000", "code": made.awa.code}
    number = partial(Refused, "/fr/droits/numero", stays={"number": "ABCD-EFGH-JKMN"})
    gone = {**trust, "worker": [made.marc.id]}
    many: Fields = {"new_sheets": "2", "worker": [made.marc.id, made.fatou.id, ines.id]}
    right: Fields = {"code": made.awa.code}
    return [
        choose("error.wrong", trust, {"code": WRONG}),
        choose("error.code-digits", trust, {"code": "12"}),
        choose("error.people-none", {"new_sheets": "0", "sheet_1": "Rosa", "phrase": "le figuier"}, right),
        choose("error.people-changed", gone, {"worker": [made.marc.id, "nobody"], **right}),
        choose("error.people-many", many, {"sheet": ["a"], **right}),
        choose("error.choose", {"phrase": "le figuier", "worker": [made.marc.id]}, {"new_sheets": "9" * 30, **right}),
        helper("error.wrong", helps, {"code": WRONG}),
        helper("error.code-digits", helps, {"code": "12"}),
        helper("assist.close", {"worker": ines.id}, right),
        helper("assist.close", {"drawer": ["money", "health"]}, {"drawer": ["money", "health", "nothing"], **right}),
        number("error.wrong", given={"code": WRONG}),
        number("error.number-unknown", given=right),
        Refused("/fr/droits/demander", "error.wrong", {"kind": "rectification"}, {"code": WRONG}),
        witness("error.wrong", given={**said, "code": WRONG}),
        witness("error.code-digits", given={**said, "code": "12"}),
        witness("error.witness-words", given={**said, "words": "arbre maison"}),
        Refused("/fr/droits/apres/donner", "error.phrase-long", {"name": "Rosa Diaz", "note": "x" * 201}, right),
        Refused("/fr/droits/apres/donner", "error.name-long", {"name": "x" * 81, "note": "ma sœur"}, right),
        Refused("/fr/droits/apres/donner", "error.wrong", {"name": "Rosa Diaz", "note": "ma sœur"}, {"code": WRONG}),
    ]


def by_pictures(site: Site, made: Circle) -> list[Refused]:
    nour = make_person(site.house, "Nour", pictures=PICTURES)
    site.open(nour)
    wrong = {f"picture_{number}": "7" for number in range(1, 6)}
    trust: Fields = {"worker": [made.marc.id], "new_sheets": "1", "sheet_1": "Rosa", "phrase": "le figuier"}
    return [
        Refused("/fr/confiance/choisir", "error.wrong", trust, wrong),
        Refused("/fr/confiance/choisir", "error.pictures-count", trust, {"picture_1": "7"}),
        Refused("/fr/droits/demander", "error.wrong", {"kind": "rectification"}, wrong),
    ]


def at_the_kiosk(site: Site, made: Circle) -> Iterator[Refused]:
    site.leave()
    yield Refused("/fr/mots", "error.wrong", {"number": NOBODYS}, {"words": "arbre arbre arbre arbre arbre"})
    yield Refused("/fr/perdu/raison/stolen", "error.kiosk-needed", {"number": NOBODYS}, to="/fr/perdu/commencer")
    link: Fields = {"link": "ABCD-EFGH-JKMN-PQRS-TVWX"}
    yield Refused("/fr/lien", "error.outside-wrong", link, {"code": "123456"})
    while site.post("/fr/lien", {**link, "code": "123456"}).status != 429:
        pass
    yield Refused("/fr/lien", "error.outside-locked", link, {"code": "123456"})  # who is outside has no papers here to lose
    yield Refused("/fr/carte/autrement", "error.card-unreadable", {}, to="/fr/carte/photo")
    site.stand_at(made.tilleuls.administrators[0], made.tilleuls.structure)
    yield Refused("/fr/apres-un-deces", "after.not_now", {"number": "ABCD-EFGH-JKMN"})
    yield Refused("/fr/perdu/raison/lost", "error.number", {"number": "12"}, to="/fr/perdu/commencer")
    site.press(site.get("/fr/perdu/raison/lost"), number="")
    yield Refused("/fr/perdu/feuille", "error.sheet", {"sheet": "12345 67890"})
    yield Refused("/fr/perdu/feuille", "error.sheet", {}, to="/fr/perdu/feuille/photo")


def at_the_desk(site: Site, made: Circle) -> list[Refused]:
    house = site.house
    clock_of(house).forward(days=1)
    site.open(made.awa)
    grants = [str(give(house, made.awa, made.fatou, acts=(Act.DEPOSIT,), shelf=shelf)) for shelf in ("health", "other")]
    (ward,) = guardians.people_who_count_on_me(house, sign_in(house, made.fatou))
    site.sign_in(made.fatou)
    at = f"/fr/bureau/confiance/{ward.member}"
    (procedure, *_) = [one for one in site.get("/fr/bureau/demarches").links if "/demarches/" in one]
    letter: Fields = {"grant": grants[0], "kind": "payslip", "title": "Convocation", "opened_by_person": "yes"}
    return [
        Refused("/fr/bureau/bloquer", "error.number", {"number": "12"}),
        Refused("/fr/bureau/carte/numero", "error.number", {"number": "12"}),
        Refused(at, "desk.guardian.wrong_code", {"where": "far", "theft": "yes"}, {"code": "000000"}),
        Refused(at, "error.nothing-chosen", {"theft": "yes"}, {"code": "000000"}),
        Refused("/fr/bureau/deposer", "error.too-heavy", letter),
        Refused(f"{procedure}/{grants[0]}", "desk.request.choose_kind", {}),
        Refused(
            "/fr/bureau/demandes/carte",
            "desk.card.unreadable",
            {"kind": "payslip", "purpose": "other", "own_words": "la cantine"},
        ),
    ]


def becoming_a_worker(site: Site, made: Circle) -> list[Refused]:
    code = workers.invite(site.house, made.tilleuls.admin, made.tilleuls.structure, "Lina", "salaried", None)
    site.leave()
    drawn = site.press(site.get("/fr/bureau/invitation"), code=code).tree.xpath("(//ol[@class='drawn-words'])[1]/li")
    typed = {"words": " ".join("".join(one.itertext()) for one in drawn), "totp": "123456"}
    check = partial(Refused, "/fr/bureau/invitation/verifier")
    return [
        check("error.words-differ", {**typed, "words": "arbre maison", "sheet": "yes", "charter": "yes"}),
        check("invitation.sheet_missing", {**typed, "charter": "yes"}),
        check("error.totp-differs", {**typed, "sheet": "yes", "charter": "yes"}),
    ]


def in_the_office(site: Site, made: Circle) -> list[Refused]:
    nadia = made.tilleuls.administrators[0]
    waiting = rights.receive(site.house, made.tilleuls.admin, "access", "letter", rights.Extra())
    site.sign_in_administrator(nadia)
    (kiosk,) = {one for one in site.get("/fr/association/bornes").links if "/bornes/" in one}
    at = f"/fr/association/registre/{waiting.id}"
    received: Fields = {"kind": "requisition", "origin": "authority", "order": "erase", "silent": "2027-03-01", "number": NOBODYS}
    has: Fields = {"camera": "yes", "sound": "yes"}
    return [
        Refused("/fr/association/registre/recevoir", "office.error.order", received),
        Refused("/fr/association/bornes", "office.invite.bad_name", {"structure": made.tilleuls.structure, "name": "", **has}),
        Refused(kiosk, "office.invite.bad_name", {"name": "", **has}),
        Refused(at, "office.request.reason_missing", {"reason": "x" * 501}, to=f"{at}/refuser"),
        Refused(
            "/fr/association/fermeture", "office.closing.too_soon", {"day": "2026-12-24"}, to="/fr/association/fermeture/proposer"
        ),
    ]


@pytest.mark.parametrize(
    "forms",
    [of_the_person, by_pictures, at_the_kiosk, at_the_desk, becoming_a_worker, in_the_office],
    ids=lambda one: one.__name__,
)
def test_what_was_typed_is_still_there_after_a_refusal(site: Site, forms: Callable[[Site, Circle], Iterable[Refused]]) -> None:
    sentences = read_catalogues()["fr"]
    for one in forms(site, make_circle(site.house)):
        answer = send(site, one)
        where = (one.address, one.says)
        assert 400 <= answer.status < 500, where
        assert " ".join(sentences.plain(one.says).split()) in " ".join(answer.errors.split()), (*where, answer.errors)
        for leads in answer.tree.xpath("//*[@id='errors']//a/@href"):  # to the field that it is about
            assert answer.tree.xpath("//*[@id=$name]", name=str(leads).removeprefix("#")), (*where, leads)
        now = filled(answer, one.to or one.address)
        boxes = {str(name) for name in answer.tree.xpath("//main//input[@type='checkbox' or @type='radio']/@name")}
        for name, value in one.stays.items():
            wanted = [value] if isinstance(value, str) else list(value)
            assert sorted(now.get(name, [])) == sorted(wanted), (*where, name)
        for name in boxes - set(one.stays) - set(one.given) - {"needed", "new_sheets"}:  # one of these always is
            assert name not in now, (*where, name)  # what was not ticked is not ticked for them


def test_a_form_longer_than_any_page_asks_for_is_no_paper_that_is_too_heavy(site: Site) -> None:
    answer = site.post("/fr/lien", {"link": "x" * 65 * 1024, "code": "123456"})
    assert (answer.status, "C'est trop long." in answer.text, "trop lourd" in answer.text) == (413, True, False)
