"""Sharing, as one set of pages: give (K15), answer (K16), see who can see, show less, and stop (K17)."""

from litestar.types import ControllerRouterHandler

from vault.web import agreeing, answering, lessening, offering, receipts, stopping

ROUTES: list[ControllerRouterHandler] = [
    *offering.ROUTES, *agreeing.ROUTES, *answering.ROUTES, *stopping.ROUTES, *lessening.ROUTES,
    *receipts.ROUTES,
]  # fmt: skip
