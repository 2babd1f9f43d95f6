"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperFigure, PaperTable, ReportedRef, Scale, Series, TableRow
from methods.common.ranking import average_precision, mrr
from methods.lite.task import NDCG
from suites.lite.cells import (
    LOSSES,
    MEASURED,
    SCORERS,
    TARGETS,
    TOP_K,
    approximation,
    away,
    elsewhere,
    folds,
    loss_task,
    main_task,
    order,
    quality,
    second_sets,
    seconds,
    stored,
    table_error,
    with_loss,
)

Entries = dict[str, Cell | Contrast | ReportedRef]
LOW = mrr(10, ties="pessimistic")
MAP = average_precision()
_PAPER_ROWS = {"de": "de", "maxsim": "maxsim", "knrm": "knrm", "lite": "lite", "cross-encoder": "ce"}
_ALL = {
    "bm25": "BM25",
    **SCORERS,
    "lite-quarter": "LITE, a quarter of the vectors",
    "maxsim-quarter": "MaxSim, a quarter of the vectors",
    "cross-encoder": "cross-encoder (the teacher)",
}


def _arms(scale: Scale) -> dict[str, str]:
    """Rankers by id: all of them, where the profile runs all."""
    left_out = set()
    if scale.profile is not Profile.SMALL:
        left_out.add("lite-flat")
    if not _is_wide(scale):
        left_out.add("maxsim-quarter")
    return {name: label for name, label in _ALL.items() if name not in left_out}


def _is_wide(scale: Scale) -> bool:
    return scale.profile is Profile.SMALL and scale.full


def _ranking_rows(scale: Scale) -> Sequence[TableRow]:
    task = main_task(scale.profile)
    rows = []
    for name, label in _arms(scale).items():
        entries: Entries = {
            "mrr": quality(name, task=task),
            "low": quality(name, LOW, task=task),
            "ndcg": quality(name, NDCG, task=task),
            "map": quality(name, MAP, task=task),
        }
        if name in _PAPER_ROWS:
            entries["paper"] = ReportedRef(id=f"mrr-msmarco-{_PAPER_ROWS[name]}")
        rows.append(TableRow(label=label, entries=entries))
    return rows


def _second_rows(scale: Scale) -> Sequence[TableRow]:
    sets = second_sets(scale.profile)
    return [
        TableRow(
            label=SCORERS[name],
            entries={data: elsewhere(name, data, metric) for data in sets},
            group=metric.name,
        )
        for metric in (quality("lite").metric, MAP)
        for name in ("de", "maxsim", "lite")
    ]


def _function_rows(_: Scale) -> Sequence[TableRow]:
    arms = {
        "bm25": "BM25",
        "maxsim-frozen": "MaxSim, not trained",
        "maxsim-one-hot": "MaxSim, trained on labels",
        "lite-one-hot": "LITE, trained on labels",
    }
    metrics = {"mrr": quality("lite").metric, "low": LOW, "ndcg": NDCG, "map": MAP}
    return [
        TableRow(
            label=label,
            entries={key: elsewhere(name, "functions", metric) for key, metric in metrics.items()},
        )
        for name, label in arms.items()
    ]


def _frozen_rows(scale: Scale) -> Sequence[TableRow]:
    task = main_task(scale.profile)
    arms = {
        "de-frozen": ("dot product of mean vectors", ""),
        "maxsim-frozen": ("MaxSim", "frozen-maxsim"),
        "lite-scorer": ("LITE, scorer trained", "frozen-lite"),
        "lite-random": ("LITE, scorer as drawn", ""),
    }
    rows = []
    for name, (label, reported) in arms.items():
        entries: Entries = {"mrr": quality(name, task=task)}
        if reported:
            entries["paper"] = ReportedRef(id=reported)
        rows.append(TableRow(label=label, entries=entries))
    return rows


def _loss_rows(scale: Scale) -> Sequence[TableRow]:
    task = loss_task(scale.profile)
    rows = []
    for name, label in (("maxsim", "MaxSim"), ("lite", "LITE")):
        entries: Entries = {}
        for loss in LOSSES:
            entries[loss] = quality(with_loss(name, loss), task=task)
            entries[f"paper-{loss}"] = ReportedRef(id=f"loss-{loss}-{name}")
        rows.append(TableRow(label=label, entries=entries))
    return rows


def _top_k_rows(scale: Scale) -> Sequence[TableRow]:
    task = main_task(scale.profile)
    rows = []
    for k in (1, *TOP_K):
        name = "maxsim" if k == 1 else f"maxsim-top{k}"
        entries: Entries = {"mrr": quality(name, task=task), "paper": ReportedRef(id=f"top-{k}")}
        rows.append(TableRow(label=f"k = {k}", entries=entries))
    return rows


def _fold_rows(scale: Scale) -> Sequence[TableRow]:
    task = main_task(scale.profile)
    names = ("de", "maxsim", "lite", "lite-quarter", "cross-encoder")
    shown = names[:-1] if scale.profile is not Profile.SMALL else names
    return [
        TableRow(label=fold, entries={name: away(name, fold, task=task) for name in shown})
        for fold in folds(scale.profile)
    ]


def _cost_rows(scale: Scale) -> Sequence[TableRow]:
    task = main_task(scale.profile)
    arms = (
        ("MaxSim, all vectors", "maxsim", "maxsim-200", "mrr-msmarco-maxsim"),
        ("LITE, all vectors", "lite", "lite-200", "mrr-msmarco-lite"),
        ("LITE, a quarter", "lite-quarter", "lite-50", "mrr-lite-50"),
    )
    return [
        TableRow(
            label=label,
            entries={
                "bytes": stored(ranker, task=task),
                "seconds": seconds(timed),
                "paper-ms": ReportedRef(id=f"latency-{timed}"),
                "mrr": quality(ranker, task=task),
                "paper": ReportedRef(id=reported),
            },
        )
        for label, ranker, timed, reported in arms
    ]


def _theory_rows(_: Scale) -> Sequence[TableRow]:
    rows = []
    arms = {
        "maxsim": "MaxSim with scale and offset",
        "lite": "LITE, no LayerNorm after W2 and W4",
        "lite-norm": "LITE",
        "lite-flat": "flattened LITE",
    }
    for name, label in arms.items():
        entries: Entries = {key: approximation(name, key) for key in ("maxsim", *TARGETS)}
        if name != "lite-norm":
            entries["table"] = table_error(name)
        rows.append(TableRow(label=label, entries=entries))
    return [*rows, TableRow(label="dual encoder, d = 4", entries={"table": table_error("de")})]


def _order_rows(_: Scale) -> Sequence[TableRow]:
    arms = {
        "de": "DE, word vectors trained",
        "maxsim-frozen": "MaxSim",
        "maxsim": "MaxSim, word vectors trained",
        "lite": "LITE, scorer trained",
        "lite-vectors": "LITE, word vectors trained too",
        "lite-flat": "flattened LITE, scorer trained",
    }
    return [
        TableRow(label=label, entries={"above": order(name), "mrr": order(name, quality("lite").metric)})
        for name, label in arms.items()
    ]


TABLES = (
    PaperTable(
        id="in-domain",
        title="Re-ranking in domain, each trained ranker at its best rate",
        columns={
            "mrr": "MRR@10",
            "low": "MRR@10, ties against it",
            "ndcg": "nDCG@10",
            "map": "MAP",
            "paper": "paper, MS MARCO",
        },
        rows=_ranking_rows,
        source="in-domain table",
        bold=("mrr", "ndcg"),
        profiles=MEASURED,
    ),
    PaperTable(
        id="second-set",
        title="Other sets in domain",
        columns={"trecqa": "TrecQA", "trec-dl-2019": "DL19", "trec-dl-2020": "DL20", "nq": "NQ"},
        rows=_second_rows,
        source="in-domain table",
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable(
        id="functions",
        title="Another set in domain: bodies of functions, found by what they are said to do",
        columns={"mrr": "MRR@10", "low": "MRR@10, ties against it", "ndcg": "nDCG@10", "map": "MAP"},
        rows=_function_rows,
        source="in-domain table",
        bold=("mrr", "ndcg"),
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="frozen",
        title="MRR@10 on a frozen encoder",
        columns={"mrr": "here", "paper": "paper, MS MARCO"},
        rows=_frozen_rows,
        source="ablation with frozen encoders",
        profiles=MEASURED,
    ),
    PaperTable(
        id="losses",
        title="MRR@10 by loss",
        columns={
            key: label
            for loss in LOSSES
            for key, label in ((loss, loss), (f"paper-{loss}", f"paper, NQ, {loss}"))
        },
        rows=_loss_rows,
        source="loss ablation on NQ",
        profiles=MEASURED,
    ),
    PaperTable(
        id="top-k",
        title="MRR@10 of MaxSim over the k best matches of each query token",
        columns={"mrr": "here", "paper": "paper, MS MARCO"},
        rows=_top_k_rows,
        source="ablation of aligned tokens",
        profiles=MEASURED,
    ),
    PaperTable(
        id="zero-shot",
        title="nDCG@10 on sets that nothing was trained on",
        columns={
            "de": "DE",
            "maxsim": "MaxSim",
            "lite": "LITE",
            "lite-quarter": "LITE, a quarter of the vectors",
            "cross-encoder": "cross-encoder",
        },
        rows=_fold_rows,
        source="BEIR table",
        profiles=MEASURED,
    ),
    PaperTable(
        id="cost",
        title="Storage, seconds to re-rank 1,000 documents (200 or 50 vectors each), and quality",
        columns={
            "bytes": "bytes a document",
            "seconds": "seconds",
            "paper-ms": "paper, ms",
            "mrr": "MRR@10",
            "paper": "paper, MS MARCO",
        },
        rows=_cost_rows,
        source="latency table",
        profiles=MEASURED,
    ),
    PaperTable(
        id="theory",
        title="R² of functions of 2 × 2 similarities, and squared error of the identity table",
        columns={**{name: name for name in ("maxsim", *TARGETS)}, "table": "identity"},
        rows=_theory_rows,
        profiles=MEASURED,
    ),
    PaperTable(
        id="order",
        title="Phrases among the same words out of order",
        columns={"above": "above both copies", "mrr": "MRR@10"},
        rows=_order_rows,
        profiles=MEASURED,
    ),
)


def _storage_series(scale: Scale) -> Sequence[Series]:
    task = main_task(scale.profile)
    lines = {
        "DE": ("de",),
        "MaxSim": ("maxsim-quarter", "maxsim") if _is_wide(scale) else ("maxsim",),
        "LITE": ("lite-quarter", "lite"),
    }
    return [
        Series(
            label=label,
            points=tuple((stored(name, task=task), quality(name, task=task)) for name in names),
        )
        for label, names in lines.items()
    ]


def _loss_series(scale: Scale) -> Sequence[Series]:
    task = loss_task(scale.profile)
    return [
        Series(
            label=label,
            points=tuple((loss, quality(with_loss(name, loss), task=task)) for loss in LOSSES),
            reported=tuple((loss, ReportedRef(id=f"loss-{loss}-{name}")) for loss in LOSSES),
        )
        for name, label in (("maxsim", "MaxSim"), ("lite", "LITE"))
    ]


def _fold_series(scale: Scale) -> Sequence[Series]:
    task = main_task(scale.profile)
    return [
        Series(
            label=label,
            points=tuple((fold, away(name, fold, task=task)) for fold in folds(scale.profile)),
        )
        for name, label in (("de", "DE"), ("maxsim", "MaxSim"), ("lite", "LITE"))
    ]


FIGURES = (
    PaperFigure(
        id="storage",
        title="Storage and quality",
        x="bytes a document",
        y="MRR@10",
        series=_storage_series,
        kind="scatter",
        log_x=True,
        source="latency table",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="losses",
        title="Quality by loss",
        x="loss",
        y="MRR@10",
        series=_loss_series,
        kind="bar",
        source="loss ablation on NQ",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="folds",
        title="Quality on sets that nothing was trained on",
        x="set",
        y="nDCG@10",
        series=_fold_series,
        kind="bar",
        source="BEIR table",
        profiles=MEASURED,
    ),
)
