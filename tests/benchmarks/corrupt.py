"""Stories made bad in known ways, to measure the filters. Each function takes a story and a random.Random."""

import re
from itertools import count

from corpora.cleaning.identify import sentences

_CLOSING = re.compile(r"[^\w\u0900-\u0963\u0980-\u09e3]*\Z")


def shuffle_words(text, rng):
    """All words of the story in random order, punctuation with its word, as many in each line as before."""
    tokens = text.split()
    rng.shuffle(tokens)
    words = iter(tokens)
    return "\n".join(" ".join(next(words) for _ in line.split()) for line in text.split("\n"))


def shuffle_sentences(text, rng):
    """The words of each sentence in random order, its last punctuation at its end."""
    return "\n".join(" ".join(_shuffled(s, rng) for s in sentences(line)) for line in text.split("\n"))


def _shuffled(sentence, rng):
    tokens = sentence.split()
    if not tokens:
        return ""
    end = _CLOSING.search(tokens[-1])[0]
    tokens[-1] = tokens[-1][: len(tokens[-1]) - len(end)]
    rng.shuffle(tokens)
    return " ".join(tokens) + end


def mix(text, rng, others):
    """A quarter of the sentences, two at least, replaced by sentences of another language."""
    own = sentences(text)
    chosen = set(rng.sample(range(len(own)), min(len(own), max(2, len(own) // 4))))
    start, foreign = rng.randrange(len(others)), count()
    return " ".join(
        others[(start + next(foreign)) % len(others)] if i in chosen else sentence for i, sentence in enumerate(own)
    )


def mojibake(text, rng):
    """UTF-8 read as Windows-1252 or Latin-1, or as ASCII with replacement characters; in all or a third of the text."""
    start = 0 if rng.random() < 0.5 else rng.randrange(max(1, 2 * len(text) // 3))
    end = len(text) if start == 0 else start + len(text) // 3
    data = text[start:end].encode()
    kind = rng.choice(["cp1252", "latin-1", "replaced"])
    if kind == "replaced":
        bad = "".join("\ufffd" if ord(char) > 127 and rng.random() < 0.5 else char for char in text[start:end])
    else:
        bad = data.decode(kind, errors="replace")
    return text[:start] + bad + text[end:]


def html(text, rng):
    """Tags or entities: around paragraphs, in the text, or of a whole page."""
    paragraphs = text.split("\n\n")
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    if kind == 1:
        return "<br />".join(paragraphs) + "<br />"
    if kind == 2:
        return "&nbsp;".join(paragraphs) + " &quot;&#8212;&quot;"
    return f'<div class="story"><a href="/next">{paragraphs[0]}</a></div>' + "\n\n".join(paragraphs[1:])


def loop(text, rng):
    """What a model caught in a loop writes: a sentence, a few words, or one word again and again, or all twice."""
    own = sentences(text)
    cut = own[: max(1, rng.randrange(len(own)))]
    kind = rng.randrange(4)
    if kind == 0:
        return " ".join(cut + [cut[-1]] * rng.randint(6, 12))
    if kind == 1:
        return (
            " ".join([*cut, " ".join(cut[-1].split()[:4]), *([" ".join(cut[-1].split()[:4])] * rng.randint(8, 20))])
            + "."
        )
    if kind == 2:
        return " ".join(cut) + (" " + text.split()[0]) * rng.randint(15, 60) + "."
    return text + "\n\n" + text


def cut_off(text, rng):
    """Stopped in the middle of a sentence, somewhere in the second half."""
    words = text.split(" ")
    stop = rng.randrange(len(words) // 2, len(words))
    while stop > 3 and not words[stop - 1][-1:].isalnum() and words[stop - 1][-1:] in "।.?!\"'”’\n":
        stop -= 1
    return " ".join(words[:stop])
