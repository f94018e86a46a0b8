"""The embedded generator: a small world of episodes and plots, told in every language by its lexicon."""
