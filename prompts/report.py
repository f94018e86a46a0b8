"""A study of classifiers as one self-contained HTML page, with its JSON beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.languages import LANGUAGES
from corpora.page import write_page
from evaluation.report import bounds, written
from prompts.harness import tables
from prompts.harness.figures import curve_style, method_rows, seen_unseen

TEMPLATE = Path(__file__).parent / "templates" / "prompts.html.j2"
SHOWN_NEIGHBOURS = 12


def write_study_page(results: Mapping[str, Any], page: Path) -> None:
    """Write the page of a study's results, and beside it their JSON. UserError if its name does not end in .html."""
    write_page(
        page,
        TEMPLATE,
        results,
        {"written": written, "bounds": bounds, "name": tables.language_name, "shade": shade},
        command="prompts study",
        sections=[_section(part, f"p{number}") for number, part in enumerate(results["parts"], start=1)],
        neighbours=neighbours(results),
        left_out=tables.left_out(results),
        runs=[(part["title"], row) for part in results["parts"] for row in part["rows"]],
    )


def shade(share: float) -> str:
    """How dark a cell of a confusion matrix is, as a percentage for CSS."""
    return f"{round(100 * min(max(share, 0.0), 1.0))}%"


def neighbours(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """The label words of the first method that names them: class -> language -> words, the heaviest first."""
    for part in results["parts"]:
        for row in part["rows"]:
            if words := row["facts"].get("verbalizer"):
                return {"title": row["title"], **_arranged(words)}
    return None


def _arranged(words: list[dict[str, Any]]) -> dict[str, Any]:
    by_class: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for word in words:
        by_class.setdefault(word["class"], {}).setdefault(word["language"], []).append(word)
    for by_language in by_class.values():
        for code, found in by_language.items():
            by_language[code] = sorted(found, key=lambda word: -word["weight"])[:SHOWN_NEIGHBOURS]
    languages = [code for code in LANGUAGES if any(code in found for found in by_class.values())]
    return {"languages": languages, "classes": by_class}


def _section(part: Mapping[str, Any], anchor: str) -> dict[str, Any]:
    """What the page shows of one part."""
    from markupsafe import Markup

    rows = {row["method"]: row for row in part["rows"]}
    curves = [rows[method] for method in part["confusions_of"] if rows[method]["curve"]]
    label = f"{tables.MEASURES[part['by']].lower()}, %"
    return {
        "anchor": anchor,
        "part": part,
        "design": tables.design(part),
        "sentences": tables.sentences(part),
        "tables": tables.tables(part),
        "rows_figure": Markup(method_rows(part["rows"], part["by"], part["chance"]["mean"], label)),
        "curves": Markup(seen_unseen(curves)) if curves else None,
        "legend": [(curve_style(number), row["title"]) for number, row in enumerate(curves)],
        "confusions": [rows[method] for method in part["confusions_of"]],
    }
