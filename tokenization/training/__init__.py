"""Training tokenizers."""
