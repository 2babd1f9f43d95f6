"""What an optimizer costs (C9, C10): seconds and numbers kept, by rank and by model size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Reference, Scores, Task, mean_of, param
from methods.lora_rite.citation import YEN
from methods.lora_rite.hook import NamedOptimizer, OptimizerHook

if TYPE_CHECKING:
    from methods.lora_rite.pairs import Pair

NUMBERS = mean_of("numbers", better="lower", name="numbers kept by a parameter", digits=3)


@dataclass(frozen=True)
class Layers:
    """Factors with gradients, by rank; never changed.

    Attributes:
        pairs: By rank, one pair for each layer.
    """

    pairs: dict[int, list[Pair]]


@dataclass(frozen=True)
class Spent:
    """State that an optimizer kept, and what it trained."""

    state: int
    trained: int


@dataclass(frozen=True)
class StepCost(Task[Layers, Spent]):
    """Steps over the LoRA pairs of linear layers; gradients are given."""

    layers: int = param(8, source="ours", doc="layers of each shape")
    shapes: tuple[tuple[int, int], ...] = param(((1024, 1024),), source="ours", doc="(in, out)")
    ranks: tuple[int, ...] = param((16,), source="card, section 5", doc="r")

    def problem(self, ctx: Context) -> Layers:
        """Random factors and gradients."""
        shapes = self.shapes * self.layers
        return Layers({rank: random_pairs(shapes, rank, ctx) for rank in self.ranks})

    def evaluate(self, result: Spent, ctx: Context) -> Scores:
        """Numbers of state over numbers of parameters."""
        return Scores({"main": {"unit_id": ["state"], "numbers": [result.state / result.trained]}})


@dataclass(frozen=True)
class BaseTakeSteps(OptimizerHook, Method[Layers, Spent]):
    """A few steps over pairs of one rank, with the optimizer of a subclass."""

    problem_type: ClassVar[type] = Layers

    rank: int = param(16, source="card, section 5", doc="r")
    repeats: int = param(5, source="ours", doc="steps in a block")

    def run(self, problem: Layers, ctx: Context) -> Spent:
        """Take the steps on copies of the factors."""
        from torch import nn

        from methods.lora_rite.pairs import Pair

        pairs = []
        for given in problem.pairs[self.rank]:
            pair = Pair(nn.Parameter(given.a.detach().clone()), nn.Parameter(given.b.detach().clone()))
            pair.a.grad, pair.b.grad = given.a.grad, given.b.grad
            pairs.append(pair)
        optimizer = self.opened(pairs, 1e-3)
        for _ in range(self.repeats):
            optimizer.step()
        states: list[dict[str, Any]] = list(optimizer.state.values())
        kept = sum(value.numel() for state in states for value in state.values())
        return Spent(kept, sum(pair.a.numel() + pair.b.numel() for pair in pairs))


@dataclass(frozen=True)
class TakeSteps(BaseTakeSteps, NamedOptimizer):
    """A few optimizer steps over pairs of one rank."""

    cites: ClassVar[str] = YEN


def random_pairs(shapes: tuple[tuple[int, int], ...], rank: int, ctx: Context) -> list[Pair]:
    """Pairs with random factors and gradients."""
    from torch import nn

    from methods.common.draws import normal
    from methods.lora_rite.pairs import Pair

    rng = ctx.torch_rng("factors")

    def factor(*shape: int) -> nn.Parameter:
        made = nn.Parameter(normal(shape, rng, device=ctx.device))
        made.grad = 1e-3 * normal(shape, rng, device=ctx.device)
        return made

    return [Pair(factor(rank, m), factor(n, rank), f"layer {i}") for i, (m, n) in enumerate(shapes)]


@dataclass(frozen=True)
class Workload:
    """Models by name, each with adapters, and a batch of tokens for it."""

    open: Callable[[str], tuple[Any, Any, list[Pair]]]


@dataclass(frozen=True)
class TrainingCost(Task[Workload, int]):
    """Whole training steps (forward, backward, optimizer) at two model sizes.

    Attributes:
        model: A checkpoint that stands in for the larger model; without it, both are random.
    """

    small: tuple[int, int] = param((2, 64), source="ours", doc="layers and width of the smaller model")
    large: tuple[int, int] = param((4, 256), source="ours", doc="layers and width of the larger model")
    rows: int = param(8, source="ours", doc="sequences a step")
    length: int = param(64, source="ours", doc="tokens a sequence")
    rank: int = param(16, source="card, section 5", doc="r")
    model: Reference | None = None

    def problem(self, ctx: Context) -> Workload:
        """Both models with LoRA on all linear layers, made once."""
        made = {"small": self._random(self.small, ctx)}
        made["large"] = self._random(self.large, ctx) if self.model is None else self._loaded(ctx)
        return Workload(made.__getitem__)

    def _random(self, size: tuple[int, int], ctx: Context) -> tuple[Any, Any, list[Pair]]:
        from methods.common import draws, tiny_lm

        rng = draws.generator(0)
        model = tiny_lm.new_model(512, tiny_lm.Size(size[0], size[1], context=self.length), rng)
        return self._adapted(model.to(ctx.device), ctx)

    def _loaded(self, ctx: Context) -> tuple[Any, Any, list[Pair]]:
        assert self.model is not None
        return self._adapted(ctx.load(self.model, fresh=True).model(ctx.device, "bfloat16"), ctx)

    def _adapted(self, model: Any, ctx: Context) -> tuple[Any, Any, list[Pair]]:
        from methods.common.draws import integers
        from methods.common.lora import add_lora, layers_of
        from methods.lora_rite.pairs import find_pairs

        rng = ctx.torch_rng("adapters")
        pairs = find_pairs(add_lora(model, layers_of(model), self.rank, float(self.rank), rng))
        high = int(model.config.vocab_size)
        shape = (self.rows, self.length)
        tokens = integers(high, shape, ctx.torch_rng("tokens"), device=ctx.device)
        return model, tokens, pairs

    def evaluate(self, result: int, ctx: Context) -> Scores:
        """How many steps were taken."""
        return Scores({"main": {"unit_id": ["steps"], "count": [result]}})


@dataclass(frozen=True)
class BaseTrain(OptimizerHook, Method[Workload, int]):
    """A few training steps of one model, with the optimizer of a subclass."""

    problem_type: ClassVar[type] = Workload

    size: str = param("large", source="card, section 9", doc="which model: small or large")
    repeats: int = param(3, source="ours", doc="steps in a block")

    def run(self, problem: Workload, ctx: Context) -> int:
        """Train, put the factors back, and return the number of steps."""
        import torch

        model, tokens, pairs = problem.open(self.size)
        before = [(pair.a.detach().clone(), pair.b.detach().clone()) for pair in pairs]
        optimizer = self.opened(pairs, 1e-4)
        for _ in range(self.repeats):
            optimizer.zero_grad()
            model(input_ids=tokens, labels=tokens).loss.backward()
            optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            for pair, (a, b) in zip(pairs, before, strict=True):
                pair.a.copy_(a)
                pair.b.copy_(b)
        return self.repeats


@dataclass(frozen=True)
class Train(BaseTrain, NamedOptimizer):
    """A few training steps of one model; the factors are put back afterwards."""
