"""The verbs beside training: sample, export, card, publish, scaling."""

from __future__ import annotations

from pathlib import Path

from jsonargparse.typing import ClosedUnitInterval, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt


def sample(
    model: str,
    /,
    prompt: str = "",
    stories: PositiveInt = 1,
    seed: NonNegativeInt = 1,
    temperature: NonNegativeFloat = 0.8,
    top_p: ClosedUnitInterval = 0.95,
    top_k: NonNegativeInt = 0,
    min_p: ClosedUnitInterval = 0.0,
    repetition_penalty: PositiveFloat = 1.0,
    script: str | None = None,
    words: list[str] | None = None,
    length: PositiveInt | None = None,
    longest: PositiveInt = 400,
    batch_size: PositiveInt = 64,
    output: str | None = None,
) -> None:
    """Print stories that a model writes.

    Reads a model folder (or a repository of the Hugging Face Hub); writes nothing unless --output is given.
    Example: kathalab tinymodels sample results/quickstart/models/hi --prompt "एक बार" --script hi
    --words "[राजा, नदी|नदियाँ]" --length 120

    Args:
        model: model folder, or USER/NAME on the Hub.
        prompt: how the stories begin; without it the model begins by itself.
        stories: how many to write.
        seed: of the sampling; the same seed writes the same stories.
        temperature: of sampling; 0 takes the likeliest token each time.
        top_p: share of the probability to sample from, the likeliest tokens first.
        top_k: sample from this many of the likeliest tokens; 0 for all.
        min_p: sample from tokens with at least this share of the likeliest one's probability.
        repetition_penalty: above 1, tokens that the story holds already become less likely (CTRL's penalty; 1.1 is
            mild); 1 for none.
        script: keep to the script of this language (hi, mr, bn or en), in whole characters.
        words: words that each story must hold; forms of one that will do are parted by |, as in "[राजा, नदी|नदियाँ]".
        length: tokens after the prompt near which the stories are to end; without it they end as the model likes.
        longest: tokens of a story at most; the model's context ends it too.
        batch_size: stories written at a time; it changes speed and memory, not the stories.
        output: a JSON file to write the stories into as well.
    """
    from corpora.folders import write_json
    from evaluation.generation import Prompt, generate_stories
    from tinymodels.opening import open_story_model

    network, tokenizer = open_story_model(model)
    forms = [[form.strip() for form in word.split("|")] for word in words or []]
    written = generate_stories(
        network,
        tokenizer,
        [Prompt(prompt, language="", words=forms)] * stories,
        max_new_tokens=longest,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        script=script,
        length=length,
        seed=seed,
        batch_size=batch_size,
        progress=True,
    )
    for story in written:
        print(story.text + ("" if story.finished else " …"), end="\n\n")
    if output is not None:
        write_json(output, [{"prompt": prompt, "story": story.text, "finished": story.finished} for story in written])
    where = "" if output is None else f", also in {output!r}"
    print(f"{len(written)} {'story' if len(written) == 1 else 'stories'} by {model!r}{where}.")


def export(run: str, /, output: str, corpus: str | None = None) -> None:
    """Make a model folder out of a run.

    Reads a run folder; writes a folder that AutoModelForCausalLM.from_pretrained and AutoTokenizer open with no code
    of ours: safetensors, configuration, tokenizer, licence, card, manifest.
    Example: kathalab tinymodels export results/quickstart/runs/hi --output results/quickstart/models/hi

    Args:
        run: run folder of `kathalab tinymodels fit`; its newest checkpoint is taken.
        output: the model folder to write.
        corpus: the corpus folder, if it is no longer where training found it.
    """
    from tinymodels.export import export_run

    folder = export_run(run, output, corpus)
    print(f"the model was exported; it is in {str(folder)!r}.")


def card(model: str, /, scores: str, dataset: str = "kathalab-stories") -> None:
    """Write the model card with every number out of the scores.

    Reads a model folder and a scores folder (kathalab evaluation score); writes README.md, eval/ and .eval_results/
    into the model folder.
    Example: kathalab tinymodels card results/quickstart/models/hi --scores results/quickstart/scores/hi

    Args:
        model: model folder.
        scores: scores folder of this model.
        dataset: the name the corpus has on the Hub, USER/NAME, for the results' metadata.
    """
    from tinymodels.cards import add_scores

    add_scores(Path(model), Path(scores), dataset)
    print(f"the card was written; it is in {str(Path(model) / 'README.md')!r}.")


def publish(folder: str, /, repo: str, private: bool = False, dry_run: bool = False) -> None:
    """Upload a model folder to the Hugging Face Hub.

    Reads a model folder; creates the repository if it is missing and uploads weights, tokenizer, card and scores in
    one commit. The token comes from HF_TOKEN or `hf auth login`.
    Example: HF_TOKEN=… kathalab tinymodels publish results/quickstart/models/hi --repo USER/kathalab-hi-1m

    Args:
        folder: model folder of `kathalab tinymodels export`.
        repo: USER/NAME.
        private: create the repository as a private one.
        dry_run: only list what would be uploaded.
    """
    from tinymodels.publish import publish_model

    publish_model(Path(folder), repo, private, dry_run)


def scaling(runs: list[str], /, output: str) -> None:
    """Fit the loss of a set of runs against model size and text read.

    Reads finished run folders of one corpus and one tokenizer; writes a folder with scaling.json, runs.csv and
    scaling.png. Six runs of three sizes and three lengths of training give L = E + A/N^alpha + B/D^beta (Hoffmann et
    al. 2022, approach 3) in bits per character, with N the parameters outside the embedding and D the characters read,
    and the compute-optimal size; three that differ in size or length alone give a power law in that.
    Example: kathalab tinymodels scaling results/scaling/runs/* --output results/scaling/law

    Args:
        runs: run folders of `kathalab tinymodels fit`; several seeds of one size and length are welcome.
        output: the folder to write.
    """
    from tinymodels.runs import read_runs
    from tinymodels.scaling import described, write_scaling
    from tinymodels.scaling import scaling as law_of

    found = law_of(read_runs(runs))
    folder = write_scaling(found, output)
    print(described(found))
    print(f"bits per character = {found.formula} over {len(found.runs)} runs: the law is in {str(folder)!r}.")
