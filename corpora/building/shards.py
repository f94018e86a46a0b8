"""The second half of a build: the shards of each language and split, each written whole and apart from the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.building.blocks import Block
from corpora.building.processes import spread
from corpora.describing.statistics import Statistics
from corpora.folders import read_json, write_json
from corpora.progress import Meter
from corpora.stories import SCHEMA, SPLITS, Story

STORIES_PER_SHARD = 100_000


@dataclass(frozen=True)
class Shard:
    """One Parquet file of the corpus."""

    name: str
    split: str
    stories: np.ndarray
    """The numbers of its stories, ascending, counted over all blocks."""
    groups: pa.Array
    """Their groups' names."""


def plan(languages: np.ndarray, codes: Sequence[str], places: np.ndarray, groups: pa.Array) -> list[Shard]:
    """All shards of a corpus.

    Args:
        languages: index into `codes` of each story's language, (stories,).
        codes: ISO 639-1 codes.
        places: index into SPLITS of each story, -1 for one that is left out, (stories,).
        groups: the name of each story's group, (stories,) of string.
    """
    result = []
    for place, split in enumerate(SPLITS):
        for language, code in enumerate(codes):
            stories = np.flatnonzero((languages == language) & (places == place))
            parts = [stories[i : i + STORIES_PER_SHARD] for i in range(0, len(stories), STORIES_PER_SHARD)]
            for number, part in enumerate(parts):
                name = f"{split}-{code}-{number:05d}-of-{len(parts):05d}.parquet"
                result.append(Shard(name, split, part, groups.take(pa.array(part))))
    return result


def write_shards(folder: Path, blocks: Sequence[Block], shards: Sequence[Shard], workers: int) -> Statistics:
    """Write the shards that are missing in the folder; returns the statistics of all."""
    folder.mkdir(exist_ok=True)
    offsets = np.concatenate([[0], np.cumsum([block.facts["stories"] for block in blocks])])
    tasks = ((shard,) for shard in shards if not _counts(folder, shard).exists())
    meter = Meter("Writing splits", sum(len(shard.stories) for shard in shards))
    for number in spread(_write, tasks, workers, (folder, [block.folder for block in blocks], offsets)):
        meter.add(number)
    total = Statistics()
    for shard in shards:
        total.merge(Statistics.from_state(read_json(_counts(folder, shard))))
    return total


def stories_of(blocks: Sequence[Block], numbers: np.ndarray) -> Iterator[Story]:
    """Some stories of the blocks, in the order of their ascending numbers."""
    start = 0
    for block in blocks:
        end = start + block.facts["stories"]
        mine = numbers[(numbers >= start) & (numbers < end)] - start
        if len(mine):
            for batch in block.table().take(pa.array(mine)).to_batches(max_chunksize=1000):
                for row in batch.to_pylist():
                    yield Story(**row)
        start = end


def _counts(folder: Path, shard: Shard) -> Path:
    return folder / f"{shard.name}.json"


def _write(folder: Path, blocks: Sequence[Path], offsets: np.ndarray, shard: Shard) -> int:
    """The shard's file, then its statistics, which mark it as whole."""
    tables = []
    first = np.searchsorted(offsets, shard.stories, side="right") - 1
    for block in np.unique(first):
        numbers = shard.stories[first == block] - offsets[block]
        tables.append(Block(blocks[block]).table().take(pa.array(numbers)))
    table = pa.concat_tables(tables).combine_chunks()
    column = SCHEMA.get_field_index("group")
    table = table.set_column(column, SCHEMA.field(column), shard.groups).cast(SCHEMA)
    partial = folder / f".{shard.name}"
    pq.write_table(table, partial, compression="zstd")
    os.replace(partial, folder / shard.name)
    statistics = Statistics()
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            statistics.add(shard.split, Story(**row))
    write_json(_counts(folder, shard), statistics.state())
    return len(shard.stories)
