"""Data sets of the Hugging Face Hub, of its local cache, or of a folder laid out like one of them.

A data set is streamed by `datasets` with its own configurations and splits; or named files of it are fetched into the
Hub's cache and read row by row, which also takes what `datasets` cannot stream: one JSON array of two million stories,
text parted by a line, archives. No code of a repository is ever run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import regex
import yaml

from corpora.errors import UserError
from corpora.folders import sha256
from corpora.languages import get_language
from corpora.publishing.licenses import spdx
from corpora.sources.base import OnBad, Source, check_script
from corpora.sources.columns import Columns
from corpora.sources.hub_repository import Repository, in_one_sentence
from corpora.sources.rows import Row, rows_of
from corpora.stories import SPLITS, Story

Item = tuple[str, int, Row]

PROFILES = Path(__file__).parent / "hub_profiles.yaml"
_SPLIT = regex.compile(r"(?<![a-z])(train|validation|valid|val|dev|test)(?![a-z])")
_OURS = {"valid": "validation", "val": "validation", "dev": "validation"}


class GivenSplits(dict[str, str]):
    """The split of every group of a data set whose splits are taken over: its groups begin with their split's name."""

    def __init__(self) -> None:
        super().__init__({split: split for split in SPLITS})

    def __missing__(self, group: str) -> str:
        return self[group.split("/", 1)[0]]


class Hub(Source):
    """Stories of a data set on the Hugging Face Hub, or in a folder laid out like one."""

    def __init__(
        self,
        repo: str = "",
        profile: str = "",
        language: str = "",
        config: str = "",
        split: str = "",
        files: list[str] | None = None,
        separator: str = "",
        columns: dict[str, str] | None = None,
        revision: str = "",
        name: str = "",
        license: str = "",
        attribution: str = "",
        generator: str = "",
        keep_splits: bool = False,
        skip: int = 0,
        limit: int = 0,
        on_bad: OnBad | None = None,
    ):
        """Read a data set row by row; with HF_HUB_OFFLINE set, what the Hub's cache has of it.

        Args:
            repo: the data set, ORGANISATION/NAME, or a local folder.
            profile: ready-made options for one with quirks: `tinystories`, `tinystories-gpt4`, `tinystories-prompts`,
                `regional-tinystories-{hi,mr,bn}`, `regional-tinystories-translated-{hi,bn}`; options that are given
                come first.
            language: ISO 639-1 code of all rows; if empty, each row's `language` says it.
            config: the data set's configuration; its default if empty.
            split: read this split only; all of them if empty.
            files: read these files (patterns such as `data/*.json`) instead of what the data set's card declares.
            separator: the line that parts stories in text files, e.g. `<|endoftext|>`.
            columns: which column holds which field of a story, e.g. {"text": "Translated Story"}; see `Parquet`.
            revision: branch, tag or commit; the newest commit of the main branch if empty. The manifest has the commit.
            name: the value of the `source` column; by default the data set's name.
            license: the licence of rows that name none; by default what the data set's card says.
            attribution: whom the licence asks to name, for rows that do not say; by default the data set's page.
            generator: the program or model that wrote the rows that do not say; empty for human writing.
            keep_splits: keep every story in the split it has, instead of sharing them out anew.
            skip: leave out so many rows at the beginning of every split.
            limit: read at most so many rows of every split; all if 0.
            on_bad: stop at a row that cannot be right, or skip it and report it in the manifest; stop by default.
        """
        given = _profile(profile)
        self.repo = repo or given.get("repo", "")
        if not self.repo:
            raise UserError(f"no data set is given; pass --source.repo ORGANISATION/NAME or a profile: {_profiles()}.")
        self.profile = profile
        language = language or given.get("language", "")
        self.language = get_language(language).code if language else ""
        self.config = config
        self.split = split
        self.files = list(files if files is not None else given.get("files", []))
        self.separator = separator or given.get("separator", "")
        self.columns = dict(columns if columns is not None else given.get("columns", {}))
        self.revision = revision
        self.name = name or Path(self.repo).name
        self.license = spdx(license)
        self.attribution = attribution
        self.generator = generator or given.get("generator", "")
        self.keep_splits = keep_splits
        self.skip = skip
        self.limit = limit
        if skip < 0 or limit < 0:
            raise UserError(f"skip ({skip}) and limit ({limit}) are numbers of rows; give 0 or more.")
        self.on_bad: OnBad = on_bad or given.get("on_bad", "stop")
        self.skipped: list[str] = []
        self._wanted = Columns(self.name, self.language, self.columns, "", "", "").wanted

    @cached_property
    def repository(self) -> Repository:
        """The data set at the commit that is read."""
        return Repository.find(self.repo, self.revision)

    @cached_property
    def _filled(self) -> Columns:
        """The columns, with what the data set's card says where no option does."""
        license = self.license or self.repository.license
        attribution = self.attribution or self.repository.page
        return Columns(self.name, self.language, self.columns, license, attribution, self.generator)

    def __iter__(self) -> Iterator[Story]:
        self.skipped = []
        for item in self.items():
            yield from self._checked(item)

    def blocks(self, size: int) -> Iterator[list[Item]]:
        """The rows in lists of `size`, each of which can be read apart, by any process."""
        items = self.items()
        while block := list(islice(items, size)):
            yield block

    def read_block(self, block: list[Item]) -> tuple[list[Story], list[str]]:
        """The stories of a block, and a sentence for each row left out."""
        self.skipped = []
        return [story for item in block for story in self._checked(item)], self.skipped

    def _checked(self, item: Item) -> list[Story]:
        try:
            story = self.story(item)
            check_script(story, self.place(item))
        except UserError as error:
            if self.on_bad == "stop":
                raise
            self.skipped.append(str(error))
            return []
        return [story]

    def items(self) -> Iterator[Item]:
        """The rows with their split and their number in it, from 0."""
        parts = self._files_by_split() if self.files else self._splits_of_datasets()
        if self.split and self.split not in parts:
            raise UserError(f"{self.repo!r} has no split {self.split!r}; choose from {', '.join(parts)}.")
        for split, rows in parts.items():
            if self.split in ("", split):
                if self.keep_splits:
                    self._our_split(split)
                for number, row in enumerate(islice(rows(self.skip), self.limit or None), start=self.skip):
                    yield split, number, row

    def story(self, item: Item) -> Story:
        """The story of a row; UserError if it cannot be one."""
        split, number, row = item
        if isinstance(row, UserError):
            raise row
        prefix = f"{self.name}-{split}" if split else self.name
        story = self._filled.story(row, self.place(item), f"{prefix}-{number:07d}")
        return replace(story, group=f"{self._our_split(split)}/{story.group}") if self.keep_splits else story

    def place(self, item: Item) -> str:
        """Where a row is found, as a sentence names it."""
        split, number, _ = item
        return f"row {number + 1} of {f'{split} of ' if split else ''}{self.repo!r}"

    def _our_split(self, split: str) -> str:
        ours = _OURS.get(split, split)
        if ours not in SPLITS:
            raise UserError(
                f"{self.repo!r} has the split {split!r}, which is none of {', '.join(SPLITS)}; choose one with "
                "--source.split, or leave out keep_splits."
            )
        return ours

    def _splits_of_datasets(self) -> dict[str, Callable[[int], Iterable[Row]]]:
        """Each split that `datasets` finds, as a function that streams its rows behind the first so many."""
        import datasets

        place, revision = self.repository.streamed
        with in_one_sentence(self.repo):
            found = datasets.load_dataset(place, self.config or None, streaming=True, revision=revision)

        def reader(split: str) -> Callable[[int], Iterator[Row]]:
            def rows(skip: int) -> Iterator[Row]:
                with in_one_sentence(self.repo):
                    yield from found[split].skip(skip) if skip else found[split]

            return rows

        return {str(split): reader(split) for split in found}

    def _files_by_split(self) -> dict[str, Callable[[int], Iterable[Row]]]:
        """The named files by the split that their names tell ("" if none), as functions that read their rows."""
        parts: dict[str, list[str]] = {}
        for file in self.repository.named(self.files):
            told = _SPLIT.findall(file.lower())
            parts.setdefault(told[-1] if told else "", []).append(file)

        def reader(files: list[str]) -> Callable[[int], Iterator[Row]]:
            def all_rows() -> Iterator[Row]:
                for file in files:
                    yield from rows_of(self.repository.fetch(file), file, self.separator, self._wanted)

            return lambda skip: islice(all_rows(), skip, None)

        return {split: reader(files) for split, files in parts.items()}

    def inputs(self) -> dict[str, str]:
        """The commit that is streamed, or the SHA-256 of each file that is read."""
        repository = self.repository
        root = f"hf://datasets/{self.repo}@{repository.commit}" if repository.commit else ""
        if repository.commit and not self.files:
            return {root: repository.commit}
        files = self.repository.named(self.files) if self.files else repository.files
        return {f"{root}/{file}" if root else file: sha256(repository.fetch(file)) for file in files}

    def splits(self) -> dict[str, str]:
        return GivenSplits() if self.keep_splits else {}


def _profile(name: str) -> dict[str, Any]:
    if not name:
        return {}
    profiles = yaml.safe_load(PROFILES.read_text(encoding="utf-8"))
    if name not in profiles:
        raise UserError(f"there is no profile {name!r}; choose from {_profiles()}.")
    return profiles[name]


def _profiles() -> str:
    return ", ".join(yaml.safe_load(PROFILES.read_text(encoding="utf-8")))
