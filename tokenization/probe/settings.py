"""The probe's settings, apart from the probe so that the command line need not import torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from corpora.errors import UserError


@dataclass(frozen=True)
class ProbeSettings:
    """The small model and its training, the same for every tokenizer."""

    parameters: int | None = None
    """Total parameters, embedding included; none: what the largest vocabulary needs with a feed-forward width of four
    times `width`."""
    width: int = 64
    """Width of the residual stream; heads are 32 wide."""
    layers: int = 2
    """Number of blocks."""
    characters: int = 300_000
    """Training text at most, in code points (whole stories, the same for every seed)."""
    passes: int = 1
    """How often the training text is seen, each time in another order."""
    equal: Literal["text", "compute"] = "text"
    """What is equal beside the parameters: the text that is read, or the floating-point operations that are spent
    (those of the reference at `passes` passes), so that a tokenizer of long tokens reads more text."""
    window_characters: int = 256
    """Stories are read in windows of at most this many code points, cut before a space: the same text for all."""
    windows_per_step: int = 4
    """Windows in one optimisation step."""
    held_out_characters: int = 60_000
    """Held-out text at most, in code points (whole stories), of each text that is scored."""
    generated: int = 8
    """Stories that each trained model writes, judged by the text statistics; 0: none."""
    learning_rate: float = 0.02
    """Peak of Muon's rate for the matrices of the blocks, after a rise over a tenth of the steps and before a linear
    fall to zero; AdamW's for everything else is half of it."""
    threads: int = 1
    """CPU threads; part of the experiment, for results are the same to the bit only at the same number."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < (0 if name == "generated" else 1):
                raise UserError(f"probe.{name} must be at least {0 if name == 'generated' else 1}, not {value}.")
        if self.width % 32:
            raise UserError(f"probe.width must be a multiple of 32 (the width of a head), not {self.width}.")
        if not self.learning_rate > 0:
            raise UserError(f"probe.learning_rate must be above 0, not {self.learning_rate}.")
