"""Figures of the report, in the paper's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.claims import Cell, Profile
from harness.suite import PaperFigure, ReportedRef, Scale, Series
from methods.sparsity.scoring import COUNT, ECE, LOSS, NNZ, RANKS, RATE
from methods.sparsity.task import looks
from suites.sparsity.cells import (
    CAUSES,
    DEPTHS,
    LABEL_NOISE,
    LAYERS,
    MEASURED,
    NOISE_TASK,
    NOISES,
    SGD_RATES,
    STACK,
    TOP,
    WIDTHS,
    adam_rates,
    at_start,
    at_step,
    depth_task,
    image,
    noise,
    noise_tasks,
    of_layer,
    of_rate,
    rate_id,
    text,
    width_task,
)
from suites.sparsity.plan import plan_of


def _by_layer(label: str, cell: Cell, layers: int) -> Series:
    points = tuple((float(layer + 1), of_layer(cell, layer)) for layer in range(layers))
    return Series(label=label, points=points)


def _layer_series(scale: Scale) -> Sequence[Series]:
    profile = scale.profile
    deepest = DEPTHS[profile][-1]
    deep = image(depth_task(deepest, profile))
    return [
        _by_layer("T5, before training", at_start(text()), 2 * STACK[profile]),
        _by_layer("T5, training text", text(), 2 * STACK[profile]),
        _by_layer("T5, test text", text(part="test"), 2 * STACK[profile]),
        _by_layer(f"ViT, {LAYERS[profile]} layers", image("real"), LAYERS[profile]),
        _by_layer(f"ViT, {deepest} layers", deep, deepest),
        _by_layer(f"ViT, {deepest} layers, before training", at_start(deep), deepest),
    ]


def _firing_series(scale: Scale) -> Sequence[Series]:
    cells = {
        "T5, first encoder layer": text(metric=RATE, part="neurons"),
        "ViT, first layer": image("real", RATE, part="neurons"),
        "ViT, before training": image("real", RATE, part="neurons", method="untrained"),
    }
    return [
        Series(label=label, points=tuple((float(r), replace(cell, where=(("rank", r),))) for r in RANKS))
        for label, cell in cells.items()
    ]


def _over_steps(label: str, cell: Cell, steps: int) -> Series:
    # The axis is logarithmic, so what was before training stands at step 1.
    points = tuple((float(max(step, 1)), at_step(cell, step)) for step in looks(steps))
    return Series(label=label, points=(*points, (float(steps), cell)))


def _training_series(scale: Scale) -> Sequence[Series]:
    plan = plan_of(scale)
    tasks = (
        {"real": "digits", **CAUSES} if scale.profile is not Profile.PAPER else {"real": "images", **CAUSES}
    )
    found = [_over_steps(f"ViT, {label}", image(task), plan.images.steps) for task, label in tasks.items()]
    return [*found, _over_steps("T5, text", text(), plan.text.steps)]


def _depth_series(scale: Scale) -> Sequence[Series]:
    profile = scale.profile
    return [
        _by_layer(f"{layers} layers", image(depth_task(layers, profile)), layers)
        for layers in DEPTHS[profile]
    ]


def _width_series(scale: Scale) -> Sequence[Series]:
    points = tuple((float(n), image(width_task(n, scale.profile))) for n in WIDTHS[scale.profile])
    return [Series(label="ViT, mean over layers", points=points)]


def _width_counts(scale: Scale) -> Sequence[Series]:
    tasks = [(float(n), width_task(n, scale.profile)) for n in WIDTHS[scale.profile]]
    return [
        Series(label="after training", points=tuple((n, image(task, COUNT)) for n, task in tasks)),
        Series(label="before training", points=tuple((n, at_start(image(task, COUNT))) for n, task in tasks)),
    ]


def _cause_series(_: Scale) -> Sequence[Series]:
    tasks = {"real": "natural", **CAUSES, "quarter": "a quarter of the data"}
    return [
        Series(label="before training", points=tuple((v, at_start(image(k))) for k, v in tasks.items())),
        Series(label="after training", points=tuple((v, image(k)) for k, v in tasks.items())),
    ]


def _noise_series(scale: Scale) -> Sequence[Series]:
    series = []
    labels = {t: f"{100 * LABEL_NOISE[t]:.0f} % label noise" for t in noise_tasks("dense", scale)}
    for method, label, row in (("dense", "dense", "dense"), (TOP, "Top-k", "top-128")):
        cells = {"clean": noise(method), **{label: noise(method, task) for task, label in labels.items()}}
        cells |= {f"{kind} noise": noise(method, part=kind) for kind in NOISES}
        rows = ("natural", *labels, *NOISES)
        reported = tuple((x, ReportedRef(id=f"{row}-{name}")) for x, name in zip(cells, rows, strict=True))
        series.append(Series(label=label, points=tuple(cells.items()), reported=reported))
    return series


def _calibration_series(_: Scale) -> Sequence[Series]:
    return [
        Series(
            label=label,
            points=(
                ("clean labels", noise(method, metric=ECE)),
                ("40 % label noise", noise(method, NOISE_TASK, ECE)),
            ),
            reported=(("clean labels", ReportedRef(id=f"{row}-ece")),),
        )
        for method, label, row in (("dense", "dense", "dense"), (TOP, "Top-k", "top-128"))
    ]


def _rate_series(scale: Scale) -> Sequence[Series]:
    rate = plan_of(scale).rate
    adam = tuple((r, of_rate(r, rate, NNZ, "train")) for r in adam_rates(rate))
    sgd = tuple((r, Cell("rates", rate_id("sgd", r), NNZ, part="train")) for r in SGD_RATES)
    return [Series(label="AdamW", points=adam), Series(label="SGD with momentum", points=sgd)]


def _loss_series(scale: Scale) -> Sequence[Series]:
    rate = plan_of(scale).rate
    adam = [(of_rate(r, rate, LOSS, "validation"), of_rate(r, rate, NNZ, "train")) for r in adam_rates(rate)]
    sgd = [
        (
            Cell("rates", rate_id("sgd", r), LOSS, part="validation"),
            Cell("rates", rate_id("sgd", r), NNZ, part="train"),
        )
        for r in SGD_RATES
    ]
    return [Series(label="AdamW", points=tuple(adam)), Series(label="SGD with momentum", points=tuple(sgd))]


_NONZERO = "non-zero entries (%)"

FIGURES = (
    PaperFigure(
        id="layers",
        title="Non-zero activations by layer; of the T5 first the encoder's, then the decoder's",
        x="layer",
        y=_NONZERO,
        series=_layer_series,
        log_y=True,
        source="Figures 1 and 2",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="firing",
        title="Firing rates of the neurons of the first layer on test data, in descending order",
        x="neurons (%)",
        y="tokens on which it fires (%)",
        series=_firing_series,
        log_y=True,
        source="Figure 3",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="training",
        title="Non-zero activations in training, mean over layers",
        x="update",
        y=_NONZERO,
        series=_training_series,
        log_x=True,
        profiles=MEASURED,
    ),
    PaperFigure(
        id="depth",
        title="Vision transformers of different depth",
        x="layer",
        y=_NONZERO,
        series=_depth_series,
        log_y=True,
        source="Figure 4a",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="width",
        title="Vision transformers of different width: percentage",
        x="d_ff",
        y=_NONZERO,
        series=_width_series,
        log_x=True,
        log_y=True,
        source="Figure 4b",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="width-count",
        title="Vision transformers of different width: number",
        x="d_ff",
        y="non-zero entries a token",
        series=_width_counts,
        log_x=True,
        log_y=True,
        source="Figure 4c",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="causes",
        title="What is random in the data",
        x="training data",
        y=_NONZERO,
        series=_cause_series,
        kind="bar",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="robustness",
        title="Accuracy under label noise and on corrupted images",
        x="setting",
        y="accuracy (%)",
        series=_noise_series,
        kind="bar",
        source="Table 1",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="calibration",
        title="Calibration error, 15 bins",
        x="training labels",
        y="calibration error (%)",
        series=_calibration_series,
        kind="bar",
        source="Table 1",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="rates",
        title="Sparsity by learning rate (vision transformer, natural images)",
        x="largest learning rate",
        y=_NONZERO,
        series=_rate_series,
        log_x=True,
        profiles=MEASURED,
    ),
    PaperFigure(
        id="matched-loss",
        title="Sparsity and validation loss of the same runs",
        x="validation loss (nats)",
        y=_NONZERO,
        series=_loss_series,
        kind="scatter",
        profiles=MEASURED,
    ),
)
