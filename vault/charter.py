"""What a worker accepts before they are certified: they are told that they are traced, and what for (Labour code L1222-4)."""

import hashlib

from vault.languages import Sentences

LINES = tuple(f"charter.{number}" for number in range(1, 8))


def version(sentences: Sentences) -> str:
    """The digest of the French text, whatever language it was read in: a changed word is another version."""
    french = sentences.fallback or sentences
    return hashlib.sha256("\n".join(french.plain(line) for line in LINES).encode()).hexdigest()[:8]
