"""Labels that belong to the application: contexts of what is sealed beside the formulas of `crypto.contexts`.

Each is `ctx(label, fields)` of `docs/formats.md`. One label for one use, so that nothing sealed in one place opens in another.
"""

from crypto.canonical import context


def session_state(*, session: str) -> bytes:
    """What a session keeps between two pages."""
    return context("session-state", {"session": session})


def form_token(*, session: str) -> bytes:
    """The token that every form of a session carries."""
    return context("form-token", {"session": session})


def trace_secret(*, session: str, party: str, person: str) -> bytes:
    """From a session's key, the trace key of one party. That of the incident is one for each person and each incident key: `party` is
    then "incident" and the first 16 digits of the SHA-256 of its public half."""
    return context("trace-secret", {"party": party, "person": person, "session": session})


def looked(*, session: str, tag: str, about: str) -> bytes:
    """From a session's key, the id of the entry that says that it listed, counted or read the history."""
    return context("looked", {"about": about, "session": session, "tag": tag})


def earlier_seed(*, account: str, serial: str) -> bytes:
    """The seed of keys that others have followed, until nobody can be posting to them any more."""
    return context("earlier-seed", {"account": account, "serial": serial})


def one_time_password(*, account: str) -> bytes:
    """The seed of a worker's six-digit codes, sealed by the service: it guards pages, not keys."""
    return context("totp", {"account": account})


def passkey_secret() -> bytes:
    """What an authenticator derives a secret of its own from, for us (the input of its PRF); hashed."""
    return context("passkey-secret", {})


def passkey_user(*, account: str) -> bytes:
    """Whom an authenticator remembers an account by; hashed."""
    return context("passkey-user", {"account": account})


def passkey(*, credential: str) -> bytes:
    """A credential as it is looked up, and as attempts with it are counted; hashed."""
    return context("passkey", {"credential": credential})


def nobodys_passkey(*, code: str, number: str) -> bytes:
    """What is asked for when nobody has this sign-in code, so that nothing tells it from a code that somebody has."""
    return context("passkey-nobody", {"code": code, "number": number})


def approval(*, session: str, act: str, subject: str, nonce: str) -> bytes:
    """What an administrator's authenticator signs: this act, on this subject, in this session, once."""
    return context("approval", {"act": act, "nonce": nonce, "session": session, "subject": subject})


def notice(*, account: str, notice: str) -> bytes:
    """A sentence that waits for an account's next unlock."""
    return context("notice", {"account": account, "notice": notice})


def ticket(*, ticket: str) -> bytes:
    """What a one-time link carries."""
    return context("ticket", {"ticket": ticket})


def receipt(*, person: str, grant: str, receipt: str) -> bytes:
    """A consent receipt, kept for a party."""
    return context("receipt", {"grant": grant, "person": person, "receipt": receipt})


def asking(*, person: str, worker: str, request: str) -> bytes:
    """A worker's request and its answer."""
    return context("request", {"person": person, "request": request, "worker": worker})


def training_room(*, worker: str) -> bytes:
    """The name of a worker's room for training."""
    return context("training-room", {"worker": worker})


def handover(*, person: str, worker: str, proposal: str) -> bytes:
    """A worker's proposal that a colleague go on."""
    return context("handover", {"person": person, "proposal": proposal, "worker": worker})


def face(*, person: str, circle: str, member: str) -> bytes:
    """The name and drawing that a person gives to a guardian."""
    return context("face", {"circle": circle, "member": member, "person": person})


def guardian_label(*, person: str, member: str) -> bytes:
    """What a person calls a guardian or a sheet."""
    return context("guardian-label", {"member": member, "person": person})


def erased_shares(*, told: str, worker: str) -> bytes:
    """The ids of the shares by which a worker had received something of a safe that is erased."""
    return context("erased-shares", {"told": told, "worker": worker})


def directive(*, person: str, directive: str, party: str) -> bytes:
    """What a person wants after their death: sealed for them, posted to each worker whom they count on."""
    return context("directive", {"directive": directive, "party": party, "person": person})


def preference(*, person: str, name: str) -> bytes:
    """A choice that only the person reads: hidden places, the proof of the conditions, the account number."""
    return context("preference", {"name": name, "person": person})


def paper_note(*, person: str, paper: str) -> bytes:
    """What the person writes on a paper's card beside its title."""
    return context("paper-note", {"paper": paper, "person": person})


def number_digest(*, number: str) -> bytes:
    """The account number as it is looked up; hashed, never kept in clear."""
    return context("account-number", {"number": number})


def sign_in_code(*, code: str) -> bytes:
    """What attempts to sign in as a worker or an administrator are counted by."""
    return context("sign-in-code", {"code": code})


def invitation(*, code: str) -> bytes:
    """The code handed over with an invitation; hashed, never kept in clear."""
    return context("invitation", {"code": code})


def kiosk_token(*, token: str) -> bytes:
    """What a kiosk shows of itself; hashed, never kept in clear."""
    return context("kiosk-token", {"token": token})


def recovery_code(*, code: str) -> bytes:
    """The six digits of a recovery, as they are looked up."""
    return context("recovery-code", {"code": code})


def code_typist(*, worker: str) -> bytes:
    """Whose wrong codes are counted, when a guardian types the code of a recovery."""
    return context("recovery-typist", {"worker": worker})


def lending_typist(*, worker: str) -> bytes:
    """The same for the digits of an opening with help: a right code of one kind forgives no wrong one of another."""
    return context("lending-typist", {"worker": worker})


def witness_typist(*, worker: str) -> bytes:
    """The same for the digits that a witness types."""
    return context("witness-typist", {"worker": worker})


def erased_copies(*, erasure: str) -> bytes:
    """The mark that a safe's copies of the trace carry while it is being erased."""
    return context("erased-copies", {"erasure": erasure})


def erased_copy(*, erasure: str, entry: str, party: str) -> bytes:
    """What the service says of one copy that carries the mark: that it put it there itself."""
    return context("erased-copy", {"entry": entry, "erasure": erasure, "party": party})


def inquiry_answer(*, inquiry: str) -> bytes:
    """From the service's seal key, the key that an export carries and that its answer is authenticated with."""
    return context("inquiry-answer", {"inquiry": inquiry})


def page_rate(*, worker: str) -> bytes:
    """Whose page images are counted, minute by minute."""
    return context("page-rate", {"worker": worker})


def outside_link(*, link: str) -> bytes:
    """What is printed under the square of a link to somebody outside; hashed, never kept in clear."""
    return context("outside-link", {"link": link})


def outside_key(*, person: str, share: str) -> bytes:
    """The key pair of a link, made of the link, of the code that is said aloud and of the share's row of the key vault."""
    return context("outside-key", {"person": person, "share": share})


def outside_body(*, person: str, share: str, party: str) -> bytes:
    """What somebody outside was given: for the person, for the link."""
    return context("outside-body", {"party": party, "person": person, "share": share})


def brought(*, person: str, id: str) -> bytes:  # noqa: A002 - the name of the field
    """What a person brought along from another Abri."""
    return context("brought", {"id": id, "person": person})


def assisted_card() -> bytes:
    """What the assist slot of a card is found by, before the card's secret is hashed with it."""
    return context("assisted-card", {})


def assisted_code(*, code: str) -> bytes:
    """The six digits of an assisted opening."""
    return context("assisted-code", {"code": code})


def assisted_face(*, person: str, slot: str) -> bytes:
    """The name and drawing that a person gives to the worker who helps them open."""
    return context("assisted-face", {"person": person, "slot": slot})


def kept_face(*, person: str, keeping: str) -> bytes:
    """The name and drawing that a person gives to the worker who keeps their card."""
    return context("kept-face", {"person": person, "keeping": keeping})


def assisted_drawer(*, person: str, slot: str, shelf: str) -> bytes:
    """Which of the ten a lent drawer is."""
    return context("assisted-drawer", {"person": person, "shelf": shelf, "slot": slot})


def assisted_move(*, opening: str, person: str, slot: str) -> bytes:
    """What a worker holds, on its way to the kiosk where the person stands."""
    return context("assisted-move", {"opening": opening, "person": person, "slot": slot})


def lent_face(*, person: str, slot: str) -> bytes:
    """The name and drawing that assisted openings themselves may say: to whoever is shown a paper by one."""
    return context("lent-face", {"person": person, "slot": slot})


def witnessed(*, asking: str, person: str, slot: str, witness: str) -> bytes:
    """What a person would give in an assisted opening, on its way to the second worker who is asked to stand for it."""
    return context("witnessed", {"asking": asking, "person": person, "slot": slot, "witness": witness})


def freezes(*, worker: str) -> bytes:
    """What a worker's blockings by number are counted under."""
    return context("freezes", {"worker": worker})
