"""The rules that decide the claims about inference (M1 to M8, X1), declared before any run.

No number of the paper could be verified, so every claim is a direction, an order or an equivalence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.claims import EveryCell, Form, Place, Profile, Replication, by_profile
from suites.metric_aware.cells import ASKED, EMBEDDED, MAIN_TOY, OPEN, SETS, TOYS, WIDE_TOY, WIDTHS
from suites.metric_aware.rules import (
    absolute,
    converges,
    diagonal,
    each_own,
    falling,
    few_samples,
    mean_over_mode,
    median_over_mode,
    over,
    proved,
    ranked,
    ranked_over_mode,
    small_only,
    squared,
    squared_when_fitted,
    text_gain,
    too_far,
)

_RATED = EMBEDDED.on(part="rater")
_HEADS = tuple(EMBEDDED.on(task) for task in WIDTHS)
_ASKED: Mapping[Profile, Sequence[Place]] = {
    profile: tuple(places.values()) for profile, places in ASKED.items()
}
_SEVERAL = {**_ASKED, Profile.SMALL: (*TOYS.values(), EMBEDDED, *_ASKED[Profile.SMALL])}


def _on_models(rule: Callable[[Place], EveryCell]) -> Mapping[Profile, Form]:
    """Gemma-3-270M under ``small`` and ``gpu``, FLAN-T5 under ``paper``, on every set."""
    return by_profile(_ASKED, lambda places: over(rule, places))


def _on_one_model(rule: Callable[[Place], Form]) -> Mapping[Profile, Form]:
    """The same on the first set."""
    return by_profile(_ASKED, lambda places: rule(places[0]))


def _on_every_set(places: Sequence[Place]) -> EveryCell:
    crossed = (replace(where, replication=Replication.CROSSED) for where in places)
    return over(mean_over_mode, crossed)


RULES: Mapping[str, Mapping[Profile, Form]] = {
    "M1a": small_only(each_own(WIDE_TOY)),
    "M1b": small_only(each_own(_RATED)),
    "M1c": _on_models(each_own),
    "M1d": small_only(diagonal(WIDE_TOY)),
    "M1e": small_only(diagonal(_RATED)),
    "M1f": proved("rules", "all decisions on a fine net", 100),
    "M2a": small_only(over(squared, TOYS.values())),
    "M2b": small_only(squared(EMBEDDED)),
    "M2c": _on_models(squared),
    "M2d": _on_models(squared_when_fitted),
    "M3a": small_only(over(absolute, (MAIN_TOY, WIDE_TOY))),
    "M3b": small_only(absolute(EMBEDDED)),
    "M3c": _on_models(absolute),
    "M4a": small_only(ranked(MAIN_TOY)),
    "M4b": small_only(ranked(EMBEDDED)),
    "M4c": _on_models(ranked_over_mode),
    "M5a": small_only(converges(WIDE_TOY)),
    "M5b": small_only(falling(WIDE_TOY)),
    "M5c": small_only(few_samples(WIDE_TOY)),
    "M5d": small_only(few_samples(EMBEDDED)),
    "M5e": _on_one_model(few_samples),
    "M6a": small_only(too_far(WIDE_TOY, 0.25, "mean")),
    "M6b": small_only(too_far(WIDE_TOY, 4.0, "mean")),
    "M6c": _on_one_model(lambda where: too_far(where, 0.25, "fitted")),
    "M6d": _on_one_model(lambda where: too_far(where, 4.0, "fitted")),
    "M7a": by_profile(_SEVERAL, _on_every_set),
    "M7b": small_only(over(mean_over_mode, _HEADS)),
    "M7c": small_only(over(median_over_mode, _HEADS)),
    "M8a": by_profile(OPEN, lambda where: text_gain(where, "greedy")),
    "M8b": by_profile(OPEN, lambda where: text_gain(where, "one-sample")),
    "M8c": by_profile(OPEN, lambda where: text_gain(where, "most-frequent")),
    "X1a": proved("sets", "the expected F1 of all sets", 15),
    "X1b": small_only(
        EveryCell(
            tuple(SETS("f1") - SETS(other) for other in ("hamming", "mode")),
            delta=0.01,
            delta_reason="a point of F1",
        )
    ),
}
