"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperFigure, PaperTable, ReportedRef, Scale, Series, TableRow
from methods.metric_aware.metrics import (
    BIAS2,
    DISTANCE,
    ENTROPY,
    EXACT,
    EXCESS,
    FALLBACK,
    LAW_VARIANCE,
    MASS,
    PEARSON,
    SPREAD,
    TOKEN_F1,
    VARIANCE,
)
from suites.metric_aware.cells import (
    COLUMNS,
    COUNTS,
    EMBEDDED,
    NOISES,
    OBJECTIVES,
    ONLY_FULL,
    PAPER_MODELS,
    PAPER_SETS,
    PROMPTED,
    PUBLIC,
    READ_OUTS,
    TEMPERATURES,
    TRAINED,
    Reads,
    at,
    embedded,
    flan,
    prompted,
    public,
    sampled,
    toy,
    trained,
)

Entries = dict[str, Cell | Contrast | ReportedRef]
_SMALL = (Profile.SMALL,)
_MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
_OPEN = (Profile.SMALL, Profile.GPU)


def sets(scale: Scale) -> Mapping[str, Reads]:
    """All sets of items that are read out under a profile, by their label."""
    if scale.profile is Profile.GPU:
        return {f"Gemma-3-270M, {name}": public(name) for name in PUBLIC}
    if scale.profile is Profile.PAPER:
        return {f"FLAN-T5 {size}, {name}": flan(size, name) for name in PAPER_SETS for size in PAPER_MODELS}
    found = {f"latent grades, σ = {sigma:g}": toy(name) for name, sigma in NOISES.items()}
    found |= {f"MiniLM head, {domain}": embedded(domain) for domain in EMBEDDED}
    found |= {f"MiniLM head, {d}, single ratings": embedded(d, part="rater") for d in EMBEDDED}
    found |= {f"Gemma-3-270M, {domain}": prompted(domain) for domain in PROMPTED}
    return found | {f"Gemma-3-270M, {d}, single ratings": prompted(d, "rater") for d in PROMPTED}


def _cross_rows(scale: Scale) -> Sequence[TableRow]:
    rows = []
    for group, where in sets(scale).items():
        for method, label in READ_OUTS.items():
            entries: Entries = {key: where.of(method, metric) for key, (_, metric) in COLUMNS.items()}
            rows.append(TableRow(label=label, entries=entries, group=group))
    return rows


def _parts_rows(scale: Scale) -> Sequence[TableRow]:
    """Squared bias and variance of the error, beside what tells whether the model knows anything."""
    rows = []
    for group, where in sets(scale).items():
        if where.part != "main":
            continue
        for method in ("greedy", "mode", "median", "mean", "fitted", "line", "constant-mean", "blind"):
            label = READ_OUTS.get(method, "mean of the average distribution (control)")
            entries: Entries = {
                "bias2": where.of(method, BIAS2),
                "variance": where.of(method, VARIANCE),
                "rmse": where.rmse(method),
                "pearson": where.of(method, PEARSON),
                "fallback": where.of(method, FALLBACK),
            }
            rows.append(TableRow(label=label, entries=entries, group=group))
    return rows


def _law_rows(scale: Scale) -> Sequence[TableRow]:
    rows = []
    for group, where in sets(scale).items():
        if where.part != "main":
            continue
        for method, label in (("mean", "as it is"), ("fitted", "at a fitted temperature")):
            entries: Entries = {
                "mass": where.of(method, MASS),
                "entropy": where.of(method, ENTROPY, "law"),
                "spread": where.of(method, SPREAD, "law"),
            }
            if where.experiment in ("embedded", "prompted"):
                entries["distance"] = where.of(method, DISTANCE, "law")
            rows.append(TableRow(label=label, entries=entries, group=group))
        if where.experiment in ("embedded", "prompted"):
            constant = where.of("constant-mean", DISTANCE, "law")
            rows.append(TableRow(label="held-out labels alone", entries={"distance": constant}, group=group))
    return rows


def _raft_rows(scale: Scale) -> Sequence[TableRow]:
    rows = []
    everywhere = ("ce", "raft", "head")
    full = ("bent-5000", "pretrained", "ratings")
    for task, label in TRAINED.items():
        if task in ONLY_FULL and not scale.full:
            continue
        if task == "pretrained":
            entries: Entries = {
                "rmse": trained(task, "as-is"),
                "mode": trained(task, "as-is", part="mode"),
                "entropy": trained(task, "as-is", ENTROPY, "law"),
            }
            rows.append(TableRow(label="as pretrained", entries=entries, group=label))
        for name, text in OBJECTIVES.items():
            if not (name in everywhere or task in full or (name == "mbr" and task in ("well", "bent-1000"))):
                continue
            entries = {"rmse": trained(task, name)}
            if "head" not in name:
                entries["mode"] = trained(task, name, part="mode")
                entries["entropy"] = trained(task, name, ENTROPY, "law")
            rows.append(TableRow(label=text, entries=entries, group=label))
    reported = (("raft-music", "RAFT"), ("head-music", "predictive head"), ("ce-rail-music", "cross-entropy"))
    rows += [
        TableRow(
            label=text, entries={"rmse": ReportedRef(id=name)}, group="Gemma-2 2B, Music (companion paper)"
        )
        for name, text in reported
    ]
    return rows


def _open_rows(scale: Scale) -> Sequence[TableRow]:
    task = "countries" if scale.profile is Profile.SMALL else "nq-open"
    labels = {
        "greedy": "greedy answer",
        "one-sample": "one sample",
        "most-frequent": "most frequent sample",
        "mbr-f1": "largest expected token F1",
        "mbr-misplaced": "the same by samples for another question (control)",
    }
    return [
        TableRow(
            label=label,
            entries={
                "f1": Cell("open", name, TOKEN_F1, task=task),
                "exact": Cell("open", name, EXACT, task=task),
            },
        )
        for name, label in labels.items()
    ]


TABLES = (
    PaperTable(
        id="cross",
        title="Every read-out by every metric",
        columns={key: label for key, (label, _) in COLUMNS.items()},
        rows=_cross_rows,
        source="rule table and main table",
        bold=tuple(COLUMNS),
        profiles=_MEASURED,
    ),
    PaperTable(
        id="parts",
        title="Where the squared error comes from",
        columns={
            "bias2": "bias²",
            "variance": "variance",
            "rmse": "RMSE",
            "pearson": "Pearson's r",
            "fallback": "unreadable",
        },
        rows=_parts_rows,
        profiles=_MEASURED,
    ),
    PaperTable(
        id="distributions",
        title="The distributions themselves, beside those of the human raters",
        columns={
            "mass": "mass on the grid",
            "entropy": "entropy (nats)",
            "spread": "spread",
            "distance": "Wasserstein distance to the raters",
        },
        rows=_law_rows,
        bold=("distance",),
        profiles=_MEASURED,
    ),
    PaperTable(
        id="raft",
        title="Fine-tuning: RMSE of the objective's own read-out and of the most probable digit",
        columns={"rmse": "RMSE", "mode": "RMSE of the mode", "entropy": "entropy of the digits (nats)"},
        rows=_raft_rows,
        source="RAFT, Table 3",
        bold=("rmse",),
        profiles=_SMALL,
    ),
    PaperTable(
        id="open",
        title="Open answers",
        columns={"f1": "token F1", "exact": "exact match"},
        rows=_open_rows,
        bold=("f1",),
        profiles=_OPEN,
    ),
)


def _sample_series(scale: Scale) -> Sequence[Series]:
    return [
        Series(label=label, points=tuple((float(k), _relative(where, sampled(k))) for k in COUNTS))
        for label, where in sets(scale).items()
        if where.part == "main"
    ]


def _relative(where: Reads, method: str) -> Contrast:
    """log of the error over that of the exact mean."""
    return Contrast(((1.0, where.rmse(method)), (-1.0, where.rmse("mean"))), log=True)


def _theory_series(scale: Scale) -> Sequence[Series]:
    """Measured, and the mean variance of the distributions over K."""
    chosen = list(sets(scale).items())
    if scale.profile is Profile.SMALL:
        chosen = [
            (label, where)
            for label, where in chosen
            if where.part == "main" and where.task in ("noise-1.5", "amazon")
        ]
    found = []
    for label, where in chosen[:4]:
        points = tuple((float(k), where.of(sampled(k), EXCESS)) for k in COUNTS)
        variance = where.of("mean", LAW_VARIANCE, "law")
        theory = tuple((float(k), Contrast(((1 / k, variance),))) for k in COUNTS)
        found += [Series(label=label, points=points), Series(label=f"{label}: variance / K", points=theory)]
    return found


def _temperature_series(scale: Scale) -> Sequence[Series]:
    return [
        Series(
            label=label,
            points=tuple((t, where.rmse("mean" if t == 1.0 else at(t))) for t in TEMPERATURES),
        )
        for label, where in sets(scale).items()
        if where.part == "main"
    ]


def _noise_series(_: Scale) -> Sequence[Series]:
    shown = ("sample-1", "mode", "median", "mean", "sample-8", "constant-mean")
    return [
        Series(label=READ_OUTS[name], points=tuple((sigma, toy(n).rmse(name)) for n, sigma in NOISES.items()))
        for name in shown
    ]


def _entropy_series(_: Scale) -> Sequence[Series]:
    labels = {"ce-late": "cross-entropy", "raft-late": "RAFT", "mbr-late": "MBR loss"}
    return [
        Series(
            label=label,
            points=tuple(
                (
                    float(step),
                    Cell("raft", name, ENTROPY, task="bent-5000", part="probe:law", where=(("step", step),)),
                )
                for step in (48, 96, 144, 192)
            ),
        )
        for name, label in labels.items()
    ]


FIGURES = (
    PaperFigure(
        id="samples",
        title="Error of the mean of K samples, relative to the exact mean's",
        x="samples K",
        y="log ratio of RMSE",
        series=_sample_series,
        log_x=True,
        profiles=_MEASURED,
    ),
    PaperFigure(
        id="sampling-error",
        title="Squared distance of the mean of K samples from the exact mean (theory: variance / K)",
        x="samples K",
        y="squared distance",
        series=_theory_series,
        log_x=True,
        log_y=True,
        profiles=_MEASURED,
    ),
    PaperFigure(
        id="temperature",
        title="Error of the mean by the temperature of the distribution",
        x="temperature",
        y="RMSE",
        series=_temperature_series,
        log_x=True,
        profiles=_MEASURED,
    ),
    PaperFigure(
        id="noise",
        title="Error of each read-out by the noise of the labels",
        x="noise σ of a label",
        y="RMSE",
        series=_noise_series,
        profiles=_SMALL,
    ),
    PaperFigure(
        id="entropy",
        title="Entropy of the digits while training (misspecified, n = 5000)",
        x="step",
        y="nats",
        series=_entropy_series,
        profiles=_SMALL,
    ),
)
