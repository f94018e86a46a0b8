"""The training commands: what they write, say and refuse."""

import csv
import json
import math
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import yaml

import kathalab
from tinymodels.checkpoints import list_checkpoints
from tinymodels.schedule import learning_rate_factor


def rows(run: Path) -> list[dict[str, str]]:
    with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_folder_holds_what_was_promised(finished):
    table = rows(finished)
    assert list(table[0]) == [
        "step",
        "tokens",
        "epoch",
        "learning_rate",
        "train_loss",
        "validation_loss",
        "validation_bits_per_character",
    ]
    # a row every 3 updates and at each validation, which is every 4
    assert [int(row["step"]) for row in table] == [3, 4, 6, 8, 9, 12]
    assert [int(row["step"]) for row in table if row["validation_loss"]] == [4, 8, 12]
    assert [int(row["tokens"]) for row in table] == [step * 2 * 16 for step in (3, 4, 6, 8, 9, 12)]
    assert float(table[-1]["train_loss"]) < float(table[0]["train_loss"])
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["kind"] == "run" and manifest["steps"] == 12 and manifest["tokens"] == 384
    assert manifest["validation"]["bits_per_character"] == float(table[-1]["validation_bits_per_character"])
    samples = [json.loads(line) for line in (finished / "samples.jsonl").read_text().splitlines()]
    assert [sample["step"] for sample in samples] == [4, 8, 12]
    assert yaml.safe_load((finished / "config.yaml").read_text())["trainer"]["max_steps"] == 12
    timing = (finished / "timing.csv").read_text().splitlines()
    assert timing[0].startswith("step,seconds,tokens_per_second,gflops,") and len(timing) == 7


def test_the_training_loss_of_a_row_is_the_mean_since_the_row_before(fit, finished, tmp_path):
    """Rows of every update, averaged over three, are the rows of every third (the first three updates here)."""
    assert fit(tmp_path / "run", "--log.every=1") == 0
    each = [float(row["train_loss"]) for row in rows(tmp_path / "run")]
    third = {int(row["step"]): float(row["train_loss"]) for row in rows(finished)}
    assert third[3] == pytest.approx(sum(each[:3]) / 3, abs=2e-6)
    assert third[4] == pytest.approx(each[3], abs=2e-6)
    assert each[0] == pytest.approx(math.log(340), abs=0.5)  # a fresh model knows nothing


def test_the_logged_learning_rate_follows_the_schedule(finished):
    rates = {int(row["step"]): float(row["learning_rate"]) for row in rows(finished)}
    for step, rate in rates.items():
        assert rate == pytest.approx(0.02 * learning_rate_factor(step - 1, 12, 3, 0.5), abs=1e-8)


def test_bits_per_character_are_those_of_the_evaluation_room(finished, corpus, model, capsys, fit):
    """Stories that fit into the context score the same by the exact instrument, on exported weights."""
    from corpora.stories import read_corpus
    from evaluation.likelihood import score_documents
    from evaluation.models import open_model

    network, tokenizer = open_model(str(model))
    stories = read_corpus(corpus, "test")
    expected = score_documents(network, tokenizer, stories, context=10_000)
    assert fit(finished, "--data.sequence_length=16", "--ckpt_path=last", verb="predict") == 0
    predicted = json.loads((finished / "predict.json").read_text())
    assert [row["id"] for row in predicted] == [story.id for story in stories]
    short = [
        (row["bits_per_character"], score.nats / math.log(2) / score.characters)
        for row, score in zip(predicted, expected, strict=True)
        if score.tokens <= 16
    ]
    assert fit(finished, "--ckpt_path=last", verb="test") == 0
    total = json.loads((finished / "test.json").read_text())
    characters = [len(story.text) for story in stories]
    weighted = sum(row["bits_per_character"] * n for row, n in zip(predicted, characters, strict=True))
    assert total["bits_per_character"] == pytest.approx(weighted / sum(characters), rel=1e-6)
    assert short, "the corpus has a story short enough"
    for ours, theirs in short:
        assert ours == pytest.approx(theirs, rel=1e-5)


def test_validate_scores_the_last_checkpoint(finished, fit, capsys):
    assert fit(finished, verb="validate") == 0
    assert capsys.readouterr().out.strip().endswith(f"the result is in '{finished / 'validate.json'}'.")
    found = json.loads((finished / "validate.json").read_text())["bits_per_character"]
    assert found == pytest.approx(float(rows(finished)[-1]["validation_bits_per_character"]), abs=1e-6)


def test_the_saved_configuration_runs_again(finished, capsys):
    assert kathalab.main(["tinymodels", "validate", "--config", str(finished / "config.yaml")]) == 0


def test_a_second_run_into_the_folder_is_refused(finished, fit, capsys):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    assert fit(finished) == 1
    assert "go on with it by `--ckpt_path last`" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_adamw_bfloat16_and_accumulation_train_too(fit, tmp_path):
    options = (
        "--model.learning_rate=0.005",
        "--model.optimizer=adamw",
        "--trainer.precision=bf16-mixed",
        "--trainer.accumulate_grad_batches=2",
    )
    assert fit(tmp_path / "run", *options, "--trainer.val_check_interval=8") == 0
    table = rows(tmp_path / "run")
    assert int(table[-1]["step"]) == 12 and int(table[-1]["tokens"]) == 12 * 2 * 2 * 16
    assert float(table[-1]["train_loss"]) < float(table[0]["train_loss"])


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_clipped_gradients_of_adamw_change_the_weights(fit, tmp_path, precision):
    losses = []
    for norm in (1e9, 1e-9):  # AdamW is blind to the scale of gradients, but not where its epsilon outweighs them
        options = ("--model.optimizer=adamw", f"--trainer.gradient_clip_val={norm}", f"--trainer.precision={precision}")
        assert fit(tmp_path / f"{norm}", *options) == 0
        losses.append(float(rows(tmp_path / f"{norm}")[-1]["train_loss"]))
    assert losses[0] < losses[1] - 0.1


def test_gradient_clipping_and_a_logger_can_be_asked_for(fit, tmp_path):
    options = ("--trainer.gradient_clip_val=1.0", "--trainer.logger=CSVLogger", f"--trainer.logger.save_dir={tmp_path}")
    assert fit(tmp_path / "run", *options) == 0
    (logged,) = tmp_path.glob("lightning_logs/*/metrics.csv")
    assert "validation_bits_per_character" in logged.read_text()


def interrupt_when(condition, times: int = 1) -> threading.Thread:
    """Send this process SIGINT, as Ctrl-C does, once `condition()` holds."""

    def send() -> None:
        while not condition():
            time.sleep(0.002)
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(fit, tmp_path, capsys):
    run, whole = tmp_path / "run", tmp_path / "whole"
    options = (
        "--trainer.max_steps=100",
        "--checkpoints.every=1000",
        "--trainer.val_check_interval=50",
        "--log.every=2",
    )
    assert fit(whole, *options) == 0
    capsys.readouterr()
    before = signal.getsignal(signal.SIGINT)
    thread = interrupt_when(lambda: (run / "metrics.csv").exists() and len((run / "metrics.csv").read_text()) > 250)
    assert fit(run, *options) == 130
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before
    told = capsys.readouterr().err
    assert "training stopped after step" in told and "--ckpt_path last" in told and "Traceback" not in told
    (checkpoint,) = list_checkpoints(run)
    assert 0 < int(checkpoint.stem.split("=")[1]) < 100
    assert not (run / "manifest.json").exists()
    assert fit(run, *options, "--ckpt_path=last") == 0
    assert (run / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()


def test_progress_is_seen_where_there_is_no_terminal(fit, tmp_path, capsys):
    assert fit(tmp_path / "run", "--trainer.enable_progress_bar=true") == 0
    told = capsys.readouterr()
    assert "training run: step 12 of 12" in told.err and "bits per character" in told.err
    assert told.out.splitlines()[-1].endswith(f"the run is in '{tmp_path / 'run'}'.")


def test_a_story_in_a_window_does_not_see_the_story_before_it():
    import torch

    from tinymodels.module import StoryModel

    model = StoryModel(parameters=60_000, vocabulary_size=300, context=32).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3, generator=torch.Generator().manual_seed(weight.numel()))
    first, second = [1, 40, 41, 42, 2], [1, 50, 51, 50, 52]
    with torch.no_grad():
        window = model(torch.tensor([first + second]))[0]
        alone = model(torch.tensor([second]))[0]
        plain = model.model(input_ids=torch.tensor([second])).logits[0]
        unmasked = model.model(input_ids=torch.tensor([first + second])).logits[0]
    assert torch.allclose(window[len(first) :], alone, atol=1e-5)
    assert torch.allclose(alone, plain, atol=1e-5)
    assert not torch.allclose(window[len(first) :], unmasked[len(first) :], atol=1e-3), "the control sees both"
