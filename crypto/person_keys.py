"""A person's public keys over the years: the service vouches for the first pair, each pair signs the next.

Whoever trusts the service's key can follow from the first statement to today's, and knows every key by which this person ever signed.
"""

from collections.abc import Sequence

from crypto.errors import BadSignature, Malformed
from crypto.kem import KemPublic
from crypto.signing import SignPublic, SignRing, Verifier, sign_public_from, verify
from crypto.statements import PersonKeys

FIRST_SERIAL = 1


def follow(service: Verifier, signed: Sequence[tuple[bytes, bytes]]) -> tuple[PersonKeys, ...]:
    """Each (statement, signature), the first pair of keys first, once the whole chain holds; raises BadSignature, Malformed."""
    if not signed:
        raise Malformed("keys without a first statement")
    found: list[PersonKeys] = []
    by, previous = service, b""
    for serial, (statement, signature) in enumerate(signed, FIRST_SERIAL):
        said = PersonKeys.parse(statement)
        if (said.serial, said.previous) != (serial, previous) or (found and said.person != found[0].person):
            raise BadSignature
        verify(by, said, signature)
        found.append(said)
        by, previous = sign_public_from(said.sign), said.digest()
    return tuple(found)


def ring(chain: Sequence[PersonKeys]) -> SignRing:
    """Every key by which the person of a chain ever signed, today's first."""
    return SignRing(SignPublic(said.sign) for said in reversed(chain))


def following(last: PersonKeys, kem: KemPublic, sign: SignPublic) -> PersonKeys:
    """The statement of the next pair, to be signed by the last one."""
    return PersonKeys(person=last.person, kem=kem, sign=sign, serial=last.serial + 1, previous=last.digest())
