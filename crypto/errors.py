"""What can go wrong with bytes: three errors, because a reader of secrets learns nothing from a fourth."""


class CryptoError(Exception):
    """Anything this package refuses."""


class Undecryptable(CryptoError):
    """It does not open, and nobody is told why: wrong key, wrong place, damaged, cut and planted all read alike."""

    def __init__(self) -> None:
        super().__init__("this cannot be opened")


class Malformed(CryptoError):
    """Not written in the one form that is accepted. The reason never quotes what was read."""


class BadSignature(CryptoError):
    """The statement is not signed by that key."""

    def __init__(self) -> None:
        super().__init__("this signature does not hold")
