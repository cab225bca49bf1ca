"""A guided first use: three short screens, heard, that can be left at each step."""

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault.errors import NotThere
from vault.web.guards import who
from vault.web.shell import Req, page

SCREENS = (("plus", "ajouter"), ("eye", "partages"), ("check", "maison"))
"""What each screen is about: its pictogram, and where it can be tried at once."""


@get("/{language:str}/premiers-pas/{number:int}", opt=who("person"), sync_to_thread=True)
def screen(request: Req, number: FromPath[int]) -> Response[str]:
    """One thing to know."""
    if not 1 <= number <= len(SCREENS):
        raise NotThere
    picture, there = SCREENS[number - 1]
    return page(
        request, "kiosk/first_use.html", back="maison", number=number, total=len(SCREENS), picture=picture, there=there
    )  # fmt: skip


ROUTES: list[ControllerRouterHandler] = [screen]
