"""The application as a server process starts it: settings from the environment, stores opened, pages wired."""

import os

from vault.app import HEADERS, create_app
from vault.confinement import Confinement
from vault.context import open_context
from vault.process import harden
from vault.reading_settings import read_settings
from vault.web.door import Door


def application() -> Door:
    """One application for one worker process, behind its door. The parsers' interpreter starts before any key is read."""
    confinement = Confinement()
    confinement.start()
    harden()
    app = create_app(open_context(read_settings(os.environ), confinement=confinement))
    return Door(app, app.state.pages, HEADERS)
