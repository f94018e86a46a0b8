"""From a source to a corpus folder: blocks, duplicates, splits, shards, and what leaks from one split into another."""
