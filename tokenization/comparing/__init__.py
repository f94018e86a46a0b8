"""Comparing tokenizers: all measures, which to use, and the report."""
