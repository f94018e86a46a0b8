"""Rows of JSON lines and Parquet: other people's published data sets, and our own shards."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.licenses import spdx
from corpora.sources.base import FileSource, OnBad, relative
from corpora.stories import Story

_TEXT_COLUMNS = ("text", "story", "Translated Story", "translated_story", "content")
_FIELDS = [field.name for field in fields(Story)]


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
        on_bad: OnBad = "stop",
    ):
        """Read one file, or every such file of a folder.

        Args:
            path: a file or folder.
            language: ISO 639-1 code of all rows; if empty, each row's `language` says it.
            columns: which column holds which field of a story, e.g. {"text": "Translated Story"}; by default columns of
                the field's own name, and for the text also `story`, `Translated Story` and `content`.
            name: the value of the `source` column; by default the file's or folder's name.
            license: SPDX identifier for rows that name none.
            attribution: whom the licence asks to name, for rows that do not say.
            on_bad: stop at a row that cannot be right, or skip it and report it in the manifest.
        """
        super().__init__(path, self.suffixes, on_bad)
        self.language = get_language(language).code if language else ""
        self.columns = dict(columns or {})
        if unknown := sorted(set(self.columns) - set(_FIELDS)):
            raise UserError(f"a story has no field {unknown[0]!r}; map columns to {', '.join(_FIELDS)}.")
        self.name = name or Path(path).resolve().stem
        self.license = spdx(license)
        self.attribution = attribution

    @abstractmethod
    def rows(self, file: Path) -> Iterator[Mapping[str, Any] | UserError]:
        """The rows of a file, with a UserError in the place of one that cannot be read."""

    def items(self) -> Iterator[tuple[str, str, Mapping[str, Any] | UserError]]:
        many = not Path(self.path).is_file()
        for file in self.files:
            place = relative(file, self.path)
            prefix = f"{self.name}/{Path(place).with_suffix('').as_posix()}" if many else self.name
            for number, row in enumerate(self.rows(file)):
                yield f"{prefix}-{number:06d}", f"row {number + 1} of {str(file)!r}", row

    def stories(self, item: tuple[str, str, Mapping[str, Any] | UserError]) -> Iterable[Story]:
        default_id, where, row = item
        if isinstance(row, UserError):
            raise row
        values = {field: _text(row.get(self.columns.get(field, field))) for field in _FIELDS}
        values["text"] = self._story_text(row, where)
        language = self.language or values["language"]
        if not language:
            raise UserError(f"{where} does not say its language; pass --source.language, or map the column that does.")
        values["language"] = get_language(language).code
        values["id"] = values["id"] or default_id
        values["group"] = values["group"] or values["id"]
        values["source"] = values["source"] or self.name
        values["license"] = values["license"] or self.license
        values["attribution"] = values["attribution"] or self.attribution
        return [Story(**values)]

    def place(self, item: tuple[str, str, Mapping[str, Any] | UserError]) -> str:
        return item[1]

    def _story_text(self, row: Mapping[str, Any], where: str) -> str:
        candidates = (self.columns["text"],) if "text" in self.columns else _TEXT_COLUMNS
        column = next((name for name in candidates if name in row), None)
        if column is None:
            raise UserError(
                f"{where} has no column {' or '.join(map(repr, candidates))}, only {', '.join(map(repr, row))}; "
                'map it with --source.columns \'{"text": "NAME"}\'.'
            )
        if not isinstance(row[column], str) or not row[column].strip():
            raise UserError(f"{where} has no text in column {column!r}; remove it or pass --source.on_bad skip.")
        return row[column].strip()


class JSONLines(Table):
    """Stories in JSON lines (`.jsonl`), one object a line."""

    suffixes = (".jsonl",)

    def rows(self, file: Path) -> Iterator[Mapping[str, Any] | UserError]:
        start = 0
        with open(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _json_row(line, f"{str(file)!r}", number, start)
                start += len(line)


class Parquet(Table):
    """Stories in Parquet files (`.parquet`), a published data set's or a Kathalab corpus's."""

    suffixes = (".parquet",)

    def rows(self, file: Path) -> Iterator[Mapping[str, Any] | UserError]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.ParquetFile(file)
        except pa.ArrowInvalid as error:
            raise UserError(f"{str(file)!r} is not a Parquet file ({error}); check the path.") from None
        wanted = {self.columns.get(field, field) for field in _FIELDS} | set(_TEXT_COLUMNS)
        columns = [column for column in table.schema_arrow.names if column in wanted] or None
        for batch in table.iter_batches(batch_size=4096, columns=columns):
            yield from batch.to_pylist()


def _json_row(line: bytes, file: str, number: int, start: int) -> Mapping[str, Any] | UserError:
    try:
        row = json.loads(line.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        return UserError(
            f"{file} is not valid UTF-8 (line {number}, byte {start + error.start} is 0x{line[error.start]:02x}); "
            "convert it to UTF-8."
        )
    except json.JSONDecodeError as error:
        return UserError(f"line {number} of {file} is not valid JSON ({error.msg}); mend it.")
    return row if isinstance(row, dict) else UserError(f"line {number} of {file} is not a JSON object; mend it.")


def _text(value: Any) -> str:
    """A field's value as text: strings as they are, nothing for null, JSON for the rest."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
