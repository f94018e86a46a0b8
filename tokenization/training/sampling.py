"""The text that a tokenizer is trained on: a corpus's train split, streamed, or a sample of whole stories."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.stories import Story, stream_corpus


@dataclass(frozen=True)
class TrainingText:
    """Stories to train on, which can be gone through several times, and what the manifest says of them."""

    texts: Iterable[str]
    stories: int
    characters: int
    languages: list[str]
    licenses: list[str]
    sample: dict[str, int] | None
    """What was asked for, what it is drawn from and with which seed; None if it is the whole split."""

    def facts(self) -> dict[str, Any]:
        """What the configuration of a manifest says of them."""
        return {
            "languages": self.languages,
            "stories": self.stories,
            "characters": self.characters,
            "sample": self.sample,
        }


@dataclass(frozen=True)
class _Streamed:
    """The texts of a train split, read anew each time."""

    corpus: Path
    languages: list[str] | None

    def __iter__(self) -> Iterator[str]:
        return (story.text for story in stream_corpus(self.corpus, "train", self.languages))


def training_text(
    corpus: Path, languages: list[str] | None = None, sample_characters: int | None = None, seed: int = 0
) -> TrainingText:
    """A corpus's train split, or a sample of it with at most `sample_characters` code points.

    The sample does not depend on the order of the stories, and only it is held in memory: see `draw`. UserError if the
    corpus has no such stories, or the sample no room for one.
    """
    total = {"of_stories": 0, "of_characters": 0}
    found: set[str] = set()
    licenses: set[str] = set()

    def counted() -> Iterator[Story]:
        for story in stream_corpus(corpus, "train", languages):
            total["of_stories"] += 1
            total["of_characters"] += len(story.text)
            if sample_characters is None:
                found.add(story.language)
                licenses.add(story.license)
            yield story

    if sample_characters is None:
        for _ in counted():
            pass
        texts: Iterable[str] = _Streamed(corpus, languages)
        stories, characters, sample = total["of_stories"], total["of_characters"], None
    else:
        drawn = draw(counted(), sample_characters, seed)
        if not drawn:
            raise UserError(
                f"a sample of {sample_characters} characters has no room for the first story drawn from "
                f"{str(corpus)!r}; ask for more characters."
            )
        texts = [story.text for story in drawn]
        found, licenses = {story.language for story in drawn}, {story.license for story in drawn}
        stories, characters = len(drawn), sum(map(len, texts))
        sample = {"characters_asked": sample_characters, "seed": seed, **total}
    return TrainingText(texts, stories, characters, sorted(found), sorted(licenses - {""}), sample)


def draw(stories: Iterable[Story], characters: int, seed: int) -> list[Story]:
    """Whole stories of together at most `characters` code points: the first ones in the order of a hash of their ids.

    The hash is BLAKE2b of the seed and the id, so that the sample is the same in whatever order the stories come, and a
    larger sample holds the smaller one. Holds no more than `characters` and one story in memory.
    """
    kept: list[tuple[int, int, Story]] = []  # a heap with the last in the order first
    size, bound = 0, 2**64
    for number, story in enumerate(stories):
        place = int.from_bytes(hashlib.blake2b(f"{seed} {story.id}".encode(), digest_size=8).digest())
        if place >= bound:
            continue
        heapq.heappush(kept, (-place, number, story))
        size += len(story.text)
        while size > characters:
            last, _, dropped = heapq.heappop(kept)
            size -= len(dropped.text)
            bound = -last
    return [story for _, _, story in sorted(kept, key=lambda entry: (-entry[0], entry[1]))]
