"""Where the layers of a model go that answers from several GPUs; no GPU is needed to reckon it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Generator

from harness.method import ProblemError
from methods.common.forward import only_at
from methods.common.sharded.spread import device_map, meet_at_input, spread
from methods.common.sharded.wrapping import layers_of
from methods.common.tiny_lm import Size, new_model
from tests.methods.common import models


def size_of(model: Any, places: dict[str, Any], place: int) -> int:
    """Bytes of the weights that a map puts on a GPU."""
    return sum(
        parameter.numel() * parameter.element_size()
        for name, parameter in model.named_parameters()
        if next(
            gpu for part, gpu in places.items() if not part or name == part or name.startswith(f"{part}.")
        )
        == place
    )


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_no_layer_is_cut_and_no_gpu_overfull(kind: str) -> None:
    model = models.t5() if kind == "t5" else new_model(48, Size(8, 32, heads=2, context=64), Generator())
    total = sum(parameter.numel() * 4 for parameter in model.parameters())
    free = [int(1.2 * total)] * 2
    places = device_map(model, free)
    assert set(places.values()) == {0, 1}
    assert all(0 < size_of(model, places, gpu) <= free[gpu] for gpu in (0, 1))
    names = {name for name, module in model.named_modules() if module in layers_of(model)}
    for name in names:
        assert any(name == part or name.startswith(f"{part}.") for part in places), f"{name} is cut"


def test_what_does_not_fit_goes_to_no_disk() -> None:
    with pytest.raises(ProblemError, match="does not fit on 2 GPUs"):
        device_map(models.llama(), [2000, 2000])


def test_on_one_device_nothing_is_spread() -> None:
    model = models.llama()
    assert spread(model, ("cpu", "cpu")) is model
    assert not hasattr(model, "hf_device_map")


def test_selected_logits_stay_those_of_the_places() -> None:
    model = models.llama()
    ids = torch.arange(6)[None] + 4
    with torch.no_grad():
        whole = model(ids).logits
        meet_at_input(model)
        with only_at(model, torch.tensor([2, 5])):
            some = model(ids).logits
    assert torch.allclose(some, whole[0, [2, 5]], atol=1e-6)
