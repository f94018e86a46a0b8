"""For whoever writes a lexicon of the story grammar: `python -m corpora.grammar.workbench todo|check|words|show CODE`.

`todo` writes what is missing as YAML to be filled in, with the English beside it; `check` lists what is missing or
wrong; `words` every word form that can come up (one a line, for a spelling checker); `show` stories beside the same
stories in English.
"""

from __future__ import annotations

from corpora.grammar.coverage import Coverage
from corpora.grammar.generator import draw_outline, get_teller
from corpora.grammar.lexicon import load_lexicon
from corpora.grammar.slots import ROLE_SECTIONS
from corpora.grammar.world import load_world
from corpora.languages import get_language


def todo(language: str) -> None:
    """Missing words by class and missing beats with their roles, as YAML, with the English as comments.

    Args:
        language: ISO 639-1 code.
    """
    lexicon, english, world = load_lexicon(get_language(language).code), load_lexicon("en"), load_world()
    missing: dict[str, dict[str, str]] = {}
    classes = {**world.classes, **{f"{n} of": tuple(r.values()) for n, r in world.relations.items()}}
    for name, members in classes.items():
        for concept in members:
            if not any(concept in words for words in lexicon.lexemes.values()):
                section = english.find(concept, ROLE_SECTIONS).section
                missing.setdefault(section, {}).setdefault(concept, name)
    for section, concepts in missing.items():
        print(f"{section}:")
        for concept, name in concepts.items():
            print(f"  {concept}:   # {english.find(concept, ROLE_SECTIONS).word} ({name})")
    roles: dict[str, set[str]] = {}
    for scene in Coverage(english).scenes():
        own = scene.pools.keys() | {alias for alias, _ in scene.beat.aliases}
        roles[scene.beat.name] = roles.get(scene.beat.name, own) & own
    print("sentences:")
    for beat, variants in english.sentences.items():
        if beat not in lexicon.sentences:
            print(f"  {beat}:   # {', '.join(sorted(roles[beat] - world.cast.keys())) or 'only the cast'}")
            for condition, text in variants:
                print(f"    # - {condition + ': ' if condition else ''}'{text}'")


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

    Stories for which the language still lacks something are passed over.

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
        try:
            told = [teller.tell(outline, seed) for teller in tellers]
        except ValueError:  # not all of it is written yet
            continue
        shown += 1
        print(f"\n=== {outline.number}: {outline.plot} ({outline.theme}), {outline.style.name}")
        print(*(story.title for story in told), sep=" | ")
        for paragraphs in zip(*(story.text.split("\n\n") for story in told), strict=True):
            print("", *paragraphs, sep="\n")


if __name__ == "__main__":
    from jsonargparse import auto_cli

    auto_cli([todo, check, words, show])
