"""The rules that decide the claims, declared before any run."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

from harness.claims import (
    Cell,
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Form,
    Precondition,
    Profile,
    Replication,
    Share,
    Trend,
    difference,
)
from methods.sparsity.scoring import COUNT
from suites.sparsity.cells import (
    DEPTHS,
    NOISE_TASK,
    WIDTHS,
    at_start,
    beyond_half,
    depth_task,
    drop,
    image,
    noise,
    of_layer,
    only,
    width_task,
)

SEEDS = Replication.SEEDS
POINTS = "the card's rule: sparsity that emerges is a fall of at least three points"


def falls(cell: Cell) -> Direction:
    """The mean over layers falls by at least three points."""
    return Direction(theta=drop(cell), delta=3.0, delta_reason=POINTS, replication=SEEDS)


def every_layer_falls(places: tuple[tuple[Cell, int], ...]) -> EveryCell:
    """Every layer of every model is sparser after training than before.

    Args:
        places: Models, each with its number of layers.
    """
    return EveryCell(
        thetas=tuple(drop(of_layer(cell, layer)) for cell, layers in places for layer in range(layers)),
        delta=1.0,
        delta_reason="a fiftieth of the percentage at the start",
        replication=SEEDS,
    )


def halves(cell: Cell) -> Direction:
    """After training at most half of what it was before."""
    return Direction(
        theta=beyond_half(cell),
        delta=0.5,
        delta_reason="beyond the half that the contrast takes off, half a point",
        replication=SEEDS,
    )


def sparse_at_all(cell: Cell) -> Precondition:
    """Sparsity has emerged where its features are looked at."""
    return Precondition(
        name="sparsity has emerged",
        theta=drop(cell),
        above=3.0,
        reason="features of a sparsity that is not there say nothing",
    )


def above(theta: Contrast, delta: float, reason: str, *assays: Precondition) -> Direction:
    """θ is at least δ."""
    return Direction(theta=theta, delta=delta, delta_reason=reason, replication=SEEDS, preconditions=assays)


def within(left: Cell, right: Cell, margin: float, reason: str, *assays: Precondition) -> Equivalence:
    """Two cells differ by less than a margin."""
    return Equivalence(
        theta=difference(left, right),
        margin=margin,
        margin_reason=reason,
        replication=SEEDS,
        preconditions=assays,
    )


def persists(task: str) -> Share:
    """The fall is at least half of that on natural data."""
    varied, natural = image(task), image("real")
    return Share(
        a=at_start(varied),
        b=varied,
        c=at_start(natural),
        d=natural,
        ratio=0.5,
        delta=1.0,
        delta_reason="beyond the half that the contrast takes off, one point",
        replication=SEEDS,
        denominator_delta=3.0,
    )


def deeper(profile: Profile) -> Trend:
    """The percentage falls with each doubling of the depth."""
    return Trend(
        points=tuple((log2(n), Contrast(((-1.0, image(depth_task(n, profile))),))) for n in DEPTHS[profile]),
        delta=1.0,
        delta_reason="one point for each doubling; the paper's sizes differ by more",
        step_margin=2.0,
        replication=SEEDS,
    )


def wider(profile: Profile) -> Trend:
    """The percentage falls with each doubling of the width."""
    return Trend(
        points=tuple((log2(n), Contrast(((-1.0, image(width_task(n, profile))),))) for n in WIDTHS[profile]),
        delta=0.5,
        delta_reason="half a point for each doubling; the paper's sizes differ by more",
        step_margin=2.0,
        replication=SEEDS,
    )


def more_neurons(profile: Profile) -> Trend:
    """The number of active neurons rises with the width."""
    return Trend(
        points=tuple(
            (log2(n), Contrast(((1.0, image(width_task(n, profile), COUNT)),), log=True))
            for n in WIDTHS[profile]
        ),
        delta=0.1,
        delta_reason="a tenth more active neurons for each doubling of the width",
        step_margin=0.1,
        replication=SEEDS,
    )


def memorised(method: str, task: str = NOISE_TASK) -> Precondition:
    """Noisy labels have been learnt by heart."""
    return Precondition(
        name=f"{method} has memorised its noisy labels ({task})",
        theta=only(noise(method, task, part="fit")),
        above=90.0,
        reason="label noise does little to a model that has not fitted it (card, section 8)",
    )


def learns(method: str) -> Precondition:
    """The model can do the task."""
    return Precondition(
        name=f"{method} learns",
        theta=only(noise(method)),
        above=50.0,
        reason="robustness of a model that has learnt nothing is none",
    )


def robust(better: Cell, worse: Cell, *assays: Precondition) -> Direction:
    """Half a point or more in favour of Top-k."""
    return above(
        difference(better, worse),
        0.5,
        "half a point: a quarter of the paper's smallest gain from noise",
        *assays,
    )


def same(form: Form, *profiles: Profile) -> Mapping[Profile, Form]:
    """One form in several profiles."""
    return dict.fromkeys(profiles, form)
