"""The embedded story grammar as a source."""

from __future__ import annotations

from collections.abc import Iterator

from corpora.grammar import generator
from corpora.sources.base import Source
from corpora.stories import Story


class Generator(Source):
    """Stories written by the embedded story grammar, the same stories in every language asked for."""

    def __init__(
        self,
        languages: list[str],
        stories: int,
        seed: int = 0,
        plots: list[str] | None = None,
        styles: list[str] | None = None,
    ):
        """Write stories; the same arguments always give the same ones.

        Args:
            languages: ISO 639-1 codes; each needs a lexicon.
            stories: how many in each language.
            seed: another seed, other stories.
            plots: which to tell (`corpora/grammar/storyworld/plots.yaml`); all if not given.
            styles: in which manners (`corpora/grammar/storyworld/styles.yaml`); all if not given.
        """
        self.languages = languages
        self.stories = stories
        self.seed = seed
        self.plots = plots
        self.styles = styles

    def __iter__(self) -> Iterator[Story]:
        yield from generator.Generator(
            self.languages, self.stories, self.seed, plots=self.plots or (), styles=self.styles or ()
        )
