"""Leaks: how near held-out stories come to training stories, and what they share word for word.

For each held-out story: the most similar training story among the candidates of locality-sensitive hashing (exact
Jaccard similarity of word n-grams, and the share of the story's n-grams that the other has), and the longest run of
words it shares with any training story. Languages are not told apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.building.runs import SHORTEST, Runs, longest_runs
from corpora.building.signatures import words
from corpora.building.similarity import Collection
from corpora.stories import Story

_ROWS = 3
"""Rows of a band: stories of similarity 0.3 are candidates with a probability of 68 %, of 0.4: 94 %, of 0.5: 99.7 %."""
_BUCKET = 8
"""Training stories of a bucket that are looked at."""
_CANDIDATES = 3
"""Candidates, best by estimate, whose similarity is computed exactly."""


@dataclass
class Leaks:
    """For each held-out story, in their order."""

    held: np.ndarray
    """Numbers of the held-out stories."""
    nearest: np.ndarray
    """Number of the most similar training story; -1 if there is no candidate."""
    similarity: np.ndarray
    """Jaccard similarity to it."""
    containment: np.ndarray
    """Share of the held-out story's n-grams that it has."""
    runs: Runs


def find_leaks(collection: Collection, training: np.ndarray, held: np.ndarray, scratch: Path, workers: int) -> Leaks:
    """Look for leaks from training stories into held-out ones.

    Args:
        collection: the signatures of both.
        training: whether a story is a training story, (stories,) of bool.
        held: numbers of the held-out stories.
        scratch: an existing folder, for files that are needed while it works.
        workers: processes.
    """
    with TemporaryDirectory(dir=scratch) as folder:
        runs = longest_runs(collection, training, held, Path(folder), workers)
    candidates = np.concatenate([_candidates(collection, np.flatnonzero(training), held), runs.story[:, None]], axis=1)
    result = Leaks(held, np.full(len(held), -1), np.zeros(len(held)), np.zeros(len(held)), runs)
    for row, others in enumerate(candidates.tolist()):
        for other in sorted({other for other in others if other >= 0}):
            similarity, containment = collection.jaccard(int(held[row]), other)
            if result.nearest[row] < 0 or similarity > result.similarity[row]:
                result.nearest[row] = other
                result.similarity[row], result.containment[row] = similarity, containment
    return result


def records(leaks: Leaks, stories: Iterable[tuple[str, Story]], ids: pa.StringArray) -> Iterator[dict[str, Any]]:
    """One JSON record for each held-out story.

    Args:
        leaks: what was found.
        stories: the held-out stories with the name of their split or set, in the order of `leaks.held`.
        ids: the id of each story of the collection.
    """
    for row, (split, story) in enumerate(stories):
        nearest, length = int(leaks.nearest[row]), int(leaks.runs.words[row])
        begin, origin = int(leaks.runs.begin[row]), int(leaks.runs.story[row])
        yield {
            "id": story.id,
            "language": story.language,
            "split": split,
            "nearest": ids[nearest].as_py() if nearest >= 0 else "",
            "similarity": round(float(leaks.similarity[row]), 4),
            "containment": round(float(leaks.containment[row]), 4),
            "run_words": length,
            "run_in": ids[origin].as_py() if origin >= 0 else "",
            "run": " ".join(words(story.text)[begin : begin + length]),
        }


class Summary:
    """The records in numbers, by language and split; keeps one number of each kind a story."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[tuple[float, float, int]]] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """Count one record."""
        place = self._found.setdefault((record["language"], record["split"]), [])
        place.append((record["similarity"], record["containment"], record["run_words"]))

    def rows(self) -> list[dict[str, Any]]:
        """One row for each language and split, for the manifest."""
        rows = []
        for (language, split), found in sorted(self._found.items()):
            similarity, containment, run = np.array(found).T
            rows.append(
                {
                    "language": language,
                    "split": split,
                    "stories": len(found),
                    "similarity_median": round(float(np.median(similarity)), 4),
                    "similarity_highest": float(similarity.max()),
                    "containment_highest": float(containment.max()),
                    "half_contained": int((containment >= 0.5).sum()),
                    "run_median": int(np.median(run)),
                    "run_longest": int(run.max()),
                    "runs_of_20_words": int((run >= 20).sum()),
                }
            )
        return rows


def summarize(path: Path) -> list[dict[str, Any]]:
    """The summary of a file of records."""
    summary = Summary()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            summary.add(json.loads(line))
    return summary.rows()


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The summary as lines of text."""
    header = ["language", "split", "stories", "nearest: median", "highest", "half contained", "run: median", "longest"]
    cells = [header] + [
        [
            *(row["language"], row["split"], f"{row['stories']:,}"),
            *(f"{row['similarity_median']:.2f}", f"{row['similarity_highest']:.2f}", f"{row['half_contained']:,}"),
            *(f"{row['run_median'] or f'<{SHORTEST}'}", f"{row['run_longest'] or f'<{SHORTEST}'}"),
        ]
        for row in rows
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )


def _candidates(collection: Collection, training: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Of each held-out story, the training stories that look most alike, (stories, _CANDIDATES); -1 for none."""
    best = np.full((len(held), _CANDIDATES), -1, np.int64)
    score = np.full((len(held), _CANDIDATES), -1, np.float32)
    for band in collection.bands(_ROWS) if len(training) else ():
        order = training[np.argsort(band[training], kind="stable")]
        values = band[order]
        low, high = (np.searchsorted(values, band[held], side=side) for side in ("left", "right"))
        for offset in range(_BUCKET):
            rows = np.flatnonzero(low + offset < high)
            if not len(rows):
                break
            others = order[low[rows] + offset]
            estimate = collection.estimate(held[rows], others)
            worst = score[rows].argmin(axis=1)
            better = (estimate > score[rows, worst]) & ~(best[rows] == others[:, None]).any(axis=1)
            rows, worst = rows[better], worst[better]
            best[rows, worst], score[rows, worst] = others[better], estimate[better]
    return best
