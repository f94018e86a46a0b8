"""How varied and how fast the embedded generator is: `python tests/benchmarks/bench_generator.py [stories] [CODE …]`.

For each language: stories a second of one core, exact duplicates, stories with an earlier near-duplicate (Jaccard
similarity of their word 5-grams >= 0.7: MinHash finds the candidates, the similarity is computed exactly), word types
(case folded), and the word forms that could come up at all. The last line is JSON.
"""

import json
import sys
import time
from collections import Counter

from corpora.building.similarity import similar_pairs
from corpora.grammar.coverage import WORD, Coverage
from corpora.grammar.generator import Generator
from corpora.grammar.lexicon import load_lexicon
from corpora.grammar.world import load_world


def measure(code, count):
    list(Generator([code], stories=2000, seed=1))  # the sentences are compiled, the first values made
    start = time.process_time()
    stories = list(Generator([code], stories=count))
    seconds = time.process_time() - start
    texts = [story.text for story in stories]
    plots, styles = (Counter(json.loads(story.prompt)[key] for story in stories) for key in ("plot", "style"))
    words = Counter(word.casefold() for text in texts for word in WORD.findall(text))
    pairs = similar_pairs(texts, 0.7, words=5)
    near = {later for _, later, _ in pairs}
    return {
        "stories": count,
        "stories per second": round(count / seconds),
        "characters per story": round(sum(map(len, texts)) / count),
        "words per story": round(sum(words.values()) / count, 1),
        "plots": len(plots),
        "styles": len(styles),
        "exact duplicates": count - len(set(texts)),
        "near-duplicates": len(near),
        "near-duplicates, %": round(100 * len(near) / count, 3),
        "word types": len(words),
        "word forms possible": len({form.casefold() for form in Coverage(load_lexicon(code)).word_forms()}),
    }


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    results = {}
    for language in sys.argv[2:] or ["hi", "mr", "bn", "en"]:
        results[language] = measure(language, wanted)
        print(language, *(f"{name}: {value}" for name, value in results[language].items()), sep="\n  ")
    world = load_world()
    print(f"{len(world.concepts())} concepts, {len(world.episodes)} episodes, {len(world.plots)} plots")
    print(json.dumps(results, ensure_ascii=False))
