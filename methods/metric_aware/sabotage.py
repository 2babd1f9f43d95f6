"""Negative controls: read-outs and trainings with one thing replaced. No real method imports this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.method import Context
from methods.metric_aware.exact import (
    ClosedForms,
    Found,
    Inputs,
    all_sets,
    deciding,
    decisions,
    moments,
    reached,
    two_decisions,
)
from methods.metric_aware.label_sets import LabelProblem, LabelSets
from methods.metric_aware.method import Enumerated
from methods.metric_aware.open_answers import MinimumRisk, OpenProblem, Texts
from methods.metric_aware.training_method import AsIs, FineTuned, Grades, TrainingProblem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
class Blind(Enumerated):
    """All items are decided from their average distribution."""

    def predictive(self, asked: Asked, problem: Predictions, temperature: float, ctx: Context) -> Predictive:
        """The same distribution for each item."""
        import numpy as np

        found = super().predictive(asked, problem, temperature, ctx)
        average: Floats = np.tile(found.law.mean(axis=0), (len(asked.ids), 1))
        return replace(found, law=average)


@dataclass(frozen=True)
class MisplacedSets(LabelSets):
    """Each item gets the set of labels that was decided for another one."""

    def run(self, problem: LabelProblem, ctx: Context) -> NDArray[np.bool_]:
        """The sets, moved on by one item."""
        import numpy as np

        return np.roll(super().run(problem, ctx), 1, axis=0)


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
class ShuffledLabels(FineTuned):
    """Fine-tuning on labels that belong to other items."""

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """Training labels in random order; those of the validation items stay."""
        features, labels = problem.train
        mixed = ctx.rng("shuffled labels").permutation(labels)
        return super().run(replace(problem, train=(features, mixed)), ctx)


@dataclass(frozen=True)
class LikeliestTuned(FineTuned):
    """Fine-tuning, read out by the most probable digit."""

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """The same training."""
        return likeliest(super().run(problem, ctx))


@dataclass(frozen=True)
class LikeliestAsIs(AsIs):
    """The pretrained model, read out by the most probable digit."""

    def run(self, problem: TrainingProblem, ctx: Context) -> Grades:
        """The same model."""
        return likeliest(super().run(problem, ctx))


def likeliest(found: Grades) -> Grades:
    """The same distributions, decided by the most probable digit."""
    import numpy as np

    return replace(found, decision=np.asarray(found.values)[found.law.argmax(axis=1)])


@dataclass(frozen=True)
class ExchangedForms(ClosedForms):
    """Each closed form is replaced by a similar one."""

    def rules(self, inputs: Inputs) -> Found:
        """Decide for each metric by the rule of the next one."""
        found = deciding()
        used = zip(found, (*found[1:], found[0]), strict=True)
        return decisions({rule.metric: other for rule, other in used}, inputs)

    def lemmas(self, inputs: Inputs) -> Found:
        """The median for the mean, the mean for the mode."""
        from methods.metric_aware import rules

        return two_decisions(rules.median, rules.mean, inputs)

    def losses(self, inputs: Inputs) -> Found:
        """MBR without the variance, a gradient around zero."""
        grid, law, mean, error = moments(inputs)
        return {"RAFT": error, "MBR": error, "gradient": 2 * (mean - inputs["label"][:, None]) * law * grid}

    def ends(self, inputs: Inputs) -> Found:
        """Two digits within the grid."""
        return reached((2.0, 4.0), inputs)

    def sets(self, inputs: Inputs) -> Found:
        """The set of the likely labels."""
        import numpy as np

        from methods.metric_aware.gfm import hamming_set

        return {"set": np.array([hamming_set(joint @ all_sets()).astype(float) for joint in inputs["joint"]])}
