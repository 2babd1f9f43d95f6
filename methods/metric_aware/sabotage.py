"""Negative controls: read-outs and trainings with one thing replaced. No real method imports this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from harness.method import Context, param
from methods.metric_aware.method import Enumerated
from methods.metric_aware.open_answers import MinimumRisk, OpenProblem, Texts
from methods.metric_aware.training_method import AsIs, FineTuned, Grades, TrainingProblem
from methods.metric_aware.training_task import LatentTraining

if TYPE_CHECKING:
    from methods.metric_aware.distributions import Predictive
    from methods.metric_aware.problem import Asked, Floats, Predictions


@dataclass(frozen=True)
class Misplaced(Enumerated):
    """Each item is decided from another one's distribution."""

    def predictive(self, asked: Asked, problem: Predictions, temperature: float, ctx: Context) -> Predictive:
        """The distributions of other items."""
        order = ctx.rng("misplaced").permutation(len(asked.ids))
        other = replace(asked, scores=asked.scores[order])
        return super().predictive(other, problem, temperature, ctx)


@dataclass(frozen=True)
class NearTemperature(Enumerated):
    """The temperature is fitted in another way, in place of one that is far off."""

    fit: Literal["none", "likelihood", "squared-error", "line"] = param(
        "squared-error", source="ours", doc="what is fitted on held-out items"
    )


@dataclass(frozen=True)
class Blind(Enumerated):
    """All items are decided from their average distribution."""

    def predictive(self, asked: Asked, problem: Predictions, temperature: float, ctx: Context) -> Predictive:
        """The same distribution for each item."""
        import numpy as np

        found = super().predictive(asked, problem, temperature, ctx)
        average: Floats = np.tile(found.law.mean(axis=0), (len(asked.ids), 1))
        return replace(found, law=average)


@dataclass(frozen=True)
class MisplacedRisk(MinimumRisk):
    """Candidates are compared with the samples for another question."""

    def run(self, problem: OpenProblem, ctx: Context) -> Texts:
        """The candidates stay."""
        from methods.metric_aware.mbr import expected_utilities

        found = []
        for row, other in zip(problem.samples, (*problem.samples[1:], problem.samples[0]), strict=True):
            candidates = list(dict.fromkeys(one.text.strip() for one in row))
            evidence = [one.text.strip() for one in other]
            gains = expected_utilities(candidates, evidence, self.gain())
            found.append(candidates[max(range(len(gains)), key=gains.__getitem__)])
        return Texts(tuple(found))


@dataclass(frozen=True)
class ShuffledRisk(MinimumRisk):
    """Expected utilities are computed, and exchanged among the candidates at random."""

    def run(self, problem: OpenProblem, ctx: Context) -> Texts:
        """Each question's candidates in random order."""
        from methods.metric_aware.mbr import expected_utilities

        rng, found = ctx.rng("shuffled utilities"), []
        for row in problem.samples:
            texts = [one.text.strip() for one in row]
            candidates = list(dict.fromkeys(texts))
            gains = expected_utilities(candidates, texts, self.gain(), exclude_self=True)
            found.append(candidates[int(rng.permutation(gains).argmax())])
        return Texts(tuple(found))


@dataclass(frozen=True)
class ShuffledLabels(FineTuned):
    """Fine-tuning on labels that belong to other items."""

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """Training labels in random order; those of the validation items stay."""
        features, labels = problem.train
        mixed = ctx.rng("shuffled labels").permutation(labels)
        return super().run(replace(problem, train=(features, mixed)), ctx)


@dataclass(frozen=True)
class DrawnTuned(FineTuned):
    """Fine-tuning, read out by one digit that is drawn from the distribution."""

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """The same training."""
        return drawn(super().run(problem, ctx), ctx)


@dataclass(frozen=True)
class DrawnAsIs(AsIs):
    """The pretrained model, read out by one digit that is drawn from the distribution."""

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """The same model."""
        return drawn(super().run(problem, ctx), ctx)


def drawn(found: Grades, ctx: Context) -> Grades:
    """The same distributions, decided by one draw each."""
    import numpy as np

    levels = ctx.rng("drawn digits").random((len(found.law), 1))
    # Rounding can leave the sum of a row just below 1, and the level above it.
    places = np.minimum((found.law.cumsum(axis=1) < levels).sum(axis=1), len(found.values) - 1)
    return replace(found, decision=np.asarray(found.values)[places])


@dataclass(frozen=True, kw_only=True)
class ScrambledStart(LatentTraining):
    """Fine-tuning begins with the pretrained weights in random order: as large, and without knowledge."""

    def start(self, ctx: Context) -> Mapping[str, Any] | None:
        """Every tensor permuted in itself."""
        import torch

        found, rng = super().start(ctx), ctx.rng("scrambled weights")
        if found is None:
            return None
        orders = {name: torch.from_numpy(rng.permutation(value.numel())) for name, value in found.items()}
        return {name: value.flatten()[orders[name]].reshape(value.shape) for name, value in found.items()}
