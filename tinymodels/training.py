"""`kathalab tinymodels fit | validate | test | predict`: LightningCLI around the story model."""

from __future__ import annotations

import math
import shutil
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from corpora.errors import UserError
from corpora.folders import MANIFEST, fingerprint, new_folder, write_json, write_manifest, write_text
from corpora.quiet import quiet
from corpora.stories import read_corpus
from tinymodels.branching import Lineage
from tinymodels.checkpoints import (
    RunCheckpoints,
    Stopped,
    WholeCheckpoints,
    best_checkpoint,
    last_checkpoint,
    list_checkpoints,
)
from tinymodels.commandline import missing_packages, refuse_secrets
from tinymodels.data import StoryData, TrainingBatches
from tinymodels.distributed import ShardedStrategy, count_processes, is_a_helper, refuse_processes
from tinymodels.mixture_log import MixtureLog, mixture_facts
from tinymodels.module import StoryModel
from tinymodels.runlog import RunLog, StoryProgress, log_of
from tinymodels.samples import SampledStories
from tinymodels.spikes import LossSpikes, Rewind

DESCRIPTIONS = {
    "fit": (
        "Train a story model. Reads a corpus and a tokenizer folder; writes a run folder (--trainer.default_root_dir) "
        "with config.yaml, metrics.csv, samples.jsonl, checkpoints/, tokenizer/ and, when finished, manifest.json. "
        "Example: kathalab tinymodels fit --config tinymodels/configs/hindi-1m.yaml --ckpt_path last. "
        "A branch of it: kathalab tinymodels fit --config RUN/config.yaml --from RUN --trainer.default_root_dir BRANCH "
        "--trainer.max_steps 300"
    ),
    "validate": (
        "Bits per character of a run on its validation stories; reads a run folder and writes validate.json there. "
        "Example: kathalab tinymodels validate --config RUN/config.yaml --ckpt_path last"
    ),
    "test": (
        "Bits per character of a run on its test stories; reads a run folder and writes test.json there. "
        "Example: kathalab tinymodels test --config RUN/config.yaml --ckpt_path last"
    ),
    "predict": (
        "Bits per character of each single test story; reads a run folder and writes predict.json there. "
        "Example: kathalab tinymodels predict --config RUN/config.yaml --ckpt_path last"
    ),
}
BASE = Path(__file__).parent / "configs" / "base.yaml"
DEFAULTS = {
    "num_sanity_val_steps": 0,
    "devices": 1,
    "logger": False,
    "enable_model_summary": False,
}


def train(arguments: list[str]) -> None:
    """Run one of LightningCLI's subcommands."""
    with quiet():
        try:
            StoryCLI(arguments)
        except UserError:
            if is_a_helper():  # the process that started it says the same
                raise SystemExit(1) from None
            raise
        except MisconfigurationException as error:
            raise UserError(f"the trainer cannot run so: {_first_line(error)}.") from None
        except ValueError as error:
            if packages := missing_packages(error):
                raise UserError(f"what `--trainer.logger` names needs a package: pip install {packages}.") from None
            if "val_check_interval" not in str(error):
                raise
            raise UserError(f"the trainer cannot run so: {_first_line(error)}.") from None


class KeepInputs(SaveConfigCallback):
    """Writes `config.yaml` and `tokenizer/` into the run folder; a resumed run writes them again.

    At the start of training and not before, when the checkpoint is known to be of this configuration: a refused run
    leaves the folder as it was.
    """

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        pass

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        run = Path(trainer.default_root_dir)
        if trainer.is_global_zero:
            _copy_tokenizer(trainer.datamodule.tokenizer, run / "tokenizer")  # type: ignore[attr-defined]
            write_text(run / self.config_filename, self.parser.dump(self.config, skip_none=False))


class StoryCLI(LightningCLI):
    """The four subcommands, with the run's own callbacks configurable as `--log`, `--samples`, `--spikes` and
    `--checkpoints`."""

    trainer: pl.Trainer
    model: StoryModel
    datamodule: StoryData

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        super().__init__(
            StoryModel,
            StoryData,
            save_config_callback=KeepInputs,
            seed_everything_default=1,
            trainer_defaults=DEFAULTS,
            args=arguments,
            auto_configure_optimizers=False,
            parser_kwargs={
                "prog": "kathalab tinymodels",
                "exit_on_error": False,
                **{
                    verb: {"description": text, "default_config_files": [str(BASE)], "exit_on_error": False}
                    for verb, text in DESCRIPTIONS.items()
                },
            },
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument(
            "--from",
            type=str | None,  # type: ignore[arg-type]
            default=None,
            help="a checkpoint, or a run folder (its newest checkpoint), to branch from: weights and optimizer are "
            "taken over, and the learning rate only falls, over --trainer.max_steps",
        )
        parser.add_argument(
            "--anneal-on",
            type=str | None,  # type: ignore[arg-type]
            default=None,
            help="with --from: a corpus folder that the branch reads in place of the trunk's",
        )
        parser.add_lightning_class_args(RunLog, "log")
        parser.add_lightning_class_args(SampledStories, "samples")
        parser.add_lightning_class_args(LossSpikes, "spikes")
        parser.add_lightning_class_args(RunCheckpoints, "checkpoints")
        parser.link_arguments("data.vocabulary_size", "model.vocabulary_size", apply_on="instantiate")
        parser.link_arguments("data.sequence_length", "model.context")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        self.config = parser.parse_args(args)

    def _parse_ckpt_path(self) -> None:
        """Nothing: LightningCLI would let hyper-parameters in the checkpoint override the command line."""

    # ---- between parsing and building ----

    def before_instantiate_classes(self) -> None:
        trainer = self.config[self.config.subcommand].trainer
        if not trainer.default_root_dir:
            raise UserError("the run needs a folder; give it with `--trainer.default_root_dir`.")
        options = self.config[self.config.subcommand]
        if options.anneal_on is not None:
            if options["from"] is None:
                raise UserError("`--anneal-on` needs the trunk to anneal; give it with `--from`.")
            options.data.corpus = options.anneal_on
        if trainer.precision is None:
            trainer.precision = best_precision(trainer.accelerator)
        if self.config.subcommand != "fit":  # scoring is one device's work
            trainer.devices, trainer.strategy, trainer.num_nodes = 1, "auto", 1
        refuse_secrets(trainer.logger)
        self.run = Path(trainer.default_root_dir)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        options = {**self._get(self.config_init, "trainer"), **kwargs}
        options["plugins"] = [*(options["plugins"] or []), WholeCheckpoints()]
        if self.subcommand == "fit" and options["max_steps"] == -1 and (options["max_epochs"] or 0) > 0:
            options |= epochs_as_steps(options, self._get(self.config_init, "data").batches_per_epoch)
        if self.subcommand == "fit" and options["accumulate_grad_batches"] > 1:
            options["val_check_interval"] = validation_after_updates(options)
        if options["strategy"] == "fsdp":
            options["strategy"] = ShardedStrategy(count_processes(options))
        callbacks = [self._get(self.config_init, key) for key in self._parser(self.subcommand).callback_keys]
        by_kind = {type(callback): callback for callback in callbacks}
        if by_kind[LossSpikes].action == "rewind":
            by_kind[LossSpikes].identity["checkpoints.every"] = int(by_kind[RunCheckpoints].every)
        self.lineage = Lineage(self._get(self.config_init, "from"))
        callbacks += [self.lineage, MixtureLog()]
        if options["enable_progress_bar"] is not False and self.subcommand == "fit":
            callbacks.append(StoryProgress())
        return self._instantiate_trainer(options, callbacks)

    def _resolve_checkpoint(self) -> None:
        """Turn `--ckpt_path last` or `best` into that checkpoint's path; None if there is none yet."""
        options = self.config_init[self.subcommand]
        find = {"last": last_checkpoint, "best": best_checkpoint}.get(options.get("ckpt_path"))
        if find is not None:
            found = find(self.run)
            options["ckpt_path"] = None if found is None else str(found)

    # ---- fit ----

    def before_fit(self) -> None:
        refuse_processes(self.trainer, self.model, self.datamodule, self.arguments)
        options = self.config_init["fit"]
        if options.spikes.action == "rewind" and self.datamodule.stages is not None:
            raise UserError("a rewind leaves batches out and `data.stages` count them; give `--spikes.action skip`.")
        if options.get("ckpt_path") is None and list_checkpoints(self.run):
            raise UserError(
                f"{str(self.run)!r} holds the checkpoints of a run; go on with it by `--ckpt_path last`, "
                "or choose another `--trainer.default_root_dir`."
            )
        self._resolve_checkpoint()
        self.lineage.open(self.model, self.datamodule, options.get("ckpt_path"), options["anneal_on"] is not None)
        if not self.trainer.is_global_zero:
            return
        if self.trainer.world_size > 1:  # encode once, before the other processes are started
            self.datamodule.tokens("train"), self.datamodule.tokens("validation")
        for leftover in [*self.run.glob(".*.partial"), *self.run.glob(".*.old")]:  # of a run killed while it wrote
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        print(f"model: {self.model.size}", file=sys.stderr)
        processes = f", {self.trainer.world_size} processes" if self.trainer.world_size > 1 else ""
        print(f"run: {str(self.run)!r}, precision {self.trainer.precision}{processes}", file=sys.stderr, flush=True)

    def fit(self, **options: Any) -> None:
        checkpoints = next(found for found in self.trainer.checkpoint_callbacks if isinstance(found, RunCheckpoints))
        with _ctrl_c_stops(checkpoints):
            try:
                self._fit_with_rewinds(options)
            except Stopped as stopped:
                print(f"training stopped after step {stopped}; {_how_to_resume(self.run)}", file=sys.stderr)
                raise KeyboardInterrupt from None
            except SystemExit:  # Lightning's answer to a second Ctrl-C
                print(f"training stopped at once; {_how_to_resume(self.run)}", file=sys.stderr)
                raise KeyboardInterrupt from None

    def _fit_with_rewinds(self, options: dict[str, Any]) -> None:
        """Train to the end; a rewind is a resume from an earlier checkpoint in the same process."""
        while True:
            try:
                self.trainer.fit(**options)
            except Rewind as rewind:
                options["ckpt_path"] = str(rewind.args[0])
                self.trainer.fit_loop._combined_loader = None  # or Lightning would go on with the loader's position
                continue
            return

    def after_fit(self) -> None:
        if not self.trainer.is_global_zero:
            return
        options = self.config.fit.as_dict()
        log = log_of(self.trainer)
        metrics = log.validation
        batches = self.trainer.train_dataloader
        assert isinstance(batches, TrainingBatches)
        position = self.trainer.global_step * self.trainer.accumulate_grad_batches
        tokens = batches.tokens_before(position)
        write_manifest(
            self.run,
            "run",
            {"model": options["model"], "data": options["data"], "seed_everything": options["seed_everything"]},
            self.datamodule.inputs,
            licenses=self.lineage.licenses,
            languages=self.datamodule.languages,
            steps=self.trainer.global_step,
            tokens=tokens,
            characters=round(tokens * self.datamodule.tokens("train").characters_per_token),
            parameters=self.model.size.total,
            non_embedding_parameters=self.model.size.non_embedding,
            validation=metrics,
            **self.lineage.facts,
            **mixture_facts(batches, position),
        )
        told = f", {metrics['bits_per_character']:.3f} bits per character on validation" if metrics else ""
        speed = log.stopwatch.summary() if hasattr(log, "stopwatch") else ""
        told += f", at {speed}" if speed else ""
        print(f"trained {self.trainer.global_step:,} updates{told}: the run is in {str(self.run)!r}.")

    # ---- validate, test, predict ----

    def _before_scoring(self) -> None:
        options = self.config_init[self.subcommand]
        options["ckpt_path"] = options.get("ckpt_path") or "last"
        if "verbose" in options:
            options["verbose"] = False  # the last line says it
        self._resolve_checkpoint()
        if options["ckpt_path"] is None:
            raise UserError(f"there is no checkpoint in {str(self.run)!r}; train with `kathalab tinymodels fit` first.")

    before_validate = before_test = before_predict = _before_scoring

    def _after_scoring(self) -> None:
        path = self.run / f"{self.subcommand}.json"
        write_json(path, self.model.validation)
        bits = self.model.validation["bits_per_character"]
        print(f"{bits:.4f} bits per character: the result is in {str(path)!r}.")

    after_validate = after_test = _after_scoring

    def predict(self, **options: Any) -> None:
        stories = read_corpus(self.datamodule.corpus, "test", self.datamodule.languages)
        nats: dict[int, float] = defaultdict(float)
        for batch in self.trainer.predict(**options) or []:
            for document, value in zip(batch["documents"], batch["nats"], strict=True):  # type: ignore[call-overload, index]
                nats[document] += value
        path = self.run / "predict.json"
        rows = [
            {
                "id": stories[document].id,
                "bits_per_character": nats[document] / math.log(2) / len(stories[document].text),
            }
            for document in sorted(nats)
        ]
        write_json(path, rows)
        print(f"{len(rows):,} test stories scored: the result is in {str(path)!r}.")


def epochs_as_steps(options: Mapping[str, Any], batches: int) -> dict[str, Any]:
    """The options of a trainer that count in epochs of so many batches, in updates and batches.

    Lightning 2.6 miscounts its passes over the data when it resumes at the end of one, and a later resume then trains
    otherwise; so a run is always one pass of its loop, and the data begins its epochs by itself.
    """
    length = options["max_epochs"] * batches
    every = 1.0 if options["val_check_interval"] is None else options["val_check_interval"]
    if isinstance(every, float):
        every = min(length, max(1, int(every * (options["check_val_every_n_epoch"] or 1) * batches)))
        every = max(1, every // options["accumulate_grad_batches"]) * options["accumulate_grad_batches"]
    return {
        "max_epochs": None,
        "max_steps": max(1, length // options["accumulate_grad_batches"]),
        "val_check_interval": every,
        "check_val_every_n_epoch": 1,
    }


def validation_after_updates(options: Mapping[str, Any]) -> Any:
    """The interval between validations, in batches, such that no validation falls between two batches of an update."""
    every, accumulated = options["val_check_interval"], options["accumulate_grad_batches"]
    if isinstance(every, float) and options["max_steps"] > 0:
        return max(1, int(every * options["max_steps"])) * accumulated
    if isinstance(every, int) and every % accumulated:
        raise UserError(
            f"`trainer.val_check_interval` counts batches, and {every} of them are no whole updates of {accumulated}; "
            f"give {every - every % accumulated + accumulated}, or a share of the run such as 0.1."
        )
    return every


def best_precision(accelerator: Any) -> Any:
    """What a run computes in where the configuration does not say."""
    return "bf16-mixed" if has_fast_bfloat16(accelerator) else "32-true"


def has_fast_bfloat16(accelerator: Any) -> bool:
    """Whether the machine multiplies bfloat16 in hardware: a recent GPU, or a CPU with AVX512-BF16 or AMX."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if accelerator in ("auto", "cpu") and not torch.backends.mps.is_available():
        probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, probe, bool)() for probe in probes)
    return False


@contextmanager
def _ctrl_c_stops(checkpoints: RunCheckpoints) -> Iterator[None]:
    """Within: the first Ctrl-C stops training after the update at hand, the second at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def request(number: int, frame: Any) -> None:
        checkpoints.stop_requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nstopping after this update (Ctrl-C again stops at once) …", file=sys.stderr, flush=True)

    before = signal.signal(signal.SIGINT, request)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")


def _how_to_resume(run: Path) -> str:
    if list_checkpoints(run):
        return "the same command with `--ckpt_path last` goes on from the last checkpoint."
    return "there was no checkpoint yet, so the same command starts anew."


def _copy_tokenizer(source: str, target: Path) -> None:
    """Keep the tokenizer with the run, so that a run can be exported by itself."""
    if (target / MANIFEST).is_file() and fingerprint(target) == fingerprint(source, "tokenizer"):
        return
    with new_folder(target) as partial:
        shutil.copytree(source, partial, dirs_exist_ok=True)
