"""Picture books in Markdown, one story a file, as Pratham Books and African Storybook are published by Global ASP.

# Title

##
Text of a page. Paragraphs are parted by an empty line.

##
* License: [CC-BY]
* Text: Author
* Illustration: Illustrator
* Translation: Translator
* Language: hi
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from corpora.errors import UserError
from corpora.languages import LANGUAGES, get_language
from corpora.publishing.licenses import spdx
from corpora.sources.base import FileSource, OnBad, read_utf8, relative
from corpora.stories import Story

_PAGE_BREAK = re.compile(r"^##[ \t]*$", re.MULTILINE)
_CREDIT = re.compile(r"^[*-][ \t]+(\w[\w ]*?)[ \t]*:[ \t]*(.*)$")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.*?)[ \t]*#*$")
_RULE = re.compile(r"^\s*([*_-])(\s*\1){2,}\s*$")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(?<![\w*_\\])(\*{1,3}|_{1,3})(?=[^\s*_])([^*_]*[^\s*_])\1(?![\w*_])")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_NUMBER = re.compile(r"^\d+(?=[_-]|$)")
_ROLES = {"text": "text", "illustration": "illustrations", "translation": "translation"}


class Markdown(FileSource):
    """Stories in Markdown files: `# title`, pages parted by `##`, credits in a footer."""

    def __init__(
        self,
        path: str,
        languages: list[str] | None = None,
        name: str = "",
        license: str = "",
        attribution: str = "",
        on_bad: OnBad = "stop",
    ):
        """Read one file, or every `.md` file of a folder.

        The language is the footer's, or else the name of the folder a file lies in. A number at the start of the file
        name is the same story in every language and becomes its group.

        Args:
            path: a file or folder, e.g. `pratham` with `pratham/hi/0002_slug.md`.
            languages: ISO 639-1 codes of the languages to read; all the known ones by default.
            name: the value of the `source` column; by default the folder's name.
            license: SPDX identifier for files whose footer names no licence.
            attribution: whom to name in every story besides its own authors, e.g. "Pratham Books".
            on_bad: stop at a file that cannot be right, or skip it and report it in the manifest.
        """
        super().__init__(path, (".md",), on_bad)
        self.languages = None if languages is None else [get_language(code).code for code in languages]
        self.name = name or Path(path).resolve().stem
        self.license = spdx(license)
        self.attribution = attribution

    def items(self) -> Iterator[Path]:
        files = self.files
        found = set()
        for file in files:
            code = _folder_language(file)
            if self.languages is not None and code is not None and code not in self.languages:
                continue
            found.add(code)
            yield file
        if not found:
            raise UserError(
                f"{self.path!r} holds no story in {', '.join(self.languages or LANGUAGES)}; check the path."
            )

    def stories(self, item: Path) -> Iterator[Story]:
        title, paragraphs, credits = parse(read_utf8(item))
        language = credits.get("language") or _folder_language(item)
        if language is None:
            raise UserError(
                f"{str(item)!r} does not say its language; add '* Language: hi' or put it in a folder named so."
            )
        if language not in (self.languages or LANGUAGES):
            return
        if not paragraphs:
            if not credits:
                raise UserError(f"{str(item)!r} holds no text; remove it or pass --source.on_bad skip.")
            self.skipped.append(f"{str(item)!r} is a picture book without words.")
            return
        number = _NUMBER.match(item.stem)
        group = f"{self.name}-{number.group() if number else item.stem}"
        yield Story(
            id=f"{group}-{language}",
            language=language,
            text="\n\n".join(paragraphs),
            source=self.name,
            title=title,
            group=group,
            license=spdx(credits["license"]) if credits.get("license") else self.license,
            attribution=attribution(title or item.stem, credits, self.attribution),
        )

    def inputs(self) -> dict[str, str]:
        wanted = {relative(file, self.path) for file in self.items()}
        return {name: digest for name, digest in super().inputs().items() if name in wanted}


def parse(markdown: str) -> tuple[str, list[str], dict[str, str]]:
    """Title, paragraphs in plain text, and credits (lower-case key -> value) of one story."""
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines, credits = _take_credits(lines)
    title = ""
    for number, line in enumerate(lines):
        if line.strip():
            if line.startswith("# "):
                title = _plain(line[2:].strip())
                lines = lines[number + 1 :]
            break
    paragraphs: list[str] = []
    for page in _PAGE_BREAK.split("\n".join(lines)):
        for block in re.split(r"\n[ \t]*\n", page):
            kept = [_plain(line) for line in block.split("\n") if not _RULE.match(line)]
            text = "\n".join(line for line in kept if line.strip()).strip()
            if text:
                paragraphs.append(text)
    if paragraphs and _repeats(title, paragraphs[0]):
        del paragraphs[0]
    return title, paragraphs, credits


def attribution(title: str, credits: dict[str, str], publisher: str = "") -> str:
    """The line that names a story and everybody its licence asks to name."""
    people = [f"{role}: {credits[key]}" for key, role in _ROLES.items() if credits.get(key)]
    line = "; ".join([f"“{title}”", *people])
    return f"{line} ({publisher})" if publisher else line


def _repeats(title: str, paragraph: str) -> bool:
    """Whether a paragraph is the title again, maybe with the language's English name behind it."""
    names = "|".join(language.name for language in LANGUAGES.values())
    bare = re.sub(rf"\s*\((?:{names})\)$", "", paragraph.strip())
    return bare.split() == title.split() and bool(title)


def _take_credits(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """Part the footer, a last block of `* Key: value` lines that names a licence or a language, from the story."""
    end = len(lines)
    credits: dict[str, str] = {}
    while end and ((match := _CREDIT.match(lines[end - 1].strip())) or not lines[end - 1].strip()):
        if match:
            credits[match[1].strip().lower()] = match[2].strip()
        end -= 1
    if "license" in credits or "language" in credits:
        return lines[:end], credits
    return lines, {}


def _plain(line: str) -> str:
    """A line without Markdown: headings, images, links and emphasis give their text."""
    if heading := _HEADING.match(line):
        line = heading[1]
    line = _LINK.sub(r"\1", _IMAGE.sub("", line))
    return _ESCAPE.sub(r"\1", _EMPHASIS.sub(r"\2", line))


def _folder_language(file: Path) -> str | None:
    return file.parent.name if file.parent.name in LANGUAGES else None
