"""The rules that decide the claims, with the card's thresholds, for the models of a profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harness.claims import (
    Cell,
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotComparable,
    Precondition,
    Profile,
    Share,
    Trend,
    difference,
)
from methods.il_bench.method import ACCURACY
from suites.il_bench.cells import (
    COUNTS,
    DEEP,
    DEPTHS,
    GEMMA,
    INSTRUCT,
    LARGER,
    NEURAL,
    QUESTIONED,
    SEARCHES,
    SEEDS,
    SERVED,
    SERVED_WEAKER,
    SHIFTED,
    SIZES,
    SURROGATE,
    TEMPLATES,
    Place,
    followed,
)


@dataclass(frozen=True)
class Models:
    """Where a profile compares methods.

    Attributes:
        weaker: Programs for the weaker executor.
        stronger: Programs for the stronger executor.
        deciding: The one that the claims rest on.
        searching: Where searches are compared with each other.
        written: Where a language model writes the instructions, and the depths of trees there.
        both: Both places again, with the depths of trees there.
        executors: The weaker and the stronger executor in the experiment on rule following.
    """

    weaker: Place
    stronger: Place
    deciding: Place
    searching: Place
    written: tuple[Place, tuple[int, ...]] | None
    both: tuple[tuple[Place, tuple[int, ...]], ...]
    executors: tuple[str, str]


SINGLES = ("best-of", "ape", "opro", "protegi", "long-6", "long-12", "long-24")
"""Single instructions to beat, short and long."""
MODELS = {
    Profile.SMALL: Models(
        weaker=LARGER,
        stronger=NEURAL,
        deciding=NEURAL,
        searching=SEARCHES,
        written=None,
        both=((LARGER, (2,)), (NEURAL, DEEP)),
        executors=("larger-transformer", "transformer"),
    ),
    Profile.GPU: Models(
        weaker=GEMMA,
        stronger=INSTRUCT,
        deciding=GEMMA,
        searching=GEMMA,
        written=(INSTRUCT, (2,)),
        both=((GEMMA, DEEP), (INSTRUCT, (2,))),
        executors=("gemma", "instruct"),
    ),
    Profile.PAPER: Models(
        weaker=SERVED_WEAKER,
        stronger=SERVED,
        deciding=SERVED,
        searching=SERVED,
        written=(SERVED, DEEP),
        both=((SERVED_WEAKER, DEEP), (SERVED, DEEP)),
        executors=("served-weaker", "served"),
    ),
}
"""By profile; ``smoke`` has exact claims only."""

POINTS = 0.05
POINTS_REASON = "the card's threshold: five inputs in a hundred"


def measured(make: Callable[[Models], Form]) -> Mapping[Profile, Form]:
    """The same rule in every profile that learns programs."""
    return {profile: make(models) for profile, models in MODELS.items()}


def beats_short(models: Models) -> Form:
    """LSP beats single instructions by the same learner, where that is a language model."""
    if models.written is None:
        return NotComparable(
            theta=SURROGATE.over("lsp", "best-of"),
            reason="The surrogate learner writes three rules and no more, which builds the result in. Read "
            "the figure on rule following beside it.",
        )
    place, depths = models.written
    return EveryCell(
        thetas=tuple(place.over("lsp", name, depths) for name in ("best-of", "long-12")),
        delta=POINTS,
        delta_reason=POINTS_REASON,
        replication=SEEDS,
        preconditions=(follows(place, depths),),
    )


def beats_singles(models: Models) -> EveryCell:
    """LSP beats every search for a single instruction, of any length, on the deeper trees."""
    return EveryCell(
        thetas=tuple(models.deciding.over("lsp", name) for name in SINGLES),
        delta=POINTS,
        delta_reason=POINTS_REASON,
        replication=SEEDS,
        preconditions=(follows(models.deciding),),
    )


def grows_with_depth(models: Models) -> Trend:
    """The gap to the best single instruction does not shrink from depth to depth.

    The gap to all of them together stands for it, which is no smaller.
    """
    return Trend(
        points=tuple((float(depth), _gap(models, depth)) for depth in DEPTHS),
        delta=0.02,
        delta_reason="two points a level: a growth that a reader would see",
        step_margin=POINTS,
        replication=SEEDS,
        preconditions=(follows(models.deciding),),
    )


def _gap(models: Models, depth: int) -> Contrast:
    share = 1 / len(SINGLES)
    place = models.deciding
    return Contrast(((1.0, place.of("lsp", depth)), *((-share, place.of(name, depth)) for name in SINGLES)))


def follows(place: Place, depths: tuple[int, ...] = DEEP) -> Precondition:
    """Precondition: programs are followed well enough to be worth comparing."""
    untaught = place.over("lsp", "zero-shot", depths)
    return Precondition(
        name="programs are followed",
        theta=untaught,
        above=0.1,
        reason="an executor that does not follow rules cannot tell one program from another",
    )


def transfers(place: Callable[[Models], Place]) -> Callable[[Models], Form]:
    """Another executor keeps two thirds of what a program gains: its loss is at most half of its gain.

    With a the accuracy of the executor that the program was learnt with, b of the other one and z of
    the other one without a program: a − b ≤ ½ (b − z) is b − z ≥ ⅔ (a − z).
    """

    def make(models: Models) -> Share:
        where, depth = place(models), 2
        untaught = where.of("zero-shot", depth, "transfer")
        return Share(
            a=where.of("lsp", depth, "transfer"),
            b=untaught,
            c=where.of("lsp", depth),
            d=untaught,
            ratio=2 / 3,
            delta=0.02,
            delta_reason="the contrast already takes off two thirds of the gain; two points beyond that",
            replication=SEEDS,
            denominator_delta=0.1,
        )

    return make


def stronger_reads_as_well(models: Models) -> NonInferiority:
    """A stronger executor follows a program at least as well as the one it was learnt with."""
    return NonInferiority(
        theta=difference(models.weaker.of("lsp", 2, "transfer"), models.weaker.of("lsp", 2)),
        margin=0.02,
        margin_reason="two inputs in a hundred",
        replication=SEEDS,
        preconditions=(_stronger(models),),
    )


def _stronger(models: Models) -> Precondition:
    weaker, stronger = models.executors
    share = 1 / len(COUNTS)
    return Precondition(
        name="the other executor is stronger",
        theta=Contrast(
            tuple(
                (sign * share, followed(name, rules))
                for rules in COUNTS
                for sign, name in ((1.0, stronger), (-1.0, weaker))
            )
        ),
        above=0.0,
        reason="it must follow lists of rules better, of any length on average",
    )


def holds_up(parts: tuple[str, ...], baseline: str) -> Callable[[Models], Form]:
    """Accuracy falls less than a baseline's under shifts."""
    share = 1 / len(parts)

    def make(models: Models) -> Direction:
        del models
        place = SHIFTED
        terms = []
        for sign, name in ((1.0, "lsp"), (-1.0, baseline)):
            terms += [(sign * share, place.of(name, 2, part)) for part in parts]
            terms.append((-sign, place.of(name, 2)))
        return Direction(
            theta=Contrast(tuple(terms)),
            delta=POINTS,
            delta_reason=POINTS_REASON,
            replication=SEEDS,
            preconditions=(_has_something_to_lose(place, baseline),),
        )

    return make


def holds_up_elsewhere(models: Models) -> Form:
    """The same under other templates, where the executor has to read them."""
    form = holds_up(TEMPLATES, "minilm-knn")(models)
    if models.written is None and isinstance(form, Direction):
        return NotComparable(
            theta=form.theta,
            reason="The small executor's tokens are variables and values in any template, so that it cannot "
            "lose anything.",
        )
    return form


def _has_something_to_lose(place: Place, baseline: str) -> Precondition:
    return Precondition(
        name=f"{baseline} has learnt something",
        theta=difference(place.of(baseline, 2), place.of("majority", 2)),
        above=0.05,
        reason="what is no better than the most frequent label cannot fall",
    )


def errors_lead(other: str) -> Callable[[Models], Form]:
    """Expanding the leaf with most errors beats another order of expansions."""

    def make(models: Models) -> Direction:
        return Direction(
            theta=models.searching.over("lsp", other),
            delta=0.03,
            delta_reason="the card's threshold: three inputs in a hundred",
            replication=SEEDS,
        )

    return make


def expansions_help(models: Models) -> Direction:
    """Programs beat their first module on test inputs."""
    return Direction(
        theta=models.searching.over("lsp", "lsp-one"),
        delta=POINTS,
        delta_reason=POINTS_REASON,
        replication=SEEDS,
    )


def expansions_saturate(models: Models) -> Direction:
    """The first half of the expansions gains more than the second, on trees of depth 2."""
    place = models.searching
    return Direction(
        theta=Contrast(
            (
                (2.0, place.of("lsp-half", 2)),
                (-1.0, place.of("lsp-one", 2)),
                (-1.0, place.of("lsp", 2)),
            )
        ),
        delta=POINTS,
        delta_reason=POINTS_REASON,
        replication=SEEDS,
    )


def never_falls(models: Models) -> Exact:
    """Training accuracy never falls from one expansion to the next."""
    return Exact(
        cells=tuple(models.searching.of("lsp", depth, "growth") for depth in DEEP),
        oracle="every program of the search, applied to the training items one by one",
        min_cases=10,
    )


def at_chance(models: Models) -> Equivalence:
    """Without examples an executor is right as often as a guess, on average over trees and names."""
    del models
    share = 1 / len(DEPTHS)
    chance = sum(share / SIZES[depth][1] for depth in DEPTHS)
    return Equivalence(
        theta=Contrast(
            tuple((share, QUESTIONED.of("zero-shot", depth)) for depth in DEPTHS), constant=chance
        ),
        margin=0.1,
        margin_reason="one input in ten; programs gain several times that",
        replication=SEEDS,
        preconditions=(follows(QUESTIONED),),
    )


def holds_for_both(models: Models) -> EveryCell:
    """LSP beats the best of many short instructions and one long one, with either executor."""
    return EveryCell(
        thetas=tuple(
            place.over("lsp", name, depths)
            for place, depths in models.both
            for name in ("best-of", "long-12")
        ),
        delta=POINTS,
        delta_reason=POINTS_REASON,
        replication=SEEDS,
    )


def shown(theta: Callable[[Models], Contrast], reason: str) -> Callable[[Models], Form]:
    """A proxy: measured, and never counted."""
    return lambda models: NotComparable(theta=theta(models), reason=reason)


def summarising_helps(models: Models) -> Form:
    """Modules that read the data beat modules that do not."""
    if models.written is None:
        return NotComparable(
            theta=models.searching.over("lsp", "lsp-paraphrase"),
            reason="The surrogate's paraphrases change a rule blindly; how good they are is our choice.",
        )
    place, depths = models.written
    return Direction(
        theta=place.over("lsp", "lsp-paraphrase", depths),
        delta=POINTS,
        delta_reason=POINTS_REASON,
        replication=SEEDS,
    )


def smoke_never_falls() -> Exact:
    """The same on one small tree."""
    return replace(never_falls(MODELS[Profile.SMALL]), cells=(SEARCHES.of("lsp", 2, "growth"),), min_cases=2)


def representable() -> Exact:
    """Every hidden tree has an equal program of short modules."""
    return Exact(
        cells=(Cell("expressive", "written", ACCURACY, task="trees"),),
        oracle="a second reading of the printed program, on every input",
        min_cases=20,
    )
