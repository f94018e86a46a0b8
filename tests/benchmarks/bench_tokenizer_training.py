"""Time and peak memory of training a tokenizer on a large corpus, whole and on samples of it.

    python tests/benchmarks/bench_tokenizer_training.py [--megabytes 100] [--kind sentencepiece-bpe] [--size 8192]

The corpus is the embedded generator's, in Hindi, Marathi and Bengali, made in a temporary folder. Each training is a
fresh process of `kathalab tokenization train`; its floor is a byte alphabet on 10,000 characters. A child's
peak cannot be told below its parent's size, so this process stays small and another makes the corpus.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path


def make_corpus(folder: Path, megabytes: float) -> None:
    """A corpus of one split with about so much UTF-8 text."""
    from corpora.folders import new_folder, write_manifest
    from corpora.grammar.generator import Generator
    from corpora.stories import Story, write_split

    languages = ["hi", "mr", "bn"]
    with new_folder(folder) as place:
        for language in languages:
            room = 1e6 * megabytes / len(languages)
            stories: list[Story] = []
            for story in Generator([language], stories=10_000_000, seed=0):
                stories.append(story)
                room -= len(story.text.encode())
                if room <= 0:
                    break
            write_split(place, "train", stories)
        write_manifest(place, "corpus", {"generator": "benchmark", "megabytes": megabytes})


def train(corpus: Path, output: Path, *options: str) -> tuple[float, float]:
    """Seconds and peak MB of one training in a process of its own."""
    command = [sys.executable, "-m", "kathalab", "tokenization", "train", "--corpus", str(corpus), "--output"]
    start = time.perf_counter()
    process = subprocess.Popen([*command, str(output), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"training failed: {' '.join(options)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--kind", default="sentencepiece-bpe")
    parser.add_argument("--size", type=int, default=8192)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus, number = Path(folder) / "corpus", count()
        maker = multiprocessing.get_context("spawn").Process(target=make_corpus, args=(corpus, options.megabytes))
        maker.start()
        maker.join()
        floor = train(corpus, Path(folder) / "floor", "--kind", "bytes", "--sample-characters", "10000")
        print(f"{'bytes, sample of 10,000 characters':<50} {floor[0]:8.1f} s {floor[1]:8.0f} MB", flush=True)
        for sample in (None, 10_000_000, 4_000_000):
            words = ["--kind", options.kind, "--vocabulary-size", str(options.size)]
            words += ["--sample-characters", str(sample)] if sample else []
            seconds, peak = train(corpus, Path(folder) / str(next(number)), *words)
            what = f"{options.kind} {options.size}, " + (f"sample of {sample:,} characters" if sample else "all")
            print(f"{what:<50} {seconds:8.1f} s {peak:8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
