"""Methods on one's own material on the pretended GPU: the same as on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from methods.metric_aware.raft_loss import RaftLoss
from methods.sparsity.measuring import measure, top_k_activations
from methods.spectr.strategy import SpecTr
from tests.methods.sparsity import test_measuring as models
from tests.methods.spectr.test_strategy import PROMPT, llama, ngram
from tests.pretended_gpu import pretended_gpu


@pytest.mark.parametrize("draft", ["model", "n-gram", "prompt-lookup"])
def test_spectr_generates_the_same_text_on_every_device(draft: str) -> None:
    texts = []
    for device in ("cpu", "cuda"):
        with pretended_gpu():
            model = llama(0).to(device)
            drafts: dict[str, Any] = {"model": llama(1).to(device), "n-gram": ngram()}
            ids = torch.tensor([PROMPT, PROMPT], device=device)
            torch.manual_seed(3)
            found = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                custom_generate=SpecTr(drafts.get(draft, draft), drafts=2, length=3),
                do_sample=True,
                max_new_tokens=9,
                pad_token_id=0,
            )
            texts.append(found.cpu().tolist())
    assert texts[0] == texts[1]


def test_neurons_are_counted_alike_on_every_device() -> None:
    counts = []
    for device in ("cpu", "cuda"):
        with pretended_gpu():
            model = models.made("bert").to(device)
            with top_k_activations(model, 5):
                found = measure(model, [models.inputs_of("bert")])
            counts.append([layer.firing for layer in found.counts.layers])
    first, second = counts
    np.testing.assert_array_equal(first, second)


def test_raft_reads_logits_where_they_are() -> None:
    class Digits:
        def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
            return [int(text)]

    losses = []
    for device in ("cpu", "cuda"):
        with pretended_gpu():
            logits = torch.arange(20.0, device=device).view(2, 1, 10).sin()
            outputs = type("Outputs", (), {"logits": logits})
            losses.append(float(RaftLoss(Digits())(outputs, torch.tensor([2.5, 4.0], device=device))))
    assert losses[0] == losses[1]
