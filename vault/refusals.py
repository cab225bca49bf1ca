"""What a person hears when a paper cannot be taken: few, named, and each with its sentence.

The sentences are the French ones of the pages, which are also the keys of the catalogues. `key` names the sentence
for a template or a sound file; several refusals may share one.
"""

from typing import ClassVar

PHOTO_BLURRED = "La photo est floue. Approchez la lumière. Recommencez."
"""A blurred photo is told, never refused: sometimes it is the only one there is."""


class PaperRefused(Exception):
    """The paper was not taken and nothing has changed."""

    key: ClassVar[str] = "unreadable"
    sentence: ClassVar[str] = "Nous ne savons pas lire ce papier. Rien n'a changé."


class TooHeavy(PaperRefused):
    """More bytes than a file, a paper or a form may have."""

    key = "too-heavy"
    sentence = "Ce papier est trop lourd. Prenez une photo de chaque page."


class TooManyPixels(TooHeavy):
    """The header announces more pixels than we decode; refused before decoding."""


class TooManyPages(TooHeavy):
    """More pages than one paper may have."""


class HasPassword(PaperRefused):
    """The paper is locked by a password that we do not have and do not ask for."""

    key = "has-password"
    sentence = "Ce papier a un mot de passe. Ouvrez-le d'abord, puis revenez."


class Unreadable(PaperRefused):
    """Damaged, empty, or of a form that we do not read."""


class UnknownKind(Unreadable):
    """Neither PDF, JPEG, PNG, HEIC, TIFF nor WebP, whatever its name says."""


class OnlyPhotosJoin(Unreadable):
    """Several files were sent as one paper and one of them is a PDF, which must stay byte for byte as it came."""


class NoSuchPage(Unreadable):
    """The paper has fewer pages than the one asked for."""


class ParserFailed(Unreadable):
    """The confined parser gave no answer. `detail` is for the log: a signal or a class name, never content."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class ParserCrashed(ParserFailed):
    """The confined parser died or spoke nonsense."""


class ParserTooSlow(ParserFailed):
    """The confined parser met its deadline and was killed."""


class ParserTooGreedy(ParserFailed):
    """The confined parser asked for more memory than it may have."""


class ConfinementUnavailable(Exception):
    """No confined interpreter can be had now: the fault is ours, not the paper's."""


class ConfinementBusy(ConfinementUnavailable):
    """Every confined child was busy for as long as we were ready to wait."""


class UploadError(Exception):
    """The body of a request could not be taken in; nothing of it is kept."""


class BadForm(UploadError):
    """Malformed, cut short, or with more or longer fields than our forms have."""


class NotAForm(UploadError):
    """Not multipart/form-data."""


class TokenNotFirst(UploadError):
    """A file came before the session-bound token, which must be the first field."""


def _family(parent: type[PaperRefused]) -> dict[str, type[PaperRefused]]:
    found = {parent.__name__: parent}
    for child in parent.__subclasses__():
        found |= _family(child)
    return found


REFUSALS: dict[str, type[PaperRefused]] = _family(PaperRefused)
"""By class name, which is how a refusal travels from the confined child."""
