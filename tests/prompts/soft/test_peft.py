"""A saved prefix is a standard adapter: the real `peft` opens it and gives the same logits."""

import warnings

import pytest
import torch

from prompts.soft import Layout, initialise
from prompts.soft.facts import Facts
from prompts.soft.saving import save_prompt

peft = pytest.importorskip("peft", reason="peft is not installed (it is part of the `test` extra)")


@pytest.mark.parametrize("kind", ["gpt2", "llama", "xglm", "bloom", "gemma3", "mt5"])
def test_peft_gives_the_same_logits(answer_model, make_model, tmp_path, kind):
    opened = answer_model(kind)
    prompt = initialise(Layout(prefix=4), opened, "random", seed=2)
    save_prompt(tmp_path / "prompt", prompt, opened, Facts(templates={"hi": "\nविषय: "}))
    (asked,) = opened.ask(["मीरा और राजू पक्के दोस्त थे।"], "\nविषय:", soft_length=4)
    ids = torch.tensor([asked.text_ids + asked.template_ids])
    decoder = {"decoder_input_ids": torch.tensor([[0]])} if opened.seq2seq else {}
    if opened.seq2seq:  # the answering model closes the encoder's input as the tokenizer does: here with nothing
        assert opened.tokenizer("a")["input_ids"][-1] != opened.tokenizer.eos_token_id

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted = peft.PeftModel.from_pretrained(make_model(kind), tmp_path / "prompt")
        with torch.no_grad():
            theirs = adapted(input_ids=ids, attention_mask=torch.ones_like(ids), **decoder).logits[:, -1]
            with adapted.disable_adapter():
                without = adapted(input_ids=ids, attention_mask=torch.ones_like(ids), **decoder).logits[:, -1]
    with torch.no_grad():
        ours = opened.scores(opened.answer_states([asked], prompt))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    assert (ours - without).abs().max() > 1e-2  # the prompt does something
