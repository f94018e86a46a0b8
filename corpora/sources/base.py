"""What every source has in common: finding files, reading UTF-8, and refusing text that cannot be right."""

from __future__ import annotations

import codecs
import os
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from corpora.errors import UserError
from corpora.folders import sha256
from corpora.languages import get_language
from corpora.stories import Story

OnBad = Literal["stop", "skip"]


class Source(ABC):
    """An iterable of stories in a fixed order."""

    skipped: Sequence[str] = ()
    """One sentence for each file or row left out in the last iteration."""

    @abstractmethod
    def __iter__(self) -> Iterator[Story]: ...

    def blocks(self, size: int) -> Iterator[list[Any]]:
        """What the stories are made of, in order and in lists of `size`; each can be read apart, by any process."""
        return _lists(self, size)

    def read_block(self, block: list[Any]) -> tuple[list[Story], list[str]]:
        """The stories of a block, and a sentence for each file or row left out."""
        return block, []

    about: str = ""
    """What the stories are for and how they were made, in Markdown, for the dataset card."""

    def inputs(self) -> dict[str, str]:
        """SHA-256 of every file the stories come from, by name."""
        return {}

    def splits(self) -> dict[str, str]:
        """The split of every group, where the stories have splits of their own; empty if the corpus shares them out."""
        return {}

    def tables(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Tables that come with the stories: name -> split -> rows. Each becomes a configuration of the data set."""
        return {}


class FileSource(Source):
    """Stories from files. A file or row that cannot be right stops the reading, or is skipped and remembered."""

    def __init__(self, path: str, suffixes: tuple[str, ...], on_bad: OnBad):
        self.path = path
        self.on_bad = on_bad
        self.suffixes = suffixes
        self.skipped: list[str] = []

    @abstractmethod
    def items(self) -> Iterator[Any]:
        """The smallest units that can be left out on their own: files, or rows."""

    @abstractmethod
    def stories(self, item: Any) -> Iterable[Story]:
        """The stories of one item; UserError if it cannot be read."""

    def place(self, item: Any) -> str:
        """Where an item is found, as a sentence names it."""
        return repr(str(item))

    def __iter__(self) -> Iterator[Story]:
        self.skipped = []
        for item in self.items():
            yield from self._checked(item)

    def blocks(self, size: int) -> Iterator[list[Any]]:
        return _lists(self.items(), size)

    def read_block(self, block: list[Any]) -> tuple[list[Story], list[str]]:
        self.skipped = []
        return [story for item in block for story in self._checked(item)], self.skipped

    def _checked(self, item: Any) -> list[Story]:
        try:
            stories = list(self.stories(item))
            for story in stories:
                check_script(story, self.place(item))
        except UserError as error:
            if self.on_bad == "stop":
                raise
            self.skipped.append(str(error))
            return []
        return stories

    @property
    def files(self) -> list[Path]:
        """The files, in the order of their paths; UserError if there are none."""
        return find_files(self.path, self.suffixes)

    def inputs(self) -> dict[str, str]:
        return {relative(file, self.path): sha256(file) for file in self.files}


def find_files(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> list[Path]:
    """`path` itself if it is a file, else all files under it that end so, sorted, hidden ones left out.

    Raises UserError if there are none, and OSError for a folder that may not be read.
    """
    root = Path(path)
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise UserError(f"there is no file or folder {str(root)!r}; check the path.")
    found = []
    for folder, _, names in os.walk(root, onerror=_raise):
        files = [Path(folder) / name for name in names if name.endswith(suffixes)]
        found += [file for file in files if not any(part.startswith(".") for part in file.relative_to(root).parts)]
    if not found:
        raise UserError(f"the folder {str(root)!r} holds no {' or '.join(suffixes)} files; check the path.")
    return sorted(found, key=lambda file: file.relative_to(root).parts)


def relative(file: Path, path: str | os.PathLike[str]) -> str:
    """A file's name below `path`, with forward slashes."""
    return file.relative_to(path).as_posix() if file != Path(path) else file.name


def read_utf8(file: Path) -> str:
    """A file's text, in UTF-8 or marked UTF-16; UserError that names file and byte if it is neither."""
    data = file.read_bytes()
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if marked else "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{str(file)!r} is not valid UTF-8 (byte {error.start} is 0x{data[error.start]:02x}); convert it to UTF-8."
        ) from None


def check_script(story: Story, place: str) -> None:
    """UserError if a story has no letters, or less than half of them belong to its language's script."""
    language = get_language(story.language)
    letters = _letters(story.text)
    if not letters:
        raise UserError(f"{place} holds no text; remove it or pass --source.on_bad skip.")
    if 2 * letters[language.script_property] < letters.total():
        found = letters.most_common(1)[0][0]
        raise UserError(
            f"{place} is written in {found} script, but {language.name} ({language.code}) in "
            f"{language.script_property}; correct its language or pass --source.on_bad skip."
        )


def _letters(text: str) -> Counter[str]:
    """How many letters of each script a text has; marks do not count."""
    scripts, table = _scripts()
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    counts = np.bincount(table[codes[codes < len(table)]], minlength=len(scripts)).tolist()
    letters = Counter({script: times for script, times in zip(scripts, counts, strict=True) if script and times})
    letters.update(_script(chr(code)) for code in codes[codes >= len(table)] if chr(code).isalpha())
    return letters


@cache
def _scripts() -> tuple[list[str], np.ndarray]:
    """The scripts, and for each of the characters up to U+FFFF the number of its own; the first is for no letter."""
    numbers = {"": 0}
    named = (_script(char) if char.isalpha() else "" for char in map(chr, range(0x10000)))
    table = np.array([numbers.setdefault(script, len(numbers)) for script in named], np.int16)
    return list(numbers), table


def _script(char: str) -> str:
    """The script of a letter, by the first word of its Unicode name, which is the script's for all that matter here."""
    return unicodedata.name(char, "UNKNOWN").split()[0].capitalize()


def _lists(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block


def _raise(error: OSError) -> None:
    raise error
