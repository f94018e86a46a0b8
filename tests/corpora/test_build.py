"""`kathalab corpora …`: what a build writes, that it repeats, and that bad input leaves finished work as it was."""

import builtins
import errno
import json
import os
import random
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml

import kathalab
from corpora.building.build import build_corpus
from corpora.errors import UserError
from corpora.folders import read_manifest
from corpora.sources import Markdown, Source
from corpora.stories import SCHEMA, SPLITS, read_corpus

SYLLABLES = {"hi": "कखगचजतदनपबमरलसह", "mr": "कखगचजतदनपबमरळसह", "bn": "কখগচজতদনপবমরলসহ"}
SIGNS = {"hi": "ािीुे", "mr": "ािीुे", "bn": "ািীুে"}


UNFILTERED = ["--cleaning.filters", "null"]
"""The made-up words are no language."""


def text(language, seed, words=40):
    rng = random.Random(f"{language}{seed}")
    word = lambda: "".join(rng.choice(SYLLABLES[language]) + rng.choice(SIGNS[language]) for _ in range(3))  # noqa: E731
    return " ".join(word() for _ in range(words)) + ("." if language == "mr" else " |")


@pytest.fixture
def books(tmp_path):
    """Twelve stories in three languages; the Hindi of 3 repeats that of 2."""
    folder = tmp_path / "books"
    for language in SYLLABLES:
        for number in range(1, 13):
            seed = 2 if (language, number) == ("hi", 3) else number
            path = folder / language / f"{number:04d}_slug.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                f"# {text(language, -number, 2)}\n\n##\n{text(language, seed)}\n\n##\n"
                f"* License: [CC-BY]\n* Text: Author {number}\n* Language: {language}\n",
                encoding="utf-8",
            )
    return folder


def build(source, output, *options):
    arguments = ["corpora", "build", "--source", "Markdown", "--source.path", str(source), "--output", str(output)]
    return kathalab.main([*arguments, *UNFILTERED, *options])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_build_writes_a_corpus_with_card_counts_and_manifest(books, tmp_path, capsys):
    output = tmp_path / "corpus"
    assert build(books, output, "--source.attribution", "Publisher") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"A corpus of 35 stories in hi, mr, bn is in {output}."

    stories = {split: read_corpus(output, split) for split in SPLITS}
    everything = [story for part in stories.values() for story in part]
    assert len(everything) == 35
    assert all(not ("|" in story.text or " ।" in story.text) for story in everything)
    assert pq.read_schema(output / "train-bn-00000-of-00001.parquet").equals(SCHEMA)
    sides = [{story.group for story in part} for part in stories.values()]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    # the copy tied 2 and 3 together in every language
    assert {s.group for s in everything if s.id[6:10] in ("0002", "0003")} == {"books-0002"}

    manifest = read_manifest(output, "corpus")
    assert manifest["stories_read"] == 36 and manifest["licenses"] == ["CC-BY-4.0"] and len(manifest["inputs"]) == 36
    assert manifest["removed"] == [
        {"id": "books-0003-hi", "kept": "books-0002-hi", "reason": "exact", "similarity": 1.0}
    ]
    assert manifest["configuration"]["source"]["class"] == "Markdown"
    assert manifest["cleaning"]["bn"] == {"space before punctuation": 12, "vertical bar": 12}
    assert manifest["cleaning"]["mr"] == {}
    statistics = json.loads((output / "statistics.json").read_text())
    train = [story for story in stories["train"] if story.language == "hi"]
    assert statistics["hi"]["train"]["stories"] == len(train)
    assert statistics["hi"]["train"]["characters"] == sum(len(story.text) for story in train)
    assert statistics["hi"]["train"]["words"] == 40 * len(train)
    assert statistics["hi"]["train"]["aksharas"] == len(train) * (40 * 3 + 39 + 1)

    front, body = (output / "README.md").read_text().split("---\n", 2)[1:]
    metadata = yaml.safe_load(front)
    assert metadata["language"] == ["hi", "mr", "bn"] and metadata["license"] == ["cc-by-4.0"]
    assert [config["config_name"] for config in metadata["configs"]] == ["default", "hi", "mr", "bn"]
    assert body.count("text: Author ") == 35 and body.count("(Publisher)") == 35
    assert f"| hi | train | {len(train)} |" in body


def test_datasets_opens_the_folder_offline(books, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets")
    output = tmp_path / "corpus"
    assert build(books, output) == 0
    everything = datasets.load_dataset(str(output), cache_dir=str(tmp_path / "cache"))
    assert sum(part.num_rows for part in everything.values()) == 35 and set(everything) == set(SPLITS)
    hindi = datasets.load_dataset(str(output), "hi", cache_dir=str(tmp_path / "cache"))
    assert set(hindi["train"]["language"]) == {"hi"}
    assert sorted(s.text for s in read_corpus(output, "test", ["hi"])) == sorted(hindi["test"]["text"])


def test_same_input_same_bytes_other_seed_other_split(books, tmp_path):
    assert build(books, tmp_path / "one") == build(books, tmp_path / "two") == 0
    assert build(books, tmp_path / "three", "--seed", "1") == 0
    fingerprints = [read_manifest(tmp_path / name)["fingerprint"] for name in ("one", "two", "three")]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def test_configuration_file_and_options_that_switch_steps_off(books, tmp_path):
    config = tmp_path / "build.yaml"
    options = {"source": {"class_path": "Markdown", "init_args": {"path": str(books), "languages": ["hi"]}}}
    config.write_text(yaml.safe_dump({**options, "output": str(tmp_path / "raw"), "normalize": False}))
    assert kathalab.main(["corpora", "build", "--config", str(config), "--deduplicate", "false", *UNFILTERED]) == 0
    stories = [story for split in SPLITS for story in read_corpus(tmp_path / "raw", split)]
    assert len(stories) == 12 and all(story.text.endswith(" |") for story in stories)
    assert {story.group for story in stories} == {f"books-{number:04d}" for number in range(1, 13)}


def test_a_corpus_can_be_built_from_a_corpus(books, tmp_path):
    assert build(books, tmp_path / "one", "--source.languages", "[hi]") == 0
    again = ["corpora", "build", "--source", "Parquet", "--source.path", str(tmp_path / "one")]
    assert kathalab.main([*again, *UNFILTERED, "--output", str(tmp_path / "two")]) == 0
    for split in SPLITS:
        assert read_corpus(tmp_path / "one", split) == read_corpus(tmp_path / "two", split)


def test_generator_is_a_source(tmp_path):
    arguments = ["corpora", "build", "--source", "Generator", "--source.languages", "[en]", "--source.stories", "20"]
    assert kathalab.main([*arguments, "--output", str(tmp_path / "corpus")]) == 0
    assert sum(len(read_corpus(tmp_path / "corpus", split, ["en"])) for split in SPLITS) == 20


def test_stories_written_from_one_prompt_stay_together(tmp_path):
    rows = [{"id": f"{n}", "text": text("hi", n), "prompt": f"विषय {n % 20}" if n < 60 else ""} for n in range(90)]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    build = ["corpora", "build", "--source", "JSONLines", "--source.path", str(tmp_path / "rows.jsonl")]
    build += [*UNFILTERED, "--source.language", "hi", "--split.validation", "0.2", "--split.test", "0.2", "--output"]
    assert kathalab.main([*build, str(tmp_path / "corpus")]) == 0
    assert kathalab.main([*build, str(tmp_path / "apart"), "--split.by_prompt", "false"]) == 0
    groups, sides = {}, {}
    for split in SPLITS:
        for story in read_corpus(tmp_path / "corpus", split):
            groups.setdefault(story.prompt or story.id, set()).add((split, story.group))
        for story in read_corpus(tmp_path / "apart", split):
            sides.setdefault(story.prompt, set()).add(split)
    assert all(len(places) == 1 for places in groups.values()) and groups["विषय 7"].pop()[1] == "7"
    assert any(len(places) > 1 for prompt, places in sides.items() if prompt)


def test_what_cleaning_rejects_and_changes_is_told(tmp_path, capsys):
    from corpora.cleaning.cleaner import restore_story
    from corpora.sources import Generator

    told = [story.text for story in Generator(["hi"], 20)]
    rows = [{"id": f"{n}", "text": story.replace("।", " |")} for n, story in enumerate(told)]
    rows[7]["text"] = text("bn", 7)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    build = ["corpora", "build", "--source", "JSONLines", "--source.path", str(path), "--source.language", "hi"]
    build += ["--source.on_bad", "skip", "--changes", "true", "--output"]
    rows[8]["text"] = text("hi", 8)
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert kathalab.main([*build, str(tmp_path / "corpus")]) == 0
    manifest = read_manifest(tmp_path / "corpus")
    assert manifest["skipped"] and manifest["stories_read"] == 19 and sum(manifest["rejected"]["hi"].values()) == 1
    assert [example["id"] for example in manifest["rejected_examples"]["hi"]] == ["8"]
    stories = {story.id: story for split in SPLITS for story in read_corpus(tmp_path / "corpus", split)}
    changes = map(json.loads, (tmp_path / "corpus" / "changes.jsonl").read_text().splitlines())
    restored = {change["id"]: restore_story(stories[change["id"]], change).text for change in changes}
    assert restored == {row["id"]: row["text"].strip() for row in rows if row["id"] not in ("7", "8")}

    path.write_text(json.dumps(rows[8]))
    assert kathalab.main([*build, str(tmp_path / "none")]) == 1
    assert "cleaning rejected all 1 stories (1 for" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [[], ["build"], ["describe"], ["leaks"], ["publish"]])
def test_help_says_what_is_read_and_written_with_an_example(verb, capsys):
    assert kathalab.main(["corpora", *verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert not verb or ("Reads " in out and f"kathalab corpora {verb[0]}" in out.split("Example:")[1])
    if verb == ["build"]:
        for name in ("Generator", "Markdown", "Text", "JSONLines", "Parquet"):
            assert f"corpora.sources.{name}" in out


def no_stories(books):
    for path in books.rglob("*.md"):
        path.unlink()
    return [r"holds no .md files"]


def one_story(books):
    for path in books.rglob("*.md"):
        if path.name != "0001_slug.md" or path.parent.name != "hi":
            path.unlink()
    return ["only 1 group of stories", "at least 3"]


def invalid_utf8(books):
    path = books / "hi" / "0004_slug.md"
    path.write_bytes(b"# A\xff\n" + path.read_bytes())
    return ["0004_slug.md", "not valid UTF-8", "byte 3 is 0xff"]


def wrong_script(books):
    (books / "hi" / "0005_slug.md").write_text((books / "bn" / "0005_slug.md").read_text().replace(": bn", ": hi"))
    return ["hi/0005_slug.md", "Bengali script", "Hindi"]


def same_id(books):
    (books / "hi" / "0005_again.md").write_text((books / "hi" / "0006_slug.md").read_text())
    return ["two stories have the id 'books-0005-hi'"]


def unknown_licence(books):
    path = books / "hi" / "0004_slug.md"
    path.write_text(path.read_text().replace("[CC-BY]", "[Ask us]"))
    return ["licence '[Ask us]' is not known"]


@pytest.mark.parametrize("spoil", [no_stories, one_story, invalid_utf8, wrong_script, same_id, unknown_licence])
def test_bad_input_gives_one_sentence_and_leaves_the_finished_corpus(books, tmp_path, capsys, spoil):
    output = tmp_path / "corpus"
    assert build(books, output) == 0
    before = contents(output)
    capsys.readouterr()
    expected = spoil(books)
    assert build(books, output) == 1
    error = capsys.readouterr().err
    assert error.startswith("kathalab: error: ") and error.count("\n") == 1
    assert all(part in error for part in expected)
    assert contents(output) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["books", "corpus"]


def test_skipped_files_are_reported(books, tmp_path, capsys):
    invalid_utf8(books)
    wrong_script(books)
    assert build(books, tmp_path / "corpus", "--source.on_bad", "skip") == 0
    assert "(2 files or rows left out, see manifest.json)" in capsys.readouterr().out
    skipped = read_manifest(tmp_path / "corpus")["skipped"]
    assert len(skipped) == 2 and "0004_slug.md" in skipped[0] and "Bengali script" in skipped[1]
    assert "2 files or rows were left out" in (tmp_path / "corpus" / "README.md").read_text()


def interrupted(monkeypatch):
    read = Markdown.stories

    def stories(self, item):
        if item.name.startswith("0007"):
            raise KeyboardInterrupt
        return read(self, item)

    monkeypatch.setattr(Markdown, "stories", stories)


def full_disk(monkeypatch):
    def write_table(table, path, **_):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(pq, "write_table", write_table)


def full_disk_at_the_end(monkeypatch):
    def fsync(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)


def unreadable_file(monkeypatch):
    real = builtins.open

    def open_(file, *args, **kwargs):
        if str(file).endswith("0007_slug.md"):
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr("io.open", open_)
    monkeypatch.setattr("pathlib.io.open", open_)


def unreadable_folder(monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("mr"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize(
    ("accident", "code", "sentence"),
    [
        (interrupted, 130, "stopped by Ctrl-C"),
        (full_disk, 1, "no space is left on the disk"),
        (full_disk_at_the_end, 1, "no space is left on the disk"),
        (unreadable_file, 1, "no permission to read or write at .*0007_slug.md"),
        (unreadable_folder, 1, "no permission to read or write at .*mr"),
    ],
)
def test_accidents_leave_the_finished_corpus_and_nothing_half_made(
    books, tmp_path, capsys, monkeypatch, accident, code, sentence
):
    output = tmp_path / "corpus"
    assert build(books, output) == 0
    before = contents(output)
    capsys.readouterr()
    with monkeypatch.context() as patch:
        accident(patch)
        assert build(books, output, "--seed", "5") == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(sentence, error)
    assert contents(output) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["books", "corpus"]


def test_what_kathalab_did_not_make_is_not_replaced(books, tmp_path, capsys):
    assert build(books, books) == 1
    assert "was not made by kathalab" in capsys.readouterr().err
    assert len(list(books.rglob("*.md"))) == 36


def test_describe_and_publish_refuse_what_is_no_corpus(tmp_path, capsys):
    for arguments in (["describe", str(tmp_path)], ["publish", str(tmp_path), "--repo", "a/b"]):
        assert kathalab.main(["corpora", *arguments]) == 1
        assert "is not a finished corpus folder" in capsys.readouterr().err


def test_wrong_options_are_usage_errors(books, tmp_path, capsys):
    assert build(books, tmp_path / "c", "--duplicates.remove", "0.2") == 1
    assert "0 < relate ≤ remove" in capsys.readouterr().err
    assert build(books, tmp_path / "c", "--source.languages", "[xx]") == 1
    assert "'xx' is not known" in capsys.readouterr().err
    assert build(books, tmp_path / "c", "--seed", "many") == 2
    assert kathalab.main(["corpora", "build"]) == 2
    assert kathalab.main(["corpora", "bild"]) == 2
    assert not (tmp_path / "c").exists()


def test_help_needs_no_heavy_imports():
    code = (
        "import sys, kathalab; kathalab.main(['corpora', 'build', '--help']); "
        "sys.exit(len({'torch', 'transformers', 'datasets', 'lightning'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_source_that_gives_no_story_is_one_sentence(tmp_path):
    class Silent(Source):
        def __iter__(self):
            return iter(())

    with pytest.raises(UserError, match="the source gave no stories"):
        build_corpus(Silent(), tmp_path / "corpus")
    assert not list(tmp_path.iterdir())
