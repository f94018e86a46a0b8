"""One run: a method fitted on one draw with one seed, and what it makes of every evaluated item.

A run's records are a file of JSON lines that is there whole or not at all; a run whose file is there is not run again.
Beside it lies a summary. Both are named by the run and by a hash of all that decides its scores, but for the program.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from corpora.errors import UserError
from corpora.folders import MANIFEST, fingerprint, read_json, sha256, write_json, write_json_lines
from prompts.calibration import log_probabilities
from prompts.data import Item
from prompts.harness.methods import ENSEMBLE, Setting, build, ensemble_members, kind_of
from prompts.harness.plan import MethodPlan, PartPlan
from prompts.harness.tasks import Task, draw
from prompts.soft.probe import joined


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a study, not necessarily done."""

    method: str
    plan: MethodPlan
    task: Task
    k: int
    """Training items per class; 0 of a method that does not learn."""
    draw: int
    seed: int
    seen: tuple[str, ...]
    """Classes with training items; of a method that does not learn none."""
    records: Path
    """The file of its records."""
    members: tuple[Run, ...] = ()
    """Of an ensemble: the runs that it is the mean of."""
    selection: str | None = None
    """The model that chose the training items; None if they are random."""

    @property
    def summary(self) -> Path:
        """The file of what else is known of it."""
        return self.records.with_suffix(".json")

    @property
    def done(self) -> bool:
        """Whether its records are there."""
        return self.records.is_file()


def runs_of(
    name: str,
    methods: Mapping[str, MethodPlan],
    part: PartPlan,
    task: Task,
    splits: Sequence[tuple[str, ...]],
    folder: Path,
) -> dict[tuple[int, int, int], Run]:
    """(draw, seed, rotation) -> run, for one method of a part; where it does not depend on one, the same run.

    `methods`: all of the plan, for an ensemble names others. `folder`: of all runs of the study; parts share the runs
    that they have in common.
    """
    plan = methods[name]
    kind = kind_of(plan.method)
    parties = (
        [runs_of(member, methods, part, task, splits, folder) for member in ensemble_members(plan.configuration)]
        if plan.method == ENSEMBLE
        else []
    )
    decides = {
        "task": task.fingerprint,
        "source": task.source,
        "languages": list(task.evaluation),
        "method": plan.method,
        "configuration": plan.configuration,
        "weights": {key: _content(value) for key, value in plan.configuration.items()},
    }
    made: dict[Any, Run] = {}
    found = {}
    for number, seed, (rotation, split) in product(range(part.draws), range(part.seeds), enumerate(splits)):
        k, at_draw, seen = (part.k, number, split) if kind.learns else (0, 0, ())
        key = (k, at_draw, seed if kind.seeded else 0, seen)
        if key not in made:
            members = tuple(party[number, seed, rotation] for party in parties)
            selection = part.selection if kind.learns else None
            decided: list[Any] = [decides, key, *(member.records.name for member in members)]
            decided += [selection, _content(selection)] if selection else []
            digest = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:12]
            file = f"k{k}-draw{at_draw}-seed{key[2]}-{_said(seen, task.classes)}-{digest}.jsonl"
            made[key] = Run(
                name, plan, task, k, at_draw, key[2], seen, folder / task.name / name / file, members, selection
            )
        found[number, seed, rotation] = made[key]
    return found


def _said(seen: Sequence[str], classes: Sequence[str]) -> str:
    if len(seen) in (0, len(classes)):
        return "all" if seen else "none"
    return "seen" + ".".join(str(classes.index(label)) for label in seen)


def execute(run: Run) -> None:
    """Fit and score; writes the summary, then the records. UserError if the method gives scores that are none."""
    if run.members:
        _join(run)
        return
    task, learns = run.task, kind_of(run.plan.method).learns
    training, development = _drawn(run) if learns else ([], [])
    setting = Setting(
        labels=task.labels,
        classes=tuple(task.classes),
        seen=run.seen,
        source=task.source,
        languages=tuple(task.evaluation),
        development=tuple(development),
        draw=run.draw,
        seed=run.seed,
    )
    method = build(run.plan.method, setting, run.plan.configuration)
    started = time.perf_counter()
    if learns:
        method.fit(training)
    fitted = time.perf_counter()
    records: list[dict[str, Any]] = []
    for language, items in task.evaluation.items():
        records += _records(run, language, items, method.scores(items, language))
    seconds = {"fit": round(fitted - started, 3), "scores": round(time.perf_counter() - fitted, 3)}
    drawn = {"training": [item.id for item in training], "development_items": len(development)}
    _keep(run, records, seconds, drawn, getattr(method, "facts", {}))


def _drawn(run: Run) -> tuple[list[Item], list[Item]]:
    if run.selection is None:
        return draw(run.task, run.k, run.draw, run.seen)
    from prompts.harness.choosing import chosen  # opens a model

    return chosen(run.task, run.k, run.draw, run.seen, run.selection)


def _join(run: Run) -> None:
    """Write the weighted mean of the members' log-probabilities of the classes as the run's scores."""
    if absent := [member.method for member in run.members if not member.done]:
        raise UserError(f"the ensemble needs the runs of {', '.join(absent)}, which could not be done.")
    parts = [read_scores(member) for member in run.members]
    weights = list(ensemble_members(run.plan.configuration).values())
    records: list[dict[str, Any]] = []
    for language, items in run.task.evaluation.items():
        found = [(part[language], weight) for part, weight in zip(parts, weights, strict=True)]
        records += _records(run, language, items, _mean_logs(found))
    summaries = [read_summary(member) for member in run.members]
    seconds = {name: round(sum(summary["seconds"][name] for summary in summaries), 3) for name in ("fit", "scores")}
    facts = {
        "parameters": sum(summary["facts"].get("parameters", 0) for summary in summaries),
        "verbalizer": summaries[0]["facts"].get("verbalizer", []),
    }
    learned = max(summaries, key=lambda summary: len(summary["training"]))
    drawn = {name: learned[name] for name in ("training", "development_items")}
    _keep(run, records, seconds, drawn, facts)


def _mean_logs(found: Sequence[tuple[np.ndarray, float]]) -> np.ndarray:
    """The weighted mean of log-probabilities. Members that cannot name all classes only divide anew, among those that
    they can, what the others give to these together (`prompts.soft.probe.joined`)."""
    whole: list[tuple[np.ndarray, float]] = []
    partial: list[tuple[np.ndarray, float]] = []
    for scores, weight in found:
        (whole if np.isfinite(scores).all() else partial).append((scores, weight))
    if not whole:
        raise UserError("an ensemble needs a method that can name every class; add one.")
    logs = [log_probabilities(scores) for scores, _ in whole]
    weights = [weight for _, weight in whole]
    result = np.average(logs, axis=0, weights=weights)
    for scores, weight in partial:
        result = joined(result, scores, weight / sum(weights))
    return result


def _keep(
    run: Run,
    records: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
    drawn: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    summary = {
        "method": run.method,
        "kind": run.plan.method,
        "configuration": run.plan.configuration,
        "task": run.task.name,
        "source": run.task.source,
        "classes": run.task.classes,
        "seen": list(run.seen),
        "selection": run.selection,
        "k": run.k,
        "draw": run.draw,
        "seed": run.seed,
        **drawn,
        "seconds": dict(seconds),
        "facts": dict(facts),
    }
    write_json(run.summary, summary)
    write_json_lines(run.records, records)


def read_scores(run: Run) -> dict[str, np.ndarray]:
    """Language -> scores, shape (items, classes), in the order of the task's evaluation.

    UserError if a run's file is damaged or holds other items.
    """
    by_language: dict[str, list[list[float]]] = {language: [] for language in run.task.evaluation}
    ids: dict[str, list[str]] = {language: [] for language in run.task.evaluation}
    try:
        with run.records.open(encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                values = [-np.inf if value is None else float(value) for value in record["scores"]]
                by_language[record["language"]].append(values)
                ids[record["language"]].append(record["id"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(f"{str(run.records)!r} is damaged ({error}); remove it and run the study again.") from None
    for language, items in run.task.evaluation.items():
        if ids[language] != [item.id for item in items]:
            raise UserError(f"{str(run.records)!r} holds other items in {language}; remove it and run again.")
    return {language: np.array(values, np.float64) for language, values in by_language.items()}


def read_summary(run: Run) -> Mapping[str, Any]:
    """What else is known of a run that is done."""
    return read_json(run.summary)


def _records(run: Run, language: str, items: Sequence[Item], scores: np.ndarray) -> list[dict[str, Any]]:
    values = np.asarray(scores, np.float64)
    if values.shape != (len(items), len(run.task.classes)) or np.isnan(values).any() or np.isposinf(values).any():
        raise UserError(
            f"the method {run.method!r} gave scores of shape {values.shape} that are not one number for each of "
            f"{len(items)} items and {len(run.task.classes)} classes; check its configuration (a diverged run?)."
        )
    return [
        {
            "method": run.method,
            "draw": run.draw,
            "seed": run.seed,
            "language": language,
            "id": item.id,
            "group": item.group,
            "label": item.label,
            "seen": item.label in run.seen,
            "scores": [float(f"{value:.9g}") if np.isfinite(value) else None for value in row],
        }
        for item, row in zip(items, values, strict=True)
    ]


def _content(value: Any) -> str | None:
    """What a folder that a configuration names holds; None if it names none."""
    return _of_folder(value) if isinstance(value, str) and Path(value).is_dir() else None


@cache
def _of_folder(name: str) -> str:
    folder = Path(name)
    if (folder / MANIFEST).is_file():
        return fingerprint(folder)
    return "+".join(sha256(path) for path in sorted(folder.glob("*.safetensors")))
