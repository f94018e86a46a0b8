"""Building a large corpus: `python tests/benchmarks/bench_corpora.py PRATHAM [stories] [peer stories] [folder]`.

PRATHAM holds Markdown books by language (`hi/`, `mr/`, `bn/`), as Pratham Books publishes them. Stories of about 1,000
characters (1,000,000 of them) are put together from the sentences of these books and of the embedded generator, a third
in each language; 3 % are copies of an earlier one, 3 % an earlier one with 1, 3 or 5 words changed. Printed are:

- the rate of each step of cleaning and signing, in one process;
- seconds and rate of each stage of `kathalab corpora build` with two workers, its peak memory, and what of the planted
  duplicates it found;
- on the first Hindi stories (20,000 of them), two workers each: `datasets.map` with the same cleaning function,
  datatrove's Gopher filters and its MinHash deduplication (where it is installed), and the same build.

The folder (a temporary one if not given) holds the stories, about 0.5 GB a million. The last line is JSON.
"""

import json
import os
import random
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import regex

from corpora.building import build
from corpora.building.processes import spread
from corpora.building.signatures import sign
from corpora.cleaning.cleaner import Cleaner, Cleaning
from corpora.cleaning.normalize import normalize
from corpora.describing.statistics import Statistics
from corpora.sources import Generator, Markdown, Parquet
from corpora.stories import SPLITS, Story

LANGUAGES = ("hi", "mr", "bn")
PER_FILE = 20_000
WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
LENGTH = 1000
WORKERS = 2
CLEANING = Cleaning()
PLANTED = {"copy": 0.03, "near-1": 0.01, "near-3": 0.01, "near-5": 0.01}
"""Shares of the kinds of duplicates, `near-N` with N words changed."""


def sentence_pool(pratham, language, stories=5000):
    """Sentences of the books and of the generator, each once."""
    pool = {}
    for source in (Markdown(pratham, [language]), Generator([language], stories)):
        for story in source:
            for sentence in regex.split(r"(?<=[।.?!])\s+|\n+", story.text):
                if len(sentence.split()) >= 3:
                    pool.setdefault(sentence.strip(), None)
    return list(pool)


def original(pool, language, number):
    """A story of its own, the same for the same number."""
    rng = random.Random(f"{language}{number}")
    paragraphs, length = [], 0
    while length < LENGTH:
        paragraphs.append(" ".join(rng.choices(pool, k=4)))
        length += len(paragraphs[-1])
    return "\n\n".join(paragraphs)


def told(pool, language, number):
    """(id, text) of a story, which may be a planted duplicate of an earlier original."""
    rng = random.Random(f"{number}{language}")
    kind = planted(language, number)
    if not kind:
        return f"{language}-{number}", original(pool, language, number)
    earlier = rng.randrange(number)
    while planted(language, earlier):
        earlier -= 1
    words = original(pool, language, earlier).split(" ")
    for place in rng.sample(range(len(words)), 0 if kind == "copy" else int(kind[5:])):
        words[place] = rng.choice(pool).split(" ")[0]
    return f"{language}-{number}-{kind}", " ".join(words)


def planted(language, number):
    """The kind of duplicate a story is; empty for an original."""
    draw = random.Random(f"plant {language}{number}").random()
    for kind, share in PLANTED.items():
        if draw < share and number:
            return kind
        draw -= share
    return ""


def write_file(pools, folder, language, number, count):
    rows = [told(pools[language], language, number * PER_FILE + row) for row in range(count)]
    columns = {"id": [name for name, _ in rows], "text": [text for _, text in rows]}
    table = pa.table({**columns, "language": [language] * count, "license": ["CC0-1.0"] * count})
    partial_file = folder / f".{number}-{language}"
    pq.write_table(table, partial_file, row_group_size=1000)
    os.replace(partial_file, folder / f"{number:04d}-{language}.parquet")
    return count


def make_stories(pratham, folder, count):
    """The files of all stories; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    pools = {language: sentence_pool(pratham, language) for language in LANGUAGES}
    tasks = []
    for language in LANGUAGES:
        of_language = count // len(LANGUAGES)
        for number in range(-(-of_language // PER_FILE)):
            if not (folder / f"{number:04d}-{language}.parquet").exists():
                tasks.append((folder, language, number, min(PER_FILE, of_language - number * PER_FILE)))
    made = sum(spread(write_file, tasks, WORKERS, (pools,)))
    return {"sentences": {language: len(pool) for language, pool in pools.items()}, "written": made}


def steps(folder, count=3000):
    """Stories a second of each step, in one process."""
    stories = [story for _, story in zip(range(count), Parquet(str(folder)), strict=False)]
    cleaner = Cleaner(Cleaning())

    def counted():
        statistics = Statistics()
        for story in stories:
            statistics.add("train", story)

    measured = {
        "read": lambda: [story for _, story in zip(range(count), Parquet(str(folder)), strict=False)],
        "normalise": lambda: [normalize(story.text, story.language) for story in stories],
        "clean (normalise, identify, filter)": lambda: [cleaner(story) for story in stories],
        "sign (words, n-grams, MinHash)": lambda: sign([story.text for story in stories], 3),
        "count": counted,
    }
    identifier = identification()
    if identifier:
        measured["identify"] = lambda: [identifier(story.text) for story in stories]
    return {name: rate(count, seconds(step)) for name, step in measured.items()}


def identification():
    """The identifier alone, if the lab has one."""
    try:
        from corpora.cleaning.identify import identify
    except ImportError:
        return None
    return identify


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def rate(count, taken):
    return round(count / taken)


class Memory(threading.Thread):
    """The largest proportional set size of this process and those it started, in GB."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self.over = 0.0, threading.Event()

    def run(self):
        while not self.over.wait(2):
            self.peak = max(self.peak, sum(map(memory_of, family(os.getpid()))) / 1e6)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()


def processor_time():
    """Seconds of processor that this process and those it started have used."""
    return sum(resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime for who in WHO)


def memory_of(process):
    """kB that belong to a process, shared pages by their share."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def family(process):
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return [process]
    return [process, *(member for child in children for member in family(int(child)))]


def timed_build(source, output, count, cleaning=CLEANING):
    """A build with the time of its stages, and what it found of the planted duplicates."""
    stages = {}

    def timed(name, function):
        def wrapped(*arguments, **options):
            start = time.perf_counter()
            result = function(*arguments, **options)
            stages[name] = time.perf_counter() - start
            print(f"{name}: {stages[name]:.1f} s", file=sys.stderr, flush=True)
            return result

        return wrapped

    names = {
        "make_blocks": "read, clean, sign",
        "arrange": "deduplicate, group, split",
        "find_leaks": "leak report",
        "write_shards": "write splits, count",
    }
    kept = {name: getattr(build, name) for name in names}
    try:
        for name, stage in names.items():
            setattr(build, name, timed(stage, kept[name]))
        with Memory() as memory:
            start, used = time.perf_counter(), processor_time()
            manifest = build.build_corpus(source, output, cleaning, workers=WORKERS)
            whole, used = time.perf_counter() - start, processor_time() - used
    finally:
        for name, function in kept.items():
            setattr(build, name, function)
    stages |= {"other": whole - sum(stages.values()), "all": whole}
    removed = output / "removed.jsonl"
    records = map(json.loads, removed.open()) if removed.exists() else manifest["removed"]
    left = [story.id for split in SPLITS for story in read_ids(output, split)]
    return {
        "stories": count,
        "seconds": {name: round(taken, 1) for name, taken in stages.items()},
        "stories per second": {name: rate(count, taken) for name, taken in stages.items()},
        "processor seconds": round(used, 1),
        "peak memory, GB": round(memory.peak, 2),
        "rejected": sum(sum(reasons.values()) for reasons in manifest["rejected"].values()),
        "leaks": manifest.get("leaks"),
        "duplicates": quality([record["id"] for record in records], left),
    }


def read_ids(folder, split):
    for path in sorted(folder.glob(f"{split}-*.parquet")):
        for name in pq.read_table(path, columns=["id"])["id"].to_pylist():
            yield Story(name, "", "", "")


def kind(name):
    return name.split("-", 2)[2] if name.count("-") > 1 else "original"


def quality(removed, left):
    """Share found of each kind of planted duplicate, and the share of what was removed that was planted."""
    gone, there = Counter(map(kind, removed)), Counter(map(kind, left))
    recall = {name: round(gone[name] / max(1, gone[name] + there[name]), 4) for name in PLANTED}
    planted = sum(gone[name] for name in PLANTED)
    return {"removed": len(removed), "recall": recall, "precision": round(planted / max(1, len(removed)), 4)}


def clean_rows(cleaner, rows):
    fields = zip(rows["id"], rows["language"], rows["text"], strict=True)
    cleaned = [cleaner(Story(*row, source="peer"))[0] for row in fields]
    return {"text": [story.text if story else "" for story in cleaned]}


def with_datasets(files, folder, count):
    """`datasets.map` with the same cleaning, two processes, from Parquet to Parquet."""
    os.environ["HF_DATASETS_CACHE"], os.environ["HF_HUB_OFFLINE"] = str(folder / "cache"), "1"
    import datasets

    datasets.disable_progress_bars()
    rows = datasets.load_dataset("parquet", data_files=list(map(str, files)), split="train")
    start = time.perf_counter()
    cleaned = rows.map(partial(clean_rows, Cleaner(Cleaning())), batched=True, num_proc=WORKERS)
    cleaned = cleaned.filter(lambda texts: [bool(text) for text in texts], input_columns="text", batched=True)
    cleaned.to_parquet(str(folder / "map.parquet"))
    return {"clean": rate(count, time.perf_counter() - start)}


def with_datatrove(files, folder, count):
    """datatrove's Gopher filters, and its MinHash deduplication with its own settings, two tasks at a time."""
    try:
        from datatrove.executor import LocalPipelineExecutor
        from datatrove.pipeline.dedup import (
            MinhashDedupBuckets,
            MinhashDedupCluster,
            MinhashDedupFilter,
            MinhashDedupSignature,
        )
        from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
        from datatrove.pipeline.readers import ParquetReader
        from datatrove.pipeline.writers import JsonlWriter
        from loguru import logger
    except ImportError as error:
        return {"not installed": str(error)}
    logger.remove()
    language = "hin_Deva"

    def run(name, pipeline, tasks):
        executor = LocalPipelineExecutor(
            pipeline, tasks=tasks, workers=WORKERS, logging_dir=str(folder / "logs" / name)
        )
        return seconds(executor.run)

    read = partial(ParquetReader, str(files[0].parent), read_metadata=False)
    filters = [
        GopherRepetitionFilter(language=language),
        GopherQualityFilter(language=language, stop_words=None, min_stop_words=None),
    ]
    filtered = run("filters", [read(), *filters, JsonlWriter(str(folder / "filtered"))], len(files))
    signatures, buckets, remove, left = (str(folder / name) for name in ("signatures", "buckets", "remove", "left"))
    taken = run("signatures", [read(), MinhashDedupSignature(signatures, language=language)], len(files))
    signed = taken
    taken += run("buckets", [MinhashDedupBuckets(signatures, buckets)], 14)
    taken += run("cluster", [MinhashDedupCluster(buckets, remove)], 1)
    taken += run("remove", [read(), MinhashDedupFilter(remove), JsonlWriter(left, compression=None)], len(files))
    kept = [json.loads(line)["id"] for path in Path(left).rglob("*.jsonl") for line in path.open()]
    every = [name for path in files for name in pq.read_table(path, columns=["id"])["id"].to_pylist()]
    return {
        "Gopher filters": rate(count, filtered),
        "sign": rate(count, signed),
        "deduplicate": rate(count, taken),
        "duplicates": quality(list(set(every) - set(kept)), kept),
    }


def peers(folder, count, work):
    """Stories a second of the peers and of our build on the same Hindi stories, in two files."""
    part = work / "part"
    part.mkdir(parents=True)
    table = pa.concat_tables(
        pq.read_table(path) for path in sorted(folder.glob("*-hi.parquet"))[: -(-count // PER_FILE)]
    )
    half, files = min(count, len(table)) // 2, [part / f"{number}.parquet" for number in range(2)]
    for number, path in enumerate(files):
        pq.write_table(table.slice(number * half, half), path, row_group_size=1000)
    return {
        "stories": 2 * half,
        "kathalab corpora build": timed_build(Parquet(str(part)), work / "corpus", 2 * half),
        "datasets.map": with_datasets(files, work, 2 * half),
        "datatrove": with_datatrove(files, work, 2 * half),
    }


def show(values, indent=1):
    for name, value in values.items():
        if isinstance(value, dict):
            print("  " * indent + f"{name}:")
            show(value, indent + 1)
        elif name != "leaks":
            print(
                "  " * indent + f"{name}: {value:,}" if isinstance(value, int) else "  " * indent + f"{name}: {value}"
            )
    sys.stdout.flush()


def main(pratham, stories="1000000", compared="20000", folder=""):
    scratch = None if folder else tempfile.mkdtemp()
    where = Path(folder or scratch)
    data = where / f"stories-{stories}"
    shutil.rmtree(where / "work", ignore_errors=True)
    try:
        results = {"data": make_stories(pratham, data, int(stories))}
        for name, measure in {
            "steps, one process, stories a second": lambda: steps(data),
            "peers, stories a second": lambda: peers(data, int(compared), where / "work"),
            "build": lambda: timed_build(Parquet(str(data)), where / "work" / "large", int(stories) // 3 * 3),
        }.items():
            results[name] = measure()
            print(name)
            show(results[name])
        print(json.dumps(results, ensure_ascii=False))
    finally:
        shutil.rmtree(where / "work", ignore_errors=True)
        if scratch:
            shutil.rmtree(scratch)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
