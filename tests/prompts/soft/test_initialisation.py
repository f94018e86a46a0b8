import math

import pytest
import torch

from corpora.errors import UserError
from prompts.soft import Layout, ShallowPrompt, initialise
from prompts.soft.initialisation import token_counts


def rows(opened, *ids):
    return opened.embed(torch.tensor(ids)).detach()


def ids_of(opened, text):
    return opened.tokenizer(text, add_special_tokens=False)["input_ids"]


def test_text_is_repeated_or_cut_in_each_place(answer_model):
    opened = answer_model()
    first, second = ids_of(opened, "a b")
    prompt = initialise(Layout(prefix=1, suffix=3), opened, "text", text="a b")
    assert torch.equal(prompt.vectors("prefix"), rows(opened, first))
    assert torch.equal(prompt.vectors("suffix"), rows(opened, first, second, first))


def test_text_by_place(answer_model):
    opened = answer_model()
    prompt = initialise(Layout(prefix=2, infix=2), opened, "text", text={"prefix": "साहस", "infix": "दोस्त"})
    assert torch.equal(prompt.vectors("infix")[0], rows(opened, ids_of(opened, "दोस्त")[0])[0])
    with pytest.raises(UserError, match="starts from a text"):
        initialise(Layout(prefix=2, infix=2), opened, "text", text={"prefix": "साहस"})


def test_the_scale_is_what_the_model_is_fed(answer_model):
    # XGLM multiplies embedded tokens by sqrt(32); vectors given in their place are not multiplied again
    opened = answer_model("xglm")
    table = opened.model.get_input_embeddings().weight.detach()
    token = ids_of(opened, "साहस")[0]
    prompt = initialise(Layout(infix=1), opened, "text", text="साहस")
    torch.testing.assert_close(prompt.vectors("infix")[0], math.sqrt(32) * table[token])
    with torch.no_grad():
        by_vectors = opened.model(inputs_embeds=prompt.vectors("infix").unsqueeze(0)).logits
        by_ids = opened.model(input_ids=torch.tensor([[token]])).logits
    torch.testing.assert_close(by_vectors, by_ids)


def test_labels_are_means_dealt_out_over_the_vectors(answer_model):
    opened = answer_model()
    names = ["साहस", "दोस्ती", "सच"]
    means = [rows(opened, *ids_of(opened, " " + name)).mean(dim=0) for name in names]
    more = initialise(Layout(infix=4), opened, "labels", names=names)
    torch.testing.assert_close(more.all_vectors(), torch.stack([*means, means[0]]))
    fewer = initialise(Layout(prefix=1, suffix=1), opened, "labels", names=names)
    torch.testing.assert_close(fewer.all_vectors(), torch.stack([(means[0] + means[2]) / 2, means[1]]))


def test_frequent_tokens_are_counted_in_the_texts_and_never_special(answer_model, monkeypatch):
    opened = answer_model()
    texts = ["साहस साहस साहस", "<s>दोस्त</s>", "a"]
    counts = token_counts(opened, texts)
    assert not set(counts) & set(opened.tokenizer.all_special_ids)
    assert counts[ids_of(opened, "x साहस")[-1]] >= 2
    monkeypatch.setattr("prompts.soft.initialisation.MOST_FREQUENT", 2)
    commonest = sorted(counts, key=lambda token: (-counts[token], token))[:2]
    prompt = initialise(Layout(infix=2), opened, "frequent", texts=texts, seed=3)
    found = {tuple(row.tolist()) for row in prompt.all_vectors()}
    assert found == {tuple(row.tolist()) for row in rows(opened, *commonest)}
    with pytest.raises(UserError, match="only 2 different tokens"):
        initialise(Layout(infix=3), opened, "frequent", texts=texts)


def test_frequent_depends_on_the_seed_and_not_on_the_order_of_the_texts(answer_model, sentences):
    def draw(seed, texts=sentences):
        return initialise(Layout(infix=4), answer_model(), "frequent", texts=texts, seed=seed).all_vectors()

    assert torch.equal(draw(0), draw(0, sentences[::-1]))
    assert not torch.equal(draw(0), draw(1))


def test_mean_and_random_have_the_vocabularys_moments(answer_model):
    opened = answer_model("xglm")
    special = set(opened.tokenizer.all_special_ids)
    table = rows(opened, *[token for token in range(len(opened.tokenizer)) if token not in special])
    mean = initialise(Layout(infix=2), opened, "mean").all_vectors()
    torch.testing.assert_close(mean, table.mean(dim=0).expand(2, -1), rtol=1e-4, atol=1e-5)
    drawn = initialise(Layout(infix=20_000), opened, "random", seed=5).all_vectors()
    torch.testing.assert_close(drawn.std(dim=0), table.std(dim=0), rtol=0.03, atol=0)
    assert (drawn.mean(dim=0) - mean[0]).abs().max() < 0.04 * table.std()
    again, other = (initialise(Layout(infix=2), opened, "random", seed=seed).all_vectors() for seed in (5, 6))
    assert torch.equal(again, initialise(Layout(infix=2), opened, "random", seed=5).all_vectors())
    assert not torch.equal(again, other)


def test_another_prompt_gives_its_place_or_all_it_has(answer_model):
    values = torch.arange(3 * 32.0).view(3, 32)
    other = ShallowPrompt(Layout(prefix=1, infix=2), values)
    prompt = initialise(Layout(infix=3, suffix=2), answer_model(), "prompt", prompt=other)
    assert torch.equal(prompt.vectors("infix"), values[[1, 2, 1]])
    assert torch.equal(prompt.vectors("suffix"), values[[0, 1]])
    with pytest.raises(UserError, match="is 8 numbers wide"):
        initialise(Layout(infix=1), answer_model(), "prompt", prompt=ShallowPrompt(Layout(infix=1), torch.zeros(1, 8)))


@pytest.mark.parametrize("how", ["text", "labels", "frequent", "prompt"])
def test_a_start_without_what_it_is_made_from(answer_model, how):
    with pytest.raises(UserError, match="give"):
        initialise(Layout(infix=2), answer_model(), how)
