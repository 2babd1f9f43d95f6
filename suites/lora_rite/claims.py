"""The rules on invariance, theory and cost (C1 to C4, C9 to C11), and on our extension."""

from __future__ import annotations

import math

from harness.claims import (
    EVERY,
    MEASURED,
    Cell,
    Contrast,
    CountCost,
    Direction,
    Equivalence,
    Exact,
    Existence,
    Form,
    NotComparable,
    NotRun,
    Profile,
    Rule,
    Rules,
    Trend,
    alone,
    at,
    log,
    mean,
)
from methods.lora_rite.gauge import KINDS
from suites.lora_rite.arms import NOT_SCALED, at_rank
from suites.lora_rite.cells import (
    FIRST_STEP,
    IMBALANCES,
    INVARIANCE,
    PRETRAINED,
    RANKS,
    REGRESSION,
    REGRET,
    RESCALED,
    SCALES,
    STATE,
    STEP_TIME,
    TRAINING_TIME,
    UNBALANCED,
    scale_id,
)

_TRANSFORMATIONS = (*KINDS, "transformer", "transformer-scale")
_ROUNDED = "the same run from a start that differs by rounding, which does not diverge"


def _convergent(method: str, *tasks: str) -> Rule:
    """Trajectories from equivalent starts never diverge."""
    cells = tuple(INVARIANCE(method, task=task) for task in tasks)
    return at(EVERY, Exact(cells, oracle=_ROUNDED, min_cases=len(tasks)))


def _divergent(method: str, task: str) -> Rule:
    """Trajectories from equivalent starts diverge at least once."""
    return at(EVERY, Existence(INVARIANCE(method, task=task, part="witness"), oracle=_ROUNDED))


def _by_algebra(cell: Cell, reason: str) -> Rule:
    """What follows from the formula of a step: shown, and no verdict."""
    return at(EVERY, NotComparable(alone(cell), reason=reason))


_SIZED = (
    "A step's size follows from its formula and does not go with the partner factor's: that the trajectory "
    "diverges is one line of algebra, whatever is run here."
)
_ENTRYWISE = (
    "It treats entries one by one, which a rotation mixes: that the trajectory diverges is one line of "
    "algebra, whatever is run here."
)
_NOT_LOADED = "The smoke profile loads no pretrained model: a tiny transformer in float64 is shown."
_BY_LENGTH = (
    "A step goes along the gradient, to which R is applied where R⁻ᵀ is due: that the trajectory diverges is "
    "one line of algebra, whatever is run here."
)
_FIRST = (
    "The first step has a closed form, from which the ratio follows: a right implementation has no choice."
)


def _without_gpu(form: Form) -> Rule:
    """One form where a GPU's ten minutes are not spent on what a CPU can judge."""
    elsewhere = NotRun("It takes no GPU: `--profile small` judges it on a CPU.")
    return at((Profile.SMALL, Profile.PAPER), form) | at(Profile.GPU, elsewhere)


def _power_of_rank(method: str, expected: float) -> Contrast:
    """The power of the rank with which a step's time grows, minus the expected one.

    It is written out, since :func:`harness.claims.slope` leaves the middle rank out, whose weight is 0,
    and recorded claims name it.
    """
    xs = [math.log(rank) for rank in RANKS]
    center = sum(xs) / len(xs)
    square = sum((x - center) ** 2 for x in xs)
    times = [STEP_TIME(at_rank(method, rank)) for rank in RANKS]
    terms = tuple(((x - center) / square, time) for x, time in zip(xs, times, strict=True))
    return Contrast(terms, constant=expected, log=True)


def _overhead(size: str) -> Contrast:
    """log(LoRA-RITE / Adam) of a training step."""
    return log(TRAINING_TIME(f"rite-{size}")) - log(TRAINING_TIME(f"adam-{size}"))


def _cheaper_than(limit: float) -> Form:
    """LoRA-RITE's step of the larger model stays below this multiple of Adam's."""
    return Direction(
        math.log(limit) - _overhead("large"),
        delta=0.01,
        delta_reason="a hundredth of a step below the limit",
    )


def _lead(imbalance: float) -> Contrast:
    """log(one-sided matrix Adagrad / LoRA-RITE) of the average loss."""
    where = UNBALANCED.on(scale_id(imbalance))
    return log(where("matrix-adagrad")) - log(where("rite-sum"))


def _errors(method: str, above: float, below: float) -> Contrast:
    """log(error at one scale / error at another)."""
    return log(RESCALED(method, task=scale_id(above))) - log(RESCALED(method, task=scale_id(below)))


def _fails_at(method: str, scale: float) -> Rule:
    """The error there is more than twice that of scale 1."""
    return _without_gpu(
        Direction(
            _errors(method, scale, 1.0) - math.log(2.0),
            delta=0.1,
            delta_reason="beyond the factor of two that the contrast takes off, a tenth",
        )
    )


RULES: Rules = {
    "C1a": _convergent("rite", *_TRANSFORMATIONS),
    "C1b": _convergent("rite-default", *_TRANSFORMATIONS),
    "C1c": _convergent("rite-no-mass", *_TRANSFORMATIONS),
    **{
        f"C2{letter}": _by_algebra(INVARIANCE(name, task="scale"), _SIZED)
        for letter, name in zip("abcd", NOT_SCALED, strict=False)
    },
    "C1d": at(MEASURED, Exact((PRETRAINED("rite"),), oracle=_ROUNDED, min_cases=3))
    | at(Profile.SMOKE, NotComparable(alone(INVARIANCE("rite", task="transformer")), reason=_NOT_LOADED)),
    "C2e": _divergent(NOT_SCALED[-1], "scale"),
    "C2f": _by_algebra(INVARIANCE("adam", task="rotation"), _ENTRYWISE),
    "C2g": at(MEASURED, NotComparable(alone(PRETRAINED("adam")), reason=_SIZED)),
    "C3a": _convergent("lamb", "scale", "transformer-scale"),
    "C3b": _by_algebra(INVARIANCE("lamb", task="rotation"), _ENTRYWISE),
    "C3c": _convergent("lars", "scale", "transformer-scale"),
    "C3d": _by_algebra(INVARIANCE("lars", task="general"), _BY_LENGTH),
    "C4a": _by_algebra(FIRST_STEP("rite"), _FIRST),
    "C4b": _by_algebra(FIRST_STEP("adam", part="slope"), _FIRST),
    "C9a": at(
        MEASURED,
        Direction(
            _overhead("small") - _overhead("large"),
            delta=math.log(1.02),
            delta_reason="two per cent of a step; the paper's two models differ by about three",
        ),
    ),
    "C9b": at(Profile.SMALL, NotRun("It takes a GPU, and a model of more than a billion parameters."))
    | at(Profile.GPU, _cheaper_than(1.10))
    | at(Profile.PAPER, _cheaper_than(1.15)),
    "C10a": at(
        MEASURED,
        Equivalence(
            _power_of_rank("rite", 1.75),
            margin=0.75,
            margin_reason="the card's band: 1 where passes over the factors decide, 2 where products "
            "do, more where r³ shows",
        ),
    ),
    "C10b": at(
        EVERY,
        CountCost(
            1.05 * STATE("adam") - STATE("rite"),
            delta=1e-6,
            delta_reason="any room below 105 % of Adam's state",
        ),
    ),
    "C11a": _without_gpu(
        NotComparable(
            REGRET("rite-sum") + 0.5,
            reason="Gradients of constant size are put in, and summed second moments make steps fall as "
            "t^(−1/2) by definition: the average of their products cannot fall otherwise.",
        )
    ),
    "C11b": _without_gpu(
        Trend(
            tuple((math.log(s), _lead(s)) for s in IMBALANCES),
            delta=0.1,
            delta_reason="a quarter more loss for each tenfold imbalance",
            step_margin=0.1,
        )
    ),
    "E1a": _without_gpu(
        NotComparable(
            mean(_errors("rite", s, 1.0) for s in SCALES if s != 1.0),
            reason="It follows from C1a: an invariant optimizer takes the same trajectory from every scale.",
        )
    ),
    "E1b": _fails_at("adam", 100.0),
    "E1c": _fails_at("lora-plus", 100.0),
    "E1d": _fails_at("scaled-adam", 100.0),
    "E1e": _fails_at("shampoo", 100.0),
    "E1f": _fails_at("lamb", 0.01),
    "E2": _without_gpu(
        Equivalence(
            log(REGRESSION("rite")) - log(REGRESSION("adam")),
            margin=0.05,
            margin_reason="a twentieth of the noise, what is left of the teacher being less",
        )
    ),
}
