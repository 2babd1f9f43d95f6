from __future__ import annotations

from typing import Any

import pytest

from harness.method.sizes import activations_gb, model_gb


def test_weights_gradients_and_states_are_counted() -> None:
    # 7e9 parameters: 14 GB in bfloat16, 112 GB with gradients, two moments and master weights.
    assert model_gb(7.0) == pytest.approx(1.1 * 14 + 1)
    assert model_gb(7.0, "full") == pytest.approx(1.1 * 112 + 1)
    assert model_gb(7.0, "full", weight_bytes=4.0) == pytest.approx(1.1 * 112 + 1)
    assert model_gb(7.0, "full", optimizer="adafactor") == pytest.approx(1.1 * 56 + 1)
    # The sums over several passes are float32, and the gradients of one pass stand beside them.
    assert model_gb(7.0, "full", optimizer="adafactor", passes=4) == pytest.approx(1.1 * 84 + 1)
    assert model_gb(7.0, "full", weight_bytes=4.0, passes=4) == model_gb(7.0, "full", weight_bytes=4.0)
    assert model_gb(7.0) < model_gb(7.0, "adapter") < 1.1 * model_gb(7.0)
    assert model_gb(7.0, copies=2) == pytest.approx(1.1 * 28 + 1)
    assert model_gb(7.0, beside_gb=10.0) == pytest.approx(model_gb(7.0) + 11, abs=0.06)


@pytest.mark.parametrize(("billions", "copies"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_models_have_a_size(billions: float, copies: int) -> None:
    with pytest.raises(ValueError, match="parameters"):
        model_gb(billions, copies=copies)


def test_activations_grow_with_tokens_and_layers_and_less_when_computed_again() -> None:
    shape: dict[str, Any] = {"width": 4096, "layers": 32}
    whole = activations_gb(2048, **shape)
    # 2048 tokens of LLaMA-7B: 34 bytes · 2048 · 4096 · 32 layers.
    assert whole == pytest.approx(9.13, abs=0.01)
    assert activations_gb(4096, **shape) == pytest.approx(2 * whole)
    assert activations_gb(2048, **shape, checkpointed=True) < whole / 8
    assert activations_gb(2048, **shape, vocabulary=256_000) == pytest.approx(whole + 5.24, abs=0.01)
