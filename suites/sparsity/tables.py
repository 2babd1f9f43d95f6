"""Tables of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from harness.claims import MEASURED, Cell, Place, by_profile
from harness.suite import (
    Arm,
    Columns,
    Entry,
    PaperTable,
    ReportedRef,
    TableRow,
    arms,
    by_arm,
    by_column,
    headers,
)
from methods.sparsity import scoring
from methods.sparsity.image_task import KINDS
from methods.sparsity.second_layer import FLOPS
from suites.sparsity.cells import (
    ANSWERS,
    CAUSES,
    IMAGES,
    LABEL_NOISE,
    NOISE,
    NOISE_TASK,
    OPTIMIZERS,
    PRODUCT,
    REPORTED_AS,
    TEXT,
    TIME,
    TOP,
    at_rate,
    at_start,
    noise_tasks,
    of_size,
)
from suites.sparsity.plan import PLANS, Plan

_TEXTS = arms({"spans": "T5, span corruption", "next": "decoder, next byte (small: --full only)"})
_VISION = arms(
    {
        "real": "ViT",
        "mixer": "MLP-Mixer",
        "mlp": "two layers",
        "mlp-fresh": "two layers, infinite data",
        "quarter": "ViT, a quarter of the data",
        **{task: f"ViT, {label}" for task, label in CAUSES.items()},
    }
)
_END_OF_TRAINING = {"spans": ReportedRef("t5-base-mean"), "real": ReportedRef("vit-b16")}
"""What the paper's models end at, beside the tasks that mirror theirs."""


def _emergence(where: Place) -> Columns:
    """By task."""

    def dense(**of: Any) -> Callable[[str], Cell]:
        return lambda task: where("dense", task=task, **of)

    return {
        "start": ("before training (%)", lambda task: at_start(dense()(task))),
        "train": ("training data (%)", dense()),
        "test": ("test data (%)", dense(part="test")),
        "foreign": ("random bytes (%)", dense(part="foreign") if where is TEXT else lambda _: None),
        "count": ("entries a token", dense(metric=scoring.COUNT)),
        "paper": ("paper (%)", _END_OF_TRAINING.get),
    }


_SIZE: Columns = {
    "start": ("before training (%)", lambda task: at_start(of_size(task))),
    "end": ("after training (%)", of_size),
    "count": ("entries a token", partial(of_size, metric=scoring.COUNT)),
    "count95": ("95th percentile", partial(of_size, metric=scoring.TAIL_COUNT)),
    "accuracy": ("accuracy (%)", partial(of_size, metric=scoring.ACCURACY, part="main")),
}


def _sizes(plan: Plan) -> Sequence[TableRow]:
    depths = [Arm(plan.depth_task(n), f"{n} layers", "depth") for n in plan.depths]
    widths = [Arm(plan.width_task(n), f"d_ff = {n}", "width") for n in plan.widths]
    return by_column([*depths, *widths], _SIZE)


_FIRING = {
    "dead": ("never fire", scoring.DEAD),
    "highest": ("highest rate", scoring.HIGHEST),
    "below": ("fire on < 10 %", scoring.BELOW_TEN),
    "above": ("fire on > 1 %", scoring.ABOVE_ONE),
}


def _firing(label: str, where: Place, method: str) -> TableRow:
    entries = {key: where(method, metric, part="test", layer=0) for key, (_, metric) in _FIRING.items()}
    return TableRow(label=label, entries=entries)


def _reported(label: str, **ids: str) -> TableRow:
    return TableRow(label=label, entries={key: ReportedRef(name) for key, name in ids.items()})


def _robust(method: str, tasks: Sequence[str]) -> Mapping[str, Entry]:
    return {
        "natural": NOISE(method),
        **{task: NOISE(method, task=task) for task in tasks},
        **{kind: NOISE(method, part=kind) for kind in KINDS},
        "ece": NOISE(method, scoring.ECE),
        "fit": NOISE(method, task=NOISE_TASK, part="fit"),
    }


_PAPER_VITS = arms({REPORTED_AS["dense"]: "ViT-B/16", REPORTED_AS[TOP]: "Top-128 ViT-B/16"}, "paper")
_TABLE_ONE = (
    *by_arm(
        arms({"dense": "ViT", TOP: "Top-k ViT"}, "measured here"),
        lambda method: _robust(method, tuple(LABEL_NOISE)),
    ),
    *by_arm(
        _PAPER_VITS,
        lambda row: {key: ReportedRef(f"{row}-{key}") for key in ("natural", *LABEL_NOISE, *KINDS, "ece")},
    ),
)


_TOP_K: Columns = {
    "accuracy": ("accuracy (%)", ANSWERS),
    "loss": ("loss (nats)", ANSWERS.on(metric=scoring.LOSS)),
    "ece": ("calibration error (%)", ANSWERS.on(metric=scoring.ECE)),
    "count": ("entries a token", ANSWERS.on(part="test", metric=scoring.COUNT)),
}


def _top_k(plan: Plan) -> Sequence[TableRow]:
    keep = plan.keep
    labels = {"dense": "dense", TOP: f"k = {keep}", "top-1": "k = 1", "random-k": f"{keep} random neurons"}
    labels |= {f"top-{k}": f"k = {k}" for k in plan.other_keeps}
    labels["top-k-at-inference"] = f"k = {keep} at inference only"
    return by_column(arms(labels), _TOP_K)


def _baselines(plan: Plan) -> Sequence[TableRow]:
    keep = plan.keep
    labels = {
        "dense": "dense",
        TOP: f"Top-{keep}",
        f"top-{keep // 2}": f"Top-{keep // 2}",
        f"top-{2 * keep}": f"Top-{2 * keep}",
        "top-k-at-inference": f"Top-{keep} at inference only",
        "random-k": f"{keep} random neurons",
        "dropout": "dropout on activations",
        "l1": "L1 penalty on activations",
        "narrow": f"d_ff = {keep}",
    }
    return by_arm(
        arms(labels),
        lambda method: {
            **_robust(method, noise_tasks(method, plan)),
            "nnz": NOISE(method, scoring.NNZ, part="test"),
        },
    )


_OF_RATE = {
    "validation": (scoring.LOSS, "validation"),
    "accuracy": (scoring.ACCURACY, "main"),
    "nnz": (scoring.NNZ, "train"),
}


def _rates(plan: Plan) -> Sequence[TableRow]:
    return [
        TableRow(
            label=f"{rate:g}",
            group=arm.label,
            entries={
                key: at_rate(plan, arm.method, rate, metric, part) for key, (metric, part) in _OF_RATE.items()
            },
        )
        for arm in OPTIMIZERS
        for rate in plan.rates[arm.method]
    ]


_ROBUST_COLUMNS: Mapping[str, str] = {
    "natural": "natural",
    "noise-40": "40 % label noise",
    "noise-80": "80 % label noise",
    "gaussian": "Gaussian",
    "impulse": "impulse",
    "shot": "shot",
    "ece": "calibration error",
    "fit": "noisy training labels learnt",
}

TABLES = (
    PaperTable(
        id="emergence",
        title="Non-zero activations before and after training, mean over layers",
        columns=headers(_emergence(TEXT)),
        rows=(*by_column(_TEXTS, _emergence(TEXT)), *by_column(_VISION, _emergence(IMAGES))),
        source="Figures 1 and 2",
        profiles=MEASURED,
    ),
    PaperTable(
        id="sizes",
        title="Vision transformers of different depth and width",
        columns=headers(_SIZE),
        rows=by_profile(PLANS, _sizes),
        source="Figure 4",
    ),
    PaperTable(
        id="firing",
        title="How often neurons of the first layer fire (%)",
        columns=headers(_FIRING),
        rows=(
            _firing("T5, first encoder layer", TEXT, "dense"),
            _firing("T5, before training", TEXT, "untrained"),
            _firing("ViT, first layer", IMAGES, "dense"),
            _reported(
                "T5-Base, paper", highest="firing-most", below="firing-below-ten", above="firing-above-one"
            ),
        ),
        source="Figure 3",
        profiles=MEASURED,
    ),
    PaperTable(
        id="table-1",
        title="Accuracy (%) under label noise and on corrupted images, calibration error (%; small: --full)",
        columns=_ROBUST_COLUMNS,
        rows=_TABLE_ONE,
        source="Table 1",
        bold=("natural", NOISE_TASK, *KINDS, "ece"),
        profiles=MEASURED,
    ),
    PaperTable(
        id="top-k",
        title="Dense and Top-k vision transformers on clean labels (small: --full only)",
        columns=headers(_TOP_K),
        rows=by_profile(PLANS, _top_k),
        source="Figure 5",
    ),
    PaperTable(
        id="baselines",
        title="Other ways to few activations or small blocks (small: --full only)",
        columns={**_ROBUST_COLUMNS, "nnz": "non-zero (%)"},
        rows=by_profile(PLANS, _baselines),
    ),
    PaperTable(
        id="rates",
        title="What the learning rate does (vision transformer, natural images; small: --full only)",
        columns={"validation": "validation loss", "accuracy": "accuracy (%)", "nnz": "non-zero (%)"},
        rows=by_profile(PLANS, _rates),
    ),
    PaperTable.of(
        arms({"dense": "all rows", "sparse": "active rows"}),
        {"flops": ("FLOPs", PRODUCT.on(part="flops", metric=FLOPS)), "seconds": ("seconds", TIME)},
        id="cost",
        title="The second layer: operations of a token (mean of four sizes), and seconds of 50 products of "
        "one token at d_model = 1,024, d_ff = 16,384, 128 active",
        source="section 3.1",
    ),
)
