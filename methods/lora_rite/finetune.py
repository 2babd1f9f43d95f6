"""Fine-tuning a language model with LoRA: its score, and the method."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.lora_rite.adaptation import Adaptation, Adapted, Watch
from methods.lora_rite.citation import YEN
from methods.lora_rite.hook import NamedOptimizer, OptimizerHook

if TYPE_CHECKING:
    from methods.common.training import Recipe

ACCURACY = mean_of("correct", better="higher", name="accuracy", digits=3, worst=0.0)
IMBALANCE = mean_of("imbalance", better="lower", name="|log ‖δA Bᵀ‖/‖A δBᵀ‖|", digits=2, worst=10.0)
GROWTH_A = mean_of("growth_a", better="higher", name="relative change of A", digits=3, worst=0.0)
GROWTH_B = mean_of("growth_b", better="higher", name="‖B‖ over ‖A‖", digits=3, worst=0.0)


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


def recipe_of(steps: int, batch: int, *, accumulate: int = 1, looks: int = 4) -> Recipe:
    """Linear warm-up in the first tenth of the updates, then linear decay; validated ``looks`` times."""
    from methods.common.training import Recipe

    return Recipe(
        steps=steps,
        batch=batch,
        accumulate=accumulate,
        warmup=max(1, steps // 10),
        schedule="linear",
        every=max(1, steps // looks),
    )


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

            made = adapted_in_parts(
                problem, ctx, self.opened, rate=self.rate, rank=self.rank, alpha=self.alpha
            )
            return Adapted(made, done=True)
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
