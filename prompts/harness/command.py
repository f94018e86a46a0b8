"""`kathalab prompts study`."""

from __future__ import annotations

from corpora.folders import sha256, write_json, write_manifest, write_text


def study(
    plan: str,
    /,
    *,
    output: str,
    data: str | None = None,
    methods: list[str] | None = None,
    parts: list[str] | None = None,
    workers: int = 1,
) -> None:
    """Run methods over draws, seeds and choices of seen classes, and compare them by what they say of every text.

    Reads a plan: the mapping `prompts` of a study's YAML, or a file of nothing else (see studies/rosprompt.yaml), and
    what it names. Writes into a folder runs/ (one file of JSON lines per run, with every text's scores; a run whose
    file is there is not run again, so a study that was stopped goes on), results.json, results.md and report.html, and,
    once no run is missing, manifest.json.

    Example: kathalab prompts study studies/rosprompt.yaml --data PATH --output results/rosprompt/prompts

    Args:
        plan: YAML file of tasks, methods and parts.
        output: Folder to write into, and to go on with.
        data: What {data} in the plan stands for.
        methods: Run these only; the tables are of all that is done. [] runs nothing.
        parts: Run these parts of the plan only.
        workers: Processes that run methods side by side, one thread and one model in each.
    """
    from pathlib import Path

    from prompts.harness.plan import read_plan
    from prompts.harness.study import run_study, unfinished
    from prompts.harness.tables import markdown
    from prompts.report import write_study_page

    read = read_plan(plan, data)
    folder = Path(output)
    results = run_study(read, folder, methods, parts, workers)
    write_json(folder / "results.json", results)
    write_text(folder / "results.md", markdown(results))
    write_study_page(results, folder / "report.html")
    if missing := unfinished(results):
        print(f"{missing} runs are still to be done; tables of the others are in {output}.")
        return
    write_manifest(folder, "prompt-study", {"plan": Path(plan).name, "data": data}, {"plan": sha256(plan)})
    print(f"Compared {len(read.methods)} methods in {len(read.parts)} parts: {folder / 'report.html'}.")
