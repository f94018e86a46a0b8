"""A study as a directed graph of commands: what is up to date is not run again.

    snakemake --cores 2 --configfile studies/quickstart.yaml

Snakemake's executors carry the same graph to Slurm, Kubernetes and others. The output is `results/STUDY/`, with the
layout that `kathalab evaluation report` reads.
"""

import hashlib
import json
import os
import shlex
import sys
import time
from pathlib import Path

from corpora.languages import get_language

STUDY = Path(workflow.configfiles[0]).stem
OUT = f"results/{STUDY}"
LANGUAGES = config["languages"]
KINDS = list(config["tokenizers"])  # the first one serves the models
CORPORA = list(config.get("corpora") or {})  # of a study that compares tokenizers on several
PLACES = [f"{OUT}/{name}" for name in CORPORA] or [OUT]
CORPUS_PARTS = int(config.get("corpus_parts", 1))
THREADS = max(1, int(config.get("threads_in_all", workflow.cores)) // len(LANGUAGES))
KATHALAB = f"{shlex.quote(sys.executable)} -m kathalab"
ARMS = config.get("arms") or {}

# What is pruned from a published vocabulary takes part where that is unpacked (make vocabularies).
for kind in [kind for kind in KINDS if "tokenizer" in (config["tokenizers"][kind] or {})]:
    from tokenization.opening.published import installed

    if config["tokenizers"][kind]["tokenizer"] not in installed():
        KINDS.remove(kind)

if "{data}" in json.dumps(config) and not config.get("data"):
    sys.exit(f"kathalab: error: the study {STUDY!r} needs the path to its data; give it with --config data=PATH.")
if config.get("data") and not Path(str(config["data"])).exists():
    sys.exit(f"kathalab: error: there is no file or folder at {str(config['data'])!r}; check the path of the data.")


def options(values):
    """A mapping of the study as command-line options."""
    values = values or {}
    texts = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in values.items()}
    filled = {k: v.replace("{data}", str(config.get("data", ""))) for k, v in texts.items()}
    return " ".join(f"--{key} {shlex.quote(value)}" for key, value in filled.items())


def codes(language):
    """The languages of one model as on a command line: `hi-mr-bn` is one model of three."""
    return language.replace("-", ",")


def training(language):
    """The options of training, with what is different for one language."""
    return (config.get("training") or {}) | (config.get("training_of") or {}).get(language, {})


def fingerprint(manifest):
    return json.loads(Path(manifest).read_text())["fingerprint"]


def keep_only_if_current(folder, *made_from):
    """A run of the same data, tokenizer and options goes on; one of others steps aside, with its checkpoints."""
    folder = Path(folder)
    key = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
    mark = folder / ".made-from"
    if (folder / "checkpoints").exists() and (not mark.exists() or mark.read_text() != key):
        folder.rename(folder.with_name(f"{folder.name}.before-{int(time.time())}"))
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(key)


def also(place):
    """The study's other corpora, whose test splits are scored too."""
    return {Path(other).name: f"{other}/corpus" for other in PLACES if other != place}


def comparison(place, language):
    """The options of comparing tokenizers, with what is different for one corpus."""
    given = (config.get("comparison") or {}) | (config.get("comparison_of") or {}).get(Path(place).name, {})
    if CORPORA:
        return {"title": f"{get_language(language).name} stories: {Path(place).name}", "also": also(place)} | given
    return given


def tokenizer_command(kind):
    """The command that makes a tokenizer of the study: trained, or pruned from the one that `tokenizer` names."""
    given = dict(config["tokenizers"][kind] or {})
    if "tokenizer" in given:
        return f"prune {options(given)}"
    return f"train {options({'kind': kind} | given)}"


# Outputs are `update(…)`: snakemake must not delete a finished part before its command has put the next one in its place.


localrules:
    all,


rule all:
    input:
        f"{OUT}/arms.json" if ARMS
        else f"{OUT}/tokenizers.html" if CORPORA
        else f"{OUT}/scaling/{LANGUAGES[0]}/scaling.json" if config.get("sizes")
        else f"{OUT}/prompts/manifest.json" if config.get("prompts")
        else f"{OUT}/report.html",


# With `corpus_parts: N` a large source is read and cleaned by N jobs, anywhere with the same disk; one that was killed
# goes on after its last whole block. The files say no more than that a part is done; the parts lie beside the corpus.
rule corpus_part:
    output:
        temp(touch(f"{OUT}/corpus_parts/{{part}}-of-{CORPUS_PARTS}")),
    params:
        options=options(config.get("corpus")),
    shell:
        "{KATHALAB} corpora build {params.options} --part {wildcards.part}/{CORPUS_PARTS} --workers 1"
        " --output {OUT}/corpus"


rule corpus:
    input:
        [f"{OUT}/corpus_parts/{part + 1}-of-{CORPUS_PARTS}" for part in range(CORPUS_PARTS) if CORPUS_PARTS > 1],
    output:
        update(f"{OUT}/corpus/manifest.json"),
    params:
        options=options(config.get("corpus")),
    threads: workflow.cores
    shell:
        "{KATHALAB} corpora build {params.options} --workers {threads} --output {OUT}/corpus"


rule named_corpus:
    output:
        update(OUT + "/{corpus}/corpus/manifest.json"),
    wildcard_constraints:
        corpus="|".join(CORPORA) or "none",
    params:
        options=lambda wildcards: options(config["corpora"][wildcards.corpus]),
    shell:
        "{KATHALAB} corpora build {params.options} --output {OUT}/{wildcards.corpus}/corpus"


rule tokenizer:
    input:
        "{place}/corpus/manifest.json",
    output:
        update("{place}/tokenizers/{language}/{kind}/manifest.json"),
    wildcard_constraints:
        place="|".join(PLACES),
    params:
        command=lambda wildcards: tokenizer_command(wildcards.kind),
        languages=lambda wildcards: codes(wildcards.language),
    shell:
        "{KATHALAB} tokenization {params.command} --corpus {wildcards.place}/corpus"
        " --languages [{params.languages}] --output {wildcards.place}/tokenizers/{wildcards.language}/{wildcards.kind}"


rule comparison:
    input:
        "{place}/corpus/manifest.json",
        lambda wildcards: [f"{corpus}/manifest.json" for corpus in also(wildcards.place).values()],
        lambda wildcards: [
            f"{wildcards.place}/tokenizers/{wildcards.language}/{kind}/manifest.json" for kind in KINDS
        ],
    output:
        update("{place}/comparisons/{language}/manifest.json"),
    wildcard_constraints:
        place="|".join(PLACES),
    params:
        options=lambda wildcards: options(comparison(wildcards.place, wildcards.language)),
        tokenizers=lambda wildcards: ",".join(
            f"{wildcards.place}/tokenizers/{wildcards.language}/{kind}" for kind in KINDS
        ),
    shell:
        "OMP_NUM_THREADS=1 {KATHALAB} tokenization compare --corpus {wildcards.place}/corpus"
        " --language {wildcards.language} --tokenizers [{params.tokenizers}] {params.options}"
        " --output {wildcards.place}/comparisons/{wildcards.language}"


rule tokenizers:  # all languages and corpora of the study on one page
    input:
        expand("{place}/comparisons/{language}/manifest.json", place=PLACES, language=LANGUAGES),
    output:
        f"{OUT}/tokenizers.html",
    params:
        folders=lambda wildcards, input: " ".join(str(Path(path).parent) for path in input),
    shell:
        "{KATHALAB} tokenization report {params.folders} --output {output}"


rule run:
    input:
        corpus=rules.corpus.output,
        tokenizer=OUT + "/tokenizers/{language}/" + KINDS[0] + "/manifest.json",
    output:
        update(OUT + "/runs/{language}/manifest.json"),
    params:
        options=lambda wildcards: options(training(wildcards.language)),
    priority: 10  # the longest jobs first
    threads: THREADS
    run:
        folder = Path(output[0]).parent
        keep_only_if_current(folder, fingerprint(input.corpus[0]), fingerprint(input.tokenizer), params.options)
        languages = codes(wildcards.language)
        shell(
            "OMP_NUM_THREADS={threads} {KATHALAB} tinymodels fit"
            f" --data.corpus {OUT}/corpus --data.languages [{languages}]"
            f" --data.tokenizer {Path(input.tokenizer).parent} --trainer.default_root_dir {folder}"
            " --ckpt_path last {params.options}"
        )


# A study with `sizes`, `updates` and `seeds` asks how loss falls with size and text: one run of each, and the law.
rule sized_run:
    input:
        corpus=rules.corpus.output,
        tokenizer=OUT + "/tokenizers/{language}/" + KINDS[0] + "/manifest.json",
    output:
        update(OUT + "/sizes/{language}/{size}-{updates}-{seed}/manifest.json"),
    params:
        options=lambda wildcards: options((config.get("training") or {}) | config["sizes"][wildcards.size]),
    run:
        folder = Path(output[0]).parent
        keep_only_if_current(folder, fingerprint(input.corpus[0]), fingerprint(input.tokenizer), params.options)
        shell(
            "OMP_NUM_THREADS=1 {KATHALAB} tinymodels fit"
            " --data.corpus {OUT}/corpus --data.languages [{wildcards.language}]"
            f" --data.tokenizer {Path(input.tokenizer).parent} --trainer.default_root_dir {folder}"
            " --trainer.max_steps {wildcards.updates} --model.seed {wildcards.seed} --ckpt_path last {params.options}"
        )


rule scaling:
    input:
        expand(
            OUT + "/sizes/{{language}}/{size}-{updates}-{seed}/manifest.json",
            size=config.get("sizes", []),
            updates=config.get("updates", []),
            seed=config.get("seeds", []),
        ),
    output:
        update(OUT + "/scaling/{language}/scaling.json"),
    params:
        runs=lambda wildcards, input: " ".join(str(Path(path).parent) for path in input),
    shell:
        "{KATHALAB} tinymodels scaling {params.runs} --output {OUT}/scaling/{wildcards.language}"


# A study with `arms` asks which corpus teaches more: models of each language, arm and seed, all else equal. An arm's options
# may name what the study makes for it: {english}, a corpus to translate, and {translator}, the model that translates it.
rule english:
    output:
        update(f"{OUT}/english/manifest.json"),
    params:
        options=options(config.get("english")),
    shell:
        "{KATHALAB} corpora build {params.options} --output {OUT}/english"


rule parallel:
    output:
        update(f"{OUT}/parallel/manifest.json"),
    params:
        options=options(config.get("parallel")),
    shell:
        "{KATHALAB} corpora build {params.options} --output {OUT}/parallel"


rule translator:
    input:
        rules.parallel.output,
    output:
        update(f"{OUT}/translator/manifest.json"),
    params:
        options=options(config.get("translator")),
    priority: 20
    shell:
        "OMP_NUM_THREADS=1 {KATHALAB} corpora translator --corpus {OUT}/parallel {params.options}"
        " --output {OUT}/translator"


rule arm_corpus:
    input:
        lambda wildcards: [
            f"{OUT}/{made}/manifest.json"
            for made in ("english", "translator")
            if f"{{{made}}}" in json.dumps(ARMS[wildcards.arm]["corpus"])
        ],
    output:
        update(OUT + "/arms/{arm}/corpus/manifest.json"),
    params:
        options=lambda wildcards: options(ARMS[wildcards.arm]["corpus"])
        .replace("{english}", f"{OUT}/english")
        .replace("{translator}", f"{OUT}/translator")
        .replace("{arm}", f"{OUT}/arms/{wildcards.arm}"),
    shell:
        "OMP_NUM_THREADS=1 {KATHALAB} corpora build {params.options} --output {OUT}/arms/{wildcards.arm}/corpus"


rule arm_description:  # all arms side by side
    input:
        expand(rules.arm_corpus.output, arm=ARMS),
    output:
        f"{OUT}/corpora.html",
    params:
        folders=lambda wildcards, input: " ".join(str(Path(path).parent) for path in input),
    shell:
        "{KATHALAB} corpora describe {params.folders} --output {output}"


rule arm_tokenizer:
    input:
        f"{OUT}/arms/{config.get('tokenizer_arm')}/corpus/manifest.json",
    output:
        update(OUT + "/arms/tokenizers/{language}/manifest.json"),
    params:
        options=options(config["tokenizers"][KINDS[0]]),
        corpus=lambda wildcards, input: Path(input[0]).parent,
    shell:
        "{KATHALAB} tokenization train --corpus {params.corpus} --languages [{wildcards.language}]"
        " --kind {KINDS[0]} {params.options} --output {OUT}/arms/tokenizers/{wildcards.language}"


rule arm_run:
    input:
        corpus=OUT + "/arms/{arm}/corpus/manifest.json",
        tokenizer=OUT + "/arms/tokenizers/{language}/manifest.json",
    output:
        update(OUT + "/arms/{arm}/runs/{language}-{seed}/manifest.json"),
    params:
        options=lambda wildcards: options(
            training(wildcards.language) | (ARMS[wildcards.arm].get("training") or {})
        ),
    priority: 10
    run:
        folder = Path(output[0]).parent
        keep_only_if_current(folder, fingerprint(input.corpus), fingerprint(input.tokenizer), params.options)
        shell(
            "OMP_NUM_THREADS=1 {KATHALAB} tinymodels fit"
            f" --data.corpus {Path(input.corpus).parent} --data.languages [{wildcards.language}]"
            f" --data.tokenizer {Path(input.tokenizer).parent} --trainer.default_root_dir {folder}"
            " --model.seed {wildcards.seed} --ckpt_path last {params.options}"
        )


rule arm_model:
    input:
        rules.arm_run.output,
    output:
        update(OUT + "/arms/{arm}/models/{language}-{seed}/manifest.json"),
    shell:
        "{KATHALAB} tinymodels export {OUT}/arms/{wildcards.arm}/runs/{wildcards.language}-{wildcards.seed}"
        " --output {OUT}/arms/{wildcards.arm}/models/{wildcards.language}-{wildcards.seed}"


rule arm_scores:  # on the held-out stories of one arm, the same for all, and on Katha-72
    input:
        rules.arm_model.output,
        corpus=f"{OUT}/arms/{config.get('scored_on')}/corpus/manifest.json",
        katha=sorted(str(path) for path in Path(workflow.basedir).glob("corpora/katha72/*.yaml")),
    output:
        update(OUT + "/arms/{arm}/scores/{language}-{seed}/manifest.json"),
    params:
        options=options(config.get("scores")),
        corpus=lambda wildcards, input: Path(input.corpus).parent,
    shell:
        "OMP_NUM_THREADS=1 {KATHALAB} evaluation score {OUT}/arms/{wildcards.arm}/models/{wildcards.language}-{wildcards.seed}"
        " --corpus {params.corpus} --languages [{wildcards.language}] {params.options}"
        " --output {OUT}/arms/{wildcards.arm}/scores/{wildcards.language}-{wildcards.seed}"


rule arms:
    input:
        rules.arm_description.output,
        expand(
            OUT + "/arms/{arm}/scores/{language}-{seed}/manifest.json",
            arm=ARMS,
            language=LANGUAGES,
            seed=config.get("seeds", []),
        ),
    output:
        f"{OUT}/arms.json",
    run:
        from evaluation.arms import compare_arms

        print(compare_arms(f"{OUT}/arms", list(ARMS), LANGUAGES, config["seeds"], output[0]))


rule model:
    input:
        rules.run.output,
    output:
        update(OUT + "/models/{language}/manifest.json"),
    shell:
        "{KATHALAB} tinymodels export {OUT}/runs/{wildcards.language} --output {OUT}/models/{wildcards.language}"


rule scores:
    input:
        rules.corpus.output,
        rules.model.output,
        sorted(str(path) for path in Path(workflow.basedir).glob("corpora/katha72/*.yaml")),
    output:
        update(OUT + "/scores/{language}/manifest.json"),
    params:
        options=options(config.get("scores")),
    threads: THREADS
    shell:
        "OMP_NUM_THREADS={threads} {KATHALAB} evaluation score {OUT}/models/{wildcards.language}"
        " --corpus {OUT}/corpus --languages [{wildcards.language}] {params.options}"
        " --output {OUT}/scores/{wildcards.language}"


rule card:
    input:
        rules.model.output,
        rules.scores.output,
    output:
        update(OUT + "/models/{language}/eval/scores.json"),
    shell:
        "{KATHALAB} tinymodels card {OUT}/models/{wildcards.language} --scores {OUT}/scores/{wildcards.language}"


rule classification:
    input:
        rules.corpus.output,
        rules.model.output,
    output:
        update(OUT + "/classification/{language}/manifest.json"),
    params:
        options=options(config.get("classification")),
    shell:
        "OMP_NUM_THREADS=1 {KATHALAB} prompts evaluate {OUT}/models/{wildcards.language}"
        " --languages [{wildcards.language}] {params.options} --output {OUT}/classification/{wildcards.language}"


rule report:
    input:
        expand(rules.comparison.output, place=OUT, language=LANGUAGES),
        expand(rules.card.output, language=LANGUAGES),
        expand(rules.classification.output, language=LANGUAGES) if config.get("classification") else [],
    output:
        update(f"{OUT}/report.html"),
    shell:
        "{KATHALAB} evaluation report {OUT}"


# A study with `prompts` compares classifiers; its models and corpus are those of the study. A run that was done stays.
rule prompts:
    input:
        workflow.configfiles[0],
        rules.corpus.output,
        expand(rules.model.output, language=LANGUAGES),
    output:
        update(f"{OUT}/prompts/manifest.json"),
    params:
        data=f"--data {shlex.quote(str(config['data']))}" if config.get("data") else "",
    threads: workflow.cores
    shell:
        "OMP_NUM_THREADS=1 {KATHALAB} prompts study {input[0]} {params.data} --workers {threads} --output {OUT}/prompts"
