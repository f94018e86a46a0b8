"""Trains shapes and learning rates of one size at equal tokens; the record is `tinymodels/configs/sweep.csv`.

    OMP_NUM_THREADS=1 python tests/benchmarks/sweep_shapes.py --corpus results/quickstart/corpus --languages hi \\
      --tokenizer results/quickstart/tokenizers/hi/sentencepiece-bpe --parameters 1_000_000 \\
      --shapes 64x12 128x4 192x2 --rates 0.02/0.02 0.01/0.01 --tokens 1_400_000 --batch 4 --seeds 1 2

A shape is width x layers; its feed-forward width follows from the budget. A rate is Muon's and AdamW's, or AdamW's
alone with `--optimizer adamw`. Every shape is trained at every rate with every seed. Runs that the record has are
skipped and half-made ones go on, so the same command may be given again. Options that are not listed here go to
`kathalab tinymodels fit` (`--model.decay 0.3`); they are not in the record, so keep them the same within one file.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "tinymodels" / "configs" / "sweep.csv"
GROUP = ("parameters", "vocabulary", "corpus", "tokens")
"""What must be equal for two runs to be compared; tokens are batch x updates, up to the context."""
SHAPE = ("width", "layers", "feed_forward")
SETTING = (*SHAPE, "optimizer", "matrix_learning_rate", "learning_rate", "batch", "updates")
RESULTS = ("validation_bits_per_character", "seconds")
COLUMNS = ("parameters", "vocabulary", *SETTING, "seed", *RESULTS, "corpus")


@dataclass(frozen=True)
class Setting:
    """A shape at its learning rates, over its seeds."""

    name: tuple[str, ...]
    """The values of `SETTING`."""
    mean: float
    half: float
    """Half of the mean's 95 % interval: Student's t with the spread between seeds pooled over the group."""
    seeds: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Width, layers, feed-forward width."""
        return tuple(map(int, self.name[: len(SHAPE)]))

    def is_as_good_as(self, best: Setting) -> bool:
        """Whether it is behind by no more than the interval of a difference of two such means."""
        return self.mean - best.mean <= math.hypot(self.half, best.half)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a record; none if there is no file."""
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ranking(rows: list[dict[str, str]]) -> dict[tuple[str, ...], list[Setting]]:
    """For each group of comparable runs (the values of `GROUP`) its settings, the best first."""
    from evaluation.intervals import student_t_quantile

    groups: dict[tuple[str, ...], dict[tuple[str, ...], list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        row = row | {"tokens": str(int(row["batch"]) * int(row["updates"]))}
        setting = tuple(row[name] for name in SETTING)
        groups[tuple(row[name] for name in GROUP)][setting].append(float(row["validation_bits_per_character"]))
    ranked = {}
    for group, settings in groups.items():
        freedom = sum(len(bits) - 1 for bits in settings.values())
        squares = sum((len(bits) - 1) * statistics.variance(bits) for bits in settings.values() if len(bits) > 1)
        spread = student_t_quantile(0.975, freedom) * math.sqrt(squares / freedom) if freedom else math.inf
        ranked[group] = sorted(
            (
                Setting(name, statistics.mean(bits), spread / math.sqrt(len(bits)), len(bits))
                for name, bits in settings.items()
            ),
            key=lambda setting: setting.mean,
        )
    return ranked


def show(path: Path) -> None:
    for group, settings in ranking(read(path)).items():
        print(", ".join(f"{name} {value}" for name, value in zip(GROUP, group, strict=True)))
        for setting in settings:
            mark = "=" if setting.is_as_good_as(settings[0]) else " "
            width, layers, inner, optimizer, matrices, others, batch, updates = setting.name
            print(
                f"  {mark} {setting.mean:.4f} ± {setting.half:.4f}  {width}x{layers} feed-forward {inner}, {optimizer} "
                f"{matrices} {others}, {updates} updates of {batch}, {setting.seeds} seeds"
            )


def seconds(run: Path, per_step: int) -> float:
    """Training time of a run, validation and time between its parts left out."""
    rows = read(run / "timing.csv")
    steps = [0, *(int(row["step"]) for row in rows)]
    spans = (after - before for before, after in itertools.pairwise(steps))
    return sum(span * per_step / float(row["tokens_per_second"]) for span, row in zip(spans, rows, strict=True))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--parameters", type=int, required=True)
    parser.add_argument("--shapes", nargs="+", required=True)
    parser.add_argument("--optimizer", choices=["muon", "adamw"], default="muon")
    parser.add_argument("--rates", nargs="+", required=True)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--sequence_length", type=int, default=256)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--runs", type=Path, default=Path("results/sweep"))
    parser.add_argument("--record", type=Path, default=RECORD)
    options, rest = parser.parse_known_args(arguments)
    if len(options.seeds) < 2:
        parser.error("an interval needs two seeds or more")

    if any(rates.count("/") != (options.optimizer == "muon") for rates in options.rates):
        parser.error("a rate is MUON/ADAMW, or one number with --optimizer adamw")

    import torch

    import kathalab
    from corpora.errors import UserError
    from corpora.folders import fingerprint, read_manifest
    from tinymodels.sizing import size_for
    from tokenization import load_tokenizer

    vocabulary = len(load_tokenizer(options.tokenizer))
    per_step = options.batch * options.sequence_length
    done = {tuple(row[name] for name in COLUMNS if name not in RESULTS) for row in read(options.record)}
    try:
        sizes = [size_for(options.parameters, vocabulary, *map(int, shape.split("x"))) for shape in options.shapes]
    except UserError as error:
        sys.exit(str(error))
    for seed, rates, size in itertools.product(options.seeds, options.rates, sizes):
        matrices, others = rates.split("/") if options.optimizer == "muon" else ("", rates)
        row = {
            "parameters": options.parameters,
            "vocabulary": vocabulary,
            "width": size.width,
            "layers": size.layers,
            "feed_forward": size.feed_forward,
            "optimizer": options.optimizer,
            "matrix_learning_rate": matrices,
            "learning_rate": others,
            "batch": options.batch,
            "updates": options.tokens // per_step,
            "seed": seed,
            "corpus": "-".join([*options.languages, fingerprint(options.corpus, "corpus")[:12]]),
        }
        if tuple(str(row[name]) for name in COLUMNS if name not in RESULTS) in done:
            continue
        run = options.runs / "-".join(str(value) for value in row.values() if value != "")
        fit = {
            "data.corpus": options.corpus,
            "data.tokenizer": options.tokenizer,
            "data.languages": f"[{','.join(options.languages)}]",
            "data.sequence_length": options.sequence_length,
            "data.batch_size": options.batch,
            "data.seed": seed,
            "data.validation_stories": "null",
            "model.parameters": options.parameters,
            "model.width": size.width,
            "model.layers": size.layers,
            "model.optimizer": options.optimizer,
            **({"model.matrix_learning_rate": matrices} if matrices else {}),
            "model.learning_rate": others,
            "model.seed": seed,
            "trainer.default_root_dir": run,
            "trainer.max_steps": row["updates"],
            "trainer.val_check_interval": 1.0,
            "samples.stories": 0,
            "ckpt_path": "last",
        }
        torch.compiler.reset()  # it keeps eight shapes at most
        if status := kathalab.main(["tinymodels", "fit", *(f"--{name}={value}" for name, value in fit.items()), *rest]):
            sys.exit(status)
        bits = read_manifest(run, "run")["validation"]["bits_per_character"]
        row |= {"validation_bits_per_character": f"{bits:.6f}", "seconds": f"{seconds(run, per_step):.1f}"}
        new = not options.record.exists()
        with open(options.record, "a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)
    show(options.record)


if __name__ == "__main__":
    main()
