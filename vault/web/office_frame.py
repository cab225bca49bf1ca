"""What all pages of the office share: the menu, who is signed in. No page of it ever shows a paper, a title or a person's name."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from litestar import Response

from vault import administrators
from vault.errors import BadInput
from vault.web.desk_frame import menu
from vault.web.guards import context_of, session_of
from vault.web.shell import Req, work_page

MENU: Mapping[str, tuple[str, str]] = {
    "home": ("association", "house"),
    "register": ("association/registre", "inbox"),
    "workers": ("association/personnel", "users-round"),
    "structures": ("association/structures", "building-2"),
    "kiosks": ("association/bornes", "monitor"),
    "figures": ("association/chiffres", "clipboard-list"),
    "trace": ("association/trace", "shield-check"),
    "notices": ("association/affiches", "printer"),
    "procedures": ("association/demarches", "list-checks"),
}


def office_page(request: Req, template: str, here: str = "", *, status: int = 200, **values: Any) -> Response[str]:
    """A page of the office; `here` is the entry of the menu that it belongs to."""
    session = session_of(request)
    if session is None or session.kind != "administrator":
        return work_page(request, template, status=status, **values)
    me = administrators.of(context_of(request), session)
    places = menu(request, "office", MENU, here)
    return work_page(
        request, template, status=status, places=places, who=f"{me.first_name}, {me.operator_name}", **values
    )  # fmt: skip


def typed_day(text: str, field: str) -> date | None:
    """A day from a date field; None when it is left empty. Raises BadInput."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(field, "error.date") from error
