"""Names of methods and tasks, and the cells that claims and displays read."""

from __future__ import annotations

from dataclasses import replace

from harness.claims import Cell, Contrast, Profile
from harness.method import Metric
from harness.suite import Scale
from methods.sparsity.scoring import ACCURACY, NNZ

EVERY = tuple(Profile)
MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
"""Profiles in which more than exact claims are judged."""
LARGE = (Profile.GPU, Profile.PAPER)

LAYERS = {Profile.SMOKE: 2, Profile.SMALL: 3, Profile.GPU: 6, Profile.PAPER: 12}
"""Blocks of the vision transformer."""
DEPTHS = {Profile.SMALL: (2, 3, 6), Profile.GPU: (3, 6, 12), Profile.PAPER: (8, 12, 24)}
WIDTH = {Profile.SMOKE: 32, Profile.SMALL: 128, Profile.GPU: 1024, Profile.PAPER: 3072}
"""d_ff of the vision transformer."""
WIDTHS = {Profile.SMALL: (32, 128, 512), Profile.GPU: (256, 1024, 4096), Profile.PAPER: (768, 3072, 12288)}
STACK = {Profile.SMOKE: 1, Profile.SMALL: 2, Profile.GPU: 4, Profile.PAPER: 12}
"""Blocks of the text model's encoder, and as many of its decoder."""
KEEP = {Profile.SMOKE: 4, Profile.SMALL: 16, Profile.GPU: 64, Profile.PAPER: 128}
"""k of the Top-k transformer beside the dense one; the paper's 128 of 3,072 neurons under ``paper``."""

TOP = "top-k"
"""Id of the Top-k transformer with :data:`KEEP`."""
CAUSES = {"random-labels": "random labels", "random-images": "random images", "fresh": "infinite data"}
NOISES = ("gaussian", "impulse", "shot")
LABEL_NOISE = {"noise-40": 0.4, "noise-80": 0.8}
"""Share of training labels that are drawn anew, by task."""
NOISE_TASK, MORE_NOISE_TASK = LABEL_NOISE

SGD_RATES = (0.1, 0.3)
"""Rates of SGD with momentum beside AdamW's."""


def depth_task(layers: int, profile: Profile) -> str:
    """Id of the task with so many layers."""
    return "real" if layers == LAYERS[profile] else f"layers-{layers}"


def width_task(d_ff: int, profile: Profile) -> str:
    """Id of the task with so many neurons."""
    return "real" if d_ff == WIDTH[profile] else f"width-{d_ff}"


def rate_id(optimizer: str, rate: float) -> str:
    """Id of a method in the experiment on rates: ``adamw-0.008``."""
    return f"{optimizer}-{rate:g}"


def adam_rates(rate: float) -> tuple[float, ...]:
    """Five rates of AdamW around one, a factor of two apart."""
    return tuple(float(f"{rate * 2.0**k:.2g}") for k in range(-2, 3))


def of_rate(rate: float, common: float, metric: Metric, part: str) -> Cell:
    """A vision transformer trained by AdamW at a rate; at the common one it is that of ``images``."""
    if rate == common:
        return image("real", metric, part=part)
    return Cell("rates", rate_id("adamw", rate), metric, part=part)


def other_keeps(profile: Profile) -> tuple[int, ...]:
    """Further k under ``--full``."""
    keep = KEEP[profile]
    return tuple(sorted({2, keep // 4, keep // 2, 2 * keep, 4 * keep} - {1, keep}))


def image(task: str, metric: Metric = NNZ, *, part: str = "train", method: str = "dense") -> Cell:
    """A vision model at the common rate, on training data after training."""
    return Cell("images", method, metric, task=task, part=part)


def text(task: str = "spans", metric: Metric = NNZ, *, part: str = "train", method: str = "dense") -> Cell:
    """A language model on training text after training."""
    return Cell("text", method, metric, task=task, part=part)


def tuned(method: str, metric: Metric = ACCURACY, *, part: str = "main") -> Cell:
    """A vision transformer at the best rate."""
    return Cell("tuned", method, metric, part=part)


def noise(method: str, task: str = "clean", metric: Metric = ACCURACY, *, part: str = "main") -> Cell:
    """A vision transformer that trained long, on clean or noisy labels."""
    return Cell("noise", method, metric, task=task, part=part)


def noise_tasks(method: str, scale: Scale) -> tuple[str, ...]:
    """Tasks with label noise that a method is trained on; 80 % is for wide grids, and there for each k."""
    keep = KEEP[scale.profile]
    swept = {"dense", "untrained", TOP, f"top-{keep // 2}", f"top-{2 * keep}"}
    wide = scale.full or scale.profile is Profile.PAPER
    return tuple(LABEL_NOISE) if wide and method in swept else (NOISE_TASK,)


def at_start(cell: Cell) -> Cell:
    """The same before training."""
    return replace(cell, part=f"probe:{cell.part}", where=(*cell.where, ("step", 0)))


def at_step(cell: Cell, step: int) -> Cell:
    """The same during training."""
    return replace(cell, part=f"probe:{cell.part}", where=(*cell.where, ("step", step)))


def of_layer(cell: Cell, layer: int) -> Cell:
    """The same of one layer."""
    return replace(cell, where=(*cell.where, ("layer", layer)))


def only(cell: Cell, constant: float = 0.0) -> Contrast:
    """θ = the cell − a constant."""
    return Contrast(((1.0, cell),), constant)


def below(limit: float, cell: Cell) -> Contrast:
    """θ = limit − the cell."""
    return Contrast(((-1.0, cell),), -limit)


def drop(cell: Cell) -> Contrast:
    """θ = before training − after training."""
    return Contrast(((1.0, at_start(cell)), (-1.0, cell)))


def beyond_half(cell: Cell) -> Contrast:
    """θ = half of what it was before training − what it is after."""
    return Contrast(((0.5, at_start(cell)), (-1.0, cell)))


def ends_above_middle(task: str, layers: int) -> Contrast:
    """θ = mean of the first and the last layer − mean of the middle half."""
    inner = range(layers // 4, layers - layers // 4)
    ends = [(0.5, of_layer(image(task), layer)) for layer in (0, layers - 1)]
    middle = [(-1.0 / len(inner), of_layer(image(task), layer)) for layer in inner]
    return Contrast((*ends, *middle))
