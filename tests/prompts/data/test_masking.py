import pytest

from prompts.data import Item, masked
from prompts.data.masking import mask_words

FORMS = [  # dictionary form, forms of it, words that only look like it
    ("hi", "यात्रा", "यात्रा यात्राएँ यात्राओं", "यात्री पात्र"),
    ("hi", "दोस्ती", "दोस्ती दोस्तियाँ दोस्तियों", "दोस्त सस्ती"),
    ("hi", "खेल", "खेल खेलों खेलना खेलता खेले खेला खेलेंगे खेलकर", "खेत मेल"),
    ("hi", "जानवर", "जानवर जानवरों", "जान"),
    ("hi", "सीखना", "सीखना सीखने सीखा सीखी सीखता सीखकर सीखूँगा", "सीट"),
    ("hi", "सफ़र", "सफ़र सफर सफ़रों", "सफ सफल"),
    ("hi", "बाँटना", "बाँटी बांटता बाँटकर बाँटने", "बाट"),
    ("hi", "पढ़ाई", "पढ़ाई पढाई", "पढ़"),
    ("mr", "शाळा", "शाळा शाळेत शाळेला शाळेचा शाळांमध्ये शाळेतील शाळाही", "शाल"),
    ("mr", "प्राणी", "प्राणी प्राण्यांना प्राण्याला प्राण्यांच्या", "प्राण प्रांत"),
    ("mr", "प्रवास", "प्रवास प्रवासाला प्रवासात प्रवासासाठी प्रवासाच्या", "प्रवाह"),
    ("mr", "घर", "घर घरी घरात घराच्या घरांमध्ये घरातल्या घराबाहेर घरच्यांची", "घरटे घोडा"),
    ("mr", "शिकणे", "शिकणे शिकला शिकतो शिकून शिकायला शिकवले शिकण्यासाठी", "शिकारी"),
    ("mr", "जेवण", "जेवण जेवणात जेवणानंतर", "जेव्हा"),
    ("mr", "मैत्री", "मैत्री मैत्रीला मैत्रीची", "मैत्रीण"),
    ("bn", "খেলা", "খেলা খেলার খেলে খেলছে খেলবে খেলত খেলতে খেলেছিল খেলাটা খেলায় খেলাগুলো", "খেলনা বেলা"),
    ("bn", "শেখা", "শেখা শিখে শিখছে শিখল শেখার শিখেছে শেখালেন", "শখ"),
    ("bn", "পরিবার", "পরিবার পরিবারের পরিবারে পরিবারকে পরিবারগুলোর পরিবারটি", "পরিবহন"),
    ("bn", "বন্ধুত্ব", "বন্ধুত্ব বন্ধুত্বের", "বন্ধু"),
    ("bn", "বাড়ি", "বাড়ি বাড়ির বাড়িতে বাড়িটা", "বাড়া"),
    ("en", "travel", "travel Travels travelled travelling traveller travel's", "trav"),
    ("en", "play", "play plays played players", "plate place"),
    ("en", "family", "family families family’s", "familiar"),
    ("en", "sharing", "sharing share shared shares", "shark"),
    ("en", "festivals", "festival Festivals", "festoon"),
]


@pytest.mark.parametrize(("language", "word", "forms", "others"), FORMS)
def test_every_form_goes_and_no_other_word(language, word, forms, others):
    assert [mask_words(form, [word], language) for form in forms.split()] == ["…"] * len(forms.split())
    assert mask_words(others, [word], language) == others


def test_what_stands_around_the_word_stays():
    assert mask_words("“खेल!” वे खेले, घर गए।", ["खेल"], "hi", "___") == "“___!” वे ___, घर गए।"


def test_phrases_go_as_a_whole_the_longest_first():
    assert mask_words("प्रकृति की देखभाल और प्रकृति", ["प्रकृति", "प्रकृति की देखभाल"], "hi") == "… और …"
    assert mask_words("मिल-बाँटकर रहना अच्छा है", ["मिल-बाँटकर रहना"], "hi") == "… अच्छा है"
    assert mask_words("प्रकृति", ["प्रकृति की देखभाल"], "hi") == "प्रकृति"


def test_words_of_every_class_go_in_the_item_s_language():
    words = {"play": {"hi": ["खेल"], "en": ["play"]}, "home": {"hi": ["घर"]}}
    items = [Item("1", "hi", "घर में खेल, no play", "play", "1"), Item("1", "mr", "घर खेळ", "play", "1")]
    assert [item.text for item in masked(items, words)] == ["… में …, no play", "घर खेळ"]
    assert [item.id for item in masked(items, words)] == ["1", "1"]
