"""An answer without its wrapping: thoughts, code fences, a title, `The end`."""

from __future__ import annotations

import unicodedata

import regex

_THOUGHTS = regex.compile(r"^\s*<think>.*?</think>", flags=regex.S)
_FENCE = regex.compile(r"^```\w*\n(.*?)\n?```$", flags=regex.S)
_TITLE = regex.compile(r"^(?:#{1,6} +(?P<heading>[^\n]+)|\*\*(?P<bold>[^*\n]+)\*\*)[ \t]*\n+")
_THE_END = regex.compile(r"\n+\W*(?:the end|समाप्त|सामाप्त|समाप्ती|সমাপ্ত|শেষ)\W*$", flags=regex.I)


def tidy(answer: str) -> tuple[str, str]:
    """Title (empty if the answer has none) and text of an answer, in NFC, paragraphs parted by one empty line."""
    text = _THOUGHTS.sub("", unicodedata.normalize("NFC", answer)).strip()
    text = _FENCE.sub(r"\1", text).strip()
    title = ""
    if match := _TITLE.match(text):
        title = (match["heading"] or match["bold"]).strip("#*_ ")
        text = text[match.end() :]
    text = _THE_END.sub("", text)
    return title, regex.sub(r"\n\s*\n\s*", "\n\n", text).strip()
