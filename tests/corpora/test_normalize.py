"""The normaliser: each trap of Indic text by name, and the promises of the module as properties."""

import json
import unicodedata
from collections import Counter

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from corpora.cleaning import normalize as module
from corpora.cleaning.normalize import FLAGS, RULES, Normalization, normalize, restore
from corpora.errors import UserError

ZWNJ, ZWJ = "\u200c", "\u200d"
NUKTA, NUKTA_BN = "\u093c", "\u09bc"


@pytest.mark.parametrize(
    ("language", "given_text", "expected"),
    [
        # one Unicode form
        ("hi", "ज\u093cमीन", "ज\u093cमीन"),
        ("hi", "\u095bमीन", "ज\u093cमीन"),
        ("hi", "सड\u093cक", "सड\u093cक"),
        ("mr", "र\u093cया", "\u0931या"),
        ("bn", "\u09dcাল", "ড\u09bcাল"),
        ("bn", "হ\u09dfে", "হ\u09af\u09bcে"),
        ("bn", "ক\u09c7\u09beন", "ক\u09cbন"),
        ("bn", "ক\u09c7\u09d7", "ক\u09cc"),
        # joiners that carry meaning
        ("mr", f"कर्{ZWJ}या", f"कर्{ZWJ}या"),
        ("hi", f"क्{ZWJ}ष", f"क्{ZWJ}ष"),
        ("hi", f"ठुड्{ZWNJ}डी", f"ठुड्{ZWNJ}डी"),
        ("bn", f"র{ZWJ}্যাব", f"র{ZWJ}্যাব"),
        ("bn", f"র{ZWNJ}্যাব", f"র{ZWJ}্যাব"),
        ("bn", "কার্য", "কার্য"),
        ("bn", f"ক্{ZWNJ}ষ ক্{ZWJ}ষ ক্ষ", f"ক্{ZWNJ}ষ ক্{ZWJ}ষ ক্ষ"),
        ("mr", f"र{ZWJ}्य क{ZWNJ}्ष", f"र{ZWJ}्य क{ZWNJ}्ष"),
        ("mr", f"कर्{ZWJ}", f"कर्{ZWJ}"),
        ("bn", f"গ{ZWNJ}ুরু", f"গ{ZWNJ}ুরু"),
        ("hi", f"र{ZWJ}ुपया", f"र{ZWJ}ुपया"),
        ("en", f"👨{ZWJ}👩{ZWJ}👧 and ❤\ufe0f{ZWJ}🔥", f"👨{ZWJ}👩{ZWJ}👧 and ❤\ufe0f{ZWJ}🔥"),
        # joiners that do not
        ("bn", f"এ{ZWJ}ই", "এই"),
        ("hi", f"त{ZWJ}ो", "तो"),
        ("hi", f"क{ZWNJ}ल{ZWJ}", "कल"),
        ("hi", f"श्{ZWJ}{ZWJ}{ZWNJ}व", f"श्{ZWJ}व"),
        ("en", f"a{ZWJ}b", "ab"),
        ("hi", f"जगत्{ZWNJ} है", "जगत् है"),
        ("bn", f"বাহ্{ZWNJ}!", "বাহ্!"),
        ("bn", f"র{ZWJ}ুপ", "রুপ"),
        ("bn", f"খ{ZWJ}্যাতি, অ{ZWJ}্যাপ", "খ্যাতি, অ্যাপ"),
        ("hi", f"कि{ZWNJ}ताब{ZWJ}े", "किताबे"),
        # khanda ta
        ("bn", f"উত্{ZWJ}সব", "উৎসব"),
        ("bn", f"হঠাত্{ZWJ}", "হঠাৎ"),
        ("bn", f"ত্{ZWNJ}", "ত্"),
        ("bn", f"ত্{ZWNJ}কাল", f"ত্{ZWNJ}কাল"),
        ("bn", "সত্য", "সত্য"),
        # vowels in two pieces, and marks in the wrong order or twice
        ("hi", "अाम", "आम"),
        ("hi", "अाेस", "ओस"),
        ("hi", "ग्रहाें", "ग्रहों"),
        ("mr", f"अ{ZWJ}ॅप", "ॲप"),
        ("bn", "অামার", "আমার"),
        ("hi", "हंै", "हैं"),
        ("bn", "চঁাদ", "চাঁদ"),
        ("hi", "गाडि" + NUKTA + "याँ", "गाड" + NUKTA + "ियाँ"),
        ("mr", "राज्याकडेे", "राज्याकडे"),
        ("hi", "मााँ", "माাँ".replace("া", "ा")),
        # broken sequences
        ("hi", "वक््त", "वक्त"),
        ("bn", "সত্্্য", "সত্য"),
        ("hi", "ाम क्ि", "ाम क्ि"),
        # danda and spaces
        ("hi", "वह गया |", "वह गया।"),
        ("bn", "পারছি না|” সে", "পারছি না।” সে"),
        ("hi", "क|ख 3|4 a|b ||", "क। ख 3|4 a|b ||"),
        ("mr", "तो गेला |", "तो गेला |"),
        ("en", "yes | no", "yes | no"),
        ("hi", "चला ।वह रुका ।", "चला। वह रुका।"),
        ("hi", "क्या ? हाँ , चलो !”", "क्या? हाँ, चलो!”"),
        ("bn", "ঢাম !ঢাম", "ঢাম !ঢাম"),
        # left alone
        ("mr", "ॲप, स्वत:च्या, ऱ्हास, ळ", "ॲप, स्वत:च्या, ऱ्हास, ळ"),
        ("hi", "माँ ने कहा: “दुःख ‘नहीं’ — १२:३०…”", "माँ ने कहा: “दुःख ‘नहीं’ — १२:३०…”"),
        ("mr", "अरेऽऽऽ", "अरेऽऽऽ"),
        # characters that do not show, line ends, paragraphs
        ("hi", "\ufeffएक\u00a0\u2003बार\u200b की\u00ad बात", "एक बार की बात"),
        ("hi", "एक\x00 \u202aदो\u202c", "एक दो"),
        ("hi", "एक\r\nदो\rतीन\u2028चार", "एक\nदो\nतीन\nचार"),
        ("hi", "  एक \n \n\n\n  दो\u2029तीन\u2029\n\n", "एक\n\nदो\n\nतीन"),
    ],
)
def test_text_has_the_expected_form(language, given_text, expected):
    assert normalize(given_text, language) == expected


def test_each_change_is_counted_under_its_rule():
    counts: Counter[str] = Counter()
    normalize(f"अाम अाज चला | वह  रुका ।\u200bत{ZWJ}ो \u095bमीन", "hi", counts)
    assert counts == {
        "split vowel": 2,
        "vertical bar": 1,
        "space before punctuation": 2,
        "space after danda": 1,
        "invisible character": 1,
        "joiner": 1,
        "white space": 1,
        "Unicode form": 1,
    }


def test_clean_text_counts_nothing():
    counts: Counter[str] = Counter()
    assert normalize("एक था राजा। वह ज\u093cमीन पर बैठा।\n\nफिर?", "hi", counts).endswith("फिर?")
    assert not counts


def test_rule_names_are_distinct():
    assert len({rule.name for rule in RULES + FLAGS}) == len(RULES + FLAGS)


def test_what_is_broken_is_counted_and_left():
    counts: Counter[str] = Counter()
    text = "ाम ह ै क्ी কৃি १ा \ufffd"
    assert normalize(text, "hi", counts) == text
    assert counts == {"flag: mark without letter": 3, "flag: two vowel signs": 2, "flag: replacement character": 1}


@pytest.mark.parametrize(
    ("language", "options", "given_text", "expected"),
    [
        ("hi", {"digits": "native"}, "12:30 बजे 3.5 km MP3 ২ बार", "१२:३० बजे ३.५ km MP3 २ बार"),
        ("mr", {"digits": "native"}, "1२३ रुपये", "१२३ रुपये"),
        ("bn", {"digits": "native"}, "১২ বা 12 বা १२", "১২ বা ১২ বা ১২"),
        ("bn", {"digits": "ascii"}, "২০২৬ সালে ৩টি", "2026 সালে 3টি"),
        ("en", {"digits": "native"}, "१२ cats, 3 dogs", "12 cats, 3 dogs"),
        ("hi", {"quotes": "straight"}, "“आओ,” माँ ने कहा, ‘अब’ ''घर'' «चलो»।", '"आओ," माँ ने कहा, \'अब\' "घर" "चलो"।'),
        ("hi", {"stops": "native"}, "डॉ. राव आए. “बैठो.” ३.५ लीटर... वह है.", "डॉ. राव आए। “बैठो।” ३.५ लीटर... वह है।"),
        ("bn", {"stops": "native"}, "সে গেল. মি. রায় এলেন.", "সে গেল। মি. রায় এলেন।".replace("য়", "য\u09bc")),
        ("mr", {"stops": "native"}, "तो गेला । ती आली।मग ते", "तो गेला. ती आली. मग ते"),
        ("en", {"stops": "native"}, "He went.", "He went."),
    ],
)
def test_choices(language, options, given_text, expected):
    assert normalize(given_text, language, options=Normalization(**options)) == expected


def test_the_other_normaliser_is_counted_and_logged_too():
    counts, edits = Counter(), []
    options = Normalization(indic_nlp=True)
    text = f"स्वत: कर्{ZWJ}या ॲप"
    changed = normalize(text, "mr", counts, options, edits)
    assert changed == "स्वतः कर्या एप"
    assert counts["indic-nlp-library"] == 3
    assert restore(changed, edits) == text


def test_a_log_of_another_text_is_refused():
    edits: list = []
    normalize("तो  गेला", "mr", edits=edits)
    assert edits == [("white space", 2, "  ", " ")]
    with pytest.raises(UserError, match="'white space' wrote ' ' at character 2"):
        restore("तोगेला", edits)


INDIC = st.sampled_from(
    [chr(code) for block in (0x0900, 0x0980) for code in range(block, block + 0x80) if unicodedata.name(chr(code), "")]
)
ODD = st.sampled_from(
    [*"ab 1|,!?।॥:\"'”’…(\n\r\t", ZWJ, ZWNJ, "\u2029", "\u00a0", "\ufeff", "👩", "\ufe0f", "🏽", "\u0301"]
)
FREQUENT = st.sampled_from([*"कगजडतदरयअआएािुेैोॅंँ़्অকডতরযাে়্ঁ"])
TEXT = st.text(st.one_of(FREQUENT, INDIC, ODD), max_size=24) | st.text(max_size=12)
LANGUAGE = st.sampled_from(["hi", "mr", "bn", "en"])


OPTIONS = st.builds(
    Normalization,
    digits=st.sampled_from(["keep", "native", "ascii"]),
    quotes=st.sampled_from(["keep", "straight"]),
    stops=st.sampled_from(["keep", "native"]),
)


@given(TEXT, LANGUAGE, OPTIONS)
def test_a_second_time_changes_nothing(text, language, options):
    once = normalize(text, language, options=options)
    counts: Counter[str] = Counter()
    assert normalize(once, language, counts, options) == once
    assert not {rule for rule in counts if not rule.startswith("flag: ")}


@given(TEXT, LANGUAGE, OPTIONS)
def test_the_log_restores_the_original(text, language, options):
    edits: list = []
    counts: Counter[str] = Counter()
    clean = normalize(text, language, counts, options, edits)
    assert clean == normalize(text, language, options=options)
    assert restore(clean, json.loads(json.dumps(edits))) == text
    assert Counter(edit.rule for edit in edits) == Counter(
        {rule: number for rule, number in counts.items() if not rule.startswith("flag: ")}
    )


class Always:
    """A quick look that always finds something."""

    def search(self, text):
        return True


@given(TEXT, LANGUAGE)
def test_quick_looks_spare_no_rule(text, language):
    quick, thorough = Counter(), Counter()
    clean = normalize(text, language, quick)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_ODD_CHARACTER", "_ODD_PAIR", "_LONE_MARK", "_ODD_LAYOUT"):
            patch.setattr(module, name, Always())
        assert normalize(text, language, thorough) == clean
    assert quick == thorough


def bare(text: str) -> list[str]:
    """Letters, marks and digits of a text, canonically decomposed: what a reader must find again."""
    return [char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char)[0] in "LMN"]


@given(st.text(st.one_of(st.sampled_from([*"कगजडतदरयआईउंँ়়्িীুूৃकখড়য়িএ"]), ODD), max_size=24), LANGUAGE)
def test_no_letter_or_mark_is_lost(text, language):
    """Without vowels in two pieces (the alphabet has none) and marks typed twice, only order may change."""
    visible = "".join(
        char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char) not in ("Cf", "Cc")
    )
    typed_twice = any(len(set(marks)) < len(marks) for marks in regex.findall(r"\p{M}+", visible))
    assume(not typed_twice and "ত্\u200d" not in text)
    assert Counter(bare(normalize(text, language))) == Counter(bare(text))


@given(TEXT, LANGUAGE)
def test_result_is_nfc_with_single_spaces_and_empty_lines(text, language):
    clean = normalize(text, language)
    assert unicodedata.is_normalized("NFC", clean)
    assert "  " not in clean and "\n\n\n" not in clean and " \n" not in clean and "\n " not in clean
    assert clean == clean.strip(" \n") and "\r" not in clean and "\u2029" not in clean


SYLLABLE = st.sampled_from([*"कखगघनपमयरलवशसहळऱॲ", "की", "नु", "कॅ", "हैं", "काँ", "दुः", "र्\u200dया", "ड्\u200cड", "क्ष", ":"])


@given(st.lists(SYLLABLE, min_size=1, max_size=20))
def test_well_formed_words_stay_as_they_are(syllables):
    assert normalize("".join(syllables), "mr") == "".join(syllables)
