"""The instruments: likelihood, floors, text statistics, intervals, report pages, for any Hugging Face causal model."""
