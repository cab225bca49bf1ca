"""Words that are typed are judged on their own page: what was refused at the yes said of nothing which word it was, and failed again."""

import re
from collections.abc import Callable

import pytest

from tests.vault.builders import MadePerson, MadeWorker, Office, make_worker, sign_in_administrator
from tests.vault.papers import keep
from tests.web.sharing_steps import awa_on_another_day, share_paper, tax_notice
from tests.web.site import Shown, Site
from tests.web.test_desk_pages import said
from vault import asking, outside, people, rights, showing, workers

__all__ = ["awa_on_another_day"]  # the Awa of these tests

TYPED = {"عند مح\u0651\u064eمد": "عند مح\u064e\u0651مد", "au cafe\u0301": "au café"}
"""As a keyboard or another machine gives it, and as it is signed: it looks the same."""
REFUSED = {"\u2800": "error.missing", "\u200b\u200b": "error.missing", "abc\u202etxt": "error.unseen-signs"}


def whom(site: Site, awa: MadePerson, office: Office) -> Shown:
    return site.get(f"/fr/papiers/{tax_notice(site, awa)}/lien")


def of_the_link(site: Site, awa: MadePerson, office: Office) -> Shown:
    return site.press(site.press(whom(site, awa, office), name="Banque"), reason="other")


def own(site: Site, awa: MadePerson, office: Office) -> Shown:
    worker = make_worker(site.house, office, "Marc")
    return site.press(site.press(site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer"), worker=worker.id), reason="other")


PAGES: dict[str, tuple[Callable[[Site, MadePerson, Office], Shown], str]] = {
    "/fr/envoyer/qui": (whom, "name"), "/fr/envoyer/mots": (of_the_link, "words"), "/fr/montrer/mots": (own, "words"),
}  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_what_cannot_be_signed_is_said_on_its_field_and_stays_there(
    site: Site, awa: MadePerson, office: Office, path: str
) -> None:
    begin, field = PAGES[path]
    page = begin(site, awa, office)
    assert page.path == path
    for typed, sentence in REFUSED.items():
        refused = site.press(page, **{field: typed})
        assert (refused.status, refused.errors) == (422, said(sentence)), typed.encode()
        assert refused.tree.xpath(f"//*[@name='{field}']/@value | //textarea[@name='{field}']/text()") == [typed]
    assert site.press(page, **{field: "Mon amie"}).path != path


@pytest.mark.parametrize("typed", TYPED)
def test_accents_in_the_order_of_a_keyboard_are_given(site: Site, awa: MadePerson, office: Office, typed: str) -> None:
    """ "Il manque quelque chose" was the answer to each yes, for an Arabic word with two marks on one letter."""
    done = site.press(site.press(site.press(own(site, awa, office), words=typed), how="see"), answer="yes")
    assert done.path == "/fr/montrer/fait"
    assert [one.own_words for one in showing.grants_of(site.house, awa.session)] == [TYPED[typed]]
    words = site.press(site.press(whom(site, awa, office), name=typed), reason="other")
    assert site.press(site.press(words, words=typed), answer="yes").path == "/fr/envoyer/fait"
    (link,) = outside.mine(site.house, awa.session)
    assert link.recipient == TYPED[typed]


@pytest.mark.parametrize("typed", TYPED)
def test_a_request_and_a_name_are_judged_at_their_desk(site: Site, awa: MadePerson, fatou: MadeWorker, typed: str) -> None:
    grant = share_paper(site, awa, fatou, keep(site.house, awa.session))
    site.leave()
    site.sign_in(fatou)
    page = site.get(f"/fr/bureau/demandes/nouvelle/{grant}")
    hidden = site.press(page, kind=["payslip"], purpose="other", own_words="abc\u202etxt")
    assert (hidden.status, hidden.errors) == (422, said("error.unseen-signs"))
    assert site.press(page, kind=["payslip"], purpose="other", own_words=typed).path == "/fr/bureau/demandes"
    site.open(awa)
    (asked,) = asking.waiting_for_me(site.house, awa.session)
    assert asked.own_words == TYPED[typed]
    page = site.get("/fr/moi/nom")
    assert (site.press(page, name="abc\u202etxt").errors, site.press(page, name=typed).path) == (
        said("error.unseen-signs"),
        "/fr/moi",
    )
    assert people.me(site.house, awa.session).name == TYPED[typed]


def test_whoever_works_where_a_name_was_typed_so_is_given_papers(site: Site, office: Office, awa: MadePerson) -> None:
    """Names of people who work and of places, and how these are reached, stand in what is signed: each yes to them would have failed."""
    site.leave()
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/structures")
    for typed in ({"name": "\u2800"}, {"name": "a" * 61}):
        assert site.press(page, **typed).errors == said("office.invite.bad_name")
    assert site.press(page, name="Abri", contact="abc\u202etxt").errors == said("error.unseen-signs")
    site.press(page, name="Cafe\u0301 social", contact="12 rue de la Pe\u0301pinie\u0300re\n75001")
    made = next(one for one in workers.structures_of(site.house, office.admin) if one.name.startswith("Caf"))
    assert (made.name, made.contact) == ("Café social", "12 rue de la Pépinière 75001")
    invite = site.get("/fr/association/personnel/inviter")
    assert site.press(invite, structure=made.id, first_name="\u200b\u200b", role="salaried").errors == said(
        "office.invite.bad_name"
    )
    shown = site.press(invite, structure=made.id, first_name="Ine\u0300s", role="salaried")
    assert shown.path == "/fr/association/a-remettre"
    assert [one.first_name for one in workers.invitations(site.house, office.admin)] == ["Inès"]


def test_a_reason_of_the_register_can_be_read(site: Site, office: Office) -> None:
    admin = sign_in_administrator(site.house, office.administrators[0])
    line = rights.receive(site.house, admin, "access", "letter")
    site.sign_in_administrator(office.administrators[0])
    page = site.get(f"/fr/association/registre/{line.id}")
    (act,) = {one for one in page.tree.xpath("//main//form/@action") if re.search("/refuser$", one)}
    token = str(page.tree.xpath("//main//input[@name='token']/@value")[0])
    for typed, sentence in {"\u2800": "office.request.reason_missing", "abc\u202etxt": "error.unseen-signs"}.items():
        refused = site.post(str(act), {"token": token, "reason": typed})
        assert (refused.status, refused.errors) == (422, said(sentence))
    assert site.post(str(act), {"token": token, "reason": "pas de\n\npre\u0301cision"}).status == 200
