"""The comparison for a paper: the verdict, tables of few columns, definitions beneath."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.report import bounds, written
from tokenization.comparing import tables
from tokenization.comparing.glossary import capital, glossary, head

_MOST_COLUMNS = 6
_SPECIAL = re.compile(r"[\\`|_*]|<(?=\S)|\](?=\()")


def render(comparison: Mapping[str, Any]) -> str:
    """The comparison as GitHub's Markdown; a table of many columns is parted into several."""
    setup = comparison["setup"]
    lines = [f"# {_plain(comparison['title'])}", "", _plain(tables.verdict(comparison)), ""]
    lines += _section("Ranked", [tables.summary(comparison)])
    lines += _section(
        "Small models", [tables.budget(comparison), tables.bits(comparison), tables.generation(comparison)]
    )
    if left := tables.unranked(comparison):
        names = ", ".join(map(_plain, left))
        lines += [f"Not ranked, for what they do not give back costs them nothing: {names}.", ""]
    for entry in comparison["tokenizers"]:
        if "skipped" in entry["probe"]:
            lines += [f"{_plain(entry['name'])} was not probed: {_plain(entry['probe']['skipped'])}", ""]
    if comparison["curve"]:
        lines += ["## Vocabulary size", "", _plain(comparison["curve"]["optimum"]["sentence"]), ""]
        points = comparison["curve"]["points"]
        lines += _table(
            ["Vocabulary", "Embedding share", "Bits per character"],
            [
                [
                    written(point["vocabulary_size"], "whole"),
                    written(point["embedding_share"], "percent"),
                    _with_bounds(point["bits_per_character"], "three"),
                ]
                for point in points
            ],
        )
    titles = {name: head(definition["title"]) for name, definition in comparison["definitions"].items()}
    if comparison["prediction"]:
        lines += ["## What predicts bits per character", ""]
        lines += _table(
            ["Measure", "Spearman’s ρ", "Tokenizers"],
            [
                [
                    _plain(titles.get(row["measure"], row["measure"])),
                    _with_bounds(row["spearman"], "three"),
                    str(row["tokenizers"]),
                ]
                for row in comparison["prediction"]
            ],
        )
    by_title: dict[str, list[tables.Table]] = {}
    for table in [*tables.intrinsic(comparison), tables.scripts(comparison)]:
        if table:
            by_title.setdefault(table.title, []).append(table)
    for title, parts in by_title.items():
        lines += _section(title, parts)
    lines += ["## Definitions", ""]
    for definition in glossary([comparison]).values():
        better = f" ({definition['better']} is better)" if definition["better"] else ""
        source = f" [{_plain(definition['source'])}]" if definition["source"] else ""
        lines.append(f"- **{_plain(capital(definition['title']))}**{better}: {_plain(definition['formula'])}.{source}")
    texts = "; ".join(
        f"{text['name']}: {text['what']} ({written(text['documents'], 'whole')} documents, "
        f"{written(text['characters'], 'whole')} characters)"
        for text in setup["texts"]
    )
    settings = {_plain(name): _plain(str(value)) for name, value in setup["probe"].items()}
    lines += [
        "",
        "## Set-up",
        "",
        f"Languages: {', '.join(setup['languages'])}. Corpus: `{setup['corpus']}`, {setup['split']} split. "
        f"Texts: {_plain(texts)}. Reference: {_plain(setup['reference'])}. In brackets: 95 % intervals.",
        "",
        "The probe: " + ", ".join(f"{name} {value}" for name, value in settings.items()) + ".",
        "",
    ]
    return "\n".join(lines)


def _section(title: str, given: Sequence[tables.Table | None]) -> list[str]:
    lines = [f"## {_plain(title)}", ""]
    for table in given:
        rows = [row for row in table.rows if row.cells] if table else []
        if not table or not rows:
            continue
        for start in range(0, len(table.columns), _MOST_COLUMNS):
            end = start + _MOST_COLUMNS
            lines += _table(
                ["Tokenizer", *(column.title for column in table.columns[start:end])],
                [[_named(row), *(map(_cell, row.cells[start:end], table.columns[start:end]))] for row in rows],
            )
    return lines


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table and the empty one behind it; `rows` are Markdown already, `header` is text."""
    align = ["---"] + ["---:"] * (len(header) - 1)
    return [*("| " + " | ".join(row) + " |" for row in ([_plain(title) for title in header], align, *rows)), ""]


def _named(row: tables.Row) -> str:
    return _plain(row.name) + (" (published)" if row.published else "")


def _cell(cell: tables.Cell, column: tables.Column) -> str:
    text = f"**{cell.text}**" if cell.best else cell.text
    if not cell.under:
        return text
    return f"{text} ({cell.under})" if column.definition in ("", "scripts") else f"{text} [{cell.under}]"


def _with_bounds(measured: Mapping[str, Any], style: str) -> str:
    between = bounds(measured, style)
    return written(measured, style) + (f" [{between}]" if between else "")


def _plain(text: str) -> str:
    """Text on one line that neither ends a cell nor begins Markdown or HTML of its own."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
