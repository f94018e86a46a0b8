"""Whether an answer may stay: a story, in its language, of about the length asked for, finished, with its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex

from corpora.cleaning.identify import UNKNOWN, identify
from corpora.languages import get_language
from corpora.llm.inflection import uses, words
from corpora.llm.knowledge import knowledge
from corpora.llm.prompts import Prompt

REASONS = {
    "empty": "no text at all",
    "refusal": "the model would not, or spoke of itself",
    "cut off": "the answer reached the limit of tokens",
    "script": "too much of it is not in the language's script",
    "language": "another language of the same script",
    "instructions": "it repeats the prompt, announces the story, or shows chat markers",
    "advertising": "an address, a link, or an advertisement",
    "short": "too short for what was asked",
    "long": "too long for what was asked",
    "ending": "it does not end with the end of a sentence",
    "words": "a required word is missing",
}
"""In the order they are looked for; an answer has the first that fits."""

_SCRIPT_SHARE = 0.95
_REPEATED = 9
"""So many words in a row from the prompt are the prompt."""
_LETTER = regex.compile(r"[\p{L}\p{M}]")
_CLOSING = regex.compile(r"[\s\"'”’»)\]*_…\p{Emoji_Presentation}\ufe0f]+$")
_MARKERS = regex.compile(
    r"<\|?/?\w*(?:im_|turn|start_of|end_of|eot|think)\w*\|?>|\[/?INST\]|^\s*(?:user|assistant|system|model)\s*:",
    regex.M,
)
_ADVERTISING = regex.compile(
    r"https?://|www\.|\b[\w.-]+@[\w-]+\.\w{2,}|\b[\w-]{2,}\.(?:com|org|net|io|ai|in|co|wtf|me)\b|(?:\d[ -]?){9,}\d"
    r"|\b(?:subscribe|sponsored|powered by|proxies|discount|whatsapp|telegram|youtube|pollinations)\b"
    r"|सब्सक्राइब|सबस्क्राईब|सदस्यता ल|व्हाट्सऐप|व्हॉट्सअॅप|यूट्यूब|সাবস্ক্রাইব|হোয়াটসঅ্যাপ|ইউটিউব",
    regex.I,
)


@dataclass(frozen=True)
class Checks:
    """How strict the checks are.

    Args:
        missing_words: how many of the three required words may be missing.
        length: by what share the length may miss the range asked for: 0.5 is half the least to half more than the most.
    """

    missing_words: int = 0
    length: float = 0.5


def check(text: str, prompt: Prompt, checks: Checks) -> tuple[str, str]:
    """("", "") for an answer that may stay, else the reason, a key of `REASONS`, and what it was found by."""
    language = get_language(prompt.language)
    if not text.strip():
        return "empty", ""
    if found := _search(knowledge(prompt.language).refusals + knowledge("en").refusals, text[:250]):
        return "refusal", found
    if found := _leak(text, prompt):
        return "instructions", found
    if match := _ADVERTISING.search(text):
        return "advertising", match[0]
    letters = len(_LETTER.findall(text))
    if (own := len(language.letters.findall(text))) < _SCRIPT_SHARE * letters or not letters:
        return "script", f"{own} of {letters} letters"
    if stray := "".join(_stray(language.script_property).findall(text)):
        return "script", stray[:20]
    tokens = words(text, prompt.language)
    if (other := identify(text, len(text))) not in (prompt.language, UNKNOWN):
        return "language", other
    if len(tokens) < (1 - checks.length) * prompt.least:
        return "short", f"{len(tokens)} words"
    if len(tokens) > (1 + checks.length) * prompt.most:
        return "long", f"{len(tokens)} words"
    if not finished(text, language.sentence_final):
        return "ending", text[-20:]
    missing = missing_words(tokens, prompt)
    if len(missing) > checks.missing_words:
        return "words", ", ".join(missing)
    return "", ""


def missing_words(tokens: Sequence[str], prompt: Prompt) -> list[str]:
    """The required words of which the text (see `inflection.words`) has no form."""
    required = ((prompt.noun, "noun"), (prompt.verb, "verb"), (prompt.adjective, "adjective"))
    return [word for word, kind in required if not uses(tokens, word, kind, prompt.language)]


def finished(text: str, sentence_final: str) -> bool:
    """Whether a text ends with the end of a sentence; quotation marks, brackets and emoji may follow it."""
    return _CLOSING.sub("", text).endswith(tuple(sentence_final))


@cache
def _stray(script: str) -> Any:
    """Letters and marks that are neither of this script nor Latin."""
    return regex.compile(rf"[[\p{{L}}\p{{M}}]--[\p{{{script}}}\p{{Latin}}\p{{Common}}\p{{Inherited}}]]", flags=regex.V1)


def _leak(text: str, prompt: Prompt) -> str:
    """What shows that the answer holds the prompt, or talks about the story; empty if nothing does."""
    known = knowledge(prompt.language)
    if match := _MARKERS.search(text):
        return match[0]
    lowered = text.casefold()
    if found := next((word for word in known.instructions if word in lowered), ""):
        return found
    if found := _search(known.preambles + knowledge("en").preambles, text.lstrip("*#_ \n")[:250]):
        return found
    asked = words(prompt.text, prompt.language)
    said = words(text, prompt.language)
    runs = {tuple(asked[place : place + _REPEATED]) for place in range(len(asked) - _REPEATED + 1)}
    for place in range(len(said) - _REPEATED + 1):
        if (run := tuple(said[place : place + _REPEATED])) in runs:
            return " ".join(run)
    return ""


def _search(patterns: Sequence[str], text: str) -> str:
    for pattern in patterns:
        if match := _compiled(pattern).search(text):
            return match[0]
    return ""


@cache
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern, flags=regex.I)
