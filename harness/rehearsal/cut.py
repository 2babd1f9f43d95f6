"""A suite with the same experiments, tasks and arms at toy size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from harness.method.references import Artifact, Resource
from harness.suite import Experiment, Scale, Suite, Timed, Tuned

MINUTES = 10.0
"""Hard limit of a trial, whatever the experiment declares."""
MEMORY_GB = 6.0
DEVICE_GB = 1.0
"""What a tiny model needs on a GPU, amply."""
FEW_GPUS = 2
"""Processes of a trial whose model is shared."""
FEW_SHARED = 2
"""Arms of an experiment whose model is shared: starting processes takes longer than all else here."""
_LIMITS = {"minutes": MINUTES, "memory_gb": MEMORY_GB, "device_gb": DEVICE_GB}


@dataclass
class Cut:
    """Cuts declarations down, and remembers what it cut.

    Attributes:
        sizes: Largest values, by ``Class.field``.
        seeds: Seeds of an experiment that are kept, the first ones.
    """

    sizes: Mapping[str, float] = field(default_factory=dict)
    seeds: int = 1
    _made: dict[str, set[str]] = field(default_factory=dict)
    _known: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def made(self) -> dict[str, str]:
        """What was cut, in words: ``"Continue.prompts": "200 → 3"``."""
        return {name: ", ".join(sorted(texts)) for name, texts in sorted(self._made.items())}

    def experiment(self, experiment: Experiment) -> Experiment:
        """All pairs of tasks and methods, on few seeds and at small sizes."""
        return replace(
            experiment,
            tasks=self.value(experiment.tasks),
            methods={name: self._method(method) for name, method in experiment.methods.items()},
            seeds=experiment.seeds[: self.seeds],
            timed=experiment.timed and Timed(blocks=1, warmup=1),
            threads=1,
            minutes=MINUTES,
            memory_gb=MEMORY_GB,
            device_gb=DEVICE_GB,
            gpus=_few(experiment.gpus),
        )

    def _method(self, method: Any) -> Any:
        if not isinstance(method, Tuned):
            return self.value(method)
        # Two points a parameter: that the best of several is found and used is part of the way.
        grid = {name: _ends(values) for name, values in method.grid.items()}
        return replace(method, method=self.value(method.method), grid=grid, seeds=method.seeds[:1])

    def value(self, value: Any) -> Any:
        """A declaration with everything inside it cut down; the same object if nothing is."""
        if id(value) not in self._known:
            # The object is kept too, so that its id cannot come to mean another one.
            self._known[id(value)] = (value, self._cut(value))
        return self._known[id(value)][1]

    def _cut(self, value: Any) -> Any:
        if isinstance(value, str | Resource):
            return value
        if is_dataclass(value) and not isinstance(value, type):
            changes = {f.name: self._field(value, f.name) for f in fields(value) if f.init}
            changed = {name: new for name, new in changes.items() if new is not getattr(value, name)}
            return replace(value, **changed) if changed else value
        if isinstance(value, Mapping):
            found = {key: self.value(item) for key, item in value.items()}
            return found if any(found[key] is not value[key] for key in value) else value
        if type(value) in (tuple, list):
            items = [self.value(item) for item in value]
            return type(value)(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
        return value

    def _field(self, holder: Any, name: str) -> Any:
        declared = getattr(holder, name)
        if isinstance(holder, Artifact) and name in _LIMITS:
            return declared if declared is None else min(declared, _LIMITS[name])
        key = next((k for k in (f"{c.__name__}.{name}" for c in type(holder).__mro__) if k in self.sizes), "")
        return self.value(self._capped(key, declared)) if key else self.value(declared)

    def _capped(self, key: str, declared: Any) -> Any:
        most = self.sizes[key]
        if isinstance(declared, tuple) and len(declared) > most:
            self._made.setdefault(key, set()).add(f"{len(declared)} items → {most}")
            return declared[: int(most)]
        if isinstance(declared, int | float) and not isinstance(declared, bool) and declared > most:
            self._made.setdefault(key, set()).add(f"{declared} → {most}")
            return type(declared)(most)
        return declared


def _few(gpus: int | Mapping[tuple[str, str], int]) -> int | Mapping[tuple[str, str], int]:
    """As many processes as show that a model is shared, in few of the arms where it is."""
    if isinstance(gpus, Mapping):
        return {pair: min(count, FEW_GPUS) for pair, count in list(gpus.items())[:FEW_SHARED]}
    return min(gpus, FEW_GPUS)


def _ends(values: Any) -> tuple[Any, ...]:
    """The first and the last value of a grid."""
    return tuple(dict.fromkeys((values[0], values[-1])))


def cut_suite(suite: Suite, cut: Cut) -> Suite:
    """The suite with the experiments of any scale cut down."""

    def experiments(scale: Scale) -> list[Experiment]:
        return [cut.experiment(experiment) for experiment in suite.experiments(scale)]

    return replace(suite, experiments=experiments)
