"""The claims about samples, temperatures, models, open answers and sets (M5 to M8, X1)."""

from __future__ import annotations

from harness.claims import (
    Claim,
    Direction,
    EveryCell,
    Exact,
    Profile,
    Replication,
)
from methods.metric_aware.metrics import SET_F1, TOKEN_F1
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
from suites.metric_aware.rules import (
    CROSSED,
    GAIN,
    GAIN_REASON,
    SEEDS,
    converges,
    correlated,
    everywhere,
    falling,
    few_samples,
    flans,
    informative,
    publics,
    small_only,
    too_far,
)
from suites.metric_aware.wholes import over, whole

EVERY = tuple(Profile)
_WIDE_TOY = toy("noise-1.5")
_TYPICAL = embedded("amazon")


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
        preconditions=informative(where, how),
    )


def _median_over_mode(where: Reads, how: Replication) -> EveryCell:
    return EveryCell(
        thetas=(plain_lower(where.mae("median"), where.mae("mode")),),
        delta=0.005,
        delta_reason="half a hundredth of a grade",
        replication=how,
        preconditions=correlated(where, how),
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
