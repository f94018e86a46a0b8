"""How long the intrinsic comparison takes: twelve tokenizers on 1 MB of stories per language.

    python tests/benchmarks/bench_tokenization.py [hi mr bn en] [--megabytes 1] [--published FOLDER]

The stories are the embedded generator's; the tokenizers are trained on other stories of it, which is not timed.
FOLDER (of `kathalab tokenization unpack`) adds the published vocabularies in it. Seconds are CPU seconds of all
threads, so that other work on the machine does not count. If tokenization-scorer is installed, its Rényi efficiency
(α = 2.5, ids seen) is taken on the same tokens in the same run: its value must be ours. The last line is JSON.
Encoding a corpus to packed tokens against `datasets.map` is measured by bench_packing.py.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from corpora.grammar.generator import Generator
from corpora.katha import LANGUAGES as KATHA
from corpora.katha import read_katha
from tokenization.measures.entropy import measure_efficiency
from tokenization.measures.gold import read_gold
from tokenization.measures.morphology import measure_morphology
from tokenization.measures.parity import measure_parity
from tokenization.measures.prepared import prepare
from tokenization.measures.robustness import measure_robustness
from tokenization.measures.running_text import encode, measure_text
from tokenization.measures.vocabulary import classify
from tokenization.opening.formats import open_tokenizer
from tokenization.opening.tokenizer import Tokenizer
from tokenization.training.trainers import Kind, train_tokenizer

TWELVE: list[tuple[Kind, int | None]] = [
    *(("sentencepiece-bpe", size) for size in (1024, 2048, 4096)),
    *(("sentencepiece-unigram", size) for size in (1024, 1536)),
    *(("bytelevel-bpe", size) for size in (1024, 2048, 4096)),
    ("akshara-bpe", 2048),
    ("characters", None),
    ("bytes", None),
    ("aksharas", None),
]


def stories(language: str, size: float, seed: int) -> list[str]:
    """Stories of the generator, about `size` bytes of them."""
    texts: list[str] = []
    for story in Generator([language], stories=1_000_000, seed=seed):
        texts.append(story.text)
        size -= len(story.text.encode())
        if size <= 0:
            break
    return texts


def train(language: str, folder: Path) -> list[Tokenizer]:
    texts = stories(language, 1e6, seed=1)
    opened = []
    for kind, size in TWELVE:
        place = folder / f"{language}-{kind}-{size}"
        place.mkdir()
        train_tokenizer(kind, texts, size).save(place)
        opened.append(open_tokenizer(place))
    return opened


class Clock:
    """CPU seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def time(self, part: str, action: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = action()
        self.seconds[part] += time.process_time() - start
        return result


def compare(tokenizers: list[Tokenizer], texts: list[str], language: str) -> dict[str, float]:
    """Every intrinsic measure of every tokenizer: CPU seconds by part."""
    clock = Clock()
    prepared = clock.time("words and aksharas", lambda: prepare(texts))
    parallel = {code: [story.text for story in read_katha([code])] for code in KATHA}
    gold = clock.time("morphology", lambda: read_gold(None, language).items)
    for tokenizer in tokenizers:
        classes = clock.time("vocabulary", lambda: classify(tokenizer))  # noqa: B023
        clock.time("running text", lambda: measure_text(tokenizer, prepared, classes))  # noqa: B023
        clock.time("parity", lambda: measure_parity(tokenizer, parallel))  # noqa: B023
        clock.time("robustness", lambda: measure_robustness(tokenizer, texts, language))  # noqa: B023
        if gold:
            clock.time("morphology", lambda: measure_morphology(tokenizer, gold))  # noqa: B023
    return dict(clock.seconds)


def beside_the_scorer(tokenizer: Tokenizer, texts: list[str]) -> dict[str, float]:
    """CPU seconds of the same tokens' Rényi efficiencies: ours, eight of them with intervals, and the peer's one."""
    from tokenization_scorer import score

    tokens = encode(tokenizer, prepare(texts))
    lines = [" ".join(map(str, ids)) for ids in np.split(tokens.ids, np.cumsum(tokens.counts)[:-1])]
    clock = Clock()
    ours = clock.time("ours", lambda: measure_efficiency(tokens.ids, tokens.texts, tokenizer.vocabulary_size))
    with contextlib.redirect_stderr(io.StringIO()):
        peer = clock.time("tokenization-scorer", lambda: score(lines, "renyi_efficiency", power=2.5))
    assert abs(ours["renyi_efficiency_observed"]["value"] - peer) < 1e-9, (ours, peer)
    return dict(clock.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", default=["hi", "mr", "bn", "en"])
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--published", type=Path)
    options = parser.parse_args()
    published = []
    if options.published:
        published = [open_tokenizer(path.parent) for path in sorted(options.published.glob("*/manifest.json"))]
    found: dict[str, Any] = {}
    for language in options.languages:
        texts = stories(language, 1e6 * options.megabytes, seed=0)
        with tempfile.TemporaryDirectory() as folder:
            tokenizers = train(language, Path(folder)) + published
        seconds = compare(tokenizers, texts, language)
        found[language] = {"tokenizers": len(tokenizers), "stories": len(texts), "seconds": seconds}
        parts = ", ".join(f"{part} {value:.1f}" for part, value in seconds.items())
        total = sum(seconds.values())
        print(f"{language}: {len(tokenizers)} tokenizers, {len(texts)} stories, {total:.1f} CPU seconds ({parts})")
        if find_spec("tokenization_scorer"):
            found[language]["rényi"] = beside_the_scorer(tokenizers[1], texts)
            times = ", ".join(f"{name} {1000 * value:.0f} ms" for name, value in found[language]["rényi"].items())
            print(f"{language}: Rényi efficiency of one tokenizer: {times}")
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
