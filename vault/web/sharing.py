"""Sharing, as one set of pages: give (K15), answer (K16), see who can see, and stop (K17)."""

from litestar.types import ControllerRouterHandler

from vault.web import answering, offering, stopping

ROUTES: list[ControllerRouterHandler] = [*offering.ROUTES, *answering.ROUTES, *stopping.ROUTES]
