"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import MEASURED, Cell, Place, Profile, by_profile
from harness.method import Metric
from harness.suite import (
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    TableRow,
    arms,
    by_arm,
    curves,
)
from methods.common.ranking import average_precision, mrr
from methods.lite.task import BYTES, MRR, NDCG
from suites.lite.cells import (
    DOCSTRINGS,
    FITS,
    IDENTITY,
    LATENCY,
    LOSS_SETS,
    LOSSES,
    MAIN,
    MSMARCO,
    ORDER,
    OTHER_QUERIES,
    TARGETS,
    TOP_K,
    ZERO_SHOT,
    elsewhere,
    with_loss,
)

_METRICS: Mapping[str, Metric] = {
    "mrr": MRR,
    "low": mrr(10, ties="pessimistic"),
    "ndcg": NDCG,
    "map": average_precision(),
}
_METRIC_COLUMNS = {"mrr": "MRR@10", "low": "MRR@10, ties against it", "ndcg": "nDCG@10", "map": "MAP"}
_BESIDE_PAPER = {"mrr": "here", "paper": "paper, MS MARCO"}

_NAMES = {
    "bm25": "BM25",
    "de": "DE (mean-pooled dot product)",
    "maxsim": "MaxSim",
    "maxsim-unscaled": "MaxSim without learnt scale",
    **{f"maxsim-top{k}": f"top-{k} MaxSim" for k in TOP_K},
    "knrm": "KNRM",
    "lite": "LITE (separable)",
    "lite-flat": "LITE (flattened)",
    "lite-quarter": "LITE, a quarter of the vectors",
    "maxsim-quarter": "MaxSim, a quarter of the vectors",
    "cross-encoder": "cross-encoder (the teacher)",
}
_NOT_ON_MSMARCO = ("lite-flat", "maxsim-quarter")
"""Rankers that are compared under ``small`` alone."""
_THREE = arms({"de": "DE", "maxsim": "MaxSim", "lite": "LITE"})
"""The paper's rivals, in short, where there are no others of their kind."""
_TWO = _THREE[1:]
_ON_FUNCTIONS = arms(
    {
        "bm25": "BM25",
        "maxsim-frozen": "MaxSim, not trained",
        "maxsim-one-hot": "MaxSim, trained on labels",
        "lite-one-hot": "LITE, trained on labels",
    }
)
_FROZEN = arms(
    {
        "de-frozen": "dot product of mean vectors",
        "maxsim-frozen": "MaxSim",
        "lite-scorer": "LITE, scorer trained",
        "lite-random": "LITE, scorer as drawn",
    }
)
_TOP_K = {"maxsim": 1, **{f"maxsim-top{k}": k for k in TOP_K}}
_STORED = arms(
    {"maxsim": "MaxSim, all vectors", "lite": "LITE, all vectors", "lite-quarter": "LITE, a quarter"}
)
_TIMED = {"maxsim": "maxsim-200", "lite": "lite-200", "lite-quarter": "lite-50"}
"""The same scorers where time is measured."""
_FITTED = arms(
    {
        "maxsim": "MaxSim with scale and offset",
        "lite": "LITE, no LayerNorm after W2 and W4",
        "lite-norm": "LITE",
        "lite-flat": "flattened LITE",
    }
)
_ORDERED = arms(
    {
        "de": "DE, word vectors trained",
        "maxsim-frozen": "MaxSim",
        "maxsim": "MaxSim, word vectors trained",
        "lite": "LITE, scorer trained",
        "lite-vectors": "LITE, word vectors trained too",
        "lite-flat": "flattened LITE, scorer trained",
    }
)

_REPORTED = {
    **{name: ReportedRef(f"mrr-msmarco-{name}") for name in ("de", "maxsim", "knrm", "lite")},
    "cross-encoder": ReportedRef("mrr-msmarco-ce"),
    "maxsim-frozen": ReportedRef("frozen-maxsim"),
    "lite-scorer": ReportedRef("frozen-lite"),
}


def _in_domain(here: Place, left_out: Sequence[str] = ()) -> Sequence[TableRow]:
    def entries(method: str) -> Mapping[str, Entry | None]:
        measured = {key: here(method, metric) for key, metric in _METRICS.items()}
        return {**measured, "paper": _REPORTED.get(method)}

    return by_arm((arm for arm in arms(_NAMES) if arm.method not in left_out), entries)


def _others(metric: Metric) -> Sequence[TableRow]:
    three = arms({arm.method: _NAMES[arm.method] for arm in _THREE}, group=metric.name)
    sets = ("trecqa", *OTHER_QUERIES, "nq")
    return by_arm(three, lambda method: {data: elsewhere(method, data, metric) for data in sets})


def _functions(method: str) -> Mapping[str, Entry]:
    return {key: elsewhere(method, "functions", metric) for key, metric in _METRICS.items()}


def _frozen(here: Place) -> Sequence[TableRow]:
    return by_arm(_FROZEN, lambda method: {"mrr": here(method), "paper": _REPORTED.get(method)})


def _losses(here: Place) -> Sequence[TableRow]:
    def entries(method: str) -> Mapping[str, Entry]:
        measured = {loss: here(with_loss(method, loss)) for loss in LOSSES}
        return {**measured, **{f"paper-{loss}": ReportedRef(f"loss-{loss}-{method}") for loss in LOSSES}}

    return by_arm(_TWO, entries)


def _top_k(here: Place) -> Sequence[TableRow]:
    labels = arms({method: f"k = {k}" for method, k in _TOP_K.items()})
    return by_arm(labels, lambda name: {"mrr": here(name), "paper": ReportedRef(f"top-{_TOP_K[name]}")})


def _folds(profile: Profile, *more: str) -> Sequence[TableRow]:
    where, folds = ZERO_SHOT[profile]
    methods = (*(arm.method for arm in _THREE), "lite-quarter", *more)
    return [
        TableRow(label=fold, entries={method: where(method, domain=fold) for method in methods})
        for fold in folds
    ]


def _cost(here: Place) -> Sequence[TableRow]:
    def entries(method: str) -> Mapping[str, Entry]:
        timed = _TIMED[method]
        return {
            "bytes": here(method, BYTES, part="storage"),
            "seconds": LATENCY(timed),
            "paper-ms": ReportedRef(f"latency-{timed}"),
            "mrr": here(method),
            "paper": _REPORTED.get(method, ReportedRef("mrr-lite-50")),
        }

    return by_arm(_STORED, entries)


def _theory(method: str) -> Mapping[str, Entry | None]:
    fits = {target: FITS(method, task=target) for target in ("maxsim", *TARGETS)}
    return {**fits, "table": None if method == "lite-norm" else IDENTITY(method)}


TABLES = (
    PaperTable(
        id="in-domain",
        title="Re-ranking in domain, each trained ranker at its best rate",
        columns={**_METRIC_COLUMNS, "paper": "paper, MS MARCO"},
        rows=(*_in_domain(DOCSTRINGS), *_in_domain(MSMARCO, _NOT_ON_MSMARCO)),
        source="in-domain table",
        bold=("mrr", "ndcg"),
        profiles=MEASURED,
    ),
    PaperTable(
        id="second-set",
        title="Other sets in domain",
        columns={"trecqa": "TrecQA", "trec-dl-2019": "DL19", "trec-dl-2020": "DL20", "nq": "NQ"},
        rows=(*_others(MRR), *_others(_METRICS["map"])),
        source="in-domain table",
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable(
        id="functions",
        title="Another set in domain: bodies of functions, found by what they are said to do",
        columns=_METRIC_COLUMNS,
        rows=by_arm(_ON_FUNCTIONS, _functions),
        source="in-domain table",
        bold=("mrr", "ndcg"),
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="frozen",
        title="MRR@10 on a frozen encoder",
        columns=_BESIDE_PAPER,
        rows=by_profile(MAIN, _frozen),
        source="ablation with frozen encoders",
    ),
    PaperTable(
        id="losses",
        title="MRR@10 by loss",
        columns={
            key: label
            for loss in LOSSES
            for key, label in ((loss, loss), (f"paper-{loss}", f"paper, NQ, {loss}"))
        },
        rows=by_profile(LOSS_SETS, _losses),
        source="loss ablation on NQ",
    ),
    PaperTable(
        id="top-k",
        title="MRR@10 of MaxSim over the k best matches of each query token",
        columns=_BESIDE_PAPER,
        rows=by_profile(MAIN, _top_k),
        source="ablation of aligned tokens",
    ),
    PaperTable(
        id="zero-shot",
        title="nDCG@10 on sets that nothing was trained on",
        columns={
            **{arm.method: arm.label for arm in _THREE},
            "lite-quarter": _NAMES["lite-quarter"],
            "cross-encoder": "cross-encoder",
        },
        # Only under `small` are the sets read by the teacher, too.
        rows={
            Profile.SMALL: _folds(Profile.SMALL, "cross-encoder"),
            Profile.GPU: _folds(Profile.GPU),
            Profile.PAPER: _folds(Profile.PAPER),
        },
        source="BEIR table",
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
        rows=by_profile(MAIN, _cost),
        source="latency table",
    ),
    PaperTable(
        id="theory",
        title="R² of functions of 2 × 2 similarities, and squared error of the identity table",
        columns={**{name: name for name in ("maxsim", *TARGETS)}, "table": "identity"},
        rows=(
            *by_arm(_FITTED, _theory),
            TableRow(label="dual encoder, d = 4", entries={"table": IDENTITY("de")}),
        ),
        profiles=MEASURED,
    ),
    PaperTable(
        id="order",
        title="Phrases among the same words out of order",
        columns={"above": "above both copies", "mrr": "MRR@10"},
        rows=by_arm(_ORDERED, lambda method: {"above": ORDER(method), "mrr": ORDER(method, MRR)}),
        profiles=MEASURED,
    ),
)


def _storage(here: Place, left_out: Sequence[str] = ()) -> Sequence[Series]:
    def point(method: str) -> tuple[Cell, Cell]:
        return here(method, BYTES, part="storage"), here(method)

    lines = {"DE": ("de",), "MaxSim": ("maxsim-quarter", "maxsim"), "LITE": ("lite-quarter", "lite")}
    return [
        Series(label=label, points=tuple(point(name) for name in names if name not in left_out))
        for label, names in lines.items()
    ]


def _by_loss(here: Place) -> Sequence[Series]:
    return [
        Series(
            label=arm.label,
            points=tuple((loss, here(with_loss(arm.method, loss))) for loss in LOSSES),
            reported=tuple((loss, ReportedRef(f"loss-{loss}-{arm.method}")) for loss in LOSSES),
        )
        for arm in _TWO
    ]


def _by_fold(zero_shot: tuple[Place, tuple[str, ...]]) -> Sequence[Series]:
    where, folds = zero_shot
    return curves(_THREE, folds, lambda method, fold: where(method, domain=fold))


FIGURES = (
    PaperFigure(
        id="storage",
        title="Storage and quality",
        x="bytes a document",
        y="MRR@10",
        series=(*_storage(DOCSTRINGS), *_storage(MSMARCO, _NOT_ON_MSMARCO)),
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
        series=by_profile(LOSS_SETS, _by_loss),
        kind="bar",
        source="loss ablation on NQ",
    ),
    PaperFigure(
        id="folds",
        title="Quality on sets that nothing was trained on",
        x="set",
        y="nDCG@10",
        series=by_profile(ZERO_SHOT, _by_fold),
        kind="bar",
        source="BEIR table",
    ),
)
