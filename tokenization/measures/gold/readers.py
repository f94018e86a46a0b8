"""Readers of gold: the published two-part lists, UniMorph, Universal Dependencies and the story grammar's lexicons.

Each adds to a `Gold` the words it is sure of and counts every row it leaves out under a reason.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from corpora.errors import UserError
from corpora.grammar.lexicon import Lexeme, load_lexicon
from tokenization.measures.gold.inflection import parts_of_case, parts_of_form
from tokenization.measures.gold.words import Gold, UnclearError, Word, boundaries, check_spelling, nfc

PUBLISHED = {"hi": "hindi_morph_data.csv", "mr": "marathi_morph_data.csv", "bn": "bengali_morph_data.csv"}
UNIMORPH = {"hi": "hin", "bn": "ben"}
TREEBANKS = {"hi": ["hi_pud-ud-test"], "mr": ["mr_ufal-ud-train", "mr_ufal-ud-dev"], "bn": ["bn_bru-ud-test"]}
_PARTS_OF_SPEECH = {"N": "noun", "V": "verb", "ADJ": "adjective"}
_UPOS = {"NOUN": "noun", "VERB": "verb", "AUX": "verb", "ADJ": "adjective"}


def read_published(gold: Gold, path: Path, language: str, conjuncts: bool = False) -> None:
    """A published MorphScore list: `full_word,pt1,rest`, two parts a word, in CSV.

    After stripping and NFC, rows are dropped whose parts are empty, hold a space or do not make the word. `conjuncts`
    keeps the boundaries inside a conjunct (नूडल + ्स), which no morphology draws, for comparison with scores elsewhere.
    """
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            word, *parts = (nfc(row[column] or "") for column in ("full_word", "pt1", "rest"))
            _add(gold, "published", language, word, parts, "", strict=not conjuncts)


def read_unimorph(gold: Gold, path: Path, language: str) -> None:
    """A UniMorph table: lemma, form, features (part of speech first), separated by tabs; blank lines between lemmas."""
    seen = set()
    for line in nfc(path.read_text(encoding="utf-8")).splitlines():
        if not line.strip():
            continue
        lemma, form, features = (nfc(field) for field in line.split("\t"))
        if (lemma, form) in seen:
            gold.drop("unimorph", "the same form with other features")
            continue
        seen.add((lemma, form))
        if " " in lemma or " " in form:
            gold.drop("unimorph", "more than one word")
            continue
        _inflect(
            gold, "unimorph", language, _PARTS_OF_SPEECH.get(features.split(";")[0].split(".")[0], "other"), lemma, form
        )


def read_treebank(gold: Gold, path: Path, language: str) -> None:
    """A treebank in CoNLL-U.

    A word that the treebank parts into syntactic words (Marathi तुकड्या + चे) has those boundaries where all but the first
    are postpositions or particles; the first may be cut further by its own inflection (फेड + ण्या + साठी). Other words
    are cut by the rules of their part of speech, Marathi nouns and pronouns by the case that the treebank states.
    """
    seen = set()
    for rows in _words(path):
        form = nfc(rows[0][1])
        tokens = rows[1:] or rows
        key = (form, *((nfc(row[2]), row[3], row[5]) for row in tokens))
        if key in seen:
            gold.drop("treebank", "the same word in the same use")
            continue
        seen.add(key)
        first = tokens[0]
        if len(tokens) > 1 and any(row[3] not in ("ADP", "PART") for row in tokens[1:]):
            gold.drop("treebank", "a compound")
            continue
        try:
            parts = _token_parts(language, first)
        except UnclearError as reason:
            if len(tokens) == 1:
                gold.drop("treebank", str(reason))
                continue
            parts = [nfc(first[1])]
        _add(gold, "treebank", language, form, [*parts, *(nfc(row[1]) for row in tokens[1:])], nfc(first[2]))


def _token_parts(language: str, row: list[str]) -> list[str]:
    form, lemma, upos = nfc(row[1]), nfc(row[2]), row[3]
    case = dict(pair.split("=", 1) for pair in row[5].split("|") if "=" in pair).get("Case", "")
    if language == "mr" and upos in ("NOUN", "PROPN", "PRON"):
        if upos != "PRON" and form[:1] != lemma[:1]:
            raise UnclearError("the stem changes")
        return parts_of_case(lemma, form, case)
    return parts_of_form(language, _UPOS.get(upos, upos), lemma, form)


def _words(path: Path) -> Iterator[list[list[str]]]:
    """Each orthographic word: its own row, then (only if it has several) the rows of its syntactic words."""
    word: list[list[str]] = []
    last = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        row = line.split("\t")
        if len(row) != 10 or "." in row[0]:
            continue
        if "-" in row[0]:
            word, last = [row], int(row[0].split("-")[1])
            continue
        number = int(row[0])
        if word and number <= last:
            word.append(row)
            if number == last:
                yield word
                word = []
        else:
            yield [row]


def read_grammar(gold: Gold, language: str) -> None:
    """The forms that the story grammar's lexicon gives to its nouns, verbs and adjectives: gold without any data.

    A lexicon states lemma, part of speech and form, not the ending: that comes from the rules. Marathi nouns have their
    oblique stem stated, and their locative and ablative are that and -त, -तून.
    """
    lexicon = load_lexicon(language)
    for section, part_of_speech in (("nouns", "noun"), ("verbs", "verb"), ("adjectives", "adjective")):
        for lexeme in lexicon.lexemes[section].values():
            if language == "mr" and section == "nouns":
                _marathi_noun(gold, lexeme)
                continue
            for form in dict.fromkeys(map(nfc, lexeme.forms.values())):
                if " " in lexeme.word or " " in form:
                    gold.drop("grammar", "more than one word")
                    continue
                _inflect(gold, "grammar", language, part_of_speech, nfc(lexeme.word), form)


def _marathi_noun(gold: Gold, lexeme: Lexeme) -> None:
    lemma, oblique = nfc(lexeme.word), nfc(lexeme.forms.get("obl", ""))
    for name, ending in (("in", "त"), ("from", "तून")):
        form = nfc(lexeme.forms.get(name, ""))
        if form and form == oblique + ending:
            _add(gold, "grammar", "mr", form, [oblique, ending], lemma)
        elif form:
            gold.drop("grammar", "not the oblique stem and the ending")


def _inflect(gold: Gold, source: str, language: str, part_of_speech: str, lemma: str, form: str) -> None:
    try:
        parts = parts_of_form(language, part_of_speech, lemma, form)
    except UnclearError as reason:
        gold.drop(source, str(reason))
    else:
        _add(gold, source, language, form, parts, lemma)


def _add(gold: Gold, source: str, language: str, word: str, parts: list[str], lemma: str, strict: bool = True) -> None:
    try:
        item = Word(word, boundaries(parts, word), source, language, lemma)
        if strict:
            check_spelling(item)
    except UnclearError as reason:
        gold.drop(source, str(reason))
    else:
        gold.add(item)


def found(folder: Path, *names: str) -> list[Path]:
    """The files of one source that stand in `folder` or in a folder of their own below it."""
    return [path for name in names if (path := folder / name).is_file()]


def check_folder(folder: Path) -> None:
    """UserError if there is no such folder."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {str(folder)!r} with gold morphology; check the path.")
