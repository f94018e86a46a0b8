"""How the loss of a set of runs falls with the size of the model and with the text it has read."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.errors import UserError
from corpora.folders import fingerprint, new_folder, write_json, write_manifest, write_text
from evaluation.intervals import Interval
from tinymodels.powerlaw import Floats, PowerLaw, bootstrap, fit
from tinymodels.runs import Run

RESAMPLES = 1000
SAME = 1.05
"""Values with a ratio below this count as one: lengths of training that differ by the last batch, say."""
MOST_PASSES = 4
"""Passes over a corpus up to which text read again is worth nearly as much as new (Muennighoff et al. 2023)."""
VARIABLES = {"size": "non_embedding_parameters", "length": "characters"}
"""What a law is of, and where a run has it."""
CONSTANTS = {"size": ("A", "alpha"), "length": ("B", "beta")}
"""The names of coefficient and exponent."""


@dataclass(frozen=True)
class Scaling:
    """The law of a set of runs, with the same law for each resample of them."""

    runs: list[Run]
    variables: tuple[str, ...]
    """Of `size` and `length`, those that the law holds."""
    law: PowerLaw
    draws: PowerLaw
    notes: list[str]

    @property
    def characters_per_token(self) -> float:
        return self.runs[0].characters / self.runs[0].tokens

    @property
    def typical_error(self) -> float:
        """Median over the runs of how far the law is from a run's loss, as a share of it."""
        loss = np.array([run.bits_per_character for run in self.runs])
        return float(np.median(np.abs(self.law(_points(self.runs, self.variables)) / loss - 1)))

    @property
    def formula(self) -> str:
        terms = {"size": "A / N^alpha", "length": "B / D^beta"}
        return " + ".join([*(["E"] if self.law.floor else []), *(terms[name] for name in self.variables)])

    @property
    def estimates(self) -> dict[str, Interval]:
        """The constants of the formula by name, with intervals of 95 %."""
        found = {"E": _interval(self.law.floor, self.draws.floor)} if self.law.floor else {}
        for index, name in enumerate(self.variables):
            coefficient, exponent = CONSTANTS[name]
            found[coefficient] = _interval(self.law.coefficients[index], self.draws.coefficients[:, index])
            found[exponent] = _interval(self.law.exponents[index], self.draws.exponents[:, index])
        return found

    def optimum(self, compute: npt.ArrayLike) -> dict[str, list[Interval]]:
        """The model and the length of training with the lowest loss at each of some amounts of compute.

        Compute is C = 6 N D in floating-point operations, with N the parameters outside the embedding and D in tokens.
        """
        operations = np.asarray(compute, dtype=np.float64)
        best, drawn = (_optimum(law, operations * self.characters_per_token / 6) for law in (self.law, self.draws))
        return {name: [_interval(best[name][i], drawn[name][:, i]) for i in range(len(operations))] for name in best}


def _optimum(law: PowerLaw, product: Floats) -> dict[str, Floats]:
    """Where A/N^alpha + B/D^beta is least at each given N·D (Hoffmann et al. 2022, equation 4, D in characters)."""
    a, b = law.coefficients[..., 0, None], law.coefficients[..., 1, None]
    alpha, beta = law.exponents[..., 0, None], law.exponents[..., 1, None]
    with np.errstate(over="ignore"):  # where a resample hardly tells of size, its best one may be beyond all numbers
        size = ((alpha * a) / (beta * b)) ** (1 / (alpha + beta)) * product ** (beta / (alpha + beta))
    size = np.clip(size, 1.0, product)
    loss = law.floor[..., None] + a * size**-alpha + b * (product / size) ** -beta
    return {"non_embedding_parameters": size, "characters": product / size, "bits_per_character": loss}


def _interval(value: Any, draws: Floats) -> Interval:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))


def scaling(runs: Sequence[Run], resamples: int = RESAMPLES, seed: int = 0) -> Scaling:
    """The law of loss against non-embedding parameters N and characters D that these runs can tell of.

    Six runs of three sizes and three lengths give E + A/N^alpha + B/D^beta; runs that differ in one of the two give a
    power law in that one, with a floor E from four different values on.

    Raises:
        UserError: there are too few runs for any of these.
    """
    if len(runs) < 3:
        raise UserError(f"a power law needs at least three runs, and {len(runs)} were given; train more.")
    levels = {name: _levels(_points(runs, [name])) for name in VARIABLES}
    notes: list[str] = []
    variables: tuple[str, ...] = ("size", "length")
    if len(runs) >= 6 and min(levels.values()) >= 3 and _crossed(_points(runs, variables)):
        floor = True
    elif sorted(levels.values())[0] == 1 and sorted(levels.values())[1] >= 3:
        (varying,) = (name for name, count in levels.items() if count > 1)
        variables, floor = (varying,), levels[varying] >= 4
        fixed = "length of training" if varying == "size" else "size of the model"
        notes.append(f"The {fixed} is the same in all runs, so the law is of the other alone.")
        if not floor:
            notes.append("Three values do not show where the loss levels off, so the law has no floor E.")
    else:
        raise UserError(
            f"{len(runs)} runs of {levels['size']} sizes and {levels['length']} lengths of training do not determine a "
            "law; give at least six runs with three sizes and three lengths that do not rise together, or three that "
            "differ in one of them alone."
        )
    if (most := max(run.passes for run in runs)) > MOST_PASSES:
        notes.append(
            f"The longest run read its stories {most:.0f} times; beyond about {MOST_PASSES}, text read again is worth "
            "less than new text, and the law of D is of this corpus only."
        )
    x = _points(runs, variables)
    loss = np.array([run.bits_per_character for run in runs])
    law = fit(x, loss, floor)
    if floor and law.floor < 1e-3 * loss.min():
        notes.append("The runs do not show where the loss levels off: the floor E is as good as 0.")
    draws = bootstrap(x, loss, law, _determines(len(variables), floor), resamples, seed)
    return Scaling(list(runs), variables, law, draws, notes)


def _points(runs: Sequence[Run], variables: Sequence[str]) -> Floats:
    """What the law is of, in these runs; shape [runs, variables]."""
    return np.array([[getattr(run, VARIABLES[name]) for name in variables] for run in runs], dtype=np.float64)


def _levels(values: Floats) -> int:
    """How many different values there are, up to a few per cent."""
    ordered = np.sort(values, axis=None)
    return 1 + int((ordered[1:] > SAME * ordered[:-1]).sum())


def _crossed(points: Floats) -> bool:
    """Whether size and length can be told apart: their logarithms are not nearly on one line."""
    return bool(abs(np.corrcoef(np.log(points).T)[0, 1]) < 0.95)


def _determines(variables: int, floor: bool) -> Callable[[Floats], bool]:
    """Whether points [points, variables] are enough for a law: as many different ones as it has constants."""
    constants = 2 * variables + floor

    def enough(points: Floats) -> bool:
        each = 3 if variables == 2 else constants
        return len(np.unique(points, axis=0)) >= constants and min(map(_levels, points.T)) >= each

    return enough


def write_scaling(found: Scaling, output: str | os.PathLike[str]) -> Path:
    """Write `scaling.json`, `runs.csv` and `scaling.png` into a new folder."""
    from tinymodels.scaling_figure import draw

    target = Path(output)
    result: dict[str, Any] = {
        "formula": f"bits per character = {found.formula}",
        "N": "parameters outside the embedding",
        "D": "characters of training text read",
        "estimates": {name: interval.as_dict() for name, interval in found.estimates.items()},
        "intervals": f"95 %, percentiles of {len(found.draws.floor):,} resamples of the runs",
        "typical_error": found.typical_error,
        "notes": found.notes,
        "runs": table(found),
    }
    if len(found.variables) == 2:
        compute = decades(found.runs)
        optimum = found.optimum(compute)
        result["compute"] = "C = 6 N D in floating-point operations, D in tokens"
        result["characters_per_token"] = found.characters_per_token
        result["optimum"] = [
            {"compute": c, **{name: values[i].as_dict() for name, values in optimum.items()}}
            for i, c in enumerate(compute)
        ]
    with new_folder(target) as partial:
        write_json(partial / "scaling.json", result)
        text = io.StringIO()
        writer = csv.DictWriter(text, result["runs"][0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(result["runs"])
        write_text(partial / "runs.csv", text.getvalue())
        draw(found, partial / "scaling.png")
        inputs = {run.run: fingerprint(run.run) for run in found.runs}
        write_manifest(partial, "scaling", {"resamples": len(found.draws.floor)}, inputs)
    return target


def table(found: Scaling) -> list[dict[str, Any]]:
    """One row per run, with the loss that the law gives it."""
    fitted = found.law(_points(found.runs, found.variables))
    return [{**asdict(run), "fitted": round(float(value), 6)} for run, value in zip(found.runs, fitted, strict=True)]


def described(found: Scaling) -> str:
    """The table of the runs, the constants and the notes, to be read on a terminal."""
    head = f"{'N':>12} {'tokens':>13} {'D':>14} {'passes':>7} {'bits/char':>10} {'fitted':>8}  run"
    rows = [
        f"{row['non_embedding_parameters']:>12,} {row['tokens']:>13,} {row['characters']:>14,} {row['passes']:>7.2f} "
        f"{row['bits_per_character']:>10.4f} {row['fitted']:>8.4f}  {row['run']}"
        for row in table(found)
    ]
    constants = [
        f"{name:>12} = {interval.value:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
        for name, interval in found.estimates.items()
    ]
    error = f"The law is off by {found.typical_error:.1%} of the loss in the median run."
    return "\n".join([head, *rows, *constants, error, *found.notes])


def decades(runs: Sequence[Run]) -> list[float]:
    """The powers of ten in and around the compute of these runs."""
    compute = [6 * run.non_embedding_parameters * run.tokens for run in runs]
    first, last = np.floor(np.log10(min(compute))), np.ceil(np.log10(max(compute)))
    return [10.0**power for power in np.arange(first, last + 1)]
