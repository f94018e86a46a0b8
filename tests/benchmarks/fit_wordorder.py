"""Fit the models of word order: `KATHALAB_DATA=DATA python tests/benchmarks/fit_wordorder.py [hi mr bn en]`

writes `corpora/cleaning/models/wordorder-LANGUAGE.tsv`. Fitted on DATA/pratham's stories with even numbers, 100 of the
embedded generator, the 1,000 openings of DATA/regional-tinystories, DATA/ud, DATA/sib200 and DATA/flores; neither on
Pratham's stories with odd numbers nor on Katha-72, on which `bench_cleaning.py` measures. Only counts of neighbouring
kinds of words are kept. The threshold is such that 98 % of Pratham's even stories fail by some filter when they are
shuffled (all words, or the words of each sentence), each scored by a model fitted without its twelfth of the stories.
"""

import math
import os
import random
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from corrupt import shuffle_sentences, shuffle_words

from corpora.cleaning.filters import Filters
from corpora.cleaning.normalize import normalize
from corpora.cleaning.wordorder import (
    BREAK,
    COMMA,
    DISTANCES,
    END,
    MODELS,
    NUMBER,
    OTHER,
    SUFFIX,
    Kinds,
    WordOrder,
    parts,
)
from corpora.languages import LANGUAGES
from corpora.sources import Generator, Markdown

WORDS, LEAST_ENDING, FOLDS, SHUFFLES, PAIRS = 300, 10, 12, 3, 12_000
FAIL = 0.98
OPENINGS = {"hi": "hindi", "mr": "marathi", "bn": "beng", "en": "english"}


def other_texts(language, data):
    """Everything but Pratham, normalised."""
    texts = (data / f"regional-tinystories/openings/prompt-{OPENINGS[language]}.txt").read_text().splitlines()
    for path in sorted((data / "ud").glob(f"{language}_*.conllu")):
        texts += [line[9:] for line in path.read_text().splitlines() if line.startswith("# text = ")]
    news = set((data / f"flores/{language}.txt").read_text().splitlines())
    for path in sorted((data / "sib200" / LANGUAGES[language].flores).glob("*.tsv")):
        news |= {line.split("\t")[2] for line in path.read_text().splitlines()[1:]}
    texts += sorted(news) + [story.text for story in Generator([language], 100, seed=5)]
    return [normalize(text, language) for text in texts]


def pairs_of(text, kinds):
    """Pairs of neighbours and of words with one between them, as (distance, first, second)."""
    found = [kinds.names[kind] for kind in kinds.of(text)]
    pairs = [("near", *pair) for pair in pairwise(found)]
    pairs += [("far", *pair) for pair in zip(found, found[2:], strict=False)]
    return [pair for pair in pairs if BREAK not in pair]


def fit(texts, threshold=0.0):
    words = Counter(part for text in texts for token in text.split() for part in parts(token))
    frequent = {word for word, _ in words.most_common(WORDS)} - {END, COMMA, NUMBER}
    endings = Counter()
    for word, count in words.items():
        if word not in frequent:
            endings[OTHER + word[-SUFFIX:]] += count
    known = sorted(frequent | {ending for ending, count in endings.items() if count >= LEAST_ENDING})
    kinds = Kinds(known)
    seen, shuffled, rng = Counter(), Counter(), random.Random(7)
    for text in texts:
        seen.update(pairs_of(text, kinds))
        for _ in range(SHUFFLES):
            for other in (shuffle_words(text, rng), shuffle_sentences(text, rng)):
                shuffled.update(pairs_of(other, kinds))
    weights, importance = {}, {}
    for pair in seen | shuffled:
        by_chance = shuffled[pair] / (2 * SHUFFLES)
        weights[pair] = round(math.log2((seen[pair] + 1) / (by_chance + 1)), 1)
        importance[pair] = abs(weights[pair]) * (seen[pair] + by_chance)
    kept = sorted(weights, key=importance.get, reverse=True)[:PAIRS]
    return known, WordOrder(known, {pair: weights[pair] for pair in kept}, threshold)


def cross_validated(others, stories, language):
    """Scores of the stories and of their shuffled forms, by models that have not seen them.

    A shuffled form that another filter rejects has a score of -inf: it needs no threshold.
    """
    real, shuffled, rng = [], [], random.Random(3)
    rest = Filters(without=["word order"])
    for fold in range(FOLDS):
        _, model = fit(others + [story for i, story in enumerate(stories) if i % FOLDS != fold])
        for story in stories[fold::FOLDS]:
            real.append(model.score(story))
            for text in (f(story, rng) for f in (shuffle_words, shuffle_sentences) for _ in range(4)):
                shuffled.append(-math.inf if rest.check(text, language) else model.score(text))
    return sorted(real), sorted(shuffled)


def main(languages):
    data = Path(os.environ["KATHALAB_DATA"])
    for language in languages:
        books = [book for book in Markdown(str(data / "pratham"), [language]) if int(book.group[-4:]) % 2 == 0]
        stories = [normalize(book.text, language) for book in books]
        others = other_texts(language, data)
        real, shuffled = cross_validated(others, stories, language)
        threshold = round(shuffled[int(FAIL * len(shuffled))], 2)
        passed = sum(score >= threshold for score in real) / len(real)
        known, model = fit(others + stories, threshold)
        lines = ["# threshold; known words and endings; distance, kind, and those after it with 10 x weight in bits"]
        lines += [f"threshold\t{threshold}", "\t".join(known)]
        for distance in DISTANCES:
            table: dict[str, list[str]] = {}
            for (near_or_far, first, second), weight in sorted(model.weights.items()):
                if near_or_far == distance:
                    table.setdefault(first, []).append(f"{second}:{round(10 * weight)}")
            lines += ["\t".join([distance, first, *pairs]) for first, pairs in table.items()]
        (MODELS / f"wordorder-{language}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
        print(
            f"{language}: cross-validated on {len(real)} stories and their shuffles, {passed:.3f} pass, {FAIL} fail at "
            f"{threshold} bits.",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:] or list(OPENINGS))
