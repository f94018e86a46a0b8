"""What a run has read of each language and source, in `mixture.csv` and in its manifest."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from corpora.folders import write_text
from tinymodels.data import TrainingBatches
from tinymodels.mixture import Mixture
from tinymodels.runlog import append, csv_line, log_of, row_step, truncate


def realised(batches: TrainingBatches, position: int) -> dict[str, int]:
    """Targets by `language:…` and by `source:…` in this run's batches before a position."""
    assert isinstance(batches.windows, Mixture)
    before, after = (batches.windows.realised(batches.first + place) for place in (0, position))
    return _summed({origin: after[origin] - before[origin] for origin in after})


def mixture_facts(batches: TrainingBatches, position: int) -> dict[str, Any]:
    """For the run's manifest: the mixture that was asked for and the realised one, and how full the windows were."""
    windows = batches.windows
    full = {} if windows.utilisation == 1 else {"utilisation": windows.utilisation}
    if not isinstance(windows, Mixture):
        return full
    counts = realised(batches, position)
    total = sum(count for name, count in counts.items() if name.startswith("language:"))
    shares = {name: count / max(1, total) for name, count in counts.items()}
    return {"mixture": {"asked": _summed(windows.asked()), "realised": shares, "tokens": counts}, **full}


def _summed(values: dict[tuple[str, str], Any]) -> dict[str, Any]:
    found: Counter[str] = Counter()
    for kind, field in (("language", 0), ("source", 1)):
        for origin, value in values.items():
            found[f"{kind}:{origin[field]}"] += value
    return dict(found)


class MixtureLog(Callback):
    """Writes a row of `mixture.csv` with each row of `metrics.csv`, where the data has stages."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        batches = trainer.train_dataloader
        assert isinstance(batches, TrainingBatches)
        self._log = log_of(trainer)
        self._written = step = trainer.global_step
        self._batches = batches if isinstance(batches.windows, Mixture) and trainer.is_global_zero else None
        if trainer.is_global_zero and batches.windows.utilisation < 1:
            print(f"packing: {batches.windows.utilisation:.2%} of the targets are tokens", file=sys.stderr, flush=True)
        if self._batches is None:
            return
        self.path = Path(trainer.default_root_dir) / "mixture.csv"
        truncate(self.path, lambda line: row_step(line) <= step)
        if step == 0 or not self.path.exists():
            write_text(self.path, csv_line(["step", *realised(self._batches, 0)]))

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if self._batches is not None and step == self._log._last and step != self._written:
            self._written = step
            counts = realised(self._batches, step * trainer.accumulate_grad_batches)
            append(self.path, csv_line([step, *counts.values()]))
