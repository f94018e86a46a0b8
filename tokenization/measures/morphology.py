"""Do tokens end where morphemes end? Boundary scores on gold words, corrected for chance, beside the published ones.

The published MorphScore asks only whether the gold boundary is among a word's cuts; who cuts everywhere finds it always. A
byte tokenizer scores 1.000, and so would random cuts as many. Kappa takes the share that random cuts would find off.

A boundary before a vowel sign (कर + े) lies inside an akshara, where an akshara-safe tokenizer never cuts. The scores ending
in `_akshara` are taken between aksharas: such a boundary moves to the akshara's beginning (क + रे), for then the ending
still lies whole on one side; at the akshara's end it would often fall together with the word's end and be lost. A word of
one akshara has no boundary left and is left out. Cuts inside an akshara hit nothing and lower the precision, and chance
is that of cuts between aksharas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import regex

from evaluation.intervals import bootstrap_ratio
from tokenization.measures.definitions import Definition, Measured, point
from tokenization.measures.gold import Word
from tokenization.opening.tokenizer import Tokenizer

_CARRIER = "। "
"""Stands before a word so that it is encoded as in running text, behind a space, whatever a tokenizer makes of spaces."""

_V1 = "Arnett & Bergen 2025, Why do language models perform worse for morphologically complex languages? (COLING)"
_V2 = "Arnett, Hudspeth & O'Connor 2025, Evaluating morphological alignment of tokenizers in 70 languages (2507.06378)"
_KAPPA = "Cohen 1960, A coefficient of agreement for nominal scales, with random cuts for chance"

_EACH: dict[str, tuple[str, str, str]] = {
    "boundary_precision": ("boundary precision", "cuts at a morpheme boundary / cuts inside the words", ""),
    "boundary_recall": ("boundary recall", "morpheme boundaries that are cut / morpheme boundaries, unsplit words too", ""),
    "boundary_f1": ("boundary F1", "2 · hits / (cuts + morpheme boundaries), unsplit words counted as missed", ""),
    "boundary_f1_split": ("boundary F1, split words", "the same among the words that are cut at all", ""),
    "boundary_kappa": (
        "boundary kappa",
        "(R − C) / (1 − C): R boundary recall, C that of as many cuts put at random in each word; 0 where C = 1",
        _KAPPA,
    ),
    "morphscore_v1": ("MorphScore v1", "split words with a cut at a morpheme boundary / split words; misleads", _V1),
    "morphscore_v1_chance": (
        "MorphScore v1 by chance",
        "what as many random cuts in each split word would be given by v1's formula",
        "",
    ),
}
_ONCE = {
    "morphscore_v2_recall": Definition(
        "MorphScore v2 recall",
        "mean over words of the share of morpheme boundaries that are cut; an unsplit word counts 1, words weigh alike",
        _V2,
        "",
        "percent",
        "morphology",
    ),
    "morphscore_v2_precision": Definition(
        "MorphScore v2 precision",
        "mean over words of the share of cuts at a morpheme boundary; an unsplit word counts 1, words weigh alike",
        _V2,
        "",
        "percent",
        "morphology",
    ),
    "morphology_words_split": Definition(
        "gold words split", "gold words with a cut inside / gold words", "", "", "percent", "morphology"
    ),
    "akshara_ceiling": Definition(
        "ceiling of akshara-safe tokenizers",
        "morpheme boundaries between aksharas / morpheme boundaries: the highest recall without cutting an akshara",
        "",
        "",
        "percent",
        "morphology",
    ),
}


def _definitions() -> dict[str, Definition]:
    found = {}
    for suffix, where in (("", ""), ("_akshara", ", between aksharas")):
        for name, (title, formula, source) in _EACH.items():
            better = "" if name.startswith("morphscore") else "higher"
            style = "number" if name == "boundary_kappa" else "percent"
            found[name + suffix] = Definition(title + where, formula + where, source, better, style, "morphology")  # type: ignore[arg-type]
    return found | _ONCE


DEFINITIONS = _definitions()


@dataclass(frozen=True)
class Counts:
    """What the scores need of each word: float64 arrays of shape (words,)."""

    gold: np.ndarray
    """Morpheme boundaries."""
    places: np.ndarray
    """Places where a cut can hit: code points (aksharas) - 1."""
    cuts: np.ndarray
    """All cuts inside the word, those inside a code point included, as many as there are."""
    different: np.ndarray
    """Different places among them that are cut."""
    hits: np.ndarray
    """Morpheme boundaries that are cut."""

    @cached_property
    def chance(self) -> np.ndarray:
        """Expected hits of `different` random cuts: the share of places that is cut, for each boundary."""
        return self.gold * self.different / self.places

    def any_chance(self) -> np.ndarray:
        """Probability that `different` random cuts hit at least one boundary (hypergeometric)."""
        missed = np.ones(len(self.gold))
        for number in range(int(self.gold.max(initial=0))):
            left = np.clip(self.places - self.different - number, 0, None) / np.maximum(self.places - number, 1)
            missed *= np.where(number < self.gold, left, 1.0)
        return 1 - missed


def measure_morphology(
    tokenizer: Tokenizer, words: Sequence[Word], *, leading_space: bool = True, resamples: int = 2000
) -> dict[str, Measured]:
    """Every measure of `DEFINITIONS` on gold words, with 95 % intervals over words (those of one lemma drawn together).

    `leading_space`: encode each word behind a space, as in running text; without it as a text of its own, as published
    comparisons did. A measure without a denominator (no word, or none split) has no value.
    """
    cuts = Cuts.of(tokenizer, words, leading_space)
    lemmas = [word.lemma or word.word for word in words]
    measured: dict[str, Measured] = {}
    for suffix, counts, kept in (("", *cuts.by_code_point()), ("_akshara", *cuts.by_akshara())):
        clusters = [lemmas[number] for number in np.flatnonzero(kept)]
        for name, value in _scores(counts, clusters, resamples).items():
            measured[name + suffix] = value
    counts, _ = cuts.by_code_point()
    split = counts.cuts > 0
    ones = np.ones(len(words))

    def mean(values: np.ndarray) -> Measured:
        return _ratio(values, ones, lemmas, resamples)

    measured["morphscore_v2_recall"] = mean(np.where(split, counts.hits / np.maximum(counts.gold, 1), 1.0))
    measured["morphscore_v2_precision"] = mean(np.where(split, counts.hits / np.maximum(counts.cuts, 1), 1.0))
    measured["morphology_words_split"] = mean(split.astype(float))
    measured["akshara_ceiling"] = _ratio(cuts.safe_gold, counts.gold, lemmas, resamples)
    return measured


def _scores(counts: Counts, lemmas: list[str], resamples: int) -> dict[str, Measured]:
    split = counts.cuts > 0

    def ratio(top: np.ndarray, bottom: np.ndarray) -> Measured:
        return _ratio(top, bottom, lemmas, resamples)

    kappa = ratio(counts.hits - counts.chance, counts.gold - counts.chance)
    if kappa["value"] is None and len(counts.gold):
        kappa = point(0.0)
    return {
        "boundary_precision": ratio(counts.hits, counts.cuts),
        "boundary_recall": ratio(counts.hits, counts.gold),
        "boundary_f1": ratio(2 * counts.hits, counts.cuts + counts.gold),
        "boundary_f1_split": ratio(2 * counts.hits, counts.cuts + counts.gold * split),
        "boundary_kappa": kappa,
        "morphscore_v1": ratio((counts.hits > 0).astype(float), split.astype(float)),
        "morphscore_v1_chance": ratio(counts.any_chance() * split, split.astype(float)),
    }


def _ratio(top: np.ndarray, bottom: np.ndarray, lemmas: list[str], resamples: int) -> Measured:
    if not bottom.sum() > 1e-9:
        return point(None)
    return dict(bootstrap_ratio(top, bottom, clusters=lemmas, resamples=resamples).as_dict())


@dataclass(frozen=True)
class Cuts:
    """Where a tokenizer cuts words, flat: `word[i]` is the word that `place[i]` belongs to."""

    words: Sequence[Word]
    word: np.ndarray
    """int, shape (cuts,)."""
    place: np.ndarray
    """Code points of the word before the cut; for a cut inside a code point those before that. int, shape (cuts,)."""
    inside: np.ndarray
    """Whether the cut lies inside a code point. bool, shape (cuts,)."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, words: Sequence[Word], leading_space: bool = True) -> Cuts:
        """The cuts strictly inside each word."""
        carrier = _CARRIER if leading_space else ""
        encoded = tokenizer.encode_batch([carrier + word.word for word in words])
        if not encoded:
            empty = np.zeros(0, dtype=np.int64)
            return cls(words, empty, empty, empty.astype(bool))
        word = np.repeat(np.arange(len(words)), [max(len(tokens.ids) - 1, 0) for tokens in encoded])
        ends = np.concatenate([tokens.ends[:-1] for tokens in encoded]).astype(np.int64) - len(carrier)
        starts = np.concatenate([tokens.starts[1:] for tokens in encoded]).astype(np.int64) - len(carrier)
        inside = starts < ends
        place = np.where(inside, starts, ends)
        lengths = np.array([len(item.word) for item in words])[word]
        kept = np.where(inside, place >= 0, (place > 0) & (starts > 0)) & (place < lengths)
        return cls(words, word[kept], place[kept], inside[kept])

    @cached_property
    def _gold(self) -> tuple[np.ndarray, np.ndarray]:
        """Word and place of every morpheme boundary."""
        numbers = [number for number, word in enumerate(self.words) for _ in word.boundaries]
        places = [place for word in self.words for place in word.boundaries]
        return np.array(numbers, dtype=np.int64), np.array(places, dtype=np.int64)

    @cached_property
    def _aksharas(self) -> tuple[np.ndarray, np.ndarray]:
        """For each word its offset in a flat table, and that table: aksharas that end at or before each code point."""
        offsets = np.cumsum([0, *(len(word.word) + 1 for word in self.words)])
        table = np.zeros(offsets[-1], dtype=np.int64)
        for word, offset in zip(self.words, offsets, strict=False):
            for match in regex.finditer(r"\X", word.word):
                table[offset + match.end()] = 1
            table[offset : offset + len(word.word) + 1] = np.cumsum(table[offset : offset + len(word.word) + 1])
        return offsets, table

    def by_code_point(self) -> tuple[Counts, np.ndarray]:
        """Counts at code points, and which words they are of (all)."""
        numbers, places = self._gold
        lengths = np.array([len(word.word) for word in self.words], dtype=np.int64)
        return self._count(numbers, places, self.place, ~self.inside, lengths - 1), np.ones(len(self.words), dtype=bool)

    def by_akshara(self) -> tuple[Counts, np.ndarray]:
        """Counts between aksharas with snapped gold, and which words have a boundary there."""
        offsets, table = self._aksharas
        numbers, places = self._gold
        snapped = np.unique(np.stack([numbers, table[offsets[numbers] + places]]), axis=1)
        snapped = snapped[:, snapped[1] > 0]
        at = offsets[self.word] + self.place
        between = ~self.inside & (table[at] > table[at - 1])
        lengths = table[offsets[1:] - 1]
        counts = self._count(snapped[0], snapped[1], table[at], between, lengths - 1)
        kept = counts.gold > 0
        fields = (counts.gold, counts.places, counts.cuts, counts.different, counts.hits)
        return Counts(*(field[kept] for field in fields)), kept

    @property
    def safe_gold(self) -> np.ndarray:
        """Morpheme boundaries of each word that lie between aksharas; float64, shape (words,)."""
        offsets, table = self._aksharas
        numbers, places = self._gold
        at = offsets[numbers] + places
        return np.bincount(numbers, weights=table[at] > table[at - 1], minlength=len(self.words))

    def _count(
        self, numbers: np.ndarray, places: np.ndarray, cut_places: np.ndarray, can_hit: np.ndarray, room: np.ndarray
    ) -> Counts:
        """Count gold boundaries (`numbers`, `places`) and cuts by word; only cuts that `can_hit` hit or stand for a place."""
        count = len(self.words)
        width = int(max(room.max(initial=0), 0)) + 2
        different = np.unique(self.word[can_hit] * width + cut_places[can_hit])
        gold = numbers * width + places
        return Counts(
            gold=np.bincount(numbers, minlength=count).astype(float),
            places=np.maximum(room, 1).astype(float),
            cuts=np.bincount(self.word, minlength=count).astype(float),
            different=np.bincount(different // width, minlength=count).astype(float),
            hits=np.bincount(numbers, weights=np.isin(gold, different), minlength=count),
        )
