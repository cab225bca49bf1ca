"""What a worker asks and what the person answers, as it is sealed for the two of them and read again."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy import RowMapping

from consent.days import PARIS
from consent.ids import KindId
from consent.request import Answer, Answered, Asked, Request
from crypto.canonical import Value, instant, parse_instant
from crypto.errors import Malformed
from crypto.kem import KemPrivate, KemPublic
from crypto.sealing import open_posted_value, post_value
from vault import labels
from vault.context import Context

REFUSED = "refused"  # the state of a request that was refused, perhaps with the card alone


def seal(context: Context, row: Mapping[str, Any] | RowMapping, public: KemPublic, value: Mapping[str, Value]) -> bytes:
    """What a request or its answers say, for one of the two: it dies with the request's own row of the key vault."""
    place = labels.asking(person=row["person"], worker=row["worker"], request=row["id"])
    return post_value(public, context.keyvault.derive("grant", row["id"], place), place, value)


def opened(context: Context, row: Mapping[str, Any] | RowMapping, private: KemPrivate, posted: bytes) -> dict[str, Value]:
    """The same, read by whom it was for. CryptoError, RowGone."""
    place = labels.asking(person=row["person"], worker=row["worker"], request=row["id"])
    return open_posted_value(private, context.keyvault.derive("grant", row["id"], place), place, posted)


def told(asked: Asked) -> list[Value]:
    """The answers as they are sealed."""
    return [[one.kind, one.answer.value, instant(one.at)] for one in asked.answers]


def read(row: Mapping[str, Any] | RowMapping, request: Value, answers: Value) -> Asked:
    """A request with its answers. Refused with the card alone, it has no word for each kind: then all that waited are refused."""
    if not isinstance(request, str) or not isinstance(answers, list):
        raise Malformed("a request is a text")
    said = []
    for one in answers:
        match one:
            case [str(kind), str(what), str(at)]:
                said.append(Answered(KindId(kind), Answer(what), parse_instant(at)))
            case _:
                raise Malformed("an answer has a kind, a word, a moment")
    asked = Asked(Request.from_bytes(request.encode()), tuple(said))
    if (asked.request.request, asked.request.person, asked.request.worker) != (row["id"], row["person"], row["worker"]):
        raise Malformed("another request")
    if row["state"] == REFUSED and row["answered"] is not None:
        noon = datetime.combine(row["answered"], time(12), PARIS)
        answered = {one.kind for one in said}
        rest = [Answered(kind, Answer.REFUSE, noon) for kind in asked.request.kinds if kind not in answered]
        asked = Asked(asked.request, (*said, *rest))
    return asked
