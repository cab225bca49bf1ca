"""A demonstration has a folder of its own, is found again, begun anew when its making was stopped, and never written into what is real."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from vault.__main__ import main
from vault.launching import ACCESS, environment_of, launch
from vault.reading_settings import read_settings
from vault.settings import DEMO_MARK, Settings, UnsafeSettings


def never(_: Settings) -> None:
    raise AssertionError("nothing is served here")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment without any setting of ours."""
    for name in [one for one in os.environ if one.startswith("ABRI_")]:
        monkeypatch.delenv(name)
    yield monkeypatch
    for name in [one for one in os.environ if one.startswith("ABRI_")]:  # those of a demonstration that was served
        os.environ.pop(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ABRI_FOLDER", "/var/lib/abri"),
        ("ABRI_DATABASE_URL", "postgresql://abri@rows/abri"),
        ("ABRI_VAULT_URL", "postgresql://abri@keys/vault"),
        ("ABRI_TOMBSTONES_URL", "postgresql://abri@rows/tombstones"),
        ("ABRI_BLOBS", "s3:abri"),
        ("ABRI_S3_ENDPOINT", "https://papers"),
        ("ABRI_SERVICE_KEYS", "/run/secrets/service_keys"),
        ("ABRI_PUBLIC_KEYS", "/run/secrets/public_keys"),
        ("ABRI_MODE", "production"),
        ("ABRI_MODE", "embedded"),
        ("ABRI_BACKUPS", "/a:/b:/c"),
        ("ABRI_WITNESSES", "/etc/abri/witnesses"),
        ("ABRI_HOST", "0.0.0.0"),  # noqa: S104 (refused)
        ("ABRI_PORT", "abc"),
    ],
)
def test_a_setting_of_something_real_is_refused_before_anything_is_written(
    bare: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    folder = tmp_path / "demo"
    bare.setenv(name, value)
    with pytest.raises(UnsafeSettings, match=name):
        launch(folder, port=None, reset=False, serve=False, run=never)
    assert not folder.exists()


def test_what_may_be_chosen_is_kept_and_an_option_goes_before_the_environment(tmp_path: Path) -> None:
    own = str((tmp_path / "data").absolute())
    chosen = {"ABRI_API": "yes", "ABRI_INSECURE_FAST_KDF": "yes", "ABRI_PORT": "8001", "ABRI_FOLDER": own, "ABRI_MODE": "demo"}
    found = environment_of(tmp_path, None, {**chosen, "ABRI_NO_SKIPS": "1", "HOME": "/root"})
    ours = {"ABRI_CONTACT": "démonstration, personne ne répond", "ABRI_TRACE_NAME": "localhost:8000/trace"}
    assert found == {**chosen, **ours, "ABRI_HOST": "127.0.0.1"}
    assert environment_of(tmp_path, 8002, chosen)["ABRI_PORT"] == "8002"
    assert environment_of(tmp_path, None, {})["ABRI_PORT"] == "8000"


def test_its_trace_has_one_name_on_every_port(tmp_path: Path) -> None:
    """It is made once and served on the port of the day: receipts carry proofs under the name of its first head."""
    assert {environment_of(tmp_path, port, {})["ABRI_TRACE_NAME"] for port in (None, 8002)} == {"localhost:8000/trace"}


def test_a_taken_port_is_said_before_anything_is_made(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UnsafeSettings, match="make run PORT="):
            launch(tmp_path / "demo", port=other.getsockname()[1], reset=False, serve=True, run=never)
    assert not (tmp_path / "demo").exists()


def test_what_somebody_keeps_is_no_demonstration(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / "mine" / "letter.txt"
    kept.parent.mkdir()
    kept.write_text("kept")
    for reset in (False, True):
        with pytest.raises(UnsafeSettings, match="not a demonstration"):
            launch(tmp_path / "mine", port=None, reset=reset, serve=False, run=never)
    assert kept.read_text() == "kept"


def test_a_making_that_was_stopped_is_begun_anew_and_a_whole_one_is_found_again(
    bare: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stopped after the mark and some stores: what `make run` left when it was interrupted or refused."""
    folder, data = tmp_path / "demo", tmp_path / "demo" / "data"
    bare.setenv("ABRI_INSECURE_FAST_KDF", "yes")
    data.mkdir(parents=True)
    (data / DEMO_MARK).write_text("")
    (data / "abri.sqlite3").write_bytes(b"half a store")
    (folder / "incident").mkdir()
    assert launch(folder, port=None, reset=False, serve=False, run=never) == 0
    written = (folder / ACCESS).read_bytes()
    assert stat.S_IMODE((folder / ACCESS).stat().st_mode) == 0o600
    assert {one["name"] for one in json.loads(written)["people"].values()} >= {"Awa (démo)", "Yonas (démo)"}
    # A service of real people refuses it, and it refuses to be made anew while it is served.
    for mode in ("embedded", "production"):
        with pytest.raises(UnsafeSettings):
            read_settings({"ABRI_FOLDER": str(data), "ABRI_MODE": mode})
        bare.setenv("ABRI_FOLDER", str(data))
        bare.setenv("ABRI_MODE", mode)
        bare.setattr("vault.__main__.run_server", never)
        for command in ("serve", "tasks", "migrate"):
            assert main([command]) == 2
            assert "demonstration" in capsys.readouterr().err
        bare.delenv("ABRI_FOLDER")
        bare.delenv("ABRI_MODE")
    served = []

    def serve(settings: Settings) -> None:
        served.append(settings.port)
        with pytest.raises(UnsafeSettings, match="stop it first"):
            launch(folder, port=None, reset=True, serve=False, run=never)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bare.setattr("subprocess.Popen", Idle)
    assert launch(folder, port=port, reset=False, serve=True, run=serve) == 0
    assert served == [port]
    assert (folder / ACCESS).read_bytes() == written


class Idle:
    """Stands where the background work would run."""

    def __init__(self, *_: object) -> None:
        self.told = False

    def terminate(self) -> None:
        self.told = True

    def wait(self, timeout: float) -> None:
        assert self.told
        assert timeout > 0
