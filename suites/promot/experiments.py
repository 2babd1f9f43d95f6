"""What runs under each profile.

The same experiment ids are used everywhere: ``entailment`` and ``translation`` tune on one target,
``several`` on both, ``models`` repeats the core comparison elsewhere, ``extras`` adds what else keeps
a model from forgetting. Under ``small`` they speak of models pretrained from scratch on a formal
language, under ``gpu`` of Gemma-3-270M, under ``paper`` of the paper's models.

``gpu`` makes the core comparison on two targets. It is planned for ten minutes on one large GPU by an
estimate, not by a measurement: launching kernels takes some 50 ms an update or generated token, so 60
updates take 3 s, answers to all questions 3 to 6 s, and the 70 trials 4 to 16 s each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Method, Task
from harness.method.sizes import Mode, activations_gb, model_gb
from harness.suite import Experiment, Scale, Tuned
from methods.promot.formats import FormatWorld
from methods.promot.method import LoraFirst, Pretrained, PromptTuning
from methods.promot.prepare import DECODER, ENCODER_DECODER, OTHER_DECODER, FormatModel
from suites.promot import arms, texts

TINY = FormatModel(layers=1, hidden=16, heads=2, steps=5, batch=4)
"""For ``smoke``: knows nothing."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a scale."""
    size = arms.size_of(scale)
    if scale.profile is Profile.SMOKE:
        return (_smoke(size),)
    seeds = _seeds(10 if scale.full else 5)
    if scale.profile is Profile.SMALL:
        return (
            _several(
                size,
                FormatWorld(model=DECODER, targets=("entailment", "translation")),
                _seeds(1),
                wide=scale.full,
            ),
            _entailment(size, FormatWorld(model=DECODER), seeds),
            # Scores at the ceiling are equal in all seeds, and five equal seeds decide nothing.
            _translation(
                size, FormatWorld(model=DECODER, targets=("translation",)), _seeds(10 if scale.full else 6)
            ),
            _models(
                size,
                {"encoder-decoder": FormatWorld(model=ENCODER_DECODER)}
                | ({"other-decoder": FormatWorld(model=OTHER_DECODER)} if scale.full else {}),
                seeds,
            ),
            _extras(
                size,
                FormatWorld(model=DECODER),
                _seeds(5 if scale.full else 1),
                wide=scale.full,
                replay=True,
            ),
        )
    entailment, translation = texts.worlds(scale.profile)
    if scale.profile is Profile.GPU:
        return (
            _brief(_entailment(size, entailment, seeds, minutes=30.0), ABLATIONS),
            _brief(_translation(size, translation, seeds, minutes=30.0), ("prompt-tuning",)),
        )
    minutes = 24 * 60.0
    planned = (
        _entailment(size, entailment, seeds, minutes=minutes),
        _translation(size, translation, seeds, minutes=minutes),
        _several(size, texts.both(), seeds, wide=True, minutes=minutes),
        _models(size, texts.elsewhere(), seeds, minutes=minutes),
        _extras(size, translation, seeds, wide=True, minutes=minutes),
    )
    return tuple(_with_needs(experiment) for experiment in planned)


def _with_needs(experiment: Experiment) -> Experiment:
    """What the paper's models need: 13 billion parameters, or 3.7, of which all are trained or a prompt."""
    needs = {}
    task: Any
    for task_id, task in experiment.tasks.items():
        billions, width = texts.SHAPES[task.model.name]
        # A few rows of 1,024 tokens at a time, layers computed again, and logits of short answers;
        # an update takes several such passes.
        beside = 2.0 + activations_gb(4 * 1024, width=width, layers=48, checkpointed=True)
        for name, method in experiment.methods.items():
            mode: Mode = "adapter" if _keeps_the_model(method) else "full"
            needs[task_id, name] = model_gb(billions, mode, optimizer="adafactor", passes=8, beside_gb=beside)
    return replace(experiment, memory_gb=48.0, device_gb=needs)


def _keeps_the_model(method: Method[Any, Any] | Tuned) -> bool:
    """Whether a method trains no weights of the model itself."""
    plain = method.method if isinstance(method, Tuned) else method
    return isinstance(plain, Pretrained | PromptTuning) or (isinstance(plain, LoraFirst) and plain.frozen)


ABLATIONS = tuple(arms.ablations(arms.SIZES[Profile.SMALL]))


def _brief(experiment: Experiment, without: Collection[str]) -> Experiment:
    """The experiment without some of its methods."""
    kept = {name: method for name, method in experiment.methods.items() if name not in without}
    return replace(experiment, methods=kept)


def _seeds(count: int) -> tuple[int, ...]:
    # Seeds from 100 to 399 were seen while settings changed.
    return tuple(range(400, 400 + count))


def _smoke(size: arms.Size) -> Experiment:
    task = FormatWorld(model=TINY, train=24, validation=6, test=6, items=2, shots=(1,))
    return Experiment(
        id="entailment",
        title="A model that knows nothing is tuned on a true-or-false task",
        tasks={"entailment": task},
        methods=arms.core(size),
        seeds=_seeds(1),
        unit="question",
    )


def _entailment(
    size: arms.Size, task: Task[Any, Any], seeds: tuple[int, ...], *, minutes: float = 10.0
) -> Experiment:
    return Experiment(
        id="entailment",
        title="Tuning on a true-or-false task, and what becomes of other tasks",
        tasks={"entailment": task},
        methods={**arms.core(size), **arms.ablations(size), **arms.sabotages(size)},
        seeds=seeds,
        unit="question",
        minutes=minutes,
    )


def _translation(
    size: arms.Size, task: Task[Any, Any], seeds: tuple[int, ...], *, minutes: float = 10.0
) -> Experiment:
    return Experiment(
        id="translation",
        title="Tuning on translation, and what becomes of other tasks",
        tasks={"translation": task},
        methods=arms.core(arms.for_translation(size)),
        seeds=seeds,
        unit="question",
        minutes=minutes,
    )


def _several(
    size: arms.Size, task: Task[Any, Any], seeds: tuple[int, ...], *, wide: bool, minutes: float = 10.0
) -> Experiment:
    return Experiment(
        id="several",
        title="Two target tasks at once, or one after the other",
        tasks={"both": task},
        methods=arms.several(size, wide=wide),
        seeds=seeds,
        unit="question",
        minutes=minutes,
    )


def _models(
    size: arms.Size, tasks: Mapping[str, Task[Any, Any]], seeds: tuple[int, ...], *, minutes: float = 10.0
) -> Experiment:
    core = arms.core(replace(size, rates=(size.model.get("rate", size.rates[0]),)))
    return Experiment(
        id="models",
        title="The core comparison with other models and targets",
        tasks=tasks,
        methods={name: core[name] for name in ("pretrained", "fine-tuning", "promot")},
        seeds=seeds,
        unit="question",
        minutes=minutes,
    )


def _extras(
    size: arms.Size,
    task: Task[Any, Any],
    seeds: tuple[int, ...],
    *,
    wide: bool,
    replay: bool = False,
    minutes: float = 10.0,
) -> Experiment:
    return Experiment(
        id="extras",
        title="LoRA in the prompt's place, and other remedies against forgetting",
        tasks={"target": task},
        methods=arms.extras(size, wide=wide, replay=replay),
        seeds=seeds,
        unit="question",
        minutes=minutes,
    )
