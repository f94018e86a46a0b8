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
    """That the weights have been trained on, those of a branch's trunk included; characters likewise."""
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
    "data.stages": lambda manifest: manifest["configuration"]["data"].get("stages"),
    "data.sequence_length": lambda manifest: manifest["configuration"]["data"]["sequence_length"],
}


def _run(folder: str, manifest: dict[str, Any]) -> Run:
    if not manifest["validation"]:
        raise UserError(f"the run {folder!r} was never validated, so it has no loss to compare; leave it out.")
    model, trunk = manifest["configuration"]["model"], manifest.get("trunk")
    if trunk is None and (model["schedule"] == "constant" or (model["schedule"] == "wsd" and not model["decay"])):
        raise UserError(
            f"the run {folder!r} ends at its full learning rate, and its loss is not that of a finished model; give a "
            "run that decays, or a branch of it."
        )
    if trunk is not None and any(path != manifest["configuration"]["data"]["corpus"] for path, _ in trunk["corpora"]):
        raise UserError(
            f"the run {folder!r} was annealed on another corpus than its trunk was trained on, so its characters are "
            "not of one kind; leave it out."
        )
    if "characters" not in manifest:
        raise UserError(
            f"the run {folder!r} does not say how many characters it read; its `fit` command once more, with "
            "`--ckpt_path last`, adds that without training."
        )
    with open(Path(folder, "metrics.csv"), encoding="utf-8", newline="") as file:
        passes = float(list(csv.DictReader(file))[-1]["epoch"])
    tokens = manifest["tokens"] + (trunk["tokens"] if trunk else 0)
    return Run(
        run=folder,
        parameters=manifest["parameters"],
        non_embedding_parameters=manifest["non_embedding_parameters"],
        tokens=tokens,
        characters=round(tokens * manifest["characters"] / manifest["tokens"]),
        passes=passes,
        bits_per_character=manifest["validation"]["bits_per_character"],
    )


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text[:12] + "…" if len(text) == 64 else text
