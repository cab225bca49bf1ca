"""The application as a server process starts it: settings from the environment, stores opened, pages wired."""

import os

from litestar import Litestar

from vault.app import create_app
from vault.confinement import Confinement
from vault.context import open_context
from vault.process import harden
from vault.settings import read_settings


def application() -> Litestar:
    """One application for one worker process. The parsers' interpreter starts before any key is read."""
    confinement = Confinement()
    confinement.start()
    harden()
    return create_app(open_context(read_settings(os.environ), confinement=confinement))
