"""Rules that change text: named, counted, and on request logged so that each change can be taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from corpora.errors import UserError


class Edit(NamedTuple):
    """One change; as JSON a list of four."""

    rule: str
    start: int
    """Where `new` stands in the text after its rule, in code points."""
    old: str
    new: str


@dataclass(frozen=True)
class Rule:
    """One change: every match of the pattern is replaced, and counted where that changes the text."""

    name: str
    pattern: Any
    """A compiled pattern of `re`, or of `regex` where Unicode properties are needed (it is slower). Never empty."""
    replacement: str | Callable[[Any], str]
    purpose: str
    languages: frozenset[str] | None = None
    """ISO 639-1 codes the rule is for; all if None."""

    def apply(self, text: str, counts: Counter[str], edits: list[Edit] | None = None) -> str:
        """The text after this rule; `counts[name]` grows by the number of places changed, `edits` by the changes."""
        if edits is None and isinstance(self.replacement, str):
            text, changed = self.pattern.subn(self.replacement, text)
        else:
            found = [(*match.span(), self._replace(match)) for match in self.pattern.finditer(text)]
            found = [(start, end, new) for start, end, new in found if text[start:end] != new]
            changed = len(found)
            text = substitute(text, found, self.name, edits)
        if changed:
            counts[self.name] += changed
        return text

    def _replace(self, match: Any) -> str:
        return match.expand(self.replacement) if isinstance(self.replacement, str) else self.replacement(match)


@dataclass(frozen=True)
class WordRule(Rule):
    """A change of the whole text by a function, counted and logged in words (parts between spaces).

    Where the function adds or takes away spaces, the whole text counts as one change.
    """

    function: Callable[[str], str] = str

    def apply(self, text: str, counts: Counter[str], edits: list[Edit] | None = None) -> str:
        new = self.function(text)
        if new == text:
            return text
        before, after = text.split(" "), new.split(" ")
        if len(before) != len(after):
            before, after = [text], [new]
        found, start = [], 0
        for old, word in zip(before, after, strict=True):
            if old != word:
                found.append((start, start + len(old), word))
            start += len(old) + 1
        counts[self.name] += len(found)
        return substitute(text, found, self.name, edits) if edits is not None else new


@dataclass(frozen=True)
class Flag(Rule):
    """Something broken that no rule can mend for sure: counted, and left as it is."""

    def apply(self, text: str, counts: Counter[str], edits: list[Edit] | None = None) -> str:
        if found := len(self.pattern.findall(text)):
            counts[self.name] += found
        return text


def substitute(
    text: str, found: Iterable[tuple[int, int, str]], rule: str = "", edits: list[Edit] | None = None
) -> str:
    """The text with each (start, end, new) put in place; they are in order and do not overlap."""
    parts: list[str] = []
    last = length = 0
    for start, end, new in found:
        parts += text[last:start], new
        length += start - last
        if edits is not None:
            edits.append(Edit(rule, length, text[start:end], new))
        length += len(new)
        last = end
    return "".join(parts) + text[last:] if parts else text


def restore(text: str, edits: Iterable[Sequence[Any]]) -> str:
    """The text before its edits, taken back from the last to the first.

    Raises:
        UserError: this is not the text that the edits made.
    """
    for rule, start, old, new in reversed([Edit(*edit) for edit in edits]):
        if text[start : start + len(new)] != new:
            raise UserError(
                f"the log says that {rule!r} wrote {new!r} at character {start}, but there stands "
                f"{text[start : start + len(new)]!r}; use the log that was written with this text."
            )
        text = text[:start] + old + text[start + len(new) :]
    return text
