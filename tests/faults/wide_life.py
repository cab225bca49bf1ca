"""The wider part of a life: what fills the stores that opening, keeping and sharing alone leave empty.

Each piece is somebody else's, so that none ends what another made. What is said in it is in `TOLD`; `Known` holds the cards, codes,
cookies and links that were used. Whoever looks afterwards looks for all of them.
"""

import datetime as dt
from dataclasses import dataclass, field

from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from tests.vault import builders
from tests.vault.authenticator import Authenticator
from tests.vault.builders import MadePerson, MadeWorker, Office
from tests.vault.clock import Clock
from tests.vault.comings import confirm, face, start
from tests.vault.papers import SAID, keep, prepared
from tests.vault.test_assisted import helped
from tests.vault.test_directives import member
from tests.vault.test_passkeys import add
from tests.vault.test_sharing import taken
from vault import (
    arriving,
    assisted,
    assisting,
    card_keeping,
    cards,
    checkpoints,
    circles,
    copying,
    deaths,
    depositing_for,
    directives,
    erasing,
    erasure,
    held,
    inquiry,
    notices,
    outside,
    rekeying,
    sessions,
    shares,
    sharing,
    succession,
    unlocking,
    witnessed,
)
from vault.context import Context
from vault.deposits import Words
from vault.notices import Notice
from vault.outside import OutsideOffer
from vault.witnessed import Wish

TOLD = (
    "Quittance-de-la-lune", "Banque-de-la-lune", "un-compte-tout-a-elle", "ma-soeur-qui-coud", "note-pour-apres", "Yonas-qui-danse",
    "Lettre-du-facteur", "Avis-de-Yonas", "Ancien-partage-ailleurs", "un-poste-vole-au-bureau",
)  # fmt: skip
TITLE, BANK, ACCOUNT, SISTER, AFTER, FACE, LETTER, NOTICE, ELSEWHERE, STOLEN = TOLD
# Told to the service and to workers in plain words: the reason of an inquiry is written in its own register.
IN_CLEAR = frozenset({STOLEN})


@dataclass
class Known:
    """What was shown to somebody, typed or carried: cards, codes, cookies, words, links. `keys`: what their accounts open with."""

    cards: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list, repr=False)
    bare: list[bytes] = field(default_factory=list, repr=False)  # what is printed on each card, as bytes

    def of(self, person: MadePerson) -> None:
        self.cards += [person.card, "".join(one for one in person.card if one.isalnum())]
        self.codes.append(person.code)
        self.keys.append(bytes(person.secret))
        self.bare.append(bytes(cards.read(person.card)))
        self.secrets += [person.number, *([" ".join(person.words)] if person.words else [])]


def opened(house: Context, person: MadePerson, known: Known) -> None:
    """Open the safe, and remember the cookie."""
    cookie = unlocking.unlock(house, builders.show_card(house, person.card, person.kiosk), person.code)
    known.secrets.append(cookie)
    person.session = sessions.find(house, cookie)


def live_widely(house: Context, clock: Clock, first: Office, fatou: MadeWorker, marc: MadeWorker) -> Known:
    """All of it, with the office and the two workers of the life before."""
    known = Known()
    paul = builders.make_worker(house, first, "Paul")
    add(house, fatou, Authenticator())
    everyone = {name: builders.make_person(house, name, kiosk=first.kiosk) for name in ("Zoe", FACE, "Cyr", "Dina", "Ewa")}
    for person in everyone.values():
        known.of(person)
    zoe, yonas, cyr, dina, ewa = everyone.values()
    _erased(house, clock, cyr, fatou)
    for worker in (fatou, marc, paul):
        builders.sign_in(house, worker)
    _given_away(house, zoe, fatou, marc, paul, known)
    _helped(house, yonas, fatou, marc, paul, known)
    _counted_on(house, dina, fatou, marc, first, known)
    _changed_keys(house, ewa, known)
    inquiry.export(house, house.clock().date() - dt.timedelta(days=5), house.clock().date(), STOLEN)
    checkpoints.publish(house)
    known.keys += [bytes(worker.session.opened().kem) for worker in (fatou, marc, paul)]
    return known


def _month(house: Context) -> dt.date:
    return house.clock().date() + dt.timedelta(days=30)


def _erased(house: Context, clock: Clock, cyr: MadePerson, fatou: MadeWorker) -> None:
    """Given, a copy taken, erased: the certificate, who is told, what was removed from the trace."""
    clock.forward(days=1)
    builders.unlock(house, cyr)
    builders.sign_in(house, fatou)
    paper = keep(house, cyr.session)
    offer = sharing.Offer(
        PurposeId("home"), frozenset({Act.SEE, Act.TAKE}), _month(house), SAID, papers=(paper,), words="un logement"
    )
    taken(house, fatou, sharing.grant(house, cyr.session, fatou.id, offer), paper)
    asked = erasure.ask(house, cyr.session, cyr.code)
    clock.forward(hours=73)
    erasing.carry_out(house, asked.id)


def _given_away(house: Context, zoe: MadePerson, fatou: MadeWorker, marc: MadeWorker, paul: MadeWorker, known: Known) -> None:
    """A drawer, a link, a letter put into another drawer, a colleague proposed, a copy offered, a card kept, what was brought."""
    opened(house, zoe, known)
    paper = keep(house, zoe.session, TITLE)
    drawer = sharing.Offer(
        PurposeId("home"), frozenset({Act.SEE, Act.TAKE}), _month(house), SAID, words="un logement", shelf=ShelfKind("money")
    )  # fmt: skip
    seen = sharing.grant(house, zoe.session, fatou.id, drawer)
    post = sharing.Offer(
        PurposeId("home"), frozenset({Act.DEPOSIT}), _month(house), SAID, words="un logement", shelf=ShelfKind("other")
    )
    put = sharing.grant(house, zoe.session, marc.id, post)
    link = outside.give(house, zoe.session, OutsideOffer((paper,), BANK, PurposeId("bank"), SAID, words=ACCOUNT, marked=True))
    known.secrets += [link.secrets.groups, "".join(one for one in link.secrets.groups if one.isalnum())]
    known.codes += [link.secrets.code]
    succession.propose(house, fatou.session, seen, paul.id)
    known.secrets.append(copying.offer(house, zoe.session, paper))
    card_keeping.keep(house, zoe.session, marc.id, name=FACE, drawing="turtle")
    with house.database.transaction(read_only=True) as connection:
        share = shares.one_of_worker(house, connection, marc.session, put)
    depositing_for.deposit_prepared(house, marc.session, share, prepared(LETTER), Words(LETTER))
    opened(house, zoe, known)
    arriving.at_unlock(house, zoe.session)
    with house.database.transaction() as connection:
        held.keep_earlier(house, connection, zoe.session, [{"share": ELSEWHERE}])
        notices.tell(house, connection, zoe.id, Notice("restored", {"day": "2026-01-01"}))


def _helped(house: Context, yonas: MadePerson, fatou: MadeWorker, marc: MadeWorker, paul: MadeWorker, known: Known) -> None:
    """An opening with help in which a paper is given before a witness, another waits for its person, and one more help is begun."""
    opened(house, yonas, known)
    papers = [keep(house, yonas.session, NOTICE, text=text) for text in ("un", "deux")]
    helped(house, yonas, fatou, "money")
    builders.sign_in(house, fatou)
    inside = assisted_session(house, yonas, fatou)
    for paper in papers:
        witnessed.ask(house, inside, Wish(paper, paul.id, PurposeId("home"), marc.id, SAID))
        code = witnessed.waiting(house, inside).code
        known.codes.append(code)
        witnessed.sign(house, marc.session, witnessed.type_code(house, marc.session, code))
        if paper == papers[0]:
            witnessed.give(house, inside)
    shown = builders.show_card(house, yonas.card)
    code = assisted.start(house, shown).code
    known.codes.append(code)
    assisted.lend(house, fatou.session, assisting.people_i_help(house, fatou.session)[0].slot, code)


def assisted_session(house: Context, yonas: MadePerson, fatou: MadeWorker) -> sessions.Session:
    """The card at the kiosk, the digits at the desk."""
    shown = builders.show_card(house, yonas.card)
    code = assisted.start(house, shown).code
    assisted.lend(house, fatou.session, assisting.people_i_help(house, fatou.session)[0].slot, code)
    return sessions.find(house, assisted.finish(house, shown))


def _counted_on(house: Context, dina: MadePerson, fatou: MadeWorker, marc: MadeWorker, first: Office, known: Known) -> None:
    """Guardians, a wish for after, one guardian's confirmation of a recovery, and one report of a death."""
    opened(house, dina, known)
    circles.set_circle(house, dina.session, dina.code, [face(fatou, "Dina"), face(marc, "Dina")], needed=2)
    directives.record(house, dina.session, dina.code, directives.Wish("hand", SISTER, AFTER))
    _, code = start(house, first.kiosk)
    known.codes.append(code)
    confirm(house, marc, code, beside=True, name="Dina")
    builders.sign_in(house, fatou)
    deaths.report(house, fatou.session, member(house, fatou, "Dina"), seen=True)


def _changed_keys(house: Context, ewa: MadePerson, known: Known) -> None:
    """The keys of an account turn; the seed of before stays for an hour."""
    rekeying.ask_everyone(house)
    opened(house, ewa, known)
