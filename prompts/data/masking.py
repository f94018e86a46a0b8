"""Class words taken out of texts, in all their inflected forms: what is left says more than the name of its class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import regex

from prompts.data.items import Item

MASK = "…"
_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d’']+")

# For each language, rules (end of the dictionary form, what may stand in its place), the first that fits; every rule
# cuts the end off. Afterwards come the language's own suffixes. A form too many is the smaller error here: a leaked
# class word is copied, one masked in excess is only missing. Hindi: McGregor 1995, Outline of Hindi Grammar (direct
# and oblique noun endings, verb endings); Marathi: Dhongde & Wali 2009 (oblique stem + case or postposition);
# Bengali: Thompson 2012 (classifiers, case, verb endings; the vowel of e/o stems rises).
_HINDI_VERB = "ता|ती|ते|तीं|ा|ी|े|ीं|ो|या|यी|ये|ई|ए|ईं|ना|ने|नी|कर|के|ूं|ूंगा|ूंगी|ेगा|ेगी|ेंगे|ेंगी|ें|ोगे|ोगी|िए|ाना|ाने|ानी|ाया|ाई|ाए"
_MARATHI_CASE = (
    "ला|स|ना|नी|ने|शी|त|ात|चा|ची|चे|च्या|चं|साठी|मध्ये|वर|वरील|वरून|खाली|पासून|पर्यंत|हून|ऊन|कडे|कडून|तून|तील|मधील|मधून|"
    "बद्दल|विषयी|सह|सोबत|सारखा|सारखी|सारखे|मुळे|शिवाय|प्रमाणे|करता|करिता|द्वारे|बरोबर|नंतर|बाहेर|समोर|भर|तला|तली|तले|तल्या|च्यांची|च्यांना|च्यांनी|पुढे|मागे|जवळ|पेक्षा|ंचा|ंची|ंचे|ंच्या|ंना|ंनी|"
    "ंशी|ंत|ंसाठी|ंमध्ये|ंवर|ंबद्दल|ंमुळे|ंसह|ंकडे|ंतून|ंतील|ं"
)
_MARATHI_VERB = (
    "णे|णं|ण्या|णारा|णारी|णारे|णार|तो|ते|ती|ता|तात|तोस|तेस|त|ला|ली|ले|लो|ल्या|लेला|लेली|लेले|ून|ू|ूया|ायला|ायचा|ायची|ायचे|ावे|ावा|ावी|ा|े|"
    "ेल|ेन|तील|ीत|वणे|वले|वला|वली|शील|वीन|वू|वतो|वते|वत|वून"
)
_BENGALI_VERB = (
    "া|ার|ায়|াকে|ানো|ে|েন|েও|ি|িস|ো|ছে|ছি|ছ|ছেন|ছিল|ছিলাম|ছিলেন|ছিলে|েছে|েছি|েছ|েছেন|েছিল|েছিলাম|েছিলেন|বে|ব|বো|বেন|বি|ল|লাম|লে|"
    "লেন|লো|ত|তাম|তে|তেন|তো|ুক|ুন|াই|ালো|াব|াবে|ালেন|ালাম|ায়নি|েনি"
)
_RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "hi": (
        ("ना", f"(?:{_HINDI_VERB})?"),
        ("ी", "(?:ी|ि|ियां|ियों|ियो)"),
        ("ा", "(?:ा|े|ों|ो|ाएं|ाओं|ाओ)"),
        ("ई", "(?:ई|इयां|इयों)"),
        ("ू", "(?:ू|ुओं|ुएं)"),
        ("", f"(?:ों|ो|ें|ओं|{_HINDI_VERB})?"),
    ),
    "mr": (
        ("णे", f"(?:{_MARATHI_VERB})?"),
        ("ी", "(?:ी|ि|्या|या|े|्यां|ीं)"),
        ("ा", "(?:ा|े|्या|ां|ें|ी|्यां)"),
        ("े", "(?:े|्या|्यां)"),
        ("ू", "(?:ू|ु|वा|वे|वां|ुं)"),
        ("", f"(?:ा|े|ी|ां|ें|ीं|{_MARATHI_VERB})?"),
    ),
    "bn": (("ওয়া", "(?:ওয়া|য়|য়ে|ই|ও|ন|বে|ব|ল|লাম|ত|তে|চ্ছে|চ্ছি|চ্ছিল|য়েছে|য়েছিল)"), ("া", f"(?:{_BENGALI_VERB})"), ("", "")),
    "en": (
        ("y", "(?:y|ys|yed|ying|yer|yers|ies|ied|ier|iers|iest)"),
        ("ies", "(?:ies|y)"),
        ("ing", "(?:ing|e|ed|es|s|er|ers)?"),
        ("e", "(?:e|ed|er|ers|ing|es)"),
        ("s", "s?"),
        ("", "(?:s|es|l?ed|l?ing|l?er|l?ers|al|ful)?"),
    ),
}
_SUFFIXES = {
    "hi": "",
    "mr": f"(?:{_MARATHI_CASE})?(?:च|ही|सुद्धा|देखील)?",
    "bn": "(?:টা|টি|টাই|খানা|খানি|গুলো|গুলি|গুলা|রা|েরা|দের|েদের)?(?:র|ের|এর|কে|তে|ে|য়|য়ের|েতে)?(?:ই|ও)?",
    "en": "(?:['’]s?)?",
}


def masked(items: Iterable[Item], words: Mapping[str, Mapping[str, Sequence[str]]], mask: str = MASK) -> list[Item]:
    """The items without the words of any class in their language, each replaced by `mask`.

    `words`: class -> language -> dictionary forms, as in a labels file; phrases count as a whole. The words of *all*
    classes go, whatever the item's own: a mask then does not tell the class.
    """
    wanted = {
        language: tuple(dict.fromkeys(word for by_language in words.values() for word in by_language.get(language, ())))
        for language in {language for by_language in words.values() for language in by_language}
    }
    return [
        replace(item, text=mask_words(item.text, wanted.get(item.language, ()), item.language, mask)) for item in items
    ]


def mask_words(text: str, words: Sequence[str], language: str, mask: str = MASK) -> str:
    """A text with every form of the words (or phrases) replaced; letters' case, nukta and chandrabindu aside."""
    phrases = [[form_pattern(part, language) for part in _WORD.findall(word)] for word in words]
    phrases.sort(key=len, reverse=True)
    found = list(_WORD.finditer(text))
    folded = [_fold(match[0]) for match in found]
    pieces, end, place = [], 0, 0
    while place < len(found):
        for phrase in phrases:
            here = folded[place : place + len(phrase)]
            if len(here) == len(phrase) and all(p.fullmatch(word) for p, word in zip(phrase, here, strict=True)):
                pieces += [text[end : found[place].start()], mask]
                place += len(phrase)
                end = found[place - 1].end()
                break
        else:
            place += 1
    return "".join(pieces) + text[end:]


@lru_cache(maxsize=4096)
def form_pattern(word: str, language: str) -> re.Pattern[str]:
    """Matches, as a whole, the inflected forms of one word, folded. Other languages than ours match the word alone.

    Two letters at least stay of a stem; a rule that would leave fewer is passed over.
    """
    word = _fold(word)
    suffixes = _fold(_SUFFIXES.get(language, ""))
    for end, endings in ((_fold(end), _fold(endings)) for end, endings in _RULES.get(language, (("", ""),))):
        stem = word.removesuffix(end) if end else word
        if word.endswith(end) and sum(unicodedata.category(letter).startswith("L") for letter in stem) >= 2:
            stems = re.escape(stem)
            if language == "bn" and end:
                stems = f"(?:{stems}|{re.escape(_raised(stem))})"
            # the dictionary form itself may take the suffixes too, where a rule would cut it
            return re.compile(f"(?:{stems}{endings}|{re.escape(word)}){suffixes}")
    return re.compile(re.escape(word) + suffixes)


def _raised(stem: str) -> str:
    """A Bengali verb stem with its vowel raised, as in শেখা -> শিখে, খোলা -> খুলে."""
    for low, high in ((_fold("ো"), "ু"), ("ে", "ি")):  # decomposed, ো begins with ে
        if low in stem:
            head, _, tail = stem.rpartition(low)
            return head + high + tail
    return stem


def _fold(word: str) -> str:
    """Small letters, no nukta but Bengali's (which tells ড়, ঢ়, য় apart), anusvara for chandrabindu, no joiners."""
    folded = unicodedata.normalize("NFD", word.casefold()).replace("\u093c", "").replace("\u0901", "\u0902")
    return folded.replace("\u200c", "").replace("\u200d", "").replace("’", "'")
