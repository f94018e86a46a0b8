"""A tiny corpus of word salad, a tokenizer for it, and a finished tiny run."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

TEXT = "राजा रानी एक था थी जंगल में गया शेर खरगोश नदी पेड़ माँ बच्चा हँसा रोया और फिर घर आया बोली सब खुश हुए"


def make_corpus(folder: Path, train: int = 60, held_out: int = 6, languages: tuple[str, ...] = ("hi",)) -> Path:
    """A corpus folder of seeded word salad."""
    from corpora.folders import new_folder, write_manifest
    from corpora.stories import Story, write_split

    choose = random.Random(7)
    with new_folder(folder) as partial:
        for language in languages:
            for split, count in (("train", train), ("validation", held_out), ("test", held_out)):
                stories = [
                    Story(
                        id=f"{split}-{language}-{number}",
                        language=language,
                        text=" ".join(choose.choices(TEXT.split(), k=choose.randint(2, 40))) + "।",
                        source="salad",
                        license="CC0-1.0",
                        attribution="the cook",
                    )
                    for number in range(count)
                ]
                if stories:
                    write_split(partial, split, stories)
        write_manifest(partial, "corpus", {"train": train}, licenses=["CC0-1.0"])
    return folder


def make_tokenizer(folder: Path, corpus: Path, size: int = 400) -> Path:
    """A tokenizer folder trained on a corpus."""
    from corpora.folders import fingerprint, new_folder, write_manifest
    from corpora.stories import read_corpus
    from tokenization.training.trainers import train_tokenizer

    texts = [story.text for story in read_corpus(corpus, "train")]
    with new_folder(folder) as partial:
        train_tokenizer("sentencepiece-bpe", texts, size).save(partial)
        write_manifest(partial, "tokenizer", {"size": size}, {"corpus": fingerprint(corpus)})
    return folder


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The makers of this file, for tests that need another corpus or tokenizer."""
    return SimpleNamespace(corpus=make_corpus, tokenizer=make_tokenizer, options=tiny_options)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("tinymodels") / "corpus")


@pytest.fixture(scope="session")
def tokenizer(corpus: Path) -> Path:
    return make_tokenizer(corpus.parent / "tokenizer", corpus, 340)


Fit = Callable[..., int]


@pytest.fixture(scope="session")
def fit(corpus: Path, tokenizer: Path) -> Fit:
    """`fit(run, "--option", "value", …)`: the command, on the tiny corpus with a tiny model; gives its exit code."""
    import kathalab

    def run_fit(run: Path, *options: str, verb: str = "fit") -> int:
        return kathalab.main(["tinymodels", verb, *tiny_options(corpus, tokenizer, run), *options])

    return run_fit


def tiny_options(corpus: Path, tokenizer: Path, run: Path) -> list[str]:
    """Options of a 12-update run of a model so small that an update takes milliseconds."""
    options = {
        "data.corpus": corpus,
        "data.tokenizer": tokenizer,
        "data.sequence_length": 16,
        "data.batch_size": 2,
        "data.validation_stories": 4,
        "model.parameters": 60_000,
        "model.warmup": 3,
        "model.decay": 0.5,
        "model.compile": "false",
        "trainer.default_root_dir": run,
        "trainer.accelerator": "cpu",
        "trainer.precision": "32-true",
        "trainer.max_steps": 12,
        "trainer.val_check_interval": 4,
        "trainer.enable_progress_bar": "false",
        "log.every": 3,
        "checkpoints.every": 2,
        "samples.longest": 8,
        "samples.show": "false",
    }
    return [f"--{name}={value}" for name, value in options.items()]


@pytest.fixture(scope="session")
def finished(fit: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run that kept a checkpoint of every update."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    assert fit(run, "--checkpoints.every=1", "--checkpoints.keep=100") == 0
    return run


@pytest.fixture(scope="session")
def model(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of the finished run."""
    import kathalab

    folder = tmp_path_factory.mktemp("models") / "tiny"
    assert kathalab.main(["tinymodels", "export", str(finished), f"--output={folder}"]) == 0
    return folder


@pytest.fixture(scope="session")
def sweep() -> ModuleType:
    """`tests/benchmarks/sweep_shapes.py`, which is no part of a package."""
    path = Path(__file__).parents[1] / "benchmarks" / "sweep_shapes.py"
    spec = importlib.util.spec_from_file_location("sweep_shapes", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module
