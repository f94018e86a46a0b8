"""A study of tokenizers on two corpora, small: from its YAML to one page, and nothing done twice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

TINY = """
languages: [hi]
corpora:
  plain: {source: Generator, source.languages: [hi], source.stories: 160, source.styles: [plain]}
  other: {source: Generator, source.languages: [hi], source.stories: 160, source.seed: 1}
tokenizers:
  sentencepiece-bpe: {vocabulary_size: 700}
  sentencepiece-bpe-500: {kind: sentencepiece-bpe, vocabulary_size: 500}
  bytelevel-bpe-gpt2: {vocabulary_size: 60000, or_largest: true}
comparison: {seeds: 2, probe.parameters: 300000, probe.held_out_characters: 2000, probe.generated: 2}
comparison_of:
  plain: {probe.characters: 5000}
  other: {probe.characters: 4000}
"""


def study(folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", folder]
    command += ["--cores", "2", "--configfile", "tiny.yaml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)


@pytest.mark.slow
def test_every_corpus_is_compared_and_scored_on_the_other(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    done = study(tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    out = tmp_path / "results" / "tiny"
    for name, other, characters in (("plain", "other", 5000), ("other", "plain", 4000)):
        result = json.loads((out / name / "comparisons" / "hi" / "comparison.json").read_text())
        assert result["title"] == f"Hindi stories: {name}"
        assert 0.5 * characters < result["setup"]["probe"]["training_characters"] <= characters
        first = result["tokenizers"][0]
        assert {"test", "katha72", "test_misspelt", other} <= first["probe"]["texts"].keys()
    assert len(json.loads((out / "tokenizers.json").read_text())["comparisons"]) == 2
    page = out / "tokenizers.html"
    before = page.stat().st_mtime_ns
    assert study(tmp_path).returncode == 0 and page.stat().st_mtime_ns == before
