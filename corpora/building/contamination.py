"""A corpus held against a test set, of its own or of somebody else: has it seen these stories?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.building.blocks import Recipe, begin, make_blocks, working_folder
from corpora.building.leaks import find_leaks, records, summarize
from corpora.building.processes import cores
from corpora.building.shards import stories_of
from corpora.building.similarity import Collection
from corpora.cleaning.normalize import normalize
from corpora.errors import UserError
from corpora.folders import (
    check_replaceable,
    new_folder,
    read_manifest,
    versions,
    write_json_lines,
    write_manifest,
)
from corpora.sources import Source
from corpora.stories import SPLITS, Story, shards, stream_corpus

_BLOCK = 10_000


class CorpusStories(Source):
    """The stories of some splits of a corpus folder; their `source` is the split's name."""

    def __init__(self, folder: str | os.PathLike[str], splits: Sequence[str]):
        self.folder = os.fspath(folder)
        self.splits_read = list(splits)

    def __iter__(self) -> Iterator[Story]:
        for split in self.splits_read:
            for story in stream_corpus(self.folder, split):
                yield replace(story, source=split)

    def inputs(self) -> dict[str, str]:
        return {"corpus": read_manifest(self.folder, "corpus")["fingerprint"]}


class Normalized(Source):
    """Another source's stories with their text in the one form that cleaned corpora have."""

    def __init__(self, source: Source):
        self.source = source

    def __iter__(self) -> Iterator[Story]:
        return (replace(story, text=normalize(story.text, story.language)) for story in self.source)

    def inputs(self) -> dict[str, str]:
        return self.source.inputs()


def check_contamination(
    folder: str | os.PathLike[str],
    against: Source | None,
    output: str | os.PathLike[str],
    split: str = "train",
    length: int = 3,
    workers: int = 0,
) -> list[dict[str, Any]]:
    """Write a folder with `leaks.jsonl`, one record for each story of the test set; returns the summary's rows.

    Args:
        folder: a corpus folder.
        against: the test set; None for the corpus's own validation and test.
        output: the folder to write; what is finished lies beside it until it is whole.
        split: the corpus's split whose stories are looked through.
        length: words in the n-grams of similarity and containment.
        workers: processes; 0 for as many as there are cores.
    """
    manifest = read_manifest(folder, "corpus")
    seen: Source = CorpusStories(folder, [split])
    shards(folder, split)
    if against is None:
        held: Source = CorpusStories(folder, _others(folder, split))
    else:
        held = Normalized(against)
        seen = seen if manifest["configuration"].get("cleaning") else Normalized(seen)
    check_replaceable(Path(output))
    workers = workers or cores()
    work = working_folder(output)
    inputs = {**seen.inputs(), **{f"against/{name}": digest for name, digest in held.inputs().items()}}
    begin(work, {"inputs": inputs, "split": split, "words": length, "versions": versions()})
    try:
        parts = []
        for name, source in (("seen", seen), ("held", held)):
            (work / name).mkdir(exist_ok=True)
            parts.append(make_blocks(work / name, source, Recipe(None, length), _BLOCK, workers))
        blocks = [*parts[0], *parts[1]]
        if not parts[1]:
            raise UserError("the test set holds no stories; check its path and languages.")
        collection = Collection([block.signatures() for block in blocks], length)
        training = np.arange(len(collection)) < sum(block.facts["stories"] for block in parts[0])
        numbers = np.flatnonzero(~training)
        found = find_leaks(collection, training, numbers, work, workers)
        ids = pa.concat_tables([block.table(["id"]) for block in blocks])["id"].combine_chunks()
        told = ((story.source, story) for story in stories_of(blocks, numbers))
        with new_folder(output) as finished:
            write_json_lines(finished / "leaks.jsonl", records(found, told, ids))
            rows = summarize(finished / "leaks.jsonl")
            configuration = {"corpus": os.fspath(folder), "split": split, "words": length}
            write_manifest(finished, "leaks", configuration, inputs, manifest["licenses"], leaks=rows)
    except UserError:
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(work)
    return rows


def _others(folder: str | os.PathLike[str], split: str) -> list[str]:
    """The other splits; UserError if the corpus lacks one."""
    others = [name for name in SPLITS if name != split]
    for name in others:
        shards(folder, name)
    return others
