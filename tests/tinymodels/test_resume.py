"""A run that was killed and resumed ends as one that was never killed: weights, optimizer, log and samples."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import kathalab
from tinymodels.checkpoints import list_checkpoints, load

REPOSITORY = Path(kathalab.__file__).parent


def flat(value, path=""):
    """Every leaf of a checkpoint by its path."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from flat(each, f"{path}/{key}")
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            yield from flat(each, f"{path}/{number}")
    else:
        yield path, value


def differences(one: Path, other: Path) -> list[str]:
    """Paths at which two checkpoints differ in a single bit, and run files that differ in a byte."""
    first, second = (dict(flat(load(list_checkpoints(run)[-1]))) for run in (one, other))
    assert any(name.startswith("/optimizer_states/0/muon") for name in first)
    assert any(name.startswith("/state_dict/model.") for name in first)
    found = [
        name
        for name in first.keys() | second.keys()
        if name not in first
        or name not in second
        or type(first[name]) is not type(second[name])
        or (not _same_bits(first[name], second[name]))
    ]
    return found + [
        name for name in ("metrics.csv", "samples.jsonl") if (one / name).read_bytes() != (other / name).read_bytes()
    ]


def _same_bits(one, other) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.numpy().tobytes() == other.numpy().tobytes()
    return one == other


def as_killed_after(finished: Path, step: int, run: Path) -> Path:
    """A copy of the finished run with no checkpoint past `step`; its logs go on to the end, as if killed late."""
    shutil.copytree(finished, run)
    (run / "manifest.json").unlink()
    for path in list_checkpoints(run):
        if int(path.stem.split("=")[1]) > step:
            path.unlink()
    return run


# 1: plain; 3: a row of the log; 4: validation and samples; 6: mid-interval of validation; 12: nothing left to do
@pytest.mark.parametrize("step", [1, 3, 4, 6, 12])
def test_resuming_after_any_update_ends_the_same(finished, fit, tmp_path, step):
    run = as_killed_after(finished, step, tmp_path / "run")
    assert fit(run, "--ckpt_path=last", "--checkpoints.every=1", "--checkpoints.keep=100") == 0
    assert differences(finished, run) == []
    assert json.loads((run / "manifest.json").read_text())["steps"] == 12


def test_differences_are_seen(finished, fit, tmp_path):
    """The comparison above can fail: another seed of the data order gives other weights and another log."""
    assert fit(tmp_path / "run", "--data.seed=2") == 0
    found = differences(finished, tmp_path / "run")
    assert "metrics.csv" in found
    assert any(name.startswith("/state_dict/model.") for name in found)


def test_epochs_in_place_of_steps_resume_the_same(fit, tmp_path):
    """With `max_epochs` the loop passes over the data several times; a resumed run makes the same passes."""
    options = (
        "--trainer.max_steps=-1",
        "--trainer.max_epochs=3",
        "--data.sequence_length=64",
        "--data.batch_size=8",
        "--checkpoints.every=1",
        "--checkpoints.keep=100",
    )
    whole = tmp_path / "whole"
    assert fit(whole, *options) == 0
    steps = [int(path.stem.split("=")[1]) for path in list_checkpoints(whole)]
    assert len(steps) == steps[-1] and steps[-1] % 3 == 0
    for step in (steps[-1] // 3, steps[-1] // 3 + 1):  # the first is an epoch's end, where Lightning counts anew
        run = as_killed_after(whole, step, tmp_path / f"from-{step}")
        assert fit(run, "--ckpt_path=last", *options) == 0
        assert [name for name in differences(whole, run) if not name.startswith("/loops")] == []


KILLED = """
import os, random, signal, sys, time
whole, killed = (command.split("\\n") for command in sys.argv[1:3])
kills, seed = int(sys.argv[3]), int(sys.argv[4])
import torch
torch.set_num_threads(1)
import kathalab, tinymodels.training, transformers.models.llama.modeling_llama, tokenization.folder
from transformers import GenerationMixin
choose = random.Random(seed)

def attempt(arguments, die):
    '''Run the command in a child; `die` prepares its death. Gives its process id.'''
    child = os.fork()
    if not child:
        die()
        os._exit(kathalab.main(arguments))
    return child

def die_renaming(number):
    '''Dies by SIGKILL at the number-th renaming of a file, before or after it: in the midst of writing.'''
    rename, left = os.replace, [number]
    def replace(source, target):
        left[0] -= 1
        if left[0] > 0 or choose.random() < 0.5:
            rename(source, target)
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
    os.replace = replace

died = 0
for number in range(kills):
    if number % 2:
        child = attempt(killed, lambda: die_renaming(choose.randint(1, 8)))
    else:
        child = attempt(killed, lambda: None)
        time.sleep(choose.uniform(0.05, 0.6))
        os.kill(child, signal.SIGKILL)
    died += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
ends = [os.waitstatus_to_exitcode(os.waitpid(attempt(run, lambda: None), 0)[1]) for run in (whole, killed)]
print("DIED", died)
sys.exit(max(map(abs, ends)))
"""


def check_killing(make, corpus, tokenizer, tmp_path, kills: int, seed: int, steps: int) -> None:
    """Train once without a kill, and once in processes that die by SIGKILL and then to the end; compare."""
    runs = tmp_path / "whole", tmp_path / "killed"
    options = [f"--trainer.max_steps={steps}", "--ckpt_path=last"]
    commands = ["\n".join(["tinymodels", "fit", *make.options(corpus, tokenizer, run), *options]) for run in runs]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *commands, str(kills), str(seed)],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split("DIED")[1]) >= kills // 2
    assert differences(*runs) == []
    assert not list(runs[1].rglob("*.partial"))


def test_a_run_killed_at_random_moments_ends_the_same(make, corpus, tokenizer, tmp_path):
    check_killing(make, corpus, tokenizer, tmp_path, kills=6, seed=3, steps=24)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_run_killed_often_ends_the_same(make, corpus, tokenizer, tmp_path, seed):
    check_killing(make, corpus, tokenizer, tmp_path, kills=24, seed=seed, steps=60)


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("--model.width=128", "model.width was 64 and is now 128"),
        ("--model.learning_rate=0.5", "model.learning_rate was 0.02 and is now 0.5"),
        ("--data.seed=9", "data.seed was 1 and is now 9"),
        ("--data.batch_size=3", "data.batch_size was 2 and is now 3"),
        ("--model.optimizer=adamw", "model.optimizer was muon and is now adamw"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(finished, fit, tmp_path, capsys, option, named):
    run = as_killed_after(finished, 6, tmp_path / "run")
    kept = {path.name: path.read_bytes() for path in list_checkpoints(run)}
    assert fit(run, "--ckpt_path=last", option) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert "of another run" in told and named in told
    assert {path.name: path.read_bytes() for path in list_checkpoints(run)} == kept


def test_a_checkpoint_of_another_corpus_or_tokenizer_is_refused(finished, fit, make, tokenizer, tmp_path, capsys):
    run = as_killed_after(finished, 6, tmp_path / "run")
    other = make.corpus(tmp_path / "other", train=50)
    assert fit(run, "--ckpt_path=last", f"--data.corpus={other}") == 1
    assert "the corpus was" in capsys.readouterr().err
    shutil.copytree(tokenizer, tmp_path / "tokenizer")
    manifest = json.loads((tmp_path / "tokenizer" / "manifest.json").read_text())
    (tmp_path / "tokenizer" / "manifest.json").write_text(json.dumps(manifest | {"fingerprint": "f" * 64}))
    assert fit(run, "--ckpt_path=last", f"--data.tokenizer={tmp_path / 'tokenizer'}") == 1
    assert "the tokenizer was" in capsys.readouterr().err


def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(finished, fit, tmp_path, capsys):
    run = as_killed_after(finished, 6, tmp_path / "run")
    last = list_checkpoints(run)[-1]
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    assert fit(run, "--ckpt_path=last", "--checkpoints.every=1", "--checkpoints.keep=100") == 0
    assert "step=6.ckpt' is damaged; set aside" in capsys.readouterr().err
    assert differences(finished, run) == []


def test_a_damaged_checkpoint_given_by_name_is_one_sentence(finished, fit, tmp_path, capsys):
    run = as_killed_after(finished, 6, tmp_path / "run")
    last = list_checkpoints(run)[-1]
    last.write_bytes(b"not a checkpoint")
    assert fit(run, f"--ckpt_path={last}") == 1
    told = capsys.readouterr().err
    assert "is damaged" in told and "Traceback" not in told


def test_all_checkpoints_damaged_is_one_sentence(finished, fit, tmp_path, capsys):
    run = as_killed_after(finished, 1, tmp_path / "run")
    list_checkpoints(run)[0].write_bytes(b"")
    assert fit(run, "--ckpt_path=last") == 1
    assert "all checkpoints" in capsys.readouterr().err


def test_the_generators_go_on_where_they_stood():
    import random

    import numpy as np

    from tinymodels.checkpoints import _random_state, _restore_random_state

    def draw():
        return [torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random(), random.gauss(0, 1)]  # noqa: NPY002

    draw()
    state = _random_state()
    first = draw()
    assert draw() != first
    _restore_random_state(state)
    assert draw() == first


def test_a_checkpoint_holds_no_pickled_objects(finished):
    checkpoint = torch.load(list_checkpoints(finished)[-1], weights_only=True)
    assert "hyper_parameters" not in checkpoint  # LightningCLI would let them override the command line


def test_going_on_past_the_end_takes_more_steps(finished, fit, tmp_path):
    run = as_killed_after(finished, 12, tmp_path / "run")
    assert fit(run, "--ckpt_path=last", "--trainer.max_steps=16") == 0
    assert list_checkpoints(run)[-1].name == "step=16.ckpt"
    steps = [int(line.split(",")[0]) for line in (run / "metrics.csv").read_text().splitlines()[1:]]
    assert steps == sorted(set(steps)) and steps[-1] == 16
