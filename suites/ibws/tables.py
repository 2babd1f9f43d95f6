"""Tables of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Cell, Contrast, Profile
from harness.method import Metric
from harness.suite import PaperTable, ReportedRef, Scale, TableRow
from suites.ibws import arms, cells
from suites.ibws.experiments import bias_levels

_SCALED = (Profile.SMALL, Profile.GPU)

_GROUPS: dict[str, Sequence[str]] = {
    "direct assessment": tuple(arms.DIRECT),
    "one round of best-worst scaling": tuple(arms.ONE_SHOT),
    "iterated best-worst scaling": tuple(arms.ITERATED),
    "no annotation": tuple(arms.RANDOM),
}

LABELS = {
    "slider": "slider",
    "three-point": "3-point scale",
    "five-point": "5-point scale",
    "seven-point": "7-point scale",
    "nine-point": "9-point scale",
    "normalised-slider": "slider, z-scored by rater",
    "five-sliders": "five sliders a screen",
    "easl": "EASL",
}
"""Names of the direct protocols without their number of ratings."""

_SCORERS = {
    "count": "counting",
    "abw": "analytic",
    "bt": "Bradley-Terry",
    "pl": "Plackett-Luce",
    "maxdiff": "MaxDiff",
    "elo": "Elo",
    "value": "Value learning",
    "rw": "Rescorla-Wagner",
}


def label(method: str) -> str:
    """A protocol's name in tables: ``slider, 4 ratings``."""
    stem, _, amount = method.rpartition("-")
    if stem in LABELS:
        return f"{LABELS[stem]}, {amount} rating{'s' if amount != '1' else ''}"
    kind, *rest = method.split("-")
    if kind == "bws":
        return f"BWS, {_SCORERS[rest[0]]}, {rest[1]} appearances"
    if kind == "ibws":
        split = "sign split, " if "sign" in rest else ""
        final = "Bradley-Terry" if "bt" in rest else "position"
        return f"IBWS, a = {rest[0]}, {split}{final}"
    return method


def _protocol_rows(_: Scale) -> Sequence[TableRow]:
    return [
        TableRow(label=label(method), entries=_protocol_entries(method), group=group)
        for group, methods in _GROUPS.items()
        for method in methods
    ]


def _protocol_entries(method: str) -> Mapping[str, Cell | Contrast | ReportedRef]:
    entries: dict[str, Cell | Contrast | ReportedRef] = {
        "reads": cells.quality(method, cells.READS),
        "judgements": cells.quality(method, cells.JUDGEMENTS),
        "seconds": cells.quality(method, cells.SECONDS),
        "rho_amazon": cells.quality(method),
        "tau_amazon": cells.quality(method, cells.TAU),
        "rho_nyt": cells.quality(method, task="nyt"),
        "tau_nyt": cells.quality(method, cells.TAU, "nyt"),
    }
    # Bias leaves best-worst answers as they are, so only scales are measured under it.
    if method in arms.DIRECT:
        entries["rho_biased"] = cells.quality(method, task="amazon-biased")
    return entries


def _closeness_rows(_: Scale) -> Sequence[TableRow]:
    rows = [TableRow(label="paper (second-hand)", entries={"bt": ReportedRef(id="slider-vs-ibws")})]
    return rows + [
        TableRow(
            label=label(method),
            entries={
                "bt": cells.quality(method, cells.RHO_IBWS_BT),
                "position": cells.quality(method, cells.RHO_IBWS),
                "biased": cells.quality(method, cells.RHO_IBWS_BT, "amazon-biased"),
                "nyt": cells.quality(method, cells.RHO_IBWS_BT, "nyt"),
                "reads": cells.quality(method, cells.READS),
            },
        )
        for method in arms.DIRECT
    ]


def _bias_rows(scale: Scale) -> Sequence[TableRow]:
    columns: Mapping[str, tuple[str, Metric]] = {
        "bws": ("bws-bt-8", cells.RHO),
        "slider_judgements": ("slider-2", cells.RHO),
        "slider_reads": ("slider-8", cells.RHO),
        "half_bws": ("bws-count-8", cells.SPLIT_HALF),
        "half_scale": ("nine-point-2", cells.SPLIT_HALF),
    }
    reported = TableRow(
        label="paper (second-hand)",
        entries={
            "half_bws": ReportedRef(id="bws-split-half"),
            "half_scale": ReportedRef(id="scale-split-half"),
        },
    )
    return [reported] + [
        TableRow(
            label=f"shift sd {level:g}",
            entries={key: cells.bias(method, level, metric) for key, (method, metric) in columns.items()},
        )
        for level in bias_levels(scale)
    ]


_RANKERS = {
    "ridge": ("MiniLM embeddings, ridge", (*arms.LABELS, "slider-2-shuffled")),
    "pairwise": ("MiniLM embeddings, pairwise loss", ("slider-2", "gold")),
    "tfidf": ("TF-IDF, ridge", ("slider-2", "gold")),
}


def _ranking_rows(_: Scale) -> Sequence[TableRow]:
    rows = [
        TableRow(label=f"{name} labels", entries=_ranking_entries("ranking", f"{model}-{name}"), group=group)
        for model, (group, names) in _RANKERS.items()
        for name in names
    ]
    return [
        *rows,
        TableRow(label="VADER lexicon", entries=_ranking_entries("ranking", "lexicon", priced=False)),
    ]


def _encoder_rows(_: Scale) -> Sequence[TableRow]:
    names = ("slider-2", "slider-2-mse", "slider-2-margin", "slider-2-listnet", "bws-8", "gold")
    rows = [
        TableRow(label=f"{name} labels", entries=_ranking_entries("encoder", f"encoder-{name}"))
        for name in (*names, "slider-2-shuffled")
    ]
    return [
        *rows,
        TableRow(label="VADER lexicon", entries=_ranking_entries("encoder", "lexicon", priced=False)),
    ]


def _ranking_entries(
    experiment: str, method: str, *, priced: bool = True
) -> Mapping[str, Cell | Contrast | ReportedRef]:
    entries: dict[str, Cell | Contrast | ReportedRef] = {
        "amazon": Cell(experiment, method, cells.RHO, "amazon"),
        "amazon_ibws": Cell(experiment, method, cells.RHO_IBWS_BT, "amazon"),
        "movie": Cell(experiment, method, cells.RHO, "movie"),
        "movie_ibws": Cell(experiment, method, cells.RHO_IBWS_BT, "movie"),
    }
    # Gold labels have no price here.
    if priced and "gold" not in method:
        entries["reads"] = Cell(experiment, method, cells.LABEL_READS, "amazon")
    return entries


def _reader_rows(_: Scale) -> Sequence[TableRow]:
    names = {
        "lm-slider": "language model, marks 0-100",
        "lm-bws-8": "language model, BWS",
        "lm-ibws-2": "language model, IBWS",
        "slider-4": "people, slider",
        "bws-bt-8": "people, BWS",
        "ibws-2-bt": "people, IBWS",
    }
    return [
        TableRow(
            label=text,
            entries={
                "rho": Cell("reader", method, cells.RHO),
                "tau": Cell("reader", method, cells.TAU),
                "reads": Cell("reader", method, cells.READS),
            },
        )
        for method, text in names.items()
    ]


_RANKING_COLUMNS = {
    "amazon": "ρ gold, products",
    "amazon_ibws": "ρ IBWS, products",
    "movie": "ρ gold, films",
    "movie_ibws": "ρ IBWS, films",
    "reads": "reads a label",
}

TABLES: tuple[PaperTable, ...] = (
    PaperTable(
        id="protocols",
        title="Quality and cost of annotation protocols, 300 items, against the mean of six other raters",
        columns={
            "reads": "reads",
            "judgements": "judgements",
            "seconds": "seconds (assumed)",
            "rho_amazon": "ρ products",
            "tau_amazon": "τ-b products",
            "rho_biased": "ρ products, biased raters",
            "rho_nyt": "ρ editorials",
            "tau_nyt": "τ-b editorials",
        },
        rows=_protocol_rows,
        profiles=_SCALED,
    ),
    PaperTable(
        id="closeness",
        title="Direct assessment against the IBWS ranking by other raters (ρ)",
        columns={
            "bt": "products",
            "position": "products, by position",
            "biased": "products, biased raters",
            "nyt": "editorials",
            "reads": "reads",
        },
        rows=_closeness_rows,
        profiles=_SCALED,
    ),
    PaperTable(
        id="bias",
        title="Best-worst scaling and scales as raters differ more (product reviews)",
        columns={
            "bws": "ρ BWS (2 judgements, 8 reads)",
            "slider_judgements": "ρ slider (2 judgements)",
            "slider_reads": "ρ slider (8 reads)",
            "half_bws": "split-half BWS",
            "half_scale": "split-half 9-point",
        },
        rows=_bias_rows,
        profiles=_SCALED,
    ),
    PaperTable(
        id="ranking",
        title="Learning to rank new texts from cheap labels (ρ)",
        columns=_RANKING_COLUMNS,
        rows=_ranking_rows,
        profiles=_SCALED,
    ),
    PaperTable(
        id="encoder",
        title="Fine-tuned encoders ranking new texts (ρ)",
        columns=_RANKING_COLUMNS,
        rows=_encoder_rows,
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable(
        id="reader",
        title="A language model as annotator beside people, 150 product reviews",
        columns={"rho": "ρ gold", "tau": "τ-b gold", "reads": "reads"},
        rows=_reader_rows,
        profiles=(Profile.GPU,),
    ),
)
