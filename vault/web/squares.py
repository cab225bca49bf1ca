"""A one-time link drawn as a square to photograph with a phone; it leads to this same service, and nowhere else."""

import io

import segno
from litestar import Response

from vault.web.guards import context_of
from vault.web.shell import Req, fragment


def own_origin(request: Req) -> str:
    """The origin under which this page was asked for, when it is one of ours; the first of ours otherwise."""
    origins = context_of(request).settings.origins
    asked = f"{request.url.scheme}://{request.url.netloc}"
    return (asked if asked in origins else origins[0]) + context_of(request).settings.prefix


def square(request: Req, place: str) -> Response[bytes]:
    """The address `place` of this service, in the language of the request, as an SVG."""
    return drawn(own_origin(request) + fragment(request, place))


def drawn(address: str) -> Response[bytes]:
    """Any address of this service, whole, as an SVG."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", omitsize=True, border=4, dark="#0b3036", light="#fff", svgclass=None, lineclass=None
    )
    return Response(out.getvalue(), media_type="image/svg+xml")
