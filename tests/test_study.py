"""The whole way through the Snakefile: from a study's YAML to a report, and nothing done twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

TINY = """
languages: [hi, bn]
corpus:
  source: Generator
  source.languages: [hi, bn]
  source.stories: 160
tokenizers:
  sentencepiece-bpe: {vocabulary_size: 700}
  characters: {}
comparison:
  seeds: 2
  probe.characters: 6000
  probe.held_out_characters: 2000
training:
  trainer.max_steps: 12
  model.parameters: 150000
  data.batch_size: 4
  samples.stories: 0
scores: {stories: 3, max_new_tokens: 40, documents: 6}
classification:
  corpus: results/tiny/corpus
  items: 10
"""


def study(folder: Path, name: str, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", folder]
    command += ["--cores", "2", "--configfile", name, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)


@pytest.mark.slow
def test_a_tiny_study_ends_with_a_report_and_publishable_models_and_is_then_up_to_date(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    done = study(tmp_path, "tiny.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    out = tmp_path / "results" / "tiny"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Hindi" in page and "Bengali" in page and "Marathi" not in page and "Katha-72" in page
    for language in ("hi", "bn"):
        model, scores = out / "models" / language, json.loads((out / "scores" / language / "scores.json").read_text())
        assert (model / "model.safetensors").exists() and (model / "tokenizer.json").exists()
        assert f"{scores['bits_per_character']['value']:.3f}" in (model / "README.md").read_text(encoding="utf-8")
        assert list((model / ".eval_results").glob("*.yaml"))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    again = study(tmp_path, "tiny.yaml")
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}

    (tmp_path / "tiny.yaml").write_text(TINY + "training_of: {bn: {trainer.max_steps: 14}}\n")
    changed = study(tmp_path, "tiny.yaml")
    assert changed.returncode == 0, changed.stderr[-3000:]
    steps = {
        language: json.loads((out / "runs" / language / "manifest.json").read_text())["steps"]
        for language in ("hi", "bn")
    }
    assert steps == {"hi": 12, "bn": 14}
    assert list((out / "runs").glob("bn.before-*/checkpoints/*.ckpt")), "the earlier run steps aside, it is not deleted"
    assert (out / "report.html").read_text(encoding="utf-8") != page


@pytest.mark.slow
def test_parts_of_a_corpus_are_separate_jobs_and_a_killed_one_is_restarted(tmp_path):
    """Two local workers make four parts; one is killed and run again; the corpus is that of a single build."""
    rng = random.Random(0)
    vocabulary = ["".join(rng.choices("कखगघचछजझटठडढतथदधनपफबभमयरलवसह", k=3)) for _ in range(3000)]
    stories = ({"text": " ".join(rng.choices(vocabulary, k=150)), "language": "hi"} for _ in range(24_000))
    (tmp_path / "stories.jsonl").write_text("".join(json.dumps(s, ensure_ascii=False) + "\n" for s in stories))
    corpus = "source: JSONLines, source.path: stories.jsonl, block: 200, cleaning.filters: 'null'"
    (tmp_path / "parts.yaml").write_text(
        TINY.replace("corpus:\n", f"corpus_parts: 4\ncorpus: {{{corpus}}}\nnothing:\n", 1)
    )
    target, working = "results/parts/corpus/manifest.json", tmp_path / "results" / "parts" / ".corpus.building"
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    command += ["--cores", "2", "--retries", "1", "--configfile", "parts.yaml", "--", target]
    with open(tmp_path / "log", "w") as log:
        running = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
        while not (jobs := part_jobs(tmp_path)) or len(list(working.glob("blocks/[0-9]*"))) < 10:
            assert running.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.02)
        os.kill(jobs[0], signal.SIGKILL)
        assert running.wait(300) == 0, (tmp_path / "log").read_text()[-3000:]
    log = (tmp_path / "log").read_text()
    assert log.count("Error in rule corpus_part:") == 1 and log.count("rule corpus_part:") == 1 + 5
    assert not working.exists() and not list((tmp_path / "results" / "parts").glob("corpus_parts/*"))
    alone = [
        "corpora",
        "build",
        "--source",
        "JSONLines",
        "--source.path",
        "stories.jsonl",
        "--output",
        "alone",
        "--cleaning.filters",
        "null",
    ]
    subprocess.run([sys.executable, "-m", "kathalab", *alone], cwd=tmp_path, check=True, capture_output=True)
    manifests = (json.loads(path.read_text()) for path in (tmp_path / target, tmp_path / "alone" / "manifest.json"))
    assert len({manifest["fingerprint"] for manifest in manifests}) == 1
    again = study(tmp_path, "parts.yaml", "--", target)
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr


def part_jobs(folder: Path) -> list[int]:
    """The processes that make a part of a corpus in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if b"--part" in arguments and (process / "cwd").resolve() == folder.resolve():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("options", "sentence"), [([], "needs the path to its data"), (["data=absent"], "no file or folder")]
)
def test_a_study_without_its_data_is_one_sentence(tmp_path, options, sentence):
    (tmp_path / "needy.yaml").write_text(TINY.replace("source: Generator", 'source.path: "{data}"'))
    failed = study(tmp_path, "needy.yaml", *(["--config", *options] if options else []))
    assert failed.returncode != 0
    assert "kathalab: error: " in failed.stderr and sentence in failed.stderr
    assert "Traceback" not in failed.stderr
