"""Equivalent starts: do trajectories of Z = A Bᵀ depend on how Z is split (C1 to C4)?

A task opens the same problem from several starts: a base start, the same up to rounding, and
equivalent pairs (AR, BR⁻ᵀ). A method descends from each and returns the products it ends at. All
in float64.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Metric, Scores, Task, param
from harness.method.metric import Columns
from methods.lora_rite.citation import YEN
from methods.lora_rite.gauge import KINDS, equivalent, golden_factors, golden_transformation, transformation
from methods.lora_rite.hook import NamedOptimizer, OptimizerHook

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from methods.lora_rite.pairs import Pair

MOVED = 0.01
"""A relative deviation that no rounding explains."""
ROUNDING = 1e-10
"""Relative deviation of Z allowed to an invariant optimizer: float64 rounding (2e-16), times the
conditioning of the transformation and of the factors (up to 1e2 and 1e3), with room for its growth
over the steps."""
NUDGE = 1e-14
"""Relative change of the start whose effect shows what rounding alone can do."""


@dataclass(frozen=True)
class Start:
    """One way to begin a problem.

    Attributes:
        case: The problem.
        kind: ``"base"``, ``"nudged"`` (the same up to rounding), ``"moved"`` (equivalent).
        open: Gives fresh pairs and the loss as a function of them.
        steps: Steps to take.
        scale: How far the start is scaled, A by s and B by 1/s.
        turn: The kind of R, where a case has moved starts of several.
    """

    case: str
    kind: str
    open: Callable[[], tuple[list[Pair], Callable[[], Tensor]]]
    steps: int
    scale: float = 1.0
    turn: str = ""


@dataclass(frozen=True)
class Descent:
    """Starts of several cases."""

    starts: tuple[Start, ...]


@dataclass(frozen=True)
class Arrival:
    """Where a descent began and ended, and the sizes of its first step.

    Attributes:
        start: Where it began.
        before: Z at the start, one matrix a pair.
        after: Z at the end.
        sizes: ‖δA Bᵀ‖ and ‖A δBᵀ‖ of the first step, over all pairs.
    """

    start: Start
    before: list[Tensor]
    after: list[Tensor]
    sizes: tuple[float, float]


@dataclass(frozen=True)
class BaseDescend(OptimizerHook, Method[Descent, "list[Arrival]"]):
    """A number of steps from each start, with the optimizer of a subclass."""

    problem_type: ClassVar[type] = Descent

    rate: float = param(0.05, source="card, section 8", doc="learning rate")

    def run(self, problem: Descent, ctx: Context) -> list[Arrival]:
        """Descend from each start."""
        return [self._descend(start) for start in problem.starts]

    def _descend(self, start: Start) -> Arrival:
        import torch

        from methods.common.loop import Loop, drawn
        from methods.lora_rite.pairs import contributions, products

        pairs, loss = start.open()
        optimizer = self.opened(pairs, self.rate)
        before, first = products(pairs), [(p.a.detach().clone(), p.b.detach().clone()) for p in pairs]
        sizes = [(0.0, 0.0)]

        def watch(done: int) -> None:
            if done == 1:
                sizes.append(contributions(pairs, first))

        Loop(optimizer, drawn(lambda: None), lambda _: loss(), start.steps, watch=watch).run()
        with torch.no_grad():
            return Arrival(start, before, products(pairs), sizes[-1])


@dataclass(frozen=True)
class Descend(BaseDescend, NamedOptimizer):
    """A number of optimizer steps from each start, on the full gradient."""

    cites: ClassVar[str] = YEN

    plain: bool = param(
        default=True, source="card, section 3.3", doc="no clipping, no skipping, smallest ε, as in the theory"
    )

    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """The optimizer of that name, without any regularisation where ``plain``."""
        from methods.lora_rite.optimizers import make_optimizer

        return make_optimizer(self.optimizer, pairs, rate, plain=self.plain)


@dataclass(frozen=True)
class Equivalent(Task[Descent, "list[Arrival]"]):
    """Scores how far trajectories from equivalent starts drift apart.

    Attributes:
        rounding: Relative deviation of Z that is rounding.
        beyond: So many times what rounding does (and allows) is none.
    """

    rounding: ClassVar[float] = ROUNDING
    beyond: ClassVar[float] = 1e3

    steps: int = param(5, source="card, section 8", doc="optimizer steps")

    def problem(self, ctx: Context) -> Descent:
        """For each case a base start, a nudged one, and an equivalent one."""
        return Descent(tuple(self.starts(ctx)))

    @abstractmethod
    def starts(self, ctx: Context) -> Iterator[Start]:
        """All starts."""

    def evaluate(self, result: list[Arrival], ctx: Context) -> Scores:
        """Deviations of Z at the end, relative to the distance from its start.

        - ``main``: as errors, with what rounding allows;
        - ``witness``: cases that drift apart although rounding alone hardly moves them.
        """
        kinds = {(a.start.case, a.start.kind): a for a in result}
        turned = [arrival for arrival in result if arrival.start.kind == "moved"]
        names = [", ".join(filter(None, (a.start.case, a.start.turn))) for a in turned]
        bases = [kinds[a.start.case, "base"] for a in turned]
        moved = [deviation(base, a) for base, a in zip(bases, turned, strict=True)]
        nudged = [deviation(base, kinds[base.start.case, "nudged"]) for base in bases]
        main: dict[str, list[Any]] = {
            "unit_id": names,
            "case": names,
            "error": moved,
            "tolerance": [self.rounding] * len(names),
            "confirmed": [
                m > self.beyond * max(n, self.rounding) for m, n in zip(moved, nudged, strict=True)
            ],
        }
        witness: dict[str, list[Any]] = {
            "unit_id": names,
            "case": names,
            "error": moved,
            "witness": [value > MOVED for value in moved],
            "confirmed": [own < self.rounding for own in nudged],
        }
        return Scores({"main": main, "witness": witness})


def deviation(base: Arrival, other: Arrival) -> float:
    """‖Z' − Z‖ / ‖Z − Z₀‖ at the end, over all pairs; infinite if the base run did not move."""
    way = sum(float((end - begin).square().sum()) for begin, end in zip(base.before, base.after, strict=True))
    gap = sum(float((x - y).square().sum()) for x, y in zip(base.after, other.after, strict=True))
    return float((gap / way) ** 0.5) if way > 0 else float("inf")


@dataclass(frozen=True)
class Factored(Equivalent):
    """Half the mean square of A Bᵀ − T, for the card's factors and for random ones."""

    kind: str = param("general", source="paper, Definition 1", doc=f"which R: {', '.join(KINDS)}")
    random: int = param(12, source="ours", doc="random cases a seed")

    def starts(self, ctx: Context) -> Iterator[Start]:
        """The golden case with its golden R, then random cases."""
        import torch

        from methods.common import draws

        rng = ctx.torch_rng("factors")
        a, b, target = golden_factors()
        yield from _three("card", (a, b), target, golden_transformation(self.kind), self.steps)
        for number in range(self.random):
            rank = draws.integer(5, rng, low=2)
            rows, columns = (rank + draws.integer(12, rng) for _ in range(2))
            a, b = (draws.normal((side, rank), rng, dtype=torch.float64) for side in (rows, columns))
            target = a @ b.mT + 0.5 * draws.normal((rows, columns), rng, dtype=torch.float64)
            turn = transformation(self.kind, rank, rng)
            yield from _three(f"random {number}", (a, b), target, turn, self.steps)


@dataclass(frozen=True)
class Rescaled(Task[Descent, "list[Arrival]"]):
    """One step from (sA, B/s) for s from .01 to 100: which factor moves Z (C4)?"""

    scales: tuple[float, ...] = param((0.01, 0.1, 1.0, 10.0, 100.0), source="card, section 8", doc="s")

    def problem(self, ctx: Context) -> Descent:
        """The card's factors, and square and rectangular random ones."""
        import torch

        from methods.common.draws import normal

        rng = ctx.torch_rng("rescaled")
        cases = {"card": golden_factors()}
        for rows, columns in ((8, 8), (6, 30)):
            shapes = ((rows, 3), (columns, 3), (rows, columns))
            a, b, target = (normal(shape, rng, dtype=torch.float64) for shape in shapes)
            cases[f"{rows} × {columns}"] = (a, b, target)
        return Descent(
            tuple(
                Start(name, "scaled", _opener(a * s, b / s, t), 1, s)
                for name, (a, b, t) in cases.items()
                for s in self.scales
            )
        )

    def evaluate(self, result: list[Arrival], ctx: Context) -> Scores:
        """The ratio ‖δA Bᵀ‖ / ‖A δBᵀ‖.

        - ``main``: its logarithm beside ½ log(m/n), what equal RMS of both factors gives;
        - ``slope``: its exponent in s, beside −2, what a step that ignores s gives.
        """
        import numpy as np

        main: dict[str, list[Any]] = {key: [] for key in ("unit_id", "case", "error", "scale", "ratio")}
        points: dict[str, list[tuple[float, float]]] = {}
        for arrival in result:
            rows, columns = arrival.before[0].shape
            scale, ratio = arrival.start.scale, float(np.log(arrival.sizes[0] / arrival.sizes[1]))
            points.setdefault(arrival.start.case, []).append((float(np.log(scale)), ratio))
            name = f"{arrival.start.case}, s = {scale:g}"
            values = (name, name, ratio - 0.5 * float(np.log(rows / columns)), scale, ratio)
            for key, value in zip(main, values, strict=True):
                main[key].append(value)
        names = list(points)
        fits = [float(np.polyfit([x for x, _ in p], [y for _, y in p], 1)[0]) for p in points.values()]
        slope: dict[str, list[Any]] = {"unit_id": names, "case": names, "error": [f + 2 for f in fits]}
        return Scores({"main": _judged(main), "slope": _judged({**slope, "slope": fits})})


def _judged(table: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Errors of closed formulas: rounding explains 1e-6, and nothing beyond .01."""
    errors = table["error"]
    return {
        **table,
        "tolerance": [1e-6] * len(errors),
        "confirmed": [abs(error) > MOVED for error in errors],
    }


def _three(
    case: str, factors: tuple[Tensor, Tensor], target: Tensor, turn: Tensor, steps: int
) -> Iterator[Start]:
    a, b = factors
    moved = equivalent(a, b, turn)
    yield Start(case, "base", _opener(a, b, target), steps)
    yield Start(case, "nudged", _opener(a * (1 + NUDGE), b, target), steps)
    yield Start(case, "moved", _opener(*moved, target), steps)


def _opener(a: Tensor, b: Tensor, target: Tensor) -> Callable[[], tuple[list[Pair], Callable[[], Tensor]]]:
    from torch import nn

    from methods.lora_rite.pairs import Pair

    def opened() -> tuple[list[Pair], Callable[[], Tensor]]:
        pair = Pair(nn.Parameter(a.clone()), nn.Parameter(b.clone()), axes=(1, 1))
        return [pair], lambda: 0.5 * (pair.a @ pair.b.mT - target).square().mean()

    return opened


@dataclass(frozen=True)
class TinyTransformer(Equivalent):
    """A two-layer transformer in float64 with LoRA (r = 4) on queries and values; B is not zero."""

    kind: str = param("general", source="paper, Definition 1", doc=f"which R: {', '.join(KINDS)}")
    steps: int = param(20, source="card, section 9", doc="optimizer steps")

    def starts(self, ctx: Context) -> Iterator[Start]:
        """One case: all pairs are transformed, each with its own R."""
        from methods.common.draws import integers

        rng = ctx.torch_rng("transformer")
        model, pairs = _adapted(rng)
        tokens = integers(32, (8, 12), rng)
        factors = [(p.a.detach().clone(), p.b.detach().clone()) for p in pairs]
        nudged = [(a * (1 + NUDGE), b) for a, b in factors]
        moved = turned(factors, self.kind, rng)
        for kind, values in (("base", factors), ("nudged", nudged), ("moved", moved)):
            opened = opener(pairs, values, lambda: model(input_ids=tokens, labels=tokens).loss)
            yield Start("transformer", kind, opened, self.steps)


def turned(factors: list[tuple[Tensor, Tensor]], kind: str, rng: Any) -> list[tuple[Tensor, Tensor]]:
    """Equivalent factors, (r, in) and (out, r), each pair with an R of its own."""
    found = []
    for a, b in factors:
        tall_a, tall_b = equivalent(a.mT, b, transformation(kind, a.shape[0], rng))
        found.append((tall_a.mT, tall_b))
    return found


def _adapted(rng: Any) -> tuple[Any, list[Pair]]:
    from methods.common import tiny_lm
    from methods.common.draws import fill_normal
    from methods.common.lora import add_lora
    from methods.lora_rite.pairs import find_pairs

    model = tiny_lm.new_model(32, tiny_lm.Size(layers=2, hidden=16, heads=2, context=16), rng)
    pairs = find_pairs(add_lora(model, ["q_proj", "v_proj"], 4, 4.0, rng))
    model.double()
    for pair in pairs:
        fill_normal(pair.b, 0.0, 0.2, rng)
    return model, pairs


def opener(
    pairs: list[Pair], values: list[tuple[Tensor, Tensor]], loss: Callable[[], Tensor]
) -> Callable[[], tuple[list[Pair], Callable[[], Tensor]]]:
    """A start of a model at these values of its factors; starts share the model, one after the other."""
    import torch

    def opened() -> tuple[list[Pair], Callable[[], Tensor]]:
        with torch.no_grad():
            for pair, (a, b) in zip(pairs, values, strict=True):
                pair.a.copy_(a)
                pair.b.copy_(b)
        return pairs, loss

    return opened


def _largest(columns: Columns) -> float:
    return float(max(columns["error"]))


DEVIATION = Metric("largest deviation of Z", ("error",), _largest, "lower", digits=2)
"""Over all cases; exact claims read the rows themselves."""
