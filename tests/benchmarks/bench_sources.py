"""Reading published data sets: rows a second and peak memory of our readers and of `datasets` streaming the same files.

    python tests/benchmarks/bench_sources.py --stories 100000

Every measurement is a process of its own; its memory is the peak resident set less that of the bare imports.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = ("json", "jsonl", "jsonl.gz", "csv", "parquet", "txt")
SYLLABLES = [consonant + sign for consonant in "कखगचजतदनपबमरलवसह" for sign in ("", "ा", "ि", "ी", "ु", "े", "ो")]


def story(rng: random.Random) -> str:
    """A thousand characters of word salad."""
    words = ["".join(rng.choices(SYLLABLES, k=rng.randrange(1, 5))) for _ in range(190)]
    return " ".join(words) + "।"


def write(folder: Path, stories: int) -> None:
    """The same stories in every format."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = random.Random(0)
    rows = [{"story": story(rng), "ID": number} for number in range(stories)]
    (folder / "tales.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "tales.jsonl").write_text(lines, encoding="utf-8")
    (folder / "tales.jsonl.gz").write_bytes(gzip.compress(lines.encode(), 1))
    with open(folder / "tales.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["story", "ID"])
        writer.writeheader()
        writer.writerows(rows)
    pq.write_table(pa.Table.from_pylist(rows), folder / "tales.parquet", row_group_size=10_000)
    (folder / "tales.txt").write_text("".join(f"{row['story']}\n<|endoftext|>\n" for row in rows), encoding="utf-8")


def peak() -> int:
    """This process's largest resident set so far, in kB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def read(path: str, reader: str) -> None:
    """Read a file with one reader in this process; prints rows, seconds and MB."""
    if reader == "ours":
        from corpora.sources.columns import Columns
        from corpora.sources.rows import rows_of

        columns = Columns("tales", "hi", {"text": "text" if path.endswith("txt") else "story"}, "", "", "")
        list(rows_of(Path(path).with_name("small.jsonl"), "small.jsonl", "", columns.wanted))
        before = peak()
        start = time.perf_counter()
        rows = rows_of(Path(path), path, "<|endoftext|>", columns.wanted)
        number = sum(1 for row in rows if columns.story(row, "", "x"))
    else:
        import datasets

        kind = {"csv": "csv", "parquet": "parquet", "txt": "text"}.get(path.rsplit(".")[-1], "json")
        small = str(Path(path).with_name("small.jsonl"))
        list(datasets.load_dataset("json", data_files=small, split="train", streaming=True))
        before = peak()
        start = time.perf_counter()
        number = sum(1 for _ in datasets.load_dataset(kind, data_files=path, split="train", streaming=True))
    seconds = time.perf_counter() - start
    print(json.dumps([number, seconds, (peak() - before) / 1000]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=100_000)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read(*options.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options.stories)
        (Path(folder) / "small.jsonl").write_text('{"story": "एक।"}\n', encoding="utf-8")
        print(f"{'format':10}{'MB':>7}  {'ours: rows/s':>14}{'MB':>7}  {'datasets: rows/s':>17}{'MB':>7}  ratio")
        for kind in KINDS:
            path = os.path.join(folder, f"tales.{kind}")
            cells = [f"{kind:10}{os.path.getsize(path) / 1e6:7.0f}"]
            rates = []
            for reader, width in (("ours", 14), ("datasets", 17)):
                command = [sys.executable, __file__, "--read", path, reader]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    cells.append(f"  {'fails':>{width}}{'':7}")
                    continue
                number, seconds, memory = json.loads(done.stdout.splitlines()[-1])
                assert kind == "txt" or number == options.stories
                rates.append(options.stories / seconds)
                cells.append(f"  {rates[-1]:{width},.0f}{memory:7.0f}")
            print("".join(cells) + (f"  {rates[0] / rates[1]:.1f} ×" if len(rates) == 2 else ""))


if __name__ == "__main__":
    main()
