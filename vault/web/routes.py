"""Every route of the service, gathered from the screens. The permission table of the tests reads this list."""

from litestar.types import ControllerRouterHandler

from vault.settings import Mode
from vault.web import (
    admin,
    after_death,
    capture,
    copying,
    desk,
    desk_training,
    documents,
    erasing,
    first_use,
    following,
    helped,
    helped_giving,
    history,
    home,
    joining,
    kept_card,
    opening,
    outside,
    phone,
    protection,
    proving,
    public,
    publication,
    recovery,
    renewing,
    reviewing,
    rights,
    room,
    sending,
    sharing,
    taking_away,
    two_steps,
    unlock,
)  # fmt: skip


def all_routes(mode: Mode) -> list[ControllerRouterHandler]:
    """The handlers of all screens; the style guide only in a demonstration; the door of a room only in training."""
    screens = (
        public, opening, unlock, two_steps, recovery, home, documents, capture, sharing, history, protection, renewing,
        reviewing, following, helped, helped_giving, kept_card, copying, first_use, erasing, phone, outside, sending, rights,
        after_death, taking_away, joining, desk, admin, publication, proving,
    )  # fmt: skip
    routes: list[ControllerRouterHandler] = []
    for screen in screens:
        routes.extend(screen.ROUTES)
    if mode == "demo":
        routes.extend(public.DEMO_ROUTES)
    routes.extend(room.ROUTES if mode == "training" else desk_training.ROUTES)
    return routes
