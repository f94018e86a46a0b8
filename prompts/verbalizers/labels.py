"""Labels files: the names of the classes in each language, and the hard prompt that asks for one of them.

A labels file is YAML:

    template: {hi: "\\nविषय: "}                # follows the text; a class name follows it
    content_free: {hi: ["", "…", "कुछ"]}       # optional: inputs that say nothing about the class
    labels:
      sports: {hi: [खेल, खेलकूद], en: [sports]}
      health: {hi: [स्वास्थ्य], en: [health]}
    aliases: {khel: sports}                    # optional: other names that the data set's files give a class
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import UserError
from corpora.languages import get_language

BUILT_IN = Path(__file__).parents[1] / "labels"
CONTENT_FREE = ("", "…")


@dataclass(frozen=True)
class Names:
    """The names of the classes, and the prompt that asks for one, in one language."""

    language: str
    template: str
    """Stands between the text and a name, with its own line breaks and its space before the name."""
    names: dict[str, tuple[str, ...]]
    """One or more names per class, in the order of the file."""
    content_free: tuple[str, ...] = CONTENT_FREE
    """Texts that say nothing about the class; how the names score after them is the model's bias."""

    @property
    def classes(self) -> list[str]:
        return list(self.names)

    @property
    def every_name(self) -> list[str]:
        """All names of all classes."""
        return [name for words in self.names.values() for name in words]


@dataclass(frozen=True)
class LabelSet:
    """The names of the same classes in several languages."""

    by_language: dict[str, Names]

    def __post_init__(self) -> None:
        if not self.by_language:
            raise UserError("a set of labels needs at least one language; give one or more.")
        for language, names in self.by_language.items():
            if names.language != language or names.classes != self.classes:
                raise UserError(f"the labels in {language!r} are not the classes of the other languages.")

    @property
    def classes(self) -> list[str]:
        return next(iter(self.by_language.values())).classes

    @property
    def languages(self) -> list[str]:
        return list(self.by_language)

    def __getitem__(self, language: str) -> Names:
        if language not in self.by_language:
            raise UserError(f"the labels were not read in {language!r}, only in {', '.join(self.by_language)}.")
        return self.by_language[language]

    def only(self, classes: Sequence[str]) -> LabelSet:
        """The same languages with these classes alone, in this order."""
        check_known(classes, self.classes)
        return LabelSet(
            {
                code: Names(code, own.template, {label: own.names[label] for label in classes}, own.content_free)
                for code, own in self.by_language.items()
            }
        )

    def worded(self, template: str) -> LabelSet:
        """The same names after another template, in every language."""
        return LabelSet({code: replace(own, template=template) for code, own in self.by_language.items()})


def labels_path(labels: str | os.PathLike[str]) -> Path:
    """The labels file of this name: built in (`themes`, `sib200`, …) or a path; UserError if there is none."""
    built_in = BUILT_IN / f"{os.fspath(labels)}.yaml"
    path = built_in if built_in.is_file() else Path(labels)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in BUILT_IN.glob("*.yaml")))
        raise UserError(f"there is no labels file {os.fspath(labels)!r}; give a YAML file or one of {known}.")
    return path


def load_labels(labels: str | os.PathLike[str], languages: Sequence[str]) -> LabelSet:
    """Read these languages of a labels file; UserError as in `load_verbalizer`."""
    return LabelSet({language: load_verbalizer(labels, language) for language in languages})


def load_verbalizer(labels: str | os.PathLike[str], language: str) -> Names:
    """Read one language of a labels file.

    UserError if the file is damaged, the language has no template, a class has no name in the language, or one name
    stands for two classes.
    """
    language = get_language(language).code
    path = labels_path(labels)
    content = _read(path)
    template = content["template"].get(language)
    if not isinstance(template, str) or not template.strip():
        raise UserError(f"the labels file {str(path)!r} has no template in {language!r}; add one under 'template'.")
    names = {
        label: _strings(path, by_language.get(language), f"the class {label!r} has no names in {language!r}")
        for label, by_language in content["labels"].items()
    }
    owner: dict[str, str] = {}
    for label, words in names.items():
        for word in words:
            if not word.strip():
                raise UserError(f"the labels file {str(path)!r} has an empty name for {label!r} in {language!r}.")
            if owner.setdefault(word, label) != label:
                raise UserError(
                    f"the labels file {str(path)!r} names both {owner[word]!r} and {label!r} {word!r} in {language!r}; "
                    "give each class names of its own."
                )
    neutral = content.get("content_free", {}).get(language, list(CONTENT_FREE))
    what = f"'content_free' in {language!r} is no list of texts"
    return Names(language, template, names, _strings(path, neutral, what))


def load_aliases(labels: str | os.PathLike[str]) -> dict[str, str]:
    """Label of the data -> class, where a labels file says that they are the same; UserError if there is no such class.

    Data sets in several languages may call one class by several names (IndicNews: `khel`, `sports`).
    """
    path = labels_path(labels)
    content = _read(path)
    aliases = content.get("aliases", {})
    if not isinstance(aliases, dict) or not all(isinstance(key, str) for key in aliases):
        raise UserError(f"the labels file {str(path)!r} has 'aliases' that are not given as LABEL: CLASS.")
    if wrong := [label for label in aliases.values() if label not in content["labels"]]:
        raise UserError(f"the labels file {str(path)!r} has an alias of {wrong[0]!r}, which is no class of it.")
    return dict(aliases)


def check_labels(labels: Sequence[str], names: Names | LabelSet) -> None:
    """UserError if some label of the data has no names."""
    unknown = sorted(set(labels) - set(names.classes))
    if unknown:
        raise UserError(
            f"the data holds classes that the labels file lacks ({', '.join(unknown)}); "
            "add them under 'labels' or give another file with --labels."
        )


def check_known(classes: Sequence[str], known: Sequence[str]) -> None:
    """UserError if one of `classes` is not among the known, or stands there twice."""
    unknown = [label for label in classes if label not in known]
    if unknown or len(set(classes)) < len(classes):
        wrong = f"unknown: {', '.join(unknown)}" if unknown else "one stands there twice"
        raise UserError(f"these are not classes of the labels ({wrong}); choose from {', '.join(known)}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"the labels file {str(path)!r} is not valid YAML ({_one_line(error)}).") from None
    if not isinstance(content, dict) or not all(isinstance(content.get(key), dict) for key in ("template", "labels")):
        raise UserError(f"the labels file {str(path)!r} needs the keys 'template' and 'labels', each by language.")
    if not isinstance(content.get("content_free", {}), dict):
        raise UserError(f"the labels file {str(path)!r} has a 'content_free' that is not given by language.")
    for label, by_language in content["labels"].items():
        if not isinstance(label, str) or not isinstance(by_language, dict):
            raise UserError(
                f"the labels file {str(path)!r} must give each class as LANGUAGE: [NAMES], which {label!r} does not."
            )
    if len(content["labels"]) < 2:
        raise UserError(f"the labels file {str(path)!r} has fewer than two classes; there is nothing to choose from.")
    return content


def _strings(path: Path, value: Any, otherwise: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise UserError(f"in the labels file {str(path)!r} {otherwise}; give a list of one or more.")
    return tuple(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
