"""What the build has made: named by content, complete, licensed, and nothing secret said aloud."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from vault.assets import build as building
from vault.assets import fonts, icons, licences
from vault.assets.manifest import BUILT, MANIFEST, Assets, AssetsNotBuilt, NoSuchAsset, read_assets
from vault.assets.voice import Engine, VoiceFailed, fingerprint, speakable
from vault.languages import SPOKEN_AREAS, read_catalogues

ROOT = Path(__file__).parents[2]
CATALOGUES = read_catalogues()
INVISIBLE = {*map(chr, fonts.INVISIBLE), "\n"}


@pytest.fixture(scope="module")
def assets() -> Assets:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("nothing is built yet: run `make assets`")
    return read_assets()


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def test_every_file_is_there_and_is_named_by_its_content(assets: Assets) -> None:
    assert assets.files
    for name, built in assets.files.items():
        content = (assets.folder / built).read_bytes()
        assert hashlib.sha256(content).hexdigest()[:12] in built, name
        assert assets.url(name) == f"/static/{built}"


def test_what_no_build_names_any_more_is_swept_after_a_day(tmp_path: Path) -> None:
    made = building.Made(tmp_path)
    kept, old, fresh = tmp_path / made.put("a.css", b"a {}"), tmp_path / "old" / "b.css", tmp_path / "c.css"
    old.parent.mkdir()
    old.write_bytes(b"b {}")
    fresh.write_bytes(b"c {}")
    now = fresh.stat().st_mtime
    os.utime(old, (now - building.SWEPT_AFTER - 60,) * 2)
    os.utime(kept, (now - building.SWEPT_AFTER - 60,) * 2)
    building.sweep(made, now)
    assert kept.exists()
    assert fresh.exists()
    assert not old.exists()


def test_built_style_sheets_point_at_built_fonts_only(assets: Assets) -> None:
    for name in ("kiosk.css", "work.css", "print.css"):
        text = assets.path(name).read_text(encoding="utf-8")
        urls = re.findall(r"url\(([^)]+)\)", text)
        assert len(urls) == len(fonts.FACES)
        assert all((assets.folder / url).is_file() for url in urls)


def test_one_font_of_a_script_is_light(assets: Assets) -> None:
    for face in fonts.FACES:
        assert assets.path(face.built).stat().st_size <= 200 * 1024
    assert assets.path("kiosk.css").stat().st_size <= 40 * 1024


def test_every_letter_of_every_sentence_is_in_a_font_of_pages_and_of_paper(assets: Assets) -> None:
    for weight in (400, 700):
        latin = set(TTFont(assets.path(f"print/latin-{weight}.ttf")).getBestCmap())
        arabic = set(TTFont(assets.path(f"print/arabic-{weight}.ttf")).getBestCmap())
        web = {code for face in fonts.FACES if face.weight == weight for code in TTFont(assets.path(face.built)).getBestCmap()}
        for sentences in read_catalogues(with_pseudo=True):
            text = "".join(form for entry in sentences.entries.values() for form in entry.forms)
            absent = {letter for letter in set(text) - INVISIBLE if ord(letter) not in web}
            assert absent == set(), (sentences.language.code, weight)
            assert {letter for letter in set(text) - {"\n"} if ord(letter) not in latin | arabic} == set()


def test_marks_that_turn_text_print_nothing(assets: Assets) -> None:
    font = TTFont(assets.path("print/latin-400.ttf"))
    for code in fonts.INVISIBLE:
        name = font.getBestCmap()[code]
        if name == "invisible":
            assert font["hmtx"][name] == (0, 0)
            assert font["glyf"][name].numberOfContours == 0


def test_every_icon_that_is_used_is_built_and_has_nothing_inline(assets: Assets) -> None:
    assert set(icons.USED) <= set(assets.icons)
    for name, inside in assets.icons.items():
        assert re.fullmatch(r"(?:<(?:path|circle|rect|line|ellipse|polyline|polygon)\b[^<>]*/>)+", inside), name
        assert "style" not in inside
    assert set(assets.icons) > icons.DIRECTIONAL
    with pytest.raises(NoSuchAsset):
        assets.icon("no-such-drawing")


def test_every_sentence_that_can_be_said_is_said_and_no_other(assets: Assets) -> None:
    for sentences in CATALOGUES:
        said = set(assets.recordings[sentences.language.code])
        static = {
            key for key, entry in sentences.entries.items() if entry.area in SPOKEN_AREAS and sentences.spoken_key(key) == key
        }
        if said != static:
            pytest.fail(f"{sentences.language.code}: run `make assets`; differ: {sorted(said ^ static)[:5]}")
        for key in said:
            assert "{" not in sentences.entries[key].forms[0]


def test_recordings_are_sound_and_have_a_length(assets: Assets) -> None:
    for sentences in assets.recordings.values():
        for said in sentences.values():
            head = (assets.folder / said.file).read_bytes()[:3]
            assert head[:3] == b"ID3" or (head[0] == 0xFF and head[1] & 0xE0 == 0xE0)
            assert said.seconds > 0.2


def test_licences_travel_with_what_was_copied_and_are_listed(assets: Assets) -> None:
    listed = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    for name in licences.COPIED:
        assert len(assets.path(f"licences/{name}.txt").read_text(encoding="utf-8")) > 500
        assert name in listed
    lock = json.loads((ROOT / "vault" / "assets" / "package-lock.json").read_text())
    for package in filter(None, lock["packages"]):
        assert package.removeprefix("node_modules/") in listed


def test_the_lock_file_holds_digests_and_no_address() -> None:
    lock = json.loads((ROOT / "vault" / "assets" / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "vault" / "assets" / "package.json").read_text())
    for name, package in lock["packages"].items():
        if name:
            assert package["integrity"].startswith("sha512-")
            assert "resolved" not in package
    for version in (wanted["dependencies"] | wanted["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_without_a_build_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(AssetsNotBuilt, match="make assets"):
        read_assets(tmp_path)


@pytest.mark.parametrize("voice", [language.voice for language in (s.language for s in CATALOGUES)])
def test_each_language_has_a_voice_that_speaks(engine: Engine, voice: str) -> None:
    said = engine.say(voice, "Abri 1 2 3")
    assert said.seconds > 0.5
    assert len(said.mp3) > 1000


def test_a_voice_that_does_not_exist_is_refused(engine: Engine) -> None:
    with pytest.raises(VoiceFailed, match="no voice"):
        engine.say("no-such-voice", "Bonjour")


def test_a_recording_is_made_again_only_when_its_words_or_its_voice_change() -> None:
    assert fingerprint("fr", "Bonjour.") == fingerprint("fr", "Bonjour.")
    assert len({fingerprint("fr", "Bonjour."), fingerprint("en", "Bonjour."), fingerprint("fr", "Au revoir.")}) == 3
    assert speakable("Que voulez-vous faire\u00a0?\nÉcouter") == "Que voulez-vous faire ?\nÉcouter."


def test_what_a_person_recorded_takes_the_place_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locales = tmp_path / "locales"
    (locales / "fr" / "audio").mkdir(parents=True)
    (locales / "fr" / "kiosk.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "a.b"\nmsgstr "Oui."\n\nmsgid "a.c"\nmsgstr "Non."\n')
    (locales / "fr" / "audio" / "a.b.ogg").write_bytes(b"OggS and a voice")
    monkeypatch.setattr(building, "LOCALES", locales)
    monkeypatch.setattr(building, "read_catalogues", lambda: read_catalogues(locales))
    made = building.Made(tmp_path / "built")
    building.build_voices(made, jobs=1)
    assert made.recordings["fr"]["a.b"]["human"] is True
    assert str(made.recordings["fr"]["a.b"]["file"]).endswith(".ogg")
    assert made.recordings["fr"]["a.c"]["human"] is False
    assert (made.folder / str(made.recordings["fr"]["a.c"]["file"])).stat().st_size > 1000
    shutil.rmtree(made.folder)
