"""`kathalab evaluation score`: the folder it writes, that its numbers follow from its records, and bad input."""

from __future__ import annotations

import errno
import json
import math
import shutil

import pytest

import kathalab
from corpora.folders import read_json, read_manifest
from evaluation.katha import summarise as summarise_katha


def score(model, corpus, output, *options: str) -> int:
    arguments = ["evaluation", "score", str(model), "--corpus", str(corpus), "--output", str(output)]
    return kathalab.main([*arguments, "--languages", "[hi]", "--stories", "6", "--max_new_tokens", "40", *options])


@pytest.fixture(scope="module")
def folder(model_folder, corpus, tmp_path_factory):
    output = tmp_path_factory.mktemp("scores") / "hi"
    assert score(model_folder, corpus, output) == 0
    return output


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_summary_follows_from_the_records(folder):
    summary, documents = read_json(folder / "scores.json"), lines(folder / "documents.jsonl")
    characters = sum(document["characters"] for document in documents)
    bits = sum(document["nats"] for document in documents) / math.log(2)
    ngram = sum(document["ngram_nats"] for document in documents) / math.log(2)
    assert summary["documents"] == len(documents) == 9
    assert summary["bits_per_character"]["value"] == pytest.approx(bits / characters)
    floors = summary["floors"]
    assert floors["character_ngram"]["bits_per_character"]["value"] == pytest.approx(ngram / characters)
    assert floors["character_ngram"]["above_model"]["value"] == pytest.approx((ngram - bits) / characters)
    assert floors["compressor"]["bits_per_character"]["value"] < floors["compressor"]["alone"]["value"]
    for name in ("bits_per_character", "bits_per_akshara", "bits_per_byte", "loss_per_token"):
        assert summary[name]["low"] <= summary[name]["value"] <= summary[name]["high"]


def test_katha72_follows_from_its_records(folder):
    summary, records = read_json(folder / "scores.json"), lines(folder / "katha72.jsonl")
    assert summary["katha72"] == {"split": "all", "languages": summarise_katha(records)}
    texts = [record for record in records if record["task"] == "text"]
    bits = sum(record["ngram_nats"] for record in texts) / math.log(2)
    floor = summary["katha72"]["languages"]["hi"]["character_ngram"]
    assert floor["value"] == pytest.approx(bits / sum(record["characters"] for record in texts))


def test_what_else_the_summary_says(folder, model_folder, corpus):
    summary = read_json(folder / "scores.json")
    assert (summary["model"], summary["corpus"]) == (str(model_folder), str(corpus))
    assert (summary["split"], summary["languages"], summary["unknown_tokens"]) == ("test", ["hi"], 0)
    assert (summary["context"], summary["stride"]) == (512, 256)
    assert summary["parameters"]["total"] > summary["parameters"]["non_embedding"] > 0
    assert summary["fingerprints"]["corpus"] == read_manifest(corpus)["fingerprint"]
    assert len(summary["fingerprints"]["model"]) == 64
    manifest = read_manifest(folder, "scores")
    assert manifest["inputs"] == summary["fingerprints"]
    assert set(manifest["files"]) == {"scores.json", "documents.jsonl", "generations.jsonl", "katha72.jsonl"}


def test_generations_and_their_statistics(folder):
    generation, written = read_json(folder / "scores.json")["generation"], lines(folder / "generations.jsonl")
    assert generation["stories"] == len(written) == 6
    statistics = generation["statistics"]
    assert statistics["finished"]["value"] == pytest.approx(sum(story["finished"] for story in written) / 6)
    assert statistics["words"]["value"] == pytest.approx(sum(story["words"] for story in written) / 6)
    assert all(story["text"].startswith(story["prompt"]) for story in written)
    # Word salad trained on word salad: the held-out text is clean, a random model's is not.
    assert generation["reference"]["impossible_sequences"]["value"] == 0 < statistics["impossible_sequences"]["value"]
    assert "finished" not in generation["reference"]


def test_the_same_command_gives_the_same_bytes(folder, model_folder, corpus, tmp_path):
    assert score(model_folder, corpus, tmp_path / "again") == 0
    for name in ("scores.json", "documents.jsonl", "generations.jsonl", "katha72.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_documents_are_a_seeded_choice(model_folder, corpus, folder, tmp_path, capsys):
    assert score(model_folder, corpus, tmp_path / "few", "--documents", "4") == 0
    every = [document["id"] for document in lines(folder / "documents.jsonl")]
    few = [document["id"] for document in lines(tmp_path / "few" / "documents.jsonl")]
    assert len(few) == 4 and few == [name for name in every if name in few]
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("Scored 4 stories at ") and str(tmp_path / "few") in last


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--languages", "[xx]"], "'xx' is not known"),
        (["--languages", "[bn]"], "no train stories in bn"),
        (["--languages", "[]"], "no language"),
        (["--languages", "[hi,hi]"], "twice"),
        (["--split", "exam"], "no split 'exam'"),
        (["--split", "train"], "held-out"),
        (["--stories", "0"], "at least 1"),
        (["--documents", "0"], "at least 1"),
        (["--context", "8", "--stride", "9"], "stride"),
        (["--corpus", "nowhere"], "not a finished corpus"),
    ],
)
def test_bad_options(model_folder, corpus, tmp_path, capsys, options, words):
    assert score(model_folder, corpus, tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_what_is_no_model(corpus, tmp_path, capsys):
    assert score(tmp_path, corpus, tmp_path / "out") == 1
    assert "not a model folder" in capsys.readouterr().err
    assert score("./absent", corpus, tmp_path / "out") == 1
    assert "no model folder" in capsys.readouterr().err


def test_a_model_folder_is_no_corpus(model_folder, tmp_path, capsys):
    shutil.copytree(model_folder, tmp_path / "model")
    (tmp_path / "model" / "manifest.json").write_text('{"kind": "model"}')
    assert score(model_folder, tmp_path / "model", tmp_path / "out") == 1
    assert "a corpus folder is wanted" in capsys.readouterr().err


def test_damaged_weights(model_folder, corpus, tmp_path, capsys):
    shutil.copytree(model_folder, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"\x00" * 100)
    assert score(tmp_path / "model", corpus, tmp_path / "out") == 1
    assert "cannot be opened" in capsys.readouterr().err


def test_a_place_that_is_taken_stays_untouched(model_folder, corpus, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    assert score(model_folder, corpus, tmp_path / "mine") == 1
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"
    assert "was not made by kathalab" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (OSError(errno.ENOSPC, "full"), 1)])
def test_a_stopped_run_leaves_the_finished_folder(model_folder, corpus, tmp_path, monkeypatch, capsys, error, code):
    assert score(model_folder, corpus, tmp_path / "hi") == 0
    before = (tmp_path / "hi" / "scores.json").read_bytes()

    def stop(*arguments, **options):
        raise error

    monkeypatch.setattr("evaluation.scoring.generate_stories", stop)
    assert score(model_folder, corpus, tmp_path / "hi", "--seed", "1") == code
    assert (tmp_path / "hi" / "scores.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["hi"]
    assert len([line for line in capsys.readouterr().err.splitlines() if "kathalab: error:" in line]) == 1


def test_help_says_what_is_read_written_and_an_example(capsys):
    assert kathalab.main(["evaluation", "score", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("Reads", "Writes", "Example: kathalab evaluation score"))
