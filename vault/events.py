"""The vocabulary of the trace. A tag never changes its meaning; each has a sentence in every language (`locales/*/events.po`, key
`event.<tag>`) and a pictogram. Entries are sealed for their parties: no tag, actor or paper is readable at rest.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from crypto.canonical import Value

Group = Literal["access", "paper", "consent", "means", "recovery", "erasure", "maintenance", "structure"]


@dataclass(frozen=True)
class Word:
    """One kind of event: its group, its pictogram, and whether the page shows it as something to worry about."""

    tag: str
    group: Group
    icon: str
    alarming: bool = False


UNREADABLE = "maintenance.unreadable"
"""Never written: what a history shows in the place of a line that does not open."""

WORDS = {
    word.tag: word
    for word in (
        Word("safe.opened-first", "access", "sunrise"),
        Word("safe.unlocked", "access", "key-round"),
        Word("safe.attempt-failed", "access", "circle-x", alarming=True),
        Word("safe.locked", "access", "lock", alarming=True),
        Word("safe.wait-lifted", "access", "hand-helping"),
        Word("safe.session-replaced", "access", "screen-share-off"),
        Word("safe.renamed", "access", "pencil"),
        Word("safe.exported", "access", "download"),
        Word("safe.redrawn", "access", "image"),
        Word("safe.silence-told", "access", "hourglass"),
        Word("safe.conditions-accepted", "access", "file-check"),
        Word("safe.listed", "access", "list"),
        Word("safe.counted", "access", "calculator"),
        Word("safe.history-read", "access", "list-checks"),
        Word("safe.taken-away", "paper", "package-open"),
        Word("safe.brought-in", "paper", "package-plus"),
        Word("safe.joined", "paper", "combine"),
        Word("paper.deposited", "paper", "file-plus"),
        Word("paper.deposited-by-worker", "paper", "file-plus"),
        Word("paper.deposit-undone", "paper", "file-minus"),
        Word("paper.opened", "paper", "eye"),
        Word("paper.seen", "paper", "eye"),
        Word("paper.taken", "paper", "copy"),
        Word("paper.printed", "paper", "printer"),
        Word("paper.to-phone", "paper", "smartphone"),
        Word("paper.to-computer", "paper", "monitor-down"),
        Word("paper.renamed", "paper", "pencil"),
        Word("paper.moved", "paper", "folder-input"),
        Word("paper.replaced", "paper", "file-stack"),
        Word("paper.removed", "paper", "trash-2"),
        Word("paper.restored", "paper", "undo-2"),
        Word("paper.erased", "paper", "eraser"),
        Word("paper.from-phone", "paper", "smartphone"),
        Word("paper.confirmed", "paper", "check"),
        Word("paper.sorted", "paper", "tag"),
        Word("paper.noted", "paper", "pencil"),
        Word("paper.received", "paper", "inbox"),
        Word("paper.copied-to-other", "paper", "copy-plus"),
        Word("paper.copied-from-other", "paper", "copy-check"),
        Word("paper.replaced-by-worker", "paper", "file-stack"),
        Word("paper.version-erased", "paper", "eraser"),
        Word("paper.checked", "paper", "shield-check"),
        Word("paper.described", "paper", "info"),
        Word("paper.refused", "paper", "shield-alert", alarming=True),
        Word("paper.missing", "paper", "file-question-mark", alarming=True),
        Word("paper.refused-to-worker", "paper", "eye-off"),
        Word("shelf.refused", "paper", "shield-alert", alarming=True),
        Word("share.requested", "consent", "message-circle-question"),
        Word("share.request-given", "consent", "check"),
        Word("share.request-have-not", "consent", "circle-slash"),
        Word("share.request-refused", "consent", "x"),
        Word("share.handover-proposed", "consent", "arrow-right-left"),
        Word("share.handover-followed", "consent", "check"),
        Word("share.handover-refused", "consent", "x"),
        Word("share.given", "consent", "handshake"),
        Word("share.given-with-witness", "consent", "handshake"),
        Word("share.shown-to-witness", "consent", "user-round"),
        Word("share.witnessed", "consent", "user-check"),
        Word("share.renewed", "consent", "calendar-plus"),
        Word("share.narrowed", "consent", "minimize-2"),
        Word("share.withdrawn", "consent", "hand"),
        Word("share.listed", "consent", "list"),
        Word("share.expired", "consent", "calendar-x"),
        Word("share.ended", "consent", "user-x"),
        Word("share.reencrypted", "consent", "refresh-cw"),
        Word("outside.given", "consent", "link"),
        Word("outside.opened", "consent", "door-open"),
        Word("outside.seen", "consent", "eye"),
        Word("outside.taken", "consent", "copy"),
        Word("outside.wrong-code", "consent", "circle-x", alarming=True),
        Word("outside.withdrawn", "consent", "hand"),
        Word("outside.expired", "consent", "calendar-x"),
        Word("dossier.made", "consent", "package"),
        Word("means.code-changed", "means", "rectangle-ellipsis"),
        Word("means.card-replaced", "means", "id-card"),
        Word("means.frozen", "means", "snowflake"),
        Word("means.unfrozen", "means", "sun"),
        Word("means.protected", "means", "shield"),
        Word("means.keys-renewed", "means", "key-round"),
        Word("means.words-given", "means", "list"),
        Word("means.assisted-on", "means", "hand-helping"),
        Word("means.assisted-off", "means", "hand"),
        Word("means.card-kept", "means", "id-card"),
        Word("means.card-returned", "means", "undo-2"),
        Word("means.helped", "means", "hand-helping"),
        Word("safe.opened-with-help", "access", "hand-helping"),
        Word("directive.recorded", "means", "scroll-text"),
        Word("directive.changed", "means", "pencil"),
        Word("directive.revoked", "means", "undo-2"),
        Word("recovery.circle-set", "recovery", "users"),
        Word("recovery.circle-confirmed", "recovery", "user-check"),
        Word("recovery.guardian-left", "recovery", "user-x"),
        Word("recovery.sheet-printed", "recovery", "scroll-text"),
        Word("recovery.started", "recovery", "life-buoy", alarming=True),
        Word("recovery.confirmed", "recovery", "user-check"),
        Word("recovery.stopped", "recovery", "octagon-x", alarming=True),
        Word("recovery.finished", "recovery", "door-open", alarming=True),
        Word("recovery.expired", "recovery", "timer-off"),
        Word("death.reported", "recovery", "snowflake", alarming=True),
        Word("death.certified", "recovery", "file-check", alarming=True),
        Word("death.denied", "recovery", "sunrise"),
        Word("death.handed", "recovery", "package-open", alarming=True),
        Word("erasure.asked", "erasure", "eraser", alarming=True),
        Word("erasure.cancelled", "erasure", "undo-2"),
        Word("erasure.recipient-answered", "erasure", "check"),
        Word("erasure.witnessed", "erasure", "user-check"),
        Word("maintenance.migrated", "maintenance", "wrench"),
        Word("maintenance.restored", "maintenance", "wrench"),
        Word("maintenance.scrubbed", "maintenance", "wrench"),
        Word("maintenance.repaired", "maintenance", "wrench"),
        Word("maintenance.rotated", "maintenance", "key-round"),
        Word("maintenance.damaged", "maintenance", "file-x", alarming=True),
        Word(UNREADABLE, "maintenance", "file-x", alarming=True),
        Word("inquiry.exported", "maintenance", "siren"),
        Word("inquiry.concerned", "maintenance", "siren", alarming=True),
        Word("inquiry.not-concerned", "maintenance", "check"),
        Word("inquiry.named", "structure", "siren"),
        Word("administrator.added", "structure", "user-check"),
        Word("administrator.removed", "structure", "user-x"),
        Word("worker.signed-in", "structure", "log-in"),
        Word("desk.listed", "structure", "list"),
        Word("desk.acts-read", "structure", "list-checks"),
        Word("worker.sign-in-failed", "structure", "circle-x", alarming=True),
        Word("worker.asked-arrived", "structure", "mail-question-mark"),
        Word("worker.asked-to-block", "structure", "snowflake"),
        Word("worker.charter-read", "structure", "scroll-text"),
        Word("worker.key-added", "structure", "key-round"),
        Word("worker.key-removed", "structure", "trash-2", alarming=True),
        Word("worker.means-renewed", "structure", "refresh-cw"),
        Word("worker.wait-lifted", "structure", "hand-helping"),
        Word("worker.invited", "structure", "user-plus"),
        Word("worker.accepted", "structure", "user-check"),
        Word("worker.certified", "structure", "badge-check"),
        Word("worker.suspended", "structure", "pause"),
        Word("worker.returned", "structure", "play"),
        Word("worker.ended", "structure", "user-x"),
        Word("kiosk.enrolled", "structure", "monitor"),
        Word("kiosk.retired", "structure", "monitor-off"),
        Word("closing.proposed", "structure", "calendar-x"),
        Word("closing.announced", "structure", "calendar-x", alarming=True),
        Word("closing.call-off-asked", "structure", "undo-2"),
        Word("closing.called-off", "structure", "undo-2"),
        Word("closing.kept", "structure", "check"),
        Word("procedure.changed", "structure", "list-checks"),
        Word("rights.received", "structure", "inbox"),
        Word("rights.identified", "structure", "user-check"),
        Word("rights.extended", "structure", "calendar-plus"),
        Word("rights.approved", "structure", "check"),
        Word("rights.carried-out", "structure", "play"),
        Word("rights.restricted", "structure", "pause"),
        Word("rights.unrestricted", "structure", "play"),
        Word("requisition.extracted", "structure", "siren"),
        Word("requisition.answered", "structure", "siren", alarming=True),
        Word("rights.refused", "structure", "x"),
        Word("rights.closed", "structure", "archive"),
        Word("rights.undo-asked", "structure", "undo-2"),
        Word("rights.undo-kept", "structure", "check"),
    )
}


def sentence(tag: str, by: str) -> str:
    """The name of the sentence that tells an event: who did not ask for an erasure is not told that they did."""
    return "event.erasure.begun" if tag == "erasure.asked" and not by else f"event.{tag}"


@dataclass(frozen=True)
class Event:
    """Something that happened. Texts; an empty one says nothing. `title` and `place` are for the person's copy alone."""

    tag: str
    by: str = ""  # the account that acted; empty for the service itself
    by_name: str = ""  # the worker's shown name; empty for the person
    beside: str = ""  # the worker who sat beside the person in an opening with help, and saw what they saw
    paper: str = ""
    version: str = ""  # of a paper: the last one that the person's trace names is the current one
    title: str = field(default="", repr=False)
    grant: str = ""
    purpose: str = ""
    act: str = ""
    place: str = ""  # kiosk or structure: never shown unless the person asks
    detail: str = ""

    def __post_init__(self) -> None:
        if self.tag not in WORDS:
            raise ValueError(f"{self.tag} is not in the vocabulary of the trace")

    def for_person(self) -> "Event":
        """All of it: it is their history."""
        return self

    def for_worker(self, worker: str) -> "Event":
        """Names the person by the grant's id alone, and tells no title: it must name nobody once the person is erased."""
        return replace(self, by=self.by if self.by == worker else "", title="", place="")

    def for_incident(self) -> "Event":
        """Who touched which safe, when; nothing of what is in it (G15): no title, reason or place, and no kind of a paper."""
        detail = "" if WORDS[self.tag].group in ("paper", "consent") else self.detail
        return replace(self, title="", purpose="", place="", detail=detail)

    def fields(self, at: str) -> dict[str, Value]:
        """The event as sealed: `v`, exact time inside, empty texts left out."""
        texts = {name: value for name, value in vars(self).items() if value}
        return {"v": 1, "at": at, **texts}
