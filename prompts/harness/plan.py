"""A study's plan: which methods are run on which tasks, from which draws and seeds.

The mapping `prompts` of a study's YAML, or a file of nothing else:

    tasks:
      sib200: {source: sib200, folder: "{data}/sib200", labels: sib200, held_out: 204}
    methods:
      naive-bayes: {method: naive_bayes, title: Naive Bayes}
    parts:
      transfer:
        title: From eight English sentences of each class
        task: sib200
        from: en
        languages: [en, hi, mr, bn]
        mean_over: [hi, mr, bn]
        k: 8
        draws: 5
        seeds: 3
        methods: [naive-bayes]
        against: [naive-bayes]
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from corpora.errors import UserError
from corpora.languages import get_language
from prompts.generalized import MEASURES
from prompts.harness.methods import ENSEMBLE, ensemble_members


@dataclass(frozen=True)
class TaskPlan:
    """Labelled texts: where they come from, and which are kept for evaluation."""

    source: str
    """A data set of `prompts.data.READERS`: `sib200`, `themes`, `katha72`, `mtop`, `massive`, `agnews`, `indicnews`."""
    labels: str
    folder: str | None = None
    pool: str = "train"
    """Split that draws are made from."""
    development: str | None = None
    """Split, in the language of the draws, by which methods choose; without it they choose nothing."""
    evaluation: str = "test"
    held_out: int | None = None
    """Where there is no evaluation split: so many items of the pool, the same in all languages, that no draw uses."""
    held_out_seed: int = 0
    held_out_set: int = 0
    """1: the second such set, which shares no item with the first; and so on."""
    items: int | None = None
    """Evaluate on at most so many, a seeded sample (default: all)."""
    masked: bool = False
    """Whether the names of all classes, in every form, are taken out of all texts."""


@dataclass(frozen=True)
class MethodPlan:
    """One method with its configuration."""

    method: str
    title: str
    configuration: dict[str, Any]
    control: bool = False
    """A method that should fail; what is no better has shown nothing."""
    optional: bool = False
    """Left out, with the reason, where what it needs is not installed."""


@dataclass(frozen=True)
class PartPlan:
    """One table: methods on a task, over draws, seeds and rotations."""

    task: str
    languages: list[str]
    methods: list[str]
    title: str = ""
    source: str = "en"
    """The language of the draws (`from`)."""
    mean_over: list[str] = field(default_factory=list)
    """The languages of the mean that methods are compared by (default: all)."""
    k: int = 8
    draws: int = 5
    seeds: int = 1
    seen: int | None = None
    """Generalized zero-shot: how many classes are trained on; the others are unseen (default: all are seen)."""
    rotations: int | None = None
    """How many choices of the seen classes (default: as many as hide every class equally often)."""
    selection: str | None = None
    """A model that chooses the draws' items, those that it is unsure of untrained and that differ (default: random)."""
    against: list[str] = field(default_factory=list)
    """Methods that every other is compared with; the best untrained prompt always is."""
    by: str = "accuracy"
    """The measure of the comparison."""
    confusions: list[str] = field(default_factory=list)
    """Methods whose confusion matrices and curves the page shows."""


@dataclass(frozen=True)
class Plan:
    """All of a study."""

    title: str
    tasks: dict[str, TaskPlan]
    methods: dict[str, MethodPlan]
    parts: dict[str, PartPlan]


def read_plan(path: str | os.PathLike[str], data: str | None = None) -> Plan:
    """Read a plan; `data` is what `{data}` in it stands for.

    UserError if the file is damaged, an entry lacks or has a key that it should not, or names what is not there.
    """
    file = Path(path)
    if not file.is_file():
        raise UserError(f"there is no plan {str(file)!r}; give a study's YAML file.")
    text = file.read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"the plan {str(file)!r} is not valid YAML ({' '.join(str(error).split())}).") from None
    if isinstance(content, dict) and isinstance(content.get("prompts"), dict):
        content = content["prompts"]
    if not isinstance(content, dict) or not all(
        isinstance(content.get(k), dict) for k in ("tasks", "methods", "parts")
    ):
        raise UserError(f"the plan {str(file)!r} needs the mappings 'tasks', 'methods' and 'parts'.")
    content = _filled(content, data, file)
    title = str(content.get("title") or file.stem)
    tasks = {str(name): _entry(TaskPlan, f"task {name!r}", given) for name, given in content["tasks"].items()}
    methods = {str(name): _method(str(name), given) for name, given in content["methods"].items()}
    _check_ensembles(methods)
    parts = {}
    for name, given in content["parts"].items():
        renamed = {{"from": "source"}.get(key, key): value for key, value in _mapping(f"part {name!r}", given).items()}
        parts[str(name)] = _entry(PartPlan, f"part {name!r}", renamed)
        _check_part(str(name), parts[str(name)], tasks, methods)
    return Plan(title, tasks, methods, parts)


def _filled(value: Any, data: str | None, file: Path) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, data, file) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, data, file) for inner in value]
    if isinstance(value, str) and "{data}" in value:
        if data is None:
            raise UserError(f"the plan {str(file)!r} reads from a folder of data; name it with --data.")
        return value.replace("{data}", data)
    return value


_Entry = TypeVar("_Entry", TaskPlan, PartPlan)


def _entry(kind: type[_Entry], what: str, given: Any) -> _Entry:
    values = _mapping(what, given)
    known = {item.name: item for item in fields(kind)}
    if unknown := sorted(set(values) - set(known)):
        raise UserError(f"the {what} has no {unknown[0]!r}; it may have {', '.join(known)}.")
    needed = [name for name, item in known.items() if item.default is MISSING and item.default_factory is MISSING]
    if missing := [name for name in needed if name not in values]:
        raise UserError(f"the {what} needs {missing[0]!r}.")
    for name, value in values.items():
        _check_type(what, name, str(known[name].type), value)
    return cast(_Entry, kind(**values))


def _check_type(what: str, name: str, kind: str, value: Any) -> None:
    right = {
        "str": isinstance(value, str),
        "str | None": value is None or isinstance(value, str),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "int | None": value is None or (isinstance(value, int) and not isinstance(value, bool)),
        "bool": isinstance(value, bool),
        "list[str]": isinstance(value, list) and all(isinstance(item, str) for item in value),
    }[kind]
    if not right:
        raise UserError(f"the {what} has {name}: {value!r}, which should be of the kind {kind.replace('str', 'text')}.")


def _method(name: str, given: Any) -> MethodPlan:
    values = dict(_mapping(f"method {name!r}", given))
    if not isinstance(values.get("method"), str):
        raise UserError(f"the method {name!r} needs 'method', the kind that it is of.")
    kind, title = values.pop("method"), str(values.pop("title", name))
    control, optional = bool(values.pop("control", False)), bool(values.pop("optional", False))
    return MethodPlan(kind, title, values, control, optional)


def _check_ensembles(methods: Mapping[str, MethodPlan]) -> None:
    for name, method in methods.items():
        for member in ensemble_members(method.configuration) if method.method == ENSEMBLE else ():
            if member not in methods or methods[member].method == ENSEMBLE:
                raise UserError(f"the ensemble {name!r} is of {member!r}, which is no single method of the plan.")


def _mapping(what: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise UserError(f"the {what} of the plan is no mapping of options.")
    return given


def _check_part(name: str, part: PartPlan, tasks: Mapping[str, Any], methods: Mapping[str, Any]) -> None:
    if part.task not in tasks:
        raise UserError(f"the part {name!r} is of the task {part.task!r}, which the plan lacks.")
    for method in [*part.methods, *part.against, *part.confusions]:
        if method not in methods:
            raise UserError(f"the part {name!r} names the method {method!r}, which the plan lacks.")
    for method in [*part.against, *part.confusions]:
        if method not in part.methods:
            raise UserError(f"the part {name!r} compares with {method!r}, which it does not run.")
    for language in [part.source, *part.languages]:
        get_language(language)
    if not part.languages or not part.methods or set(part.mean_over) - set(part.languages):
        raise UserError(f"the part {name!r} needs methods, languages, and a mean over some of those languages.")
    if min(part.k, part.draws, part.seeds, part.rotations or 1, part.seen or 1) < 1:
        raise UserError(f"the part {name!r} needs k, draws, seeds, seen and rotations of at least one.")
    if part.seen is None and part.rotations is not None:
        raise UserError(f"the part {name!r} has rotations but no number of seen classes.")
    if part.by not in MEASURES:
        raise UserError(f"the part {name!r} compares by {part.by!r}, which is no measure.")
