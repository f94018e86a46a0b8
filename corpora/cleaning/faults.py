"""Faults of a story, one function each: it returns evidence of the fault, or "" where there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

import yaml

from corpora.cleaning.identify import Scores, identify, letters_of, sentences, words
from corpora.cleaning.normalize import normalize
from corpora.cleaning.repeats import repeats
from corpora.cleaning.wordorder import word_order
from corpora.languages import Language
from corpora.scripts import SCRIPTS, Letters, count_letters

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

    @cached_property
    def scores(self) -> list[complex]:
        """How the first 0, 1, 2, … tokens together speak for Marathi and Nepali (see `identify.py`)."""
        return list(accumulate(map(words().__getitem__, self.tokens), initial=0j))

    def speaks_for(self, start: int, end: int) -> Scores:
        """The score of the tokens from start to end."""
        return Scores.of(self.scores[end] - self.scores[start])

    @cached_property
    def blocked(self) -> dict[str, str]:
        """The first word of each list of blocked words that the story holds, by list."""
        found = filter(None, map(_blocked(self.language.code).__getitem__, self.tokens))
        return {kind: word for kind, word in reversed(list(found))}


def wrong_length(story: Text, least: int, most: int) -> str:
    """Fewer or more words than these."""
    words = len(story.tokens)
    return "" if least <= words <= most else f"{words} words"


# What UTF-8 bytes of our scripts (E0 A4 to E0 A7), quotes and dashes (E2 80) and accented letters (C3) look like when
# they are read as Latin-1 or Windows-1252; of quotes, the normaliser may have left the first byte (donât) only.
_MOJIBAKE = re.compile(
    r"\ufffd|à[¤¥¦§]|â€|â[\x80-\x9f]|â(?:[smtd]|ll|re|ve)\b|â(?=[\s.,!?]|\Z)|(?<!\S)â(?=[A-Z])|Ã[\xa0-\xbf\u2018-\u203a]"
    r"|ï»¿|(?:\?{2,}[ ,]+){3}\?\?"
)
_MOJIBAKE_SIGN = re.compile("[\ufffdàâÃï]")


def mojibake(story: Text) -> str:
    """Text that was decoded wrongly."""
    if not _MOJIBAKE_SIGN.search(story.text) and "??" not in story.text:
        return ""
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
_ADDRESS_SIGNS = ("@", "://", "www.", ".com", ".org", ".net", ".in", ".co")
_DIGITS = re.compile(r"\d[\d -]{8}")


def personal_data(story: Text) -> str:
    """An address of e-mail or web, or a number as long as a telephone's or an Aadhaar card's."""
    patterns = [_ADDRESS] if any(map(story.text.__contains__, _ADDRESS_SIGNS)) else []
    patterns += [_NUMBER] if _DIGITS.search(story.text) else []
    found = next(filter(None, (pattern.search(story.text) for pattern in patterns)), None)
    return _around(story.text, found.span()) if found else ""


def other_script(story: Text, least: float) -> str:
    """Less than this share of the letters in the language's script."""
    if not story.letters.total:
        return "no letters"
    share = story.letters.share(story.language.script_property)
    return "" if share >= least else f"{share:.2f} of the letters are {story.language.script_property}"


def wrong_language(story: Text) -> str:
    """A text that is in another language than it says."""
    devanagari = story.letters.main() == "Devanagari"
    language = story.speaks_for(0, len(story.tokens)).language if devanagari else identify(story.text)
    return "" if language == story.language.code else f"reads like {language!r}"


MARGIN = 3.0
"""Nats by which another language must be likelier before a sentence counts as foreign."""
SENTENCE_WORDS = 4
"""Sentences of fewer words are not judged by their words."""
_SENTENCE_ENDS = frozenset("।॥.?!'\"’”")


def mixed_languages(story: Text, most: float) -> str:
    """More than this share of words in sentences of another language."""
    own = SCRIPTS.index(story.language.script_property)
    pieces = []
    if story.letters[own] < story.letters.total:  # Seldom, so that few stories are looked at letter by letter.
        pieces = [piece for piece in sentences(story.text) if _in_other_script(piece, own)]
    if story.language.script == "Deva":
        pieces += _foreign_pieces(story)
    share = sum(len(piece.split()) for piece in pieces) / (len(story.tokens) or 1)
    return "" if share <= most else f"{share:.2f} of the words are in sentences like {_short(pieces[0])!r}"


def _in_other_script(piece: str, own: int) -> bool:
    letters = count_letters(piece)
    return 2 * letters[own] < letters.total


def _foreign_pieces(story: Text) -> list[str]:
    """Sentences, as the punctuation of tokens ends them, whose words speak for another Devanagari language."""
    tokens, pieces, start = story.tokens, [], 0
    ends = [end for end, token in enumerate(tokens, 1) if token[-1] in _SENTENCE_ENDS]
    for end in (*ends, len(tokens)):
        if end - start >= SENTENCE_WORDS and story.speaks_for(start, end).margin(story.language.code) > MARGIN:
            piece = tokens[start:end]
            if sum(map(bool, map(words().__getitem__, piece))) >= SENTENCE_WORDS:
                pieces.append(" ".join(piece))
        start = end
    return pieces


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


class _Blocked(dict[str, tuple[str, str] | None]):
    """Token -> the list of blocked words that it is on and the word, or None."""

    def __init__(self, lists: dict[str, str], language: str):
        super().__init__()
        self.kinds = {
            letters_of(normalize(word, language)): kind for kind, words in lists.items() for word in words.split()
        }

    def __missing__(self, token: str) -> tuple[str, str] | None:
        if len(self) >= 200_000:
            self.clear()
        word = letters_of(token).lower()
        self[token] = found = (self.kinds[word], word) if word in self.kinds else None
        return found


@cache
def _blocked(language: str) -> _Blocked:
    return _Blocked(yaml.safe_load(BLOCKED_WORDS.read_text("utf-8")).get(language, {}), language)


_CLOSING = re.compile(r"[^\w\u0900-\u0963\u0980-\u09e3।॥.?!…:;,'\"’”»]*\Z")
_STOP = re.compile(r"(?<=[^\W\d]|[\u0900-\u0963\u0980-\u09e3])[।.?!]+['\"’”]* ")
UNFINISHED_WORDS = 7
"""A last line without a full stop may be an item of a list or of a verse if it has fewer words; one word after the last
full stop may be the name below a letter."""


def unfinished(story: Text) -> str:
    """A last line that breaks off: no full stop, and too long for a heading, or a word at the end that goes on."""
    line = _CLOSING.sub("", story.text[-300:]).rpartition("\n")[2]
    end = line[-1:]
    if end in "।॥.?!…'\"’”»":
        return ""
    rest = _STOP.split(line)
    tokens = rest[-1].split()
    model = word_order(story.language.code)
    breaks_off = end in ",;:" or len(tokens) >= (UNFINISHED_WORDS if len(rest) == 1 else 2)
    if breaks_off or (model and tokens and not model.may_end(tokens[-1])):
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
