"""The processes that share a model, as the trial's process sees them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from methods.common.sharded import rank
from methods.common.sharded.work import Work

END_SECONDS = 20.0
"""How long a process may take to end by itself."""


class Crew:
    """Processes that do the same at the same time.

    Args:
        work: What they train.
        devices: One process on each.
        store: A file that is not there yet, by which they find each other.
    """

    def __init__(self, work: Work, devices: tuple[str, ...], store: Path) -> None:
        context = multiprocessing.get_context("spawn")
        # As bytes: tensors would otherwise be handed over in shared memory, which not every machine has.
        packed = pickle.dumps(work)
        self._members: list[tuple[BaseProcess, Connection]] = []
        with _one_thread():
            for number in range(len(devices)):
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=rank.main,
                    args=(number, devices, packed, theirs, store),
                    name=f"part-{number}",
                    daemon=True,
                )
                process.start()
                theirs.close()
                self._members.append((process, ours))

    def ready(self) -> None:
        """Wait until all have their part of the model."""
        self._answers()

    def all(self, name: str, *arguments: Any) -> list[Any]:
        """Let all do something; returns what each of them answers.

        Raises:
            CorroborateError: If one of them raised it: that a training diverges is a result.
            RuntimeError: If one of them failed otherwise or ended; its traceback is in the text.
        """
        for _, pipe in self._members:
            with suppress(OSError):  # One that has ended is found when its answer is missing.
                pipe.send((name, *arguments))
        return self._answers()

    def _answers(self) -> list[Any]:
        answers: dict[int, Any] = {}
        waiting: dict[Any, int] = {pipe: number for number, (_, pipe) in enumerate(self._members)}
        while waiting:
            # Whoever fails is heard first, while the others still wait for it.
            for pipe in multiprocessing.connection.wait(list(waiting)):
                number = waiting.pop(pipe)
                answers[number] = self._answer(number)
        return [answers[number] for number in range(len(self._members))]

    def _answer(self, number: int) -> Any:
        process, pipe = self._members[number]
        where = f"process {number + 1} of {len(self._members)} that share the model"
        try:
            answer = pipe.recv()
        except (EOFError, OSError):
            process.join(END_SECONDS)
            raise RuntimeError(f"The {where} ended without an answer (code {process.exitcode})") from None
        if isinstance(answer, rank.Failure):
            failed = RuntimeError(f"The {where} failed:\n{answer.text}")
            if answer.error is not None:
                raise answer.error from failed
            raise failed
        return answer

    def end(self) -> None:
        """Let all end, by force where they do not."""
        for _, pipe in self._members:
            with suppress(OSError):
                pipe.send(None)
        for process, pipe in self._members:
            process.join(END_SECONDS)
            process.kill()
            process.join()
            process.close()
            pipe.close()
        self._members = []

    def kill(self) -> None:
        """End all at once."""
        for process, _ in self._members:
            process.kill()
        self.end()


@contextmanager
def crew(work: Work, devices: tuple[str, ...], store: Path) -> Iterator[Crew]:
    """A crew that is ready, and that ends with the block, however that ends."""
    made = Crew(work, devices, store)
    try:
        made.ready()
        yield made
    except BaseException:
        made.kill()
        raise
    finally:
        made.end()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Start processes whose libraries use one thread until they are told of more."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
