"""For a day after a recovery nothing leaves in bulk; a paper is shown to a named worker as on any day (ADR 0073)."""

import dataclasses

import pytest

from consent.scope import Act
from tests.vault.builders import unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, confirm, make_circle, new_card, start
from tests.vault.papers import keep
from tests.vault.test_outside import offer as to_somebody
from tests.vault.test_sharing import BOTH, SEE, offer
from vault import aftermath, coming_back, outside, sessions, sharing, showing
from vault.aftermath import AfterRecovery
from vault.context import Context


@pytest.mark.parametrize("theft", [False, True], ids=["lost", "stolen"])
def test_links_and_drawers_wait_a_day_and_chosen_papers_do_not(any_house: Context, clock: Clock, theft: bool) -> None:
    house, made = any_house, make_circle(any_house)
    paper = keep(house, made.awa.session, "Avis", text="contenu", sort="tax-notice")
    clock.forward(days=2)
    session, code = start(house, made.canal.kiosk, "stolen" if theft else "lost")
    confirm(house, made.marc, code, theft=theft, beside=True)
    confirm(house, made.fatou, code, theft=theft)
    card = new_card()
    back = sessions.find(house, coming_back.finish(house, session, card, NEW_CODE))
    rows = set(house.keyvault.owned(made.awa.id))
    with pytest.raises(AfterRecovery):
        outside.refuse_too_early(house, back)
    with pytest.raises(AfterRecovery):
        outside.give(house, back, to_somebody(paper))
    for acts in (SEE, BOTH):
        with pytest.raises(AfterRecovery):
            sharing.grant(house, back, made.fatou.id, offer(acts=acts, shelf="money"))
    assert set(house.keyvault.owned(made.awa.id)) == rows
    assert sharing.drawers_wait(house, back)
    assert sharing.offer_limits(house, back, made.fatou.id).drawers_wait
    assert Act.TAKE in sharing.offer_limits(house, back, made.fatou.id).acts
    sharing.grant(house, back, made.fatou.id, offer(paper, acts=BOTH))
    sharing.grant(house, back, made.marc.id, offer(acts=frozenset({Act.DEPOSIT}), shelf="money"))
    assert len(showing.grants_of(house, back)) == 2
    clock.forward(hours=24, minutes=1)
    aftermath.expire(house)
    again = unlock(house, dataclasses.replace(made.awa, card=card, code=NEW_CODE))
    assert not sharing.drawers_wait(house, again)
    sharing.grant(house, again, made.marc.id, offer(acts=SEE, shelf="money"))
    assert outside.give(house, again, to_somebody(paper)).share
