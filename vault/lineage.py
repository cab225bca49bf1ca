"""Which version of each paper is the current one, as the person's own trace says: rows are believed only as far as they agree.

The trace is read once. What it said is kept sealed for the person with the last number that was read, and the next unlock reads what
came after. The sealed summary may be put back to yesterday's together with the rows: then more of the trace is read again, and today's
entry is in it.
"""

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Connection, or_, select, update

from crypto.canonical import Value, instant, parse_instant
from crypto.errors import Undecryptable
from crypto.sealing import seal_value, unseal_value
from storage.tables import entries, papers, persons
from vault import audit, labels
from vault.audit import Entry
from vault.context import Context
from vault.sessions import Session

GONE = ("paper.erased", "paper.deposit-undone")
READ_AGAIN = 40  # entries that name no version are read again at each unlock until there are so many
NONE = ""  # stands for the version of a paper that was erased


@dataclass
class Lineage:
    """Each paper's last versions with their moment: what happened in one second is not told apart. `number`: read up to there."""

    number: int = -1
    last: dict[str, tuple[dt.datetime, frozenset[str]]] = field(default_factory=dict)

    def hear(self, entry: Entry) -> None:
        """Take in one entry; in any order, and again, it comes to the same."""
        self.number = max(self.number, entry.number if entry.number is not None else -1)
        paper, version = entry.event.paper, entry.event.version
        if not paper or not (version or entry.event.tag in GONE):
            return
        at, names = self.last.get(paper, (entry.at, frozenset()))
        if entry.at > at:
            at, names = entry.at, frozenset()
        if entry.at == at:
            names = names | {version or NONE}
        self.last[paper] = (at, names)

    def fields(self) -> dict[str, Value]:
        """As it is sealed."""
        said: dict[str, Value] = {paper: [instant(at), *sorted(names)] for paper, (at, names) in self.last.items()}
        return {"v": 1, "number": self.number, "papers": said}


@dataclass(frozen=True)
class Judged:
    """Papers that an older row was put back for, and papers whose rows are gone though nobody erased them."""

    rolled_back: tuple[str, ...]
    missing: tuple[str, ...]


def judge(context: Context, connection: Connection, session: Session) -> Judged:
    """Compare the person's rows with their trace, in the caller's transaction, which holds the drawers: nobody deposits meanwhile."""
    kept = _kept(connection, session)
    before = dict(kept.last)
    # Whatever month it lies in: a tag is bound by nothing, and an entry moved to an old month would not be heard.
    tags = [tag for _, tag in audit.tags_of(context, connection, session)]
    later = or_(entries.c.number.is_(None), entries.c.number > kept.number)
    heard = audit.opened(context, connection, session, audit.copies_of(session, tags).where(later))
    for entry in heard:
        kept.hear(entry)
    found = _compare(context, connection, session, kept)
    for paper in found.missing:  # said once
        kept.last[paper] = (context.clock().replace(microsecond=0), frozenset({NONE}))
    if kept.last != before or len(heard) > READ_AGAIN:
        sealed = seal_value(session.opened().values, labels.preference(person=session.account, name="lineage"), kept.fields())
        connection.execute(update(persons).where(persons.c.account == session.account).values(sealed_lineage=sealed))
    return found


def _kept(connection: Connection, session: Session) -> Lineage:
    """What was read before; what does not open is read anew from the trace."""
    query = select(persons.c.sealed_lineage).where(persons.c.account == session.account)
    sealed = connection.execute(query).scalar_one()
    if sealed is None:
        return Lineage()
    try:
        fields = unseal_value(session.opened().values, labels.preference(person=session.account, name="lineage"), sealed)
        said, number = fields["papers"], fields["number"]
        if not isinstance(said, dict) or not isinstance(number, int):
            return Lineage()
        last = {
            paper: (parse_instant(str(words[0])), frozenset(str(name) for name in words[1:]))
            for paper, words in said.items()
            if isinstance(words, list)
        }
        return Lineage(number, last)
    except (Undecryptable, KeyError, ValueError):
        return Lineage()


def _compare(context: Context, connection: Connection, session: Session, kept: Lineage) -> Judged:
    since = context.clock().date().toordinal() - context.settings.retention.trace
    query = select(papers.c.id, papers.c.version, papers.c.created, papers.c.state).where(papers.c.person == session.account)
    rows = {row.id: row for row in connection.execute(query)}
    wrong = []
    for row in rows.values():
        known = kept.last.get(row.id)
        pruned = known is None and row.created.toordinal() <= since
        if row.state != "refused" and not pruned and (known is None or row.version not in known[1]):
            wrong.append(row.id)
    missing = [paper for paper, (_, names) in kept.last.items() if NONE not in names and paper not in rows]
    return Judged(tuple(sorted(wrong)), tuple(sorted(missing)))
