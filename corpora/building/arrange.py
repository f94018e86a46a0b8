"""Which stories of a build stay, in which group and in which split: decided over signatures and names alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpora.building.blocks import Block, check_ids
from corpora.building.deduplicate import Clusters, Duplicates, cluster, tied
from corpora.building.similarity import Collection
from corpora.building.split import Split, place_groups
from corpora.errors import UserError
from corpora.folders import read_json, write_array, write_json
from corpora.stories import SPLITS

LEFT_OUT = -1


@dataclass
class Stories:
    """What is known of the stories of all blocks without their text, (stories,) each."""

    ids: pa.StringArray
    languages: np.ndarray
    """Index into `codes`."""
    codes: list[str]
    """In the order in which the languages first come."""
    groups: np.ndarray
    """Index into `names`."""
    names: pa.StringArray
    """The groups the stories come with, in the order in which they first come."""

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> Stories:
        """Read them; UserError if there are none, or two have one id."""
        tables = [block.table(["id", "language", "group"]) for block in blocks]
        if not any(len(table) for table in tables):
            raise UserError(_why_none(blocks))
        table = pa.concat_tables(tables).combine_chunks()
        check_ids(table["id"])
        ids, languages, groups = (_one(table[name]) for name in ("id", "language", "group"))
        encoded = pc.if_else(pc.equal(groups, ""), ids, groups).dictionary_encode()
        spoken = languages.dictionary_encode()
        return cls(
            ids,
            spoken.indices.to_numpy().astype(np.int64),
            spoken.dictionary.to_pylist(),
            encoded.indices.to_numpy().astype(np.int64),
            encoded.dictionary,
        )


@dataclass
class Arrangement:
    """Where each story goes."""

    places: np.ndarray
    """Index into SPLITS, or LEFT_OUT, (stories,) of int8."""
    groups: np.ndarray
    """Index into `Stories.names` of the group that a story ends in, (stories,) of int64."""
    duplicates: dict[str, dict[str, int]]
    """By language: copies and near-duplicates removed, and related pairs left; empty if they were not looked for."""
    removed: list[tuple[int, int, str, float]]
    """As `Clusters.removed`."""

    def save(self, folder: Path) -> None:
        """Write it; `arrangement.json` comes last."""
        write_array(folder / "places.npy", self.places)
        write_array(folder / "groups.npy", self.groups)
        write_json(folder / "arrangement.json", {"duplicates": self.duplicates, "removed": self.removed})

    @classmethod
    def load(cls, folder: Path) -> Arrangement | None:
        """What `save` wrote; None if it did not come to its end."""
        if not (folder / "arrangement.json").exists():
            return None
        return cls(
            np.load(folder / "places.npy"), np.load(folder / "groups.npy"), **read_json(folder / "arrangement.json")
        )


def arrange(
    stories: Stories,
    blocks: Sequence[Block],
    collection: Collection,
    duplicates: Duplicates | None,
    shares: Split,
    seed: int,
    given: Mapping[str, str],
) -> Arrangement:
    """Find duplicates, tie groups and decide splits.

    Args:
        stories: of the blocks.
        blocks: for the hashes of texts and prompts.
        collection: the stories' signatures.
        duplicates: what counts as a duplicate; None keeps all.
        shares: how groups are shared out.
        seed: decides the splits.
        given: group -> split, for stories that come with splits of their own: then nothing is shared out.
    """
    found = Clusters(np.ones(len(stories.ids), bool), stories.groups)
    if duplicates:
        texts = np.concatenate([block.array("texts") for block in blocks])
        found = cluster(collection, texts, stories.languages, stories.codes, stories.groups, duplicates)
    groups = found.groups
    if shares.by_prompt and not given:
        prompts = np.concatenate([block.array("prompts") for block in blocks])
        groups = _tied_by_prompt(groups, prompts)
    roots, members = np.unique(groups[found.kept], return_inverse=True)
    names = stories.names.take(pa.array(roots)).to_pylist()
    if given:
        placed = np.array([SPLITS.index(given[name]) for name in names], np.int8)
    else:
        spoken = stories.languages[found.kept]
        by_language = {code: np.unique(members[spoken == number]) for number, code in enumerate(stories.codes)}
        placed = place_groups(names, {code: m for code, m in by_language.items() if len(m)}, shares, seed)
    places = np.full(len(groups), LEFT_OUT, np.int8)
    places[found.kept] = placed[members]
    counts = {code: {n: getattr(found, n)[code] for n in ("exact", "near", "related")} for code in found.exact}
    return Arrangement(places, groups, counts, found.removed)


def largest_group(stories: Stories, arrangement: Arrangement) -> dict[str, Any]:
    """The largest group and its share of the stories: one that is large makes the splits uneven."""
    groups = arrangement.groups[arrangement.places != LEFT_OUT]
    counts = np.bincount(groups)
    largest = int(counts.argmax())
    size = int(counts[largest])
    return {"group": stories.names[largest].as_py(), "stories": size, "share": round(size / len(groups), 4)}


def _tied_by_prompt(groups: np.ndarray, prompts: np.ndarray) -> np.ndarray:
    """The groups, with those tied whose stories were written from one prompt."""
    _, first, which = np.unique(prompts, return_index=True, return_inverse=True)
    origin = first[which]
    again = (origin != np.arange(len(prompts))) & (prompts != 0)
    return tied(groups, groups[origin[again]], groups[again])


def _why_none(blocks: Sequence[Block]) -> str:
    reasons: Counter[str] = Counter()
    for block in blocks:
        for tally in block.facts["cleaning"].values():
            reasons.update(tally["rejected"])
    if not reasons:
        return "the source gave no stories; check its path, its languages and what it left out."
    told = ", ".join(f"{times:,} for {reason!r}" for reason, times in reasons.most_common())
    return f"cleaning rejected all {reasons.total():,} stories ({told}); look at its options, or pass --cleaning null."


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
