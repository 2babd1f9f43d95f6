"""Negative controls of stage 2: a prompt that is only half in place, and nothing to learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from methods.promot.method import ProMoT

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from methods.common.examples import Batch, Example
    from methods.promot.stage import Loss, Stage
    from methods.promot.tuning import Session


@dataclass(frozen=True)
class HalfPromptedProMoT(ProMoT):
    """ProMoT whose prompt is left out of half of the batches of stage 2.

    What a prompt in place takes off the model, its format or a mark of the task, is then learnt
    without a prompt all the same.
    """

    def tune(self, session: Session) -> None:
        """Both stages."""
        from methods.common.training import token_loss
        from methods.promot.tuning import tune_model

        self.tune_prompts(session)
        tune_model(
            session,
            self.model_stage(),
            examples=self.examples(session),
            loss=by_turns(session.loss(), token_loss),
            watch=self.watch(session),
        )


@dataclass(frozen=True)
class SelfTaughtProMoT(ProMoT):
    """ProMoT whose stage 2 learns answers that the model itself draws, behind its prompt.

    Their loss is lowest, in expectation, at the pretrained weights: there is nothing new to learn. The
    last weights are kept, since the target's validation data would choose the pretrained ones.
    """

    def model_stage(self) -> Stage:
        """As long and as fast; label smoothing would teach another distribution than the model's."""
        return replace(super().model_stage(), smoothing=0.0, keep="last")

    def prompt_stage(self) -> Stage:
        """As ProMoT's."""
        return replace(super().prompt_stage(), smoothing=self.smoothing, keep="best")

    def examples(self, session: Session) -> list[Example]:
        """The same inputs with answers that are drawn at temperature 1."""
        with drawing(session.model, session.ctx.torch_rng("own answers")):
            return [one for task in session.problem.targets for one in _answered(session, task)]


def by_turns(prompted: Loss, plain: Loss) -> Loss:
    """One loss for about half of all batches, another for the rest."""
    return partial(_by_turns, prompted, plain)


def _by_turns(prompted: Loss, plain: Loss, model: Any, batch: Batch, smoothing: float) -> Tensor:
    # The batch itself decides, so that a trial that goes on after a stop leaves out the same prompts.
    number = int(batch.names[0].rpartition("/")[2])
    return (plain if number % 2 else prompted)(model, batch, smoothing)


@contextmanager
def drawing(model: Any, generator: torch.Generator) -> Iterator[None]:
    """Let the most probable token be a token drawn from the model's distribution (the Gumbel-max trick)."""
    from methods.common.draws import uniform

    def perturbed(_: Any, __: Any, logits: Tensor) -> Tensor:
        # The smallest number above zero stands for zero, whose logarithm is not finite.
        drawn = uniform(logits.shape, generator, device=logits.device).clamp_(min=1e-30)
        return logits.float() - (-drawn.log()).log()

    handle = model.get_output_embeddings().register_forward_hook(perturbed)
    try:
        yield
    finally:
        handle.remove()


def _answered(session: Session, task: str) -> list[Example]:
    """A task's inputs with what the model answers behind the task's prompt."""
    from methods.common.answering import generate

    reading, examples = session.problem.reading, session.examples([task])
    answers = generate(
        session.model,
        [example.prompt for example in examples],
        new_tokens=reading.new_tokens,
        stop=reading.stop,
        pad=reading.pad,
        batch=max(reading.batch, 256),
        prefix=session.prompts[task],
    )
    return [
        # An answer that was cut short has no end to be learnt.
        replace(one, target=(*answer, *(one.target[-1:] if len(answer) < reading.new_tokens else ())))
        for one, answer in zip(examples, answers, strict=True)
    ]
