"""What a trial is given: the implementation of :class:`harness.method.Context`."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import SuiteError
from harness.method.asked import AskedModel
from harness.method.checkpoints import Checkpoints
from harness.method.references import Artifact, Reference, Resource
from harness.plan.references import reference_key

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass
class Loader:
    """Loads references once for each worker and keeps them."""

    _kept: dict[tuple[str, str, str, str], Any] = field(default_factory=dict)

    def load(
        self, ref: Reference, paths: Mapping[str, str], *, keep: bool, placement: tuple[str, str]
    ) -> Any:
        """The object behind ``ref``.

        Args:
            ref: A resource or artifact.
            paths: Folders by reference key.
            keep: Whether to share one object between all who ask.
            placement: Device and type, since a reference may load differently on another device.

        Raises:
            SuiteError: If the trial did not declare the reference.
        """
        key = reference_key(ref)
        if key not in paths:
            raise SuiteError(
                f"'{_name(ref)}' is loaded but was not declared",
                where=type(ref).__name__,
                fix="Hold the reference in a field of the task, the method or the artifact that loads it.",
            )
        if not keep:
            return ref.load(Path(paths[key]))
        slot = (key, paths[key], *placement)
        if slot not in self._kept:
            self._kept[slot] = ref.load(Path(paths[key]))
        return self._kept[slot]


def _name(ref: Reference) -> str:
    if isinstance(ref, Resource):
        return ref.name
    return (ref.title if isinstance(ref, Artifact) else "") or type(ref).__name__


@dataclass
class TrialContext:
    """Implements :class:`harness.method.Context` for one trial or artifact."""

    seed: int
    stage: Literal["tune", "main"]
    device: str
    dtype: str
    threads: int
    scratch: Path
    loader: Loader
    paths: Mapping[str, str]
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    gpus: int = 0
    answers: Path | None = None
    asked: list[AskedModel] = field(default_factory=list)
    on_progress: Callable[[float, str], None] = lambda _done, _message: None
    on_probe: Callable[[int, Any], None] = lambda _step, _result: None

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that the trial has for itself; see :class:`harness.method.Context`."""
        if not self.gpus:
            return (self.device,)
        on_gpu = self.device.startswith("cuda")
        return tuple(f"cuda:{number}" if on_gpu else self.device for number in range(self.gpus))

    def load(self, ref: Reference, *, fresh: bool = False) -> Any:
        """The object behind a declared reference; see :class:`harness.method.Context`."""
        return self.loader.load(ref, self.paths, keep=not fresh, placement=(self.device, self.dtype))

    def rng(self, name: str) -> np.random.Generator:
        """The random stream ``name`` of this trial's seed."""
        import numpy as np

        return np.random.default_rng(stream(self.seed, name))

    def torch_rng(self, name: str) -> torch.Generator:
        """As :meth:`rng`, for PyTorch; on the CPU, whatever the trial's device."""
        import numpy as np
        import torch

        state = np.random.SeedSequence(stream(self.seed, name)).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state) >> 1)

    def asks(self, model: AskedModel) -> None:
        """Tell the record of a language model; see :class:`harness.method.Context`."""
        self.asked.append(model)

    def probe(self, step: int, result: Any) -> None:
        """Evaluate a result during training."""
        self.on_probe(step, result)

    def progress(self, done: float, message: str = "") -> None:
        """Report the share of the work done."""
        self.on_progress(done, message)


def stream(seed: int, name: str) -> list[int]:
    """Entropy of the random stream ``name`` of ``seed``: the same in every process."""
    words = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return [seed, *(int.from_bytes(words[i : i + 4], "little") for i in range(0, 16, 4))]


def seed_everything(seed: int) -> None:
    """Seed the global generators, which dropout, ``generate`` and libraries use.

    Methods should draw from :meth:`TrialContext.rng`; this makes what does not repeatable too.
    """
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def set_threads(count: int) -> None:
    """Let PyTorch and the linear algebra libraries use ``count`` threads."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    if "numpy" in sys.modules:
        _limit_libraries(count)


@lru_cache(maxsize=1)
def _limit_libraries(count: int) -> None:
    # Looking through the loaded libraries takes milliseconds: only when the number changes.
    # Libraries loaded later take it from the environment, which the pool sets for its workers.
    from threadpoolctl import threadpool_limits

    threadpool_limits(count)
