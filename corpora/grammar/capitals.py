"""Capital letters, for languages that have them."""

from __future__ import annotations

import re

_FIRST = re.compile(r"((?:^|[.?!]\s+|\.”\s+|,\s+)“|^|[.?!]\s+|\.”\s+)([a-z])")
"""What stands before the first letter of a sentence or of direct speech (not `?”`: “Why?” asked Ravi)."""
_SMALL = frozenset(["a", "an", "and", "at", "for", "in", "is", "it", "of", "on", "the", "to"])


def capitalize(text: str) -> str:
    """Capital letters at the beginning of sentences and of direct speech (not after `?”`: “Why?” asked Ravi)."""
    return _FIRST.sub(lambda m: m[0] if _goes_on(text, m.start()) else m[1] + m[2].upper(), text)


def _goes_on(text: str, position: int) -> bool:
    """Whether direct speech that begins at a comma goes on after who says it: “Come,” said Ravi, “let us go.”"""
    before = text[:position]
    return text[position : position + 1] == "," and before.rfind(",”") > max(before.rfind(end) for end in ".?!")


def capitalize_title(title: str) -> str:
    """Capital letters at the beginning of a title's words, but for the small ones."""
    words = [word if word in _SMALL else word[:1].upper() + word[1:] for word in title.split()]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])
