"""What sparsity saves: the second layer's product from active rows only (C14, C16)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.sparsity.method import LI

if TYPE_CHECKING:
    from torch import Tensor, nn

FLOPS = mean_of("flops", better="lower", name="FLOPs of a token's second layer", digits=0)
SECONDS = mean_of("seconds", better="lower", name="time", unit="s", digits=4)
EXACT = mean_of("error", better="lower", name="largest error")

ROUNDING = 4.0
"""Multiples of unit round-off times √n · ‖v‖‖a‖ that two orders of summation may differ by."""


@dataclass(frozen=True)
class Case:
    """A second layer, and activation maps that it is given.

    Attributes:
        name: Of the case.
        layer: V, and perhaps a bias.
        maps: a for each token, shape (tokens, d_ff), float32.
    """

    name: str
    layer: nn.Linear
    maps: Tensor


@dataclass(frozen=True)
class SecondLayers:
    """Second layers to be multiplied with."""

    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Product:
    """Outputs of one case, and how they were made.

    Attributes:
        case: The case.
        out: V a, shape (tokens, d_model).
        layer: From maps to outputs; it made ``out``.
    """

    case: Case
    out: Tensor
    layer: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class SecondLayerTask(Task[SecondLayers, "list[Product]"]):
    """Random second layers and activation maps, with as many active entries as are asked for.

    Some tokens of each case have none or all of their entries active.
    """

    shapes: tuple[tuple[int, int, int], ...] = param(
        ((32, 128, 16), (64, 512, 20), (768, 3072, 83), (768, 3072, 128)),
        source="card, section 3.5",
        doc="d_model, d_ff and active entries",
    )
    tokens: int = param(32, source="ours", doc="tokens of a case")

    def problem(self, ctx: Context) -> SecondLayers:
        """This seed's layers and maps."""
        return SecondLayers(tuple(self._case(*shape, ctx) for shape in self.shapes))

    def _case(self, d_model: int, d_ff: int, active: int, ctx: Context) -> Case:
        import torch
        from torch import nn

        from methods.common import draws

        name = f"{d_model} × {d_ff}, {active} active"
        rng = ctx.torch_rng(name)
        layer = nn.Linear(d_ff, d_model).to(ctx.device)
        draws.fill_normal(layer.weight, 0.0, d_ff**-0.5, rng)
        draws.fill_normal(layer.bias, 0.0, 1.0, rng)
        scores = draws.uniform((self.tokens, d_ff), rng, device=ctx.device)
        chosen = torch.zeros_like(scores, dtype=torch.bool)
        chosen.scatter_(1, scores.topk(active, dim=1).indices, value=True)
        if self.tokens > 2:
            chosen[0], chosen[1] = False, True
        maps = draws.uniform((self.tokens, d_ff), rng, device=ctx.device).add(0.01) * chosen
        return Case(name, layer, maps)

    def evaluate(self, result: list[Product], ctx: Context) -> Scores:
        """Against the dense product in float64, and against 2 · d_model · s.

        - ``main``: largest deviation of an output, with what rounding allows;
        - ``flops``: operations that PyTorch executed, beside the formula's.
        """
        exact: dict[str, list[Any]] = {key: [] for key in ("error", "tolerance", "confirmed")}
        counted: dict[str, list[Any]] = {key: [] for key in ("error", "tolerance", "confirmed", "flops")}
        names = [product.case.name for product in result]
        for product in result:
            error, allowed = _deviation(product)
            for key, value in (
                ("error", error),
                ("tolerance", allowed),
                ("confirmed", error > 100 * allowed),
            ):
                exact[key].append(value)
            maps = product.case.maps
            wanted = 2 * product.case.layer.out_features * int((maps != 0).sum())
            executed = operations(product)
            gap = abs(executed - wanted)
            row = {"error": float(gap), "tolerance": 0.5, "confirmed": gap > 0}
            for key, value in {**row, "flops": executed / len(maps)}.items():
                counted[key].append(value)
        labels = {"unit_id": names, "case": names}
        return Scores({"main": {**labels, **exact}, "flops": {**labels, **counted}})


_SUMS_OF_ROWS = ("_embedding_bag", "_embedding_bag_forward_only")
"""What ``embedding_bag`` comes to, which PyTorch's counter does not know of."""


def operations(product: Product) -> int:
    """Multiplications and additions that the layer executes for all tokens of the case."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    mapping = {getattr(torch.ops.aten, name): _rows for name in _SUMS_OF_ROWS}
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        product.layer(product.case.maps)
    return int(counter.get_total_flops())


def _rows(weight: Sequence[int], places: Sequence[int], *_: Any, **__: Any) -> int:
    """Operations of a weighted sum of rows: each row that is named is multiplied and added.

    Args:
        weight: Shape of the rows, (rows, width).
        places: Shape of their numbers, (n,).
    """
    return 2 * places[0] * weight[1]


def _deviation(product: Product) -> tuple[float, float]:
    """Largest error relative to its tolerance's scale, and the tolerance.

    Rounding of a sum of n products in any order is within n · u · Σ|v a|; √n of it is typical.
    """
    import torch

    case = product.case
    weight, bias = case.layer.weight.detach().double(), case.layer.bias.detach().double()
    maps = case.maps.double()
    error = (product.out.double() - (maps @ weight.mT + bias)).abs()
    scale = maps.abs() @ weight.mT.abs() + bias.abs()
    allowed = ROUNDING * maps.shape[1] ** 0.5 * torch.finfo(torch.float32).eps / 2
    return float((error / scale).max()), allowed


@dataclass(frozen=True)
class DenseProduct(Method[SecondLayers, "list[Product]"]):
    """Every row of V is multiplied, whether its neuron is active or not."""

    problem_type: ClassVar[type] = SecondLayers
    cites: ClassVar[str] = LI

    repeats: int = param(1, source="ours", doc="how often the product is taken, for timing")

    def run(self, problem: SecondLayers, ctx: Context) -> list[Product]:
        """The products."""
        return [self._product(case) for case in problem.cases]

    def _product(self, case: Case) -> Product:
        import torch

        with torch.inference_mode():
            for _ in range(self.repeats):
                out = case.layer(case.maps)
        return Product(case, out, case.layer)


@dataclass(frozen=True)
class SparseProduct(Method[SecondLayers, "list[Product]"]):
    """Rows of active neurons are gathered, the others are not read (paper, section 3.1)."""

    problem_type: ClassVar[type] = SecondLayers
    cites: ClassVar[str] = LI

    repeats: int = param(1, source="ours", doc="how often the product is taken, for timing")

    def run(self, problem: SecondLayers, ctx: Context) -> list[Product]:
        """The products."""
        return [self._product(case) for case in problem.cases]

    def _product(self, case: Case) -> Product:
        from methods.sparsity.sparse_layer import SparseSecondLayer

        layer = SparseSecondLayer(case.layer)
        maps = self.read(case.maps)
        for _ in range(self.repeats):
            out = layer(maps)
        return Product(case, out, lambda given: layer(self.read(given)))

    def read(self, maps: Tensor) -> Tensor:
        """The maps as they are; a negative control drops entries here."""
        return maps
