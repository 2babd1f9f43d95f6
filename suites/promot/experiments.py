"""What runs under each profile.

The same experiment ids are used everywhere: ``entailment`` and ``translation`` tune on one target,
``several`` on both, ``models`` repeats the core comparison elsewhere, ``extras`` adds what else keeps
a model from forgetting. Under ``small`` they speak of models pretrained from scratch on a formal
language, under ``gpu`` of Gemma-3-270M, under ``paper`` of the paper's models.

``gpu`` makes the core comparison on two targets. It is planned for fourteen minutes on one large GPU by an
estimate, not by a measurement: launching kernels takes some 50 ms an update or generated token, so 60
updates take 3 s, answers to all questions 3 to 6 s, and the 85 trials 4 to 16 s each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Method, Resource, Task
from harness.method.footprint import Use
from harness.method.sizes import Mode, activations_gb, model_gb
from harness.suite import Experiment, FirstSeed, Methods, Scale, Tuned
from methods.promot.formats import FormatWorld
from methods.promot.method import LoraFirst, Pretrained, PromptTuning
from methods.promot.prepare import DECODER, ENCODER_DECODER, OTHER_DECODER, FormatModel
from suites.promot import arms, texts

FIRST = FirstSeed(500, "Seeds from 100 to 499 were seen while settings changed.")
SEEDS = 7
"""Under ``small``, of each target."""
FEWER = 5
"""Of variants of ProMoT, and of another architecture."""
TINY = FormatModel(layers=1, hidden=16, heads=2, steps=5, batch=4)
"""For ``smoke``: knows nothing."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a scale."""
    size = arms.size_of(scale)
    if scale.profile is Profile.SMOKE:
        return (_smoke(size),)
    if scale.profile is Profile.SMALL:
        return _formal(size, full=scale.full)
    seeds = FIRST.take(10 if scale.full else 5)
    entailment, translation = texts.worlds(scale.profile)
    core = (
        _entailment(size, entailment, seeds, natural=True),
        _translation(size, translation, seeds),
    )
    if scale.profile is Profile.GPU:
        return _brief(core[0], arms.as_long_as_both(size)), _brief(
            core[1], ("prompt-tuning", "promot-shuffled")
        )
    planned = (
        *core,
        _ablations(size, entailment, seeds, wide=True),
        _several(size, texts.both(), seeds, wide=True),
        _models(size, texts.elsewhere(), seeds),
        _extras(arms.extras(size, wide=True), translation, seeds),
    )
    return tuple(_with_needs(experiment) for experiment in planned)


def _formal(size: arms.Size, *, full: bool) -> Sequence[Experiment]:
    """Models pretrained on a formal language."""
    task = FormatWorld(model=DECODER)
    models = {"encoder-decoder": FormatWorld(model=ENCODER_DECODER)}
    if full:
        models["other-decoder"] = FormatWorld(model=OTHER_DECODER)
    both, late = replace(task, targets=("entailment", "translation")), arms.to_the_ceiling(size)
    seeds, fewer = (FIRST.take(10 if full else count) for count in (SEEDS, FEWER))
    planned = (
        _sharing(_entailment(size, task, seeds), size),
        _sharing(_ablations(size, task, fewer), size),
        _sharing(_translation(late, replace(task, targets=("translation",)), seeds), late),
        _sharing(_models(size, models, fewer), size),
    )
    if not full:
        return planned
    few = FIRST.take(5)
    return (
        *planned,
        _several(size, both, few, wide=True),
        _extras(arms.extras(size, wide=True, replay=True), task, few),
        _gemma(few),
    )


def _gemma(seeds: tuple[int, ...]) -> Experiment:
    """A pretrained language model: some five minutes a trial on one core."""
    planned = _experiment(
        "gemma",
        "Gemma-3-270M is tuned on true-or-false statements, and asked other questions",
        {"statements": texts.written_world()},
        arms.on_gemma(),
        seeds,
    )
    # In float32: weights, gradients, both moments of Adam and the best weights, 1.1 GB each, and a gigabyte
    # at a time for a checkpoint.
    return replace(planned, minutes=90.0, memory_gb=10.0)


def _sharing(experiment: Experiment, size: arms.Size) -> Experiment:
    """The experiment with each prompt tuned once, if it has one task: methods do not tell tasks apart."""
    if len(experiment.tasks) > 1:
        return experiment
    (task,) = experiment.tasks.values()
    return replace(experiment, methods=arms.sharing(dict(experiment.methods), size, task))


def _brief(experiment: Experiment, without: Collection[str]) -> Experiment:
    """The experiment without some of its methods, on a model of natural language."""
    kept = {name: method for name, method in experiment.methods.items() if name not in without}
    return replace(experiment, methods=kept, minutes=30.0)


def _with_needs(experiment: Experiment) -> Experiment:
    """What the paper's models need: 13 billion parameters, or 3.7, of which all are trained or a prompt."""
    needs, uses, gpus = {}, {}, {}
    task: Any
    for task_id, task in experiment.tasks.items():
        billions, width = texts.SHAPES[task.model.name]
        # A few rows of 1,024 tokens at a time, layers computed again, and logits of short answers;
        # an update takes several such passes.
        beside = 2.0 + activations_gb(4 * 1024, width=width, layers=48, checkpointed=True)
        for name, method in experiment.methods.items():
            mode: Mode = "adapter" if _keeps_the_model(method) else "full"
            needs[task_id, name] = model_gb(billions, mode, optimizer="adafactor", passes=8, beside_gb=beside)
            uses[task_id, name] = _use(task.model, method)
            if mode == "full" and task.model.name in texts.GPUS:
                gpus[task_id, name] = texts.GPUS[task.model.name]
    # Processes that share a model load it in float32, one after the other, and keep the best weights so.
    memory = 200.0 if gpus else 48.0
    return replace(experiment, minutes=24 * 60.0, memory_gb=memory, device_gb=needs, gpus=gpus, uses=uses)


def _use(model: Resource, method: Method[Any, Any] | Tuned) -> Use:
    """What an arm does with its model: its most expensive stage."""
    plain = method.method if isinstance(method, Tuned) else method
    use = Use(model=model, rows=8, tokens=1024, targets=128, optimizer="adafactor", passes=8)
    if isinstance(plain, Pretrained):
        return replace(use, rows=16)
    if isinstance(plain, PromptTuning):
        return replace(use, kind="prompt", length=plain.length)
    if isinstance(plain, LoraFirst) and plain.frozen:
        return replace(use, kind="adapter", rank=plain.rank, everywhere=False)
    return replace(use, kind="full")


def _keeps_the_model(method: Method[Any, Any] | Tuned) -> bool:
    """Whether a method trains no weights of the model itself."""
    plain = method.method if isinstance(method, Tuned) else method
    return isinstance(plain, Pretrained | PromptTuning) or (isinstance(plain, LoraFirst) and plain.frozen)


def _smoke(size: arms.Size) -> Experiment:
    return _experiment(
        "entailment",
        "A model that knows nothing is tuned on a true-or-false task",
        {"entailment": FormatWorld(model=TINY, train=24, validation=6, test=6, items=2, shots=(1,))},
        arms.core(size),
        FIRST.take(1),
    )


def _entailment(
    size: arms.Size,
    task: Task[Any, Any],
    seeds: tuple[int, ...],
    *,
    natural: bool = False,
) -> Experiment:
    return _experiment(
        "entailment",
        "Tuning on a true-or-false task, and what becomes of other tasks",
        {"entailment": task},
        {
            **arms.core(size),
            **arms.as_long_as_both(size),
            **arms.sabotages(size, natural=natural),
        },
        seeds,
    )


def _ablations(
    size: arms.Size, task: Task[Any, Any], seeds: tuple[int, ...], *, wide: bool = False
) -> Experiment:
    return _experiment(
        "ablations",
        "Variants of ProMoT on the true-or-false task, and a demonstration in every input",
        {"entailment": task},
        arms.ablations(size, wide=wide),
        seeds,
    )


def _translation(size: arms.Size, task: Task[Any, Any], seeds: tuple[int, ...]) -> Experiment:
    own = arms.for_translation(size)
    return _experiment(
        "translation",
        "Tuning on translation, and what becomes of other tasks",
        {"translation": task},
        {**arms.core(own), **arms.broken_stages(own)},
        seeds,
    )


def _several(size: arms.Size, task: Task[Any, Any], seeds: tuple[int, ...], *, wide: bool) -> Experiment:
    return _experiment(
        "several",
        "Two target tasks at once, or one after the other",
        {"both": task},
        arms.several(size, wide=wide),
        seeds,
    )


def _models(size: arms.Size, tasks: Mapping[str, Task[Any, Any]], seeds: tuple[int, ...]) -> Experiment:
    core = arms.core(replace(size, rates=(size.model.get("rate", size.rates[0]),)))
    return _experiment(
        "models",
        "The core comparison with other models and targets",
        tasks,
        {
            **{name: core[name] for name in ("pretrained", "fine-tuning", "promot")},
            "promot-half-prompted": arms.half_prompted(size),
        },
        seeds,
    )


def _extras(methods: Methods, task: Task[Any, Any], seeds: tuple[int, ...]) -> Experiment:
    title = "LoRA in the prompt's place, and other remedies against forgetting"
    return _experiment("extras", title, {"target": task}, methods, seeds)


def _experiment(
    name: str,
    title: str,
    tasks: Mapping[str, Task[Any, Any]],
    methods: Methods,
    seeds: tuple[int, ...],
) -> Experiment:
    return Experiment(id=name, title=title, tasks=tasks, methods=methods, seeds=seeds, unit="question")
