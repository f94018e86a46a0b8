"""All measures of tokenizers by themselves, on all texts that are at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from corpora.errors import UserError
from corpora.katha import LANGUAGES as KATHA
from corpora.katha import read_katha
from corpora.stories import Story
from tokenization.comparing.extrinsic import clusters
from tokenization.measures import morphology, parity, robustness, running_text, speed
from tokenization.measures.definitions import Definition, Measured
from tokenization.measures.gold import Gold, read_gold
from tokenization.measures.prepared import PreparedTexts, prepare
from tokenization.measures.vocabulary import CLASSES, classify
from tokenization.opening.tokenizer import Tokenizer

ON_PARALLEL = ("fertility", "characters_per_token", "akshara_splitting_rate")
"""Measures of running text that are taken on further parallel text too."""
ON_PUBLISHED = ("morphscore_v1", "morphscore_v1_chance", "boundary_f1", "boundary_f1_corrected", "akshara_ceiling")
"""Measures of morphology that are taken on the published lists too."""
SPEED_BYTES = 100_000
TRAINING = {
    "training_seconds": Definition(
        "Training, seconds", "seconds to train on the corpus's train split, on the machine that did", group="speed"
    )
}


@dataclass(frozen=True)
class Intrinsic:
    """What is known of one tokenizer."""

    measures: dict[str, Measured]
    scripts: dict[str, int]


@dataclass(frozen=True)
class Texts:
    """What tokenizers are measured on."""

    language: str
    split: str
    stories: Sequence[Story]
    prepared: PreparedTexts
    parallel: Mapping[str, Mapping[str, Sequence[str]]]
    """Name of a parallel text -> language -> sentences."""
    gold: Mapping[str, Gold]
    """`gold`: inflected words cleaned here; `published`: the two-part lists of an earlier comparison, cleaned."""

    @classmethod
    def read(
        cls, language: str, split: str, stories: Sequence[Story], parallel: Mapping[str, Path], gold: Path | None
    ) -> Texts:
        """The held-out stories, Katha-72, further parallel text and gold; UserError where a file is missing."""
        found: dict[str, Mapping[str, Sequence[str]]] = {}
        if language in KATHA:
            told = read_katha()
            found["katha72"] = {code: [story.text for story in told if story.language == code] for code in KATHA}
        for name, folder in parallel.items():
            found[name] = read_parallel(folder, language)
        prepared = prepare([story.text for story in stories], clusters(stories))
        # The grammar's own words serve where there are no others: tokenizers trained on its stories have seen them.
        sources = ["unimorph", "treebank"] if gold else ["grammar"]
        words = {"gold": read_gold(gold, language, sources), "published": read_gold(gold, language, ["published"])}
        return cls(language, split, stories, prepared, found, {name: one for name, one in words.items() if one.items})

    def short(self) -> list[str]:
        """The first stories, some 100 kB, for measuring speed."""
        sizes = np.cumsum([len(story.text.encode()) for story in self.stories])
        return [story.text for story in self.stories[: 1 + int(np.searchsorted(sizes, SPEED_BYTES))]]

    def definitions(self) -> dict[str, Definition]:
        """Of everything that `measure_all` gives."""
        found = dict(running_text.DEFINITIONS)
        for name in self.parallel:
            for key, definition in parity.DEFINITIONS.items():
                found[f"{key}_{name}"] = replace(definition, title=f"{definition.title}, {_title(name)}")
            for key in ON_PARALLEL if name != "katha72" else ():
                original = running_text.DEFINITIONS[key]
                found[f"{key}_{name}"] = replace(original, title=f"{original.title}, {_title(name)}", group="parity")
        found |= robustness.DEFINITIONS | speed.DEFINITIONS | TRAINING
        if "gold" in self.gold:
            found |= morphology.DEFINITIONS
        if "published" in self.gold:
            for key in ON_PUBLISHED:
                original = morphology.DEFINITIONS[key]
                found[f"{key}_published"] = replace(original, title=f"{original.title}, published list")
        return found

    def facts(self) -> list[dict[str, Any]]:
        """One row for each text, for the page."""
        rows = [
            {
                "name": name,
                "what": f"parallel text in {', '.join(sides)}",
                "documents": len(sides[self.language]),
                "characters": sum(map(len, sides[self.language])),
            }
            for name, sides in self.parallel.items()
        ]
        rows += [
            {
                "name": name,
                "what": "words with known morpheme boundaries",
                "documents": len(gold.items),
                "characters": sum(len(word.word) for word in gold.items),
            }
            for name, gold in self.gold.items()
        ]
        return [
            {
                "name": self.split,
                "what": "held-out stories of the corpus, for the measures",
                "documents": len(self.stories),
                "characters": sum(len(story.text) for story in self.stories),
            },
            *rows,
        ]


def measure_all(tokenizers: Sequence[Tokenizer], texts: Texts) -> dict[str, Intrinsic]:
    """Every measure of every tokenizer, by name."""
    further = {name: prepare(sides[texts.language]) for name, sides in texts.parallel.items() if name != "katha72"}
    found = {}
    for tokenizer in tokenizers:
        classes = classify(tokenizer)
        measures = running_text.measure_text(tokenizer, texts.prepared, classes)
        for name, sides in texts.parallel.items():
            measures |= _named(parity.measure_parity(tokenizer, sides)[texts.language], name)
        for name, prepared in further.items():
            on_it = running_text.measure_text(tokenizer, prepared, classes)
            measures |= _named({key: on_it[key] for key in ON_PARALLEL}, name)
        measures |= robustness.measure_robustness(tokenizer, [story.text for story in texts.stories], texts.language)
        measures |= speed.measure_speed(tokenizer, texts.short())
        for name, gold in texts.gold.items():
            scores = morphology.measure_morphology(tokenizer, gold.items)
            measures |= scores if name == "gold" else _named({key: scores[key] for key in ON_PUBLISHED}, name)
        scripts = {name: int((classes == number).sum()) for number, name in enumerate(CLASSES)}
        found[tokenizer.name] = Intrinsic(measures, scripts)
    return found


def read_parallel(folder: Path, language: str) -> dict[str, list[str]]:
    """Aligned sentences of a folder with one LANGUAGE.txt each: English, the language, and the others of the lab.

    UserError if English or the language is missing, or the files have unequal numbers of lines.
    """
    found = {}
    for code in dict.fromkeys(["en", language, *KATHA]):
        path = folder / f"{code}.txt"
        if path.is_file():
            found[code] = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        elif code in ("en", language):
            raise UserError(f"there is no {path.name} in {str(folder)!r}; parallel text needs English and {language}.")
    if len({len(lines) for lines in found.values()}) > 1:
        counts = ", ".join(f"{code} {len(lines)}" for code, lines in found.items())
        raise UserError(
            f"the files in {str(folder)!r} are not parallel: they have different numbers of lines ({counts})."
        )
    return found


def _named(measures: Mapping[str, Measured], name: str) -> dict[str, Measured]:
    return {f"{key}_{name}": value for key, value in measures.items()}


def _title(name: str) -> str:
    return {"katha72": "Katha-72", "flores": "FLORES"}.get(name, name)
