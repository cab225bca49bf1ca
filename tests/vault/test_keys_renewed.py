"""The keys of an account turn: everything opens by the new ones, nothing by the old, and what the old ones signed goes on verifying."""

import dataclasses
import datetime as dt
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from sqlalchemy import select, update

from consent.receipt_file import Anchors, NotVerified, ReceiptFile, verify_file
from crypto import sealing
from crypto.errors import Undecryptable
from crypto.kem import KemPrivate
from crypto.keys import AccountKeys
from crypto.signing import Signer
from storage.tables import accounts, earlier_keys, metadata, notices, shelves, slots
from tests.faults.kills import Stores, die_at_each_step
from tests.vault.builders import MadePerson, MadeWorker, make_person, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, make_circle, new_card, start
from tests.vault.papers import SAID, keep, read
from tests.vault.test_asking import HOME, TAX
from tests.vault.test_erasure import ask_and_carry_out
from tests.vault.test_outside import offer as outside_offer
from tests.vault.test_sharing import BOTH, SEE, offer, second_day
from vault import (
    arriving,
    asking,
    audit,
    belongings,
    checkpoints,
    coming_back,
    directives,
    documents,
    endings,
    guardians,
    held,
    outside,
    people,
    protecting,
    receipt_files,
    reencryption,
    rekeying,
    sessions,
    shared_papers,
    shares,
    sharing,
    unlocking,
    withdrawing,
)
from vault import notices as sentences
from vault.context import Context
from vault.errors import Tampered
from vault.notices import Notice
from vault.sessions import Session

OTHERS = {
    # Sealed under the secret, by a way in, or by the keys of a session.
    "accounts.sealed_kem", "accounts.sealed_sign", "accounts.sealed_values", "slots.sealed_secret", "sessions.sealed_seeds",
    "sessions.sealed_state", "tickets.sealed",
    # Under drawers' seeds and papers' secrets, which are wrapped anew.
    "versions.wrap", "versions.card",
    # Of workers and administrators, or sealed by the service.
    "workers.sealed_totp", "administrators.sealed_totp", "article19.posted", "wraps.wrap", "shelf_wraps.wrap",
    "grants.body_for_worker", "requests.for_worker", "requests.answer_for_worker", "directive_copies.posted",
    "circle_members.posted_face", "circle_shares.share", "kept_cards.posted_face", "assists.posted_secret", "assists.posted_face",
    "witnessings.posted", "recovery_confirmations.moved_share",
    # Posted to links and to the slots of openings with help, which have keys of their own.
    "outside_shares.body_for_link", "outside_wraps.wrap", "assists.lent_face", "assist_shelves.wrap", "assist_shelves.kind",
    "assist_openings.moved",
    # Under keys of their own: a session's trace keys, rows of the key vault.
    "entry_copies.envelope",
}  # fmt: skip


@dataclasses.dataclass
class Full:
    """A safe in which there is one of everything."""

    circle: Circle
    awa: MadePerson
    fatou: MadeWorker
    paper: Any
    share: Any
    drawer: Any
    given_outside: Any


def full(house: Context, clock: Clock) -> Full:
    made = make_circle(house)
    awa, fatou = made.awa, made.fatou
    paper = keep(house, awa.session, "Avis", text="contenu", sort="tax-notice")
    documents.note(house, awa.session, paper, "à rendre")
    directives.record(house, awa.session, awa.code, directives.checked("hand", "Binta", "pour elle"))
    second_day(house, clock, awa)
    share = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    drawer = sharing.grant(house, awa.session, fatou.id, offer(acts=BOTH, shelf="money"))
    sign_in(house, fatou)
    asking.ask(house, fatou.session, share, [TAX], HOME)
    given = outside.give(house, awa.session, outside_offer(paper))
    with house.database.transaction() as connection:
        sentences.tell(house, connection, awa.id, Notice("card-replaced"))
        held.keep_earlier(house, connection, awa.session, [{"what": "abri/history", "from": "ailleurs"}])
    return Full(made, awa, fatou, paper, share, drawer, given)


def shares_of(house: Context, session: Session) -> list[str]:
    """The living shares that verify."""
    with house.database.transaction(read_only=True) as connection:
        return sorted(one.grant for one in shares.of_person(house, connection, session))


def whole(house: Context, session: Session, one: Full) -> dict[str, Any]:
    """All that a person reads of their safe."""
    me = people.me(house, session)
    (waiting,) = asking.waiting_for_me(house, session)
    (card,) = outside.mine(house, session)
    return {
        "name": me.name, "drawing": me.drawing, "paper": read(house, session, one.paper),
        "note": documents.note_of(house, session, one.paper),
        "titles": [paper.title for paper in documents.list_papers(house, session)],
        "shares": shares_of(house, session),
        "receipts": [len(receipt_files.records_of(house, session, grant)) for grant in (one.share, one.drawer)],
        "outside": (card.recipient, len(receipt_files.records_of(house, session, one.given_outside.share))),
        "asked": waiting.kinds, "brought": held.earlier(house, session), "wish": directives.mine(house, session).wish,
        "history": {entry.id for entry in audit.history(house, session)},
        "sentences": [told.key for told in sentences.waiting(house, session)],
    }  # fmt: skip


def opens_by(house: Context, person: str, keys: AccountKeys) -> tuple[int, int]:
    """How many of a person's sealed values these keys open, and how many there are. Nothing is kept of the trial."""
    opened, private = 0, KemPrivate(keys.kem)
    with house.database.transaction() as connection, connection.begin_nested() as trial:
        values = list(belongings.of_values(connection, person))
        for one in values:
            with suppress(Undecryptable):
                belongings.sealed_again(one, keys.values, keys.values)
                opened += 1
        posted = list(belongings.of_post(house, connection, person))
        opened += belongings.move_posts(house, connection, posted, private, private.public)
        trial.rollback()
    return opened, len(values) + len(posted)


def anchors(house: Context) -> Anchors:
    return Anchors(house.service.public, checkpoints.keys(house), house.settings.root_keys)


def reads(house: Context, one: Full) -> bytes:
    """The paper as the worker to whom it was shown takes it, by the share of its drawer."""
    with shared_papers.take(house, sign_in(house, one.fatou), one.drawer, one.paper) as content:
        return b"".join(content.chunks())


def test_every_sealed_column_is_a_belonging_or_somebody_elses() -> None:
    """A column that is added must say which keys seal it, or a person whose keys turn would lose it."""
    sealed = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns
              if column.info.get("data") == "sealed"}  # fmt: skip
    text = Path(belongings.__file__).read_text()
    ours = {name for name in sealed if f'"{name.partition(".")[2]}"' in text} - OTHERS
    assert sealed == ours | OTHERS
    assert {f"persons.{name}" for name in ("sealed_name", "sealed_lineage")} <= ours


def test_je_me_protege_turns_secret_and_keys_and_nothing_is_lost(any_house: Context, clock: Clock) -> None:
    house = any_house
    one = full(house, clock)
    old = unlock(house, one.awa)
    before, file = whole(house, old, one), receipt_files.of_all(house, old)
    assert opens_by(house, one.awa.id, old.opened())[0] == opens_by(house, one.awa.id, old.opened())[1] >= 30
    card = new_card()
    protected = protecting.protect(house, old, one.awa.code, card, NEW_CODE)
    new = sessions.find(house, protected.cookie)
    opened, many = opens_by(house, one.awa.id, new.opened())
    assert (opened, opens_by(house, one.awa.id, old.opened())[0]) == (many, 0)
    after = whole(house, new, one)
    assert after.pop("history") > before.pop("history")
    assert after == before
    assert "means.keys-renewed" in {entry.event.tag for entry in audit.history(house, new)}
    # The old card seals nothing any more, and the secret that it sealed opens nothing.
    with house.database.transaction(read_only=True) as connection:
        living = connection.execute(select(slots.c.kind).where(slots.c.account == one.awa.id, slots.c.sealed_secret.is_not(None)))
        assert sorted(living.scalars()) == ["card-pin", "recovery"]
    # The unlock that follows finds nothing to refuse, and every paper is sealed anew in its turn.
    awa = dataclasses.replace(one.awa, card=card, code=NEW_CODE)
    session = unlock(house, awa)
    arrival = arriving.at_unlock(house, session)
    assert (arrival.refused, arrival.refused_drawers, arrival.to_reencrypt) == ((), (), 1)
    assert [step.left for step in reencryption.all_steps(house, session)] == [0]
    assert read(house, session, one.paper) == before["paper"] == reads(house, one)
    # A share that was signed by the old key is renewed, narrowed and taken back by the new one.
    sharing.renew(house, session, one.share, offer(acts=SEE).until + dt.timedelta(days=1), SAID)
    withdrawing.withdraw(house, session, one.share, SAID)
    assert shares_of(house, session) == [one.drawer]
    # Receipts of before and after, that of the link too, verify by the service's key alone; a file of before does as well.
    later = receipt_files.of_all(house, session)
    assert len(verify_file(file, anchors(house))) == 3
    assert len(verify_file(later, anchors(house))) == 5
    parsed = ReceiptFile.from_bytes(later)
    assert len(parsed.earlier) == 1
    with pytest.raises(NotVerified, match="vouched"):
        verify_file(dataclasses.replace(parsed, earlier=()).to_bytes(), anchors(house))


def test_guardians_bring_back_who_protected_themselves(house: Context, clock: Clock) -> None:
    """The circle was formed anew: it gives the new secret, and directives still say the same to those who may read them."""
    one = full(house, clock)
    protecting.protect(house, unlock(house, one.awa), one.awa.code, new_card(), NEW_CODE)
    session, code = start(house, one.circle.tilleuls.kiosk)
    confirm(house, one.fatou, code, beside=True)
    confirm(house, one.circle.marc, code)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), "482957"))
    assert read(house, back, one.paper)
    with house.database.transaction(read_only=True) as connection:
        wish = directives.read_by(house, connection, sign_in(house, one.fatou).opened(), one.fatou.id, one.awa.id)
    assert wish is not None
    assert wish.name == "Binta"


def test_the_service_asks_and_each_person_s_keys_turn_at_their_next_unlock(any_house: Context, clock: Clock) -> None:
    """Secret, words and guardians stay: whatever opened the safe goes on opening it."""
    house = any_house
    one = full(house, clock)
    old = unlock(house, one.awa)
    before = whole(house, old, one)
    assert rekeying.ask_everyone(house) == rekeying.waiting(house) == 1
    assert rekeying.ask_everyone(house) == 0
    way = slot_of(house, one.awa)
    new = unlock(house, one.awa)
    assert rekeying.waiting(house) == 0
    assert slot_of(house, one.awa) != way
    opened, many = opens_by(house, one.awa.id, new.opened())
    assert (opened, opens_by(house, one.awa.id, old.opened())[0]) == (many, 0)
    after = whole(house, new, one)
    assert after.pop("history") > before.pop("history")
    assert after == before
    assert unlocking.confirm(house, new, one.awa.code) == one.awa.secret
    circle = guardians.circle(house, new)
    assert circle is not None
    assert circle.sets == 1
    assert reads(house, one) == before["paper"]
    # Again, and then once more by the guardians: each pair is signed by the one before.
    rekeying.ask_everyone(house)
    again = unlock(house, one.awa)
    with house.database.transaction(read_only=True) as connection:
        ring = belongings_ring(house, connection, one.awa.id)
    assert [Signer(session.opened().sign).public for session in (again, new, old)] == ring
    session, code = start(house, one.circle.tilleuls.kiosk)
    confirm(house, one.fatou, code, beside=True)
    confirm(house, one.circle.marc, code)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    assert back.opened().values == again.opened().values
    assert read(house, back, one.paper) == before["paper"]


def belongings_ring(house: Context, connection: Any, person: str) -> list[bytes]:
    return list(people.person_keys(house, connection, person).ring)


def slot_of(house: Context, person: MadePerson) -> str:
    with house.database.transaction(read_only=True) as connection:
        query = select(slots.c.id).where(slots.c.account == person.id, slots.c.state == "live", slots.c.kind == "card-pin")
        return str(connection.execute(query).scalar_one())


def test_what_is_posted_while_keys_turn_is_read_and_then_the_old_seed_is_forgotten(house: Context, clock: Clock) -> None:
    """Somebody read the old public key an instant before: their sentence is moved at a later unlock."""
    awa = make_person(house)
    with house.database.transaction(read_only=True) as connection:
        read_before = dict(connection.execute(select(accounts).where(accounts.c.id == awa.id)).mappings().one())
    rekeying.ask_everyone(house)
    unlock(house, awa)
    with house.database.transaction() as connection:
        now = dict(connection.execute(select(accounts).where(accounts.c.id == awa.id)).mappings().one())
        names = ("kem_public", "sign_public", "keys_statement", "keys_signature")
        connection.execute(update(accounts).where(accounts.c.id == awa.id).values({name: read_before[name] for name in names}))
        late = sentences.tell(house, connection, awa.id, Notice("card-replaced"))
        connection.execute(update(accounts).where(accounts.c.id == awa.id).values({name: now[name] for name in names}))
    clock.forward(hours=2)
    session = unlock(house, awa)
    assert [told.id for told in sentences.waiting(house, session)] == [late]
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(earlier_keys.c.sealed_kem)).scalars().all() == [None]
        assert connection.execute(select(notices.c.id)).scalars().all() == [late]


def test_keys_that_do_not_lead_to_the_last_ones_speak_for_nobody(house: Context) -> None:
    """Whoever writes rows plants the keys of somebody else as earlier ones: refused, and the person still opens by their own."""
    awa, zed = make_person(house, "Awa"), make_person(house, "Zed")
    first = keep(house, awa.session, "Avis")
    rekeying.ask_everyone(house)
    unlock(house, zed)
    second = keep(house, unlock(house, awa), "Bail")
    with house.database.transaction() as connection:
        theirs = connection.execute(select(earlier_keys).where(earlier_keys.c.account == zed.id)).mappings().one()
        planted = {"statement": theirs["statement"], "signature": theirs["signature"]}
        connection.execute(update(earlier_keys).where(earlier_keys.c.account == awa.id).values(planted))
    with house.database.transaction(read_only=True) as connection, pytest.raises(Tampered):
        people.person_keys(house, connection, awa.id)
    assert read(house, awa.session, second)
    with pytest.raises(Tampered):
        read(house, awa.session, first)


def test_killed_while_keys_turn_the_old_ones_open_or_the_new_ones(house: Context, tmp_path: Path) -> None:
    """kill -9 at each step of the unlock: the card opens, everything in the safe with it, and nothing is left half done."""
    awa = make_person(house, "Awa")
    paper = keep(house, awa.session, "Avis", text="contenu")
    documents.note(house, awa.session, paper, "à rendre")
    content, old = read(house, awa.session, paper), awa.session.opened()
    rekeying.ask_everyone(house)
    shown = show(house, awa)
    house.database.close()
    house.keyvault.close()
    seen = set()
    for step, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: unlocking.unlock(mortal, shown, awa.code)
    ):
        left = stores.open()
        seen.add(rekeying.waiting(left))
        session = unlock(left, awa)
        assert rekeying.waiting(left) == 0, step
        endings.finish(left)
        assert (read(left, session, paper), documents.note_of(left, session, paper)) == (content, "à rendre"), step
        opened, many = opens_by(left, awa.id, session.opened())
        assert (opened, opens_by(left, awa.id, old)[0]) == (many, 0), step
        left.database.close()
        left.keyvault.close()
    assert seen == {0, 1}


def show(house: Context, person: MadePerson) -> Session:
    return sessions.find(house, unlocking.present_card(house, None, person.card))


def test_another_algorithm_reaches_all_that_is_a_person_s(house: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """R20: at the next unlock each value of theirs is by the algorithm of today, history and receipts too; until then the old opens."""
    one = full(house, clock)
    before = whole(house, unlock(house, one.awa), one)
    tomorrow = sealing.Scheme(2, SHA512, AESGCM, Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA512, AEAD.AES_256_GCM))
    monkeypatch.setattr(sealing, "SCHEMES", MappingProxyType({**sealing.SCHEMES, 2: tomorrow}))
    monkeypatch.setattr(sealing, "CURRENT", 2)
    after = whole(house, unlock(house, one.awa), one)
    assert {**after, "history": 0} == {**before, "history": 0}
    with house.database.transaction(read_only=True) as connection:
        values = [*belongings.of_values(connection, one.awa.id), *belongings.of_post(house, connection, one.awa.id)]
        assert {value.value[0] for value in values} == {2}
        assert {row.sealed_seed[0] for row in connection.execute(select(shelves)).all()} == {2}


def test_an_erased_person_leaves_no_keys_of_before(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    rekeying.ask_everyone(house)
    unlock(house, awa)
    with house.database.transaction(read_only=True) as connection:
        assert len(connection.execute(select(earlier_keys.c.serial)).all()) == 1
    ask_and_carry_out(house, clock, awa)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(earlier_keys.c.serial)).all() == []
        assert connection.execute(select(accounts.c.id).where(accounts.c.id == awa.id)).all() == []
