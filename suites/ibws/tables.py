"""Tables of the report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from harness.claims import Place
from harness.method import Metric
from harness.suite import Arm, Columns, Entry, PaperTable, ReportedRef, TableRow, arms, by_column, headers
from suites.ibws import cells
from suites.ibws.arms import DIRECT, ITERATED, LABELS, ONE_SHOT, RANDOM, REDRAWN_ON_EDITORIALS
from suites.ibws.experiments import ALL_BIAS_LEVELS, DRAWS

_SCALES = {
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


def _label(method: str) -> str:
    """A protocol's name in tables: ``slider, 4 ratings``."""
    stem, _, amount = method.rpartition("-")
    if stem in _SCALES:
        return f"{_SCALES[stem]}, {amount} rating{'s' if amount != '1' else ''}"
    kind, *rest = method.split("-")
    if kind == "bws":
        return f"BWS, {_SCORERS[rest[0]]}, {rest[1]} appearances"
    if kind == "ibws":
        split = "sign split, " if "sign" in rest else ""
        final = "Bradley-Terry" if "bt" in rest else "position"
        return f"IBWS, a = {rest[0]}, {split}{final}"
    return method


def _arms(methods: Sequence[str], group: str = "") -> tuple[Arm, ...]:
    return tuple(Arm(method, _label(method), group) for method in methods)


_PROTOCOLS = (
    *_arms(tuple(DIRECT), "direct assessment"),
    *_arms(tuple(ONE_SHOT), "one round of best-worst scaling"),
    *_arms(tuple(ITERATED), "iterated best-worst scaling"),
    *_arms(tuple(RANDOM), "no annotation"),
)
_READERS = arms(
    {
        "lm-slider": "language model, marks 0-100",
        "lm-bws-8": "language model, BWS",
        "lm-ibws-2": "language model, IBWS",
        "slider-4": "people, slider",
        "bws-bt-8": "people, BWS",
        "ibws-2-bt": "people, IBWS",
    }
)


def _trained(model: str, labels: Sequence[str], group: str = "") -> tuple[Arm, ...]:
    return tuple(Arm(f"{model}-{name}", f"{name} labels", group) for name in labels)


_LEXICON = Arm("lexicon", "VADER lexicon")
_RANKERS = (
    *_trained("ridge", (*LABELS, "slider-2-shuffled"), "MiniLM embeddings, ridge"),
    *_trained("pairwise", ("slider-2", "gold"), "MiniLM embeddings, pairwise loss"),
    *_trained("tfidf", ("slider-2", "gold"), "TF-IDF, ridge"),
    _LEXICON,
)
_SLIDERS = ("slider-2", "slider-2-mse", "slider-2-margin", "slider-2-listnet")
_ENCODERS = (*_trained("encoder", (*_SLIDERS, "bws-8", "gold", "slider-2-shuffled")), _LEXICON)


def _on(where: Place, methods: Collection[str]) -> Callable[[str], Entry | None]:
    """What is measured of some of the methods only."""
    return lambda method: where(method) if method in methods else None


_CLOSENESS: Columns = {
    "bt": ("products", cells.QUALITY.on(metric=cells.RHO_IBWS_BT)),
    "position": ("products, by position", cells.QUALITY.on(metric=cells.RHO_IBWS)),
    "biased": ("products, biased raters", cells.QUALITY.on("amazon-biased", metric=cells.RHO_IBWS_BT)),
    "nyt": ("editorials", cells.QUALITY.on("nyt", metric=cells.RHO_IBWS_BT)),
    "reads": ("reads", cells.QUALITY.on(metric=cells.READS)),
}
_BIASED: Mapping[str, tuple[str, Metric]] = {
    "bws": ("bws-bt-8", cells.RHO),
    "slider_judgements": ("slider-2", cells.RHO),
    "slider_reads": ("slider-8", cells.RHO),
    "half_bws": ("bws-count-4x2", cells.SPLIT_HALF),
    "half_scale": ("nine-point-2", cells.SPLIT_HALF),
}
"""Method and metric of each column."""


_HALVED = ("bws-count-4x2", "nine-point-2")
_CROWDED = (
    *_arms(("slider-2", "slider-4", "nine-point-2"), "direct assessment"),
    *_arms(("bws-bt-8",), "one round of best-worst scaling"),
    Arm("bws-count-4x2", "BWS, counting, 4 appearances, 2 answers", "one round of best-worst scaling"),
    *_arms(("bws-bt-20",), "one round of best-worst scaling"),
    *_arms(("ibws-1", "ibws-2", "ibws-4", "ibws-4-bt"), "iterated best-worst scaling"),
)


def _second_hand(**ids: str) -> TableRow:
    entries = {key: ReportedRef(name) for key, name in ids.items()}
    return TableRow(label="paper (second-hand)", entries=entries)


def _shifted(level: float) -> TableRow:
    entries = {key: cells.bias(method, level, metric) for key, (method, metric) in _BIASED.items()}
    # Without `--full` the finer levels are not run, though best-worst answers are the same at all of them.
    return TableRow(label=f"shift sd {level:g}", entries=entries, needs=cells.bias("slider-2", level))


_REDRAWN_SLIDERS = ("slider-2", "slider-4")
_AVERAGED: Columns = {
    "rho_amazon": ("ρ products", cells.REDRAWN),
    "rho_nyt": ("ρ editorials", _on(cells.REDRAWN.on("nyt"), REDRAWN_ON_EDITORIALS)),
    "bt": ("ρ IBWS by Bradley-Terry", _on(cells.REDRAWN.on(metric=cells.NEAR_BT), _REDRAWN_SLIDERS)),
    "position": ("ρ IBWS by position", _on(cells.REDRAWN.on(metric=cells.NEAR_POSITION), _REDRAWN_SLIDERS)),
    "reliability": ("split-half reliability", _on(cells.REDRAWN.on(metric=cells.RELIABILITY), _HALVED)),
}
"""Of a protocol over several crowds only what claims ask of it is there."""


def _ranked(where: Place, near: Metric) -> Columns:
    """Both domains, and what a label costs; gold labels and lexicons have no price here."""

    def price(method: str) -> Entry | None:
        free = "gold" in method or method == "lexicon"
        return None if free else where(method, cells.LABEL_READS, task="amazon")

    return {
        "amazon": ("ρ gold, products", where.on("amazon")),
        "amazon_ibws": ("ρ IBWS, products", where.on("amazon", metric=near)),
        "movie": ("ρ gold, films", where.on("movie")),
        "movie_ibws": ("ρ IBWS, films", where.on("movie", metric=near)),
        "reads": ("reads a label", price),
    }


TABLES: tuple[PaperTable, ...] = (
    PaperTable(
        id="redrawn",
        title=f"Protocols that claims compare, 300 items, averaged over {DRAWS} crowds",
        columns=headers(_AVERAGED),
        rows=(_second_hand(bt="slider-vs-ibws"), *by_column(_CROWDED, _AVERAGED)),
    ),
    PaperTable.of(
        _PROTOCOLS,
        {
            "reads": ("reads", cells.QUALITY.on(metric=cells.READS)),
            "judgements": ("judgements", cells.QUALITY.on(metric=cells.JUDGEMENTS)),
            "seconds": ("seconds (assumed)", cells.QUALITY.on(metric=cells.SECONDS)),
            "rho_amazon": ("ρ products", cells.QUALITY),
            "tau_amazon": ("τ-b products", cells.QUALITY.on(metric=cells.TAU)),
            # Bias leaves best-worst answers as they are, so only scales are measured under it.
            "rho_biased": ("ρ products, biased raters", _on(cells.QUALITY.on("amazon-biased"), DIRECT)),
            "rho_nyt": ("ρ editorials", cells.QUALITY.on("nyt")),
            "tau_nyt": ("τ-b editorials", cells.QUALITY.on("nyt", metric=cells.TAU)),
        },
        id="protocols",
        title="Quality and cost of annotation protocols, 300 items, against the mean of six other raters",
    ),
    PaperTable(
        id="closeness",
        title="Direct assessment against the IBWS ranking by other raters (ρ)",
        columns=headers(_CLOSENESS),
        rows=(_second_hand(bt="slider-vs-ibws"), *by_column(_arms(tuple(DIRECT)), _CLOSENESS)),
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
        rows=(
            _second_hand(half_bws="bws-split-half", half_scale="scale-split-half"),
            *map(_shifted, ALL_BIAS_LEVELS),
        ),
    ),
    PaperTable.of(
        _RANKERS,
        _ranked(cells.RANKING, cells.NEAR_BT),
        id="ranking",
        title="Learning to rank new texts from cheap labels (ρ)",
    ),
    PaperTable.of(
        _ENCODERS,
        _ranked(cells.ENCODER, cells.RHO_IBWS_BT),
        id="encoder",
        title="Fine-tuned encoders ranking new texts (ρ)",
    ),
    PaperTable.of(
        _READERS,
        {
            "rho": ("ρ gold", cells.READER),
            "tau": ("τ-b gold", cells.READER.on(metric=cells.TAU)),
            "reads": ("reads", cells.READER.on(metric=cells.READS)),
        },
        id="reader",
        title="A language model as annotator beside people, 150 product reviews",
    ),
)
