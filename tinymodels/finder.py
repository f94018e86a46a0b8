"""`kathalab tinymodels find`: learning rates from short runs, and the batch size that pays, before a long run.

Why not Lightning's Tuner: its learning-rate finder raises one rate for all parameter groups within a single run, so it
has no word on Muon's and AdamW's rates together, sees no decay, and reads the rate off the steepest descent; its
batch-size scaler finds what fits into memory, not what is worth computing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from jsonargparse.typing import NonNegativeInt, PositiveFloat, PositiveInt
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from corpora.errors import UserError
from corpora.folders import new_folder, write_json, write_manifest
from corpora.quiet import quiet
from tinymodels.data import StoryData
from tinymodels.module import StoryModel
from tinymodels.monitor import Stopwatch, operations_per_token
from tinymodels.noise import measure_noise
from tinymodels.short_runs import ShortRuns
from tinymodels.training import BASE, DEFAULTS, StoryCLI


@dataclass
class Search:
    """What is tried.

    Args:
        output: the folder to write find.json and find.png into.
        updates: of each short run.
        factors: on the configured learning rates, all of them together; in equal ratios.
        batch_sizes: windows per batch whose speed is measured; if not given, the configured one times 1/4 to 8.
        noise_batches: batches of the configured size whose gradients tell the gradient noise scale; 0 for none.
    """

    output: str
    updates: PositiveInt = 60
    factors: list[PositiveFloat] = field(default_factory=lambda: [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
    batch_sizes: list[PositiveInt] | None = None
    noise_batches: NonNegativeInt = 32

    def __post_init__(self) -> None:
        if self.noise_batches == 1:
            raise UserError("one batch has no spread; give two `find.noise_batches` or more, or 0 for none.")


DESCRIPTION = (
    "Find learning rates and a batch size by short runs. Reads what `fit` reads: a configuration with its corpus and "
    "tokenizer; writes find.json and find.png into --find.output. "
    "Example: kathalab tinymodels find --config tinymodels/configs/hindi-1m.yaml "
    "--find.output results/quickstart/find/hi"
)


class FinderCLI(StoryCLI):
    """The options of `fit` and those of the search; builds nothing by itself."""

    def __init__(self, arguments: list[str]) -> None:
        LightningCLI.__init__(
            self,
            StoryModel,
            StoryData,
            save_config_callback=None,
            seed_everything_default=1,
            trainer_defaults=DEFAULTS,
            args=arguments,
            run=False,
            auto_configure_optimizers=False,
            parser_kwargs={
                "prog": "kathalab tinymodels find",
                "exit_on_error": False,
                "description": DESCRIPTION,
                "default_config_files": [str(BASE)],
            },
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        super().add_arguments_to_parser(parser)
        parser.add_class_arguments(Search, "find")

    def before_instantiate_classes(self) -> None:
        pass

    def instantiate_classes(self) -> None:
        pass


def find(arguments: list[str]) -> None:
    """Run the command."""
    import yaml

    with quiet():
        cli = FinderCLI(arguments)
        search: Search = cli.parser.instantiate_classes(cli.config).find
        runs = ShortRuns(cli)
        rates, weights = search_rates(runs, search.updates, search.factors)
        sizes = search.batch_sizes or sorted({max(1, runs.batch_size * times // 4) for times in (1, 2, 4, 8, 16, 32)})
        speeds = measure_speeds(runs, sizes)
        noise = measure_noise(runs, weights, search.noise_batches) if search.noise_batches else None
    found = {"rates": rates, "batch_sizes": speeds, "noise": noise}
    with new_folder(search.output) as folder:
        write_json(folder / "find.json", found)
        _plot(found, folder / "find.png")
        write_manifest(folder, "find", yaml.safe_load(cli.parser.dump(cli.config)), runs.inputs)
    _tell(found, Path(search.output))


# ---- learning rates ----


def search_rates(runs: ShortRuns, updates: int, factors: Sequence[float]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Validation loss after a short run with each factor on the learning rates, and the best factor; and the weights
    of the best run."""
    factors = sorted(factors)
    losses: list[float] = []
    weights: list[dict[str, Any]] = []
    for factor in factors:
        scaled = {f"model__{name}": rate * factor for name, rate in runs.rates.items()}
        model = runs.run(updates, **scaled)  # type: ignore[arg-type]
        losses.append(model.validation["loss"])
        weights.append({name: value.detach().cpu() for name, value in model.state_dict().items()})
        print(f"learning rates x {factor:g}: validation loss {losses[-1]:.4f}", file=sys.stderr, flush=True)
    if not any(map(math.isfinite, losses)):
        raise UserError("no short run ended with a finite loss; give smaller `find.factors`.")
    lowest = min(range(len(losses)), key=lambda index: losses[index] if math.isfinite(losses[index]) else math.inf)
    best = vertex([math.log2(factor) for factor in factors], losses, lowest)
    found = {
        "updates": updates,
        "configured": runs.rates,
        "runs": [
            {"factor": factor, "validation_loss": loss if math.isfinite(loss) else None}
            for factor, loss in zip(factors, losses, strict=True)
        ],
        "best_factor": 2**best,
        "best": {name: rate * 2**best for name, rate in runs.rates.items()},
        "at_the_edge": lowest in (0, len(losses) - 1),
    }
    return found, weights[lowest]


def vertex(places: Sequence[float], values: Sequence[float], lowest: int) -> float:
    """Where the parabola through the lowest point and its neighbours has its minimum; the lowest place at an edge."""
    if not 0 < lowest < len(values) - 1 or not all(map(math.isfinite, values[lowest - 1 : lowest + 2])):
        return places[lowest]
    (left, middle, right), (a, b, c) = places[lowest - 1 : lowest + 2], values[lowest - 1 : lowest + 2]
    above = (middle - left) ** 2 * (b - c) - (middle - right) ** 2 * (b - a)
    below = (middle - left) * (b - c) - (middle - right) * (b - a)
    return middle - 0.5 * above / below if below else middle


# ---- batch size ----


class _Timing(Callback):
    """Times all updates but the first two, in which things are compiled and memory is taken."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        data = trainer.datamodule  # type: ignore[attr-defined]
        operations = operations_per_token(module.size, data.sequence_length)  # type: ignore[arg-type]
        self.watch = Stopwatch(module.device, operations)

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == 2:
            self.watch.pause()
        self.watch.batch_starts()

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.watch.batch_ends(batch[:, 1:].numel(), updated=True)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.row = self.watch.row(trainer.global_step)


def measure_speeds(runs: ShortRuns, sizes: Iterable[int]) -> list[dict[str, Any]]:
    """Tokens per second at each batch size, in windows, until one does not fit into memory or the data."""
    found: list[dict[str, Any]] = []
    for size in sizes:
        timing = _Timing()
        try:
            runs.run(7, [timing], data__batch_size=size)
        except (torch.OutOfMemoryError, UserError) as error:
            print(f"a batch of {size} windows does not fit: {str(error).splitlines()[0]}", file=sys.stderr)
            break
        speed, memory = timing.row["tokens_per_second"], timing.row.get("peak_gpu_memory_mib")
        found.append({"batch_size": size, "tokens_per_second": int(speed), "peak_gpu_memory_mib": memory})
        print(f"batch of {size} windows: {int(speed):,} tokens/s", file=sys.stderr, flush=True)
    return found


# ---- what a person reads ----


def _plot(found: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    runs = [run for run in found["rates"]["runs"] if run["validation_loss"] is not None]
    left.plot([run["factor"] for run in runs], [run["validation_loss"] for run in runs], "o-")
    left.axvline(found["rates"]["best_factor"], linestyle=":", color="grey")
    _log_axis(left, [run["factor"] for run in found["rates"]["runs"]])
    left.set(xlabel="factor on the learning rates", ylabel="validation loss (nats per token)")
    left.set_title(f"after {found['rates']['updates']} updates", fontsize=10)
    speeds = found["batch_sizes"]
    right.plot([run["batch_size"] for run in speeds], [run["tokens_per_second"] for run in speeds], "o-")
    if found["noise"] and found["noise"]["critical_batch_size"]:
        right.axvline(found["noise"]["critical_batch_size"], linestyle=":", color="grey")
        right.set_title("dotted: gradient noise scale", fontsize=10)
    _log_axis(right, [run["batch_size"] for run in speeds])
    right.set(ylim=(0, None), xlabel="windows per batch", ylabel="tokens per second")
    figure.savefig(path, dpi=120)


def _log_axis(axes: Any, ticks: Sequence[float]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _tell(found: dict[str, Any], folder: Path) -> None:
    rates, noise = found["rates"], found["noise"]
    print("factor   " + "  ".join(f"{name:>20}" for name in rates["configured"]) + "  validation loss")
    for run in rates["runs"]:
        loss = "not finite" if run["validation_loss"] is None else f"{run['validation_loss']:.4f}"
        each = "  ".join(f"{rate * run['factor']:>20.5g}" for rate in rates["configured"].values())
        print(f"{run['factor']:<7g}  {each}  {loss:>15}")
    print("windows per batch  tokens per second")
    for run in found["batch_sizes"]:
        print(f"{run['batch_size']:>17,}  {run['tokens_per_second']:>17,}")
    told = "best learning rates: " + ", ".join(f"{name} {value:.3g}" for name, value in rates["best"].items())
    if rates["at_the_edge"]:
        told += " (at the edge of the factors: try further ones)"
    if noise:
        scale = noise["critical_batch_size"]
        told += (
            f"; a batch pays up to about {scale:,.0f} windows ({noise['critical_batch_tokens']:,.0f} tokens)"
            if scale
            else "; the gradient noise hides the gradient: give more `find.noise_batches`"
        )
    print(f"{told}; the result is in {str(folder)!r}.")
