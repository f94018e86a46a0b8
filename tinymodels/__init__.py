"""Packing tokens, training 1-10M-parameter models with Lightning, exact checkpoints, export and publishing."""
