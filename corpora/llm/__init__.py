"""Stories asked of a language model: prompts, the endpoint, what comes back, and whether it may stay."""
