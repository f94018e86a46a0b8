"""Marathi: oblique stems, three genders, the ergative, respect, and sentences that a wrong form would spoil."""

import unicodedata

import pytest
import regex

from corpora.grammar import telling
from corpora.grammar.generator import Generator
from corpora.grammar.lexicon import load_lexicon
from corpora.grammar.world import Bound

RAVI = Bound("boy", name="ravi", sex="m")
AMIT = Bound("boy", name="amit", sex="m")
MEERA = Bound("girl", name="meera", sex="f")
NEHA = Bound("girl", name="neha", sex="f")
MONKEY = Bound("monkey", name="chiku", sex="m")
BUTTERFLY = Bound("butterfly", name="sona", sex="f")


@pytest.fixture(scope="module")
def marathi():
    return load_lexicon("mr")


@pytest.fixture(scope="module")
def told():
    return [story.title + "\n" + story.text for story in Generator(["mr"], stories=208, seed=29)]


def fill(lexicon, template, **roles):
    return telling.fill(lexicon, template, roles)


def variants(lexicon, beat, **roles):
    """All sentences that can be told of a beat."""
    return telling.variants(lexicon, beat, roles)


@pytest.mark.parametrize(
    ("concept", "agreement", "oblique", "plural", "plural_oblique"),
    [
        ("elephant", "m.sg", "हत्ती", "हत्ती", "हत्तीं"),
        ("horse", "m.sg", "घोड्या", "घोडे", "घोड्यां"),
        ("rabbit", "m.sg", "सशा", "ससे", "सशां"),
        ("mirror", "m.sg", "आरशा", "आरसे", "आरशां"),
        ("star", "m.sg", "ताऱ्या", "तारे", "ताऱ्यां"),
        ("dog", "m.sg", "कुत्र्या", "कुत्रे", "कुत्र्यां"),
        ("mouse", "m.sg", "उंदरा", "उंदीर", "उंदरां"),
        ("farmer", "m.sg", "शेतकऱ्या", "शेतकरी", "शेतकऱ्यां"),
        ("boy", "m.sg", "मुला", "मुलगे", "मुलां"),
        ("kite", "m.sg", "पतंगा", "पतंग", "पतंगां"),
        ("laddu", "m.sg", "लाडू", "लाडू", "लाडूं"),
        ("doll", "f.sg", "बाहुली", "बाहुल्या", "बाहुल्यां"),
        ("flute", "f.sg", "बासरी", "बासऱ्या", "बासऱ्यां"),
        ("umbrella", "f.sg", "छत्री", "छत्र्या", "छत्र्यां"),
        ("papaya", "f.sg", "पपई", "पपया", "पपयां"),
        ("school", "f.sg", "शाळे", "शाळा", "शाळां"),
        ("garden", "f.sg", "बागे", "बागा", "बागां"),
        ("pencil", "f.sg", "पेन्सिली", "पेन्सिली", "पेन्सिलीं"),
        ("mistake", "f.sg", "चुकी", "चुका", "चुकां"),
        ("tree", "n.sg", "झाडा", "झाडे", "झाडां"),
        ("flower", "n.sg", "फुला", "फुले", "फुलां"),
        ("nest", "n.sg", "घरट्या", "घरटी", "घरट्यां"),
        ("orange", "n.sg", "संत्र्या", "संत्री", "संत्र्यां"),
        ("lamb", "n.sg", "कोकरा", "कोकरे", "कोकरां"),
        ("puppy", "n.sg", "कुत्र्याच्या पिल्ला", "कुत्र्याची पिल्ले", "कुत्र्याच्या पिल्लां"),
        ("corn", "n.sg", "कणसा", "कणसे", "कणसां"),
        ("deer", "n.sg", "हरणा", "हरणे", "हरणां"),
        ("grandfather", "m.pl", "आजोबां", "आजोबा", "आजोबां"),
        ("fox", "f.sg", "कोल्हिणी", "कोल्हिणी", "कोल्हिणीं"),
        ("buffalo", "f.sg", "म्हशी", "म्हशी", "म्हशीं"),
        ("mongoose", "n.sg", "मुंगसा", "मुंगसे", "मुंगसां"),
        ("fish", "m.sg", "माशा", "मासे", "माशां"),
        ("elder_brother", "m.sg", "दादा", "दादा", "दादां"),
        ("traveller", "m.sg", "प्रवाशा", "प्रवासी", "प्रवाशां"),
        ("fairy", "f.sg", "परी", "पऱ्या", "पऱ्यां"),
        ("sandal", "f.sg", "चपले", "चपला", "चपलां"),
        ("quilt", "f.sg", "गोधडी", "गोधड्या", "गोधड्यां"),
        ("pinwheel", "n.sg", "भिरभिऱ्या", "भिरभिरी", "भिरभिऱ्यां"),
        ("wood", "n.sg", "लाकडा", "लाकडे", "लाकडां"),
        ("curry", "m.sg", "रश्शा", "रस्से", "रश्शां"),
        ("noodles", "f.pl", "शेवयां", "शेवया", "शेवयां"),
        ("temple", "n.sg", "देवळा", "देवळे", "देवळां"),
    ],
)
def test_nouns_decline(marathi, concept, agreement, oblique, plural, plural_oblique):
    noun = marathi.find(concept, ["nouns"])
    assert noun.agreement == agreement
    assert [noun.form(name) for name in ("obl", "pl", "pl.obl")] == [oblique, plural, plural_oblique]


@pytest.mark.parametrize(
    ("place", "in_a", "source"),
    [
        ("village", "एका गावात", "गावातून"),
        ("garden", "एका बागेत", "बागेतून"),
        ("hill", "एका टेकडीवर", "टेकडीवरून"),
        ("cave", "एका गुहेत", "गुहेतून"),
        ("mango_grove", "एका आमराईत", "आमराईतून"),
        ("stream", "एका ओढ्यात", "ओढ्यातून"),
        ("riverside", "एका नदीकाठी", "नदीकाठाहून"),
        ("island", "एका बेटावर", "बेटावरून"),
        ("orchard", "एका फळबागेत", "फळबागेतून"),
        ("waterfall", "एका धबधब्याजवळ", "धबधब्याजवळून"),
        ("bamboo_grove", "एका बांबूच्या बनात", "बांबूच्या बनातून"),
    ],
)
def test_places_take_their_own_postposition(marathi, place, in_a, source):
    noun = marathi.find(place, ["nouns"])
    assert (noun.form("in_a"), noun.form("from")) == (in_a, source)


AGREEMENTS = ("m.sg", "f.sg", "n.sg", "m.pl", "f.pl", "n.pl")


@pytest.mark.parametrize(
    ("adjective", "forms", "oblique"),
    [
        ("big", "मोठा मोठी मोठे मोठे मोठ्या मोठी", "मोठ्या"),
        ("white", "पांढरा पांढरी पांढरे पांढरे पांढऱ्या पांढरी", "पांढऱ्या"),
        ("ripe", "पिकलेला पिकलेली पिकलेले पिकलेले पिकलेल्या पिकलेली", "पिकलेल्या"),
        ("red", "लाल लाल लाल लाल लाल लाल", "लाल"),
        ("kind", "दयाळू दयाळू दयाळू दयाळू दयाळू दयाळू", "दयाळू"),
    ],
)
def test_adjectives_in_aa_agree_and_others_do_not_change(marathi, adjective, forms, oblique):
    found = marathi.find(adjective, ["adjectives"])
    assert [found.form("dir", agreement) for agreement in AGREEMENTS] == forms.split()
    assert found.form("obl") == oblique


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("run", "धावला धावली धावले धावले धावल्या धावली"),
        ("go", "गेला गेली गेले गेले गेल्या गेली"),
        ("come", "आला आली आले आले आल्या आली"),
        ("become", "झाला झाली झाले झाले झाल्या झाली"),
        ("say", "म्हणाला म्हणाली म्हणाले म्हणाले म्हणाल्या म्हणाली"),
        ("get", "मिळाला मिळाली मिळाले मिळाले मिळाल्या मिळाली"),
        ("eat", "खाल्ला खाल्ली खाल्ले खाल्ले खाल्ल्या खाल्ली"),
        ("drink", "प्यायला प्यायली प्यायले प्यायले प्यायल्या प्यायली"),
        ("give", "दिला दिली दिले दिले दिल्या दिली"),
        ("take", "घेतला घेतली घेतले घेतले घेतल्या घेतली"),
        ("put", "घातला घातली घातले घातले घातल्या घातली"),
        ("see", "पाहिला पाहिली पाहिले पाहिले पाहिल्या पाहिली"),
        ("tell", "सांगितला सांगितली सांगितले सांगितले सांगितल्या सांगितली"),
        ("write", "लिहिला लिहिली लिहिले लिहिले लिहिल्या लिहिली"),
        ("do", "केला केली केले केले केल्या केली"),
        ("be", "होता होती होते होते होत्या होती"),
    ],
)
def test_perfectives_agree_in_gender_and_number(marathi, verb, forms):
    assert [marathi.find(verb, ["verbs"]).form("past", agreement) for agreement in AGREEMENTS] == forms.split()


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("play", "खेळायला खेळत खेळून खेळू खेळणार"),
        ("go", "जायला जात जाऊन जाऊ जाणार"),
        ("come", "यायला येत येऊन येऊ येणार"),
        ("take", "घ्यायला घेत घेऊन घेऊ घेणार"),
        ("give", "द्यायला देत देऊन देऊ देणार"),
        ("become", "व्हायला होत होऊन होऊ होणार"),
        ("drink", "प्यायला पीत पिऊन पिऊ पिणार"),
        ("write", "लिहायला लिहीत लिहून लिहू लिहिणार"),
        ("live", "राहायला राहत राहून राहू राहणार"),
    ],
)
def test_verbs_have_their_other_stems(marathi, verb, forms):
    assert [marathi.find(verb, ["verbs"]).form(name) for name in ("to", "t", "un", "u", "nar")] == forms.split()


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (Bound("book"), "मीराने आपले निळे पुस्तक आणले."),
        (Bound("doll"), "मीराने आपली निळी बाहुली आणली."),
        (Bound("mirror"), "मीराने आपला निळा आरसा आणला."),
        (Bound("mango", plural=True), "मीराने आपले निळे आंबे आणले."),
        (Bound("jalebi", plural=True), "मीराने आपल्या निळ्या जिलब्या आणल्या."),
        (Bound("banana", plural=True), "मीराने आपली निळी केळी आणली."),
    ],
)
def test_with_the_ergative_the_verb_agrees_with_the_object(marathi, thing, expected):
    template = "{hero}ने {own:thing} {blue:thing} {thing} {bring.past:thing}."
    assert fill(marathi, template, hero=MEERA, thing=thing) == expected


def test_verbs_of_saying_and_learning_agree_with_the_subject(marathi):
    assert "मीना वाचायला शिकली." in " ".join(variants(marathi, "let.learn", hero=Bound("girl", name="mina", sex="f")))
    told = variants(marathi, "newf.shy", hero=RAVI, friend=NEHA)
    assert told == {"नेहा आधी लाजली, मग गोड हसली.", "नेहा हळूच म्हणाली, “हो.”"}


def test_respected_relatives_are_plural_and_keep_their_own_endings(marathi):
    template = "{hero}{gen:elder} {elder} {say.past:elder}. {elder.pro.erg} {elder.obl}{ne:elder} {elder.obl}{la:elder}"
    assert fill(marathi, template, hero=RAVI, elder=Bound("grandfather")) == "रवीचे आजोबा म्हणाले. त्यांनी आजोबांनी आजोबांना"
    assert fill(marathi, template, hero=RAVI, elder=Bound("grandmother")) == "रवीची आजी म्हणाली. तिने आजीने आजीला"


def test_children_speak_to_elders_with_the_right_imperative(marathi):
    roles = {"hero": RAVI, "thing": Bound("vase")}
    assert "रवी रडत म्हणाला, “ती माझ्या हातून फुटली. मला माफ कर.”" in variants(
        marathi, "brok.tell", elder=Bound("mother"), **roles
    )
    assert "रवी रडत म्हणाला, “ती माझ्या हातून फुटली. मला माफ करा.”" in variants(
        marathi, "brok.tell", elder=Bound("father"), **roles
    )


@pytest.mark.parametrize(
    ("hero", "friend", "expected"),
    [
        (RAVI, AMIT, "दोघे एकमेकांचे चांगले मित्र होते."),
        (RAVI, MEERA, "दोघे एकमेकांचे चांगले मित्र होते."),
        (NEHA, MEERA, "दोघी एकमेकांच्या चांगल्या मैत्रिणी होत्या."),
    ],
)
def test_two_together_are_feminine_only_if_both_are(marathi, hero, friend, expected):
    template = (
        "{both:hero+friend} एकमेकां{gen:hero+friend} {good:hero+friend} {companion.pl:hero+friend} {be.past:hero+friend}."
    )
    assert fill(marathi, template, hero=hero, friend=friend) == expected


def test_an_animal_has_the_gender_of_its_noun_and_its_name_that_of_its_sex(marathi):
    home = Bound("jungle")
    told = variants(marathi, "open", hero=MONKEY, home=home)
    assert "एका जंगलात चिकू नावाचे एक माकड राहत होते." in told
    assert "एक होते माकड. नाव होते चिकू. चिकू एका जंगलात राहत होता." in told
    told = variants(marathi, "open", hero=BUTTERFLY, home=home)
    assert "ही गोष्ट आहे सोना नावाच्या एका छोट्या फुलपाखराची. सोना एका जंगलात राहत होती." in told


def test_nothing_feminine_is_said_of_boys_nor_masculine_of_girls(marathi):
    assert variants(marathi, "resc.thanks", hero=MEERA, friend=RAVI) >= {
        "रवीने मीराला मिठी मारली. “तू माझी खरी मैत्रीण आहेस,” तो म्हणाला."
    }
    assert variants(marathi, "race.friend", hero=RAVI, friend=MEERA, look=Bound("red"), prize=Bound("shawl")) >= {
        "मीरा खजील झाली. “खरा विजेता तूच आहेस,” ती म्हणाली.",
        "रवीला लाल शाल मिळाली, आणि मीराने त्याला मिठी मारली.",
    }


def test_owner_of_the_found_thing_and_its_gender(marathi):
    told = variants(
        marathi, "fnd.owner", hero=NEHA, friend=MEERA, worker=Bound("doctor"), thing=Bound("bag"), place=Bound("market")
    )
    assert "शेवटी दोघींना एक डॉक्टर उदास बसलेले दिसले. ती पिशवी त्यांची होती." in told
    told = variants(
        marathi,
        "fnd.return",
        hero=NEHA,
        friend=MEERA,
        worker=Bound("farmer"),
        thing=Bound("clock"),
        place=Bound("market"),
    )
    assert told == {
        "नेहाने शेतकऱ्याला घड्याळ दिले, आणि तो खूप खूश झाला.",
        "नेहाने घड्याळ पुढे करून विचारले, “हे तुमचे आहे का?” शेतकऱ्याच्या चेहऱ्यावर हसू आले.",
    }


@pytest.mark.parametrize(
    ("dish", "beverage", "expected"),
    [
        ("pulao", "tea", "त्या संध्याकाळी सगळ्यांनी पुलाव खाल्ला आणि चहा प्यायला."),
        ("kheer", "lassi", "त्या संध्याकाळी सगळ्यांनी खीर खाल्ली आणि लस्सी प्यायली."),
        ("noodles", "buttermilk", "त्या संध्याकाळी सगळ्यांनी शेवया खाल्ल्या आणि ताक प्यायले."),
    ],
)
def test_what_all_ate_and_drank_rules_the_verb(marathi, dish, beverage, expected):
    told = variants(marathi, "end.meal", hero=RAVI, elder=Bound("mother"), dish=Bound(dish), beverage=Bound(beverage))
    assert expected in told


@pytest.mark.parametrize(
    ("stuff", "expected"),
    [
        ("twig", "दोघींनी सगळीकडे काटक्या शोधल्या. सात तासांत मोठा ढीग जमला."),
        ("reed", "दोघींनी सगळीकडे वेत शोधले. सात तासांत मोठा ढीग जमला."),
        ("leaf", "दोघींनी सगळीकडे पाने शोधली. सात तासांत मोठा ढीग जमला."),
    ],
)
def test_several_things_rule_the_verb_in_the_plural_of_their_gender(marathi, stuff, expected):
    roles = {"stuff": Bound(stuff, plural=True), "number": Bound("seven")}
    assert expected in variants(marathi, "build.gather", hero=MEERA, friend=NEHA, **roles)


def test_of_paper_of_wool_as_good_as_new(marathi):
    told = variants(marathi, "forgot.secret", hero=RAVI, friend=MEERA, gift=Bound("basket"), material=Bound("straw"))
    assert "संध्याकाळी दार उघडले, तर समोर मीरा! तिच्या हातात गवताची एक टोपली होती." in told
    told = variants(marathi, "mend.whole", hero=RAVI, mender=Bound("carpenter"), thing=Bound("doll"))
    assert any(text.startswith("तासाभरात बाहुली पुन्हा नव्यासारखी झाली.") for text in told)


def test_a_girl_says_of_herself_what_she_did(marathi):
    assert "“मी मुळीच घाबरले नाही,” मीरा म्हणाली, आणि दोघे खळखळून हसले." in variants(
        marathi, "storm.after", hero=RAVI, friend=MEERA
    )
    assert "“मी मुळीच घाबरलो नाही,” रवी म्हणाला, आणि दोघे खळखळून हसले." in variants(
        marathi, "storm.after", hero=MEERA, friend=RAVI
    )


def test_a_letter_is_signed_as_one_speaks_to_the_reader(marathi):
    writer = {"writer": MEERA}
    assert "तुझी मीरा" in variants(marathi, "letter.sign", reader=Bound("mother"), **writer)
    assert "तुमची मीरा" in variants(marathi, "letter.sign", reader=Bound("uncle"), **writer)
    assert "तीर्थरूप आजोबांस, नमस्कार," in variants(marathi, "letter.dear", reader=Bound("grandfather"), **writer)


def test_signs_are_sensed_in_their_gender(marathi):
    lost = {"hero": RAVI, "friend": AMIT}
    assert "दोघे क्षणभर कानोसा घेत उभे राहिले. आणि त्यांना जाणवली शुक्राची चमकती चांदणी!" in variants(
        marathi, "way.sign", sign=Bound("evening_star"), **lost
    )
    assert "तेवढ्यात त्यांचे लक्ष जमिनीवरच्या जुन्या पाऊलखुणांकडे गेले." in variants(
        marathi, "way.sign", sign=Bound("footprints"), **lost
    )


def test_flowers_are_blossoms_of_their_plant(marathi):
    for flower, one, many in [("jasmine", "मोगऱ्याचे फूल", "मोगऱ्याच्या फुलां"), ("sunflower", "सूर्यफूल", "सूर्यफुलां")]:
        noun = marathi.find(flower, ["nouns"])
        assert (noun.form("one"), noun.form("many.obl")) == (one, many)


def test_every_noun_has_its_oblique_and_its_plurals(marathi):
    for noun in marathi.lexemes["nouns"].values():
        assert {"obl", "pl", "pl.obl"} <= set(noun.forms), noun.concept


def test_stories_are_clean_marathi(told):
    allowed = regex.compile(r"[\p{Script=Devanagari}&&[\p{L}\p{M}]]|[ \n.,?!“”-]", flags=regex.V1)
    for text in told:
        assert unicodedata.normalize("NFC", text) == text
        assert not allowed.sub("", text)
        assert text.count("“") == text.count("”")
        assert not regex.search(r"[.?!,][\p{L}“]|” ?[.,]|,\s*[.]|\s[.,?!”]|“\s", text)


def test_no_vowel_sign_stands_without_its_consonant(marathi):
    wrong = regex.compile(r"(?<!\p{L})[ािीुूृेैोौ्]|ंं|्(?:\s|$)")
    for section in marathi.lexemes.values():
        for lexeme in section.values():
            for form in lexeme.forms.values():
                assert not wrong.search(form), form


def test_oblique_stems_in_rya_are_written_with_the_eyelash(told):
    text = " ".join(told)
    assert "\u0931\u094dया" in text
    assert not regex.search("(?<!्)र्या", text)
