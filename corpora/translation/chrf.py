"""chrF, the character n-gram F-score of translations (Popović 2015, https://aclanthology.org/W15-3049)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_ORDER = 6
_BETA = 2.0


def chrf(translations: Sequence[str], references: Sequence[str]) -> float:
    """chrF2 of a set of sentences, 0 to 100, with the numbers of sacrebleu's `CHRF()` (its `chrF2`).

    For each n from 1 to 6, precision and recall of the n-grams of characters without white space, counted over all
    sentences; each averaged over those n that occur on both sides; F = (1 + β²) P R / (β² P + R) with β = 2.
    """
    matched, made, wanted = Counter[int](), Counter[int](), Counter[int]()
    for translation, reference in zip(translations, references, strict=True):
        for n in range(1, _ORDER + 1):
            one, two = _ngrams(translation, n), _ngrams(reference, n)
            matched[n] += (one & two).total()
            # as in sacrebleu: a reference too short for any n-gram adds nothing to what was made
            made[n] += one.total() if two else 0
            wanted[n] += two.total()
    both = [n for n in range(1, _ORDER + 1) if made[n] and wanted[n]]
    if not both:
        return 0.0
    precision = sum(matched[n] / made[n] for n in both) / len(both)
    recall = sum(matched[n] / wanted[n] for n in both) / len(both)
    if not precision + recall:
        return 0.0
    return 100 * (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def _ngrams(text: str, n: int) -> Counter[str]:
    characters = "".join(text.split())
    return Counter(characters[i : i + n] for i in range(len(characters) - n + 1))
