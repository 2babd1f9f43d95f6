"""Stage 1 done once for all methods that begin with it: soft prompts that were tuned beforehand.

Stage 1 depends on the target, the seed and its own settings, and on nothing of stage 2. A prompt from here
has the bits that tuning it in the trial would give, which tests hold it to.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Artifact, Context, PerSeed, Task, param

if TYPE_CHECKING:
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

    def load(self, path: Path) -> Beforehand:
        """The prompts, with what they are for."""
        from safetensors.torch import load_file

        from methods.promot.stage import Beforehand

        tuning = self.tuning
        return Beforehand(
            load_file(path / _FILE), self.tuned_seed, tuning.length, tuning.prompt_stage(), tuning.shots
        )


def prompts_of(task: Task[TuningProblem, Adapted], tuning: PromptTuning) -> PerSeed:
    """The prompts on one task, each seed's tuned by itself."""
    return PerSeed(artifact=TunedPrompt(task=task, tuning=tuning), seed_field="tuned_seed")
