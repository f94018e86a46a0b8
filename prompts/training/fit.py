"""`kathalab prompts fit`: LightningCLI around the training of a soft prompt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from corpora.errors import UserError
from corpora.folders import sha256, write_manifest, write_text
from corpora.quiet import quiet
from prompts.models import open_answer_model
from prompts.soft.facts import Facts
from prompts.soft.probe import Probe, fit_probe
from prompts.soft.saving import save_prompt
from prompts.training.checkpoints import LAST, PromptCheckpoints, WholeCheckpoints, load
from prompts.training.datamodule import FewShotData
from prompts.training.module import PromptTuning
from prompts.training.tuning import DEFAULTS, build_verbalizer, lengths, prepare, run_identity
from prompts.verbalizers import labels_path, load_labels

DESCRIPTION = (
    "Train a soft prompt for a frozen model on a few labelled texts of one language. Reads a model and labelled texts; "
    "writes a run folder (--trainer.default_root_dir) with prompt/ (the prompt with the lowest validation loss), "
    "metrics.csv, config.yaml, checkpoints/ and manifest.json. "
    "Example: kathalab prompts fit --config prompts/configs/sib200-gemma.yaml --ckpt_path last"
)
SHOWN = ("model.objective.", "model.rates.", "model.kind", "model.warmup")
"""Settings that the prompt's card tells."""
TRAINER = (
    "gradient_clip_val",
    "gradient_clip_algorithm",
    "limit_train_batches",
    "limit_val_batches",
    "overfit_batches",
)
"""Options of Lightning's trainer that decide the prompt."""
BASE = Path(__file__).parents[1] / "configs" / "base.yaml"


def fit(arguments: list[str]) -> None:
    """Run `fit` with its options; `arguments` begin with the verb."""
    with quiet():
        try:
            PromptCLI(arguments)
        except MisconfigurationException as error:
            reason = str(error).strip().split("\n")[0].rstrip(".")
            raise UserError(f"the trainer cannot run so: {reason}.") from None


class KeepConfig(SaveConfigCallback):
    """Writes `config.yaml` into the run folder when training starts, and not before: a refused run leaves it as it
    was."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        pass

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        path = Path(trainer.default_root_dir) / self.config_filename
        write_text(path, self.parser.dump(self.config, skip_none=False))


class PromptCLI(LightningCLI):
    """The one subcommand `fit`."""

    trainer: pl.Trainer
    model: PromptTuning
    datamodule: FewShotData

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(
            PromptTuning,
            FewShotData,
            save_config_callback=KeepConfig,
            seed_everything_default=1,
            trainer_defaults={**DEFAULTS, "devices": 1, "max_epochs": 10, "accelerator": "auto"},
            args=arguments,
            auto_configure_optimizers=False,
            parser_kwargs={
                "prog": "kathalab prompts",
                "exit_on_error": False,
                "fit": {"description": DESCRIPTION, "default_config_files": [str(BASE)], "exit_on_error": False},
            },
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        return {"fit": {"model", "train_dataloaders", "val_dataloaders", "datamodule"}}

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        self.config = parser.parse_args(args)

    def _parse_ckpt_path(self) -> None:
        """Nothing: LightningCLI would let hyper-parameters in the checkpoint override the command line."""

    def before_instantiate_classes(self) -> None:
        trainer = self.config.fit.trainer
        if not trainer.default_root_dir:
            raise UserError("the run needs a folder; give it with `--trainer.default_root_dir`.")
        if trainer.max_steps != -1 or trainer.max_epochs is None:
            raise UserError("a prompt's training counts passes over its items; give `--trainer.max_epochs` alone.")
        if trainer.accumulate_grad_batches != 1:
            raise UserError("a prompt's update reads one batch; give a larger `--data.batch_size` instead.")
        self.run = Path(trainer.default_root_dir)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        options = {**self._get(self.config_init, "trainer"), **kwargs}
        data = self._get(self.config_init, "data")
        data.read()
        self.epochs = int(options["max_epochs"])
        options |= lengths(self.epochs, data.batches_per_epoch)
        options["plugins"] = [*(options["plugins"] or []), WholeCheckpoints()]
        self.checkpoints = PromptCheckpoints({})
        return self._instantiate_trainer(options, [self.checkpoints])

    def before_fit(self) -> None:
        options = self.config_init["fit"]
        last = self.run / LAST
        if options.get("ckpt_path") == "last":
            options["ckpt_path"] = str(last) if last.is_file() else None
        elif options.get("ckpt_path") is None and last.is_file():
            raise UserError(
                f"{str(self.run)!r} holds the checkpoint of a run; go on with it by `--ckpt_path last`, or choose "
                "another `--trainer.default_root_dir`."
            )
        if options.get("ckpt_path"):
            load(options["ckpt_path"])  # a damaged one is told of before the model is read
        data = self.datamodule
        languages = list(dict.fromkeys([data.language, *(self.model.verbalizer.languages or [])]))
        self.label_set = load_labels(data.labels, languages)
        if data.wording is not None:
            self.label_set = self.label_set.worded(data.wording)
        answering = open_answer_model(self.model.source, str(self.trainer.strategy.root_device))
        answering.check_layer(self.model.probe.layer)
        prepare(self.model, answering, self.label_set, data.language, data)
        self.checkpoints.identity = {
            **run_identity(self.model, data, data.language),
            "trainer.max_epochs": self.epochs,
            "trainer.precision": str(self.trainer.precision),
            **{f"trainer.{name}": str(getattr(self.trainer, name)) for name in TRAINER},
        }
        numbers = sum(weight.numel() for weight in self.model.soft.parameters())
        told = f"{len(data.training)} items of {len(data.classes)} classes, {numbers:,} numbers to train"
        print(f"run: {str(self.run)!r}, {told}", file=sys.stderr, flush=True)

    def fit(self, **options: Any) -> None:
        try:
            self.trainer.fit(**options)
        except SystemExit:  # Lightning's answer to Ctrl-C
            print(
                "training stopped; the same command with `--ckpt_path last` goes on from the last validation.",
                file=sys.stderr,
            )
            raise KeyboardInterrupt from None

    def _probe(self) -> Probe | None:
        options, lesson = self.model.probe, self.model.lesson
        if options.layer is None:
            return None
        layer = int(options.layer)
        states = lesson.model.read_once(lesson.training.asked, layer=layer)
        classes = lesson.verbalizer.classes
        return fit_probe(states, lesson.training.labels, classes, layer, float(options.share), float(options.strength))

    def after_fit(self) -> None:
        module, data, best = self.model, self.datamodule, self.checkpoints.best
        self.checkpoints.write_rows(self.run)
        soft = self.checkpoints.best_prompt(module)
        templates = {code: self.label_set[code].template for code in self.label_set.languages}
        training = {
            "dataset": data.dataset,
            "shots": data.shots,
            "epochs": self.epochs,
            "best_update": best["step"],
            "sampling_seed": data.sampling_seed,
            "order_seed": data.order_seed,
            "seed": module.seed,
            **{name: value for name, value in self.checkpoints.identity.items() if name.startswith(SHOWN)},
        }
        facts = Facts(
            templates,
            languages=(data.language,),
            verbalizer=build_verbalizer(module.verbalizer, self.label_set, data.language, module.lesson.model),
            content_free={code: self.label_set[code].content_free for code in self.label_set.languages},
            seen=tuple(data.classes),
            training=training,
            base_model=module.source,
        )
        save_prompt(self.run / "prompt", soft, module.lesson.model, facts, self._probe())
        configuration = self.config.fit.as_dict()
        write_manifest(
            self.run,
            "prompt_run",
            {name: configuration[name] for name in ("model", "data")} | {"epochs": self.epochs},
            {f"labels {data.labels}": sha256(labels_path(data.labels)), **data.inputs},
            languages=[data.language],
            updates=self.trainer.global_step,
            best={"update": best["step"], "validation_loss": best["loss"]},
        )
        print(
            f"trained {self.trainer.global_step:,} updates, the lowest validation loss {best['loss']:.3f} after "
            f"{best['step']:,}: the prompt is in {str(self.run / 'prompt')!r}."
        )
