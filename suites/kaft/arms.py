"""The methods under comparison: ids, settings, labels, and the seeds they are tuned and judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from harness.method import Method
from harness.suite import Arm, FirstSeed, Tuned, arms
from methods.kaft.method import (
    JOINT,
    ContextAware,
    CounterfactualOnly,
    FineTuned,
    Kaft,
    Noisy,
    Oracle,
    Pretrained,
    RelevantOnly,
)
from methods.kaft.sabotage import HarmlessNoise, Sabotaged

M = TypeVar("M", bound=FineTuned)

UNSEEN = FirstSeed(300, "Worlds from 100 on were seen while rules and measurement changed (D16).")
"""Seeds of the verdict; each is a world of its own."""
TUNING_WORLD = 1
"""Drawn and trained on apart, for choosing learning rates."""
THIRD = 1 / 3
_NO_COUNTERFACTUAL: dict[str, Any] = {
    "relevant": THIRD,
    "irrelevant": THIRD,
    "empty": THIRD,
    "counterfactual": 0.0,
}
_NO_IRRELEVANT: dict[str, Any] = {"relevant": 0.5, "irrelevant": 0.0, "empty": 0.0, "counterfactual": 0.5}

_RECIPES: Mapping[str, tuple[str, FineTuned]] = {
    "relevant": ("relevant-only finetuning", RelevantOnly()),
    "noisy": ("noisy finetuning", Noisy()),
    "cf-only": ("counterfactual-only finetuning", CounterfactualOnly()),
    "kaft": ("KAFT", Kaft()),
    "no-cf": ("KAFT − counterfactual", Kaft(**_NO_COUNTERFACTUAL)),
    "no-irr": ("KAFT − irrelevant − empty", Kaft(**_NO_IRRELEVANT)),
    "gold": ("KAFT, gold targets", Kaft(targets="gold")),
    "no-tags": ("KAFT, no tags", Kaft(tags=False)),
    "easy": ("KAFT, easy irrelevant only", Kaft(hardness="easy")),
    "noise-50": ("KAFT, half of the supporting contexts made unsupporting", Kaft(noise=0.5)),
}
"""Mixtures to finetune on, with their labels."""
_HABITS: Mapping[str, tuple[str, Oracle]] = {
    "copy": ("copying oracle", Oracle(habit="copy")),
    "closed-book": ("closed-book oracle", Oracle(habit="closed-book")),
    "gated": ("gated oracle", Oracle(habit="gated")),
}
"""Oracles that read without a model and without errors, with their labels."""

FINETUNED: Mapping[str, FineTuned] = {name: method for name, (_, method) in _RECIPES.items()}
SHOWN_ONLY = ("cf-only", "no-tags", "easy", "gold")
"""Those that no claim reads: they run with ``--full``."""
COMMON_RATES = {"lower": 1e-3, "higher": 3e-3}
"""Common rates of KAFT and its variant with gold targets in generated worlds: those that tuning gives
the variant and KAFT."""
ORACLES: Mapping[str, Oracle] = {name: method for name, (_, method) in _HABITS.items()}
UNTRAINED: Mapping[str, Method[Any, Any]] = {"pretrained": Pretrained(), "cad": ContextAware(), **ORACLES}
SABOTAGES: Mapping[str, Kaft] = {
    "memory-targets": Sabotaged(bug="memory-targets"),
    "copied-distractors": Sabotaged(bug="copied-distractors"),
    "no-cf-copied": Sabotaged(bug="copied-distractors", **_NO_COUNTERFACTUAL),
    "no-irr-memory": Sabotaged(bug="memory-targets", **_NO_IRRELEVANT),
    "harmless-noise": HarmlessNoise(),
}
"""KAFT and its ablations with their mechanism broken, each trained as they are."""

PRETRAINED = Arm("pretrained", "pretrained")
CAD = Arm("cad", "context-aware decoding")
MIXTURES = arms({name: label for name, (label, _) in _RECIPES.items()})
BY_SIZE = (PRETRAINED, *(arm for arm in MIXTURES if arm.method in ("noisy", "kaft")))
"""Methods that are run on every size."""
TARGETS = tuple(arm for arm in MIXTURES if arm.method in ("kaft", "gold"))
"""The model's own answers as targets, and gold ones."""
ALL_WEIGHTS = arms({"noisy-full": "noisy finetuning, all weights", "kaft-full": "KAFT, all weights"})
PERFECT_READERS = arms({name: label for name, (label, _) in _HABITS.items()})


def at_common_rate(rate: str) -> tuple[Arm, ...]:
    """KAFT and its variant with gold targets, as trained at one rate."""
    return tuple(Arm(f"{arm.method}-{rate}", f"{arm.label}, {rate} common rate") for arm in TARGETS)


def paired(rate: str) -> dict[str, FineTuned]:
    """KAFT and its variant with gold targets, to be trained at one rate; at the lower one with curves."""
    every = 50 if rate == "lower" else 0
    return {f"{arm.method}-{rate}": replace(FINETUNED[arm.method], every=every) for arm in TARGETS}


def foreign(rate: str) -> dict[str, FineTuned]:
    """KAFT whose own answers belong to other questions, to be trained at that rate."""
    return {f"foreign-{rate}": Sabotaged(bug="foreign-memory")}


def changed(methods: Mapping[str, M], **changes: Any) -> dict[str, M]:
    """The methods with other settings."""
    return {name: replace(method, **changes) for name, method in methods.items()}


def tuned(methods: Mapping[str, FineTuned], rates: Sequence[float]) -> dict[str, Tuned]:
    """The methods with a learning rate chosen on a world of its own."""
    return {
        name: Tuned(method=method, grid={"rate": tuple(rates)}, select=JOINT, seeds=(TUNING_WORLD,))
        for name, method in methods.items()
    }
