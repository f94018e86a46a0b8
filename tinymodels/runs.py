"""Finished runs, and which of them may be compared."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import read_manifest


@dataclass(frozen=True)
class Run:
    """A finished run, as its folder has it."""

    run: str
    parameters: int
    non_embedding_parameters: int
    tokens: int
    characters: int
    passes: float
    """Over the training stories."""
    bits_per_character: float
    """On the validation stories, at the end of training."""


def read_runs(folders: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """The runs of these folders; UserError if one is unfinished or not to be compared with the others."""
    manifests = {os.fspath(folder): read_manifest(folder, "run") for folder in folders}
    for what, of in _MUST_AGREE.items():
        found = {folder: of(manifest) for folder, manifest in manifests.items()}
        (first, value), *others = found.items()
        for folder, other in others:
            if other != value:
                raise UserError(
                    f"{first!r} and {folder!r} differ in {what} ({_short(value)} and {_short(other)}): bits per "
                    "character compare on the same validation stories and tokens only, so give runs that agree in it."
                )
    return [_run(folder, manifest) for folder, manifest in manifests.items()]


_MUST_AGREE: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "the languages": lambda manifest: sorted(manifest["languages"] or ["all"]),
    "the corpus": lambda manifest: manifest["inputs"]["corpus"],
    "the tokenizer": lambda manifest: manifest["inputs"]["tokenizer"],
    "data.validation_stories": lambda manifest: manifest["configuration"]["data"]["validation_stories"],
    "data.sequence_length": lambda manifest: manifest["configuration"]["data"]["sequence_length"],
}


def _run(folder: str, manifest: dict[str, Any]) -> Run:
    if not manifest["validation"]:
        raise UserError(f"the run {folder!r} was never validated, so it has no loss to compare; leave it out.")
    if manifest["configuration"]["model"].get("decay") == 0:
        raise UserError(
            f"the run {folder!r} ends at its full learning rate (model.decay is 0), and its loss is not that of a "
            "finished model; give a run that decays."
        )
    if "characters" not in manifest:
        raise UserError(
            f"the run {folder!r} does not say how many characters it read; its `fit` command once more, with "
            "`--ckpt_path last`, adds that without training."
        )
    with open(Path(folder, "metrics.csv"), encoding="utf-8", newline="") as file:
        passes = float(list(csv.DictReader(file))[-1]["epoch"])
    names = ("parameters", "non_embedding_parameters", "tokens", "characters")
    return Run(
        run=folder,
        passes=passes,
        bits_per_character=manifest["validation"]["bits_per_character"],
        **{name: manifest[name] for name in names},
    )


def _short(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text[:12] + "…" if len(text) == 64 else text
