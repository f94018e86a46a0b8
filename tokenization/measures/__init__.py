"""Intrinsic measures of tokenizers, each with its formula, source and interval."""
