"""What runs under each profile.

``exact`` checks what is proved (all profiles). ``toy`` reads out a softmax regression of latent grades,
``embedded`` heads on MiniLM, ``prompted`` Gemma-3-270M, ``open`` its answers to open questions, ``sets``
sets of labels, and ``raft`` fine-tunes small scorers (``small``). ``public`` asks Gemma-3-270M about
public data (``gpu``), ``flan`` asks FLAN-T5 about the paper's sets (``paper``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from harness.claims import Profile
from harness.suite import Experiment, Scale, on_cpu
from methods.common.minilm import MINILM, RatedTextEmbeddings
from methods.common.ratings import RATINGS
from methods.metric_aware.corpora import Corpus
from methods.metric_aware.exact import ClosedForms, Property
from methods.metric_aware.label_sets import LabelTask
from methods.metric_aware.open_answers import OpenTask, Questions, SampledAnswers
from methods.metric_aware.prepare import GradedEmbeddings, PromptedGrades
from methods.metric_aware.sabotage import ScrambledStart
from methods.metric_aware.task import EmbeddedRatings, LatentTask, PromptedTask
from methods.metric_aware.training_method import FineTuned
from methods.metric_aware.training_task import LatentTraining, PretrainedScorer, RatedTraining
from suites.metric_aware.arms import LABEL_SETS, LATE, fine_tuned, read_outs, text_methods
from suites.metric_aware.cells import (
    COMPARED,
    FIRST,
    FRESH,
    NOISES,
    ONLY_FULL,
    PROMPT_SEEDS,
    PROMPTED,
    WIDTHS,
)
from suites.metric_aware.public import flan, open_questions, public

_FAMILIES: tuple[Literal["rules", "lemmas", "losses", "ends", "sets"], ...] = (
    "rules",
    "lemmas",
    "losses",
    "ends",
    "sets",
)


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (_exact(15), _smoke_toy(), _smoke_raft())
    if scale.profile is Profile.SMALL:
        return (_open(), _prompted(), _embedded(scale), _exact(60), _toy(scale), _sets(), _raft(scale))
    if scale.profile is Profile.GPU:
        return (*on_cpu([_exact(60)]), public(scale), open_questions(scale))
    return (*on_cpu([_exact(60)]), flan())


def _exact(count: int) -> Experiment:
    return Experiment(
        id="exact",
        title="What is proved, against brute force and automatic differentiation",
        tasks={family: Property(family=family, count=count) for family in _FAMILIES},
        methods={"closed-forms": ClosedForms()},
        seeds=FIRST.take(1),
        first_seed=FIRST,
        unit="case",
    )


def _seeds(count: int, scale: Scale) -> tuple[int, ...]:
    return FRESH.take(2 * count if scale.full else count)


def _toy(scale: Scale) -> Experiment:
    return Experiment(
        id="toy",
        title="Read-outs of a softmax regression, grades of a noisy latent quality",
        tasks={name: LatentTask(noise=noise) for name, noise in NOISES.items()},
        methods=read_outs(),
        seeds=_seeds(16, scale),
    )


def _embeddings() -> RatedTextEmbeddings:
    return RatedTextEmbeddings(encoder=MINILM, data=RATINGS, domain="amazon")


def _embedded(scale: Scale) -> Experiment:
    """All read-outs of linear heads; few of heads with hidden units."""
    seeds = _seeds(12, scale)
    methods = read_outs()
    few = ("mode", "median", "mean", "constant-mean", "sample-1", "misplaced-median")
    heads = {
        task: GradedEmbeddings(domain="amazon", embeddings=_embeddings(), draws=seeds, width=width)
        for task, width in WIDTHS.items()
    }
    return Experiment(
        id="embedded",
        title="Read-outs of heads on sentence embeddings, human sentiment ratings",
        tasks={task: EmbeddedRatings(scores=scores) for task, scores in heads.items()},
        methods=methods,
        seeds=seeds,
        unit="text",
        only=frozenset(
            (task, name) for task, width in WIDTHS.items() for name in (few if width else methods)
        ),
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


def _open() -> Experiment:
    questions = Questions()
    answers = SampledAnswers(questions=questions, draws=FIRST.take(1))
    return Experiment(
        id="open",
        title="Answers of Gemma-3-270M to open questions: official names of countries",
        tasks={"countries": OpenTask(answers=answers, questions=questions)},
        methods=text_methods(),
        seeds=FIRST.take(1),
        first_seed=FIRST,
        unit="question",
        minutes=30.0,
    )


def _sets() -> Experiment:
    return Experiment(
        id="sets",
        title="Sets of labels from samples of a model that is right about its uncertainty",
        tasks={"mixture": LabelTask()},
        methods=LABEL_SETS,
        seeds=FRESH.take(16),
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
        "ratings": RatedTraining(embeddings=_embeddings()),
        "scrambled": ScrambledStart(noise=base.noise, **small),
    }
    if scale.full:
        return {**found, "bent-20000": LatentTraining(train=20_000, valid=2000)}
    return {name: task for name, task in found.items() if name not in ONLY_FULL}


def _raft(scale: Scale) -> Experiment:
    """All objectives where claims compare them, few elsewhere."""
    tasks = _training_tasks(scale)
    only = {(task, name) for task in tasks for name in COMPARED[task]}
    only |= {(task, "raft-shuffled") for task in ("bent-5000", "pretrained", "ratings")}
    only |= {(task, f"{name}-late") for task in ("bent-5000", "ratings") for name in LATE}
    only |= {
        (task, name) for task in ("bent-5000", "ratings", "random") for name in ("raft-ends", "raft-inner")
    }
    only |= {("pretrained", name) for name in ("as-is-drawn", "ce-drawn", "ce-shuffled", "head-shuffled")}
    return Experiment(
        id="raft",
        title="Fine-tuning small scorers on grades",
        tasks=dict(tasks),
        methods=fine_tuned(),
        seeds=_seeds(8, scale),
        only=frozenset(only),
    )


def _smoke_toy() -> Experiment:
    kept = ("greedy", "mode", "median", "mean", "sample-1", "sample-8", "constant-mean", "misplaced")
    found = read_outs()
    return Experiment(
        id="toy",
        title="Read-outs of a softmax regression on few items",
        tasks={"noise-0.8": LatentTask(train=200, held=50, test=60)},
        methods={name: found[name] for name in kept},
        seeds=FIRST.take(1),
        first_seed=FIRST,
    )


def _smoke_raft() -> Experiment:
    task = LatentTraining(train=100, valid=50, test=50)
    return Experiment(
        id="raft",
        title="A few steps of fine-tuning",
        tasks={"bent-1000": task},
        methods={name: FineTuned(objective=name, steps=20) for name in ("ce", "raft", "mbr", "head")},
        seeds=FIRST.take(1),
        first_seed=FIRST,
    )
