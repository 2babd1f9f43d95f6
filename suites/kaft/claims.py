"""The claims of the paper and the rules that decide them, declared before any run.

No number of the paper could be verified, so every claim is a direction or an equivalence.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import (
    Assay,
    Cell,
    Claim,
    Contrast,
    Direction,
    EveryCell,
    Existence,
    Form,
    NonInferiority,
    NotRun,
    Profile,
    Replication,
    Share,
    Trend,
    difference,
)
from harness.claims import Equivalence as Equal
from methods.kaft.method import AGREES, CONTROLLABILITY, RELEVANT, ROBUSTNESS
from suites.kaft.cells import FACTS, OPEN, PROBE, SIZES, WORLD, Reads, size_of, slope
from suites.kaft.wholes import WHOLES

SEEDS = Replication.SEEDS
LOW = 0.2
LOW_REASON = "a model that goes wrong on fewer than a fifth of the contexts could be called good at it"


def _by_profile(make: Mapping[Profile, Form]) -> Mapping[Profile, Form]:
    return dict(make)


def _missed(cell: Cell) -> Contrast:
    """1 − the metric."""
    return Contrast(((-1.0, cell),), constant=-1.0)


def _reads(where: Reads) -> Assay:
    return Assay(
        name="the pretrained model reads",
        theta=Contrast(((1.0, where.relevant("pretrained")),)),
        above=0.8,
        reason="a model that cannot find an answer in a context could not follow one",
        replication=where.replication,
    )


def _low(where: Reads, attribute: str, methods: tuple[str, ...]) -> EveryCell:
    return EveryCell(
        thetas=tuple(_missed(getattr(where, attribute)(method)) for method in methods),
        delta=LOW,
        delta_reason=LOW_REASON,
        replication=where.replication,
        assays=(_reads(where),),
    )


def _gain(where: Reads, baseline: str) -> Direction:
    return Direction(
        theta=difference(where.ctrl("kaft"), where.ctrl(baseline)),
        delta=0.2,
        delta_reason="the card's threshold: a fifth of the contexts more",
        replication=where.replication,
        assays=(_reads(where),),
    )


def _more_robust(where: Reads, name: str) -> Direction:
    return Direction(
        theta=difference(where.rob("kaft"), where.rob(name)),
        delta=0.1,
        delta_reason="the card's threshold: a tenth of the contexts more",
        replication=where.replication,
    )


def _as_robust(where: Reads) -> NonInferiority:
    return NonInferiority(
        theta=difference(where.rob("kaft"), where.rob("noisy")),
        margin=0.03,
        margin_reason="the card's threshold",
        replication=where.replication,
    )


def _half_of_gain(where: Reads, attribute: str, ablation: str, baseline: str) -> Share:
    read = getattr(where, attribute)
    return Share(
        a=read("kaft"),
        b=read(ablation),
        c=read("kaft"),
        d=read(baseline),
        ratio=0.5,
        delta=0.02,
        delta_reason="the contrast already takes off half of the gain; two contexts in a hundred beyond that",
        replication=where.replication,
    )


def _keeps(where: Reads, attribute: str, ablation: str) -> NonInferiority:
    read = getattr(where, attribute)
    return NonInferiority(
        theta=difference(read(ablation), read("kaft")),
        margin=0.05,
        margin_reason="the card's threshold for the axis that an ablation should leave alone",
        replication=where.replication,
    )


def _falls(better: Cell, worse: Cell, where: Reads, delta: float, reason: str) -> Direction:
    return Direction(
        theta=difference(better, worse), delta=delta, delta_reason=reason, replication=where.replication
    )


def _flat(method: str, metric: str, sign: float) -> NonInferiority:
    return NonInferiority(
        theta=slope(method, CONTROLLABILITY if metric == "ctrl" else ROBUSTNESS, sign),
        margin=0.02,
        margin_reason="the card's band around a flat curve, for each doubling of the weights",
        replication=SEEDS,
    )


def _both(make: object) -> Mapping[Profile, Form]:
    """The same rule where finetuning runs: worlds under small, facts under gpu, open data under paper."""
    assert callable(make)
    return {Profile.SMALL: make(WORLD), Profile.GPU: make(FACTS), Profile.PAPER: make(OPEN)}


_ON_WORLDS = (Profile.SMALL, Profile.GPU)


def _on_worlds(form: Form) -> Mapping[Profile, Form]:
    one = NotRun(reason="Sizes are compared on generated worlds only: one model is finetuned here.")
    return {**dict.fromkeys(_ON_WORLDS, form), Profile.PAPER: one}


LOW_BEFORE = (
    Claim(
        id="C1a",
        parent="C1",
        statement="Pretrained models often do not follow a relevant context that contradicts what they know.",
        source="abstract",
        forms=_both(lambda where: _low(where, "ctrl", ("pretrained",))),
        reported=("low",),
    ),
    Claim(
        id="C1b",
        parent="C1",
        statement="Nor do ordinarily finetuned models (relevant-only and noisy).",
        source="abstract",
        forms=_both(lambda where: _low(where, "ctrl", ("relevant", "noisy"))),
        reported=("low",),
    ),
    Claim(
        id="C1c",
        parent="C1",
        statement="The same of a real pretrained model as it is: Gemma-3-270M, four solved examples.",
        source="abstract",
        forms={Profile.SMALL: _low(PROBE, "ctrl", ("pretrained",))},
        reported=("low",),
        essential=False,
        note="Small models copy more than large ones, so this is harder to see here than in the paper.",
    ),
    Claim(
        id="C2a",
        parent="C2",
        statement="Pretrained models often take their answer from an irrelevant context.",
        source="abstract",
        forms=_both(lambda where: _low(where, "rob", ("pretrained",))),
        reported=("low",),
    ),
    Claim(
        id="C2b",
        parent="C2",
        statement="So do models finetuned on relevant contexts only.",
        source="abstract",
        forms=_both(lambda where: _low(where, "rob", ("relevant",))),
        reported=("low",),
    ),
    Claim(
        id="C2c",
        parent="C2",
        statement="The same of a real pretrained model as it is: Gemma-3-270M, four solved examples.",
        source="abstract",
        forms={Profile.SMALL: _low(PROBE, "rob", ("pretrained",))},
        reported=("low",),
        essential=False,
    ),
)

SIZE = (
    Claim(
        id="C3a",
        parent="C3",
        statement="Controllability of pretrained models does not improve with size.",
        source="abstract",
        forms=_on_worlds(_flat("pretrained", "ctrl", -1.0)),
        reported=("low",),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="Controllability of models after noisy finetuning does not improve with size.",
        source="abstract",
        forms=_on_worlds(_flat("noisy", "ctrl", -1.0)),
        reported=("low",),
    ),
    Claim(
        id="C3c",
        parent="C3",
        statement="Robustness of pretrained models does not improve with size.",
        source="abstract",
        forms=_on_worlds(_flat("pretrained", "rob", -1.0)),
        reported=("low",),
    ),
    Claim(
        id="C3d",
        parent="C3",
        statement="Larger pretrained models ignore a contradicting context more often.",
        source="introduction",
        forms=_on_worlds(
            Trend(
                points=tuple(
                    (size_of(size), _missed(Reads("sizes", size).ctrl("pretrained"))) for size in SIZES
                ),
                delta=0.02,
                delta_reason="beyond the card's band around a flat curve, for each doubling of the weights",
                step_margin=0.05,
                replication=SEEDS,
            )
        ),
        reported=("ignoring",),
        essential=False,
    ),
    Claim(
        id="C6a",
        parent="C6",
        statement="KAFT gains controllability over noisy finetuning at every size.",
        source="abstract",
        forms=_on_worlds(
            EveryCell(
                thetas=tuple(
                    difference(Reads("sizes", size).ctrl("kaft"), Reads("sizes", size).ctrl("noisy"))
                    for size in SIZES
                ),
                delta=0.05,
                delta_reason="one context in twenty",
                replication=SEEDS,
            )
        ),
        reported=("across",),
    ),
    Claim(
        id="C6b",
        parent="C6",
        statement="KAFT gains on both axes together (harmonic mean) over noisy finetuning at every size.",
        source="abstract",
        forms=_on_worlds(
            EveryCell(
                thetas=tuple(
                    difference(Reads("sizes", size).joint("kaft"), Reads("sizes", size).joint("noisy"))
                    for size in SIZES
                ),
                delta=0.05,
                delta_reason="one twentieth of the scale",
                replication=SEEDS,
            )
        ),
        reported=("across",),
    ),
    Claim(
        id="C7",
        statement="With KAFT controllability does not fall with size.",
        source="figure on model size",
        forms=_on_worlds(_flat("kaft", "ctrl", 1.0)),
        reported=("larger",),
        note="Recalled with low confidence.",
    ),
)

GAINS = (
    Claim(
        id="C4a",
        parent="C4",
        statement="KAFT is more controllable than noisy finetuning.",
        source="main table",
        forms=_both(lambda where: _gain(where, "noisy")),
        reported=("gain-controllability", "table"),
    ),
    Claim(
        id="C4b",
        parent="C4",
        statement="KAFT is more controllable than relevant-only finetuning.",
        source="main table",
        forms=_both(lambda where: _gain(where, "relevant")),
        reported=("gain-controllability", "table"),
    ),
    Claim(
        id="C4c",
        parent="C4",
        statement="KAFT is more controllable than the pretrained model.",
        source="main table",
        forms=_both(lambda where: _gain(where, "pretrained")),
        reported=("gain-controllability", "table"),
        note="A small model that copies leaves little room above itself.",
    ),
    Claim(
        id="C5a",
        parent="C5",
        statement="KAFT is more robust than relevant-only finetuning.",
        source="main table",
        forms=_both(lambda where: _more_robust(where, "relevant")),
        reported=("gain-robustness", "table"),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="KAFT is as robust as noisy finetuning.",
        source="main table",
        forms=_both(_as_robust),
        reported=("table",),
        note="A model that ignores every context is robust: read it beside controllability.",
    ),
    Claim(
        id="C5c",
        parent="C5",
        statement="KAFT is more robust than the pretrained model.",
        source="main table",
        forms=_both(lambda where: _more_robust(where, "pretrained")),
        reported=("gain-robustness", "table"),
    ),
    Claim(
        id="C12",
        statement="Accuracy on relevant contexts is not sacrificed: KAFT equals relevant-only finetuning.",
        source="appendix",
        forms=_both(
            lambda where: Equal(
                theta=difference(where.of("kaft", RELEVANT), where.of("relevant", RELEVANT)),
                margin=0.02,
                margin_reason="the card's threshold",
                replication=where.replication,
            )
        ),
        reported=("quality",),
    ),
)

ABLATIONS = (
    Claim(
        id="C8a",
        parent="C8",
        statement="Without counterfactual contexts at least half of the gain in controllability over noisy "
        "finetuning is lost.",
        source="ablation study",
        forms=_both(lambda where: _half_of_gain(where, "ctrl", "no-cf", "noisy")),
        reported=("ablation",),
    ),
    Claim(
        id="C8b",
        parent="C8",
        statement="Robustness barely moves without them.",
        source="ablation study",
        forms=_both(lambda where: _keeps(where, "rob", "no-cf")),
        reported=("ablation",),
    ),
    Claim(
        id="C9a",
        parent="C9",
        statement="Without irrelevant and empty contexts at least half of the gain in robustness over "
        "relevant-only finetuning is lost.",
        source="ablation study",
        forms=_both(lambda where: _half_of_gain(where, "rob", "no-irr", "relevant")),
        reported=("ablation",),
    ),
    Claim(
        id="C9b",
        parent="C9",
        statement="Without them the model over-trusts contexts: it is no more robust than after "
        "relevant-only finetuning.",
        source="ablation study",
        forms=_both(
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
        forms=_both(lambda where: _keeps(where, "ctrl", "no-irr")),
        reported=("ablation",),
    ),
    Claim(
        id="C10a",
        parent="C10",
        statement="With half of the relevant contexts unsupporting, controllability falls.",
        source="ablation on context noise",
        forms=_both(
            lambda where: _falls(
                where.ctrl("kaft"), where.ctrl("noise-50"), where, 0.05, "the card's threshold"
            )
        ),
        reported=("noise",),
    ),
    Claim(
        id="C10b",
        parent="C10",
        statement="With half of the relevant contexts unsupporting, robustness falls.",
        source="ablation on context noise",
        forms=_both(
            lambda where: _falls(
                where.rob("kaft"), where.rob("noise-50"), where, 0.05, "the card's threshold"
            )
        ),
        reported=("noise",),
    ),
    Claim(
        id="C11",
        statement="The model's own answer as target keeps closed-book answers closer to the pretrained "
        "model's than the gold answer does.",
        source="section on the method",
        forms=_both(
            lambda where: _falls(
                where.of("kaft", AGREES, "recall"),
                where.of("gold", AGREES, "recall"),
                where,
                0.02,
                "two answers in a hundred",
            )
        ),
        reported=("own-answer",),
    ),
)

EXAMPLES = Claim(
    id="C13",
    statement="On passages that contradict memory KAFT follows the passage where the pretrained model gives "
    "the remembered answer.",
    source="Table 1",
    forms=_both(
        lambda where: Existence(
            cell=where.of("kaft", CONTROLLABILITY, "examples"),
            oracle="the passage states the answer given, and not the remembered one",
        )
    ),
    reported=("examples",),
)


def _order(claim: Claim) -> tuple[int, str]:
    """The paper's order, each whole before its parts."""
    return int("".join(filter(str.isdigit, claim.id))), claim.id


CLAIMS = tuple(sorted((*WHOLES, *LOW_BEFORE, *SIZE, *GAINS, *ABLATIONS, EXAMPLES), key=_order))
