"""Where stories come from: one small class per source, each an iterable of `Story` in a fixed order."""

from corpora.sources.base import FileSource, Source
from corpora.sources.embedded import Generator
from corpora.sources.hub import Hub
from corpora.sources.katha import Katha72
from corpora.sources.llm import Llm
from corpora.sources.markdown import Markdown
from corpora.sources.tables import CSV, JSON, JSONLines, Parquet
from corpora.sources.text import Text
from corpora.sources.translation import Translation

__all__ = [
    "CSV",
    "JSON",
    "FileSource",
    "Generator",
    "Hub",
    "JSONLines",
    "Katha72",
    "Llm",
    "Markdown",
    "Parquet",
    "Source",
    "Text",
    "Translation",
]
