"""The source Hub against a server on 127.0.0.1, its cache when offline, and folders laid out like a data set."""

import gzip
import importlib.util
import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import kathalab
from corpora.describing.statistics import Statistics
from corpora.errors import UserError
from corpora.folders import new_folder, read_manifest, write_manifest, write_text
from corpora.katha import read_katha
from corpora.publishing.card import card
from corpora.sources.hub import PROFILES, GivenSplits, Hub
from corpora.stories import Story, read_corpus, write_split

READ = """
import json, sys
from dataclasses import asdict
from corpora.errors import UserError
from corpora.sources import Hub
for options in json.loads(sys.stdin.read()):
    try:
        if "load_dataset" in options:
            import datasets
            found = datasets.load_dataset(*options["load_dataset"])
            result = {split: list(rows) for split, rows in found.items()}
        elif "fetch" in options:
            import huggingface_hub
            result = huggingface_hub.snapshot_download(options["fetch"], repo_type="dataset")
        elif "command" in options:
            import kathalab
            result = kathalab.main(["corpora", *options["command"]])
        else:
            source = Hub(**options)
            stories = [asdict(story) for story in source]
            result = {"stories": stories, "inputs": source.inputs(), "skipped": source.skipped}
    except UserError as error:
        result = str(error)
    print("RESULT" + json.dumps(result))
"""
ROWS = {"train": [f"एक था राजा {n}।" for n in range(5)], "validation": ["रानी आई।"]}

ENGLISH = [katha.as_story().text for katha in read_katha(["en"])[:3]]


def parquet(rows):
    file = io.BytesIO()
    pq.write_table(pa.table({"story": rows, "n": list(range(len(rows)))}), file)
    return file.getvalue()


def archive(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tape:
        for name, value in files.items():
            content = json.dumps(value).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tape.addfile(member, io.BytesIO(content))
    return file.getvalue()


REPOSITORIES = {
    "katha/plain": {
        "README.md": b"---\nlicense: cc-by-4.0\n---\n# Tales\n",
        "data/train-00000-of-00001.parquet": parquet(ROWS["train"]),
        "data/validation-00000-of-00001.parquet": parquet(ROWS["validation"]),
    },
    "katha/script": {"script.py": b"raise SystemExit('run')"},
    "TinyStories-Regional/marathi-generated_4o-mini_2M": {
        "README.md": b"---\nlicense: mit\n---\n",
        "config.json": b'{"n_layer": 2}',
        "marathi.json": json.dumps([{"story": "एक राजा होता."}, {"story": "राणी आली."}]).encode(),
        "ckpt.pt": b"not for us",
    },
    "TinyStories-Regional/hindi-generated_4o-mini_2M": {
        "all.json": json.dumps([{"story": t, "ID": n} for t, n in [("एक घर।", 11), ("दो घर।", 11)]], indent=1).encode()
    },
    "TinyStories-Regional/beng-translated_deeptrans_1M": {
        "all.json": json.dumps([{"Translated Story": t} for t in ("এক রাজা।", "Once upon a time.")]).encode()
    },
    "roneneldan/TinyStories": {
        "README.md": b"---\nlicense: cdla-sharing-1.0\n---\n",
        "TinyStoriesV2-GPT4-train.txt": "\n<|endoftext|>\n".join([*ENGLISH[:2], ""]).encode(),
        "TinyStoriesV2-GPT4-valid.txt": f"{ENGLISH[2]}\n<|endoftext|>\n".encode(),
        "TinyStories_all_data.tar.gz": archive(
            {"data00.json": [{"story": "\n\nTim ran.", "instruction": {"words": ["run"]}, "source": "GPT-4"}]}
        ),
    },
}
BUILD = ["build", "--source", "Hub", "--source.profile", "tinystories-gpt4", "--source.keep_splits", "true"]
CASES = {
    "streamed": {"repo": "katha/plain", "language": "hi", "columns": {"text": "story", "group": "n"}},
    "kept": {"repo": "katha/plain", "language": "hi", "keep_splits": True, "skip": 1, "limit": 2, "attribution": "Me"},
    "one split": {"repo": "katha/plain", "language": "hi", "split": "validation", "revision": "main"},
    "marathi": {"profile": "regional-tinystories-mr"},
    "hindi": {"profile": "regional-tinystories-hi", "license": "MIT"},
    "bengali": {"profile": "regional-tinystories-translated-bn"},
    "gpt4": {"profile": "tinystories-gpt4", "keep_splits": True},
    "prompts": {"profile": "tinystories-prompts"},
    "no split": {"repo": "katha/plain", "language": "hi", "split": "dev"},
    "no config": {"repo": "katha/plain", "language": "hi", "config": "bn"},
    "no file": {"repo": "katha/plain", "language": "hi", "files": ["*.csv"]},
    "no repository": {"repo": "katha/nothing", "language": "hi"},
    "script": {"repo": "katha/script", "language": "hi"},
    "no revision": {"repo": "katha/plain", "language": "hi", "revision": "v9"},
}


def read(cases, home, **settings):
    """The results of several cases in a fresh process."""
    environment = {"HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **settings}
    done = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps(list(cases.values())),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(kathalab.__file__).parent,
    )
    results = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert len(results) == len(cases), done.stderr
    return dict(zip(cases, results, strict=True))


@pytest.fixture(scope="module")
def hub():
    path = Path(__file__).parents[1] / "tinymodels" / "hub_server.py"
    spec = importlib.util.spec_from_file_location("hub_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.running_hub() as server:
        server.repositories |= REPOSITORIES
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    statistics = Statistics()
    path = tmp_path_factory.mktemp("made") / "corpus"
    with new_folder(path) as folder:
        for split, code in [("train", "hi"), ("test", "hi"), ("train", "bn")]:
            text = {"hi": "एक कहानी।", "bn": "একটি গল্প।"}[code]
            story = Story(f"{split}-{code}", code, text, "books", license="CC-BY-4.0", attribution="“T”, रमा")
            write_split(folder, split, [story])
            statistics.add(split, story)
        write_text(folder / "README.md", card(statistics, {}, {}, 0))
        write_text(folder / "ATTRIBUTION.csv", statistics.ledger.attribution_csv())
        write_manifest(folder, "corpus", {}, ledger=statistics.ledger.rows())
    return path


@pytest.fixture(scope="module")
def online(hub, home, corpus):
    publishing = {
        "publish": {"command": ["publish", str(corpus), "--repo", "user/tales"]},
        "build": {"command": [*BUILD, "--output", str(corpus.parent / "built")]},
        "all": {"load_dataset": ["user/tales"]},
        "hi": {"load_dataset": ["user/tales", "hi"]},
        "bn": {"load_dataset": ["user/tales", "bn"]},
        "read": {"repo": "user/tales"},
        "fetched": {"fetch": "katha/plain"},
    }
    settings = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_secretSentinel", "HF_HUB_OFFLINE": "0"}
    return read(CASES | publishing, home, **settings)


@pytest.fixture(scope="module")
def offline(online, home):
    cases = {name: CASES[name] for name in ("streamed", "marathi", "gpt4", "no repository")}
    return read(cases, home, HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="1")


def test_a_data_set_is_streamed_with_its_licence_page_and_commit(online):
    found = online["streamed"]
    assert [story["text"] for story in found["stories"]] == ROWS["train"] + ROWS["validation"]
    first = found["stories"][0]
    assert (first["id"], first["group"], first["source"]) == ("plain-train-0000000", "plain/0", "plain")
    assert (first["license"], first["language"]) == ("CC-BY-4.0", "hi")
    assert first["attribution"] == "https://huggingface.co/datasets/katha/plain"
    assert found["inputs"] == {"hf://datasets/katha/plain@" + "0" * 39 + "1": "0" * 39 + "1"}


def test_splits_are_kept_and_rows_left_out_at_both_ends(online):
    stories = online["kept"]["stories"]
    assert [story["text"] for story in stories] == ROWS["train"][1:3]
    assert [story["group"] for story in stories] == ["train/plain-train-0000001", "train/plain-train-0000002"]
    assert stories[0]["attribution"] == "Me"
    assert [story["text"] for story in online["one split"]["stories"]] == ROWS["validation"]


def test_the_quirks_of_the_regional_sets(online):
    marathi = online["marathi"]["stories"]
    assert [story["text"] for story in marathi] == ["एक राजा होता.", "राणी आली."]
    assert [story["id"] for story in marathi] == [f"marathi-generated_4o-mini_2M-000000{n}" for n in (0, 1)]
    assert {(story["license"], story["generator"]) for story in marathi} == {("MIT", "gpt-4o-mini")}
    hindi = online["hindi"]["stories"]
    assert len({story["id"] for story in hindi}) == 2 and len({story["group"] for story in hindi}) == 1
    bengali = online["bengali"]
    assert [story["text"] for story in bengali["stories"]] == ["এক রাজা।"]
    assert len(bengali["skipped"]) == 1 and "row 2 of" in bengali["skipped"][0] and "Latin" in bengali["skipped"][0]


def test_tinystories_as_text_and_as_archive(online):
    stories = online["gpt4"]["stories"]
    assert [(story["text"], story["group"].split("/")[0]) for story in stories] == [
        *[(ENGLISH[0], "train"), (ENGLISH[1], "train"), (ENGLISH[2], "validation")]
    ]
    assert {story["license"] for story in stories} == {"CDLA-Sharing-1.0"}
    (story,) = online["prompts"]["stories"]
    assert (story["text"], story["generator"], story["source"]) == ("Tim ran.", "GPT-4", "TinyStories")
    assert json.loads(story["prompt"]) == {"words": ["run"]}


def test_a_corpus_is_built_from_a_profile_with_its_splits(online, corpus):
    assert online["build"] == 0
    built = corpus.parent / "built"
    assert [story.text.split()[:9] for story in read_corpus(built, "train")] == [t.split()[:9] for t in ENGLISH[:2]]
    assert [story.text.split()[:9] for story in read_corpus(built, "validation")] == [ENGLISH[2].split()[:9]]
    manifest = read_manifest(built)
    assert manifest["configuration"]["source"]["profile"] == "tinystories-gpt4"
    names = [name.split("@")[1] for name in manifest["inputs"]]
    assert names == ["0" * 39 + f"1/TinyStoriesV2-GPT4-{split}.txt" for split in ("train", "valid")]
    assert manifest["ledger"][0]["license"] == "CDLA-Sharing-1.0" and manifest["ledger"][0]["stories"] == 3


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("no split", "has no split 'dev'; choose from train, validation"),
        ("no config", "cannot be read as a data set (BuilderConfig 'bn' not found"),
        ("no file", "has no file '*.csv'; its files are: README.md, data/train-"),
        ("no repository", "the Hub shows no data set 'katha/nothing'"),
        ("no revision", "has no such revision"),
        ("script", "cannot be read as a data set (Dataset scripts are no longer supported"),
    ],
)
def test_what_is_not_there_is_one_sentence(online, case, sentence):
    assert isinstance(online[case], str) and sentence in online[case] and "\n" not in online[case]


def test_offline_the_cache_serves_the_same_commit(online, offline):
    for case in ("streamed", "marathi", "gpt4"):
        assert offline[case] == online[case]
    assert "'katha/nothing' is not in the Hub's cache" in offline["no repository"]


def test_a_folder_is_read_like_a_data_set(tmp_path):
    (tmp_path / "tales").mkdir()
    (tmp_path / "tales" / "train.jsonl").write_text('{"text": "एक घर।", "language": "Hindi"}\n', encoding="utf-8")
    (tmp_path / "tales" / "README.md").write_text("---\nlicense: mit\n---\n")
    source = Hub(str(tmp_path / "tales"))
    (story,) = source
    assert (story.text, story.language, story.license, story.attribution) == ("एक घर।", "hi", "MIT", "")
    assert set(source.inputs()) == {"README.md", "train.jsonl"}
    (tmp_path / "tales" / "script.py").write_text("raise SystemExit('run')")
    assert len(list(Hub(str(tmp_path / "tales"), files=["train.jsonl"], language="hi"))) == 1


def test_compressed_files_of_a_folder(tmp_path):
    text = "एक।\n<|endoftext|>\nदो।\n"
    (tmp_path / "a-train.txt.gz").write_bytes(gzip.compress(text.encode()))
    source = Hub(str(tmp_path), files=["*.txt.gz"], language="hi", separator="<|endoftext|>", keep_splits=True, limit=1)
    assert [(story.text, source.splits()[story.group]) for story in source] == [("एक।", "train")]
    (tmp_path / "a-train.txt.gz").write_bytes(gzip.compress(text.encode())[:-12])
    with pytest.raises(UserError, match="is damaged"):
        list(source)


def test_blocks_are_read_apart_by_other_processes(tmp_path):
    rows = ["एक घर।", "दो घर।", "only English", "तीन घर।", "चार घर।"]
    (tmp_path / "tales.json").write_text(json.dumps([{"text": text} for text in rows]))
    source = Hub(str(tmp_path), files=["*.json"], language="hi", on_bad="skip")
    whole, left_out = list(source), source.skipped
    blocks = pickle.loads(pickle.dumps(list(source.blocks(2))))
    read = [pickle.loads(pickle.dumps(source)).read_block(block) for block in reversed(blocks)][::-1]
    assert [story for stories, _ in read for story in stories] == whole and len(blocks) == 3
    assert [sentence for _, sentences in read for sentence in sentences] == left_out and len(left_out) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no data set is given"),
        ({"profile": "nothing"}, "there is no profile 'nothing'; choose from tinystories"),
        ({"repo": "no-such-folder"}, "there is no folder 'no-such-folder'"),
        ({"repo": "a/b", "limit": -1}, "give 0 or more"),
        ({"repo": "a/b", "columns": {"body": "x"}}, "a story has no field 'body'"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        list(Hub(**options))


def test_profiles_are_options_of_the_source_and_named_in_its_help():
    import inspect

    parameters = set(inspect.signature(Hub).parameters)
    for name, profile in yaml.safe_load(PROFILES.read_text()).items():
        assert set(profile) <= parameters and Hub(profile=name).repo == profile["repo"]
    assert GivenSplits()["validation/x/train"] == "validation"


def test_what_is_published_loads_by_language_and_split(hub, online):
    found = online
    assert found["publish"] == 0
    assert {split: [row["id"] for row in rows] for split, rows in found["hi"].items()} == {
        "train": ["train-hi"],
        "test": ["test-hi"],
    }
    assert {split: [row["text"] for row in rows] for split, rows in found["bn"].items()} == {"train": ["একটি গল্প।"]}
    assert {split: len(rows) for split, rows in found["all"].items()} == {"train": 2, "test": 1}
    assert {story["id"] for story in found["read"]["stories"]} == {"train-hi", "test-hi", "train-bn"}
    assert {story["license"] for story in found["read"]["stories"]} == {"CC-BY-4.0"}
    assert "ATTRIBUTION.csv" in hub.repositories["user/tales"]
