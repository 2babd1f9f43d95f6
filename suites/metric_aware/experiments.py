"""What runs under each profile.

``exact`` checks what is proved (all profiles). ``toy`` reads out a softmax regression of latent grades,
``embedded`` heads on MiniLM, ``prompted`` Gemma-3-270M, ``open`` its answers to open questions, ``sets``
sets of labels, and ``raft`` fine-tunes small scorers (``small``). ``public`` asks Gemma-3-270M about
public data (``gpu``), ``flan`` asks FLAN-T5 about the paper's sets (``paper``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from harness.claims import Profile
from harness.method import Method
from harness.suite import Experiment, Scale, Tuned, on_cpu
from methods.common.minilm import MINILM, RatedTextEmbeddings
from methods.common.ratings import RATINGS
from methods.metric_aware.corpora import Corpus
from methods.metric_aware.exact import ClosedForms, Property
from methods.metric_aware.label_sets import LabelSets, LabelTask
from methods.metric_aware.method import (
    Blind,
    Constant,
    Enumerated,
    Greedy,
    Misplaced,
    Sampled,
    SelfConsistency,
)
from methods.metric_aware.metrics import RMSE
from methods.metric_aware.open_answers import (
    GreedyText,
    MinimumRisk,
    MostFrequent,
    OneSample,
    OpenTask,
    Questions,
    SampledAnswers,
)
from methods.metric_aware.prepare import GradedEmbeddings, PromptedGrades
from methods.metric_aware.task import EmbeddedRatings, LatentTask, PromptedTask
from methods.metric_aware.training_method import AsIs, FineTuned
from methods.metric_aware.training_task import LatentTraining, PretrainedScorer, RatedTraining
from suites.metric_aware.cells import (
    COUNTS,
    EMBEDDED,
    EMBEDDED_SEEDS,
    NOISES,
    OBJECTIVES,
    ONLY_FULL,
    OPEN_SEED,
    PROMPT_SEEDS,
    PROMPTED,
    TEMPERATURES,
    TOY_SEEDS,
    TRAINING_SEEDS,
    TUNING_SEED,
    WIDTHS,
    at,
    sampled,
)

FAMILIES: tuple[Literal["rules", "lemmas", "losses", "ends", "sets"], ...] = (
    "rules",
    "lemmas",
    "losses",
    "ends",
    "sets",
)
RATES = (0.001, 0.004, 0.016, 0.064)
"""Learning rates tried for every objective and task, on a seed of its own."""
PAIRS = ("ce", "raft", "head")
"""Objectives that are run everywhere."""
LATE = ("ce", "raft", "mbr")
"""Objectives that are also trained to the last step."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (_exact(15), _smoke_toy(), _smoke_raft())
    if scale.profile is Profile.SMALL:
        return (_open(), _prompted(), _embedded(scale), _exact(60), _toy(scale), _sets(), _raft(scale))
    from suites.metric_aware.public import flan, open_questions, public

    if scale.profile is Profile.GPU:
        return (*on_cpu([_exact(60)]), public(read_outs(), scale), open_questions(scale))
    return (*on_cpu([_exact(60)]), flan(read_outs()))


def read_outs(*, record: bool = False) -> dict[str, Method[Any, Any]]:
    """All read-outs of one set of distributions, by id; ``record`` keeps the calls once."""
    found: dict[str, Method[Any, Any]] = {
        "greedy": Greedy(),
        "mode": Enumerated(rule="mode", record=record),
        "median": Enumerated(rule="median"),
        "mean": Enumerated(),
        "probability": Enumerated(rule="probability"),
        "consistency": SelfConsistency(),
        "fitted": Enumerated(fit="likelihood"),
        "line": Enumerated(fit="line"),
        "constant-mean": Constant(),
        "constant-median": Constant(rule="median"),
        "misplaced": Misplaced(),
        "misplaced-median": Misplaced(rule="median"),
        "misplaced-probability": Misplaced(rule="probability"),
        "blind": Blind(),
    }
    found |= {sampled(count): Sampled(count=count) for count in COUNTS}
    found |= {at(t): Enumerated(temperature=t) for t in TEMPERATURES if t != 1.0}
    return found


def _exact(count: int) -> Experiment:
    return Experiment(
        id="exact",
        title="What is proved, against brute force and automatic differentiation",
        tasks={family: Property(family=family, count=count) for family in FAMILIES},
        methods={"closed-forms": ClosedForms(), "exchanged-forms": ClosedForms(broken=True)},
        seeds=(100,),
        unit="case",
    )


def _seeds(seeds: tuple[int, ...], scale: Scale) -> tuple[int, ...]:
    return tuple(range(seeds[0], seeds[0] + 2 * len(seeds))) if scale.full else seeds


def _toy(scale: Scale) -> Experiment:
    return Experiment(
        id="toy",
        title="Read-outs of a softmax regression, grades of a noisy latent quality",
        tasks={name: LatentTask(noise=noise) for name, noise in NOISES.items()},
        methods=read_outs(),
        seeds=_seeds(TOY_SEEDS, scale),
    )


def _embeddings(domain: str) -> RatedTextEmbeddings:
    return RatedTextEmbeddings(encoder=MINILM, data=RATINGS, domain=domain)


def _embedded(scale: Scale) -> Experiment:
    """All read-outs of linear heads; few of heads with hidden units."""
    seeds = _seeds(EMBEDDED_SEEDS, scale)
    tasks, pairs = {}, set()
    methods = read_outs()
    for domain in EMBEDDED:
        for name, width in WIDTHS.items():
            task = domain if not width else f"{domain}-{name}"
            scores = GradedEmbeddings(domain=domain, embeddings=_embeddings(domain), draws=seeds, width=width)
            tasks[task] = EmbeddedRatings(scores=scores)
            few = ("mode", "median", "mean", "constant-mean", "sample-1", "misplaced-median")
            pairs |= {(task, method) for method in (few if width else methods)}
    return Experiment(
        id="embedded",
        title="Read-outs of heads on sentence embeddings, human sentiment ratings",
        tasks=dict(tasks),
        methods=methods,
        seeds=seeds,
        unit="text",
        only=frozenset(pairs),
    )


def _prompted() -> Experiment:
    tasks = {}
    for domain in PROMPTED:
        corpus = Corpus(part=domain)
        # More draws of fewer texts: prompts differ far more than texts do.
        answers = PromptedGrades(corpus=corpus, draws=PROMPT_SEEDS, held=20, test=50)
        tasks[domain] = PromptedTask(answers=answers, corpus=corpus)
    return Experiment(
        id="prompted",
        title="Read-outs of Gemma-3-270M after six solved examples, human sentiment ratings",
        tasks=dict(tasks),
        methods=read_outs(record=True),
        seeds=PROMPT_SEEDS,
        unit="text",
        minutes=30.0,
    )


def text_methods() -> dict[str, Method[Any, Any]]:
    """Read-outs of sampled texts."""
    return {
        "greedy": GreedyText(record=True),
        "one-sample": OneSample(),
        "most-frequent": MostFrequent(),
        "mbr-f1": MinimumRisk(),
        "mbr-misplaced": MinimumRisk(misplaced=True),
    }


def _open() -> Experiment:
    questions = Questions()
    answers = SampledAnswers(questions=questions, draws=(OPEN_SEED,))
    return Experiment(
        id="open",
        title="Answers of Gemma-3-270M to open questions: official names of countries",
        tasks={"countries": OpenTask(answers=answers, questions=questions)},
        methods=text_methods(),
        seeds=(OPEN_SEED,),
        unit="question",
        minutes=30.0,
    )


def _sets() -> Experiment:
    return Experiment(
        id="sets",
        title="Sets of labels from samples of a model that is right about its uncertainty",
        tasks={"mixture": LabelTask()},
        methods={
            "f1": LabelSets(),
            "hamming": LabelSets(rule="hamming"),
            "mode": LabelSets(rule="mode"),
            "misplaced": LabelSets(rule="misplaced"),
        },
        seeds=TOY_SEEDS,
    )


def _training_tasks(scale: Scale) -> dict[str, LatentTraining | RatedTraining]:
    base = PretrainedScorer()
    small: dict[str, Any] = {"base": base, "hidden": base.hidden, "train": 200, "valid": 200}
    found: dict[str, LatentTraining | RatedTraining] = {
        "well": LatentTraining(kind="linear"),
        "bent-1000": LatentTraining(),
        "bent-5000": LatentTraining(train=5000, valid=1000),
        "pretrained": LatentTraining(noise=base.noise, **small),
        "random": LatentTraining(noise=base.noise, pretrained=False, **small),
        "ratings": RatedTraining(embeddings=_embeddings("amazon")),
    }
    if scale.full:
        return {**found, "bent-20000": LatentTraining(train=20_000, valid=2000)}
    return {name: task for name, task in found.items() if name not in ONLY_FULL}


def _raft(scale: Scale) -> Experiment:
    """All objectives where claims compare them, few elsewhere."""
    tasks = _training_tasks(scale)
    methods: dict[str, Any] = {name: _tuned(name) for name in OBJECTIVES}
    broken = {
        "raft-shuffled": FineTuned(labels="shuffled"),
        "ce-shuffled": FineTuned(objective="ce", labels="shuffled"),
        "head-shuffled": FineTuned(objective="head", labels="shuffled"),
        "raft-inner": _tuned("raft", digits="inner"),
        "ce-mode": FineTuned(objective="ce", read="mode"),
        "as-is-mode": AsIs(read="mode"),
    }
    methods |= {f"{name}-late": _tuned(name, early=False, watched=48) for name in LATE}
    methods |= {"raft-ends": _tuned("raft", digits="ends"), "as-is": AsIs(), **broken}
    only = {(task, name) for task in tasks for name in PAIRS}
    full = [task for task in tasks if task in ("bent-5000", "pretrained", "ratings")]
    only |= {(task, name) for task in full for name in (*OBJECTIVES, "raft-shuffled")}
    only |= {(task, "mbr") for task in ONLY_FULL if task in tasks}
    only |= {(task, f"{name}-late") for task in ("bent-5000", "ratings") for name in LATE}
    only |= {
        (task, name) for task in ("bent-5000", "ratings", "random") for name in ("raft-ends", "raft-inner")
    }
    only |= {
        ("pretrained", name) for name in ("as-is", "as-is-mode", "ce-mode", "ce-shuffled", "head-shuffled")
    }
    return Experiment(
        id="raft",
        title="Fine-tuning small scorers on grades",
        tasks=dict(tasks),
        methods=methods,
        seeds=_seeds(TRAINING_SEEDS, scale),
        only=frozenset(only),
    )


def _tuned(objective: Any, **changes: Any) -> Tuned:
    method = FineTuned(objective=objective, **changes)
    return Tuned(method=method, grid={"rate": RATES}, select=RMSE, seeds=(TUNING_SEED,))


def _smoke_toy() -> Experiment:
    kept = ("greedy", "mode", "median", "mean", "sample-1", "sample-8", "constant-mean", "misplaced")
    found = read_outs()
    return Experiment(
        id="toy",
        title="Read-outs of a softmax regression on few items",
        tasks={"noise-0.8": LatentTask(train=200, held=50, test=60)},
        methods={name: found[name] for name in kept},
        seeds=(100,),
    )


def _smoke_raft() -> Experiment:
    task = LatentTraining(train=100, valid=50, test=50)
    methods: Mapping[str, FineTuned] = {
        name: FineTuned(objective=name, steps=20) for name in ("ce", "raft", "mbr", "head")
    }
    return Experiment(
        id="raft",
        title="A few steps of fine-tuning",
        tasks={"bent-1000": task},
        methods=dict(methods),
        seeds=(100,),
    )
