"""The claims about inference (M1 to M8) and the rules that decide them, declared before any run.

No number of the paper could be verified, so every claim is a direction, an order or an equivalence.
"""

from __future__ import annotations

from harness.claims import (
    Claim,
    EveryCell,
    Exact,
    Profile,
)
from methods.metric_aware.metrics import RANKING
from suites.metric_aware.cells import (
    EMBEDDED,
    NOISES,
    embedded,
    exact,
    higher,
    toy,
)
from suites.metric_aware.claims_general import GENERAL, OPEN, SAMPLES
from suites.metric_aware.claims_training import TRAINING
from suites.metric_aware.rules import (
    POINT,
    POINT_REASON,
    SEEDS,
    absolute,
    correlated,
    diagonal,
    each_own,
    ranked,
    small_only,
    squared,
)
from suites.metric_aware.wholes import on_models, over, whole

EVERY = tuple(Profile)
_MAIN_TOY = toy("noise-0.8")
_WIDE_TOY = toy("noise-1.5")
_RATED = embedded("amazon", part="rater")
_TYPICAL = embedded("amazon")


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
        forms=on_models(each_own),
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
        forms=on_models(squared),
        reported=("rmse",),
    ),
    Claim(
        id="M2d",
        parent="M2",
        statement="A prompted language model: the same at a temperature fitted on held-out texts.",
        source="main table; the card's weaker form",
        forms=on_models(lambda where, how: squared(where, how, "fitted")),
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
        forms=on_models(absolute),
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
        forms=on_models(
            lambda where, how: EveryCell(
                thetas=(higher(where.of("mean", RANKING), where.of("mode", RANKING)),),
                delta=POINT,
                delta_reason=POINT_REASON,
                replication=how,
                preconditions=correlated(where, how),
            )
        ),
        reported=("auc",),
    ),
)

CLAIMS = (*DECODING, *ERRORS, *SAMPLES, *GENERAL, *OPEN, *TRAINING)
"""All claims, in the order in which the report shows them."""
