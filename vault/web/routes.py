"""Every route of the service, gathered from the screens. The permission table of the tests reads this list."""

from litestar.types import ControllerRouterHandler

from vault.web import (
    admin,
    capture,
    desk,
    documents,
    erasing,
    following,
    history,
    home,
    opening,
    outside,
    phone,
    protection,
    proving,
    public,
    publication,
    recovery,
    rights,
    sending,
    sharing,
    taking_away,
    two_steps,
    unlock,
)  # fmt: skip


def all_routes(*, demo: bool) -> list[ControllerRouterHandler]:
    """The handlers of all screens; the style guide only where everything is false."""
    screens = (
        public, opening, unlock, two_steps, recovery, home, documents, capture, sharing, history, protection, following, erasing, phone,
        desk, admin, publication, proving, outside, sending,
        rights, taking_away, desk, admin, publication, proving,
    )  # fmt: skip
    routes: list[ControllerRouterHandler] = []
    for screen in screens:
        routes.extend(screen.ROUTES)
    if demo:
        routes.extend(public.DEMO_ROUTES)
    return routes
