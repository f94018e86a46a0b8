"""What the runs of a part say: every measure per language and in the mean, with intervals, and paired differences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.intervals import Interval, PairedTest, holm
from prompts.calibration import TRANSDUCTIVE
from prompts.generalized import MEASURES, Outcome, curve, curve_at, group_weights, outcome
from prompts.harness.methods import kind_of
from prompts.harness.plan import MethodPlan, PartPlan
from prompts.harness.runs import Run, read_scores, read_summary
from prompts.harness.tasks import Task
from prompts.harness.uncertainty import Estimate, mean_of, paired

RESAMPLES = 1000
MEAN = "mean"
CURVE_POINTS = 51


@dataclass(frozen=True)
class Measured:
    """One method of a part: measure -> language or `mean` -> estimate, and what the figures show."""

    estimates: dict[str, dict[str, Estimate]]
    confusions: dict[str, list[list[float]]]
    """Language -> labelled class × predicted class, shares of the labelled, mean over runs."""
    curve: list[tuple[float, float]]
    """(accuracy on unseen, on seen), the mean over runs and languages of the mean; empty without unseen classes."""


def part_results(
    name: str,
    part: PartPlan,
    task: Task,
    splits: Sequence[tuple[str, ...]],
    runs: Mapping[str, Mapping[tuple[int, int, int], Run]],
) -> dict[str, Any]:
    """A part as plain JSON values, from the methods whose runs are all done; the others are `unfinished`."""
    done = {method: found for method, found in runs.items() if all(run.done for run in found.values())}
    measured = {method: _measured(part, task, splits, found) for method, found in done.items()}
    chance = _chance(task, part)
    of = {method: found.estimates[part.by][MEAN] for method, found in measured.items()}
    best = max(filter(lambda method: _is_untrained_prompt(done[method]), of), key=lambda m: of[m].value, default=None)
    against = list(dict.fromkeys([*([best] if best else []), *(m for m in part.against if m in measured)]))
    differences = _differences(of, against)
    return {
        "name": name,
        "title": part.title or name,
        "task": part.task,
        "labels": task.labels,
        "note": task.note,
        "source": part.source,
        "languages": part.languages,
        "mean_over": _mean_over(part),
        "items": {language: len(items) for language, items in task.evaluation.items()},
        "classes": task.classes,
        "k": part.k,
        "selection": part.selection,
        "draws": part.draws,
        "seeds": part.seeds,
        "splits": [list(split) for split in splits] if part.seen is not None else [],
        "measures": _measures(part),
        "by": part.by,
        "chance": chance,
        "best_untrained": best,
        "against": against,
        "confusions_of": [method for method in part.confusions if method in measured],
        "rows": [
            _row(method, done[method], measured[method], chance, part.by, differences[method]) for method in measured
        ],
        "unfinished": {
            method: {"done": sum(run.done for run in set(found.values())), "runs": len(set(found.values()))}
            for method, found in runs.items()
            if method not in done
        },
    }


def _measures(part: PartPlan) -> list[str]:
    generalized = ["accuracy_seen", "accuracy_unseen", "harmonic_mean", "ausuc"] if part.seen is not None else []
    return [*generalized, "accuracy", "macro_f1"]


def _mean_over(part: PartPlan) -> list[str]:
    return part.mean_over or part.languages


def _is_untrained_prompt(runs: Mapping[Any, Run]) -> bool:
    plan = next(iter(runs.values())).plan
    kind = kind_of(plan.method)
    return kind.prompt and not kind.learns and not plan.control and not _is_transductive(plan)


def _is_transductive(plan: MethodPlan) -> bool:
    """Whether a prediction depends on the other texts to be classified."""
    asking = {**plan.configuration, **plan.configuration.get("asking", {})}
    return asking.get("calibration") in TRANSDUCTIVE


def _measured(
    part: PartPlan, task: Task, splits: Sequence[tuple[str, ...]], runs: Mapping[tuple[int, int, int], Run]
) -> Measured:
    gold = {code: np.array([task.classes.index(i.label) for i in task.evaluation[code]]) for code in part.languages}
    seen = [np.isin(task.classes, split) for split in splits]
    scores: dict[Run, dict[str, np.ndarray]] = {}
    outcomes: dict[tuple[Run, int, str], Outcome] = {}  # runs and splits often serve several draws
    for (_, _, rotation), run in runs.items():
        if run not in scores:
            scores[run] = read_scores(run)
        for code in part.languages:
            if (run, rotation, code) not in outcomes:
                outcomes[run, rotation, code] = outcome(scores[run][code], gold[code], seen[rotation])
    groups = [item.group for code in part.languages for item in task.evaluation[code]]
    draws, places = group_weights(groups, RESAMPLES)
    weights = {code: draws[:, [places[i.group] for i in task.evaluation[code]]] for code in part.languages}
    estimates: dict[str, dict[str, Estimate]] = {}
    for measure in _measures(part):
        by_language = {}
        for code in part.languages:
            whole = np.ones((1, len(gold[code])))
            values = {
                key: MEASURES[measure](found, np.concatenate([whole, weights[code]]))
                for key, found in outcomes.items()
                if key[2] == code
            }
            distinct = sorted({run.draw for run in scores})
            per_draw = [
                np.mean([values[run, r, code] for (_, _, r), run in runs.items() if run.draw == number], axis=0)
                for number in distinct
            ]
            by_language[code] = Estimate(
                np.array([found[0] for found in per_draw]), np.mean(per_draw, axis=0)[1:], len(places)
            )
        by_language[MEAN] = mean_of([by_language[code] for code in _mean_over(part)])
        estimates[measure] = by_language
    confusions = {
        code: np.mean([_confusion(found) for key, found in outcomes.items() if key[2] == code], axis=0).tolist()
        for code in part.languages
    }
    shown = [found for (_, _, code), found in outcomes.items() if code in _mean_over(part)]
    return Measured(estimates, confusions, _mean_curve(shown) if part.seen is not None else [])


def _confusion(found: Outcome) -> np.ndarray:
    """Labelled class × predicted class, shares of the labelled (0 without any)."""
    counts = np.zeros((found.classes, found.classes))
    np.add.at(counts, (found.gold, found.predicted), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _mean_curve(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """The mean height of the curves over a grid of accuracies on unseen classes, of those with unseen items."""
    grid = np.linspace(0, 1, CURVE_POINTS)
    curves = [curve(found) for found in outcomes if found.of_seen.any() and not found.of_seen.all()]
    if not curves:
        return []
    heights = np.mean([curve_at(points, grid) for points in curves], axis=0)
    return [(round(float(x), 4), round(float(y), 4)) for x, y in zip(grid, heights, strict=True)]


def _chance(task: Task, part: PartPlan) -> dict[str, float]:
    """What the measure of comparison can be without knowing the texts, per language and in the mean.

    1 / classes (a uniform guess), or, of accuracy, the commonest class's share if that is larger.
    """
    found = {}
    for code in part.languages:
        counts = Counter(item.label for item in task.evaluation[code])
        share = max(counts.values()) / counts.total() if part.by == "accuracy" else 0.0
        found[code] = max(1 / len(task.classes), share)
    return found | {MEAN: float(np.mean([found[code] for code in _mean_over(part)]))}


def _differences(of: Mapping[str, Estimate], against: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Method -> reference -> difference; p corrected by Holm over all methods compared with one reference."""
    found: dict[str, dict[str, Any]] = {method: {} for method in of}
    for reference in against:
        others = [method for method in of if method != reference]
        tests: dict[str, PairedTest] = {method: paired(of[method], of[reference]) for method in others}
        corrected = holm([test.p for test in tests.values()])
        for (method, test), p_holm in zip(tests.items(), corrected, strict=True):
            found[method][reference] = {**_plain(test.difference), "p": test.p, "p_holm": p_holm}
    return found


def _row(
    method: str,
    runs: Mapping[Any, Run],
    measured: Measured,
    chance: Mapping[str, float],
    by: str,
    differences: Mapping[str, Any],
) -> dict[str, Any]:
    distinct = list(dict.fromkeys(runs.values()))
    plan, kind = distinct[0].plan, kind_of(distinct[0].plan.method)
    summaries = [read_summary(run) for run in distinct]
    measures = {
        measure: {language: _plain(estimate.interval()) for language, estimate in by_language.items()}
        for measure, by_language in measured.estimates.items()
    }
    at_chance = {
        language: bool((interval["low"] or 0.0) <= chance[language]) for language, interval in measures[by].items()
    }
    return {
        "method": method,
        "title": plan.title,
        "kind": plan.method,
        "configuration": plan.configuration,
        "learns": kind.learns,
        "control": plan.control,
        "transductive": _is_transductive(plan),
        "runs": len(distinct),
        "measures": measures,
        "at_chance": at_chance,
        "differences": dict(differences),
        "seconds": {
            part: float(np.median([summary["seconds"][part] for summary in summaries])) for part in ("fit", "scores")
        },
        "facts": summaries[0]["facts"],
        "confusions": measured.confusions,
        "curve": measured.curve,
    }


def _plain(interval: Interval) -> dict[str, float | None]:
    """An interval as JSON; None for what is not a number."""
    return {key: None if math.isnan(value) else value for key, value in interval.as_dict().items()}
