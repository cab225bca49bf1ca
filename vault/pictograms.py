"""Which drawing stands beside which thing: kinds of papers, drawers, reasons, and the drawings that people choose.

Names of drawings are those of the icon package (`vault/assets/icons.py` builds exactly the ones that are used). The sentence of
a thing is found by its key: `kind.<name>`, `drawer.<name>`, `reason.<name>`, `drawing.<name>`, `picture.<name>`.
"""

from collections.abc import Mapping

DRAWERS: Mapping[str, str] = {
    "identity": "id-card",
    "stay": "landmark",
    "family": "users-round",
    "housing": "house",
    "health": "heart-pulse",
    "money": "coins",
    "work": "hammer",
    "justice": "scale",
    "other": "folder-open",
    "private": "lock-keyhole",
}

REASONS: Mapping[str, str] = {
    "mail-address": "mailbox",
    "home": "house",
    "shelter": "bed-single",
    "rsa": "hand-coins",
    "health": "heart-pulse",
    "stay": "landmark",
    "asylum": "globe",
    "identity-card": "id-card",
    "bank": "credit-card",
    "lawyer": "scale",
    "work": "hammer",
    "taxes": "calculator",
    "children": "baby",
    "pension-disability": "accessibility",
    "transport": "bus",
    "other": "message-circle-question-mark",
}

KINDS: Mapping[str, str] = {
    "identity-card": "id-card",
    "passport": "book-user",
    "residence-permit": "file-badge",
    "residence-receipt": "file-clock",
    "asylum-certificate": "globe",
    "asylum-decision": "stamp",
    "birth-certificate": "baby",
    "family-book": "book-heart",
    "loss-report": "file-question-mark",
    "domiciliation": "mailbox",
    "rent": "house",
    "housing-request": "house-plus",
    "tax-notice": "calculator",
    "benefits": "hand-coins",
    "bank-details": "credit-card",
    "bank-statement": "receipt-text",
    "payslip": "banknote",
    "work-contract": "file-pen",
    "job-search": "search",
    "diploma": "graduation-cap",
    "health-card": "heart-pulse",
    "prescription": "pill",
    "medical-letter": "stethoscope",
    "disability": "accessibility",
    "pension": "armchair",
    "judgment": "scale",
    "police": "siren",
    "criminal-record": "gavel",
    "sworn-statement": "signature",
    "transport-card": "bus",
    "letter": "mail",
    "photo": "image",
    "other": "file-text",
}

# The order is for ever: a card shows its drawing, and a picture code is made of these numbers (keys.md: a byte each).
DRAWINGS: tuple[str, ...] = (
    "turtle", "sun", "key", "sailboat", "bird", "fish", "cat", "rabbit", "snail",
    "tree-palm", "flower-2", "leaf", "star", "moon", "bell", "anchor", "feather", "bike",
)  # fmt: skip
PICTURES: tuple[str, ...] = (
    "apple", "banana", "carrot", "cake", "coffee", "scissors", "guitar", "drum",
    "glasses", "shirt", "watch", "umbrella", "gift", "car", "plane", "train-front",
)  # fmt: skip
