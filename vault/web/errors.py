"""The one map from what went wrong to what a person reads: a page in plain words, in their language, and a status.

Nothing here tells whether something exists: `NotThere` is the answer to both. Unexpected errors are logged without local
variables and shown as a sentence with nothing of the error in it.
"""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from crypto.errors import CryptoError
from storage.errors import (
    DatabaseBusy,
    DatabaseUnreachable,
    RowGone,
    StorageError,
    StorageFull,
    StoreUnreachable,
    VaultUnreachable,
)
from vault import errors
from vault.refusals import ConfinementUnavailable, HasPassword, PaperRefused, TooHeavy, UnknownKind, UploadError
from vault.restricting import Restricted
from vault.web import problems, shell
from vault.web.guards import WrongOrigin, session_of

log = structlog.get_logger("abri.web")

STATUSES: tuple[tuple[type[BaseException], int, str | None], ...] = (
    (errors.NoSession, 401, None),
    (errors.WrongSecret, 401, None),
    (errors.NotAllowed, 403, None),
    (errors.NotThere, 404, None),
    (errors.Conflict, 409, None),
    (errors.AlreadyKnown, 409, None),
    (errors.TicketGone, 410, None),
    (errors.TooMuch, 413, None),
    (errors.TooLong, 413, None),
    (errors.WeakSecret, 422, None),
    (errors.BadInput, 422, None),
    (errors.MustWait, 429, None),
    (errors.Busy, 503, None),
    (errors.StoreDown, 503, None),
    (errors.Tampered, 500, None),
    (errors.AbriError, 400, None),
    (TooHeavy, 413, None),
    (UnknownKind, 415, None),
    (HasPassword, 422, None),
    (PaperRefused, 422, None),
    (ConfinementUnavailable, 503, "error.busy"),
    (UploadError, 400, "error.upload"),
    (DatabaseBusy, 503, "error.busy"),
    (StorageFull, 507, "error.store-full"),
    (DatabaseUnreachable, 503, "error.store-down"),
    (StoreUnreachable, 503, "error.store-down"),
    (VaultUnreachable, 503, "error.store-down"),
    (RowGone, 404, "error.not-there"),
    (StorageError, 500, "error.unexpected"),
    (CryptoError, 500, "error.tampered"),
)
# Nothing is wrong with what was sent: the same, sent again in a moment, is taken.
NOT_NOW = (
    errors.Busy, errors.StoreDown, ConfinementUnavailable, DatabaseBusy, StorageFull, DatabaseUnreachable, StoreUnreachable,
    VaultUnreachable,
)  # fmt: skip
HTTP_SENTENCES = {404: "error.not-there", 405: "error.not-there", 413: "error.too-heavy", 415: "error.upload"}


def status_and_sentence(error: BaseException) -> tuple[int, str]:
    """The status of an error and the key of the sentence that explains it."""
    if isinstance(error, HTTPException):
        return error.status_code, HTTP_SENTENCES.get(error.status_code, "error.unexpected")
    if isinstance(error, PaperRefused):
        return next(status for kind, status, _ in STATUSES if isinstance(error, kind)), f"error.{error.key}"
    for kind, status, sentence in STATUSES:
        if isinstance(error, kind):
            said = getattr(error, "shown", None) or getattr(error, "sentence", "error.unexpected")
            return int(getattr(error, "status", status)), sentence or str(said)
    return 500, "error.unexpected"


def _place_of(request: Request[Any, Any, Any], error: Exception) -> str:
    """Where somebody is led in the place of a page that says what went wrong; empty for the page."""
    session = session_of(request)
    if session is None or request.scope["path"].startswith("/api/"):
        return ""
    if isinstance(error, shell.Elsewhere):
        return error.place
    of_route = request.scope["route_handler"].opt if "route_handler" in request.scope else {}
    if isinstance(error, errors.NotThere | errors.TicketGone) and of_route.get("over"):
        return str(of_route["over"])
    if isinstance(error, WrongOrigin) and session.kind == "person" and of_route.get("inside"):
        return str(of_route["inside"])  # nothing is done with the form: its token is that of the card alone, sent once more
    # Why nothing moves, and how that ends, is told on one page.
    return "droits/rien-ne-bouge" if isinstance(error, Restricted) and session.kind == "person" else ""


def show(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The page (or the problem+json of the API) for an error."""
    if place := _place_of(request, error):
        return shell.go(request, place)
    status, sentence = status_and_sentence(error)
    if status == 500:
        # The class and the place are enough to find it; values of variables may be secrets.
        log.error("unexpected", error=type(error).__name__, path_template=shell.route_of(request), exc_info=False)
    if request.scope["path"].startswith("/api/"):
        return problems.of_error(request, error, status, sentence)
    return shell.error_page(request, status, sentence, error)
