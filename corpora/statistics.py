"""What a corpus holds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import regex

from corpora.languages import LANGUAGES
from corpora.stories import SPLITS, Story

_AKSHARA = regex.compile(r"\X")
COLUMNS = ("stories", "characters", "words", "aksharas")


def count(stories: Iterable[Story]) -> dict[str, Any]:
    """Counts of a collection of stories.

    `characters` are Unicode code points, `words` what stands between white space, `aksharas` extended grapheme clusters
    (spaces and punctuation included), `distinct_words` and `words_once` are of the words as written.
    """
    stories = list(stories)
    words: Counter[str] = Counter()
    for story in stories:
        words.update(story.text.split())
    lengths = sorted(len(story.text) for story in stories)
    return {
        "stories": len(stories),
        "groups": len({story.group for story in stories}),
        "characters": sum(lengths),
        "words": words.total(),
        "aksharas": sum(len(_AKSHARA.findall(story.text)) for story in stories),
        "paragraphs": sum(story.text.count("\n\n") + 1 for story in stories),
        "distinct_words": len(words),
        "words_once": sum(1 for occurrences in words.values() if occurrences == 1),
        "characters_shortest": lengths[0] if lengths else 0,
        "characters_median": lengths[len(lengths) // 2] if lengths else 0,
        "characters_longest": lengths[-1] if lengths else 0,
        "licenses": dict(sorted(Counter(story.license or "unknown" for story in stories).items())),
        "sources": dict(sorted(Counter(story.source for story in stories).items())),
    }


def describe(splits: Mapping[str, Iterable[Story]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Counts by language, in the registry's order, and split."""
    by_language: dict[str, dict[str, list[Story]]] = {}
    for split in SPLITS:
        for story in splits.get(split, ()):
            by_language.setdefault(story.language, {name: [] for name in SPLITS})[split].append(story)
    return {
        language: {split: count(stories) for split, stories in by_language[language].items()}
        for language in LANGUAGES
        if language in by_language
    }


def table(statistics: Mapping[str, Mapping[str, Mapping[str, Any]]], markdown: bool = False) -> str:
    """The counts as lines of text, or as a Markdown table."""
    header = ["language", "split", *COLUMNS]
    rows = [
        [language, split, *(f"{counts[column]:,}" for column in COLUMNS)]
        for language, parts in statistics.items()
        for split, counts in parts.items()
    ]
    if markdown:
        rule = ["---", "---", *("---:" for _ in COLUMNS)]
        return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (header, *rows)
    )
