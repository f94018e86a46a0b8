"""Rows of Parquet files, one batch of a row group at a time: pyarrow reads a file whole unless it is told not to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from corpora.errors import UserError

_BUFFER = 1 << 20
"""Bytes read ahead of a column."""


def rows_of(file: str | os.PathLike[str], columns: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a file, of these columns where it has any of them; UserError if it is no Parquet file or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER) as table:
            wanted = set(columns or ())
            chosen = [column for column in table.schema_arrow.names if column in wanted] or None
            for batch in table.iter_batches(batch_size=256, columns=chosen):
                yield from batch.to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        where = os.fspath(file)
        raise UserError(f"{where!r} is not a Parquet file or is damaged ({error}); check the path.") from None
