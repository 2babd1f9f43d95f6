"""Fine-tuning a language model with LoRA: the problem, what a method returns, and the method."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.lora_rite.citation import YEN
from methods.lora_rite.hook import NamedOptimizer, OptimizerHook

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from methods.common.examples import Example
    from methods.common.training import Recipe
    from methods.lora_rite.pairs import Pair

ACCURACY = mean_of("correct", better="higher", name="accuracy", digits=3, worst=0.0)
IMBALANCE = mean_of("imbalance", better="lower", name="|log ‖δA Bᵀ‖/‖A δBᵀ‖|", digits=2, worst=10.0)
GROWTH_A = mean_of("growth_a", better="higher", name="relative change of A", digits=3, worst=0.0)
GROWTH_B = mean_of("growth_b", better="higher", name="‖B‖ over ‖A‖", digits=3, worst=0.0)


@dataclass(frozen=True)
class Adaptation:
    """A model to adapt.

    Attributes:
        model: Gives a fresh copy of the base model.
        train: Training examples.
        pad: Id to fill rows with.
        recipe: How long to train; watched each ``recipe.every`` steps.
        roles: Of the layers that get adapters, as in ``methods.common.lora``.
        loss: Another loss than that of target tokens, or ``None``.
        folder: Where the base model lies, for processes that share it; ``None`` if it is for one device.
    """

    model: Callable[[], Any]
    train: list[Example]
    pad: int
    recipe: Recipe
    roles: tuple[str, ...]
    loss: Any = None
    folder: Path | None = None


@dataclass
class Adapted:
    """A model in training or after it.

    Attributes:
        model: With its adapters, once training is over.
        done: Whether training is over.
        moved: ‖δA Bᵀ‖ and ‖A δBᵀ‖ since it was last watched, over all pairs.
        growth: ‖A − A₀‖/‖A₀‖ and ‖B‖/‖A₀‖, over all pairs.
    """

    model: Any
    done: bool = False
    moved: tuple[float, float] = (0.0, 0.0)
    growth: tuple[float, float] = (0.0, 0.0)


class AdaptationTask(Task[Adaptation, Adapted]):
    """Scores a model in training by its factors only, and after it by its answers."""

    def evaluate(self, result: Adapted, ctx: Context) -> Scores:
        """Parts ``main`` (``validation`` in tuning) after training, ``factors`` during it."""
        if not result.done:
            return Scores({"factors": factor_rows(result)})
        return self.answers(result, ctx)

    @abstractmethod
    def answers(self, result: Adapted, ctx: Context) -> Scores:
        """Score the answers of the tuned model."""


def factor_rows(result: Adapted) -> dict[str, list[Any]]:
    """One row on how far each factor has moved and what it contributes."""
    a, b = result.moved
    # Before B has left zero, A cannot contribute: the ratio starts with the second look.
    ratio = abs(math.log(a / b)) if a > 0 and b > 0 else float("nan")
    return {
        "unit_id": ["all factors"],
        "imbalance": [ratio],
        "growth_a": [result.growth[0]],
        "growth_b": [result.growth[1]],
    }


@dataclass
class Watch:
    """Follows the factors during training."""

    ctx: Context
    start: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    last: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def look(self, step: int, pairs: list[Pair]) -> None:
        """Tell how far the factors have come since the last look."""
        from methods.lora_rite.pairs import contributions

        now = [(p.a.detach().clone(), p.b.detach().clone()) for p in pairs]
        self._follow(pairs[0].a.device)
        if not self.start:
            self.start = now
        else:
            size = _norm([a for a, _ in self.start])
            grown = _norm([x - y for (x, _), (y, _) in zip(now, self.start, strict=True)])
            growth = (grown / size, _norm([b for _, b in now]) / size)
            if _norm([b for _, b in self.last]) > 0:
                moved = contributions(pairs, self.last)
                self.ctx.probe(step, Adapted(None, moved=moved, growth=growth))
        self.last = now

    def _follow(self, device: torch.device) -> None:
        """Bring what was seen to the factors: a checkpoint gives it back on the host."""
        self.start, self.last = (
            [(a.to(device), b.to(device)) for a, b in seen] for seen in (self.start, self.last)
        )

    def state_dict(self) -> dict[str, Any]:
        """What was seen at the start and last, for checkpoints."""
        return {"start": self.start, "last": self.last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self.start, self.last = state["start"], state["last"]


def _norm(tensors: list[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.square().sum()) for tensor in tensors))


@dataclass(frozen=True)
class BaseFineTune(OptimizerHook, Method[Adaptation, Adapted]):
    """LoRA fine-tuning with the optimizer of a subclass."""

    problem_type: ClassVar[type] = Adaptation

    rate: float = param(5e-3, source="ours: tuned", doc="largest learning rate")
    rank: int = param(16, source="card, section 5", doc="r")
    alpha: float = param(16.0, source="the authors' code", doc="LoRA scale; the product is scaled by α/r")

    def run(self, problem: Adaptation, ctx: Context) -> Adapted:
        """Train the adapters of a fresh model."""
        if len(ctx.devices) > 1:
            from methods.lora_rite.in_parts import adapted_in_parts

            return Adapted(adapted_in_parts(self, problem, ctx), done=True)
        from methods.common.lora import add_lora, layers_of
        from methods.common.training import fit
        from methods.lora_rite.pairs import find_pairs

        model = problem.model()
        rng = ctx.torch_rng("adapters")
        pairs = find_pairs(add_lora(model, layers_of(model, problem.roles), self.rank, self.alpha, rng))
        watch = Watch(ctx)
        fit(
            model,
            self.opened(pairs, self.rate),
            problem.train,
            problem.recipe,
            rng=ctx.rng("order"),
            pad=problem.pad,
            loss=problem.loss,
            watch=lambda step: watch.look(step, pairs),
            progress=ctx.progress,
            checkpoints=ctx.checkpoints,
            name="fine-tuning",
            also={"watch": watch},
        )
        return Adapted(model, done=True)


@dataclass(frozen=True)
class FineTune(BaseFineTune, NamedOptimizer):
    """LoRA fine-tuning with one optimizer: linear warm-up, linear decay, no dropout, no decay."""

    cites: ClassVar[str] = YEN
