"""Fine-tuning for grades: RAFT, its relatives and baselines, as methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Context, Method, param

if TYPE_CHECKING:
    from methods.metric_aware.problem import Floats
    from methods.metric_aware.raft import Scorer, Split

RAFT = "Lukasik et al. (2025), OpenReview xGs7Ch3Vyo"


@dataclass(frozen=True)
class TrainingProblem:
    """Labelled items to learn from, and items to grade.

    Attributes:
        train: Features (n, d) and labels (n,).
        valid: To stop by, and under the stage ``tune`` what is graded.
        asked: Features of what is to be graded, shape (m, d).
        values: The grid.
        hidden: Units of the body; 0 for none.
        start: A pretrained body and digit layer by name of the weight; None starts afresh.
    """

    train: tuple[Floats, Floats]
    valid: tuple[Floats, Floats]
    asked: Floats
    values: tuple[float, ...]
    hidden: int
    start: Mapping[str, Any] | None


@dataclass(frozen=True)
class Grades:
    """What a trained model says of the items asked.

    Attributes:
        decision: By the read-out that belongs to the training, shape (m,).
        law: Distribution over the digits, shape (m, V').
        values: Those digits.
    """

    decision: Floats
    law: Floats
    values: tuple[float, ...]


@dataclass(frozen=True)
class AsIs(Method[TrainingProblem, Grades]):
    """The pretrained model without any fine-tuning."""

    problem_type: ClassVar[type] = TrainingProblem

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """Read its digits."""
        return graded(_scorer(problem, problem.values, ctx), problem, "ce")


@dataclass(frozen=True)
class FineTuned(Method[TrainingProblem, Grades]):
    """Fine-tuning on one objective, stopped early by the squared error on validation data.

    Cross-entropy and the MBR loss are read out by the mean of the digits, as RAFT is.
    """

    problem_type: ClassVar[type] = TrainingProblem
    cites: ClassVar[str] = RAFT

    objective: Literal["ce", "raft", "learnable", "mbr", "head", "digit-head"] = param(
        "raft", source="RAFT (2025), section 4", doc="what is minimised"
    )
    rate: float = param(0.016, source="ours", doc="largest learning rate of Adam")
    steps: int = param(200, source="ours", doc="updates; the paper's number is unknown")
    early: bool = param(default=True, source="ours", doc="keep the best step on validation data")
    digits: Literal["all", "ends", "inner"] = param(
        "all", source="RAFT (2025), section on grids", doc="all digits, the least and largest, or two within"
    )
    watched: int = param(0, source="ours", doc="evaluate each so many updates, for curves; 0: never")

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """Train a model and grade what is asked."""
        from methods.metric_aware.raft import Recipe, fine_tune

        values = chosen_digits(problem.values, self.digits)
        model = _scorer(problem, values, ctx)
        train, valid = _tensors(problem.train, ctx), _tensors(problem.valid, ctx)
        model.start_heads(train[1])
        recipe = Recipe(self.objective, self.rate, self.steps, max(1, self.steps // 30), self.early)

        def watch(step: int, now: Scorer) -> None:
            if self.watched and step % self.watched == 0:
                ctx.probe(step, graded(now, problem, self.objective, values))

        fine_tune(model, train, valid, recipe, watch, checkpoints=ctx.checkpoints)
        return graded(model, problem, self.objective, values)


def chosen_digits(values: tuple[float, ...], digits: Literal["all", "ends", "inner"]) -> tuple[float, ...]:
    """The grid that is trained on."""
    middle = len(values) // 2
    return {
        "all": values,
        "ends": (values[0], values[-1]),
        "inner": (values[middle - 1], values[middle + 1]),
    }[digits]


def graded(
    model: Scorer, problem: TrainingProblem, objective: Any, values: tuple[float, ...] | None = None
) -> Grades:
    """What a model says of the items asked."""
    import torch

    asked = torch.from_numpy(problem.asked).to(model.grid)
    with torch.no_grad():
        decision = model.answer(asked, objective).double().cpu().numpy()
        law = model.logits(asked).double().softmax(-1).cpu().numpy()
    return Grades(decision, law, values or problem.values)


def _scorer(problem: TrainingProblem, values: tuple[float, ...], ctx: Context) -> Scorer:
    """A fresh model, or a copy of the pretrained one with fresh heads."""
    from methods.common.draws import generator
    from methods.metric_aware.raft import Scorer

    rng = generator(int(ctx.rng("weights").integers(2**31)))
    model = Scorer(problem.asked.shape[1], values, problem.hidden, rng)
    if problem.start is not None:
        kept = {name: value for name, value in problem.start.items() if name.startswith(("body", "digits"))}
        places = [problem.values.index(value) for value in values]
        # A grid of few digits begins with the rows of those digits.
        kept |= {name: value[places] for name, value in kept.items() if name.startswith("digits")}
        model.load_state_dict({**model.state_dict(), **kept})
    return model.to(ctx.device)


def _tensors(split: tuple[Floats, Floats], ctx: Context) -> Split:
    import torch

    features, labels = (torch.from_numpy(part).float().to(ctx.device) for part in split)
    return features, labels
