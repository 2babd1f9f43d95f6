"""Sets of labels with correlated members: a toy for decisions by instance-wise F1 (card §3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.method import Context, Method, Scores, Task, param

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Marks = NDArray[np.bool_]

WAEGEMAN = "Waegeman et al. (2014), JMLR 15"


@dataclass(frozen=True)
class LabelProblem:
    """Sampled label sets of n items, shape (n, K, L)."""

    samples: Marks


@dataclass(frozen=True)
class LabelTask(Task[LabelProblem, "Marks"]):
    """Items of a few hidden kinds, each kind with its own probability of every label.

    A model that is as uncertain about the kind as the data allow: its samples follow the distribution
    that also draws the truth, so that only the decision differs between methods.
    """

    items: int = param(300, source="ours", doc="n")
    labels: int = param(7, source="ours", doc="L")
    kinds: int = param(4, source="ours", doc="hidden kinds")
    samples: int = param(100, source="ours", doc="K")

    def problem(self, ctx: Context) -> LabelProblem:
        """Samples for each item."""
        return LabelProblem(self._drawn(ctx)[1])

    def evaluate(self, result: Marks, ctx: Context) -> Scores:
        """Instance F1 and Hamming loss of each item."""
        from methods.metric_aware.gfm import instance_f1

        truth = self._drawn(ctx)[0]
        rows = {
            "unit_id": [f"{number:04d}" for number in range(self.items)],
            "f1": [instance_f1(right, found) for right, found in zip(truth, result, strict=True)],
            "hamming": (truth != result).mean(axis=1),
        }
        return Scores({"main": rows})

    def _drawn(self, ctx: Context) -> tuple[Marks, Marks]:
        """True label sets (n, L) and samples (n, K, L)."""
        import numpy as np

        rng = ctx.rng("labels")
        chances = rng.beta(0.5, 0.8, size=(self.kinds, self.labels))
        belief = rng.dirichlet(np.full(self.kinds, 0.6), size=self.items)
        kinds = np.array([rng.choice(self.kinds, size=self.samples + 1, p=row) for row in belief])
        drawn = rng.random((*kinds.shape, self.labels)) < chances[kinds]
        return drawn[:, 0], drawn[:, 1:]


@dataclass(frozen=True)
class LabelSets(Method[LabelProblem, "Marks"]):
    """A set of labels for each item, best for one metric."""

    problem_type: ClassVar[type] = LabelProblem
    cites: ClassVar[str] = WAEGEMAN

    rule: Literal["f1", "hamming", "mode"] = param(
        "f1", source="card, section 3.5", doc="expected F1, Hamming loss, exact match"
    )

    def run(self, problem: LabelProblem, ctx: Context) -> Marks:
        """Decide from the samples."""
        import numpy as np

        from methods.metric_aware import gfm

        if self.rule == "hamming":
            return np.array([gfm.hamming_set(row.mean(axis=0)) for row in problem.samples])
        decide = _best_f1 if self.rule == "f1" else _most_frequent
        return np.array([decide(row) for row in problem.samples])


def _best_f1(samples: Marks) -> Marks:
    from methods.metric_aware.gfm import best_f1_set, joint_counts

    return best_f1_set(*joint_counts(samples))[0]


def _most_frequent(samples: Marks) -> Marks:
    import numpy as np

    sets, counts = np.unique(samples, axis=0, return_counts=True)
    found: Marks = sets[int(counts.argmax())]
    return found
