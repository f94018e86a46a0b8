"""Training of soft prompts."""
