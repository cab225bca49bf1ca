"""The five cards that come before a safe is opened (CPCE R55-1), with the version and the digest of the text that was shown.

The version is the digest of the French text and of the figures in it: a changed word or a changed figure is another version.
"""

import hashlib
from dataclasses import dataclass

from vault.languages import Catalogues, Sentences
from vault.settings import Settings

CARDS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Conditions:
    """What a person was shown: the five cards in one language. `values` are the figures and the contact in them."""

    version: str
    language: str
    sha256: bytes
    values: dict[str, str]


def figures(settings: Settings, sentences: Sentences) -> dict[str, str]:
    """The values in the cards, from the one source of what is enforced."""
    years = settings.retention.trace // 365
    return {"duration": sentences.plain("duration.years", years), "contact": settings.contact or "Abri"}


def text_of(settings: Settings, sentences: Sentences) -> str:
    """The five cards as text, in order, with their figures."""
    values = figures(settings, sentences)
    parts = [f"{sentences.plain(f'k03.card{n}.title')}\n{sentences.plain(f'k03.card{n}.text', None, **values)}" for n in CARDS]
    return "\n\n".join(parts)


def current(settings: Settings, sentences: Sentences) -> Conditions:
    """The conditions of today in a language. The version is the same in all languages: that of the French text."""
    french = sentences.fallback or sentences
    version = hashlib.sha256(text_of(settings, french).encode()).hexdigest()[:8]
    shown = text_of(settings, sentences)
    return Conditions(version, sentences.language.code, hashlib.sha256(shown.encode()).digest(), figures(settings, sentences))


def in_language(settings: Settings, catalogues: Catalogues, code: str) -> Conditions:
    """The same, by the code of the language."""
    return current(settings, catalogues[code])
