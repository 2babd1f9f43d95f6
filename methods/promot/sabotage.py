"""Negative controls: answers without meaning, prompts without content. No real method imports this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from methods.promot.method import FineTuning, ProMoT

if TYPE_CHECKING:
    import numpy as np

    from methods.common.examples import Example
    from methods.promot.stage import Stage
    from methods.promot.tuning import Session


@dataclass(frozen=True)
class ShuffledProMoT(ProMoT):
    """ProMoT whose stage 2 learns the answers of other inputs."""

    def examples(self, session: Session) -> list[Example]:
        """The same inputs and answers, paired differently."""
        from methods.promot.tuning import shuffled

        return shuffled(super().examples(session), session.ctx.rng("shuffled labels"))


@dataclass(frozen=True)
class ScrambledProMoT(ProMoT):
    """ProMoT whose prompt is tuned and then scrambled: stage 2 sees its numbers in random order."""

    def tune_prompts(self, session: Session) -> None:
        """Stage 1, and a prompt of the same size and spread that means nothing."""
        import torch

        super().tune_prompts(session)
        for task, prompt in session.prompts.items():
            assert prompt is not None
            weight, rng = prompt.weight, session.ctx.rng(f"scrambled prompt of {task}")
            order = torch.from_numpy(rng.permutation(weight.numel())).to(weight.device)
            with torch.no_grad():
                weight.copy_(weight.flatten()[order].view_as(weight))


@dataclass(frozen=True)
class OwnAnswers(FineTuning):
    """Fine-tuning on what the pretrained model answers by itself: as many updates, and no format to learn.

    It is trained to the end, since what it learns does not help with the target, so that its validation
    scores would choose the pretrained model. Gradients are still compared on the target's right answers.
    """

    def model_stage(self) -> Stage:
        """The same stage, of which the last weights are kept."""
        return replace(super().model_stage(), keep="last")

    def examples(self, session: Session) -> list[Example]:
        """The same inputs with greedy answers in place of the right ones."""
        from methods.common.answering import generate

        reading, examples = session.problem.reading, super().examples(session)
        answers = generate(
            session.model,
            [example.prompt for example in examples],
            new_tokens=reading.new_tokens,
            stop=reading.stop,
            pad=reading.pad,
            batch=max(reading.batch, 256),
        )
        return [
            replace(example, target=(*answer, example.target[-1]))
            for example, answer in zip(examples, answers, strict=True)
        ]


@dataclass(frozen=True)
class ForeignAnswers(FineTuning):
    """The format gradient is measured on answers that share no format with the true ones."""

    def compared(self, batch: Sequence[Example], session: Session, rng: np.random.Generator) -> list[Example]:
        """Answers of one random token each, drawn after those of the method."""
        super().compared(batch, session, rng)
        return foreign(batch, session.model.config.vocab_size, rng)


def foreign(examples: Sequence[Example], vocabulary: int, rng: np.random.Generator) -> list[Example]:
    """The same inputs with answers of one random token each."""
    tokens = rng.integers(vocabulary, size=len(examples))
    return [
        replace(example, target=(int(token), *example.target[1:]))
        for example, token in zip(examples, tokens, strict=True)
    ]
