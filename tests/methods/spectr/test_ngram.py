"""The n-gram draft: its law, drawing from it, and storing it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from methods.spectr.ngram import DISCOUNT, count_ngrams, load_ngram

V = 9
STREAM = np.random.default_rng(1).choice(V - 1, size=400, p=np.arange(1, V) / np.arange(1, V).sum())
MODEL = count_ngrams([(STREAM, 1.0)], V)
CONTEXTS = [[], [3], [3, 4], [7, 7], [8], [2, 8], [1, 5, 6]]


def slow(context: list[int]) -> np.ndarray:
    """Absolute discounting from its definition, history by history."""
    law = np.bincount(STREAM, minlength=V) / len(STREAM)
    for length in (1, 2):
        if len(context) < length:
            break
        history = context[-length:]
        after = [
            int(STREAM[i + length])
            for i in range(len(STREAM) - length)
            if STREAM[i : i + length].tolist() == history
        ]
        if after:
            counts = np.bincount(after, minlength=V)
            left = DISCOUNT * (counts > 0).sum() / len(after)
            law = np.maximum(counts - DISCOUNT, 0) / len(after) + left * law
    return law


@pytest.mark.parametrize("context", CONTEXTS, ids=str)
def test_law_is_absolute_discounting(context: list[int]) -> None:
    assert MODEL.law(context).numpy() == pytest.approx(slow(context), abs=1e-6)


@pytest.mark.parametrize("context", [[3, 4], [8], [1, 5, 6]], ids=str)
def test_drawing_follows_the_law(context: list[int]) -> None:
    uniforms = np.random.default_rng(2).uniform(size=20_000)
    found = np.bincount([MODEL.draw(context, float(u)) for u in uniforms], minlength=V)
    law = MODEL.law(context).double().numpy()
    known = law > 0
    assert found[~known].sum() == 0
    assert chisquare(found[known], law[known] / law[known].sum() * len(uniforms)).pvalue > 1e-3


def test_stored_model_is_the_same(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "n.safetensors")
    found = load_ngram(tmp_path / "n.safetensors")
    assert all(torch.equal(found.law(context), MODEL.law(context)) for context in CONTEXTS)


def test_weights_count_a_stream_several_times() -> None:
    twice = count_ngrams([(STREAM, 2.0)], V)
    assert torch.allclose(twice.single, MODEL.single)
    assert not torch.allclose(twice.law([3]), MODEL.law([3]))
