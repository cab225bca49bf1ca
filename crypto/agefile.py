"""Complete .age files: what a person takes away, and reads with any age program, without us.

A file leaves under a file key of its own: the keys in use never do.
"""

from collections.abc import Sequence

from crypto import ageheader, agerecipients, armor
from crypto.agerecipients import Identity, Recipient, ScryptRecipient
from crypto.errors import Malformed
from crypto.keys import AgeFileKey
from crypto.stream import Decryptor, Encryptor

HEADER_AT_MOST = 1 << 18
"""A header is a few kilobytes; one that goes on is refused before it fills the memory."""


class FileEncryptor:
    """Writes a binary .age file as its plaintext comes in. Feed it about 1 MiB at a time; `finish` must be called."""

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        if not recipients:
            raise ValueError("a file is written for somebody")
        if len(recipients) > 1 and any(isinstance(recipient, ScryptRecipient) for recipient in recipients):
            raise ValueError("a passphrase stands alone in its file")
        key = AgeFileKey.random()
        self._header = ageheader.build(key, [recipient.wrap(key) for recipient in recipients]).encode()
        self._encryptor = Encryptor(key)

    def _take_header(self) -> bytes:
        header, self._header = self._header, b""
        return header

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Write what is surely not the last chunk."""
        return self._take_header() + self._encryptor.update(data)

    def finish(self) -> bytes:
        """Write the last chunk."""
        return self._take_header() + self._encryptor.finish()


class FileDecryptor:
    """Reads a binary .age file as it comes in. Feed it about 1 MiB at a time; without `finish` it is not known whole."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._identities = tuple(identities)
        self._pending = bytearray()
        self._decryptor: Decryptor | None = None

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Give plaintext that is authenticated. Malformed for a bad header, Undecryptable for all the rest."""
        if self._decryptor is not None:
            return self._decryptor.update(data)
        self._pending += data
        end = ageheader.end_of_header(self._pending)
        if (end or len(self._pending)) > HEADER_AT_MOST:
            raise Malformed("this header does not end")
        if end is None:
            return b""
        header = ageheader.parse(bytes(self._pending[:end]))
        key = agerecipients.unwrap(self._identities, header.stanzas)
        header.check(key)
        self._decryptor = Decryptor(key)
        del self._pending[:end]
        rest, self._pending = self._pending, bytearray()
        return self._decryptor.update(rest)

    def finish(self) -> bytes:
        """Give the last plaintext, or refuse a file that was cut."""
        if self._decryptor is None or not self._decryptor.started:
            raise Malformed("this file was cut before its first chunk")
        return self._decryptor.finish()


def encrypt_file(recipients: Sequence[Recipient], plaintext: bytes) -> bytes:
    """Write a small .age file in one go."""
    encryptor = FileEncryptor(recipients)
    return encryptor.update(plaintext) + encryptor.finish()


def decrypt_file(identities: Sequence[Identity], data: bytes) -> bytes:
    """Read a small .age file in one go, armored or not."""
    decryptor = FileDecryptor(identities)
    binary = armor.decode(data) if data.lstrip(b" \t\r\n").startswith(armor.BEGIN) else data
    return decryptor.update(binary) + decryptor.finish()
