"""Training items that an untrained model is unsure of and that differ from each other, in the place of random ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prompts.data import Item, margins, of_classes, uncertain_and_diverse
from prompts.harness.asking import Questions
from prompts.harness.methods import Setting
from prompts.harness.tasks import Task


def chosen(task: Task, k: int, number: int, seen: Sequence[str], model: str) -> tuple[list[Item], list[Item]]:
    """As `tasks.draw`, by `uncertain_and_diverse`: margins are NPPrompt's with this model in the source language, among
    the seen classes; states are those at its answer."""
    states, scores = _read(task, model)
    among = [task.classes.index(label) for label in seen]
    rows = [row for row, item in enumerate(task.pool) if item.label in seen]
    pool = [task.pool[row] for row in rows]
    training, kept = uncertain_and_diverse(pool, k, margins(scores[rows][:, among]), states[rows], number)
    return training, of_classes(kept if task.development is None else task.development, seen)


_known: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
"""(Task's fingerprint, model) -> what `_read` gives."""


def _read(task: Task, model: str) -> tuple[np.ndarray, np.ndarray]:
    """States and scores of all items of the pool, shapes (items, width) and (items, classes); read once."""
    if (key := (task.fingerprint, model)) in _known:
        return _known[key]
    setting = Setting(
        labels=task.labels,
        classes=tuple(task.classes),
        seen=(),
        source=task.source,
        languages=(task.source,),
        development=(),
        draw=0,
        seed=0,
    )
    questions = Questions(setting, model, words="source_only", verbalizer={"kind": "nonparametric"})
    states = questions.states(task.pool, task.source)
    _known[key] = states.double().cpu().numpy(), questions.scores_of_states(states, task.source)
    return _known[key]
