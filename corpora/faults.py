"""Faults of a story, one function each: it returns evidence of the fault, or "" where there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import yaml

from corpora.identify import devanagari_scores, identify, letters_of, sentences, words
from corpora.languages import Language
from corpora.normalize import normalize
from corpora.scripts import SCRIPTS, Letters, count_letters
from corpora.wordorder import word_order

BLOCKED_WORDS = Path(__file__).parent / "models" / "blocked.yaml"
"""Per language, what has no place in a children's story: `adult` and `violent` words, in the forms they occur in."""


@dataclass
class Text:
    """A story as the filters look at it; what several of them need is found once."""

    text: str
    language: Language

    @cached_property
    def tokens(self) -> list[str]:
        """Parts between white space."""
        return self.text.split()

    @cached_property
    def letters(self) -> Letters:
        """Letters and marks by script."""
        return count_letters(self.text)


def wrong_length(story: Text, least: int, most: int) -> str:
    """Fewer or more words than these."""
    words = len(story.tokens)
    return "" if least <= words <= most else f"{words} words"


# What UTF-8 bytes of our scripts (E0 A4 to E0 A7), quotes and dashes (E2 80) and accented letters (C3) look like when
# they are read as Latin-1 or Windows-1252; the normaliser has taken away or changed the bytes that are controls.
_MOJIBAKE = re.compile("\ufffd|à[¤¥¦§]|â€|â[\x80-\x9f]|Ã[\xa0-\xbf\u2018-\u203a]|ï»¿|(?:\\?{2,}[ ,]+){3}\\?\\?")


def mojibake(story: Text) -> str:
    """Text that was decoded wrongly."""
    found = _MOJIBAKE.search(story.text)
    return _around(story.text, found.span()) if found else ""


_HTML = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<!--|&(?:#\d+|#x[0-9A-Fa-f]+|[A-Za-z]{2,8});")


def html(story: Text) -> str:
    """A tag, a comment or a character reference."""
    found = _HTML.search(story.text) if "<" in story.text or "&" in story.text else None
    return _around(story.text, found.span()) if found else ""


_ADDRESS = re.compile(r"https?://|\bwww\.|[\w.+-]+@[\w-]+\.\w|\b[\w-]+\.(?:com|org|net|in|co)\b", re.I | re.A)
# Telephone numbers of ten digits, with +91, 880 or 0 before them perhaps; twelve digits in fours as Aadhaar has them.
_NUMBER = re.compile(r"(?<![\d.,])(?:\+?\d{1,3}[ -]?)?\d(?:[ -]?\d){9,11}(?![\d.,]*\d)")


def personal_data(story: Text) -> str:
    """An address of e-mail or web, or a number as long as a telephone's or an Aadhaar card's."""
    if any(map(story.text.__contains__, ("@", "://", "www.", ".com", ".org", ".net", ".in", ".co"))):
        found = _ADDRESS.search(story.text)
        if found:
            return _around(story.text, found.span())
    found = _NUMBER.search(story.text)
    return _around(story.text, found.span()) if found else ""


def other_script(story: Text, least: float) -> str:
    """Less than this share of the letters in the language's script."""
    if not story.letters.total:
        return "no letters"
    share = story.letters.share(story.language.script_property)
    return "" if share >= least else f"{share:.2f} of the letters are {story.language.script_property}"


def wrong_language(story: Text) -> str:
    """A text that is in another language than it says."""
    language = identify(story.text)
    return "" if language == story.language.code else f"reads like {language!r}"


MARGIN = 2.0
"""Nats by which another language must be likelier before a sentence counts as foreign."""
SENTENCE_WORDS = 4
"""Shorter sentences are not judged by their words."""


def mixed_languages(story: Text, most: float) -> str:
    """More than this share of words in sentences of another language."""
    foreign, example = 0, ""
    own = SCRIPTS.index(story.language.script_property)
    for sentence in sentences(story.text):
        tokens = sentence.split()
        if _is_foreign(sentence, tokens, story, own):
            foreign += len(tokens)
            example = example or sentence
    share = foreign / (len(story.tokens) or 1)
    return "" if share <= most else f"{share:.2f} of the words are in sentences like {_short(example)!r}"


def _is_foreign(sentence: str, tokens: Sequence[str], story: Text, own: int) -> bool:
    # Letters outside the script are rare: only a story that has them is looked at sentence by sentence.
    if story.letters[own] < story.letters.total:
        letters = count_letters(sentence)
        if 2 * letters[own] < letters.total:
            return True
    if story.language.script == "Deva" and sum(map(any, map(words().__getitem__, tokens))) >= SENTENCE_WORDS:
        return devanagari_scores(tokens).margin(story.language.code) > MARGIN
    return False


def repetition(story: Text, most: float, loop: int) -> str:
    """One phrase for more than `loop` words, or more than this share of words copied in one piece from before."""
    tokens = story.tokens
    runs = len(set(zip(tokens, tokens[1:], tokens[2:], strict=False)))
    if len(tokens) - 2 - runs < min(2 / 3 * loop, most * len(tokens)) - 2:
        return ""  # Too few runs of three words occur again for either.
    found = repeats(tokens)
    if found.loop > loop:
        return f"{found.loop} words are {_short(found.phrase)!r} again and again"
    if found.copied > most * len(tokens):
        return f"{found.copied} of {len(tokens)} words in one piece stood there before"
    return ""


class Repeats(NamedTuple):
    """How a text repeats itself, in words."""

    loop: int
    """The longest stretch in which a phrase stands three times or more, one after the other; 0 if there is none."""
    phrase: str
    copied: int
    """The longest stretch that stood before, word by word."""


def repeats(tokens: Sequence[str]) -> Repeats:
    """The longest loop and the longest copy of a text.

    A stretch repeats with a lag if each of its runs of three words stood that many words before, and is a loop if it is
    at least twice as long as its lag.
    """
    runs = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    last: dict[tuple[str, ...], int] = {}
    loop, phrase, copied, lag, start = 0, "", 0, 0, 0
    for i, run in enumerate(runs):
        if not lag or runs[i - lag] != run:
            lag, start = i - last.get(run, i), i
        last[run] = i
        if lag:
            length = i - start + 3
            copied = max(copied, length)
            if length >= 2 * lag and length + lag > loop:
                loop, phrase = length + lag, " ".join(tokens[start : start + lag])
    return Repeats(loop, phrase, copied)


def blocked_word(story: Text, kind: str) -> str:
    """A word of the language's list of `adult` or `violent` words."""
    return next(filter(None, map(_blocked(story.language.code, kind).__getitem__, story.tokens)), "")


class _Blocked(dict[str, str]):
    """Token -> the blocked word it is, or ""."""

    def __init__(self, words: Sequence[str]):
        super().__init__()
        self.words = frozenset(words)

    def __missing__(self, token: str) -> str:
        if len(self) >= 200_000:
            self.clear()
        word = letters_of(token).lower()
        self[token] = found = word if word in self.words else ""
        return found


@cache
def _blocked(language: str, kind: str) -> _Blocked:
    lists = yaml.safe_load(BLOCKED_WORDS.read_text("utf-8"))
    return _Blocked([letters_of(normalize(word, language)) for word in lists.get(language, {}).get(kind, "").split()])


_CLOSING = re.compile(r"[^\w\u0900-\u0963\u0980-\u09e3।॥.?!…:;,'\"’”»]*\Z")
_STOP_WITHIN = re.compile(r"[^\W\d][\u0900-\u0963\u0980-\u09e3]*[।.?!] ")
UNFINISHED_WORDS = 7
"""A last line without a full stop may be an item of a list or of a verse if it has fewer words."""


def unfinished(story: Text) -> str:
    """A last line that breaks off: no full stop, and too long for a heading, or a word at the end that goes on."""
    line = _CLOSING.sub("", story.text).rpartition("\n")[2]
    end = line[-1:]
    if end in "।॥.?!…'\"’”»":
        return ""
    tokens = line.split()
    model = word_order(story.language.code)
    breaks_off = end in ",;:" or len(tokens) >= UNFINISHED_WORDS or _STOP_WITHIN.search(line)
    if breaks_off or (model and not model.may_end(tokens[-1])):
        return _short(line[-60:])
    return ""


ORDER_WORDS = 20
"""Of fewer words the order is not judged."""


def disordered(story: Text, least: float) -> str:
    """Neighbouring words that are no likelier neighbours than if the words had been shuffled."""
    model = word_order(story.language.code)
    if model is None or len(story.tokens) < ORDER_WORDS:
        return ""
    score = model.score(story.text)
    return "" if score >= least else f"order of words {score:.2f} bits below the threshold".replace("-", "")


def _around(text: str, span: tuple[int, int], margin: int = 20) -> str:
    return text[max(0, span[0] - margin) : span[1] + margin]


def _short(text: str, characters: int = 60) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
