"""Models that learn from steps: toy policies from scratch, or a pretrained model fine-tuned from its base.

Every generation starts from the base again (card §8, pitfall 12), so that only the data differ.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.method import Checkpoints, ProblemError
from methods.rest_react.delexical import Lexicon
from methods.rest_react.exams import Speaker
from methods.rest_react.training_data import StepExample

if TYPE_CHECKING:
    import numpy as np
    import torch

    from methods.rest_react.cloning import Cloning, Fit
    from methods.rest_react.toy_transformer import ToyTransformer

WIDTHS: Mapping[str, int] = {"L": 64, "S": 32, "XS": 16}
"""Of the toy policies: 111, 31 and 9 thousand parameters."""
_WEIGHTS, _FIT = "network.safetensors", "fit.json"


@dataclass(frozen=True)
class Student:
    """A trained agent.

    Attributes:
        speaker: Gives its model for a world.
        parameters: Numbers that it consists of.
        save: Writes it into an empty folder.
        loss: Mean loss at the end of training, in nats a target token; NaN where it is not known.
        updates: Of its training; NaN where it is not known.
        fall: How much the loss still fell when it was taken to have settled, see
            :class:`~methods.rest_react.cloning.Fit`; NaN where training has a fixed length.
    """

    speaker: Speaker
    parameters: int
    save: Callable[[Path], None]
    loss: float = math.nan
    updates: float = math.nan
    fall: float = math.nan


class Streams(Protocol):
    """Where random numbers come from; a trial's :class:`~harness.method.Context` is one."""

    @property
    def checkpoints(self) -> Checkpoints:
        """Where the state of training is kept."""

    def rng(self, name: str) -> np.random.Generator:
        """The stream of a name."""

    def torch_rng(self, name: str) -> torch.Generator:
        """As :meth:`rng`, for PyTorch."""


class Students(Protocol):
    """Trains agents of several sizes."""

    def train(
        self, examples: Sequence[StepExample], lexicon: Lexicon, size: str, name: str, streams: Streams
    ) -> Student:
        """An agent trained from its base on steps about one world.

        Args:
            examples: The steps.
            lexicon: Names of the world that they are about.
            size: Which size.
            name: Of the agent; it names the streams, too.
            streams: Random numbers.
        """


@dataclass(frozen=True)
class ToyStudents:
    """Toy policies.

    Attributes:
        cloning: How the widest is trained; narrower ones at rates that grow as 1/√width, else alike.
        widths: By size.
    """

    cloning: Cloning
    widths: Mapping[str, int] = field(default_factory=lambda: dict(WIDTHS))

    def train(
        self, examples: Sequence[StepExample], lexicon: Lexicon, size: str, name: str, streams: Streams
    ) -> Student:
        """See :class:`Students`.

        Raises:
            ProblemError: If there is no such size.
        """
        from methods.rest_react.cloning import tokenised, train_network
        from methods.rest_react.compact import Compact

        if size not in self.widths:
            raise ProblemError(
                f"There are no agents of size '{size}'", where=name, fix=f"Sizes: {', '.join(self.widths)}."
            )
        width, widest = self.widths[size], max(self.widths.values())
        # Narrow networks learn to match names at higher rates only.
        cloning = replace(self.cloning, rate=self.cloning.rate * (widest / width) ** 0.5)
        network, fit = train_network(
            tokenised(examples, Compact(lexicon)),
            width,
            cloning,
            generator=streams.torch_rng(f"weights {name}"),
            order=streams.rng(f"order {name}"),
            checkpoints=streams.checkpoints,
        )
        return toy_student(network, name, fit)


def toy_student(network: ToyTransformer, name: str, fit: Fit) -> Student:
    """A network as an agent, and how it was trained."""
    from methods.rest_react.compact import Compact
    from methods.rest_react.policy import Policy

    policy = Policy(name, f"toy {name}", network, Compact(Lexicon(frozenset(), frozenset())))

    def save(folder: Path) -> None:
        from safetensors.torch import save_file

        save_file(network.state_dict(), str(folder / _WEIGHTS))
        (folder / _FIT).write_text(json.dumps(asdict(fit)), encoding="utf-8")

    return Student(policy.speaking, network.parameter_count, save, fit.loss, fit.updates, fit.fall)


def load_toy(folder: Path, size: str, name: str) -> Student:
    """An agent that was saved."""
    from safetensors.torch import load_file

    from methods.common.draws import generator
    from methods.rest_react.cloning import Fit
    from methods.rest_react.compact import KINDS, VOCABULARY
    from methods.rest_react.toy_transformer import Shape, ToyTransformer

    network = ToyTransformer(Shape(len(VOCABULARY), WIDTHS[size], pivots=KINDS), generator(0))
    network.load_state_dict(load_file(str(folder / _WEIGHTS)))
    fit = Fit(**json.loads((folder / _FIT).read_text(encoding="utf-8")))
    return toy_student(network.eval(), name, fit)
