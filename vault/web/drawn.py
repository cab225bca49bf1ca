"""A sentence as a picture: browsers show the picture of an error, where they would show nothing of its page."""

from xml.sax.saxutils import escape

from litestar import Response


def drawn(words: str, status: int) -> Response[bytes]:
    """The picture of a sentence, with the status of the error."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 220"><rect width="900" height="220" fill="#fff"/>'
        f'<text x="450" y="120" font-family="sans-serif" font-size="32" fill="#0b3036" text-anchor="middle">{escape(words)}</text></svg>'
    )
    return Response(svg.encode(), status_code=status, media_type="image/svg+xml")
