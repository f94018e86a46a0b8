"""What has to be known of a prompt beside its vectors: `rosprompt.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PureWindowsPath
from typing import Any, get_args

from corpora.errors import UserError
from prompts.calibration import Calibration
from prompts.verbalizers import Verbalizer, from_record

_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}")


@dataclass(frozen=True)
class Facts:
    """How to use a prompt, and what its card tells. No field may hold a secret; paths are shortened to their names."""

    templates: Mapping[str, str]
    """The hard template by language; the first is the one to use when no language is asked for."""
    languages: tuple[str, ...] = ()
    """Languages of the texts that the prompt was trained on."""
    verbalizer: Verbalizer | None = None
    """The classes and their words; without one labels have to be given at every use."""
    neighbours: Mapping[str, Any] = field(default_factory=dict)
    """Options of `prompts.verbalizers.nonparametric` for labels that the verbalizer lacks (k, temperature, …)."""
    calibration: Calibration = "none"
    """What is taken off the classes' scores (see `prompts.calibration`)."""
    content_free: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Texts that say nothing, by language of the template."""
    gamma: float = 0.0
    """Taken off the scores of the `seen` classes (calibrated stacking)."""
    seen: tuple[str, ...] = ()
    """Classes that the prompt was trained on."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """How the prompt was trained: name -> value, for the card."""
    accuracy: Mapping[str, float] = field(default_factory=dict)
    """Share of texts classified right, by language, between 0 and 1."""
    evaluated_on: str = ""
    """The data of `accuracy`."""
    base_model: str = ""
    """The model's name on the Hub; empty if it has none."""
    base_license: str = ""
    """Licence or terms of the base model."""
    license: str = "apache-2.0"
    """Licence of the prompt itself, as the Hub names it."""

    def __post_init__(self) -> None:
        if not self.templates:
            raise UserError("a prompt without a template cannot be used; give one for at least one language.")
        if self.calibration not in get_args(Calibration):
            raise ValueError(f"there is no calibration {self.calibration!r}")
        if wrong := [value for value in self.accuracy.values() if not 0 <= value <= 1]:
            raise UserError(f"an accuracy is a share between 0 and 1, not {wrong[0]}; give it so.")


def facts_as_json(facts: Facts) -> dict[str, Any]:
    """The facts as JSON values; the verbalizer with rows, weights and the pieces that a reader can judge it by."""
    values = {entry.name: getattr(facts, entry.name) for entry in fields(facts) if entry.name != "verbalizer"}
    content = public({**values, "base_model": public_name(facts.base_model)})
    # not through `public`: templates and texts are the user's own words, and may look like anything
    content["templates"] = dict(facts.templates)
    content["content_free"] = {language: list(texts) for language, texts in facts.content_free.items()}
    content["verbalizer"] = None if facts.verbalizer is None else facts.verbalizer.record()
    return content


def facts_from_json(content: Mapping[str, Any]) -> Facts:
    """The reverse of `facts_as_json`; KeyError, TypeError or ValueError if the content is not what that makes."""
    values = {entry.name: content[entry.name] for entry in fields(Facts)}
    values["verbalizer"] = None if values["verbalizer"] is None else from_record(values["verbalizer"])
    values["content_free"] = {language: tuple(texts) for language, texts in values["content_free"].items()}
    return Facts(**values | {name: tuple(values[name]) for name in ("languages", "seen")})


def public(value: Any) -> Any:
    """A JSON value without what is nobody's business: a local path keeps its last name, a Hub token nothing."""
    if isinstance(value, Mapping):
        return {str(key): public(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [public(item) for item in value]
    if isinstance(value, Path):
        value = str(value)
    if not isinstance(value, str):
        return value if value is None or isinstance(value, (bool, int, float)) else str(value)
    value = _TOKEN.sub("…", value)
    if "\n" not in value and (value.startswith(("/", "~")) or PureWindowsPath(value).drive):
        return PureWindowsPath(value).name
    return value


def public_name(base_model: str) -> str:
    """The name of a model that others can open; empty for a folder or file of this machine."""
    local = Path(base_model).exists() or base_model.startswith((".", "/", "~")) or PureWindowsPath(base_model).drive
    return "" if local else public(base_model)
