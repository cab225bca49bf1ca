"""The one place where everything is wired: settings in, an application out."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import structlog
from litestar import Litestar, Request, Response, Router
from litestar.config.app import AppConfig
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from vault.assets.manifest import BUILT, read_assets
from vault.context import Context
from vault.languages import catalogues
from vault.web import api, errors, routes
from vault.web.bodies import look_again
from vault.web.crumbs import join_crumbs
from vault.web.forms import Form, read_form
from vault.web.guards import OPEN, admit
from vault.web.pages import Pages
from vault.web.rooms import Rooms
from vault.web.shell import readable

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
THREADS = 32
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_POLICY,
    "Referrer-Policy": "same-origin",  # `no-referrer` would make browsers send `Origin: null` on our own forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), usb=(), payment=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}


def quiet_logs() -> None:
    """Logs say what happened and where, never with what: no local variable, no body, no address with an id."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )


def create_app(context: Context) -> Litestar:
    """The application on a context whose stores are open. Whoever opened the context closes it after the application."""
    quiet_logs()
    settings = context.settings
    said = catalogues(with_pseudo=settings.mode == "demo")
    pages = Pages(assets=read_assets(), catalogues=said, demo=settings.demo, ribbon=settings.ribbon)

    rooms = Rooms()

    @asynccontextmanager
    async def confined(app: Litestar) -> AsyncIterator[None]:
        # Python's own choice is six threads on two cores: as many cameras that read cards would keep every session waiting.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="beside"))
        app.state.context.confinement.start()
        yield
        rooms.close()

    secure = any(origin.startswith("https://") for origin in settings.origins)

    async def guarded(message: Message, _: Scope) -> None:
        # As the answer leaves, and not after the handler: a refusal or a failure is made elsewhere, and shows who is there as well.
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            if secure:
                headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
            for name, value in HEADERS.items():
                headers.setdefault(name, value)

    def prepare(config: AppConfig) -> AppConfig:
        # Inside a router: registered one by one, two methods of one address would each be wrapped for a thread twice (Litestar 2.25).
        config.route_handlers.append(Router(path="/", route_handlers=routes.all_routes(settings.mode)))
        if settings.api:
            config.route_handlers.append(api.router())
        return config

    app = Litestar(
        route_handlers=[
            create_static_files_router(
                path="/static", directories=[BUILT], opt=OPEN, cache_control=None, include_in_schema=False, after_request=_cached
            )
        ],
        on_app_init=[prepare],
        guards=[admit],
        middleware=[join_crumbs, look_again],
        dependencies={"form": Provide(read_form)},
        exception_handlers={HTTPException: errors.show, Exception: errors.show},
        before_send=[guarded],
        lifespan=[confined],
        state=State({"context": context, "pages": pages, "rooms": rooms}),
        signature_types=[Form, Request],
        openapi_config=api.openapi() if settings.api else None,
        include_in_schema=False,  # pages are no interface for programs; `api.router` says otherwise for itself
        request_max_body_size=None,  # each reader of a body counts for itself, in constant memory
        debug=False,
    )
    app.state.readable = readable(app.routes)
    return app


def _cached(response: Response[Any]) -> Response[Any]:
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
