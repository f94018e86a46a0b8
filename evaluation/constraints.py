"""What a story may be held to: whole characters of one script, words that it must hold, a length to end near."""

from __future__ import annotations

import codecs
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import regex

from corpora.errors import UserError
from corpora.languages import LANGUAGES, get_language
from evaluation.models import boundary_tokens
from evaluation.token_bytes import token_bytes

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

Words = Sequence[Sequence[str]]
"""Required words, each with the forms that will do; the first form is written if none came by itself."""

LONGEST_REST = 3
"""A UTF-8 character has at most four bytes, so at most three are owed once it was begun."""
_LETTER = r"[\p{L}\p{M}\p{N}\u200c\u200d]"
_FINAL = "".join({mark for language in LANGUAGES.values() for mark in language.sentence_final})
_SENTENCE_END = regex.compile(rf"[{regex.escape(_FINAL)}]\p{{P}}*\s*$")
_BEGINS_WORD = regex.compile(_LETTER)
_ENDS_WORD = regex.compile(_LETTER + "$")
_SLACK = 24
"""From this many tokens before the last moment on, a required word is put at the next boundary of words."""


def end_bias(written: int, target: int, sentence_ends: bool) -> float:
    """What is added to the end-of-story logit after `written` of `target` tokens.

    Minus infinity before 0.85 of the target. Then, where the text so far ends a sentence, a straight line: 0
    there, 9 at the target (odds 8,000-fold), 24 at five quarters. Within a sentence the end stays closed until
    five quarters of the target and is raised by the same slope after them.
    """
    over = written / target - (0.85 if sentence_ends else 1.25)
    return -math.inf if over < 0 else 60 * over


def ends_sentence(text: str) -> bool:
    """Whether a text ends with a sentence's final mark, maybe with quotation marks and white space after it."""
    return bool(_SENTENCE_END.search(text))


class Alphabet:
    """Which tokens may follow such that only whole characters, and of a script only its own and common ones, arise.

    A token is its UTF-8 bytes; of a text only its bytes after the last whole character matter, the `pending` ones. A
    token may follow if pending + token is whole allowed characters and then nothing, or the beginning of an allowed
    character whose other bytes are all tokens by themselves, so that there is always a way on.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, language: str | None = None) -> None:
        """`language`: ISO 639-1 code of the script to keep to; none: whole characters of any."""
        self.tokenizer = tokenizer
        self.end = boundary_tokens(tokenizer)[1]
        self.pieces, _ = token_bytes(tokenizer)
        for special in tokenizer.all_special_ids:
            self.pieces[special] = b""
        self.characters = _characters(get_language(language).script_property if language else None)
        alone = {piece for piece in self.pieces if len(piece) == 1}
        codes = [character.encode() for character in self.characters if ord(character) > 0x7F]
        self.beginnings = {b""} | {
            code[:cut]
            for code in codes
            for cut in range(1, len(code))
            if all(code[place : place + 1] in alone for place in range(cut, len(code)))
        }
        self._masks: dict[tuple[bytes, bool, bool], torch.Tensor] = {}
        if not self.mask(b"")[[number != self.end for number in range(len(self.pieces))]].any():
            raise UserError(f"the tokenizer has no token in the script of {get_language(language or '').name}.")

    def follow(self, pending: bytes, token: int) -> tuple[str, bytes] | None:
        """The characters completed by a token after `pending`, and what is pending then; None if it may not follow."""
        if not self.pieces[token]:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            text = decoder.decode(pending + self.pieces[token])
        except UnicodeDecodeError:
            return None
        rest = decoder.getstate()[0]
        return (text, rest) if self.characters.issuperset(text) and rest in self.beginnings else None

    def mask(self, pending: bytes, closing: bool = False, leave_word: bool = False) -> torch.Tensor:
        """Whether each token may follow, shape (tokens,); the end of the story where no character is open.

        `closing`: only tokens after which fewer bytes are owed (or still none). `leave_word`: only tokens that do not
        lengthen the word before them.
        """
        import torch

        key = (pending, closing, leave_word)
        if key not in self._masks:
            mask = torch.zeros(len(self.pieces), dtype=torch.bool)
            mask[self.end] = not pending
            for token in range(len(self.pieces)):
                if found := self.follow(pending, token):
                    text, rest = found
                    closes = not closing or _owed(rest) < max(1, _owed(pending))
                    mask[token] = closes and not (leave_word and _BEGINS_WORD.match(text or "a"))
            self._masks[key] = mask
        return self._masks[key]

    def spell(self, text: str) -> list[int] | None:
        """Tokens whose bytes are exactly those of `text`, as the tokenizer cuts it in a sentence; None if there are
        none."""
        wanted = text.encode()
        for context in ("", " ", "\n"):
            ids: list[int] = self.tokenizer.encode(context + text.lstrip(), add_special_tokens=False)
            for cut in range(len(ids)):
                if b"".join(self.pieces[token] for token in ids[cut:]) == wanted:
                    return ids[cut:]
        return None


class Requirements:
    """How each story of a call is held to its script, words and length; a `Watch` is kept over every one."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, script: str | None = None, length: int | None = None
    ) -> None:
        self.alphabet = Alphabet(tokenizer, script)
        self.script = script
        self.length = length
        self._spelled: dict[str, tuple[list[int], list[int]]] = {}

    def spelled(self, form: str) -> tuple[list[int], list[int]]:
        """The tokens of a word after another word, and after white space or at the beginning."""
        if form not in self._spelled:
            if not self.alphabet.characters.issuperset(form):
                name = get_language(self.script).name if self.script else ""
                raise UserError(f"the required word {form!r} has letters outside the script of {name}; leave one out.")
            after_word = self.alphabet.spell(" " + form) if form.strip() == form != "" else None
            if after_word is None:
                raise UserError(f"the required word {form!r} cannot be written by this tokenizer; spell it otherwise.")
            self._spelled[form] = after_word, self.alphabet.spell(form) or after_word
        return self._spelled[form]


class Watch:
    """Over one story: its text so far, which tokens may follow, and the required words it still lacks.

    Method for words: a word stands in the story when one of its forms does with no letter, mark, digit or joiner at
    either side. While one is missing the end of the story, when drawn, is answered with the next missing word instead,
    which so begins a new sentence. It is also put, by its tokens, at the beginning of a sentence once its share of the
    story has gone by (of two words the first after a third, the second after two thirds), at the next boundary of
    words when few tokens are left, and at once when only just enough are.
    """

    def __init__(self, requirements: Requirements, prompt: str, words: Words, budget: int) -> None:
        """Over a story that begins with `prompt` and has `budget` tokens to come; UserError if the words cannot be
        written."""
        self.requirements = requirements
        self.alphabet = requirements.alphabet
        self.text = prompt
        self.pending = b""
        self.written = 0
        self.budget = budget
        self.expected = min(requirements.length or budget, budget)
        self._forced: list[int] = []
        """Tokens to come of a required word that is being put in."""
        self._after_forced = False
        self.number = len(words)
        self.unsettled = [(forms, self._pattern(forms), len(requirements.spelled(forms[0])[0])) for forms in words]
        for forms in words:
            for form in forms:
                requirements.spelled(form)
        if self._cost() + LONGEST_REST > budget:
            raise UserError(
                f"the required words may take {self._cost() + LONGEST_REST} tokens, but there is room for {budget}; "
                "require fewer words, or allow longer stories."
            )
        self._look()

    @staticmethod
    def _pattern(forms: Sequence[str]) -> Any:
        found = "|".join(map(regex.escape, forms))
        return regex.compile(rf"(?<!{_LETTER})(?:{found})(?!{_LETTER})")

    def mask(self) -> torch.Tensor:
        """Whether each token may follow now, shape (tokens,)."""
        remaining = self.budget - self.written
        closing = remaining <= self._cost() + LONGEST_REST
        found_last = len(self.missing) < len(self.unsettled)
        return self.alphabet.mask(self.pending, closing, leave_word=self._after_forced or (closing and found_last))

    def choose(self, drawn: int) -> int:
        """The token to write when this one was drawn: the same, or the next one of a required word."""
        if not self._forced and self.missing and not self.pending and self._due(drawn):
            after_word, bare = self.requirements.spelled(self.missing[0][0])
            self._forced = list(bare if not self.text or self.text[-1].isspace() else after_word)
        self._after_forced = bool(self._forced)
        token = self._forced.pop(0) if self._forced else drawn
        text, self.pending = self.alphabet.follow(self.pending, token) or ("", b"")
        self.text += text
        self.written += 1
        self._look()
        return token

    def _look(self) -> None:
        """Find which words are there for good, and which are missing as the text stands."""
        missing, unsettled = [], []
        for word in self.unsettled:
            found = [match.end() for match in word[1].finditer(self.text)]
            if not any(end < len(self.text) for end in found):
                unsettled.append(word)
                if not found or self.pending:
                    missing.append(word[0])
        self.unsettled, self.missing = unsettled, missing

    def _cost(self) -> int:
        return sum(cost for _, _, cost in self.unsettled)

    def _due(self, drawn: int) -> bool:
        remaining = self.budget - self.written
        if drawn == self.alphabet.end or remaining <= self._cost() + LONGEST_REST:
            return True
        following = self.alphabet.follow(b"", drawn)
        begins = following is not None and not _BEGINS_WORD.match(following[0] or "a")
        if not begins and _ENDS_WORD.search(self.text):
            return False
        share = (self.number - len(self.missing) + 1) / (self.number + 1)
        late = self.expected - self.written <= self._cost() + _SLACK
        return late or (self.written >= share * self.expected and ends_sentence(self.text))


def _owed(pending: bytes) -> int:
    """Bytes that the character begun by `pending` still needs."""
    if not pending:
        return 0
    return (4 if pending[0] >= 0xF0 else 3 if pending[0] >= 0xE0 else 2) - len(pending)


@lru_cache
def _characters(script: str | None) -> frozenset[str]:
    """Characters of a script (a value of Unicode's Script property) and those common to several; none: all assigned.

    U+FFFD, the mark of broken text, is never among them.
    """
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    kind = rf"\p{{Script={script}}}\p{{Script=Common}}\p{{Script=Inherited}}" if script else r"\P{C}\n\u200c\u200d"
    return frozenset(regex.findall(rf"[[{kind}]--[\ufffd]]", everything, regex.V1))
