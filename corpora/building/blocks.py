"""The first half of a build: stories read, cleaned and signed block by block into a working folder.

A block is a folder that is whole or absent, so that a build which was killed goes on after the last whole one, and so
that several processes, or several machines with one disk, can each make their share of the blocks:

    blocks/00000/stories.parquet                   the cleaned stories, in the order of the source
    blocks/00000/{words,starts,sketches}.npy       what they are compared by (corpora.building.signatures)
    blocks/00000/{texts,prompts}.npy               hashes of text and prompt
    blocks/00000/changes.jsonl                     what normalising changed, if that is asked for
    blocks/00000/facts.json                        counts of what was read, cleaned and left out
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.building.processes import spread
from corpora.building.signatures import Signatures, sign
from corpora.cleaning.cleaner import Cleaner, Cleaning
from corpora.errors import UserError
from corpora.folders import read_json, write_array, write_json, write_json_lines
from corpora.progress import Meter
from corpora.sources import Source
from corpora.stories import SCHEMA


@dataclass(frozen=True)
class Recipe:
    """What is done with the stories of a block."""

    cleaning: Cleaning | None
    """None leaves them as they are."""
    words: int
    """Words in the n-grams of the sketches."""
    seed: int = 0
    """Of the sketches."""
    changes: bool = False
    """Whether to write down what normalising changed."""


class Block:
    """One whole block of a working folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    @cached_property
    def facts(self) -> dict[str, Any]:
        """`stories` (their number), `read`, `skipped` (sentences) and `cleaning`, the tallies by language."""
        return read_json(self.folder / "facts.json")

    def signatures(self) -> Signatures:
        """What the stories are compared by."""
        return Signatures.load(self.folder)

    def array(self, name: str) -> np.ndarray:
        """`texts` (stories, 2) or `prompts` (stories,), hashes of uint64; 0 for no prompt."""
        return np.load(self.folder / f"{name}.npy")

    def table(self, columns: list[str] | None = None) -> pa.Table:
        """The cleaned stories."""
        return pq.read_table(self.folder / "stories.parquet", schema=SCHEMA, columns=columns)


def working_folder(output: str | os.PathLike[str]) -> Path:
    """Where a build keeps what is finished of it: hidden, beside its output."""
    target = Path(output)
    return target.with_name(f".{target.name}.building")


def begin(folder: Path, identity: Mapping[str, Any]) -> None:
    """Make the working folder, or go on in the one that is there; one of another source or other options is removed."""
    key = json.dumps(identity, sort_keys=True, ensure_ascii=False, default=str)
    made_for = folder / "identity.json"
    if folder.exists() and not (made_for.exists() and made_for.read_text(encoding="utf-8") == key):
        shutil.rmtree(folder)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        (partial / "identity.json").write_text(key, encoding="utf-8")
        try:
            os.rename(partial, folder)
        except OSError:  # another job of the same build was quicker
            shutil.rmtree(partial)


def make_blocks(
    folder: Path,
    source: Source,
    recipe: Recipe,
    size: int,
    workers: int,
    part: tuple[int, int] = (0, 1),
) -> list[Block]:
    """Make the blocks that are missing, of `part` (number, of how many) only; returns all blocks of the source.

    Args:
        folder: the working folder.
        source: where the stories come from.
        recipe: what is done with them.
        size: stories (or files, where the source reads files) in a block.
        workers: processes.
        part: the first number counts from 0.
    """
    (folder / "blocks").mkdir(exist_ok=True)
    meter = Meter("Reading and cleaning")
    count = 0

    def missing() -> Iterator[tuple[Path, list[Any]]]:
        nonlocal count
        for block in source.blocks(size):
            path = folder / "blocks" / f"{count:05d}"
            if count % part[1] == part[0] and not path.exists():
                yield path, block
            count += 1

    for stories in spread(make_block, missing(), workers, (source, recipe)):
        meter.add(stories)
    return [Block(folder / "blocks" / f"{number:05d}") for number in range(count)]


def make_block(source: Source, recipe: Recipe, path: Path, block: list[Any]) -> int:
    """Read, clean and sign one block, and put it in its place whole; returns the number of stories read."""
    stories, skipped = source.read_block(block)
    changes: list[dict[str, Any]] = []
    cleaner = Cleaner(recipe.cleaning, changes.append if recipe.changes else None) if recipe.cleaning else None
    kept = [clean for story in stories if (clean := cleaner(story)[0])] if cleaner else stories
    tallies = {
        code: {**vars(tally), "examples": list(map(asdict, tally.examples))}
        for code, tally in (cleaner.tally.items() if cleaner else ())
    }
    facts = {"stories": len(kept), "read": len(stories), "skipped": skipped, "cleaning": tallies}
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        columns = [[getattr(story, name) for story in kept] for name in SCHEMA.names]
        pq.write_table(pa.table(columns, schema=SCHEMA), partial / "stories.parquet", compression="lz4")
        sign([story.text for story in kept], recipe.words, recipe.seed).save(partial)
        texts = [_digest(f"{story.language}\n{story.text}", 16) for story in kept]
        write_array(partial / "texts.npy", np.frombuffer(b"".join(texts), np.uint64).reshape(-1, 2))
        prompts = [_digest(story.prompt, 8) if story.prompt else bytes(8) for story in kept]
        write_array(partial / "prompts.npy", np.frombuffer(b"".join(prompts), np.uint64))
        if recipe.changes:
            write_json_lines(partial / "changes.jsonl", changes)
        write_json(partial / "facts.json", facts)
        os.rename(partial, path)
    except OSError:
        if not path.exists():  # else another process made the same block
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(stories)


def check_ids(ids: pa.ChunkedArray) -> None:
    """UserError if two stories have one id."""
    import pyarrow.compute as pc

    if len(pc.unique(ids)) < len(ids):
        counts = pc.value_counts(ids)
        name = counts.field(0)[pc.index(pc.greater(counts.field(1), 1), True).as_py()].as_py()
        raise UserError(f"two stories have the id {name!r}; give each its own.")


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
