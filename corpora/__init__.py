"""Languages, stories, where they come from, how they are cleaned, split and described.

Here lie what all share (languages, folders, stories) and the commands (`cli`); the packages are, in the order of a
story's way: `sources`, with `grammar`, `llm` and `translation` behind three of them; `cleaning`; `building`;
`describing`; `publishing`. Katha-72 is a test set (`katha`).
"""
