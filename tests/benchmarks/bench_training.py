"""What Lightning costs over a bare loop, and how fast Hugging Face's Trainer trains the same model on the same data.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_training.py [--steps 30] [--repeats 3] [--parameters 1_000_000]

All three take the same windows through the same model with AdamW; rounds alternate and the median round is reported;
the last line is JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time

import lightning.pytorch as pl
import numpy as np
import torch
from torch.nn.functional import cross_entropy

from tinymodels.module import StoryModel
from tinymodels.packing import Tokens, Windows

BATCH, LENGTH, VOCABULARY = 8, 256, 2048


def windows() -> Windows:
    """A thousand random documents: speed does not depend on what they say."""
    generator = np.random.default_rng(1)
    lengths = generator.integers(100, 400, 1000)
    ids = generator.integers(4, VOCABULARY, lengths.sum()).astype(np.uint16)
    return Windows(Tokens(ids, np.concatenate([[0], np.cumsum(lengths)]), lengths), LENGTH, BATCH, seed=1)


def model(parameters: int) -> StoryModel:
    module = StoryModel(parameters, VOCABULARY, LENGTH, optimizer="adamw", learning_rate=1e-3)
    module.model.set_attn_implementation("sdpa" if torch.cuda.is_available() else "eager")
    return module


def bare(parameters: int, steps: int) -> float:
    """Seconds per step of the loop one would write by hand."""
    module, source = model(parameters), windows()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    times = []
    for number in range(steps):
        started = time.perf_counter()
        batch = torch.from_numpy(source.batch(number).copy())
        logits = module(batch[:, :-1])
        loss = cross_entropy(logits.flatten(0, 1).float(), batch[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - started)
    return statistics.median(times[3:])


class Stopwatch(pl.Callback):
    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        self.ends.append(time.perf_counter())


def lightning(parameters: int, steps: int, folder: str) -> float:
    """Seconds per step of `kathalab tinymodels fit`: its module, its loader, its log, progress and checkpoints."""
    from tinymodels.checkpoints import RunCheckpoints, WholeCheckpoints
    from tinymodels.data import StoryData, TrainingBatches
    from tinymodels.runlog import RunLog, StoryProgress

    class Data(StoryData):
        identity = {}  # noqa: RUF012

        def train_dataloader(self) -> TrainingBatches:
            return TrainingBatches(windows(), steps)

        val_dataloader = None

    watch = Stopwatch()
    trainer = pl.Trainer(
        default_root_dir=folder,
        max_steps=steps,
        accelerator="cpu",
        logger=False,
        enable_model_summary=False,
        limit_val_batches=0,
        callbacks=[RunLog(every=20), RunCheckpoints(every=10_000), StoryProgress(), watch],
        plugins=[WholeCheckpoints()],
    )
    trainer.fit(model(parameters), Data("", "", sequence_length=LENGTH, batch_size=BATCH))
    return statistics.median(np.diff(watch.ends)[3:])


def hugging_face(parameters: int, steps: int, folder: str) -> float:
    """Seconds per step of transformers' Trainer."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    ends: list[float] = []

    class Watch(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            ends.append(time.perf_counter())

    source = windows()
    rows = [row for number in range(steps) for row in torch.from_numpy(source.batch(number).copy())[:, :-1]]
    arguments = TrainingArguments(
        folder,
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        learning_rate=1e-3,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_steps=20,
        disable_tqdm=True,
    )
    dataset = [{"input_ids": row, "labels": row} for row in rows]
    Trainer(model(parameters).model, arguments, train_dataset=dataset, callbacks=[Watch()]).train()
    return statistics.median(np.diff(ends)[3:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parameters", type=int, default=1_000_000)
    options = parser.parse_args()
    peer = importlib.util.find_spec("accelerate") is not None
    seconds: dict[str, list[float]] = {"bare loop": [], "kathalab (Lightning)": []}
    if peer:
        seconds["Hugging Face Trainer"] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            seconds["bare loop"].append(bare(options.parameters, options.steps))
            seconds["kathalab (Lightning)"].append(lightning(options.parameters, options.steps, folder))
            if peer:
                seconds["Hugging Face Trainer"].append(hugging_face(options.parameters, options.steps, folder))
    result = {}
    base = statistics.median(seconds["bare loop"])
    for name, values in seconds.items():
        middle = statistics.median(values)
        speed = BATCH * LENGTH / middle
        result[name] = {"seconds_per_step": values, "tokens_per_second": speed, "over_bare_loop": middle / base}
        print(f"{name:<22} {1000 * middle:7.1f} ms/step {speed:9,.0f} tokens/s {middle / base:6.3f} x the bare loop")
    if not peer:
        print("Hugging Face Trainer   not measured: `accelerate`, which it needs, is not installed")
    print(json.dumps({"parameters": options.parameters, "results": result}))


if __name__ == "__main__":
    main()
