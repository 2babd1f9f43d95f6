"""The claims about losses (C7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.claims import Claim, Contrast, Direction, Form, Precondition, Profile, Replication, difference
from suites.lite.cells import LOSSES, MAIN_LOSS, MEASURED, loss_task, quality, with_loss

POINT = 0.01


def _above(theta: Contrast, delta: float = POINT) -> Direction:
    return Direction(
        theta=theta,
        delta=delta,
        delta_reason="a hundredth of MRR@10; half of it for a difference of differences",
        replication=Replication.CROSSED,
    )


def _each(form: Callable[[str], Form]) -> Mapping[Profile, Form]:
    return {profile: form(loss_task(profile)) for profile in MEASURED}


def _teacher_over_scorer(task: str) -> Form:
    """Mean gain of margin-MSE over one-hot, minus the mean gain of LITE over MaxSim."""
    terms = []
    for scorer, sign in (("lite", 1.0), ("maxsim", -1.0)):
        for loss in LOSSES:
            weight = {"one-hot": -0.5, MAIN_LOSS: 0.5}.get(loss, 0.0) - sign / len(LOSSES)
            terms.append((weight, quality(with_loss(scorer, loss), task=task)))
    return replace(_above(Contrast(tuple(terms))), preconditions=(_teacher_gains(task),))


def _teacher_gains(task: str) -> Precondition:
    """Mean gain of margin-MSE over one-hot."""
    pairs = ((0.5, MAIN_LOSS), (-0.5, "one-hot"))
    terms = [
        (weight, quality(with_loss(name, loss), task=task))
        for weight, loss in pairs
        for name in ("lite", "maxsim")
    ]
    return Precondition(
        name="gain by the teacher",
        theta=Contrast(tuple(terms)),
        above=0.0,
        reason="Where a teacher adds nothing to labels, it matters more than the scorer only because LITE "
        "is below MaxSim.",
        replication=Replication.CROSSED,
    )


def _lite_over_maxsim(loss: str) -> Callable[[str], Form]:
    def form(task: str) -> Form:
        lite, maxsim = (quality(with_loss(name, loss), task=task) for name in ("lite", "maxsim"))
        return _above(difference(lite, maxsim))

    return form


def _maxsim_over_lite(task: str) -> Form:
    return _above(difference(quality("maxsim-kl", task=task), quality("lite-kl", task=task)))


def _largest_with_labels(task: str) -> Form:
    terms = []
    for loss, sign in (("one-hot", 1.0), (MAIN_LOSS, -1.0)):
        terms.append((sign, quality(with_loss("lite", loss), task=task)))
        terms.append((-sign, quality(with_loss("maxsim", loss), task=task)))
    return _above(Contrast(tuple(terms)), delta=POINT / 2)


LOSS_CLAIMS = (
    Claim(
        id="C7a",
        parent="C7",
        statement="A teacher's margins gain more over plain labels than LITE gains over MaxSim.",
        source="loss ablation on NQ",
        forms=_each(_teacher_over_scorer),
        reported=("loss-one-hot-maxsim", "loss-margin-mse-maxsim", "loss-margin-mse-lite"),
    ),
    Claim(
        id="C7b",
        parent="C7",
        statement="With plain labels LITE ranks better than MaxSim.",
        source="loss ablation on NQ",
        forms=_each(_lite_over_maxsim("one-hot")),
        reported=("loss-one-hot-lite", "loss-one-hot-maxsim"),
    ),
    Claim(
        id="C7c",
        parent="C7",
        statement="With margin-MSE LITE ranks better than MaxSim.",
        source="loss ablation on NQ",
        forms=_each(_lite_over_maxsim(MAIN_LOSS)),
        reported=("loss-margin-mse-lite", "loss-margin-mse-maxsim"),
    ),
    Claim(
        id="C7d",
        parent="C7",
        statement="With KL it is the other way round.",
        source="loss ablation on NQ",
        forms=_each(_maxsim_over_lite),
        reported=("loss-kl-maxsim", "loss-kl-lite"),
        essential=False,
        note="An exception only where LITE is better with the other two losses.",
    ),
    Claim(
        id="C7e",
        parent="C7",
        statement="LITE's margin over MaxSim is larger with plain labels than with margin-MSE.",
        source="loss ablation on NQ",
        forms=_each(_largest_with_labels),
        reported=("loss-one-hot-lite", "loss-one-hot-maxsim"),
        essential=False,
    ),
)
