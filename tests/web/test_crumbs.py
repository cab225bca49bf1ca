"""Cookies that arrive in pieces, as HTTP/2 lets them."""

from vault.web.crumbs import joined


def test_pieces_are_one_header_in_their_order() -> None:
    headers = [(b"host", b"x"), (b"cookie", b"a=1"), (b"accept", b"*"), (b"cookie", b"b=2")]
    assert joined(headers) == [(b"host", b"x"), (b"accept", b"*"), (b"cookie", b"a=1; b=2")]


def test_one_header_or_none_is_left_alone() -> None:
    for headers in ([], [(b"host", b"x")], [(b"cookie", b"a=1; b=2")]):
        assert joined(headers) == headers
