"""Where a form of a known lemma ends its stem: rules for Hindi, Marathi and Bengali.

The longest common prefix of lemma and form is no boundary: कर and किया share क, लड़का and लड़कपन share लड़क, and
neither tells where an ending begins. A boundary is stated here only if both sides are known: the lemma gives the stem
by the rule of its class, and what follows the stem stands in that class's closed list of endings. Suppletion (जाना,
गया), stems that change (पीना, पिया; लड़की, लड़कियाँ) and endings that are not listed raise UnclearError. A Bengali verb
has two regular stems, the high one with its vowel raised (মার-, মের-). The paradigms are those that any grammar has,
such as McGregor's Outline of Hindi Grammar (1995), Pandharipande's Marathi (1997) and Thompson's Bengali (2012).

An ending is one part even where its history has more (Hindi -ऊँगा, Bengali -ছিলাম). Parted from what stands before it
(+ below) is what follows whole words too: Bengali case after classifier or plural (টা+কে), the Bengali genitive
of a verbal noun and the negative নি, Marathi case after the infinitive (ण्या+त).
"""

from __future__ import annotations

import functools

import regex

from tokenization.measures.gold.words import UnclearError

_HINDI_VERB = """ना ने नी कर के ता ते ती तीं ा े ी ीं या ये यी यीं ए ई ईं आ ो ओ िए इए िये इये िएगा इएगा ियेगा इयेगा
 ूँ ऊँ ूं ऊं ें एँ एं येँ येंगे ूँगा ऊँगा ूंगा ऊंगा ूँगी ऊँगी ूंगी ऊंगी ेगा ेगी एगा एगी येगा येगी
 ेंगे ेंगी एँगे एँगी एंगे एंगी ोगे ोगी ओगे ओगी"""
_MARATHI_VERB = """णे णं णार णारा णारी णारे णाऱ्या ण्या+त ण्या+स ण्या+ला ण्या+ने ण्या ून ऊन ू ऊ
 तो ते ती त तात ता तोस तेस तीस तं ताना ताच तोय तेय
 ला ली ले लं ल्या लो लास लीस लेस लात लेत ल्यास ाला ाली ाले ाल्या लेला लेली लेले लेल्या लेलं
 ेल ेन ील ीन ईल ईन शील ाल आल तील ू ो ा े ीत
 ायला यला ायचा ायची ायचे ायच्या यचा यची यचे यच्या ायचं ावा ावी ावे ाव्या वा वी वे व्या ावं"""
_BENGALI_VERB = """ল লো লাম লে লেন লি ব বো বে বেন বি ত তো তাম তে তেন তিস"""
_BENGALI_PRESENT = "ি িস ে ো েন া া+র ে+নি েন+নি ি+নি"
_BENGALI_PRESENT_VOWEL = "ই স য় ও ন য়ে য়+নি ন+নি ই+নি"
_BENGALI_TENSES = "ি িস ে ো েন িলাম িলি িলে িলো িল িলেন"
_BENGALI_NOUN = "ের র েরা রা য়েরা দের দের+কে ের+কে কে তে ে য় য়ের এর"
_BENGALI_CLASSIFIERS = "টা টি টুকু খানা গুলা গুলো গুলি"
_RAISED = {"া": "ে", "ে": "ি", "ো": "ু", "আ": "এ", "ও": "উ"}
"""The vowel of a Bengali verb's high stem by that of its low stem."""


def parts_of_form(language: str, part_of_speech: str, lemma: str, form: str) -> list[str]:
    """Stem and endings of `form` (both NFC, one word each); their concatenation is `form`.

    `part_of_speech`: noun, verb or adjective. UnclearError with the reason where no rule states a boundary.
    """
    rule = _RULES.get((language, part_of_speech))
    if rule is None:
        raise UnclearError(f"no rule for this part of speech ({part_of_speech})")
    if form == lemma and part_of_speech != "verb":
        raise UnclearError("the form is the lemma")
    classes = rule(lemma)
    if not classes:
        raise UnclearError("the lemma is of no class with a rule")
    for stem, endings in classes:
        if form == stem:
            raise UnclearError("no ending")
        if form.startswith(stem) and form[len(stem) :] in endings:
            return [stem, *endings[form[len(stem) :]]]
    begins = any(form.startswith(stem) for stem, _ in classes)
    raise UnclearError("the ending is not listed" if begins else "the stem changes")


Classes = list[tuple[str, dict[str, list[str]]]]


@functools.cache
def _endings(text: str) -> dict[str, list[str]]:
    return {ending.replace("+", ""): ending.split("+") for ending in text.split()}


def _hindi_verb(lemma: str) -> Classes:
    return [(lemma.removesuffix("ना"), _endings(_HINDI_VERB))] if lemma.endswith("ना") and len(lemma) > 2 else []


def _hindi_noun(lemma: str) -> Classes:
    match lemma[-1]:
        case "ा":  # masculine लड़का: लड़क-े; feminine भाषा (and राजा): भाषा-ओं
            return [(lemma[:-1], _endings("े ों ो")), (lemma, _endings("ओं एँ एं"))]
        case "आ":
            return [(lemma[:-1], _endings("ए ओं"))]
        case "ि":
            return [(lemma, _endings("यों याँ यां"))]
        case "ु":
            return [(lemma, _endings("ओं एँ एं"))]
        case "ी" | "ू" | "ई" | "ऊ":
            raise UnclearError("the stem's long vowel becomes short")
        case letter if regex.match(r"[\u0915-\u0939\u093c]", letter):
            return [(lemma, _endings("ों ें"))]
    return []


def _hindi_adjective(lemma: str) -> Classes:
    return [(lemma[:-1], _endings("े ी"))] if lemma.endswith("ा") else []


def _marathi_adjective(lemma: str) -> Classes:
    if lemma.endswith("चा") and not lemma.endswith("्चा") and len(lemma) > 3:  # a genitive: जवळ-चा
        return [(lemma[:-2], _endings("चा चे ची चं च्या"))]
    return [(lemma[:-1], _endings("े ी ं ्या"))] if lemma.endswith("ा") else []


def _marathi_verb(lemma: str) -> Classes:
    return [(lemma[:-2], _endings(_MARATHI_VERB))] if lemma.endswith(("णे", "णं")) and len(lemma) > 2 else []


def _bengali_noun(lemma: str) -> Classes:
    numbers = _BENGALI_CLASSIFIERS.split()
    with_case = [f"{number}+{case}" for number in numbers for case in ("র", "কে", "তে", "য়")]
    return [(lemma, _endings(" ".join([_BENGALI_NOUN, *numbers, *with_case])))]


def _bengali_verb(lemma: str) -> Classes:
    continuous = [f"ছ{ending}" for ending in ("", *_BENGALI_TENSES.split())]
    if lemma.endswith("ানো"):
        low, own, high = lemma.removesuffix("নো"), "নো নো+র", None
    elif match := regex.fullmatch(r"(.+)ওয়া|(.+ো)য়া", lemma):  # খাওয়া, ধোয়া
        low = match[1] or match[2]
        own, high = f"{lemma[len(low) :]} {lemma[len(low) :]}+র", _raised(low)
    elif lemma.endswith("া") and len(lemma) > 2:
        low = lemma.removesuffix("া")
        perfect = [f"ে{ending}" for ending in continuous]
        endings = _endings(" ".join([_BENGALI_VERB, _BENGALI_PRESENT, *continuous, *perfect]))
        return [(stem, endings) for stem in (low, _raised(low)) if stem]
    else:
        return []
    perfect = [f"য়ে{ending}" for ending in continuous] if high or low.endswith("হ") else []
    text = [_BENGALI_VERB, _BENGALI_PRESENT_VOWEL, own, *(f"চ্{ending}" for ending in continuous), *perfect]
    return [(stem, _endings(" ".join(text))) for stem in (low, high) if stem]


def _raised(stem: str) -> str | None:
    """The high stem of a Bengali verb; None if its vowel has none."""
    match = regex.search(r"[ােোআও](?=ঁ?(?:[ক-হ]়?)?$)", stem)
    return stem[: match.start()] + _RAISED[match[0]] + stem[match.end() :] if match else None


_RULES = {
    ("hi", "verb"): _hindi_verb,
    ("hi", "noun"): _hindi_noun,
    ("hi", "adjective"): _hindi_adjective,
    ("mr", "verb"): _marathi_verb,
    ("mr", "adjective"): _marathi_adjective,
    ("bn", "noun"): _bengali_noun,
    ("bn", "verb"): _bengali_verb,
}

_MARATHI_CASES = {
    "Dat": ("ला", "ना", "स"),
    "Acc": ("ला", "ना", "स"),
    "Erg": ("ने", "नी", "नं"),
    "Ins": ("ने", "नी", "नं", "शी"),
    "Loc": ("त",),
    "Abl": ("तून", "हून"),
}


def parts_of_case(lemma: str, form: str, case: str) -> list[str]:
    """Oblique stem and case ending of a Marathi noun or pronoun whose case (UD's feature) is known: समुद्रा + त.

    The oblique stem stays one part: its vowel is fused with the noun's (घोडा, घोड्या-). UnclearError where the
    case's ending is not written.
    """
    for ending in _MARATHI_CASES.get(case, ()):
        stem = form.removesuffix(ending)
        if stem and stem != form:
            if form == lemma:
                raise UnclearError("the form is the lemma")
            return [stem, ending]
    raise UnclearError("no case ending")
