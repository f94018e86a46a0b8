"""What a corpus holds, in numbers: an accumulator that keeps no story, so that shards are counted apart and summed.

    statistics = Statistics()
    statistics.add("train", story)              # for each story that is written
    statistics.merge(other)                     # of another shard or process, in any order
    statistics.summary()                        # statistics.json: language -> split -> numbers
    statistics.ledger                           # whom the stories' licences ask to name (`corpora.publishing.ledger`)
    Statistics.from_state(statistics.state())   # plain JSON values in between, where each shard has its own command

Memory grows with the number of different words, groups (8 bytes of hash each) and attributions, not with the text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unicodedata import category, name

import regex

from corpora.languages import LANGUAGES
from corpora.publishing.ledger import Ledger
from corpora.stories import SPLITS, Story

_AKSHARA = regex.compile(r"\X")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+(?:['’\-\u2010\u2011][\p{L}\p{M}\p{N}\u200c\u200d]+)*")
_COUNTERS = ("words", "lengths", "word_lengths", "licenses", "sources", "generators")
_NUMBERS = ("stories", "characters", "paragraphs")
COLUMNS = ("stories", "characters", "words", "aksharas")


@dataclass
class Counts:
    """Of the stories of one language and split, whatever the summary needs."""

    stories: int = 0
    characters: int = 0
    paragraphs: int = 0
    groups: set[int] = field(default_factory=set)
    words: Counter[str] = field(default_factory=Counter)
    """How often each string between white space stands in the text."""
    lengths: Counter[int] = field(default_factory=Counter)
    """Stories of each length in characters."""
    word_lengths: Counter[int] = field(default_factory=Counter)
    """Stories of each length in words."""
    licenses: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    generators: Counter[str] = field(default_factory=Counter)
    """Stories of each program or model; what people wrote is under the empty string."""

    def add(self, story: Story) -> None:
        """Count one story."""
        words = story.text.split()
        self.stories += 1
        self.characters += len(story.text)
        self.paragraphs += story.text.count("\n\n") + 1
        self.groups.add(int.from_bytes(hashlib.blake2b(story.group.encode(), digest_size=8).digest(), "big"))
        self.words.update(words)
        self.lengths[len(story.text)] += 1
        self.word_lengths[len(words)] += 1
        self.licenses[story.license or "unknown"] += 1
        self.sources[story.source] += 1
        self.generators[story.generator] += 1

    def merge(self, other: Counts) -> None:
        """Add what another shard counted."""
        for number in _NUMBERS:
            setattr(self, number, getattr(self, number) + getattr(other, number))
        self.groups |= other.groups
        for counter in _COUNTERS:
            getattr(self, counter).update(getattr(other, counter))

    def summary(self) -> dict[str, Any]:
        """The numbers of one language and split.

        `characters` are Unicode code points, `words` what stands between white space, `aksharas` the extended grapheme
        clusters of the words and each white-space character, `distinct_words` and `words_once` are of the words as
        written.
        """
        in_words = sum(len(word) * times for word, times in self.words.items())
        clusters = sum(len(_AKSHARA.findall(word)) * times for word, times in self.words.items())
        return {
            "stories": self.stories,
            "groups": len(self.groups),
            "characters": self.characters,
            "words": self.words.total(),
            "aksharas": clusters + self.characters - in_words,
            "paragraphs": self.paragraphs,
            "distinct_words": len(self.words),
            "words_once": sum(1 for times in self.words.values() if times == 1),
            "characters_shortest": min(self.lengths, default=0),
            "characters_median": quantile(self.lengths, 0.5),
            "characters_longest": max(self.lengths, default=0),
            "words_median": quantile(self.word_lengths, 0.5),
            "scripts": dict(sorted(scripts(self.words).items(), key=lambda item: (-item[1], item[0]))),
            "licenses": dict(sorted(self.licenses.items())),
            "sources": dict(sorted(self.sources.items())),
            "generators": {who: times for who, times in sorted(self.generators.items()) if who},
        }

    def state(self) -> dict[str, Any]:
        """Plain JSON values from which `from_state` makes the same counts."""
        numbers = {number: getattr(self, number) for number in _NUMBERS}
        counters = {counter: list(getattr(self, counter).items()) for counter in _COUNTERS}
        return {**numbers, **counters, "groups": sorted(self.groups)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Counts:
        """The counts that `state` was taken of."""
        counts = cls(groups=set(state["groups"]))
        for number in _NUMBERS:
            setattr(counts, number, state[number])
        for counter in _COUNTERS:
            getattr(counts, counter).update(dict(map(tuple, state[counter])))
        return counts


class Statistics:
    """The counts of a corpus by language and split, and its ledger of licences."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], Counts] = {}
        self.ledger = Ledger()

    def add(self, split: str, story: Story) -> None:
        """Count one story of a split."""
        self.counts.setdefault((story.language, split), Counts()).add(story)
        self.ledger.add(story)

    def merge(self, other: Statistics) -> None:
        """Add what another shard counted."""
        for place, counts in other.counts.items():
            self.counts.setdefault(place, Counts()).merge(counts)
        self.ledger.merge(other.ledger)

    @property
    def languages(self) -> list[str]:
        """The languages that have stories, in the registry's order."""
        return [code for code in LANGUAGES if any(language == code for language, _ in self.counts)]

    def whole(self, language: str) -> Counts:
        """The counts of a language over all splits."""
        total = Counts()
        for split in SPLITS:
            if (language, split) in self.counts:
                total.merge(self.counts[language, split])
        return total

    def summary(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The numbers by language, in the registry's order, and split; every split of every language is there."""
        return {
            code: {split: self.counts.get((code, split), Counts()).summary() for split in SPLITS}
            for code in self.languages
        }

    def state(self) -> dict[str, Any]:
        """Plain JSON values from which `from_state` makes the same statistics."""
        counts = [[language, split, counts.state()] for (language, split), counts in self.counts.items()]
        return {"counts": counts, "ledger": self.ledger.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Statistics:
        """The statistics that `state` was taken of."""
        statistics = cls()
        statistics.counts = {(language, split): Counts.from_state(s) for language, split, s in state["counts"]}
        statistics.ledger = Ledger.from_state(state["ledger"])
        return statistics


def collect(splits: Mapping[str, Iterable[Story]]) -> Statistics:
    """The statistics of stories by split."""
    statistics = Statistics()
    for split in SPLITS:
        for story in splits.get(split, ()):
            statistics.add(split, story)
    return statistics


def quantile(lengths: Mapping[int, int], share: float) -> int:
    """The smallest length that more than this share of the stories do not exceed; 0 if there are none."""
    wanted = share * sum(lengths.values())
    reached = 0
    for length, times in sorted(lengths.items()):
        reached += times
        if reached > wanted:
            return length
    return max(lengths, default=0)


def scripts(words: Mapping[str, int]) -> Counter[str]:
    """How many letters and marks belong to each script, of words with their frequencies."""
    letters: Counter[str] = Counter()
    for word, times in words.items():
        for char in word:
            if found := _script(char):
                letters[found] += times
    return letters


def frequent(words: Mapping[str, int], number: int, without: Iterable[str] = ()) -> list[tuple[str, int]]:
    """The most frequent whole words: letters, marks, digits and joiners, compounds with a hyphen as one; no quotes.

    Capitals count as small letters, and words of one frequency stand in the order of their characters.
    """
    found: Counter[str] = Counter()
    for word, times in words.items():
        for whole in _WORD.findall(word):
            found[whole.lower()] += times
    for word in without:
        found.pop(word, None)
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:number]


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


@cache
def _script(char: str) -> str:
    """The script of a letter or mark, by the first word of its Unicode name; empty for anything else."""
    return name(char, "UNKNOWN").split()[0].capitalize() if category(char)[0] in "LM" else ""
