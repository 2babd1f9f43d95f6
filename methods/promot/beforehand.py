"""Stage 1 done once for all methods that begin with it: soft prompts that were tuned beforehand.

Stage 1 depends on the target, the seed and its own settings, and on nothing of stage 2. A prompt from here
has the bits that tuning it in the trial would give, which tests hold it to.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Artifact, Context, Task, param

if TYPE_CHECKING:
    from torch import Tensor

    from methods.promot.method import PromptTuning
    from methods.promot.problem import Adapted, TuningProblem
    from methods.promot.stage import Beforehand

_FILE = "prompts.safetensors"


@dataclass(frozen=True, kw_only=True)
class TunedPrompt(Artifact):
    """The prompts that prompt tuning finds with one seed, by target task.

    Attributes:
        task: What is tuned on.
        tuning: How.
        tuned_seed: The seed of the trials that it is for.
    """

    title: ClassVar[str] = "soft prompt tuned beforehand"

    task: Task[TuningProblem, Adapted]
    tuning: PromptTuning
    tuned_seed: int = param(0, source="ours", doc="draws data, first prompt and order, as in a trial")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Prompt tuning as a trial of that seed does it."""
        from safetensors.torch import save_file

        # An artifact's own seed is 0; all streams of the trial hang on the trial's.
        own = copy.copy(ctx)
        own.seed = self.tuned_seed
        found = self.tuning.run(self.task.problem(own), own)
        prompts = {name: prompt.weight for name, prompt in found.prompts.items() if prompt is not None}
        save_file({name: weight.detach().cpu() for name, weight in prompts.items()}, folder / _FILE)

    def load(self, path: Path) -> Mapping[str, Tensor]:
        """By target task, shape (p, d)."""
        from safetensors.torch import load_file

        found: Mapping[str, Tensor] = load_file(path / _FILE)
        return found


@dataclass(frozen=True, kw_only=True)
class TunedPrompts(Artifact):
    """The prompts of several seeds in one place, each of which was tuned by itself.

    Attributes:
        each: One for each seed, all tuned in one way.
    """

    title: ClassVar[str] = "soft prompts of all seeds"

    each: tuple[TunedPrompt, ...]

    def build(self, folder: Path, ctx: Context) -> None:
        """Copy them."""
        from safetensors.torch import save_file

        found = {
            f"{one.tuned_seed}/{name}": value for one in self.each for name, value in ctx.load(one).items()
        }
        save_file(found, folder / _FILE)

    def load(self, path: Path) -> Beforehand:
        """By seed and task."""
        from safetensors.torch import load_file

        from methods.promot.stage import Beforehand

        found = {}
        for key, value in load_file(path / _FILE).items():
            seed, _, task = key.partition("/")
            found[int(seed), task] = value
        tuning = self.each[0].tuning
        return Beforehand(found, tuning.length, tuning.prompt_stage(), tuning.shots)


def prompts_of(
    task: Task[TuningProblem, Adapted], tuning: PromptTuning, seeds: Sequence[int]
) -> TunedPrompts:
    """The prompts of so many seeds on one task."""
    return TunedPrompts(each=tuple(TunedPrompt(task=task, tuning=tuning, tuned_seed=seed) for seed in seeds))
