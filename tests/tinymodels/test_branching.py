"""One trunk, many branches: a branch ends where one long run would have ended."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch

import kathalab
from tinymodels.checkpoints import list_checkpoints, load
from tinymodels.schedule import branch_factor, learning_rate_factor

TRUNK = ("--model.schedule=constant", "--trainer.max_steps=8", "--checkpoints.keep=100", "--checkpoints.every=1")
BRANCH = ("--trainer.max_steps=4", "--checkpoints.keep=100", "--checkpoints.every=1")


@pytest.fixture(scope="module")
def trunk(fit, tmp_path_factory) -> Path:
    """Eight updates at a constant rate after the warm-up, and every checkpoint of them."""
    run = tmp_path_factory.mktemp("trunk") / "trunk"
    assert fit(run, *TRUNK) == 0
    return run


@pytest.fixture(scope="module")
def branch(fit, trunk, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("branch") / "branch"
    assert fit(run, *BRANCH, f"--from={trunk}") == 0
    return run


def weights(run: Path) -> dict[str, bytes]:
    """Of the newest checkpoint: all weights and the optimizer's state."""
    checkpoint = load(list_checkpoints(run)[-1])
    found = {name: value.numpy().tobytes() for name, value in checkpoint["state_dict"].items()}
    for kind, state in checkpoint["optimizer_states"][0].items():
        for number, values in state["state"].items():
            found |= {f"{kind} {number} {name}": value.numpy().tobytes() for name, value in values.items()}
    assert len(found) > 30
    return found


def rows(run: Path) -> list[dict[str, str]]:
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("options", [(), ("--data.packing=best-fit", "--model.tail=1-sqrt", "--model.final=0.1")])
def test_trunk_and_branch_are_one_run_of_their_length(fit, trunk, branch, tmp_path, options):
    """N updates at a constant rate, then M that decay, have the weights of warm-up-stable-decay over N + M."""
    if options:
        trunk, branch = tmp_path / "trunk", tmp_path / "branch"
        assert fit(trunk, *TRUNK, *options) == 0
        assert fit(branch, *BRANCH, *options, f"--from={trunk}") == 0
    share = 4 / 12
    assert share * 12 == 4, "no rounding in the share"
    assert fit(tmp_path / "whole", "--trainer.max_steps=12", f"--model.decay={share!r}", *options) == 0
    assert weights(branch) == weights(tmp_path / "whole")
    assert weights(branch) != weights(trunk)


def test_a_branch_killed_and_resumed_ends_the_same(fit, trunk, branch, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(branch, run)
    (run / "manifest.json").unlink()
    for path in list_checkpoints(run)[2:]:
        path.unlink()
    assert fit(run, *BRANCH, f"--from={trunk}", "--ckpt_path=last") == 0
    for name in ("metrics.csv", "samples.jsonl", "checkpoints/step=4.ckpt"):
        assert (run / name).read_bytes() == (branch / name).read_bytes(), name


def test_a_branch_killed_before_its_first_checkpoint_begins_again(fit, trunk, branch, tmp_path):
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "metrics.csv").write_text("step,tokens\n1,32\n")
    assert fit(run, *BRANCH, f"--from={trunk}", "--ckpt_path=last") == 0
    assert (run / "metrics.csv").read_bytes() == (branch / "metrics.csv").read_bytes()


def test_a_branch_goes_on_though_its_trunk_has_grown_or_is_gone(fit, trunk, branch, tmp_path):
    grown = shutil.copytree(trunk, tmp_path / "trunk")
    for path in list_checkpoints(grown)[6:]:
        path.unlink()
    run = tmp_path / "run"
    assert fit(run, *BRANCH, f"--from={grown}") == 0
    whole = (run / "checkpoints" / "step=4.ckpt").read_bytes()
    for gone in (False, True):
        for path in [*list_checkpoints(run)[2:], run / "manifest.json"]:
            path.unlink()
        if gone:
            shutil.rmtree(grown)
        else:
            shutil.copy(trunk / "checkpoints" / "step=8.ckpt", grown / "checkpoints")
            shutil.copy(trunk / "checkpoints" / "step=8.sha256", grown / "checkpoints")
        assert fit(run, *BRANCH, f"--from={grown}", "--ckpt_path=last") == 0
        assert (run / "checkpoints" / "step=4.ckpt").read_bytes() == whole


def test_the_manifest_names_the_trunk_and_the_rate_only_falls(trunk, branch):
    checkpoint = list_checkpoints(trunk)[-1]
    told = json.loads((branch / "manifest.json").read_text())["trunk"]
    assert told["path"] == str(checkpoint) and told["step"] == 8
    assert told["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert told["steps"] == 8 and told["tokens"] == 8 * 2 * 16
    assert [float(row["learning_rate"]) for row in rows(branch)] == pytest.approx([0.02 * 0.5, 0.02 * 0.25])
    assert "trunk" not in json.loads((trunk / "manifest.json").read_text())


def test_another_corpus_is_read_from_its_beginning(fit, make, trunk, tmp_path, corpus):
    other = make.corpus(tmp_path / "other", train=50)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps(manifest | {"licenses": ["CC-BY-4.0"]}))
    annealed = tmp_path / "annealed"
    assert fit(annealed, *BRANCH, f"--from={trunk}", f"--anneal-on={other}", "--log.every=1") == 0
    manifest = json.loads((annealed / "manifest.json").read_text())
    assert manifest["inputs"]["corpus"] == json.loads((other / "manifest.json").read_text())["fingerprint"]
    assert manifest["licenses"] == ["CC-BY-4.0", "CC0-1.0"], "of both corpora"
    assert manifest["trunk"]["corpora"] == [[str(corpus), None]]
    state = load(list_checkpoints(annealed)[-1])["callbacks"]["Lineage"]
    assert state["trunk"]["parts"] == [] and state["tokens"] == 12 * 2 * 16 and state["steps"] == 12
    assert float(rows(annealed)[-1]["epoch"]) < float(rows(trunk)[-1]["epoch"])
    # the same weights on the corpus of the trunk give another loss of the first update
    assert fit(tmp_path / "same", *BRANCH, f"--from={trunk}", "--log.every=1") == 0
    assert rows(tmp_path / "same")[0]["train_loss"] != rows(annealed)[0]["train_loss"]
    assert kathalab.main(["tinymodels", "export", str(annealed), f"--output={tmp_path / 'model'}"]) == 0
    exported = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert exported["tokens"] == 12 * 2 * 16 and exported["sources"][0]["stories"] == 60 + 50
    assert kathalab.main(["tinymodels", "validate", "--config", str(annealed / "config.yaml")]) == 0
    found = json.loads((annealed / "validate.json").read_text())["bits_per_character"]
    assert found == pytest.approx(float(rows(annealed)[-1]["validation_bits_per_character"]), abs=1e-6)


def test_a_branch_of_a_branch_goes_on_from_its_rate_and_place(fit, trunk, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert fit(first, *BRANCH, f"--from={trunk}", "--model.final=0.5") == 0
    assert fit(second, *BRANCH, f"--from={first}") == 0
    state = load(list_checkpoints(second)[-1])["callbacks"]["Lineage"]
    assert state["trunk"]["factor"] == 0.5 and state["steps"] == 16
    assert [part["used"] for part in state["trunk"]["parts"]] == [8, 4]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model.feed_forward=160"], "model.feed_forward was 128 and is now 160"),
        (["--model.optimizer=adamw"], "model.optimizer was muon and is now adamw"),
        (["--model.weight_decay=0.3"], "model.weight_decay was 0.1 and is now 0.3"),
        (["--data.seed=2"], "data.seed was 1 and is now 2"),
        (["--data.packing=best-fit"], "data.packing was stream and is now best-fit"),
        (['--data.stages=[{"until": 1.0}]'], "data.stages was none and is now given"),
    ],
)
def test_a_branch_that_does_not_fit_its_trunk_is_refused(fit, trunk, tmp_path, capsys, options, told):
    assert fit(tmp_path / "run", *BRANCH, f"--from={trunk}", *options) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "does not fit its trunk" in error and told in error and error.endswith(".")
    assert not (tmp_path / "run" / "metrics.csv").exists()


def test_another_corpus_or_tokenizer_is_refused(fit, trunk, make, tokenizer, tmp_path, capsys):
    other = make.corpus(tmp_path / "other", train=50)
    assert fit(tmp_path / "run", *BRANCH, f"--from={trunk}", f"--data.corpus={other}") == 1
    assert "the corpus was" in (told := capsys.readouterr().err) and "`--anneal-on`" in told
    shutil.copytree(tokenizer, tmp_path / "tokenizer")
    manifest = json.loads((tmp_path / "tokenizer" / "manifest.json").read_text())
    (tmp_path / "tokenizer" / "manifest.json").write_text(json.dumps(manifest | {"fingerprint": "f" * 64}))
    options = (f"--from={trunk}", f"--anneal-on={other}", f"--data.tokenizer={tmp_path / 'tokenizer'}")
    assert fit(tmp_path / "run", *BRANCH, *options) == 1
    assert "the tokenizer was" in capsys.readouterr().err


def test_what_cannot_be_a_trunk_is_one_sentence(fit, finished, trunk, branch, tmp_path, capsys):
    cases = [
        ([f"--from={tmp_path / 'none'}"], "there is no checkpoint at"),
        ([f"--from={finished}"], "has fallen to nothing at step 12"),
        ([f"--anneal-on={tmp_path}"], "needs the trunk to anneal"),
    ]
    for options, told in cases:
        assert fit(tmp_path / "run", *options) == 1
        assert told in capsys.readouterr().err
    for run, options in ((branch, []), (trunk, [f"--from={trunk}"])):
        assert fit(run, *(BRANCH if run == branch else TRUNK), *options, "--ckpt_path=last") == 1
        assert "of another run: from was" in capsys.readouterr().err


def test_a_branch_from_a_single_checkpoint_before_a_decay(fit, finished, tmp_path):
    """A trunk with a decay of its own can be left before it has fallen."""
    source = finished / "checkpoints" / "step=9.ckpt"
    assert fit(tmp_path / "run", *BRANCH, f"--from={source}", "--log.every=1") == 0
    start = learning_rate_factor(9, 12, 3, 0.5)
    assert 0 < start < 1
    expected = [0.02 * branch_factor(step, 4, start, "linear", 0.0) for step in range(4)]
    assert [float(row["learning_rate"]) for row in rows(tmp_path / "run")] == pytest.approx(expected, abs=1e-8)
    assert torch.tensor(expected).diff().max() < 0
