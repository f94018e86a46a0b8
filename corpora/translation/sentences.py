"""Sentences of a paragraph in Hindi, Marathi, Bengali and English, and text put together again from them.

Own rules rather than indic-nlp-library's `sentence_split`, with which they agree on plain sentences (tested). There,
one danda anywhere stops `.` from ending a sentence; a sentence never ends after a digit (वह २०१९ था।); one of a
single word (मंगळवार.) is glued to the next; a closing quotation mark begins the next sentence, and so does the
speaker (“कौन?” रवि ने पूछा।); and the name of a letter before `.` is always an initial, even in माझी आई. or हाँ जी.
"""

from __future__ import annotations

import re

import regex

from corpora.languages import get_language

_CLOSERS = "\"'”’»)\\]"
# a danda needs no space behind it
_END = re.compile(rf"(?:([.?!…]+)([{_CLOSERS}]*)(?=\s|$))|(?:([।॥]+[.?!।॥]*)([{_CLOSERS}]*))")


def words(text: str) -> frozenset[str]:
    """A set of words, parted by spaces."""
    return frozenset(text.split())


_ABBREVIATIONS = {
    "en": words("mr mrs ms dr prof st sr jr capt col gen rev hon no vs etc inc ltd e.g i.e a.m p.m fig vol approx"),
    "hi": words("डॉ डा श्री पं प्रो सुश्री कु मो सं क्र रु इंजी"),
    "mr": words("डॉ डाॅ श्री पं प्रा सौ कु चि कै रा क्र रु इ"),
    "bn": words("ড ডঃ ডা ডাঃ মি মিসেস মো মোঃ প্রফ অধ্যা নং"),
}
_INITIALS = {
    "hi": words(
        "ए बी सी डी ई एफ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई जेड"
        " अ आ इ उ क ख ग घ च छ ज झ ट ठ ड ढ त थ द ध प फ ब भ म य र ल व श ष स ह"
    ),
    "bn": words(
        "এ বি সি ডি ই এফ জি এইচ আই জে কে এল এম এন ও পি কিউ আর এস টি ইউ ভি ডব্লিউ এক্স ওয়াই জেড"
        " অ আ ই উ ক খ গ ঘ চ ছ জ ঝ ট ঠ ড ঢ ত থ দ ধ ন প ফ ব ভ ম য র ল শ ষ স হ"
    ),
}
_INITIALS["mr"] = _INITIALS["hi"] | {"व्ही", "वाय"}
_SAYING = {
    "en": words("said asked cried replied shouted called whispered answered thought laughed says asks"),
    "hi": words("कह पूछ बोल चिल्ला पुकार सोच फुसफुसा"),
    "mr": words("म्हण विचार बोल ओरड हाक कुजबुज"),
    "bn": words("বল জিজ্ঞ চেঁচ ডাক ভাব চিৎকার"),
}
"""How words of saying begin: they tie a speech to the speaker named behind it."""


def split_sentences(paragraph: str, language: str) -> list[str]:
    """The sentences of one paragraph, each with its final mark and closing quotation marks, without outer spaces."""
    get_language(language)
    sentences, start = [], 0
    for match in _END.finditer(paragraph):
        mark, closers = match[1] or match[3], match[2] or match[4] or ""
        if not _goes_on(paragraph[start : match.start()], mark, closers, paragraph[match.end() :].lstrip(), language):
            sentences.append(paragraph[start : match.end()].strip())
            start = match.end()
    return [sentence for sentence in [*sentences, paragraph[start:].strip()] if sentence]


def split_text(text: str, language: str) -> list[list[str]]:
    """The sentences of every line of a text; an empty line has none. `join_text` is the way back, up to spaces."""
    return [split_sentences(line, language) for line in text.split("\n")]


def join_text(lines: list[list[str]]) -> str:
    """A text with the lines, and so the paragraphs, of the one that was split."""
    return "\n".join(" ".join(sentences) for sentences in lines)


def _goes_on(before: str, mark: str, closers: str, after: str, language: str) -> bool:
    """Whether the mark between `before` and `after` ends no sentence."""
    if not after:
        return False
    if not regex.search(r"[\p{L}\p{N}]", after):
        return True  # marks on their own belong to the sentence before them
    if language == "en" and regex.match(r"\P{L}*\p{Ll}", after):
        return True
    if closers and _names_speaker(after, language):
        return True
    if mark == "." and not closers:
        word = before.split()[-1] if before.split() else ""
        return _is_abbreviation(word, before, after, language)
    if not closers and mark.strip(".") in ("", "…") and mark != ".":
        # a pause; only where the next word has a capital letter is it an end
        return language != "en"
    return False


def _names_speaker(after: str, language: str) -> bool:
    """Whether a word of saying stands among the first words behind a speech, before any other mark."""
    words = re.split(r"[.?!।॥,;:“\"]", after, maxsplit=1)[0].split()
    near = 3 if language == "en" else 8
    return any(word.startswith(tuple(_SAYING[language])) for word in words[:near])


def _is_abbreviation(word: str, before: str, after: str, language: str) -> bool:
    word = word.lstrip("“\"'‘(")
    if language == "en":
        return (
            word.lower() in _ABBREVIATIONS["en"]
            or bool(re.fullmatch(r"(?:[A-Z]\.)*[A-HJ-Z]|\d+", word))
            and (not word.isdigit() or word == before.strip())
        )
    if word in _ABBREVIATIONS[language] or (word == before.strip() and word.isdigit()):
        return True
    initials = _INITIALS[language]
    following = re.match(r"(\S+)\.\s", after)
    earlier = before.split()[-2:-1]
    return word in initials and bool(
        (following and following[1] in initials)
        or (earlier and earlier[0].endswith(".") and earlier[0][:-1] in initials)
    )
