"""Other ways to write a text, by hand in three scripts and by Unicode's own equivalence."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenization.measures.variants import VARIANTS, Edit, apply_edits, variants

QA, RRA, RA_BN, YYA = "\u0958", "\u0931", "\u09dc", "\u09df"
ZWJ, ZWNJ = "\u200d", "\u200c"


@pytest.mark.parametrize(
    "language, name, text, expected",
    [
        ("hi", "nfc", f"{QA}िला", "क\u093cिला"),
        ("mr", "nfc", "र\u093cा", f"{RRA}ा"),
        ("bn", "nfc", f"বা{RA_BN}ি", "বাড\u09bcি"),
        ("bn", "nfc", "ক\u09c7\u09be", "ক\u09cb"),
        ("mr", "nfd", f"कर{RRA}ा", "करर\u093cा"),
        ("bn", "nfd", f"ভা{YYA}", "ভায\u09bc"),
        ("bn", "vowel_signs_apart", f"ম\u09cbটা {YYA}", f"ম\u09c7\u09beটা {YYA}"),
        ("hi", "nukta_composed", "क\u093cिला र\u093cा", f"{QA}िला र\u093cा"),
        ("bn", "nukta_composed", "বাড\u09bcি", f"বা{RA_BN}ি"),
        ("mr", "joiners_removed", f"वार्{ZWJ}याचा", "वार्याचा"),
        ("bn", "joiners_removed", f"র{ZWJ}্যাব উদ্{ZWNJ}যাপন", "র্যাব উদ্যাপন"),
        # स् before कू is drawn half; त्र, ष्ट, क्ष and न्न are letters of their own shape.
        ("hi", "half_forms", "स्कूल मित्र कष्ट क्षमा अन्न", f"स्{ZWJ}कूल मित्र कष्ट क्षमा अन्न"),
        ("mr", "half_forms", f"तुम्ही वार्{ZWJ}या", f"तुम्{ZWJ}ही वार्{ZWJ}या"),
        ("bn", "khanda_ta_spelled", "উৎসব", f"উত্{ZWJ}সব"),
        ("bn", "khanda_ta_composed", f"উত্{ZWJ}সব উত্তম", "উৎসব উত্তম"),
        ("hi", "full_stop", "वह गया। वह आया।", "वह गया. वह आया."),
        ("bn", "danda", "ডা. রায় এলেন.\nতিনি বললেন, “এসো.”", "ডা. রায় এলেন।\nতিনি বললেন, “এসো।”"),
        ("hi", "danda", "3.5 है", "3.5 है"),
        ("hi", "danda", "the U.S.", "the U.S."),
        ("hi", "ascii_digits", "१२ और ৩", "12 और 3"),
        ("mr", "native_digits", "10:30 ला, A4 कागद", "१०:३० ला, A4 कागद"),
        ("bn", "native_digits", "2026 সাল", "২০২৬ সাল"),
        ("en", "straight_quotes", "“It’s mine,” he said.", '"It\'s mine," he said.'),
        ("en", "curly_quotes", '"It\'s mine," he said. ("No.")', "“It’s mine,” he said. (“No.”)"),
        ("hi", "double_space", "एक दो  तीन", "एक  दो  तीन"),
        ("bn", "no_break_space", "এক দুই", "এক\u00a0দুই"),
    ],
)
def test_by_hand(language, name, text, expected):
    variant = variants(language)[name]
    assert variant(text) == expected
    assert variant.applies(text) == (text != expected)


def test_a_language_has_its_own_variants():
    assert "khanda_ta_spelled" in variants("bn")
    assert "khanda_ta_spelled" not in variants("hi")
    assert set(variants("en")) == {"straight_quotes", "curly_quotes", "double_space", "no_break_space"}
    assert not variants("xx")
    # Full stops end Marathi sentences: there is no danda to stand for them.
    assert not {"danda", "full_stop"} & set(variants("mr"))


def test_edits_are_places_of_the_text():
    assert variants("hi")["full_stop"].edits("एक। दो।") == [Edit(2, 3, "."), Edit(6, 7, ".")]
    assert apply_edits("abcd", [Edit(1, 1, "x"), Edit(2, 4, "")]) == "axb"


INDIC = st.text(
    alphabet="कखगडढफजतनरयसहािीुोौे्ँं़।अइ\u0929\u0931\u0958\u095c\u0959कডঢযতরবোৌো\u09d7়্ৎ।\u09dc\u09df१২3 .\"'“”’"
    "\u200c\u200dAé\u0301\n\uac00\u1100\u1161"
)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.name}-{variant.languages[0]}")
@given(text=INDIC)
def test_once_is_enough(variant, text):
    once = variant(text)
    assert variant(once) == once
    assert not variant.applies(once)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.canonical], ids=lambda variant: variant.name)
@given(text=INDIC)
def test_canonical_variants_are_the_same_to_unicode(variant, text):
    assert unicodedata.normalize("NFC", variant(text)) == unicodedata.normalize("NFC", text)


@given(text=st.one_of(INDIC, st.text()))
def test_normal_forms_are_unicode_s(text):
    assert variants("hi")["nfc"](text) == unicodedata.normalize("NFC", text)
    assert variants("hi")["nfd"](text) == unicodedata.normalize("NFD", text)


@given(text=INDIC)
def test_khanda_ta_comes_back(text):
    spelled = variants("bn")["khanda_ta_spelled"](text)
    assert "ৎ" not in spelled
    assert variants("bn")["khanda_ta_composed"](spelled) == variants("bn")["khanda_ta_composed"](text)
