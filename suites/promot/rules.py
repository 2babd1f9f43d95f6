"""The rules that decide the claims, declared before any run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.claims import (
    Cell,
    Contrast,
    Direction,
    EveryCell,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Precondition,
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
    saturated,
    share,
    target,
    worst,
)

MODELS = (Profile.SMALL, Profile.GPU, Profile.PAPER)
"""Profiles in which models know something that they can lose."""
LONG = (Profile.SMALL, Profile.PAPER)
"""Profiles with time for more than the core comparison."""
SEEDS = Replication.SEEDS

POINTS = "on a scale of 100 points, less could be a single question of a single task"
FORMAL = (
    "The formal language has no semantics that tasks could share, and its model no ability beyond what "
    "it was pretrained on; the claim needs a model of natural language."
)


TIME = NotRun(reason="Ten minutes on one GPU are enough for the core comparison on two targets only.")


def with_time(form: Callable[[Profile], Form]) -> Mapping[Profile, Form]:
    """A rule for the profiles that have time for its methods."""
    return {**{profile: form(profile) for profile in LONG}, Profile.GPU: TIME}


def _able(experiment: str, method: str = "pretrained", task: str = "") -> Precondition:
    return Precondition(
        name="something to lose",
        theta=only(held_out(method, experiment, task=task)),
        above=10.0,
        reason="a model without in-context ability cannot lose it",
    )


def _learned(
    method: str, experiment: str, profile: Profile, task: str = "", level: float | None = None
) -> Precondition:
    level = _level(experiment, profile) if level is None else level
    return Precondition(
        name=f"{method} reaches the matched target score",
        theta=only(reached(method, level, experiment, task)),
        above=level - 3.0,
        reason="methods are compared at a target score that both reach",
    )


def _level(experiment: str, profile: Profile) -> float:
    return (TRANSLATION_LEVELS if experiment == "translation" else LEVELS)[profile]


def loses_half(profile: Profile) -> Direction:
    """Half of the pretrained score − the fine-tuned score."""
    return Direction(
        theta=Contrast(((0.5, held_out("pretrained")), (-1.0, held_out("fine-tuning")))),
        delta=2.0,
        delta_reason=f"beyond the half that the contrast takes off, two points: {POINTS}",
        replication=SEEDS,
        preconditions=(_able("entailment"), _learned("fine-tuning", "entailment", profile)),
    )


def specialises(profile: Profile) -> Direction:
    """The rise of the share of held-out outputs in the target's format, beyond fifty points."""
    return Direction(
        theta=Contrast(
            ((1.0, share("fine-tuning")), (-1.0, share("pretrained"))),
            constant=50.0,
        ),
        delta=2.0,
        delta_reason="beyond the fifty points that the contrast takes off, two points",
        replication=SEEDS,
        preconditions=(_learned("fine-tuning", "entailment", profile),),
    )


STARTS_ALIGNED = Direction(
    theta=only(cosine_after("fine-tuning", 0), 0.9),
    delta=0.01,
    delta_reason="the paper's smallest value at the start is .96; .9 is the card's threshold",
    replication=SEEDS,
)
ENDS_APART = Direction(
    theta=Contrast(((-1.0, saturated("fine-tuning")),), constant=-0.3),
    delta=0.02,
    delta_reason="the paper's largest value at step 400 is .20; .3 is the card's threshold",
    replication=SEEDS,
)


def on_par(experiment: str) -> NonInferiority:
    """ProMoT's target score is no more than a point below fine-tuning's."""
    return NonInferiority(
        theta=difference(target("promot", experiment), target("fine-tuning", experiment)),
        margin=1.0,
        margin_reason="the paper's largest deficit is half a point; a point is what the card allows",
        replication=SEEDS,
    )


def beats_prompt(experiment: str) -> Direction:
    """ProMoT's target score is above prompt tuning's, if that learns anything."""
    chance = 55.0 if experiment == "entailment" else 1.0
    return Direction(
        theta=difference(target("promot", experiment), target("prompt-tuning", experiment)),
        delta=0.5,
        delta_reason="half a point, the order of the paper's gains",
        replication=SEEDS,
        preconditions=(
            Precondition(
                name="prompt tuning learns something",
                theta=only(target("prompt-tuning", experiment)),
                above=chance,
                reason="a prompt at chance would lose to anything",
            ),
        ),
    )


def avoids_half(experiment: str, profile: Profile, task: str = "") -> Share:
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
        preconditions=(
            _learned("fine-tuning", experiment, profile, task),
            _learned("promot", experiment, profile, task),
        ),
    )


def gains(experiment: str) -> Direction:
    """ProMoT's held-out score is above the pretrained model's."""
    return Direction(
        theta=difference(held_out("promot", experiment), held_out("pretrained", experiment)),
        delta=0.5,
        delta_reason=POINTS,
        replication=SEEDS,
        preconditions=(_able(experiment),),
    )


def like_fine_tuning(variant: str, best: str, level: float, profile: Profile) -> Direction:
    """The middle between ProMoT and fine-tuning − the variant, at a matched target score."""
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
        preconditions=tuple(_learned(name, "entailment", profile, level=level) for name in (variant, best)),
    )


def higher_curve(profile: Profile) -> Direction:
    """ProMoT's trade-off curve lies above fine-tuning's."""
    return Direction(
        theta=difference(height("promot", profile), height("fine-tuning", profile)),
        delta=2.0,
        delta_reason=POINTS,
        replication=SEEDS,
        preconditions=(
            _learned("fine-tuning", "entailment", profile),
            _learned("promot", "entailment", profile),
        ),
    )


def everywhere(profile: Profile) -> EveryCell:
    """On every model and target tried ProMoT keeps more than fine-tuning, at matched targets."""
    levels = MODEL_LEVELS[profile]
    return EveryCell(
        thetas=(
            difference(matched("promot", LEVELS[profile]), matched("fine-tuning", LEVELS[profile])),
            *(
                difference(
                    matched("promot", level, "models", task), matched("fine-tuning", level, "models", task)
                )
                for task, level in levels.items()
            ),
        ),
        delta=2.0,
        delta_reason=POINTS,
        replication=SEEDS,
        preconditions=tuple(_able("models", task=task) for task in levels),
    )


def proxy(better: Cell, worse: Cell) -> NotComparable:
    """Shown and never counted."""
    return NotComparable(theta=difference(better, worse), reason=FORMAL)


def more(better: Cell, worse: Cell) -> Direction:
    """One held-out score is above another."""
    return Direction(theta=difference(better, worse), delta=0.5, delta_reason=POINTS, replication=SEEDS)


def real(better: Cell, worse: Cell) -> Mapping[Profile, Form]:
    """Judged for the paper's models; only shown for the formal language."""
    return {Profile.SMALL: proxy(better, worse), Profile.GPU: TIME, Profile.PAPER: more(better, worse)}


SOME_FALL = Direction(
    theta=difference(worst("pretrained"), worst("promot")),
    delta=2.0,
    delta_reason=POINTS,
    replication=SEEDS,
)
