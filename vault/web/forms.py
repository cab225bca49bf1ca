"""Forms as pages send them: small, URL-encoded, with the session's token as their first field."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException

from vault.errors import BadInput, TooLong
from vault.web.gathering import gathering
from vault.web.guards import WrongOrigin, session_of

FORM_BYTES = 64 * 1024
TOKEN = "token"  # noqa: S105 — the name of the field, not a secret


@dataclass(frozen=True)
class Form:
    """The fields of a form, in the order in which they were sent. Values hide in its repr: a code may be among them."""

    fields: tuple[tuple[str, str], ...] = field(repr=False)

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, or the default."""
        return next((value for key, value in self.fields if key == name), default)

    def need(self, name: str) -> str:
        """The value of a field that the page cannot go on without."""
        value = self.get(name).strip()
        if not value:
            raise BadInput(name, "error.missing")
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field (ticked boxes, chosen pictures in their order)."""
        return tuple(value for key, value in self.fields if key == name)

    def has(self, name: str) -> bool:
        """Whether a field was sent at all (a button, a box)."""
        return any(key == name for key, _ in self.fields)


Sent = NamedDependency[Form]
"""The form of a request, as a handler asks for it: `form: Sent`. Its token has been compared."""


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The form of this request; its token is compared with the session's before anything else is looked at."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(status_code=415, detail="form")
    body = bytearray()
    async for block in gathering(request):
        body += block
        if len(body) > FORM_BYTES:
            raise TooLong
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=500)
    except ValueError as error:
        raise BadInput("form") from error
    form = Form(tuple(pairs))
    session = session_of(request)
    if session is not None and not session.check_form_token(form.get(TOKEN)):
        raise WrongOrigin
    return form
