"""Acceptance scenarios A2 and A4: who attacks, each with everything that they hold. Refused, and nothing told.

Those who hold a dump are the thief of `tests.faults.attack`, who is told the exact context of every sealed value and tries every key
that can be derived on everything; to that is added what each one holds: a worker's opened keys, an administrator's, a card, a sheet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import pytest

from crypto import circle as cutting
from crypto.keys import Share
from crypto.sealing import VAULTED_BYTES
from crypto.unlock import code_password, stretch
from tests.engines import sqlite_engines
from tests.faults import attack
from tests.vault import builders
from tests.vault.clock import Clock
from tests.vault.comings import face
from tests.vault.conftest import context_on
from tests.vault.papers import keep
from tests.vault.test_erasure import WORDS, ask_and_carry_out, lived_in
from vault import cards, circles
from vault.circles import NewSheet
from vault.context import Context
from vault.sessions import Session
from vault.settings import insecure_fast_kdf

pytestmark = pytest.mark.xdist_group("attackers")
TITLE, CONTENT, NAME = "Avis-de-la-lune", "contenu-du-papier-connu", "Awa-qui-chante"
WRONG = ("482914", "000000", "739164")


@dataclass(frozen=True)
class Robbed:
    """A house with Awa's safe, dumped; the thief who tried all that the dump gives; who else there is."""

    house: Context = field(repr=False)
    dump: attack.Dump = field(repr=False)
    thief: attack.Thief = field(repr=False)
    awa: builders.MadePerson
    fatou: builders.MadeWorker
    marc: builders.MadeWorker
    admin: builders.MadeAdministrator
    sheet: bytes = field(repr=False)


@pytest.fixture(scope="module")
def robbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Robbed]:
    """Awa keeps a paper, has two guardians of two operators and a sheet; then everything is carried away."""
    folder = tmp_path_factory.mktemp("robbed")
    with sqlite_engines(request, folder) as engines, attack.tapped() as infos:
        house = context_on(engines, folder, Clock())
        first, second = builders.make_office(house), builders.make_office(house, "ESI Le Canal")
        fatou, marc = builders.make_worker(house, first), builders.make_worker(house, second, "Marc")
        awa = builders.make_person(house, NAME, kiosk=first.kiosk)
        keep(house, awa.session, TITLE, "health", text=CONTENT)
        made = circles.set_circle(house, awa.session, awa.code, [face(fatou, NAME), face(marc, NAME), NewSheet("sac")], 2)
        dump = attack.take(house)
        yield Robbed(
            house, dump, attack.Thief(dump, infos).work(), awa, fatou, marc, first.administrators[0],
            bytes(cutting.sheet_seed(made.sheets[0].secret)),
        )  # fmt: skip


def worker_keys(worker: builders.MadeWorker | builders.MadeAdministrator) -> list[bytes]:
    """All that a worker's or an administrator's words open, and that a session of theirs holds."""
    return session_keys(worker.session)


def session_keys(session: Session) -> list[bytes]:
    """What an open session holds, whoever's it is."""
    keys = session.opened()
    return [bytes(keys.kem), bytes(keys.sign), bytes(keys.values)]


def photographed(robbed: Robbed, codes: tuple[str, ...]) -> list[bytes]:
    """What a photo of the card gives, with each of a few codes, for each salt of the dump; and the card's bytes as they are."""
    return with_codes(robbed.awa.card, codes, robbed.dump)


def with_codes(shown: str, codes: tuple[str, ...], dump: attack.Dump) -> list[bytes]:
    """A card's bytes, and what they become with each of a few codes for each salt of a dump."""
    card = cards.read(shown)
    made = [stretch(code_password(card, code), salt, insecure_fast_kdf()) for code in codes for salt in dump.salts.values()]
    return [*(bytes(one) for one in made), bytes(card) * 2]


def recovery_keys(thief: attack.Thief) -> list[bytes]:
    """Every secret that the parts a thief has opened can be joined to: alone, two by two, three by three."""
    parts = [Share(plain) for value, plain in thief.opened.items() if len(plain) == VAULTED_BYTES and _is_share(thief, value)]
    return [bytes(cutting.join(some)) for size in (1, 2, 3) for some in combinations(parts, size)]


def _is_share(thief: attack.Thief, value: bytes) -> bool:
    return thief.infos[value].startswith(b"abri/v1/share\0")


def reads(robbed: Robbed, holding: list[bytes]) -> list[str]:
    """What of Awa's a thief reads who holds this besides the dump. Parts are joined in every way before the last round."""
    thief = robbed.thief.twin().work(holding)
    thief.work(recovery_keys(thief))
    found = told(thief, TITLE, CONTENT, NAME)
    if bytes(robbed.awa.secret) in thief.opened.values():
        found.append("the account's secret")
    return found


def told(thief: attack.Thief, *texts: str) -> list[str]:
    """Which of these stand in something that the thief opened."""
    everything = b"\n".join([*thief.opened.values(), *thief.papers.values()])
    return [text for text in texts if text.encode() in everything]


def in_key_vault(cell: tuple[str, bytes]) -> bool:
    """By its table's name."""
    return cell[0].startswith("vault_")


ATTACKERS = {
    "Fatou alone": lambda robbed: worker_keys(robbed.fatou),
    "Marc and an administrator": lambda robbed: [*worker_keys(robbed.marc), *worker_keys(robbed.admin)],
    "an administrator": lambda robbed: worker_keys(robbed.admin),
    "Fatou and a photo of the card": lambda robbed: [*worker_keys(robbed.fatou), *photographed(robbed, WRONG)],
    "whoever took the sheet": lambda robbed: [robbed.sheet],
    "the sheet, a photo of the card and an administrator": lambda robbed: [
        robbed.sheet, *worker_keys(robbed.admin), *photographed(robbed, WRONG)
    ],
}  # fmt: skip


@pytest.mark.parametrize("who", ATTACKERS)
def test_with_all_rows_the_key_vault_all_papers_and_all_they_hold_they_read_nothing(robbed: Robbed, who: str) -> None:
    """But the name that Awa gave to her guardians, to each guardian."""
    guardian = who.startswith(("Fatou", "Marc"))
    assert reads(robbed, ATTACKERS[who](robbed)) == ([NAME] if guardian else [])


@pytest.mark.parametrize("how", ["both guardians", "a guardian and the sheet", "the card and its code"])
def test_the_instrument_can_fail(robbed: Robbed, how: str) -> None:
    """With what really opens, the same thief reads everything: that is what a second guardian or a code is worth."""
    holding = {
        "both guardians": lambda: [*worker_keys(robbed.fatou), *worker_keys(robbed.marc)],
        "a guardian and the sheet": lambda: [*worker_keys(robbed.marc), robbed.sheet],
        "the card and its code": lambda: photographed(robbed, (robbed.awa.code,)),
    }[how]()
    assert reads(robbed, holding) == [TITLE, CONTENT, NAME, "the account's secret"]


def test_yesterday_s_dump_with_today_s_key_vault_gives_no_key(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """After an erasure: to every recipient's keys, the card and its code no paper, no word, no name; to what an open safe held no paper."""
    with sqlite_engines(request, tmp_path) as engines, attack.tapped() as infos:
        clock = Clock()
        house = context_on(engines, tmp_path, clock)
        made, _ = lived_in(house, clock, count=3)
        recipients = [key for worker in (made.fatou, made.marc) for key in session_keys(builders.sign_in(house, worker))]
        own = [bytes(made.awa.secret), *session_keys(builders.unlock(house, made.awa))]
        yesterday = attack.take(house)
        card = with_codes(made.awa.card, (made.awa.code,), yesterday)
        control = attack.Thief(yesterday, infos).work(recipients)
        ask_and_carry_out(house, clock, made.awa)
        today = attack.take(house)
    mixed = replace(
        yesterday, rows=today.rows, persons=today.persons, slots=today.slots, named=today.named,
        values=[one for one in yesterday.values if not in_key_vault(one)] + [one for one in today.values if in_key_vault(one)],
    )  # fmt: skip
    thief = attack.Thief(mixed, infos).work([*recipients, *card])
    assert control.papers, "what the recipients held opened something"
    assert told(control, WORDS, "Awa") == [WORDS, "Awa"]
    assert (thief.papers, told(thief, WORDS, "Awa")) == ({}, [])
    assert thief.work(own).papers == {}
