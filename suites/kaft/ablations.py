"""Claims about what each part of KAFT is for, and the paper's examples."""

from __future__ import annotations

from harness.claims import Claim, Direction, Existence, NonInferiority, difference
from methods.kaft.method import CONTROLLABILITY
from suites.kaft.rules import both, falls, half_of_gain, keeps

ABLATIONS = (
    Claim(
        id="C8a",
        parent="C8",
        statement="Without counterfactual contexts at least half of the gain in controllability over noisy "
        "finetuning is lost.",
        source="ablation study",
        forms=both(lambda where: half_of_gain(where, "ctrl", "no-cf", "noisy")),
        reported=("ablation",),
    ),
    Claim(
        id="C8b",
        parent="C8",
        statement="Robustness barely moves without them.",
        source="ablation study",
        forms=both(lambda where: keeps(where, "rob", "no-cf")),
        reported=("ablation",),
    ),
    Claim(
        id="C9a",
        parent="C9",
        statement="Without irrelevant and empty contexts at least half of the gain in robustness over "
        "relevant-only finetuning is lost.",
        source="ablation study",
        forms=both(lambda where: half_of_gain(where, "rob", "no-irr", "relevant")),
        reported=("ablation",),
    ),
    Claim(
        id="C9b",
        parent="C9",
        statement="Without them the model over-trusts contexts: it is no more robust than after "
        "relevant-only finetuning.",
        source="ablation study",
        forms=both(
            lambda where: NonInferiority(
                theta=difference(where.rob("relevant"), where.rob("no-irr")),
                margin=0.03,
                margin_reason="the card's threshold for robustness",
                replication=where.replication,
            )
        ),
        reported=("ablation",),
    ),
    Claim(
        id="C9c",
        parent="C9",
        statement="Controllability barely moves without them.",
        source="ablation study",
        forms=both(lambda where: keeps(where, "ctrl", "no-irr")),
        reported=("ablation",),
    ),
    Claim(
        id="C10a",
        parent="C10",
        statement="With half of the supporting contexts unsupporting, controllability falls.",
        source="ablation on context noise",
        forms=both(
            lambda where: falls(
                where.ctrl("kaft"), where.ctrl("noise-50"), where, 0.05, "the card's threshold"
            )
        ),
        reported=("noise",),
    ),
    Claim(
        id="C10b",
        parent="C10",
        statement="With half of the supporting contexts unsupporting, robustness falls.",
        source="ablation on context noise",
        forms=both(
            lambda where: falls(where.rob("kaft"), where.rob("noise-50"), where, 0.05, "the card's threshold")
        ),
        reported=("noise",),
    ),
    Claim(
        id="C11",
        statement="The model's own answer as target keeps closed-book answers closer to the pretrained "
        "model's than the gold answer does.",
        source="section on the method",
        forms=both(
            lambda where: Direction(
                theta=where.own_over_gold(),
                delta=0.02,
                delta_reason="two answers in a hundred",
                replication=where.replication,
            )
        ),
        note="Both train at the same rates. Drift is a side effect that grows with the rate, and the rates "
        "are chosen for other ends: tuning each variant by itself would compare rates, not targets. The "
        "variants at their own rates are in the main table.",
        reported=("own-answer",),
    ),
)

EXAMPLES = Claim(
    id="C13",
    statement="On passages that contradict memory KAFT follows the passage where the pretrained model gives "
    "the remembered answer.",
    source="Table 1",
    forms=both(
        lambda where: Existence(
            cell=where.of("kaft", CONTROLLABILITY, "examples"),
            oracle="the passage states the answer given, and not the remembered one",
        )
    ),
    reported=("examples",),
)
