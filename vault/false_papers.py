"""The papers of the demonstration, drawn by code: no real form is copied, no number in them is valid, and every one says in its
pixels that it is false.

Each is drawn as a PDF; a "photo" is that PDF seen through the same confined renderer as any paper, then marked
as turned, as phones do.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from fpdf import FPDF

from vault.confinement import Confinement
from vault.rendering import page_image

FALSE = "DEMONSTRATION - FAUX PAPIER"
FALSE_IN_TRAINING = "FORMATION - FAUX PAPIER"
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
INK, SOFT, LINE = (30, 36, 48), (235, 231, 222), (120, 128, 140)
Draw = Callable[[FPDF, dt.date], None]


@dataclass(frozen=True)
class FalsePaper:
    """One paper to deposit: what a person would call it, its drawer, its kind in words, its bytes."""

    title: str
    shelf: str
    sort: str
    content: bytes


def french(day: dt.date) -> str:
    """A day as a letter writes it."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _sheet(size: tuple[float, float] | str = "A4") -> FPDF:
    pdf = FPDF(unit="mm", format=size)
    pdf.set_creation_date(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    pdf.set_auto_page_break(auto=False)
    pdf.set_text_color(*INK)
    return pdf


def _page(pdf: FPDF, heading: str, lines: list[str], *, sender: str, false: str) -> None:
    pdf.add_page()
    width, height = pdf.w, pdf.h
    pdf.set_fill_color(*SOFT)
    pdf.rect(0, 0, width, 16, style="F")
    pdf.set_font("helvetica", "B", 9)
    pdf.text(8, 10, false)
    pdf.set_font("helvetica", size=10)
    pdf.text(14, 30, sender)
    pdf.set_font("helvetica", "B", 17)
    pdf.text(14, 52, heading)
    pdf.set_draw_color(*LINE)
    pdf.line(14, 57, width - 14, 57)
    pdf.set_font("helvetica", size=11)
    for place, line in enumerate(lines):
        pdf.text(14, 70 + 8 * place, line)
    pdf.set_font("helvetica", "B", 28)
    pdf.set_text_color(214, 206, 190)
    with pdf.rotation(35, width / 2, height * 0.66):
        for place, word in enumerate(false.split(" - ")):
            pdf.text(width / 2 - 72, height * 0.66 + 14 * place, word)
    pdf.set_text_color(*INK)
    pdf.set_font("helvetica", size=8)
    pdf.text(14, height - 8, "Faux papier, dessiné. Il ne prouve rien et n'appartient à personne.")


def _letter(heading: str, sender: str, pages: list[list[str]], false: str = FALSE) -> bytes:
    pdf = _sheet()
    for lines in pages:
        _page(pdf, heading, lines, sender=sender, false=false)
    return bytes(pdf.output())


def _card(heading: str, left: list[str]) -> bytes:
    pdf = _sheet((160, 100))
    pdf.add_page()
    pdf.set_fill_color(*SOFT)
    pdf.rect(4, 4, 152, 92, style="F", round_corners=True, corner_radius=6)
    pdf.set_font("helvetica", "B", 13)
    pdf.text(12, 18, heading)
    pdf.set_fill_color(205, 199, 186)
    pdf.rect(12, 26, 34, 44, style="F", round_corners=True, corner_radius=3)
    pdf.set_fill_color(165, 160, 150)
    pdf.ellipse(21, 33, 16, 18, style="F")
    pdf.ellipse(15, 53, 28, 28, style="F")
    pdf.set_fill_color(*SOFT)
    pdf.rect(12, 70, 34, 14, style="F")
    pdf.set_font("helvetica", size=10)
    for place, line in enumerate(left):
        pdf.text(54, 32 + 9 * place, line)
    pdf.set_font("helvetica", "B", 12)
    pdf.set_text_color(170, 60, 40)
    pdf.text(12, 90, FALSE)
    return bytes(pdf.output())


def turned(jpeg: bytes, orientation: int = 6) -> bytes:
    """The same JPEG, saying that it was taken with the phone turned (EXIF orientation, TIFF 6.0)."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + orientation.to_bytes(2, "big") + b"\x00\x00"
    exif = b"Exif\x00\x00" + b"MM\x00\x2a\x00\x00\x00\x08" + b"\x00\x01" + entry + b"\x00\x00\x00\x00"
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def photo(confinement: Confinement, paper: bytes, page: int = 1) -> bytes:
    """A paper as a photo of one of its pages."""
    return page_image(confinement, paper, page, dpi=150).jpeg


def letter_for(
    name: str, today: dt.date, heading: str, lines: list[str], sender: str = "Service de démonstration", *, false: str = FALSE
) -> bytes:  # fmt: skip
    """A one-page letter to somebody who does not exist."""
    return _letter(heading, sender, [[f"A {name}", f"Le {french(today)}", "", *lines]], false)


def papers_of_awa(confinement: Confinement, today: dt.date, name: str) -> list[FalsePaper]:
    """Nine papers, with dates such that something always ends soon."""
    ends = today + dt.timedelta(days=40)
    last = today.year - 1
    identity = _card(
        "CARTE D'IDENTITE - FAUSSE",
        [name, "Nationalité : de démonstration", "Numéro : 000000000000", f"Valable jusqu'en {today.year + 3}"],
    )
    tax = _letter(
        f"Avis d'impôt {last}",
        "Centre des impôts de démonstration",
        [
            [f"Avis au nom de {name}", "Numéro fiscal : 00 00 000 000 000", "Revenu fiscal de référence : 9 600 euros"],
            ["Détail des revenus", "Salaires : 9 600 euros", "Impôt : 0 euro"],
            ["Notice", "Ce texte remplit la troisième page."],
        ],
    )
    return [
        FalsePaper("Carte d'identité", "identity", "identity-card", turned(photo(confinement, identity))),
        FalsePaper(
            "Attestation de domiciliation",
            "housing",
            "domiciliation",
            letter_for(
                name, today, "Attestation de domiciliation", ["Adresse : 1 rue de la Démonstration", f"Jusqu'au {french(ends)}"]
            ),
        ),
        FalsePaper(f"Avis d'impôt {last}", "money", "tax-notice", tax),
        FalsePaper(
            "Attestation CAF",
            "money",
            "benefits",
            letter_for(name, today, "Attestation de droits", ["Numéro d'allocataire : 0000000", "RSA : 559,42 euros"]),
        ),
        FalsePaper(
            "Contrat de travail",
            "work",
            "work-contract",
            letter_for(
                name, today, "Contrat de travail", ["Entreprise de démonstration", "20 heures par semaine", "Aide de cuisine"]
            ),
        ),
        FalsePaper(
            "Ordonnance",
            "health",
            "prescription",
            photo(
                confinement, letter_for(name, today, "Ordonnance", ["Docteur de démonstration", "Vitamine D, 1 ampoule par mois"])
            ),
        ),
        FalsePaper(
            "Livret de famille",
            "family",
            "family-book",
            _letter(
                "Livret de famille",
                "Mairie de démonstration",
                [[f"Parent : {name}", "Page 1"], ["Enfant : Bintou (démo)", "Page 2"]],
            ),
        ),
        FalsePaper(
            "Photo privée",
            "private",
            "photo",
            photo(confinement, letter_for(name, today, "Souvenir", ["Une photo à garder pour soi."])),
        ),
        FalsePaper(
            "Déclaration de perte",
            "justice",
            "loss-report",
            letter_for(
                name, today, "Déclaration de perte", ["Commissariat de démonstration", "Objet perdu : un sac avec des papiers"]
            ),
        ),
    ]


def papers_of(name: str, today: dt.date, count: int, *, false: str = FALSE) -> list[FalsePaper]:
    """A few papers for the others."""
    wanted = [
        ("Attestation de demande d'asile", "stay", "asylum-certificate", ["Attestation de démonstration", "Première demande"]),
        (
            "Attestation d'hébergement",
            "housing",
            "rent",
            ["Centre de démonstration", f"Depuis le {french(today - dt.timedelta(days=90))}"],
        ),
        ("Carte de santé", "health", "health-card", ["Droits ouverts", f"Jusqu'au {french(today + dt.timedelta(days=200))}"]),
    ]
    return [
        FalsePaper(title, shelf, sort, letter_for(name, today, title, lines, false=false))
        for title, shelf, sort, lines in wanted[:count]
    ]
