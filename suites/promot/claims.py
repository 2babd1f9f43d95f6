"""The claims of the paper and the rules that decide them, declared before any run."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import (
    Assay,
    Cell,
    Claim,
    Contrast,
    Direction,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotComparable,
    Profile,
    Replication,
    Share,
    difference,
)
from suites.promot.cells import (
    LEVELS,
    MODEL_LEVELS,
    TRANSLATION_LEVELS,
    cosine_after,
    height,
    held_out,
    matched,
    only,
    reached,
    related,
    saturated,
    share,
    target,
    untouched,
    worst,
)
from suites.promot.wholes import WHOLES

MODELS = (Profile.SMALL, Profile.GPU, Profile.PAPER)
"""Profiles in which models know something that they can lose."""
REAL = (Profile.GPU, Profile.PAPER)
SEEDS = Replication.SEEDS

POINTS = "on a scale of 100 points, less could be a single question of a single task"
FORMAL = (
    "The formal language has no semantics that tasks could share, and its model no ability beyond what "
    "it was pretrained on; the claim needs a model of natural language."
)


def _able(experiment: str, method: str = "pretrained", task: str = "") -> Assay:
    return Assay(
        name="something to lose",
        theta=only(held_out(method, experiment, task=task)),
        above=10.0,
        reason="a model without in-context ability cannot lose it",
    )


def _learned(method: str, experiment: str, profile: Profile, task: str = "") -> Assay:
    levels = TRANSLATION_LEVELS if experiment == "translation" else LEVELS
    return Assay(
        name=f"{method} reaches the matched target score",
        theta=only(reached(method, levels[profile], experiment, task)),
        above=levels[profile] - 3.0,
        reason="methods are compared at a target score that both reach",
    )


def _level(experiment: str, profile: Profile) -> float:
    return (TRANSLATION_LEVELS if experiment == "translation" else LEVELS)[profile]


def _loses_half(profile: Profile) -> Direction:
    """Half of the pretrained score − the fine-tuned score."""
    return Direction(
        theta=Contrast(((0.5, held_out("pretrained")), (-1.0, held_out("fine-tuning")))),
        delta=2.0,
        delta_reason=f"beyond the half that the contrast takes off, two points: {POINTS}",
        replication=SEEDS,
        assays=(_able("entailment"), _learned("fine-tuning", "entailment", profile)),
    )


def _specialises(profile: Profile) -> Direction:
    return Direction(
        theta=Contrast(
            ((1.0, share("fine-tuning")), (-1.0, share("pretrained"))),
            constant=50.0,
        ),
        delta=2.0,
        delta_reason="beyond the fifty points that the contrast takes off, two points",
        replication=SEEDS,
        assays=(_learned("fine-tuning", "entailment", profile),),
    )


_STARTS_ALIGNED = Direction(
    theta=only(cosine_after("fine-tuning", 0), 0.9),
    delta=0.01,
    delta_reason="the paper's smallest value at the start is .96; .9 is the card's threshold",
    replication=SEEDS,
)
_ENDS_APART = Direction(
    theta=Contrast(((-1.0, saturated("fine-tuning")),), constant=-0.3),
    delta=0.02,
    delta_reason="the paper's largest value at step 400 is .20; .3 is the card's threshold",
    replication=SEEDS,
)


def _on_par(experiment: str) -> NonInferiority:
    return NonInferiority(
        theta=difference(target("promot", experiment), target("fine-tuning", experiment)),
        margin=1.0,
        margin_reason="the paper's largest deficit is half a point; a point is what the card allows",
        replication=SEEDS,
    )


def _beats_prompt(experiment: str) -> Direction:
    chance = 55.0 if experiment == "entailment" else 1.0
    return Direction(
        theta=difference(target("promot", experiment), target("prompt-tuning", experiment)),
        delta=0.5,
        delta_reason="half a point, the order of the paper's gains",
        replication=SEEDS,
        assays=(
            Assay(
                name="prompt tuning learns something",
                theta=only(target("prompt-tuning", experiment)),
                above=chance,
                reason="a prompt at chance would lose to anything",
            ),
        ),
    )


def _avoids_half(experiment: str, profile: Profile, task: str = "") -> Share:
    """At a matched target score ProMoT keeps at least half of what fine-tuning loses."""
    level = _level(experiment, profile)
    tuned = matched("fine-tuning", level, experiment, task)
    return Share(
        a=matched("promot", level, experiment, task),
        b=tuned,
        c=held_out("pretrained", experiment, task=task),
        d=tuned,
        ratio=0.5,
        delta=1.0,
        delta_reason=f"beyond the half that the contrast takes off, one point: {POINTS}",
        replication=SEEDS,
        denominator_delta=5.0,
        assays=(
            _learned("fine-tuning", experiment, profile, task),
            _learned("promot", experiment, profile, task),
        ),
    )


def _gains(experiment: str) -> Direction:
    return Direction(
        theta=difference(held_out("promot", experiment), held_out("pretrained", experiment)),
        delta=0.5,
        delta_reason=POINTS,
        replication=SEEDS,
        assays=(_able(experiment),),
    )


def _like_fine_tuning(variant: str, best: str, profile: Profile) -> Direction:
    """The middle between ProMoT and fine-tuning − the variant, at a matched target score."""
    level = LEVELS[profile]
    return Direction(
        theta=Contrast(
            (
                (0.5, matched(best, level)),
                (0.5, matched("fine-tuning", level)),
                (-1.0, matched(variant, level)),
            )
        ),
        delta=1.0,
        delta_reason=f"one point below the middle: {POINTS}",
        replication=SEEDS,
        assays=(_learned(variant, "entailment", profile), _learned(best, "entailment", profile)),
    )


def _higher_curve(profile: Profile) -> Direction:
    return Direction(
        theta=difference(height("promot", profile), height("fine-tuning", profile)),
        delta=2.0,
        delta_reason=POINTS,
        replication=SEEDS,
        assays=(
            _learned("fine-tuning", "entailment", profile),
            _learned("promot", "entailment", profile),
        ),
    )


def _everywhere(profile: Profile) -> EveryCell:
    levels = MODEL_LEVELS[profile]
    return EveryCell(
        thetas=tuple(
            difference(
                matched("promot", level, "models", task), matched("fine-tuning", level, "models", task)
            )
            for task, level in levels.items()
        ),
        delta=2.0,
        delta_reason=POINTS,
        replication=SEEDS,
        assays=tuple(_able("models", task=task) for task in levels),
    )


def _proxy(better: Cell, worse: Cell) -> NotComparable:
    return NotComparable(theta=difference(better, worse), reason=FORMAL)


def _more(better: Cell, worse: Cell) -> Direction:
    return Direction(theta=difference(better, worse), delta=0.5, delta_reason=POINTS, replication=SEEDS)


def _real(better: Cell, worse: Cell) -> Mapping[Profile, Form]:
    """Judged where a language model runs; only shown for the formal language."""
    return {Profile.SMALL: _proxy(better, worse), **dict.fromkeys(REAL, _more(better, worse))}


_SOME_FALL = Direction(
    theta=difference(worst("pretrained"), worst("promot")),
    delta=2.0,
    delta_reason=POINTS,
    replication=SEEDS,
)


FORGETTING = (
    Claim(
        id="C1",
        statement="Fine-tuning on one task destroys in-context learning of others within a few hundred "
        "steps: at least half of the score is lost.",
        source="Figure 1, Table 3",
        forms={profile: _loses_half(profile) for profile in MODELS},
        reported=("rte-triviaqa-pretrained", "rte-triviaqa-ft", "rte-webq-pretrained", "rte-webq-ft"),
    ),
    Claim(
        id="C2",
        statement="The cause is format specialisation: the share of outputs in the target's format rises "
        "by at least fifty points on tasks whose answers never have it.",
        source="Figure 2, section 3.2",
        forms={profile: _specialises(profile) for profile in MODELS},
        reported=("share-300", "share-500"),
    ),
    Claim(
        id="C3a",
        parent="C3",
        statement="The format is learned first: at the start the gradient points where the gradient of "
        "permuted answers does.",
        source="Figures 3 and 7",
        forms=dict.fromkeys(MODELS, _STARTS_ALIGNED),
        reported=("cosine-mlp-0", "cosine-query-0", "cosine-key-0", "cosine-value-0"),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="Once outputs have the target's format the two gradients part.",
        source="Figures 3 and 7",
        forms=dict.fromkeys(MODELS, _ENDS_APART),
        reported=("cosine-mlp-400", "cosine-query-400", "cosine-key-400", "cosine-value-400"),
    ),
)

TARGETS = (
    Claim(
        id="C4a",
        parent="C4",
        statement="On a true-or-false target ProMoT is on par with fine-tuning.",
        source="Table 2",
        forms=dict.fromkeys(MODELS, _on_par("entailment")),
        reported=("rte-target-ft", "rte-target-promot"),
    ),
    Claim(
        id="C4b",
        parent="C4",
        statement="On a true-or-false target ProMoT is better than prompt tuning.",
        source="Table 2",
        forms=dict.fromkeys(MODELS, _beats_prompt("entailment")),
        reported=("rte-target-pt", "rte-target-promot"),
    ),
    Claim(
        id="C4c",
        parent="C4",
        statement="On translation ProMoT is on par with fine-tuning.",
        source="Table 2",
        forms=dict.fromkeys(MODELS, _on_par("translation")),
        reported=("en-fr-target-ft", "en-fr-target-promot"),
    ),
    Claim(
        id="C4d",
        parent="C4",
        statement="On translation ProMoT is better than prompt tuning.",
        source="Table 2",
        forms=dict.fromkeys(MODELS, _beats_prompt("translation")),
        reported=("en-fr-target-pt", "en-fr-target-promot"),
    ),
)

KEEPING = (
    Claim(
        id="C5a",
        parent="C5",
        statement="Tuned on a true-or-false task, ProMoT avoids at least half of the held-out loss of "
        "fine-tuning, at the same target score.",
        source="Table 3",
        forms={profile: _avoids_half("entailment", profile) for profile in MODELS},
        reported=("rte-avg1-pretrained", "rte-avg1-ft", "rte-avg1-promot"),
        relies_on=("C16",),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="Tuned on a true-or-false task, ProMoT is even better than the pretrained model.",
        source="Table 3",
        forms=dict.fromkeys(MODELS, _gains("entailment")),
        reported=("rte-avg1-pretrained", "rte-avg1-promot"),
        essential=False,
    ),
    Claim(
        id="C6a",
        parent="C6",
        statement="Tuned on translation, ProMoT avoids at least half of the held-out loss of fine-tuning, "
        "at the same target score.",
        source="Table 4",
        forms={profile: _avoids_half("translation", profile) for profile in MODELS},
        reported=("en-fr-avg1-pretrained", "en-fr-avg1-ft", "en-fr-avg1-promot"),
        relies_on=("C16",),
    ),
    Claim(
        id="C6b",
        parent="C6",
        statement="Tuned on translation, ProMoT is even better than the pretrained model.",
        source="Table 4",
        forms=dict.fromkeys(MODELS, _gains("translation")),
        reported=("en-fr-avg1-pretrained", "en-fr-avg1-promot"),
        essential=False,
    ),
    Claim(
        id="C7",
        statement="ProMoT transfers to tasks with the target's meaning in another format: they end above "
        "the pretrained model.",
        source="Tables 3 and 4",
        forms=_real(related("promot"), related("pretrained")),
        reported=("en-fr-en-de-promot", "en-fr-en-ro-promot"),
    ),
    Claim(
        id="C8",
        statement="A demonstration before each training input helps ProMoT further.",
        source="Tables 3 and 4",
        forms=_real(held_out("promot-1shot"), held_out("promot")),
        reported=("rte-avg1-promot", "rte-avg1-promot-1shot"),
    ),
    Claim(
        id="C9",
        statement="With several targets at once ProMoT generalises better than multi-task fine-tuning.",
        source="Tables 5 and 11",
        forms=_real(held_out("promot", "several"), held_out("fine-tuning", "several")),
        reported=("multi-avg1-ft", "multi-avg1-promot"),
    ),
)

ABLATIONS = (
    Claim(
        id="C10",
        statement="Two stages are needed: prompt and model tuned jointly forget as fine-tuning does.",
        source="Table 6",
        forms={profile: _like_fine_tuning("joint", "promot", profile) for profile in MODELS},
        reported=("ablation-avg1-joint", "ablation-triviaqa-joint", "rte-avg1-ft", "rte-avg1-promot"),
    ),
    Claim(
        id="C11",
        statement="A fixed random prompt does not help.",
        source="Table 6",
        forms={profile: _like_fine_tuning("random-prompt", "promot", profile) for profile in MODELS},
        reported=("ablation-avg1-random", "ablation-triviaqa-random", "rte-avg1-ft", "rte-avg1-promot"),
    ),
    Claim(
        id="C12",
        statement="A demonstration in place of the soft prompt does not take up the format.",
        source="Table 6",
        forms={
            profile: _like_fine_tuning("fine-tuning-1shot", "promot-1shot", profile) for profile in MODELS
        },
        reported=("ablation-avg1-ft-1shot", "ablation-triviaqa-ft-1shot", "rte-avg1-promot-1shot"),
    ),
    Claim(
        id="C13",
        statement="A soft prompt is a better first stage than LoRA: more is kept of other tasks.",
        source="Table 15",
        forms={
            Profile.SMALL: _proxy(held_out("promot"), held_out("lora-first-4", "extras")),
            **dict.fromkeys(
                REAL, _more(held_out("promot", "translation"), held_out("lora-first-4", "extras"))
            ),
        },
        reported=("lora4-avg1", "en-fr-avg1-promot"),
    ),
)

GENERAL = (
    Claim(
        id="C14",
        statement="Over training time ProMoT has the better trade-off between target and held-out score.",
        source="Figures 5 and 6",
        forms={profile: _higher_curve(profile) for profile in MODELS},
        reported=("tradeoff",),
    ),
    Claim(
        id="C15",
        statement="It holds for other models and targets.",
        source="Tables 10 and 12 to 14",
        forms={profile: _everywhere(profile) for profile in MODELS},
        reported=("snli-avg1-ft", "snli-avg1-promot", "t5-avg1-ft", "t5-avg1-promot", "mt5-xl-avg1-promot"),
    ),
    Claim(
        id="C16",
        statement="Prompt tuning alone leaves other tasks untouched, to the last bit.",
        source="section 5.1",
        forms=dict.fromkeys(
            (Profile.SMOKE, *MODELS),
            Exact(
                cells=(untouched("prompt-tuning"),),
                oracle="hashes of all weights, and answers of the pretrained model",
                min_cases=10,
            ),
        ),
        reported=("untouched",),
    ),
    Claim(
        id="C17",
        statement="ProMoT does not remove all specialisation: some unrelated tasks fall.",
        source="Tables 3 and 4",
        forms=dict.fromkeys(MODELS, _SOME_FALL),
        reported=("rte-en-de-pretrained", "rte-en-de-promot", "en-fr-triviaqa-promot"),
    ),
)


def _order(claim: Claim) -> tuple[int, str]:
    """The paper's order, each whole before its parts."""
    return int("".join(filter(str.isdigit, claim.id))), claim.id


CLAIMS = tuple(sorted((*WHOLES, *FORGETTING, *TARGETS, *KEEPING, *ABLATIONS, *GENERAL), key=_order))
