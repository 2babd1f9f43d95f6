"""The claims of the companion paper about fine-tuning (R1 to R6)."""

from __future__ import annotations

from math import log

from harness.claims import (
    Claim,
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotRun,
    Ordering,
    Profile,
)
from methods.metric_aware.metrics import ENTROPY, RMSE
from suites.metric_aware.cells import exact, higher, lower, trained
from suites.metric_aware.rules import SEEDS, SLIGHT, SLIGHT_REASON, small_only

EVERY = tuple(Profile)
LARGE = ("bent-5000", "ratings")
_ELSEWHERE = NotRun(
    reason="Fine-tuning a language model on five objectives, tuned alike, does not fit this suite's time; "
    "`--profile small` judges it on small scorers."
)


def _small(form: Form) -> dict[Profile, Form]:
    return dict(small_only(form, _ELSEWHERE))


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


def _order(task: str) -> Ordering:
    mode = trained(task, "ce", part="mode")
    return Ordering(
        steps=(
            lower(trained(task, "ce"), mode),
            lower(trained(task, "raft"), trained(task, "ce")),
        ),
        delta=SLIGHT,
        delta_reason=SLIGHT_REASON,
        replication=SEEDS,
    )


def _over_heads(task: str) -> EveryCell:
    return EveryCell(
        thetas=tuple(lower(trained(task, "raft"), trained(task, head)) for head in ("head", "digit-head")),
        delta=SLIGHT,
        delta_reason=SLIGHT_REASON,
        replication=SEEDS,
    )


def _step(better: tuple[str, str], worse: tuple[str, str]) -> Direction:
    """One pipeline of R2 beats the one before; each is a method and a part."""
    (method, part), (other, whence) = better, worse
    return Direction(
        theta=lower(trained("pretrained", method, part=part), trained("pretrained", other, part=whence)),
        delta=SLIGHT,
        delta_reason=SLIGHT_REASON,
        replication=SEEDS,
    )


_PIPELINES = (
    (
        "a",
        "the pretrained model, read out by the mean, beats decoding it",
        ("as-is", "main"),
        ("as-is", "mode"),
    ),
    ("b", "cross-entropy and decoding beats the pretrained model's mean", ("ce", "mode"), ("as-is", "main")),
    ("c", "cross-entropy and the mean beats cross-entropy and decoding", ("ce", "main"), ("ce", "mode")),
    ("d", "a predictive head beats cross-entropy and the mean", ("head", "main"), ("ce", "main")),
    ("e", "RAFT beats a predictive head", ("raft", "main"), ("head", "main")),
)

TRAINING = (
    _whole(
        "R1",
        "Fine-tuning on the squared loss of the read-out beats cross-entropy with either read-out, and "
        "predictive heads.",
        "RAFT, Table 3",
        "raft-music",
        "raft-wireless",
    ),
    *(
        Claim(
            id=f"R1{letter}",
            parent="R1",
            statement=f"{label}: RMSE falls from cross-entropy with the mode over cross-entropy with the "
            "mean to RAFT.",
            source="RAFT, Table 3",
            forms=_small(_order(task)),
            reported=("raft-music", "ce-rail-music"),
        )
        for letter, task, label in (
            ("a", "bent-5000", "A misspecified model of latent grades, n = 5000"),
            ("b", "ratings", "Sentence embeddings and human ratings"),
            ("c", "pretrained", "A pretrained network, n = 200"),
        )
    ),
    *(
        Claim(
            id=f"R1{letter}",
            parent="R1",
            statement=f"{label}: RAFT beats both predictive heads.",
            source="RAFT, Table 3",
            forms=_small(_over_heads(task)),
            reported=("raft-music", "head-music", "raft-wireless", "head-wireless"),
        )
        for letter, task, label in (
            ("d", "bent-5000", "A misspecified model of latent grades, n = 5000"),
            ("e", "ratings", "Sentence embeddings and human ratings"),
            ("f", "pretrained", "A pretrained network, n = 200"),
        )
    ),
    _whole(
        "R2", "Pipelines improve step by step from zero-shot decoding to RAFT.", "RAFT, Table 3", "pipelines"
    ),
    *(
        Claim(
            id=f"R2{letter}",
            parent="R2",
            statement=f"A pretrained network: {statement}.",
            source="RAFT, Table 3",
            forms=_small(_step(better, worse)),
            reported=("pipelines",),
        )
        for letter, statement, better, worse in _PIPELINES
    ),
    Claim(
        id="R3",
        statement="Mean and mode of a model can be far from Bayes although its distribution is near the "
        "truth: errors up to (N/2)².",
        source="RAFT, Lemmas 1 and 2",
        forms=dict.fromkeys(
            EVERY, Exact(cells=(exact("lemmas"),), oracle="the lemmas' closed formulas", min_cases=40)
        ),
        reported=("lemmas",),
    ),
    _whole("R4", "A finite grid with the least and the largest label is enough.", "RAFT, Lemma 3", "grid"),
    Claim(
        id="R4a",
        parent="R4",
        statement="The read-out of a grid of two digits reaches every number between them.",
        source="RAFT, Lemma 3",
        forms=dict.fromkeys(EVERY, Exact(cells=(exact("ends"),), oracle="the number aimed at", min_cases=15)),
        reported=("grid",),
    ),
    *(
        Claim(
            id=f"R4{letter}",
            parent="R4",
            statement=f"{label}: RAFT on the two end digits is as good as on all digits.",
            source="RAFT, Table 5",
            forms=_small(
                Equivalence(
                    theta=lower(trained(task, "raft-ends"), trained(task, "raft")),
                    margin=0.02,
                    margin_reason="two per cent of the error, a fifth of what fine-tuning gains",
                    replication=SEEDS,
                )
            ),
            reported=("grid",),
        )
        for letter, task, label in (
            ("b", "bent-5000", "Latent grades, a linear model"),
            ("c", "ratings", "Human ratings"),
            ("d", "random", "Latent grades, a network"),
        )
    ),
    _whole(
        "R5",
        "Learnable output weights do not help, and from random weights RAFT loses its advantage.",
        "RAFT, section 5.3",
        "learnable",
        "random",
    ),
    *(
        Claim(
            id=f"R5{letter}",
            parent="R5",
            statement=f"{label}: learnable weights are no better than the digits.",
            source="RAFT, section 5.3",
            forms=_small(
                NonInferiority(
                    theta=lower(trained(task, "raft"), trained(task, "learnable")),
                    margin=0.01,
                    margin_reason="one per cent of the error",
                    replication=SEEDS,
                )
            ),
            reported=("learnable",),
        )
        for letter, task, label in (
            ("a", "pretrained", "A pretrained network"),
            ("b", "ratings", "Human ratings"),
        )
    ),
    Claim(
        id="R5c",
        parent="R5",
        statement="The advantage over a predictive head is larger from pretrained weights than from random "
        "ones.",
        source="RAFT, section 5.3",
        forms=_small(
            Direction(
                theta=Contrast(
                    (
                        (1.0, trained("pretrained", "head")),
                        (-1.0, trained("pretrained", "raft")),
                        (-1.0, trained("random", "head")),
                        (1.0, trained("random", "raft")),
                    ),
                    log=True,
                ),
                delta=log(1.01),
                delta_reason="one per cent of the error",
                replication=SEEDS,
            )
        ),
        reported=("random",),
    ),
    _whole(
        "R6",
        "With the expectation outside the square the loss adds the variance, and digits collapse.",
        "RAFT, section on MBR",
        "collapse",
    ),
    Claim(
        id="R6a",
        parent="R6",
        statement="The MBR loss is the loss of RAFT and the variance of the digits.",
        source="RAFT, section on MBR",
        forms=dict.fromkeys(
            EVERY, Exact(cells=(exact("losses"),), oracle="automatic differentiation", min_cases=30)
        ),
        reported=("collapse",),
    ),
    *(
        Claim(
            id=f"R6{letter}",
            parent="R6",
            statement=f"{label}: trained to the end, digits have less entropy under the MBR loss than under "
            "cross-entropy, and than under RAFT.",
            source="RAFT, section on MBR",
            forms=_small(
                EveryCell(
                    thetas=tuple(
                        higher(
                            trained(task, f"{other}-late", ENTROPY, "law"),
                            trained(task, "mbr-late", ENTROPY, "law"),
                        )
                        for other in ("ce", "raft")
                    ),
                    delta=0.1,
                    delta_reason="a tenth of a nat; the card's trial lost nearly one",
                    replication=SEEDS,
                )
            ),
            reported=("collapse",),
        )
        for letter, task, label in (
            ("b", "bent-5000", "Latent grades"),
            ("c", "ratings", "Human ratings"),
        )
    ),
    Claim(
        id="R6d",
        parent="R6",
        statement="Latent grades: RAFT has a smaller RMSE than the MBR loss.",
        source="RAFT, section on MBR",
        forms=_small(
            Direction(
                theta=lower(trained("bent-5000", "raft", RMSE), trained("bent-5000", "mbr", RMSE)),
                delta=SLIGHT,
                delta_reason=SLIGHT_REASON,
                replication=SEEDS,
            )
        ),
        reported=("collapse",),
    ),
)
