"""What a set of stories is like: length, repetition, variety, script, and how much of it was copied from training."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from evaluation.hygiene import Hygiene, inspect
from evaluation.intervals import Interval, bootstrap_mean, bootstrap_ratio
from evaluation.overlap import TrainingIndex
from evaluation.words import count_aksharas, sentences, words

COPIED_WORDS = 8
"""Overlap with the training stories is counted in runs of this many words."""
POOL_WORDS = 1000
"""Distinct-n falls as a text grows, so it is measured on pools of equally many words."""


@dataclass(frozen=True)
class StoryMeasures:
    """Counts from one story; every statistic is a sum of them over a sum of others."""

    words: tuple[str, ...]
    aksharas: int
    sentences: int
    four_grams: int
    repeated_four_grams: int
    """Total − different: 1 − unique/total is rep-4."""
    hygiene: Hygiene
    runs: int
    """Runs of 8 words."""
    copied_runs: int
    """Those that stand in a training story."""
    longest_copy: int
    """Words in the longest run that stands in a training story."""
    exact_copy: bool
    """Whether the story is, word for word, a training story."""

    def record(self) -> dict[str, int | bool]:
        """The counts for a JSON record."""
        return {
            "words": len(self.words),
            "aksharas": self.aksharas,
            "sentences": self.sentences,
            "repeated_four_grams": self.repeated_four_grams,
            "stray_words": self.hygiene.stray_words,
            "impossible_sequences": sum(self.hygiene.impossible.values()),
            "copied_runs": self.copied_runs,
            "longest_copy": self.longest_copy,
            "exact_copy": self.exact_copy,
        }


def measure(text: str, language: str, training: TrainingIndex) -> StoryMeasures:
    """Count everything in one story of the language (ISO 639-1), against the training stories."""
    tokens = words(text, language)
    matches = training.matches(tokens)
    four_grams = list(zip(*(tokens[start:] for start in range(4)), strict=False))
    return StoryMeasures(
        words=tuple(tokens),
        aksharas=count_aksharas(text),
        sentences=len(sentences(text, language)) if tokens else 0,
        four_grams=len(four_grams),
        repeated_four_grams=len(four_grams) - len(set(four_grams)),
        hygiene=inspect(text, language),
        runs=max(0, len(tokens) - COPIED_WORDS + 1),
        copied_runs=sum(1 for match in matches if match >= COPIED_WORDS),
        longest_copy=max(matches, default=0),
        exact_copy=bool(tokens) and training.contains(tokens),
    )


def summarise(
    stories: Sequence[StoryMeasures],
    *,
    pool_words: int = POOL_WORDS,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> dict[str, Interval]:
    """Every statistic with its interval over stories (distinct-n: over pools). What has no basis is left out.

    `words`, `aksharas`, `sentences`, `longest_copy`: means per story. `rep_4`: share of 4-grams that repeat one of the
    same story. `distinct_1` … `distinct_3`: different n-grams / n-grams in pools of `pool_words` words. `own_script`:
    share of letters in the language's script. `stray_words`: share of words with a letter of another script.
    `impossible_sequences`: per akshara. `copied_runs`: share of 8-word runs that stand in a training story.
    `exact_copies`: share of stories that are a training story.
    """
    basis = {
        "words": [(len(story.words), 1) for story in stories],
        "aksharas": [(story.aksharas, 1) for story in stories],
        "sentences": [(story.sentences, 1) for story in stories],
        "rep_4": [(story.repeated_four_grams, story.four_grams) for story in stories],
        "own_script": [(story.hygiene.own_letters, story.hygiene.letters) for story in stories],
        "stray_words": [(story.hygiene.stray_words, story.hygiene.words) for story in stories],
        "impossible_sequences": [(sum(story.hygiene.impossible.values()), story.aksharas) for story in stories],
        "copied_runs": [(story.copied_runs, story.runs) for story in stories],
        "longest_copy": [(story.longest_copy, 1) for story in stories],
        "exact_copies": [(int(story.exact_copy), 1) for story in stories],
    }
    found = {
        name: bootstrap_ratio(*zip(*pairs, strict=True), clusters=clusters, seed=seed)
        for name, pairs in basis.items()
        if sum(denominator for _, denominator in pairs)
    }
    stream = [word for story in stories for word in story.words]
    pools = [stream[start : start + pool_words] for start in range(0, len(stream) - pool_words + 1, pool_words)]
    for n in (1, 2, 3):
        if pools and pool_words >= n:
            found[f"distinct_{n}"] = bootstrap_mean([_distinct(pool, n) for pool in pools], seed=seed)
    return found


def equal_pools(*sets: Sequence[StoryMeasures]) -> int:
    """The pool size for comparing sets of stories: 1,000 words, or the words of the smallest set if it has fewer."""
    return max(1, min(POOL_WORDS, *(sum(len(story.words) for story in stories) for stories in sets)))


def _distinct(pool: Sequence[str], n: int) -> float:
    grams = list(zip(*(pool[start:] for start in range(n)), strict=False))
    return len(set(grams)) / len(grams)
