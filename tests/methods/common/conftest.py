"""A small causal model with a byte-level tokenizer."""

from __future__ import annotations

import pytest
import torch

from methods.common import tiny_lm
from methods.common.language_model.local import LocalModel


@pytest.fixture(scope="session")
def local() -> LocalModel:
    texts = ["what colour is the hat? red green blue", "rating: 1 2 3 4 5 10"] * 3
    tokenizer = tiny_lm.train_tokenizer(texts, 300)
    generator = torch.Generator().manual_seed(0)
    model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(1, 32, context=128), generator)
    with torch.no_grad():
        for parameter in model.parameters():
            # Larger weights: the model prefers some tokens clearly.
            parameter.mul_(2.0 if parameter.ndim > 1 else 1.0)
    return LocalModel("tiny", "tiny-0", model.eval(), tokenizer, batch=3)
