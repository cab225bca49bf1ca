"""Rooms for training: a whole second Abri for one worker, with stores, keys and cookies of its own, made and thrown away in one click.

A room is a folder with a mark. Its rows, blobs, key vault and service keys are drawn for it alone, so nothing of it opens anything
real, and nothing real opens anything of it; only this module opens a folder with that mark (ADR 0022).
"""

import fcntl
import hmac
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from consent.scope import Act
from crypto.kem import public_key
from crypto.keys import KemSeed, SignSeed
from crypto.unlock import Kind, words_password
from storage.migrate import Urls, upgrade
from vault import accounts, administrators, asking, cards, kiosks, labels, sessions, sharing, workers
from vault.context import Context, open_context
from vault.errors import NotThere
from vault.false_papers import FALSE_IN_TRAINING, papers_of
from vault.kiosks import Equipment
from vault.printed import Printing, card_image
from vault.reading_settings import marked
from vault.sessions import Session
from vault.settings import DEMO_MARK, TRAINING_MARK, SealKey, Settings, insecure_fast_kdf, make_key_file, read_public_keys
from vault.staff import shown_digest
from vault.staging import Clock, Story, Town
from vault.trying import attempt
from vault.who import worker as worker_keys

FOLDER, PREFIX = "training", "/formation"
CURRENT, ACCESS = "current", "access.json"
EVERYTHING = Equipment(camera=True, scanner=True, printer=True, sound=True)
KEPT = timedelta(days=2)  # after the last click that made it


@dataclass(frozen=True)
class Room:
    """A room as its worker finds it: its name in the address, and what was made for it."""

    name: str
    made: bool


def name_of(context: Context, session: Session) -> str:
    """The name of this worker's room: always the same, and nobody guesses it."""
    worker_keys(session)
    place = labels.training_room(worker=session.account)
    return hmac.digest(bytes(context.settings.service_seal), place, "sha256").hex()[:24]


def room(context: Context, session: Session) -> Room:
    """This worker's room, and whether it stands."""
    name = name_of(context, session)
    return Room(name, generation(context.settings, name) is not None)


def make(context: Context, session: Session) -> Room:
    """Make this worker's room anew; whatever was in it is gone. A few seconds. Two taps at once are one room."""
    name = name_of(context, session)
    place, fresh, before = _place(context.settings, name), secrets.token_hex(8), generation(context.settings, name)
    with _alone(place):
        if generation(context.settings, name) != before:
            return Room(name, made=True)  # another tap has made it meanwhile
        _build(context, settings_of(context.settings, name, fresh, new=True))
        pointer = place / f".{CURRENT}-{fresh}"
        pointer.write_text(fresh)
        os.replace(pointer, place / CURRENT)
        _throw_away(place, besides=fresh)
    return Room(name, made=True)


@contextmanager
def _alone(place: Path, *, wait: bool = True) -> Iterator[None]:
    """Nobody else makes or throws away this room meanwhile, in whatever process; BlockingIOError when somebody does, without `wait`."""
    place.mkdir(parents=True, mode=0o700, exist_ok=True)
    with (place / ".making").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield  # closing the file lets go


def generation(settings: Settings, name: str) -> str | None:
    """Which making of a room stands now; None when there is none. A name is never a path."""
    if len(name) != 24 or not set(name) <= set("0123456789abcdef"):
        return None
    try:
        return (_place(settings, name) / CURRENT).read_text()
    except OSError:
        return None


def open_room(context: Context, name: str, made: str) -> Context:
    """The stores of a room; NotThere when it does not stand. Whoever opens it closes it."""
    folder = _place(context.settings, name) / made
    if not (folder / TRAINING_MARK).exists():
        raise NotThere
    return open_context(settings_of(context.settings, name, made), confinement=context.confinement, clock=context.clock)


def sweep(context: Context) -> int:
    """Throw away the rooms that nobody has made anew for two days; a scheduled task."""
    before, gone = context.clock() - KEPT, 0
    for place in (context.settings.folder / FOLDER).glob("*"):
        with suppress(OSError):
            if (place / CURRENT).stat().st_mtime < before.timestamp():
                with _alone(place, wait=False):  # one that is just being made anew stays
                    shutil.rmtree(place, ignore_errors=True)
                gone += 1
    return gone


def _place(settings: Settings, name: str) -> Path:
    return settings.folder / FOLDER / name


def _throw_away(place: Path, *, besides: str) -> None:
    for old in place.iterdir():
        if old.is_dir() and old.name != besides:
            shutil.rmtree(old, ignore_errors=True)


def settings_of(settings: Settings, name: str, made: str, *, new: bool = False) -> Settings:
    """The settings of a room: nothing of the real ones but where it is served and what a person may weigh."""
    folder = _place(settings, name) / made
    if new:
        folder.mkdir(parents=True, mode=0o700)
        (folder / TRAINING_MARK).write_text("Everything here is false.\n")
        make_key_file(folder / "service-keys.json")
        (folder / "public-keys.json").write_text(json.dumps({"roots": {}, "incident": bytes(public_key(KemSeed.random())).hex()}))
    keys = json.loads((folder / "service-keys.json").read_text())
    public = read_public_keys(folder / "public-keys.json")
    found = replace(
        settings, mode="training", folder=folder, database_url=f"sqlite:///{folder}/abri.sqlite3",
        vault_url=f"sqlite:///{folder}/vault.sqlite3", tombstones_url=f"sqlite:///{folder}/tombstones.sqlite3",
        blobs=f"folder:{folder}/papers", s3_endpoint=None, s3_access_key=None, s3_secret_key=None,
        service_sign=SignSeed(bytes.fromhex(keys["sign"])), service_seal=SealKey(bytes.fromhex(keys["seal"])), root_keys=public.roots,
        former_roots={}, incident_key=public.incident, cost=insecure_fast_kdf(), trace_name=f"formation/{name}", witnesses=(), earlier=(),
        former_trace_names=(), api=False, contact="formation", hosting=None, data_protection="",
        prefix=f"{PREFIX}/{name}",
    )  # fmt: skip
    if not marked(found, TRAINING_MARK) or marked(found, DEMO_MARK):
        raise NotThere
    return found


# --- Who is in it ---------------------------------------------------------------------------------------------------------


def _build(real: Context, settings: Settings) -> None:
    upgrade(Urls(settings.database_url, settings.vault_url, settings.tombstones_url))
    now = real.clock()
    clock = Clock(now - timedelta(days=4))
    context = open_context(settings, confinement=real.confinement, clock=clock)
    roots: dict[str, object] = settings.root_keys  # type: ignore[assignment]  # the very mapping, filled as keys are made
    try:
        with ThreadPoolExecutor(1) as hands:
            story = Story(context, clock, now, roots, hands)
            _offices(story)
            _people(story)
            _write(real, context, story.town)
    finally:
        context.database.close()
        context.keyvault.close()
    written = {name: bytes(key).hex() for name, key in settings.root_keys.items()}
    public = {"roots": written, "incident": bytes(settings.incident_key).hex()}
    (settings.folder / "public-keys.json").write_text(json.dumps(public))


def _offices(story: Story) -> None:
    context = story.context
    operator = administrators.create_operator(context, "Association (formation)", "formation")
    admins = [
        story.administrator(operator, "Nadia (formation)", "nadia"),
        story.administrator(operator, "Hugo (formation)", "hugo"),
    ]
    structure = workers.create_structure(context, admins[0], "ESI Formation", "1 rue de la Formation")
    story.town.kiosk_token = kiosks.enrol(context, admins[0], structure, "poste 1", EVERYTHING)
    story.town.kiosk = kiosks.by_token(context, story.town.kiosk_token).id
    story.worker(admins, structure, "Camille (formation)", "salaried", "camille")
    story.worker(admins, structure, "Sacha (formation)", "salaried", "sacha")


def _people(story: Story) -> None:
    context, town = story.context, story.town
    for key, name, many in (("awa", "Awa (formation)", 3), ("yonas", "Yonas (formation)", 1)):
        story.draw(key, partial(papers_of, name, story.today, many, false=FALSE_IN_TRAINING))
    both = [story.guardian(None, name, "Awa (formation)", "turtle") for name in ("camille", "sacha")]
    story.open_safe("awa", "Awa (formation)", "turtle", "fr", both)
    kept = story.deposit("awa")
    story.open_safe("yonas", "Yonas (formation)", "sun", "fr", [])
    story.deposit("yonas")
    story.days_ago(2)
    session = story.unlock("awa")
    given = sharing.grant(context, session, town.staff["camille"].id, story.offer("home", kept[:2], 20, Act.SEE))
    asking.ask(context, story.sign_in("camille"), given, ["tax-notice"], story.offer("home", kept, 1).purpose)


def _write(real: Context, context: Context, town: Town) -> None:
    """What the page of the room shows: cards as pictures, codes, and the words of its workers. Everything in it is false."""
    folder = context.settings.folder
    blank = cards.new_cards(1)[0]
    for key, card in [*((key, cards.Card(one.card, one.drawing)) for key, one in town.people.items()), ("vierge", blank)]:
        (folder / f"{key}.jpg").write_bytes(card_image(real.confinement, card, Printing(demo=True, ribbon="training.ribbon")))
    access = {
        "kiosk": town.kiosk_token,
        "people": {key: {"name": one.name, "drawing": one.drawing, "code": one.secret} for key, one in town.people.items()},
        "workers": {
            key: {"name": one.name, "code": one.code, "words": " ".join(one.words)}
            for key, one in town.staff.items() if one.role != "administrator"
        },
    }  # fmt: skip
    (folder / ACCESS).write_text(json.dumps(access, ensure_ascii=False))


def access(context: Context) -> dict[str, object]:
    """What the page of a room shows. NotThere where nothing is false."""
    if context.settings.mode != "training":
        raise NotThere
    found: dict[str, object] = json.loads((context.settings.folder / ACCESS).read_text())
    return found


def card_picture(context: Context, key: str) -> bytes:
    """The card of somebody of the room, or a blank one."""
    people = access(context)["people"]
    if not isinstance(people, dict) or key not in (*people, "vierge"):
        raise NotThere
    return (context.settings.folder / f"{key}.jpg").read_bytes()


def enter(context: Context, key: str) -> str:
    """The desk of a worker of the room, in one click: no words, no digits. Gives the cookie; NotThere for anybody else."""
    found = access(context)["workers"]
    if not isinstance(found, dict) or key not in found:
        raise NotThere
    words = tuple(str(found[key]["words"]).split())
    tried = attempt(context, "training", shown_digest(str(found[key]["code"])), Kind.PASSPHRASE, words_password(words))
    if tried.slot is None or tried.secret is None:
        raise NotThere
    account = tried.slot.account
    with context.database.transaction() as connection:
        keys = accounts.open_keys(connection, account, tried.secret)
        return sessions.open_for(context, connection, kind="worker", account=account, slot=tried.slot.id, keys=keys)
