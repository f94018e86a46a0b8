"""The built-in stop list of each language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from corpora.languages import get_language


def stop_words(languages: Sequence[str]) -> list[str]:
    """Function words of these languages; UserError for a language that is not known."""
    content = yaml.safe_load(Path(__file__).with_name("stop_words.yaml").read_text(encoding="utf-8"))
    return [word for language in languages for word in content.get(get_language(language).code, ())]
