"""Limits on time, memory and threads: what is declared, what is said instead, and what the machine has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_NAMES = {"cpu": "main memory", "cuda": "memory on the GPU"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What overrides declared limits, and what they are checked against.

    Attributes:
        memory_gb: ``--memory``: what a trial or artifact may use where it is computed.
        device: Of what ``--memory`` speaks: ``"cuda"`` in a run on a GPU, whose work for the CPU needs no
            more for it, though it may use as much; empty for any device.
        minutes: ``--minutes``: how long each may take.
        threads: CPU threads of each, where other ones are to be tried than those declared.
        have_gb: Memory in GB by device kind, of one GPU; what is unknown is absent and refuses nothing.
        have_gpus: GPUs that there are; ``None`` if unknown.
    """

    memory_gb: float | None = None
    device: str = ""
    minutes: float | None = None
    threads: int | None = None
    have_gb: Mapping[str, float] = field(default_factory=dict)
    have_gpus: int | None = None

    def minutes_of(self, declared: float) -> float:
        """The hard limit on time."""
        return declared if self.minutes is None else self.minutes

    def threads_of(self, declared: int) -> int:
        """The CPU threads."""
        return declared if self.threads is None else self.threads

    def main_gb(self, device: str, memory_gb: float, device_gb: float | None) -> float:
        """The hard limit on resident main memory.

        Args:
            device: Where it is computed.
            memory_gb: Declared for data and Python.
            device_gb: Declared for models, on the computing device. Under a GPU it is allowed in main
                memory too: weights pass through it.
        """
        declared = memory_gb + (device_gb or 0.0)
        if self.memory_gb is None:
            return declared
        return self.memory_gb if self.said(device) and device == "cpu" else max(declared, self.memory_gb)

    def device_gb(self, device: str, declared: float | None) -> float | None:
        """What models need on the computing device; ``None`` if nobody says."""
        said = self.said(device)
        return declared if said is None else said

    def said(self, device: str) -> float | None:
        """What ``--memory`` says of work on a device."""
        return self.memory_gb if self.device in ("", device) else None

    def too_few(self, device: str, gpus: int) -> str:
        """Why something that needs so many GPUs can never run here, or nothing."""
        if not device.startswith("cuda") or self.have_gpus is None or gpus <= self.have_gpus:
            return ""
        there = "there is 1" if self.have_gpus == 1 else f"there are {self.have_gpus}"
        return (
            f"it needs {gpus} GPUs and {there}, so it will never fit here "
            "(run it on a machine with as many, or with --device cpu, in as many processes)"
        )

    def refusal(self, device: str, declared: float | None, gpus: int = 0) -> str:
        """Why something that needs ``declared`` GB, over ``gpus`` GPUs, cannot fit here, or nothing."""
        need, have = self.device_gb(device, declared), self.have_gb.get(device)
        if need is not None and device.startswith("cuda") and gpus:
            need /= gpus
        if need is None or have is None or need <= have:
            return ""
        told = "it needs about" if self.said(device) is None else "--memory says"
        return (
            f"{told} {need:.3g} GB of {_NAMES[device]} and there are {have:.3g} "
            "(--memory GB says that it takes less)"
        )
