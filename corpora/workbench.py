"""For whoever writes a lexicon of the story grammar: `python -m corpora.workbench check|words|show CODE`.

`check` lists what the language still lacks, `words` every word form it can emit (one a line, for a spelling checker),
`show` stories beside the same stories in English.
"""

from __future__ import annotations

from corpora.coverage import Coverage
from corpora.generator import draw_outline, get_teller
from corpora.languages import get_language
from corpora.lexicon import load_lexicon


def check(language: str) -> None:
    """Missing words, beats and forms of a language, one a line.

    Args:
        language: ISO 639-1 code.
    """
    problems = Coverage(load_lexicon(get_language(language).code)).problems()
    print(*problems, f"{len(problems)} problems", sep="\n")


def words(language: str) -> None:
    """Every word form that a language can emit, one a line, sorted.

    Args:
        language: ISO 639-1 code.
    """
    print(*sorted(Coverage(load_lexicon(get_language(language).code)).word_forms()), sep="\n")


def show(language: str, plot: str = "", stories: int = 1, seed: int = 0, beside: str = "en") -> None:
    """Stories paragraph by paragraph, each followed by the same paragraph in another language.

    Args:
        language: ISO 639-1 code.
        plot: only this plot.
        stories: how many.
        seed: another seed, other stories.
        beside: the other language; the same as `language` for none.
    """
    tellers = [get_teller(code) for code in dict.fromkeys((get_language(language).code, get_language(beside).code))]
    shown, number = 0, 0
    while shown < stories and number < 100_000:
        outline = draw_outline(seed, number)
        number += 1
        if plot and outline.plot != plot:
            continue
        shown += 1
        told = [teller.tell(outline, seed) for teller in tellers]
        print(f"\n=== {outline.number}: {outline.plot} ({outline.theme}), {outline.style.name}")
        print(*(story.title for story in told), sep=" | ")
        for paragraphs in zip(*(story.text.split("\n\n") for story in told), strict=True):
            print("", *paragraphs, sep="\n")


if __name__ == "__main__":
    from jsonargparse import auto_cli

    auto_cli([check, words, show])
