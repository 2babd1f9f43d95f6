"""Tables of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import SCALED, Place, Profile
from harness.method import Metric
from harness.suite import Arm, Entry, PaperTable, ReportedRef, TableRow, arms, by_arm
from suites.ibws.arms import DIRECT, ITERATED, LABELS, ONE_SHOT, RANDOM
from suites.ibws.cells import (
    ENCODER,
    JUDGEMENTS,
    LABEL_READS,
    QUALITY,
    RANKING,
    READER,
    READS,
    RHO,
    RHO_IBWS,
    RHO_IBWS_BT,
    SECONDS,
    SPLIT_HALF,
    TAU,
    bias,
)
from suites.ibws.experiments import ALL_BIAS_LEVELS

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


def _protocol(method: str) -> Mapping[str, Entry | None]:
    return {
        "reads": QUALITY(method, READS),
        "judgements": QUALITY(method, JUDGEMENTS),
        "seconds": QUALITY(method, SECONDS),
        "rho_amazon": QUALITY(method),
        "tau_amazon": QUALITY(method, TAU),
        "rho_nyt": QUALITY(method, task="nyt"),
        "tau_nyt": QUALITY(method, TAU, task="nyt"),
        # Bias leaves best-worst answers as they are, so only scales are measured under it.
        "rho_biased": QUALITY(method, task="amazon-biased") if method in DIRECT else None,
    }


def _closeness(method: str) -> Mapping[str, Entry | None]:
    return {
        "bt": QUALITY(method, RHO_IBWS_BT),
        "position": QUALITY(method, RHO_IBWS),
        "biased": QUALITY(method, RHO_IBWS_BT, task="amazon-biased"),
        "nyt": QUALITY(method, RHO_IBWS_BT, task="nyt"),
        "reads": QUALITY(method, READS),
    }


_BIASED: Mapping[str, tuple[str, Metric]] = {
    "bws": ("bws-bt-8", RHO),
    "slider_judgements": ("slider-2", RHO),
    "slider_reads": ("slider-8", RHO),
    "half_bws": ("bws-count-4x2", SPLIT_HALF),
    "half_scale": ("nine-point-2", SPLIT_HALF),
}
"""Method and metric of each column."""


def _second_hand(**ids: str) -> TableRow:
    entries = {key: ReportedRef(name) for key, name in ids.items()}
    return TableRow(label="paper (second-hand)", entries=entries)


def _shifted(level: float) -> TableRow:
    entries = {key: bias(method, level, metric) for key, (method, metric) in _BIASED.items()}
    # Without `--full` the finer levels are not run, though best-worst answers are the same at all of them.
    return TableRow(label=f"shift sd {level:g}", entries=entries, needs=bias("slider-2", level))


def _ranked(listed: Sequence[Arm], where: Place) -> Sequence[TableRow]:
    """Both domains, and what a label costs; gold labels and lexicons have no price here."""

    def entries(method: str) -> Mapping[str, Entry | None]:
        free = "gold" in method or method == "lexicon"
        return {
            "amazon": where(method, task="amazon"),
            "amazon_ibws": where(method, RHO_IBWS_BT, task="amazon"),
            "movie": where(method, task="movie"),
            "movie_ibws": where(method, RHO_IBWS_BT, task="movie"),
            "reads": None if free else where(method, LABEL_READS, task="amazon"),
        }

    return by_arm(listed, entries)


def _reader(method: str) -> Mapping[str, Entry]:
    return {"rho": READER(method), "tau": READER(method, TAU), "reads": READER(method, READS)}


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
        rows=by_arm(_PROTOCOLS, _protocol),
        profiles=SCALED,
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
        rows=(_second_hand(bt="slider-vs-ibws"), *by_arm(_arms(tuple(DIRECT)), _closeness)),
        profiles=SCALED,
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
        profiles=SCALED,
    ),
    PaperTable(
        id="ranking",
        title="Learning to rank new texts from cheap labels (ρ)",
        columns=_RANKING_COLUMNS,
        rows=_ranked(_RANKERS, RANKING),
        profiles=SCALED,
    ),
    PaperTable(
        id="encoder",
        title="Fine-tuned encoders ranking new texts (ρ)",
        columns=_RANKING_COLUMNS,
        rows=_ranked(_ENCODERS, ENCODER),
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable(
        id="reader",
        title="A language model as annotator beside people, 150 product reviews",
        columns={"rho": "ρ gold", "tau": "τ-b gold", "reads": "reads"},
        rows=by_arm(_READERS, _reader),
        profiles=(Profile.GPU,),
    ),
)
