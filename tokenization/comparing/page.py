"""The comparison as one self-contained HTML page, with its JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from corpora.languages import LANGUAGES
from corpora.page import write_page
from evaluation.report import bounds, written
from tokenization.comparing import tables
from tokenization.comparing.explorer import drawn, packed
from tokenization.comparing.glossary import GROUPS, capital, glossary, head
from tokenization.comparing.plots import Dot, interval_rows, scatter, size_curve

TEMPLATE = Path(__file__).parent / "templates" / "comparison.html.j2"
SHOWN_MEASURES = 16
"""Rank correlations that are drawn; the table holds all."""
STATIC_SENTENCES = 2
"""Sentences of the explorer that a reader without script sees."""


def write_comparison_page(
    comparisons: Sequence[dict[str, Any]], page: Path, title: str = "Tokenizers compared"
) -> None:
    """Write the page of one or several comparisons and its JSON: the comparison itself, or `{"title", "comparisons"}`.

    `title`: heading of several; one has its own. UserError if the page's name does not end in .html.
    """
    from markupsafe import Markup

    shown = comparisons[0] if len(comparisons) == 1 else {"title": title, "comparisons": list(comparisons)}
    definitions = glossary(comparisons)
    groups = groupby(sorted(definitions.items(), key=lambda item: _place(item[1]["group"])), lambda x: x[1]["group"])
    write_page(
        page,
        TEMPLATE,
        shown,
        {"written": written, "bounds": bounds, "capital": capital},
        command="tokenization compare",
        parts=[_part(comparison, f"c{number}") for number, comparison in enumerate(comparisons, start=1)],
        shown_measures=SHOWN_MEASURES,
        script=Markup(TEMPLATE.with_name("comparison.js").read_text(encoding="utf-8")),
        glossary={group: dict(items) for group, items in groups},
    )


def embedded(value: Any) -> str:
    """JSON that may stand in a script element: no text in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _place(group: str) -> int:
    order = ("probe", "generation", *GROUPS)
    return order.index(group) if group in order else len(order)


def _part(comparison: Mapping[str, Any], anchor: str) -> dict[str, Any]:
    """What the page shows of one comparison; `anchor` begins its ids."""
    languages = comparison["setup"]["languages"]
    names = " and ".join(LANGUAGES[code].name if code in LANGUAGES else code for code in languages)
    return {
        "anchor": anchor,
        "comparison": comparison,
        "language": languages[0] if len(languages) == 1 else None,
        "languages": names,
        "published": any(entry["published"] for entry in comparison["tokenizers"]),
        "verdict": tables.verdict(comparison),
        "unranked": tables.unranked(comparison),
        "summary": tables.summary(comparison),
        "budget": tables.budget(comparison),
        "bits": tables.bits(comparison),
        "generation": tables.generation(comparison),
        "intrinsic": tables.intrinsic(comparison),
        "scripts": tables.scripts(comparison),
        "prediction": _prediction(comparison),
        "figures": _figures(comparison),
        "explorer": _explorer(comparison),
    }


def _figures(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """The figures by name, as SVG; those without data are left out."""
    from markupsafe import Markup

    ranking = comparison["ranking"] or {"text": "", "order": []}
    text = ranking["text"]
    entries = {entry["name"]: entry for entry in comparison["tokenizers"]}
    probed = [entries[name] for name in ranking["order"]]
    found = {}

    def dots(of: Sequence[Mapping[str, Any]], measure: str | None = None) -> list[Dot]:
        return [
            Dot(
                entry["name"],
                "published" if entry["published"] else "own",
                entry["measures"][measure] if measure else entry["probe"]["texts"][text]["bits_per_character"],
            )
            for entry in of
        ]

    if probed:
        found["bits"] = interval_rows(dots(probed), f"bits per character, {text}")
    with_both = [e for e in probed if (e["measures"].get("fertility") or {}).get("value") is not None]
    if len(with_both) > 1:
        found["fertility"] = scatter(
            dots(with_both, "fertility"), dots(with_both), "tokens per word (fertility)", f"bits per character, {text}"
        )
    if comparison["curve"]:
        found["curve"] = size_curve(comparison["curve"])
    strongest = [Dot(row["title"], "measure", row["spearman"]) for row in _prediction(comparison)[:SHOWN_MEASURES]]
    if strongest:
        found["prediction"] = interval_rows(strongest, "rank correlation with bits per character", (-1, 1))
    return {name: Markup(svg) for name, svg in found.items()}


def _prediction(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rank correlations that could be computed, the strongest first, with the measures' titles."""
    definitions = comparison["definitions"]
    titles = {name: head(definition["title"]) for name, definition in definitions.items()}
    rows = [
        {**row, "title": titles.get(row["measure"], row["measure"])}
        for row in comparison["prediction"]
        if row["spearman"]["value"] is not None
    ]
    return sorted(rows, key=lambda row: -abs(row["spearman"]["value"]))


def _explorer(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """The pieces of every sentence by tokenizer: a few drawn for all readers, all as JSON for the script."""
    from markupsafe import Markup

    sentences, cuts = comparison["explorer"]["sentences"], comparison["explorer"]["cuts"]
    groups = {
        name: [drawn(sentence, spans) for sentence, spans in zip(sentences, found, strict=True)]
        for name, found in cuts.items()
    }
    data = {
        "sentences": sentences,
        "tokenizers": [
            {
                "name": name,
                "sentences": [
                    {"pieces": len(cuts[name][number]), **_broken(found), "groups": packed(found)}
                    for number, found in enumerate(by_sentence)
                ],
            }
            for name, by_sentence in groups.items()
        ],
    }
    return {
        "sentences": sentences,
        "static": data["tokenizers"],
        "shown": range(min(STATIC_SENTENCES, len(sentences))),
        "json": Markup(embedded(data)),
    }


def _broken(groups: Sequence[Sequence[Any]]) -> dict[str, int]:
    aksharas = [akshara for group in groups for akshara in group]
    return {"broken": sum(akshara.tokens > 1 for akshara in aksharas), "aksharas": len(aksharas)}
