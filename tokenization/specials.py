"""The four special tokens, the same in every kind of tokenizer."""

from __future__ import annotations

UNKNOWN, BEGIN, END, PAD = "<unk>", "<s>", "</s>", "<pad>"
SPECIALS = (UNKNOWN, BEGIN, END, PAD)
"""Special tokens in the order of their ids: 0, 1, 2, 3."""

BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""The byte pieces that spell a character outside the vocabulary, in SentencePiece's and Hugging Face's notation."""
