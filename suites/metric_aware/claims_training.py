"""The rules that decide the claims of the companion paper about fine-tuning (R1 to R6)."""

from __future__ import annotations

from dataclasses import replace
from math import log as ln

from harness.claims import (
    Cell,
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Form,
    NonInferiority,
    NotRun,
    Ordering,
    Rule,
    Rules,
    log,
)
from methods.metric_aware.metrics import ENTROPY
from suites.metric_aware.cells import trained
from suites.metric_aware.rules import SLIGHT, SLIGHT_REASON, proved, shown, small_only

_ELSEWHERE = NotRun(
    "Fine-tuning a language model on five objectives, tuned alike, does not fit this suite's time; "
    "`--profile small` judges it on small scorers."
)
_LINEAR = (
    "The MBR loss is linear in the digits' probabilities, so that its least value has all mass on one digit; "
    "training goes on without early stopping until that shows (D9)."
)
_SAME_AS = "It is one of the comparisons of {}, which judges it on the same network."
_PRETRAINED = trained("pretrained")
_DECODED = trained("pretrained", part="mode")
_RANDOM = trained("random")
_BENT = trained("bent-5000")
_HIDDEN = trained("hidden")
_HIDDEN_DECODED = trained("hidden", part="mode")


def _small(form: Form) -> Rule:
    return small_only(form, _ELSEWHERE)


def _gain(better: Cell, worse: Cell) -> Contrast:
    return log(worse) - log(better)


def _improves(better: Cell, worse: Cell) -> Rule:
    """An error is smaller than another one."""
    return _small(Direction(_gain(better, worse), delta=SLIGHT, delta_reason=SLIGHT_REASON))


def _order(task: str) -> Rule:
    """From cross-entropy with the mode over cross-entropy with the mean to RAFT."""
    where = trained(task)
    steps = (_gain(where("ce"), where("ce", part="mode")), _gain(where("raft"), where("ce")))
    return _small(Ordering(steps, delta=SLIGHT, delta_reason=SLIGHT_REASON))


def _over_heads(task: str) -> Rule:
    """RAFT beats both predictive heads."""
    where = trained(task)
    thetas = tuple(_gain(where("raft"), where(head)) for head in ("head", "digit-head"))
    return _small(EveryCell(thetas, delta=SLIGHT, delta_reason=SLIGHT_REASON))


def _ends_suffice(task: str) -> Rule:
    """RAFT on the two end digits is as good as on all digits."""
    where = trained(task)
    return _small(
        Equivalence(
            _gain(where("raft-ends"), where("raft")),
            margin=0.02,
            margin_reason="two per cent of the error, a fifth of what fine-tuning gains",
        )
    )


def _digits_suffice(task: str) -> Rule:
    """Learnable output weights are no better than the digits."""
    where = trained(task)
    return _small(
        NonInferiority(
            _gain(where("raft"), where("learnable")), margin=0.01, margin_reason="one per cent of the error"
        )
    )


def _collapse(task: str) -> Rule:
    """Trained to the end, digits have less entropy under the MBR loss than under RAFT's."""
    law = replace(trained(task, part="law"), metric=ENTROPY)
    return shown(law("raft-late") - law("mbr-late"), _LINEAR, _ELSEWHERE)


TRAINING_RULES: Rules = {
    "R1a": _order("bent-5000"),
    "R1b": _order("ratings"),
    "R1c": _order("pretrained"),
    "R1d": _over_heads("bent-5000"),
    "R1e": _over_heads("ratings"),
    "R1f": _over_heads("pretrained"),
    "R1g": _order("hidden"),
    "R1h": _over_heads("hidden"),
    "R2a": _improves(_PRETRAINED("as-is"), _DECODED("as-is")),
    "R2b": _improves(_DECODED("ce"), _PRETRAINED("as-is")),
    "R2c": shown(_gain(_PRETRAINED("ce"), _DECODED("ce")), _SAME_AS.format("R1c"), _ELSEWHERE),
    "R2d": _improves(_PRETRAINED("head"), _PRETRAINED("ce")),
    "R2e": shown(_gain(_PRETRAINED("raft"), _PRETRAINED("head")), _SAME_AS.format("R1f"), _ELSEWHERE),
    "R2f": _improves(_HIDDEN("as-is"), _HIDDEN_DECODED("as-is")),
    "R2g": _improves(_HIDDEN_DECODED("ce"), _HIDDEN("as-is")),
    "R2h": _improves(_HIDDEN("head"), _HIDDEN("ce")),
    "R3": proved("lemmas"),
    "R4a": proved("ends"),
    "R4b": _ends_suffice("bent-5000"),
    "R4c": _ends_suffice("ratings"),
    "R4d": _ends_suffice("random"),
    "R4e": _ends_suffice("hidden"),
    "R5a": _digits_suffice("pretrained"),
    "R5b": _digits_suffice("ratings"),
    "R5d": _digits_suffice("hidden"),
    "R5c": _small(
        Direction(
            _gain(_PRETRAINED("raft"), _PRETRAINED("head")) - _gain(_RANDOM("raft"), _RANDOM("head")),
            delta=ln(1.01),
            delta_reason="one per cent of the error",
        )
    ),
    "R6a": proved("losses"),
    "R6b": _collapse("bent-5000"),
    "R6c": _collapse("ratings"),
    "R6d": _improves(_BENT("raft"), _BENT("mbr")),
    "R6e": _improves(_HIDDEN("raft"), _HIDDEN("mbr")),
}
