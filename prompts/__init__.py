"""Zero-shot classification across languages: by names alone, or with a trained soft prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prompts.soft.classifier import ZeroShotClassifier

__all__ = ["ZeroShotClassifier"]


def __getattr__(name: str) -> Any:
    """`prompts.ZeroShotClassifier`, imported when it is asked for: the command line's help needs no torch."""
    if name == "ZeroShotClassifier":
        from prompts.soft.classifier import ZeroShotClassifier

        return ZeroShotClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
