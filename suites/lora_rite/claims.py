"""The claims about invariance, theory and cost (C1 to C4, C9 to C11), and our extension."""

from __future__ import annotations

from math import log

from harness.claims import (
    Cell,
    Claim,
    Contrast,
    CountCost,
    Direction,
    Equivalence,
    EveryCell,
    Exact,
    NotRun,
    Profile,
    Trend,
)
from suites.lora_rite.cells import (
    IMBALANCES,
    KINDS,
    NOT_SCALED,
    RANKS,
    SCALES,
    exponent,
    numbers,
    online_loss,
    regression,
    rescaled,
    slope,
    step_time,
    training_time,
    tuned,
)
from suites.lora_rite.claims_tuning import TUNING
from suites.lora_rite.forms import EVERY, SEEDS, above, apart, same, together, without_gpu

INVARIANCE = (
    Claim(
        id="C1",
        statement="LoRA-RITE is transformation invariant, with both moments and with clipping, too.",
        source="Definition 1, Theorem 2",
        forms={},
        reported=("invariant",),
    ),
    Claim(
        id="C1a",
        parent="C1",
        statement="From equivalent factors (AR, BR⁻ᵀ), the bare rules of LoRA-RITE give the same products.",
        source="Definition 1, Theorem 2",
        forms=same(together("rite", *KINDS, "transformer", "transformer-scale"), EVERY),
        reported=("invariant",),
    ),
    Claim(
        id="C1b",
        parent="C1",
        statement="So do its defaults, with clipping, skipping and ε.",
        source="section 3.3, official code",
        forms=same(together("rite-default", *KINDS, "transformer", "transformer-scale"), EVERY),
        reported=("invariant",),
    ),
    Claim(
        id="C1c",
        parent="C1",
        statement="So does LoRA-RITE without the escaped mass.",
        source="official code",
        forms=same(together("rite-no-mass", *KINDS, "transformer", "transformer-scale"), EVERY),
        essential=False,
    ),
    Claim(
        id="C2",
        statement="GD, Adam, Adagrad, RMSProp and Shampoo are not even scalar-scale invariant, and no "
        "diagonal preconditioner is transformation invariant.",
        source="sections 2.2 and 3.1",
        forms={},
        reported=("not-scale-invariant",),
    ),
    *(
        Claim(
            id=f"C2{letter}",
            parent="C2",
            statement=f"From (sA, B/s), {label} takes another way.",
            source="section 2.2",
            forms=same(apart(name, "scale"), EVERY),
            reported=("not-scale-invariant",),
        )
        for letter, (name, label) in zip("abcde", NOT_SCALED.items(), strict=True)
    ),
    Claim(
        id="C2f",
        parent="C2",
        statement="Diagonal preconditioning (Adam) takes another way from rotated factors.",
        source="section 3.1",
        forms=same(apart("adam", "rotation"), EVERY),
        reported=("not-scale-invariant",),
    ),
    Claim(
        id="C3",
        statement="LAMB is scalar-scale invariant but not transformation invariant.",
        source="section 4",
        forms={},
        reported=("lamb-scale",),
    ),
    Claim(
        id="C3a",
        parent="C3",
        statement="From (sA, B/s), LAMB takes the same way.",
        source="section 4",
        forms=same(together("lamb", "scale", "transformer-scale"), EVERY),
        reported=("lamb-scale",),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="From rotated factors, LAMB takes another way.",
        source="section 4",
        forms=same(apart("lamb", "rotation"), EVERY),
        reported=("lamb-scale",),
    ),
    Claim(
        id="C4",
        statement="An invariant optimizer that treats both factors alike lets both contribute alike to Z; "
        "with Adam the balance depends on how Z is split.",
        source="Theorem 1, Figure 1",
        forms={},
        reported=("balanced",),
    ),
    Claim(
        id="C4a",
        parent="C4",
        statement="In the first step of LoRA-RITE, ‖δA Bᵀ‖ / ‖A δBᵀ‖ is √(m/n) from every (sA, B/s).",
        source="Theorem 1",
        forms=same(Exact(cells=(rescaled("rite"),), oracle="the closed formula", min_cases=15), EVERY),
        reported=("balanced",),
    ),
    Claim(
        id="C4b",
        parent="C4",
        statement="With Adam that ratio goes as s⁻².",
        source="Theorem 1",
        forms=same(
            Exact(cells=(rescaled("adam", "slope"),), oracle="the closed formula", min_cases=3), EVERY
        ),
        reported=("balanced",),
    ),
)

THEORY = (
    Claim(
        id="C11",
        statement="Averaged first-order terms fall as T^(−1/2), and the bound is better than that of "
        "one-sided matrix Adagrad where the factors are unbalanced.",
        source="Theorems 3 and 4",
        forms={},
        reported=("regret",),
    ),
    Claim(
        id="C11a",
        parent="C11",
        statement="With summed second moments and no momentum, the averaged first-order term falls as "
        "T^(−1/2) under losses that nothing can learn.",
        source="Theorem 3",
        forms=without_gpu(
            Equivalence(
                theta=Contrast(((1.0, exponent("rite-sum")),), constant=-0.5),
                margin=0.1,
                margin_reason="a fifth of the exponent; the first steps still bend the line",
                replication=SEEDS,
            )
        ),
        reported=("regret",),
    ),
    Claim(
        id="C11b",
        parent="C11",
        statement="The advantage over one-sided matrix Adagrad in average loss grows with the imbalance of "
        "the factors.",
        source="Theorem 4",
        forms=without_gpu(
            Trend(
                points=tuple(
                    (
                        log(s),
                        Contrast(
                            ((1.0, online_loss("matrix-adagrad", s)), (-1.0, online_loss("rite-sum", s))),
                            log=True,
                        ),
                    )
                    for s in IMBALANCES
                ),
                delta=0.1,
                delta_reason="a quarter more loss for each tenfold imbalance",
                step_margin=0.1,
                replication=SEEDS,
            )
        ),
        reported=("regret",),
    ),
)


def _overhead(limit: float) -> Direction:
    """log(limit) − log(LoRA-RITE / Adam) for the larger model."""
    times = ((-1.0, training_time("rite", "large")), (1.0, training_time("adam", "large")))
    return Direction(
        theta=Contrast(times, constant=-log(limit), log=True),
        delta=0.01,
        delta_reason="a hundredth of a step below the limit",
        replication=SEEDS,
    )


COST = (
    Claim(
        id="C9",
        statement="LoRA-RITE costs little more than Adam in training.",
        source="speed table",
        forms={},
        reported=("overhead-2b", "overhead-7b"),
    ),
    Claim(
        id="C9a",
        parent="C9",
        statement="Its share of a training step falls as the model grows.",
        source="speed table",
        forms=same(
            Direction(
                theta=Contrast(
                    (
                        (1.0, training_time("rite", "small")),
                        (-1.0, training_time("adam", "small")),
                        (-1.0, training_time("rite", "large")),
                        (1.0, training_time("adam", "large")),
                    ),
                    log=True,
                ),
                delta=log(1.02),
                delta_reason="two per cent of a step; the paper's two models differ by about three",
                replication=SEEDS,
            )
        ),
        reported=("overhead-2b", "overhead-7b"),
    ),
    Claim(
        id="C9b",
        parent="C9",
        statement="At 8,192 tokens a step it costs less than 15 % more than Adam for 2B parameters, "
        "and less than 10 % more for 270M on a GPU.",
        source="speed table; the card's limit",
        forms={
            Profile.SMALL: NotRun(reason="It takes a GPU, and a model of more than a billion parameters."),
            Profile.GPU: _overhead(1.10),
            Profile.PAPER: _overhead(1.15),
        },
        reported=("overhead-2b", "overhead-7b"),
    ),
    Claim(
        id="C10",
        statement="A step costs O(mr² + nr² + r³) time and O(mr + nr) memory.",
        source="section 3.2",
        forms={},
        reported=("complexity",),
    ),
    Claim(
        id="C10a",
        parent="C10",
        statement="The time of a step grows with the rank to a power between 1 and 2.5.",
        source="section 3.2",
        forms=same(
            Equivalence(
                theta=slope([(log(r), step_time("rite", r)) for r in RANKS], 1.75),
                margin=0.75,
                margin_reason="the card's band: 1 where passes over the factors decide, 2 where products "
                "do, more where r³ shows",
                replication=SEEDS,
            )
        ),
        reported=("complexity",),
    ),
    Claim(
        id="C10b",
        parent="C10",
        statement="Its state is as large as Adam's, within 5 %.",
        source="section 3.2",
        forms=same(
            CountCost(
                theta=Contrast(((1.05, numbers("adam")), (-1.0, numbers("rite")))),
                delta=1e-6,
                delta_reason="any room below 105 % of Adam's state",
            ),
            EVERY,
        ),
        reported=("complexity",),
    ),
)

_FLOOR = "a tenth of the noise, far more than a rate's neighbours differ"


def _ratio(above_: Cell, below: Cell, factor: float) -> Contrast:
    """log(above / below) − log(factor)."""
    return Contrast(((1.0, above_), (-1.0, below)), constant=log(factor), log=True)


EXTENSION = (
    Claim(
        id="E1",
        statement="At its best rate for one initial scale of A, LoRA-RITE reaches the noise of a linear "
        "regression from every other scale, and none of the five others does.",
        source="our extension; follows from invariance",
        forms={},
        note="The paper makes no such experiment; it shows what invariance is good for.",
    ),
    Claim(
        id="E1a",
        parent="E1",
        statement="LoRA-RITE's error at each scale is at most a tenth above that at scale 1.",
        source="our extension",
        forms=without_gpu(
            EveryCell(
                thetas=tuple(
                    _ratio(regression("rite", 1.0), regression("rite", s), 1 / 1.1)
                    for s in SCALES
                    if s != 1.0
                ),
                delta=0.01,
                delta_reason="a tenth of the room that the contrast gives",
                replication=SEEDS,
            )
        ),
    ),
    *(
        Claim(
            id=f"E1{letter}",
            parent="E1",
            statement=f"{label}'s error from a scale of {worst:g} is more than twice that from scale 1.",
            source="our extension",
            forms=without_gpu(
                above(
                    _ratio(regression(name, worst), regression(name, 1.0), 2.0),
                    0.1,
                    "beyond the factor of two that the contrast takes off, a tenth",
                )
            ),
            essential=False,
        )
        for letter, name, label, worst in (
            ("b", "adam", "Adam", 100.0),
            ("c", "lora-plus", "LoRA+", 100.0),
            ("d", "scaled-adam", "ScaledAdam", 100.0),
            ("e", "shampoo", "Shampoo", 100.0),
            ("f", "lamb", "LAMB", 0.01),
        )
    ),
    Claim(
        id="E2",
        statement="A solvable regression ties at the best rates: LoRA-RITE and Adam reach the same error.",
        source="our extension (card, section 9)",
        forms=without_gpu(
            Equivalence(
                theta=Contrast(((1.0, tuned("rite")), (-1.0, tuned("adam"))), log=True),
                margin=0.05,
                margin_reason="a twentieth of the noise, what is left of the teacher being less",
                replication=SEEDS,
            )
        ),
        note="Why C5 to C8 need tasks that are not solved.",
    ),
)

CLAIMS = (*INVARIANCE, *TUNING, *COST, *THEORY, *EXTENSION)
"""All claims, in the order in which the report shows them."""
