"""The language registry. Adding a language: one entry here and one lexicon in `corpora/grammar/lexicons/`."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from corpora.errors import UserError


@dataclass(frozen=True)
class Language:
    """What every room needs to know of a language."""

    code: str
    """ISO 639-1 code, the value of the `language` column."""
    iso3: str
    """ISO 639-3 code."""
    script: str
    """ISO 15924 code of the script."""
    name: str
    """English name."""
    endonym: str
    """The language's name in itself."""
    script_property: str
    """Value of Unicode's Script property whose letters and marks the language is written with."""
    sentence_final: str
    """Characters that may end a sentence."""
    digits: str
    """Native digits, zero to nine."""

    @property
    def flores(self) -> str:
        """The code used by FLORES-200 and SIB-200, e.g. `hin_Deva`."""
        return f"{self.iso3}_{self.script}"

    @property
    def letters(self) -> regex.Pattern[str]:
        """Matches one letter or mark of the language's script."""
        return regex.compile(rf"[\p{{Script={self.script_property}}}&&[\p{{L}}\p{{M}}]]", flags=regex.V1)


LANGUAGES: dict[str, Language] = {
    language.code: language
    for language in (
        Language("hi", "hin", "Deva", "Hindi", "हिन्दी", "Devanagari", "।.?!", "०१२३४५६७८९"),
        Language("mr", "mar", "Deva", "Marathi", "मराठी", "Devanagari", ".?!", "०१२३४५६७८९"),
        Language("bn", "ben", "Beng", "Bengali", "বাংলা", "Bengali", "।?!", "০১২৩৪৫৬৭৮৯"),
        Language("en", "eng", "Latn", "English", "English", "Latin", ".?!", "0123456789"),
    )
}


def get_language(code: str) -> Language:
    """The registry's entry for an ISO 639-1 code; UserError if there is none."""
    try:
        return LANGUAGES[code]
    except KeyError:
        raise UserError(f"the language {code!r} is not known; choose from {', '.join(LANGUAGES)}.") from None
