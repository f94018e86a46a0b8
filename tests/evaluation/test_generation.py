"""Written stories: greedy equals a plain loop, padding and batches are harmless, the end of the story is heeded."""

from __future__ import annotations

import pytest
import torch

from corpora.errors import UserError
from corpora.stories import Story
from evaluation.generation import Prompt, generate_stories, openings


@pytest.fixture(scope="module")
def prompts():
    return [Prompt("एक दिन राजा", "hi"), Prompt("", "hi"), Prompt("माँ", "hi")]


def greedy(model, ids: list[int], limit: int) -> list[int]:
    """Token by token, without cache or padding."""
    written: list[int] = []
    with torch.no_grad():
        while len(written) < limit and (not written or written[-1] != 2):
            written.append(int(model(input_ids=torch.tensor([ids + written])).logits[0, -1].argmax()))
    return written


def test_greedy_equals_a_plain_loop_in_any_batch(model, tokenizer, prompts):
    for batch_size in (1, 3):
        stories = generate_stories(model, tokenizer, prompts, max_new_tokens=12, temperature=0, batch_size=batch_size)
        for prompt, story in zip(prompts, stories, strict=True):
            ids = [1, *tokenizer.encode(prompt.text, add_special_tokens=False)]
            expected = greedy(model, ids, 12)
            assert story.text == tokenizer.decode(ids + expected, skip_special_tokens=True)
            assert (story.tokens, story.finished) == (len(expected), expected[-1] == 2)
            assert story.text.startswith(prompt.text) and story.prompt == prompt.text


def test_sampling_is_seeded_and_leaves_the_global_state_alone(model, tokenizer, prompts):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (
        generate_stories(model, tokenizer, prompts, max_new_tokens=12, seed=seed) for seed in (3, 3, 4)
    )
    assert first == again and [s.text for s in first] != [s.text for s in other]
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_end_of_the_story_stops_it(tokenizer, make_model, prompts):
    ending = make_model(len(tokenizer))

    def always_end(*arguments, **options):
        output = forward(*arguments, **options)
        output.logits[..., 2] = 1e4
        return output

    forward = ending.forward
    ending.forward = always_end
    for prompt, story in zip(prompts, generate_stories(ending, tokenizer, prompts), strict=True):
        assert (story.text, story.finished, story.tokens) == (prompt.text, True, 1)


def test_the_context_bounds_the_story(tokenizer, make_model):
    [story] = generate_stories(make_model(len(tokenizer), context=8), tokenizer, [Prompt("एक", "hi")], temperature=0)
    assert story.tokens <= 5  # BOS and two characters of eight are taken


def test_bad_prompts_are_refused(model, tokenizer, make_model):
    with pytest.raises(UserError, match="no prompts"):
        generate_stories(model, tokenizer, [])
    with pytest.raises(UserError, match="no room"):
        generate_stories(make_model(len(tokenizer), context=4), tokenizer, [Prompt("एक दिन", "hi")])
    with pytest.raises(UserError, match="do not match"):
        generate_stories(make_model(9), tokenizer, [Prompt("", "hi")])


def test_openings_come_from_held_out_stories_in_turn(stories):
    prompts = openings(stories, 9, seed=2)
    by_id = {story.id: story for story in stories}
    for number, prompt in enumerate(prompts):
        if number % 3 == 2:
            assert (prompt.text, prompt.story) == ("", "")
            continue
        assert by_id[prompt.story].text.startswith(prompt.text) and prompt.text
        if number % 3 == 0:
            assert prompt.text.endswith("।")
        else:
            assert len(prompt.text.split()) == 4
    assert openings(stories, 9, seed=2) == prompts != openings(stories, 9, seed=3)
    assert len(openings(stories[:2], 7)) == 7


def test_no_empty_prompt_when_the_language_would_be_open(stories):
    mixed = [*stories, Story("bn-1", "bn", "এক দিন রাজা এল। সে গেল।", "test")]
    assert all(prompt.text for prompt in openings(mixed, 10))


def test_openings_refuse_nothing_to_do(stories):
    with pytest.raises(UserError):
        openings(stories, 0)
    with pytest.raises(UserError):
        openings([], 3)
