"""`abri receipt verify`: whether a file of receipts is what was signed, in words. No store, no network, no secret: public keys alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from consent.days import paris_day
from consent.grant import GrantState
from consent.receipt_file import LONGEST, Anchors, Checked, NotVerified, verify_file
from consent.record import Receipt
from consent.scope import Act
from consent.terms import Method
from crypto.checkpoint import LogKeys
from crypto.errors import BadSignature, Malformed
from crypto.signing import SignRing, sign_public_from
from vault import service_keys
from vault.receipt_files import imprint

VERIFIES, ALTERED, UNREADABLE = 0, 1, 2
STATES = {
    GrantState.REQUESTED: "asked", GrantState.GIVEN: "consent given", GrantState.REFUSED: "refused",
    GrantState.RENEWED: "consent given again, or made smaller", GrantState.WITHDRAWN: "consent taken back",
    GrantState.EXPIRED: "ended, its last day had passed", GrantState.ENDED: "ended, the recipient left",
}  # fmt: skip
ACTS = {Act.SEE: "see", Act.TAKE: "take a copy", Act.DEPOSIT: "put papers in", Act.REPLACE: "put newer versions in place"}
METHODS = {
    Method.SESSION: "a session that the person's secret had opened", Method.CARD: "the card alone, without the code",
    Method.ASSISTED: "an assisted opening, with a second worker as witness", Method.SERVICE: "the service itself",
}  # fmt: skip


def read_service_key(place: Path) -> SignRing:
    """The service's public keys, from the file of public keys: the present one, and each before it that signed the next.

    Raises OSError, ValueError.
    """
    try:
        return service_keys.read_published(json.loads(place.read_bytes()))
    except (KeyError, TypeError, Malformed, BadSignature):
        raise ValueError("it holds no public key of a service, or a key that the one before did not sign") from None


def read_anchors(place: Path) -> Anchors:
    """All public keys that receipts are judged by. Raises OSError, ValueError."""
    told = json.loads(place.read_bytes())
    try:
        trace = LogKeys.of_lines("".join(f"{line}\n" for line in told["trace"]))
        roots = {str(name): sign_public_from(bytes.fromhex(key)) for name, key in told.get("roots", {}).items()}
        before = [*(one["trace"] for one in told.get("earlier", ())), *told.get("former_traces", ())]
        earlier = tuple(LogKeys.of_lines("".join(f"{line}\n" for line in lines)) for lines in before)
        return Anchors(service_keys.read_published(told), trace, roots, earlier)
    except (KeyError, TypeError, AttributeError, Malformed, BadSignature):
        raise ValueError("it does not hold the public keys of a service and of its trace") from None


def verify(file: Path, keys: Path, sheet: str = "") -> Iterator[str | int]:
    """The lines to print, then the status: 0 verifies, 1 does not, 2 could not be looked at. `sheet`: the imprint on a printed sheet."""
    try:
        anchors = read_anchors(keys)
    except (OSError, ValueError) as error:
        yield f"NO  {keys}: the public keys could not be read ({_why(error)})."
        yield UNREADABLE
        return
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST + 1)
    except OSError as error:
        yield f"NO  {file}: it could not be read ({_why(error)})."
        yield UNREADABLE
        return
    try:
        checked = verify_file(content, anchors)
    except NotVerified as error:
        yield f"NO  {file}: {error}."
        yield ALTERED
        return
    receipts = [one.receipt for one in checked]
    for number, found in enumerate(checked, 1):
        yield from _told(found.receipt, number, len(checked))
        yield from _in_the_trace(found)
    if sheet and "".join(sheet.split()).lower() not in {imprint(one).replace(" ", "") for one in receipts}:
        yield f"NO  {file}: no receipt in this file bears the imprint of that sheet."
        yield ALTERED
        return
    yield f"OK  {file}: {_many(len(receipts))} as signed, by this service and by whoever is named above."
    yield "    It shows that a session opened with the person's secret agreed, or that whoever held the card took something back; no more."
    yield VERIFIES


def _why(error: Exception) -> str:
    return error.strerror or "it cannot be read" if isinstance(error, OSError) else str(error)


def _many(number: int) -> str:
    return "1 receipt is" if number == 1 else f"{number} receipts are"


def _told(one: Receipt, number: int, many: int) -> Iterator[str]:
    change, what = one.change, one.processing
    yield f"Receipt {number} of {many}: {STATES[change.state]}, on {paris_day(change.at).isoformat()}"
    yield f"    number   {one.record}"
    yield f"    imprint  {imprint(one)}"
    yield f"    person   {one.subject} (a number, no name)"
    yield f"    with     {one.recipient.name} ({one.controller.name}; {one.recipient.contact})"
    if what is not None:
        yield f"    for      {what.words}"
        yield f"    may      {', '.join(ACTS[act] for act in sorted(what.acts))}"
        yield f"    papers   {'; '.join(_drawer(one.shelf, one.kinds) for one in what.categories)}"
    if change.until is not None:
        yield f"    until    {change.until.isoformat()}, that day included"
    heard = ", read aloud" if one.notice.heard else ""
    yield f"    by       {METHODS[change.method]}; text {one.notice.version} in {one.notice.language}{heard}"
    if one.replaces is not None:
        yield f"    replaces {one.replaces}"


def _in_the_trace(found: Checked) -> Iterator[str]:
    if found.receipt.entry is None:
        return
    if found.head is None or found.number is None:
        yield f"    trace    entry {found.receipt.entry}; no proof of it came along"
        return
    at = datetime.fromtimestamp(found.head.at, UTC)
    yield f"    trace    entry {found.receipt.entry}, number {found.number} of {found.head.head.size}"
    yield f"             in the head of {found.head.head.origin} that was signed on {at:%Y-%m-%d at %H:%M} UTC"


def _drawer(shelf: str, kinds: tuple[str, ...]) -> str:
    return f"{shelf}: {', '.join(kinds)}" if kinds else shelf
