"""Languages, stories, where they come from, how they are cleaned, split and described."""
