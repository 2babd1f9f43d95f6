"""Adapting language models: functions of strings under ``small``, public data sets elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import Artifact, Context, Scores, param
from methods.lora_rite.adaptation import Adaptation, Adapted
from methods.lora_rite.finetune import AdaptationTask, recipe_of
from methods.lora_rite.prepare import STRING_MODEL

if TYPE_CHECKING:
    from methods.common.examples import Example


@dataclass(frozen=True)
class StringTask(AdaptationTask):
    """Adapt to one function of strings; scored by exact match, or by the better option.

    Each seed draws training and test examples of its own.
    """

    function: str = param("sort-shift", source="ours", doc="what to learn")
    base: Artifact = STRING_MODEL
    steps: int = param(40, source="ours", doc="updates")
    batch: int = param(32, source="ours", doc="examples an update")
    train: int = param(2048, source="ours", doc="training examples")
    test: int = param(300, source="ours", doc="test (or validation) examples")

    def problem(self, ctx: Context) -> Adaptation:
        """The base model and this seed's training examples."""
        from methods.common.lora import ALL
        from methods.lora_rite.strings import END

        base = ctx.load(self.base)
        return Adaptation(
            model=lambda: type(base)(base.folder).model(ctx.device, ctx.dtype),
            train=self._train(ctx),
            pad=END,
            recipe=recipe_of(self.steps, self.batch),
            roles=ALL,
            folder=base.folder,
        )

    def _train(self, ctx: Context) -> list[Example]:
        from methods.lora_rite.strings import string_examples

        return string_examples((self.function,), self.train, ctx.rng("train"))

    def answers(self, result: Adapted, ctx: Context) -> Scores:
        """One row a test example; prompts of training do not occur."""
        from methods.lora_rite.strings import string_examples

        seen = {example.prompt for example in self._train(ctx)}
        part = "validation" if ctx.stage == "tune" else "main"
        test = string_examples((self.function,), self.test, ctx.rng(part), without=seen)
        rows: dict[str, Any] = {
            "unit_id": [example.id for example in test],
            "correct": self._correct(result.model, test),
        }
        return Scores({part: rows})

    def _correct(self, model: Any, test: list[Example]) -> list[bool]:
        from methods.common.answering import generate, option_scores
        from methods.lora_rite.strings import ANSWERS, END, LENGTHS, QUESTIONS

        prompts = [example.prompt for example in test]
        if self.function in QUESTIONS:
            scores = option_scores(model, prompts, [ANSWERS] * len(test), pad=END, batch=len(test))
            chosen: list[tuple[int, ...]] = [ANSWERS[int(np.argmax(row))] for row in scores]
        else:
            longest = max(LENGTHS) + 1
            found = generate(model, prompts, new_tokens=longest, stop={END}, pad=END, batch=len(test))
            chosen = [(*answer, END) for answer in found]
        return [answer == example.target for answer, example in zip(chosen, test, strict=True)]
