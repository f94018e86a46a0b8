"""From a corpus folder to packed tokens on disk: ours, and `datasets.map` with transformers' own recipe.

    python tests/benchmarks/bench_packing.py CORPUS TOKENIZER [--languages hi] [--rounds 5] [--sequence-length 256]

CORPUS is a folder of `kathalab corpora build`, TOKENIZER one of `kathalab tokenization train`. The peer is the data
part of transformers' `run_clm.py`: `datasets.map(batched=True, batch_size=1000)` with the same fast tokenizer, then
its `group_texts` (without the attention mask and the copy as labels, which take it longer), once with `num_proc=1`
(the tokenizer then uses all cores by itself) and once with `num_proc=2`; it reads the same Parquet files and leaves an
Arrow file of windows. Every round starts with an empty cache; rounds alternate, medians count. Then the share of the
targets that is no padding, by either packing. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets

from corpora.stories import shards
from tinymodels.packing import Tokens, pack
from tokenization import load_tokenizer


def ours(corpus: str, tokenizer: str, languages: list[str] | None, folder: str) -> Tokens:
    return pack(corpus, tokenizer, "train", languages, folder)


def peer(corpus: str, tokenizer: str, languages: list[str] | None, folder: str, length: int, processes: int) -> int:
    """Tokens of the windows that `run_clm.py` would train on."""
    fast = load_tokenizer(tokenizer)
    files = [str(path) for path in shards(corpus, "train", languages)]
    stories = datasets.load_dataset("parquet", data_files={"train": files}, cache_dir=folder)["train"]

    def tokenize(examples: dict[str, list[str]]) -> Any:
        return {"input_ids": fast(examples["text"], return_attention_mask=False)["input_ids"]}

    def group_texts(examples: dict[str, list[list[int]]]) -> dict[str, list[list[int]]]:
        concatenated = {key: list(chain(*examples[key])) for key in examples}
        total = len(concatenated["input_ids"]) // length * length
        return {key: [ids[i : i + length] for i in range(0, total, length)] for key, ids in concatenated.items()}

    options = {"batched": True, "batch_size": 1000, "num_proc": None if processes == 1 else processes}
    tokens = stories.map(tokenize, remove_columns=stories.column_names, **options)
    return length * len(tokens.map(group_texts, **options))


def utilisation(tokens: Tokens, length: int) -> dict[str, float]:
    """Share of the windows that is no padding."""
    from tinymodels.best_fit import BestFitRows

    return {"stream": 1.0, "best-fit": BestFitRows(tokens, length, 1).utilisation}


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    return f"{', '.join(names) or platform.processor()}, {len(os.sched_getaffinity(0))} cores"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("tokenizer")
    parser.add_argument("--languages", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sequence-length", type=int, default=256)
    options = parser.parse_args()
    datasets.disable_progress_bars()
    given = (options.corpus, options.tokenizer, options.languages)
    length = options.sequence_length
    seconds: dict[str, list[float]] = {"kathalab": [], "datasets.map": [], "datasets.map, num_proc=2": []}
    for _ in range(options.rounds + 1):
        for name in seconds:
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                if name == "kathalab":
                    tokens = ours(*given, folder)
                    count = len(tokens.ids)
                else:
                    count = peer(*given, folder, length, processes=2 if name.endswith("2") else 1)
                seconds[name].append(time.perf_counter() - started)
                if name == "kathalab":
                    shares, whole = utilisation(tokens, length), count
                else:
                    assert 0.9 * whole < count <= whole, "both encode the same stories"
    base = statistics.median(seconds["kathalab"][1:])  # the first round warms the files and the libraries up
    result = {}
    for name, values in seconds.items():
        middle = statistics.median(values[1:])
        result[name] = {"seconds": values[1:], "tokens_per_second": whole / middle, "over_kathalab": middle / base}
        print(f"{name:<26} {middle:7.2f} s {whole / middle:11,.0f} tokens/s {middle / base:6.2f} x kathalab's time")
    print(f"windows of {length} without padding: " + ", ".join(f"{name} {100 * s:.2f} %" for name, s in shares.items()))
    facts = {"machine": machine(), "stories": tokens.documents, "tokens": whole, "sequence_length": length}
    print(json.dumps(facts | {"utilisation": shares, "results": result}))


if __name__ == "__main__":
    main()
