"""Plain text: one story a file, or many stories in a file, parted by a line of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.licenses import spdx
from corpora.sources.base import FileSource, OnBad, read_utf8, relative
from corpora.stories import Story


class Text(FileSource):
    """Stories in plain text files (`.txt`)."""

    def __init__(
        self,
        path: str,
        languages: list[str],
        separator: str = "",
        name: str = "",
        license: str = "",
        attribution: str = "",
        on_bad: OnBad = "stop",
    ):
        """Read one file, or every `.txt` file of a folder.

        With several languages each has its folder, named by its code, and files of the same name in several of them
        are taken for the same story and share a group.

        Args:
            path: a file or folder; the folder that holds `hi/`, `mr/` … where there are several languages.
            languages: ISO 639-1 codes.
            separator: the line that parts stories within a file, e.g. `<|endoftext|>`; empty if a file is one story.
            name: the value of the `source` column; by default the file's or folder's name.
            license: SPDX identifier of the stories' licence.
            attribution: whom the licence asks to name.
            on_bad: stop at a file that cannot be right, or skip it and report it in the manifest.
        """
        super().__init__(path, (".txt",), on_bad)
        self.languages = [get_language(code).code for code in languages]
        if not self.languages:
            raise UserError("no language is given; pass --source.languages, e.g. [hi].")
        self.separator = separator
        self.name = name or Path(path).resolve().stem
        self.license = spdx(license)
        self.attribution = attribution

    def items(self) -> Iterator[tuple[Path, str]]:
        found = False
        for file in self.files:
            language = self._language(file)
            if language in self.languages:
                found = True
                yield file, language
        if not found:
            raise UserError(
                f"{self.path!r} holds no folder {' or '.join(self.languages)}, so the files' languages are not known."
            )

    def stories(self, item: tuple[Path, str]) -> Iterator[Story]:
        file, language = item
        texts = _split(read_utf8(file), self.separator)
        if not texts:
            raise UserError(f"{str(file)!r} holds no text; remove it or pass --source.on_bad skip.")
        parts = [part for part in Path(relative(file, self.path)).with_suffix("").parts if part != language]
        stem = "/".join([self.name, *parts]) if Path(self.path).is_dir() else self.name
        for number, text in enumerate(texts):
            group = f"{stem}-{number:06d}" if self.separator else stem
            yield Story(
                id=f"{group}-{language}",
                language=language,
                text=text,
                source=self.name,
                group=group,
                license=self.license,
                attribution=self.attribution,
            )

    def place(self, item: tuple[Path, str]) -> str:
        return repr(str(item[0]))

    def inputs(self) -> dict[str, str]:
        wanted = {relative(file, self.path) for file, _ in self.items()}
        return {name: digest for name, digest in super().inputs().items() if name in wanted}

    def _language(self, file: Path) -> str:
        """The language by the first folder below the path that is named by one; the only one given, elsewhere."""
        for part in Path(relative(file, self.path)).parts[:-1]:
            if part in self.languages:
                return part
        return self.languages[0] if len(self.languages) == 1 else ""


def _split(text: str, separator: str) -> list[str]:
    if not separator:
        return [text.strip()] if text.strip() else []
    stories: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip() == separator:
            stories.append([])
        else:
            stories[-1].append(line)
    joined = ("\n".join(lines).strip() for lines in stories)
    return [story for story in joined if story]
