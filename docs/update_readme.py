"""Write the results table of README.md from a study's report: `python docs/update_readme.py results/quickstart`."""

import json
import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def interval(value: dict[str, float], digits: int = 3) -> str:
    """`0.108 [0.105, 0.111]`"""
    if value["low"] is None:
        return f"{value['value']:.{digits}f}"
    return f"{value['value']:.{digits}f} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"


def table(study: Path) -> str:
    """One row per language out of the scores files."""
    rows = [
        "| language | parameters (outside the embedding) | test stories | bits per character | character n-grams | xz "
        "| stories finished |",
        "|---|---|---|---|---|---|---|",
    ]
    for path in sorted(study.glob("scores/*/scores.json")):
        scores = json.loads(path.read_text(encoding="utf-8"))
        floors, parameters = scores["floors"], scores["parameters"]
        rows.append(
            f"| {path.parent.name} | {parameters['total']:,} ({parameters['non_embedding']:,}) | {scores['documents']} "
            f"| **{interval(scores['bits_per_character'])}** "
            f"| {interval(floors['character_ngram']['bits_per_character'])} "
            f"| {interval(floors['compressor']['bits_per_character'])} "
            f"| {scores['generation']['statistics']['finished']['value']:.0%} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    study = Path(sys.argv[1])
    mark = f"<!-- {study.name} -->"
    text = README.read_text(encoding="utf-8")
    pattern = re.compile(f"{mark}.*?{mark}", re.DOTALL)
    if not pattern.search(text):
        sys.exit(f"README.md has no place marked {mark}")
    README.write_text(pattern.sub(lambda _: f"{mark}\n{table(study)}\n{mark}", text), encoding="utf-8")
    print(f"README.md has the results of {study}.")
