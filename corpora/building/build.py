"""From a source to a finished corpus folder, in stages that each go on where a killed build stopped.

1. The source is read, cleaned and signed in blocks (`blocks`), by several processes.
2. Over the signatures alone: duplicates are found, groups tied, splits decided (`deduplicate`, `split`).
3. Leaks from training stories into the others are looked for (`leaks`).
4. The splits are written shard by shard (`shards`).

What is finished lies in a hidden folder beside the output until the corpus is whole. Memory does not grow with the
text, but by a few hundred bytes a story.
"""

from __future__ import annotations

import inspect
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.building.arrange import Arrangement, Stories, arrange, largest_group
from corpora.building.blocks import Block, Recipe, begin, make_blocks, working_folder
from corpora.building.deduplicate import Duplicates
from corpora.building.leaks import find_leaks, records, summarize
from corpora.building.processes import cores
from corpora.building.shards import plan, stories_of, write_shards
from corpora.building.similarity import Collection
from corpora.building.split import TRAIN, Split
from corpora.cleaning.cleaner import Cleaning, Example, Tally
from corpora.errors import UserError
from corpora.folders import (
    check_replaceable,
    new_folder,
    read_manifest,
    versions,
    write_json,
    write_json_lines,
    write_manifest,
    write_pieces,
    write_text,
)
from corpora.publishing.card import card
from corpora.sources import Source
from corpora.stories import SPLITS

_CLEANING, _DUPLICATES, _SPLIT = Cleaning(), Duplicates(), Split()
_LISTED = 10_000
"""Up to so many removed stories are named in the manifest; `removed.jsonl` names them all where there are more."""


def build_corpus(
    source: Source,
    output: str | os.PathLike[str],
    cleaning: Cleaning | None = _CLEANING,
    duplicates: Duplicates | None = _DUPLICATES,
    shares: Split = _SPLIT,
    seed: int = 0,
    workers: int = 0,
    block: int = 10_000,
    part: tuple[int, int] = (0, 1),
    changes: bool = False,
) -> dict[str, Any]:
    """Write a corpus folder; returns its manifest.

    Args:
        source: where the stories come from.
        output: the folder; a corpus that stands there is replaced when the new one is whole.
        cleaning: how the text is cleaned; None leaves it as it is.
        duplicates: what counts as a duplicate; None keeps all stories.
        shares: how the groups are shared out over the splits.
        seed: decides the splits.
        workers: processes; 0 for as many as there are cores.
        block: stories (or files, where the source reads files) that are read and cleaned at a time.
        part: (number from 0, of how many): with more than one, only that share of the blocks is made, and a build
            without `part` goes on from there.
        changes: whether to write changes.jsonl, from which each story's text can be made what it was.

    Raises:
        UserError: no stories, two stories with one id, too few groups, or bad input in the source.
    """
    target, folder = Path(output), working_folder(output)
    check_replaceable(target)
    configured = {
        "source": configuration(source),
        "cleaning": asdict(cleaning) if cleaning else None,
        "duplicates": asdict(duplicates) if duplicates else None,
        "split": asdict(shares),
        "seed": seed,
    }
    workers = workers or cores()
    begin(folder, {**configured, "inputs": source.inputs(), "block": block, "changes": changes, "versions": versions()})
    try:
        recipe = Recipe(cleaning, (duplicates or _DUPLICATES).words, seed, changes)
        blocks = make_blocks(folder, source, recipe, block, workers, part)
        if part[1] > 1:
            return {}
        if len(blocks) == 1:
            workers = 1
        stories = Stories.of(blocks)
        arrangement = _arrange(
            folder, stories, blocks, recipe.words, duplicates, shares, seed, source.splits(), workers
        )
        with new_folder(target) as finished:
            _write(folder, finished, source, stories, blocks, arrangement, configured, workers)
            manifest = read_manifest(finished)
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except BaseException:
        if not any((folder / "blocks").glob("[0-9]*")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder)
    return manifest


def configuration(source: Source) -> dict[str, Any]:
    """A source's class and the arguments it was made with."""
    names = [name for name in inspect.signature(type(source)).parameters if hasattr(source, name)]
    return {"class": type(source).__name__, **{name: plain(getattr(source, name)) for name in names}}


def plain(value: Any) -> Any:
    """Options in a dataclass as a dictionary, a source as its configuration, anything else as it is."""
    if isinstance(value, Source):
        return configuration(value)
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _arrange(
    folder: Path,
    stories: Stories,
    blocks: Sequence[Block],
    length: int,
    duplicates: Duplicates | None,
    shares: Split,
    seed: int,
    given: Mapping[str, str],
    workers: int,
) -> Arrangement:
    """The arrangement and the leaks, which are written to the working folder; read from there if they are."""
    arrangement, leaks = Arrangement.load(folder), folder / "leaks.jsonl"
    if arrangement and leaks.exists():
        return arrangement
    collection = Collection([block.signatures() for block in blocks], length)
    if not arrangement:
        arrangement = arrange(stories, blocks, collection, duplicates, shares, seed, given)
        arrangement.save(folder)
    held = np.flatnonzero(arrangement.places > TRAIN)
    training = arrangement.places == TRAIN
    if len(held) and training.any():
        found = find_leaks(collection, training, held, folder, workers)
        splits = (SPLITS[place] for place in arrangement.places[held])
        told = ((split, story) for split, story in zip(splits, stories_of(blocks, held), strict=True))
        write_json_lines(leaks, records(found, told, stories.ids))
    else:
        write_text(leaks, "")
    return arrangement


def _write(
    folder: Path,
    finished: Path,
    source: Source,
    stories: Stories,
    blocks: Sequence[Block],
    arrangement: Arrangement,
    configured: Mapping[str, Any],
    workers: int,
) -> None:
    names = stories.names.take(pa.array(arrangement.groups))
    shards = plan(stories.languages, stories.codes, arrangement.places, names)
    statistics = write_shards(folder / "shards", blocks, shards, workers)
    for shard in shards:
        os.link(folder / "shards" / shard.name, finished / shard.name)
    tables = source.tables()
    for table, parts in tables.items():
        for name, rows in parts.items():
            pq.write_table(pa.Table.from_pylist(rows), finished / f"{table}-{name}.parquet", compression="zstd")
    skipped = [sentence for block in blocks for sentence in block.facts["skipped"]] or list(source.skipped)
    tallies = _tallies(blocks)
    cleaning = {code: dict(sorted(tally.rules.items())) for code, tally in tallies.items()}
    removed = [
        {"id": stories.ids[a].as_py(), "kept": stories.ids[b].as_py(), "reason": reason, "similarity": round(s, 4)}
        for a, b, reason, s in arrangement.removed
    ]
    facts = {
        "statistics": statistics.summary(),
        "stories_read": sum(block.facts["read"] for block in blocks),
        "skipped": skipped,
        "cleaning": cleaning,
        "rejected": {code: dict(sorted(tally.rejected.items())) for code, tally in tallies.items() if tally.rejected},
        "rejected_examples": {
            code: list(map(asdict, tally.examples)) for code, tally in tallies.items() if tally.examples
        },
        "duplicates": arrangement.duplicates,
        "removed": removed[:_LISTED],
        "largest_group": largest_group(stories, arrangement),
    }
    if len(removed) > _LISTED:
        write_json_lines(finished / "removed.jsonl", removed)
    if (folder / "leaks.jsonl").stat().st_size:
        os.link(folder / "leaks.jsonl", finished / "leaks.jsonl")
        facts["leaks"] = summarize(folder / "leaks.jsonl")
    if any((block.folder / "changes.jsonl").exists() for block in blocks):
        write_pieces(finished / "changes.jsonl", ((block.folder / "changes.jsonl").read_bytes() for block in blocks))
    write_json(finished / "statistics.json", facts["statistics"])
    page = card(
        statistics,
        cleaning,
        arrangement.duplicates,
        len(skipped),
        source.about,
        tables,
        facts["rejected"],
        facts.get("leaks", []),
    )
    write_text(finished / "README.md", page)
    if attribution := statistics.ledger.attribution_csv():
        write_text(finished / "ATTRIBUTION.csv", attribution)
    licenses = [license for license in statistics.ledger.licenses() if license]
    inputs = source.inputs()  # again: what a source asks for or downloads is there only now
    write_manifest(finished, "corpus", configured, inputs, licenses, ledger=statistics.ledger.rows(), **facts)


def _tallies(blocks: Sequence[Block]) -> dict[str, Tally]:
    """What cleaning did, by language, over all blocks."""
    total: dict[str, Tally] = {}
    for block in blocks:
        for code, tally in block.facts["cleaning"].items():
            examples = [Example(**example) for example in tally["examples"]]
            counted = Tally(Counter(tally["rules"]), Counter(tally["rejected"]), examples, tally["kept"])
            total[code] = total.get(code, Tally()) + counted
    return dict(sorted(total.items()))
