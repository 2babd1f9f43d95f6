"""What ``plan`` says of memory on GPUs: by part, for each arm, and how many GPUs of a size that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import CorroborateError, UsageError, unknown_name
from harness.method.footprint import MOST_GPUS, Footprint, Use, footprint, gpus_needed, on_each
from harness.method.references import Resource
from harness.method.shapes import Shape, shape_of
from harness.plan.selection import pairs, select

if TYPE_CHECKING:
    from harness.engine.run import RunRequest

GPUS = {
    "v100-16": 16.0,
    "v100-32": 32.0,
    "l4-24": 24.0,
    "a10-24": 24.0,
    "rtx4090-24": 24.0,
    "a100-40": 40.0,
    "l40s-48": 48.0,
    "a100-80": 80.0,
    "h100-80": 80.0,
    "h200-141": 141.0,
}
"""GB of memory of some GPUs, as their maker names them."""
USUAL = "h100-80"
"""What is told where nobody names a GPU."""


@dataclass
class ArmMemory:
    """The memory of arms that do the same with one model.

    Attributes:
        experiment: Its id.
        use: What they do.
        arms: Pairs (task id, method id).
        shape: Of the model, or why it is not known: any model may be bound, and none ends a plan.
    """

    experiment: str
    use: Use
    shape: Shape | str
    arms: list[tuple[str, str]] = field(default_factory=list)

    @property
    def found(self) -> Footprint | None:
        """Memory by part."""
        return None if isinstance(self.shape, str) else footprint(self.shape, self.use)


def gpu_size(text: str) -> float:
    """GB of a GPU that is named, or of which the size is given.

    Raises:
        UsageError: If it is neither a known name nor a positive number.
    """
    name = text.strip().lower()
    if name in GPUS:
        return GPUS[name]
    try:
        size = float(name.removesuffix("gb"))
    except ValueError:
        raise unknown_name("GPU", text, list(GPUS), where="--gpu") from None
    if not 0 < size < float("inf"):
        raise UsageError(
            "A GPU has a positive number of GB", where=f"--gpu {text}", fix="For example --gpu 80."
        )
    return size


def arm_memory(request: RunRequest) -> list[ArmMemory]:
    """The memory of all arms that say what they do with a model, also of those that cannot run here."""
    found: dict[tuple[str, Use], ArmMemory] = {}
    shapes: dict[str, Shape | str] = {}
    served = request.resolver.endpoints
    for experiment in select(request.suite, request.scale, request.selection):
        for pair in pairs(experiment):
            use = experiment.uses.get(pair)
            if use is None or use.model.name in served:
                continue
            name = use.model.name
            if name not in shapes:
                shapes[name] = _shape(request, use.model)
            row = found.setdefault((experiment.id, use), ArmMemory(experiment.id, use, shapes[name]))
            row.arms.append(pair)
    return list(found.values())


def _shape(request: RunRequest, model: Resource) -> Shape | str:
    try:
        config = request.resolver.configuration(model)
        return shape_of(config) if config else f"--bind {model.name}=PATH gives its config.json"
    except CorroborateError as error:
        return error.what


def memory_lines(rows: list[ArmMemory], gpu_gb: float) -> list[str]:
    """The rows as text; nothing where no arm says what it does."""
    if not rows:
        return []
    head = "memory of models on GPUs, GB: weights + gradients + optimizer + activations → with a margin; "
    return [f"{head}GPUs of {gpu_gb:g} GB", *(line for row in rows for line in _told(row, gpu_gb))]


def _told(row: ArmMemory, gpu_gb: float) -> Iterator[str]:
    tasks, methods = (list(dict.fromkeys(part)) for part in zip(*row.arms, strict=True))
    name, use = row.use.model.name, row.use
    what = {"adapter": f"adapter of rank {use.rank}", "prompt": f"prompt of {use.length} vectors"}
    done = what.get(use.kind, "all weights trained" if use.kind == "full" else use.kind)
    if isinstance(row.shape, str) or row.found is None:
        yield f"  {row.experiment}: {name}, {done}: its sizes are not known ({row.shape})"
    else:
        parts = row.found
        sums = (parts.weights, parts.gradients, parts.optimizer, parts.activations)
        told = " + ".join(f"{gb:.1f}" for gb in sums)
        size = f"{parts.parameters / 1e9:.2f}·10⁹"
        gpus = _gpus(row.shape, use, gpu_gb)
        yield f"  {row.experiment}: {name} ({size}), {done}: {told} → {parts.total:.1f}; {gpus}"
    yield f"    {', '.join(tasks)}: {', '.join(methods)}"


def _gpus(shape: Shape, use: Use, gpu_gb: float) -> str:
    count = gpus_needed(shape, use, gpu_gb)
    if count is None:
        return f"more than {MOST_GPUS} GPUs"
    return "1 GPU" if count == 1 else f"{count} GPUs with {on_each(shape, use, count):.1f} GB each"


def memory_json(rows: list[ArmMemory], gpu_gb: float) -> dict[str, Any]:
    """The rows as JSON data, one entry an arm."""
    return {"gpu_gb": gpu_gb, "memory": [entry for row in rows for entry in _entries(row, gpu_gb)]}


def _entries(row: ArmMemory, gpu_gb: float) -> Iterator[dict[str, Any]]:
    numbers: dict[str, Any] = {}
    if not isinstance(row.shape, str) and row.found is not None:
        parts = row.found
        names = ("parameters", "weights", "gradients", "optimizer", "activations", "total")
        numbers = {name: round(getattr(parts, name), 3) for name in names}
        numbers["gpus"] = gpus_needed(row.shape, row.use, gpu_gb)
    for task, method in row.arms:
        arm = {"experiment": row.experiment, "task": task, "method": method, "model": row.use.model.name}
        yield arm | {"kind": row.use.kind} | numbers
