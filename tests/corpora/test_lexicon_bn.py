"""The Bengali lexicon: inflection, respect, classifiers and the script, by hand-checked examples."""

import re
import unicodedata

import pytest

from corpora.grammar import telling
from corpora.grammar.generator import Generator
from corpora.grammar.lexicon import load_lexicon
from corpora.grammar.world import Bound

BN = load_lexicon("bn")


ROLES = {
    "hero": Bound("rabbit", name="chiku", sex="m"),
    "friend": Bound("hen", name="munni", sex="f"),
    "elder": Bound("mother"),
    "worker": Bound("fisherman"),
    "thing": Bound("book"),
    "food": Bound("banana", plural=True),
    "number": Bound("three"),
    "home": Bound("hamlet"),
    "place": Bound("cave"),
    "waterside": Bound("river"),
    "activity": Bound("draw_pictures"),
    "skill": Bound("swim"),
}


def fill(template: str, **roles: Bound) -> str:
    """One sentence of the story grammar, filled with the roles above."""
    return telling.fill(BN, template, ROLES | roles)


@pytest.mark.parametrize(
    ("concept", "genitive", "locative"),
    [
        ("mother", "মায়ের", None),
        ("fisherman", "জেলের", None),
        ("house", "বাড়ির", "বাড়িতে"),
        ("road", "রাস্তার", "রাস্তায়"),
        ("village", "গ্রামের", "গ্রামে"),
        ("hill", "পাহাড়ের", "পাহাড়ে"),
        ("hamlet", "পাড়াগাঁয়ের", "পাড়াগাঁয়ে"),
        ("light", "আলোর", "আলোয়"),
        ("foot", "পায়ের", "পায়ে"),
        ("book", "বইয়ের", "বইতে"),
        ("sparrow", "চড়ুইয়ের", None),
        ("frog", "ব্যাঙের", None),
        ("papaya", "পেঁপের", "পেঁপেতে"),
        ("sun", "সূর্যের", None),
    ],
)
def test_case_endings_follow_the_sound_of_the_noun(concept, genitive, locative):
    noun = BN.find(concept)
    assert noun.form("gen") == genitive
    if locative:
        assert noun.form("loc") == locative


def test_names_take_the_same_endings():
    names = {name: BN.find(name, ["names"]) for name in ("ravi", "nikhil", "meera", "gulabo")}
    assert [name.form("gen") for name in names.values()] == ["রবির", "নিখিলের", "মীরার", "গুলাবোর"]
    assert [name.form("obj") for name in names.values()] == ["রবিকে", "নিখিলকে", "মীরাকে", "গুলাবোকে"]


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("do", "করল করতে করত করছিল করে করে করবে করো করেনি"),
        ("eat", "খেল খেতে খেত খাচ্ছিল খেয়ে খায় খাবে খাও খায়নি"),
        ("want", "চাইল চাইতে চাইত চাইছিল চেয়ে চায় চাইবে চাও চায়নি"),
        ("go", "গেল যেতে যেত যাচ্ছিল গিয়ে যায় যাবে যাও যায়নি"),
        ("come", "এল আসতে আসত আসছিল এসে আসে আসবে এসো আসেনি"),
        ("give", "দিল দিতে দিত দিচ্ছিল দিয়ে দেয় দেবে দাও দেয়নি"),
        ("be", "হলো হতে হতো হচ্ছিল হয়ে হয় হবে হও হয়নি"),
        ("hear", "শুনল শুনতে শুনত শুনছিল শুনে শোনে শুনবে শোনো শোনেনি"),
        ("rise", "উঠল উঠতে উঠত উঠছিল উঠে ওঠে উঠবে ওঠো ওঠেনি"),
        ("dig", "খুঁড়ল খুঁড়তে খুঁড়ত খুঁড়ছিল খুঁড়ে খোঁড়ে খুঁড়বে খোঁড়ো খোঁড়েনি"),
        ("learn", "শিখল শিখতে শিখত শিখছিল শিখে শেখে শিখবে শেখো শেখেনি"),
        ("see", "দেখল দেখতে দেখত দেখছিল দেখে দেখে দেখবে দেখো দেখেনি"),
        ("call", "ডাকল ডাকতে ডাকত ডাকছিল ডেকে ডাকে ডাকবে ডাকো ডাকেনি"),
        ("tremble", "কাঁপল কাঁপতে কাঁপত কাঁপছিল কেঁপে কাঁপে কাঁপবে কাঁপো কাঁপেনি"),
        ("draw", "আঁকল আঁকতে আঁকত আঁকছিল এঁকে আঁকে আঁকবে আঁকো আঁকেনি"),
        ("jump", "লাফাল লাফাতে লাফাত লাফাচ্ছিল লাফিয়ে লাফায় লাফাবে লাফাও লাফায়নি"),
        ("teach", "শেখাল শেখাতে শেখাত শেখাচ্ছিল শিখিয়ে শেখায় শেখাবে শেখাও শেখায়নি"),
        ("tell", "শোনাল শোনাতে শোনাত শোনাচ্ছিল শুনিয়ে শোনায় শোনাবে শোনাও শোনায়নি"),
        ("fly_kite", "ওড়াল ওড়াতে ওড়াত ওড়াচ্ছিল উড়িয়ে ওড়ায় ওড়াবে ওড়াও ওড়ায়নি"),
        ("run", "দৌড়াল দৌড়াতে দৌড়াত দৌড়াচ্ছিল দৌড়ে দৌড়ায় দৌড়াবে দৌড়াও দৌড়ায়নি"),
    ],
)
def test_verbs_of_every_class(verb, forms):
    lexeme = BN.find(verb, ["verbs"])
    wanted = ["past", "inf", "hab", "prog", "conj", "pres", "fut", "imp", "neg"]
    assert [lexeme.form(name) for name in wanted] == forms.split()


def test_first_and_second_person():
    assert BN.find("break").form("perf1") == "ভেঙেছি"
    assert BN.find("bring").form("presprog1") == "আনছি"
    assert BN.find("see").form("perf2") == "দেখেছ"
    assert BN.find("save").form("past2") == "বাঁচালে"
    assert BN.find("go").form("perf") == "গেছে"


def test_elders_and_workers_are_spoken_of_with_respect_and_children_and_animals_plainly():
    assert fill("{elder} {say.past:elder}, {hero} {say.past:hero}") == "মা বললেন, চিকু বলল"
    assert fill("{elder.pro} {rise.inf} {can.prog:elder} না") == "তিনি উঠতে পারছিলেন না"
    assert fill("{hero} {worker.pro.obj} {thing.def} {give.past:hero}") == "চিকু তাঁকে বইটি দিল"
    assert fill("{hero.pro.gen} {worker.pro.gen} {come.past:worker} {see.neg:elder}") == "তার তাঁর এলেন দেখেননি"


def test_classifiers_and_plurals():
    assert fill("{number.cl} {food.bare}, {food}, {food.gen}") == "তিনটি কলা, কলাগুলো, কলাগুলোর"
    assert fill("{thing.def}, {friend.kind.obj}, {baby.def.gen}", baby=Bound("fawn")) == "বইটি, মুরগিকে, হরিণছানাটির"
    assert [BN.find(noun).form("pl") for noun in ("boy", "companion", "people")] == ["ছেলেরা", "বন্ধুরা", "মানুষেরা"]


def test_sentences():
    assert fill("{home.in_a} {hero} {name.loc} একটি {hero.kind} {live.hab:hero}।") == "এক পাড়াগাঁয়ে চিকু নামে একটি খরগোশ থাকত।"
    assert fill("{activity.gen} পর {hero.gen} {skill.inf} ইচ্ছে করত।") == "ছবি আঁকার পর চিকুর সাঁতার কাটতে ইচ্ছে করত।"
    assert fill("দুজনে {waterside.by} {go.past:hero+friend} আর {place.loc} {play.past:hero+friend}।") == (
        "দুজনে নদীর ধারে গেল আর গুহায় খেলল।"
    )


def test_no_tara_is_taken_for_they():
    """তারা is the star; neither a name nor the pronoun of the stories may be written so."""
    assert "তারা" not in {name.word for name in BN.lexemes["names"].values()}
    for _, template in (variant for variants in BN.sentences.values() for variant in variants):
        assert not re.search(r"(?<![\u0980-\u09ff])তারা(?![\u0980-\u09ff])", template)


def test_two_hundred_stories_are_in_clean_bengali_script():
    for story in Generator(["bn"], stories=200, seed=23):
        text = story.title + "\n" + story.text
        assert unicodedata.is_normalized("NFC", text)
        # letters and marks of Bengali (no ZWJ, no ZWNJ, no Latin), danda and the other marks in use
        assert set(re.sub(r"[\u0980-\u09ff]", "", text)) <= set(" \n।,?!“”-"), story.id
        assert re.fullmatch(r"(?:[^“”]*“[^“”]+”)*[^“”]*", text), story.id
        paragraphs = story.text.split("\n\n")
        if '"style": "letter"' in story.prompt:  # begins with whom it is to and ends with whom it is from
            paragraphs = paragraphs[1:-1]
        assert all(paragraph[-1] in "।?!”" for paragraph in paragraphs)
        assert not re.search(r"[।,?!]{2}|[।,?!](?=[^\s।,?!”])|\s[।,?!”]|“\s", text), story.id
        # no vowel sign or mark without its letter
        assert not re.search(r"(?:^|[^\u0980-\u09ff])[\u0981-\u0983\u09bc\u09be-\u09cd]", text), story.id
