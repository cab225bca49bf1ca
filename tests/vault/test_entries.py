"""Every use case writes exactly its entries: read from the code for all of them, and counted one by one for a day of life.

What to do when the first test fails: a use case that changes something calls `audit.record` in its transaction, with a word of
`vault/events.py` (a sentence and a pictogram for it); or it stands below, with the reason why it rightly writes nothing. Then
`python -m tests.vault.use_cases` writes the table anew: read its difference, it is what changed.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from consent.ids import PaperId
from consent.purposes import ShelfKind
from crypto import contexts
from crypto import trace as sealed_trace
from crypto.errors import Undecryptable
from storage.tables import accounts, entries, entry_copies, trace_keys
from tests.vault.builders import OTHER_CODE, MadePerson, make_office, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.conftest import INCIDENT_SEED
from tests.vault.papers import SAID, keep, prepared, read
from tests.vault.test_sharing import SEE, UNTIL, offer, second_day, taken
from tests.vault.use_cases import PINNED, table, use_cases
from vault import (
    audit,
    cards,
    documents,
    looking_back,
    opening_shared,
    people,
    recount,
    shared_papers,
    sharing,
    unlocking,
    withdrawing,
)
from vault.context import Context
from vault.errors import AbriError, NotThere, WrongSecret
from vault.events import WORDS

# What changes rows and rightly writes nothing, by the reason.
SCREEN = "what a screen keeps between two pages: nothing of the safe has changed"
PART = "a part of other use cases, in their transaction: they write the entry"
NOBODY = "nobody's yet: a half-made safe or an invitation that was not accepted leaves no trace (pas aujourd'hui)"
SWEEP = "takes away what is over: what ended it was written when it ended"
TREE = "the trace itself: numbers, heads, witnesses"
OFFICE = "the service or an operator alone (conditions, notice of closing, structures, kiosks): it touches no person's data"
REMINDER = "a sentence that waits for a worker: what it is about was written when it began"
ROOM = "a room for training: everything in it is false, and goes when it is made anew"
OWN = "how one's own pages look"
COUNTS = "counts that are tied to nobody"
ASKED = "asks for what each person's own unlock does, and writes then"
WRITES_NOTHING = {
    ASKED: "rekeying.ask_everyone",
    SCREEN: (
        "adding.agree adding.forget adding.keep adding.show_square drafts.add drafts.adjust drafts.drop drafts.remove "
        "offers.forget offers.keep "
        "first_page.came "
        "first_page.told once.forget once.keep sending.forget sending.keep sessions.extend sessions.find sessions.look_again sessions.end "
        "sessions.end_of unlocking.present_card "
        "copying.offer copying.refuse leaving.to_phone leaving.from_phone notices.seen handing.ready assisted.start recovery.state "
        "recovery.new_code joining.show_card "
        "coming_back.wait sessions.look_again "
        "witnessed.ask witnessed.decline witnessed.forget "
        "authenticators.ask_key ceremonies.keep_challenge ceremonies.take_challenge confirming.ask entering.asked entering.start"
    ),
    PART: (
        "aftermath.end_ways circles.dissolve circles.form circles.void_sheets documents.trace_own endings.doom endings.end_row "
        "directives.write directives.forget directives.follow "
        "endings.end_rows looking.own looking.say_own looking.say_page looking.say_shared removing.erase_rows slots.end trying.attempt "
        "passkeys.check passkeys.remove sessions.acting "
        "maintaining.tell_everyone assisting.worker_left"
    ),
    NOBODY: (
        "opening.start opening.keep opening.not_today inviting.start_accepting inviting.acceptance inviting.cancel_invitation "
        "inviting.sweep_invitations"
    ),
    SWEEP: (
        "witnessed.sweep forgetting.forget_administrators forgetting.forget_workers "
        "asking.expire assisted.sweep attempts.sweep endings.finish erasing.carry_out notices.sweep orphans.sweep sessions.sweep "
        "tickets.sweep tasks.erase_due tasks.finish_endings tasks.run_due tasks.run_until terms.close_registers "
        "terms.forget_turns terms.prune_trace"
    ),
    TREE: (
        "checkpoints.ask_again checkpoints.covering checkpoints.publish checkpoints.remember proofs.inclusion proofs.of_own "
        "recount.nightly "
        "witnesses.cosigned receipt_files.of_all receipt_files.of_share"
    ),
    OFFICE: (
        "closing.announce closing.tell "
        "conditions.publish service_keys.reseal administrators.create administrators.create_operator kiosks.change "
        "kiosks.renew_token workers.create_structure"
    ),
    REMINDER: "article19.remind",
    ROOM: "training.enter",
    OWN: (
        "authenticators.rename_key people.attempts_told "
        "people.own_preferences people.reviewed reviewing.finish reviewing.keep people.show_places "
        "first_day.still_yes"
    ),
    COUNTS: "figures.tonight",
}


def test_every_use_case_that_changes_something_writes_or_says_why_not() -> None:
    excused = {name for names in WRITES_NOTHING.values() for name in names.split()}
    found = {one.name: one.tags for one in use_cases()}
    silent = {name for name, tags in found.items() if not tags}
    assert silent - excused == set(), "these change something and write no entry: see the head of this file"
    assert excused - silent == set(), "these write something now, or are gone: take them out of WRITES_NOTHING"


def test_which_words_each_use_case_writes_is_pinned() -> None:
    assert table() == PINNED.read_text(), (
        "what a use case writes has changed: `python -m tests.vault.use_cases`, then read the difference"
    )


def test_words_that_were_ever_sealed_stay() -> None:
    """The first vocabulary, as it was sealed: each tag is still there, in its group. New ones are added below, never changed."""
    assert FIRST_WORDS.items() <= {tag: word.group for tag, word in WORDS.items()}.items()
    assert not [tag for tag in WORDS if tag.split(".")[0] != tag.split(".")[0].lower() or tag.count(".") != 1]


def tags(house: Context) -> dict[str, str]:
    """Every entry there is with its word, read with the incident key: nothing is missed, whoever it is about."""
    found: dict[str, str] = {}
    with house.database.transaction(read_only=True) as connection:
        everybody = connection.scalars(select(accounts.c.id)).all()
        rows = connection.execute(
            select(entry_copies.c.entry, entry_copies.c.envelope, trace_keys.c.session, trace_keys.c.posted)
            .join(trace_keys, trace_keys.c.id == entry_copies.c.key)
            .where(entry_copies.c.party == "incident")
        ).all()
        count = connection.scalar(select(func.count()).select_from(entries))
    for row in rows:
        place = contexts.trace_key(session=row.session, party=contexts.INCIDENT)
        for account in everybody:
            try:
                key = sealed_trace.open_trace_key(
                    INCIDENT_SEED, house.keyvault.derive("person", account, place), place, row.posted
                )
            except Undecryptable:
                continue
            event = sealed_trace.open_event(key, contexts.trace(entry=row.entry, party=contexts.INCIDENT), row.envelope)
            found[row.entry] = str(event["tag"])
    assert len(found) == count  # each entry has its copy for an inquiry
    return found


class Ledger:
    """What was written since the last look."""

    def __init__(self, house: Context) -> None:
        self.house, self.known = house, set(tags(house))

    def new(self) -> list[str]:
        now = tags(self.house)
        found = sorted(tag for entry, tag in now.items() if entry not in self.known)
        self.known = set(now)
        return found


def test_a_day_of_life_writes_exactly_this(any_house: Context, clock: Clock) -> None:
    house = any_house
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house, "Awa")
    second_day(house, clock, awa, fatou)
    ledger = Ledger(house)
    made: dict[str, PaperId] = {}

    def deposit() -> None:
        made["paper"] = keep(house, awa.session, "Avis")

    def wrong() -> None:
        with pytest.raises(WrongSecret):
            unlocking.unlock(house, show_card(house, awa.card), OTHER_CODE)

    def unknown() -> None:
        (card,) = cards.new_cards(1)
        with pytest.raises(WrongSecret):
            unlocking.unlock(house, show_card(house, card.text), OTHER_CODE)

    def refused() -> None:
        with pytest.raises(NotThere):
            opening_shared.take(house, fatou.session, grant, other)

    session = awa.session
    steps: list[tuple[Callable[[], object], list[str]]] = [
        (deposit, ["paper.deposited"]),
        (lambda: documents.rename(house, session, made["paper"], "Avis 2026"), ["paper.renamed"]),
        (lambda: documents.move(house, session, made["paper"], ShelfKind("housing")), ["paper.moved"]),
        (lambda: read(house, session, made["paper"]), ["paper.opened"]),
        (lambda: keep(house, session, "Avis", shelf="housing", replaces=made["paper"]), ["paper.replaced"]),
        (lambda: documents.remove(house, session, made["paper"]), ["paper.removed"]),
        (lambda: documents.restore(house, session, made["paper"]), ["paper.restored"]),
        (lambda: people.rename(house, session, "Awa B."), ["safe.renamed"]),
        (lambda: documents.list_papers(house, session), ["safe.listed"]),
        (lambda: documents.list_papers(house, session, ShelfKind("housing")), []),  # said once in a session: ADR 0047
        (lambda: documents.drawers(house, session), ["safe.counted"]),
        (lambda: [documents.count(house, session), people.me(house, session)], []),
        (lambda: looking_back.sheet(house, session, 5), ["safe.history-read"]),
        (lambda: looking_back.sheet(house, session, 5), []),
    ]
    for number, (act, expected) in enumerate(steps):
        act()
        assert ledger.new() == expected, number
    other = keep(house, session, "caché")
    ledger.new()
    grant = sharing.grant(house, session, fatou.id, offer(made["paper"]))
    assert ledger.new() == ["share.given"]
    more: list[tuple[Callable[[], object], list[str]]] = [
        (lambda: shared_papers.people_sharing(house, fatou.session), ["desk.listed"]),
        (lambda: shared_papers.papers_shared(house, fatou.session, grant), ["share.listed"]),
        (lambda: shared_papers.papers_shared(house, fatou.session, grant), []),
        (lambda: looking_back.sheet(house, fatou.session, 5), ["desk.acts-read"]),
        (lambda: taken(house, fatou, grant, made["paper"]), ["paper.taken"]),
        (refused, ["paper.refused-to-worker"]),
        (lambda: sharing.renew(house, session, grant, UNTIL + dt.timedelta(days=1), SAID), ["share.renewed"]),
        (lambda: withdrawing.withdraw(house, session, grant, SAID), ["share.withdrawn"]),
        (lambda: withdrawing.withdraw(house, session, grant, SAID), []),  # safe to repeat, and said once
        (wrong, ["safe.attempt-failed"]),
        (unknown, []),  # nobody's safe: ADR 0031
        (lambda: unlock(house, awa), ["safe.session-replaced", "safe.unlocked"]),
        (lambda: sign_in(house, fatou), ["worker.signed-in"]),
    ]
    for number, (act, expected) in enumerate(more):
        act()
        assert ledger.new() == expected, number
    assert recount.count(house).faults == (), "whatever a day writes is found and opened by those it is about"


class Dying:
    """Ids, until the one that never comes: the use case dies there, with what it wrote before."""

    class Died(Exception):
        """Nobody catches this."""

    def __init__(self, house: Context, after: int) -> None:
        self.house, self.left = house, after

    def __call__(self) -> str:
        if not self.left:
            raise Dying.Died
        self.left -= 1
        return self.house.new_id()


def test_what_a_worker_tried_in_vain_is_read_by_the_person(house: Context, clock: Clock) -> None:
    """Also when the rules said yes and the key was gone, and when only a list was asked for: once in a session, that one."""
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    paper = keep(house, awa.session, "Avis")
    second_day(house, clock, awa, fatou)
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper))

    def attempts() -> list[tuple[str, str]]:
        found = [one.event for one in audit.history(house, awa.session) if one.event.tag == "paper.refused-to-worker"]
        return sorted(((event.paper, event.act) for event in found), reverse=True)

    documents.move(house, awa.session, paper, ShelfKind("private"))
    with pytest.raises(NotThere):
        shared_papers.take(house, fatou.session, grant, paper)
    assert attempts() == [(paper, "take")]
    withdrawing.withdraw(house, awa.session, grant, SAID)
    for _ in range(2):
        with pytest.raises(NotThere):
            shared_papers.papers_shared(house, fatou.session, grant)
    assert attempts() == [(paper, "take"), ("", "")]
    yonas = make_worker(house, make_office(house, "Accueil du Canal"), "Yonas")
    with pytest.raises(NotThere):
        shared_papers.papers_shared(house, yonas.session, grant)  # an address that was never theirs concerns nobody
    assert len(attempts()) == 2


@pytest.mark.parametrize("what", ["deposit", "grant", "rename"])
def test_what_is_rolled_back_leaves_no_entry(any_house: Context, what: str) -> None:
    house, awa = any_house, make_person(any_house, "Awa")
    fatou = make_worker(house, make_office(house))
    paper = keep(house, awa.session, "Avis")

    def act(on: Context) -> object:
        if what == "deposit":
            return documents.deposit(on, awa.session, prepared("autre"), ShelfKind("money"), title="Lettre")
        if what == "grant":
            return sharing.grant(on, awa.session, fatou.id, offer(paper, acts=SEE))
        return documents.rename(on, awa.session, paper, "Autre")

    def trace() -> tuple[set[str], set[str]]:
        with house.database.transaction(read_only=True) as connection:
            return set(connection.scalars(select(entries.c.id))), set(connection.scalars(select(trace_keys.c.id)))

    before, deaths = trace(), 0
    for after in range(40):
        try:
            act(dataclasses.replace(house, new_id=Dying(house, after)))
        except Dying.Died:
            deaths += 1
            assert trace() == before, after
        else:
            break
    assert deaths > 0
    assert len(trace()[0]) == len(before[0]) + 1


def test_a_refused_act_of_the_person_leaves_nothing(house: Context) -> None:
    awa, mariam = make_person(house, "Awa"), make_person(house, "Mariam")
    paper, ledger = keep(house, awa.session), Ledger(house)
    acts: list[Callable[[MadePerson], object]] = [
        lambda who: documents.rename(house, who.session, paper, "x"),
        lambda who: documents.remove(house, who.session, paper),
        lambda who: read(house, who.session, paper),
    ]
    for act in acts:
        with pytest.raises(AbriError):
            act(mariam)
    assert ledger.new() == []


FIRST_WORDS = {
    "safe.opened-first": "access", "safe.unlocked": "access", "safe.attempt-failed": "access",
    "safe.locked": "access", "safe.wait-lifted": "access", "safe.session-replaced": "access",
    "safe.renamed": "access", "safe.exported": "access", "safe.redrawn": "access",
    "safe.taken-away": "paper", "safe.brought-in": "paper", "safe.joined": "paper",
    "paper.deposited": "paper", "paper.deposited-by-worker": "paper", "paper.deposit-undone": "paper",
    "paper.opened": "paper", "paper.seen": "paper", "paper.taken": "paper",
    "paper.printed": "paper", "paper.to-phone": "paper", "paper.to-computer": "paper",
    "paper.renamed": "paper", "paper.moved": "paper", "paper.replaced": "paper",
    "paper.removed": "paper", "paper.restored": "paper", "paper.erased": "paper",
    "paper.from-phone": "paper", "paper.confirmed": "paper", "paper.sorted": "paper",
    "paper.noted": "paper", "paper.received": "paper", "paper.copied-to-other": "paper",
    "paper.copied-from-other": "paper", "paper.replaced-by-worker": "paper", "paper.version-erased": "paper",
    "paper.checked": "paper", "paper.described": "paper", "paper.refused": "paper",
    "paper.missing": "paper", "paper.refused-to-worker": "paper", "shelf.refused": "paper",
    "share.requested": "consent", "share.request-given": "consent", "share.request-have-not": "consent",
    "share.request-refused": "consent", "share.handover-proposed": "consent", "share.handover-followed": "consent",
    "share.handover-refused": "consent", "share.given": "consent", "share.renewed": "consent",
    "share.narrowed": "consent", "share.withdrawn": "consent", "share.expired": "consent",
    "share.ended": "consent", "share.reencrypted": "consent", "outside.given": "consent",
    "outside.opened": "consent", "outside.seen": "consent", "outside.taken": "consent",
    "outside.wrong-code": "consent", "outside.withdrawn": "consent", "outside.expired": "consent",
    "dossier.made": "consent", "means.code-changed": "means", "means.card-replaced": "means",
    "means.frozen": "means", "means.unfrozen": "means", "means.protected": "means",
    "means.words-given": "means", "means.assisted-on": "means", "means.assisted-off": "means",
    "recovery.circle-set": "recovery", "recovery.circle-confirmed": "recovery", "recovery.sheet-printed": "recovery",
    "recovery.started": "recovery", "recovery.confirmed": "recovery", "recovery.stopped": "recovery",
    "recovery.finished": "recovery", "recovery.expired": "recovery", "erasure.asked": "erasure",
    "erasure.cancelled": "erasure", "erasure.witnessed": "erasure", "maintenance.migrated": "maintenance",
    "maintenance.restored": "maintenance", "maintenance.scrubbed": "maintenance", "maintenance.repaired": "maintenance",
    "maintenance.rotated": "maintenance", "maintenance.damaged": "maintenance", "maintenance.unreadable": "maintenance",
    "inquiry.exported": "maintenance",
    "inquiry.concerned": "maintenance", "inquiry.not-concerned": "maintenance", "inquiry.named": "structure",
    "worker.signed-in": "structure", "worker.sign-in-failed": "structure", "worker.asked-arrived": "structure",
    "worker.charter-read": "structure", "worker.wait-lifted": "structure", "worker.invited": "structure",
    "worker.accepted": "structure", "worker.certified": "structure", "worker.suspended": "structure",
    "worker.returned": "structure", "worker.ended": "structure", "kiosk.enrolled": "structure",
    "kiosk.retired": "structure", "procedure.changed": "structure", "rights.received": "structure",
    "rights.identified": "structure", "rights.extended": "structure", "rights.approved": "structure",
    "rights.refused": "structure", "rights.closed": "structure",
}  # fmt: skip
