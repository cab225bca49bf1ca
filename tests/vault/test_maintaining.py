"""Maintenance that touched stored data is read by each person, and by nobody else (CPCE R55-4 3°)."""

import pytest

from tests.vault.builders import make_office, make_person, make_worker
from vault import audit, maintaining, opening
from vault.context import Context
from vault.errors import BadInput


def test_maintenance_is_in_each_person_s_history(any_house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintaining, "BATCH", 2)
    office = make_office(any_house)
    fatou = make_worker(any_house, office)
    people = [make_person(any_house, name) for name in ("Awa", "Mariam", "Viktor")]
    opening.start(any_house, None, "fr")  # a safe that is not there yet reads nothing
    for tag in maintaining.DONE:
        assert maintaining.tell_everyone(any_house, tag, "0002") == 3
    for person in people:
        told = [one.event for one in audit.history(any_house, person.session) if one.event.tag in maintaining.DONE]
        assert {(one.tag, one.detail) for one in told} == {(tag, "0002") for tag in maintaining.DONE}
        assert len(told) == len(maintaining.DONE)
    assert not [one for one in audit.history(any_house, fatou.session) if one.event.tag in maintaining.DONE]
    with pytest.raises(BadInput):
        maintaining.tell_everyone(any_house, "paper.seen")
