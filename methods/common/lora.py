"""Low-rank adapters (Hu et al. 2021, arXiv:2106.09685): ``W' = W + (alpha / r) B A``.

Our own thin layers, and not ``peft``: the papers' optimizers and freezing rules act on the factors
themselves, the models change in place without wrappers, and runs need no further dependency. The
tests compare weights, gradients and merged models with those of ``peft``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common.draws import fill_uniform

LAYERS: Mapping[str, tuple[str, ...]] = {
    "query": ("q_proj", "q", "query"),
    "key": ("k_proj", "k", "key"),
    "value": ("v_proj", "v", "value"),
    "output": ("o_proj", "out_proj", "o"),
    "gate": ("gate_proj", "wi_1"),
    "up": ("up_proj", "wi_0", "wi", "fc1"),
    "down": ("down_proj", "fc2"),
}
"""What architectures call the linear layers of their blocks: Llama, Gemma, Qwen and Mistral; OPT; T5 and
mT5; BERT. T5's ``wo`` is not among them: its blocks read the layer's weight, and not its output alone."""
ALL = tuple(LAYERS)
QUERY_VALUE = ("query", "value")


@dataclass(frozen=True, eq=False)
class LoraPair:
    """The two factors of one adapted matrix.

    Attributes:
        a: Shape (r, in).
        b: Shape (out, r).
    """

    a: nn.Parameter
    b: nn.Parameter


class LoraLinear(nn.Module):
    """A frozen linear layer plus a trained product of rank r.

    The factors are float32 whatever the layer is, since small updates vanish in bfloat16.

    Attributes:
        base: The frozen layer, with weight (out, in).
        pair: The factors; ``b`` starts at zero, so that the layer starts as it was.
        scale: alpha / r.
        enabled: Whether the product is added.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__()
        self.base = base.requires_grad_(requires_grad=False)
        self.scale = alpha / rank
        self.enabled = True
        device = base.weight.device
        a = torch.empty(rank, base.in_features)
        # Uniform within 1 / sqrt(in): what the official code and peft draw.
        bound = 1.0 / math.sqrt(base.in_features)
        self.a = nn.Parameter(fill_uniform(a, -bound, bound, generator).to(device))
        self.b = nn.Parameter(torch.zeros(base.out_features, rank, device=device))

    @property
    def pair(self) -> LoraPair:
        """Both factors."""
        return LoraPair(self.a, self.b)

    def delta(self) -> Tensor:
        """What is added to the weight, shape (out, in), float32."""
        return self.scale * (self.b @ self.a)

    def forward(self, x: Tensor) -> Tensor:
        """From (…, in) to (…, out)."""
        out: Tensor = self.base(x)
        if not self.enabled:
            return out
        low = nn.functional.linear(x.to(self.a.dtype), self.a)
        return out + (nn.functional.linear(low, self.b) * self.scale).to(out.dtype)


def add_lora(
    model: nn.Module, targets: Sequence[str], rank: int, alpha: float, generator: torch.Generator
) -> dict[str, LoraPair]:
    """Adapt all linear layers whose name ends in one of ``targets``, and freeze all else.

    Args:
        model: Changed in place.
        targets: Last parts of module names: ``("q_proj", "v_proj")``; ``"mlp.up_proj"`` also works.
        rank: r, at least 1 and at most the smaller dimension of each layer.
        alpha: The product is scaled by alpha / r.
        generator: Draws the factors ``a``, in the order of the model's modules.

    Returns:
        The factors by name of the adapted module.

    Raises:
        ProblemError: If the rank fits no layer, a target matches nothing, or a matching module
            is not linear or already adapted.
    """
    named = {name: module for name, module in model.named_modules() if _matches(name, targets)}
    _check(model, named, targets, rank)
    model.requires_grad_(requires_grad=False)
    for name, module in named.items():
        parent, _, child = name.rpartition(".")
        layer = LoraLinear(module, rank, alpha, generator)
        setattr(model.get_submodule(parent), child, layer)
    return lora_pairs(model)


def layers_of(model: nn.Module, roles: Sequence[str] = ALL) -> tuple[str, ...]:
    """What a model calls its layers of some roles, for :func:`add_lora`.

    Args:
        model: Of ``transformers``, not adapted yet.
        roles: Keys of :data:`LAYERS`; roles that an architecture does not have are passed over, but
            for those of attention.

    Raises:
        ProblemError: If a role is unknown, or the model has no linear layer for a role of attention.
    """
    linear = {name.rpartition(".")[2] for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    found: list[str] = []
    for role in roles:
        if role not in LAYERS:
            raise ProblemError(f"No layer is called '{role}'", where="roles", fix=f"Use {', '.join(ALL)}.")
        names = [name for name in LAYERS[role] if name in linear]
        if not names and role in ("query", "key", "value"):
            raise ProblemError(
                f"The model has no linear layer for the {role} of attention",
                where=type(model).__name__,
                fix="GPT-2 and others have one fused layer for query, key and value, which LoRA here does "
                f"not adapt. Linear layers of this model: {', '.join(sorted(linear)) or 'none'}; name "
                "some in add_lora, or use Llama, Gemma, OPT, T5 or the like.",
            )
        found += names
    return tuple(found)


def lora_layers(model: nn.Module) -> dict[str, LoraLinear]:
    """All adapted layers by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


def lora_pairs(model: nn.Module) -> dict[str, LoraPair]:
    """The factors of all adapted layers by name."""
    return {name: layer.pair for name, layer in lora_layers(model).items()}


def lora_parameters(model: nn.Module) -> list[nn.Parameter]:
    """All factors, a before b."""
    return [factor for pair in lora_pairs(model).values() for factor in (pair.a, pair.b)]


def merge(model: nn.Module) -> None:
    """Add each product to its weight and put the plain layers back, in place."""
    for name, layer in lora_layers(model).items():
        with torch.no_grad():
            weight = layer.base.weight
            weight.copy_(weight + layer.delta().to(weight.dtype) if layer.enabled else weight)
        _replace(model, name, layer.base)


def remove(model: nn.Module) -> None:
    """Put the plain layers back as they were, in place."""
    for name, layer in lora_layers(model).items():
        _replace(model, name, layer.base)


@contextmanager
def disabled(model: nn.Module) -> Iterator[None]:
    """Run the model without its adapters."""
    layers = list(lora_layers(model).values())
    before = [layer.enabled for layer in layers]
    for layer in layers:
        layer.enabled = False
    try:
        yield
    finally:
        for layer, enabled in zip(layers, before, strict=True):
            layer.enabled = enabled


def _matches(name: str, targets: Sequence[str]) -> bool:
    return any(name == target or name.endswith(f".{target}") for target in targets)


def _replace(model: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)


def _check(model: nn.Module, named: dict[str, Any], targets: Sequence[str], rank: int) -> None:
    for target in targets:
        if not any(_matches(name, [target]) for name in named):
            linear = {
                name.rpartition(".")[2] for name, m in model.named_modules() if isinstance(m, nn.Linear)
            }
            raise ProblemError(
                f"No module of the model is called '{target}'",
                where=type(model).__name__,
                fix=f"Its linear layers are: {', '.join(sorted(linear)) or 'none'}.",
            )
    for name, module in named.items():
        if isinstance(module, LoraLinear) or not isinstance(module, nn.Linear):
            already = isinstance(module, LoraLinear)
            raise ProblemError(
                f"The module is {'already adapted' if already else 'not a linear layer'}",
                where=name,
                fix="Remove or merge its adapter first." if already else "Name linear layers only.",
            )
        largest = min(module.in_features, module.out_features)
        if not 1 <= rank <= largest:
            raise ProblemError(
                f"Rank {rank} is outside 1 … {largest}, the smaller dimension of the layer",
                where=name,
                fix="Choose a rank within it, or adapt only larger layers.",
            )
