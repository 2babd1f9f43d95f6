"""The claims of the paper and the rules that decide them, declared before any run.

No number of the paper could be verified, so every claim is a direction or an equivalence.
"""

from __future__ import annotations

from harness.claims import Claim, EveryCell, NonInferiority, Profile, Trend, difference
from suites.kaft.ablations import ABLATIONS, EXAMPLES
from suites.kaft.cells import PROBE, SIZES, at, size_of
from suites.kaft.rules import SEEDS, as_robust, both, flat, gain, low, missed, more_robust, on_worlds
from suites.kaft.wholes import WHOLES

LOW_BEFORE = (
    Claim(
        id="C1a",
        parent="C1",
        statement="Pretrained models often do not follow a relevant context that contradicts what they know.",
        source="abstract",
        forms=both(lambda where: low(where, "ctrl", ("pretrained",))),
        reported=("low",),
    ),
    Claim(
        id="C1b",
        parent="C1",
        statement="Nor do ordinarily finetuned models (relevant-only and noisy).",
        source="abstract",
        forms=both(lambda where: low(where, "ctrl", ("relevant", "noisy"))),
        reported=("low",),
    ),
    Claim(
        id="C1c",
        parent="C1",
        statement="The same of a real pretrained model as it is: Gemma-3-270M, four solved examples.",
        source="abstract",
        forms={Profile.SMALL: low(PROBE, "ctrl", ("pretrained",))},
        reported=("low",),
        essential=False,
        note="Small models copy more than large ones, so this is harder to see here than in the paper.",
    ),
    Claim(
        id="C2a",
        parent="C2",
        statement="Pretrained models often take their answer from an irrelevant context.",
        source="abstract",
        forms=both(lambda where: low(where, "rob", ("pretrained",))),
        reported=("low",),
    ),
    Claim(
        id="C2b",
        parent="C2",
        statement="So do models finetuned on relevant contexts only.",
        source="abstract",
        forms=both(lambda where: low(where, "rob", ("relevant",))),
        reported=("low",),
    ),
    Claim(
        id="C2c",
        parent="C2",
        statement="The same of a real pretrained model as it is: Gemma-3-270M, four solved examples.",
        source="abstract",
        forms={Profile.SMALL: low(PROBE, "rob", ("pretrained",))},
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
        forms=on_worlds(flat("pretrained", "ctrl", -1.0)),
        reported=("low",),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="Controllability of models after noisy finetuning does not improve with size.",
        source="abstract",
        forms=on_worlds(flat("noisy", "ctrl", -1.0)),
        reported=("low",),
    ),
    Claim(
        id="C3c",
        parent="C3",
        statement="Robustness of pretrained models does not improve with size.",
        source="abstract",
        forms=on_worlds(flat("pretrained", "rob", -1.0)),
        reported=("low",),
    ),
    Claim(
        id="C3d",
        parent="C3",
        statement="Larger pretrained models ignore a contradicting context more often.",
        source="introduction",
        forms=on_worlds(
            Trend(
                points=tuple((size_of(size), missed(at(size).ctrl("pretrained"))) for size in SIZES),
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
        forms=on_worlds(
            EveryCell(
                thetas=tuple(difference(at(size).ctrl("kaft"), at(size).ctrl("noisy")) for size in SIZES),
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
        forms=on_worlds(
            EveryCell(
                thetas=tuple(difference(at(size).joint("kaft"), at(size).joint("noisy")) for size in SIZES),
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
        forms=on_worlds(flat("kaft", "ctrl", 1.0)),
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
        forms=both(lambda where: gain(where, "noisy")),
        reported=("gain-controllability", "table"),
    ),
    Claim(
        id="C4b",
        parent="C4",
        statement="KAFT is more controllable than relevant-only finetuning.",
        source="main table",
        forms=both(lambda where: gain(where, "relevant")),
        reported=("gain-controllability", "table"),
    ),
    Claim(
        id="C4c",
        parent="C4",
        statement="KAFT is more controllable than the pretrained model.",
        source="main table",
        forms=both(lambda where: gain(where, "pretrained")),
        reported=("gain-controllability", "table"),
        note="A small model that copies leaves little room above itself.",
    ),
    Claim(
        id="C5a",
        parent="C5",
        statement="KAFT is more robust than relevant-only finetuning.",
        source="main table",
        forms=both(lambda where: more_robust(where, "relevant")),
        reported=("gain-robustness", "table"),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="KAFT is as robust as noisy finetuning.",
        source="main table",
        forms=both(as_robust),
        reported=("table",),
        note="A model that ignores every context is robust: read it beside controllability.",
    ),
    Claim(
        id="C5c",
        parent="C5",
        statement="KAFT is more robust than the pretrained model.",
        source="main table",
        forms=both(lambda where: more_robust(where, "pretrained")),
        reported=("gain-robustness", "table"),
    ),
    Claim(
        id="C12",
        statement="Accuracy on relevant contexts is not sacrificed: KAFT is no worse than relevant-only "
        "finetuning.",
        source="appendix",
        forms=both(
            lambda where: NonInferiority(
                theta=difference(where.reads("kaft"), where.reads("relevant")),
                margin=0.02,
                margin_reason="the card's threshold",
                replication=where.replication,
            )
        ),
        reported=("quality",),
        note="Measured on facts that the pretrained model does not know: what it knows it answers without "
        "reading. A gain would sacrifice nothing, so only a loss speaks against the claim.",
    ),
)


def _order(claim: Claim) -> tuple[int, str]:
    """The paper's order, each whole before its parts."""
    return int("".join(filter(str.isdigit, claim.id))), claim.id


CLAIMS = tuple(sorted((*WHOLES, *LOW_BEFORE, *SIZE, *GAINS, *ABLATIONS, EXAMPLES), key=_order))
