"""Stories sampled while training, so that a person can read how the model comes along."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import lightning.pytorch as pl
from jsonargparse.typing import ClosedUnitInterval, NonNegativeFloat, NonNegativeInt, PositiveInt
from lightning.pytorch.callbacks import Callback

from corpora.folders import json_lines
from evaluation.generation import Prompt, generate_stories
from tinymodels.data import StoryData
from tinymodels.distributed import whole_weights
from tinymodels.module import StoryModel
from tinymodels.runlog import append, truncate


class SampledStories(Callback):
    """After each validation, writes a few stories, shows the first and appends all to `samples.jsonl`."""

    def __init__(
        self,
        prompts: list[str] | None = None,
        stories: NonNegativeInt = 1,
        longest: PositiveInt = 160,
        temperature: NonNegativeFloat = 0.8,
        top_p: ClosedUnitInterval = 0.95,
        seed: NonNegativeInt = 1,
        show: bool = True,
    ) -> None:
        """
        Args:
            prompts: openings to continue; if not given the model begins by itself.
            stories: how many stories per opening; 0 for none.
            longest: tokens of a story at most.
            temperature: of sampling; 0 takes the likeliest token.
            top_p: share of the probability to sample from, the likeliest tokens first.
            seed: of the sampling; it is independent of training.
            show: whether to print the first story of each validation.
        """
        self.prompts = prompts or [""]
        self.stories = stories
        self.longest = longest
        self.temperature = temperature
        self.top_p = top_p
        self.seed = seed
        self.show = show
        self.identity = {
            "samples.prompts": self.prompts,
            "samples.stories": stories,
            "samples.longest": longest,
            "samples.temperature": temperature,
            "samples.top_p": top_p,
            "samples.seed": seed,
        }

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        from tokenization import load_tokenizer

        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, StoryData)
        self.tokenizer = load_tokenizer(data.tokenizer)
        self.path = Path(trainer.default_root_dir) / "samples.jsonl"
        step = trainer.global_step
        if trainer.is_global_zero:
            truncate(self.path, lambda line: 0 < json.loads(line)["step"] <= step)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.state.fn != "fit" or trainer.sanity_checking or not self.stories:
            return
        assert isinstance(module, StoryModel)
        with whole_weights(module):
            if trainer.is_global_zero:
                self._write(trainer.global_step, module)

    def _write(self, step: int, module: StoryModel) -> None:
        module.model.eval()
        written = generate_stories(
            module.model,
            self.tokenizer,
            [Prompt(prompt, language="") for prompt in self.prompts for _ in range(self.stories)],
            max_new_tokens=self.longest,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed * 1_000_003 + step,
        )
        module.model.train()
        rows = [{"step": step, "prompt": story.prompt, "story": story.text} for story in written]
        append(self.path, json_lines(rows))
        if self.show:
            from tqdm import tqdm

            story = " ".join(written[0].text.rstrip("\ufffd").split())
            tqdm.write(f"\nstep {step:,}, a story: {story}\n", file=sys.stderr)
