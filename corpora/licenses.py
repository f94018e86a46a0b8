"""Licences: one name for each, what may go together into a published set, and whom the stories ask to name.

spdx("CC BY 4.0")                      # 'CC-BY-4.0', an identifier of https://spdx.org/licenses
check(["CC-BY-4.0", ""], "publish")    # UserError: one story's licence is not known
Ledger                                 # stories, characters and attributions by source and licence; add and merge
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from corpora.errors import UserError
from corpora.stories import Story

Purpose = Literal["publish", "train"]

_ALIASES = {
    "APACHE": "Apache-2.0",
    "APACHE-2": "Apache-2.0",
    "CC-0": "CC0-1.0",
    "CC-ZERO": "CC0-1.0",
    "CC0": "CC0-1.0",
    "CDLA-PERMISSIVE": "CDLA-Permissive-2.0",
    "CDLA-SHARING": "CDLA-Sharing-1.0",
    "GFDL": "GFDL-1.3-or-later",
    "GPL": "GPL-3.0-or-later",
    "GPL-2.0+": "GPL-2.0-or-later",
    "GPL-3.0+": "GPL-3.0-or-later",
    "ODBL": "ODbL-1.0",
    "ODC-BY": "ODC-By-1.0",
    "PDDL": "PDDL-1.0",
    "PUBLIC-DOMAIN": "LicenseRef-Public-Domain",
    "ALL-RIGHTS-RESERVED": "LicenseRef-All-Rights-Reserved",
    "NO-LICENSE": "",
    "NONE": "",
    "OTHER": "",
    "UNKNOWN": "",
}
_COMMONS = re.compile(r"CC-(BY(?:-NC)?(?:-SA|-ND)?|BY-(?:SA|ND)-NC)(?:-(\d\.\d))?(?:-(?:INTERNATIONAL|UNPORTED|DEED))?")
_ADDRESS = re.compile(r"https?://creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)|publicdomain/(zero|mark)/1\.0)")
_NAMES = ("CREATIVE-COMMONS", "ATTRIBUTION", "SHARE-ALIKE", "SHAREALIKE", "NON-COMMERCIAL", "NONCOMMERCIAL")
_SHORT = ("CC", "BY", "SA", "SA", "NC", "NC")
_FAMILIES = {
    "CC-BY-SA-1": "CC BY-SA 1.0",
    "CC-BY-SA": "CC BY-SA",
    "CC-BY-NC-SA": "CC BY-NC-SA",
    "CDLA-Sharing": "CDLA-Sharing",
    "GFDL": "GFDL",
    "GPL": "GPL",
    "AGPL": "AGPL",
    "LGPL": "LGPL",
    "ODbL": "ODbL",
}
"""Licences that ask for the same licence again, by how their identifiers begin; versions of one go together."""


def spdx(license: str) -> str:
    """The SPDX identifier of a licence as people, footers and the Hub write it; empty where they say it is unknown.

    A Creative Commons licence without a version is taken as 4.0. UserError for one that is not known.
    """
    written = license.strip().strip("[]").strip()
    if match := _ADDRESS.match(written.lower()):
        kind, version, public = match.groups()
        if public:
            return "CC0-1.0" if public == "zero" else "LicenseRef-Public-Domain"
        return f"CC-{kind.upper()}-{version}"
    plain = re.sub(r"[\s_-]+", "-", re.sub(r"(?i)\s*licen[sc]e\b|,|\bversion\b", " ", written)).strip("-").upper()
    for name, short in zip(_NAMES, _SHORT, strict=True):
        plain = plain.replace(name, short)
    if not plain or plain in _ALIASES:
        return _ALIASES.get(plain, "")
    if match := _COMMONS.fullmatch(plain):
        kind = {"BY-SA-NC": "BY-NC-SA", "BY-ND-NC": "BY-NC-ND"}.get(match[1], match[1])
        return f"CC-{kind}-{match[2] or '4.0'}"
    return _registered(written) or _registered(plain) or _unknown(license)


def _registered(name: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return ""


def _unknown(license: str) -> str:
    raise UserError(
        f"the licence {license!r} is not known; write its identifier from https://spdx.org/licenses, e.g. CC-BY-4.0, "
        "or LicenseRef-NAME for one that has none."
    )


def check(licenses: Iterable[str], purpose: Purpose) -> None:
    """UserError, with the reason and what to do, if stories under these licences cannot be used together so.

    For "publish" every licence has to be known and has to allow sharing changed texts with anybody, and at most one
    family of licences may ask for itself again. For "train", on one's own machine, only "all rights reserved" is
    refused. This holds common licences' plain terms and is no legal advice.

    Args:
        licenses: SPDX identifiers; empty for unknown.
        purpose: what the stories are used for.
    """
    found = sorted({spdx(license) for license in licenses})
    instead = "leave those stories out, or do not publish the set"
    for license in found:
        if license == "LicenseRef-All-Rights-Reserved":
            raise UserError(
                "all rights of some stories are reserved, so they may not be used; leave those stories out."
            )
        if purpose == "train":
            continue
        if not license:
            raise UserError(
                "the licence of some stories is not known, so nobody may be given them; pass --source.license if you "
                f"know it, else {instead}."
            )
        if re.search(r"-NC\b", license):
            raise UserError(
                f"{license} forbids commercial use, and a published set cannot hold others to that; {instead}."
            )
        if re.search(r"-ND\b", license):
            raise UserError(f"{license} forbids sharing changed texts, and cleaning changes them; {instead}.")
    families = {name: license for license in found if (name := _family(license))}
    if purpose == "publish" and len(families) > 1:
        raise UserError(
            f"{' and '.join(families.values())} each ask that the whole be shared under themselves alone; publish one "
            "data set for each."
        )


def _family(license: str) -> str:
    """The family of a licence that asks for itself again; empty if it does not."""
    return next((name for start, name in _FAMILIES.items() if license.startswith(start)), "")


def hub_name(license: str) -> str:
    """The Hub's name for a licence: the SPDX identifier in lower case, `other` or `unknown`."""
    if not license:
        return "unknown"
    return "other" if license.startswith("LicenseRef-") or " " in license else license.lower()


def address(license: str) -> str:
    """Where a licence's terms stand; empty if it has no page."""
    if match := re.fullmatch(r"CC-([A-Z-]+)-(\d\.\d)", license):
        return f"https://creativecommons.org/licenses/{match[1].lower()}/{match[2]}/"
    if license == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    return f"https://spdx.org/licenses/{license}.html" if license and not license.startswith("LicenseRef-") else ""


@dataclass
class Entry:
    """What one source gave under one licence and attribution."""

    stories: int = 0
    characters: int = 0
    languages: set[str] = field(default_factory=set)
    first: tuple[str, str] = ("", "")
    """Id and title of the story with the smallest id."""


class Ledger:
    """Stories and characters by source, licence and attribution; an accumulator, as `corpora.statistics` has them."""

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


def ledger(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Rows of a ledger from the number of stories by (source, licence) alone."""
    totals = Counter(counts)
    return [
        {"source": source, "license": license, "stories": totals[source, license]} for source, license in sorted(totals)
    ]
