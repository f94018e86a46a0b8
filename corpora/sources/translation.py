"""Stories translated by a sequence-to-sequence model, sentence by sentence; doubtful ones are kept apart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import cached_property
from itertools import islice
from typing import Any

from corpora.errors import UserError
from corpora.folders import fingerprint, read_manifest
from corpora.languages import get_language
from corpora.parquet import rows_of
from corpora.sources.base import Source
from corpora.stories import Story, held_splits, shards, stream_corpus
from corpora.translation.flags import Checks
from corpora.translation.log import TranslationLog, digest
from corpora.translation.models import Tags, TranslationModel
from corpora.translation.sentences import join_text, split_sentences, split_text

_CHECKS = Checks()
_STORIES_AT_ONCE = 16


class Translation(Source):
    """Stories of another source or corpus, translated by a sequence-to-sequence model of transformers."""

    def __init__(
        self,
        model: str,
        languages: list[str],
        work: str,
        corpus: str = "",
        stories: Source | None = None,
        source_language: str = "en",
        limit: int = 0,
        revision: str = "",
        tags: Tags = "auto",
        beams: int = 1,
        batch_tokens: int = 4096,
        device: str = "auto",
        checks: Checks = _CHECKS,
    ):
        """Translate the stories of a corpus folder, or of another source.

        Every line keeps its place, every sentence is translated on its own. A story with one doubtful sentence is not
        given out but written, with the reasons, to WORK/flagged.jsonl; the source text never stands in for a
        translation. Finished stories lie in WORK/stories.jsonl, and the same command goes on from there.

        Args:
            model: a model's name on the Hub, or its folder: NLLB-200, M2M100, mBART-50, MarianMT, MADLAD-400 …, with
                safetensors weights and no code of its own.
            languages: ISO 639-1 codes to translate into.
            work: the folder for translations as they come.
            corpus: a corpus folder with the stories; its splits are kept.
            stories: a source of stories, if there is no corpus folder.
            source_language: the language to translate from; stories in others are passed over.
            limit: translate only so many stories; 0 means all.
            revision: branch, tag or commit on the Hub.
            tags: how the model is told the languages: `auto` finds it out, `indictrans2` writes `eng_Latn hin_Deva`
                before the sentence, `none` writes nothing.
            beams: width of the beam search; 1 is greedy.
            batch_tokens: source tokens translated together, padding included.
            device: `cpu`, `cuda`, or `auto`.
            checks: thresholds of the quality flags.
        """
        if bool(corpus) == (stories is not None):
            raise UserError("say what to translate: either --source.corpus FOLDER or --source.stories CLASS.")
        if not languages or source_language in languages:
            raise UserError(f"{source_language!r} cannot be translated into {languages}; choose other languages.")
        if min(beams, batch_tokens) < 1 or limit < 0:
            raise UserError("beams and batch_tokens must be at least 1, and limit at least 0.")
        self.model, self.languages, self.work, self.corpus, self.stories = model, languages, work, corpus, stories
        self.source_language = get_language(source_language).code
        self.limit, self.revision, self.tags = limit, revision, tags
        self.beams, self.batch_tokens, self.device, self.checks = beams, batch_tokens, device, checks
        for code in languages:
            get_language(code)
        self.skipped: list[str] = []

    @property
    def about(self) -> str:  # type: ignore[override]
        """Where the translations come from, for the dataset card."""
        of = get_language(self.source_language).name
        into = ", ".join(get_language(code).name for code in self.languages)
        return (
            f"Machine translations from {of} into {into} by `{self.model}`, sentence by sentence, not read by anybody. "
            "A story in which a sentence looked doubtful (length, script, language, copies, repetition, numbers) is "
            "left out."
        )

    @cached_property
    def translator(self) -> TranslationModel:
        """The model, opened when the first story needs it."""
        return TranslationModel(self.model, self.revision, self.tags, self.beams, self.batch_tokens, self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "translator"}  # too large to send

    def __iter__(self) -> Iterator[Story]:
        self.skipped = []
        refused = 0
        with TranslationLog(self.work, self._settings()) as log:
            wanted = self._wanted()
            while window := list(islice(wanted, _STORIES_AT_ONCE)):
                allowed = [story for story in window if not _forbids(story.license)]
                refused += len(window) - len(allowed)
                yield from self._window(allowed, log)
            log.check_finished(bool(self.limit))
        if refused:
            self.skipped.append(f"{refused:,} stories under a licence that allows no translations (ND).")

    def _window(self, stories: list[Story], log: TranslationLog) -> Iterator[Story]:
        """A few stories in all languages: from the log where they are there, else translated together."""
        keys = [(digest(story), language) for story in stories for language in self.languages]
        records = log.read(keys)
        if len(records) < len(keys):
            made = {language: self._translate(stories, language) for language in self.languages}
            for number, (story, language) in enumerate((s, code) for s in stories for code in self.languages):
                if number >= len(records):
                    text, title, flags = made[language][number // len(self.languages)]
                    new: dict[str, Any] = {
                        "id": story.id,
                        "language": language,
                        "of": keys[number][0],
                        "title": title,
                        "text": text,
                    }
                    records.append(log.write({**new, "flags": flags} if flags else new))
        for (story, language), record in zip(((s, c) for s in stories for c in self.languages), records, strict=True):
            if record.get("flags"):
                self.skipped.append(_reason(story, language, record["flags"]))
            else:
                yield self._story(story, language, record)

    def _translate(self, stories: list[Story], language: str) -> list[tuple[str, str, list[dict[str, Any]]]]:
        """Text, title and flagged sentences of every story; a sentence that comes twice is translated once."""
        own = self.source_language
        texts = [split_text(story.text, own) for story in stories]
        titles = [split_sentences(story.title, own) for story in stories]
        sentences = dict.fromkeys(s for lines in [*texts, titles] for line in lines for s in line)
        made = self.translator.translate(list(sentences), own, language)
        known = dict(zip(sentences, made, strict=True))
        results = []
        for lines, title in zip(texts, titles, strict=True):
            flags = []
            for sentence in dict.fromkeys(s for line in [title, *lines] for s in line):
                one = known[sentence]
                why = [*one.flags, *self.checks.flags(sentence, one.text, own, language)]
                if why:
                    flags.append({"sentence": sentence, "translation": one.text, "reasons": why})
            text = join_text([[known[s].text for s in line] for line in lines])
            results.append((text, " ".join(known[s].text for s in title), flags))
        return results

    def _story(self, story: Story, language: str, record: dict[str, Any]) -> Story:
        credit = f"{story.attribution}; machine translation: {self.model}" if story.attribution else ""
        return replace(
            story,
            id=f"{story.id}-{language}",
            language=language,
            text=record["text"],
            title=record["title"],
            group=story.group or story.id,
            attribution=credit,
            generator=self.model,
            prompt=json.dumps({**_origin(story.prompt), "translated_from": story.id}, ensure_ascii=False),
        )

    def _wanted(self) -> Iterator[Story]:
        every = (story for story in self._read() if story.language == self.source_language)
        return islice(every, self.limit) if self.limit else every

    def _read(self) -> Iterable[Story]:
        if self.stories is not None:
            return self.stories
        return self._in_corpus()

    def _in_corpus(self) -> Iterator[Story]:
        """Every story of the corpus folder in the source language."""
        read_manifest(self.corpus, "corpus")
        held = held_splits(self.corpus, self.source_language)
        if not held:
            name = get_language(self.source_language).name
            raise UserError(f"the corpus {self.corpus!r} has no {name} stories; check --source.source_language.")
        for split in held:
            yield from stream_corpus(self.corpus, split, [self.source_language])

    def _settings(self) -> dict[str, Any]:
        """What decides the translations: another model or other thresholds need another folder."""
        return {
            "model": self.model,
            "weights": self.translator.fingerprint(),
            "languages": self.languages,
            "source_language": self.source_language,
            "tags": self.tags,
            "beams": self.beams,
            "batch_tokens": self.batch_tokens,
            "checks": asdict(self.checks),
        }

    def inputs(self) -> dict[str, str]:
        of = {"corpus": fingerprint(self.corpus, "corpus")} if self.stories is None else self.stories.inputs()
        return {**of, self.model: self.translator.fingerprint()}

    def splits(self) -> dict[str, str]:
        if self.stories is not None:
            return self.stories.splits()
        return {
            row["group"] or row["id"]: split
            for split in held_splits(self.corpus, self.source_language)
            for path in shards(self.corpus, split, [self.source_language])
            for row in rows_of(path, ["id", "group"])
        }


def _forbids(license: str) -> bool:
    """Whether a licence allows no changed copies."""
    return bool(re.search(r"-ND\b", license.upper()))


def _origin(prompt: str) -> dict[str, Any]:
    """What a story was written from, without the words of its language."""
    try:
        fields = json.loads(prompt) if prompt else {}
    except ValueError:
        fields = {}
    return {key: value for key, value in fields.items() if key != "words"} if isinstance(fields, dict) else {}


def _reason(story: Story, language: str, flags: list[dict[str, Any]]) -> str:
    reasons = ", ".join(sorted({reason for flag in flags for reason in flag["reasons"]}))
    return f"{story.id!r} in {get_language(language).name}: {len(flags)} doubtful sentences ({reasons})."
