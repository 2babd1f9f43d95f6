"""The claims that sparsity emerges, and where (C1 to C5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.claims import Cell, Claim, Form, Profile, Value
from methods.sparsity.scoring import GAP, NNZ
from suites.sparsity.cells import (
    DEPTHS,
    LAYERS,
    MEASURED,
    STACK,
    WIDTHS,
    below,
    depth_task,
    ends_above_middle,
    image,
    only,
    text,
    tuned,
    width_task,
)
from suites.sparsity.claims_causes import CAUSES_AND_SIZES
from suites.sparsity.claims_topk import TOP_K
from suites.sparsity.rules import (
    SEEDS,
    above,
    every_layer_falls,
    falls,
    halves,
    same,
    sparse_at_all,
    within,
)


def _each(rule: Callable[[Profile], Form]) -> Mapping[Profile, Form]:
    """A rule for each profile in which models are trained."""
    return {profile: rule(profile) for profile in MEASURED}


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


def _emergence(number: str, cell: Cell, layers: Mapping[Profile, int], what: str) -> tuple[Claim, ...]:
    """The card's rule for C1 and C2 in three parts."""
    return (
        Claim(
            id=f"{number}a",
            parent=number,
            statement=f"Training lowers the percentage of non-zero activations of {what}.",
            source="Figures 1 and 2",
            forms=same(falls(cell), *MEASURED),
            reported=("initial",),
        ),
        Claim(
            id=f"{number}b",
            parent=number,
            statement=f"It does so in every layer of {what}.",
            source="Figures 1 and 2",
            forms=_each(lambda profile: every_layer_falls(((cell, layers[profile]),))),
        ),
        Claim(
            id=f"{number}c",
            parent=number,
            statement=f"At the end at most half as many activations of {what} are non-zero as at first.",
            source="Figures 1 and 2",
            forms=same(halves(cell), *MEASURED),
            note="The paper's models end near 3 and 6 %; half of 50 % is what the card asks of any scale.",
        ),
    )


_STACKS = {profile: 2 * layers for profile, layers in STACK.items()}

EMERGENCE = (
    _whole("C1", "Sparsity emerges in T5 without any regulariser.", "Figure 1", "t5-base-abstract"),
    *_emergence("C1", text(), _STACKS, "a T5 on span corruption"),
    Claim(
        id="C1d",
        parent="C1",
        statement="In pretrained T5-Base 2.7 % of the activations are non-zero.",
        source="Figure 1",
        forms={
            Profile.PAPER: Value(
                theta=only(Cell("pretrained", "pretrained", NNZ, task="t5-base", part="test")),
                reported="t5-base-mean",
                margin=1.0,
                margin_reason="the paper's own two figures differ by .3, and its text is another sample",
                replication=SEEDS,
            )
        },
        reported=("t5-base-mean", "t5-base-max", "t5-base-min"),
    ),
    _whole("C2", "It emerges in vision transformers, too.", "Figure 2a", "vit-b16"),
    *_emergence("C2", tuned("dense", NNZ, part="train"), LAYERS, "a vision transformer"),
    Claim(
        id="C2d",
        parent="C2",
        statement="In a ViT-B/16 it ends at 6.3 %.",
        source="abstract",
        forms={
            Profile.PAPER: Value(
                theta=only(tuned("dense", NNZ, part="train")),
                reported="vit-b16",
                margin=2.0,
                margin_reason="the paper trains on ImageNet-21k, and calls what the data set changes little",
                replication=SEEDS,
            )
        },
        reported=("vit-b16",),
        essential=False,
    ),
    _whole("C3", "Training and evaluation data give the same sparsity.", "Figure 2b", "train-eval"),
    Claim(
        id="C3a",
        parent="C3",
        statement="The means over layers agree within two points.",
        source="Figure 2b",
        forms=same(
            within(text(), text(part="test"), 2.0, "the card's rule; curves of the paper nearly coincide"),
            *MEASURED,
        ),
        reported=("train-eval",),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="No layer differs by more than two points.",
        source="Figure 2b",
        forms=same(
            above(below(2.0, text(metric=GAP, part="gap")), 0.1, "a twentieth of the card's two points"),
            *MEASURED,
        ),
        reported=("train-eval",),
    ),
    Claim(
        id="C4",
        statement="The size of the training set matters little.",
        source="Figure 2c",
        forms=same(
            within(image("quarter"), image("real"), 5.0, "a tenth of the percentage at the start"),
            *MEASURED,
        ),
        reported=("data-scale",),
    ),
)


def _all_sizes(profile: Profile) -> tuple[tuple[Cell, int], ...]:
    """Every configuration of the vision transformer, with its layers."""
    depths = {depth_task(n, profile): n for n in DEPTHS[profile]}
    widths = {width_task(n, profile): LAYERS[profile] for n in WIDTHS[profile]}
    return tuple((image(task), layers) for task, layers in {**depths, **widths}.items())


def _deepest(profile: Profile) -> tuple[str, int]:
    return depth_task(DEPTHS[profile][-1], profile), DEPTHS[profile][-1]


SHAPE = (
    _whole(
        "C5", "All configurations are sparse in all layers, less so at both ends.", "Figure 2", "all-layers"
    ),
    Claim(
        id="C5a",
        parent="C5",
        statement="Training lowers the percentage in every layer of every size.",
        source="Figures 2d to 2f",
        forms=_each(lambda profile: every_layer_falls(_all_sizes(profile))),
        reported=("all-layers",),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="The first and the last layer are denser than those in the middle.",
        source="Figures 2d to 2f",
        forms=_each(
            lambda profile: above(
                ends_above_middle(*_deepest(profile)),
                1.0,
                "a point; in the paper ends and middle differ by several",
                sparse_at_all(image(_deepest(profile)[0])),
            )
        ),
        reported=("all-layers",),
    ),
)

CLAIMS = (*EMERGENCE, *SHAPE, *CAUSES_AND_SIZES, *TOP_K)
"""All claims, in the paper's order."""
