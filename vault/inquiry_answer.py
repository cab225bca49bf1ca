"""A breach inquiry, the part that two holders do on a machine apart: both halves, the export, one worker, two moments.

Nothing here talks to the service. The answer names safes by their account, for `abri inquiry tell`; what goes to the CNIL names them
P1, P2... in an order drawn at random, and counts.
"""

import base64
import csv
import datetime as dt
import hmac
import io
import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from consent.days import PARIS
from crypto import contexts
from crypto import trace as sealed_trace
from crypto.agefile import decrypt_file
from crypto.agerecipients import HybridIdentity
from crypto.canonical import instant, parse_instant
from crypto.errors import CryptoError, Malformed, Undecryptable
from crypto.kem import KemPrivate
from crypto.keys import KemSeed, TraceKey
from vault.errors import BadInput

LOOKED, TOOK = ("paper.seen",), ("paper.taken", "paper.copied-to-other")


class NotReadable(BadInput):
    """The file, or the worker asked about; the message says what is wrong."""

    def __init__(self, words: str) -> None:
        super().__init__("file")
        self.words = words

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Touched:
    """One safe that the worker touched. `acts`: how often each kind of event; `papers`: how many papers these name."""

    pseudonym: str
    account: str
    first: str
    last: str
    papers: int
    acts: Mapping[str, int]


@dataclass(frozen=True)
class Answer:
    """Whose safes a worker touched between two moments. `others`: who else was in the export, and is not concerned.

    `unread`: entries under an older incident key whose halves were not given; `unreadable`: entries that somebody changed, or whose
    key they changed, or that are no event, by their ids; `unknown`: persons with such entries and no other. `proof`: that it is what
    the holders' program wrote (HMAC-SHA256 under a key that the export carries, in hexadecimal).
    """

    export: str
    worker: str
    worker_name: str
    since: str
    until: str
    read: int
    unread: int
    persons: tuple[Touched, ...]
    others: tuple[str, ...]
    unknown: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    proof: str = ""

    def proved(self, key: bytes) -> str:
        """What `proof` is to be, under this key."""
        said = {name: value for name, value in asdict(self).items() if name != "proof"}
        return hmac.digest(key, json.dumps(said, sort_keys=True).encode(), "sha256").hex()

    def to_json(self) -> str:
        """For `abri inquiry tell`: it names accounts, and is kept like the register."""
        return json.dumps({"abri": "inquiry answer", "v": 1, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"

    def for_the_authority(self) -> str:
        """For the CNIL, as JSON: no account, no name of a person; the worker by their account's id."""
        persons = [{name: value for name, value in asdict(one).items() if name != "account"} for one in self.persons]
        return json.dumps({**self.totals(), "worker": self.worker, "persons": persons}, indent=1, ensure_ascii=False) + "\n"

    def for_the_authority_csv(self) -> str:
        """The same, one line for each safe."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(("person", "first", "last", "papers", "looked", "copies", "acts"))
        for one in self.persons:
            looked, took = (sum(one.acts.get(tag, 0) for tag in tags) for tags in (LOOKED, TOOK))
            writer.writerow((one.pseudonym, one.first, one.last, one.papers, looked, took, sum(one.acts.values())))
        return out.getvalue()

    def totals(self) -> dict[str, Any]:
        """What a notification asks first: how many persons, how many papers (article 33(3)a)."""
        return {
            "export": self.export, "from": self.since, "to": self.until, "persons_concerned": len(self.persons),
            "papers_concerned": sum(one.papers for one in self.persons), "entries_read": self.read,
            "entries_under_an_older_key": self.unread, "entries_unreadable": len(self.unreadable),
            "persons_unknown": len(self.unknown),
        }  # fmt: skip


def read_answer(text: str) -> Answer:
    """An answer as `to_json` wrote it; anything else is NotReadable."""
    try:
        fields = json.loads(text)
        if fields.pop("abri") != "inquiry answer" or fields.pop("v") != 1:
            raise ValueError
        persons = tuple(Touched(**one) for one in fields.pop("persons"))
        lists = {name: tuple(fields[name]) for name in ("others", "unknown", "unreadable")}
        return Answer(**{**fields, "persons": persons, **lists})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotReadable("This is not an answer that `abri inquiry answer` wrote.") from None


def answer(file: bytes, seeds: Sequence[KemSeed], worker: str, since: dt.datetime, until: dt.datetime) -> Answer:
    """Open the export and count what one worker (their account, or the code of their badge) did between two moments.

    `seeds`: the incident key, and those before it when some entries are older than it.
    """
    lines = _opened(file, seeds)
    head, known = lines[0], {line["worker"]: line for line in lines if "worker" in line}
    asked = [one for one in known.values() if worker in (one["worker"], one["code"])]
    if len(asked) != 1:
        raise NotReadable(f"No worker {worker} in this export: give the account's id or the code of the badge.")
    keys, elsewhere = _keys(lines, seeds)
    unreadable: list[str] = []
    owners: set[str] = set()
    unknown: set[str] = set()
    touched: dict[str, list[Mapping[str, Any]]] = {}
    read = unread = 0
    for line in lines:
        if "entry" not in line:
            continue
        owners.add(line["owner"])
        if line["with"] in elsewhere:
            unread += 1
            unknown.add(line["owner"])
            continue
        opened = _event(line, keys.get(line["with"]))
        if opened is None:  # one of them must not keep the others back: it is told
            unreadable.append(line["entry"])
            unknown.add(line["owner"])
            continue
        (event, at), read = opened, read + 1
        if asked[0]["worker"] in (event.get("by"), event.get("beside")) and since <= at <= until:
            touched.setdefault(line["owner"], []).append(event)
    persons = owners - set(head["staff"])
    mine = [person for person in touched if person in persons]
    secrets.SystemRandom().shuffle(mine)
    found = Answer(
        head["export"], asked[0]["worker"], asked[0]["name"], instant(since), instant(until), read, unread,
        tuple(_touched(f"P{place}", person, touched[person]) for place, person in enumerate(mine, 1)),
        tuple(sorted(persons - set(mine) - unknown)), tuple(sorted((persons & unknown) - set(mine))),
        tuple(sorted(unreadable)),
    )  # fmt: skip
    return replace(found, proof=found.proved(bytes.fromhex(head["answer"])))


def _opened(file: bytes, seeds: Sequence[KemSeed]) -> list[dict[str, Any]]:
    try:
        plain = decrypt_file([HybridIdentity(seed) for seed in seeds], file)
        lines = [json.loads(line) for line in plain.splitlines()]
    except (Undecryptable, Malformed):
        raise NotReadable(
            "These halves do not open this file: it was made for another incident key, or it was changed."
        ) from None
    except ValueError:
        lines = []
    if (
        len(lines) < 2
        or lines[0].get("abri") != "inquiry"
        or lines[0].get("v") != 1
        or "answer" not in lines[0]
        or "end" not in lines[-1]
    ):
        raise NotReadable("This is not an export that `abri inquiry export` wrote.")
    return lines


def _keys(lines: Sequence[Mapping[str, Any]], seeds: Sequence[KemSeed]) -> tuple[dict[str, TraceKey], set[str]]:
    """The trace keys that these incident keys open, and which were posted to another one: the key vault's seal is whole on these.

    What is in neither was damaged: no half of any key opens it.
    """
    privates, found, elsewhere = [KemPrivate(seed) for seed in seeds], dict[str, TraceKey](), set[str]()
    for line in (one for one in lines if "key" in one):
        place = contexts.trace_key(session=line["session"], party=contexts.INCIDENT)
        vaulted, posted = bytes.fromhex(line["vault"]), base64.b64decode(line["posted"])
        for private in privates:
            with suppress(CryptoError):
                found[line["key"]] = sealed_trace.open_trace_key(private, vaulted, place, posted)
                break
        if line["key"] not in found and sealed_trace.is_posted(vaulted, place, posted):
            elsewhere.add(line["key"])
    return found, elsewhere


def _event(line: dict[str, Any], key: TraceKey | None) -> tuple[Mapping[str, Any], dt.datetime] | None:
    """What an entry says, and when; None when it does not open or is no event."""
    if key is None:
        return None
    try:
        place = contexts.trace(entry=line["entry"], party=contexts.INCIDENT)
        event = sealed_trace.open_event(key, place, base64.b64decode(line["envelope"]))
        return (event, parse_instant(str(event["at"]))) if event.get("tag") else None
    except (CryptoError, ValueError, KeyError):
        return None


def _touched(pseudonym: str, person: str, events: list[Mapping[str, Any]]) -> Touched:
    moments = sorted(str(event["at"]) for event in events)
    papers = {str(event["paper"]) for event in events if event.get("paper")}
    acts = Counter(str(event["tag"]) for event in events)
    return Touched(pseudonym, person, moments[0], moments[-1], len(papers), dict(sorted(acts.items())))


def first_moment(day: dt.date) -> dt.datetime:
    """When a day begins in Paris."""
    return dt.datetime.combine(day, dt.time(), PARIS).astimezone(dt.UTC)


def last_moment(day: dt.date) -> dt.datetime:
    """The last second of a day in Paris."""
    return first_moment(day + dt.timedelta(days=1)) - dt.timedelta(seconds=1)
