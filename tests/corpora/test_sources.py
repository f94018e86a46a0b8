"""Sources: what they read from files as people write them, and how they refuse what cannot be right."""

import bz2
import csv
import gzip
import io
import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.errors import UserError
from corpora.sources import CSV, JSON, JSONLines, Markdown, Parquet, Text
from corpora.sources.base import read_utf8
from corpora.sources.markdown import parse
from corpora.sources.rows import parquet_rows, text_rows

STORY = """# वह हँस दिया

##
हिरण का बच्चा दौड़ रहा था।

##

##
वह **नाला** कूद गया।
फिर रुका।

माँ *हँस* दीं।

##
* License: [CC-BY]
* Text: Sanjiv Jaiswal 'Sanjay'
* Illustration: Ajit Narayan
* Translation: Team: Pratham
* Language: hi
"""


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder)


def test_markdown_story_has_title_paragraphs_credits_and_group(tmp_path):
    path = write(tmp_path / "books", {"hi/0002_slug.md": STORY})
    (story,) = Markdown(path, attribution="Pratham Books")
    assert story.title == "वह हँस दिया"
    assert story.text == "हिरण का बच्चा दौड़ रहा था।\n\nवह नाला कूद गया।\nफिर रुका।\n\nमाँ हँस दीं।"
    assert (story.id, story.group, story.source) == ("books-0002-hi", "books-0002", "books")
    assert (story.language, story.license, story.generator) == ("hi", "CC-BY-4.0", "")
    assert story.attribution == (
        "“वह हँस दिया”; text: Sanjiv Jaiswal 'Sanjay'; illustrations: Ajit Narayan; translation: Team: Pratham "
        "(Pratham Books)"
    )


def test_the_number_ties_the_languages_together_and_files_come_in_order(tmp_path):
    english = STORY.replace("Language: hi", "Language: en").replace(
        "हिरण", "deer and fawn and friends were all running here"
    )
    path = write(tmp_path, {"hi/0002_b.md": STORY, "hi/0001_a.md": STORY, "en/0002_c.md": english})
    assert [(s.group[-4:], s.language) for s in Markdown(path, ["hi"])] == [("0001", "hi"), ("0002", "hi")]
    path = write(tmp_path / "x", {"0002_en.md": "# A\n\n##\nOnce.\n\n##\n* Language: en\n", "0002_hi.md": STORY})
    assert {s.group for s in Markdown(path, name="n")} == {"n-0002"}


def test_language_is_the_footers_or_else_the_folders(tmp_path):
    path = write(
        tmp_path, {"mr/a.md": "# बनी\n\n##\nबनी आली.\n", "mr/b.md": "# Bani\n\n##\nBani came.\n\n* Language: en\n"}
    )
    assert [story.language for story in Markdown(path, license="CC0-1.0")] == ["mr", "en"]
    assert [story.license for story in Markdown(path, license="CC0-1.0")] == ["CC0-1.0", "CC0-1.0"]
    with pytest.raises(UserError, match="does not say its language"):
        list(Markdown(write(tmp_path / "other", {"c.md": "# बनी\n\nबनी आली."})))


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# T\n\n##\n### Before\nOne.\n\n##\n### After ###\nTwo.", ["Before\nOne.", "After\nTwo."]),
        ("# T\n##\n![p](a.png)\n\nOne [two](http://x.y) three\\*.", ["One two three*."]),
        ("# T\n##\nsix times* is\n\n*(4+4 = 8)\n\n* Eyes\n* Hands", ["six times* is", "*(4+4 = 8)", "* Eyes\n* Hands"]),
        (
            "# T\n##\nOne.\n\n* * *\n\nTwo.\r\n\r\nThree __and__ snake_case_word.",
            ["One.", "Two.", "Three and snake_case_word."],
        ),
        ("# T\n##\nT (Hindi)\n\n##\nT is here.", ["T is here."]),
        ("# T\n##\nT\n\nT!", ["T!"]),
        ("One without a title.\n\n##\nTwo.", ["One without a title.", "Two."]),
    ],
)
def test_markdown_becomes_plain_paragraphs(markdown, expected):
    assert parse(markdown)[1] == expected


def test_credits_are_found_without_a_page_break_and_a_list_is_no_credit():
    assert parse("# T\n\nText.\n\n* License: [CC-BY]\n* Language: hi\n\n")[2] == {
        "license": "[CC-BY]",
        "language": "hi",
    }
    assert parse("# T\n\nBuy:\n\n* Salt: 1 spoon\n* Rice: 2 cups")[1:] == (
        ["Buy:", "* Salt: 1 spoon\n* Rice: 2 cups"],
        {},
    )


def test_a_picture_book_without_words_is_reported_not_refused(tmp_path):
    path = write(
        tmp_path, {"hi/1_a.md": "# चित्र\n\n##\n\n##\n* License: [CC-BY]\n* Language: hi\n", "hi/2_b.md": STORY}
    )
    source = Markdown(path)
    assert len(list(source)) == 1
    assert len(source.skipped) == 1 and "without words" in source.skipped[0]


def test_text_one_story_a_file_or_parted_by_a_line(tmp_path):
    path = write(
        tmp_path / "tales", {"hi/a.txt": "एक था राजा।\n", "mr/a.txt": "एक राजा होता.", "mr/b.txt": "\ufeffमाझे घर."}
    )
    stories = list(Text(path, ["hi", "mr"], license="CC0-1.0", attribution="X"))
    assert [(s.id, s.group, s.text) for s in stories] == [
        ("tales/a-hi", "tales/a", "एक था राजा।"),
        ("tales/a-mr", "tales/a", "एक राजा होता."),
        ("tales/b-mr", "tales/b", "माझे घर."),
    ]
    assert {(s.license, s.attribution) for s in stories} == {("CC0-1.0", "X")}
    one = write(tmp_path, {"all.txt": "एक।\n\nदो।\n<|endoftext|>\n\n<|endoftext|>\nतीन।"}) + "/all.txt"
    assert [s.text for s in Text(one, ["hi"], separator="<|endoftext|>")] == ["एक।\n\nदो।", "तीन।"]


def test_json_lines_with_mapped_columns(tmp_path):
    rows = [{"Translated Story": " एक था राजा। ", "n": 7}, {"Translated Story": "दूसरी कहानी।", "n": 8}]
    path = write(tmp_path, {"set.jsonl": "\n".join(json.dumps(row) for row in rows)}) + "/set.jsonl"
    assert [s.text for s in JSONLines(path, "hi")] == ["एक था राजा।", "दूसरी कहानी।"]
    mapped = list(JSONLines(path, "hi", {"id": "n", "text": "Translated Story"}, name="set", license="MIT"))
    assert [(s.id, s.group, s.source, s.license) for s in mapped] == [
        ("7", "7", "set", "MIT"),
        ("8", "8", "set", "MIT"),
    ]
    with pytest.raises(UserError, match="does not say its language"):
        list(JSONLines(path))
    with pytest.raises(UserError, match="has no column 'body', only 'Translated Story', 'n'"):
        list(JSONLines(path, "hi", {"text": "body"}))


def test_compressed_files_give_what_plain_ones_give(tmp_path):
    stories = "एक।\n<|endoftext|>\nदो।\n"
    rows = "".join(json.dumps({"text": text}) + "\n" for text in ("एक।", "दो।"))
    for suffix, packed in {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstd}.items():
        for kind, content in {"txt": stories, "jsonl": rows, "csv": "text\nएक।\nदो।\n"}.items():
            (tmp_path / f"tales.{kind}{suffix}").write_bytes(packed(content.encode()))
        found = [
            [story.text for story in source]
            for source in (
                Text(str(tmp_path / f"tales.txt{suffix}"), ["hi"], separator="<|endoftext|>"),
                JSONLines(str(tmp_path / f"tales.jsonl{suffix}"), "hi"),
                CSV(str(tmp_path / f"tales.csv{suffix}"), "hi"),
            )
        ]
        assert found == [["एक।", "दो।"]] * 3
    assert [story.id for story in JSONLines(str(tmp_path), "hi", name="x")][:3] == [
        *["x/tales-000000", "x/tales-000001", "x/tales-000000"]
    ]


def zstd(content):
    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        stream.write(content)
    return buffer.getvalue().to_pybytes()


def test_a_json_array_is_read_in_pieces_wherever_they_end(tmp_path, monkeypatch):
    rows = [{"story": f"कहानी “{n}” [, ] }} है।", "ID": n} for n in range(40)]
    for indent in (None, 1):
        path = tmp_path / f"set-{indent}.json"
        path.write_text(" \n" + json.dumps(rows, ensure_ascii=indent is None, indent=indent), encoding="utf-8")
        for chunk in (7, 64, 1 << 20):
            monkeypatch.setattr("corpora.sources.rows.CHUNK", chunk)
            stories = list(JSON(str(path), "hi", {"text": "story", "group": "ID"}, name="set"))
            assert [story.text for story in stories] == [row["story"] for row in rows]
            assert stories[3].group == "set/3" and stories[3].id == "set-000003"


@pytest.mark.parametrize(
    ("content", "good", "message"),
    [
        ('[{"text": "एक।"}, [2], {"text": "दो।"}]', 2, "element 2 of .* is not a JSON object"),
        ('[{"text": "एक।"}, {"text": ', 1, "element 2 of .* is not valid JSON"),
        ('[{"text": "एक।"}', 1, "element 2 of .* is not valid JSON"),
        ('[{"text": "एक।"} x {"text": "दो।"}]', 1, "element 2 of .* is not valid JSON"),
    ],
)
def test_a_broken_array_gives_what_stands_before(tmp_path, content, good, message):
    path = write(tmp_path, {"a.json": content})
    source = JSON(path, "hi", on_bad="skip")
    assert len(list(source)) == good and len(source.skipped) == 1
    with pytest.raises(UserError, match=message):
        list(JSON(path, "hi"))
    assert list(JSON(write(tmp_path / "empty", {"a.json": "[ ]"}), "hi")) == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_with_whatever_separator_quotes_and_lines_within(tmp_path, delimiter):
    rows = [["n", "Story", "title"], ["1", 'एक, "दो"\n\nतीन; | \tचार।', "क"], ["2", "पाँच।", ""]]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    path = write(tmp_path, {"tales.csv": b"\xef\xbb\xbf" + file.getvalue().encode()})
    stories = list(CSV(path, "hi", {"text": "Story", "id": "n"}, license="cc by 4.0"))
    assert [(s.id, s.title, s.license) for s in stories] == [("1", "क", "CC-BY-4.0"), ("2", "", "CC-BY-4.0")]
    assert stories[0].text.replace("\r", "") == rows[1][1]


def test_utf16_with_its_mark_is_read(tmp_path):
    for encoding in ("utf-16-le", "utf-16-be"):
        text = "\ufefftext,title\nएक घर।,क\n"
        path = write(tmp_path / encoding, {"a.csv": text.encode(encoding), "a.txt": "\ufeffएक।".encode(encoding)})
        assert [(story.text, story.title) for story in CSV(path, "hi")] == [("एक घर।", "क")]
        assert [story.text for story in Text(path, ["hi"])] == ["एक।"]
        assert read_utf8(tmp_path / encoding / "a.txt") == "एक।"


def test_rows_with_their_own_language_licence_and_model(tmp_path):
    rows = [
        {"text": "एक।", "language": "hin_Deva", "license": "CC BY-SA 3.0", "generator": "g"},
        {"text": "एक.", "language": "Marathi", "license": None, "source": "web"},
    ]
    path = write(tmp_path, {"a.jsonl": "\n".join(json.dumps(row) for row in rows)})
    stories = list(JSONLines(path, license="MIT", generator="m", columns={"source": ""}, name="set"))
    assert [(s.language, s.license, s.generator, s.source) for s in stories] == [
        ("hi", "CC-BY-SA-3.0", "g", "set"),
        ("mr", "MIT", "m", "set"),
    ]


def test_a_large_file_is_not_held_in_memory(tmp_path):
    story = "एक था राजा। " * 400
    with gzip.open(tmp_path / "a.txt.gz", "wt", compresslevel=1) as file:
        for _ in range(4000):
            file.write(story + "\n<|endoftext|>\n")
    table = pa.table({"text": [f"{number} {story}" for number in range(2000)]})
    options = {"compression": "none", "use_dictionary": False}
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=100, **options)
    del table
    before = pa.total_allocated_bytes()
    assert max(pa.total_allocated_bytes() - before for _ in parquet_rows(tmp_path / "a.parquet")) < 10e6
    tracemalloc.start()
    assert sum(1 for _ in text_rows(tmp_path / "a.txt.gz", "<|endoftext|>")) == 4000
    assert sum(1 for _ in parquet_rows(tmp_path / "a.parquet")) == 2000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6  # the file holds 50 MB


def test_parquet_of_others_and_our_own_shards(tmp_path):
    pq.write_table(pa.table({"story": ["একটি গল্প।", "আর একটি।"]}), tmp_path / "a.parquet")
    stories = list(Parquet(str(tmp_path), "bn", name="set"))
    assert [(s.id, s.language, s.text) for s in stories] == [
        ("set/a-000000", "bn", "একটি গল্প।"),
        ("set/a-000001", "bn", "আর একটি।"),
    ]
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(UserError, match="is not a Parquet file"):
        list(Parquet(str(tmp_path), "bn"))


BAD = {
    "not UTF-8": (
        lambda p: Text(write(p, {"hi/a.txt": b"abc\xff\n"}), ["hi"]),
        r"a\.txt' is not valid UTF-8 \(line 1, byte 3 is 0xff",
    ),
    "not UTF-8 in rows": (
        lambda p: JSONLines(write(p, {"a.jsonl": b'{"text": "x"}\n{"text": "\xe0\xa4"}\n'}), "en"),
        r"line 2, byte 24 is 0xe0",
    ),
    "wrong script": (
        lambda p: Markdown(write(p, {"hi/1_a.md": STORY.replace("हिरण का बच्चा", "হরিণ " * 40)})),
        r"hi/1_a\.md' is written in Bengali script, but Hindi \(hi\) in Devanagari",
    ),
    "wrong script in rows": (
        lambda p: JSONLines(write(p, {"a.jsonl": '{"text": "Once upon a time"}'}), "mr"),
        r"row 1 of .*a\.jsonl' is written in Latin script, but Marathi \(mr\) in Devanagari",
    ),
    "no letters": (lambda p: JSONLines(write(p, {"a.jsonl": '{"text": "123 !"}'}), "hi"), "holds no text"),
    "too many fields": (lambda p: CSV(write(p, {"a.csv": "text,n\nx,1,2\n"}), "en"), "line 2 of .* has 3 fields, but"),
    "open quotes": (lambda p: CSV(write(p, {"a.csv": 'text,n\n"x,1\n'}), "en"), "line 2 of .* has 1 fields, but the f"),
    "no header": (lambda p: CSV(write(p, {"a.csv": "\n"}), "en"), "has no first line with the names of its columns"),
    "cut archive": (lambda p: JSONLines(write(p, {"a.jsonl.gz": gzip.compress(b"{}" * 99)[:-9]}), "en"), "is damaged"),
    "no archive": (lambda p: Text(write(p, {"a.txt.zst": b"text"}), ["en"]), "is damaged"),
    "unknown licence": (
        lambda p: JSONLines(write(p, {"a.jsonl": '{"text": "x", "license": "mine"}'}), "en"),
        "licence 'mine' is not known",
    ),
    "null text": (lambda p: JSONLines(write(p, {"a.jsonl": '{"text": null}'}), "hi"), "has no text in column 'text'"),
    "not JSON": (lambda p: JSONLines(write(p, {"a.jsonl": "{text}"}), "hi"), r"line 1 of .* is not valid JSON"),
    "no object": (lambda p: JSONLines(write(p, {"a.jsonl": "[1]"}), "hi"), "is not a JSON object"),
    "empty file": (lambda p: Text(write(p, {"hi/a.txt": " \n"}), ["hi"]), "holds no text"),
    "empty Markdown": (lambda p: Markdown(write(p, {"hi/a.md": ""})), "holds no text"),
    "unknown language": (
        lambda p: JSONLines(write(p, {"a.jsonl": '{"text": "x", "language": "xx"}'})),
        "'xx' is not known",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_stops_with_one_sentence(tmp_path, case):
    make, message = BAD[case]
    with pytest.raises(UserError, match=message) as caught:
        list(make(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", BAD)
def test_bad_input_can_be_skipped_and_is_remembered(tmp_path, case):
    source = BAD[case][0](tmp_path)
    source.on_bad = "skip"
    stories = list(source)
    assert len(stories) == (1 if case == "not UTF-8 in rows" else 0)
    assert len(source.skipped) == 1


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(UserError, match="there is no file or folder .*nowhere"):
        list(Markdown(str(tmp_path / "nowhere")))
    with pytest.raises(UserError, match=r"holds no \.md files"):
        list(Markdown(str(tmp_path)))
    with pytest.raises(UserError, match="holds no story in mr"):
        list(Markdown(write(tmp_path, {"hi/1_a.md": STORY}), ["mr"]))
    with pytest.raises(UserError, match="has no field 'body'"):
        JSONLines("x", "hi", {"body": "text"})


def test_inputs_are_the_files_read(tmp_path):
    path = write(tmp_path, {"hi/1_a.md": STORY, "mr/2_b.md": STORY, ".git/3_c.md": STORY})
    assert list(Markdown(path, ["hi"]).inputs()) == ["hi/1_a.md"]
    assert len(Markdown(path).inputs()["hi/1_a.md"]) == 64
