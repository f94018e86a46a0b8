"""A study from its plan: every run that is not there yet, then the results of all that are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora.building.processes import spread
from corpora.errors import UserError
from corpora.progress import progress
from prompts.data import rotations
from prompts.harness.plan import PartPlan, Plan
from prompts.harness.results import part_results
from prompts.harness.runs import Run, execute, runs_of
from prompts.harness.tasks import Task, load_task

Runs = dict[str, dict[str, dict[tuple[int, int, int], Run]]]
"""Part -> method -> (draw, seed, rotation) -> run."""


def run_study(
    plan: Plan,
    folder: Path,
    methods: Sequence[str] | None = None,
    parts: Sequence[str] | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Run what is absent from `folder/runs`, and return the results of all that is there, as plain JSON values.

    `methods`, `parts`: run these only (default: all); results are made of whatever is done. `workers`: processes, each
    with a model of its own. UserError if a plan's part does not fit its task, or a method fails that is not optional.
    """
    _check_names(plan, methods, parts)
    if workers < 1:
        raise UserError(f"{workers} workers can do nothing; give one or more.")
    tasks, absent = _tasks(plan, parts)
    splits = {name: _splits(plan.parts[name], task) for name, task in tasks.items()}
    runs: Runs = {
        name: {
            method: runs_of(method, plan.methods, plan.parts[name], task, splits[name], folder / "runs")
            for method in dict.fromkeys(plan.parts[name].methods)
        }
        for name, task in tasks.items()
    }
    skipped = _run_absent(plan, runs, methods, parts, workers)
    return {
        "title": plan.title,
        "methods": {
            name: {"title": method.title, "kind": method.method, "configuration": method.configuration}
            for name, method in plan.methods.items()
        },
        "skipped": skipped,
        "absent": absent,
        "parts": [
            part_results(name, plan.parts[name], task, splits[name], _without(runs[name], skipped))
            for name, task in tasks.items()
        ],
    }


def unfinished(results: Mapping[str, Any]) -> int:
    """How many runs are still to be done; of a part without texts it is not known, and counts as one."""
    counts = [count for part in results["parts"] for count in part["unfinished"].values()]
    return sum(count["runs"] - count["done"] for count in counts) + len(results["absent"])


def _run_absent(
    plan: Plan, runs: Runs, methods: Sequence[str] | None, parts: Sequence[str] | None, workers: int
) -> dict[str, str]:
    """Do what is to be done; returns the optional methods that could not be, with the reasons."""
    wanted = {
        one.records: one
        for part, by_method in runs.items()
        for method, found in by_method.items()
        if (methods is None or method in methods) and (parts is None or part in parts)
        for run in found.values()
        for one in (*run.members, run)
        if not one.done
    }
    skipped: dict[str, str] = {}
    done = _executed([*wanted.values()], skipped, workers)
    for run, error in progress(done, "study", unit="runs", total=len(wanted)):
        if error is None:
            continue
        if not plan.methods[run.method].optional:
            raise UserError(f"{run.method}: {error}")
        skipped[run.method] = str(error)
    return skipped


def _executed(
    wanted: Sequence[Run], skipped: Mapping[str, str], workers: int
) -> Iterator[tuple[Run, UserError | None]]:
    """Each run when it is done, with what kept it from being done. Ensembles come last.

    One worker does not begin those of methods in `skipped`; several may have them in hand already.
    """
    alone = [run for run in wanted if not run.members]
    if workers == 1:
        yield from ((run, None if run.method in skipped else _attempt(run)) for run in alone)
    else:
        for number, error in spread(_attempt_numbered, enumerate(alone), workers):
            yield alone[number], error
    yield from ((run, _attempt(run)) for run in wanted if run.members)


def _attempt_numbered(number: int, run: Run) -> tuple[int, UserError | None]:
    """In a process of its own, with one thread: the matrices of a few tokens gain less from two."""
    import torch

    torch.set_num_threads(1)
    return number, _attempt(run)


def _attempt(run: Run) -> UserError | None:
    try:
        execute(run)
    except UserError as error:
        return error
    return None


def _without(runs: Mapping[str, Any], skipped: Mapping[str, str]) -> dict[str, Any]:
    return {method: found for method, found in runs.items() if method not in skipped}


def _tasks(plan: Plan, wanted: Sequence[str] | None) -> tuple[dict[str, Task], dict[str, str]]:
    """Part -> its task; and part -> why its texts cannot be read, of parts that are not to be run now."""
    found, absent = {}, {}
    for name, part in plan.parts.items():
        try:
            found[name] = load_task(part.task, plan.tasks[part.task], part.source, part.languages)
        except UserError as error:
            if wanted is None or name in wanted:
                raise
            absent[name] = str(error)
    return found, absent


def _splits(part: PartPlan, task: Task) -> list[tuple[str, ...]]:
    """The seen classes of each rotation; all classes where none is unseen."""
    if part.seen is None:
        return [tuple(task.classes)]
    found = [split.seen for split in rotations(task.classes, len(task.classes) - part.seen)]
    if part.rotations is not None and part.rotations > len(found):
        raise UserError(f"{part.seen} of {len(task.classes)} classes rotate {len(found)} times, not {part.rotations}.")
    return found[: part.rotations]


def _check_names(plan: Plan, methods: Sequence[str] | None, parts: Sequence[str] | None) -> None:
    for what, asked, known in (("method", methods, plan.methods), ("part", parts, plan.parts)):
        if absent := sorted(set(asked or ()) - set(known)):
            raise UserError(f"the plan has no {what} {absent[0]!r}; choose from {', '.join(known)}.")
