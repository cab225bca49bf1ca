"""What a share is for, and the ten drawers: rows of data, so that a word may change without any code.

Ids are signed and live for years: never renamed, never reused. `words` are the French words of the pages, and the key of their
translations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from crypto.errors import Malformed

PurposeId = NewType("PurposeId", str)
ShelfKind = NewType("ShelfKind", str)


class Sensitivity(StrEnum):
    """What the law says of the data: nothing special, a special category (GDPR article 9), or offences (article 10)."""

    ORDINARY = "ordinary"
    HEALTH = "health"  # article 9
    ORIGIN = "origin"  # article 9: residence and asylum papers tell origin, sometimes opinions or religion
    OFFENCE = "offence"  # article 10


SPECIAL = frozenset({Sensitivity.HEALTH, Sensitivity.ORIGIN})  # consent must be explicit: article 9(2)(a)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a share is for. Only `own_words` purposes carry the person's words, and they always do."""

    id: PurposeId
    words: str
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    own_words: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """A kind of drawer. Each person has one of each kind, under an id of its own."""

    kind: ShelfKind
    words: str
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    grantable: bool = True


PURPOSES: tuple[Purpose, ...] = (
    Purpose(PurposeId("mail-address"), "une adresse pour le courrier"),
    Purpose(PurposeId("home"), "un logement"),
    Purpose(PurposeId("shelter"), "un lit ou un hébergement"),
    Purpose(PurposeId("rsa"), "le RSA"),
    Purpose(PurposeId("health"), "la santé (AME, C2S)", Sensitivity.HEALTH),
    Purpose(PurposeId("stay"), "le droit au séjour", Sensitivity.ORIGIN),
    Purpose(PurposeId("asylum"), "l'asile", Sensitivity.ORIGIN),
    Purpose(PurposeId("identity-card"), "une carte d'identité"),
    Purpose(PurposeId("bank"), "un compte en banque"),
    Purpose(PurposeId("lawyer"), "un avocat"),
    Purpose(PurposeId("work"), "le travail"),
    Purpose(PurposeId("taxes"), "les impôts"),
    Purpose(PurposeId("children"), "les enfants"),
    Purpose(PurposeId("pension-disability"), "la retraite ou le handicap", Sensitivity.HEALTH),
    Purpose(PurposeId("transport"), "les transports"),
    Purpose(PurposeId("other"), "autre chose", own_words=True),
)

PRIVATE = ShelfKind("private")

SHELVES: tuple[Shelf, ...] = (
    Shelf(ShelfKind("identity"), "Identité"),
    Shelf(ShelfKind("stay"), "Droit au séjour", Sensitivity.ORIGIN),
    Shelf(ShelfKind("family"), "Famille"),
    Shelf(ShelfKind("housing"), "Logement"),
    Shelf(ShelfKind("health"), "Santé", Sensitivity.HEALTH),
    Shelf(ShelfKind("money"), "Argent"),
    Shelf(ShelfKind("work"), "Travail"),
    Shelf(ShelfKind("justice"), "Justice", Sensitivity.OFFENCE),
    Shelf(ShelfKind("other"), "Autre"),
    Shelf(PRIVATE, "Privé", grantable=False),
)

_PURPOSES = {row.id: row for row in PURPOSES}
_SHELVES = {row.kind: row for row in SHELVES}


def purpose(untrusted: object) -> Purpose:
    """The row of that purpose; raises Malformed when there is none."""
    found = _PURPOSES.get(PurposeId(untrusted)) if isinstance(untrusted, str) else None
    if found is None:
        raise Malformed("no such purpose")
    return found


def shelf(untrusted: object) -> Shelf:
    """The row of that kind of drawer; raises Malformed when there is none."""
    found = _SHELVES.get(ShelfKind(untrusted)) if isinstance(untrusted, str) else None
    if found is None:
        raise Malformed("no such drawer")
    return found


def sensitivities(kinds: Iterable[ShelfKind], what_for: PurposeId) -> frozenset[Sensitivity]:
    """All that is not ordinary in these drawers and this purpose: a purpose alone can tell an illness or an exile."""
    found = {shelf(kind).sensitivity for kind in kinds} | {purpose(what_for).sensitivity}
    return frozenset(found - {Sensitivity.ORDINARY})
