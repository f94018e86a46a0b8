"""The Story, and the corpus folder of Parquet shards that holds stories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.errors import UserError
from corpora.folders import read_manifest
from corpora.languages import get_language
from corpora.parquet import rows_of

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Story:
    """One story in one language."""

    id: str
    """Unique in the corpus."""
    language: str
    """ISO 639-1 code."""
    text: str
    """The story; paragraphs are parted by one empty line."""
    source: str
    """Where it came from: a data set, a folder, the generator."""
    title: str = ""
    group: str = ""
    """What must stay on one side of a split: the same story in another language, the same prompt, near-duplicates."""
    license: str = ""
    """SPDX identifier where there is one."""
    attribution: str = ""
    """Whom the licence asks to name."""
    generator: str = ""
    """The program or model that wrote it; empty for human writing."""
    prompt: str = ""
    """What it was written from; JSON with `theme` and `words` for the embedded generator and Katha-72."""


SCHEMA = pa.schema([pa.field(field.name, pa.string(), nullable=False) for field in fields(Story)])


def write_split(folder: Path, split: str, stories: Sequence[Story], stories_per_shard: int = 100_000) -> list[Path]:
    """Write one split of one language as shards `SPLIT-LANGUAGE-00000-of-00001.parquet`; returns their paths."""
    languages = {story.language for story in stories}
    if len(languages) > 1:
        raise ValueError(f"one call writes one language, not {sorted(languages)}")
    shards = [stories[i : i + stories_per_shard] for i in range(0, len(stories), stories_per_shard)]
    paths = []
    for number, shard in enumerate(shards):
        path = folder / f"{split}-{shard[0].language}-{number:05d}-of-{len(shards):05d}.parquet"
        table = pa.Table.from_pylist([asdict(story) for story in shard], schema=SCHEMA)
        pq.write_table(table, path, compression="zstd")
        paths.append(path)
    return paths


def stream_corpus(
    folder: str | os.PathLike[str], split: str, languages: Iterable[str] | None = None
) -> Iterator[Story]:
    """The stories of one split of a corpus folder, in the order of its shards (see `shards`), a few at a time."""
    return (Story(**row) for path in shards(folder, split, languages) for row in rows_of(path, SCHEMA.names))


def read_corpus(folder: str | os.PathLike[str], split: str, languages: Iterable[str] | None = None) -> list[Story]:
    """All stories of one split of a corpus folder (see `stream_corpus`)."""
    return list(stream_corpus(folder, split, languages))


def shards(folder: str | os.PathLike[str], split: str, languages: Iterable[str] | None = None) -> list[Path]:
    """The Parquet files of one split of a corpus folder, in order.

    `languages` keeps only those (ISO 639-1 codes; default all). UserError if the folder is no corpus, the split is
    unknown, or nothing is left.
    """
    if split not in SPLITS:
        raise UserError(f"there is no split {split!r}; choose from {', '.join(SPLITS)}.")
    wanted = [get_language(code).code for code in languages] if languages is not None else None
    read_manifest(folder, "corpus")
    found = sorted(Path(folder).glob(f"{split}-*.parquet"))
    paths = [path for path in found if wanted is None or path.name.split("-")[1] in wanted]
    if not sum(pq.read_metadata(path).num_rows for path in paths):
        of = f" in {', '.join(wanted)}" if wanted else ""
        held = held_splits(folder)
        instead = f"it holds {' and '.join(held)}" if held and split not in held else "build it with more text"
        raise UserError(f"the corpus {os.fspath(folder)!r} has no {split} stories{of}; {instead}.")
    return paths


def held_splits(folder: str | os.PathLike[str], language: str = "*") -> list[str]:
    """The splits of which a corpus folder has stories, in one language or in any."""
    return [split for split in SPLITS if any(Path(folder).glob(f"{split}-{language}-*.parquet"))]
