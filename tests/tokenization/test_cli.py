"""The commands, called as the console calls them."""

import json
import math
from pathlib import Path

import pytest

import kathalab
from corpora.folders import new_folder, read_manifest, write_manifest
from corpora.stories import Story, read_corpus, write_split

PROBE = [
    "--probe.width=32",
    "--probe.layers=1",
    "--probe.characters=4000",
    "--probe.held_out_characters=600",
    "--probe.generated=3",
    "--seeds=2",
]


def run(capsys, *arguments):
    code = kathalab.main(["tokenization", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def train(capsys, corpus, output, *more):
    return run(capsys, "train", "--corpus", corpus, "--output", output, *more)


@pytest.mark.parametrize("verb", ["train", "sweep", "prune", "compare", "report", "unpack", "publish"])
def test_help_says_what_is_read_and_written_with_an_example(capsys, verb):
    code, out, _ = run(capsys, verb, "--help")
    assert code == 0
    assert "Reads" in out and f"Example: kathalab tokenization {verb}" in out


def test_train_makes_a_folder_that_says_where_it_comes_from(capsys, corpus, tmp_path):
    output = tmp_path / "tokenizers" / "hi"
    code, out, _ = train(capsys, corpus, output, "--languages", "[hi]", "--vocabulary-size", 400)
    assert code == 0
    assert out.strip().split("\n")[-1].startswith("Made a sentencepiece-bpe tokenizer of 400 ids from 30 stories in ")
    manifest = read_manifest(output, "tokenizer")
    assert manifest["configuration"] == {
        "kind": "sentencepiece-bpe",
        "vocabulary_size": 400,
        "languages": ["hi"],
        "stories": 30,
        "characters": sum(len(story.text) for story in read_corpus(corpus, "train", ["hi"])),
        "sample": None,
        "lossless": True,
        "deterministic": True,
    }
    assert manifest["inputs"] == {"corpus": read_manifest(corpus)["fingerprint"]}
    assert manifest["licenses"] == ["CC0-1.0"]
    assert set(manifest["files"]) == {"tokenizer.json", "tokenizer_config.json", "tokenizer.model"}


def test_training_again_gives_the_same_fingerprint(capsys, corpus, tmp_path):
    for name in "ab":
        assert train(capsys, corpus, tmp_path / name, "--kind=sentencepiece-unigram", "--vocabulary_size=350")[0] == 0
    assert read_manifest(tmp_path / "a")["fingerprint"] == read_manifest(tmp_path / "b")["fingerprint"]


def test_a_sample_is_told_in_the_manifest(capsys, corpus, tmp_path):
    sample = ["--kind=characters", "--sample-characters=2000", "--seed=3"]
    assert train(capsys, corpus, tmp_path / "out", *sample)[0] == 0
    facts = read_manifest(tmp_path / "out")["configuration"]
    whole = read_corpus(corpus, "train")
    assert facts["sample"] == {
        "characters_asked": 2000,
        "seed": 3,
        "of_stories": 60,
        "of_characters": sum(len(story.text) for story in whole),
    }
    assert 1500 < facts["characters"] <= 2000 and 1 < facts["stories"] < 20
    refused(train(capsys, corpus, tmp_path / "none", "--sample-characters=9"), "no room", "more characters")


def test_sweep_makes_what_the_text_gives_says_what_not_and_goes_on(capsys, corpus, tmp_path):
    output = tmp_path / "sweep"
    command = ["sweep", "--corpus", corpus, "--kind=akshara-bpe", "--output", output]
    code, out, err = run(capsys, *command, "--sizes=[10000,400,100,300,20000]")
    assert code == 0, err
    assert out.strip() == f"Made akshara-bpe tokenizers of 300, 400 ids in {output}; not of 100, 10000, 20000."
    result = json.loads((output / "sweep.json").read_text())["akshara-bpe"]
    assert [(entry["vocabulary_size"], entry["folder"]) for entry in result["made"]] == [
        (300, "akshara-bpe-300"),
        (400, "akshara-bpe-400"),
    ]
    for entry in result["made"]:
        manifest = read_manifest(output / entry["folder"], "tokenizer")
        assert manifest["fingerprint"] == entry["fingerprint"]
        assert manifest["configuration"]["vocabulary_size"] == entry["vocabulary_size"]
    reasons = {entry["vocabulary_size"]: entry["reason"] for entry in result["not_made"]}
    assert "at least 260" in reasons[100] and "at most" in reasons[10000] and reasons[20000] == reasons[10000]

    before = {path: path.stat().st_mtime_ns for path in output.glob("*/manifest.json")}
    again = run(capsys, *command, "--sizes=[300,350,400]")
    assert "training akshara-bpe of 350" in again[2] and "of 300" not in again[2]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    record = json.loads((output / "sweep.json").read_text())
    assert [entry["vocabulary_size"] for entry in record["akshara-bpe"]["made"]] == [300, 350, 400]

    assert run(capsys, "sweep", "--corpus", corpus, "--kind=bytes", "--output", output, "--sizes=[260,300]")[0] == 0
    both = json.loads((output / "sweep.json").read_text())
    assert both["akshara-bpe"] == record["akshara-bpe"] and len(both["bytes"]["made"]) == 1
    other = run(capsys, *command, "--sizes=[300]", "--sample-characters=4000")
    assert "training akshara-bpe of 300" in other[2]
    refused(run(capsys, *command, "--sizes=[]"), "no size")


@pytest.fixture(scope="module")
def pair(corpus, tmp_path_factory):
    place = tmp_path_factory.mktemp("pair")
    for kind, size in (("characters", "null"), ("sentencepiece-bpe", "400")):
        train_command = ["train", "--corpus", corpus, "--languages", "[hi]", "--kind", kind]
        assert not kathalab.main(
            ["tokenization", *map(str, train_command), f"--vocabulary_size={size}", f"--output={place / kind}"]
        )
    return [place / "characters", place / "sentencepiece-bpe"]


@pytest.fixture(scope="module")
def compared(corpus, pair, tmp_path_factory):
    output = tmp_path_factory.mktemp("compared") / "hi"
    command = ["compare", "--corpus", corpus, "--language", "hi", f"--tokenizers=[{pair[0]},{pair[1]}]", *PROBE]
    assert kathalab.main(["tokenization", *map(str, command), f"--output={output}", "--split=validation"]) in (0, None)
    return output


def test_compare_writes_numbers_and_every_record(compared):
    result = json.loads((compared / "comparison.json").read_text())
    setup = result["setup"]
    assert (setup["reference"], setup["split"], setup["documents"]) == ("sentencepiece-bpe", "validation", 5)
    assert setup["probe"]["training_characters"] <= 4000 and setup["probe"]["seeds"] == [0, 1]
    assert [entry["name"] for entry in result["tokenizers"]] == ["characters", "sentencepiece-bpe"]
    assert [text["name"] for text in setup["texts"]][:3] == ["validation", "katha72", "validation_misspelt"]
    characters, default = result["tokenizers"]
    for entry in (characters, default):
        assert set(entry["measures"]) == set(result["definitions"])
        assert entry["measures"]["round_trip_rate"]["value"] == 1
        assert entry["probe"]["parameters"] == pytest.approx(setup["probe"]["parameters"], rel=0.01)
        assert entry["probe"]["training_characters"] == setup["probe"]["training_characters"]
        assert sum(entry["scripts"].values()) == entry["vocabulary_size"]
    assert characters["measures"]["fertility"]["value"] > default["measures"]["fertility"]["value"]
    assert default["probe"]["difference"] is None
    assert default["measures"]["boundary_f1"]["value"] is not None

    records = [json.loads(line) for line in (compared / "probe_documents.jsonl").read_text().splitlines()]
    for entry in (characters, default):
        for text, found in entry["probe"]["texts"].items():
            for seed, bits in enumerate(found["by_seed"]):
                rows = [r for r in records if (r["tokenizer"], r["seed"], r["text"]) == (entry["name"], seed, text)]
                nats, length = sum(row["nats"] for row in rows), sum(row["characters"] for row in rows)
                assert bits == pytest.approx(nats / math.log(2) / length)
            assert found["bits_per_character"]["value"] == pytest.approx(sum(found["by_seed"]) / 2)
    for text, difference in characters["probe"]["difference"].items():
        sides = [sum(entry["probe"]["texts"][text]["by_seed"]) / 2 for entry in (characters, default)]
        assert difference["value"] == pytest.approx(sides[0] - sides[1])
        assert difference["p"] == difference["p_holm"]
    stories = [json.loads(line) for line in (compared / "probe_stories.jsonl").read_text().splitlines()]
    assert len(stories) == 2 * 2 * 3
    inputs = read_manifest(compared, "comparison")["inputs"]
    assert inputs["tokenizer characters"] and inputs["corpus"]


def test_compare_writes_a_page_and_a_paper_with_one_verdict(compared):
    result = json.loads((compared / "comparison.json").read_text())
    ranking = result["ranking"]
    bits = {
        entry["name"]: entry["probe"]["texts"]["validation"]["bits_per_character"] for entry in result["tokenizers"]
    }
    assert ranking["order"] == sorted(bits, key=lambda name: bits[name]["value"])
    assert ranking["sentence"].startswith(f"For Hindi, use {ranking['best']}: ")
    for name in ("comparison.html", "comparison.md"):
        assert f"For Hindi, use {ranking['best']}" in (compared / name).read_text()


def test_comparing_again_trains_nothing_and_gives_the_same(capsys, corpus, pair, compared):
    before = json.loads((compared / "comparison.json").read_text())
    command = ["compare", "--corpus", corpus, "--language", "hi", f"--tokenizers=[{pair[0]},{pair[1]}]", *PROBE]
    code, out, err = run(capsys, *command, f"--output={compared}", "--split=validation")
    assert code == 0 and "probe 1 of" not in err
    assert out.strip().split("\n")[-1].startswith("Compared 2 tokenizers in ") and "For Hindi, use " in out
    after = json.loads((compared / "comparison.json").read_text())
    for result in (before, after):
        for entry in result["tokenizers"]:
            for speed in ("encoding_speed", "decoding_speed"):
                assert entry["measures"].pop(speed)["value"] > 0
    assert before == after


def test_report_puts_comparisons_on_one_page(capsys, compared, tmp_path):
    page = tmp_path / "all.html"
    code, out, _ = run(capsys, "report", compared, compared, f"--output={page}")
    assert code == 0 and out.strip() == f"Wrote {page} from 2 comparisons."
    assert page.read_text().count("For Hindi, use ") >= 2
    assert len(json.loads(page.with_suffix(".json").read_text())["comparisons"]) == 2
    refused(run(capsys, "report", tmp_path, f"--output={page}"), "not a finished comparison folder")


def refused(result, *words):
    code, _, err = result
    assert code in (1, 2)
    assert "Traceback" not in err
    for word in words:
        assert word in err


@pytest.fixture
def one_story(tmp_path):
    with new_folder(tmp_path / "one") as folder:
        write_split(folder, "train", [Story("a", "hi", "एक राजा था।", "hand")])
        write_manifest(folder, "corpus", {})
    return tmp_path / "one"


@pytest.fixture
def empty(tmp_path):
    with new_folder(tmp_path / "empty") as folder:
        write_manifest(folder, "corpus", {})
    return tmp_path / "empty"


def test_train_refuses_bad_input_and_leaves_nothing(capsys, corpus, one_story, empty, tmp_path):
    output = tmp_path / "out"
    refused(train(capsys, empty, output), "no train stories")
    refused(train(capsys, one_story, output), "at most", "2048")
    refused(train(capsys, corpus, output, "--vocabulary-size=50000"), "at most")
    refused(train(capsys, corpus, output, "--vocabulary-size=10"), "at least")
    refused(train(capsys, corpus, output, "--vocabulary-size=-5"), "cannot have -5 ids")
    refused(train(capsys, corpus, output, "--languages=[xx]"), "'xx'")
    refused(train(capsys, corpus, output, "--languages=[mr]"), "no train stories in mr")
    refused(train(capsys, corpus, output, "--kind=picky"), "picky")
    refused(train(capsys, tmp_path, output), "not a finished corpus folder")
    refused(train(capsys, tmp_path / "absent", output), "not a finished corpus folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "one"]


def test_one_story_is_enough_for_characters(capsys, one_story, tmp_path):
    assert train(capsys, one_story, tmp_path / "out", "--kind=characters")[0] == 0


def test_compare_refuses_bad_input(capsys, corpus, one_story, pair, tmp_path):
    def compare(place, tokenizers, *more):
        return run(
            capsys, "compare", "--corpus", place, f"--tokenizers={tokenizers}", "--output", tmp_path / "out", *more
        )

    refused(compare(tmp_path, f"[{pair[0]}]"), "not a finished corpus folder")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "own.txt").write_text("mine")
    refused(compare(corpus, f"[{pair[0]}]", f"--output={tmp_path / 'taken'}"), "not made by kathalab")
    refused(compare(one_story, f"[{pair[0]}]"), "no test stories")
    refused(compare(corpus, f"[{corpus}]"), "no tokenizer")
    refused(compare(corpus, "[]"), "no tokenizer to compare")
    refused(compare(corpus, f"[{pair[0]},{pair[0]}]"), "share a name")
    refused(compare(corpus, f"[{pair[0]}]", "--split=train"), "not trained on")
    refused(compare(corpus, f"[{pair[0]}]", "--seeds=1"), "at least 2")
    refused(compare(corpus, f"[{pair[0]}]", "--split=validation"), "bn, hi", "--language")
    refused(compare(corpus, f"[{pair[0]}]", "--language=hi", "--split=validation", "--also={x: nowhere}"), "nowhere")
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "en.txt").write_text("one\ntwo\n")
    parallel = ["--language=hi", "--split=validation", f"--parallel={{flores: {tmp_path / 'lines'}}}"]
    refused(compare(corpus, f"[{pair[0]}]", *parallel), "hi.txt")
    (tmp_path / "lines" / "hi.txt").write_text("एक\n")
    refused(compare(corpus, f"[{pair[0]}]", *parallel), "not parallel", "en 2, hi 1")
    assert not (tmp_path / "out").exists()


def test_publish_uploads_the_folder_with_a_card(capsys, corpus, pair, monkeypatch):
    sent = {}

    def upload(folder, repo, **options):
        sent.update({path.name: path.read_text() for path in Path(folder).iterdir() if path.suffix != ".model"})
        return f"https://hub/{repo}"

    monkeypatch.setattr("corpora.publishing.hub.upload", upload)
    code, out, _ = run(capsys, "publish", pair[1], "--repo=someone/katha", "--dry-run=true")
    assert code == 0 and not sent and "someone/katha" in out
    code, out, _ = run(capsys, "publish", pair[1], "--repo=someone/katha")
    assert code == 0 and "https://hub/someone/katha" in out.strip().split("\n")[-1]
    assert "sentencepiece-bpe tokenizer of 400 ids" in sent["README.md"] and "CC0-1.0" in sent["README.md"]
    assert "tokenizer.json" in sent and not (pair[1] / "README.md").exists()
    refused(run(capsys, "publish", corpus, "--repo=someone/katha"), "tokenizer folder")
