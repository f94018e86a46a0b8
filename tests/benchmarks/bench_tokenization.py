"""Our default tokenizer beside byte-level BPE with GPT-2's pattern: same text, same vocabulary, same machine, same run.

    python tests/benchmarks/bench_tokenization.py PRATHAM [--language hi] [--vocabulary 2048]

PRATHAM is a folder with one folder of Markdown stories per language. Every ninth story is held out. Prints the medians
of five timings of training and of encoding, and fertility and akshara splitting on the held-out stories; a ratio above
1 is in our favour. GPT-2's pattern runs out of merges early: compare at a vocabulary that both reach (see the ids).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tokenization.folder import TrainedTokenizer, load_tokenizer
from tokenization.measures.by_document import measure
from tokenization.training.bytelevel import GPT2_PATTERN, train_bytelevel
from tokenization.training.trainers import KINDS, SPELLINGS, train_tokenizer

PEER = "bytelevel-bpe, GPT-2 pattern"
OURS = "sentencepiece-bpe"


def seconds(action: Callable[[], object], times: int = 5) -> float:
    """Median wall-clock time of an action."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        spent.append(time.perf_counter() - start)
    return median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pratham", type=Path)
    parser.add_argument("--language", default="hi")
    parser.add_argument("--vocabulary", type=int, default=2048)
    chosen = parser.parse_args()
    paths = sorted((chosen.pratham / chosen.language).glob("*.md"))
    stories = [path.read_text(encoding="utf-8") for path in paths]
    held_out, training = stories[::9], [story for number, story in enumerate(stories) if number % 9]
    if not held_out:
        parser.error(f"no stories in {chosen.pratham / chosen.language}")

    trainers: dict[str, Callable[[], TrainedTokenizer]] = {
        PEER: lambda: TrainedTokenizer(PEER, train_bytelevel(training, chosen.vocabulary, GPT2_PATTERN))
    }
    for kind in KINDS:
        size = None if kind in SPELLINGS else chosen.vocabulary
        trainers[kind] = lambda kind=kind, size=size: train_tokenizer(kind, training, size)

    characters = sum(map(len, stories))
    print(
        f"{chosen.language}: {len(training)} stories to train on, {len(held_out)} held out, {characters:,} characters"
    )
    print(f"{'':<30}{'ids':>7}{'training s':>12}{'encoding M/s':>14}{'fertility':>11}{'aksharas split':>16}")
    rows: dict[str, tuple[float, float, float, float]] = {}
    ids: dict[str, int] = {}
    for name, train in trainers.items():
        try:
            trained = train()
        except Exception as error:  # a vocabulary that this text cannot give
            print(f"{name:<30} {error}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            trained.save(Path(folder))
            found = measure(load_tokenizer(folder), held_out, resamples=1)
        encoding = characters / seconds(lambda: [trained.tokenizer.encode(story) for story in stories]) / 1e6  # noqa: B023
        fertility, split = found["fertility"]["value"], found["akshara_splitting_rate"]["value"]
        assert fertility is not None and split is not None
        ids[name] = trained.vocabulary_size
        rows[name] = (seconds(train), encoding, fertility, split)
        print(
            f"{name:<30}{trained.vocabulary_size:>7}{rows[name][0]:>12.3f}{encoding:>14.2f}{fertility:>11.3f}{split:>16.3f}"
        )
    ours, peer = rows[OURS], rows[PEER]
    print(
        f"{OURS} against {PEER} ({ids[OURS]} against {ids[PEER]} ids): "
        f"training {peer[0] / ours[0]:.2f}x as fast, encoding {ours[1] / peer[1]:.2f}x as fast, "
        f"{peer[2] / ours[2]:.2f}x fewer tokens, {peer[3] / ours[3]:.2f}x fewer aksharas split"
    )


if __name__ == "__main__":
    main()
