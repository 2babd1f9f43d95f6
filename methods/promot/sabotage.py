"""Negative controls: answers without meaning or format. No real method imports this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from methods.promot.method import FineTuning, ProMoT

if TYPE_CHECKING:
    import numpy as np

    from methods.common.examples import Example
    from methods.promot.tuning import Session


@dataclass(frozen=True)
class ShuffledProMoT(ProMoT):
    """ProMoT whose stage 2 learns the answers of other inputs."""

    def examples(self, session: Session) -> list[Example]:
        """The same inputs and answers, paired differently."""
        from methods.promot.tuning import shuffled

        return shuffled(super().examples(session), session.ctx.rng("shuffled labels"))


@dataclass(frozen=True)
class IdenticalAnswers(FineTuning):
    """The format gradient is measured on the true answers."""

    def compared(self, batch: Sequence[Example], session: Session, rng: np.random.Generator) -> list[Example]:
        """The batch itself."""
        return list(batch)


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
