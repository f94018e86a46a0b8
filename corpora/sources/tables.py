"""Rows of JSON, CSV and Parquet files: other people's published data sets, and our own shards."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.publishing.licenses import spdx
from corpora.sources.base import FileSource, OnBad, relative
from corpora.sources.columns import Columns
from corpora.sources.rows import Row, csv_rows, json_rows, parquet_rows
from corpora.sources.streams import compressed, stem
from corpora.stories import Story


class Table(FileSource):
    """Stories in rows with named columns."""

    suffixes: tuple[str, ...]

    def __init__(
        self,
        path: str,
        language: str = "",
        columns: dict[str, str] | None = None,
        name: str = "",
        license: str = "",
        attribution: str = "",
        generator: str = "",
        on_bad: OnBad = "stop",
    ):
        """Read one file, or every such file of a folder, row by row.

        Args:
            path: a file or folder.
            language: ISO 639-1 code of all rows; if empty, each row's `language` says it.
            columns: which column holds which field of a story, e.g. {"text": "Translated Story"}; by default columns of
                the field's own name, and for the text also `story`, `Translated Story` and `content`. An empty name
                keeps a column of the field's name from being used.
            name: the value of the `source` column; by default the file's or folder's name.
            license: the licence of rows that name none, as an SPDX identifier.
            attribution: whom the licence asks to name, for rows that do not say.
            generator: the program or model that wrote the rows that do not say; empty for human writing.
            on_bad: stop at a row that cannot be right, or skip it and report it in the manifest.
        """
        super().__init__(path, self.suffixes, on_bad)
        self.language = get_language(language).code if language else ""
        self.columns = dict(columns or {})
        self.name = name or Path(stem(Path(path).resolve().name)).name
        self.license = spdx(license)
        self.attribution = attribution
        self.generator = generator
        self._columns = Columns(self.name, self.language, self.columns, self.license, attribution, generator)

    @abstractmethod
    def rows(self, file: Path) -> Iterator[Row]:
        """The rows of a file, with a UserError in the place of one that cannot be read."""

    def items(self) -> Iterator[tuple[str, str, Row]]:
        many = not Path(self.path).is_file()
        for file in self.files:
            prefix = f"{self.name}/{stem(relative(file, self.path))}" if many else self.name
            for number, row in enumerate(self.rows(file)):
                yield f"{prefix}-{number:06d}", f"row {number + 1} of {str(file)!r}", row

    def stories(self, item: tuple[str, str, Row]) -> Iterable[Story]:
        identifier, where, row = item
        if isinstance(row, UserError):
            raise row
        return [self._columns.story(row, where, identifier)]

    def place(self, item: tuple[str, str, Row]) -> str:
        return item[1]


class JSONLines(Table):
    """Stories in JSON lines (`.jsonl`), one object a line."""

    suffixes = compressed(".jsonl")

    def rows(self, file: Path) -> Iterator[Row]:
        return json_rows(file)


class JSON(Table):
    """Stories in JSON files (`.json`), each an array of objects, or in `.tar` archives of such files."""

    suffixes = compressed(".json", ".tar")

    def rows(self, file: Path) -> Iterator[Row]:
        return json_rows(file)


class CSV(Table):
    """Stories in CSV files (`.csv`, `.tsv`) with a first line that names the columns."""

    suffixes = compressed(".csv", ".tsv")

    def rows(self, file: Path) -> Iterator[Row]:
        return csv_rows(file)


class Parquet(Table):
    """Stories in Parquet files (`.parquet`), a published data set's or a Kathalab corpus's."""

    suffixes = (".parquet",)

    def rows(self, file: Path) -> Iterator[Row]:
        return parquet_rows(file, self._columns.wanted)
