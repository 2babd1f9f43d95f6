"""The rules that decide the claims of ``paper.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import (
    EVERY,
    MEASURED,
    Contrast,
    Direction,
    EveryCell,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Place,
    Precondition,
    Profile,
    Rule,
    Rules,
    Share,
    alone,
    at,
    by_profile,
)
from methods.promot.metrics import (
    COSINE,
    FORMAT_SHARE,
    PROPERTY,
    SATURATED_COSINE,
    WORST_TASK,
    trade_off,
)
from suites.promot.cells import (
    ABLATIONS,
    ALIGNMENT,
    ENTAILMENT,
    EXTRAS,
    GEMMA,
    LEVELS,
    MODEL_LEVELS,
    MODELS,
    SEVERAL,
    SLOW_LEVELS,
    TRADE_OFF,
    TRANSLATION,
    TRANSLATION_LEVELS,
    held_out,
    matched,
    on_entailment,
    over_training,
    reached,
    related,
)

_POINTS = "on a scale of 100 points, less could be a single question of a single task"
_FORMAL = (
    "The formal language has no semantics that tasks could share, and its model no ability beyond what "
    "it was pretrained on; the claim needs a model of natural language."
)
_NEW_TOKENS = (
    "Pretraining on the formal language never shows the answers T and F, so that the first gradient can do "
    "little but lift them (card, section 8)."
)
_AT_THE_CEILING = (
    "The pretrained model answers what one demonstration can tell of the formal language's tasks, so that "
    "nothing can be gained (D1)."
)
_ANY_TRAINING = (
    "At these rates the lowest score falls whatever stage 2 learns, be it pretraining examples of all tasks "
    "or the model's own answers: that it falls does not show that the model specialises (card, section 9)."
)
_A_FROZEN_START = (
    "A few vectors do not lead a frozen model of this size to a dictionary that it never saw: prompt tuning "
    "stays at zero, so that whatever learns at all is better (D15)."
)
_EXACT = "A frozen model without its prompt is the pretrained one, by construction; tests hold it to that."
_AT_FIRST = ALIGNMENT("fine-tuning", COSINE, step=0)
"""The cosine before the first update."""
_MOVED = alone(ENTAILMENT("prompt-tuning", PROPERTY, part="untouched"))
"""The largest change of a weight or of an answer by prompt tuning."""
_LOWEST_FALLS = held_out(ENTAILMENT, "pretrained", WORST_TASK) - held_out(ENTAILMENT, "promot", WORST_TASK)
"""How far ProMoT's lowest score of a held-out task is below the pretrained model's."""
_PAST_A_PROMPT = TRANSLATION("promot") - TRANSLATION("prompt-tuning")
"""How far ProMoT's translation is above that of its prompt alone."""
_BRIEF = at(
    Profile.GPU, NotRun("Ten minutes on one GPU are enough for the core comparison on two targets only.")
)
"""What ``gpu`` has no time for."""


def _able(where: Place) -> Precondition:
    return Precondition(
        name="something to lose",
        theta=alone(held_out(where, "pretrained")),
        above=10.0,
        reason="a model without in-context ability cannot lose it",
    )


def _learned(where: Place, level: float, *methods: str) -> tuple[Precondition, ...]:
    return tuple(
        Precondition(
            name=f"{method} reaches the matched target score",
            theta=alone(reached(where, method, level)),
            above=level - 3.0,
            reason="methods are compared at a target score that both reach",
        )
        for method in methods
    )


def _loses_half(level: float) -> Form:
    """Fine-tuning loses half of what the pretrained model can."""
    return Direction(
        0.5 * held_out(ENTAILMENT, "pretrained") - held_out(ENTAILMENT, "fine-tuning"),
        delta=2.0,
        delta_reason=f"beyond the half that the contrast takes off, two points: {_POINTS}",
        preconditions=(_able(ENTAILMENT), *_learned(ENTAILMENT, level, "fine-tuning")),
    )


def _specialises(level: float) -> Form:
    """Fine-tuning brings fifty points more of the held-out outputs into the target's format."""
    tuned, before = (held_out(ENTAILMENT, name, FORMAT_SHARE) for name in ("fine-tuning", "pretrained"))
    return Direction(
        tuned - before - 50.0,
        delta=2.0,
        delta_reason="beyond the fifty points that the contrast takes off, two points",
        preconditions=_learned(ENTAILMENT, level, "fine-tuning"),
    )


def _on_par(where: Place, other: str = "fine-tuning") -> Form:
    """ProMoT's target score is no more than a point below fine-tuning's."""
    return NonInferiority(
        where("promot") - where(other),
        margin=1.0,
        margin_reason="the paper's largest deficit is half a point; a point is what the card allows",
    )


def _beats_prompt(where: Place, chance: float) -> Form:
    """ProMoT's target score is above prompt tuning's, if that learns anything."""
    learns = Precondition(
        name="prompt tuning learns something",
        theta=alone(where("prompt-tuning")),
        above=chance,
        reason="a prompt at chance would lose to anything",
    )
    return Direction(
        where("promot") - where("prompt-tuning"),
        delta=0.5,
        delta_reason="half a point, the order of the paper's gains",
        preconditions=(learns,),
    )


def _avoids_half(where: Place, levels: Mapping[Profile, float]) -> Rule:
    """At a matched target score ProMoT keeps at least half of what fine-tuning loses."""

    def form(level: float) -> Form:
        tuned = matched(where, "fine-tuning", level)
        return Share(
            matched(where, "promot", level),
            tuned,
            held_out(where, "pretrained"),
            tuned,
            ratio=0.5,
            delta=1.0,
            delta_reason=f"beyond the half that the contrast takes off, one point: {_POINTS}",
            denominator_delta=5.0,
            preconditions=_learned(where, level, "fine-tuning", "promot"),
        )

    return by_profile(levels, form)


def _above(theta: Contrast, delta: float = 0.5, *preconditions: Precondition) -> Direction:
    return Direction(theta, delta=delta, delta_reason=_POINTS, preconditions=preconditions)


def _gains(where: Place) -> Rule:
    """ProMoT's held-out score is above the pretrained model's; that of the formal language has no room."""
    theta = held_out(where, "promot") - held_out(where, "pretrained")
    shown = NotComparable(theta, reason=_AT_THE_CEILING)
    return at(MEASURED, _above(theta, 0.5, _able(where))) | at(Profile.SMALL, shown)


def _natural(theta: Contrast, of_the_paper: Contrast | None = None) -> Rule:
    """Only shown for the formal language; judged for the paper's models, where it may be of another place."""
    judged = at(Profile.PAPER, _above(of_the_paper or theta))
    return at(Profile.SMALL, NotComparable(theta, reason=_FORMAL)) | _BRIEF | judged


def _like_fine_tuning(variant: str, best: str, levels: Mapping[Profile, float]) -> Rule:
    """At a matched target score a variant keeps less than the middle of fine-tuning and ``best``."""

    def form(level: float) -> Form:
        names = (best, "fine-tuning", variant)
        kept, tuned, other = (matched(on_entailment(name), name, level) for name in names)
        return Direction(
            0.5 * (kept + tuned) - other,
            delta=1.0,
            delta_reason=f"one point below the middle: {_POINTS}",
            preconditions=_learned(on_entailment(variant), level, variant)
            + _learned(on_entailment(best), level, best),
        )

    return by_profile(levels, form) | _BRIEF


def _higher_curve(levels: tuple[float, ...]) -> Form:
    """ProMoT's trade-off curve lies above fine-tuning's."""
    promot, tuned = (
        over_training(ENTAILMENT, name, trade_off(*levels)) for name in ("promot", "fine-tuning")
    )
    return _above(promot - tuned, 2.0, *_learned(ENTAILMENT, levels[-1], "fine-tuning", "promot"))


def _everywhere(others: Sequence[tuple[Place, float]]) -> Form:
    """On every other model and target tried ProMoT keeps more than fine-tuning, at matched targets."""
    return EveryCell(
        tuple(
            matched(where, "promot", score) - matched(where, "fine-tuning", score) for where, score in others
        ),
        delta=2.0,
        delta_reason=_POINTS,
        preconditions=tuple(_able(where) for where, _ in others),
    )


_OTHERS = by_profile(
    MODEL_LEVELS, lambda levels: tuple((MODELS.on(task), level) for task, level in levels.items())
)

RULES: Rules = {
    "C1": by_profile(LEVELS, _loses_half),
    "C2": by_profile(LEVELS, _specialises),
    "C3a": at(
        MEASURED,
        Direction(
            _AT_FIRST - 0.9,
            delta=0.01,
            delta_reason="the paper's smallest value at the start is .96; .9 is the card's threshold",
        ),
    )
    | at(Profile.SMALL, NotComparable(alone(_AT_FIRST), reason=_NEW_TOKENS)),
    "C3b": at(
        MEASURED,
        Direction(
            0.3 - ALIGNMENT("fine-tuning", SATURATED_COSINE),
            delta=0.02,
            delta_reason="the paper's largest value at step 400 is .20; .3 is the card's threshold",
        ),
    ),
    "C4a": at(MEASURED, _on_par(ENTAILMENT)),
    "C4b": at(MEASURED, _beats_prompt(ENTAILMENT, chance=55.0)),
    "C4c": at(MEASURED, _on_par(TRANSLATION)) | _BRIEF,
    "C4d": at(MEASURED, _beats_prompt(TRANSLATION, chance=1.0))
    | at(Profile.SMALL, NotComparable(_PAST_A_PROMPT, reason=_A_FROZEN_START))
    | _BRIEF,
    "C4e": at(MEASURED, _on_par(ENTAILMENT, "fine-tuning-long")) | _BRIEF,
    "C5a": _avoids_half(ENTAILMENT, LEVELS),
    "C5b": _gains(ENTAILMENT),
    "C6a": _avoids_half(TRANSLATION, TRANSLATION_LEVELS),
    "C6b": _gains(TRANSLATION),
    "C7": _natural(related(TRANSLATION, "promot") - related(TRANSLATION, "pretrained")),
    "C8": _natural(held_out(ABLATIONS, "promot-1shot") - held_out(ENTAILMENT, "promot")),
    "C9": _natural(held_out(SEVERAL, "promot") - held_out(SEVERAL, "fine-tuning")),
    "C10": _like_fine_tuning("joint", "promot", LEVELS),
    "C11": _like_fine_tuning("random-prompt", "promot", SLOW_LEVELS),
    "C12": _like_fine_tuning("fine-tuning-1shot", "promot-1shot", SLOW_LEVELS),
    "C13": _natural(
        held_out(ENTAILMENT, "promot") - held_out(EXTRAS, "lora-first-4"),
        held_out(TRANSLATION, "promot") - held_out(EXTRAS, "lora-first-4"),
    ),
    "C14": by_profile(TRADE_OFF, _higher_curve),
    "C15": {profile: _everywhere(others) for profile, others in _OTHERS.items()} | _BRIEF,
    "C16": at(EVERY, NotComparable(_MOVED, reason=_EXACT)),
    "E1a": at(
        Profile.SMALL,
        Direction(
            held_out(GEMMA, "fine-tuning", FORMAT_SHARE) - held_out(GEMMA, "pretrained", FORMAT_SHARE) - 50.0,
            delta=2.0,
            delta_reason="beyond the fifty points that the contrast takes off, two points, as for C2",
            preconditions=(_able(GEMMA),),
        ),
    ),
    "E1b": at(
        Profile.SMALL, _above(held_out(GEMMA, "promot") - held_out(GEMMA, "fine-tuning"), 2.0, _able(GEMMA))
    ),
    "C17": at(MEASURED, _above(_LOWEST_FALLS, 2.0))
    | at(Profile.SMALL, NotComparable(_LOWEST_FALLS, reason=_ANY_TRAINING)),
}
