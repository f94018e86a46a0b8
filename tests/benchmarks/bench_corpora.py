"""Normaliser and duplicates against what others offer: `python tests/benchmarks/bench_corpora.py FOLDER [stories]`.

FOLDER holds Markdown books by language (`hi/`, `mr/`, `bn/`), as Pratham Books publishes them. Compared with the
normaliser of indic-nlp-library: characters per second, and in how many words each loses a joiner that carries meaning,
turns ॲ into another letter, or turns a colon into a visarga. Compared with datasketch, where it is installed: time to
find the near-duplicates among generated stories (as many as the second argument says). The last line is JSON.
"""

import json
import random
import re
import sys
import time

from corpora.deduplicate import similar_pairs
from corpora.normalize import normalize
from corpora.sources import Markdown

MEANINGFUL = {
    "joiner": re.compile("(?<=[\u094d\u09cd])[\u200c\u200d](?<!ত্\u200d)|(?<=র)\u200d(?=্য)"),
    "ॲ": re.compile("ॲ"),
    "colon": re.compile(":"),
}


def seconds(function, repeats=3):
    """Best of several times, and the last result."""
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def losses(before, after):
    """Words that hold a sign before and fewer of them after, by sign (texts have the same words in the same order)."""
    return {
        name: sum(
            max(0, len(pattern.findall(old)) - len(pattern.findall(new)))
            for old, new in zip(before, after, strict=True)
        )
        for name, pattern in MEANINGFUL.items()
    }


def normalisers(folder):
    from indicnlp.normalize.indic_normalize import IndicNormalizerFactory

    results = {}
    for language in ("hi", "mr", "bn"):
        texts = [story.text for story in Markdown(folder, [language])]
        characters = sum(map(len, texts))
        theirs = IndicNormalizerFactory().get_normalizer(language)
        our_time, our_texts = seconds(lambda texts=texts, code=language: [normalize(text, code) for text in texts])
        their_time, their_texts = seconds(lambda texts=texts, other=theirs: [other.normalize(text) for text in texts])
        results[language] = {
            "characters": characters,
            "million characters per second": round(characters / our_time / 1e6, 2),
            "indic-nlp: million characters per second": round(characters / their_time / 1e6, 2),
            "speed ratio": round(their_time / our_time, 3),
            "lost": losses(texts, our_texts),
            "indic-nlp: lost": losses(texts, their_texts),
        }
    return results


def templated_stories(folder, count, slots=0.2, words=170, plots=15):
    """Stories as a grammar writes them: a few plots, a part of the words drawn anew."""
    rng = random.Random(0)
    vocabulary = sorted({word for story in Markdown(folder, ["hi"]) for word in story.text.split()})
    outlines = [rng.choices(vocabulary, k=words) for _ in range(plots)]

    def tell():
        return " ".join(rng.choice(vocabulary) if rng.random() < slots else word for word in rng.choice(outlines))

    stories = [tell() for _ in range(count)]
    return stories + [story + " अंत" for story in stories[: count // 100]]


def duplicates(folder, count):
    stories = templated_stories(folder, count)
    our_time, pairs = seconds(lambda: similar_pairs(stories, 0.8), repeats=1)
    result = {"stories": len(stories), "seconds": round(our_time, 2), "pairs": len(pairs)}
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        return result

    def with_datasketch():
        index, found = MinHashLSH(threshold=0.8, num_perm=128), 0
        for number, story in enumerate(stories):
            tokens = story.split()
            sketch = MinHash(num_perm=128)
            sketch.update_batch({" ".join(tokens[i : i + 3]).encode() for i in range(len(tokens) - 2)})
            found += len(index.query(sketch))
            index.insert(number, sketch)
        return found

    their_time, found = seconds(with_datasketch, repeats=1)
    return result | {
        "datasketch: seconds": round(their_time, 2),
        "datasketch: candidate pairs": found,
        "speed ratio": round(their_time / our_time, 2),
    }


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    measured = {
        "normalisers": normalisers(sys.argv[1]),
        "duplicates": duplicates(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5000),
    }
    for name, values in measured["normalisers"].items():
        print(name, *(f"{key}: {value}" for key, value in values.items()), sep="\n  ")
    print("duplicates", *(f"{key}: {value}" for key, value in measured["duplicates"].items()), sep="\n  ")
    print(json.dumps(measured, ensure_ascii=False))
