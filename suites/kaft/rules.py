"""The rules that decide the claims, with the card's thresholds.

Each function makes one rule for one place where methods are compared: generated worlds, facts about
countries and elements, or public data.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import (
    Cell,
    Contrast,
    Direction,
    EveryCell,
    Form,
    NonInferiority,
    NotRun,
    Precondition,
    Profile,
    Replication,
    Share,
    difference,
)
from methods.kaft.method import CONTROLLABILITY, ROBUSTNESS
from suites.kaft.cells import FACTS, OPEN, WORLD, Reads, slope

SEEDS = Replication.SEEDS
LOW = 0.2
LOW_REASON = "a model that goes wrong on fewer than a fifth of the contexts could be called good at it"


def missed(cell: Cell) -> Contrast:
    """1 − the metric."""
    return Contrast(((-1.0, cell),), constant=-1.0)


def reads(where: Reads) -> Precondition:
    """Precondition: the pretrained model finds answers in contexts."""
    return Precondition(
        name="the pretrained model reads",
        theta=Contrast(((1.0, where.relevant("pretrained")),)),
        above=0.8,
        reason="a model that cannot find an answer in a context could not follow one",
        replication=where.replication,
    )


def low(where: Reads, attribute: str, methods: tuple[str, ...]) -> EveryCell:
    """Each method misses at least a fifth."""
    return EveryCell(
        thetas=tuple(missed(getattr(where, attribute)(method)) for method in methods),
        delta=LOW,
        delta_reason=LOW_REASON,
        replication=where.replication,
        preconditions=(reads(where),),
    )


def gain(where: Reads, baseline: str) -> Direction:
    """KAFT is more controllable than a baseline."""
    return Direction(
        theta=difference(where.ctrl("kaft"), where.ctrl(baseline)),
        delta=0.2,
        delta_reason="the card's threshold: a fifth of the contexts more",
        replication=where.replication,
        preconditions=(reads(where),),
    )


def more_robust(where: Reads, name: str) -> Direction:
    """KAFT is more robust than a baseline."""
    return Direction(
        theta=difference(where.rob("kaft"), where.rob(name)),
        delta=0.1,
        delta_reason="the card's threshold: a tenth of the contexts more",
        replication=where.replication,
    )


def as_robust(where: Reads) -> NonInferiority:
    """KAFT is as robust as noisy finetuning."""
    return NonInferiority(
        theta=difference(where.rob("kaft"), where.rob("noisy")),
        margin=0.03,
        margin_reason="the card's threshold",
        replication=where.replication,
    )


def half_of_gain(where: Reads, attribute: str, ablation: str, baseline: str) -> Share:
    """An ablation loses at least half of KAFT's gain over a baseline."""
    read = getattr(where, attribute)
    return Share(
        a=read("kaft"),
        b=read(ablation),
        c=read("kaft"),
        d=read(baseline),
        ratio=0.5,
        delta=0.02,
        delta_reason="the contrast already takes off half of the gain; two contexts in a hundred beyond that",
        replication=where.replication,
    )


def keeps(where: Reads, attribute: str, ablation: str) -> NonInferiority:
    """An ablation keeps what KAFT has on an axis."""
    read = getattr(where, attribute)
    return NonInferiority(
        theta=difference(read(ablation), read("kaft")),
        margin=0.05,
        margin_reason="the card's threshold for the axis that an ablation should leave alone",
        replication=where.replication,
    )


def falls(better: Cell, worse: Cell, where: Reads, delta: float, reason: str) -> Direction:
    """One number is above another."""
    return Direction(
        theta=difference(better, worse), delta=delta, delta_reason=reason, replication=where.replication
    )


def flat(method: str, metric: str, sign: float) -> NonInferiority:
    """A metric does not fall with size, or with ``sign`` -1 does not rise."""
    return NonInferiority(
        theta=slope(method, CONTROLLABILITY if metric == "ctrl" else ROBUSTNESS, sign),
        margin=0.02,
        margin_reason="the card's band around a flat curve, for each doubling of the weights",
        replication=SEEDS,
    )


def both(make: object) -> Mapping[Profile, Form]:
    """The same rule where finetuning runs: worlds under small, facts under gpu, open data under paper."""
    assert callable(make)
    return {Profile.SMALL: make(WORLD), Profile.GPU: make(FACTS), Profile.PAPER: make(OPEN)}


ON_WORLDS = (Profile.SMALL, Profile.GPU)


def on_worlds(form: Form) -> Mapping[Profile, Form]:
    """The same rule wherever generated worlds are run."""
    one = NotRun(reason="Sizes are compared on generated worlds only: one model is finetuned here.")
    return {**dict.fromkeys(ON_WORLDS, form), Profile.PAPER: one}
