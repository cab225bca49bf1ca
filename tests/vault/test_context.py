"""Whoever opens the stores lets go of every one of them; what lies in files is read by its owner alone."""

import stat
from pathlib import Path
from typing import cast

import pytest

from storage.blobs import BlobStore
from vault.__main__ import main
from vault.confinement import Confinement
from vault.context import Context, open_context


class Told:
    """A store of papers that remembers whether it was closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_the_store_of_papers_is_closed_with_the_others(house: Context) -> None:
    blobs = Told()
    open_context(house.settings, confinement=Confinement(), blobs=cast("BlobStore", blobs)).close()
    assert blobs.closed == 1


def test_printed_cards_are_read_by_their_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for old in (False, True):
        file = tmp_path / f"cards-{old}.pdf"
        if old:
            file.write_bytes(b"of yesterday")
            file.chmod(0o644)
        assert main(["cards", "print", "1", str(file)]) == 0
        assert file.read_bytes().startswith(b"%PDF-")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "delete it" in capsys.readouterr().out
