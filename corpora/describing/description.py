"""What there is to say of a corpus: read shard by shard, so that memory grows with its vocabulary and not its text."""

from __future__ import annotations

import hashlib
import heapq
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from math import exp, lgamma
from pathlib import Path
from typing import Any

import yaml

from corpora.describing.statistics import Counts, Statistics, frequent, quantile, scripts
from corpora.errors import UserError
from corpora.folders import read_manifest
from corpora.languages import LANGUAGES, get_language
from corpora.progress import progress
from corpora.publishing.ledger import check_ledger
from corpora.stories import Story, held_splits, stream_corpus

FREQUENT = 25
"""Words in each list of frequent ones."""
_SHOWN = 900
"""Characters of an example."""
_SAMPLE = 10_000
"""Different words are counted in samples of so many words, for a larger corpus always has more of them."""


def describe(folders: Sequence[str], examples: int = 2) -> dict[str, Any]:
    """What the page shows of each corpus, as plain JSON values.

    Args:
        folders: corpus folders.
        examples: stories to show of each language and corpus.

    Raises:
        UserError: a folder is no corpus, or is given twice.
    """
    if len({Path(folder).resolve() for folder in folders}) < len(folders):
        raise UserError("a corpus is given twice; give each folder once.")
    names = _names(folders)
    read = {name: _read(folder, name, examples) for name, folder in zip(names, folders, strict=True)}
    wholes = {name: {code: found.whole(code) for code in found.languages} for name, (found, _, _) in read.items()}
    languages = [code for code in LANGUAGES if any(code in whole for whole in wholes.values())]
    totals = {code: [whole[code].words.total() for whole in wholes.values() if code in whole] for code in languages}
    samples = {code: min([_SAMPLE, *found]) for code, found in totals.items()}
    described = {}
    for name, folder in zip(names, folders, strict=True):
        statistics, shown, manifest = read[name]
        described[name] = {
            "folder": folder,
            "fingerprint": manifest["fingerprint"],
            "source": manifest.get("configuration", {}).get("source", {}),
            "splits": statistics.summary(),
            "languages": {
                code: _language(code, counts, samples[code], shown.get(code, []))
                for code, counts in wholes[name].items()
            },
            "ledger": statistics.ledger.rows(),
            "unpublishable": _unpublishable(statistics),
            **{part: manifest.get(part) or {} for part in ("cleaning", "rejected", "duplicates")},
            "leaks": manifest.get("leaks") or [],
            "stories_read": manifest.get("stories_read", 0),
            "skipped": len(manifest.get("skipped") or []),
        }
    names_of = {code: get_language(code).name for code in languages}
    return {"languages": names_of, "samples": samples, "corpora": described}


def _read(folder: str, name: str, examples: int) -> tuple[Statistics, dict[str, list[Story]], dict[str, Any]]:
    manifest = read_manifest(folder, "corpus")
    statistics = Statistics()
    chosen: dict[str, list[tuple[int, str, Story]]] = {}
    told = ((split, story) for split in held_splits(folder) for story in stream_corpus(folder, split))
    for split, story in progress(told, f"Reading {name}"):
        statistics.add(split, story)
        if examples:
            _keep(chosen.setdefault(story.language, []), story, examples)
    if not statistics.counts:
        raise UserError(f"the corpus {folder!r} holds no stories; build it again.")
    return (
        statistics,
        {code: [story for _, _, story in sorted(found)[::-1]] for code, found in chosen.items()},
        manifest,
    )


def _keep(kept: list[tuple[int, str, Story]], story: Story, number: int) -> None:
    """Keep the stories whose ids have the smallest hashes: always the same ones, from anywhere in the corpus."""
    place = -int.from_bytes(hashlib.blake2b(story.id.encode(), digest_size=7).digest(), "big")
    (heapq.heappush if len(kept) < number else heapq.heappushpop)(kept, (place, story.id, story))


def _language(code: str, counts: Counts, sample: int, shown: Sequence[Story]) -> dict[str, Any]:
    summary = counts.summary()
    letters = scripts(counts.words)
    own = get_language(code).script_property
    in_words = sum(len(word) * times for word, times in counts.words.items())
    return {
        "counts": summary,
        "script": own,
        "own_script": letters[own] / (letters.total() or 1),
        "aksharas_in_word": (summary["aksharas"] - summary["characters"] + in_words) / (summary["words"] or 1),
        "distinct_in_sample": rarefied(counts.words, sample),
        "lengths": {str(length): times for length, times in sorted(counts.word_lengths.items())},
        "words_quantiles": [quantile(counts.word_lengths, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)],
        "frequent": frequent(counts.words, FREQUENT),
        "telling": frequent(counts.words, FREQUENT, stop_words(code)),
        "examples": [
            {"id": story.id, "title": story.title, "text": _cut(story.text), "attribution": story.attribution}
            for story in shown
        ],
    }


def _unpublishable(statistics: Statistics) -> str:
    """Why the corpus may not be published; empty if it may."""
    try:
        check_ledger(statistics.ledger.rows(), "publish")
    except UserError as error:
        return str(error)
    return ""


def _cut(text: str) -> str:
    """The beginning of a text, up to white space."""
    return text if len(text) <= _SHOWN else text[:_SHOWN].rsplit(None, 1)[0] + " …"


def rarefied(words: Mapping[str, int], sample: int) -> float:
    """How many different words a random sample of so many words has on average (Hurlbert 1971, Ecology 52:577).

    E[V(n)] = sum over words of 1 - C(N - f, n) / C(N, n), for frequencies f that sum to N, sampled without replacement.
    """
    total = sum(words.values())
    if sample >= total:
        return float(len(words))
    times: dict[int, int] = {}
    for frequency in words.values():
        times[frequency] = times.get(frequency, 0) + 1
    expected = 0.0
    for frequency, number in times.items():
        rest = total - frequency
        missed = exp(_log_choose(rest, sample) - _log_choose(total, sample)) if rest >= sample else 0.0
        expected += number * (1 - missed)
    return expected


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


@cache
def stop_words(code: str) -> frozenset[str]:
    """A language's function words, also in NFC; empty for a language without a list."""
    text = (Path(__file__).parent / "stop_words.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text).get(code, "").split()
    return frozenset(found) | {unicodedata.normalize("NFC", word) for word in found}


def _names(folders: Sequence[str]) -> list[str]:
    """The folders' names; their parents' where two are the same (`lab/corpus`), and whole paths where those are too."""
    paths = [Path(folder).resolve() for folder in folders]
    for names in ([path.name for path in paths], [path.parent.name for path in paths]):
        if len(set(names)) == len(names) and names != ["corpus"]:
            return names
    return [path.as_posix() for path in paths]
