"""All probes of a comparison: each is kept as soon as it is done, and a killed comparison goes on after the last."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.folders import read_json, write_json
from corpora.stories import Story
from tokenization.folder import load_tokenizer
from tokenization.opening.tokenizer import Tokenizer
from tokenization.probe.settings import ProbeSettings
from tokenization.probe.sizes import Size

if TYPE_CHECKING:
    from tokenization.probe.training import ProbeRun

FORMAT = 1
"""Raised when what a probe does changes, so that runs kept by older code are made again."""


@dataclass(frozen=True)
class Probed:
    """A tokenizer that can serve a small model: a folder of the lab's."""

    tokenizer: Tokenizer
    folder: Path
    size: Size


def run_probes(
    candidates: Sequence[Probed],
    reference: str,
    training: Sequence[Story],
    texts: Mapping[str, Sequence[Story]],
    settings: ProbeSettings,
    seeds: int,
    keep: Path,
) -> dict[str, list[ProbeRun]]:
    """The runs of every tokenizer, one per seed 0, 1, …; those that lie in the folder `keep` are not made again."""
    from tokenization.probe.training import ProbeRun, run_probe, spent_on

    budget = None
    if settings.equal == "compute":
        yardstick = next(candidate for candidate in candidates if candidate.tokenizer.name == reference)
        budget = spent_on(yardstick.tokenizer, yardstick.size, training, settings)
    found: dict[str, list[ProbeRun]] = {}
    for number, candidate in enumerate(candidates):
        runs, name = [], candidate.tokenizer.name
        fast = None
        for seed in range(seeds):
            path = keep / f"{name}-{seed}-{_key(candidate, training, texts, settings, seed, budget)}.json"
            if path.is_file():
                runs.append(ProbeRun(**read_json(path)))
                continue
            fast = fast or load_tokenizer(candidate.folder)
            what = f"probe {number * seeds + seed + 1} of {len(candidates) * seeds}: {name}, seed {seed}"
            print(what, file=sys.stderr, flush=True)
            run = run_probe(candidate.tokenizer, fast, candidate.size, training, texts, settings, seed, budget)
            write_json(path, asdict(run))
            runs.append(run)
        found[name] = runs
    return found


def _key(
    candidate: Probed,
    training: Sequence[Story],
    texts: Mapping[str, Sequence[Story]],
    settings: ProbeSettings,
    seed: int,
    budget: float | None,
) -> str:
    """What decides a run's result, as a short hash."""
    stories = {"training": training, **texts}
    read = {name: [(story.id, story.text) for story in chosen] for name, chosen in stories.items()}
    facts = [FORMAT, candidate.tokenizer.fingerprint, asdict(candidate.size), asdict(settings), seed, budget, read]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()[:16]
