"""Exact and near-duplicates within a language: the first story stays, and what is alike shares a group.

Stories are compared by the Jaccard similarity of their word n-grams (words with all their vowel signs and joiners).
MinHash (rensa) and locality-sensitive hashing find the candidate pairs; the similarity of every candidate is then
computed exactly, so no story is removed by an estimate. A pair at the lower threshold is found with a probability of at
least 95 %, which rises quickly above it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from corpora.errors import UserError
from corpora.stories import Story

_WORD = re.compile(r"[^\s!-/:-@\[-`{-~।॥‘’“”«»–—…•]+")
_PERMUTATIONS = 128
_WHOLE_BUCKET = 48
"""Buckets up to this size have all their pairs compared; in larger ones each meets its neighbour and the first."""


@dataclass(frozen=True)
class Duplicates:
    """What counts as a duplicate.

    Args:
        remove: stories at least this similar to an earlier one are removed (Jaccard, 0 to 1; above 1: only copies).
        relate: stories at least this similar share a group, so that a split never parts them.
        words: length of the word n-grams that are compared.
    """

    remove: float = 0.8
    relate: float = 0.6
    words: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.relate <= self.remove:
            raise UserError(f"the similarities must be 0 < relate ≤ remove, not {self.relate} and {self.remove}.")
        if self.words < 1:
            raise UserError(f"the word n-grams cannot be {self.words} words long; take at least 1.")


@dataclass
class Deduplicated:
    """What is left, and what was found."""

    stories: list[Story]
    """In their order; `group` is shared by all that a split must keep together."""
    exact: dict[str, int] = field(default_factory=dict)
    """Exact copies removed, by language."""
    near: dict[str, int] = field(default_factory=dict)
    """Near-duplicates removed, by language."""
    related: dict[str, int] = field(default_factory=dict)
    """Pairs left in the corpus that are similar enough to share a group, by language."""
    removed: list[dict[str, str | float]] = field(default_factory=list)
    """One record for each story removed: `id`, the `kept` story's id, the `reason` and the `similarity`."""


def deduplicate(stories: Sequence[Story], options: Duplicates = Duplicates(), seed: int = 0) -> Deduplicated:
    """Remove what repeats an earlier story of its language, and tie what is alike into groups, over all languages."""
    result = Deduplicated([])
    groups = Groups()
    removed: set[int] = set()
    for language in dict.fromkeys(story.language for story in stories):
        indices = [number for number, story in enumerate(stories) if story.language == language]
        result.exact[language] = result.near[language] = result.related[language] = 0
        first: dict[str, int] = {}
        distinct = []
        for index in indices:
            kept = first.setdefault(stories[index].text, index)
            if kept == index:
                distinct.append(index)
                continue
            removed.add(index)
            result.exact[language] += 1
            _record(result, groups, stories, index, kept, "exact", 1.0)
        pairs = similar_pairs([stories[index].text for index in distinct], options.relate, options.words, seed)
        for a, b, similarity in pairs:
            earlier, later = distinct[a], distinct[b]
            if similarity >= options.remove and earlier not in removed and later not in removed:
                removed.add(later)
                result.near[language] += 1
                _record(result, groups, stories, later, earlier, "near", similarity)
            else:
                groups.tie(_group(stories[earlier]), _group(stories[later]))
        result.related[language] = sum(distinct[a] not in removed and distinct[b] not in removed for a, b, _ in pairs)
    for number, story in enumerate(stories):
        if number not in removed:
            result.stories.append(replace(story, group=groups.find(_group(story))))
    return result


def similar_pairs(
    texts: Sequence[str], threshold: float, words: int = 3, seed: int = 0
) -> list[tuple[int, int, float]]:
    """Pairs (earlier, later, Jaccard similarity) of at least the threshold, sorted by (later, earlier).

    Taken in this order, a story is removed only for an earlier one that stays.
    """
    shingles = _shingles(texts, words)
    if len(texts) < 2:
        return []
    sketch = _sketch(shingles, seed)
    candidates = _candidates(sketch, _rows_per_band(threshold))
    # The estimate's standard error is at most 0.044; three of them below the threshold an exact look is not needed.
    estimate = np.concatenate(
        [
            (sketch[candidates[i : i + 65536, 0]] == sketch[candidates[i : i + 65536, 1]]).mean(axis=1)
            for i in range(0, len(candidates), 65536)
        ]
        or [np.zeros(0)]
    )
    pairs = []
    for a, b in candidates[estimate >= threshold - 0.13].tolist():
        similarity = _jaccard(shingles[a], shingles[b])
        if similarity >= threshold:
            pairs.append((a, b, similarity))
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))


class Groups:
    """Union-find over group names; a set's name is the one that came first."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._order: dict[str, int] = {}

    def find(self, name: str) -> str:
        """The name of the set that holds `name`."""
        self._order.setdefault(name, len(self._order))
        root = name
        while (parent := self._parent.get(root, root)) != root:
            root = parent
        while name != root:
            self._parent[name], name = root, self._parent.get(name, name)
        return root

    def tie(self, a: str, b: str) -> None:
        """Make one set of the sets that hold `a` and `b`."""
        first, second = sorted((self.find(a), self.find(b)), key=self._order.__getitem__)
        self._parent[second] = first


def _record(
    result: Deduplicated,
    groups: Groups,
    stories: Sequence[Story],
    index: int,
    kept: int,
    reason: str,
    similarity: float,
) -> None:
    groups.tie(_group(stories[kept]), _group(stories[index]))
    result.removed.append(
        {"id": stories[index].id, "kept": stories[kept].id, "reason": reason, "similarity": round(similarity, 4)}
    )


def _group(story: Story) -> str:
    return story.group or story.id


def _shingles(texts: Sequence[str], words: int) -> list[np.ndarray]:
    """The sorted 64-bit hashes of each text's word n-grams; of the whole text, where it is shorter."""
    numbers: dict[str, int] = {}
    factors = np.random.default_rng(0x5EED).integers(1, 2**63, size=words, dtype=np.uint64) * np.uint64(2) + np.uint64(
        1
    )
    result = []
    for text in texts:
        ids = np.array([numbers.setdefault(word, len(numbers) + 1) for word in _WORD.findall(text.lower())], np.uint64)
        windows = max(1, len(ids) - words + 1)
        hashes = np.zeros(windows, np.uint64)
        for offset, factor in enumerate(factors[: max(1, len(ids))] if len(ids) else ()):
            part = ids[offset : offset + windows] * factor
            hashes += part ^ (part >> np.uint64(29))
        result.append(np.unique(hashes))
    return result


def _sketch(shingles: Sequence[np.ndarray], seed: int) -> np.ndarray:
    """MinHash signatures, (texts, permutations) of uint32."""
    from rensa import RMinHash

    offsets = np.concatenate([[0], np.cumsum([len(row) for row in shingles])]).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(shingles), offsets, _PERMUTATIONS, seed)
    return np.array(matrix.to_rows(), dtype=np.uint32)


def _rows_per_band(threshold: float) -> int:
    """The most rows per band that still find a pair at the threshold with a probability of 95 %."""
    for rows in range(16, 1, -1):
        if 1 - (1 - threshold**rows) ** (_PERMUTATIONS // rows) >= 0.95:
            return rows
    return 1


def _candidates(sketch: np.ndarray, rows: int) -> np.ndarray:
    """Distinct pairs (earlier, later) of texts that agree in a whole band, (pairs, 2) of int64."""
    count = len(sketch)
    found = [np.zeros(0, np.int64)]
    for start in range(0, _PERMUTATIONS - rows + 1, rows):
        band = np.ascontiguousarray(sketch[:, start : start + rows]).view(np.dtype((np.void, 4 * rows))).ravel()
        _, bucket = np.unique(band, return_inverse=True)
        order = np.argsort(bucket, kind="stable")
        bounds = np.flatnonzero(np.diff(bucket[order])) + 1
        for members in np.split(order, bounds):
            if len(members) < 2:
                continue
            if len(members) <= _WHOLE_BUCKET:
                a, b = np.triu_indices(len(members), 1)
                found.append(members[a] * count + members[b])
            else:
                found.append(members[:-1] * count + members[1:])
                found.append(members[0] * count + members[1:])
    codes = np.unique(np.concatenate(found))
    return np.stack([codes // count, codes % count], axis=1)


def _jaccard(a: np.ndarray, b: np.ndarray) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)
