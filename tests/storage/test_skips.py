"""With ABRI_NO_SKIPS=1 a skipped test is a failed one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SKIPPING = {
    "test": "import pytest\n\ndef test_it():\n    pytest.skip('install it')\n",
    "module": "import pytest\n\npytest.skip('install it', allow_module_level=True)\n",
    "fixture": "import pytest\n\n@pytest.fixture\ndef thing():\n    pytest.skip('install it')\n\ndef test_it(thing):\n    pass\n",
}


@pytest.mark.parametrize("setting", ["1", ""])
def test_skips(tmp_path: Path, setting: str) -> None:
    (tmp_path / "conftest.py").write_text((REPOSITORY / "tests" / "conftest.py").read_text())
    for how, text in SKIPPING.items():
        (tmp_path / f"test_{how}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", str(tmp_path)]
    environment = {**os.environ, "ABRI_NO_SKIPS": setting, "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False).stdout
    last = told.strip().splitlines()[-1]
    assert ("1 failed, 2 errors" in last) is bool(setting), told
    assert ("3 skipped" in last) is not bool(setting), told
