"""Bytes and lines of files of any size, never whole in memory: plain or compressed, UTF-8 or marked UTF-16."""

from __future__ import annotations

import codecs
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpora.errors import UserError

COMPRESSIONS = (".gz", ".zst", ".bz2")
LONGEST = 1 << 26
"""Bytes of the longest line, row or story that is read; more is a file of another kind."""
CHUNK = 1 << 20


def compressed(*suffixes: str) -> tuple[str, ...]:
    """The suffixes, each also with that of a compression."""
    return suffixes + tuple(suffix + more for suffix in suffixes for more in COMPRESSIONS)


def stem(path: str) -> str:
    """A file's path without the suffixes of its compression and its format."""
    for suffix in COMPRESSIONS:
        path = path.removesuffix(suffix)
    return Path(path).with_suffix("").as_posix()


@contextmanager
def opened(file: Path) -> Iterator[io.BufferedReader]:
    """The bytes of a file, decompressed by its suffix; UserError if it is damaged."""
    import pyarrow as pa

    with open(file, "rb"):  # OSError for a file that may not be read
        pass
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            yield io.BufferedReader(stream, CHUNK)  # type: ignore[arg-type]
    except (OSError, tarfile.TarError) as error:
        raise UserError(f"{str(file)!r} is damaged ({error}); fetch or make it again.") from None


def lines(stream: io.BufferedReader, where: str) -> Iterator[tuple[int, bytes]]:
    """The lines in UTF-8 with the byte each begins at, without a byte order mark; UserError for an endless one."""
    start = 0
    mark = stream.peek(3)[:3]
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from _from_utf16(stream, where)
        return
    if mark == codecs.BOM_UTF8:
        start = len(stream.read(3))
    while line := stream.readline(LONGEST):
        if len(line) == LONGEST:
            raise UserError(f"{where} has a line of more than {LONGEST >> 20} MiB; check what kind of file it is.")
        yield start, line
        start += len(line)


def _from_utf16(stream: io.BufferedReader, where: str) -> Iterator[tuple[int, bytes]]:
    try:
        for line in io.TextIOWrapper(stream, encoding="utf-16"):
            yield 0, line.encode()
    except UnicodeDecodeError as error:
        raise UserError(f"{where} begins as UTF-16 but is not ({error.reason}); convert it to UTF-8.") from None


def text_of(line: bytes, where: str, number: int, start: int) -> str:
    """A line's text; UserError that names line and byte if it is not UTF-8."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where} is not valid UTF-8 (line {number}, byte {start + error.start} is 0x{line[error.start]:02x}); "
            "convert it to UTF-8."
        ) from None
