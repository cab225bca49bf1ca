"""A yes is for what stood above it: its form carries the digest of that, and a yes to anything else is asked again (ADR 0122)."""

from collections.abc import Sequence

from crypto.canonical import Value
from vault import offers
from vault.offers import Line
from vault.web.forms import Form
from vault.web.pages import Fault
from vault.web.shell import Req, language_of

FIELD = "shown"
ANOTHER = Fault("error.another-question")
"""What a page says that is shown again because something else was chosen on another one."""


def question(request: Req, lines: Sequence[Line], what: Value) -> str:
    """The digest of a page that asks: its lines, and what a yes would do, which the lines name by first names and kinds alone."""
    return offers.question(offers.said(request.app.state.pages.catalogues[language_of(request)], lines), what)


def is_for(form: Form, asked: str, one: str = "") -> bool:
    """Whether a form stood under this question; `one` names it among several on a page."""
    return form.get(f"{FIELD}-{one}" if one else FIELD) == asked
