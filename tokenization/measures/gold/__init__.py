"""Words of Hindi, Marathi and Bengali with known morpheme boundaries, cleaned and accounted for.

Sources, in the order in which a word is taken (later repetitions are counted and left out):

- `unimorph` (folder `unimorph/`, CC BY-SA 3.0): Hindi verbs, Bengali nouns and verbs; no Marathi.
- `treebank` (folder `ud/`, CC BY-SA): Marathi UFAL, Hindi PUD, Bengali BRU.
- `grammar`: the story grammar's own lexicons; always there. A tokenizer trained on the grammar's stories has seen these
  words, one from elsewhere has not: between the two, the other sources are the fair ones.
- `published` (folder `regional-tinystories/morphscore/`, MIT): the two-part lists of an earlier comparison. Most of it
  is derivation and compounds (सार्थक + ता), some of it no morphology at all (कु + त्ता, परा + ठा), so it is read only
  where it is asked for.

None of the data is part of the project; the rules that cut and drop are in `inflection.py` and `words.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenization.measures.gold.readers import (
    PUBLISHED,
    TREEBANKS,
    UNIMORPH,
    check_folder,
    found,
    read_grammar,
    read_published,
    read_treebank,
    read_unimorph,
)
from tokenization.measures.gold.words import Gold, Word

__all__ = ["SOURCES", "Gold", "Word", "read_gold"]

SOURCES = ("unimorph", "treebank", "grammar")


def read_gold(folder: Path | None, language: str, sources: Sequence[str] = SOURCES) -> Gold:
    """The gold of one language (hi, mr or bn; any other has none) from `sources`.

    `folder` holds `unimorph/`, `ud/` and `regional-tinystories/morphscore/`, any of them; without a folder only the
    story grammar's words are read. UserError if the folder does not exist.
    """
    gold = Gold()
    if language not in PUBLISHED:
        return gold
    if folder is not None:
        check_folder(folder)
        if "unimorph" in sources and language in UNIMORPH:
            for path in found(folder / "unimorph", UNIMORPH[language]):
                read_unimorph(gold, path, language)
        if "treebank" in sources:
            for path in found(folder / "ud", *(f"{name}.conllu" for name in TREEBANKS[language])):
                read_treebank(gold, path, language)
    if "grammar" in sources:
        read_grammar(gold, language)
    if folder is not None and "published" in sources:
        for path in found(folder / "regional-tinystories" / "morphscore", PUBLISHED[language]):
            read_published(gold, path, language)
    return gold
