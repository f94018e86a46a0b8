"""The ledger of a corpus: what came from which source, under which licence, and whom it asks to name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from corpora.errors import UserError
from corpora.publishing.licenses import Purpose, check
from corpora.stories import Story


@dataclass
class Entry:
    """What one source gave under one licence and attribution."""

    stories: int = 0
    characters: int = 0
    languages: set[str] = field(default_factory=set)
    first: tuple[str, str] = ("", "")
    """Id and title of the story with the smallest id."""


class Ledger:
    """Stories and characters by source, licence and attribution; an accumulator, as those of `statistics`."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str, str], Entry] = {}

    def add(self, story: Story) -> None:
        """Enter one story."""
        entry = self.entries.setdefault((story.source, story.license, story.attribution), Entry())
        self._enter(entry, Entry(1, len(story.text), {story.language}, (story.id, story.title)))

    def merge(self, other: Ledger) -> None:
        """Add what another shard entered."""
        for key, entry in other.entries.items():
            self._enter(self.entries.setdefault(key, Entry()), entry)

    @staticmethod
    def _enter(entry: Entry, more: Entry) -> None:
        entry.first = min(entry.first, more.first) if entry.stories else more.first
        entry.stories += more.stories
        entry.characters += more.characters
        entry.languages |= more.languages

    def rows(self) -> list[dict[str, Any]]:
        """One row for each source and licence, for the manifest.

        `attribution` is the one that all its stories have; `attributions` says how many different ones there are, and
        `unattributed` how many stories have none.
        """
        found: dict[tuple[str, str], list[tuple[str, Entry]]] = {}
        for (source, license, attribution), entry in sorted(self.entries.items()):
            found.setdefault((source, license), []).append((attribution, entry))
        rows = []
        for (source, license), entries in found.items():
            named = [attribution for attribution, _ in entries if attribution]
            rows.append(
                {
                    "source": source,
                    "license": license,
                    "stories": sum(entry.stories for _, entry in entries),
                    "characters": sum(entry.characters for _, entry in entries),
                    "languages": sorted({code for _, entry in entries for code in entry.languages}),
                    "attribution": named[0] if len(named) == 1 else "",
                    "attributions": len(named),
                    "unattributed": sum(entry.stories for attribution, entry in entries if not attribution),
                }
            )
        return rows

    def licenses(self) -> list[str]:
        """The licences, sorted; empty for stories without one."""
        return sorted({license for _, license, _ in self.entries})

    def attributions(self) -> list[dict[str, Any]]:
        """One row for each attribution; `id` and `title` are given where it is of a single story."""
        rows: list[dict[str, Any]] = []
        for (source, license, attribution), entry in sorted(self.entries.items()):
            if attribution:
                identifier, title = entry.first if entry.stories == 1 else ("", "")
                row = {"attribution": attribution, "license": license, "source": source, "stories": entry.stories}
                rows.append({**row, "languages": " ".join(sorted(entry.languages)), "id": identifier, "title": title})
        return rows

    def attribution_csv(self) -> str:
        """The attributions as CSV; empty if no story has one."""
        rows = self.attributions()
        if not rows:
            return ""
        file = io.StringIO()
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return file.getvalue()

    def state(self) -> list[list[Any]]:
        """Plain JSON values from which `from_state` makes the same ledger."""
        return [
            [*key, entry.stories, entry.characters, sorted(entry.languages), list(entry.first)]
            for key, entry in self.entries.items()
        ]

    @classmethod
    def from_state(cls, state: Iterable[Iterable[Any]]) -> Ledger:
        """The ledger that `state` was taken of."""
        ledger = cls()
        for source, license, attribution, stories, characters, languages, first in state:
            key = source, license, attribution
            ledger.entries[key] = Entry(stories, characters, set(languages), (first[0], first[1]))
        return ledger


def check_ledger(rows: Iterable[Mapping[str, Any]], purpose: Purpose) -> None:
    """`check`, and UserError for stories to publish whose licence asks to name somebody and that name nobody."""
    rows = list(rows)
    check((row["license"] for row in rows), purpose)
    for row in rows:
        if purpose == "publish" and row["unattributed"] and row["license"].startswith("CC-BY"):
            raise UserError(
                f"{row['license']} asks to name the authors, but {row['unattributed']:,} stories of {row['source']!r} "
                "name nobody; build the corpus again with --source.attribution."
            )
