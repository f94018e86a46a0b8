"""Quality flags: each fault is seen, and human translations are not accused."""

from collections import Counter, defaultdict
from itertools import permutations

import pytest

from corpora.sources import Katha72
from corpora.translation.flags import Checks, numbers
from corpora.translation.sentences import split_sentences

FLAGGED = [
    ("en", "hi", "The rabbit ran to the river.", "", ["empty"]),
    ("en", "hi", "The rabbit ran to the river.", "…!", ["empty"]),
    ("en", "hi", "The rabbit ran to the river with all of its friends.", "हाँ।", ["length"]),
    ("en", "hi", "Yes, it is.", "हाँ, यह सच है कि वह आज सुबह नदी के किनारे बहुत दूर तक चला गया था।", ["length"]),
    ("en", "hi", "The rabbit ran to the river.", "The rabbit ran to the river.", ["script", "copied"]),
    ("en", "bn", "The rabbit ran to the river.", "ख़रगोश नदी की ओर भागा।", ["script"]),
    ("en", "hi", "The rabbit ran to the big river today.", "ख़रगोश आज बड़ी নদী की ओर भागा।", ["script"]),
    ("en", "mr", "The rabbit was by the river and slept.", "ख़रगोश नदी के पास था और सो गया।", ["language"]),
    ("hi", "mr", "बाघ जंगल में रहता था।", "बाघ जंगल में रहता था।", ["language", "copied"]),
    ("en", "hi", "The rabbit ran to the river.", "ख़रगोश नदी नदी नदी नदी की ओर भागा।", ["repetition"]),
    ("en", "hi", "The rabbit ran to the river.", "वह गया वह गया वह गया वह गया।", ["repetition"]),
    ("en", "hi", "He had 12 mangoes.", "उसके पास आम थे।", ["digits"]),
    ("en", "hi", "He had mangoes.", "उसके पास १२ आम थे।", ["digits"]),
]
FINE = [
    ("en", "hi", "He had 12 mangoes and 1,000 nuts.", "उसके पास १२ आम और १००० बादाम थे।"),
    ("en", "mr", "The rabbit ran to the river.", "ससा नदीकडे पळाला."),
    ("en", "hi", "“Ha ha ha ha!” he laughed.", "“हा हा हा हा!” वह हँसा।"),
    ("en", "hi", "Slowly he went.", "वह धीरे-धीरे चला गया।"),
    ("hi", "mr", "राम, मीना!", "राम, मीना!"),
    ("en", "hi", "…", "…"),
]


@pytest.mark.parametrize(("source", "target", "text", "translation", "flags"), FLAGGED)
def test_faults_are_named(source, target, text, translation, flags):
    assert Checks().flags(text, translation, source, target) == flags


@pytest.mark.parametrize(("source", "target", "text", "translation"), FINE)
def test_what_is_right_passes(source, target, text, translation):
    assert Checks().flags(text, translation, source, target) == []


def test_numbers_are_the_same_in_all_digits():
    assert numbers("1,000 and 3.5") == numbers("१,००० और ३.५") == numbers("১০০০ ৩.৫") == Counter({"1000": 1, "3.5": 1})


def test_at_least_99_of_100_sentences_of_katha_pass_in_every_direction():
    stories = defaultdict(dict)
    for story in Katha72():
        stories[story.group][story.language] = story.text.split("\n\n")
    seen, flagged = Counter(), Counter()
    for versions in stories.values():
        for source, target in permutations(versions, 2):
            for ours, theirs in zip(versions[source], versions[target], strict=True):
                one, two = split_sentences(ours, source), split_sentences(theirs, target)
                if len(one) == len(two):
                    seen[source, target] += len(one)
                    flagged[source, target] += sum(
                        bool(Checks().flags(a, b, source, target)) for a, b in zip(one, two, strict=True)
                    )
    assert len(seen) == 12 and min(seen.values()) > 1000
    assert {pair: count for pair, count in flagged.items() if count > 0.01 * seen[pair]} == {}
