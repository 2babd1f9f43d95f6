"""The claims about fine-tuning (C5 to C8, C12, and the training half of C4)."""

from __future__ import annotations

from math import log

from harness.claims import (
    Cell,
    Claim,
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Form,
    NotRun,
    Ordering,
    Precondition,
    Profile,
    Value,
    difference,
)
from suites.lora_rite.cells import (
    LORA_RANKS,
    MODELS,
    OPTIMIZERS,
    STRING_TASKS,
    accuracy,
    balance,
    gain,
    known,
    public,
    public_gain,
    public_sets,
    rating,
)
from suites.lora_rite.forms import SEEDS

_TIME = NotRun(reason="Ten minutes on one GPU are enough for LoRA-RITE and Adam at one rank.")
POINT = 0.01
POINT_REASON = "a point of accuracy; the paper's gains are two to five"
_HELD_BACK = {
    "sort-shift": (0.05, "an answer is hardly ever guessed, and there must be room above"),
    "mostly-late": (0.55, "guessing gets half of the questions, and there must be room above"),
}
_NO_INSTRUCTIONS = NotRun(
    reason="Super-Natural Instructions is in no mirror; `--profile paper` takes it from the hub."
)


def _headroom(rank: int) -> tuple[Precondition, ...]:
    """Adam, the common choice, is above chance and below the ceiling."""
    return tuple(
        Precondition(
            name=f"headroom on {task}, r = {rank}",
            theta=Contrast(((1.0, accuracy("adam", rank, task)),)),
            above=_HELD_BACK[task][0],
            below=0.98,
            reason=_HELD_BACK[task][1],
        )
        for task in STRING_TASKS
    )


def _room(task: str) -> tuple[Precondition, ...]:
    theta = Contrast(((1.0, public("adam", task)),))
    return (
        Precondition(
            name=f"headroom on {task}",
            theta=theta,
            above=0.0,
            below=0.97,
            reason="a solved set cannot tell optimizers apart",
        ),
    )


def _gain(theta: Contrast, assays: tuple[Precondition, ...] = ()) -> Direction:
    return Direction(
        theta=theta, delta=POINT, delta_reason=POINT_REASON, replication=SEEDS, preconditions=assays
    )


def _every(thetas: tuple[Contrast, ...], assays: tuple[Precondition, ...] = ()) -> EveryCell:
    return EveryCell(
        thetas=thetas, delta=POINT, delta_reason=POINT_REASON, replication=SEEDS, preconditions=assays
    )


def _public_average(worse: str, *, instructions: bool = False) -> dict[Profile, Form]:
    """On average over the public sets of a profile: the four benchmarks, or the instructions."""
    forms: dict[Profile, Form] = {}
    for profile in MODELS:
        sets = public_sets(profile, instructions=instructions)
        if sets:
            forms[profile] = _gain(public_gain("rite", worse, sets), sum(map(_room, sets), ()))
    return forms


_OTHERS = tuple(name for name in OPTIMIZERS if name not in ("rite", "adam"))

C4 = Claim(
    id="C4c",
    parent="C4",
    statement="During training both factors contribute more evenly with LoRA-RITE than with Adam.",
    source="Figure 1",
    forms={
        Profile.SMALL: EveryCell(
            thetas=tuple(
                difference(balance("adam", rank, task), balance("rite", rank, task))
                for rank in LORA_RANKS
                for task in STRING_TASKS
            ),
            delta=log(1.5),
            delta_reason="half as much again in the ratio ‖δA Bᵀ‖ / ‖A δBᵀ‖ or its inverse",
            replication=SEEDS,
        ),
        Profile.GPU: Direction(
            theta=difference(
                public("adam", "arc-easy", trained=True), public("rite", "arc-easy", trained=True)
            ),
            delta=log(1.5),
            delta_reason="half as much again in the ratio ‖δA Bᵀ‖ / ‖A δBᵀ‖ or its inverse",
            replication=SEEDS,
        ),
    },
    reported=("balanced",),
    note="Both at their best rates. Theory lets the imbalance of Adam grow with the width; at width 64 "
    "there may be none to see. The paper shows the norms of A and B, which the report draws, too.",
)

C5 = (
    Claim(
        id="C5",
        statement="LoRA-RITE is more accurate than five other optimizers on Super-Natural Instructions.",
        source="Table 1",
        forms={},
        reported=("sni-gain",),
    ),
    Claim(
        id="C5a",
        parent="C5",
        statement="It is more accurate than Adam (under small: on both functions of strings, r = 16).",
        source="Table 1",
        forms={
            Profile.SMALL: _every(
                tuple(
                    difference(accuracy("rite", 16, task), accuracy("adam", 16, task))
                    for task in STRING_TASKS
                ),
                _headroom(16),
            ),
            Profile.GPU: _NO_INSTRUCTIONS,
            **_public_average("adam", instructions=True),
        },
        reported=("sni-gain", "sni-global-2b-adam", "sni-global-2b-rite"),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="It is more accurate than LoRA+, ScaledAdam, Shampoo and LAMB (under small: on average "
        "over both functions, r = 16).",
        source="Table 1",
        forms={
            Profile.SMALL: _every(tuple(gain("rite", name) for name in _OTHERS), _headroom(16)),
            Profile.GPU: _NO_INSTRUCTIONS,
            Profile.PAPER: _every(
                tuple(
                    public_gain("rite", name, public_sets(Profile.PAPER, instructions=True))
                    for name in _OTHERS
                )
            ),
        },
        reported=tuple(f"sni-global-2b-{name}" for name in _OTHERS),
    ),
)

C6 = (
    Claim(
        id="C6",
        statement="LoRA-RITE is more accurate than the five others on public benchmarks.",
        source="Table 2",
        forms={},
        reported=("llm-gain",),
        note="Later studies report smaller gains or none over a tuned Adam.",
    ),
    Claim(
        id="C6a",
        parent="C6",
        statement="It beats Adam on average (under small: MiniLM's ratings of product reviews).",
        source="Table 2",
        forms={
            Profile.SMALL: Direction(
                theta=difference(rating("rite"), rating("adam")),
                delta=0.005,
                delta_reason="half a point of rank correlation, as much as a tenth more training texts gives",
                replication=SEEDS,
            ),
            **_public_average("adam"),
        },
        reported=("llm-gain", "gsm8k-7b-adam", "gsm8k-7b-rite", "later-riemannion"),
    ),
    Claim(
        id="C6b",
        parent="C6",
        statement="It beats the other baselines on average (under small: LoRA+, on those ratings).",
        source="Table 2",
        forms={
            Profile.SMALL: Direction(
                theta=difference(rating("rite"), rating("lora-plus")),
                delta=0.005,
                delta_reason="as for Adam",
                replication=SEEDS,
            ),
            Profile.GPU: _TIME,
            Profile.PAPER: _every(
                tuple(public_gain("rite", name, public_sets(Profile.PAPER)) for name in _OTHERS)
            ),
        },
        reported=("llm-gain",),
    ),
)

C7 = Claim(
    id="C7",
    statement="More invariance, better results: Adam, LAMB, LoRA-RITE, in this order.",
    source="discussion of Tables 1 and 2",
    forms={
        Profile.SMALL: Ordering(
            steps=(gain("lamb", "adam"), gain("rite", "lamb")),
            delta=POINT,
            delta_reason=POINT_REASON,
            replication=SEEDS,
            preconditions=_headroom(16),
        ),
        Profile.GPU: _TIME,
        Profile.PAPER: Ordering(
            steps=(
                public_gain("lamb", "adam", public_sets(Profile.PAPER)),
                public_gain("rite", "lamb", public_sets(Profile.PAPER)),
            ),
            delta=POINT,
            delta_reason=POINT_REASON,
            replication=SEEDS,
        ),
    },
    reported=("second-best", "gsm8k-7b-adam", "gsm8k-7b-lamb", "gsm8k-7b-rite"),
)

C8 = (
    Claim(
        id="C8",
        statement="The gains hold across ranks and architectures.",
        source="Table 3",
        forms={},
        reported=("ablation",),
    ),
    Claim(
        id="C8a",
        parent="C8",
        statement="LoRA-RITE beats Adam at rank 4 and at rank 16.",
        source="Table 3",
        forms={
            Profile.SMALL: _every(
                tuple(gain("rite", "adam", rank) for rank in LORA_RANKS),
                (*_headroom(4), *_headroom(16)),
            ),
            Profile.GPU: _TIME,
            Profile.PAPER: _every(
                tuple(
                    difference(
                        public("rite", "openbookqa", rank=rank), public("adam", "openbookqa", rank=rank)
                    )
                    for rank in LORA_RANKS
                )
            ),
        },
        reported=("ablation",),
    ),
    Claim(
        id="C8b",
        parent="C8",
        statement="LoRA-RITE beats Adam on an encoder-decoder, mT5-XXL.",
        source="Table 3",
        forms={
            Profile.SMALL: NotRun(reason="There is no pretrained encoder-decoder of this size here."),
            Profile.GPU: NotRun(reason="mT5-XXL does not fit the ten minutes of this profile."),
            Profile.PAPER: _gain(
                difference(public("rite", "openbookqa-mt5"), public("adam", "openbookqa-mt5"))
            ),
        },
        reported=("ablation",),
    ),
)


def _same(left: Cell, right: Cell, assays: tuple[Precondition, ...] = ()) -> Equivalence:
    return Equivalence(
        theta=difference(left, right),
        margin=0.02,
        margin_reason="half of the gain that the paper reports where there is one",
        replication=SEEDS,
        preconditions=assays,
    )


C12 = Claim(
    id="C12",
    statement="Where the base model solves the task already, all optimizers are close.",
    source="Appendix A.6, Table 8",
    forms={
        Profile.SMALL: _same(
            known("rite"),
            known("adam"),
            (
                Precondition(
                    name="the task is solved",
                    theta=Contrast(((1.0, known("adam")),)),
                    above=0.9,
                    reason="the base model answers nine of ten such questions",
                ),
            ),
        ),
        Profile.GPU: NotRun(reason="Gemma-3-270M solves none of the public sets beforehand."),
        Profile.PAPER: _same(public("rite", "openbookqa-gemma2"), public("adam", "openbookqa-gemma2")),
    },
    reported=("tie",),
)

HEADLINE = Claim(
    id="C5c",
    parent="C5",
    statement="Over Adam it gains 4.6 points on Super-Natural Instructions.",
    source="abstract",
    forms={
        Profile.PAPER: Value(
            theta=Contrast(
                tuple(
                    (100 * weight, cell)
                    for weight, cell in public_gain(
                        "rite", "adam", public_sets(Profile.PAPER, instructions=True)
                    ).terms
                )
            ),
            reported="sni-gain",
            margin=1.5,
            margin_reason="a third of the gain; the paper's runs have one seed",
            replication=SEEDS,
        )
    },
    reported=("sni-gain",),
    essential=False,
)

TUNING = (C4, *C5, HEADLINE, *C6, C7, *C8, C12)
