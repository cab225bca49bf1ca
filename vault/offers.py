"""A share in the making: what the person has chosen so far, kept between the pages that ask, and the exact words of the last one.

It waits in the session's sealed state and ends with it. `give` makes the share of it, once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import Connection, select

from consent.ids import GrantId, KindId, PaperId, RequestId, WorkerId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from crypto.canonical import Value, canonical
from storage.tables import grants
from vault import asking, sessions, sharing
from vault.colleagues import LIVING
from vault.context import Context
from vault.errors import NotThere
from vault.languages import Sentences
from vault.receipts import Said
from vault.sessions import Session
from vault.sharing import Offer

PLACE = "offer"


@dataclass(frozen=True)
class Choices:
    """What has been chosen until now; an empty text is not chosen yet. `request` and `kinds` name what is answered, `todo` the kinds
    whose paper is still to be chosen."""

    papers: tuple[PaperId, ...] = ()
    worker: WorkerId | None = None
    purpose: PurposeId | None = None
    own_words: str = field(default="", repr=False)
    acts: frozenset[Act] = frozenset()
    until: date | None = None
    request: RequestId | None = None
    kinds: tuple[KindId, ...] = ()
    todo: tuple[KindId, ...] = ()
    shelf: ShelfKind | None = None  # a whole drawer in the place of papers
    witness: WorkerId | None = None  # who stands for it, in an assisted opening
    given: GrantId | None = None  # the share that was made of exactly this

    @property
    def begun(self) -> bool:
        """Whether it is known what would be shared."""
        return bool(self.papers) or self.shelf is not None

    def offer(self, said: Said, words: str) -> Offer:
        """The share as it will be given. NotThere when a question has no answer yet."""
        if not (self.begun and self.worker and self.purpose and self.acts and self.until):
            raise NotThere
        own = self.own_words if self.purpose == "other" else ""
        return Offer(
            purpose=self.purpose, acts=self.acts, until=self.until, said=said, papers=self.papers, shelf=self.shelf, own_words=own,
            words=words,
        )  # fmt: skip


def told(choices: Choices) -> dict[str, Value]:
    """All of it, as the session keeps it and as the question names it."""
    return {
        "papers": list(choices.papers), "worker": choices.worker or "", "purpose": choices.purpose or "",
        "own_words": choices.own_words, "acts": sorted(act.value for act in choices.acts),
        "until": choices.until.isoformat() if choices.until else "", "request": choices.request or "", "kinds": list(choices.kinds),
        "todo": list(choices.todo),
        "shelf": choices.shelf or "", "witness": choices.witness or "", "given": choices.given or "",
    }  # fmt: skip


def _choices(kept: Value) -> Choices:
    match kept:
        case {
            "papers": list(papers), "worker": str(worker), "purpose": str(purpose), "own_words": str(own), "acts": list(acts),
            "until": str(until), "request": str(request), "kinds": list(kinds), "todo": list(todo), "shelf": str(shelf),
            "witness": str(witness), "given": str(given),
        }:  # fmt: skip
            return Choices(
                tuple(PaperId(str(one)) for one in papers), WorkerId(worker) if worker else None,
                PurposeId(purpose) if purpose else None, own, frozenset(Act(str(one)) for one in acts),
                date.fromisoformat(until) if until else None, RequestId(request) if request else None,
                tuple(KindId(str(one)) for one in kinds), tuple(KindId(str(one)) for one in todo),
                ShelfKind(shelf) if shelf else None, WorkerId(witness) if witness else None,
                GrantId(given) if given else None,
            )  # fmt: skip
    return Choices()


def current(context: Context, session: Session) -> Choices:
    """What has been chosen until now; empty when nothing has."""
    with context.database.transaction(read_only=True) as connection:
        return _choices(sessions.read_state(connection, session, hold=False).get(PLACE))


def keep(context: Context, session: Session, choices: Choices) -> None:
    """Keep it for the next page. Another answer than the one that was given makes another share."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        if choices != _choices(state.get(PLACE)):
            choices = replace(choices, given=None)
        sessions.write_state(connection, session, {**state, PLACE: told(choices)})


def give(context: Context, session: Session, choices: Choices, said: Said, words: str) -> GrantId:
    """Share what was chosen, or answer a request with it. Once: the same yes again, at the same moment too, makes nothing and tells
    the share that there is.

    `words` is the purpose as it was shown. Raises what `sharing.grant` and `asking.give` raise, and NotThere when something else was
    chosen meanwhile.
    """
    offer, worker = choices.offer(said, words), choices.worker or ""
    try:
        with sharing.new_row(context, session.account) as grant, context.database.transaction() as connection:
            state = sessions.read_state(connection, session)  # held: a second tap waits here
            now = _choices(state.get(PLACE))
            if now.given and _lives(connection, session, now.given):
                raise _Given(now.given)
            if replace(now, given=None) != replace(choices, given=None):
                raise NotThere
            if choices.request:
                asking.give_in(context, connection, session, grant, choices.request, WorkerId(worker), choices.kinds, offer)
            else:
                sharing.grant_in(context, connection, session, grant, worker, offer)
            sessions.write_state(connection, session, {**state, PLACE: told(replace(now, given=grant))})
    except _Given as already:
        return already.grant
    return grant


class _Given(Exception):  # no fault: it lets the row that was made for a second share die
    def __init__(self, grant: GrantId) -> None:
        super().__init__()
        self.grant = grant


def _lives(connection: Connection, session: Session, grant: GrantId) -> bool:
    mine = grants.c.id == grant, grants.c.person == session.account, grants.c.state.in_(LIVING)
    return connection.execute(select(grants.c.id).where(*mine)).first() is not None


def forget(context: Context, session: Session) -> None:
    """It was given, or the person said no."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        if state.pop(PLACE, None) is not None:
            sessions.write_state(connection, session, state)


# --- The words ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One sentence of a page that asks: its key, the number in it, its values, those that are sentences themselves by their keys,
    and what stands after it (the month of a paper)."""

    key: str
    n: int | None = None
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    named: Mapping[str, str] = field(default_factory=dict)
    after: str = ""

    def plain(self, sentences: Sentences) -> str:
        """As it stands on the screen."""
        values = {**self.values, **{name: sentences.plain(key) for name, key in self.named.items()}}
        return sentences.plain(self.key, self.n, **values) + self.after


def said(sentences: Sentences, lines: Sequence[Line], *, heard: bool = False, interpreter: bool = False) -> Said:
    """How the person was asked: the language, the version of the wording, the digest of what stood on the screen.

    The version is the digest of the French wording, the same in all languages: a changed word is another version.
    """
    french = sentences.fallback or sentences
    source = "\n".join(french.wording(line.key, line.n).text for line in lines)
    shown = "\n".join(line.plain(sentences) for line in lines)
    return Said(
        sentences.language.code, hashlib.sha256(source.encode()).hexdigest()[:8], hashlib.sha256(shown.encode()).digest(), heard,
        interpreter,
    )  # fmt: skip


def question(said: Said, what: Value) -> str:
    """A question by what stood on the screen and what a yes would do: a form carries it, and its yes is for no other one (ADR 0122)."""
    return hashlib.sha256(said.text_sha256 + canonical({"what": what})).hexdigest()
