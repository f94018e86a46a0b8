"""Self-contained HTML pages of one look, each with the JSON of everything it shows beside it.

A page is a Jinja template that extends `templates/page.html.j2`, with a style sheet of the same name beside it for what
`templates/page.css` has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import write_json, write_text

BASE = Path(__file__).parent / "templates"


def write_page(
    page: Path, template: Path, shown: Mapping[str, Any], filters: Mapping[str, Callable[..., str]], **more: Any
) -> None:
    """Write a page and its JSON.

    Args:
        page: the file to write. UserError if its name does not end in .html.
        template: `NAME.html.j2`, with `NAME.css` beside it.
        shown: what the template shows, as plain JSON values; this is the JSON.
        filters: of the template, by name.
        more: what else the template needs.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    if page.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{str(page)!r} is to be an HTML page; give it a name that ends in .html.")
    environment = Environment(
        loader=FileSystemLoader([template.parent, BASE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    sheets = (BASE / "page.css", template.with_name(template.name.replace(".html.j2", ".css")))
    style = Markup("".join(sheet.read_text(encoding="utf-8") for sheet in sheets))
    html = environment.get_template(template.name).render(**shown, **more, style=style)
    write_text(page, html)
    write_json(page.with_suffix(".json"), shown)
