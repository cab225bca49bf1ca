"""Purposes, drawers and roles are rows of data whose ids are signed for years."""

from datetime import date

import pytest

from consent.errors import TransitionRefused
from consent.ids import WorkerId, checked_id, checked_slug
from consent.purposes import PRIVATE, PURPOSES, SHELVES, PurposeId, Sensitivity, ShelfKind, purpose, sensitivities, shelf
from consent.recipients import ROLES, Recipient, RecipientEvent, RecipientState, RoleId, next_state, role
from consent.scope import Act
from crypto.errors import Malformed
from tests.consent.examples import FATOU


def test_the_sixteen_purposes_are_those_of_the_page_in_its_order() -> None:
    assert [(row.id, row.words) for row in PURPOSES] == [
        ("mail-address", "une adresse pour le courrier"), ("home", "un logement"), ("shelter", "un lit ou un hébergement"),
        ("rsa", "le RSA"), ("health", "la santé (AME, C2S)"), ("stay", "le droit au séjour"), ("asylum", "l'asile"),
        ("identity-card", "une carte d'identité"), ("bank", "un compte en banque"), ("lawyer", "un avocat"),
        ("work", "le travail"), ("taxes", "les impôts"), ("children", "les enfants"),
        ("pension-disability", "la retraite ou le handicap"), ("transport", "les transports"), ("other", "autre chose"),
    ]  # fmt: skip
    assert [row.id for row in PURPOSES if row.own_words] == ["other"]


def test_the_ten_drawers_and_what_the_law_says_of_them() -> None:
    assert [(row.kind, row.words) for row in SHELVES] == [
        ("identity", "Identité"), ("stay", "Droit au séjour"), ("family", "Famille"), ("housing", "Logement"),
        ("health", "Santé"), ("money", "Argent"), ("work", "Travail"), ("justice", "Justice"), ("other", "Autre"),
        ("private", "Privé"),
    ]  # fmt: skip
    assert [row.kind for row in SHELVES if not row.grantable] == [PRIVATE]
    assert {row.kind: row.sensitivity for row in SHELVES if row.sensitivity is not Sensitivity.ORDINARY} == {
        "stay": Sensitivity.ORIGIN, "health": Sensitivity.HEALTH, "justice": Sensitivity.OFFENCE,
    }  # fmt: skip


@pytest.mark.parametrize("unknown", ["", "Home", "home ", "logement", None, 3, b"home"])
def test_unknown_purposes_drawers_and_roles_are_malformed(unknown: object) -> None:
    for look_up in (purpose, shelf, role):
        with pytest.raises(Malformed):
            look_up(unknown)


def test_a_purpose_alone_can_be_sensitive() -> None:
    housing = ShelfKind("housing")
    assert sensitivities([housing], PurposeId("home")) == frozenset()
    assert sensitivities([housing], PurposeId("asylum")) == {Sensitivity.ORIGIN}
    assert sensitivities([housing, ShelfKind("justice")], PurposeId("health")) == {Sensitivity.OFFENCE, Sensitivity.HEALTH}


ROLE_TABLE = {  # id: permanent, acts, guardian, assists
    "salaried": (True, "see take deposit replace", True, True),
    "volunteer": (False, "deposit", False, False),
    "intern": (False, "deposit", False, False),
    "civic-service": (False, "see take deposit replace", True, True),
    "interpreter": (False, "deposit", False, False),
    "lawyer": (True, "see take deposit replace", True, True),
    "protection-representative": (True, "see take deposit replace", False, False),
}


def test_each_role_may_do_exactly_what_its_row_says() -> None:
    assert {
        row.id: (row.permanent, " ".join(act for act in Act if act in row.acts), row.may_guard, row.may_assist) for row in ROLES
    } == ROLE_TABLE


@pytest.mark.parametrize("name", ROLE_TABLE)
def test_a_role_that_is_not_permanent_needs_an_end(name: str) -> None:
    Recipient(FATOU, RoleId(name), RecipientState.CERTIFIED, date(2027, 1, 1))
    if ROLE_TABLE[name][0]:
        Recipient(FATOU, RoleId(name), RecipientState.CERTIFIED)
    else:
        with pytest.raises(Malformed):
            Recipient(WorkerId(FATOU), RoleId(name), RecipientState.CERTIFIED)


RECIPIENT_TABLE = {
    ("invited", "certify"): "certified", ("invited", "end"): "ended", ("certified", "suspend"): "suspended",
    ("certified", "end"): "ended", ("suspended", "return"): "certified", ("suspended", "end"): "ended",
}  # fmt: skip


@pytest.mark.parametrize("state", RecipientState)
@pytest.mark.parametrize("event", RecipientEvent)
def test_a_worker_moves_only_as_the_table_says(state: RecipientState, event: RecipientEvent) -> None:
    after = RECIPIENT_TABLE.get((state.value, event.value))
    if after:
        assert next_state(state, event) == after
    else:
        with pytest.raises(TransitionRefused) as refused:
            next_state(state, event)
        assert (refused.value.state, refused.value.event) == (state, event)


@pytest.mark.parametrize(
    "untrusted",
    [
        "", "x", "00000000-0000-4000-8000-00000000000G", "00000000-0000-4000-8000-00000000000A", None, 1,
        "{00000000-0000-4000-8000-000000000001}", "00000000000040008000000000000001", " 0000000-0000-4000-8000-000000000001",
    ],
)  # fmt: skip
def test_ids_are_written_in_one_way(untrusted: object) -> None:
    with pytest.raises(Malformed):
        checked_id(untrusted)


@pytest.mark.parametrize("untrusted", ["", "Avis", "avis d'impôt", "-a", "a-", "a--b", "a" * 41, "é", None, "a_b", "9a"])
def test_a_kind_cannot_hold_a_title(untrusted: object) -> None:
    with pytest.raises(Malformed):
        checked_slug(untrusted)
    assert checked_slug("tax-notice-2") == "tax-notice-2"
