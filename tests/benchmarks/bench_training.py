"""Tokens per second of training: a bare loop, Lightning, and Hugging Face's Trainer on the same model and data.

    python tests/benchmarks/bench_training.py [--parameters 1_000_000] [--vocabulary 2048] [--steps 12] [--repeats 3] \
        [--clock processor] [--ways bare trainer]

All take the same windows through the same Llama with fused AdamW in bf16 where the CPU has it; the Trainer runs plain
and with `torch_compile`, without gradient clipping, which ours does not do either. Rounds alternate; the ratio is the
median over rounds of the ratio of a round's median steps. `--clock processor` counts the processor's seconds, which on
a busy machine tell more than the wall's, with one thread. The last line is JSON. The Trainer needs
`pip install -e .[bench]`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import lightning.pytorch as pl
import numpy as np
import torch

from tinymodels.architecture import BEGIN
from tinymodels.fast import can_compile
from tinymodels.module import StoryModel
from tinymodels.packing import Tokens, Windows
from tinymodels.training import has_fast_bfloat16

BATCH, LENGTH = 16, 256


class Shape(NamedTuple):
    """What is trained, and how far."""

    parameters: int
    vocabulary: int
    steps: int
    bfloat16: bool
    clock: Callable[[], float]


def windows(vocabulary: int) -> Windows:
    """A thousand random documents: speed does not depend on what they say."""
    generator = np.random.default_rng(1)
    lengths = generator.integers(100, 400, 1000)
    ids = generator.integers(4, vocabulary, lengths.sum()).astype(np.uint16)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids[offsets[:-1]] = BEGIN
    return Windows(Tokens(ids, offsets, lengths), LENGTH, BATCH, seed=1)


def model(shape: Shape) -> StoryModel:
    return StoryModel(shape.parameters, shape.vocabulary, LENGTH, optimizer="adamw", learning_rate=1e-3)


def bare(shape: Shape, folder: str) -> float:
    """Seconds per step of the loop one would write by hand."""
    module, source = model(shape), windows(shape.vocabulary)
    module.compile_training = can_compile("cpu")
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)
    times = []
    for number in range(shape.steps):
        started = shape.clock()
        with torch.autocast("cpu", torch.bfloat16, enabled=shape.bfloat16):
            loss = module.training_step(torch.from_numpy(source.batch(number).copy()), number)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(shape.clock() - started)
    return statistics.median(times[3:])


class Stopwatch(pl.Callback):
    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        self.ends.append(self.clock())


def lightning(shape: Shape, folder: str) -> float:
    """Seconds per step of `kathalab tinymodels fit`: its module, its loader, its log, progress and checkpoints."""
    from tinymodels.checkpoints import RunCheckpoints, WholeCheckpoints
    from tinymodels.data import StoryData, TrainingBatches
    from tinymodels.runlog import RunLog, StoryProgress

    class Data(StoryData):
        identity = {}  # noqa: RUF012

        def train_dataloader(self) -> TrainingBatches:
            return TrainingBatches(windows(shape.vocabulary), shape.steps)

        val_dataloader = None

    watch = Stopwatch(shape.clock)
    trainer = pl.Trainer(
        default_root_dir=folder,
        max_steps=shape.steps,
        precision="bf16-mixed" if shape.bfloat16 else "32-true",
        accelerator="cpu",
        logger=False,
        enable_model_summary=False,
        limit_val_batches=0,
        callbacks=[RunLog(every=20), RunCheckpoints(every=10_000), StoryProgress(), watch],
        plugins=[WholeCheckpoints()],
    )
    trainer.fit(model(shape), Data("", "", sequence_length=LENGTH, batch_size=BATCH))
    return statistics.median(np.diff(watch.ends)[3:])


def hugging_face(shape: Shape, folder: str, compiled: bool = False) -> float:
    """Seconds per step of transformers' Trainer."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    ends: list[float] = []

    class Watch(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            ends.append(shape.clock())

    source = windows(shape.vocabulary)
    rows = [row for number in range(shape.steps) for row in torch.from_numpy(source.batch(number).copy())[:, :-1]]
    arguments = TrainingArguments(
        folder,
        max_steps=shape.steps,
        per_device_train_batch_size=BATCH,
        learning_rate=1e-3,
        max_grad_norm=0.0,
        bf16=shape.bfloat16,
        torch_compile=compiled,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_steps=1000,
        disable_tqdm=True,
    )
    dataset = [{"input_ids": row, "labels": row} for row in rows]
    Trainer(model(shape).model, arguments, train_dataset=dataset, callbacks=[Watch()]).train()
    return statistics.median(np.diff(ends)[3:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parameters", type=int, default=1_000_000)
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall")
    parser.add_argument("--ways", nargs="*", choices=["bare", "trainer"], default=["bare", "trainer"])
    options = parser.parse_args()
    clock = time.perf_counter
    if options.clock == "processor":
        clock = time.process_time
        torch.set_num_threads(1)
    shape = Shape(options.parameters, options.vocabulary, options.steps, has_fast_bfloat16("cpu"), clock)
    ways: dict[str, Callable[[Shape, str], float]] = {"kathalab (Lightning)": lightning}
    if "bare" in options.ways:
        ways["bare loop"] = bare
    if "trainer" not in options.ways:
        pass
    elif importlib.util.find_spec("accelerate") is not None:
        ways["Trainer"] = hugging_face
        ways["Trainer, torch_compile"] = partial(hugging_face, compiled=True)
    else:
        print("Hugging Face's Trainer is not measured: `accelerate`, which it needs, is not installed")
    print(f"{model(shape).size}; {torch.get_num_threads()} threads, {'bf16' if shape.bfloat16 else 'fp32'}")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        for round_number in range(options.repeats + 1):
            for name, way in ways.items():
                taken = way(shape, folder)
                if round_number:  # the first one compiles
                    seconds[name].append(taken)
    ours = seconds["kathalab (Lightning)"]
    for name, values in seconds.items():
        middle = statistics.median(values)
        ratio = statistics.median(other / own for other, own in zip(values, ours, strict=True))
        print(
            f"{name:<24} {1000 * middle:8.1f} ms/step {BATCH * LENGTH / middle:9,.0f} tokens/s; "
            f"kathalab is {ratio:5.2f} x as fast"
        )
    print(json.dumps({"parameters": options.parameters, "vocabulary": options.vocabulary, "seconds": seconds}))


if __name__ == "__main__":
    main()
