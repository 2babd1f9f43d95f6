"""The rules that decide the claims of ``paper.toml``, declared before any run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log2

from harness.claims import (
    EVERY,
    MEASURED,
    Cell,
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Exact,
    Form,
    NotComparable,
    NotRun,
    Place,
    Precondition,
    Profile,
    Rule,
    Rules,
    Share,
    Trend,
    Value,
    alone,
    at,
    by_profile,
    log,
    mean,
    slope,
)
from harness.method import Metric
from methods.sparsity.image_task import KINDS
from methods.sparsity.initial_gradient import CLOSENESS, LOSSES
from methods.sparsity.scoring import BELOW_TEN, COUNT, ECE, GAP, HIGHEST, NNZ, RARE, RARER
from suites.sparsity.cells import (
    ANSWERS,
    IMAGES,
    MORE_NOISE_TASK,
    NOISE,
    NOISE_TASK,
    PRODUCT,
    TEXT,
    TIME,
    TOP,
    at_start,
    drop,
    of_layer,
    of_size,
)
from suites.sparsity.plan import PLANS, Plan

_POINTS = "the card's rule: sparsity that emerges is a fall of at least three points"
_TEXT = TEXT("dense")
_VIT = IMAGES("dense")


def _above(theta: Contrast, delta: float, reason: str, *preconditions: Precondition) -> Rule:
    """θ is at least δ."""
    return at(MEASURED, Direction(theta, delta=delta, delta_reason=reason, preconditions=preconditions))


def _within(theta: Contrast, margin: float, reason: str, *preconditions: Precondition) -> Rule:
    """θ is less than a margin from zero."""
    return at(MEASURED, Equivalence(theta, margin=margin, margin_reason=reason, preconditions=preconditions))


def _falls(cell: Cell) -> Rule:
    """The mean over layers falls by at least three points."""
    return _above(drop(cell), 3.0, _POINTS)


def _halves(cell: Cell) -> Rule:
    """After training at most half of what it was before."""
    reason = "beyond the half that the contrast takes off, half a point"
    return _above(0.5 * at_start(cell) - cell, 0.5, reason)


def _every_layer_falls(models: Callable[[Plan], Mapping[Cell, int]]) -> Rule:
    """Every layer of every model is sparser after training than before.

    Args:
        models: Number of layers of each.
    """

    def rule(plan: Plan) -> Form:
        layers = [of_layer(cell, layer) for cell, count in models(plan).items() for layer in range(count)]
        reason = "a fiftieth of the percentage at the start"
        return EveryCell(tuple(map(drop, layers)), delta=1.0, delta_reason=reason)

    return by_profile(PLANS, rule)


def _sparse_at_all(cell: Cell) -> Precondition:
    """Sparsity has emerged where its features are looked at."""
    return Precondition(
        name="sparsity has emerged",
        theta=drop(cell),
        above=3.0,
        reason="features of a sparsity that is not there say nothing",
    )


def _denser_ends(plan: Plan) -> Form:
    """First and last layer of the deepest model against the middle half."""
    layers = plan.depths[-1]
    deepest = of_size(plan.depth_task(layers))
    middle = range(layers // 4, layers - layers // 4)
    ends = mean(of_layer(deepest, layer) for layer in (0, layers - 1))
    return Direction(
        ends - mean(of_layer(deepest, layer) for layer in middle),
        delta=1.0,
        delta_reason="a point; in the paper ends and middle differ by several",
        preconditions=(_sparse_at_all(deepest),),
    )


def _first_layer(metric: Metric) -> Cell:
    """The encoder's first layer on test text."""
    return TEXT("dense", metric, part="test", layer=0)


def _firing(theta: Contrast, reason: str, delta: float = 1.0) -> Rule:
    return _above(theta, delta, reason, _sparse_at_all(TEXT("dense", layer=0)))


def _deeper(plan: Plan) -> Trend:
    """The percentage falls with each doubling of the depth."""
    return Trend(
        tuple((log2(n), -of_size(plan.depth_task(n))) for n in plan.depths),
        delta=1.0,
        delta_reason="one point for each doubling; the paper's sizes differ by more",
        step_margin=2.0,
    )


def _wider(plan: Plan) -> Trend:
    """The percentage falls with each doubling of the width."""
    return Trend(
        tuple((log2(n), -of_size(plan.width_task(n))) for n in plan.widths),
        delta=0.5,
        delta_reason="half a point for each doubling; the paper's sizes differ by more",
        step_margin=2.0,
    )


def _more_neurons(plan: Plan) -> Trend:
    """The number of active neurons rises with the width."""
    return Trend(
        tuple((log2(n), log(of_size(plan.width_task(n), COUNT))) for n in plan.widths),
        delta=0.1,
        delta_reason="a tenth more active neurons for each doubling of the width",
        step_margin=0.1,
        preconditions=(
            Precondition(
                name="the percentage falls with the width",
                theta=slope([(log2(n), 0.0 - of_size(plan.width_task(n))) for n in plan.widths]),
                above=0.0,
                reason="at one percentage for all widths the count rises with the width by itself",
            ),
        ),
    )


def _persists(task: str) -> Rule:
    """The fall is at least half of that on natural data."""
    varied, natural = IMAGES("dense", task=task), IMAGES("dense")
    form = Share(
        at_start(varied),
        varied,
        at_start(natural),
        natural,
        ratio=0.5,
        delta=1.0,
        delta_reason="beyond the half that the contrast takes off, one point",
        denominator_delta=3.0,
    )
    return at(MEASURED, form)


def _exact(cell: Cell, oracle: str) -> Rule:
    return at(EVERY, Exact((cell,), oracle=oracle, min_cases=4))


def _closed_form(loss: str) -> Rule:
    gradient = Place("gradient", part=loss, metric=CLOSENESS)
    reason = (
        "A theorem that was proved for the card: code that computes gradients rightly cannot break it. The "
        "paper's own wording could not be read."
    )
    return at(EVERY, NotComparable(alone(gradient("random")), reason=reason))


SPARSITY: Rules = {
    "C1a": _falls(_TEXT),
    "C1b": _every_layer_falls(lambda plan: {_TEXT: plan.text_layers}),
    "C1c": _halves(_TEXT),
    "C1d": at(
        Profile.PAPER,
        Value(
            alone(Cell("pretrained", "pretrained", NNZ, task="t5-base", part="test")),
            reported="t5-base-mean",
            margin=1.0,
            margin_reason="the paper's own two figures differ by .3, and its text is another sample",
        ),
    ),
    "C2a": _falls(_VIT),
    "C2b": at(
        MEASURED,
        NotComparable(
            drop(of_layer(_VIT, 0)),
            reason="Each layer of this size is among those of C5a, at the common learning rate.",
        ),
    ),
    "C2c": _halves(_VIT),
    "C2d": at(
        Profile.PAPER,
        Value(
            alone(_VIT),
            reported="vit-b16",
            margin=2.0,
            margin_reason="the paper trains on ImageNet-21k, and calls what the data set changes little",
        ),
    ),
    "C3a": _within(
        _TEXT - TEXT("dense", part="test"), 2.0, "the card's rule; curves of the paper nearly coincide"
    ),
    "C3b": _above(2.0 - TEXT("dense", GAP, part="gap"), 0.1, "a twentieth of the card's two points"),
    "C4": _within(
        IMAGES("dense", task="quarter") - IMAGES("dense"), 5.0, "a tenth of the percentage at the start"
    ),
    "C5a": _every_layer_falls(lambda plan: {of_size(task): layers for task, layers in plan.sizes.items()}),
    "C5b": by_profile(PLANS, _denser_ends),
    "C6a": _firing(
        alone(_first_layer(RARER)),
        "a tenth of a hundredth of the tokens; in the paper there is no dead neuron",
        0.1,
    ),
    "C6b": _firing(
        95.0 - _first_layer(HIGHEST),
        "a point below what would be always; in the paper the most active ones fire on about half",
    ),
    "C6c": _firing(
        _first_layer(BELOW_TEN) - 50.0,
        "a hundredth of the neurons beyond half; in the paper it is 93.5 %",
    ),
    "C6d": _firing(
        _first_layer(RARE) - 1.0,
        "a tenth of the hundredth of the tokens that is asked for",
        0.1,
    ),
    "C7": by_profile(PLANS, _deeper),
    "C8a": by_profile(PLANS, _wider),
    "C8b": by_profile(PLANS, _more_neurons),
    "C9": _persists("random-labels"),
    "C10": _persists("random-images"),
    "C11": _persists("fresh"),
    "C12a": _falls(IMAGES("dense", task="mixer")),
    "C12b": _falls(IMAGES("dense", task="mlp")),
    "C12c": at(MEASURED, NotRun("The appendix could not be read, and the main text states no quantity.")),
    "C13a": _closed_form(LOSSES[0]),
    "C13b": _closed_form(LOSSES[1]),
    "C14a": _exact(PRODUCT("sparse"), "the dense product in float64"),
    "C14b": _exact(PRODUCT("sparse", part="flops"), "PyTorch's count of executed operations"),
}
"""Where sparsity emerges, what causes it, and what it saves."""


def _gain(task: str = "clean", part: str = "main") -> Contrast:
    """What Top-k gains over dense in accuracy."""
    return NOISE(TOP, task=task, part=part) - NOISE("dense", task=task, part=part)


def _memorised(*tasks: str) -> tuple[Precondition, ...]:
    """Noisy labels have been learnt by heart."""
    return tuple(
        Precondition(
            name=f"{method} has memorised its noisy labels ({task})",
            theta=alone(NOISE(method, task=task, part="fit")),
            above=90.0,
            reason="label noise does little to a model that has not fitted it (card, section 8)",
        )
        for task in tasks
        for method in ("dense", TOP)
    )


def _learns(method: str) -> Precondition:
    """The model can do the task."""
    return Precondition(
        name=f"{method} learns",
        theta=alone(NOISE(method)),
        above=50.0,
        reason="robustness of a model that has learnt nothing is none",
    )


_BOTH_LEARN = (_learns("dense"), _learns(TOP))
_EQUAL = Precondition(
    name="equally accurate without noise",
    theta=_gain(),
    above=-1.0,
    below=1.0,
    reason="what is worse without noise has less to lose by it (C20)",
)
_HALF_A_POINT = "half a point: a quarter of the paper's smallest gain from noise"
_AS_THE_GAIN = "half a point, as for the gain itself"


def _robust(kind: str) -> Rule:
    """More accurate on corrupted images."""
    return _above(_gain(part=kind), 0.5, _HALF_A_POINT, *_BOTH_LEARN)


TOP_K: Rules = {
    "C15a": _within(
        ANSWERS(TOP) - ANSWERS("dense"),
        1.0,
        "the card's rule; the paper's Top-k models lose about .3 points",
        Precondition(
            name="k matters",
            theta=ANSWERS("dense") - ANSWERS("top-1"),
            above=0.0,
            reason="where one neuron does as well as all of them, any k matches (C15b)",
        ),
    ),
    "C15b": _above(ANSWERS("dense") - ANSWERS("top-1"), 1.0, "more than what counts as a match"),
    "C16": at(
        MEASURED,
        NotComparable(
            log(TIME("dense")) - log(TIME("sparse")),
            reason="The paper times whole T5 models up to 11B on a TPUv4 with approximate top-k; here "
            "one second layer is timed, its active neurons being given.",
        ),
    ),
    "C17a": _above(_gain(NOISE_TASK), 0.5, _HALF_A_POINT, *_memorised(NOISE_TASK)),
    "C17b": _above(_gain(NOISE_TASK) - _gain(), 0.5, _AS_THE_GAIN, _EQUAL, *_memorised(NOISE_TASK)),
    "C17c": _above(
        _gain(MORE_NOISE_TASK) - _gain(NOISE_TASK),
        0.5,
        _AS_THE_GAIN,
        _EQUAL,
        *_memorised(NOISE_TASK, MORE_NOISE_TASK),
    ),
    **{f"C18{letter}": _robust(kind) for letter, kind in zip("abc", KINDS, strict=True)},
    "C19": _above(
        NOISE("dense", ECE) - NOISE(TOP, ECE),
        0.25,
        "a quarter of a point, as much of the paper's gain of .94",
        *_BOTH_LEARN,
    ),
    "C20": _within(_gain(), 1.0, "the card's rule", _learns("dense")),
}
"""The Top-k transformer beside the dense one."""

RULES = {**SPARSITY, **TOP_K}
"""By claim."""
