"""What runs under each profile.

``exact`` checks what is proved (all profiles). ``toy`` reads out a softmax regression of latent grades,
``embedded`` heads on MiniLM, ``prompted`` Gemma-3-270M, ``open`` its answers to open questions, ``sets``
sets of labels; ``raft`` and ``pretrained`` fine-tune small scorers, ``hidden`` what reads the last hidden
states of Gemma-3-270M (``small``). ``public`` asks Gemma-3-270M about
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
from methods.metric_aware.hidden import HiddenStates, HiddenTraining
from methods.metric_aware.label_sets import LabelTask
from methods.metric_aware.open_answers import OpenTask, Questions, SampledAnswers
from methods.metric_aware.prepare import GradedEmbeddings, PromptedGrades
from methods.metric_aware.sabotage import ScrambledStart
from methods.metric_aware.task import EmbeddedRatings, LatentTask, PromptedTask
from methods.metric_aware.training_method import FineTuned
from methods.metric_aware.training_task import LatentTraining, PretrainedScorer, RatedTraining, Training
from suites.metric_aware import arms
from suites.metric_aware.cells import (
    COMPARED,
    NOISES,
    ONLY_FULL,
    PROMPTED,
    WIDTHS,
)
from suites.metric_aware.public import flan, open_questions, public
from suites.metric_aware.seeds import (
    FIRST,
    FRESH,
    HIDDEN_SEEDS,
    HIDDEN_TUNING_SEEDS,
    MANY_PROMPTS,
)

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
        asked = (_open(), _prompted(), _hidden())
        return (*asked, _embedded(scale), _exact(60), _toy(scale), _sets(), *_scorers(scale))
    if scale.profile is Profile.GPU:
        return (*on_cpu([_exact(60)]), public(scale), open_questions(scale))
    return (*on_cpu([_exact(60)]), flan())


def _exact(count: int) -> Experiment:
    return Experiment(
        id="exact",
        title="What is proved, against brute force and automatic differentiation",
        tasks={family: Property(family=family, count=count) for family in _FAMILIES},
        methods={"closed-forms": ClosedForms()},
        **FIRST.own(1),
        unit="case",
    )


def _seeds(count: int, scale: Scale) -> tuple[int, ...]:
    return FRESH.take(2 * count if scale.full else count)


def _toy(scale: Scale) -> Experiment:
    return Experiment(
        id="toy",
        title="Read-outs of a softmax regression, grades of a noisy latent quality",
        tasks={name: LatentTask(noise=noise) for name, noise in NOISES.items()},
        methods=arms.read_outs(),
        # Nothing here is judged: a few seeds show it.
        seeds=_seeds(5, scale),
    )


def _embeddings() -> RatedTextEmbeddings:
    return RatedTextEmbeddings(encoder=MINILM, data=RATINGS, domain="amazon")


def _embedded(scale: Scale) -> Experiment:
    """All read-outs of linear heads; few of heads with hidden units."""
    seeds = _seeds(18, scale)
    methods = arms.read_outs()
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
        # Many draws of few texts, which are their own: prompts differ far more than texts do.
        answers = PromptedGrades(
            corpus=corpus,
            draws=MANY_PROMPTS,
            shots=10,
            held=8,
            test=12,
            own=True,
            at_once=20,
            batch=8,
        )
        tasks[domain] = PromptedTask(answers=answers, corpus=corpus)
    return Experiment(
        id="prompted",
        title="Read-outs of Gemma-3-270M after ten solved examples, human sentiment ratings",
        tasks=dict(tasks),
        methods={
            name: method for name, method in arms.read_outs(record=True).items() if name in arms.ASKED_OFTEN
        },
        seeds=MANY_PROMPTS,
        unit="text",
        minutes=30.0,
    )


def _hidden() -> Experiment:
    """All objectives on what Gemma-3-270M knows of a text before it grades it."""
    states = HiddenStates(seeds=(*HIDDEN_TUNING_SEEDS, *HIDDEN_SEEDS))
    return Experiment(
        id="hidden",
        title="Fine-tuning digits and heads on the last hidden states of Gemma-3-270M",
        tasks={"hidden": HiddenTraining(states=states)},
        methods=arms.tuned_on_states(),
        seeds=HIDDEN_SEEDS,
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
        methods=arms.text_methods(),
        **FIRST.own(1),
        unit="question",
        minutes=30.0,
    )


def _sets() -> Experiment:
    return Experiment(
        id="sets",
        title="Sets of labels from samples of a model that is right about its uncertainty",
        tasks={"mixture": LabelTask()},
        methods=arms.LABEL_SETS,
        seeds=FRESH.take(16),
    )


def _scorers(scale: Scale) -> tuple[Experiment, Experiment]:
    """All objectives where claims compare them, few elsewhere."""
    tasks: dict[str, Training] = {
        "well": LatentTraining(kind="linear"),
        "bent-1000": LatentTraining(),
        "bent-5000": LatentTraining(train=5000, valid=1000),
        "ratings": RatedTraining(embeddings=_embeddings()),
    }
    if scale.full:
        tasks["bent-20000"] = LatentTraining(train=20_000, valid=2000)
    else:
        tasks = {name: task for name, task in tasks.items() if name not in ONLY_FULL}
    judged = ("bent-5000", "ratings")
    more = ("raft-shuffled", "raft-ends", "raft-inner", *(f"{name}-late" for name in arms.LATE))
    raft = Experiment(
        id="raft",
        title="Fine-tuning small scorers on grades",
        tasks=dict(tasks),
        methods=arms.fine_tuned(),
        seeds=_seeds(8, scale),
        only=frozenset(
            (task, name) for task in tasks for name in (*COMPARED[task], *(more if task in judged else ()))
        ),
    )
    return raft, _pretrained(scale)


def _pretrained(scale: Scale) -> Experiment:
    """A small network that was pretrained on another world; trainings of a tenth of a second."""
    base = PretrainedScorer()
    small: dict[str, Any] = {"base": base, "hidden": base.hidden, "train": 200, "valid": 200}
    tasks: dict[str, Training] = {
        "pretrained": LatentTraining(noise=base.noise, **small),
        "random": LatentTraining(noise=base.noise, pretrained=False, **small),
        "scrambled": ScrambledStart(noise=base.noise, **small),
    }
    more = {
        "pretrained": ("raft-shuffled", "as-is-drawn", "ce-drawn", "ce-shuffled", "head-shuffled"),
        "random": ("raft-ends", "raft-inner"),
        "scrambled": (),
    }
    return Experiment(
        id="pretrained",
        title="Fine-tuning a small network that was pretrained on another world",
        tasks=dict(tasks),
        methods=arms.fine_tuned(),
        seeds=_seeds(24, scale),
        only=frozenset((task, name) for task in tasks for name in (*COMPARED[task], *more[task])),
    )


def _smoke_toy() -> Experiment:
    kept = ("greedy", "mode", "median", "mean", "sample-1", "sample-8", "constant-mean", "misplaced")
    found = arms.read_outs()
    return Experiment(
        id="toy",
        title="Read-outs of a softmax regression on few items",
        tasks={"noise-0.8": LatentTask(train=200, held=50, test=60)},
        methods={name: found[name] for name in kept},
        **FIRST.own(1),
    )


def _smoke_raft() -> Experiment:
    task = LatentTraining(train=100, valid=50, test=50)
    return Experiment(
        id="raft",
        title="A few steps of fine-tuning",
        tasks={"bent-1000": task},
        methods={name: FineTuned(objective=name, steps=20) for name in ("ce", "raft", "mbr", "head")},
        **FIRST.own(1),
    )
