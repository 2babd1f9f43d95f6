"""One forward pass: the logits of targets, with and without vectors before the input."""

from __future__ import annotations

import pytest
import torch

from harness.method import ProblemError
from methods.common.examples import collate, pack
from methods.common.forward import summed_loss, target_logits
from tests.methods.common import models


@pytest.mark.parametrize("name", sorted(models.MODELS))
def test_the_loss_is_the_models_own(name: str) -> None:
    model, data = models.MODELS[name](), models.examples(7, seed=2)
    batch = collate(data, 0, separate=name == "t5")
    with torch.no_grad():
        own = model(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).loss
        logits = target_logits(model, batch)
        assert logits.shape == (len(batch.gold), models.VOCABULARY)
        assert summed_loss(logits, batch.gold).item() / len(batch.gold) == pytest.approx(own.item(), rel=1e-5)
        # The output layer is as it was afterwards.
        assert model(input_ids=batch.ids, labels=batch.labels).logits.shape[:2] == batch.labels.shape


@pytest.mark.parametrize("name", sorted(models.MODELS))
def test_embedded_tokens_before_the_input_read_like_these_tokens(name: str) -> None:
    model, data = models.MODELS[name](), models.examples(5, seed=4)
    lead = (1, 9, 30)
    longer = [type(e)(e.id, lead + e.prompt, e.target) for e in data]
    with torch.no_grad():
        vectors = model.get_input_embeddings()(torch.tensor(lead))
        separate = name == "t5"
        found = target_logits(model, collate(data, 0, separate=separate), vectors)
        each = target_logits(model, collate(data, 0, separate=separate), vectors.expand(5, -1, -1))
        wanted = target_logits(model, collate(longer, 0, separate=separate))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(each, found)


def test_a_prefix_before_packed_rows_is_refused() -> None:
    model = models.llama()
    with pytest.raises(ProblemError, match="packed"):
        target_logits(model, pack(models.examples(3), 40, 0), torch.zeros(2, 32))


def test_smoothing_spreads_the_targets_mass() -> None:
    logits, gold = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)), torch.arange(5)
    logs = logits.log_softmax(-1)
    wanted = -(0.9 * logs[range(5), gold] + 0.1 * logs.mean(-1)).sum()
    assert summed_loss(logits, gold, 0.1).item() == pytest.approx(wanted.item(), rel=1e-6)
