import copy

import pytest
import torch
from tokenizers import processors

from corpora.errors import UserError
from prompts.models import AnswerModel
from prompts.models.asking import special_prefix, special_suffix, split_question


def test_text_and_template_are_the_tokens_of_the_whole_string(answer_models, tokenizer, sentences):
    template = "\nविषय:"
    for text, asked in zip(sentences, answer_models("bloom").ask(sentences, template), strict=True):
        assert asked.text_ids + asked.template_ids == tokenizer(text + template)["input_ids"]
        assert tokenizer.decode(asked.text_ids[1:]) == text


def test_space_before_the_name_belongs_to_the_name(tokenizer):
    name = tokenizer.tokenize(" साहस")
    for names in ((), ("साहस",), ("साहस", "दोस्ती"), ("साहस", "साहस और")):
        text, template = split_question(tokenizer, "मीरा", "\nविषय: ", names)
        whole = tokenizer.convert_ids_to_tokens(text + template)
        assert whole + name == tokenizer.tokenize("मीरा\nविषय: साहस"), names


def test_piece_over_the_border_is_the_templates(tokenizer):
    text, template = split_question(tokenizer, "मीरा और राजू पक्के दो", "स्त थे।")
    assert tokenizer.decode(text) == "मीरा और राजू पक्के"
    assert tokenizer.convert_ids_to_tokens(text + template) == tokenizer.tokenize("मीरा और राजू पक्के दोस्त थे।")


def test_end_of_a_long_text_is_kept_and_everything_fits(answer_models, tokenizer, sentences):
    answer_model = answer_models("llama")  # 64 positions
    text = " ".join(sentences * 3)
    (asked,) = answer_model.ask([text], "\nविषय:", soft_length=9)
    ids, template = tokenizer(text)["input_ids"], tokenizer("\nविषय:", add_special_tokens=False)["input_ids"]
    assert asked.template_ids == template and asked.length + 9 == 64
    assert asked.text_ids == [1] + ids[-(asked.length - 1 - len(template)) :]


def test_template_that_fills_the_context_is_refused(answer_models):
    with pytest.raises(UserError, match="the model's context holds 64"):
        answer_models("llama").ask(["text"], "\nविषय:", soft_length=64)


def test_encoder_input_is_closed_after_everything(network, tokenizer, vectors, mixed):
    """T5 reads `</s>` at the end of every input: after the template, and after a suffix."""
    closing = copy.deepcopy(tokenizer)
    closing.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    assert (special_prefix(closing), special_suffix(closing)) == ([], [2])
    answer_model, soft = AnswerModel(network("t5"), closing), vectors(32, suffix=1)
    (asked,) = answer_model.ask(["मीरा"], "\nविषय:")
    assert asked.text_ids + asked.template_ids + [2] == closing("मीरा\nविषय:")["input_ids"]
    embed = answer_model.embed
    ids = torch.tensor(asked.text_ids + asked.template_ids)
    inputs = torch.cat([embed(ids), soft.vectors("suffix"), embed(torch.tensor([2]))]).unsqueeze(0)
    logits = answer_model.model(inputs_embeds=inputs, decoder_input_ids=torch.tensor([[3]])).logits[:, 0]
    torch.testing.assert_close(answer_model.scores(answer_model.answer_states([asked], soft)), logits)
