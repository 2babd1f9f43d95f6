"""The claims about inference (M1 to M8) and the rules that decide them, declared before any run.

No number of the paper could be verified, so every claim is a direction, an order or an equivalence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.claims import (
    Claim,
    Direction,
    EveryCell,
    Exact,
    Form,
    Profile,
    Replication,
)
from methods.metric_aware.metrics import RANKING, SET_F1, TOKEN_F1
from suites.metric_aware.cells import (
    EMBEDDED,
    NOISES,
    PROMPTED,
    WIDTHS,
    Reads,
    embedded,
    exact,
    higher,
    lower,
    plain_lower,
    prompted,
    toy,
)
from suites.metric_aware.claims_training import TRAINING
from suites.metric_aware.rules import (
    CROSSED,
    GAIN,
    GAIN_REASON,
    POINT,
    POINT_REASON,
    SEEDS,
    absolute,
    converges,
    correlated,
    diagonal,
    each_own,
    everywhere,
    falling,
    few_samples,
    flans,
    informative,
    publics,
    ranked,
    small_only,
    squared,
    too_far,
)

EVERY = tuple(Profile)
_MAIN_TOY = toy("noise-0.8")
_WIDE_TOY = toy("noise-1.5")
_RATED = embedded("amazon", part="rater")
_TYPICAL = embedded("amazon")
Make = Callable[[Reads, Replication], EveryCell]


def whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


def over(make: Make, places: tuple[Reads, ...], replication: Replication = CROSSED) -> EveryCell:
    """One rule for several sets at once."""
    found = [make(where, replication) for where in places]
    return replace(
        found[0],
        thetas=tuple(theta for one in found for theta in one.thetas),
        assays=tuple(assay for one in found for assay in one.assays),
    )


def _on_models(make: Make) -> dict[Profile, Form]:
    """Gemma-3-270M under ``small`` and ``gpu``, FLAN-T5 under ``paper``."""
    asked = tuple(prompted(domain) for domain in PROMPTED)
    return dict(everywhere(over(make, asked), over(make, publics()), over(make, flans())))


DECODING = (
    whole(
        "M1",
        "Autoregressive decoding is sub-optimal where the metric is not exact match: each metric has a "
        "read-out of its own.",
        "abstract",
        "decoding",
    ),
    Claim(
        id="M1a",
        parent="M1",
        statement="For RMSE, MAE and both kinds of AUC the metric's own rule beats the greedy answer and a "
        "sample: latent grades.",
        source="abstract",
        forms=small_only(each_own(_WIDE_TOY)),
        reported=("decoding",),
    ),
    Claim(
        id="M1b",
        parent="M1",
        statement="The same for heads on sentence embeddings, judged by single human ratings.",
        source="abstract",
        forms=small_only(each_own(_RATED)),
        reported=("decoding",),
    ),
    Claim(
        id="M1c",
        parent="M1",
        statement="The same for a prompted language model.",
        source="abstract",
        forms=_on_models(each_own),
        reported=("decoding",),
    ),
    Claim(
        id="M1d",
        parent="M1",
        statement="The diagonal of the cross table of rules and metrics is the best of each column: latent "
        "grades.",
        source="rule table",
        forms=small_only(diagonal(_WIDE_TOY)),
        reported=("rules",),
    ),
    Claim(
        id="M1e",
        parent="M1",
        statement="The same for heads on sentence embeddings, judged by single human ratings.",
        source="rule table",
        forms=small_only(diagonal(_RATED)),
        reported=("rules",),
    ),
    Claim(
        id="M1f",
        parent="M1",
        statement="Each rule with a closed form has the least expected loss.",
        source="rule table",
        forms=dict.fromkeys(
            EVERY, Exact(cells=(exact("rules"),), oracle="all decisions on a fine net", min_cases=100)
        ),
        reported=("rules",),
    ),
)

ERRORS = (
    whole(
        "M2", "For squared error, the mean of the distribution is the better read-out.", "abstract", "rmse"
    ),
    Claim(
        id="M2a",
        parent="M2",
        statement="Latent grades: the mean has a smaller RMSE than the greedy answer and the mode.",
        source="main table",
        forms=small_only(over(squared, tuple(toy(noise) for noise in NOISES), SEEDS)),
        reported=("rmse",),
        note="Nearly a theorem: the model is trained on the labels' own distribution.",
    ),
    Claim(
        id="M2b",
        parent="M2",
        statement="Heads on sentence embeddings, human mean ratings: the same.",
        source="main table",
        forms=small_only(over(squared, tuple(embedded(domain) for domain in EMBEDDED), SEEDS)),
        reported=("rmse",),
    ),
    Claim(
        id="M2c",
        parent="M2",
        statement="A prompted language model: the same.",
        source="main table",
        forms=_on_models(squared),
        reported=("rmse",),
    ),
    Claim(
        id="M2d",
        parent="M2",
        statement="A prompted language model: the same at a temperature fitted on held-out texts.",
        source="main table; the card's weaker form",
        forms=_on_models(lambda where, how: squared(where, how, "fitted")),
        reported=("rmse",),
        essential=False,
    ),
    whole("M3", "For absolute error, the median is the better read-out.", "rule table", "mae"),
    Claim(
        id="M3a",
        parent="M3",
        statement="Latent grades with much noise: the median has a smaller MAE than the greedy answer and "
        "the mode.",
        source="main table",
        forms=small_only(over(absolute, (_MAIN_TOY, _WIDE_TOY), SEEDS)),
        reported=("mae",),
        note="With little noise the median is the mode, and both tie.",
    ),
    Claim(
        id="M3b",
        parent="M3",
        statement="Heads on sentence embeddings, human mean ratings: the same.",
        source="main table",
        forms=small_only(over(absolute, tuple(embedded(domain) for domain in EMBEDDED), SEEDS)),
        reported=("mae",),
    ),
    Claim(
        id="M3c",
        parent="M3",
        statement="A prompted language model: the same.",
        source="main table",
        forms=_on_models(absolute),
        reported=("mae",),
    ),
    whole("M4", "For ranking, the expected grade is better than a decoded one.", "rule table", "auc"),
    Claim(
        id="M4a",
        parent="M4",
        statement="Latent grades: the mean ranks better than the mode, and that better than a sample.",
        source="rule table",
        forms=small_only(ranked(_MAIN_TOY)),
        reported=("auc",),
    ),
    Claim(
        id="M4b",
        parent="M4",
        statement="Heads on sentence embeddings: the same.",
        source="rule table",
        forms=small_only(ranked(_TYPICAL)),
        reported=("auc",),
    ),
    Claim(
        id="M4c",
        parent="M4",
        statement="A prompted language model: the mean ranks better than the mode.",
        source="rule table",
        forms=_on_models(
            lambda where, how: EveryCell(
                thetas=(higher(where.of("mean", RANKING), where.of("mode", RANKING)),),
                delta=POINT,
                delta_reason=POINT_REASON,
                replication=how,
                assays=correlated(where, how),
            )
        ),
        reported=("auc",),
    ),
)

SAMPLES = (
    whole("M5", "The rule can be estimated from a few samples.", "abstract of version 3", "samples"),
    Claim(
        id="M5a",
        parent="M5",
        statement="The squared distance of the mean of K samples from the exact mean falls as 1/K: latent "
        "grades.",
        source="method section",
        forms=small_only(converges(_WIDE_TOY)),
        reported=("samples",),
    ),
    Claim(
        id="M5b",
        parent="M5",
        statement="The error falls with each doubling of the samples, from 1 to 8: latent grades.",
        source="ablation",
        forms=small_only(falling(_WIDE_TOY)),
        reported=("samples",),
    ),
    Claim(
        id="M5c",
        parent="M5",
        statement="With 16 samples it is within 5 % of the exact mean's: latent grades.",
        source="ablation",
        forms=small_only(few_samples(_WIDE_TOY)),
        reported=("samples",),
    ),
    Claim(
        id="M5d",
        parent="M5",
        statement="Within 5 % for heads on sentence embeddings.",
        source="ablation",
        forms=small_only(few_samples(_TYPICAL)),
        reported=("samples",),
    ),
    Claim(
        id="M5e",
        parent="M5",
        statement="Within 5 % for a prompted language model.",
        source="ablation",
        forms=dict(
            everywhere(
                few_samples(prompted(PROMPTED[0]), CROSSED),
                few_samples(publics()[0], CROSSED),
                few_samples(flans()[0], CROSSED),
            )
        ),
        reported=("samples",),
    ),
    whole("M6", "The temperature of the distribution matters for the read-out.", "ablation", "temperature"),
    Claim(
        id="M6a",
        parent="M6",
        statement="A model trained on the labels: the mean at T = ¼ has a larger RMSE than at T = 1.",
        source="ablation",
        forms=small_only(too_far(_WIDE_TOY, 0.25, "mean")),
        reported=("temperature",),
    ),
    Claim(
        id="M6b",
        parent="M6",
        statement="So has the mean at T = 4.",
        source="ablation",
        forms=small_only(too_far(_WIDE_TOY, 4.0, "mean")),
        reported=("temperature",),
    ),
    *(
        Claim(
            id=f"M6{letter}",
            parent="M6",
            statement=f"A prompted language model: the mean at T = {name} has a larger RMSE than at the "
            "temperature fitted on held-out texts.",
            source="ablation",
            forms=dict(
                everywhere(
                    too_far(prompted(PROMPTED[0]), temperature, "fitted", CROSSED),
                    too_far(publics()[0], temperature, "fitted", CROSSED),
                    too_far(flans()[0], temperature, "fitted", CROSSED),
                )
            ),
            reported=("temperature",),
            essential=False,
        )
        for letter, name, temperature in (("c", "¼", 0.25), ("d", "4", 4.0))
    ),
)


def _mean_over_mode(where: Reads, how: Replication) -> EveryCell:
    return EveryCell(
        thetas=(lower(where.rmse("mean"), where.rmse("mode")),),
        delta=GAIN,
        delta_reason=GAIN_REASON,
        replication=how,
        assays=informative(where, how),
    )


def _median_over_mode(where: Reads, how: Replication) -> EveryCell:
    return EveryCell(
        thetas=(plain_lower(where.mae("median"), where.mae("mode")),),
        delta=0.005,
        delta_reason="half a hundredth of a grade",
        replication=how,
        assays=correlated(where, how),
    )


_SIZES = tuple(embedded(domain, width) for domain in EMBEDDED for width in WIDTHS)
GENERAL = (
    whole("M7", "The gains hold across data sets and models.", "abstract of version 3", "models"),
    Claim(
        id="M7a",
        parent="M7",
        statement="The gain of the mean over the mode in RMSE holds on every data set.",
        source="main table",
        forms=dict(
            everywhere(
                over(
                    _mean_over_mode,
                    (
                        *(toy(noise) for noise in NOISES),
                        *(embedded(domain) for domain in EMBEDDED),
                        *(prompted(domain) for domain in PROMPTED),
                    ),
                ),
                over(_mean_over_mode, publics()),
                over(_mean_over_mode, flans()),
            )
        ),
        reported=("models",),
    ),
    Claim(
        id="M7b",
        parent="M7",
        statement="It holds for heads of three sizes.",
        source="main table",
        forms=small_only(over(_mean_over_mode, _SIZES, SEEDS)),
        reported=("models",),
    ),
    Claim(
        id="M7c",
        parent="M7",
        statement="The gain of the median over the mode in MAE holds for heads of three sizes.",
        source="main table",
        forms=small_only(over(_median_over_mode, _SIZES, SEEDS)),
        reported=("models",),
    ),
)

_COUNTRIES, _NQ = Reads("open", "countries"), Reads("open", "nq-open")


def _text_gain(where: Reads, other: str) -> Direction:
    return Direction(
        theta=higher(where.of("mbr-f1", TOKEN_F1), where.of(other, TOKEN_F1)),
        delta=0.01,
        delta_reason="a point of token F1",
        replication=Replication.UNITS,
        min_seeds=1,
    )


_NO_OPEN_PAPER = "The paper's set for it is not known, and the later versions leave it out."
OPEN = (
    whole(
        "M8",
        "Metrics without a closed form need a search over candidates: sample, then maximise the expected "
        "utility.",
        "version 1",
        "text",
    ),
    Claim(
        id="M8a",
        parent="M8",
        statement="For token F1, the best of the sampled answers beats the greedy answer.",
        source="version 1",
        forms={Profile.SMALL: _text_gain(_COUNTRIES, "greedy"), Profile.GPU: _text_gain(_NQ, "greedy")},
        reported=("text",),
        note=_NO_OPEN_PAPER,
    ),
    Claim(
        id="M8b",
        parent="M8",
        statement="It beats one sampled answer.",
        source="version 1",
        forms={
            Profile.SMALL: _text_gain(_COUNTRIES, "one-sample"),
            Profile.GPU: _text_gain(_NQ, "one-sample"),
        },
        reported=("text",),
    ),
    Claim(
        id="M8c",
        parent="M8",
        statement="It beats the most frequent sampled answer.",
        source="version 1",
        forms={
            Profile.SMALL: _text_gain(_COUNTRIES, "most-frequent"),
            Profile.GPU: _text_gain(_NQ, "most-frequent"),
        },
        reported=("text",),
        essential=False,
    ),
    Claim(
        id="X1",
        statement="For instance-wise F1 of label sets, the general F-measure maximiser is exact and pays.",
        source="our extension (card, section 3.5)",
        forms={},
    ),
    Claim(
        id="X1a",
        parent="X1",
        statement="No set has a larger expected F1 than the one it finds.",
        source="our extension; Waegeman et al. (2014)",
        forms=dict.fromkeys(
            EVERY, Exact(cells=(exact("sets"),), oracle="the expected F1 of all sets", min_cases=15)
        ),
    ),
    Claim(
        id="X1b",
        parent="X1",
        statement="It beats thresholded marginals and the most frequent set.",
        source="our extension",
        forms=small_only(
            EveryCell(
                thetas=tuple(
                    higher(Reads("sets", "mixture").of("f1", SET_F1), Reads("sets", "mixture").of(o, SET_F1))
                    for o in ("hamming", "mode")
                ),
                delta=0.01,
                delta_reason="a point of F1",
                replication=SEEDS,
            )
        ),
    ),
)

CLAIMS = (*DECODING, *ERRORS, *SAMPLES, *GENERAL, *OPEN, *TRAINING)
"""All claims, in the order in which the report shows them."""
