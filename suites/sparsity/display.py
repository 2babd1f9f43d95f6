"""Tables of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperTable, ReportedRef, Scale, TableRow
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
from methods.sparsity.second_layer import FLOPS, SECONDS
from suites.sparsity.cells import (
    CAUSES,
    DEPTHS,
    EVERY,
    KEEP,
    MEASURED,
    NOISE_TASK,
    NOISES,
    SGD_RATES,
    TOP,
    WIDTHS,
    adam_rates,
    at_start,
    depth_task,
    image,
    noise,
    noise_tasks,
    of_layer,
    of_rate,
    other_keeps,
    rate_id,
    text,
    tuned,
    width_task,
)
from suites.sparsity.plan import plan_of

Entries = dict[str, Cell | Contrast | ReportedRef]


def _sparsity(cell: Cell, test: Cell, count: Cell) -> Entries:
    return {"start": at_start(cell), "train": cell, "test": test, "count": count}


def _text_row(task: str) -> Entries:
    return _sparsity(text(task), text(task, part="test"), text(task, COUNT))


def _image_row(task: str) -> Entries:
    return _sparsity(image(task), image(task, part="test"), image(task, COUNT))


def _emergence_rows(scale: Scale) -> Sequence[TableRow]:
    rows = [
        TableRow(label="T5, span corruption", entries={**_text_row("spans"), "paper": _ref("t5-base-mean")}),
        TableRow(label="decoder, next byte", entries=_text_row("next")),
        TableRow(label="ViT", entries={**_image_row("real"), "paper": _ref("vit-b16")}),
        TableRow(label="MLP-Mixer", entries=_image_row("mixer")),
        TableRow(label="two layers", entries=_image_row("mlp")),
        TableRow(label="two layers, infinite data", entries=_image_row("mlp-fresh")),
        TableRow(label="ViT, a quarter of the data", entries=_image_row("quarter")),
    ]
    return rows + [
        TableRow(label=f"ViT, {label}", entries=_image_row(task)) for task, label in CAUSES.items()
    ]


def _ref(name: str) -> ReportedRef:
    return ReportedRef(id=name)


def _size_rows(scale: Scale) -> Sequence[TableRow]:
    profile = scale.profile
    rows = [
        TableRow(label=f"{n} layers", group="depth", entries=_size_entries(depth_task(n, profile)))
        for n in DEPTHS[profile]
    ]
    return rows + [
        TableRow(label=f"d_ff = {n}", group="width", entries=_size_entries(width_task(n, profile)))
        for n in WIDTHS[profile]
    ]


def _size_entries(task: str) -> Entries:
    return {
        "start": at_start(image(task)),
        "end": image(task),
        "count": image(task, COUNT),
        "count95": image(task, TAIL_COUNT),
        "accuracy": image(task, ACCURACY, part="main"),
    }


_FIRING = {"dead": DEAD, "highest": HIGHEST, "below": BELOW_TEN, "above": ABOVE_ONE}


def _firing_rows(_: Scale) -> Sequence[TableRow]:
    places = {
        "T5, first encoder layer": text(part="test"),
        "T5, before training": text(part="test", method="untrained"),
        "ViT, first layer": image("real", part="test"),
    }
    rows = [
        TableRow(
            label=label,
            entries={
                key: of_layer(Cell(c.experiment, c.method, metric, c.task, c.part), 0)
                for key, metric in _FIRING.items()
            },
        )
        for label, c in places.items()
    ]
    reported: Entries = {
        "highest": _ref("firing-most"),
        "below": _ref("firing-below-ten"),
        "above": _ref("firing-above-one"),
    }
    return [*rows, TableRow(label="T5-Base, paper", entries=reported)]


def _table_one(scale: Scale) -> Sequence[TableRow]:
    rows = []
    names = ("natural", "noise-40", "noise-80", *NOISES, "ece")
    for method, label, row in (("dense", "ViT", "dense"), (TOP, "Top-k ViT", "top-128")):
        entries: Entries = {
            "natural": noise(method),
            **{task: noise(method, task) for task in noise_tasks(method, scale)},
            **{kind: noise(method, part=kind) for kind in NOISES},
            "ece": noise(method, metric=ECE),
            "fit": noise(method, NOISE_TASK, part="fit"),
        }
        rows.append(TableRow(label=label, entries=entries, group="measured here"))
        paper: Entries = {name: _ref(f"{row}-{name}") for name in names}
        shown = "ViT-B/16" if row == "dense" else "Top-128 ViT-B/16"
        rows.append(TableRow(label=shown, entries=paper, group="paper"))
    return sorted(rows, key=lambda found: found.group)


def _top_k_rows(scale: Scale) -> Sequence[TableRow]:
    keep = KEEP[scale.profile]
    arms = {"dense": "dense", TOP: f"k = {keep}", "top-1": "k = 1", "random-k": f"{keep} random neurons"}
    if scale.full:
        arms |= {f"top-{k}": f"k = {k}" for k in other_keeps(scale.profile)}
        arms["top-k-at-inference"] = f"k = {keep} at inference only"
    return [
        TableRow(
            label=label,
            entries={
                "accuracy": tuned(method),
                "loss": tuned(method, LOSS),
                "ece": tuned(method, ECE),
                "count": tuned(method, COUNT, part="test"),
            },
        )
        for method, label in arms.items()
    ]


def _rate_rows(scale: Scale) -> Sequence[TableRow]:
    rate = plan_of(scale).rate
    parts = {"validation": (LOSS, "validation"), "accuracy": (ACCURACY, "main"), "nnz": (NNZ, "train")}
    rows = [
        TableRow(
            label=f"{r:g}",
            group="AdamW",
            entries={key: of_rate(r, rate, metric, part) for key, (metric, part) in parts.items()},
        )
        for r in adam_rates(rate)
    ]
    return rows + [
        TableRow(
            label=f"{r:g}",
            group="SGD with momentum",
            entries={
                key: Cell("rates", rate_id("sgd", r), metric, part=part)
                for key, (metric, part) in parts.items()
            },
        )
        for r in SGD_RATES
    ]


def _baseline_rows(scale: Scale) -> Sequence[TableRow]:
    keep = KEEP[scale.profile]
    arms = {"dense": "dense", TOP: f"Top-{keep}"}
    if scale.full:
        arms |= {
            f"top-{keep // 2}": f"Top-{keep // 2}",
            f"top-{2 * keep}": f"Top-{2 * keep}",
            "top-k-at-inference": f"Top-{keep} at inference only",
            "random-k": f"{keep} random neurons",
            "dropout": "dropout on activations",
            "l1": "L1 penalty on activations",
            "narrow": f"d_ff = {keep}",
        }
    return [
        TableRow(
            label=label,
            entries={
                "natural": noise(method),
                **{task: noise(method, task) for task in noise_tasks(method, scale)},
                "fit": noise(method, NOISE_TASK, part="fit"),
                **{kind: noise(method, part=kind) for kind in NOISES},
                "ece": noise(method, metric=ECE),
                "nnz": noise(method, metric=NNZ, part="test"),
            },
        )
        for method, label in arms.items()
    ]


def _cost_rows(scale: Scale) -> Sequence[TableRow]:
    rows = []
    for method, label in (("dense", "all rows"), ("sparse", "active rows")):
        entries: Entries = {"flops": Cell("second-layer", method, FLOPS, part="flops")}
        if scale.profile is not Profile.SMOKE:
            entries["seconds"] = Cell("second-layer-time", method, SECONDS, part="time")
        rows.append(TableRow(label=label, entries=entries))
    return rows


_SPARSITY_COLUMNS: Mapping[str, str] = {
    "start": "before training (%)",
    "train": "training data (%)",
    "test": "test data (%)",
    "count": "entries a token",
    "paper": "paper (%)",
}
_ROBUST_COLUMNS: Mapping[str, str] = {
    "natural": "natural",
    "noise-40": "40 % label noise",
    "noise-80": "80 % label noise",
    "gaussian": "Gaussian",
    "impulse": "impulse",
    "shot": "shot",
    "ece": "calibration error",
    "fit": "noisy training labels learnt",
    "nnz": "non-zero (%)",
}

TABLES = (
    PaperTable(
        id="emergence",
        title="Non-zero activations before and after training, mean over layers",
        columns=_SPARSITY_COLUMNS,
        rows=_emergence_rows,
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
        rows=_size_rows,
        source="Figure 4",
        profiles=MEASURED,
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
        rows=_firing_rows,
        source="Figure 3",
        profiles=MEASURED,
    ),
    PaperTable(
        id="table-1",
        title="Accuracy (%) under label noise and on corrupted images, and calibration error (%)",
        columns={key: name for key, name in _ROBUST_COLUMNS.items() if key != "nnz"},
        rows=_table_one,
        source="Table 1",
        bold=("natural", "noise-40", *NOISES, "ece"),
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
        rows=_top_k_rows,
        source="Figure 5",
        profiles=MEASURED,
    ),
    PaperTable(
        id="baselines",
        title="Other ways to few activations or small blocks (more under --full)",
        columns=_ROBUST_COLUMNS,
        rows=_baseline_rows,
        profiles=MEASURED,
    ),
    PaperTable(
        id="rates",
        title="What the learning rate does (vision transformer, natural images)",
        columns={"validation": "validation loss", "accuracy": "accuracy (%)", "nnz": "non-zero (%)"},
        rows=_rate_rows,
        profiles=MEASURED,
    ),
    PaperTable(
        id="cost",
        title="The second layer: operations of a token (mean of four sizes), and seconds of 50 products of "
        "one token at d_model = 1,024, d_ff = 16,384, 128 active",
        columns={"flops": "FLOPs", "seconds": "seconds"},
        rows=_cost_rows,
        source="section 3.1",
        profiles=EVERY,
    ),
)
