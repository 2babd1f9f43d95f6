"""The rules that decide the claims about inference (M1 to M8, X1), declared before any run.

No number of the paper could be verified, so every claim is a direction, an order or an equivalence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.claims import (
    EveryCell,
    Form,
    NotComparable,
    Place,
    Profile,
    Replication,
    Rule,
    Rules,
    by_place,
    by_profile,
    log,
    mean,
)
from methods.metric_aware.metrics import MAE, RANKING
from suites.metric_aware.arms import mean_at
from suites.metric_aware.cells import ASKED, EMBEDDED, MAIN_TOY, OPEN, SETS, TOYS, WIDE_TOY, WIDTHS
from suites.metric_aware.rules import (
    KNOWN_LAW,
    SAMPLING,
    absolute,
    diagonal,
    each_own,
    exponent,
    few_samples,
    last_doubling,
    mean_over_mode,
    median_over_mode,
    over,
    proved,
    ranked,
    ranked_over_mode,
    shown,
    sixteen_samples,
    small_only,
    squared,
    squared_when_fitted,
    text_gain,
    too_far,
)

_RATED = EMBEDDED.on(part="rater")
_WIDER = tuple(EMBEDDED.on(task) for task, hidden in WIDTHS.items() if hidden)
"""Heads of other sizes than the one that the other claims read."""
_ASKED: Mapping[Profile, Sequence[Place]] = {
    profile: tuple(places.values()) for profile, places in ASKED.items()
}
_SEVERAL = {**_ASKED, Profile.SMALL: (EMBEDDED, *_ASKED[Profile.SMALL])}
_OWN_SAMPLES = (
    "The decision is made from samples of the distribution that draws the truth: the rule for F1 is then the "
    "best for it by definition."
)
_SAME = "These are the quantities of M2b and M2c on each set, which are judged there."


def _on_models(rule: Callable[[Place], EveryCell]) -> Rule:
    """Gemma-3-270M under ``small`` and ``gpu``, FLAN-T5 under ``paper``, on every set."""
    return by_profile(_ASKED, lambda places: over(rule, places))


def _on_one_model(rule: Callable[[Place], Form]) -> Rule:
    """The same on the first set."""
    return by_place({profile: places[0] for profile, places in _ASKED.items()}, rule)


def _on_every_set(places: Sequence[Place]) -> NotComparable:
    gains = mean(log(where("mode")) - log(where("mean")) for where in places)
    return NotComparable(gains, reason=_SAME, replication=Replication.CROSSED)


RULES: Rules = {
    "M1a": shown(WIDE_TOY("greedy") - WIDE_TOY("mean"), KNOWN_LAW),
    "M1b": small_only(each_own(_RATED)),
    "M1c": _on_models(each_own),
    "M1d": shown(WIDE_TOY("median") - WIDE_TOY("mean"), KNOWN_LAW),
    "M1e": small_only(diagonal(_RATED)),
    "M1f": proved("rules"),
    "M2a": shown(mean(log(where("mode")) - log(where("mean")) for where in TOYS.values()), KNOWN_LAW),
    "M2b": small_only(squared(EMBEDDED)),
    "M2c": _on_models(squared),
    "M2d": _on_models(squared_when_fitted),
    "M3a": shown(log(WIDE_TOY("mode", MAE)) - log(WIDE_TOY("median", MAE)), KNOWN_LAW),
    "M3b": small_only(absolute(EMBEDDED)),
    "M3c": _on_models(absolute),
    "M4a": shown(MAIN_TOY("mean", RANKING) - MAIN_TOY("mode", RANKING), KNOWN_LAW),
    "M4b": small_only(ranked(EMBEDDED)),
    "M4c": _on_models(ranked_over_mode),
    "M5a": shown(exponent(WIDE_TOY), SAMPLING),
    "M5b": shown(last_doubling(WIDE_TOY), SAMPLING),
    "M5c": shown(sixteen_samples(WIDE_TOY), SAMPLING),
    "M5d": small_only(few_samples(EMBEDDED)),
    "M5e": _on_one_model(few_samples),
    "M6a": shown(log(WIDE_TOY(mean_at(0.25))) - log(WIDE_TOY("mean")), KNOWN_LAW),
    "M6b": shown(log(WIDE_TOY(mean_at(4.0))) - log(WIDE_TOY("mean")), KNOWN_LAW),
    "M6c": _on_one_model(lambda where: too_far(where, 0.25)),
    "M6d": _on_one_model(lambda where: too_far(where, 4.0)),
    "M7a": by_profile(_SEVERAL, _on_every_set),
    "M7b": small_only(over(mean_over_mode, _WIDER)),
    "M7c": small_only(over(median_over_mode, _WIDER)),
    "M8a": by_place(OPEN, lambda where: text_gain(where, "greedy")),
    "M8b": by_place(OPEN, lambda where: text_gain(where, "one-sample")),
    "M8c": by_place(OPEN, lambda where: text_gain(where, "most-frequent")),
    "X1a": proved("sets"),
    "X1b": shown(SETS("f1") - SETS("mode"), _OWN_SAMPLES),
}
