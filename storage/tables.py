"""The whole schema on one page. Each column names its data class and its erasure rule (`storage.columns`).

What a thief of these rows sees: counts, sizes, days, workers' names, and which safe is tied to which worker. What they do not
see: a title, a file name, a drawer, a purpose, a contact, a history, a person's name. Drawers are random ids, their kind is
sealed. Three databases: `metadata` is the main one; `vault_metadata` is the key vault's, on a machine of its own in production;
`tombstone_metadata` says what was destroyed, to restored backups.
"""

from sqlalchemy import Index, MetaData, Table, UniqueConstraint

from storage.columns import Erasure, day, flag, ident, moment, number, octets, small, text, word

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)
vault_metadata = MetaData(naming_convention=NAMES)
tombstone_metadata = MetaData(naming_convention=NAMES)

PERSON: Erasure = "with the person"
PAPER: Erasure = "with the paper"
ACCOUNT: Erasure = "with the account"
TERM: Erasure = "at its term"
FIVE: Erasure = "five years after closing"
NEVER: Erasure = "never personal"

# --- Who: structures, accounts, ways in -----------------------------------------------------------------------------------

operators = Table(
    "operators", metadata,
    ident("id", "technical", NEVER, primary_key=True),
    text("name", "public", NEVER),
    text("contact", "public", NEVER),
)  # fmt: skip

structures = Table(
    "structures", metadata,
    ident("id", "technical", NEVER, primary_key=True),
    ident("operator", "technical", NEVER, "operators.id", index=True),
    text("name", "public", NEVER),
    text("contact", "public", NEVER),
)  # fmt: skip

procedure_editions = Table(  # lists of papers as an operator's administrators changed them; what the file says is edition 0
    "procedure_editions", metadata,
    ident("operator", "technical", NEVER, "operators.id", primary_key=True),
    word("procedure", "public", NEVER, primary_key=True),
    small("number", "technical", NEVER, primary_key=True),
    text("content", "public", NEVER),
    ident("by", "technical", ACCOUNT, nullable=True),  # the administrator; their name goes with their account
    moment("at", "technical", NEVER),
)  # fmt: skip

kiosks = Table(
    "kiosks", metadata,
    ident("id", "technical", NEVER, primary_key=True),
    ident("structure", "technical", NEVER, "structures.id", index=True),
    text("name", "public", NEVER),
    ident("token_digest", "digest", NEVER, unique=True),
    flag("camera", "technical", NEVER), flag("scanner", "technical", NEVER),
    flag("printer", "technical", NEVER), flag("sound", "technical", NEVER),
    word("state", "technical", NEVER),  # in-use, retired
)  # fmt: skip

accounts = Table(
    "accounts", metadata,
    ident("id", "technical", ACCOUNT, primary_key=True),
    word("kind", "technical", ACCOUNT),  # person, worker, administrator
    word("state", "technical", ACCOUNT),  # half-made, open, frozen, mourned (reported dead), leaving, erasing, suspended, ended
    day("created", "technical", ACCOUNT),
    moment("term", "technical", TERM, nullable=True),  # a half-made account is erased at this moment
    octets("kem_public", "public", ACCOUNT), octets("sign_public", "public", ACCOUNT),
    octets("sealed_kem", "sealed", ACCOUNT), octets("sealed_sign", "sealed", ACCOUNT), octets("sealed_values", "sealed", ACCOUNT),
    octets("keys_statement", "public", ACCOUNT),  # the person's public keys, signed by the service at enrolment, then by the last
    octets("keys_signature", "public", ACCOUNT),
    flag("keys_due", "technical", ACCOUNT),  # the service asks that these keys turn at the next unlock
)  # fmt: skip

earlier_keys = Table(  # a person's public keys of before: what they signed goes on verifying
    "earlier_keys", metadata,
    ident("account", "technical", ACCOUNT, "accounts.id", primary_key=True),
    small("serial", "technical", ACCOUNT, primary_key=True),
    octets("statement", "public", ACCOUNT), octets("signature", "public", ACCOUNT),
    octets("sealed_kem", "sealed", ACCOUNT, nullable=True),  # for an hour at least: what was being posted as the keys turned
    moment("until", "technical", ACCOUNT),
)  # fmt: skip

persons = Table(
    "persons", metadata,
    ident("account", "technical", PERSON, "accounts.id", primary_key=True),
    word("number_digest", "digest", PERSON, unique=True, nullable=True),  # the account number, printed on a slip apart
    octets("sealed_number", "sealed", PERSON, nullable=True),
    octets("sealed_name", "sealed", PERSON, nullable=True),
    octets("sealed_drawing", "sealed", PERSON),
    octets("sealed_conditions", "sealed", PERSON),  # version, language, heard aloud: the proof of R55-2
    word("stage", "technical", PERSON),  # today, complete: opening has two steps
    number("bytes_kept", "technical", PERSON),
    small("pages_kept", "technical", PERSON),
    moment("frozen", "technical", PERSON, nullable=True),
    moment("restricted", "technical", PERSON, nullable=True),  # article 18, or a judge: nothing is erased or shared meanwhile
    octets("sealed_preferences", "sealed", PERSON, nullable=True),  # hide places, last openings shown: said only to the person
    day("last_month", "technical", PERSON),  # the first day of the month of the last opening: no more precise than a term of 36 months
    small("silence_told", "technical", PERSON),  # how often its silence was told since then
    day("silence_told_on", "technical", PERSON, nullable=True),  # the last time: what ends it comes a year later, whatever the clock says
    flag("returned", "technical", PERSON),  # opened again after 30 days: counted once in the yearly figures
    ident("closing_told", "technical", PERSON, nullable=True),  # which announcement that the service closes was told, and not taken back
    octets("sealed_lineage", "sealed", PERSON, nullable=True),  # the current version of each paper, as the person's trace says
)  # fmt: skip

workers = Table(
    "workers", metadata,
    ident("account", "technical", ACCOUNT, "accounts.id", primary_key=True),
    ident("structure", "public", ACCOUNT, "structures.id", index=True),
    text("first_name", "public", ACCOUNT),
    word("role", "public", ACCOUNT),
    word("state", "public", ACCOUNT),  # invited, certified, suspended, ended
    day("ends", "public", ACCOUNT, nullable=True),
    day("absent_until", "public", ACCOUNT, nullable=True),
    moment("away_since", "public", ACCOUNT, nullable=True),  # since when they are not at work: suspended, or ended
    day("left_on", "public", ACCOUNT, nullable=True),  # not `ends`: that is what the certificate says, and it must go on holding
    word("code", "public", ACCOUNT, unique=True),  # what a watermark and a sign-in page call them
    octets("certificate", "public", ACCOUNT, nullable=True),
    octets("sealed_totp", "sealed", ACCOUNT),
    number("totp_used", "technical", ACCOUNT),  # the last time step accepted: a code opens one door once
    word("charter_version", "register", ACCOUNT, nullable=True),
)  # fmt: skip

certificate_signatures = Table(
    "certificate_signatures", metadata,
    ident("worker", "public", ACCOUNT, "accounts.id", primary_key=True),
    ident("administrator", "public", ACCOUNT, "accounts.id", primary_key=True),
    small("serial", "public", ACCOUNT, primary_key=True),
    octets("signature", "public", ACCOUNT),
)  # fmt: skip

administrators = Table(
    "administrators", metadata,
    ident("account", "technical", ACCOUNT, "accounts.id", primary_key=True),
    ident("operator", "public", ACCOUNT, "operators.id", index=True),
    text("first_name", "public", ACCOUNT),
    word("code", "public", ACCOUNT, unique=True),
    octets("sealed_totp", "sealed", ACCOUNT),
    number("totp_used", "technical", ACCOUNT),
    day("left_on", "technical", ACCOUNT, nullable=True),  # their name goes 12 months later
)  # fmt: skip

invitations = Table(
    "invitations", metadata,
    ident("digest", "digest", TERM, primary_key=True),  # of the code handed over in person
    ident("structure", "public", TERM, "structures.id"),
    ident("by", "public", TERM, "accounts.id"),
    text("first_name", "public", TERM),
    word("role", "public", TERM),
    day("ends", "public", TERM, nullable=True),
    moment("term", "technical", TERM),
)  # fmt: skip

slots = Table(
    "slots", metadata,
    ident("id", "technical", ACCOUNT, primary_key=True),
    ident("account", "technical", ACCOUNT, "accounts.id", index=True),
    word("kind", "technical", ACCOUNT),  # card-pin, card-pictures, words, recovery, assist, passphrase, prf
    word("state", "technical", ACCOUNT),  # live, vetoing, ended
    ident("shown_digest", "digest", ACCOUNT, nullable=True, index=True),  # the card's id, or the account number's digest
    octets("salt", "technical", ACCOUNT),
    number("memory_cost", "technical", ACCOUNT), number("time_cost", "technical", ACCOUNT),
    octets("sealed_secret", "sealed", ACCOUNT, nullable=True),  # removed when the slot ends
    ident("veto_digest", "digest", TERM, nullable=True),
    moment("veto_until", "technical", TERM, nullable=True),
    small("wrong_in_a_row", "technical", ACCOUNT),  # 20 between two right ones end the slot
    day("created", "technical", ACCOUNT),
    day("used", "technical", ACCOUNT, nullable=True),  # the last day it opened: of workers and administrators alone
)  # fmt: skip

passkeys = Table(  # authenticators of workers and administrators; one that gives a secret of its own has a way in beside (prf)
    "passkeys", metadata,
    ident("id", "technical", ACCOUNT, primary_key=True),
    ident("account", "technical", ACCOUNT, "accounts.id", index=True),
    ident("credential_digest", "digest", ACCOUNT, unique=True),
    octets("credential", "technical", ACCOUNT), octets("public_key", "public", ACCOUNT),
    number("uses", "technical", ACCOUNT),  # the authenticator's own count: one that goes back is a copy
    ident("slot", "technical", ACCOUNT, nullable=True),
    text("name", "technical", ACCOUNT),  # what its owner calls it
    day("created", "technical", ACCOUNT), day("used", "technical", ACCOUNT, nullable=True),
)  # fmt: skip

attempts = Table(  # by what was shown, known or not, so that nothing tells an unknown card from a wrong code
    "attempts", metadata,
    ident("shown_digest", "digest", TERM, primary_key=True),
    small("wrong", "technical", TERM),
    moment("wait_until", "technical", TERM, nullable=True),
    moment("last", "technical", TERM),
)  # fmt: skip

sessions = Table(
    "sessions", metadata,
    ident("id", "digest", TERM, primary_key=True),  # kdf(cookie, "session-id")
    ident("session", "technical", TERM, unique=True),  # the id that contexts and the key vault use
    ident("account", "link", TERM, "accounts.id", nullable=True, index=True),
    ident("slot", "technical", TERM, nullable=True, index=True),
    word("kind", "technical", TERM),  # person, card (narrowing only), assisted, worker, administrator, opening, recovering
    ident("kiosk", "link", TERM, nullable=True),
    octets("sealed_seeds", "sealed", TERM, nullable=True),
    octets("sealed_state", "sealed", TERM, nullable=True),  # what a page keeps between two requests (a photo being read, a step)
    moment("created", "technical", TERM), moment("last_seen", "technical", TERM), moment("term", "technical", TERM),
)  # fmt: skip

# --- What: drawers, papers, versions, objects ------------------------------------------------------------------------------

shelves = Table(
    "shelves", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    small("epoch", "technical", PERSON, primary_key=True),
    ident("person", "technical", PERSON, "accounts.id", index=True),
    octets("sealed_kind", "sealed", PERSON),
    octets("sealed_seed", "sealed", PERSON),
    octets("public_key", "public", PERSON),
    octets("statement", "public", PERSON), octets("signature", "public", PERSON),
    flag("current", "technical", PERSON),
)  # fmt: skip

papers = Table(
    "papers", metadata,
    ident("id", "technical", PAPER, primary_key=True),
    ident("person", "technical", PAPER, "accounts.id", index=True),
    ident("shelf", "technical", PAPER),
    ident("version", "technical", PAPER),  # the current one; the person's trace says it too, signed
    word("state", "technical", PAPER),  # kept, to-read (deposited by another, not met yet), to-confirm (by phone), bin, refused
    moment("bin_until", "technical", TERM, nullable=True),
    day("created", "technical", PAPER),
    octets("sealed_note", "sealed", PAPER, nullable=True),
)  # fmt: skip

versions = Table(
    "versions", metadata,
    ident("id", "technical", PAPER, primary_key=True),
    ident("paper", "technical", PAPER, "papers.id", index=True),
    ident("person", "technical", PAPER, "accounts.id", index=True),
    ident("shelf", "technical", PAPER), small("epoch", "technical", PAPER),
    word("wrap_kind", "technical", PAPER),  # shelf (by who holds the drawer) or posted (by a depositor)
    octets("wrap", "sealed", PAPER),
    octets("card", "sealed", PAPER),  # title, file name, kind, dates, size, plaintext digests
    octets("origin", "public", PAPER), octets("origin_signature", "public", PAPER),
    octets("confirmation", "public", PAPER, nullable=True),  # the person's signature over what came by phone
    ident("depositor", "link", PAPER),
    moment("deposited", "technical", PAPER),
)  # fmt: skip

objects = Table(
    "objects", metadata,
    ident("blob", "technical", PAPER, primary_key=True),  # the random name in the store
    ident("version", "technical", PAPER, "versions.id", index=True),
    word("role", "technical", PAPER),  # received, view, preview
    number("size", "technical", PAPER), ident("sha256", "technical", PAPER),
)  # fmt: skip

doomed_blobs = Table(
    "doomed_blobs", metadata,
    ident("blob", "technical", TERM, primary_key=True),
    moment("since", "technical", TERM),
    ident("erasure", "technical", TERM, nullable=True, index=True),  # which waits for it before it is certified
)  # fmt: skip

# --- Sharing ----------------------------------------------------------------------------------------------------------------

grants = Table(
    "grants", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("person", "link", PERSON, "accounts.id", index=True),
    ident("worker", "link", PERSON, "accounts.id", index=True),
    word("state", "technical", PERSON),
    day("until", "technical", PERSON),
    octets("body_for_worker", "sealed", PERSON), octets("body_for_person", "sealed", PERSON),
    octets("posted_for_person", "sealed", PERSON, nullable=True),  # given in an assisted opening, until the person's own session says yes
    octets("signatures", "public", PERSON),  # the person's, the service's, a witness's
    flag("to_reencrypt", "technical", PERSON),  # what it covered waits for the person's next unlock
)  # fmt: skip

grant_changes = Table(
    "grant_changes", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("grant", "technical", PERSON, "grants.id", index=True),
    word("state", "technical", PERSON),
    moment("at", "technical", PERSON),
    octets("statement", "public", PERSON), octets("signatures", "public", PERSON),
)  # fmt: skip

receipts = Table(
    "receipts", metadata,  # once the safe is erased its number, day and digest stay, tied to nothing (GDPR 17(3)(e))
    ident("id", "technical", FIVE, primary_key=True),
    ident("grant", "technical", PERSON, "grants.id", nullable=True, index=True),
    octets("for_person", "sealed", PERSON, nullable=True),
    ident("digest", "digest", FIVE),
    day("created", "technical", FIVE),
    day("untied", "technical", FIVE, nullable=True),  # the day of the erasure, from which the years of what stays are counted
)  # fmt: skip

wraps = Table(
    "wraps", metadata,
    ident("grant", "link", PERSON, "grants.id", primary_key=True),
    ident("version", "technical", PERSON, "versions.id", primary_key=True),
    ident("paper", "technical", PERSON, index=True),
    octets("wrap", "sealed", PERSON),
)  # fmt: skip

shelf_wraps = Table(
    "shelf_wraps", metadata,
    ident("grant", "link", PERSON, "grants.id", primary_key=True),
    ident("shelf", "technical", PERSON, primary_key=True), small("epoch", "technical", PERSON, primary_key=True),
    octets("wrap", "sealed", PERSON),
)  # fmt: skip

requests = Table(
    "requests", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("person", "link", PERSON, "accounts.id", index=True), ident("worker", "link", PERSON, "accounts.id", index=True),
    word("state", "technical", PERSON),  # requested, given, have-not, refused, handover states
    word("kind", "technical", PERSON),  # papers, procedure, handover
    day("asked", "technical", TERM), day("answered", "technical", PERSON, nullable=True),
    octets("for_person", "sealed", PERSON), octets("for_worker", "sealed", PERSON),
    octets("answer_for_worker", "sealed", PERSON, nullable=True),
)  # fmt: skip

outside_shares = Table(  # once, to somebody outside: by a link and a code, or a dossier that a worker handed over
    "outside_shares", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("person", "technical", PERSON, "accounts.id", index=True),
    word("state", "technical", PERSON),  # given, withdrawn, expired, handed
    ident("link_digest", "digest", PERSON, nullable=True, unique=True),
    octets("salt", "technical", PERSON), octets("public_key", "public", PERSON),
    number("memory_cost", "technical", PERSON), number("time_cost", "technical", PERSON),
    small("openings_left", "technical", PERSON),
    moment("until", "technical", PERSON), day("created", "technical", PERSON),
    octets("body_for_person", "sealed", PERSON), octets("body_for_link", "sealed", PERSON),
)  # fmt: skip

outside_wraps = Table(
    "outside_wraps", metadata,
    ident("share", "technical", PERSON, "outside_shares.id", primary_key=True),
    ident("version", "technical", PERSON, "versions.id", primary_key=True),
    ident("paper", "technical", PERSON, index=True),
    octets("wrap", "sealed", PERSON),
)  # fmt: skip

outside_changes = Table(
    "outside_changes", metadata,
    ident("id", "technical", PERSON, "receipts.id", primary_key=True),
    ident("share", "technical", PERSON, "outside_shares.id", index=True),
    word("state", "technical", PERSON),
    moment("at", "technical", PERSON),
)  # fmt: skip

notices = Table(  # a sentence that waits for somebody's next unlock
    "notices", metadata,
    ident("id", "technical", ACCOUNT, primary_key=True),
    ident("account", "technical", ACCOUNT, "accounts.id", index=True),
    octets("posted", "sealed", ACCOUNT),
    day("created", "technical", ACCOUNT),
    day("seen", "technical", TERM, nullable=True),  # a month later it goes
)  # fmt: skip

tickets = Table(  # one use, a few minutes: to my phone, from my phone, on this computer, for someone outside
    "tickets", metadata,
    ident("digest", "digest", TERM, primary_key=True),
    word("kind", "technical", TERM),
    ident("person", "link", TERM, "accounts.id", index=True),
    ident("session", "technical", TERM, nullable=True),
    octets("sealed", "sealed", TERM),
    small("uses_left", "technical", TERM),
    moment("term", "technical", TERM),
)  # fmt: skip

condition_versions = Table(  # every text of the conditions that was ever shown here, frozen (CPCE R55-1)
    "condition_versions", metadata,
    word("version", "public", NEVER, primary_key=True),
    text("text", "public", NEVER),
    day("first", "public", NEVER),
)  # fmt: skip

closings = Table(  # that the service closes: announced three months before at least (CPCE D541)
    "closings", metadata,
    ident("id", "technical", NEVER, primary_key=True),
    day("announced", "public", NEVER), day("closes", "public", NEVER), day("until", "public", NEVER),
    word("state", "technical", NEVER),  # proposed, announced, calling-off, called-off: each of the two steps takes two people
    ident("by", "technical", ACCOUNT, nullable=True),  # the administrator whose step waits for another's
)  # fmt: skip

figures = Table(  # six counts for each operator and year, tied to nobody (ADR 0051)
    "figures", metadata,
    ident("operator", "technical", NEVER, "operators.id", primary_key=True),
    small("year", "technical", NEVER, primary_key=True),
    word("what", "technical", NEVER, primary_key=True),  # offered, opened, returned, papers, shares, recoveries
    number("count", "technical", NEVER),
)  # fmt: skip

brought = Table(  # what a person brought along from another Abri: shares, receipts, history that this service did not write
    "brought", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("person", "technical", PERSON, "accounts.id", index=True),
    small("number", "technical", PERSON),  # in the order in which they came
    octets("sealed", "sealed", PERSON),
    day("created", "technical", PERSON),
)  # fmt: skip

# --- Losing everything, leaving, erasing -------------------------------------------------------------------------------------

circles = Table(
    "circles", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("person", "technical", PERSON, "accounts.id", index=True),
    small("needed", "technical", PERSON),
    word("state", "technical", PERSON),  # living, ended
    day("created", "technical", PERSON), day("confirmed", "technical", PERSON),
    octets("statement", "public", PERSON), octets("signature", "public", PERSON), octets("service_signature", "public", PERSON),
)  # fmt: skip

circle_members = Table(
    "circle_members", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("circle", "technical", PERSON, "circles.id", index=True),
    word("kind", "technical", PERSON),  # worker, sheet
    ident("worker", "link", PERSON, "accounts.id", nullable=True, index=True),
    octets("public_key", "public", PERSON),
    octets("posted_face", "sealed", PERSON, nullable=True),  # the name and drawing given to this guardian, and those of before (ADR 0115)
    octets("sealed_label", "sealed", PERSON),  # what the person calls this guardian
    day("barred", "technical", PERSON, nullable=True),  # the last day on which their word alone barred every way in (ADR 0103)
)  # fmt: skip

circle_shares = Table(
    "circle_shares", metadata,
    ident("circle", "technical", PERSON, "circles.id", primary_key=True),
    ident("set", "technical", PERSON, primary_key=True),
    ident("member", "technical", PERSON, "circle_members.id", primary_key=True),
    octets("share", "sealed", PERSON),
)  # fmt: skip

directives = Table(  # what a person wants after their death (LIL 85); the id is a row of the key vault too, which dies when it changes
    "directives", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("person", "technical", PERSON, "accounts.id", unique=True),
    octets("for_person", "sealed", PERSON),
    octets("statement", "public", PERSON), octets("signature", "public", PERSON), octets("service_signature", "public", PERSON),
    day("recorded", "technical", PERSON),
)  # fmt: skip

directive_copies = Table(  # the same for each worker whom the person counts on
    "directive_copies", metadata,
    ident("directive", "technical", PERSON, "directives.id", primary_key=True),
    ident("worker", "link", PERSON, "accounts.id", primary_key=True),
    octets("posted", "sealed", PERSON),
)  # fmt: skip

assists = Table(  # an opening with the help of one worker: off unless the person chose it
    "assists", metadata,
    ident("slot", "technical", PERSON, "slots.id", primary_key=True),
    ident("person", "link", PERSON, "accounts.id", index=True), ident("worker", "link", PERSON, "accounts.id", index=True),
    octets("public_key", "public", PERSON),
    flag("pictures", "technical", PERSON),  # whether the five pictures are part of it
    octets("posted_secret", "sealed", PERSON),  # what the worker holds
    octets("posted_face", "sealed", PERSON),  # the name and drawing given to this worker
    octets("lent_face", "sealed", PERSON),  # the same, lent to the assisted openings themselves
)  # fmt: skip

kept_cards = Table(  # a card that a worker keeps at the desk for its owner, who chose so
    "kept_cards", metadata,
    ident("id", "technical", PERSON, primary_key=True),
    ident("person", "link", PERSON, "accounts.id", index=True), ident("worker", "link", PERSON, "accounts.id", index=True),
    ident("card", "digest", PERSON),  # the digest of the card, as its way in has it
    octets("posted_face", "sealed", PERSON),  # the name and drawing given to this worker
    day("since", "technical", PERSON),
)  # fmt: skip

assist_shelves = Table(
    "assist_shelves", metadata,
    ident("slot", "technical", PERSON, "assists.slot", primary_key=True),
    ident("shelf", "technical", PERSON, primary_key=True), small("epoch", "technical", PERSON, primary_key=True),
    octets("wrap", "sealed", PERSON), octets("kind", "sealed", PERSON),
)  # fmt: skip

assist_openings = Table(  # ten minutes, at a kiosk
    "assist_openings", metadata,
    ident("id", "technical", TERM, primary_key=True),
    octets("public_key", "public", TERM),
    ident("code_digest", "digest", TERM), moment("term", "technical", TERM),
    ident("slot", "technical", TERM, nullable=True),
    octets("moved", "sealed", TERM, nullable=True),
)  # fmt: skip

witnessings = Table(  # ten minutes: what a person would give in an assisted opening, until a second worker has signed it
    "witnessings", metadata,
    ident("id", "technical", TERM, primary_key=True),
    ident("slot", "technical", TERM),
    ident("person", "link", TERM, "accounts.id", index=True), ident("witness", "link", TERM, "accounts.id", index=True),
    ident("code_digest", "digest", TERM), moment("term", "technical", TERM),
    octets("posted", "sealed", TERM),  # what is asked, to the witness
    flag("typed", "technical", TERM),  # the six digits of the kiosk were typed at the witness's desk
    octets("signed", "public", TERM, nullable=True),  # the witness's two signatures: the share's, its receipt's
)  # fmt: skip

recoveries = Table(
    "recoveries", metadata,
    ident("id", "technical", TERM, primary_key=True),
    ident("person", "link", TERM, "accounts.id", nullable=True, index=True),
    ident("kiosk", "link", TERM, nullable=True),
    word("reason", "technical", TERM),  # lost, forgotten, stolen; named: for whom the person named, after their death
    word("state", "technical", TERM),  # asking, confirmed, done, vetoed, expired
    octets("public_key", "public", TERM),
    ident("code_digest", "digest", TERM), small("tries_left", "technical", TERM), moment("code_term", "technical", TERM),
    moment("created", "technical", TERM), moment("opens", "technical", TERM, nullable=True), moment("term", "technical", TERM),
)  # fmt: skip

recovery_confirmations = Table(
    "recovery_confirmations", metadata,
    ident("recovery", "technical", TERM, "recoveries.id", primary_key=True),
    ident("member", "technical", TERM, primary_key=True),
    ident("set", "technical", TERM, primary_key=True),
    octets("moved_share", "sealed", TERM),
    octets("statement", "public", TERM), octets("signature", "public", TERM, nullable=True),
    flag("theft", "technical", TERM), flag("beside", "technical", TERM),
    moment("at", "technical", TERM),
)  # fmt: skip

erasures = Table(
    "erasures", metadata,
    ident("id", "technical", FIVE, primary_key=True),
    ident("person", "link", PERSON, nullable=True, index=True),
    word("state", "technical", FIVE),  # asked, cancelled, carrying-out, done
    moment("asked", "technical", FIVE), moment("due", "technical", FIVE), moment("done", "technical", FIVE, nullable=True),
    ident("witness", "link", PERSON, nullable=True),
    ident("register", "register", FIVE, nullable=True),  # the rights request that asked for it
    ident("entry", "register", FIVE, nullable=True),  # the entry of the trace that says how many copies went
    octets("certificate", "register", FIVE, nullable=True), octets("certificate_signature", "register", FIVE, nullable=True),
)  # fmt: skip

rights_requests = Table(
    "rights_requests", metadata,
    ident("id", "register", FIVE, primary_key=True),
    ident("operator", "register", FIVE, "operators.id", index=True),
    word("kind", "register", FIVE),  # erasure, access, portability, rectification, restriction, objection, complaint, minor, death,
    # requisition, court-order: `vault.register` says what each needs
    word("origin", "register", FIVE),  # kiosk, desk, letter, authority
    ident("person", "link", PERSON, nullable=True, index=True),
    word("identity", "register", FIVE, nullable=True),  # card-and-code, guardians; never by sending papers
    word("state", "register", FIVE),  # received, identified, approved, refused, carrying-out, closed
    day("received", "register", FIVE), day("due", "register", FIVE), day("extended", "register", FIVE, nullable=True),
    text("reason", "register", FIVE, nullable=True),  # of a refusal, or what was done: without what is in papers
    text("extension", "register", FIVE, nullable=True),  # why it was prolonged: a reason of its own, which a later one does not replace
    ident("first_approval", "register", FIVE, nullable=True), ident("second_approval", "register", FIVE, nullable=True),
    day("closed", "register", FIVE, nullable=True),
    flag("numbered", "register", FIVE),  # whether it came with an account number, known or not: a name is never searched
    word("decided", "register", FIVE, nullable=True),  # of a court: keep, freeze, erase; of a death: erase, hand, nothing
    day("opens", "register", FIVE, nullable=True),  # of a death: when the named person may come; of a requisition: when the person is told
    day("term", "register", FIVE, nullable=True),  # of a death: nothing is erased before
    day("told", "register", FIVE, nullable=True),  # when the person was told of a requisition
    ident("undoing", "register", FIVE, nullable=True),  # which administrator wants what two decided to be undone: another says yes
    text("undoing_reason", "register", FIVE, nullable=True),
    flag("froze", "register", FIVE, nullable=True),  # whether a judge's order froze the safe: what its owner had frozen stays so after it
)  # fmt: skip

death_reports = Table(  # who of those a person counts on has seen the certificate of death
    "death_reports", metadata,
    ident("request", "register", PERSON, "rights_requests.id", primary_key=True),
    ident("worker", "link", PERSON, primary_key=True),
    octets("statement", "public", PERSON), octets("signature", "public", PERSON),
    moment("at", "technical", PERSON),
)  # fmt: skip

inquiries = Table(  # breach inquiries (GDPR 33(5)): what left for the holders of the incident key, and what came of it
    "inquiries", metadata,
    ident("id", "register", FIVE, primary_key=True),
    moment("made", "register", FIVE),
    day("first", "register", FIVE), day("last", "register", FIVE),
    text("reason", "register", FIVE),
    number("persons", "register", FIVE), number("entries", "register", FIVE),
    octets("named", "digest", FIVE),  # SHA-256 of the accounts that left, sorted: an answer names these and no other
    moment("told", "register", FIVE, nullable=True), number("concerned", "register", FIVE, nullable=True),
)  # fmt: skip

article19 = Table(  # each past recipient of an erased safe: told, reminded, and what they answered (GDPR 19)
    "article19", metadata,
    ident("id", "register", FIVE, primary_key=True),
    ident("erasure", "register", FIVE, "erasures.id", index=True),
    ident("worker", "link", ACCOUNT, nullable=True, index=True),  # nothing once their own account is gone: then a count alone
    octets("posted", "sealed", FIVE, nullable=True),  # the shares' ids, all that the recipient can find their copies by
    day("told", "register", FIVE), day("reminded", "register", FIVE, nullable=True),
    word("answer", "register", FIVE, nullable=True),  # done, not-there, keeps
    text("reason", "register", FIVE, nullable=True),  # why it must be kept
    day("answered", "register", FIVE, nullable=True),
)  # fmt: skip

intentions = Table(  # a destruction that goes through several stores: every step may be repeated
    "intentions", metadata,
    ident("id", "technical", TERM, primary_key=True),
    word("kind", "technical", TERM), ident("subject", "technical", TERM, index=True), word("step", "technical", TERM),
    moment("created", "technical", TERM),
    UniqueConstraint("kind", "subject"),
)  # fmt: skip

# --- Trace, schedules ---------------------------------------------------------------------------------------------------------

TRACE: Erasure = "with the trace"
trace_keys = Table(
    "trace_keys", metadata,
    ident("id", "technical", TRACE, primary_key=True),
    ident("session", "technical", TRACE),  # part of what the key is sealed for; the session itself is gone
    word("party", "technical", TRACE),  # person, worker, incident
    octets("posted", "sealed", TRACE),
)  # fmt: skip

entries = Table(
    "entries", metadata,
    ident("id", "technical", TRACE, primary_key=True),
    number("number", "technical", TRACE, nullable=True, unique=True),  # given by the sequencer to what is committed
    octets("leaf", "digest", TRACE),  # SHA-256(0x00 || leaf); leaf as keys.md writes it
    octets("person_hash", "digest", TRACE), octets("worker_hash", "digest", TRACE), octets("incident_hash", "digest", TRACE),
)  # fmt: skip

entry_copies = Table(
    "entry_copies", metadata,
    ident("entry", "technical", TRACE, "entries.id", primary_key=True),
    word("party", "technical", TRACE, primary_key=True),
    octets("tag", "digest", TRACE),  # vault(row, "trace-tag" of the month)[0:16]: nothing else ties it to an account
    ident("key", "technical", TRACE, "trace_keys.id", index=True),
    octets("envelope", "sealed", TRACE),
    number("number", "technical", TRACE, nullable=True),  # its entry's, once it has one: a page of a long history begins at its place
    Index("ix_entry_copies_tag", "tag", "party", "number"),
)  # fmt: skip

removals = Table(  # which copies were erased or pruned, signed: a copy that is gone without it was cut out
    "removals", metadata,
    ident("entry", "technical", TRACE, "entries.id", primary_key=True),  # the entry that binds it: its place in the tree
    octets("statement", "technical", TRACE),  # sign/removal: the day and the reason; nothing says whose
    octets("signature", "public", TRACE),
    octets("copies", "technical", TRACE),  # 17 bytes each: the entry's id, and 1 person, 2 worker, 3 incident
)  # fmt: skip

checkpoints = Table(
    "checkpoints", metadata,
    number("size", "technical", NEVER, primary_key=True),
    octets("root", "technical", NEVER), text("note", "public", NEVER), moment("at", "technical", NEVER),
    moment("published", "technical", NEVER, nullable=True),  # the last day on which it was; None: only those who asked have seen it
)  # fmt: skip

tiles = Table(  # the inner hashes of the tree, 256 to a row (storage/tiles.py)
    "tiles", metadata,
    small("level", "technical", NEVER, primary_key=True), number("number", "technical", NEVER, primary_key=True),
    octets("hashes", "digest", TRACE),
)  # fmt: skip

trace_checks = Table(
    "trace_checks", metadata,
    moment("at", "technical", NEVER, primary_key=True),
    number("size", "technical", NEVER),  # entries that were counted again
    small("faults", "technical", NEVER),
)  # fmt: skip

witness_answers = Table(
    "witness_answers", metadata,
    word("witness", "public", NEVER, primary_key=True),  # SHA-256 of the name, its first 40 digits
    number("size", "technical", NEVER), moment("at", "technical", NEVER),
    word("answer", "technical", NEVER),  # cosigned, refused, silent
)  # fmt: skip

schedule_runs = Table(
    "schedule_runs", metadata,
    word("job", "technical", NEVER, primary_key=True), moment("minute", "technical", TERM, primary_key=True),
    moment("done", "technical", NEVER, nullable=True),
)  # fmt: skip

# --- The key vault: rows that die alone, in a database of their own -------------------------------------------------------------

vault_rows = Table(
    "vault_rows", vault_metadata,
    word("kind", "technical", TERM, primary_key=True),  # person, slot, grant
    ident("id", "technical", TERM, primary_key=True),
    ident("owner", "technical", TERM, nullable=True, index=True),
    octets("row", "sealed", TERM),
)  # fmt: skip

vault_sessions = Table(  # never backed up
    "vault_sessions", vault_metadata,
    ident("id", "technical", TERM, primary_key=True),
    ident("owner", "technical", TERM, nullable=True, index=True),
    octets("row", "sealed", TERM),
    moment("created", "technical", TERM, nullable=True),
)  # fmt: skip

# --- Tombstones: in a third place, because they must survive the loss of the vault and never be rolled back with a backup -------

tombstones = Table(
    "tombstones", tombstone_metadata,
    ident("digest", "digest", TERM, primary_key=True),  # SHA-256 of the kind and id of a destroyed row, in hexadecimal
    moment("destroyed", "technical", TERM),
)  # fmt: skip
