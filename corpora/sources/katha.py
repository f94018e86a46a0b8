"""Katha-72, the parallel story set that comes with the lab, as a source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from corpora.folders import sha256
from corpora.katha import FOLDER, LANGUAGES, SPLITS, Katha, read_katha
from corpora.sources.base import Source
from corpora.stories import Story


class Katha72(Source):
    """72 children's stories in four languages, for validation and test only, with endings and minimal pairs."""

    about = """\
Katha-72 is a test set, not a training set: 72 original stories for children of four to eight, each told in Hindi,
Marathi, Bengali and English with the same events and paragraphs, nine for each of eight themes. Use it to measure
models that were trained on something else: by likelihood, by parity between languages, by which of two last sentences
they expect (`endings`), by whether they see one agreement error in a sentence (`minimal_pairs`), or by naming the
theme (in `prompt`, as JSON). 24 stories, three a theme, are `test`, 48 are `validation`; there is no `train`, and
training on it spoils it for everybody.

It is machine-assisted writing: a language model wrote the texts from short premises, and language models read each of
them again as an editor of its language, by the conventions of `EDITING.md`; spelling was looked up in the aspell
dictionaries, and tests hold the form (parallel paragraphs, one changed word in a minimal pair, endings that length
and word frequency do not tell apart). No native speaker has yet signed it off: corrections are welcome, one file is
one story. It is in the public domain (CC0 1.0)."""

    def __init__(self, languages: list[str] = list(LANGUAGES)):  # noqa: B006 - never changed, and shown in the help
        """Read the stories.

        Args:
            languages: ISO 639-1 codes; all four if not given.
        """
        self.languages = languages

    @cached_property
    def katha(self) -> list[Katha]:
        """The stories, read once."""
        return read_katha(self.languages)

    def __iter__(self) -> Iterator[Story]:
        return (katha.as_story() for katha in self.katha)

    def inputs(self) -> dict[str, str]:
        return {file.name: sha256(file) for file in sorted(FOLDER.glob("*.yaml"))}

    def splits(self) -> dict[str, str]:
        return {katha.group: katha.split for katha in self.katha}

    def tables(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        endings: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
        pairs: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
        for katha in self.katha:
            story = {"group": katha.group, "language": katha.language, "theme": katha.theme}
            endings[katha.split].append(
                {**story, "story": katha.story, "right": katha.ending, "wrong": katha.wrong_ending}
            )
            pairs[katha.split] += [
                {**story, "phenomenon": pair.phenomenon, "right": pair.right, "wrong": pair.wrong}
                for pair in katha.pairs
            ]
        return {"endings": endings, "minimal_pairs": pairs}
