"""A study of arms from end to end, tiny: grammar, its translation by a translator made on the way, and another seed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

TINY = """
languages: [hi]
english: &one
  {source: Generator, source.languages: [en], source.stories: 60, source.plots: [rainy_day], source.styles: [plain]}
parallel: {<<: *one, source.languages: [en, hi], source.stories: 300, source.seed: 1}
translator:
  languages: [hi]
  training.width: 128
  training.layers: 2
  training.updates: 900
  training.batch_tokens: 512
  training.vocabulary_size: 900
  training.learning_rate: 2.0e-3
arms:
  grammar:
    corpus: {source: Generator, source.languages: [hi], source.stories: 60}
  translated:
    corpus:
      source: Translation
      source.model: "{translator}"
      source.corpus: "{english}"
      source.languages: [hi]
      source.work: "{arm}/translations"
  other:
    corpus: {source: Generator, source.languages: [hi], source.stories: 60, source.seed: 2}
    training: {trainer.max_steps: 8}
scored_on: other
tokenizer_arm: other
tokenizers:
  sentencepiece-bpe: {vocabulary_size: 700}
training:
  trainer.max_steps: 12
  model.parameters: 150000
  data.batch_size: 4
  samples.stories: 0
seeds: [1, 2]
scores: {stories: 2, max_new_tokens: 20, documents: 3}
"""


@pytest.mark.slow
def test_the_arms_are_made_and_measured_on_the_same_stories(tmp_path):
    (tmp_path / "arms.yaml").write_text(TINY)
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    command += ["--cores", "2", "--configfile", "arms.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "results" / "arms" / "arms.json").read_text())["hi"]
    assert set(found["held_out"]["bits_per_character"]) == {"grammar", "translated", "other"}
    assert set(found["katha72"]["differences"]) == {"grammar - translated", "grammar - other", "translated - other"}
    given = found["trained_on"]
    assert given["grammar"]["parameters"] == given["other"]["parameters"]
    assert given["grammar"]["tokens_seen"] > given["other"]["tokens_seen"] > 0
    assert "translated" in (tmp_path / "results" / "arms" / "corpora.html").read_text()
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr
