"""FLOPs against the card's table and a count by hand."""

from __future__ import annotations

import pytest
import torch

from harness.method import ProblemError
from methods.sparsity import ActivationCounter, Mixer, MixerSize, TopK, VisionTransformer, VitSize, flops


@pytest.mark.parametrize(
    ("size", "active", "dense", "sparse", "saving"),
    [
        ((768, 3072), 0.027 * 3072, 4_718_592, 127_402, 48.65),
        ((768, 3072), 128, 4_718_592, 196_608, 47.92),
        ((1024, 65536), 128, 134_217_728, 262_144, 49.90),
    ],
)
def test_golden_table(size: tuple[int, int], active: float, dense: int, sparse: int, saving: float) -> None:
    d_model, d_ff = size
    assert flops.second_layer(d_model, d_ff) == dense
    assert round(flops.second_layer(d_model, active)) == sparse
    assert round(100 * flops.mlp_saving(d_ff, active), 2) == saving
    whole = flops.mlp_block(d_model, d_ff)
    assert 1 - flops.mlp_block(d_model, d_ff, active) / whole == pytest.approx(flops.mlp_saving(d_ff, active))
    rest = flops.transformer_layer(10, d_model, d_ff) - 10 * whole
    assert rest == 10 * 8 * d_model**2 + 4 * 100 * d_model
    sparse_layer = flops.transformer_layer(10, d_model, d_ff, active)
    assert sparse_layer == rest + 10 * flops.mlp_block(d_model, d_ff, active)


def test_counted_operations_equal_a_count_by_hand() -> None:
    size = MixerSize(d_model=6, d_tokens=10, d_ff=14, layers=2)
    model = Mixer(size, generator=torch.Generator().manual_seed(0), activation=TopK(3))
    seen: list[int] = []
    for name, part in model.named_modules():
        if name.endswith("down"):
            part.register_forward_pre_hook(
                lambda layer, args: seen.append(2 * layer.out_features * int((args[0] > 0).sum()))
            )
    with ActivationCounter(model) as counter:
        model(torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(1)))
    found = flops.counted(model, counter.take())
    assert found.sparse == sum(seen)
    assert found.dense == 2 * 2 * 5 * (6 * 10 * 16 + 16 * 14 * 6)
    assert found.saving == 1 - found.sparse / found.dense


def test_bad_input_is_refused() -> None:
    with pytest.raises(ProblemError, match="129 of 128"):
        flops.mlp_saving(128, 129)
    model = VisionTransformer(VitSize(layers=1), generator=torch.Generator())
    other = VisionTransformer(VitSize(layers=2), generator=torch.Generator())
    with ActivationCounter(model) as counter:
        model(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ProblemError, match="another model"):
        flops.counted(other, counter.take())
