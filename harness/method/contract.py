"""What a task and a method must offer, and what they are given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import torch

    from harness.method.asked import AskedModel
    from harness.method.checkpoints import Checkpoints
    from harness.method.references import Reference

CONTRACT_VERSION = 1
"""Part of every fingerprint: raised when the meaning of this contract changes."""

ProblemT = TypeVar("ProblemT")
ResultT = TypeVar("ResultT")

Table = Mapping[str, "Sequence[Any] | np.ndarray[Any, Any]"]
"""Columns by name, all of one length; NumPy arrays are welcome."""


@dataclass(frozen=True)
class Scores:
    """What an evaluation returns: raw columns by unit, never a finished number.

    Attributes:
        parts: One table for each evaluation set, by name; a task with one set calls it
            ``"main"``. Every table has a column ``unit_id`` that names what a row is about, the
            same for every method, so that methods can be paired.
    """

    parts: Mapping[str, Table]


class Context(Protocol):
    """What one trial is given, beside its problem."""

    seed: int
    stage: Literal["tune", "main"]
    """Under ``tune`` a task must evaluate on validation data only."""
    device: str
    """``"cpu"`` or ``"cuda"``, ready for :class:`torch.device`."""
    dtype: str
    """Name of the floating point type for model weights: ``"float32"`` or ``"bfloat16"``."""
    threads: int
    scratch: Path
    """An empty folder of this trial's own, removed after it."""
    checkpoints: Checkpoints
    """Where work of many minutes keeps its state, so that a killed trial goes on; see
    :class:`methods.common.checkpoints.Keeper`."""

    @property
    def devices(self) -> tuple[str, ...]:
        """Those that the trial has for itself where it declares ``gpus``; else ``device`` alone.

        ``("cuda:0", "cuda:1")`` on GPUs; on the CPU ``"cpu"`` as many times, for as many processes.
        """

    def load(self, ref: Reference, *, fresh: bool = False) -> Any:
        """The object behind a reference, shared and read-only; ``fresh`` gives a private copy."""

    def rng(self, name: str) -> np.random.Generator:
        """The random stream ``name`` of this trial's seed, the same for every method.

        Calling it twice gives two generators in the same state.
        """

    def torch_rng(self, name: str) -> torch.Generator:
        """As :meth:`rng`, for PyTorch: a generator of the CPU, whatever the trial's device.

        Draw with it on the CPU and move what was drawn, so that every device sees the same numbers.
        """

    @property
    def answers(self) -> Path | None:
        """A folder for answers that shall not be paid for twice.

        It outlives a trial that fails or is killed, also when its code is changed, and is removed when the
        trial has its result. None where nothing is kept.
        """

    def asks(self, model: AskedModel) -> None:
        """Tell the record of a language model: what it is, and in the end what was asked of it."""

    def probe(self, step: int, result: Any) -> None:
        """Evaluate ``result`` as it is at ``step``; the rows go to part ``probe``."""

    def progress(self, done: float, message: str = "") -> None:
        """Report the share of the work done, between 0 and 1."""


class Task(ABC, Generic[ProblemT, ResultT]):
    """A problem instance and its evaluation.

    Implementations are frozen dataclasses that hold references, never weights or data.
    """

    reads: ClassVar[tuple[str, ...]] = ()
    """Files and folders that it reads itself, by their place beside its module: ``("lexicon.txt",)``.

    Their content becomes part of what results depend on. Data that more than one class needs is better
    a resource. A file that Python opens without being declared is noticed and recorded, and its trials are
    executed again when it has changed; one that compiled code opens (Parquet, safetensors) or that another
    program reads is not noticed, and must be declared.
    """

    @abstractmethod
    def problem(self, ctx: Context) -> ProblemT:
        """What a method may see: inputs, training and validation data, models. No test answers."""

    @abstractmethod
    def evaluate(self, result: ResultT, ctx: Context) -> Scores:
        """Score a method's result, unit by unit."""


class Method(ABC, Generic[ProblemT, ResultT]):
    """One way to solve a kind of problem.

    Implementations are frozen dataclasses, subclasses of subclasses too: a run refuses a class that
    would be recorded with other parameters than it runs with. A field is a parameter: declare it with
    :func:`param`, which records where its value comes from. The class docstring describes the
    method in the report.
    """

    problem_type: ClassVar[type]
    """The class of problems that this method accepts."""
    cites: ClassVar[str] = ""
    """Where the method is published, for the report: "Leviathan et al. (2023), arXiv:2211.17192"."""
    check_exceptions: ClassVar[Mapping[str, str]] = {}
    """Checks of ``corroborate check-method`` that this method cannot pass, each with its reason."""
    reads: ClassVar[tuple[str, ...]] = ()
    """As :attr:`Task.reads`."""

    @abstractmethod
    def run(self, problem: ProblemT, ctx: Context) -> ResultT:
        """Solve the problem. Must not change it."""


def param(default: Any, *, source: str, doc: str = "") -> Any:
    """A dataclass field with the source of its value.

    Args:
        default: The value.
        source: Where it comes from: ``"paper, section 5"``, ``"paper, Table 2"``, ``"card, section 3"``,
            ``"official code"``, another work with its year, ``"ours"`` with the reason if there is one.
        doc: One line on what it is, with its unit.
    """
    return field(default=default, metadata={"source": source, "doc": doc})
