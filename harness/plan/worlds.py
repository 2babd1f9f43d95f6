"""Where and how the numbers of a trial are computed: device, type, and the precision of products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.plan.fingerprint import Fingerprinter, Identities
from harness.suite import Experiment

Device = Literal["cpu", "cuda"]
DTYPES = {"cpu": "float32", "cuda": "bfloat16"}
"""Type of model weights by device kind."""


@dataclass(frozen=True)
class World:
    """A device kind, a type of model weights, and whether products of float32 may use TF32."""

    device: Device = "cpu"
    dtype: str = "float32"
    tf32: bool = False


class Worlds:
    """The worlds of one run, each with what computes its fingerprints.

    A run on a GPU has trials on the CPU beside it: those of experiments that say so. They are the same
    trials as those of a run on the CPU, fingerprints included.

    Args:
        identities: What fingerprints need to know of resources.
        device: The run's device kind.
        dtype: The type of model weights on it.
    """

    def __init__(self, identities: Identities, device: Device, dtype: str) -> None:
        self._identities = identities
        self.main = World(device, dtype)
        self._made: dict[World, Fingerprinter] = {}

    def of(self, experiment: Experiment) -> World:
        """The world of an experiment's trials."""
        if experiment.device == "cpu":
            return World("cpu", DTYPES["cpu"])
        tf32 = bool(experiment.tf32) and self.main.device == "cuda"
        return World(self.main.device, self.main.dtype, tf32)

    def fingerprinter(self, world: World) -> Fingerprinter:
        """What computes the fingerprints of trials and artifacts in ``world``."""
        if world not in self._made:
            made = Fingerprinter(self._identities, world.device, world.dtype, tf32=world.tf32)
            self._made[world] = made
        return self._made[world]

    def suffix(self, world: World) -> str:
        """What sets the artifacts of a world apart from those of the run's main one, in their ids."""
        other = (world.device, world.dtype) != (self.main.device, self.main.dtype)
        parts = [f"{world.device}-{world.dtype}"] if other else []
        return "".join(f"-{part}" for part in [*parts, *(["tf32"] if world.tf32 else [])])
