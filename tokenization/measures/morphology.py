"""Do tokens end where morphemes end? Boundary scores on gold words, corrected for chance, beside the published ones.

The published MorphScore asks only whether a gold boundary is among a word's cuts, and who cuts everywhere finds it
always: a byte tokenizer scores 1.000, and as many random cuts would too. Two scores take off what random cuts would
find. `boundary_kappa` does it for recall alone, so it says little where nearly every place is cut (a boundary more or
less is then all that chance leaves open); `boundary_f1_corrected` charges for every cut and is the one to compare by.

A boundary before a vowel sign (कर + े) lies inside an akshara, where an akshara-safe tokenizer never cuts; so does one
behind a virama (उन् + नति). The scores ending in `_akshara` are taken between aksharas: such a boundary moves to the
akshara's beginning (क + रे), for then the ending still lies whole on one side; moved to the akshara's end it would often
fall together with the word's end and be lost. A word of one akshara has no boundary left and is left out. Cuts inside
an akshara hit nothing and lower the precision, and chance is that of cuts between aksharas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from tokenization.measures.cuts import Counts, Cuts
from tokenization.measures.definitions import Definition, Measured, point
from tokenization.measures.gold import Word
from tokenization.measures.resampling import bootstrap_ratios
from tokenization.opening.tokenizer import Tokenizer

_V1 = "Arnett & Bergen 2025, Why do language models perform worse for morphologically complex languages? (COLING)"
_V2 = "Arnett, Hudspeth & O'Connor 2025, Evaluating morphological alignment of tokenizers in 70 languages (2507.06378)"
_KAPPA = "Cohen 1960, A coefficient of agreement for nominal scales: his kappa, for the places of a word"

_define = partial(Definition, style="percent", group="morphology")
_BOUNDARIES = {
    "boundary_precision": _define("boundary precision", "cuts at a morpheme boundary / cuts", better="higher"),
    "boundary_recall": _define("boundary recall", "morpheme boundaries cut / morpheme boundaries", better="higher"),
    "boundary_f1": _define(
        "boundary F1",
        "2 · boundaries cut / (cuts + boundaries); boundaries of unsplit words are missed",
        better="higher",
    ),
    "boundary_f1_split": _define("boundary F1 of split words", "the same among the words that are cut at all"),
    "boundary_f1_corrected": _define(
        "boundary F1 above chance",
        "(F − C) / (1 − C): F boundary F1, C that of as many cuts put at random in each word",
        _KAPPA,
        "higher",
        style="number",
    ),
    "boundary_kappa": _define(
        "boundary recall above chance",
        "(R − C) / (1 − C): R boundary recall, C that of as many cuts put at random in each word; 0 where C = 1",
        style="number",
    ),
    "morphscore_v1": _define("MorphScore v1", "split words with a cut at a morpheme boundary / split words", _V1),
    "morphscore_v1_chance": _define("MorphScore v1 by chance", "what v1 gives as many random cuts in each split word"),
}
DEFINITIONS: dict[str, Definition] = {
    **_BOUNDARIES,
    **{
        f"{name}_akshara": replace(
            found, title=f"{found.title}, aksharas", formula=f"{found.formula}, between aksharas"
        )
        for name, found in _BOUNDARIES.items()
    },
    "morphscore_v2_recall": _define(
        "MorphScore v2 recall", "mean over words of the share of morpheme boundaries cut; 1 for an unsplit word", _V2
    ),
    "morphscore_v2_precision": _define(
        "MorphScore v2 precision", "mean over words of the share of cuts at a boundary; 1 for an unsplit word", _V2
    ),
    "morphology_words_split": _define("gold words split", "gold words with a cut inside / gold words"),
    "akshara_ceiling": _define(
        "ceiling of akshara-safe tokenizers", "morpheme boundaries between aksharas / morpheme boundaries"
    ),
}


def measure_morphology(
    tokenizer: Tokenizer, words: Sequence[Word], *, leading_space: bool = True, resamples: int = 2000
) -> dict[str, Measured]:
    """Every measure of `DEFINITIONS` on gold words, with 95 % intervals over words (those of one lemma drawn together).

    `leading_space`: encode each word behind a space, as in running text; without it as a text of its own, as published
    comparisons did. A measure without a denominator (no word, or none split) has no value.
    """
    cuts = Cuts.of(tokenizer, words, leading_space)
    by_code_point, by_akshara = cuts.by_code_point(), cuts.by_akshara()
    ratios = _scores(by_code_point) | {name + "_akshara": ratio for name, ratio in _scores(by_akshara).items()}
    ratios |= _whole_words(by_code_point) | {"akshara_ceiling": (cuts.safe_gold, by_code_point.gold)}
    measured = bootstrap_ratios(ratios, [word.lemma or word.word for word in words], resamples)
    for suffix, counts in (("", by_code_point), ("_akshara", by_akshara)):
        if counts.gold.any() and measured["boundary_kappa" + suffix]["value"] is None:
            measured["boundary_kappa" + suffix] = point(0.0)
    return measured


def _scores(counts: Counts) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Numerator and denominator of each measure of `_BOUNDARIES`, by word."""
    split = (counts.cuts > 0).astype(float)
    return {
        "boundary_precision": (counts.hits, counts.cuts),
        "boundary_recall": (counts.hits, counts.gold),
        "boundary_f1": (2 * counts.hits, counts.cuts + counts.gold),
        "boundary_f1_split": (2 * counts.hits, counts.cuts + counts.gold * split),
        "boundary_f1_corrected": (2 * (counts.hits - counts.chance), counts.cuts + counts.gold - 2 * counts.chance),
        "boundary_kappa": (counts.hits - counts.chance, counts.gold - counts.chance),
        "morphscore_v1": ((counts.hits > 0).astype(float), split),
        "morphscore_v1_chance": (counts.any_chance() * split, split),
    }


def _whole_words(counts: Counts) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Numerator and denominator of the means over words."""
    split, ones = counts.cuts > 0, np.ones(len(counts.gold))
    return {
        "morphscore_v2_recall": (np.where(split, counts.hits / np.maximum(counts.gold, 1), 1.0), ones),
        "morphscore_v2_precision": (np.where(split, counts.hits / np.maximum(counts.cuts, 1), 1.0), ones),
        "morphology_words_split": (split.astype(float), ones),
    }
