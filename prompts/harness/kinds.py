"""Every kind of method that a plan can name."""

from __future__ import annotations

from prompts.harness import lexical, prompting, weights
from prompts.harness.methods import ENSEMBLE, Kind, never_built
from prompts.harness.stacking import Stacked

KINDS: dict[str, Kind] = {
    "majority": Kind(lexical.majority),
    "naive_bayes": Kind(lexical.naive_bayes),
    "name_in_text": Kind(lexical.name_in_text, learns=False),
    "encoder": Kind(lexical.encoder, learns=False),
    "encoder_examples": Kind(lexical.encoder_examples),
    "encoder_probe": Kind(lexical.encoder_probe),
    "names": Kind(prompting.NamePrompt, learns=False, prompt=True),
    "words": Kind(prompting.HardPrompt, learns=False, prompt=True),
    "prompt": Kind(prompting.TrainedPrompt, seeded=True),
    "linear_probe": Kind(weights.linear_probe),
    "lora": Kind(weights.lora, seeded=True),
    "fine_tuning": Kind(weights.fine_tuning, seeded=True),
    "pet": Kind(weights.pet, seeded=True),
    "stacked": Kind(Stacked, seeded=True),
    ENSEMBLE: Kind(never_built, seeded=True),
}
