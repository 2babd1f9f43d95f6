"""The rules that decide the claims of ``paper.toml``, declared before any run.

No number of the paper could be verified, so every claim is a direction or an equivalence.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import (
    SCALED,
    Contrast,
    Direction,
    EveryCell,
    Existence,
    Form,
    NonInferiority,
    NotRun,
    Place,
    Precondition,
    Profile,
    Share,
    Trend,
    alone,
    at,
    by_profile,
    mean,
    slope,
)
from methods.kaft.method import CONTROLLABILITY
from suites.kaft.cells import (
    FINETUNING,
    PROBE,
    RATES_AT,
    SIZES,
    Axis,
    agrees,
    controllability,
    doublings,
    joint,
    relevant,
    robustness,
    sized,
    unread,
)

_CARD = "the card's threshold"
_ONE_SIZE = NotRun("Sizes are compared on generated worlds only: one model is finetuned here.")


def _reads(where: Place) -> Precondition:
    """The pretrained model finds answers in contexts."""
    return Precondition(
        name="the pretrained model reads",
        theta=alone(relevant(where, "pretrained")),
        above=0.8,
        reason="a model that cannot find an answer in a context could not follow one",
        replication=where.replication,
    )


def _misses(where: Place, axis: Axis, *methods: str) -> Form:
    """Each method misses at least a fifth."""
    return EveryCell(
        tuple(1 - axis(where, method) for method in methods),
        delta=0.2,
        delta_reason="a model that goes wrong on fewer than a fifth of the contexts could be called good "
        "at it",
        replication=where.replication,
        preconditions=(_reads(where),),
    )


def _low(axis: Axis, *methods: str) -> Mapping[Profile, Form]:
    return by_profile(FINETUNING, lambda where: _misses(where, axis, *methods))


def _better(
    axis: Axis, better: str, worse: str, delta: float, reason: str = _CARD, *, reads: bool = False
) -> Mapping[Profile, Form]:
    """A method is above another on an axis; with ``reads``, if the pretrained model reads at all."""
    return by_profile(
        FINETUNING,
        lambda where: Direction(
            axis(where, better) - axis(where, worse),
            delta=delta,
            delta_reason=reason,
            replication=where.replication,
            preconditions=(_reads(where),) if reads else (),
        ),
    )


def _more_controllable(baseline: str) -> Mapping[Profile, Form]:
    reason = f"{_CARD}: a fifth of the contexts more"
    return _better(controllability, "kaft", baseline, 0.2, reason, reads=True)


def _more_robust(baseline: str) -> Mapping[Profile, Form]:
    return _better(robustness, "kaft", baseline, 0.1, f"{_CARD}: a tenth of the contexts more")


def _no_worse(
    axis: Axis, method: str, other: str, margin: float, reason: str = _CARD
) -> Mapping[Profile, Form]:
    """A method is as good as another on an axis."""
    return by_profile(
        FINETUNING,
        lambda where: NonInferiority(
            axis(where, method) - axis(where, other),
            margin=margin,
            margin_reason=reason,
            replication=where.replication,
        ),
    )


def _keeps(axis: Axis, ablation: str) -> Mapping[Profile, Form]:
    """An ablation keeps what KAFT has on an axis."""
    reason = f"{_CARD} for the axis that an ablation should leave alone"
    return _no_worse(axis, ablation, "kaft", 0.05, reason)


def _halves_gain(axis: Axis, ablation: str, baseline: str) -> Mapping[Profile, Form]:
    """An ablation loses at least half of KAFT's gain over a baseline."""
    return by_profile(
        FINETUNING,
        lambda where: Share(
            axis(where, "kaft"),
            axis(where, ablation),
            axis(where, "kaft"),
            axis(where, baseline),
            ratio=0.5,
            delta=0.02,
            delta_reason="the contrast already takes off half of the gain; two contexts in a hundred "
            "beyond that",
            replication=where.replication,
        ),
    )


def _own_over_gold(profile: Profile) -> Form:
    """What the model's own answers as targets gain in agreement over gold ones, at common rates."""
    where = FINETUNING[profile]
    return Direction(
        mean(agrees(where, f"kaft-{rate}") - agrees(where, f"gold-{rate}") for rate in RATES_AT[profile]),
        delta=0.02,
        delta_reason="two answers in a hundred",
        replication=where.replication,
    )


def _on_worlds(form: Form) -> Mapping[Profile, Form]:
    return at(SCALED, form) | at(Profile.PAPER, _ONE_SIZE)


def _by_size(axis: Axis, method: str) -> Contrast:
    """What each doubling of the weights adds."""
    return slope([(doublings(size), axis(sized(size), method)) for size in SIZES])


def _not_negative(theta: Contrast) -> Mapping[Profile, Form]:
    return _on_worlds(
        NonInferiority(
            theta,
            margin=0.02,
            margin_reason="the card's band around a flat curve, for each doubling of the weights",
        )
    )


def _at_every_size(axis: Axis, reason: str) -> Mapping[Profile, Form]:
    """KAFT is above noisy finetuning."""
    thetas = tuple(axis(sized(size), "kaft") - axis(sized(size), "noisy") for size in SIZES)
    return _on_worlds(EveryCell(thetas, delta=0.05, delta_reason=reason))


RULES: Mapping[str, Mapping[Profile, Form]] = {
    "C1a": _low(controllability, "pretrained"),
    "C1b": _low(controllability, "relevant", "noisy"),
    "C1c": at(Profile.SMALL, _misses(PROBE, controllability, "pretrained")),
    "C2a": _low(robustness, "pretrained"),
    "C2b": _low(robustness, "relevant"),
    "C2c": at(Profile.SMALL, _misses(PROBE, robustness, "pretrained")),
    "C3a": _not_negative(-_by_size(controllability, "pretrained")),
    "C3b": _not_negative(-_by_size(controllability, "noisy")),
    "C3c": _not_negative(-_by_size(robustness, "pretrained")),
    "C3d": _on_worlds(
        Trend(
            tuple((doublings(size), 1 - controllability(sized(size), "pretrained")) for size in SIZES),
            delta=0.02,
            delta_reason="beyond the card's band around a flat curve, for each doubling of the weights",
            step_margin=0.05,
        )
    ),
    "C4a": _more_controllable("noisy"),
    "C4b": _more_controllable("relevant"),
    "C4c": _more_controllable("pretrained"),
    "C5a": _more_robust("relevant"),
    "C5b": _no_worse(robustness, "kaft", "noisy", 0.03),
    "C5c": _more_robust("pretrained"),
    "C6a": _at_every_size(controllability, "one context in twenty"),
    "C6b": _at_every_size(joint, "one twentieth of the scale"),
    "C7": _not_negative(_by_size(controllability, "kaft")),
    "C8a": _halves_gain(controllability, "no-cf", "noisy"),
    "C8b": _keeps(robustness, "no-cf"),
    "C9a": _halves_gain(robustness, "no-irr", "relevant"),
    "C9b": _no_worse(robustness, "relevant", "no-irr", 0.03, f"{_CARD} for robustness"),
    "C9c": _keeps(controllability, "no-irr"),
    "C10a": _better(controllability, "kaft", "noise-50", 0.05),
    "C10b": _better(robustness, "kaft", "noise-50", 0.05),
    "C11": {profile: _own_over_gold(profile) for profile in FINETUNING},
    "C12": _no_worse(unread, "kaft", "relevant", 0.02),
    "C13": by_profile(
        FINETUNING,
        lambda where: Existence(
            where("kaft", CONTROLLABILITY, part="examples"),
            oracle="the passage states the answer given, and not the remembered one",
        ),
    ),
}
