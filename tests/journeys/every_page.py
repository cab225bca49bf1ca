"""Where every kiosk page is, and how one comes to it: addresses that stand alone, and the ways on which one page leads to the next."""

from collections.abc import Iterator

from litestar.handlers import HTTPRouteHandler

from tests.journeys.navigators import Kiosk
from vault.web import routes

LANGUAGE = "/{language:str}"

PUBLIC = ("", "abri", "conditions", "accessibilite", "aide", "carte", "carte/autrement", "mots", "perdu", "perdu/je-ne-sais-plus",
          "annuler", "annuler/mots",
          "ouvrir/avant/1", "ouvrir/avant/5", "proteger", "certificat", "perdu/raison/lost", "avec-la-carte/retour",
          "perdu/plus-rien", "perdu/plus-rien/effacer", "perdu/plus-rien/qui", "perdu/ailleurs", "fin",
          "ouvrir/pas-aujourdhui", "aide/code-oublie", "perdu/demain", "proteger/parler", "lien", "apres-un-deces")  # fmt: skip
OPEN = ("maison", "papiers", "papiers?noms=1", "papiers/tiroirs", "papiers/jetes", "ajouter", "ajouter/fichier", "ajouter/photo",
        "partages", "montrer", "montrer/tiroir", "montrer/tiroir?pour=deposer", "regards", "regards?preuve=1", "demandes",
        "moi", "moi/autres", "moi/nom", "moi/dessin", "moi/nouveau/code", "moi/nouveau/images", "moi/carte", "confiance",
        "confiance/choisir",
        "proteger", "proteger/tout-changer", "bloquer", "effacer-tout", "effacer-tout/details", "effacer-tout/temoin",
        "droits", "droits/autres",
        "droits/demander", "droits/numero", "emporter", "apporter", "autre-abri", "ce-qu-abri-sait", "conditions-nouvelles",
        "moi/accompagne", "moi/accompagne/choisir", "suite", "premiers-pas/1", "premiers-pas/3", "copie/carte",
        "moi/mots", "ajouter/beaucoup", "ajouter/telephone", "moi/carte-gardee", "moi/carte-gardee/choisir",
        "effacer-tout/code", "envoyer", "droits/apres",
        "droits/apres/donner", "droits/apres/effacer")  # fmt: skip

# Ways that are walked below; what is printed, drawn or saved is no page of the screen.
WALKED = frozenset({
    "ouvrir/nom", "ouvrir/dessin", "ouvrir/code", "ouvrir/images", "ouvrir/confiance", "ouvrir/carte", "code", "images", "arreter",
    "arreter/liens", "arreter/qui-a-recu", "ajouter/lire", "ajouter/tiroir", "montrer/qui", "montrer/pourquoi", "montrer/date",
    "montrer/accord", "envoyer/qui", "envoyer/pourquoi", "envoyer/accord", "perdu/attente", "perdu/feuille",
})  # fmt: skip


def opening(kiosk: Kiosk) -> Iterator[str]:
    """From the fifth thing to know to the card, in which nothing is kept."""
    page = kiosk.page
    kiosk.go("ouvrir/avant/5")
    page.locator("button[name=accept]").click()
    page.wait_for_url("**/ouvrir/nom")
    yield "ouvrir/nom"
    page.locator("input[name=name]").fill("Zoé (démo)")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/ouvrir/dessin")
    yield "ouvrir/dessin"
    page.locator("button[name=drawing]").first.click()
    page.wait_for_url("**/ouvrir/code")
    yield "ouvrir/code"
    kiosk.go("ouvrir/images")
    yield "ouvrir/images"
    kiosk.go("ouvrir/code")
    for _ in range(2):
        page.locator("input[name=code]").fill("739164")
        page.locator("input[name=code]").press("Enter")
        page.wait_for_load_state()
    page.wait_for_url("**/ouvrir/confiance")
    yield "ouvrir/confiance"
    page.locator("button[name=guardian][value=later]").click()
    page.wait_for_url("**/ouvrir/carte")
    yield "ouvrir/carte"
    kiosk.finish()


def with_the_card(kiosk: Kiosk, who: str) -> Iterator[str]:
    """What a card alone shows, and its code."""
    kiosk.show_card(kiosk.site.card(who))
    yield "code"
    for address in ("images", "arreter", "arreter/liens", "arreter/qui-a-recu"):
        kiosk.go(address)
        yield address


TO_SHOW = "papiers?tiroir=justice"
"""A drawer with a paper of Awa's that she may show: among all, the private one may come first, kept within the same second."""


def a_paper(kiosk: Kiosk) -> Iterator[str]:
    """One paper and everything that can be done with it, up to the last question: nothing is done."""
    page = kiosk.page
    kiosk.go(TO_SHOW)
    page.locator("a.paper").first.click()
    page.wait_for_url("**/papiers/*")
    paper = page.url.rsplit("/", 1)[1]
    yield "papiers/*"
    for address in ("que-faire", "nom", "sorte", "effacer", "tiroir", "imprimer", "telephone", "ordinateur", "copier"):
        kiosk.go(f"papiers/{paper}/{address}")
        yield f"papiers/*/{address}"
    kiosk.go(f"papiers/{paper}/montrer")
    yield "montrer/qui"
    page.locator("button[name=worker]").first.click()
    page.wait_for_url("**/montrer/pourquoi")
    yield "montrer/pourquoi"
    page.locator("button[name=reason]").first.click()
    page.wait_for_url("**/montrer/*")
    kiosk.go("montrer/date")
    yield "montrer/date"
    kiosk.go("montrer/accord")
    yield "montrer/accord"
    kiosk.go(f"papiers/{paper}/lien")
    yield "envoyer/qui"
    page.locator("main form input[type=text]").first.fill("Mairie (démo)")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/envoyer/pourquoi")
    yield "envoyer/pourquoi"
    page.locator("button[name=reason]").first.click()
    page.wait_for_url("**/envoyer/accord")
    yield "envoyer/accord"


def adding(kiosk: Kiosk) -> Iterator[str]:
    """A photo, looked at, and where to put it; it stays a draft."""
    page = kiosk.page
    kiosk.go("ajouter/fichier")
    page.locator("input[type=file]").set_input_files(kiosk.site.card("awa"))
    page.locator("form[data-upload] button[type=submit]").click()
    page.wait_for_url("**/ajouter/lire*")
    yield "ajouter/lire"
    page.locator("a[href*='/ajouter/tiroir']").first.click()
    page.wait_for_url("**/ajouter/tiroir*")
    yield "ajouter/tiroir"


def lost(kiosk: Kiosk) -> Iterator[str]:
    """The six digits to say to people of trust, and a sheet instead."""
    kiosk.start()
    kiosk.go("perdu/raison/lost")
    kiosk.page.locator("main form button[type=submit]").first.click()
    kiosk.page.wait_for_url("**/perdu/attente")
    yield "perdu/attente"
    kiosk.go("perdu/feuille")
    yield "perdu/feuille"
    kiosk.finish()


def every(kiosk: Kiosk) -> Iterator[str]:
    """All of them, one after the other: the page that was said is the one that is open."""
    for address in PUBLIC:
        kiosk.go(address)
        yield address
    yield from opening(kiosk)
    yield from lost(kiosk)
    yield from with_the_card(kiosk, "mariam")
    kiosk.open("awa")
    for address in OPEN:
        kiosk.go(address)
        yield address
    kiosk.go("regards?preuve=1")
    kiosk.page.locator("a[href$='/preuve']").first.click()
    yield "regards/*/preuve"
    kiosk.go("partages")
    share = str(kiosk.page.locator("a[href$='/plus']").first.get_attribute("href")).removesuffix("/plus")
    for address in ("plus", "moins", "moins/papiers", "moins/date", "arreter"):
        kiosk.page.goto(f"{share}/{address}")
        yield f"partages/*/{address}"
    yield from a_paper(kiosk)
    yield from adding(kiosk)


def addresses_of_pages() -> set[str]:
    """The kiosk's own addresses without a value in them, as the routes of the demonstration say."""
    found = set()
    for handler in routes.all_routes("demo"):
        if isinstance(handler, HTTPRouteHandler) and "GET" in handler.http_methods:
            found |= {
                one.removeprefix(LANGUAGE).lstrip("/")
                for one in handler.paths
                if one.startswith(LANGUAGE) and one.count("{") == 1
            }
    return {one for one in found if not one.startswith(("bureau", "association"))}
