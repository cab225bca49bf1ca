"""A structure that does not exist, with people who do not exist and papers that are false: what `make run` shows.

Everything goes through the real use cases, on a clock that starts weeks ago and is moved forward, so that histories, ends and
absences are as they would be. The folder is marked: `abri serve` refuses it, and `vault.launching` refuses any folder that is not.
"""

import datetime as dt
import json
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from crypto.choices import draw_code
from storage.migrate import Urls, upgrade
from vault import (
    administrators,
    asking,
    assisting,
    cards,
    checkpoints,
    circles,
    depositing_for,
    halves,
    kiosks,
    maintaining,
    opening_shared,
    people,
    register_reading,
    rights,
    sessions,
    shared_papers,
    sharing,
    showing,
    withdrawing,
    workers,
)  # fmt: skip
from vault.confinement import Confinement
from vault.context import open_context
from vault.errors import WrongSecret
from vault.false_papers import letter_for, papers_of, papers_of_awa
from vault.kiosks import Equipment
from vault.printed import Printing, card_images
from vault.reading_settings import read_settings
from vault.sessions import Session
from vault.settings import DEMO_MARK
from vault.staging import Clock, Story, Town

STARTS_DAYS_AGO = 47
ACCESS = "access.json"
EVERYTHING = Equipment(camera=True, scanner=True, printer=True, sound=True)


def _papers_are_drawn(story: Story) -> None:
    story.draw("awa", lambda: papers_of_awa(story.context.confinement, story.today, "Awa (démo)"))
    for name, many in (("Yonas", 2), ("Mariam", 2), ("Viktor", 3), ("Salif", 1), ("Lina", 1)):
        story.draw(name.lower(), partial(papers_of, f"{name} (démo)", story.today, many))


def _offices(story: Story) -> None:
    story.days_ago(STARTS_DAYS_AGO)
    context = story.context
    first = administrators.create_operator(context, "Association Les Tilleuls (démo)", "contact de démonstration")
    second = administrators.create_operator(context, "Association Le Canal (démo)", "contact de démonstration")
    nadia, hugo = story.administrator(first, "Nadia (démo)", "nadia"), story.administrator(first, "Hugo (démo)", "hugo")
    salma, tom = story.administrator(second, "Salma (démo)", "salma"), story.administrator(second, "Tom (démo)", "tom")
    tilleuls = workers.create_structure(context, nadia, "ESI Les Tilleuls (démo)", "1 rue de la Démonstration")
    canal = workers.create_structure(context, salma, "ESI Le Canal (démo)", "2 rue de la Démonstration")
    token = kiosks.enrol(context, nadia, tilleuls, "poste 1", EVERYTHING)
    kiosks.enrol(context, salma, canal, "poste 1", EVERYTHING)
    story.town.kiosk_token, story.town.kiosk = token, kiosks.by_token(context, token).id
    story.worker((nadia, hugo), tilleuls, "Fatou Diallo (démo)", "salaried", "fatou")
    story.worker((salma, tom), canal, "Marc Leroy (démo)", "salaried", "marc")
    story.worker((nadia, hugo), tilleuls, "Inès (démo)", "intern", "ines", story.today + dt.timedelta(days=20))
    story.worker((nadia, hugo), tilleuls, "Paul (démo)", "salaried", "paul")


def _awa_arrives(story: Story) -> list[str]:
    story.days_ago(40)
    fatou = story.guardian(None, "fatou", "Awa (démo)", "turtle")
    story.open_safe("awa", "Awa (démo)", "turtle", "fr", [fatou])
    kept = story.deposit("awa", slice(5))
    story.days_ago(38)
    awa = story.town.people["awa"]
    story.unlock("awa")
    story.trust(awa, [fatou, story.guardian(awa, "marc", "", "turtle")])
    return kept + story.deposit("awa", slice(5, None))


def _others_arrive(story: Story) -> None:
    story.days_ago(30)
    story.open_safe(
        "yonas", "Yonas (démo)", "sun", "ar", [story.guardian(None, "fatou", "Yonas (démo)", "sun")], pictures=True
    )  # fmt: skip
    story.deposit("yonas")
    yonas = story.town.people["yonas"]
    assisting.choose(
        story.context, story.unlock("yonas"), yonas.secret, story.town.staff["fatou"].id, [ShelfKind("identity"), ShelfKind("other")],
        name="Yonas (démo)", drawing="sun",
    )  # fmt: skip
    story.days_ago(26)
    story.open_safe("mariam", "Mariam (démo)", "key", "ar", [circles.NewSheet("1"), circles.NewSheet("2")])
    story.deposit("mariam")
    both = [story.guardian(None, name, "Viktor (démo)", "sailboat") for name in ("fatou", "marc")]
    story.open_safe("viktor", "Viktor (démo)", "sailboat", "en", both)
    story.deposit("viktor")


def _shares_begin(story: Story, papers: list[str]) -> None:
    context, town = story.context, story.town
    story.days_ago(25)
    awa = story.unlock("awa")
    sharing.grant(context, awa, town.staff["fatou"].id, story.offer("home", [papers[1], papers[2]], 62, Act.SEE))
    sharing.grant(context, awa, town.staff["marc"].id, story.offer("rsa", [papers[3]], 40, Act.SEE))
    sharing.grant(context, awa, town.staff["marc"].id, story.offer("mail-address", [papers[1]], 9, Act.SEE))
    asking.ask(context, *_fatou(story), ["benefits"], PurposeId("rsa"))
    story.days_ago(24)
    rights.receive(context, story.sign_in_administrator("nadia"), "erasure", "letter")
    yonas = story.unlock("yonas")
    letters = replace(story.offer("other", [], 18, Act.DEPOSIT), shelf=ShelfKind("other"), own_words="mon courrier")
    sharing.grant(context, yonas, town.staff["ines"].id, letters)
    ines = story.sign_in("ines")
    given = shared_papers.people_sharing(context, ines)[0].grant
    letter = letter_for("Yonas (démo)", story.today, "Convocation", ["Rendez-vous de démonstration"])
    depositing_for.deposit_for(context, ines, given, [letter], title="Convocation", sort="letter", opened_by_person=True)


def _fatou(story: Story) -> tuple[Session, GrantId]:
    """Fatou at her desk, and the share by which she knows Awa."""
    fatou = story.sign_in("fatou")
    return fatou, shared_papers.people_sharing(story.context, fatou)[0].grant


def _shares_go_on(story: Story, papers: list[str]) -> None:
    context = story.context
    story.days_ago(20)
    awa = story.unlock("awa")
    (request,) = asking.waiting_for_me(context, awa)
    asking.refuse(context, awa, request.request)
    for days in (16, 5):
        story.days_ago(days)
        fatou, through = _fatou(story)
        opening_shared.page_image_shared(context, fatou, through, PaperId(papers[2]), 1)


def _yesterday(story: Story) -> None:
    context, town = story.context, story.town
    story.days_ago(2)
    asking.ask(context, *_fatou(story), ["tax-notice"], PurposeId("home"))
    story.days_ago(1)
    awa = town.people["awa"]
    shown = sessions.find(context, people.present_card(context, town.kiosk, awa.card))
    with suppress(WrongSecret):
        people.unlock(context, shown, next(code for code in iter(draw_code, "") if code != awa.secret))
    maintaining.tell_everyone(context, "maintenance.migrated", "démonstration")
    session = story.unlock("awa")
    over = next(one for one in showing.grants_of(context, session) if one.purpose == "rsa")
    withdrawing.withdraw(context, session, over.grant, story.said)
    people.freeze(context, story.unlock("viktor"))
    workers.suspend(context, story.sign_in_administrator("nadia"), town.staff["paul"].id, story.today + dt.timedelta(days=12))


def _register(story: Story) -> None:
    """The register is written in the order of its days, between what the others live."""
    context = story.context
    story.days_ago(36)
    nadia = story.sign_in_administrator("nadia")
    requisition = rights.receive(context, nadia, "requisition", "authority")
    rights.approve(context, nadia, requisition.id)
    hugo = story.sign_in_administrator("hugo")
    rights.approve(context, hugo, requisition.id)
    rights.close(context, hugo, requisition.id, "Répondu : un nom ne se cherche pas.")


def _leavers(story: Story) -> None:
    """Two who leave: one waits for a second administrator, the other's three days end as you watch."""
    context, town = story.context, story.town
    story.days_ago(3.2)
    for key, name, drawing in (("salif", "Salif (démo)", "fish"), ("lina", "Lina (démo)", "moon")):
        story.open_safe(key, name, drawing, "fr", [])
        story.deposit(key)
        rights.ask_right(context, town.people[key].session, town.people[key].secret, "erasure")
    nadia = story.sign_in_administrator("nadia")
    waiting = [one for one in register_reading.requests(context, nadia) if one.kind == "erasure" and one.state == "identified"]
    for one in waiting:
        rights.approve(context, nadia, one.id)
    story.clock.to(story.now - dt.timedelta(days=3) + dt.timedelta(minutes=2))
    hugo = story.sign_in_administrator("hugo")
    rights.approve(context, hugo, waiting[-1].id)
    rights.carry_out(context, hugo, waiting[-1].id)


def build(folder: Path, environment: dict[str, str]) -> Town:
    """Make the whole demonstration in an empty folder."""
    data = folder / "data"
    data.mkdir(parents=True, mode=0o700)
    (data / DEMO_MARK).write_text("Everything here is false.\n")
    incident, sheets = halves.draw(("ESI Les Tilleuls (démo)", "ESI Le Canal (démo)"))
    (folder / "incident").mkdir()
    for half in sheets:
        (folder / "incident" / f"half-{half.number}.txt").write_text(half.text())
    public: dict[str, object] = {"roots": {}, "incident": bytes(incident).hex()}
    (data / "public-keys.json").write_text(json.dumps(public))
    settings = read_settings(environment, mode="demo")
    with ThreadPoolExecutor(2) as hands, closing(Confinement()) as confinement:
        started = hands.submit(confinement.start)
        upgrade(Urls(settings.database_url, settings.vault_url, settings.tombstones_url))
        started.result()
        now = dt.datetime.now(dt.UTC)
        clock = Clock(now - dt.timedelta(days=STARTS_DAYS_AGO + 1))
        with closing(open_context(settings, confinement=confinement, clock=clock)) as context:
            roots: dict[str, object] = settings.root_keys  # type: ignore[assignment]  # the very mapping, filled as keys are made
            town = _tell(
                Story(context, clock, now, roots, hands), lambda town: hands.submit(_write_cards, folder, town, confinement)
            )
        (data / "public-keys.json").write_text(json.dumps({**public, **checkpoints.anchors(settings)}))
    _write_access(folder, town)
    return town


def _tell(story: Story, once_all_are_there: Callable[[Town], Future[None]]) -> Town:
    _papers_are_drawn(story)
    _offices(story)
    papers = _awa_arrives(story)
    _register(story)
    _others_arrive(story)
    _shares_begin(story, papers)
    _shares_go_on(story, papers)
    _leavers(story)
    written = once_all_are_there(story.town)
    _yesterday(story)
    checkpoints.publish(story.context)
    written.result()
    return story.town


def _write_cards(folder: Path, town: Town, confinement: Confinement) -> None:
    """Cards as pictures to give as files: each person's, and three that are nobody's yet."""
    place = folder / "cartes"
    place.mkdir()
    drawn = {key: (cards.Card(one.card, one.drawing), one.language) for key, one in town.people.items()}
    drawn |= {f"vierge-{number}": (blank, "fr") for number, blank in enumerate(cards.new_cards(3), start=1)}
    for key, picture in zip(drawn, card_images(confinement, list(drawn.values()), Printing(demo=True)), strict=True):
        (place / f"{key}.jpg").write_bytes(picture)


def _write_access(folder: Path, town: Town) -> None:
    """How to enter, for people and for the tour. Written last and whole: where it stands, the demonstration is made."""
    access = {
        "kiosk": f"/borne/{town.kiosk_token}",
        "people": {
            key: {
                "name": one.name, "language": one.language, "card": f"cartes/{key}.jpg", "card_text": one.card,
                "code": one.secret if isinstance(one.secret, str) else "",
                "pictures": list(one.secret) if isinstance(one.secret, tuple) else [], "sheets": list(one.sheets),
            }
            for key, one in town.people.items()
        },
        "staff": {
            key: {"name": one.name, "role": one.role, "code": one.code, "words": " ".join(one.words), "totp": one.totp.hex()}
            for key, one in town.staff.items()
        },
    }  # fmt: skip
    part = folder / f".{ACCESS}.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(access, ensure_ascii=False, indent=1))
    os.replace(part, folder / ACCESS)
