"""Both stages on a model that several devices hold together; see :mod:`methods.common.sharded`.

Soft prompts and adapters are added to the model in every process and stay whole there: in stage 1 they are
what is trained, while the model is divided and frozen; in stage 2 they are frozen and in place, while the
model is divided and trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from harness.method import Context, ProblemError
from methods.common.causal_lm import load_model
from methods.common.draws import generator
from methods.common.lora import add_lora, lora_layers
from methods.common.placing import FEW
from methods.common.sharded.gathered import Gathered
from methods.common.sharded.spread import release, spread
from methods.common.sharded.state import put
from methods.common.sharded.training import train
from methods.common.sharded.work import Work, is_stored_large
from methods.common.soft_prompt import SoftPrompt
from methods.promot.problem import TuningProblem
from methods.promot.stage import ATTACHED, Stage, Training, new_optimizer


class Tuned(Protocol):
    """What a training here needs of :class:`methods.promot.tuning.Session`."""

    problem: TuningProblem
    ctx: Context
    model: Any
    prompts: dict[str, SoftPrompt | None]
    weights: tuple[Path, ...]

    def validation_score(self, tasks: Sequence[str]) -> float:
        """Mean over the target tasks of their validation scores, 0 … 100."""


@dataclass(frozen=True)
class Assembled:
    """From the pretrained model to that of a session, with what is trained of it; can be pickled.

    Attributes:
        trained: Names of what is trained.
        adapted: Names of the layers that have adapters.
        rank: Of the adapters.
        alpha: Their scale times the rank.
        added: Values of factors and prompts, by name.
        weights: Folders of what earlier stages made of the model's own weights, oldest first.
    """

    trained: tuple[str, ...]
    adapted: tuple[str, ...]
    rank: int
    alpha: float
    added: Mapping[str, Tensor]
    weights: tuple[Path, ...]

    @property
    def moves(self) -> bool:
        """Whether own weights of the model are trained: beside the parts there is no room for all of them."""
        return any(name not in self.added for name in self.trained)

    def __call__(self, model: Any) -> dict[str, nn.Parameter]:
        """Change the model; returns what is trained, by name, in the order of the model."""
        if self.adapted:
            # What is drawn is replaced by the factors' values.
            add_lora(model, self.adapted, self.rank, self.alpha, generator(0))
        tasks = [name.split(".")[1] for name in self.added if name.startswith(f"{ATTACHED}.")]
        blank = {task: SoftPrompt(*self.added[_prompt(task)].shape) for task in tasks}
        if blank:
            setattr(model, ATTACHED, nn.ModuleDict(blank))
        for folder in self.weights:
            put(model, folder)
        named = dict(model.named_parameters())
        with torch.no_grad():
            for name, value in self.added.items():
                named[name].copy_(value)
        model.requires_grad_(requires_grad=False)
        wanted = set(self.trained)
        return {n: p.requires_grad_(requires_grad=True) for n, p in named.items() if n in wanted}


def train_in_parts(
    session: Tuned,
    parameters: Sequence[Mapping[str, Any]],
    stage: Stage,
    what: Training,
) -> list[float]:
    """As :meth:`methods.promot.tuning.Session.train` on one device, to rounding and apart from dropout.

    The session's model is for answering: spread over the devices, if these are GPUs, and out of the way
    while its weights are trained.

    Raises:
        ProblemError: If the task's model is for one device.
    """
    folder, dtype = session.problem.folder, str(session.model.dtype).removeprefix("torch.")
    if folder is None:
        raise ProblemError(
            "The model of this task is for one device",
            where="gpus",
            fix="Leave out `gpus` of the experiment.",
        )
    made = assembled(session, parameters)
    work = _work(session, stage, what, made, folder=folder, dtype=dtype)
    rebuilt = partial(load_model, folder, device="cpu", dtype=dtype) if made.moves else None

    def away() -> None:
        if made.moves:
            session.model = None
            release()

    def look(step: int, shown: Path) -> float:
        _take(session, made, shown, rebuilt)
        score = session.validation_score(what.tasks)
        if what.watch is not None:
            what.watch(step)
        away()
        return score

    away()
    found = train(work, session.ctx, name=what.name, watch=look)
    _take(session, made, found.folder, rebuilt)
    if made.moves:
        session.weights = (*session.weights, found.folder)
    return found.losses


def _work(session: Tuned, stage: Stage, what: Training, made: Assembled, *, folder: Path, dtype: str) -> Work:
    ctx, large = session.ctx, is_stored_large(folder)
    stored = "float32" if made.moves else dtype
    return Work(
        load=partial(load_model, folder, device="cpu", dtype=stored),
        trained=made,
        optimizer=partial(_optimizer, stage),
        examples=what.examples,
        recipe=stage.recipe(),
        order=ctx.rng(f"order of {what.name}"),
        pad=session.problem.reading.pad,
        seed=int(ctx.rng(f"dropout of processes in {what.name}").integers(2**31)),
        loss=what.loss,
        compute="bfloat16" if made.moves and dtype == "bfloat16" else "stored",
        at_once=FEW if large else 0,
        recompute=large,
        anchor=what.anchor,
        threads=ctx.threads,
    )


def assembled(session: Tuned, parameters: Sequence[Mapping[str, Any]]) -> Assembled:
    """What a session has, and what is to be trained of it."""
    prompts = _prompts(session)
    named = {**dict(session.model.named_parameters()), **prompts}
    wanted = {id(parameter) for group in parameters for parameter in group["params"]}
    layers = lora_layers(session.model)
    factors = {f"{name}.{side}": getattr(layer, side) for name, layer in layers.items() for side in "ab"}
    first = next(iter(layers.values()), None)
    rank = 0 if first is None else len(first.a)
    return Assembled(
        trained=tuple(name for name, parameter in named.items() if id(parameter) in wanted),
        adapted=tuple(layers),
        rank=rank,
        alpha=0.0 if first is None else first.scale * rank,
        added={name: value.detach().to("cpu", copy=True) for name, value in (factors | prompts).items()},
        weights=session.weights,
    )


def _prompts(session: Tuned) -> dict[str, nn.Parameter]:
    return {_prompt(task): prompt.weight for task, prompt in session.prompts.items() if prompt is not None}


def _prompt(task: str) -> str:
    return f"{ATTACHED}.{task}.weight"


def _take(session: Tuned, made: Assembled, folder: Path, load: Callable[[], Any] | None) -> None:
    """Give the session what was trained; with ``load`` in a model that is loaded anew."""
    if load is not None:
        model = load()
        made(model)
        put(model, folder)
        if hasattr(model, ATTACHED):
            delattr(model, ATTACHED)
        session.model = spread(model.requires_grad_(requires_grad=False).eval(), session.ctx.devices)
    named = {**dict(session.model.named_parameters()), **_prompts(session)}
    with torch.no_grad():
        for path in sorted(folder.glob("*.safetensors")):
            for name, value in load_file(path).items():
                if name in made.added:
                    named[name].copy_(value)


def _optimizer(stage: Stage, named: Sequence[tuple[str, nn.Parameter]]) -> torch.optim.Optimizer:
    if stage.optimizer == "adam":
        # What is whole and what is in parts cannot be updated in one call.
        groups: dict[type, list[nn.Parameter]] = {}
        for _, parameter in named:
            groups.setdefault(type(parameter.data), []).append(parameter)
        return torch.optim.Adam([{"params": group} for group in groups.values()], lr=stage.rate)
    return Gathered(named, make=lambda weights: new_optimizer(stage, [{"params": weights}]))
