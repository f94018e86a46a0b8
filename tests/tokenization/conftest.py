"""A few stories' worth of words in three languages, and the tokenizers trained on them."""

import random

import pytest

from corpora.folders import new_folder, write_manifest
from corpora.stories import Story, write_split
from tokenization.folder import load_tokenizer
from tokenization.training.trainers import KINDS, SPELLINGS, train_tokenizer

WORDS = {
    "hi": "एक राजा था रानी ने कहा जंगल में शेर रहता है बच्चा घर गया और सो पेड़ पर चिड़िया बैठी थी क़िला ज्ञान स्त्री विद्यार्थी",
    "mr": "एका गावात मुलगा राहत होता त्याने आईला सांगितले पाऱ्याचा वाऱ्यावर कुऱ्हाड तऱ्हा झाड मांजर आणि कुत्रा खेळत होते शाळेत",
    "bn": "একদিন ছেলেটি বাড়ি গেল মা বললেন র‍্যাব হঠাৎ উৎসব ক্ষমা পাখি গাছে বসে গান গায় নদীর ধারে খেলা করে সবাই মিলে ভাত খায়",
}


def make_stories(language: str, count: int, seed: int = 0) -> list[Story]:
    """Word salad with sentences and paragraphs."""
    salad = random.Random(f"{language} {seed}")
    words = WORDS[language].split()
    stories = []
    for number in range(count):
        paragraphs = [
            " ".join(" ".join(salad.choices(words, k=salad.randint(4, 9))) + "।" for _ in range(3)) for _ in range(2)
        ]
        stories.append(
            Story(f"{language}-{seed}-{number}", language, "\n\n".join(paragraphs), "salad", license="CC0-1.0")
        )
    return stories


@pytest.fixture(scope="session")
def texts():
    return [story.text for language in WORDS for story in make_stories(language, 40)]


@pytest.fixture(scope="session")
def sizes():
    """The vocabulary of each kind that the texts give: 520 where nothing else is said."""
    given = {kind: None if kind in SPELLINGS else 520 for kind in KINDS}
    return given | {"sentencepiece-unigram": 420, "bytelevel-bpe-gpt2": 320, "wordpiece": 240}


@pytest.fixture(scope="session")
def trained(texts, sizes):
    return {kind: train_tokenizer(kind, texts, sizes[kind]) for kind in KINDS}


@pytest.fixture(scope="session")
def folders(trained, tmp_path_factory):
    places = {}
    for kind, tokenizer in trained.items():
        places[kind] = tmp_path_factory.mktemp("tokenizers") / kind
        places[kind].mkdir()
        tokenizer.save(places[kind])
    return places


@pytest.fixture(scope="session")
def tokenizers(folders):
    return {kind: load_tokenizer(folder) for kind, folder in folders.items()}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    place = tmp_path_factory.mktemp("corpora") / "corpus"
    with new_folder(place) as folder:
        for language in ("hi", "bn"):
            write_split(folder, "train", make_stories(language, 30))
            write_split(folder, "validation", make_stories(language, 5, seed=1))
        write_manifest(folder, "corpus", {})
    return place
