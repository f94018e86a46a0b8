"""From a source to a finished corpus folder: normalise, remove duplicates, split, describe."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.card import card
from corpora.deduplicate import Deduplicated, Duplicates, deduplicate
from corpora.errors import UserError
from corpora.folders import new_folder, write_json, write_manifest, write_text
from corpora.normalize import normalize
from corpora.progress import progress
from corpora.sources import Source
from corpora.split import Split, split
from corpora.statistics import collect
from corpora.stories import SPLITS, Story, write_split

_DUPLICATES, _SPLIT = Duplicates(), Split()


def build_corpus(
    source: Source,
    output: str | os.PathLike[str],
    normalization: bool = True,
    duplicates: Duplicates | None = _DUPLICATES,
    shares: Split = _SPLIT,
    seed: int = 0,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Write a corpus folder; returns its statistics by language and split.

    Args:
        source: where the stories come from.
        output: the folder; a corpus that stands there is replaced when the new one is whole.
        normalization: whether to bring the text into one form.
        duplicates: what counts as a duplicate; None keeps all stories.
        shares: how the groups are shared out over the splits.
        seed: decides the splits.

    Raises:
        UserError: no stories, two stories with one id, too few groups, or bad input in the source.
    """
    with new_folder(output) as folder:
        stories = _read(source)
        cleaning: dict[str, Counter[str]] = {}
        if normalization:
            stories = _normalize(stories, cleaning)
        found = deduplicate(stories, duplicates, seed) if duplicates else Deduplicated(_grouped(stories))
        splits = split(found.stories, shares, seed, source.splits())
        collected = collect(splits)
        statistics = collected.summary()
        tables = source.tables()
        _write(folder, splits, list(statistics), tables)
        counts = {language: dict(sorted(changed.items())) for language, changed in sorted(cleaning.items())}
        pairs = {
            language: {"exact": found.exact[language], "near": found.near[language], "related": found.related[language]}
            for language in found.exact
        }
        skipped = list(source.skipped)
        write_json(folder / "statistics.json", statistics)
        write_text(folder / "README.md", card(collected, counts, pairs, len(skipped), source.about, tables))
        if attribution := collected.ledger.attribution_csv():
            write_text(folder / "ATTRIBUTION.csv", attribution)
        write_manifest(
            folder,
            "corpus",
            configuration={
                "source": configuration(source),
                "normalization": normalization,
                "duplicates": asdict(duplicates) if duplicates else None,
                "split": asdict(shares),
                "seed": seed,
            },
            inputs=source.inputs(),
            licenses=[license for license in collected.ledger.licenses() if license],
            ledger=collected.ledger.rows(),
            statistics=statistics,
            stories_read=len(stories),
            skipped=skipped,
            cleaning=counts,
            duplicates=pairs,
            removed=found.removed,
            largest_group=_largest_group(found.stories),
        )
    return statistics


def configuration(source: Source) -> dict[str, Any]:
    """A source's class and the arguments it was made with."""
    names = [name for name in inspect.signature(type(source)).parameters if hasattr(source, name)]
    return {"class": type(source).__name__, **{name: plain(getattr(source, name)) for name in names}}


def plain(value: Any) -> Any:
    """Options in a dataclass as a dictionary, anything else as it is."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _read(source: Source) -> list[Story]:
    stories: list[Story] = []
    seen: set[str] = set()
    for story in progress(source, "Reading stories"):
        if story.id in seen:
            raise UserError(f"two stories have the id {story.id!r}; give each its own.")
        seen.add(story.id)
        stories.append(story)
    if not stories:
        raise UserError("the source holds no stories; check its path and languages.")
    return stories


def _normalize(stories: Sequence[Story], cleaning: dict[str, Counter[str]]) -> list[Story]:
    clean = []
    for story in progress(stories, "Normalising"):
        counts = cleaning.setdefault(story.language, Counter())
        text = normalize(story.text, story.language, counts)
        clean.append(replace(story, text=text, title=normalize(story.title, story.language)))
    return clean


def _grouped(stories: Sequence[Story]) -> list[Story]:
    return [replace(story, group=story.group or story.id) for story in stories]


def _write(
    folder: Path, splits: Mapping[str, Sequence[Story]], languages: Sequence[str], tables: Mapping[str, Any]
) -> None:
    for name in SPLITS:
        for language in languages:
            write_split(folder, name, [story for story in splits[name] if story.language == language])
    for table, parts in tables.items():
        for name, rows in parts.items():
            pq.write_table(pa.Table.from_pylist(rows), folder / f"{table}-{name}.parquet", compression="zstd")


def _largest_group(stories: Sequence[Story]) -> dict[str, Any]:
    """The largest group and its share of the stories: one that is large makes the splits uneven."""
    (name, size), *_ = Counter(story.group for story in stories).most_common(1)
    return {"group": name, "stories": size, "share": round(size / len(stories), 4)}
