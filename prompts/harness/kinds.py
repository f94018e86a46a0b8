"""Every kind of method that a plan can name."""

from __future__ import annotations

from prompts.harness.lexical import Majority
from prompts.harness.methods import Kind

KINDS: dict[str, Kind] = {
    "majority": Kind(Majority),
}
