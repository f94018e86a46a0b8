"""Filters: why a story is no good for a corpus of children's stories, or that nothing speaks against it.

Each filter has a name, which is the reason under which a story is rejected, and evidence, which shows a person why.
The thresholds were set on one half of Pratham Books' stories (even numbers) and measured on the other
(`tests/benchmarks/bench_cleaning.py`). A filter is left out by naming it in `without`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from corpora.cleaning import faults
from corpora.cleaning.faults import Text
from corpora.errors import UserError
from corpora.languages import get_language


class Rejection(NamedTuple):
    """Why a story is rejected."""

    reason: str
    """The filter's name."""
    evidence: str
    """What it found."""


@dataclass(frozen=True)
class Filters:
    """What a story must be like. Shares are between 0 and 1.

    Args:
        least_words: shorter stories are rejected ("length"); words are parted by white space.
        most_words: longer ones too.
        script: least share of letters in the language's script ("script").
        foreign: greatest share of words in sentences that are in another language ("mixed languages").
        copied: greatest share of words that may repeat an earlier part in one piece ("repetition").
        loop: most words that may be one phrase again and again without a break ("repetition").
        order: least score of the order of words, in bits above what parts text from shuffled text ("word order").
        without: names of filters that are not applied.
    """

    least_words: int = 20
    most_words: int = 5000
    script: float = 0.95
    foreign: float = 0.05
    copied: float = 0.25
    loop: int = 10
    order: float = 0.0
    without: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        unknown = set(self.without) - set(FILTERS)
        if unknown:
            raise UserError(f"there is no filter {sorted(unknown)[0]!r}; choose from {', '.join(FILTERS)}.")

    def check(self, text: str, language: str) -> Rejection | None:
        """The first reason against a normalised story, or None."""
        story = Text(text, get_language(language))
        for name, find in FILTERS.items():
            if name not in self.without and (evidence := find(story, self)):
                return Rejection(name, evidence)
        return None


FILTERS: dict[str, Callable[[Text, Filters], str]] = {
    # In the order in which they are applied.
    "length": lambda story, limits: faults.wrong_length(story, limits.least_words, limits.most_words),
    "html": lambda story, limits: faults.html(story),
    "mojibake": lambda story, limits: faults.mojibake(story),
    "personal data": lambda story, limits: faults.personal_data(story),
    "script": lambda story, limits: faults.other_script(story, limits.script),
    "language": lambda story, limits: faults.wrong_language(story),
    "mixed languages": lambda story, limits: faults.mixed_languages(story, limits.foreign),
    "adult words": lambda story, limits: story.blocked.get("adult", ""),
    "violent words": lambda story, limits: story.blocked.get("violent", ""),
    "repetition": lambda story, limits: faults.repetition(story, limits.copied, limits.loop),
    "unfinished": lambda story, limits: faults.unfinished(story),
    "word order": lambda story, limits: faults.disordered(story, limits.order),
}
