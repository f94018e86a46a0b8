"""A build that is stopped, at whatever moment, goes on and ends with the same bytes as one that is not."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

import kathalab
from corpora.building import arrange, blocks, build, shards
from corpora.folders import read_manifest

LETTERS = "कखगघचछजझटठडढतथदधनपफबभमयरलवसह"


def word(rng):
    return "".join(rng.choice(LETTERS) + rng.choice("ािीुूेो") for _ in range(rng.randrange(1, 4)))


def stories(path, count, words=60):
    """Stories of which every tenth repeats an earlier one, and every seventh with another ending."""
    rng = random.Random(0)
    vocabulary = [word(rng) for _ in range(2000)]
    told = []
    for number in range(count):
        text = " ".join(rng.choice(vocabulary) for _ in range(words))
        if number and number % 10 == 0:
            text = told[rng.randrange(number)]
        elif number and number % 7 == 0:
            text = told[rng.randrange(number)] + " " + word(rng)
        told.append(text)
    with open(path, "w", encoding="utf-8") as file:
        for number, text in enumerate(told):
            row = {"id": f"s{number}", "text": f"{text} |", "prompt": f"विषय {number // 4}" if number % 3 else ""}
            file.write(json.dumps({**row, "language": "mr" if number % 5 == 4 else "hi"}, ensure_ascii=False) + "\n")
    return path


def command(path, output, *options):
    arguments = ["corpora", "build", "--source", "JSONLines", "--source.path", str(path), "--output", str(output)]
    return [*arguments, "--source.license", "CC0-1.0", "--cleaning.filters", "null", *options]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return stories(tmp_path_factory.mktemp("source") / "stories.jsonl", 220)


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    output = tmp_path_factory.mktemp("whole") / "corpus"
    assert kathalab.main(command(source, output, "--block", "50", "--workers", "1")) == 0
    return contents(output)


def test_blocks_and_workers_do_not_change_a_corpus(source, whole, tmp_path):
    assert kathalab.main(command(source, tmp_path / "corpus")) == 0
    other = contents(tmp_path / "corpus")
    assert kathalab.main(command(source, tmp_path / "two", "--block", "7", "--workers", "2")) == 0
    assert whole == other == contents(tmp_path / "two")
    assert {"leaks.jsonl", "README.md", "statistics.json", "train-hi-00000-of-00001.parquet"} < whole.keys()


class Stop(KeyboardInterrupt):
    pass


@pytest.mark.parametrize(
    ("module", "function", "calls"),
    [
        (blocks, "make_block", 0),
        (blocks, "make_block", 3),
        (arrange, "cluster", 0),
        (build, "find_leaks", 0),
        (shards, "_write", 3),
        (build, "write_manifest", 0),
    ],
)
def test_a_build_stopped_anywhere_goes_on_and_ends_the_same(
    source, whole, tmp_path, monkeypatch, capsys, module, function, calls
):
    output = tmp_path / "corpus"
    real, done, made = getattr(module, function), [], []

    def stopping(*arguments, **options):
        if len(done) == calls:
            raise Stop
        done.append(1)
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, function, stopping)
        assert kathalab.main(command(source, output, "--block", "50", "--workers", "1")) == 130
    working = blocks.working_folder(output)
    finished = {path.name for path in (working / "blocks").glob("[0-9]*")} if working.exists() else set()
    assert len(finished) == (calls if function == "make_block" else 5)
    assert working.exists() == bool(finished)

    make_block = blocks.make_block
    monkeypatch.setattr(blocks, "make_block", lambda *a: (made.append(a[2].name), make_block(*a))[1])
    assert kathalab.main(command(source, output, "--block", "50", "--workers", "1")) == 0
    assert not finished & set(made) and len(made) == 5 - len(finished)
    assert contents(output) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_other_options_or_another_source_start_afresh(source, whole, tmp_path, monkeypatch):
    output, path = tmp_path / "corpus", tmp_path / "stories.jsonl"
    path.write_bytes(source.read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(build, "write_manifest", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert kathalab.main(command(path, output, "--block", "50", "--workers", "1")) == 130
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[1:]), encoding="utf-8")
    assert kathalab.main(command(path, output, "--block", "50", "--workers", "1", "--seed", "3")) == 0
    assert read_manifest(output)["stories_read"] == 219 and read_manifest(output)["configuration"]["seed"] == 3


def test_parts_made_apart_are_put_together(source, whole, tmp_path, capsys):
    output = tmp_path / "corpus"
    options = ["--block", "50", "--workers", "1"]
    for part in ("2/3", "1/3", "3/3"):
        assert kathalab.main(command(source, output, *options, "--part", part)) == 0
        assert f"Part {part} of the corpus" in capsys.readouterr().out
    assert not output.exists() and len(list((blocks.working_folder(output) / "blocks").iterdir())) == 5
    assert kathalab.main(command(source, output, *options)) == 0
    assert contents(output) == whole
    assert kathalab.main(command(source, output, "--part", "4/3")) == 1
    assert "NUMBER/OF" in capsys.readouterr().err


@pytest.mark.slow
def test_a_build_killed_at_random_moments_ends_with_the_same_bytes(tmp_path):
    source = stories(tmp_path / "stories.jsonl", 20_000, words=150)
    kathalab_ = [sys.executable, "-m", "kathalab"]
    options = ["--block", "500", "--workers", "2"]
    start = time.monotonic()
    subprocess.run([*kathalab_, *command(source, tmp_path / "whole", *options)], check=True, capture_output=True)
    lasts = time.monotonic() - start
    rng, kills = random.Random(time.time_ns()), 0
    output = tmp_path / "corpus"
    while True:
        process = subprocess.Popen(
            [*kathalab_, *command(source, output, *options)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert process.wait(rng.uniform(0.1, 0.5) * lasts) == 0
            break
        except subprocess.TimeoutExpired:
            # the parent alone, as the out-of-memory killer would, or with its workers
            os.kill(process.pid, signal.SIGKILL) if kills % 2 else os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills >= 2
    assert contents(tmp_path / "whole") == contents(output)
    assert not blocks.working_folder(output).exists()
