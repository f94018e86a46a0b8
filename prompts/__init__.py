"""Zero-shot classification across languages with causal models."""
