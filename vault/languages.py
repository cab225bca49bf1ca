"""The sentences of Abri in each language: one catalogue a language, French beneath all of them.

A sentence is named by a key (`k05.title`), never by its French wording: wordings change, and a recorded voice is found
by the same key. A sentence that a language lacks is shown in French, whole, and says that it is French.
Source of the file format: GNU gettext PO. Rules for plurals, dates and months: Unicode CLDR, through Babel.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from gettext import c2py
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locales"
SHOWN_ZONE = ZoneInfo("Europe/Paris")

SPOKEN_AREAS = ("kiosk", "errors", "events")
EVERYWHERE = ("kiosk", "events", "errors", "printed")
WORKERS_ONLY = ("desk", "office")
AREAS = EVERYWHERE + WORKERS_ONLY

TWO_READERS = "two-readers"
EASY = "falc"
READ_BY = "read by:"
OF_NOBODY = ("mis", "mul", "root", "und", "zxx")  # codes of CLDR that stand for no language

FIRST_STRONG_ISOLATE = "\u2068"
POP_ISOLATE = "\u2069"


class NoSuchSentence(Exception):
    """A page asked for a sentence that not even French has: a mistake of the program, never of a person."""


@dataclass(frozen=True)
class Language:
    """One language as the pages need it; `voice` is the name of a synthetic voice, None where only people speak.

    `comma` and `colon` stand between what a page puts beside each other: a blank follows them.
    """

    code: str
    own_name: str
    direction: Literal["ltr", "rtl"]
    locale: str
    voice: str | None
    for_tests: bool = False
    comma: str = ","
    colon: str = ":"


FRENCH = Language("fr", "Français", "ltr", "fr", "fr", colon="\u00a0:")
LANGUAGES: Mapping[str, Language] = {
    language.code: language
    for language in (
        FRENCH,
        Language("en", "English", "ltr", "en_GB", "en"),
        Language("ar", "العربية", "rtl", "ar", "ar", comma="،"),
        Language("qps", "Pšéûđô", "ltr", "fr", None, for_tests=True),
        Language("qpr", "Pšéûđô ŔŢĻ", "rtl", "fr", None, for_tests=True),
    )
}
WORKER_LANGUAGES = ("fr", "en")


@dataclass(frozen=True)
class Sentence:
    """One entry of a catalogue: its text in each plural form, the flags that a reader must honour, who has read it."""

    key: str
    area: str
    forms: tuple[str, ...]
    flags: frozenset[str] = frozenset()
    readers: tuple[str, ...] = ()

    @property
    def needs_two_readers(self) -> bool:
        """Whether two people must have read this wording: conditions, sharing, erasing, recovery."""
        return TWO_READERS in self.flags

    @property
    def static(self) -> bool:
        """Whether the sentence can be said aloud as it stands: it has no value and no number in it."""
        return len(self.forms) == 1 and not placeholders(self.forms[0])


@dataclass(frozen=True)
class Wording:
    """What was found for a key: the text, and the language it is really in."""

    text: str
    language: Language


@dataclass(frozen=True)
class Sentences:
    """All sentences of one language, falling back to French whole."""

    language: Language
    entries: Mapping[str, Sentence]
    form_for: Callable[[int], int] = field(repr=False)
    fallback: "Sentences | None" = None

    def has(self, key: str) -> bool:
        """Whether this language itself has the sentence."""
        return key in self.entries

    def find(self, key: str) -> tuple[Sentence, Language]:
        """The entry for a key, and the language it was found in; NoSuchSentence when nobody has it."""
        if key in self.entries:
            return self.entries[key], self.language
        if self.fallback is None:
            raise NoSuchSentence(key)
        return self.fallback.find(key)

    def wording(self, key: str, n: int | None = None) -> Wording:
        """The text for a key, in the form that `n` asks for in that language."""
        if key not in self.entries:
            if self.fallback is None:
                raise NoSuchSentence(key)
            return self.fallback.wording(key, n)
        forms = self.entries[key].forms
        if n is None or len(forms) == 1:
            return Wording(forms[0], self.language)
        return Wording(forms[self.form_for(n)], self.language)

    def plain(self, key: str, n: int | None = None, **values: object) -> str:
        """The sentence as text, for titles, attributes and paper: values stand between isolating marks."""
        text = self.wording(key, n).text
        if n is not None:
            values = {"n": n, **values}
        return fill(text, {name: isolate(str(value)) for name, value in values.items()})

    def spoken_key(self, key: str) -> str | None:
        """The key whose recording says this sentence without any value in it, or None: then there is no button."""
        for candidate in (key, f"{key}.said"):
            try:
                sentence, _ = self.find(candidate)
            except NoSuchSentence:
                continue
            if sentence.static and sentence.area in SPOKEN_AREAS:
                return candidate
        return None

    def day(self, day: date) -> str:
        """23 novembre 2026, with digits that everybody here reads."""
        return _date(day, "d MMMM y", self.language.locale)

    def month(self, day: date) -> str:
        """novembre 2026: how a paper is told from another without its name."""
        return _date(day, "MMMM y", self.language.locale)

    def weekday(self, day: date) -> str:
        """lun., mar.: the head of a column in a calendar."""
        return str(format_date(day, "EEE", locale=self.language.locale))

    def moment(self, at: datetime) -> str:
        """Day and minute as a clock in the room shows them."""
        return self.listed([self.day(at.astimezone(SHOWN_ZONE).date()), self.hour(at)])

    def hour(self, at: datetime) -> str:
        """The minute alone, where the day is said above."""
        return str(format_datetime(at, "HH:mm", tzinfo=SHOWN_ZONE, locale=self.language.locale))

    def listed(self, parts: Iterable[str]) -> str:
        """Names, words or days one after the other, as this language separates them."""
        return f"{self.language.comma} ".join(parts)

    def unread(self) -> tuple[str, ...]:
        """Keys that need two human readers in this language and do not have them yet."""
        if self.language == FRENCH or self.language.for_tests:
            return ()
        return tuple(key for key, sentence in self.entries.items() if sentence.needs_two_readers and len(sentence.readers) < 2)


@dataclass(frozen=True)
class Catalogues:
    """Every language that this installation speaks."""

    languages: Mapping[str, Sentences]

    def __getitem__(self, code: str) -> Sentences:
        return self.languages[code]

    def __contains__(self, code: object) -> bool:
        return code in self.languages

    def __iter__(self) -> Iterator[Sentences]:
        return iter(self.languages.values())

    def offered(self) -> tuple[Language, ...]:
        """The languages of the first page, in their fixed order."""
        return tuple(sentences.language for sentences in self if not sentences.language.for_tests)


@lru_cache(maxsize=4096)
def _date(day: date, pattern: str, locale: str) -> str:
    text = str(format_date(day, pattern, locale=locale))
    # In French the first day of a month is an ordinal; CLDR's patterns cannot say so.
    return f"1er{text[1:]}" if locale == "fr" and day.day == 1 and pattern.startswith("d ") else text


def placeholders(text: str) -> frozenset[str]:
    """The names between braces."""
    return frozenset(re.findall(r"\{(\w+)\}", text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in their places; a name that the sentence does not know is left out, a missing one is an error."""
    return re.sub(r"\{(\w+)\}", lambda found: values[found.group(1)], text)


def isolate(value: str) -> str:
    """A value that can neither turn nor be turned by the text around it (UAX 9)."""
    return f"{FIRST_STRONG_ISOLATE}{value}{POP_ISOLATE}"


def read_catalogues(folder: Path = LOCALES, *, with_pseudo: bool = False) -> Catalogues:
    """Read every .po file once; with the two pseudo-languages when tests ask for them."""
    french = Sentences(FRENCH, read_language(folder, FRENCH), plural_rule(FRENCH))
    languages: dict[str, Sentences] = {"fr": french}
    for code, language in LANGUAGES.items():
        if language.for_tests:
            if with_pseudo:
                disguise = lengthen if language.direction == "ltr" else mirror
                entries = {key: disguised(sentence, disguise) for key, sentence in french.entries.items()}
                languages[code] = Sentences(language, entries, french.form_for, french)
        elif language != FRENCH and (folder / code).is_dir():
            languages[code] = Sentences(language, read_language(folder, language), plural_rule(language), french)
    return Catalogues(languages)


@lru_cache(maxsize=2)
def catalogues(*, with_pseudo: bool = False) -> Catalogues:
    """What this installation says, read once in the life of a process; a demonstration knows the pseudo-languages too."""
    return read_catalogues(with_pseudo=with_pseudo)


def named(code: str) -> bool:
    """Whether a code (BCP 47) begins with a language that people speak and that has a name, be it one of ours or not (CLDR)."""
    language = code.split("-")[0]
    return language in Locale("en").languages and language not in OF_NOBODY


def plural_rule(language: Language) -> Callable[[int], int]:
    """Which form of a sentence a number asks for: six in Arabic."""
    return c2py(get_plural(language.locale.split("_")[0]).plural_expr)


def read_language(folder: Path, language: Language) -> dict[str, Sentence]:
    """All areas of one language together; the same key in two files is an error."""
    entries: dict[str, Sentence] = {}
    for area in AREAS:
        path = folder / language.code / f"{area}.po"
        if not path.exists():
            continue
        for sentence in read_area(path, language):
            if sentence.key in entries:
                raise ValueError(f"{sentence.key} is both in {entries[sentence.key].area} and in {area}")
            entries[sentence.key] = sentence
    return entries


def read_area(path: Path, language: Language) -> Iterator[Sentence]:
    """The translated entries of one file, in order; untranslated and fuzzy ones are as if absent."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language.locale.split("_")[0], abort_invalid=True)
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        said = message.string or ""
        forms = (said,) if isinstance(said, str) else tuple(said)
        if not all(forms):
            continue
        readers = tuple(line.removeprefix(READ_BY).strip() for line in message.user_comments if line.startswith(READ_BY))
        if language == FRENCH:
            forms = tuple(french_spaces(form) for form in forms)
        yield Sentence(key, path.stem, forms, frozenset(message.flags), readers)


def french_spaces(text: str) -> str:
    """A question mark never stands alone at the start of a line."""
    return re.sub(r" (?=[?!:;»])|(?<=«) ", "\u00a0", text)


_ACCENTS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "àbçđéfğhîjķļmñôpqŕšţûvŵxýžÀBÇĐÉFĞHÎJĶĻMÑÔPQŔŠŢÛVŴXÝŽ",
)
_PARTS = re.compile(r"(\{\w+\})")


def disguised(sentence: Sentence, disguise: Callable[[str], str]) -> Sentence:
    """The same entry in a pseudo-language."""
    forms = tuple(disguise(form) for form in sentence.forms)
    return Sentence(sentence.key, sentence.area, forms, sentence.flags, ("pseudo", "pseudo"))


def lengthen(text: str) -> str:
    """Accented everywhere and 40 % longer: what was not translated, or does not fit, shows."""
    return "\n".join(_lengthen_line(line) for line in text.split("\n"))


def _lengthen_line(line: str) -> str:
    accented = "".join(part if part.startswith("{") else part.translate(_ACCENTS) for part in _PARTS.split(line))
    extra = max(2, round(len(line) * 0.4))
    padding = ("ôñé ţŵô ţhŕéé fôûŕ fîvé šîx šévéñ éîğhţ ñîñé " * 3)[:extra].rstrip()
    return f"{accented} {padding}"


def mirror(text: str) -> str:
    """Letters that read from the right: the page must turn round as it does for Arabic."""
    letters = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ابتثجحخدذرزسشصضطظعغفقكلمنه")
    return "".join(part if part.startswith("{") else _unaccented(part).lower().translate(letters) for part in _PARTS.split(text))


def _unaccented(text: str) -> str:
    from unicodedata import combining, normalize

    return "".join(letter for letter in normalize("NFD", text) if not combining(letter))
