"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import MEASURED, Cell, Place, Profile, by_profile
from harness.method import Metric
from harness.suite import (
    Columns,
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    TableRow,
    arms,
    by_arm,
    by_column,
    curves,
    headers,
)
from methods.common.ranking import average_precision, mrr
from methods.lite.task import BYTES, MRR, NDCG
from suites.lite import cells

_MAP = average_precision()
_BESIDE_PAPER = {"mrr": "here", "paper": "paper, MS MARCO"}

_NAMES = {
    "bm25": "BM25",
    "de": "DE (mean-pooled dot product)",
    "maxsim": "MaxSim",
    "maxsim-unscaled": "MaxSim without learnt scale",
    **{f"maxsim-top{k}": f"top-{k} MaxSim" for k in cells.TOP_K},
    "knrm": "KNRM",
    "lite": "LITE (separable)",
    "lite-flat": "LITE (flattened)",
    "lite-quarter": "LITE, a quarter of the vectors",
    "maxsim-quarter": "MaxSim, a quarter of the vectors",
    "cross-encoder": "cross-encoder (the teacher)",
}
_NOT_ON_MSMARCO = ("lite-flat", "maxsim-quarter")
"""Rankers that are compared under ``small`` alone."""
_ON_MSMARCO = [arm for arm in arms(_NAMES) if arm.method not in _NOT_ON_MSMARCO]
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
_TOP_K = {"maxsim": 1, **{f"maxsim-top{k}": k for k in cells.TOP_K}}
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
_TOGETHER = arms({"maxsim": "MaxSim", "lite": "LITE"})
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


def _ranked(here: Place) -> Columns:
    return {
        "mrr": ("MRR@10", here.on(metric=MRR)),
        "low": ("MRR@10, ties against it", here.on(metric=mrr(10, ties="pessimistic"))),
        "ndcg": ("nDCG@10", here.on(metric=NDCG)),
        "map": ("MAP", here.on(metric=_MAP)),
    }


def _in_domain(here: Place) -> Columns:
    return {**_ranked(here), "paper": ("paper, MS MARCO", _REPORTED.get)}


def _others(metric: Metric) -> Sequence[TableRow]:
    three = arms({arm.method: _NAMES[arm.method] for arm in _THREE}, group=metric.name)
    sets = ("trecqa", *cells.OTHER_QUERIES, "nq")
    return by_arm(three, lambda method: {data: cells.elsewhere(method, data, metric) for data in sets})


def _frozen(here: Place) -> Sequence[TableRow]:
    return by_arm(_FROZEN, lambda method: {"mrr": here(method), "paper": _REPORTED.get(method)})


def _losses(here: Place) -> Sequence[TableRow]:
    def entries(method: str) -> Mapping[str, Entry]:
        measured = {loss: here(cells.with_loss(method, loss)) for loss in cells.LOSSES}
        return {
            **measured,
            **{f"paper-{loss}": ReportedRef(f"loss-{loss}-{method}") for loss in cells.LOSSES},
        }

    return by_arm(_TWO, entries)


def _top_k(here: Place) -> Sequence[TableRow]:
    labels = arms({method: f"k = {k}" for method, k in _TOP_K.items()})
    return by_arm(labels, lambda name: {"mrr": here(name), "paper": ReportedRef(f"top-{_TOP_K[name]}")})


def _folds(profile: Profile, *more: str) -> Sequence[TableRow]:
    where, folds = cells.ZERO_SHOT[profile]
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
            "seconds": cells.LATENCY(timed),
            "paper-ms": ReportedRef(f"latency-{timed}"),
            "mrr": here(method),
            "paper": _REPORTED.get(method, ReportedRef("mrr-lite-50")),
        }

    return by_arm(_STORED, entries)


_THEORY: Columns = {
    **{target: (target, cells.FITS.on(target)) for target in ("maxsim", *cells.TARGETS)},
    "table": ("identity", lambda method: None if method == "lite-norm" else cells.IDENTITY(method)),
}

TABLES = (
    PaperTable(
        id="in-domain",
        title="Re-ranking in domain, each trained ranker at its best rate",
        columns=headers(_in_domain(cells.DOCSTRINGS)),
        rows=(
            *by_column(arms(_NAMES), _in_domain(cells.DOCSTRINGS)),
            *by_column(_ON_MSMARCO, _in_domain(cells.MSMARCO)),
        ),
        source="in-domain table",
        bold=("mrr", "ndcg"),
        profiles=MEASURED,
    ),
    PaperTable(
        id="second-set",
        title="Other sets in domain",
        columns={"trecqa": "TrecQA", "trec-dl-2019": "DL19", "trec-dl-2020": "DL20", "nq": "NQ"},
        rows=(*_others(MRR), *_others(_MAP)),
        source="in-domain table",
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable.of(
        _ON_FUNCTIONS,
        _ranked(cells.DOCSTRINGS.on("functions")),
        id="functions",
        title="Another set in domain: bodies of functions, found by what they are said to do",
        source="in-domain table",
        bold=("mrr", "ndcg"),
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="frozen",
        title="MRR@10 on a frozen encoder",
        columns=_BESIDE_PAPER,
        rows=by_profile(cells.MAIN, _frozen),
        source="ablation with frozen encoders",
    ),
    PaperTable(
        id="losses",
        title="MRR@10 by loss",
        columns={
            key: label
            for loss in cells.LOSSES
            for key, label in ((loss, loss), (f"paper-{loss}", f"paper, NQ, {loss}"))
        },
        rows=by_profile(cells.LOSS_SETS, _losses),
        source="loss ablation on NQ",
    ),
    PaperTable(
        id="top-k",
        title="MRR@10 of MaxSim over the k best matches of each query token",
        columns=_BESIDE_PAPER,
        rows=by_profile(cells.MAIN, _top_k),
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
        rows=by_profile(cells.MAIN, _cost),
        source="latency table",
    ),
    PaperTable(
        id="theory",
        title="R² of functions of 2 × 2 similarities, and squared error of the identity table",
        columns=headers(_THEORY),
        rows=(
            *by_column(_FITTED, _THEORY),
            TableRow(label="dual encoder, d = 4", entries={"table": cells.IDENTITY("de")}),
        ),
        profiles=MEASURED,
    ),
    PaperTable.of(
        _TOGETHER,
        {cells.beta(b): (f"β = {b:g}", cells.NEIGHBOURS.on(cells.beta(b))) for b in cells.BETAS},
        id="neighbours",
        title="MRR@10 by what two neighbours of the query in a row are worth",
        profiles=MEASURED,
    ),
    PaperTable.of(
        _ORDERED,
        {"above": ("above both copies", cells.ORDER), "mrr": ("MRR@10", cells.ORDER.on(metric=MRR))},
        id="order",
        title="Phrases among the same words out of order",
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
            points=tuple((loss, here(cells.with_loss(arm.method, loss))) for loss in cells.LOSSES),
            reported=tuple((loss, ReportedRef(f"loss-{loss}-{arm.method}")) for loss in cells.LOSSES),
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
        series=(*_storage(cells.DOCSTRINGS), *_storage(cells.MSMARCO, _NOT_ON_MSMARCO)),
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
        series=by_profile(cells.LOSS_SETS, _by_loss),
        kind="bar",
        source="loss ablation on NQ",
    ),
    PaperFigure(
        id="folds",
        title="Quality on sets that nothing was trained on",
        x="set",
        y="nDCG@10",
        series=by_profile(cells.ZERO_SHOT, _by_fold),
        kind="bar",
        source="BEIR table",
    ),
)
