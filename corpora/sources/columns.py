"""From a row with named columns to a story."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from corpora.errors import UserError
from corpora.languages import LANGUAGES, get_language
from corpora.publishing.licenses import spdx
from corpora.stories import Story

TEXT_COLUMNS = ("text", "story", "Translated Story", "translated_story", "content")
FIELDS = [field.name for field in fields(Story)]


@dataclass(frozen=True)
class Columns:
    """Which column holds which field, and what holds for rows that do not say."""

    name: str
    """The `source` of rows that name none, and the beginning of ids made up for them."""
    language: str
    """Code of all rows; empty if each says it."""
    columns: Mapping[str, str]
    """Field -> column; "" for a field that no column holds, though one may have its name."""
    license: str
    attribution: str
    generator: str

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.columns) - set(FIELDS)):
            raise UserError(f"a story has no field {unknown[0]!r}; map columns to {', '.join(FIELDS)}.")

    @property
    def wanted(self) -> set[str]:
        """The names of all columns that may be used."""
        return {self.columns.get(field, field) for field in FIELDS} | set(TEXT_COLUMNS)

    def story(self, row: Mapping[str, Any], where: str, identifier: str) -> Story:
        """The story of a row, with this id if it has none; UserError that names the place if it cannot be one."""
        values = {field: _text(row.get(self.columns.get(field, field))) for field in FIELDS}
        values["text"] = self._story_text(row, where)
        if not (self.language or values["language"]):
            raise UserError(f"{where} does not say its language; pass --source.language, or map the column that does.")
        values["language"] = self.language or _code(values["language"])
        values["id"] = values["id"] or identifier
        if values["group"] and self.columns.get("group"):
            values["group"] = f"{self.name}/{values['group']}"
        values["group"] = values["group"] or values["id"]
        values["source"] = values["source"] or self.name
        values["license"] = _license(values["license"]) or self.license
        values["attribution"] = values["attribution"] or self.attribution
        values["generator"] = values["generator"] or self.generator
        return Story(**values)

    def _story_text(self, row: Mapping[str, Any], where: str) -> str:
        candidates = (self.columns["text"],) if "text" in self.columns else TEXT_COLUMNS
        column = next((name for name in candidates if name in row), None)
        if column is None:
            raise UserError(
                f"{where} has no column {' or '.join(map(repr, candidates))}, only {', '.join(map(repr, row))}; "
                'map it with --source.columns \'{"text": "NAME"}\'.'
            )
        if not isinstance(row[column], str) or not row[column].strip():
            raise UserError(f"{where} has no text in column {column!r}; remove it or pass --source.on_bad skip.")
        return row[column].strip()


@cache
def _code(name: str) -> str:
    """A language's code, of its code, its longer codes or its English name."""
    for language in LANGUAGES.values():
        if name.lower() in (language.iso3, language.flores.lower(), language.name.lower()):
            return language.code
    return get_language(name).code


@cache
def _license(written: str) -> str:
    return spdx(written)


def _text(value: Any) -> str:
    """A field's value as text: strings as they are, nothing for null, JSON for the rest."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
