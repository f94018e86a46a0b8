import pytest
import torch

KINDS = ["gpt2", "llama", "xglm", "bloom", "gemma3", "qwen3", "t5", "mt5"]
PLACEMENTS = [{}, {"prefix": 3}, {"infix": 2}, {"suffix": 2}, {"prefix": 1, "infix": 2, "suffix": 3}]


def alone(answer_model, item, soft):
    """The model's own logits for one item: no padding, no explicit positions, no cache."""
    model = answer_model.model

    def embed(ids):
        return model.get_input_embeddings()(torch.tensor(ids, dtype=torch.long))

    rows = [
        soft.vectors("prefix"),
        embed(item.text_ids),
        soft.vectors("infix"),
        embed(item.template_ids),
        soft.vectors("suffix"),
    ]
    inputs = torch.cat(rows).unsqueeze(0)
    if answer_model.seq2seq:
        return model(inputs_embeds=inputs, decoder_input_ids=torch.tensor([[3]])).logits[0, 0]
    return model(inputs_embeds=inputs).logits[0, -1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("placement", PLACEMENTS, ids=lambda placement: "+".join(placement) or "none")
def test_batch_equals_each_item_alone(kind, placement, answer_models, vectors, mixed):
    answer_model = answer_models(kind)
    soft = vectors(32, **placement)
    together = answer_model.scores(answer_model.answer_states(mixed, soft))
    expected = torch.stack([alone(answer_model, item, soft) for item in mixed])
    torch.testing.assert_close(together, expected, atol=2e-4 * float(expected.detach().abs().max()), rtol=0)
    assert together.std(dim=0).max() > 1e-3 * together.abs().max()
