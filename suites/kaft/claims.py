"""The rules that decide the claims of ``paper.toml``, declared before any run.

No number of the paper could be verified, so every claim is a direction or a bound.

* C1 to C3: pretrained and ordinarily finetuned models are low in both, at any size.
* C4 to C7: KAFT raises controllability and keeps robustness, at every size.
* C8 to C10: counterfactual contexts cause the one, irrelevant ones the other; unsupporting ones hurt both.
* C11 to C13: its own answers keep what a model knows, reading does not suffer, and an example shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.claims import (
    SCALED,
    Contrast,
    Direction,
    EveryCell,
    Existence,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Place,
    Precondition,
    Profile,
    Share,
    alone,
    at,
    by_profile,
    mean,
    slope,
)
from methods.kaft.method import CONTROLLABILITY, STUBBORN
from suites.kaft.cells import (
    FINETUNING,
    OTHER_SIZES,
    PROBE,
    RATES_AT,
    SIZES,
    Axis,
    agrees,
    controllability,
    doublings,
    joint,
    measured,
    relevant,
    robustness,
    sized,
    unread,
)

_CARD = "the card's threshold"
STUBBORNNESS = measured(STUBBORN)
"""How often the remembered answer is given to a context that contradicts it."""
_PUT_IN = (
    "The pretraining of our worlds decides it: how many facts can only be read sets how far a model trusts "
    "its memory (D2), and no context of it leaves its question unanswered."
)
_READING_FIRST = (
    "The smallest of our models has hardly learnt to read, so that along our sizes controllability and "
    "robustness follow the skill of reading (D17), which the paper's models all have."
)
_ONE_SIZE = NotRun("Sizes are compared on generated worlds only: one model is finetuned here.")


def _reads(where: Place) -> Precondition:
    """The pretrained model finds answers in contexts.

    On facts that it does not know, since it answers others without reading; Gemma is asked as it is about
    what it knows only.
    """
    found = relevant if where == PROBE else unread
    return Precondition(
        name="the pretrained model reads",
        theta=alone(found(where, "pretrained")),
        above=0.8,
        reason="a model that cannot find an answer in a context could not follow one",
        replication=where.replication,
    )


def _misses(where: Place, axis: Axis, *methods: str) -> Form:
    """Each method misses more than a fifth."""
    return EveryCell(
        tuple(0.8 - axis(where, method) for method in methods),
        delta=0.02,
        delta_reason="beyond the fifth that the contrast takes off, below which a model could be called good "
        "at it: two contexts in a hundred",
        replication=where.replication,
        preconditions=(_reads(where),),
    )


def _low(axis: Axis, *methods: str) -> Mapping[Profile, Form]:
    return by_profile(FINETUNING, lambda where: _misses(where, axis, *methods))


def _low_before(axis: Axis) -> Mapping[Profile, Form]:
    """The pretrained model does; only models that others pretrained can answer that."""
    missed = 1 - axis(FINETUNING[Profile.SMALL], "pretrained")
    return {**_low(axis, "pretrained"), Profile.SMALL: NotComparable(missed, reason=_PUT_IN)}


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


def _shown_by_size(axis: Axis, method: str) -> Mapping[Profile, Form]:
    """What each doubling of the weights adds, which says nothing of the paper's sizes."""
    return _on_worlds(NotComparable(_by_size(axis, method), reason=_READING_FIRST))


def _at_sizes(axis: Axis, sizes: Iterable[str], reason: str) -> Mapping[Profile, Form]:
    """KAFT is above noisy finetuning."""
    thetas = tuple(axis(sized(size), "kaft") - axis(sized(size), "noisy") for size in sizes)
    return _on_worlds(EveryCell(thetas, delta=0.05, delta_reason=reason))


RULES: Mapping[str, Mapping[Profile, Form]] = {
    "C1a": _low_before(controllability),
    "C1b": _low(controllability, "relevant", "noisy"),
    "C1c": at(Profile.SMALL, _misses(PROBE, controllability, "pretrained")),
    "C2a": _low_before(robustness),
    "C2b": _low(robustness, "relevant"),
    "C2c": at(Profile.SMALL, _misses(PROBE, robustness, "pretrained")),
    "C3a": _shown_by_size(controllability, "pretrained"),
    "C3b": _shown_by_size(controllability, "noisy"),
    "C3c": _shown_by_size(robustness, "pretrained"),
    "C3d": _shown_by_size(STUBBORNNESS, "pretrained"),
    "C4a": _more_controllable("noisy"),
    "C4b": _more_controllable("relevant"),
    "C4c": _more_controllable("pretrained"),
    "C5a": _more_robust("relevant"),
    "C5b": _no_worse(robustness, "kaft", "noisy", 0.03),
    "C5c": _more_robust("pretrained"),
    "C6a": _at_sizes(controllability, OTHER_SIZES, "one context in twenty"),
    "C6b": _at_sizes(joint, SIZES, "one twentieth of the scale"),
    "C7": _shown_by_size(controllability, "kaft"),
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
