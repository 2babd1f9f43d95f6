"""One of the processes that share a model: it does what the trial's process tells all of them to do."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from itertools import count
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh

from harness.method import CorroborateError
from methods.common.checkpoints import skipped
from methods.common.examples import Example, collate, stream
from methods.common.forward import is_encoder_decoder
from methods.common.loop import Best
from methods.common.sharded.state import is_part, keep_part, local, take_up_part, write_whole
from methods.common.sharded.work import Work
from methods.common.sharded.wrapping import Asked, recomputing, shard

PATIENCE = timedelta(days=7)
"""A process that waits for another is ended by the trial's limits, and by no clock of its own."""


class Failure:
    """Why a process could not do what it was told.

    Attributes:
        text: The traceback.
        error: What the process raised, if it was raised on purpose.
    """

    def __init__(self, text: str, error: CorroborateError | None) -> None:
        self.text, self.error = text, error


def main(number: int, devices: tuple[str, ...], packed: bytes, pipe: Connection, store: Path) -> None:
    """Serve until told to end; the whole process ends when the trial's process does.

    Args:
        number: Of this process, from 0.
        devices: Of all processes.
        packed: What to train, as the trial's own process has pickled it.
        pipe: Commands come in, each a name and its arguments; answers go out.
        store: File by which the processes find each other.
    """
    _end_with_parent()
    # Nothing here writes into what a layer returns; tests compare T5, of which this is said, with one part.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module")
    try:
        work: Work = pickle.loads(packed)  # noqa: S301 - the trial's own bytes
        _connect(number, devices, store)
        torch.set_num_threads(work.threads)
        with ExitStack() as stack:
            part = Part(work, number, devices)
            if work.recompute:
                stack.enter_context(recomputing(part.model))
            _serve(part, pipe)
        dist.destroy_process_group()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the trial's process is told
        with suppress(OSError):
            raised = error if isinstance(error, CorroborateError) else None
            pipe.send(Failure(traceback.format_exc(), raised))
        # What is left of a broken group may wait for ever, and this process has nothing else to tidy up.
        os._exit(1)


def _serve(part: Part, pipe: Connection) -> None:
    pipe.send(None)
    while (command := pipe.recv()) is not None:
        name, *arguments = command
        pipe.send(getattr(part, name)(*arguments))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end with parent").start()


def _connect(number: int, devices: tuple[str, ...], store: Path) -> None:
    """Join the group of processes: by a file, and on this machine's own interface."""
    on_gpu = devices[number].startswith("cuda")
    if sys.platform == "linux":
        os.environ["NCCL_SOCKET_IFNAME" if on_gpu else "GLOO_SOCKET_IFNAME"] = "lo"
    if on_gpu:
        torch.cuda.set_device(devices[number])
    dist.init_process_group(
        "nccl" if on_gpu else "gloo",
        store=dist.FileStore(str(store), len(devices)),  # type: ignore[attr-defined]
        rank=number,
        world_size=len(devices),
        timeout=PATIENCE,
    )


class Part:
    """One process's part of a model in training.

    Args:
        work: What to train.
        number: Of this process.
        devices: Of all processes.
    """

    def __init__(self, work: Work, number: int, devices: tuple[str, ...]) -> None:
        self._work, self._number, self._world = work, number, len(devices)
        self.device = devices[number]
        mesh = init_device_mesh(torch.device(self.device).type, (self._world,))
        for turn in range(self._world):
            if turn == number:
                self.model: Any = work.load()
                self._asked, self._trained = _divided(self.model, work, mesh, self.device)
            dist.barrier()
        self._whole = [parameter for parameter in self._trained.values() if not is_part(parameter)]
        self._parts = [parameter for parameter in self._trained.values() if is_part(parameter)]
        self._first = [local(part).to("cpu", copy=True) for part in self._parts] if work.anchor else []
        keeps = work.recipe.keep == "best"
        self._best = Best(local(parameter) for parameter in (self._trained.values() if keeps else ()))
        self._optimizer = work.optimizer(list(self._trained.items()))
        self._rates = [float(group["lr"]) for group in self._optimizer.param_groups]
        self._separate = is_encoder_decoder(self.model)
        self._start = work.order.bit_generator.state
        self._done, self._order = 0, self._draws(0)
        torch.manual_seed(work.seed + number)
        self.model.train()

    def _draws(self, done: int) -> Iterator[list[list[Example]]]:
        """The draws of each update after the first ``done``, as one process would make them."""
        recipe, rng = self._work.recipe, self._work.order
        rng.bit_generator.state = self._start
        order = skipped(stream(self._work.examples, recipe.batch, rng), done * recipe.accumulate)
        return ([next(order) for _ in range(recipe.accumulate)] for _ in count())

    def step(self) -> float:
        """One update; returns the mean loss of a target token, before it, over all processes."""
        recipe, chunks = self._work.recipe, next(self._order)
        tokens = sum(len(example.target) for chunk in chunks for example in chunk)
        self._optimizer.zero_grad()
        total = torch.zeros((), device=self.device)
        for examples, counts in _passes(chunks, self._number, self._world, self._work.at_once):
            batch = collate(examples, self._work.pad, torch.device(self.device), separate=self._separate)
            loss = self._asked(self._work.loss, batch, recipe.smoothing) * (float(counts) / tokens)
            # Gradients are averaged over the processes, and here they are to be summed.
            torch.autograd.backward(loss * self._world)
            total += loss.detach()
        self._sum_whole()
        if self._first:
            total += self._pull()
        if recipe.clip:
            clip(self._parts, self._whole, recipe.clip)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * recipe.rate(self._done)
        self._optimizer.step()
        self._agree()
        self._done += 1
        dist.all_reduce(total)
        return float(total.item())

    def _sum_whole(self) -> None:
        """Give every process the gradients of all, for weights that it has as a whole."""
        if not self._whole:
            return
        # What an update did not use has no gradient here, and may have one elsewhere.
        found = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._whole]
        flat = torch.cat([gradient.flatten() for gradient in found])
        dist.all_reduce(flat)
        # Each is that of a loss times the number of processes, by which parts are averaged.
        flat /= self._world
        rows = torch.split(flat, [parameter.numel() for parameter in self._whole])
        for parameter, row in zip(self._whole, rows, strict=True):
            parameter.grad = row.view_as(parameter)

    def _agree(self) -> None:
        """Let what every process has updated by itself be the same everywhere, to the last bit.

        All did the same with the same gradients, so it is already, unless kernels of linear algebra round
        differently on two devices: then the processes would train different models from here on.
        """
        for parameter in self._whole:
            dist.broadcast(parameter.detach(), 0)

    def _pull(self) -> Tensor:
        """Add the gradient of ``anchor · ‖θ − θ₀‖²``; returns this process's part of that term."""
        strength, total = self._work.anchor, torch.zeros((), device=self.device)
        for part, first in zip(self._parts, self._first, strict=True):
            moved = local(part) - first.to(self.device)
            assert part.grad is not None
            local(part.grad).add_(moved, alpha=2 * strength)
            total += strength * moved.square().sum()
        return total

    def keep(self, folder: Path) -> int | str:
        """Write this process's part; returns its bytes, or why it could not be written."""
        try:
            return keep_part(self._own(folder), self._trained, self._optimizer, self._best)
        except (OSError, SafetensorError, CorroborateError) as error:
            return str(error)

    def take_up(self, folder: Path, done: int) -> None:
        """Go on after ``done`` updates."""
        take_up_part(self._own(folder), self._trained, self._optimizer, self._best)
        self._done, self._order = done, self._draws(done)

    def whole(self, folder: Path) -> None:
        """Write the trained weights as a whole."""
        write_whole(folder, self._trained, writes=self._number == 0)
        if self.device.startswith("cuda"):
            # Whoever reads them is another process on the same GPUs.
            torch.cuda.empty_cache()

    def offer(self, score: float) -> None:
        """Keep this process's part of the weights if no score was as high before."""
        self._best.offer(score, later=self._work.recipe.later)

    def put_back(self) -> None:
        """Go back to the weights of the best score."""
        self._best.put_back()

    def _own(self, folder: Path) -> Path:
        return folder / f"part-{self._number}"


def _divided(model: Any, work: Work, mesh: Any, device: str) -> tuple[Asked, dict[str, nn.Parameter]]:
    """The model in parts, and what is trained of it, by name.

    What is added to a model stays whole in every process. It is small; and LoRA-RITE turns the gradient of
    one factor by an orthonormal basis of the other, which no process could do with rows of both.
    """
    own = set(model.parameters())
    names = list(work.trained(model))
    added = [parameter for parameter in model.parameters() if parameter not in own]
    for parameter in added:
        # Only what is divided is moved along.
        parameter.data = parameter.data.to(device)
    asked = shard(model, mesh, work.compute, added)
    # Dividing a model replaces its parameters.
    named = dict(model.named_parameters())
    return asked, {name: named[name] for name in names}


def clip(parts: Sequence[Tensor], whole: Sequence[Tensor], largest: float) -> None:
    """Scale gradients to a global norm of ``largest`` at most.

    Args:
        parts: Of which each process has its own part.
        whole: Which every process has.
        largest: The norm.
    """
    squares = torch.zeros(())
    for tensors, summed in ((parts, True), (whole, False)):
        gradients = [local(tensor.grad) for tensor in tensors if tensor.grad is not None]
        if gradients:
            norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
            square = norm.square()
            if summed:
                dist.all_reduce(square)
            squares = squares.to(square.device) + square
    # The same stabiliser as in torch.nn.utils.clip_grad_norm_.
    scale = (largest / (squares.sqrt() + 1e-6)).clamp(max=1.0)
    for tensor in (*parts, *whole):
        if tensor.grad is not None:
            local(tensor.grad).mul_(scale)


def _passes(
    chunks: list[list[Example]], number: int, world: int, at_once: int
) -> Iterator[tuple[list[Example], bool]]:
    """What a process reads in each pass of an update, and whether it counts.

    All make equally many passes, since they gather each layer together; one that has nothing left reads an
    example of another whose loss counts for nothing.
    """
    for chunk in chunks:
        longest = len(chunk[::world])
        size = at_once or longest
        mine = chunk[number::world]
        for start in range(0, longest, size):
            here = mine[start : start + size]
            yield (here, True) if here else (chunk[:1], False)
