"""Fit the weights that tell Hindi, Marathi and Nepali apart:

    KATHALAB_DATA=DATA python tests/benchmarks/fit_identification.py FOLDER...

writes `corpora/cleaning/models/identification.tsv`. Nothing it reads is in the text that `bench_cleaning.py` measures:

- DATA/regional-tinystories/openings (hi, mr: 1,000 sentences each), DATA/ud (hi PUD, mr UFAL), and the stories of
  DATA/pratham with an even number (those with an odd number are measured), none of FLORES or SIB-200;
- 150 stories of the embedded generator (hi, mr);
- user-interface text from the gettext catalogues in FOLDER/{hi,mr,ne}/LC_MESSAGES (/usr/share/locale, and LibreOffice's
  program/resource for Nepali: Debian's libreoffice-l10n-ne), at most 3,500 messages of hi and mr, all of ne;
- word forms of the aspell dictionaries (hi, mr) and of Debian's hunspell-ne (FOLDER/ne_NP.dic), 24,000 of each;
- `identification/ne.txt`: Nepali sentences written for this, and the function words below.

Only n-gram weights are kept of all that. `#` in the file's first line gives the fit's settings.
"""

import gettext
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import torch

from corpora.cleaning.identify import MODEL, features, letters_of, sentences
from corpora.cleaning.normalize import normalize
from corpora.sources import Generator, Markdown

LANGUAGES = ("hi", "mr", "ne")
GRAMS, EPOCHS, DECAY, RATE = 8000, 8, 5e-6, 0.03
FUNCTION_WORDS = {
    "hi": "है हैं था थी थे का की के को ने में से पर और यह वह हूँ हो रहा रही रहे नहीं गया गई गए क्या मैं तुम आप हम उस उसने "
    "उसके इस कि तो भी ही कर लिए लिया दिया एक साथ कहा बोला बोली हुआ हुई जब तब वे उन्हें मुझे",
    "mr": "आहे आहेत होता होती होते होतं आणि नाही नाहीत तो ती ते त्या मी तू तुम्ही आम्ही त्याला तिला त्यांनी त्याने तिने या हा ही "
    "हे मध्ये साठी पण म्हणाला म्हणाली म्हणून एक झाला झाली झाले केला केली केले गेला गेली गेले कसा काय मला तुला आपण आता मग आला आली",
    "ne": "छ छन् थियो थिए थिइन् हो हुन् ले लाई को का की मा बाट सँग र पनि तर भयो गयो गरे भने भन्यो यो त्यो उनी उनले ऊ उसले म "
    "हामी तिमी तपाईं एउटा जना हरू गर्छ गर्न गर्दै गरेको भएको मैले मलाई उनीहरू सबै के किन कहाँ अनि",
}


def treebank(path):
    return [line[9:].strip() for line in path.read_text().splitlines() if line.startswith("# text = ")]


def messages(folders, language):
    found = set()
    for folder in folders:
        for file in sorted(Path(folder, language, "LC_MESSAGES").glob("*.mo")):
            if not file.name.startswith("iso_"):
                with file.open("rb") as catalogue:
                    translations = gettext.GNUTranslations(catalogue)._catalog
                found |= {text.strip() for original, text in translations.items() if original and text}
    return sorted(found)


def dictionary(folders, language):
    if language == "ne":
        path = next(Path(folder, "ne_NP.dic") for folder in folders if Path(folder, "ne_NP.dic").exists())
        return sorted({line.split("/")[0] for line in path.read_text().splitlines()[1:]})
    dump = subprocess.run(["aspell", "-d", language, "dump", "master"], capture_output=True, text=True, check=True)
    return sorted(set(dump.stdout.split()))


def spans(language, data, folders, rng):
    """Lists of words in one language."""
    texts = messages(folders, language)
    if language == "ne":
        texts += (Path(__file__).parent / "identification" / "ne.txt").read_text().splitlines() * 15
    else:
        texts = rng.sample(texts, min(3500, len(texts)))
        name = {"hi": "hindi", "mr": "marathi"}[language]
        texts += (data / f"regional-tinystories/openings/prompt-{name}.txt").read_text().splitlines()
        for path in sorted((data / "ud").glob(f"{language}_*.conllu")):
            texts += treebank(path)
        stories = [story for story in Markdown(str(data / "pratham"), [language]) if int(story.group[-4:]) % 2 == 0]
        for story in [*stories, *Generator([language], 150)]:
            texts += sentences(story.text)
    lists = [[word for token in normalize(text, language).split() if (word := letters_of(token))] for text in texts]
    lists = [[word for word in words if "\u0900" <= word[0] <= "\u097f"] for words in lists]
    forms = [letters_of(normalize(word, language)) for word in dictionary(folders, language)]
    forms = [word for word in forms if len(word) > 1]
    rng.shuffle(forms)
    lists += [forms[i : i + 4] for i in range(0, min(24_000, len(forms)), 4)]
    lists += [rng.sample(FUNCTION_WORDS[language].split(), 4) for _ in range(400)]
    return [words for words in lists if len(words) > 1]


def shorten(words, rng):
    size = rng.randint(3, 6)
    start = rng.randrange(len(words) - size + 1)
    return words[start : start + size]


def fit(grams, examples):
    """Weights (grams, 3) of a logistic regression over counts of n-grams; an example is (words, class, weight)."""
    index = {gram: i for i, gram in enumerate(grams)}
    known: dict[str, list[int]] = {}
    for words, _, _ in examples:
        for word in words:
            if word not in known:
                known[word] = [index[gram] for gram in features(word) if gram in index]
    bags = [torch.tensor([i for word in words for i in known[word]], dtype=torch.long) for words, _, _ in examples]
    labels = torch.tensor([label for _, label, _ in examples])
    weights = torch.tensor([weight for _, _, weight in examples])
    model = torch.nn.EmbeddingBag(len(grams), len(LANGUAGES), mode="sum")
    torch.nn.init.zeros_(model.weight)
    optimizer = torch.optim.Adam(model.parameters())
    rng = random.Random(0)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - epoch / EPOCHS)
        order = rng.sample(range(len(bags)), len(bags))
        for start in range(0, len(order), 256):
            batch = order[start : start + 256]
            offsets = torch.tensor([0, *(len(bags[i]) for i in batch[:-1])]).cumsum(0)
            logits = model(torch.cat([bags[i] for i in batch]), offsets)
            losses = torch.nn.functional.cross_entropy(logits, labels[batch], reduction="none", label_smoothing=0.02)
            loss = (losses * weights[batch]).mean() + DECAY * model.weight.pow(2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.weight.detach()


def main(folders):
    torch.set_num_threads(1)
    rng = random.Random(0)
    data = Path(os.environ["KATHALAB_DATA"])
    lists = {language: spans(language, data, folders, rng) for language in LANGUAGES}
    smallest = min(map(len, lists.values()))
    examples = []
    for label, language in enumerate(LANGUAGES):
        weight = smallest / len(lists[language])
        for words in lists[language]:
            examples.append((words, label, weight))
            if len(words) > 6:
                examples.append((shorten(words, rng), label, weight))
        print(language, f"{len(lists[language]):,} texts, {sum(map(len, lists[language])):,} words", flush=True)
    frequency = Counter(gram for words, _, _ in examples for gram in {g for word in words for g in features(word)})
    grams = [gram for gram, count in frequency.items() if count >= 4]
    weights = fit(grams, examples)
    counts = torch.tensor([frequency[gram] for gram in grams], dtype=torch.float)
    importance = (weights - weights.mean(1, keepdim=True)).abs().amax(1) * counts.sqrt()
    grams = sorted(grams[i] for i in importance.topk(GRAMS).indices)
    weights = fit(grams, examples)
    weights = (100 * (weights - weights[:, :1])).round().int().tolist()
    lines = [f"# n-gram, 100 x log-odds (nats) of Marathi and of Nepali over Hindi; L2 {DECAY}, {EPOCHS} epochs"]
    lines += [f"{gram}\t{marathi}\t{nepali}" for gram, (_, marathi, nepali) in zip(grams, weights, strict=True)]
    MODEL.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(grams):,} weights are in {MODEL}.")


if __name__ == "__main__":
    main(sys.argv[1:])
