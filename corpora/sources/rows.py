"""Rows of files of any size, never whole in memory: JSON, CSV, Parquet and text.

A row that cannot be read comes as the UserError that says so, in its place, so that the reader may leave it out.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.parquet import rows_of as rows_of_parquet
from corpora.sources.streams import CHUNK, COMPRESSIONS, LONGEST, lines, opened, text_of

Row = Mapping[str, Any] | UserError

_TAPES = (".tar", ".tar.gz", ".tar.zst", ".tar.bz2")


def _as_last_row(read: Callable[..., Iterator[Row]]) -> Callable[..., Iterator[Row]]:
    """What ends the reading of a file comes as its last row too."""

    @wraps(read)
    def rows(*arguments: Any, **options: Any) -> Iterator[Row]:
        try:
            yield from read(*arguments, **options)
        except UserError as error:
            yield error

    return rows


@_as_last_row
def json_rows(file: Path) -> Iterator[Row]:
    """The objects of a file of JSON lines, of one JSON array, or of all such files of a tar archive."""
    if not str(file).endswith(_TAPES):
        with opened(file) as stream:
            yield from _json(stream, f"{str(file)!r}")
        return
    with opened(file) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            hidden = Path(member.name).name.startswith(".")
            inside = None if hidden else archive.extractfile(member)
            if inside is not None and member.name.endswith((".json", ".jsonl")):
                yield from _json(io.BufferedReader(inside, CHUNK), f"{member.name!r} in {str(file)!r}")  # type: ignore


def _json(stream: io.BufferedReader, where: str) -> Iterator[Row]:
    if stream.peek(64)[:64].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        yield from _array(stream, where)
        return
    for number, (start, line) in enumerate(lines(stream, where), start=1):
        if line.strip():
            try:
                yield _object(json.loads(text_of(line, where, number, start)), f"line {number} of {where}")
            except json.JSONDecodeError as error:
                yield UserError(f"line {number} of {where} is not valid JSON ({error.msg}); mend it.")
            except UserError as error:
                yield error


def _array(stream: io.BufferedReader, where: str) -> Iterator[Row]:
    """The elements of one JSON array, however long; behind a broken one nothing can be read."""
    decode = json.JSONDecoder().raw_decode
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    text, number, position = "", 0, 0
    open_bracket = True
    while True:
        while position < len(text) and (text[position] in " \t\r\n," or open_bracket):
            open_bracket = open_bracket and text[position] != "["
            position += 1
        if text[position : position + 1] == "]":
            return
        try:
            value, end = decode(text, position)
        except json.JSONDecodeError as error:
            chunk = stream.read(CHUNK)
            if not chunk or len(text) - position > LONGEST:
                yield UserError(f"element {number + 1} of {where} is not valid JSON ({error.msg}); mend the file.")
                return
            try:
                text, position = text[position:] + decoder.decode(chunk), 0
            except UnicodeDecodeError:
                yield UserError(f"{where} is not valid UTF-8 near element {number + 1}; convert it to UTF-8.")
                return
            continue
        number += 1
        position = end
        yield _object(value, f"element {number} of {where}")


def _object(value: Any, where: str) -> Row:
    return value if isinstance(value, dict) else UserError(f"{where} is not a JSON object; mend it.")


@_as_last_row
def csv_rows(file: Path) -> Iterator[Row]:
    """The rows of a CSV file by its first line, parted by that of comma, semicolon, tab and | which it has most of."""
    where = f"{str(file)!r}"
    with opened(file) as stream:
        numbered = enumerate(lines(stream, where), start=1)
        texts = (text_of(line, where, number, start) for number, (start, line) in numbered)
        header = next(texts, "")
        if not header.strip():
            yield UserError(f"{where} has no first line with the names of its columns; add it.")
            return
        csv.field_size_limit(LONGEST)
        delimiter = max(",;\t|", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter))
        rows = csv.reader(texts, delimiter=delimiter)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield UserError(f"line {rows.line_num + 1} of {where} is not valid CSV ({error}); mend it.")
            except UserError as error:
                yield error
                return
            else:
                if row and len(row) != len(names):
                    yield UserError(
                        f"line {rows.line_num + 1} of {where} has {len(row)} fields, but the first line {len(names)}; "
                        "mend it, with quotes around text that holds the separator."
                    )
                elif row:
                    yield dict(zip(names, row, strict=True))


parquet_rows = _as_last_row(rows_of_parquet)


@_as_last_row
def text_rows(file: Path, separator: str = "") -> Iterator[Row]:
    """The stories of a text file as rows with a `text`: the whole file, or what lines of their own part."""
    where = f"{str(file)!r}"
    with opened(file) as stream:
        kept: list[str] = []
        size, bad, found = 0, None, 0
        for number, (start, line) in enumerate(lines(stream, where), start=1):
            try:
                text = text_of(line, where, number, start)
            except UserError as error:
                bad = bad or error
                continue
            if not separator or text.strip() != separator:
                kept.append(text)
                size += len(line)
                if size > LONGEST:
                    raise UserError(
                        f"{where} has a story of more than {LONGEST >> 20} MiB; pass the line that parts its stories "
                        "as --source.separator."
                    )
                continue
            if row := _story(kept, bad):
                found += 1
                yield row
            kept, size, bad = [], 0, None
        if row := _story(kept, bad):
            found += 1
            yield row
        if not found:
            yield UserError(f"{where} holds no text; remove it or pass --source.on_bad skip.")


def _story(kept: list[str], bad: UserError | None) -> Row | None:
    text = "\n".join("".join(kept).splitlines()).strip()
    return bad or ({"text": text} if text else None)


def rows_of(path: Path, name: str, separator: str, wanted: set[str]) -> Iterator[Row]:
    """The rows of a file by what its name ends in."""
    kind = name
    for suffix in COMPRESSIONS:
        kind = kind.removesuffix(suffix)
    if kind.endswith(".parquet"):
        return parquet_rows(path, wanted)
    if kind.endswith((".json", ".jsonl", ".tar")):
        return json_rows(path)
    if kind.endswith((".csv", ".tsv")):
        return csv_rows(path)
    if kind.endswith(".txt"):
        return text_rows(path, separator)
    raise UserError(f"the file {name!r} is none of Parquet, JSON, CSV and text; choose others with --source.files.")
