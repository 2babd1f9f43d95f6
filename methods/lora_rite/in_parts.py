"""LoRA fine-tuning of a model that several devices hold together; see :mod:`methods.common.sharded`.

The base model is divided. The factors are not: an optimizer here needs the whole of both factors of a pair
(LoRA-RITE turns the gradient of each by an orthonormal basis of the other), and they are small, so that each
process keeps all of them and gets the sum of all gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import nn
from torch.optim import Optimizer

from harness.method import Context, ProblemError
from methods.common.causal_lm import load_model
from methods.common.placing import FEW
from methods.common.sharded.spread import spread
from methods.common.sharded.state import put
from methods.common.sharded.training import train
from methods.common.sharded.work import Work, adapters, is_stored_large
from methods.common.training import token_loss
from methods.lora_rite.adaptation import Adaptation, Watch
from methods.lora_rite.pairs import Pair, find_pairs

Opener = Callable[[list[Pair], float], Optimizer]
"""From pairs and a rate to their optimizer; can be pickled."""


def adapted_in_parts(
    problem: Adaptation, ctx: Context, opened: Opener, *, rate: float, rank: int, alpha: float
) -> Any:
    """The model with adapters as one device trains them, to rounding and apart from dropout.

    Args:
        problem: With the folder of its model.
        ctx: The trial, with several devices.
        opened: The optimizer.
        rate: Its largest learning rate.
        rank: Of the adapters, r.
        alpha: Their scale times r.

    Returns:
        The model, for answering: spread over the trial's devices if these are GPUs.

    Raises:
        ProblemError: If the task's model is for one device.
    """
    if problem.folder is None:
        raise ProblemError(
            "The model of this task is for one device",
            where="gpus",
            fix="Leave out `gpus` of the experiment.",
        )
    load = partial(load_model, problem.folder, device="cpu", dtype=ctx.dtype)
    rng = ctx.torch_rng("adapters")
    adapt = partial(adapters, rank=rank, alpha=alpha, generator=rng, roles=problem.roles)
    large, watch = is_stored_large(problem.folder), Watch(ctx)
    work = Work(
        load=load,
        trained=adapt,
        optimizer=partial(_optimizer, opened, rate),
        examples=problem.train,
        recipe=problem.recipe,
        order=ctx.rng("order"),
        pad=problem.pad,
        seed=int(ctx.rng("dropout of processes").integers(2**31)),
        loss=problem.loss or token_loss,
        at_once=problem.recipe.at_once or (FEW if large else 0),
        recompute=large,
        threads=ctx.threads,
    )
    found = train(
        work,
        ctx,
        name="fine-tuning",
        watch=lambda step, shown: watch.look(step, stored_pairs(shown)),
        also={"watch": watch},
    )
    model = load()
    adapt(model)
    put(model, found.folder)
    return spread(model.eval(), ctx.devices)


def stored_pairs(folder: Path) -> list[Pair]:
    """The pairs whose factors a training has written."""
    named = [
        (name, tensor.requires_grad_())
        for path in sorted(folder.glob("*.safetensors"))
        for name, tensor in load_file(path).items()
    ]
    return find_pairs(named)


def _optimizer(opened: Opener, rate: float, named: Sequence[tuple[str, nn.Parameter]]) -> Optimizer:
    return opened(find_pairs(named), rate)
