"""Translating stories: a translator of our own from parallel ones, and any sequence-to-sequence model."""
