"""Folders and files that are whole or absent."""

import hashlib
import json
import os

import pytest

from corpora.errors import UserError
from corpora.folders import (
    cut_torn_line,
    fingerprint,
    new_folder,
    read_json,
    read_manifest,
    sha256,
    write_json,
    write_manifest,
    write_text,
)


def make(path, text="one", kind="corpus"):
    with new_folder(path) as folder:
        write_text(folder / "sub" / "a.txt", text)
        write_manifest(folder, kind, {"n": 1}, {"in.md": "00"}, ["CC0-1.0"], extra=[1])
    return path


def test_a_finished_folder_has_its_files_and_manifest(tmp_path):
    path = make(tmp_path / "deep" / "corpus")
    assert (path / "sub" / "a.txt").read_text() == "one"
    manifest = read_manifest(path, "corpus")
    assert manifest["files"] == {"sub/a.txt": hashlib.sha256(b"one").hexdigest()}
    assert (manifest["configuration"], manifest["inputs"], manifest["licenses"]) == (
        {"n": 1},
        {"in.md": "00"},
        ["CC0-1.0"],
    )
    assert manifest["extra"] == [1] and "python" in manifest["versions"]
    assert [entry.name for entry in path.parent.iterdir()] == ["corpus"]
    assert os.stat(path).st_mode & 0o777 == 0o755


def test_equal_content_has_an_equal_fingerprint(tmp_path):
    one, two, other = make(tmp_path / "1"), make(tmp_path / "2"), make(tmp_path / "3", "two")
    assert fingerprint(one) == fingerprint(two) != fingerprint(other)


@pytest.mark.parametrize("accident", [KeyboardInterrupt, OSError, UserError])
def test_an_accident_leaves_what_stood_there(tmp_path, accident):
    path = make(tmp_path / "corpus")
    with pytest.raises(accident), new_folder(path) as folder:
        write_text(folder / "a.txt", "two")
        raise accident
    assert (path / "sub" / "a.txt").read_text() == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus"]


def test_a_failed_last_step_puts_the_old_folder_back(tmp_path, monkeypatch):
    path = make(tmp_path / "corpus")
    rename = os.rename

    def broken(source, target):
        if str(source).endswith(".partial"):
            raise PermissionError
        rename(source, target)

    monkeypatch.setattr(os, "rename", broken)
    with pytest.raises(PermissionError):
        make(path, "two")
    assert (path / "sub" / "a.txt").read_text() == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus"]


def test_a_whole_folder_replaces_the_old_one(tmp_path):
    make(tmp_path / "corpus")
    with new_folder(tmp_path / "corpus") as folder:
        write_text(folder / "b.txt", "two")
    assert [path.name for path in (tmp_path / "corpus").iterdir()] == ["b.txt"]


def test_only_our_own_or_empty_folders_are_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "manifest.json").write_text('{"name": "a browser extension"}')
    (tmp_path / "file").write_text("x")
    for name in ("mine", "page", "file"):
        with pytest.raises(UserError, match="was not made by kathalab"):
            make(tmp_path / name)
    (tmp_path / "empty").mkdir()
    assert (make(tmp_path / "empty") / "sub").is_dir()


def test_manifest_of_another_kind_or_none_is_refused(tmp_path):
    path = make(tmp_path / "corpus")
    with pytest.raises(UserError, match="is a corpus folder, but a model folder is wanted"):
        read_manifest(path, "model")
    with pytest.raises(UserError, match="is not a finished model folder"):
        read_manifest(tmp_path, "model")


def test_files_are_replaced_whole(tmp_path, monkeypatch):
    write_json(tmp_path / "a.json", {"ক": [1, None]})
    assert (tmp_path / "a.json").read_text() == '{\n "ক": [\n  1,\n  null\n ]\n}\n'
    assert read_json(tmp_path / "a.json") == {"ক": [1, None]}
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", float("nan"))
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError):
        write_text(tmp_path / "a.json", "{}")
    assert json.loads((tmp_path / "a.json").read_text()) == {"ক": [1, None]}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match=r"a\.json' is not valid JSON"):
        read_json(tmp_path / "a.json")


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("whole", ["", "a\n", "a\n" + "b" * 70_000 + "\n"])
@pytest.mark.parametrize("torn", ["", "c", "c" * 70_000, "c" * 65_536])
def test_a_torn_last_line_is_cut_off_and_nothing_else(tmp_path, whole, torn):
    path = tmp_path / "log.jsonl"
    path.write_text(whole + torn)
    cut_torn_line(path)
    assert path.read_text() == whole
