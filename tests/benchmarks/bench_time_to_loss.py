"""Tokens and seconds that this lab's recipe needs to reach the final loss of the published one.

    python tests/benchmarks/bench_time_to_loss.py --corpus results/quickstart/corpus \\
        --tokenizer results/quickstart/tokenizers/hi/sentencepiece-bpe --languages hi --records time-to-loss.jsonl

The peer is the recipe that Regional TinyStories (arXiv 2504.07989) took from nanoGPT: GPT-2 blocks with learned
positions, LayerNorm and GELU, AdamW 0.9/0.95 with weight decay 0.1, gradients clipped at 1, cosine to a tenth, and here
its best learning rate and batch of a sweep (they let it anneal half-way only; the peer anneals). Ours has the same
number of weights, tokenizer and stories in the same order. Each is trained from three seeds; ours on shares of the
peer's tokens, each a run of its own, since a schedule ends with its run. `--ablate` takes one lever after the other
away from ours, or puts one in. The loss is in nats per token of whole validation stories. Every run is a line of the
records, and a run that has one is not made again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from evaluation.intervals import seed_interval
from tinymodels.architecture import BEGIN
from tinymodels.best_fit import BestFit
from tinymodels.fast import can_compile
from tinymodels.module import StoryModel
from tinymodels.packing import Tokens, Windows, pack, whole_documents

LENGTH = 256


@dataclass(frozen=True)
class Recipe:
    """One way of training."""

    block: str = "llama"
    optimizer: str = "muon"
    matrix_learning_rate: float = 0.01
    learning_rate: float = 0.02
    schedule: str = "wsd"
    batch: int = 4
    later_batch: int | None = None
    """A multiple of `batch`, for the second half of the tokens."""
    packing: str = "stream"
    momentum: float = 0.9
    weight_decay: float = 0.1
    warmup: float = 0.05
    decay: float = 0.8
    alone: bool = True
    """Whether attention keeps within a story."""
    zero: bool = True
    """Whether the matrices that write into the residual stream start at zero."""
    z_loss: float = 0.0
    clip: float = 0.0
    width: int | None = None
    layers: int | None = None


PEER = Recipe("gpt2", "adamw", 0.0, 3e-3, "cosine", 4, alone=False, zero=False, clip=1.0)
OURS = Recipe()
LEVERS = {
    "everything": {},
    "AdamW at 0.0025 for Muon": {"optimizer": "adamw", "learning_rate": 0.0025},
    "AdamW at 0.005 for Muon": {"optimizer": "adamw", "learning_rate": 0.005},
    "AdamW at 0.01 for Muon": {"optimizer": "adamw", "learning_rate": 0.01},
    "cosine for warmup-stable-decay": {"schedule": "cosine"},
    "decay over the last 20 %": {"decay": 0.2},
    "momentum of 0.95": {"momentum": 0.95},
    "attention across stories": {"alone": False},
    "output matrices not from zero": {"zero": False},
    "z-loss 1e-4": {"z_loss": 1e-4},
    "batches of 16 windows": {"batch": 16},
    "batches of 4, later 8 windows": {"later_batch": 8},
    "batches of 2, later 8 windows": {"batch": 2, "later_batch": 8},
    "best-fit packing": {"packing": "best-fit"},
    "twice as deep": {"layers": 8},
    "GPT-2 block, Muon kept": {"block": "gpt2", "alone": False, "zero": False},
}


@dataclass(frozen=True)
class Peer:
    """A GPT-2 of the given width and depth, as nanoGPT has it."""

    vocabulary: int
    width: int
    layers: int

    def build(self, seed: int) -> nn.Module:
        from transformers import GPT2Config, GPT2LMHeadModel

        torch.manual_seed(seed)
        config = GPT2Config(
            vocab_size=self.vocabulary,
            n_positions=LENGTH,
            n_embd=self.width,
            n_layer=self.layers,
            n_head=self.width // 64,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=BEGIN,
            eos_token_id=BEGIN,
        )
        return GPT2LMHeadModel(config)

    @property
    def total(self) -> int:
        return sum(weight.numel() for weight in self.build(1).parameters())


class Training:
    """A model of a recipe, ready to step."""

    def __init__(self, recipe: Recipe, peer: Peer, seed: int, updates: int) -> None:
        self.recipe, self.updates = recipe, updates
        self.compiled = can_compile("cpu")
        if recipe.block == "gpt2":
            self.network = peer.build(seed)
            self.forward: Callable[..., Any] = torch.compile(self.network) if self.compiled else self.network
        else:
            shape = {name: getattr(recipe, name) for name in ("width", "layers") if getattr(recipe, name)}
            self.module = StoryModel(peer.total, peer.vocabulary, LENGTH, z_loss=recipe.z_loss, seed=seed, **shape)
            self.module.compile_training = self.compiled
            self.network = self.module.model
            if not recipe.zero:
                generator = torch.Generator().manual_seed(seed)
                for name, weight in self.network.named_parameters():
                    if name.endswith(("o_proj.weight", "down_proj.weight")):
                        nn.init.normal_(weight, 0.0, 0.02, generator)
        self.optimizer = self._optimizer()
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]

    def _optimizer(self) -> torch.optim.Optimizer:
        from tinymodels.optimizers import MuonWithAdamW

        recipe = self.recipe
        weights = dict(self.network.named_parameters())
        tables = [weight for name, weight in weights.items() if "embed" in name or "wte" in name or "wpe" in name]
        matrices = [weight for weight in weights.values() if weight.ndim == 2 and not any(weight is t for t in tables)]
        rest = {"params": [weight for weight in weights.values() if weight.ndim < 2], "weight_decay": 0.0}
        others = [{"params": tables}, rest]
        options: dict[str, Any] = {"betas": (0.9, 0.95), "weight_decay": recipe.weight_decay}
        if recipe.optimizer == "adamw":
            return torch.optim.AdamW([{"params": matrices}, *others], lr=recipe.learning_rate, fused=True, **options)
        return MuonWithAdamW(
            matrices, others, recipe.matrix_learning_rate, recipe.learning_rate, recipe.momentum, **options
        )

    def rate(self, step: int) -> float:
        """Share of the peak rate at an update."""
        warmup = max(1, round(self.recipe.warmup * self.updates))
        if step < warmup:
            return (step + 1) / warmup
        if self.recipe.schedule == "cosine":
            done = (step - warmup) / max(1, self.updates - warmup)
            floor = 0.1 if self.recipe.block == "gpt2" else 0.0
            return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))
        return min(1.0, (self.updates - step) / (self.recipe.decay * self.updates))

    def loss(self, windows: Tensor) -> Tensor:
        if self.recipe.block == "gpt2":
            logits = self.forward(windows[:, :-1]).logits
            return cross_entropy(logits.flatten(0, 1).float(), windows[:, 1:].flatten())
        if not self.recipe.alone:
            return self._loss_across(windows)
        return self.module.training_step(windows, 0)

    def _loss_across(self, windows: Tensor) -> Tensor:
        import tinymodels.module as module

        begin, module.BEGIN = module.BEGIN, -1  # no token begins a story
        try:
            return self.module.training_step(windows, 0)
        finally:
            module.BEGIN = begin

    def update(self, step: int, windows: Tensor) -> None:
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * self.rate(step)
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.loss(windows)
        loss.backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()

    @torch.no_grad()
    def validate(self, tokens: Tokens) -> float:
        """Nats per token of whole validation stories (the first `LENGTH` tokens of longer ones), each by itself."""
        nats = count = 0.0
        for batch in whole_documents(tokens, LENGTH, 32, 300):
            inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets)
            with torch.autocast("cpu", torch.bfloat16):
                logits = self.network(input_ids=inputs, use_cache=False).logits.float()
            nats += cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum").item()
            count += int((targets != -100).sum())
        return nats / count


def run(recipe: Recipe, peer: Peer, tokens: int, seed: int, train: Tokens, held_out: Tokens) -> dict[str, Any]:
    """Train once; the record of the run."""
    batches = max(1, tokens // (recipe.batch * LENGTH))
    together = (recipe.later_batch or recipe.batch) // recipe.batch
    first = [*range(batches // 2), *range(batches // 2, batches - together + 1, together)]
    updates = len(first)
    training = Training(recipe, peer, seed, updates)
    source = (BestFit if recipe.packing == "best-fit" else Windows)(train, LENGTH, recipe.batch, seed=1)
    times: dict[int, list[float]] = {}
    for step, begin in enumerate(first):
        numbers = range(begin, begin + (1 if begin < batches // 2 else together))
        windows = torch.from_numpy(np.concatenate([source.batch(number) for number in numbers]))
        started = time.perf_counter()
        training.update(step, windows)
        times.setdefault(len(windows), []).append(time.perf_counter() - started)
    return {
        "recipe": asdict(recipe),
        "parameters": sum(weight.numel() for weight in training.network.parameters()),
        "tokens": tokens,
        "updates": updates,
        "seed": seed,
        "validation_loss": training.validate(held_out),
        "seconds": sum(statistics.median(each) * len(each) for each in times.values()),
        "compiling_seconds": sum(sum(each[:2]) for each in times.values()) if training.compiled else 0.0,
        "threads": torch.get_num_threads(),
    }


class Records:
    """The runs that were made, one JSON line each."""

    def __init__(self, path: Path, data: dict[str, Any], make: Callable[..., dict[str, Any]]) -> None:
        self.path, self.data, self.make = path, data, make

    def get(self, recipe: Recipe, tokens: int, seed: int) -> dict[str, Any]:
        wanted = self.data | {"recipe": asdict(recipe), "tokens": tokens, "seed": seed}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        for record in map(json.loads, lines):
            if all(record.get(name) == value for name, value in wanted.items()):
                return record
        record = self.data | self.make(recipe, tokens, seed)
        with open(self.path, "a") as file:
            file.write(json.dumps(record) + "\n")
        print(f"  {record['validation_loss']:.4f} nats, {record['seconds']:.0f} s: {_short(recipe)}, {tokens:,} tokens")
        return record


def _short(recipe: Recipe) -> str:
    base = asdict(PEER if recipe.block == "gpt2" else OURS)
    changed = {name: value for name, value in asdict(recipe).items() if base[name] != value}
    return f"{recipe.block} {changed or 'as it is'}"


def best(records: Records, start: Recipe, grid: dict[str, list[Any]], tokens: int) -> Recipe:
    """The recipe with the lowest loss, one setting after the other, from one seed."""
    for name, values in grid.items():
        choices = [replace(start, **{name: value}) for value in values]
        start = min(choices, key=lambda recipe: records.get(recipe, tokens, 1)["validation_loss"])
    return start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--languages", nargs="*")
    parser.add_argument("--width", type=int, default=128, help="of the peer; 128 x 4 is 1M, 256 x 5 is 5M")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=1_200_000, help="of the peer's runs")
    parser.add_argument("--shares", type=float, nargs="*", default=[0.35])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer-rates", type=float, nargs="*", default=[1e-3, 2e-3, 4e-3, 8e-3])
    parser.add_argument("--peer-batches", type=int, nargs="*", default=[4, 8, 16])
    parser.add_argument("--batch", type=int, default=OURS.batch, help="windows in a batch of ours")
    parser.add_argument("--rates", type=float, nargs="*", default=[0.007, 0.01, 0.02])
    parser.add_argument("--table-rates", type=float, nargs="*", default=[0.01, 0.02, 0.04])
    parser.add_argument("--ablate", nargs="*", metavar="LEVER", help="these, or all if none is named")
    parser.add_argument("--records", type=Path, default=Path("time-to-loss.jsonl"))
    options = parser.parse_args()
    cache = Path(options.corpus).absolute().parent / "tokens"
    train, held_out = (
        pack(options.corpus, options.tokenizer, split, options.languages, cache) for split in ("train", "validation")
    )
    vocabulary = json.loads(Path(options.tokenizer, "tokenizer.json").read_text())["model"]["vocab"]
    peer = Peer(len(vocabulary), options.width, options.layers)
    data = {"corpus": os.path.basename(os.path.dirname(os.path.abspath(options.corpus))), "peer": asdict(peer)}
    records = Records(
        options.records, data, lambda recipe, tokens, seed: run(recipe, peer, tokens, seed, train, held_out)
    )
    print(f"{peer.total:,} parameters, {len(train.ids):,} training tokens, {torch.get_num_threads()} threads")
    sweep = {"learning_rate": options.peer_rates, "batch": options.peer_batches}
    theirs = best(records, PEER, sweep, options.tokens)
    share = options.shares[-1]
    few = int(share * options.tokens)
    grid = {"matrix_learning_rate": options.rates, "learning_rate": options.table_rates}
    ours = best(records, replace(OURS, batch=options.batch), grid, few)
    seeds = range(1, options.seeds + 1)
    finals = [records.get(theirs, options.tokens, seed) for seed in seeds]
    target = statistics.mean(record["validation_loss"] for record in finals)
    their_seconds = statistics.median(record["seconds"] for record in finals)
    print(f"peer: {_told(finals)} nats per token, {options.tokens:,} tokens, {their_seconds:.0f} s ({_short(theirs)})")
    for share in options.shares:
        found = [records.get(ours, int(share * options.tokens), seed) for seed in seeds]
        reached = sum(record["validation_loss"] <= target for record in found)
        seconds = statistics.median(record["seconds"] for record in found)
        print(
            f"ours with {share:.2f} of the tokens: {_told(found)}, {seconds / their_seconds:.2f} of the seconds; "
            f"{reached} of {len(found)} seeds at or below the peer's mean ({_short(ours)})"
        )
    if options.ablate is not None:
        for name, change in ((name, LEVERS[name]) for name in options.ablate or LEVERS):
            found = [records.get(replace(ours, **change), few, seed) for seed in seeds]
            print(f"{name:<34} {_told(found)}  {statistics.median(r['seconds'] for r in found):6.0f} s")


def _told(records: list[dict[str, Any]]) -> str:
    values = [record["validation_loss"] for record in records]
    interval = seed_interval(values)
    return f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


if __name__ == "__main__":
    main()
