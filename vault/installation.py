"""What is done once, by the people who install Abri: the service's keys, the first operator with two administrators."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from crypto.signing import sign_public
from storage.migrate import Urls, upgrade
from vault import administrators, one_time
from vault.administrators import NewAdministrator
from vault.confinement import Confinement
from vault.context import open_context
from vault.halves import Half, draw
from vault.reading_settings import read_settings
from vault.settings import UnsafeSettings, make_key_file, public_keys_place, service_keys_place


def make_service_keys(environment: Mapping[str, str]) -> Path:
    """Write the service's own keys, readable by the service alone. Refuses to replace those that are there."""
    place = service_keys_place(environment)
    if place.exists():
        raise UnsafeSettings(f"{place} is there already: replacing it would make every signature of the service unknown.")
    make_key_file(place)
    return place


def install(environment: Mapping[str, str], *, operator: str, contact: str, names: Sequence[str]) -> Iterator[str]:
    """Make the first operator with its administrators; gives the lines to hand over to each, shown once."""
    place = public_keys_place(environment)
    drawn: dict[str, object] = json.loads(place.read_text()) if place.exists() else {}
    if drawn.get("roots"):
        raise UnsafeSettings(f"{place} is there already: an installation has its first administrators once.")
    if len(names) < 2 or len(set(names)) != len(names):
        raise UnsafeSettings("Two different administrators are needed: give --administrator twice.")
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sheets: Sequence[Half] = ()
    if not drawn:  # `abri inquiry keys` may have drawn it before, for two structures that have names
        public, sheets = draw(("the first structure", "the second structure"))
        drawn = {"incident": bytes(public).hex(), "roots": {}}
    before = place.read_text() if place.exists() else None
    place.write_text(json.dumps(drawn))
    try:
        yield from _administrators(environment, place, drawn, operator, contact, names)
    except BaseException:
        place.unlink() if before is None else place.write_text(before)
        raise
    if sheets:
        yield "Incident key, in two halves. Print each on its own sheet, give them to two structures, then forget them here:"
        for half in sheets:
            yield half.text()


def handed_over(name: str, made: NewAdministrator, now: dt.datetime) -> Iterator[str]:
    """What an administrator takes along: shown once, kept nowhere."""
    yield f"{name}: sign in as {made.code}"
    yield f"  six words: {' '.join(made.words)}"
    yield f"  for the telephone: {made.totp_uri}"
    yield f"  rescue sheet, to print and keep apart: {made.sheet.code}, {' '.join(made.sheet.words)}"
    yield f"  (six digits now: {one_time.password(made.totp, now)})"


def _administrators(
    environment: Mapping[str, str], place: Path, written: dict[str, object], operator: str, contact: str, names: Sequence[str]
) -> Iterator[str]:
    settings = read_settings(environment, installing=True)
    written = {**written, "service": bytes(sign_public(settings.service_sign)).hex()}
    upgrade(Urls(settings.database_url, settings.vault_url, settings.tombstones_url))
    context = open_context(settings, confinement=Confinement())
    roots = {}
    try:
        made_operator = administrators.create_operator(context, operator, contact)
        for name in names:
            made = administrators.create(context, made_operator, name)
            roots[made.id] = bytes(made.sign_public).hex()
            yield from handed_over(name, made, context.clock())
    finally:
        context.close()
    place.write_text(json.dumps({**written, "roots": roots}))
