"""Figures of the report, in the paper's style."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.claims import MEASURED, Cell, Place, Profile, by_profile
from harness.suite import Arm, PaperFigure, ReportedRef, Scale, Series, arms, curves
from methods.sparsity.image_task import KINDS
from methods.sparsity.scoring import COUNT, ECE, LOSS, NNZ, RANKS, RATE
from methods.sparsity.task import looks
from suites.sparsity import cells
from suites.sparsity.plan import PLANS, Plan, plan_of

_ROBUST = arms({"dense": "dense", cells.TOP: "Top-k"})


def _by_layer(label: str, cell: Cell, layers: int) -> Series:
    points = tuple((float(layer + 1), cells.of_layer(cell, layer)) for layer in range(layers))
    return Series(label=label, points=points)


def _layers(plan: Plan) -> Sequence[Series]:
    deepest, blocks = plan.depths[-1], plan.text_layers
    deep = cells.of_size(plan.depth_task(deepest))
    return [
        _by_layer("T5, before training", cells.at_start(cells.TEXT("dense")), blocks),
        _by_layer("T5, training text", cells.TEXT("dense"), blocks),
        _by_layer("T5, test text", cells.TEXT("dense", part="test"), blocks),
        _by_layer(f"ViT, {plan.layers} layers", cells.IMAGES("dense"), plan.layers),
        _by_layer(f"ViT, {deepest} layers", deep, deepest),
        _by_layer(f"ViT, {deepest} layers, before training", cells.at_start(deep), deepest),
    ]


def _firing(label: str, where: Place, method: str) -> Series:
    neurons = where.on(part="neurons", metric=RATE)
    return Series(label=label, points=tuple((float(rank), neurons(method, rank=rank)) for rank in RANKS))


def _over_steps(label: str, cell: Cell, steps: int) -> Series:
    # The axis is logarithmic, so what was before training stands at step 1.
    points = tuple((float(max(step, 1)), cells.at_step(cell, step)) for step in looks(steps))
    return Series(label=label, points=(*points, (float(steps), cell)))


_SCALES = tuple(Scale(profile=profile, full=full) for profile in MEASURED for full in (False, True))


def _training(scale: Scale) -> Sequence[Series]:
    plan = plan_of(scale)
    tasks = {"real": "images" if scale.profile is Profile.PAPER else "digits", **cells.CAUSES}
    vision = [
        _over_steps(f"ViT, {label}", cells.IMAGES("dense", task=task), plan.images.steps)
        for task, label in tasks.items()
    ]
    return [*vision, _over_steps("T5, text", cells.TEXT("dense"), plan.text.steps)]


def _depths(plan: Plan) -> Sequence[Series]:
    return [_by_layer(f"{n} layers", cells.of_size(plan.depth_task(n)), n) for n in plan.depths]


def _widths(plan: Plan) -> Sequence[Series]:
    return curves(
        [Arm("dense", "ViT, mean over layers")],
        plan.widths,
        lambda _method, d_ff: cells.of_size(plan.width_task(d_ff)),
    )


def _width_counts(plan: Plan) -> Sequence[Series]:
    counts = [(float(n), cells.of_size(plan.width_task(n), COUNT)) for n in plan.widths]
    return [
        Series(label="after training", points=tuple(counts)),
        Series(label="before training", points=tuple((x, cells.at_start(count)) for x, count in counts)),
    ]


_TEXT, _NATURAL = "text (T5)", "natural"
_VARIED = {
    _TEXT: cells.TEXT("dense"),
    **{
        label: cells.IMAGES("dense", task=task)
        for task, label in {"real": _NATURAL, **cells.CAUSES, "quarter": "a quarter of the data"}.items()
    },
}
"""What is trained on: spans of text with a T5, and images of several kinds with a vision transformer."""
_SETTINGS: Mapping[str, tuple[str, str, str]] = {
    "clean": ("clean", "main", "natural"),
    **{f"{100 * share:.0f} % label noise": (task, "main", task) for task, share in cells.LABEL_NOISE.items()},
    **{f"{kind} noise": ("clean", kind, kind) for kind in KINDS},
}
"""Task, part, and the end of the reported number's id."""


def _robustness(arm: Arm) -> Series:
    return Series(
        label=arm.label,
        points=tuple(
            (x, cells.NOISE(arm.method, task=task, part=part)) for x, (task, part, _) in _SETTINGS.items()
        ),
        reported=tuple(
            (x, ReportedRef(f"{cells.REPORTED_AS[arm.method]}-{name}")) for x, (*_, name) in _SETTINGS.items()
        ),
    )


def _calibration(arm: Arm) -> Series:
    return Series(
        label=arm.label,
        points=(
            ("clean labels", cells.NOISE(arm.method, ECE)),
            ("40 % label noise", cells.NOISE(arm.method, ECE, task=cells.NOISE_TASK)),
        ),
        reported=(("clean labels", ReportedRef(f"{cells.REPORTED_AS[arm.method]}-ece")),),
    )


def _against(x: Callable[[Plan, str, float], float | Cell]) -> Callable[[Plan], Sequence[Series]]:
    """Sparsity of each optimizer's runs against the rate, or what it leads to."""

    def series(plan: Plan) -> Sequence[Series]:
        return [
            Series(
                label=arm.label,
                points=tuple(
                    (x(plan, arm.method, rate), cells.at_rate(plan, arm.method, rate, NNZ, "train"))
                    for rate in plan.rates[arm.method]
                ),
            )
            for arm in cells.OPTIMIZERS
        ]

    return series


def _loss(plan: Plan, optimizer: str, rate: float) -> Cell:
    return cells.at_rate(plan, optimizer, rate, LOSS, "validation")


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
            _firing("T5, first encoder layer", cells.TEXT, "dense"),
            _firing("ViT, first layer", cells.IMAGES, "dense"),
            _firing("ViT, before training", cells.IMAGES, "untrained"),
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
        title="Non-zero activations before and after training, mean over layers, by what is trained on",
        x="training data",
        y=_NONZERO,
        series=(
            Series(
                label="before training",
                points=tuple((x, cells.at_start(y)) for x, y in _VARIED.items()),
                reported=((_TEXT, ReportedRef("initial")),),
            ),
            Series(
                label="after training",
                points=tuple(_VARIED.items()),
                reported=((_TEXT, ReportedRef("t5-base-mean")), (_NATURAL, ReportedRef("vit-b16"))),
            ),
        ),
        kind="bar",
        source="Figure 1 and the abstract",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="robustness",
        title="Accuracy under label noise and on corrupted images (small: --full only)",
        x="setting",
        y="accuracy (%)",
        series=tuple(map(_robustness, _ROBUST)),
        kind="bar",
        source="Table 1",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="calibration",
        title="Calibration error, 15 bins (small: --full only)",
        x="training labels",
        y="calibration error (%)",
        series=tuple(map(_calibration, _ROBUST)),
        kind="bar",
        source="Table 1",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="rates",
        title="Sparsity by learning rate (vision transformer, natural images; small: --full only)",
        x="largest learning rate",
        y=_NONZERO,
        series=by_profile(PLANS, _against(lambda _plan, _name, rate: rate)),
        log_x=True,
    ),
    PaperFigure(
        id="matched-loss",
        title="Sparsity and validation loss of the same runs (small: --full only)",
        x="validation loss (nats)",
        y=_NONZERO,
        series=by_profile(PLANS, _against(_loss)),
        kind="scatter",
    ),
)
