"""Cleaning of stories one by one: normalise, identify the language, filter; every change and rejection is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from corpora.cleaning.filters import Filters
from corpora.cleaning.normalize import Normalization, normalize
from corpora.cleaning.rules import Edit, restore
from corpora.stories import Story

EXAMPLES = 5
"""Rejected stories of each language and reason that are shown."""

_NORMALIZATION, _FILTERS = Normalization(), Filters()


@dataclass(frozen=True)
class Cleaning:
    """What is done to stories before they go into a corpus.

    Args:
        normalization: the form their text is brought into; null leaves it as it is.
        filters: what is rejected, stories in another language than they say among it; null rejects nothing.
    """

    normalization: Normalization | None = _NORMALIZATION
    filters: Filters | None = _FILTERS


@dataclass(frozen=True)
class Example:
    """A rejected story, for people to look at."""

    id: str
    reason: str
    evidence: str


@dataclass
class Tally:
    """What cleaning did to the stories of one language. Tallies of parts of a corpus add up."""

    rules: Counter[str] = field(default_factory=Counter)
    """Places changed by each rule of the normaliser, and places flagged."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Stories rejected for each reason."""
    examples: list[Example] = field(default_factory=list)
    """The first few stories rejected for each reason."""
    kept: int = 0
    """Stories kept."""

    def reject(self, story: Story, reason: str, evidence: str) -> None:
        """Count a rejected story."""
        self.rejected[reason] += 1
        if self.rejected[reason] <= EXAMPLES:
            self.examples.append(Example(story.id, reason, evidence))

    def __add__(self, other: Tally) -> Tally:
        shown: Counter[str] = Counter()
        examples = []
        for example in self.examples + other.examples:
            shown[example.reason] += 1
            if shown[example.reason] <= EXAMPLES:
                examples.append(example)
        return Tally(self.rules + other.rules, self.rejected + other.rejected, examples, self.kept + other.kept)


class Cleaner:
    """Cleans one story after another and keeps the tally.

    Args:
        options: what is done.
        log: called with the record of each kept story that was changed, from which `restore_story` makes the original.
    """

    def __init__(self, options: Cleaning, log: Callable[[dict[str, Any]], None] | None = None):
        self.options = options
        self.log = log
        self.tally: dict[str, Tally] = {}

    def __call__(self, story: Story) -> tuple[Story | None, str]:
        """The cleaned story and "", or None and the reason why it is rejected."""
        tally = self.tally.setdefault(story.language, Tally())
        clean, record = self._normalize(story, tally)
        rejection = self.options.filters.check(clean.text, clean.language) if self.options.filters else None
        if rejection:
            tally.reject(story, rejection.reason, rejection.evidence)
            return None, rejection.reason
        tally.kept += 1
        if self.log and (record["text"] or record["title"]):
            self.log(record)
        return clean, ""

    def _normalize(self, story: Story, tally: Tally) -> tuple[Story, dict[str, Any]]:
        options = self.options.normalization
        record: dict[str, Any] = {"id": story.id, "language": story.language, "text": [], "title": []}
        if options is None:
            return story, record
        edits: dict[str, list[Edit] | None] = {part: record[part] if self.log else None for part in ("text", "title")}
        text = normalize(story.text, story.language, tally.rules, options, edits["text"])
        title = normalize(story.title, story.language, None, options, edits["title"]) if story.title else ""
        if text == story.text and title == story.title:
            return story, record
        return replace(story, text=text, title=title), record


def restore_story(story: Story, record: dict[str, Any]) -> Story:
    """The story as it was before it was normalised; UserError if the record is another story's."""
    return replace(story, text=restore(story.text, record["text"]), title=restore(story.title, record["title"]))
