"""What a classifier must beat: the commonest class, class names found in the text, a naive Bayes that saw labels."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence


class NaiveBayes:
    """Multinomial naive Bayes over character n-grams. Supervised: it learns from labelled texts.

    p(n-gram | class) = (count + alpha) / (all counts of the class + alpha × vocabulary), p(class) from its frequency;
    n-grams never seen in training are ignored (McCallum & Nigam 1998).
    """

    def __init__(
        self, texts: Sequence[str], labels: Sequence[str], sizes: Sequence[int] = (2, 3, 4), alpha: float = 0.1
    ):
        self.sizes = tuple(sizes)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for text, label in zip(texts, labels, strict=True):
            counts[label].update(self._ngrams(text))
        self.classes = sorted(counts)
        documents = Counter(labels)
        self._prior = {label: math.log(documents[label] / len(labels)) for label in self.classes}
        vocabulary = set().union(*counts.values())
        totals = {label: counts[label].total() + alpha * len(vocabulary) for label in self.classes}
        self._log_likelihood = {
            ngram: [math.log((counts[label][ngram] + alpha) / totals[label]) for label in self.classes]
            for ngram in vocabulary
        }

    def predict(self, text: str) -> str:
        """The most probable class (the first in alphabetical order among equals)."""
        scores = self.log_joint(text)
        return self.classes[max(range(len(scores)), key=scores.__getitem__)]

    def log_joint(self, text: str) -> list[float]:
        """log p(class, text) in nats for each of `classes`, up to what unseen n-grams would add to all."""
        scores = [self._prior[label] for label in self.classes]
        for ngram in self._ngrams(text):
            for index, value in enumerate(self._log_likelihood.get(ngram, ())):
                scores[index] += value
        return scores

    def _ngrams(self, text: str) -> Iterator[str]:
        for size in self.sizes:
            for start in range(len(text) - size + 1):
                yield text[start : start + size]


def majority_class(labels: Sequence[str]) -> str:
    """The most frequent label (the first in alphabetical order among equals)."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def name_in_text(text: str, names: Mapping[str, Sequence[str]]) -> str:
    """The class whose names occur most often in the text, letter case aside (the first among equals, as with none).

    Needs no model: a classifier that is no better has perhaps only copied words.
    """
    counts = name_counts(text, names)
    return max(counts, key=counts.__getitem__)


def name_counts(text: str, names: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How often the names of each class occur in the text, letter case aside."""
    folded = text.casefold()
    return {label: sum(folded.count(name.casefold()) for name in names[label]) for label in names}
