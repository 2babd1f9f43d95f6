"""Figures of the report, in the paper's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import MEASURED, Cell, Place, Profile, by_profile
from harness.suite import Arm, PaperFigure, ReportedRef, Scale, Series, arms, curves
from methods.sparsity.image_task import KINDS
from methods.sparsity.scoring import COUNT, ECE, LOSS, NNZ, RANKS, RATE
from methods.sparsity.task import looks
from suites.sparsity.cells import (
    CAUSES,
    IMAGES,
    LABEL_NOISE,
    NOISE,
    NOISE_TASK,
    OPTIMIZERS,
    REPORTED_AS,
    TEXT,
    TOP,
    at_rate,
    at_start,
    at_step,
    of_layer,
)
from suites.sparsity.plan import PLANS, Plan, plan_of

_ROBUST = arms({"dense": "dense", TOP: "Top-k"})


def _by_layer(label: str, cell: Cell, layers: int) -> Series:
    points = tuple((float(layer + 1), of_layer(cell, layer)) for layer in range(layers))
    return Series(label=label, points=points)


def _layers(plan: Plan) -> Sequence[Series]:
    deepest, blocks = plan.depths[-1], plan.text_layers
    deep = IMAGES("dense", task=plan.depth_task(deepest))
    return [
        _by_layer("T5, before training", at_start(TEXT("dense")), blocks),
        _by_layer("T5, training text", TEXT("dense"), blocks),
        _by_layer("T5, test text", TEXT("dense", part="test"), blocks),
        _by_layer(f"ViT, {plan.layers} layers", IMAGES("dense"), plan.layers),
        _by_layer(f"ViT, {deepest} layers", deep, deepest),
        _by_layer(f"ViT, {deepest} layers, before training", at_start(deep), deepest),
    ]


def _firing(label: str, where: Place, method: str) -> Series:
    neurons = where.on(part="neurons", metric=RATE)
    return Series(label=label, points=tuple((float(rank), neurons(method, rank=rank)) for rank in RANKS))


def _over_steps(label: str, cell: Cell, steps: int) -> Series:
    # The axis is logarithmic, so what was before training stands at step 1.
    points = tuple((float(max(step, 1)), at_step(cell, step)) for step in looks(steps))
    return Series(label=label, points=(*points, (float(steps), cell)))


_SCALES = tuple(Scale(profile=profile, full=full) for profile in MEASURED for full in (False, True))


def _training(scale: Scale) -> Sequence[Series]:
    plan = plan_of(scale)
    tasks = {"real": "images" if scale.profile is Profile.PAPER else "digits", **CAUSES}
    vision = [
        _over_steps(f"ViT, {label}", IMAGES("dense", task=task), plan.images.steps)
        for task, label in tasks.items()
    ]
    return [*vision, _over_steps("T5, text", TEXT("dense"), plan.text.steps)]


def _depths(plan: Plan) -> Sequence[Series]:
    return [_by_layer(f"{n} layers", IMAGES("dense", task=plan.depth_task(n)), n) for n in plan.depths]


def _widths(plan: Plan) -> Sequence[Series]:
    return curves(
        [Arm("dense", "ViT, mean over layers")],
        plan.widths,
        lambda method, d_ff: IMAGES(method, task=plan.width_task(d_ff)),
    )


def _width_counts(plan: Plan) -> Sequence[Series]:
    counts = [(float(n), IMAGES("dense", COUNT, task=plan.width_task(n))) for n in plan.widths]
    return [
        Series(label="after training", points=tuple(counts)),
        Series(label="before training", points=tuple((x, at_start(count)) for x, count in counts)),
    ]


_VARIED = {
    label: IMAGES("dense", task=task)
    for task, label in {"real": "natural", **CAUSES, "quarter": "a quarter of the data"}.items()
}
_SETTINGS: Mapping[str, tuple[str, str, str]] = {
    "clean": ("clean", "main", "natural"),
    **{f"{100 * share:.0f} % label noise": (task, "main", task) for task, share in LABEL_NOISE.items()},
    **{f"{kind} noise": ("clean", kind, kind) for kind in KINDS},
}
"""Task, part, and the end of the reported number's id."""


def _robustness(arm: Arm) -> Series:
    return Series(
        label=arm.label,
        points=tuple(
            (x, NOISE(arm.method, task=task, part=part)) for x, (task, part, _) in _SETTINGS.items()
        ),
        reported=tuple(
            (x, ReportedRef(f"{REPORTED_AS[arm.method]}-{name}")) for x, (*_, name) in _SETTINGS.items()
        ),
    )


def _calibration(arm: Arm) -> Series:
    return Series(
        label=arm.label,
        points=(
            ("clean labels", NOISE(arm.method, ECE)),
            ("40 % label noise", NOISE(arm.method, ECE, task=NOISE_TASK)),
        ),
        reported=(("clean labels", ReportedRef(f"{REPORTED_AS[arm.method]}-ece")),),
    )


def _rates(plan: Plan) -> Sequence[Series]:
    return [
        Series(
            label=arm.label,
            points=tuple(
                (rate, at_rate(plan, arm.method, rate, NNZ, "train")) for rate in plan.rates[arm.method]
            ),
        )
        for arm in OPTIMIZERS
    ]


def _matched_loss(plan: Plan) -> Sequence[Series]:
    return [
        Series(
            label=arm.label,
            points=tuple(
                (
                    at_rate(plan, arm.method, rate, LOSS, "validation"),
                    at_rate(plan, arm.method, rate, NNZ, "train"),
                )
                for rate in plan.rates[arm.method]
            ),
        )
        for arm in OPTIMIZERS
    ]


_NONZERO = "non-zero entries (%)"

FIGURES = (
    PaperFigure(
        id="layers",
        title="Non-zero activations by layer; of the T5 first the encoder's, then the decoder's",
        x="layer",
        y=_NONZERO,
        series=by_profile(PLANS, _layers),
        log_y=True,
        source="Figures 1 and 2",
    ),
    PaperFigure(
        id="firing",
        title="Firing rates of the neurons of the first layer on test data, in descending order",
        x="neurons (%)",
        y="tokens on which it fires (%)",
        series=(
            _firing("T5, first encoder layer", TEXT, "dense"),
            _firing("ViT, first layer", IMAGES, "dense"),
            _firing("ViT, before training", IMAGES, "untrained"),
        ),
        log_y=True,
        source="Figure 3",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="training",
        title="Non-zero activations in training, mean over layers",
        x="update",
        y=_NONZERO,
        series={scale: _training(scale) for scale in _SCALES},
        log_x=True,
    ),
    PaperFigure(
        id="depth",
        title="Vision transformers of different depth",
        x="layer",
        y=_NONZERO,
        series=by_profile(PLANS, _depths),
        log_y=True,
        source="Figure 4a",
    ),
    PaperFigure(
        id="width",
        title="Vision transformers of different width: percentage",
        x="d_ff",
        y=_NONZERO,
        series=by_profile(PLANS, _widths),
        log_x=True,
        log_y=True,
        source="Figure 4b",
    ),
    PaperFigure(
        id="width-count",
        title="Vision transformers of different width: number",
        x="d_ff",
        y="non-zero entries a token",
        series=by_profile(PLANS, _width_counts),
        log_x=True,
        log_y=True,
        source="Figure 4c",
    ),
    PaperFigure(
        id="causes",
        title="What is random in the data",
        x="training data",
        y=_NONZERO,
        series=(
            Series(label="before training", points=tuple((x, at_start(y)) for x, y in _VARIED.items())),
            Series(label="after training", points=tuple(_VARIED.items())),
        ),
        kind="bar",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="robustness",
        title="Accuracy under label noise and on corrupted images",
        x="setting",
        y="accuracy (%)",
        series=tuple(map(_robustness, _ROBUST)),
        kind="bar",
        source="Table 1",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="calibration",
        title="Calibration error, 15 bins",
        x="training labels",
        y="calibration error (%)",
        series=tuple(map(_calibration, _ROBUST)),
        kind="bar",
        source="Table 1",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="rates",
        title="Sparsity by learning rate (vision transformer, natural images)",
        x="largest learning rate",
        y=_NONZERO,
        series=by_profile(PLANS, _rates),
        log_x=True,
    ),
    PaperFigure(
        id="matched-loss",
        title="Sparsity and validation loss of the same runs",
        x="validation loss (nats)",
        y=_NONZERO,
        series=by_profile(PLANS, _matched_loss),
        kind="scatter",
    ),
)
