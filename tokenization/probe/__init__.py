"""The measure that decides: a small model trained on each tokenizer."""
