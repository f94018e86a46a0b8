"""The card of a prompt: everything in it is out of `rosprompt.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.folders import write_text
from corpora.languages import LANGUAGES

TEMPLATE = Path(__file__).with_name("card.md.j2")
NAMELESS = "a model without a public name"


def write_card(folder: Path, content: Mapping[str, Any], repo: str = "") -> None:
    """Write `README.md` into a prompt folder from the content of its `rosprompt.json`.

    `repo`: where the prompt is going to be found, if that is known.
    """
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    base_model, layout = content["base_model"], content["layout"]
    places = [f"{length} as {place}" for place, length in layout.items() if length]
    adapter = (folder / "adapter_model.safetensors").is_file()
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        card_data=_card_data(content, adapter),
        title=repo.split("/")[-1] or f"RoSPrompt for {base_model.split('/')[-1] or NAMELESS}",
        numbers=content["numbers"],
        shape=f"{content['kind']}, vectors: {', '.join(places)}",
        base_model=base_model or NAMELESS,
        trained=_names(content["languages"]),
        templates=_names(content["templates"]),
        classes=", ".join((content["verbalizer"] or {}).get("classes", [])),
        calibration=content["calibration"],
        probe=content["probe"],
        identity=content["identity"],
        place=repo or "FOLDER",
        model_argument="" if base_model else ', model="FOLDER OF THE MODEL"',
        adapter=adapter,
        training={name: _cell(value) for name, value in content["training"].items()},
        accuracy={_names([code]): value for code, value in content["accuracy"].items()},
        evaluated_on=content["evaluated_on"],
        license=content["license"],
        base_license=content["base_license"],
    )
    write_text(folder / "README.md", text)


def _card_data(content: Mapping[str, Any], adapter: bool) -> str:
    """The card's YAML head."""
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        language=list(dict.fromkeys([*content["languages"], *content["templates"]])),
        license=content["license"],
        base_model=content["base_model"] if "/" in content["base_model"] else None,
        library_name="peft" if adapter else "kathalab",
        pipeline_tag="zero-shot-classification",
        tags=["kathalab", "rosprompt", "prompt-tuning"],
    )
    return data.to_yaml()


def _names(codes: Any) -> str:
    """English names of languages; a code that is not in the registry stays as it is."""
    return ", ".join(LANGUAGES[code].name if code in LANGUAGES else code for code in codes)


def _cell(value: Any) -> str:
    """A value as it can stand in a table."""
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}: {item}" for name, item in value.items())
    elif isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value))
    return str(value).replace("|", "\\|").replace("\n", "⏎")
