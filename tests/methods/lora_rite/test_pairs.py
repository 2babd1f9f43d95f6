"""Finding pairs in models of ours, of peft, by name and explicitly; refusing what is no pair."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from harness.method import ProblemError
from methods.common.lora import add_lora, lora_pairs
from methods.lora_rite import LoraRite, Pair, find_pairs


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 5), nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.second(self.first(x).tanh())
        return out


def adapted() -> Tiny:
    model = Tiny()
    add_lora(model, ["first", "second"], 2, 2.0, torch.Generator().manual_seed(0))
    return model


def shapes(pairs: list[Pair]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(tuple(pair.a.shape), tuple(pair.b.shape)) for pair in pairs]


EXPECTED = [((2, 6), (5, 2)), ((2, 5), (4, 2))]


def test_our_layers_are_found_in_every_way() -> None:
    model = adapted()
    factors = lora_pairs(model)
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    sources: list[Any] = [
        model,
        named,
        factors,
        list(factors.values()),
        [(pair.a, pair.b) for pair in factors.values()],
    ]
    for source in sources:
        pairs = find_pairs(source)
        assert shapes(pairs) == EXPECTED
        assert [id(pair.a) for pair in pairs] == [id(pair.a) for pair in factors.values()]


def test_pefts_models_are_found_and_train() -> None:
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(Tiny(), peft.LoraConfig(r=2, target_modules=["first", "second"]))
    assert shapes(find_pairs(model)) == EXPECTED
    # So small layers have gradients above the usual bound.
    optimizer = LoraRite(model, lr=0.03, skip=0.0)
    rng = torch.Generator().manual_seed(1)
    x, y = torch.randn(16, 6, generator=rng), torch.randn(16, 4, generator=rng)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_trainable_parameters_outside_of_pairs_are_refused() -> None:
    model = adapted()
    model.register_parameter("scale", nn.Parameter(torch.zeros(3)))
    for make in (LoraRite, find_pairs):
        with pytest.raises(ProblemError, match="no LoRA factor") as caught:
            make(model)
        assert caught.value.where == "scale"


def test_a_factor_without_partner_is_refused() -> None:
    model = adapted()
    next(iter(lora_pairs(model).values())).b.requires_grad = False
    with pytest.raises(ProblemError, match="no trainable partner"):
        LoraRite(model)


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.ones(shape))


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (Pair(parameter(2, 6), parameter(5, 3)), "ranks 2 and 3"),
        (Pair(parameter(4, 6), parameter(3, 4)), "rank 4 is not between"),
        (Pair(parameter(0, 6), parameter(5, 0)), "rank 0 is not between"),
        (Pair(parameter(2, 6, 1), parameter(5, 2)), "must be matrices"),
        (Pair(torch.ones(2, 6), parameter(5, 2)), "frozen"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_factors_that_do_not_fit_are_refused(pair: Pair, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        find_pairs([pair])


def test_other_things_and_empty_sources_are_refused() -> None:
    with pytest.raises(ProblemError, match="no LoRA pair"):
        find_pairs(["factor"])  # type: ignore[list-item]
    with pytest.raises(ProblemError, match="no LoRA pair to train"):
        LoraRite([])


def test_groups_hold_names_and_alternating_factors() -> None:
    optimizer = LoraRite([{"params": adapted(), "lr": 0.1}])
    (group,) = optimizer.param_groups
    assert group["names"] == ["first", "second"]
    assert [tuple(factor.shape) for factor in group["params"]] == [s for pair in EXPECTED for s in pair]
