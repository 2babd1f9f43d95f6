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
class Placement:
    """A device kind, a type of model weights, and whether products of float32 may use TF32."""

    device: Device = "cpu"
    dtype: str = "float32"
    tf32: bool = False


class Placements:
    """Where the trials of one run are computed, and what computes their fingerprints there.

    A run on a GPU has trials on the CPU beside it: those of experiments that say so. They are the same
    trials as those of a run on the CPU, fingerprints included.

    Args:
        identities: What fingerprints need to know of resources.
        device: The run's device kind.
        dtype: The type of model weights on it.
    """

    def __init__(self, identities: Identities, device: Device, dtype: str) -> None:
        self._identities = identities
        self.main = Placement(device, dtype)
        self._made: dict[Placement, Fingerprinter] = {}

    def of(self, experiment: Experiment) -> Placement:
        """The placement of an experiment's trials."""
        if experiment.device == "cpu":
            return Placement("cpu", DTYPES["cpu"])
        tf32 = bool(experiment.tf32) and self.main.device == "cuda"
        return Placement(self.main.device, self.main.dtype, tf32)

    def fingerprinter(self, placement: Placement) -> Fingerprinter:
        """What computes the fingerprints of trials and artifacts at ``placement``."""
        if placement not in self._made:
            made = Fingerprinter(self._identities, placement.device, placement.dtype, tf32=placement.tf32)
            self._made[placement] = made
        return self._made[placement]

    def suffix(self, placement: Placement) -> str:
        """What the ids of artifacts end in, where they are not those of the run's main placement."""
        other = (placement.device, placement.dtype) != (self.main.device, self.main.dtype)
        parts = [f"{placement.device}-{placement.dtype}"] if other else []
        return "".join(f"-{part}" for part in [*parts, *(["tf32"] if placement.tf32 else [])])
