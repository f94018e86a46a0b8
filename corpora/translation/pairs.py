"""Sentence pairs from stories told in two languages with the same paragraphs, aligned by their words.

Parallel stories share a `group`. Their paragraphs correspond one to one; the sentences within need not: one language
may say in one sentence what the other says in two, or say it otherwise. How well two sentences correspond is told by
IBM Model 1 (Brown et al. 1993, https://aclanthology.org/J93-2003), trained on the paragraphs in both directions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import regex

from corpora.stories import Story
from corpora.translation.sentences import split_text

_TABLE_PARAGRAPHS = 20_000
"""At most so many paragraphs, evenly spread, train the word table: they take about half a gigabyte."""
_STEM = 5
"""Letters and marks kept of a word: inflected forms of one word count as one."""
_BEADS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (1, 0), (0, 1))
"""Sentences of each language that may correspond to each other."""

Paragraphs = list[tuple[list[str], list[str]]]


@dataclass(frozen=True)
class Pair:
    """A sentence (or two, three) and its counterpart."""

    source: str
    target: str
    language: str
    """The target's ISO 639-1 code."""
    support: float
    """Share of the information in the words of both that the other's words account for, 0 to 1."""


def parallel_paragraphs(source: Iterable[Story], target: Iterable[Story]) -> tuple[Paragraphs, int]:
    """Paragraphs (and titles) of the stories that both have, as lists of sentences; and how many stories do not fit.

    A story fits if it has as many paragraphs in both languages.
    """
    others = {story.group: story for story in target}
    pairs: Paragraphs = []
    unlike = 0
    for story in source:
        other = others.get(story.group)
        if other is None:
            continue
        ours, theirs = (
            [sum(split_text(part, one.language), []) for part in [one.title, *one.text.split("\n\n")]]
            for one in (story, other)
        )
        if len(ours) != len(theirs):
            unlike += 1
            continue
        pairs += [(one, two) for one, two in zip(ours, theirs, strict=True) if one and two]
    return pairs, unlike


class WordTable:
    """Translation probabilities between (shortened) words, in both directions."""

    def __init__(self, paragraphs: Paragraphs, iterations: int = 5):
        """Train on paragraphs; a word counts once in each. Words of none of them count as nothing."""
        paragraphs = paragraphs[:: max(1, -(-len(paragraphs) // _TABLE_PARAGRAPHS))]
        texts = [(sorted(stems(" ".join(a))), sorted(stems(" ".join(b)))) for a, b in paragraphs]
        self.ids = [_number(side) for side in zip(*texts, strict=True)] if texts else [{}, {}]
        rows = [tuple([ids[word] for word in side] for ids, side in zip(self.ids, row, strict=True)) for row in texts]
        one = np.concatenate([np.repeat(a, len(b)) for a, b in rows])
        two = np.concatenate([np.tile(b, len(a)) for a, b in rows])
        where = np.repeat(np.arange(len(rows)), [len(a) * len(b) for a, b in rows])
        counts = [Counter(word for row in rows for word in row[side]) for side in (0, 1)]
        self.information = [
            {word: -math.log(count / (len(rows) + 1)) for word, count in side.items()} for side in counts
        ]
        self.forward = _explained(model_1(one, two, where, iterations), self.information[1])
        self.backward = _explained(model_1(two, one, where, iterations), self.information[0])


class Correspondence:
    """How much of the words' information each sentence of one paragraph accounts for in each of the other."""

    def __init__(self, source: Sequence[str], target: Sequence[str], table: WordTable):
        one, two = (
            [[ids[word] for word in stems(sentence) if word in ids] for sentence in side]
            for side, ids in zip((source, target), table.ids, strict=True)
        )
        self.there = [[_best(a, b, table.forward) for b in two] for a in one]
        self.back = [[_best(b, a, table.backward) for b in two] for a in one]
        self.source = [sum(table.information[0][word] for word in side) for side in one]
        self.target = [sum(table.information[1][word] for word in side) for side in two]

    def support(self, rows: range, columns: range) -> float:
        """`Pair.support` of some sentences of the source and some of the target."""
        there = sum(_sum_of_best([self.there[i][j] for i in rows]) for j in columns)
        back = sum(_sum_of_best([self.back[i][j] for j in columns]) for i in rows)
        total, other = sum(self.target[j] for j in columns), sum(self.source[i] for i in rows)
        return (there / total + back / other) / 2 if total and other else 0.0


def align(source: Sequence[str], target: Sequence[str], table: WordTable) -> Iterator[tuple[str, str, float]]:
    """The sentences of a paragraph in corresponding groups, with their support; lone sentences are left out.

    Dynamic programming over beads of up to three sentences, as Gale and Church (1993), with the words' support for
    score in place of the lengths.
    """
    words = Correspondence(source, target, table)
    best = {(0, 0): 0.0}
    back: dict[tuple[int, int], tuple[int, int]] = {}
    for i in range(len(source) + 1):
        for j in range(len(target) + 1):
            for one, two in _BEADS:
                start = (i - one, j - two)
                if start not in best:
                    continue
                score = best[start]
                if one and two:
                    alike = words.support(range(i - one, i), range(j - two, j))
                    score += alike * (one + two) - 0.1 * (one + two - 2)
                if (i, j) not in best or score > best[i, j]:
                    best[i, j], back[i, j] = score, start
    end = (len(source), len(target))
    found = []
    while end != (0, 0):
        start = back[end]
        ours, theirs = " ".join(source[start[0] : end[0]]), " ".join(target[start[1] : end[1]])
        if ours and theirs:
            found.append((ours, theirs, words.support(range(start[0], end[0]), range(start[1], end[1]))))
        end = start
    yield from reversed(found)


def sentence_pairs(paragraphs: Iterable[tuple[list[str], list[str]]], language: str, table: WordTable) -> list[Pair]:
    """All pairs of aligned sentences, each different one once, in order."""
    pairs = (Pair(one, two, language, round(x, 4)) for a, b in paragraphs for one, two, x in align(a, b, table))
    return list(dict.fromkeys(pairs))


def stems(text: str) -> list[str]:
    """The different words of a text, shortened to their first letters and marks."""
    found = regex.findall(r"[\p{L}\p{M}\u200c\u200d]+|\p{Nd}+", text.casefold())
    return list(dict.fromkeys(word[:_STEM] for word in found))


def _number(sides: Iterable[Sequence[str]]) -> dict[str, int]:
    return {word: number for number, word in enumerate(dict.fromkeys(word for side in sides for word in side))}


def model_1(given: np.ndarray, made: np.ndarray, where: np.ndarray, iterations: int) -> dict[tuple[int, int], float]:
    """t(made | given) of IBM Model 1 by expectation maximisation.

    Args:
        given: [cells] word of the one side.
        made: [cells] word of the other side.
        where: [cells] paragraph; every pair of words of a paragraph is one cell.
        iterations: rounds of expectation maximisation.
    """
    width = int(made.max()) + 1
    keys, pair = np.unique(given.astype(np.int64) * width + made, return_inverse=True)
    _, place = np.unique(where.astype(np.int64) * width + made, return_inverse=True)
    owner = keys // width
    probability = np.ones(len(keys))
    for _ in range(iterations):
        cells = probability[pair]
        cells = cells / np.bincount(place, cells)[place]
        counts = np.bincount(pair, cells, minlength=len(keys))
        probability = counts / np.bincount(owner, counts)[owner]
    strong = probability > 1e-3
    return {
        (int(key // width), int(key % width)): float(p)
        for key, p in zip(keys[strong], probability[strong], strict=True)
    }


def _explained(table: dict[tuple[int, int], float], information: dict[int, float]) -> dict[int, dict[int, float]]:
    """Word made -> word given -> how much of the information (nats) of the one the other accounts for."""
    found: dict[int, dict[int, float]] = {}
    for (given, made), probability in table.items():
        if (nats := information[made] + math.log(probability)) > 0:
            found.setdefault(made, {})[given] = nats
    return found


def _best(given: list[int], made: list[int], table: dict[int, dict[int, float]]) -> list[float]:
    """For each of the words `made`, what its best partner among the words `given` accounts for."""
    none: dict[int, float] = {}
    return [max([table.get(word, none).get(other, 0.0) for other in given], default=0.0) for word in made]


def _sum_of_best(rows: list[list[float]]) -> float:
    """Sum over words of the best that any of some sentences accounts for."""
    return sum(rows[0]) if len(rows) == 1 else sum(map(max, *rows))
