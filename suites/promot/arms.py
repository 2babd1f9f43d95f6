"""The methods under comparison, by id, at the scale of a profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.claims import Profile
from harness.method import Method, Task
from harness.suite import Methods, Scale, Tuned
from methods.promot.beforehand import prompts_of
from methods.promot.method import FineTuning, FixedPrompt, Joint, LoraFirst, Pretrained, ProMoT, PromptTuning
from methods.promot.metrics import TARGET_SCORE
from methods.promot.sabotage import (
    ForeignAnswers,
    OwnAnswers,
    ScrambledProMoT,
    ShuffledProMoT,
)
from methods.promot.sabotage_stages import HalfPromptedProMoT, SelfTaughtProMoT


@dataclass(frozen=True)
class Size:
    """How long and how fast methods train under a profile.

    Attributes:
        model: Parameters of the model's training.
        prompt: Parameters of a soft prompt.
        rates: Grid of the model's rate, in ascending order.
        prompt_rates: Grid of the prompt's rate, of the same length.
        adapter_rate: Rate of a LoRA adapter as stage 1.
        tuning: Seeds on which rates are chosen.
    """

    model: dict[str, Any]
    prompt: dict[str, Any]
    rates: tuple[float, ...]
    prompt_rates: tuple[float, ...]
    adapter_rate: float
    tuning: tuple[int, ...] = (1,)

    def tuned(self, method: Method[Any, Any], name: str = "rate") -> Tuned | Method[Any, Any]:
        """The method with its rate chosen on validation data of the target, if there is a grid."""
        values = self.rates if name == "rate" else self.prompt_rates
        if len(values) == 1:
            return method
        return Tuned(method=method, grid={name: values}, select=TARGET_SCORE, seeds=self.tuning)

    def stage_one(self, shots: int = 0) -> PromptTuning:
        """Stage 1 as all methods have it whose prompt's rate is not tuned."""
        return PromptTuning(**self.model, **self.prompt, shots=shots)


SIZES = {
    Profile.SMOKE: Size(
        model={"rate": 1e-3, "steps": 4, "every": 2, "batch": 8, "optimizer": "adam"},
        prompt={"length": 4, "prompt_rate": 0.03, "prompt_steps": 4, "prompt_every": 2},
        rates=(1e-3,),
        prompt_rates=(0.03,),
        adapter_rate=3e-3,
    ),
    Profile.SMALL: Size(
        model={
            "rate": 1e-3,
            "steps": 300,
            "every": 50,
            "batch": 32,
            "optimizer": "adam",
            "probe_every": 10,
        },
        prompt={"length": 10, "prompt_rate": 0.1, "prompt_steps": 500, "prompt_every": 100},
        rates=(2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3),
        # Prompt tuning is ProMoT's stage 1 alone: the best of .01, .03, .1 and .3 on pilot seed 50.
        prompt_rates=(0.1,),
        adapter_rate=3e-3,
        tuning=(1, 2),
    ),
    Profile.GPU: Size(
        model={"rate": 5e-5, "steps": 60, "every": 20, "batch": 32, "optimizer": "adam"},
        prompt={"length": 50, "prompt_rate": 0.03, "prompt_steps": 60, "prompt_every": 30},
        rates=(2e-5, 5e-5, 1e-4),
        prompt_rates=(0.01, 0.03, 0.1),
        adapter_rate=1e-3,
    ),
    Profile.PAPER: Size(model={}, prompt={}, rates=(1e-3,), prompt_rates=(0.2,), adapter_rate=1e-3),
}
"""The paper's own numbers are the methods' defaults."""
GEMMA = Size(
    model={"rate": 5e-5, "steps": 60, "every": 20, "batch": 8, "optimizer": "adam"},
    prompt={"length": 20, "prompt_rate": 0.05, "prompt_steps": 100, "prompt_every": 50},
    rates=(5e-5,),
    prompt_rates=(0.05,),
    adapter_rate=1e-3,
)
"""Gemma-3-270M on a CPU, with ``--full`` (card, section 9): one rate, as in the paper."""


def size_of(scale: Scale) -> Size:
    """The size of a scale; ``--full`` trains longer under ``small``, so that slow learners arrive."""
    size = SIZES[scale.profile]
    if scale.full and scale.profile is Profile.SMALL:
        return replace(size, model={**size.model, "steps": 600})
    return size


def on_gemma() -> Methods:
    """The core comparison, and the control of what a prompt in place keeps away."""
    return {**core(GEMMA), "promot-half-prompted": half_prompted(GEMMA), "own-answers": _own_answers(GEMMA)}


def _own_answers(size: Size) -> OwnAnswers:
    # Far from the target score at all times, so that there is no point to find between checkpoints.
    return OwnAnswers(**{**size.model, "probe_every": 0}, probes=True, diagnose="permuted")


def for_translation(size: Size) -> Size:
    """Translation is learned at slower rates: its grid starts one value lower, where there is a grid."""
    if len(size.rates) == 1:
        return size
    return replace(size, rates=_shifted(size.rates, 2.0), prompt_rates=_shifted(size.prompt_rates, 3.0))


def to_the_ceiling(size: Size) -> Size:
    """Translation under ``small``: learned late and all at once; one seed tells rates apart."""
    steps = max(400, size.model["steps"])
    return replace(size, model={**size.model, "steps": steps}, rates=size.rates[1:], tuning=(1,))


def _shifted(rates: tuple[float, ...], factor: float) -> tuple[float, ...]:
    """An ascending grid without its highest value, and with one lower than all by a factor."""
    return (float(f"{rates[0] / factor:.2g}"), *rates[:-1])


def core(size: Size) -> Methods:
    """The comparison of the paper's main tables."""
    model = {**size.model, "probes": True}
    return {
        "pretrained": Pretrained(),
        "fine-tuning": size.tuned(FineTuning(**model, diagnose="permuted")),
        "prompt-tuning": size.tuned(PromptTuning(**size.model, **size.prompt), "prompt_rate"),
        "promot": size.tuned(ProMoT(**model, **size.prompt)),
    }


def ablations(size: Size, *, wide: bool) -> Methods:
    """Variants of one stage, and those with a demonstration in every input (Table 6).

    They change one thing and so keep the rate, as in the paper: the grid's middle.

    Args:
        size: Steps and rates.
        wide: Whether all claims are judged that only models of natural language can answer.
    """
    model = {**size.model, "probes": True}
    found: Methods = {
        "joint": Joint(**model, **size.prompt),
        "random-prompt": FixedPrompt(**model, **size.prompt),
        "fine-tuning-1shot": FineTuning(**model, shots=1),
        "promot-1shot": ProMoT(**model, **size.prompt, shots=1),
        # What the variants would be if their prompt came from a stage of its own.
        "prompt-first": ProMoT(**model, **size.prompt),
    }
    if wide:
        found["promot-1shot-scrambled"] = ScrambledProMoT(**model, **size.prompt, shots=1)
    return found


def sabotages(size: Size, *, natural: bool) -> Methods:
    """Mechanisms switched off, trained for as long as what they stand in for, at one rate.

    Args:
        size: Steps and rates.
        natural: Whether a model of natural language is tuned, which alone can answer some claims.
    """
    model = {**size.model, "probes": True}
    found: Methods = {
        **broken_stages(size),
        "own-answers": _own_answers(size),
        "promot-half-prompted": half_prompted(size),
    }
    if natural:
        found["foreign-answers"] = ForeignAnswers(**model, diagnose="permuted")
        found["promot-self-taught"] = SelfTaughtProMoT(**model, **size.prompt)
    return found


def as_long_as_both(size: Size) -> Methods:
    """Fine-tuning with as many updates as ProMoT has in both stages."""
    steps = size.model.get("steps", 1000) + size.prompt.get("prompt_steps", 5000)
    return {"fine-tuning-long": FineTuning(**{**size.model, "steps": steps})}


def sharing(found: Methods, size: Size, task: Task[Any, Any]) -> Methods:
    """The same arms, with the prompts that several of them begin with tuned once.

    Args:
        found: Methods; those without a tuned prompt stay as they are.
        size: Whose stage 1.
        task: What is tuned on.
    """
    known = {shots: prompts_of(task, size.stage_one(shots)) for shots in (0, 1)}

    def shared(method: Method[Any, Any] | Tuned) -> Method[Any, Any] | Tuned:
        if isinstance(method, Tuned):
            plain = shared(method.method)
            return method if isinstance(plain, Tuned) else replace(method, method=plain)
        if isinstance(method, ProMoT | PromptTuning):
            return replace(method, beforehand=known[method.shots])
        return method

    return {name: shared(method) for name, method in found.items()}


def broken_stages(size: Size) -> Methods:
    """ProMoT with one of its stages broken."""
    model = {**size.model, "probes": True}
    return {
        # Only claims on the target ask for it.
        "promot-shuffled": ShuffledProMoT(**size.model, **size.prompt),
        "promot-scrambled": ScrambledProMoT(**model, **size.prompt),
    }


def half_prompted(size: Size) -> HalfPromptedProMoT:
    """ProMoT whose prompt is left out of half of stage 2."""
    return HalfPromptedProMoT(**size.model, **size.prompt, probes=True)


def extras(size: Size, *, wide: bool, replay: bool = False) -> Methods:
    """LoRA in the prompt's place; with ``wide`` also what else keeps a model from forgetting.

    Args:
        size: Steps and rates.
        wide: Whether time allows for more.
        replay: Whether there are pretraining examples to be mixed in.
    """
    lora = {
        "adapter_rate": size.adapter_rate,
        "adapter_steps": size.prompt.get("prompt_steps", 5000),
        "adapter_every": size.prompt.get("prompt_every", 1000),
    }
    found: Methods = {
        "lora-first-4": LoraFirst(**size.model, **lora, rank=4),
        "lora": LoraFirst(**size.model, **lora, rank=4, frozen=True),
    }
    if wide and replay:
        found["replay"] = FineTuning(**size.model, replay=0.1)
    if wide:
        found |= {
            "fine-tuning-slow": FineTuning(**{**size.model, "rate": min(size.rates) / 5}),
            "lora-first-2": LoraFirst(**size.model, **lora, rank=2),
            "zero-prompt": FixedPrompt(**size.model, **size.prompt, kind="zero"),
            "l2-sp": FineTuning(**size.model, anchor=1e-2),
            "wise-ft": FineTuning(**size.model, mix=0.5),
        }
    return found


def several(size: Size, *, wide: bool) -> Methods:
    """Two target tasks: mixed, or with ``wide`` also one after the other."""
    found: Methods = {
        "pretrained": Pretrained(),
        "fine-tuning": FineTuning(**size.model),
        "promot": ProMoT(**size.model, **size.prompt),
    }
    if wide:
        found["promot-sequential"] = ProMoT(**size.model, **size.prompt, order="sequence")
        found["promot-half-prompted"] = half_prompted(size)
    return found
