"""Training, loading and comparing tokenizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenization.folder import load_tokenizer

__all__ = ["load_tokenizer"]


def __getattr__(name: str) -> Any:
    """`tokenization.load_tokenizer`, imported when first asked for, since transformers is slow to import."""
    if name == "load_tokenizer":
        from tokenization.folder import load_tokenizer

        return load_tokenizer
    raise AttributeError(f"module 'tokenization' has no attribute {name!r}")
