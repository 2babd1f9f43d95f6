"""Prompt tuning, fine-tuning, and the two in turn: ProMoT (section 4 of the paper).

Stage 1 finds ``P* ≈ argmin_P E ℓ(y | [P; E(x)]; θ₀)`` with the model frozen. Stage 2 keeps P*
frozen *and in place* and finds ``θ* ≈ argmin_θ E ℓ(y | [P*; E(x)]; θ)`` from θ₀. Other tasks then
read ``E(x)`` with θ*, without a prompt. Every stage keeps the checkpoint with the best validation
score on the *target*.

A prompt takes the first p positions, so that the text's positions are shifted by p under it; the
models used here have relative positions (rotary, or T5's biases).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common.examples import Batch, Example
from methods.common.soft_prompt import SoftPrompt, from_vocabulary, own_prompt_loss, uniform
from methods.common.training import fit, token_loss
from methods.promot.metrics import score, task_score
from methods.promot.problem import Adapted, Query, TuningProblem, answers
from methods.promot.stage import ATTACHED, Loss, Stage, Training, new_optimizer

if TYPE_CHECKING:
    from harness.method import Context

Prompts = Mapping[str, SoftPrompt | None]


@dataclass
class Session:
    """One tuned model in the making.

    Attributes:
        problem: What is learned.
        ctx: The trial.
        model: Changed in place.
        prompts: By target task; None where its inputs have no prompt.
        shots: Demonstrations in the inputs.
        steps: Updates of the model so far.
        weights: Folders of trained weights of the model, oldest first, where several devices hold it.
    """

    problem: TuningProblem
    ctx: Context
    model: Any
    prompts: dict[str, SoftPrompt | None]
    shots: int = 0
    steps: int = 0
    weights: tuple[Path, ...] = ()

    @classmethod
    def begin(cls, problem: TuningProblem, ctx: Context, *, shots: int = 0) -> Session:
        """A private copy of the pretrained model, without prompts."""
        check_targets(problem, shots)
        return cls(problem, ctx, problem.model(), dict.fromkeys(problem.targets), shots)

    def result(self, *, final: bool = True, alignment: Mapping[str, float] | None = None) -> Adapted:
        """The model as it is now."""
        return Adapted(self.model, dict(self.prompts), self.shots, self.steps, final, alignment or {})

    def examples(self, tasks: Sequence[str]) -> list[Example]:
        """Training examples of these tasks, in the form that this session's inputs have."""
        return [example for task in tasks for example in self.problem.targets[task].train[self.shots]]

    def validation_score(self, tasks: Sequence[str]) -> float:
        """Mean over the target tasks of their validation scores, 0 … 100."""
        return float(np.mean([target_score(self, task) for task in tasks]))

    def loss(self, tasks: Sequence[str] = ()) -> Loss:
        """Cross-entropy with each example behind the prompt of its own task.

        Raises:
            ProblemError: If some of the tasks have a prompt and some have none.
        """
        chosen = {name: self.prompts[name] for name in tasks or self.prompts}
        own = {name: prompt for name, prompt in chosen.items() if prompt is not None}
        if not own:
            return token_loss
        if len(own) < len(chosen):
            raise ProblemError(
                "Some tasks of a batch have a prompt and some have none",
                where=", ".join(set(chosen) - set(own)),
            )
        return PromptedLoss(own)

    def train(
        self,
        parameters: Sequence[Mapping[str, Any]],
        stage: Stage,
        *,
        name: str,
        tasks: Sequence[str] = (),
        examples: Sequence[Example] = (),
        loss: Loss | None = None,
        anchor: float = 0.0,
        watch: Callable[[int], None] | None = None,
    ) -> list[float]:
        """Train parameters (groups of an optimizer) on the target tasks, and keep the best.

        Args:
            parameters: Of the model and of prompts.
            stage: How.
            name: Of the training, for its random numbers and checkpoints.
            tasks: Target tasks; all if empty.
            examples: What to learn; those of the tasks if empty.
            loss: Another loss than that of the tasks' prompts.
            anchor: Strength of the pull back to where the weights start.
            watch: Called with the number of updates.

        Returns:
            The loss of each update, before it.
        """
        chosen = list(tasks or self.problem.targets)
        learnt, total = list(examples) or self.examples(chosen), loss or self.loss(chosen)
        if len(self.ctx.devices) > 1:
            from methods.promot.in_parts import train_in_parts

            what = Training(name, learnt, total, chosen, anchor, watch)
            return train_in_parts(self, parameters, stage, what)
        history = fit(
            self.model,
            new_optimizer(stage, parameters),
            learnt,
            stage.recipe(),
            rng=self.ctx.rng(f"order of {name}"),
            pad=self.problem.reading.pad,
            loss=anchored(total, self.model, anchor) if anchor else total,
            validate=lambda: self.validation_score(chosen),
            watch=watch,
            progress=self.ctx.progress,
            checkpoints=self.ctx.checkpoints,
            name=name,
        )
        return history.losses


@dataclass(frozen=True)
class PromptedLoss:
    """Cross-entropy with each example behind the prompt of its own task.

    Attributes:
        prompts: By task. Where a model has prompts of its own (:data:`ATTACHED`), as in processes that share
            it, those of the same tasks are meant.
    """

    prompts: Mapping[str, SoftPrompt]

    def __call__(self, model: Any, batch: Batch, smoothing: float) -> Tensor:
        """The loss, summed over target tokens."""
        attached = getattr(model, ATTACHED, None) or self.prompts
        chosen = {name: attached[name] for name in self.prompts}
        return own_prompt_loss(chosen, task_of)(model, batch, smoothing)


def check_targets(problem: TuningProblem, shots: int) -> None:
    """Make sure that there is something to learn, in the wanted form, and that sets are apart.

    Raises:
        ProblemError: If there is no target, an example names none, a form is missing, or a
            validation input is also a training input.
    """
    if not problem.targets:
        raise ProblemError("There is no target task to tune on", where="targets", fix="Give at least one.")
    for name, target in problem.targets.items():
        if shots not in target.train or not target.train[shots] or not target.validation.get(shots):
            raise ProblemError(
                f"The target has no training or no validation inputs with {shots} demonstrations",
                where=name,
                fix=f"It has them with: {', '.join(map(str, sorted(target.train)))}.",
            )
        strange = [e.id for e in target.train[shots] if task_of(e.id) != name]
        if strange:
            raise ProblemError(
                "An example's id does not begin with its task, so its prompt is unknown",
                where=strange[0],
                fix=f"Call it '{name}/<number>'.",
            )
        seen = {example.prompt for example in target.train[0]} if 0 in target.train else set()
        shared = [q.unit for q in target.validation.get(0, ()) if q.prompt in seen]
        if shared:
            raise ProblemError(
                f"{len(shared)} validation inputs are also training inputs",
                where=shared[0],
                fix="Remove duplicates before splitting.",
            )


def task_of(name: str) -> str:
    """The task of an example, from its id ``task/number``."""
    return name.partition("/")[0]


def target_score(session: Session, task: str) -> float:
    """The validation score of one target task, 0 … 100."""
    queries = session.problem.targets[task].validation[session.shots]
    found = answers(session.model, queries, session.problem.reading, session.prompts[task])
    return score_of(queries, found)


def score_of(queries: Sequence[Query], texts: Sequence[str]) -> float:
    """One task's score of its answers, 0 … 100."""
    rows = [score(query.kind, text, query.references) for query, text in zip(queries, texts, strict=True)]
    return task_score({"score": [row.score for row in rows], "counts": [row.counts for row in rows]})


def tune_prompt(
    session: Session, task: str, length: int, stage: Stage, watch: Callable[[int], None] | None = None
) -> None:
    """Stage 1: a prompt for one task, from sampled vocabulary embeddings, the model frozen."""
    prompt = from_vocabulary(session.model, length, session.ctx.rng(f"first prompt of {task}"))
    # Frozen but for its own training: ``fit`` makes trainable what the optimizer holds, and nothing else.
    session.prompts[task] = prompt.requires_grad_(requires_grad=False)
    groups = [{"params": [prompt.weight]}]
    session.train(groups, stage, name=f"stage 1 of {task}", tasks=[task], watch=watch)


def take_prompt(session: Session, task: str, values: Tensor) -> None:
    """A prompt that stage 1 has given before, shape (p, d)."""
    prompt = SoftPrompt(*values.shape)
    prompt.weight = nn.Parameter(values.to(session.model.get_input_embeddings().weight.device, copy=True))
    session.prompts[task] = prompt.requires_grad_(requires_grad=False)


def tune_model(
    session: Session,
    stage: Stage,
    *,
    tasks: Sequence[str] = (),
    examples: Sequence[Example] = (),
    loss: Loss | None = None,
    anchor: float = 0.0,
    watch: Callable[[int], None] | None = None,
) -> None:
    """Stage 2, or standard fine-tuning where there are no prompts: all weights of the model."""
    groups = [{"params": model_parameters(session.model)}]
    before = session.steps

    def seen(step: int) -> None:
        session.steps = before + step
        if watch:
            watch(session.steps)

    losses = session.train(
        groups, stage, name="stage 2", tasks=tasks, examples=examples, loss=loss, anchor=anchor, watch=seen
    )
    session.steps = before + len(losses)


def tune_jointly(
    session: Session, length: int, stage: Stage, watch: Callable[[int], None] | None = None
) -> None:
    """Prompt and model together from the start, at one rate."""
    for task in session.problem.targets:
        prompt = from_vocabulary(session.model, length, session.ctx.rng(f"first prompt of {task}"))
        session.prompts[task] = prompt.requires_grad_(requires_grad=False)
    weights = [prompt.weight for prompt in session.prompts.values() if prompt is not None]
    groups = [{"params": model_parameters(session.model)}, {"params": weights}]
    session.steps = len(session.train(groups, stage, name="stage 2", watch=watch))


def set_prompts(session: Session, length: int, kind: Literal["random", "zero"]) -> None:
    """Frozen prompts that were never tuned: uniform in ±½, or zero."""
    for task in session.problem.targets:
        prompt = uniform(session.model, length, session.ctx.torch_rng(f"random prompt of {task}"))
        if kind == "zero":
            nn.init.zeros_(prompt.weight)
        session.prompts[task] = prompt.requires_grad_(requires_grad=False)


def model_parameters(model: Any) -> list[nn.Parameter]:
    """All weights of the model, those of adapters excluded; tied ones once."""
    from methods.common.lora import lora_parameters

    adapters = {id(factor) for factor in lora_parameters(model)}
    return [parameter for parameter in model.parameters() if id(parameter) not in adapters]


def shuffled(examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
    """The same inputs with the answers of others: formats remain, meaning is gone."""
    order = rng.permutation(len(examples))
    return [
        replace(example, target=examples[int(other)].target)
        for example, other in zip(examples, order, strict=True)
    ]


def anchored(loss: Loss, model: Any, strength: float) -> Loss:
    """L2-SP: ``strength · ‖θ − θ₀‖²`` for each target token on top of a loss."""
    start = copies(model_parameters(model))

    def total(current: Any, batch: Batch, smoothing: float) -> Tensor:
        moved = [
            (parameter - first.to(parameter.device)).pow(2).sum()
            for parameter, first in zip(model_parameters(current), start, strict=True)
        ]
        return loss(current, batch, smoothing) + strength * len(batch.gold) * torch.stack(moved).sum()

    return total


def interpolate(model: Any, start: Mapping[str, Tensor], share: float) -> None:
    """WiSE-FT: θ ← (1 − share) θ₀ + share θ, in place."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.lerp_(start[name].to(parameter.device), 1.0 - share)


def copies(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Copies on the host, which has room for a second model where a GPU has none."""
    return [parameter.detach().to("cpu", copy=True) for parameter in parameters]
