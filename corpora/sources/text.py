"""Plain text: one story a file, or many stories in a file, parted by a line of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from corpora.errors import UserError
from corpora.folders import sha256
from corpora.languages import get_language
from corpora.publishing.licenses import spdx
from corpora.sources.base import FileSource, OnBad, relative
from corpora.sources.rows import Row, text_rows
from corpora.sources.streams import compressed, stem
from corpora.stories import Story


class Text(FileSource):
    """Stories in plain text files (`.txt`, or compressed `.txt.gz`, `.txt.zst`)."""

    def __init__(
        self,
        path: str,
        languages: list[str],
        separator: str = "",
        name: str = "",
        license: str = "",
        attribution: str = "",
        generator: str = "",
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
            license: the stories' licence, as an SPDX identifier.
            attribution: whom the licence asks to name.
            generator: the program or model that wrote the stories; empty for human writing.
            on_bad: stop at a file that cannot be right, or skip it and report it in the manifest.
        """
        super().__init__(path, compressed(".txt"), on_bad)
        self.languages = [get_language(code).code for code in languages]
        if not self.languages:
            raise UserError("no language is given; pass --source.languages, e.g. [hi].")
        self.separator = separator
        self.name = name or Path(stem(Path(path).resolve().name)).name
        self.license = spdx(license)
        self.attribution = attribution
        self.generator = generator

    def items(self) -> Iterator[tuple[str, str, str, Row]]:
        for file, language in self._chosen():
            parts = [part for part in Path(stem(relative(file, self.path))).parts if part != language]
            name = "/".join([self.name, *parts]) if Path(self.path).is_dir() else self.name
            for number, row in enumerate(text_rows(file, self.separator)):
                group = f"{name}-{number:06d}" if self.separator else name
                yield group, language, repr(str(file)) + (f", story {number + 1}," if self.separator else ""), row

    def stories(self, item: tuple[str, str, str, Row]) -> Iterator[Story]:
        group, language, _, row = item
        if isinstance(row, UserError):
            raise row
        yield Story(
            id=f"{group}-{language}",
            language=language,
            text=row["text"],
            source=self.name,
            group=group,
            license=self.license,
            attribution=self.attribution,
            generator=self.generator,
        )

    def place(self, item: tuple[str, str, str, Row]) -> str:
        return item[2]

    def inputs(self) -> dict[str, str]:
        return {relative(file, self.path): sha256(file) for file, _ in self._chosen()}

    def _chosen(self) -> list[tuple[Path, str]]:
        """The files whose language is wanted, with it."""
        chosen = [(file, self._language(file)) for file in self.files]
        chosen = [(file, language) for file, language in chosen if language in self.languages]
        if not chosen:
            raise UserError(
                f"{self.path!r} holds no folder {' or '.join(self.languages)}, so the files' languages are not known."
            )
        return chosen

    def _language(self, file: Path) -> str:
        """The language by the first folder below the path that is named by one; the only one given, elsewhere."""
        for part in Path(relative(file, self.path)).parts[:-1]:
            if part in self.languages:
                return part
        return self.languages[0] if len(self.languages) == 1 else ""
