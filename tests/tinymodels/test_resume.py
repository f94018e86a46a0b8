"""A run that was killed and resumed ends as one that was never killed: weights, optimizer, log and samples."""

import csv
import hashlib
import json
import os
import pickle
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import kathalab
from corpora.errors import UserError
from tinymodels.checkpoints import WholeCheckpoints, last_checkpoint, list_checkpoints, load

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


@pytest.mark.slow
def test_a_compiled_run_resumes_the_same(fit, tmp_path):
    """Compiled kernels come from a cache in the resumed run, and give the same bits."""
    whole = tmp_path / "whole"
    options = ("--model.compile=true", "--checkpoints.every=1", "--checkpoints.keep=100")
    assert fit(whole, *options) == 0
    run = as_killed_after(whole, 6, tmp_path / "run")
    torch._dynamo.reset()
    assert fit(run, "--ckpt_path=last", *options) == 0
    assert differences(whole, run) == []


def test_differences_are_seen(finished, fit, tmp_path):
    """The comparison above can fail: another seed of the data order gives other weights and another log."""
    assert fit(tmp_path / "run", "--data.seed=2") == 0
    found = differences(finished, tmp_path / "run")
    assert "metrics.csv" in found
    assert any(name.startswith("/state_dict/model.") for name in found)


def test_epochs_in_place_of_steps_resume_the_same(fit, tmp_path):
    """A length in `max_epochs`; validation is at each epoch's end."""
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
    for step in (steps[-1] // 3, steps[-1] // 3 + 1):  # the first is an epoch's end
        run = as_killed_after(whole, step, tmp_path / f"from-{step}")
        assert fit(run, "--ckpt_path=last", *options) == 0
        assert differences(whole, run) == []


KILLER = """
import itertools, json, os, random, signal, sys, time
import torch
torch.set_num_threads(1)
import kathalab, tinymodels.module, tinymodels.training, transformers.models.llama.modeling_llama, tokenization.folder
from transformers import GenerationMixin

def attempt(arguments, updates=None, die=None):
    '''Run the command in a child; `die` prepares its death, and it never outlives that many updates.

    Gives its id and a pipe that tells of its updates.'''
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    os.dup2(2, 1)
    set_rates = tinymodels.module.StoryModel.on_before_optimizer_step
    done = itertools.count()
    def training(*arguments):
        if next(done) == updates:
            os.kill(os.getpid(), signal.SIGKILL)
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
    updates = len(os.read(reader, 1))
    starting = time.monotonic() - began
    while told := len(os.read(reader, 4096)):
        updates += told
    each = (time.monotonic() - began - starting) / updates
    ends = [ended(child, reader)]
    most = (updates - 1) // job["kills"]  # so that the kills are over before the run is
    died = 0
    for number in range(job["kills"]):
        command = [*job["killed"], *(f"--{name}={choose.choice(values)}" for name, values in job["varied"].items())]
        if number % 3 == 0:  # while it writes
            child, reader = attempt(command, most, lambda: die_writing(choose.randint(1, 30), choose))
        else:  # by the clock: while it trains, or before
            child, reader = attempt(command, most)
            if number % 3 == 1:
                os.read(reader, 1)
                time.sleep(choose.uniform(0, most * each))
            else:
                time.sleep(choose.uniform(0, 1.2 * starting))
            os.kill(child, signal.SIGKILL)
        died += ended(child, reader) == -signal.SIGKILL
    ends.append(ended(*attempt(job["killed"])))
    print(json.dumps({"died": died, "ends": ends}), flush=True)
"""

ACROSS_EPOCHS = {"data.sequence_length": 64, "data.batch_size": 8}
LENGTHS = {
    "within an epoch": {"trainer.max_steps": 40, "trainer.val_check_interval": 8},
    "across epochs": {"trainer.max_steps": 40, "trainer.val_check_interval": 8, **ACROSS_EPOCHS},
    "amid accumulation": {
        **{"trainer.max_steps": 40, "trainer.accumulate_grad_batches": 3, "trainer.val_check_interval": 0.2},
        **{"spikes.action": "skip", "spikes.window": 5, "spikes.deviations": 2.0},  # low enough for a few
    },
    "of epochs": {
        **{"trainer.max_steps": -1, "trainer.max_epochs": 12},
        **{"trainer.val_check_interval": 1.0, "trainer.check_val_every_n_epoch": 3, **ACROSS_EPOCHS},
    },
}
VARIED = {
    "checkpoints.every": [1, 3, 4, 7, 1000],
    "checkpoints.keep": [1, 2, 5],
    "samples.show": ["true", "false"],
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
        assert answer["died"] == kills
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
        ("--model.feed_forward=160", "model.feed_forward was 128 and is now 160"),
        ("--model.learning_rate=0.5", "model.learning_rate was 0.02 and is now 0.5"),
        ("--model.optimizer=adamw", "model.optimizer was muon and is now adamw"),
        ("--data.seed=9", "data.seed was 1 and is now 9"),
        ("--data.batch_size=3", "data.batch_size was 2 and is now 3"),
        ("--data.sequence_length=17", "data.sequence_length was 16 and is now 17"),
        ("--data.validation_stories=null", "data.validation_stories was 4 and is now None"),
        ("--trainer.precision=bf16-mixed", "trainer.precision was 32-true and is now bf16-mixed"),
        ("--trainer.max_steps=16", "trainer.max_steps was 12 and is now 16"),
        ("--trainer.val_check_interval=1.0", "trainer.val_check_interval was 4 and is now 1.0"),
        ("--trainer.gradient_clip_val=1.0", "trainer.gradient_clip_val was None and is now 1.0"),
        ("--trainer.accumulate_grad_batches=2", "trainer.accumulate_grad_batches was 1 and is now 2"),
        ("--log.every=2", "log.every was 3 and is now 2"),
        ("--samples.seed=2", "samples.seed was 1 and is now 2"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(half, fit, capsys, option, named):
    kept = {path: path.read_bytes() for path in half.rglob("*") if path.is_file()}
    assert fit(half, "--ckpt_path=last", option) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert "of another run" in told and named in told and told.endswith(".")
    assert {path: path.read_bytes() for path in half.rglob("*") if path.is_file()} == kept


@pytest.fixture(scope="module")
def half(finished, tmp_path_factory):
    """A run with checkpoints up to update 6, that nothing is to change."""
    return as_killed_after(finished, 6, tmp_path_factory.mktemp("half") / "run")


def test_every_option_is_held_or_known_to_be_free(half, capsys):
    """A new option decides nothing, or a checkpoint holds it: whoever adds one has to say which."""
    import yaml

    named_otherwise = {
        "data.corpus": "the corpus",
        "anneal_on": "the corpus",
        "data.tokenizer": "the tokenizer",
        "model.parameters": "model.width",  # a budget is held as the shape it gives
    }
    free = {
        *("ckpt_path", "weights_only"),
        *("checkpoints.every", "checkpoints.keep", "data.cache", "samples.show"),
        "model.compile",  # rounds otherwise, as another machine does, and is told of like one
        # where and beside what it runs; one device of one machine it is always
        *(f"trainer.{name}" for name in ("accelerator", "strategy", "devices", "num_nodes", "default_root_dir")),
        *(f"trainer.{name}" for name in ("use_distributed_sampler", "sync_batchnorm", "benchmark", "inference_mode")),
        *(f"trainer.{name}" for name in ("plugins", "callbacks", "logger", "profiler", "model_registry")),
        *(f"trainer.{name}" for name in ("enable_progress_bar", "enable_model_summary", "enable_autolog_hparams")),
        *(f"trainer.{name}" for name in ("enable_checkpointing", "log_every_n_steps", "barebones", "detect_anomaly")),
        # what ends a run early or looks at it beforehand, or is of other commands
        *(f"trainer.{name}" for name in ("max_time", "min_epochs", "min_steps", "fast_dev_run")),
        *(f"trainer.{name}" for name in ("num_sanity_val_steps", "limit_test_batches", "limit_predict_batches")),
    }
    assert kathalab.main(["tinymodels", "fit", "--print_config"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    options = {
        f"{group}.{name}" if isinstance(value, dict) else group
        for group, value in printed.items()
        for name in (value if isinstance(value, dict) else [None])
    }
    held = load(list_checkpoints(half)[-1])["kathalab"]["identity"].keys()
    assert len(held) > 40
    assert {option for option in options if named_otherwise.get(option, option) not in held} == free


def test_another_torch_goes_on_and_says_so(finished, fit, tmp_path, capsys, monkeypatch):
    run = as_killed_after(finished, 8, tmp_path / "run")
    monkeypatch.setattr("tinymodels.identity.machine", lambda trainer: {"torch": "99.0", "device": "cpu"})
    assert fit(run, "--ckpt_path=last") == 0
    assert f"not to the same bytes: torch was {torch.__version__} and is now 99.0." in capsys.readouterr().err


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


def flip(path: Path, place: int) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_one_flipped_bit_anywhere_is_seen(finished, tmp_path):
    for suffix in ("ckpt", "sha256"):
        shutil.copy(finished / "checkpoints" / f"step=6.{suffix}", tmp_path)
    path = tmp_path / "step=6.ckpt"
    load(path)
    size = path.stat().st_size
    for place in [0, size - 1, *random.Random(1).choices(range(size), k=100)]:
        flip(path, place)
        with pytest.raises(UserError, match="damaged"):
            load(path)
        flip(path, place)
    flip(path.with_suffix(".sha256"), 17)
    with pytest.raises(UserError, match=r"damaged, or its SHA-256 in 'step=6.sha256'"):
        load(path)


DAMAGES = {
    "a flipped bit": lambda path: flip(path, path.stat().st_size // 3),
    "a truncated file": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "an empty file": lambda path: path.write_bytes(b""),
    "a lost checksum": lambda path: path.with_suffix(".sha256").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(finished, tmp_path, capsys, damage):
    run = as_killed_after(finished, 6, tmp_path / "run")
    for path in list_checkpoints(run)[-2:]:
        DAMAGES[damage](path)
    assert last_checkpoint(run).name == "step=4.ckpt"
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and "step=6.ckpt' is damaged; set aside as 'step=6.damaged'" in told[0]
    assert not (run / "checkpoints" / "step=6.sha256").exists()


def test_a_run_with_a_damaged_checkpoint_goes_on_and_ends_the_same(finished, fit, tmp_path, capsys):
    run = as_killed_after(finished, 6, tmp_path / "run")
    flip(list_checkpoints(run)[-1], 5000)
    assert fit(run, "--ckpt_path=last", "--checkpoints.every=1", "--checkpoints.keep=100") == 0
    assert "step=6.ckpt' is damaged; set aside" in capsys.readouterr().err
    assert differences(finished, run) == []
    assert checkpoint_files(run).keys() - checkpoint_files(finished).keys() == {"step=6.damaged"}


def test_what_a_kill_leaves_half_written_or_half_removed_is_swept(finished, fit, tmp_path):
    run = as_killed_after(finished, 8, tmp_path / "run")  # leaves the checksums of the checkpoints it removes
    (run / "checkpoints" / ".step=10.ckpt.abc.partial").write_bytes(b"half")
    assert fit(run, "--ckpt_path=last", "--checkpoints.every=1000", "--checkpoints.keep=1") == 0
    assert checkpoint_files(run).keys() == {"step=12.ckpt", "step=12.sha256"}


def test_checksums_are_those_of_sha256sum(finished):
    for path in list_checkpoints(finished):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.with_suffix(".sha256").read_text() == f"{digest}  {path.name}\n"


def test_going_back_to_an_earlier_checkpoint_drops_the_later_ones(finished, fit, tmp_path):
    """Were they kept, a kill would leave checkpoints that are ahead of the rows of the log."""
    run = as_killed_after(finished, 12, tmp_path / "run")
    early = run / "checkpoints" / "step=5.ckpt"
    assert fit(run, f"--ckpt_path={early}", "--checkpoints.every=1000", "--checkpoints.keep=1") == 0
    assert {path.name for path in list_checkpoints(run)} == {"step=12.ckpt"}
    assert differences(finished, run) == []


def test_the_best_checkpoint_is_kept_beside_the_newest_also_by_a_resumed_run(fit, tmp_path):
    options = [f"--{name}={value}" for name, value in LENGTHS["across epochs"].items()]  # the tiny model overfits
    whole, run = tmp_path / "whole", tmp_path / "run"
    assert fit(whole, *options, "--checkpoints.every=5", "--checkpoints.keep=100") == 0
    with open(whole / "metrics.csv", encoding="utf-8", newline="") as file:
        bits = {int(row["step"]): row["validation_bits_per_character"] for row in csv.DictReader(file)}
    bits = {step: float(value) for step, value in bits.items() if value}
    best = min(bits, key=bits.get)
    assert 0 < best < 30
    as_killed_after(whole, 30, run)
    assert fit(run, *options, "--ckpt_path=last", "--checkpoints.every=5", "--checkpoints.keep=2") == 0
    assert [path.name for path in list_checkpoints(run)] == [f"step={step}.ckpt" for step in (best, 35, 40)]
    assert fit(run, *options, "--ckpt_path=best", verb="validate") == 0
    found = json.loads((run / "validate.json").read_text())["bits_per_character"]
    assert found == pytest.approx(bits[best], abs=1e-6) and found < bits[40]


class Evil:
    """What an attacker pickles: unpickling it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture(params=["as torch saves", "as pickle saves"])
def malicious(finished, tmp_path, request):
    """A run whose last checkpoint is a pickle that acts when it is opened, with the right checksum; and its mark."""
    run, mark = as_killed_after(finished, 6, tmp_path / "run"), tmp_path / "mark"
    path, crafted = list_checkpoints(run)[-1], load(list_checkpoints(run)[-1]) | {"callbacks": Evil(mark)}
    if request.param == "as torch saves":
        torch.save(crafted, path)
        opened = lambda: torch.load(path, weights_only=False)  # noqa: E731
    else:
        path.write_bytes(pickle.dumps(crafted, protocol=2))
        opened = lambda: pickle.loads(path.read_bytes())  # noqa: E731
    opened()
    mark.rmdir()  # the control: opened without care it acts
    path.with_suffix(".sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return run, mark


def test_a_malicious_checkpoint_is_not_unpickled(malicious, fit, capsys):
    run, mark = malicious
    path = list_checkpoints(run)[-1]
    for verb, options in {"fit": ["--weights_only=false"], "validate": [], "predict": []}.items():
        assert fit(run, f"--ckpt_path={path}", *options, verb=verb) == 1
        assert "something other than tensors and plain values" in capsys.readouterr().err
        assert not mark.exists()
    assert kathalab.main(["tinymodels", "export", str(run), f"--output={run.parent / 'model'}"]) == 0
    assert "set aside as 'step=6.damaged'" in capsys.readouterr().err
    assert not mark.exists()


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


def test_what_could_not_be_read_back_is_not_written(tmp_path):
    """`torch.__version__`, say, which is a str with a class of its own; a run would end and be unreadable."""
    with pytest.raises(TypeError, match="is a TorchVersion"):
        WholeCheckpoints().save_checkpoint({"kathalab": {"torch": torch.__version__}}, tmp_path / "step=1.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_a_training_step_that_draws_random_numbers_resumes_the_same(fit, tmp_path, monkeypatch):
    """As one with dropout would: the generators go on in the middle of an epoch, whatever was drawn before."""
    import numpy as np

    from tinymodels.module import StoryModel

    training_step = StoryModel.training_step

    def noisy(self, *arguments):
        draws = torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002
        return training_step(self, *arguments) * (0.5 + sum(draws))

    monkeypatch.setattr(StoryModel, "training_step", noisy)
    whole = tmp_path / "whole"
    assert fit(whole, "--checkpoints.every=1", "--checkpoints.keep=100") == 0
    for step in (3, 4):
        run = as_killed_after(whole, step, tmp_path / f"from-{step}")
        assert fit(run, "--ckpt_path=last") == 0
        assert differences(whole, run) == []


def test_a_checkpoint_holds_no_pickled_objects(finished):
    checkpoint = torch.load(list_checkpoints(finished)[-1], weights_only=True)
    assert "hyper_parameters" not in checkpoint  # LightningCLI would let them override the command line


def test_going_on_past_the_end_takes_more_steps(finished, fit, tmp_path):
    run = as_killed_after(finished, 12, tmp_path / "run")
    assert fit(run, "--ckpt_path=last", "--trainer.max_steps=16") == 0
    assert list_checkpoints(run)[-1].name == "step=16.ckpt"
    steps = [int(line.split(",")[0]) for line in (run / "metrics.csv").read_text().splitlines()[1:]]
    assert steps == sorted(set(steps)) and steps[-1] == 16
