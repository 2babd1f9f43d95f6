"""Tables of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import MEASURED, Place, by_profile
from harness.suite import Arm, Entry, PaperTable, ReportedRef, TableRow, arms, by_arm
from methods.sparsity.image_task import KINDS
from methods.sparsity.scoring import (
    ABOVE_ONE,
    ACCURACY,
    BELOW_TEN,
    COUNT,
    DEAD,
    ECE,
    HIGHEST,
    LOSS,
    NNZ,
    TAIL_COUNT,
)
from methods.sparsity.second_layer import FLOPS
from suites.sparsity.cells import (
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
    TUNED,
    at_rate,
    at_start,
    noise_tasks,
)
from suites.sparsity.plan import PLANS, Plan

_TEXTS = arms({"spans": "T5, span corruption", "next": "decoder, next byte"})
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


def _emergence(where: Place, task: str) -> Mapping[str, Entry | None]:
    return {
        "start": at_start(where("dense", task=task)),
        "train": where("dense", task=task),
        "test": where("dense", task=task, part="test"),
        "count": where("dense", COUNT, task=task),
        "paper": _END_OF_TRAINING.get(task),
    }


def _size(task: str) -> Mapping[str, Entry]:
    return {
        "start": at_start(IMAGES("dense", task=task)),
        "end": IMAGES("dense", task=task),
        "count": IMAGES("dense", COUNT, task=task),
        "count95": IMAGES("dense", TAIL_COUNT, task=task),
        "accuracy": IMAGES("dense", ACCURACY, task=task, part="main"),
    }


def _sizes(plan: Plan) -> Sequence[TableRow]:
    depths = [Arm(plan.depth_task(n), f"{n} layers", "depth") for n in plan.depths]
    widths = [Arm(plan.width_task(n), f"d_ff = {n}", "width") for n in plan.widths]
    return by_arm([*depths, *widths], _size)


_FIRING = {"dead": DEAD, "highest": HIGHEST, "below": BELOW_TEN, "above": ABOVE_ONE}


def _firing(label: str, where: Place, method: str) -> TableRow:
    entries = {key: where(method, metric, part="test", layer=0) for key, metric in _FIRING.items()}
    return TableRow(label=label, entries=entries)


def _reported(label: str, **ids: str) -> TableRow:
    return TableRow(label=label, entries={key: ReportedRef(name) for key, name in ids.items()})


def _robust(method: str, tasks: Sequence[str]) -> Mapping[str, Entry]:
    return {
        "natural": NOISE(method),
        **{task: NOISE(method, task=task) for task in tasks},
        **{kind: NOISE(method, part=kind) for kind in KINDS},
        "ece": NOISE(method, ECE),
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


def _top_k(plan: Plan) -> Sequence[TableRow]:
    keep = plan.keep
    labels = {"dense": "dense", TOP: f"k = {keep}", "top-1": "k = 1", "random-k": f"{keep} random neurons"}
    labels |= {f"top-{k}": f"k = {k}" for k in plan.other_keeps}
    labels["top-k-at-inference"] = f"k = {keep} at inference only"
    return by_arm(
        arms(labels),
        lambda method: {
            "accuracy": TUNED(method),
            "loss": TUNED(method, LOSS),
            "ece": TUNED(method, ECE),
            "count": TUNED(method, COUNT, part="test"),
        },
    )


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
            "nnz": NOISE(method, NNZ, part="test"),
        },
    )


_OF_RATE = {"validation": (LOSS, "validation"), "accuracy": (ACCURACY, "main"), "nnz": (NNZ, "train")}


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
        columns={
            "start": "before training (%)",
            "train": "training data (%)",
            "test": "test data (%)",
            "count": "entries a token",
            "paper": "paper (%)",
        },
        rows=(
            *by_arm(_TEXTS, lambda task: _emergence(TEXT, task)),
            *by_arm(_VISION, lambda task: _emergence(IMAGES, task)),
        ),
        source="Figures 1 and 2",
        profiles=MEASURED,
    ),
    PaperTable(
        id="sizes",
        title="Vision transformers of different depth and width",
        columns={
            "start": "before training (%)",
            "end": "after training (%)",
            "count": "entries a token",
            "count95": "95th percentile",
            "accuracy": "accuracy (%)",
        },
        rows=by_profile(PLANS, _sizes),
        source="Figure 4",
    ),
    PaperTable(
        id="firing",
        title="How often neurons of the first layer fire (%)",
        columns={
            "dead": "never fire",
            "highest": "highest rate",
            "below": "fire on < 10 %",
            "above": "fire on > 1 %",
        },
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
        title="Accuracy (%) under label noise and on corrupted images, and calibration error (%)",
        columns=_ROBUST_COLUMNS,
        rows=_TABLE_ONE,
        source="Table 1",
        bold=("natural", NOISE_TASK, *KINDS, "ece"),
        profiles=MEASURED,
    ),
    PaperTable(
        id="top-k",
        title="Dense and Top-k vision transformers on clean labels",
        columns={
            "accuracy": "accuracy (%)",
            "loss": "loss (nats)",
            "ece": "calibration error (%)",
            "count": "entries a token",
        },
        rows=by_profile(PLANS, _top_k),
        source="Figure 5",
    ),
    PaperTable(
        id="baselines",
        title="Other ways to few activations or small blocks (more under --full)",
        columns={**_ROBUST_COLUMNS, "nnz": "non-zero (%)"},
        rows=by_profile(PLANS, _baselines),
    ),
    PaperTable(
        id="rates",
        title="What the learning rate does (vision transformer, natural images)",
        columns={"validation": "validation loss", "accuracy": "accuracy (%)", "nnz": "non-zero (%)"},
        rows=by_profile(PLANS, _rates),
    ),
    PaperTable(
        id="cost",
        title="The second layer: operations of a token (mean of four sizes), and seconds of 50 products of "
        "one token at d_model = 1,024, d_ff = 16,384, 128 active",
        columns={"flops": "FLOPs", "seconds": "seconds"},
        rows=by_arm(
            arms({"dense": "all rows", "sparse": "active rows"}),
            lambda method: {"flops": PRODUCT(method, FLOPS, part="flops"), "seconds": TIME(method)},
        ),
        source="section 3.1",
    ),
)
