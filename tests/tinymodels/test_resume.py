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


KILLER = """
import json, os, random, signal, sys, time
import torch
torch.set_num_threads(1)
import kathalab, tinymodels.module, tinymodels.training, transformers.models.llama.modeling_llama, tokenization.folder
from transformers import GenerationMixin

def attempt(arguments, die=None):
    '''Run the command in a child; `die` prepares its death. Gives its process id, and what tells of its first update.'''
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    os.dup2(2, 1)
    set_rates = tinymodels.module.StoryModel.on_before_optimizer_step
    def training(*arguments):
        os.write(writer, b"x")
        set_rates(*arguments)
    tinymodels.module.StoryModel.on_before_optimizer_step = training
    if die:
        die()
    os._exit(kathalab.main(arguments))

def ended(child, reader):
    os.close(reader)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def die_writing(number, choose):
    '''Dies by SIGKILL at the number-th step of writing to the disk, before or after it.'''
    left = [number]
    def deadly(function):
        def act(*arguments, **options):
            left[0] -= 1
            if left[0] > 0 or choose.random() < 0.5:
                function(*arguments, **options)
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return act
    for name in ("replace", "fsync", "unlink"):
        setattr(os, name, deadly(getattr(os, name)))

for job in map(json.loads, sys.stdin):
    choose = random.Random(job["seed"])
    began = time.monotonic()
    child, reader = attempt(job["whole"])
    os.read(reader, 1)
    first = time.monotonic()
    ends = [ended(child, reader)]
    starting, training, died = first - began, time.monotonic() - first, 0
    for number in range(job["kills"]):
        command = [*job["killed"], *(f"--{name}={choose.choice(values)}" for name, values in job["varied"].items())]
        if number % 3 == 0:  # while it writes
            child, reader = attempt(command, lambda: die_writing(choose.randint(1, 60), choose))
        else:  # by the clock: while it trains, or before
            child, reader = attempt(command)
            if number % 3 == 1:
                os.read(reader, 1)
                time.sleep(choose.uniform(0, 2 * training / job["kills"]))
            else:
                time.sleep(choose.uniform(0, 1.5 * starting))
            os.kill(child, signal.SIGKILL)
        died += ended(child, reader) == -signal.SIGKILL
    ends.append(ended(*attempt(job["killed"])))
    print(json.dumps({"died": died, "ends": ends}), flush=True)
"""

ACROSS_EPOCHS = {"data.sequence_length": 64, "data.batch_size": 8}
LENGTHS = {
    "within an epoch": {"trainer.max_steps": 40, "trainer.val_check_interval": 8},
    "across epochs": {"trainer.max_steps": 40, "trainer.val_check_interval": 8, **ACROSS_EPOCHS},
    "of epochs": {
        **{"trainer.max_steps": -1, "trainer.max_epochs": 12},
        **{"trainer.val_check_interval": 1.0, "trainer.check_val_every_n_epoch": 3, **ACROSS_EPOCHS},
    },
}
VARIED = {
    "checkpoints.every": [1, 3, 4, 7, 1000],
    "checkpoints.keep": [1, 2, 5],
    "samples.show": ["true", "false"],
    "seed_everything": [1, 2],
    "trainer.enable_progress_bar": ["true", "false"],
}
"""What may change between a killed run and the one that goes on. There are no loader workers: see test_packing.py."""


@pytest.fixture(scope="module")
def kill(make, corpus, tokenizer, tmp_path_factory):
    """`kill(kills, seed, options, varied)`: train without a kill, and with kills and then to the end; both runs.

    The processes are children of one that has imported everything: each attempt costs half a second and not ten.
    """
    told = tmp_path_factory.mktemp("killer") / "stderr"
    with open(told, "w") as stderr:
        killer = subprocess.Popen(
            [sys.executable, "-c", KILLER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=REPOSITORY,
        )

    def run(kills: int, seed: int, options: dict, varied: dict) -> tuple[Path, Path]:
        folder = tmp_path_factory.mktemp("killed")
        runs = folder / "whole", folder / "killed"
        extra = [*(f"--{name}={value}" for name, value in options.items()), "--ckpt_path=last"]
        commands = [["tinymodels", "fit", *make.options(corpus, tokenizer, run), *extra] for run in runs]
        job = {"whole": commands[0], "killed": commands[1], "kills": kills, "seed": seed, "varied": varied}
        print(json.dumps(job), file=killer.stdin, flush=True)
        answer = json.loads(killer.stdout.readline() or "{}")
        assert answer.get("ends") == [0, 0], told.read_text()[-3000:]
        assert answer["died"] >= kills * 0.7, "most were killed before they were done"
        assert not list(folder.rglob("*.partial"))
        return runs

    yield run
    killer.stdin.close()
    assert killer.wait(30) == 0
    killer.stdout.close()


def checkpoint_files(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "checkpoints").iterdir()}


def test_a_run_killed_at_random_moments_ends_the_same(kill):
    """Across epochs, and down to the bytes of every checkpoint that is kept."""
    whole, killed = kill(3, 1, LENGTHS["across epochs"], {})
    assert differences(whole, killed) == []
    assert checkpoint_files(whole) == checkpoint_files(killed)


def test_a_run_killed_in_bfloat16_and_resumed_with_other_intervals_ends_the_same(kill):
    whole, killed = kill(3, 2, LENGTHS["within an epoch"] | {"trainer.precision": "bf16-mixed"}, VARIED)
    assert differences(whole, killed) == []


@pytest.mark.slow
@pytest.mark.parametrize("varied", [{}, VARIED], ids=["same settings", "varied settings"])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_run_killed_ten_times_ends_the_same(kill, precision, length, varied):
    whole, killed = kill(10, len(length), LENGTHS[length] | {"trainer.precision": precision}, varied)
    assert differences(whole, killed) == []
    if not varied:
        assert checkpoint_files(whole) == checkpoint_files(killed)


def test_the_same_seed_gives_the_same_bytes_twice(finished, fit, tmp_path):
    assert fit(tmp_path / "run", "--checkpoints.every=1", "--checkpoints.keep=100") == 0
    assert checkpoint_files(finished) == checkpoint_files(tmp_path / "run")
    assert len(checkpoint_files(finished)) == 24
    assert differences(finished, tmp_path / "run") == []


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
