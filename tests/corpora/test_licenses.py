"""Licences: one name for each, what is refused and why, and the ledger of what came from where."""

import csv
import io
import json
import random

import pytest

from corpora.describing.statistics import Statistics
from corpora.errors import UserError
from corpora.publishing.ledger import Ledger, check_ledger
from corpora.publishing.licenses import check, hub_name, spdx
from corpora.stories import Story


@pytest.mark.parametrize(
    ("written", "identifier"),
    [
        ("[CC-BY]", "CC-BY-4.0"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC BY-NC 3.0", "CC-BY-NC-3.0"),
        ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution-ShareAlike 3.0 Unported", "CC-BY-SA-3.0"),
        ("Creative Commons Attribution 4.0 International License", "CC-BY-4.0"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0", "CC-BY-NC-SA-4.0"),
        ("https://creativecommons.org/licenses/by-sa/4.0/deed.hi", "CC-BY-SA-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("CC BY 3.0 IGO", "CC-BY-3.0-IGO"),
        ("[Public Domain]", "LicenseRef-Public-Domain"),
        ("CC0", "CC0-1.0"),
        ("MIT", "MIT"),
        ("mit license", "MIT"),
        ("The-Unlicense", None),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("apache-2.0", "Apache-2.0"),
        ("cdla-sharing-1.0", "CDLA-Sharing-1.0"),
        ("odc-by", "ODC-By-1.0"),
        ("gpl-3.0-or-later", "GPL-3.0-or-later"),
        ("LicenseRef-My-Publisher", "LicenseRef-My-Publisher"),
        ("unknown", ""),
        ("other", ""),
        ("", ""),
        ("my own terms", None),
    ],
)
def test_licences_get_their_spdx_identifier(written, identifier):
    if identifier is None:
        with pytest.raises(UserError, match="is not known; write its identifier"):
            spdx(written)
    else:
        assert spdx(written) == identifier
        assert spdx(identifier) == identifier


@pytest.mark.parametrize(
    ("licenses", "reason"),
    [
        (["CC-BY-4.0", "CC-BY-NC-4.0"], "CC-BY-NC-4.0 forbids commercial use"),
        (["cc-by-nd-4.0"], "CC-BY-ND-4.0 forbids sharing changed texts, and cleaning changes them"),
        (["MIT", ""], "the licence of some stories is not known"),
        (["LicenseRef-All-Rights-Reserved"], "all rights of some stories are reserved"),
        (["CC-BY-SA-4.0", "CDLA-Sharing-1.0"], "CC-BY-SA-4.0 and CDLA-Sharing-1.0 each ask"),
        (["CC-BY-SA-3.0", "CC-BY-SA-1.0"], "each ask that the whole be shared"),
    ],
)
def test_what_cannot_be_published_together_is_refused_with_the_reason(licenses, reason):
    with pytest.raises(UserError, match=reason) as caught:
        check(licenses, "publish")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "licenses",
    [
        ["CC0-1.0", "CC-BY-4.0", "MIT", "LicenseRef-Public-Domain"],
        ["CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-4.0"],
        ["CDLA-Sharing-1.0"],
    ],
)
def test_what_goes_together_passes(licenses):
    check(licenses, "publish")


def test_training_on_ones_own_machine_needs_less():
    check(["CC-BY-NC-ND-4.0", "", "CC-BY-SA-4.0", "CDLA-Sharing-1.0"], "train")
    with pytest.raises(UserError, match="reserved"):
        check(["all rights reserved"], "train")


def test_authors_who_must_be_named_are_named():
    book = Ledger()
    book.add(Story("1", "hi", "कहानी", "books", license="CC-BY-4.0", attribution="A"))
    check_ledger(book.rows(), "publish")
    book.add(Story("2", "hi", "कहानी", "books", license="CC-BY-4.0"))
    with pytest.raises(UserError, match="asks to name the authors, but 1 stories of 'books' name nobody"):
        check_ledger(book.rows(), "publish")
    check_ledger(book.rows(), "train")


@pytest.mark.parametrize(
    ("license", "name"), [("CC-BY-4.0", "cc-by-4.0"), ("", "unknown"), ("LicenseRef-Public-Domain", "other")]
)
def test_the_hubs_names(license, name):
    assert hub_name(license) == name


def stories():
    rng = random.Random(1)
    for number in range(60):
        language, source = rng.choice(["hi", "bn"]), rng.choice(["books", "tales"])
        license, attribution = ("CC-BY-4.0", f"“T{number}”, author {number % 7}") if source == "books" else ("MIT", "")
        text = " ".join(rng.choice(["कमल", "राजा।", "“घर”", "नदी\n\nपर"]) for _ in range(rng.randrange(1, 9)))
        yield (
            rng.choice(["train", "test"]),
            Story(
                str(number),
                language,
                text,
                source,
                f"T{number}",
                str(number // 2),
                license,
                attribution,
                "x" * (number % 2),
            ),
        )


def test_shards_counted_apart_and_summed_in_any_order_are_the_whole():
    whole, shards = Statistics(), [Statistics() for _ in range(4)]
    for number, (split, story) in enumerate(stories()):
        whole.add(split, story)
        shards[number % 4].add(split, story)
    merged = Statistics()
    for shard in reversed(shards):
        merged.merge(Statistics.from_state(json.loads(json.dumps(shard.state()))))
    assert merged.summary() == whole.summary() and merged.ledger.rows() == whole.ledger.rows()
    assert merged.ledger.attribution_csv() == whole.ledger.attribution_csv()
    assert merged.whole("hi").words == whole.whole("hi").words
    assert sum(row["stories"] for row in whole.ledger.rows()) == 60


def test_the_ledger_by_hand():
    book = Ledger()
    for number, text in enumerate(["अब", "कखग"]):
        book.add(Story(str(number), "hi", text, "books", "शीर्षक", license="CC-BY-4.0", attribution='“शीर्षक”, "रमा"'))
    book.add(Story("7", "mr", "एक", "books", license="CC-BY-4.0", attribution="आशा", title="घर"))
    assert book.rows() == [
        {
            **{"source": "books", "license": "CC-BY-4.0", "stories": 3, "characters": 7, "languages": ["hi", "mr"]},
            **{"attribution": "", "attributions": 2, "unattributed": 0},
        }
    ]
    rows = list(csv.DictReader(io.StringIO(book.attribution_csv())))
    assert [(row["attribution"], row["stories"], row["id"], row["title"]) for row in rows] == [
        ("आशा", "1", "7", "घर"),
        ('“शीर्षक”, "रमा"', "2", "", ""),
    ]
